//! From text to a pattern, refusing what AWS refuses.

use serde_json::{Map, Value};

use super::cidr::Block;
use super::test::{Comparison, Shape, Test};
use super::{InvalidPattern, Node, Object};

/// Numbers of `numeric` lie within this, on either side of zero.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html#eb-filtering-numeric-matching>
const NUMBER_LIMIT: f64 = 5e9;
/// The member that holds alternatives.
const OR: &str = "$or";

type Parsed<T> = Result<T, InvalidPattern>;

pub(super) fn parse(text: &str) -> Parsed<Object> {
    let pattern: Value = serde_json::from_str(text).map_err(|_| invalid("Filter is not an object"))?;
    match pattern {
        Value::Object(members) => object(&members),
        _ => Err(invalid("Filter is not an object")),
    }
}

fn invalid(text: impl Into<String>) -> InvalidPattern {
    InvalidPattern(text.into())
}

fn object(members: &Map<String, Value>) -> Parsed<Object> {
    if members.is_empty() {
        return Err(invalid("Empty objects are not allowed"));
    }
    let mut read = Object::default();
    for (name, value) in members {
        match value {
            Value::Array(alternatives) if name == OR => read.either.push(either(alternatives)?),
            Value::Array(tests) => read.fields.push((name.clone(), Node::Leaf(leaf(tests)?))),
            Value::Object(members) => read.fields.push((name.clone(), Node::Object(object(members)?))),
            _ => return Err(invalid(format!("\"{name}\" must be an object or an array"))),
        }
    }
    Ok(read)
}

fn either(alternatives: &[Value]) -> Parsed<Vec<Object>> {
    if alternatives.len() < 2 {
        return Err(invalid(format!("There must have at least 2 Objects in {OR} relationship.")));
    }
    let one = |value: &Value| match value {
        Value::Object(members) => object(members),
        _ => Err(invalid(format!("Only objects are allowed in array under {OR} relationship."))),
    };
    alternatives.iter().map(one).collect()
}

fn leaf(tests: &[Value]) -> Parsed<Vec<Test>> {
    if tests.is_empty() {
        return Err(invalid("Empty arrays are not allowed"));
    }
    tests.iter().map(test).collect()
}

fn test(value: &Value) -> Parsed<Test> {
    match value {
        Value::String(text) => Ok(Test::Text(text.clone())),
        Value::Number(number) => Ok(Test::Number(number.clone())),
        Value::Bool(_) | Value::Null => Ok(Test::Literal(value.clone())),
        Value::Array(_) => Err(invalid("Match value must be String, number, true, false, or null")),
        Value::Object(members) => expression(members),
    }
}

/// `{"prefix": "a"}` and its like: one match type, and what it is given.
fn expression(members: &Map<String, Value>) -> Parsed<Test> {
    let mut members = members.iter();
    let (kind, given) = match (members.next(), members.next()) {
        (Some(only), None) => only,
        (None, _) => return Err(invalid("Match expression name not found")),
        _ => return Err(invalid("Only one key allowed in match expression")),
    };
    match kind.as_str() {
        "prefix" | "suffix" | "equals-ignore-case" | "wildcard" => shape(kind, given).map(Test::Shape),
        "numeric" => numeric(given),
        "exists" => match given {
            Value::Bool(wanted) => Ok(Test::Exists(*wanted)),
            _ => Err(invalid("exists match pattern must be either true or false.")),
        },
        "cidr" => match given {
            Value::String(text) => Block::parse(text).map(Test::Cidr).map_err(invalid),
            _ => Err(invalid("CIDR must be a string")),
        },
        "anything-but" => anything_but(given),
        other => Err(invalid(format!("Unrecognized match type {other}"))),
    }
}

fn shape(kind: &str, given: &Value) -> Parsed<Shape> {
    match (kind, given) {
        ("prefix", Value::String(text)) => Ok(Shape::Prefix(text.clone())),
        ("suffix", Value::String(text)) => Ok(Shape::Suffix(text.clone())),
        ("equals-ignore-case", Value::String(text)) => Ok(Shape::EqualsIgnoringCase(text.to_lowercase())),
        ("wildcard", Value::String(text)) => wildcard(text).map(Shape::Wildcard),
        ("prefix" | "suffix", Value::Object(members)) if members.len() == 1 => {
            match (kind, members.get("equals-ignore-case")) {
                ("prefix", Some(Value::String(text))) => Ok(Shape::PrefixIgnoringCase(text.to_lowercase())),
                ("suffix", Some(Value::String(text))) => Ok(Shape::SuffixIgnoringCase(text.to_lowercase())),
                (_, Some(_)) => Err(invalid("equals-ignore-case match pattern must be a string")),
                (_, None) => {
                    let other = members.keys().next().map(String::as_str).unwrap_or_default();
                    Err(invalid(format!("Unsupported {kind} pattern: {other}")))
                }
            }
        }
        _ => Err(invalid(format!("{kind} match pattern must be a string"))),
    }
}

/// The parts between wildcards. `\*` is an asterisk and `\\` a backslash.
fn wildcard(text: &str) -> Parsed<Vec<String>> {
    let mut parts = vec![String::new()];
    let mut letters = text.chars().enumerate();
    let mut after_star = false;
    while let Some((at, letter)) = letters.next() {
        let is_star = letter == '*';
        match (letter, parts.last_mut()) {
            ('*', _) if after_star => {
                return Err(invalid(format!("Consecutive wildcard characters at pos {}", at - 1)));
            }
            ('*', _) => parts.push(String::new()),
            ('\\', Some(part)) => match letters.next() {
                Some((_, escaped @ ('*' | '\\'))) => part.push(escaped),
                _ => return Err(invalid(format!("Invalid escape character at pos {at}"))),
            },
            (letter, Some(part)) => part.push(letter),
            (_, None) => {}
        }
        after_star = is_star;
    }
    Ok(parts)
}

fn numeric(given: &Value) -> Parsed<Test> {
    let Value::Array(items) = given else { return Err(invalid("Value of numeric must be an array.")) };
    let bounds = match items.as_slice() {
        [how, bound] => vec![bound_of(how, bound)?],
        [lower, bottom, upper, top] => {
            let (low, high) = (bound_of(lower, bottom)?, bound_of(upper, top)?);
            if !matches!(low.0, Comparison::Greater | Comparison::GreaterOrEqual) {
                return Err(invalid("Too many elements in numeric expression"));
            }
            if !matches!(high.0, Comparison::Less | Comparison::LessOrEqual) {
                return Err(invalid(format!("Bad numeric range operator: {}", upper.as_str().unwrap_or_default())));
            }
            if low.1 >= high.1 {
                return Err(invalid("Bottom must be less than top"));
            }
            vec![low, high]
        }
        [] => return Err(invalid("Invalid member in numeric match: ]")),
        [_] => return Err(invalid("Value of numeric must be numeric")),
        [_, _, _] => return Err(invalid("Value of numeric must be numeric")),
        _ => return Err(invalid("Too many terms in numeric range expression")),
    };
    Ok(Test::Numeric(bounds))
}

fn bound_of(how: &Value, bound: &Value) -> Parsed<(Comparison, f64)> {
    let how = match how {
        Value::String(text) => match text.as_str() {
            "=" => Comparison::Equal,
            "<" => Comparison::Less,
            "<=" => Comparison::LessOrEqual,
            ">" => Comparison::Greater,
            ">=" => Comparison::GreaterOrEqual,
            other => return Err(invalid(format!("Unrecognized numeric range operator: {other}"))),
        },
        other => return Err(invalid(format!("Invalid member in numeric match: {other}"))),
    };
    match bound.as_f64() {
        Some(number) if number.abs() <= NUMBER_LIMIT => Ok((how, number)),
        Some(_) => Err(invalid("Value must be between -5.0E9 and 5.0E9, inclusive")),
        None => Err(invalid("Value of numeric must be numeric")),
    }
}

fn anything_but(given: &Value) -> Parsed<Test> {
    let excluded = match given {
        Value::String(_) | Value::Number(_) => vec![test(given)?],
        Value::Array(items) => all_of_one_kind(items)?,
        Value::Object(members) => {
            let mut members = members.iter();
            let (kind, given) = match (members.next(), members.next()) {
                (Some(only), None) => only,
                _ => return Err(invalid("Only one key allowed in match expression")),
            };
            if !["prefix", "suffix", "equals-ignore-case", "wildcard"].contains(&kind.as_str()) {
                return Err(invalid(format!("Unsupported anything-but pattern: {kind}")));
            }
            shapes(kind, given)?
        }
        Value::Bool(_) | Value::Null => {
            return Err(invalid("Inside anything but list, start|null|boolean is not supported."));
        }
    };
    Ok(Test::AnythingBut(excluded))
}

fn all_of_one_kind(items: &[Value]) -> Parsed<Vec<Test>> {
    if items.is_empty() {
        return Err(invalid("Empty arrays are not allowed"));
    }
    if items.iter().any(|item| !item.is_string() && !item.is_number()) {
        return Err(invalid("Inside anything but list, start|null|boolean is not supported."));
    }
    if items.iter().any(Value::is_string) && items.iter().any(Value::is_number) {
        return Err(invalid(
            "Inside anything but list, either all values are number or string, mixed type is not supported",
        ));
    }
    items.iter().map(test).collect()
}

/// What `anything-but` excludes by a shape: one text or several.
fn shapes(kind: &str, given: &Value) -> Parsed<Vec<Test>> {
    match given {
        Value::Array(items) if items.is_empty() => Err(invalid("Empty arrays are not allowed")),
        Value::Array(items) => items.iter().map(|item| text_shape(kind, item)).collect(),
        one => Ok(vec![text_shape(kind, one)?]),
    }
}

fn text_shape(kind: &str, given: &Value) -> Parsed<Test> {
    match given {
        Value::String(text) if text.is_empty() && matches!(kind, "prefix" | "suffix") => {
            Err(invalid("Null prefix/suffix not allowed"))
        }
        Value::String(_) => shape(kind, given).map(Test::Shape),
        _ => Err(invalid(format!("{kind} match pattern must be a string"))),
    }
}
