//! The scenario language: a header, a transcript of steps, and endings.
//!
//! A script is parsed whole before anything runs. Whatever is not understood is an error with its line and column.

pub mod answer;
pub mod bless;
pub mod diagnostic;
pub mod duration;
pub mod endings;
pub mod files;
pub mod header;
pub mod http;
pub(crate) mod lexer;
mod parser;
pub mod sinks;
pub mod steps;
pub(crate) mod suggest;
pub mod template;
#[cfg(test)]
mod tests;
pub mod websocket;

use std::sync::Arc;

pub use answer::{Answer, Outcome};
pub use diagnostic::{Diagnostic, Problem, Span, line_column};
pub use endings::{Ending, Explore, Named, Window};
pub use files::File;
pub use header::Header;
pub use sinks::{Sink, SinkKind};
pub use steps::{Advance, Aws, Expected, Invoke, Log, LogLine, Step, StepKind};
pub use template::{Name, SinkPart, Template};

/// The longest script, in bytes: long logs are written with `repeat`.
pub const SCRIPT_MAX: usize = 1024 * 1024;

/// The most times that a log block may be repeated.
pub const REPEAT_MAX: u32 = 100_000;

/// A parsed script.
#[derive(Clone, Debug, PartialEq)]
pub struct Script {
    /// What the script is called in messages: its file's name.
    pub name: String,
    /// Its text.
    pub source: Arc<str>,
    /// What the run starts from.
    pub header: Header,
    /// What happens, in order.
    pub steps: Vec<Step>,
    /// What must hold, and what to explore.
    pub endings: Vec<Ending>,
}

/// Parses a script. `name` is what messages call it.
///
/// # Errors
/// The first thing that is not understood, or that would make the script check nothing.
pub fn parse(name: &str, text: &str) -> Result<Script, Diagnostic> {
    let source: Arc<str> = Arc::from(text);
    parser::parse(name, &source).map_err(|problem| Diagnostic::new(name, source.clone(), problem))
}

impl Script {
    /// Draws a problem that was found later, such as a failed step, at its place in this script.
    pub fn diagnostic(&self, problem: Problem) -> Diagnostic {
        Diagnostic::new(&self.name, self.source.clone(), problem)
    }

    /// Refuses invariants that nobody has written: `known` are the names of those that exist.
    ///
    /// # Errors
    /// Names the first unknown invariant, at its place.
    pub fn check_invariants(&self, known: &[&str]) -> Result<(), Diagnostic> {
        let unknown = self.invariants().find(|named| !known.contains(&named.name.as_str()));
        unknown.map_or(Ok(()), |named| {
            let problem = Problem::new(named.span, format!("there is no invariant `{}`", named.name));
            Err(self.diagnostic(problem.did_you_mean(&named.name, known.iter().copied())))
        })
    }

    /// The invariants that the endings name, in order.
    pub fn invariants(&self) -> impl Iterator<Item = &Named> {
        self.endings.iter().flat_map(Ending::invariants)
    }

    /// What to explore, in order.
    pub fn explorations(&self) -> impl Iterator<Item = &Explore> {
        self.endings.iter().filter_map(|ending| match ending {
            Ending::Explore(explore) => Some(explore),
            _ => None,
        })
    }
}
