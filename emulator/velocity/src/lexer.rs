//! A place in a template's text.

use crate::Error;

/// Reads a text character by character.
#[derive(Clone)]
pub(crate) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// What is still to be read.
    pub(crate) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    pub(crate) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(crate) fn bump(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    /// Goes on if this comes next.
    pub(crate) fn eat(&mut self, expected: &str) -> bool {
        let comes = self.rest().starts_with(expected);
        if comes {
            self.at += expected.len();
        }
        comes
    }

    /// Goes on, or says what is missing.
    pub(crate) fn expect(&mut self, expected: &str) -> Result<(), Error> {
        if self.eat(expected) { Ok(()) } else { Err(self.error(format!("`{expected}` is missing"))) }
    }

    /// Reads on while the characters are such.
    pub(crate) fn take_while(&mut self, such: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|letter| !such(letter)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or("")
    }

    /// Reads up to this and past it; `None` if it does not come.
    pub(crate) fn take_until(&mut self, end: &str) -> Option<&'a str> {
        let (before, _) = self.rest().split_once(end)?;
        self.at += before.len() + end.len();
        Some(before)
    }

    /// An identifier: a letter, then letters, digits, `_` and `-`.
    pub(crate) fn identifier(&mut self) -> Option<&'a str> {
        let begins = self.peek().is_some_and(|letter| letter.is_ascii_alphabetic() || letter == '_');
        begins.then(|| self.take_while(|letter| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-'))
    }

    pub(crate) fn blanks(&mut self) {
        self.take_while(|letter| letter == ' ' || letter == '\t');
    }

    pub(crate) fn white(&mut self) {
        self.take_while(char::is_whitespace);
    }

    /// Passes over the rest of a line that is blank, with its end, as after a directive.
    pub(crate) fn end_of_line(&mut self) {
        let mut ahead = self.clone();
        ahead.blanks();
        if ahead.eat("\r\n") || ahead.eat("\n") || ahead.eat("\r") {
            *self = ahead;
        }
    }

    /// What was read since an earlier place.
    pub(crate) fn since(&self, earlier: &Self) -> &'a str {
        self.text.get(earlier.at..self.at).unwrap_or("")
    }

    /// The line, from 1.
    pub(crate) fn line(&self) -> usize {
        self.before().matches('\n').count() + 1
    }

    pub(crate) fn error(&self, what: impl Into<String>) -> Error {
        let line = self.before().rsplit('\n').next().unwrap_or("");
        Error::Syntax { line: self.line(), column: line.chars().count() + 1, what: what.into() }
    }

    fn before(&self) -> &'a str {
        self.text.get(..self.at).unwrap_or("")
    }
}
