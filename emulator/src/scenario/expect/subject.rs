//! What an expectation looks at.

use super::jmes;
use crate::scenario::pattern::CallPattern;
use crate::scenario::script::diagnostic::{Problem, Span};
use crate::scenario::script::lexer::Words;
use crate::scenario::script::template::Scope;

/// The subject of an expectation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A JMESPath expression over sinks, captured variables and `stack`.
    Path(String),
    /// `calls SERVICE:OPERATION …`: records of the trace.
    Calls(Calls),
    /// `invocations FUNCTION …`.
    Invocations(Invocations),
    /// `logs GROUP`: the messages in a log group.
    Logs {
        /// The group.
        group: String,
    },
    /// `queue NAME [visible|in-flight|delayed|dead]`: the messages of a queue, or those in one state.
    Queue {
        /// The queue.
        name: String,
        /// Only these.
        state: Option<MessageState>,
    },
}

/// Where a message of a queue is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageState {
    /// It can be received.
    Visible,
    /// It was received, and neither deleted nor visible again.
    InFlight,
    /// It was sent with a delay that is not over.
    Delayed,
    /// It is in the queue's dead-letter queue.
    Dead,
}

impl MessageState {
    const ALL: [Self; 4] = [Self::Visible, Self::InFlight, Self::Delayed, Self::Dead];

    /// As scripts and reports write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Visible => "visible",
            Self::InFlight => "in-flight",
            Self::Delayed => "delayed",
            Self::Dead => "dead",
        }
    }
}

/// `calls s3:Delete* by pix-monitor answered 404 since mark`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calls {
    /// Which operations.
    pub calls: CallPattern,
    /// Only those that this function made.
    pub by: Option<String>,
    /// Only those answered with this status or error code.
    pub answered: Option<String>,
    /// Only those after the last `mark`.
    pub since_mark: bool,
}

/// `invocations pix-monitor failed since mark`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocations {
    /// The function.
    pub function: String,
    /// Only those that failed, or succeeded.
    pub failed: Option<bool>,
    /// Only those begun after the last `mark`.
    pub since_mark: bool,
}

impl Subject {
    pub(super) fn parse(text: &str, offset: usize) -> Result<Self, Problem> {
        let mut words = Words::new(text, offset);
        let first = words.next().map_or("", |word| word.text);
        match first {
            "calls" => Ok(Self::Calls(calls(&mut words)?)),
            "invocations" => Ok(Self::Invocations(invocations(&mut words)?)),
            "logs" => {
                let group = words.expect("the log group")?.text.to_owned();
                words.end()?;
                Ok(Self::Logs { group })
            }
            "queue" => queue(&mut words),
            _ => {
                jmes::check(text).map_err(|why| Problem::new(Span::of(text, offset), why))?;
                Ok(Self::Path(text.to_owned()))
            }
        }
    }

    /// Refuses a path that begins with a name nobody has given: it would be null, and `!=` would pass.
    pub(super) fn check_scope(&self, scope: &Scope, span: Span) -> Result<(), Problem> {
        let Self::Path(path) = self else { return Ok(()) };
        let known = || ["stack"].into_iter().chain(scope.sinks.iter().chain(&scope.variables).map(String::as_str));
        for root in jmes::roots(path).map_err(|why| Problem::new(span, why))? {
            if !known().any(|name| name == root) {
                let words = known().chain(["calls", "invocations", "logs", "queue"]);
                return Err(Problem::new(span, format!("`{root}` is neither a sink nor captured before this line"))
                    .did_you_mean(&root, words));
            }
        }
        Ok(())
    }
}

fn calls(words: &mut Words<'_>) -> Result<Calls, Problem> {
    let pattern = words.expect("SERVICE:OPERATION")?;
    let calls = pattern.text.parse().map_err(|why: String| Problem::new(pattern.span, why))?;
    let mut calls = Calls { calls, by: None, answered: None, since_mark: false };
    while let Some(word) = words.next() {
        match word.text {
            "by" if calls.by.is_none() => calls.by = Some(words.expect("the function's name")?.text.to_owned()),
            "answered" if calls.answered.is_none() => {
                calls.answered = Some(words.expect("a status or an error code")?.text.to_owned());
            }
            "since" if !calls.since_mark => calls.since_mark = mark(words)?,
            other => {
                return Err(Problem::new(word.span, format!("`{other}` says nothing about calls"))
                    .did_you_mean(other, ["by", "answered", "since", "count"]));
            }
        }
    }
    Ok(calls)
}

fn invocations(words: &mut Words<'_>) -> Result<Invocations, Problem> {
    let function = words.expect("the function's name")?.text.to_owned();
    let mut invocations = Invocations { function, failed: None, since_mark: false };
    while let Some(word) = words.next() {
        match word.text {
            "failed" if invocations.failed.is_none() => invocations.failed = Some(true),
            "succeeded" if invocations.failed.is_none() => invocations.failed = Some(false),
            "since" if !invocations.since_mark => invocations.since_mark = mark(words)?,
            other => {
                return Err(Problem::new(word.span, format!("`{other}` says nothing about invocations"))
                    .did_you_mean(other, ["failed", "succeeded", "since", "count"]));
            }
        }
    }
    Ok(invocations)
}

fn queue(words: &mut Words<'_>) -> Result<Subject, Problem> {
    let name = words.expect("the queue's name")?.text.to_owned();
    let Some(word) = words.next() else { return Ok(Subject::Queue { name, state: None }) };
    let state = MessageState::ALL.into_iter().find(|state| state.name() == word.text);
    let state = state.ok_or_else(|| {
        Problem::new(word.span, format!("`{}` says nothing about messages", word.text))
            .did_you_mean(word.text, MessageState::ALL.map(MessageState::name).into_iter().chain(["count"]))
    })?;
    words.end()?;
    Ok(Subject::Queue { name, state: Some(state) })
}

fn mark(words: &mut Words<'_>) -> Result<bool, Problem> {
    let word = words.expect("`mark`")?;
    if word.text == "mark" { Ok(true) } else { Err(Problem::new(word.span, "`since` is followed by `mark`")) }
}
