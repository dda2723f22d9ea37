//! What an expectation wanted and what there was, shown as a diff.

use std::fmt;

use serde_json::Value;
use similar::{ChangeTag, TextDiff};

/// Lines of a diff that are shown before it is cut.
const DIFF_LINES_MAX: usize = 60;

/// A check that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// What was looked at, as the script writes it.
    pub subject: String,
    /// What was wanted.
    pub expected: String,
    /// What there was.
    pub actual: String,
}

impl Mismatch {
    /// A mismatch between two texts.
    pub fn new(subject: impl Into<String>, expected: impl Into<String>, actual: impl Into<String>) -> Self {
        Self { subject: subject.into(), expected: expected.into(), actual: actual.into() }
    }
}

/// A value as a diff shows it: a text bare, the rest as indented JSON.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("\"{text}\""),
        other => serde_json::to_string_pretty(other).unwrap_or_else(|_| other.to_string()),
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n- expected\n+ actual", self.subject)?;
        let (expected, actual) = (beginning(&self.expected), beginning(&self.actual));
        let diff = TextDiff::from_lines(expected, actual);
        // A short diff is shown whole; in a long one unchanged lines far from a change say nothing.
        let long = diff.iter_all_changes().count() > DIFF_LINES_MAX;
        let groups = diff.grouped_ops(if long { CONTEXT } else { usize::MAX / 2 });
        let mut lines = groups.iter().flatten().flat_map(|op| diff.iter_changes(op));
        for change in lines.by_ref().take(DIFF_LINES_MAX) {
            let sign = match change.tag() {
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
                ChangeTag::Equal => ' ',
            };
            write!(f, "\n{sign} {}", change.value().trim_end_matches('\n'))?;
        }
        let cut = expected.len() < self.expected.len() || actual.len() < self.actual.len();
        if cut || lines.next().is_some() { write!(f, "\n  … and more") } else { Ok(()) }
    }
}

/// Unchanged lines shown around a change in a long diff.
const CONTEXT: usize = 3;

/// Lines of a text that are compared for the diff: the comparison may take quadratic time.
const COMPARED_MAX: usize = 2000;

/// The first lines of a text.
fn beginning(text: &str) -> &str {
    text.match_indices('\n').nth(COMPARED_MAX).map_or(text, |(at, _)| &text[..at])
}
