//! Patterns for lines of fields: `[ip, user, ..., status = 4*, bytes > 1000]`.

use std::collections::BTreeMap;

use winnow::Result as Parsed;
use winnow::ascii::multispace0;
use winnow::combinator::{alt, delimited, empty, eof, peek, separated, terminated};
use winnow::prelude::*;
use winnow::token::take_while;

use super::super::names::invalid;
use super::compare::{Comparison, Scalar};
use super::json::check_regexes;
use super::parse::{Expression, comparison, expression, spaced};
use super::{INVALID, malformed};
use crate::Result;

/// A pattern in brackets: fields before an ellipsis, and fields behind it, if there is one.
#[derive(Debug)]
pub(super) struct Space {
    front: Vec<Field>,
    back: Option<Vec<Field>>,
}

#[derive(Debug, Default)]
struct Field {
    name: Option<String>,
    condition: Option<Expression<Condition>>,
}

/// A condition names the field that it is about, which may be another one than it stands with.
#[derive(Debug)]
struct Condition {
    name: String,
    comparison: Comparison,
}

/// What stands between two commas.
enum Part {
    Ellipsis,
    Field(Field),
}

/// A word of a line: where it begins in it, and what is in it without brackets or quotes.
#[derive(Clone, Copy)]
struct Word<'a> {
    start: usize,
    text: &'a str,
}

impl Space {
    pub fn parse(text: &str) -> Result<Self> {
        if text.trim().is_empty() {
            // `[]` is any number of fields that have no names.
            return Ok(Self { front: Vec::new(), back: Some(Vec::new()) });
        }
        let parts: Vec<Part> = separated(1.., part, ',').parse(text).map_err(malformed)?;
        let mut space = Self { front: Vec::new(), back: None };
        for part in parts {
            match part {
                Part::Ellipsis if space.back.is_some() => return Err(duplicate("...")),
                Part::Ellipsis => space.back = Some(Vec::new()),
                Part::Field(field) => space.back.as_mut().unwrap_or(&mut space.front).push(field),
            }
        }
        space.check()?;
        Ok(space)
    }

    fn check(&self) -> Result<()> {
        let names: Vec<&str> = self.fields().filter_map(|field| field.name.as_deref()).collect();
        for (index, name) in names.iter().enumerate() {
            if names[..index].contains(name) {
                return Err(duplicate(name));
            }
        }
        if names.is_empty() && self.back.is_none() && self.front.len() == 1 {
            return Err(invalid(INVALID));
        }
        let conditions = self.fields().filter_map(|field| field.condition.as_ref()).flat_map(Expression::conditions);
        check_regexes(conditions.map(|condition| &condition.comparison))
    }

    fn fields(&self) -> impl Iterator<Item = &Field> {
        self.front.iter().chain(self.back.iter().flatten())
    }

    pub fn matches(&self, message: &str) -> bool {
        self.assign(message).is_some_and(|line| self.holds(&line))
    }

    pub fn extract(&self, message: &str) -> Option<BTreeMap<String, String>> {
        let line = self.assign(message).filter(|line| self.holds(line))?;
        let name = |number: usize, field: Option<&Field>| match field.and_then(|field| field.name.as_deref()) {
            Some(name) => format!("${name}"),
            None => format!("${number}"),
        };
        Some(line.iter().enumerate().map(|(i, (field, text))| (name(i + 1, *field), (*text).to_owned())).collect())
    }

    /// Which field is which part of the line; `None` if the line has too few words. Without an ellipsis the last field
    /// takes what is left of the line.
    fn assign<'a>(&'a self, message: &'a str) -> Option<Vec<(Option<&'a Field>, &'a str)>> {
        let words = words(message);
        let (front, back) = (self.front.len(), self.back.as_ref().map_or(0, Vec::len));
        let between = words.len().checked_sub(front + back)?;
        let Some(last_fields) = &self.back else {
            let mut line: Vec<_> =
                self.front.iter().zip(&words).map(|(field, word)| (Some(field), word.text)).collect();
            if between > 0 {
                let last = line.last_mut()?;
                last.1 = message.get(words.get(front - 1)?.start..)?.trim_end();
            }
            return Some(line);
        };
        let none = std::iter::repeat_n(None, between);
        let fields = self.front.iter().map(Some).chain(none).chain(last_fields.iter().map(Some));
        Some(fields.zip(words.iter().map(|word| word.text)).collect())
    }

    fn holds(&self, line: &[(Option<&Field>, &str)]) -> bool {
        let named = |wanted: &str| {
            line.iter().find(|(field, _)| field.is_some_and(|field| field.name.as_deref() == Some(wanted)))
        };
        line.iter().all(|(field, own)| {
            let condition = field.and_then(|field| field.condition.as_ref());
            condition.is_none_or(|condition| {
                condition.holds(&|one| {
                    let text = named(&one.name).map_or(*own, |(_, text)| *text);
                    one.comparison.holds(Scalar::Word(text))
                })
            })
        })
    }
}

fn duplicate(name: &str) -> crate::Error {
    invalid(format!("Duplicate field '{name}'"))
}

/// The words of a line: what is between quotation marks or brackets is one.
fn words(line: &str) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    let mut at = 0;
    while let Some(rest) = line.get(at..) {
        let blanks = rest.len() - rest.trim_start().len();
        let (start, rest) = (at + blanks, rest.trim_start());
        if rest.is_empty() {
            break;
        }
        let (text, length) = enclosed(rest, '"', '"').or_else(|| enclosed(rest, '[', ']')).unwrap_or_else(|| {
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            (&rest[..end], end)
        });
        words.push(Word { start, text });
        at = start + length;
    }
    words
}

/// What is between two marks, if the text begins with the first and has the second, and how long it is with both.
fn enclosed(text: &str, open: char, close: char) -> Option<(&str, usize)> {
    let inner = text.strip_prefix(open)?;
    let end = inner.find(close)?;
    Some((&inner[..end], end + 2))
}

fn part(input: &mut &str) -> Parsed<Part> {
    let ellipsis = spaced("...").map(|_| Part::Ellipsis);
    let conditional = |input: &mut &str| expression(input, condition);
    let field = alt((
        conditional.map(|condition| Field {
            name: condition.conditions().first().map(|first| first.name.clone()),
            condition: Some(condition),
        }),
        name.map(|name| Field { name: Some(name.to_owned()), condition: None }),
        empty.map(|()| Field::default()),
    ));
    let field = delimited(multispace0, field, multispace0).map(Part::Field);
    let end = peek(alt((",".void(), eof.void())));
    terminated(alt((ellipsis, field)), end).parse_next(input)
}

fn condition(input: &mut &str) -> Parsed<Condition> {
    let name = delimited(multispace0, name, multispace0).parse_next(input)?;
    let comparison = comparison.parse_next(input)?;
    Ok(Condition { name: name.to_owned(), comparison })
}

fn name<'a>(input: &mut &'a str) -> Parsed<&'a str> {
    take_while(1.., |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-').parse_next(input)
}
