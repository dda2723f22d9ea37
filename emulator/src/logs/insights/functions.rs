//! The functions of one row.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-operations-functions.html>

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::evaluate::MAX_TEXT;
use super::value::Value;

/// What a function makes of its arguments. `bin`, `now` and the aggregations are not here: they need more than arguments.
pub(super) type Function = fn(&[Value]) -> Value;

/// A function, with how many arguments it takes: at least, and at most.
pub(super) struct Known {
    pub name: &'static str,
    pub least: usize,
    pub most: usize,
    pub run: Function,
}

const fn known(name: &'static str, least: usize, most: usize, run: Function) -> Known {
    Known { name, least, most, run }
}

/// More arguments than anybody writes.
const MANY: usize = 100;

static FUNCTIONS: [Known; 32] = [
    known("abs", 1, 1, |a| numeric(a, f64::abs)),
    known("ceil", 1, 1, |a| numeric(a, f64::ceil)),
    known("floor", 1, 1, |a| numeric(a, f64::floor)),
    known("sqrt", 1, 1, |a| numeric(a, f64::sqrt)),
    known("log", 1, 1, |a| numeric(a, f64::ln)),
    known("greatest", 1, MANY, |a| numbers(a).reduce(f64::max).map_or(Value::Missing, Value::Number)),
    known("least", 1, MANY, |a| numbers(a).reduce(f64::min).map_or(Value::Missing, Value::Number)),
    known("ispresent", 1, 1, |a| Value::Bool(a.first() != Some(&Value::Missing))),
    known("coalesce", 1, MANY, |a| a.iter().find(|one| **one != Value::Missing).cloned().unwrap_or(Value::Missing)),
    known("isempty", 1, 1, |a| Value::Bool(text(a, 0).is_none_or(|text| text.is_empty()))),
    known("isblank", 1, 1, |a| Value::Bool(text(a, 0).is_none_or(|text| text.trim().is_empty()))),
    known("concat", 1, MANY, |a| Value::Text(joined(a.iter().filter_map(Value::text), ""))),
    known("trim", 1, 2, |a| trimmed(a, true, true)),
    known("ltrim", 1, 2, |a| trimmed(a, true, false)),
    known("rtrim", 1, 2, |a| trimmed(a, false, true)),
    known("strlen", 1, 1, |a| text(a, 0).map_or(Value::Missing, |text| Value::Number(text.chars().count() as f64))),
    known("toupper", 1, 1, |a| text(a, 0).map_or(Value::Missing, |text| Value::Text(text.to_uppercase()))),
    known("tolower", 1, 1, |a| text(a, 0).map_or(Value::Missing, |text| Value::Text(text.to_lowercase()))),
    known("substr", 2, 3, substr),
    known("replace", 3, 3, replace),
    known("strcontains", 2, 2, |a| match (text(a, 0), text(a, 1)) {
        (Some(text), Some(part)) => Value::Number(f64::from(u8::from(text.contains(&part)))),
        _ => Value::Number(0.0),
    }),
    known("frommillis", 1, 1, |a| number(a, 0).map_or(Value::Missing, |millis| Value::Time(millis as i64))),
    known("tomillis", 1, 1, |a| number(a, 0).map_or(Value::Missing, Value::Number)),
    known("datefloor", 2, 2, |a| to_period(a, f64::floor)),
    known("dateceil", 2, 2, |a| to_period(a, f64::ceil)),
    known("isvalidip", 1, 1, |a| Value::Bool(parsed::<IpAddr>(a).is_some())),
    known("isvalidipv4", 1, 1, |a| Value::Bool(parsed::<Ipv4Addr>(a).is_some())),
    known("isvalidipv6", 1, 1, |a| Value::Bool(parsed::<Ipv6Addr>(a).is_some())),
    known("isipinsubnet", 2, 2, |a| in_subnet(a, |_| true)),
    known("isipv4insubnet", 2, 2, |a| in_subnet(a, IpAddr::is_ipv4)),
    known("isipv6insubnet", 2, 2, |a| in_subnet(a, IpAddr::is_ipv6)),
    known("round", 1, 1, |a| numeric(a, f64::round)),
];

/// The function of this name, in any case.
pub(super) fn find(name: &str) -> Option<&'static Known> {
    FUNCTIONS.iter().find(|known| known.name.eq_ignore_ascii_case(name))
}

fn text(arguments: &[Value], place: usize) -> Option<String> {
    arguments.get(place)?.text()
}

fn number(arguments: &[Value], place: usize) -> Option<f64> {
    arguments.get(place)?.number()
}

fn numbers(arguments: &[Value]) -> impl Iterator<Item = f64> {
    arguments.iter().filter_map(Value::number)
}

/// A result that is no number, as of the root of -1, is missing.
fn numeric(arguments: &[Value], function: fn(f64) -> f64) -> Value {
    let result = number(arguments, 0).map(function).filter(|number| number.is_finite());
    result.map_or(Value::Missing, Value::Number)
}

/// Blanks are taken away, or the characters that the second argument names.
fn trimmed(arguments: &[Value], left: bool, right: bool) -> Value {
    let Some(text) = text(arguments, 0) else { return Value::Missing };
    let characters = arguments.get(1).and_then(Value::text);
    let goes = |c: char| characters.as_ref().map_or_else(|| c.is_whitespace(), |characters| characters.contains(c));
    let mut rest = text.as_str();
    if left {
        rest = rest.trim_start_matches(goes);
    }
    if right {
        rest = rest.trim_end_matches(goes);
    }
    Value::Text(rest.to_owned())
}

/// From a place on, counted from 0, as many characters as are asked for.
fn substr(arguments: &[Value]) -> Value {
    let (Some(text), Some(start)) = (text(arguments, 0), number(arguments, 1)) else { return Value::Missing };
    let length = number(arguments, 2).map_or(usize::MAX, |length| length as usize);
    Value::Text(text.chars().skip(start as usize).take(length).collect())
}

fn replace(arguments: &[Value]) -> Value {
    match (text(arguments, 0), text(arguments, 1), text(arguments, 2)) {
        (Some(text), Some(old), Some(new)) if !old.is_empty() => Value::Text(joined(text.split(old.as_str()), &new)),
        (Some(text), ..) => Value::Text(text),
        _ => Value::Missing,
    }
}

/// The parts with a text between each two: no more of it than tells that it is too long.
fn joined(parts: impl Iterator<Item = impl AsRef<str>>, between: &str) -> String {
    let mut all = String::new();
    for (place, part) in parts.enumerate() {
        if place > 0 {
            all.push_str(between);
        }
        all.push_str(part.as_ref());
        if all.len() > MAX_TEXT {
            break;
        }
    }
    all
}

fn to_period(arguments: &[Value], round: fn(f64) -> f64) -> Value {
    match (number(arguments, 0), number(arguments, 1)) {
        (Some(time), Some(period)) if period > 0.0 => Value::Time((round(time / period) * period) as i64),
        _ => Value::Missing,
    }
}

fn parsed<T: std::str::FromStr>(arguments: &[Value]) -> Option<T> {
    text(arguments, 0)?.parse().ok()
}

fn in_subnet(arguments: &[Value], kind: fn(&IpAddr) -> bool) -> Value {
    let inside = || {
        let address = parsed::<IpAddr>(arguments).filter(kind)?;
        let subnet = text(arguments, 1)?;
        let (net, bits) = subnet.split_once('/')?;
        let (net, bits) = (net.parse::<IpAddr>().ok()?, bits.parse::<u32>().ok()?);
        Some(match (address, net) {
            (IpAddr::V4(a), IpAddr::V4(b)) if bits <= 32 => {
                let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
                a.to_bits() & mask == b.to_bits() & mask
            }
            (IpAddr::V6(a), IpAddr::V6(b)) if bits <= 128 => {
                let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
                a.to_bits() & mask == b.to_bits() & mask
            }
            _ => false,
        })
    };
    Value::Bool(inside().unwrap_or(false))
}
