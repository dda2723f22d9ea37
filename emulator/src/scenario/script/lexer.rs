//! A script's text as lines and words that know where they stand.

use super::diagnostic::{Problem, Span};

/// One line, without its end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'s> {
    /// Its first byte in the script.
    pub start: usize,
    /// The text, without `\n` or `\r\n`.
    pub text: &'s str,
}

impl<'s> Line<'s> {
    /// The whole line's place, without leading and trailing blanks.
    pub fn span(&self) -> Span {
        let trimmed = self.text.trim();
        Span::of(trimmed, self.start + (self.text.len() - self.text.trim_start().len()))
    }

    /// Whether there is nothing on it.
    pub fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// Whether it is a comment from its first character on.
    pub fn is_comment(&self) -> bool {
        self.text.starts_with('#')
    }

    /// Its words, up to a comment.
    pub fn words(&self) -> Words<'s> {
        Words { rest: without_comment(self.text), at: self.start }
    }
}

/// Cuts the script into lines.
pub(crate) fn lines(source: &str) -> Vec<Line<'_>> {
    let mut start = 0;
    let mut lines = Vec::new();
    for raw in source.split_inclusive('\n') {
        let text = raw.strip_suffix('\n').unwrap_or(raw);
        lines.push(Line { start, text: text.strip_suffix('\r').unwrap_or(text) });
        start += raw.len();
    }
    lines
}

/// A word and its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Word<'s> {
    /// The word.
    pub text: &'s str,
    /// Where it stands.
    pub span: Span,
}

/// The words of a line, one after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words<'s> {
    rest: &'s str,
    at: usize,
}

impl<'s> Words<'s> {
    /// Words of a text that begins at byte `at` of the script.
    pub fn new(text: &'s str, at: usize) -> Self {
        Self { rest: text, at }
    }

    /// What is left, without blanks around it, and its place (an empty place at the line's end if nothing is).
    pub fn rest(&self) -> Word<'s> {
        let skipped = self.rest.len() - self.rest.trim_start().len();
        let text = self.rest.trim();
        Word { text, span: Span::of(text, self.at + if text.is_empty() { 0 } else { skipped }) }
    }

    /// The next word without taking it.
    pub fn peek(&self) -> Option<Word<'s>> {
        self.clone().next()
    }

    /// The next word; `what` names it in the error when there is none.
    pub fn expect(&mut self, what: &str) -> Result<Word<'s>, Problem> {
        let end = self.rest().span;
        self.next().ok_or_else(|| Problem::new(end, format!("{what} is missing here")))
    }

    /// Takes the next word if it is `word`.
    pub fn accept(&mut self, word: &str) -> bool {
        let found = self.peek().is_some_and(|next| next.text == word);
        if found {
            self.next();
        }
        found
    }

    /// An error if anything is left.
    pub fn end(&self) -> Result<(), Problem> {
        let rest = self.rest();
        if rest.text.is_empty() {
            Ok(())
        } else {
            Err(Problem::new(rest.span, format!("`{}` is too much here", rest.text)))
        }
    }
}

impl<'s> Iterator for Words<'s> {
    type Item = Word<'s>;

    fn next(&mut self) -> Option<Word<'s>> {
        let rest = self.rest.trim_start();
        let at = self.at + (self.rest.len() - rest.len());
        let length = rest.find(char::is_whitespace).unwrap_or(rest.len());
        if length == 0 {
            return None;
        }
        let text = &rest[..length];
        (self.rest, self.at) = (&rest[length..], at + length);
        Some(Word { text, span: Span::of(text, at) })
    }
}

/// The line up to a comment: a `#` after a blank, before a blank or the end, outside quotes and `/…/`.
pub(crate) fn without_comment(text: &str) -> &str {
    let mut quote: Option<char> = None;
    let mut escaped = false;
    let mut previous = ' ';
    for (at, letter) in text.char_indices() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if letter == '\\' => escaped = true,
            Some(open) if letter == open => quote = None,
            Some(_) => {}
            None if matches!(letter, '"' | '\'' | '`') => quote = Some(letter),
            // A regular expression stands only after the word `matches`.
            None if letter == '/' && text[..at].trim_end().ends_with(" matches") => quote = Some('/'),
            None if letter == '#' && previous.is_whitespace() && ends_word(&text[at + 1..]) => {
                return text[..at].trim_end();
            }
            None => {}
        }
        previous = letter;
    }
    text
}

/// Whether a word ends where `rest` begins.
fn ends_word(rest: &str) -> bool {
    rest.chars().next().is_none_or(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_end_a_line_only_outside_quotes() {
        assert_eq!(without_comment("mark   # a place"), "mark");
        assert_eq!(without_comment("fault s3:PutObject#1 crash-before"), "fault s3:PutObject#1 crash-before");
        assert_eq!(without_comment("expect a == \"x # y\" # z"), "expect a == \"x # y\"");
        assert_eq!(without_comment("expect a matches /x # y/ # z"), "expect a matches /x # y/");
        assert_eq!(without_comment("expect a matches /\\/ # y/"), "expect a matches /\\/ # y/");
    }

    #[test]
    fn words_know_their_place() {
        let source = "a\r\n  log  grupo\n";
        let lines = lines(source);
        assert_eq!(lines.len(), 2);
        let words: Vec<Word<'_>> = lines[1].words().collect();
        assert_eq!(
            words.iter().map(|word| &source[word.span.start..word.span.end]).collect::<Vec<_>>(),
            ["log", "grupo"]
        );
        assert_eq!(&source[lines[1].span().start..lines[1].span().end], "log  grupo");
    }
}
