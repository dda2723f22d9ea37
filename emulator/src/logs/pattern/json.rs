//! Patterns for JSON: `{ $.a.b = "x*" && ($.n >= 3 || $.list[0] IS NULL || $.x NOT EXISTS) }`.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use winnow::Result as Parsed;
use winnow::ascii::{Caseless, dec_uint, multispace0, multispace1};
use winnow::combinator::{alt, delimited, fail, opt, preceded, repeat, terminated};
use winnow::prelude::*;
use winnow::token::take_while;

use super::super::names::invalid;
use super::compare::{Comparison, Number, Operand, Scalar};
use super::malformed;
use super::parse::{Expression, comparison, expression};

// The limits are on AWS's page on filter patterns, the texts from AWS's answers.

/// How many regular expressions a pattern for JSON or for fields has at most.
pub(super) const REGEX_LIMIT: usize = 2;
/// How many wildcards a selector has at most.
const SELECTOR_WILDCARDS: usize = 1;
/// How many wildcards all selectors of a pattern have together at most.
const PATTERN_WILDCARDS: usize = 3;

/// A pattern in braces.
#[derive(Debug)]
pub(super) struct Json {
    conditions: Expression<Condition>,
    /// The members of the whole that it asks for; none if it asks for any.
    members: Option<Vec<String>>,
    /// A text that is in every message which it selects, unless the message is written with escapes.
    needed: Option<String>,
}

#[derive(Debug)]
struct Condition {
    selector: Vec<Step>,
    test: Test,
}

/// A step from a value to one in it, or to several.
#[derive(Clone, Debug)]
enum Step {
    Name(String),
    Index(usize),
    Any,
}

#[derive(Debug)]
enum Test {
    Compare(Comparison),
    Is(Literal),
    NotExists,
}

#[derive(Clone, Copy, Debug)]
enum Literal {
    Null,
    True,
    False,
}

impl Json {
    pub fn parse(text: &str) -> crate::Result<Self> {
        let grammar = |input: &mut &str| expression(input, condition);
        let parsed = delimited(multispace0, grammar, multispace0).parse(text).map_err(malformed)?;
        check_limits(&parsed)?;
        let first = |condition: &&Condition| match condition.selector.first() {
            Some(Step::Name(name)) => Some(name.clone()),
            _ => None,
        };
        let members = parsed.conditions().iter().map(first).collect();
        let needed = needed(&parsed).map(str::to_owned);
        Ok(Self { conditions: parsed, members, needed })
    }

    /// Only objects are ever selected. The message is read once, whatever the pattern asks, and only what it asks for is kept;
    /// it is not read at all where a text is missing without which it cannot be meant.
    pub fn matches(&self, message: &str) -> bool {
        let lacks = |needed: &String| !message.contains(needed.as_str()) && !message.contains('\\');
        if !message.trim_start().starts_with('{') || self.needed.as_ref().is_some_and(lacks) {
            return false;
        }
        let document = match &self.members {
            Some(members) => selected(message, members).map(Document::Members),
            None => serde_json::from_str(message).map(Document::Whole),
        };
        document.is_ok_and(|document| self.conditions.holds(&|condition| condition.holds(&document)))
    }
}

/// See [`Json::needed`].
fn needed(pattern: &Expression<Condition>) -> Option<&str> {
    match pattern {
        Expression::One(Condition { test: Test::Compare(comparison), .. }) => comparison.needs(),
        Expression::All(parts) => parts.iter().find_map(needed),
        Expression::One(_) | Expression::Any(_) => None,
    }
}

/// What is kept of a message.
enum Document<'a> {
    Whole(Value),
    /// The members that a pattern asks for.
    Members(Vec<(&'a str, Value)>),
}

impl Document<'_> {
    /// Whether any of the values that the steps lead to passes.
    fn reaches(&self, steps: &[Step], passes: &dyn Fn(&Value) -> bool) -> bool {
        match (self, steps.split_first()) {
            (Self::Whole(value), _) => reaches(steps, value, passes),
            (Self::Members(members), Some((Step::Name(first), rest))) => {
                let member = members.iter().find(|(name, _)| name == first);
                member.is_some_and(|(_, value)| reaches(rest, value, passes))
            }
            (Self::Members(_), _) => false,
        }
    }
}

/// The members of these names; what else the object has is only looked at for being JSON.
fn selected<'a>(message: &str, members: &'a [String]) -> serde_json::Result<Vec<(&'a str, Value)>> {
    let mut reader = serde_json::Deserializer::from_str(message);
    let document = Selected(members).deserialize(&mut reader)?;
    reader.end()?;
    Ok(document)
}

struct Selected<'a>(&'a [String]);

impl<'a, 'de> DeserializeSeed<'de> for Selected<'a> {
    type Value = Vec<(&'a str, Value)>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'a, 'de> Visitor<'de> for Selected<'a> {
    type Value = Vec<(&'a str, Value)>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let mut document: Self::Value = Vec::with_capacity(self.0.len());
        while let Some(member) = object.next_key_seed(Member(self.0))? {
            match member {
                Some(name) => {
                    let value = object.next_value()?;
                    // Of a name that comes twice the last counts.
                    match document.iter_mut().find(|(known, _)| *known == name) {
                        Some((_, known)) => *known = value,
                        None => document.push((name, value)),
                    }
                }
                None => {
                    object.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(document)
    }
}

/// Which of the names a key is.
struct Member<'a>(&'a [String]);

impl<'a, 'de> DeserializeSeed<'de> for Member<'a> {
    type Value = Option<&'a String>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_str(self)
    }
}

impl<'a> Visitor<'_> for Member<'a> {
    type Value = Option<&'a String>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a name")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().find(|name| **name == key))
    }
}

fn check_limits(pattern: &Expression<Condition>) -> crate::Result<()> {
    let conditions = pattern.conditions();
    let wildcards = |condition: &Condition| condition.selector.iter().filter(|step| matches!(step, Step::Any)).count();
    if conditions.iter().any(|condition| wildcards(condition) > SELECTOR_WILDCARDS) {
        return Err(invalid(format!(
            "Your filter pattern has a JSON path selector that exceeds the maximum of {SELECTOR_WILDCARDS} wildcard allowed \
             per json selector."
        )));
    }
    if conditions.iter().map(|condition| wildcards(condition)).sum::<usize>() > PATTERN_WILDCARDS {
        return Err(invalid(format!(
            "Your input has exceeded the maximum of {PATTERN_WILDCARDS} JSON wildcard selectors allowed per filter pattern."
        )));
    }
    check_regexes(conditions.iter().filter_map(|condition| match &condition.test {
        Test::Compare(comparison) => Some(comparison),
        _ => None,
    }))
}

pub(super) fn check_regexes<'a>(comparisons: impl Iterator<Item = &'a Comparison>) -> crate::Result<()> {
    if comparisons.filter(|comparison| matches!(comparison.operand, Operand::Regex(_))).count() > REGEX_LIMIT {
        return Err(invalid(format!(
            "Your input has exceeded the maximum of {REGEX_LIMIT} regular expressions per filter pattern."
        )));
    }
    Ok(())
}

impl Condition {
    fn holds(&self, document: &Document<'_>) -> bool {
        match &self.test {
            Test::NotExists => !document.reaches(&self.selector, &|_| true),
            Test::Is(literal) => document.reaches(&self.selector, &|value| literal.is(value)),
            Test::Compare(comparison) => document.reaches(&self.selector, &|value| compare(comparison, value)),
        }
    }
}

/// Whether any of the values that the steps lead to from this one passes.
fn reaches(steps: &[Step], value: &Value, passes: &dyn Fn(&Value) -> bool) -> bool {
    let Some((step, rest)) = steps.split_first() else { return passes(value) };
    let next = |value| reaches(rest, value, passes);
    match (step, value) {
        (Step::Name(name), Value::Object(object)) => object.get(name).is_some_and(next),
        (Step::Index(index), Value::Array(array)) => array.get(*index).is_some_and(next),
        (Step::Any, Value::Object(object)) => object.values().any(next),
        (Step::Any, Value::Array(array)) => array.iter().any(next),
        _ => false,
    }
}

impl Literal {
    /// An array is one of its elements here, and nowhere else: so AWS answers.
    fn is(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Null, Value::Null) | (Self::True, Value::Bool(true)) | (Self::False, Value::Bool(false)) => true,
            (_, Value::Array(array)) => array.iter().any(|element| !element.is_array() && self.is(element)),
            _ => false,
        }
    }
}

/// Comparisons are of strings and numbers. With anything else they do not hold, `!=` neither.
fn compare(comparison: &Comparison, value: &Value) -> bool {
    match value {
        Value::String(text) => comparison.holds(Scalar::Text(text)),
        Value::Number(number) => {
            let text = number.to_string();
            Number::parse(&text).is_some_and(|number| comparison.holds(Scalar::Number(number, &text)))
        }
        _ => false,
    }
}

fn condition(input: &mut &str) -> Parsed<Condition> {
    let selector = preceded((multispace0, '$'), selector).parse_next(input)?;
    let test = alt((comparison.map(Test::Compare), preceded(multispace1, keyword))).parse_next(input)?;
    Ok(Condition { selector, test })
}

/// Whether a text is a selector such as `$.a.b[0]`.
pub(super) fn is_selector(text: &str) -> bool {
    parse_selector(text).is_some()
}

/// The text of the one string, number or boolean that a selector finds.
pub(super) fn select(text: &str, document: &Value) -> Option<String> {
    let steps = parse_selector(text)?;
    let found = std::cell::OnceCell::new();
    reaches(&steps, document, &|value| {
        found.get_or_init(|| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(value) => Some(value.to_string()),
            _ => None,
        });
        true
    });
    found.into_inner().flatten()
}

fn parse_selector(text: &str) -> Option<Vec<Step>> {
    preceded('$', selector).parse(text).ok()
}

fn selector(input: &mut &str) -> Parsed<Vec<Step>> {
    if !input.starts_with('.') {
        return fail.parse_next(input);
    }
    repeat(1.., step).parse_next(input)
}

fn step(input: &mut &str) -> Parsed<Step> {
    let name = take_while(1.., |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    let named = preceded('.', alt(('*'.value(Step::Any), name.map(|name: &str| Step::Name(name.to_owned())))));
    alt((named, preceded(opt('.'), bracket))).parse_next(input)
}

/// `[0]`, `[*]`, or a name that has other characters: `['cluster.name']`.
fn bracket(input: &mut &str) -> Parsed<Step> {
    let name = alt((
        delimited('\'', take_while(1.., |c| c != '\''), '\''),
        delimited('"', take_while(1.., |c| c != '"'), '"'),
    ));
    let inner = alt((
        '*'.value(Step::Any),
        name.map(|name: &str| Step::Name(name.to_owned())),
        dec_uint::<_, usize, _>.map(Step::Index),
    ));
    delimited('[', inner, ']').parse_next(input)
}

fn keyword(input: &mut &str) -> Parsed<Test> {
    let literal = alt((
        Caseless("NULL").value(Literal::Null),
        Caseless("TRUE").value(Literal::True),
        Caseless("FALSE").value(Literal::False),
    ));
    alt((
        preceded((Caseless("IS"), multispace1), literal).map(Test::Is),
        terminated((Caseless("NOT"), multispace1), Caseless("EXISTS")).map(|_| Test::NotExists),
    ))
    .parse_next(input)
}
