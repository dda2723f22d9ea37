//! The words of a PartiQL statement.

use crate::Result;
use crate::dynamodb::errors::validation;

/// A word of a statement.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A keyword or a name without quotes.
    Word(String),
    /// A name in double quotes.
    Quoted(String),
    /// A text in single quotes.
    Text(String),
    /// A number as it is written.
    Number(String),
    Symbol(&'static str),
    End,
}

/// The symbols, longer ones before those that they begin with.
const SYMBOLS: [&str; 22] = [
    "<<", ">>", "<=", ">=", "<>", "!=", "=", "<", ">", "(", ")", "[", "]", "{", "}", ",", ".", "*", ":", "?", "+", "-",
];

/// The error for a statement that cannot be read.
pub(super) fn malformed(detail: &str) -> crate::Error {
    validation(format!("Statement wasn't well formed, can't be processed: {detail}"))
}

/// Takes a statement apart.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '\'' | '"' => quoted(rest, first)?,
            'a'..='z' | 'A'..='Z' | '_' => {
                // Names of tables have hyphens; an arithmetical minus stands between blanks.
                let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
                let length = rest.find(|c: char| !is_name(c)).unwrap_or(rest.len());
                (Token::Word(rest.get(..length).unwrap_or_default().to_owned()), length)
            }
            '0'..='9' => number(rest),
            _ => {
                let symbol = SYMBOLS.into_iter().find(|symbol| rest.starts_with(symbol));
                let symbol = symbol.ok_or_else(|| malformed(&format!("Unexpected character '{first}'")))?;
                (Token::Symbol(symbol), symbol.len())
            }
        };
        tokens.push(token);
        rest = rest.get(length..).unwrap_or_default().trim_start();
    }
    tokens.push(Token::End);
    Ok(tokens)
}

/// A text or name in quotes; two quotes stand for one.
fn quoted(rest: &str, quote: char) -> Result<(Token, usize)> {
    let mut inside = String::new();
    let mut letters = rest.char_indices().skip(1).peekable();
    while let Some((place, letter)) = letters.next() {
        if letter != quote {
            inside.push(letter);
        } else if letters.next_if(|(_, next)| *next == quote).is_some() {
            inside.push(quote);
        } else {
            let token = if quote == '"' { Token::Quoted(inside) } else { Token::Text(inside) };
            return Ok((token, place + 1));
        }
    }
    Err(malformed("A quote is not closed"))
}

/// Digits, perhaps with a point and an exponent.
fn number(rest: &str) -> (Token, usize) {
    let bytes = rest.as_bytes();
    let digits = |from: usize| bytes.iter().skip(from).take_while(|byte| byte.is_ascii_digit()).count();
    let mut length = digits(0);
    if bytes.get(length) == Some(&b'.') && digits(length + 1) > 0 {
        length += 1 + digits(length + 1);
    }
    if matches!(bytes.get(length), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
        let exponent = digits(length + 1 + sign);
        if exponent > 0 {
            length += 1 + sign + exponent;
        }
    }
    (Token::Number(rest.get(..length).unwrap_or_default().to_owned()), length)
}
