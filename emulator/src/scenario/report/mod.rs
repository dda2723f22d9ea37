//! Reports: pure functions of what a run left behind.

pub mod coverage;
pub mod exploration;
pub mod html;
pub mod mermaid;
pub mod policy;
mod rows;
pub mod sequence;
#[cfg(test)]
mod tests;
pub mod timeline;

use super::fault::Point;
#[cfg(test)]
use super::fault::PointSpec;
use crate::Timestamp;

/// A run, as reports see it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TraceView {
    /// The scenario's title.
    pub title: String,
    /// What the scenario is called on the command line.
    pub name: String,
    /// The virtual time at which the run began.
    pub start: Timestamp,
    /// The virtual time at which it ended.
    pub end: Timestamp,
    /// The script's steps, in order.
    pub steps: Vec<StepView>,
    /// Every call, in the order in which the calls were made.
    pub records: Vec<Record>,
}

/// A step that was carried out.
#[derive(Clone, Debug, PartialEq)]
pub struct StepView {
    /// Its line in the script, from 1.
    pub line: usize,
    /// The step as it is written, its first line.
    pub text: String,
    /// The virtual time at which it began.
    pub at: Timestamp,
    /// How it ended.
    pub outcome: StepOutcome,
    /// What the queues held after it.
    pub queues: Vec<QueueState>,
}

/// How many messages a queue holds, by state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueState {
    /// The queue's name.
    pub name: String,
    /// Those that can be received.
    pub visible: usize,
    /// Those that were received, and neither deleted nor visible again.
    pub in_flight: usize,
    /// Those whose delay is not over.
    pub delayed: usize,
    /// Those in its dead-letter queue, if it has one.
    pub dead: Option<usize>,
}

impl QueueState {
    /// One line: `mail: 1 visible, 2 in flight, 0 delayed, 1 dead`.
    pub fn line(&self) -> String {
        let dead = self.dead.map_or(String::new(), |dead| format!(", {dead} dead"));
        format!("{}: {} visible, {} in flight, {} delayed{dead}", self.name, self.visible, self.in_flight, self.delayed)
    }

    fn is_empty(&self) -> bool {
        self.visible + self.in_flight + self.delayed + self.dead.unwrap_or(0) == 0
    }
}

impl TraceView {
    /// What is worth telling of the queues after a step: those that hold something, and those that no longer do.
    fn queues_after(&self, index: usize) -> Vec<String> {
        let queues = |index: usize| self.steps.get(index).map_or(&[][..], |step| &step.queues);
        let before = index.checked_sub(1).map_or(&[][..], queues);
        let is_told = |queue: &&QueueState| {
            !queue.is_empty() || before.iter().any(|old| old.name == queue.name && !old.is_empty())
        };
        queues(index).iter().filter(is_told).map(QueueState::line).collect()
    }
}

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepOutcome {
    /// It did what it should.
    Passed,
    /// It failed, and why, in as many lines as it takes.
    Failed(String),
    /// A step before it failed.
    Skipped,
}

/// One call: of a service's operation, or of a sink.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// The virtual time at which it was made.
    pub at: Timestamp,
    /// The step during which it was made: its place in [`TraceView::steps`].
    pub step: Option<usize>,
    /// The invocation that made it.
    pub invocation: Option<Invocation>,
    /// Its place among the calls of that function, if it was made by one.
    pub point: Option<Point>,
    /// Who made it, if no function did: `scenario`, or a service such as `scheduler`.
    pub caller: String,
    /// The role whose credentials it carried, by name.
    pub role: Option<String>,
    /// The service, or the sink's name.
    pub service: String,
    /// The operation, or the HTTP method.
    pub operation: String,
    /// What it acts on, as people write it: `pix-state/lastId.txt`.
    pub resource: Option<String>,
    /// What it acts on, as policies write it: the ARN.
    pub arn: Option<String>,
    /// The action that policies grant, such as `s3:ListBucket` for `ListObjectsV2`; `None` at a sink.
    pub action: Option<String>,
    /// The HTTP status of the answer; `None` if none came back.
    pub status: Option<u16>,
    /// The error code of the answer.
    pub code: Option<String>,
    /// The fault that was injected, in the script's words.
    pub fault: Option<String>,
    /// Anything that is worth a remark, in a few words.
    pub note: Option<String>,
}

/// An invocation of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    /// The function.
    pub function: String,
    /// Its number among the function's invocations, from 1.
    pub number: u32,
}

impl Record {
    /// The function that made the call, if one did.
    pub fn function(&self) -> Option<&str> {
        self.invocation.as_ref().map(|invocation| invocation.function.as_str())
    }

    /// Who made the call, for a diagram.
    pub fn from(&self) -> &str {
        self.function().unwrap_or(&self.caller)
    }

    /// Who received it, for a diagram: an invoked function stands for itself, not for Lambda.
    pub fn to(&self) -> &str {
        let invoked =
            self.resource.as_deref().filter(|_| self.service == "lambda" && self.operation.starts_with("Invoke"));
        invoked.map_or(&self.service, |resource| resource.rsplit([':', '/']).next().unwrap_or(resource))
    }

    /// How it was answered: `200`, `404 NoSuchKey`, `no answer`, and the fault.
    pub fn answer(&self) -> String {
        let mut answer = match (self.status, &self.code) {
            (Some(status), Some(code)) => format!("{status} {code}"),
            (Some(status), None) => status.to_string(),
            (None, Some(code)) => code.clone(),
            (None, None) => "no answer".to_owned(),
        };
        if let Some(fault) = &self.fault {
            answer += &format!(" [{fault}]");
        }
        answer
    }

    /// One line: `1.2 s3:GetObject pix-state/lastId.txt → 404 NoSuchKey`.
    pub fn summary(&self) -> String {
        let point = self.point.map_or(String::new(), |point| format!("{point} "));
        let resource = self.resource.as_ref().map_or(String::new(), |resource| format!(" {resource}"));
        let note = self.note.as_ref().map_or(String::new(), |note| format!(" ({note})"));
        format!("{point}{}:{}{resource} → {}{note}", self.service, self.operation, self.answer())
    }

    /// Whether no policy allowed it.
    pub fn is_denied(&self) -> bool {
        self.status == Some(403)
            && self.code.as_deref().is_some_and(|code| code.contains("AccessDenied") || code.contains("NotAuthorized"))
    }
}

/// `12:03:00.125`; with the date in front where it is not the day of the start.
fn clock(at: Timestamp, start: Timestamp) -> String {
    let (at, start) = (at.to_jiff(), start.to_jiff());
    let utc = |point: jiff::Timestamp, format: &str| point.strftime(format).to_string();
    if utc(at, "%F") == utc(start, "%F") { utc(at, "%H:%M:%S.%3f") } else { utc(at, "%F %H:%M:%S.%3f") }
}

/// At most `width` characters; what is cut off shows as `…`.
fn cut(text: &str, width: usize) -> String {
    // Control characters would break a line or a column.
    let text: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    if text.chars().count() <= width {
        return text;
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    kept.trim_end().to_owned() + "…"
}
