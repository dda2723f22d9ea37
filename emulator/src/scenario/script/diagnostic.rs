//! Errors in a script: what is wrong, where, and what was probably meant, drawn under the source line.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

/// A place in a script's text, in bytes, on character boundaries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last one.
    pub end: usize,
}

impl Span {
    /// The place from `start` up to `end`.
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end: end.max(start) }
    }

    /// The place of `part`, which must lie at byte `offset` of the script.
    pub(crate) fn of(part: &str, offset: usize) -> Self {
        Self::new(offset, offset + part.len())
    }

    /// The bytes, cut down to what `source` holds, so that a wrong span can never panic.
    fn range(self, source: &str) -> Range<usize> {
        let floor = |mut at: usize| {
            at = at.min(source.len());
            while !source.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        floor(self.start)..floor(self.end).max(floor(self.start))
    }
}

/// What a part of the parser found wrong, before the script's text is attached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub span: Span,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// How to put it right, where that is known.
    pub help: Option<String>,
}

impl Problem {
    /// A problem at a place.
    pub fn new(span: Span, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), help: None }
    }

    /// Says how to put it right.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Says which of `known` was probably meant by `word`; if none is near, lists them.
    #[must_use]
    pub fn did_you_mean<'a>(self, word: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let known: Vec<&str> = known.into_iter().collect();
        match super::suggest::closest(word, known.iter().copied()) {
            Some(near) => self.help(format!("did you mean `{near}`?")),
            None if known.is_empty() => self,
            None if known.len() > LISTED_MAX => self,
            None => self.help(format!("known: {}", known.join(", "))),
        }
    }
}

/// Above this many, the known words are not listed in the help.
const LISTED_MAX: usize = 24;

/// An error in a script, with the script's text, ready to be shown.
///
/// `Display` draws the source line with the place underlined; it holds no colours, so that it can be snapshotted.
#[derive(Clone, PartialEq, Eq)]
pub struct Diagnostic(Box<Parts>);

#[derive(Clone, PartialEq, Eq)]
struct Parts {
    name: String,
    source: Arc<str>,
    problem: Problem,
}

impl Diagnostic {
    /// Attaches the script's name and text to a problem.
    pub fn new(name: &str, source: impl Into<Arc<str>>, problem: Problem) -> Self {
        Self(Box::new(Parts { name: name.to_owned(), source: source.into(), problem }))
    }

    /// What is wrong, in one sentence.
    pub fn message(&self) -> &str {
        &self.0.problem.message
    }

    /// How to put it right, where that is known.
    pub fn help(&self) -> Option<&str> {
        self.0.problem.help.as_deref()
    }

    /// Line and column, both from 1; the column counts characters.
    pub fn line_column(&self) -> (usize, usize) {
        line_column(&self.0.source, self.0.problem.span.range(&self.0.source).start)
    }
}

/// Line and column (characters) of a byte of `source`, both from 1.
pub fn line_column(source: &str, at: usize) -> (usize, usize) {
    let before = &source[..Span::new(at, at).range(source).start];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts { name, source, problem } = &*self.0;
        let annotation = AnnotationKind::Primary.span(problem.span.range(source));
        let snippet = Snippet::source(source.as_ref()).path(name.as_str()).annotation(annotation);
        let mut group: Group<'_> = Level::ERROR.primary_title(problem.message.as_str()).element(snippet);
        if let Some(help) = &problem.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        f.write_str(&Renderer::plain().term_width(TERM_WIDTH).render(&[group]))
    }
}

/// Long source lines are cut around the place by the renderer at this width.
const TERM_WIDTH: usize = 120;

impl fmt::Debug for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Diagnostic {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_start_at_one() {
        let source = "é\nação x";
        assert_eq!(line_column(source, 0), (1, 1));
        assert_eq!(line_column(source, source.len() - 1), (2, 6));
        assert_eq!(line_column(source, 1), (1, 1), "inside a character: its start");
        assert_eq!(line_column(source, 999), (2, 7));
    }

    #[test]
    fn a_wrong_span_is_cut_and_never_panics() {
        let problem = Problem::new(Span::new(1, 5000), "odd");
        assert!(Diagnostic::new("a.scn", "é", problem).to_string().contains("odd"));
    }
}
