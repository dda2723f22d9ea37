//! Expressions: what stands within the parentheses of a directive or a method, or within brackets.

use crate::ast::{Expression, Node, Operator};
use crate::lexer::Cursor;
use crate::parser::{reference, template};
use crate::{DEPTH_LIMIT, Error};

/// Operators by how tightly they bind, the loosest first; a longer spelling stands before one that begins it.
const LEVELS: &[&[(&str, Operator)]] = &[
    &[("||", Operator::Or), ("or", Operator::Or)],
    &[("&&", Operator::And), ("and", Operator::And)],
    &[("==", Operator::Equal), ("!=", Operator::Different), ("eq", Operator::Equal), ("ne", Operator::Different)],
    &[
        ("<=", Operator::LessOrEqual),
        (">=", Operator::GreaterOrEqual),
        ("<", Operator::Less),
        (">", Operator::Greater),
        ("le", Operator::LessOrEqual),
        ("ge", Operator::GreaterOrEqual),
        ("lt", Operator::Less),
        ("gt", Operator::Greater),
    ],
    &[("+", Operator::Add), ("-", Operator::Subtract)],
    &[("*", Operator::Multiply), ("/", Operator::Divide), ("%", Operator::Remainder)],
];

/// Reads an expression, and the white space before it.
pub(crate) fn expression(cursor: &mut Cursor<'_>, depth: usize) -> Result<Expression, Error> {
    if depth > DEPTH_LIMIT {
        return Err(Error::Limit("32 levels of nesting"));
    }
    level(cursor, LEVELS, depth)
}

fn level(cursor: &mut Cursor<'_>, levels: &[&[(&str, Operator)]], depth: usize) -> Result<Expression, Error> {
    let Some((operators, tighter)) = levels.split_first() else { return unary(cursor, depth) };
    let mut left = level(cursor, tighter, depth)?;
    // A long chain nests to the left as deep as it is long.
    for _ in 0..=DEPTH_LIMIT {
        let mut ahead = cursor.clone();
        ahead.white();
        let Some((_, operator)) = operators.iter().find(|(spelling, _)| operator(&mut ahead, spelling)) else {
            return Ok(left);
        };
        *cursor = ahead;
        let right = level(cursor, tighter, depth)?;
        left = Expression::Binary(*operator, Box::new(left), Box::new(right));
    }
    Err(Error::Limit("operators of an expression"))
}

/// Reads an operator; one of letters must not go on as a word.
fn operator(cursor: &mut Cursor<'_>, spelling: &str) -> bool {
    let mut ahead = cursor.clone();
    let is_word = spelling.starts_with(|letter: char| letter.is_ascii_alphabetic());
    let comes = ahead.eat(spelling) && !(is_word && ahead.peek().is_some_and(|letter| letter.is_ascii_alphanumeric()));
    if comes {
        *cursor = ahead;
    }
    comes
}

fn unary(cursor: &mut Cursor<'_>, depth: usize) -> Result<Expression, Error> {
    if depth > DEPTH_LIMIT {
        return Err(Error::Limit("32 levels of nesting"));
    }
    cursor.white();
    if operator(cursor, "!") || operator(cursor, "not") {
        return Ok(Expression::Not(Box::new(unary(cursor, depth + 1)?)));
    }
    if cursor.eat("-") {
        return Ok(match unary(cursor, depth + 1)? {
            Expression::Integer(number) => Expression::Integer(number.checked_neg().unwrap_or(i64::MAX)),
            Expression::Float(number) => Expression::Float(-number),
            other => Expression::Negative(Box::new(other)),
        });
    }
    primary(cursor, depth)
}

fn primary(cursor: &mut Cursor<'_>, depth: usize) -> Result<Expression, Error> {
    let place = cursor.clone();
    match cursor.peek() {
        Some('$') => match reference(cursor, depth)? {
            Some(reference) => Ok(Expression::Reference(reference)),
            None => Err(place.error("`$` is no reference")),
        },
        Some('(') => {
            cursor.bump();
            let inner = expression(cursor, depth + 1)?;
            cursor.white();
            cursor.expect(")")?;
            Ok(inner)
        }
        Some('\'') => {
            cursor.bump();
            let text = cursor.take_until("'").ok_or_else(|| place.error("the text has no closing quote"))?;
            Ok(Expression::Text(text.to_owned()))
        }
        Some('"') => interpolated(cursor),
        Some('[') => list(cursor, depth),
        Some('{') => map(cursor, depth),
        Some(digit) if digit.is_ascii_digit() => number(cursor),
        _ => match cursor.identifier() {
            Some("true") => Ok(Expression::Boolean(true)),
            Some("false") => Ok(Expression::Boolean(false)),
            Some("null") => Ok(Expression::Null),
            _ => Err(place.error("an expression is missing")),
        },
    }
}

/// A text in double quotes, within which references count; `\"` is a quote.
fn interpolated(cursor: &mut Cursor<'_>) -> Result<Expression, Error> {
    let place = cursor.clone();
    cursor.bump();
    let mut text = String::new();
    loop {
        match cursor.bump() {
            None => return Err(place.error("the text has no closing quote")),
            Some('"') => break,
            Some('\\') if cursor.eat("\"") => text.push('"'),
            Some(letter) => text.push(letter),
        }
    }
    if !text.contains(['$', '#']) {
        return Ok(Expression::Text(text));
    }
    match template(&text).map_err(|error| place.error(format!("in this text: {error}")))? {
        nodes if nodes.iter().all(|node| matches!(node, Node::Text(_))) => Ok(Expression::Text(text)),
        nodes => Ok(Expression::Interpolated(nodes)),
    }
}

fn number(cursor: &mut Cursor<'_>) -> Result<Expression, Error> {
    let before = cursor.clone();
    cursor.take_while(|letter| letter.is_ascii_digit());
    let mut ahead = cursor.clone();
    let is_float = ahead.eat(".") && !ahead.take_while(|letter| letter.is_ascii_digit()).is_empty();
    if is_float {
        *cursor = ahead;
    }
    let text = cursor.since(&before);
    let number =
        if is_float { text.parse().map(Expression::Float).ok() } else { text.parse().map(Expression::Integer).ok() };
    number.ok_or_else(|| before.error("the number is too large"))
}

fn list(cursor: &mut Cursor<'_>, depth: usize) -> Result<Expression, Error> {
    cursor.bump();
    let mut ahead = cursor.clone();
    ahead.white();
    if !ahead.eat("]") {
        let first = expression(&mut ahead, depth + 1)?;
        ahead.white();
        if ahead.eat("..") {
            let last = expression(&mut ahead, depth + 1)?;
            ahead.white();
            ahead.expect("]")?;
            *cursor = ahead;
            return Ok(Expression::Range(Box::new(first), Box::new(last)));
        }
    }
    arguments(cursor, "]", depth + 1).map(Expression::List)
}

fn map(cursor: &mut Cursor<'_>, depth: usize) -> Result<Expression, Error> {
    cursor.bump();
    let mut entries = Vec::new();
    cursor.white();
    if cursor.eat("}") {
        return Ok(Expression::Map(entries));
    }
    loop {
        let key = expression(cursor, depth + 1)?;
        cursor.white();
        cursor.expect(":")?;
        let value = expression(cursor, depth + 1)?;
        entries.push((key, value));
        cursor.white();
        if cursor.eat("}") {
            return Ok(Expression::Map(entries));
        }
        cursor.expect(",")?;
    }
}

/// Expressions with commas between them, up to what closes them.
pub(crate) fn arguments(cursor: &mut Cursor<'_>, close: &str, depth: usize) -> Result<Vec<Expression>, Error> {
    let mut arguments = Vec::new();
    cursor.white();
    if cursor.eat(close) {
        return Ok(arguments);
    }
    loop {
        arguments.push(expression(cursor, depth)?);
        cursor.white();
        if cursor.eat(close) {
            return Ok(arguments);
        }
        cursor.expect(",")?;
    }
}
