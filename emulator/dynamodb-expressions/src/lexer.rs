//! The tokens of expressions, and the error that names one with its neighbours.

use crate::{Error, Result};

/// The longest expression, in bytes as it was sent.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-expression-parameters>
const EXPRESSION_BYTES: usize = 4096;

/// What a token is. Keywords are names until the parser asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A letter, then letters, digits and underscores: an attribute, a function or a keyword.
    Word,
    /// `#…`, a placeholder for a name.
    Name,
    /// `:…`, a placeholder for a value.
    Value,
    /// Digits, an index.
    Digits,
    /// An operator or punctuation: `=` `<>` `<` `<=` `>` `>=` `(` `)` `[` `]` `,` `.` `+` `-`.
    Symbol,
    /// Anything else: no expression holds it.
    Unknown,
    /// The end of the expression.
    End,
}

/// One token and where it stands.
#[derive(Debug, Clone, Copy)]
struct Token {
    kind: Kind,
    start: usize,
    end: usize,
}

/// The tokens of one expression, read from left to right.
pub(crate) struct Tokens<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    /// The token that is looked at; the last one is `End`.
    position: usize,
}

impl<'a> Tokens<'a> {
    /// The tokens of an expression that is neither empty nor too long.
    pub(crate) fn new(text: &'a str) -> Result<Self> {
        if text.len() > EXPRESSION_BYTES {
            return Err(Error::validation(format!(
                "Expression size has exceeded the maximum allowed size; expression size: {}",
                text.len()
            )));
        }
        let mut tokens = Vec::new();
        let mut start = 0;
        while let Some(first) = text[start..].chars().next() {
            if matches!(first, ' ' | '\t' | '\r' | '\n') {
                start += 1;
                continue;
            }
            let (kind, length) = token(&text[start..], first);
            tokens.push(Token { kind, start, end: start + length });
            start += length;
        }
        if tokens.is_empty() {
            return Err(Error::validation("The expression can not be empty;"));
        }
        tokens.push(Token { kind: Kind::End, start: text.len(), end: text.len() });
        Ok(Self { text, tokens, position: 0 })
    }

    fn at(&self, position: usize) -> Token {
        self.tokens.get(position).copied().unwrap_or(Token {
            kind: Kind::End,
            start: self.text.len(),
            end: self.text.len(),
        })
    }

    /// The kind of the next token.
    pub(crate) fn kind(&self) -> Kind {
        self.at(self.position).kind
    }

    /// The text of the next token.
    pub(crate) fn text(&self) -> &'a str {
        let token = self.at(self.position);
        &self.text[token.start..token.end]
    }

    /// True if the next token is this symbol.
    pub(crate) fn is(&self, symbol: &str) -> bool {
        self.kind() == Kind::Symbol && self.text() == symbol
    }

    /// True if the token after the next is this symbol.
    pub(crate) fn second_is(&self, symbol: &str) -> bool {
        let token = self.at(self.position + 1);
        token.kind == Kind::Symbol && &self.text[token.start..token.end] == symbol
    }

    /// True if the next token is this keyword, in upper or lower case.
    pub(crate) fn is_keyword(&self, keyword: &str) -> bool {
        self.kind() == Kind::Word && self.text().eq_ignore_ascii_case(keyword)
    }

    /// Steps over the next token and answers its text.
    pub(crate) fn next(&mut self) -> &'a str {
        let text = self.text();
        self.position = (self.position + 1).min(self.tokens.len() - 1);
        text
    }

    /// Steps over the next token if it is this symbol.
    pub(crate) fn accept(&mut self, symbol: &str) -> bool {
        let found = self.is(symbol);
        if found {
            self.next();
        }
        found
    }

    /// Steps over the next token if it is this keyword.
    pub(crate) fn accept_keyword(&mut self, keyword: &str) -> bool {
        let found = self.is_keyword(keyword);
        if found {
            self.next();
        }
        found
    }

    /// Steps over this symbol, or the error.
    pub(crate) fn expect(&mut self, symbol: &str) -> Result<()> {
        if self.accept(symbol) { Ok(()) } else { Err(self.unexpected()) }
    }

    /// The error for the next token: it is named with the tokens before and after it.
    pub(crate) fn unexpected(&self) -> Error {
        let token = self.at(self.position);
        let name = if token.kind == Kind::End { "<EOF>" } else { self.text() };
        let before = self.position.checked_sub(1).map_or(token, |before| self.at(before));
        let after = self.at(self.position + 1);
        let end = if after.kind == Kind::End { token.end } else { after.end };
        let near = self.text[before.start..end.max(before.end)].trim_end();
        Error::validation(format!("Syntax error; token: \"{name}\", near: \"{near}\""))
    }
}

/// The kind and length of the token that a text begins with.
fn token(text: &str, first: char) -> (Kind, usize) {
    let run = |from: usize, part: fn(char) -> bool| {
        from + text[from..].find(|character| !part(character)).unwrap_or(text.len() - from)
    };
    let word: fn(char) -> bool = |character| character.is_ascii_alphanumeric() || character == '_';
    match first {
        'a'..='z' | 'A'..='Z' => (Kind::Word, run(0, word)),
        '0'..='9' => (Kind::Digits, run(0, |character| character.is_ascii_digit())),
        '#' | ':' => match run(1, word) {
            1 => (Kind::Unknown, 1),
            length if first == '#' => (Kind::Name, length),
            length => (Kind::Value, length),
        },
        '<' if text[1..].starts_with(['=', '>']) => (Kind::Symbol, 2),
        '>' if text[1..].starts_with('=') => (Kind::Symbol, 2),
        '=' | '<' | '>' | '(' | ')' | '[' | ']' | ',' | '.' | '+' | '-' => (Kind::Symbol, 1),
        other => (Kind::Unknown, other.len_utf8()),
    }
}
