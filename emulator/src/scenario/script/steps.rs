//! The steps of a script, as the runner carries them out.

use std::time::Duration;

use super::answer::Answer;
use super::diagnostic::{Problem, Span};
use super::http::Http;
use super::template::{Name, Template};
use super::websocket::WebSocket;
use crate::Timestamp;
use crate::scenario::awscli::CommandError;
use crate::scenario::awscli::split::Word;
use crate::scenario::expect::Expectation;
use crate::scenario::fault::FaultSpec;
use crate::sqs::Quirks;

/// One step and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Its first line.
    pub span: Span,
    /// The number of that line, from 1.
    pub line: usize,
    /// That line as it was written.
    pub text: String,
    /// What it does.
    pub kind: StepKind,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
pub enum StepKind {
    /// `log GROUP STREAM`: puts events into CloudWatch Logs, making group and stream where they do not exist.
    Log(Log),
    /// `$ aws …`, `repeat 1000 $ aws …`: calls as the AWS CLI would make them.
    Aws(Aws),
    /// `advance 3m`, `advance to 2026-03-03T00:00:00Z`: moves the clock, settling what falls due on the way.
    Advance(Advance),
    /// `settle`: runs what is due now, without moving the clock.
    Settle,
    /// `expect …`: a check.
    Expect(Box<Expectation>),
    /// `snapshot [NAME]`: compares what the sinks received and what the state holds with a kept snapshot.
    Snapshot(Option<String>),
    /// `mark`: the place in the trace that `since mark` counts from.
    Mark,
    /// `sink NAME answers …`: changes what a sink answers from now on.
    Sink {
        /// Which sink.
        name: String,
        /// By attempt, counted anew; the last repeats.
        answers: Vec<Answer>,
    },
    /// `fault …`: arms a fault.
    Fault(FaultSpec),
    /// `queue NAME duplicate, reorder`: has a standard queue deliver as AWS's may, from now on; `queue NAME normal` ends it.
    Queue {
        /// Which queue.
        name: String,
        /// What it does.
        quirks: Quirks,
    },
    /// `invoke FUNCTION {json}`: invokes a function and waits for its answer.
    Invoke(Invoke),
    /// `POST URL` and the lines below: a request to an API.
    Http(Box<Http>),
    /// `ws NAME …`: a client of a WebSocket API.
    WebSocket(WebSocket),
}

/// An invocation and what is expected of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoke {
    /// The function.
    pub function: String,
    /// The event; `{}` if none is given.
    pub event: Template,
    /// The answer that must come; `None`: it is not looked at, but the function must not fail.
    pub expected: Option<Expected>,
    /// The name under which the answer is kept.
    pub capture: Option<String>,
}

/// A block of log lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// The log group.
    pub group: String,
    /// The log stream.
    pub stream: String,
    /// How many times the lines are put; `{{n}}` in them is the number of the time, from 1.
    pub repeat: u32,
    /// The lines of the block.
    pub lines: Vec<LogLine>,
}

/// One line of a log block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// The event's time, if the line begins with one; else it is the time at which the step runs.
    pub timestamp: Option<Timestamp>,
    /// The event's message: the whole line, the time included.
    pub message: Template,
}

/// An `aws` command and what is expected of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aws {
    /// The words after `aws`, as a shell would pass them.
    pub words: Vec<Word>,
    /// How often it is run; `{{n}}` is the how manieth time.
    pub repeat: u32,
    /// What must be printed; `None`: that is not looked at, but the call must succeed.
    pub expected: Option<Expected>,
    /// The name under which what is printed is kept.
    pub capture: Option<String>,
}

impl Aws {
    /// The words with their names filled in.
    ///
    /// # Errors
    /// Names the first that `lookup` does not know, at its place.
    pub fn render(&self, lookup: &dyn Fn(&Name) -> Option<String>) -> Result<Vec<String>, Problem> {
        self.words.iter().map(|word| word.text.render(lookup)).collect()
    }

    /// An error in the command, at the place of the word that is wrong.
    pub fn problem(&self, error: CommandError) -> Problem {
        let first = self.words.first().map_or(Span::default(), |word| word.span);
        let last = self.words.last().map_or(first, |word| word.span);
        let wrong = error.word.and_then(|word| self.words.get(word)).map(|word| word.span);
        let span = wrong.unwrap_or(Span::new(first.start, last.end));
        Problem { span, message: error.message, help: error.help }
    }
}

/// Expected output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The lines, joined by newlines, without one at the end.
    pub text: Template,
    /// Where they stand, whole lines without the last line's end: `--bless` writes there.
    pub span: Span,
}

/// How far the clock moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advance {
    /// By this much.
    By(Duration),
    /// To this point; an error if that is past.
    To(Timestamp),
}
