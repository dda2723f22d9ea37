//! A command line cut into words as a POSIX shell would, refusing whatever only a shell could do.

use crate::scenario::script::diagnostic::{Problem, Span};
use crate::scenario::script::template::Template;

/// A command's text and where it begins in the script.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'s> {
    /// The text, without the `$` in front.
    pub text: &'s str,
    /// Its first byte in the script.
    pub offset: usize,
}

/// One word of a command. Names in `{{…}}` are filled in after the cutting, so that no value can add words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// What the program gets.
    pub text: Template,
    /// Where it stands.
    pub span: Span,
}

/// What a shell gives a meaning outside quotes. `*`, `?` and `[` are let through: JMESPath and S3 keys hold them.
const SHELL_ONLY: &str = "|;&<>()";

/// Cuts a command into words: quotes `'…'` and `"…"`, backslashes, line ends after a backslash, and a comment.
pub(crate) fn split(source: Source<'_>) -> Result<Vec<Word>, Problem> {
    let mut splitter = Splitter { source, letters: source.text.char_indices().peekable(), words: Vec::new() };
    while splitter.word()? {}
    Ok(splitter.words)
}

struct Splitter<'s> {
    source: Source<'s>,
    letters: std::iter::Peekable<std::str::CharIndices<'s>>,
    words: Vec<Word>,
}

impl Splitter<'_> {
    fn problem(&self, at: usize, length: usize, message: String) -> Problem {
        let start = self.source.offset + at;
        Problem::new(Span::new(start, start + length), message)
    }

    /// Reads one word; false at the end.
    fn word(&mut self) -> Result<bool, Problem> {
        self.skip_blanks();
        let Some((start, first)) = self.letters.peek().copied() else { return Ok(false) };
        if first == '#' {
            return Ok(false);
        }
        let mut plain = String::new();
        let mut end = start;
        while let Some((at, letter)) = self.letters.peek().copied() {
            if letter.is_whitespace() || (letter == '\\' && self.source.text[at + 1..].starts_with(['\n', '\r'])) {
                break;
            }
            self.letters.next();
            match letter {
                '\'' => self.single_quoted(at, &mut plain)?,
                '"' => self.double_quoted(at, &mut plain)?,
                '\\' => match self.letters.next() {
                    Some((_, escaped)) => plain.push(escaped),
                    None => return Err(self.problem(at, 1, "a backslash ends the command".to_owned())),
                },
                _ => {
                    self.refuse_shell(at, letter, SHELL_ONLY)?;
                    plain.push(letter);
                }
            }
            end = self.letters.peek().map_or(self.source.text.len(), |(next, _)| *next);
        }
        let span = Span::new(self.source.offset + start, self.source.offset + end);
        // Quotes shift offsets within the word, so the word is the place of what is wrong in it.
        let text = Template::parse(&plain, span.start).map_err(|problem| Problem { span, ..problem })?;
        self.words.push(Word { text: text.at(span), span });
        Ok(true)
    }

    fn skip_blanks(&mut self) {
        while let Some((at, letter)) = self.letters.peek().copied() {
            let continues = letter == '\\' && self.source.text[at + 1..].starts_with(['\n', '\r']);
            if !letter.is_whitespace() && !continues {
                return;
            }
            self.letters.next();
        }
    }

    fn single_quoted(&mut self, open: usize, plain: &mut String) -> Result<(), Problem> {
        for (_, letter) in self.letters.by_ref() {
            if letter == '\'' {
                return Ok(());
            }
            plain.push(letter);
        }
        Err(self.problem(open, 1, "this quote is not closed".to_owned()))
    }

    fn double_quoted(&mut self, open: usize, plain: &mut String) -> Result<(), Problem> {
        while let Some((at, letter)) = self.letters.next() {
            match letter {
                '"' => return Ok(()),
                '\\' => match self.letters.next() {
                    Some((_, escaped @ ('"' | '\\' | '$' | '`'))) => plain.push(escaped),
                    Some((_, '\n')) => {}
                    Some((_, other)) => plain.extend(['\\', other]),
                    None => break,
                },
                _ => {
                    self.refuse_shell(at, letter, "")?;
                    plain.push(letter);
                }
            }
        }
        Err(self.problem(open, 1, "this quote is not closed".to_owned()))
    }

    fn refuse_shell(&self, at: usize, letter: char, also: &str) -> Result<(), Problem> {
        let next = self.source.text[at + letter.len_utf8()..].chars().next();
        let expands =
            letter == '$' && next.is_some_and(|next| next.is_ascii_alphanumeric() || "({_?!@*#".contains(next));
        if letter != '`' && !expands && !also.contains(letter) {
            return Ok(());
        }
        Err(self
            .problem(at, letter.len_utf8(), format!("`{letter}` is for a shell, and a script runs none"))
            .help("put the word in single quotes if it is meant as it stands; values come in by {{name}}"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn words(text: &str) -> Result<Vec<String>, Problem> {
        let words = split(Source { text, offset: 0 })?;
        Ok(words.into_iter().map(|word| word.text.as_written()).collect())
    }

    #[test]
    fn cuts_as_a_shell_does() {
        for (text, expected) in [
            ("aws  s3 ls", vec!["aws", "s3", "ls"]),
            ("a 'b c' \"d \\\"e\\\" \\n\" f\\ g", vec!["a", "b c", "d \"e\" \\n", "f g"]),
            ("a'b'\"c\"d", vec!["abcd"]),
            ("a ''", vec!["a", ""]),
            ("a \\\n  b", vec!["a", "b"]),
            ("a # comment 'x", vec!["a"]),
            ("a b#c", vec!["a", "b#c"]),
            ("--query 'a[?b==`1`]'", vec!["--query", "a[?b==`1`]"]),
            ("--query \"events[1].eventId\"", vec!["--query", "events[1].eventId"]),
            ("\"{{last}}\" $", vec!["{{last}}", "$"]),
        ] {
            assert_eq!(words(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn refuses_what_needs_a_shell() {
        for text in
            ["a | b", "a > b", "a; b", "a && b", "$HOME", "\"$HOME\"", "$(x)", "\"`x`\"", "a 'b", "a \"b", "a \\"]
        {
            assert!(words(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_value_adds_no_words() {
        let word = split(Source { text: "x{{last}}", offset: 5 }).unwrap().remove(0);
        assert_eq!(word.text.render(&|_| Some("a b".to_owned())).unwrap(), "xa b");
        assert_eq!(word.text.names().next().unwrap().1, Span::new(5, 14));
    }

    proptest! {
        #[test]
        fn quoted_words_come_back(text in "\\PC{0,20}") {
            prop_assume!(!text.contains("{{"));
            let quoted = format!("aws '{}'", text.replace('\'', "'\\''"));
            prop_assert_eq!(words(&quoted).unwrap(), ["aws".to_owned(), text]);
        }

        #[test]
        fn never_panics(text in "\\PC{0,40}") {
            let _ = words(&text);
        }
    }
}
