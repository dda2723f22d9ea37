//! The `Condition` element: operators, set qualifiers, and what they make of a request's context.

use std::net::IpAddr;

use base64::Engine as _;
use serde_json::Value;

use super::pattern::{Context, Pattern, Style, lookup};
use crate::Timestamp;

/// One operator with one key and its values; all conditions of a statement must hold.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    operator: Operator,
    key: String,
    values: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Operator {
    set: Set,
    test: Test,
    negated: bool,
    if_exists: bool,
}

/// How many of a key's values must match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Set {
    Plain,
    Any,
    All,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Test {
    StringEquals,
    StringEqualsIgnoreCase,
    StringLike,
    Numeric(Order),
    Date(Order),
    Bool,
    BinaryEquals,
    IpAddress,
    ArnLike,
    Null,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Equal,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

/// Why a `Condition` element is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConditionError {
    /// Not a map of maps of values.
    Shape,
    /// An operator that AWS does not know.
    Operator(String),
    /// A value of a date operator that is no date.
    Date(String),
}

/// Every operator without qualifiers, whether it is the negation of its test, and the test.
const OPERATORS: [(&str, bool, Test); 27] = [
    ("StringEquals", false, Test::StringEquals),
    ("StringNotEquals", true, Test::StringEquals),
    ("StringEqualsIgnoreCase", false, Test::StringEqualsIgnoreCase),
    ("StringNotEqualsIgnoreCase", true, Test::StringEqualsIgnoreCase),
    ("StringLike", false, Test::StringLike),
    ("StringNotLike", true, Test::StringLike),
    ("NumericEquals", false, Test::Numeric(Order::Equal)),
    ("NumericNotEquals", true, Test::Numeric(Order::Equal)),
    ("NumericLessThan", false, Test::Numeric(Order::Less)),
    ("NumericLessThanEquals", false, Test::Numeric(Order::LessEqual)),
    ("NumericGreaterThan", false, Test::Numeric(Order::Greater)),
    ("NumericGreaterThanEquals", false, Test::Numeric(Order::GreaterEqual)),
    ("DateEquals", false, Test::Date(Order::Equal)),
    ("DateNotEquals", true, Test::Date(Order::Equal)),
    ("DateLessThan", false, Test::Date(Order::Less)),
    ("DateLessThanEquals", false, Test::Date(Order::LessEqual)),
    ("DateGreaterThan", false, Test::Date(Order::Greater)),
    ("DateGreaterThanEquals", false, Test::Date(Order::GreaterEqual)),
    ("Bool", false, Test::Bool),
    ("BinaryEquals", false, Test::BinaryEquals),
    ("IpAddress", false, Test::IpAddress),
    ("NotIpAddress", true, Test::IpAddress),
    ("ArnEquals", false, Test::ArnLike),
    ("ArnLike", false, Test::ArnLike),
    ("ArnNotEquals", true, Test::ArnLike),
    ("ArnNotLike", true, Test::ArnLike),
    ("Null", false, Test::Null),
];

impl Operator {
    fn parse(text: &str) -> Option<Self> {
        let (set, rest) = match text.split_once(':') {
            Some(("ForAnyValue", rest)) => (Set::Any, rest),
            Some(("ForAllValues", rest)) => (Set::All, rest),
            Some(_) => return None,
            None => (Set::Plain, text),
        };
        let (name, if_exists) = match rest.strip_suffix("IfExists") {
            Some(name) => (name, true),
            None => (rest, false),
        };
        let (_, negated, test) = *OPERATORS.iter().find(|(known, ..)| *known == name)?;
        let null_with_qualifier = test == Test::Null && (if_exists || set != Set::Plain);
        (!null_with_qualifier).then_some(Self { set, test, negated, if_exists })
    }
}

impl Condition {
    /// Reads a `Condition` element. Unknown operators are refused by name: a condition that is not understood must
    /// not be taken for one that holds.
    pub fn parse(value: &Value) -> Result<Vec<Self>, ConditionError> {
        let mut conditions = Vec::new();
        for (name, keys) in value.as_object().ok_or(ConditionError::Shape)? {
            let keys = keys.as_object().ok_or(ConditionError::Shape)?;
            if keys.is_empty() {
                // What compares nothing is taken, whatever it is called.
                continue;
            }
            let operator = Operator::parse(name).ok_or_else(|| ConditionError::Operator(name.clone()))?;
            for (key, values) in keys {
                let values = match values {
                    Value::Array(many) => many.iter().map(scalar).collect::<Result<Vec<_>, _>>()?,
                    one => vec![scalar(one)?],
                };
                if let (Test::Date(_), Some(bad)) = (operator.test, values.iter().find(|v| date(v).is_none())) {
                    return Err(ConditionError::Date(bad.clone()));
                }
                conditions.push(Self { operator, key: key.clone(), values });
            }
        }
        Ok(conditions)
    }

    /// The condition keys that the condition reads.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether the condition holds. `variables` says whether `${…}` is filled in, which version 2008-10-17 does not.
    pub fn holds(&self, context: &Context, variables: bool) -> bool {
        let Operator { set, test, negated, if_exists } = self.operator;
        let actual = lookup(context, &self.key);
        if test == Test::Null {
            let missing = actual.is_none().to_string();
            return self.values.iter().any(|value| value.eq_ignore_ascii_case(&missing));
        }
        let Some(actual) = actual else { return if_exists || self.holds_without_key() };
        let wanted = self.wanted(variables.then_some(context));
        let matches = |one: &String| wanted.iter().any(|value| value.matches(one));
        match (set, negated) {
            (Set::Plain, false) => actual.iter().any(matches),
            (Set::Plain, true) => !actual.iter().any(matches),
            (Set::Any, false) => actual.iter().any(matches),
            (Set::Any, true) => actual.iter().any(|one| !matches(one)),
            (Set::All, false) => actual.iter().all(matches),
            (Set::All, true) => !actual.iter().any(matches),
        }
    }

    /// A negated operator holds without its key, any other does not; `ForAllValues` holds and `ForAnyValue` does not.
    fn holds_without_key(&self) -> bool {
        match self.operator.set {
            Set::Plain => self.operator.negated,
            Set::Any => false,
            Set::All => true,
        }
    }

    /// The policy's values, ready to compare. Variables exist in string and ARN operators only; a value with a
    /// variable that the request lacks matches nothing.
    fn wanted(&self, variables: Option<&Context>) -> Vec<Wanted<'_>> {
        let compile = |style| {
            let patterns = self.values.iter().filter_map(move |v| Pattern::compile(v, style, variables));
            patterns.map(Wanted::Pattern).collect()
        };
        match self.operator.test {
            Test::StringEquals => compile(Style::Exact),
            Test::StringEqualsIgnoreCase => compile(Style::ExactIgnoreCase),
            Test::StringLike => compile(Style::Like),
            Test::ArnLike => self.values.iter().filter_map(|value| ArnPattern::compile(value, variables)).collect(),
            test => self.values.iter().map(|value| Wanted::Plain(test, value)).collect(),
        }
    }
}

fn scalar(value: &Value) -> Result<String, ConditionError> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(flag) => Ok(flag.to_string()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(ConditionError::Shape),
    }
}

enum Wanted<'a> {
    Pattern(Pattern),
    Arn(ArnPattern),
    Plain(Test, &'a str),
}

impl Wanted<'_> {
    fn matches(&self, actual: &str) -> bool {
        match self {
            Self::Pattern(pattern) => pattern.matches(actual),
            Self::Arn(pattern) => pattern.matches(actual),
            Self::Plain(test, wanted) => plain(*test, wanted, actual).unwrap_or(false),
        }
    }
}

/// Compares values that know no wildcards; none where either is not of the operator's type.
fn plain(test: Test, wanted: &str, actual: &str) -> Option<bool> {
    Some(match test {
        Test::Numeric(order) => order.holds(number(actual)?, number(wanted)?),
        Test::Date(order) => order.holds(date(actual)?.millis(), date(wanted)?.millis()),
        Test::Bool => wanted.eq_ignore_ascii_case(actual),
        Test::BinaryEquals => binary(wanted)? == binary(actual)?,
        Test::IpAddress => in_range(wanted, actual.parse().ok()?)?,
        Test::StringEquals | Test::StringEqualsIgnoreCase | Test::StringLike | Test::ArnLike | Test::Null => false,
    })
}

impl Order {
    fn holds<T: PartialOrd>(self, actual: T, wanted: T) -> bool {
        match self {
            Self::Equal => actual == wanted,
            Self::Less => actual < wanted,
            Self::LessEqual => actual <= wanted,
            Self::Greater => actual > wanted,
            Self::GreaterEqual => actual >= wanted,
        }
    }
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse::<f64>().ok().filter(|number| number.is_finite())
}

fn binary(text: &str) -> Option<Vec<u8>> {
    base64::engine::general_purpose::STANDARD.decode(text).ok()
}

/// Epoch seconds, or one of the W3C forms of ISO 8601: a year, a month, a day, or a day with a time.
fn date(text: &str) -> Option<Timestamp> {
    if let Ok(secs) = text.parse::<i64>()
        && text.len() > "2026".len()
    {
        return Some(Timestamp::from_secs(secs));
    }
    let midnight = |day: &str| format!("{day}T00:00:00Z").parse().ok();
    match text.len() {
        4 => midnight(&format!("{text}-01-01")),
        7 => midnight(&format!("{text}-01")),
        10 => midnight(text),
        _ => text.parse().ok().or_else(|| format!("{text}Z").parse().ok()),
    }
}

/// Whether the address is in a CIDR range; an address without a prefix length is a range of one.
fn in_range(range: &str, actual: IpAddr) -> Option<bool> {
    let (base, prefix) = match range.split_once('/') {
        Some((base, prefix)) => (base, Some(prefix.parse::<u32>().ok()?)),
        None => (range, None),
    };
    let (base, actual, bits) = match (base.parse().ok()?, actual) {
        (IpAddr::V4(base), IpAddr::V4(actual)) => (u128::from(base.to_bits()), u128::from(actual.to_bits()), 32),
        (IpAddr::V6(base), IpAddr::V6(actual)) => (base.to_bits(), actual.to_bits(), 128),
        _ => return Some(false),
    };
    let free = bits - prefix.unwrap_or(bits).min(bits);
    // A shift by all 128 bits leaves nothing to compare.
    Some(base.checked_shr(free).unwrap_or(0) == actual.checked_shr(free).unwrap_or(0))
}

/// The parts of an ARN; the sixth holds the rest, colons included.
const ARN_PARTS: usize = 6;

/// Six patterns, one for each part: a wildcard does not reach from one part of an ARN into the next.
enum ArnPattern {
    Anything,
    Parts(Vec<Pattern>),
}

impl ArnPattern {
    fn compile<'a>(text: &str, variables: Option<&Context>) -> Option<Wanted<'a>> {
        if text == "*" {
            return Some(Wanted::Arn(Self::Anything));
        }
        let parts = split_arn(text)
            .iter()
            .map(|part| Pattern::compile(part, Style::Like, variables))
            .collect::<Option<Vec<_>>>()?;
        Some(Wanted::Arn(Self::Parts(parts)))
    }

    fn matches(&self, actual: &str) -> bool {
        let Self::Parts(patterns) = self else { return true };
        let parts = split_arn(actual);
        parts.len() == ARN_PARTS
            && patterns.len() == ARN_PARTS
            && patterns.iter().zip(parts).all(|(pattern, part)| pattern.matches(part))
    }
}

/// Splits at colons, though not at those inside `${…}`.
fn split_arn(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut inside) = (Vec::new(), 0, false);
    for (at, c) in text.char_indices() {
        match c {
            '{' if text.get(..at).is_some_and(|before| before.ends_with('$')) => inside = true,
            '}' => inside = false,
            ':' if !inside && parts.len() + 1 < ARN_PARTS => {
                parts.push(text.get(start..at).unwrap_or(""));
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text.get(start..).unwrap_or(""));
    parts
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn holds(condition: Value, context: &[(&str, &[&str])]) -> bool {
        let context = context
            .iter()
            .map(|(key, values)| ((*key).to_owned(), values.iter().map(|v| (*v).to_owned()).collect()))
            .collect();
        Condition::parse(&condition).unwrap().iter().all(|c| c.holds(&context, true))
    }

    #[test]
    fn table_of_operators() {
        let with =
            |operator: &str, wanted: Value, actual: &str| holds(json!({operator: {"k": wanted}}), &[("K", &[actual])]);
        let cases: &[(&str, Value, &str, bool)] = &[
            ("StringEquals", json!("a*"), "a*", true),
            ("StringEquals", json!("a*"), "ab", false),
            ("StringNotEquals", json!(["a", "b"]), "c", true),
            ("StringNotEquals", json!(["a", "b"]), "b", false),
            ("StringEqualsIgnoreCase", json!("JohnDoe"), "johndoe", true),
            ("StringEqualsIgnoreCase", json!("J*"), "johndoe", false),
            ("StringNotEqualsIgnoreCase", json!("JohnDoe"), "JOHNDOE", false),
            ("StringLike", json!("home/${k}/?"), "home/x", false),
            ("StringLike", json!("jo*?"), "john", true),
            ("StringNotLike", json!("jo*"), "john", false),
            ("NumericEquals", json!(10), "10.0", true),
            ("NumericLessThanEquals", json!("10"), "10", true),
            ("NumericLessThan", json!("10"), "9", true),
            ("NumericLessThan", json!("10"), "100", false),
            ("NumericGreaterThan", json!("10"), "9x", false),
            ("NumericGreaterThanEquals", json!("-1"), "0", true),
            ("NumericNotEquals", json!("10"), "11", true),
            ("DateGreaterThan", json!("2020-04-01T00:00:00Z"), "2020-04-01T00:00:01Z", true),
            ("DateLessThan", json!("2020-06-30T23:59:59Z"), "2020-07-01T00:00:00Z", false),
            ("DateLessThan", json!("2020-06-30"), "1593475199", true),
            ("DateEquals", json!("2020-06-30T02:00:00+02:00"), "2020-06-30T00:00:00Z", true),
            ("DateNotEquals", json!("2020"), "2020-01-01T00:00:00Z", false),
            ("DateGreaterThanEquals", json!("2020-06"), "2020-06-01T00:00:00Z", true),
            ("DateLessThanEquals", json!("1593475200"), "2020-06-30T00:00:00Z", true),
            ("Bool", json!(true), "true", true),
            ("Bool", json!("TRUE"), "false", false),
            ("BinaryEquals", json!("QmluYXJ5VmFsdWVJbkJhc2U2NA=="), "QmluYXJ5VmFsdWVJbkJhc2U2NA==", true),
            ("BinaryEquals", json!("QmluYXJ5"), "QmluYXI=", false),
            ("IpAddress", json!("203.0.113.0/24"), "203.0.113.77", true),
            ("IpAddress", json!(["203.0.113.0/24", "2001:DB8:1234:5678::/64"]), "2001:db8:1234:5678::1", true),
            ("IpAddress", json!("203.0.113.7"), "203.0.113.8", false),
            ("IpAddress", json!("0.0.0.0/0"), "9.9.9.9", true),
            ("IpAddress", json!("::/0"), "9.9.9.9", false),
            ("IpAddress", json!("::/0"), "::1", true),
            ("NotIpAddress", json!("203.0.113.0/24"), "10.0.0.1", true),
            ("ArnEquals", json!("arn:aws:sns:*:123456789012:t-*"), "arn:aws:sns:eu-west-1:123456789012:t-1", true),
            ("ArnLike", json!("arn:aws:s3:::b/*"), "arn:aws:s3:::b/x:y", true),
            ("ArnLike", json!("arn:aws:*:q"), "arn:aws:sqs:us-east-1:1:q", false),
            ("ArnNotLike", json!("arn:aws:sqs:*:*:q"), "arn:aws:sqs:us-east-1:1:q", false),
            ("ArnNotEquals", json!("arn:aws:sqs:*:*:q"), "not an arn", true),
            ("Null", json!("true"), "x", false),
            ("Null", json!(false), "x", true),
        ];
        for (operator, wanted, actual, expected) in cases {
            assert_eq!(with(operator, wanted.clone(), actual), *expected, "{operator} {wanted} {actual}");
        }
    }

    #[test]
    fn a_missing_key() {
        let cases = [
            ("StringEquals", false),
            ("StringNotEquals", true),
            ("NumericNotEquals", true),
            ("NotIpAddress", true),
            ("ArnNotLike", true),
            ("StringEqualsIfExists", true),
            ("ForAllValues:StringEquals", true),
            ("ForAnyValue:StringEquals", false),
            ("ForAnyValue:StringNotEquals", false),
            ("Null", false),
        ];
        for (operator, expected) in cases {
            assert_eq!(holds(json!({operator: {"k": "1"}}), &[]), expected, "{operator}");
        }
        assert!(holds(json!({"Null": {"k": "true"}}), &[]));
    }

    #[test]
    fn sets_of_values() {
        let tags = |operator: &str, actual: &[&str]| {
            holds(json!({operator: {"aws:TagKeys": ["a", "b"]}}), &[("aws:TagKeys", actual)])
        };
        assert!(tags("ForAllValues:StringEquals", &["a", "b"]));
        assert!(tags("ForAllValues:StringEquals", &[]));
        assert!(!tags("ForAllValues:StringEquals", &["a", "c"]));
        assert!(tags("ForAnyValue:StringEquals", &["c", "a"]));
        assert!(!tags("ForAnyValue:StringEquals", &["c"]));
        assert!(tags("ForAllValues:StringNotEquals", &["c", "d"]));
        assert!(!tags("ForAllValues:StringNotEquals", &["c", "a"]));
        assert!(tags("ForAnyValue:StringNotEquals", &["c", "a"]));
        assert!(!tags("ForAnyValue:StringNotEquals", &["b", "a"]));
    }

    #[test]
    fn variables_in_values() {
        let context: &[(&str, &[&str])] = &[("s3:prefix", &["home/ana/x"]), ("aws:username", &["ana"])];
        assert!(holds(json!({"StringLike": {"s3:prefix": "home/${aws:username}/*"}}), context));
        assert!(!holds(json!({"StringEquals": {"s3:prefix": "${aws:nobody}"}}), context));
        assert!(holds(json!({"StringNotEquals": {"s3:prefix": "${aws:nobody}"}}), context));
        assert!(holds(
            json!({"ArnLike": {"a": "arn:aws:iam::1:user/${aws:username}"}}),
            &[("a", &["arn:aws:iam::1:user/ana"]), ("aws:username", &["ana"])]
        ));
    }

    #[test]
    fn unknown_operators_are_named() {
        for name in ["StringEqual", "ForSomeValues:StringEquals", "NullIfExists", "ForAnyValue:Null", "stringequals"] {
            let error = Condition::parse(&json!({name: {"k": "v"}})).unwrap_err();
            assert_eq!(error, ConditionError::Operator(name.to_owned()));
        }
        let error = Condition::parse(&json!({"DateEquals": {"k": "yesterday"}})).unwrap_err();
        assert_eq!(error, ConditionError::Date("yesterday".into()));
        assert_eq!(Condition::parse(&json!({"Bool": "x"})).unwrap_err(), ConditionError::Shape);
    }
}
