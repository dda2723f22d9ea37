//! From text to a pattern, refusing what AWS refuses.

use serde_json::{Map, Value};

use super::cidr::Block;
use super::dots::parts;
use super::test::{Comparison, Shape, Test};
use super::{InvalidPattern, Node, Object};

/// What a service allows of the language.
pub(super) struct Rules {
    /// Numbers of `numeric` lie within this, on either side of zero.
    number_limit: f64,
    /// What may stand in an object of `anything-but`.
    anything_but: &'static [&'static str],
    /// Whether there are wildcards, and prefixes and suffixes without regard to case.
    all_shapes: bool,
}

/// EventBridge's.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html#eb-filtering-numeric-matching>
const EVENTS: Rules = Rules {
    number_limit: 5e9,
    anything_but: &["prefix", "suffix", "equals-ignore-case", "wildcard"],
    all_shapes: true,
};

/// Those of SNS's filter policies.
/// <https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html>
pub(super) const FILTER_POLICIES: Rules = Rules { number_limit: 1e9, anything_but: &["prefix"], all_shapes: false };

/// What is said of an `anything-but` that is none.
const NO_ANYTHING_BUT: &str = "Value of anything-but must be an array or single string/number value.";
/// The member that holds alternatives.
const OR: &str = "$or";

type Parsed<T> = Result<T, InvalidPattern>;

pub(super) fn parse(text: &str) -> Parsed<Object> {
    let pattern: Value = serde_json::from_str(text).map_err(|_| invalid("Filter is not an object"))?;
    read(&pattern, &EVENTS)
}

pub(super) fn read(pattern: &Value, rules: &Rules) -> Parsed<Object> {
    match pattern {
        Value::Object(members) => rules.object(members, 0),
        _ => Err(invalid("Filter is not an object")),
    }
}

fn invalid(text: impl Into<String>) -> InvalidPattern {
    InvalidPattern(text.into())
}

impl Rules {
    fn object(&self, members: &Map<String, Value>, depth: usize) -> Parsed<Object> {
        if members.is_empty() {
            return Err(invalid("Empty objects are not allowed"));
        }
        let mut read = Object::default();
        for (name, value) in members {
            let names = parts(name, depth);
            let node = match value {
                Value::Array(alternatives) if name == OR => {
                    read.either.push(self.either(alternatives, depth)?);
                    continue;
                }
                Value::Array(tests) => Node::Leaf(self.leaf(tests)?),
                Value::Object(members) => Node::Object(self.object(members, depth + names.len())?),
                _ => return Err(invalid(format!("\"{name}\" must be an object or an array"))),
            };
            let mut names = names.into_iter();
            let first = names.next().unwrap_or_default().to_owned();
            let nested =
                |node, name: &str| Node::Object(Object { fields: vec![(name.to_owned(), node)], either: Vec::new() });
            read.fields.push((first, names.rev().fold(node, nested)));
        }
        Ok(read)
    }

    fn either(&self, alternatives: &[Value], depth: usize) -> Parsed<Vec<Object>> {
        if alternatives.len() < 2 {
            return Err(invalid(format!("There must have at least 2 Objects in {OR} relationship.")));
        }
        let one = |value: &Value| match value {
            Value::Object(members) => self.object(members, depth),
            _ => Err(invalid(format!("Only objects are allowed in array under {OR} relationship."))),
        };
        alternatives.iter().map(one).collect()
    }

    fn leaf(&self, tests: &[Value]) -> Parsed<Vec<Test>> {
        if tests.is_empty() {
            return Err(invalid("Empty arrays are not allowed"));
        }
        tests.iter().map(|value| self.test(value)).collect()
    }

    fn test(&self, value: &Value) -> Parsed<Test> {
        match value {
            Value::Object(members) => self.expression(members),
            scalar => literal(scalar),
        }
    }

    /// `{"prefix": "a"}` and its like: one match type, and what it is given.
    fn expression(&self, members: &Map<String, Value>) -> Parsed<Test> {
        let mut members = members.iter();
        let (kind, given) = match (members.next(), members.next()) {
            (Some(only), None) => only,
            (None, _) => return Err(invalid("Match expression name not found")),
            _ => return Err(invalid("Only one key allowed in match expression")),
        };
        match kind.as_str() {
            "prefix" | "suffix" if !self.all_shapes && !given.is_string() => {
                Err(invalid(format!("{kind} match pattern must be a string")))
            }
            "wildcard" if !self.all_shapes => Err(invalid(format!("Unrecognized match type {kind}"))),
            "prefix" | "suffix" | "equals-ignore-case" | "wildcard" => shape(kind, given).map(Test::Shape),
            "numeric" => numeric(given, self.number_limit),
            "exists" => match given {
                Value::Bool(wanted) => Ok(Test::Exists(*wanted)),
                _ => Err(invalid("exists match pattern must be either true or false.")),
            },
            "cidr" => match given {
                Value::String(text) => Block::parse(text).map(Test::Cidr).map_err(invalid),
                // So AWS says it.
                _ => Err(invalid("prefix match pattern must be a string")),
            },
            "anything-but" => self.anything_but(given),
            other => Err(invalid(format!("Unrecognized match type {other}"))),
        }
    }

    fn anything_but(&self, given: &Value) -> Parsed<Test> {
        let excluded = match given {
            Value::String(_) | Value::Number(_) => vec![literal(given)?],
            Value::Array(items) => all_of_one_kind(items)?,
            Value::Object(members) => {
                let mut members = members.iter();
                let (kind, given) = match (members.next(), members.next()) {
                    (Some(only), None) => only,
                    _ => return Err(invalid("Only one key allowed in match expression")),
                };
                if !self.anything_but.contains(&kind.as_str()) {
                    return Err(invalid(format!("Unsupported anything-but pattern: {kind}")));
                }
                self.shapes(kind, given)?
            }
            Value::Bool(_) | Value::Null => return Err(invalid(NO_ANYTHING_BUT)),
        };
        Ok(Test::AnythingBut(excluded))
    }

    /// What `anything-but` excludes by a shape: one text or several.
    fn shapes(&self, kind: &str, given: &Value) -> Parsed<Vec<Test>> {
        match given {
            Value::Array(items) if items.is_empty() => Err(invalid("Empty arrays are not allowed")),
            Value::Array(items) => items.iter().map(|item| self.text_shape(kind, item)).collect(),
            one => Ok(vec![self.text_shape(kind, one)?]),
        }
    }

    fn text_shape(&self, kind: &str, given: &Value) -> Parsed<Test> {
        let is_end = matches!(kind, "prefix" | "suffix");
        match given {
            Value::String(text) if text.is_empty() && is_end => Err(invalid("Null prefix/suffix not allowed")),
            Value::String(_) => shape(kind, given).map(Test::Shape),
            Value::Object(_) if self.all_shapes => Err(invalid(NO_ANYTHING_BUT)),
            _ if self.all_shapes && is_end => Err(invalid("prefix/suffix match pattern must be a string")),
            _ => Err(invalid(format!("{kind} match pattern must be a string"))),
        }
    }
}

fn literal(value: &Value) -> Parsed<Test> {
    match value {
        Value::String(text) => Ok(Test::Text(text.clone())),
        Value::Number(number) => Ok(Test::Number(number.clone())),
        Value::Bool(_) | Value::Null => Ok(Test::Literal(value.clone())),
        _ => Err(invalid("Match value must be String, number, true, false, or null")),
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

/// One bound, or a lower and an upper one. The items are read in their order, and the first that does not fit is told.
fn numeric(given: &Value, limit: f64) -> Parsed<Test> {
    let Value::Array(items) = given else { return Err(invalid("Value of numeric must be an array.")) };
    let mut items = items.iter();
    let how = match items.next() {
        Some(Value::String(text)) => comparison(text, "Unrecognized numeric range operator")?,
        Some(other) => return Err(invalid(format!("Invalid member in numeric match: {other}"))),
        None => return Err(invalid("Invalid member in numeric match: ]")),
    };
    let low = (how, bound(how, items.next(), limit)?);
    let Some(next) = items.next() else { return Ok(Test::Numeric(vec![low])) };
    if !matches!(how, Comparison::Greater | Comparison::GreaterOrEqual) {
        return Err(invalid("Too many elements in numeric expression"));
    }
    let bad = "Bad numeric range operator";
    let how = match next {
        Value::String(text) => match comparison(text, bad)? {
            how @ (Comparison::Less | Comparison::LessOrEqual) => how,
            _ => return Err(invalid(format!("{bad}: {text}"))),
        },
        other => return Err(invalid(format!("Bad value in numeric range: {other}"))),
    };
    let high = (how, bound(how, items.next(), limit)?);
    if low.1 >= high.1 {
        return Err(invalid("Bottom must be less than top"));
    }
    match items.next() {
        Some(_) => Err(invalid("Too many terms in numeric range expression")),
        None => Ok(Test::Numeric(vec![low, high])),
    }
}

fn comparison(text: &str, otherwise: &str) -> Parsed<Comparison> {
    match text {
        "=" => Ok(Comparison::Equal),
        "<" => Ok(Comparison::Less),
        "<=" => Ok(Comparison::LessOrEqual),
        ">" => Ok(Comparison::Greater),
        ">=" => Ok(Comparison::GreaterOrEqual),
        other => Err(invalid(format!("{otherwise}: {other}"))),
    }
}

fn bound(how: Comparison, bound: Option<&Value>, limit: f64) -> Parsed<f64> {
    match bound.and_then(Value::as_f64) {
        Some(number) if number.abs() <= limit => Ok(number),
        Some(_) => {
            let limit = format!("{:.1}E9", limit / 1e9);
            Err(invalid(format!("Value must be between -{limit} and {limit}, inclusive")))
        }
        None => Err(invalid(format!("Value of {} must be numeric", how.name()))),
    }
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
    items.iter().map(literal).collect()
}
