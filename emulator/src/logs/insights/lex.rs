//! The words of a query.

use serde_json::json;

use crate::{Error, Result};

/// A word, and where it stands in the text.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Word {
    pub token: Token,
    pub start: usize,
    pub end: usize,
}

/// What a word is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A field, a function, or a word of the language.
    Name(String),
    /// A field in backticks: never a word of the language.
    Field(String),
    Number(f64),
    /// A number with a unit, in milliseconds: `5m`.
    Period(i64),
    Text(String),
    /// What stands between slashes.
    Regex(String),
    /// An operator or a bracket.
    Sign(&'static str),
}

/// The signs, the longer ones first.
const SIGNS: [&str; 19] =
    ["!=", "<=", ">=", "=~", "&&", "||", "=", "<", ">", "+", "-", "*", "%", "^", "(", ")", "[", "]", ","];

/// The refusal of a query: AWS's code, its place in the text, and what is wrong.
pub(super) fn malformed(start: usize, end: usize, message: impl Into<String>) -> Error {
    let message = message.into();
    let location = json!({ "startCharOffset": start, "endCharOffset": end });
    Error::client("MalformedQueryException", message.clone())
        .with("queryCompileError", json!({ "location": location, "message": message }))
}

/// The words of a text, with `|` as a sign as well.
pub(super) fn words(text: &str) -> Result<Vec<Word>> {
    let mut words: Vec<Word> = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let Some(c) = rest.chars().next() else { break };
        let after_value = words.last().is_some_and(|word| {
            let operand = matches!(&word.token, Token::Field(_) | Token::Number(_) | Token::Text(_) | Token::Sign(")"));
            operand || matches!(&word.token, Token::Name(name) if !is_word(name))
        });
        let (token, length) = match c {
            c if c.is_whitespace() => {
                at += c.len_utf8();
                continue;
            }
            '#' => {
                at += rest.find('\n').unwrap_or(rest.len());
                continue;
            }
            '"' | '\'' => quoted(rest, c).ok_or_else(|| malformed(at, text.len(), "a string is not closed"))?,
            '`' => {
                let end = rest[1..].find('`').ok_or_else(|| malformed(at, text.len(), "a backtick is not closed"))?;
                (Token::Field(rest[1..=end].to_owned()), end + 2)
            }
            // Behind a value a slash divides, and so it does between names in `parse @message /…/`, which is told apart there.
            '/' if !after_value || begins_regex(&words) => {
                regex(rest).ok_or_else(|| malformed(at, text.len(), "a regular expression is not closed"))?
            }
            '/' => (Token::Sign("/"), 1),
            c if c.is_ascii_digit() => number(rest).ok_or_else(|| malformed(at, at + 1, "a number is not one"))?,
            c if c.is_alphabetic() || "@_$".contains(c) => {
                let end = rest.find(|c: char| !(c.is_alphanumeric() || "@_.$".contains(c))).unwrap_or(rest.len());
                (Token::Name(rest[..end].to_owned()), end)
            }
            '|' if !rest.starts_with("||") => (Token::Sign("|"), 1),
            _ => {
                let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign));
                let sign =
                    sign.ok_or_else(|| malformed(at, at + c.len_utf8(), format!("unexpected symbol found {c}")))?;
                (Token::Sign(sign), sign.len())
            }
        };
        words.push(Word { token, start: at, end: at + length });
        at += length;
    }
    Ok(words)
}

/// Words behind which a value begins.
fn is_word(name: &str) -> bool {
    ["like", "and", "or", "not", "in", "by", "as"].iter().any(|word| name.eq_ignore_ascii_case(word))
}

/// `parse FIELD /…/`: the one place where a regular expression stands behind a field.
fn begins_regex(words: &[Word]) -> bool {
    let is_parse = |word: &Word| matches!(&word.token, Token::Name(name) if name.eq_ignore_ascii_case("parse"));
    words.len() >= 2 && is_parse(&words[words.len() - 2]) && {
        let before = words.len().checked_sub(3).and_then(|place| words.get(place));
        before.is_none_or(|word| word.token == Token::Sign("|"))
    }
}

fn quoted(rest: &str, quote: char) -> Option<(Token, usize)> {
    let mut text = String::new();
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            c if c == quote => return Some((Token::Text(text), at + 1)),
            '\\' => match chars.next()?.1 {
                'n' => text.push('\n'),
                't' => text.push('\t'),
                'r' => text.push('\r'),
                other if other == quote || other == '\\' => text.push(other),
                other => {
                    text.push('\\');
                    text.push(other);
                }
            },
            c => text.push(c),
        }
    }
    None
}

fn regex(rest: &str) -> Option<(Token, usize)> {
    let mut text = String::new();
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '/' => return Some((Token::Regex(text), at + 1)),
            '\\' => {
                let next = chars.next()?.1;
                if next != '/' {
                    text.push('\\');
                }
                text.push(next);
            }
            c => text.push(c),
        }
    }
    None
}

/// A number, or a period such as `5m` or `30s`.
fn number(rest: &str) -> Option<(Token, usize)> {
    let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
    let value: f64 = rest[..end].parse().ok()?;
    let unit_end = rest[end..].find(|c: char| !c.is_ascii_alphabetic()).map_or(rest.len(), |length| end + length);
    if unit_end == end {
        return Some((Token::Number(value), end));
    }
    let millis = match &rest[end..unit_end] {
        "ms" | "msec" | "millisecond" | "milliseconds" => 1.0,
        "s" | "sec" | "second" | "seconds" => 1_000.0,
        "m" | "min" | "minute" | "minutes" => 60_000.0,
        "h" | "hr" | "hour" | "hours" => 3_600_000.0,
        "d" | "day" | "days" => 86_400_000.0,
        "w" | "week" | "weeks" => 7.0 * 86_400_000.0,
        _ => return None,
    };
    Some((Token::Period((value * millis) as i64), unit_end))
}
