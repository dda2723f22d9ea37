//! Expectations: `expect SUBJECT` and a comparison, over what a run has produced so far.

pub mod evaluate;
pub mod jmes;
pub mod mismatch;
mod parse;
mod subject;
#[cfg(test)]
mod tests;

use serde_json::Value;

pub use mismatch::Mismatch;
pub use subject::{Calls, Invocations, MessageState, Subject};

use super::report::{QueueState, Record};
use super::script::Span;

/// A check. It is parsed with the script, so that a slip is found before anything runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// What is looked at.
    pub subject: Subject,
    /// What must be true of it.
    pub check: Check,
    /// As it was written, after `expect`.
    pub text: String,
    /// Where the subject stands.
    pub span: Span,
}

/// What must be true of a subject.
#[derive(Clone, Debug, PartialEq)]
pub enum Check {
    /// It is `true`: not merely something, so that a misspelt path cannot pass.
    Holds,
    /// It is a list of so many elements.
    Count(u64),
    /// It is a sink, and answered so many requests with a 2xx status.
    Accepted(u64),
    /// `==`: it is this value; members' order does not count.
    Equals(Value),
    /// `!=`
    Differs(Value),
    /// `contains`: a text holds this text; a list holds this element, or a text that holds this text.
    Contains(Value),
    /// `matches /re/`: it is a text in which the regular expression is found.
    Matches(String),
    /// `<`, `<=`, `>`, `>=` between two numbers or two texts.
    Compares(Order, Value),
}

/// The comparisons that need an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// A request that a sink received.
#[derive(Clone, Debug, PartialEq)]
pub struct SinkRequest {
    /// The body: parsed if it is JSON, else a text.
    pub body: Value,
    /// The status that it was answered with; `None` if no answer was given.
    pub status: Option<u16>,
}

/// An invocation of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvocationView {
    /// Its number, from 1.
    pub number: u32,
    /// How many records the trace held when it began.
    pub records_before: usize,
    /// How it ended; `None` while it runs.
    pub failed: Option<bool>,
    /// The error that it ended with: its type, a colon, its text.
    pub error: Option<String>,
}

impl InvocationView {
    /// One line: `2 failed: PixMonitor.LostRace: …`. It is what `contains` looks into.
    pub fn summary(&self) -> String {
        let outcome = match self.failed {
            None => "running",
            Some(true) => "failed",
            Some(false) => "succeeded",
        };
        let error = self.error.as_ref().map_or(String::new(), |error| format!(": {error}"));
        format!("{} {outcome}{error}", self.number)
    }
}

/// What a run has produced so far, as the runner supplies it.
pub trait RunView {
    /// What a sink received, in order; `None` if there is no such sink.
    fn sink(&self, name: &str) -> Option<Vec<SinkRequest>>;
    /// What was captured under a name.
    fn variable(&self, name: &str) -> Option<String>;
    /// The outputs of the stack, by name.
    fn stack_outputs(&self) -> Vec<(String, String)>;
    /// The trace so far.
    fn records(&self) -> &[Record];
    /// How many records the trace held at the last `mark`; 0 without one.
    fn marked(&self) -> usize;
    /// The invocations of a function, in order; `None` if there is no such function.
    fn invocations(&self, function: &str) -> Option<Vec<InvocationView>>;
    /// The messages in a log group, in the order of their event ids; `None` if there is no such group.
    fn logs(&self, group: &str) -> Option<Vec<String>>;
    /// What a queue holds; `None` if there is no such queue.
    fn queue(&self, name: &str) -> Option<QueueState>;
    /// Fills in a name in a template.
    fn name(&self, name: &super::script::Name) -> Option<String>;
}
