//! What a field holds, or an expression gives.

use std::cmp::Ordering;

use crate::Timestamp;

/// A value. What is not there is `Missing`.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Missing,
    Number(f64),
    /// A point in time, in milliseconds: a number that is shown as a date.
    Time(i64),
    Bool(bool),
    Text(String),
}

impl Value {
    /// The number, or the number that a text is.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Time(millis) => Some(*millis as f64),
            Self::Bool(value) => Some(f64::from(u8::from(*value))),
            Self::Text(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
            Self::Missing => None,
        }
    }

    /// As it is shown; `None` where there is nothing to show.
    pub fn text(&self) -> Option<String> {
        Some(match self {
            Self::Missing => return None,
            Self::Number(number) => show(*number),
            Self::Time(millis) => {
                Timestamp::from_millis(*millis).to_iso_millis().replace('T', " ").trim_end_matches('Z').to_owned()
            }
            Self::Bool(value) => u8::from(*value).to_string(),
            Self::Text(text) => text.clone(),
        })
    }

    /// Whether a condition holds that has this value.
    pub fn holds(&self) -> bool {
        match self {
            Self::Bool(value) => *value,
            Self::Number(number) => *number != 0.0,
            Self::Time(_) => true,
            Self::Text(text) => !text.is_empty() && text != "false",
            Self::Missing => false,
        }
    }

    /// Numbers compare as numbers, also those that are texts; all else as texts. What is missing compares with nothing.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        if let (Some(a), Some(b)) = (self.number(), other.number()) {
            return a.partial_cmp(&b);
        }
        if let (Self::Bool(value), Self::Text(text)) | (Self::Text(text), Self::Bool(value)) = (self, other) {
            return Some(value.to_string().as_str().cmp(text));
        }
        Some(self.text()?.cmp(&other.text()?))
    }

    /// An order of all values, for `sort`: what is missing comes first, then what is no number, then numbers.
    /// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Sort.html>
    pub fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Missing, Self::Missing) => Ordering::Equal,
            (Self::Missing, _) => Ordering::Less,
            (_, Self::Missing) => Ordering::Greater,
            _ => match (self.number(), other.number()) {
                (Some(a), Some(b)) => a.total_cmp(&b),
                (None, Some(_)) => Ordering::Less,
                (Some(_), None) => Ordering::Greater,
                (None, None) => natural(&self.text().unwrap_or_default(), &other.text().unwrap_or_default()),
            },
        }
    }
}

/// Texts by their chunks: digits by how many they are and then by their value, all else by Unicode.
fn natural(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (one, other);
    while !one.is_empty() && !other.is_empty() {
        let ((a, rest), (b, others)) = (chunk(one), chunk(other));
        let are_digits = a.starts_with(|c: char| c.is_ascii_digit()) && b.starts_with(|c: char| c.is_ascii_digit());
        let by_length = if are_digits { a.len().cmp(&b.len()) } else { Ordering::Equal };
        match by_length.then_with(|| a.cmp(b)) {
            Ordering::Equal => (one, other) = (rest, others),
            order => return order,
        }
    }
    one.len().cmp(&other.len())
}

/// The digits that a text begins with, or what stands before its first digit; and the rest.
fn chunk(text: &str) -> (&str, &str) {
    let is_digit = text.starts_with(|c: char| c.is_ascii_digit());
    text.split_at(text.find(|c: char| c.is_ascii_digit() != is_digit).unwrap_or(text.len()))
}

/// A number without digits behind the point that say nothing.
fn show(number: f64) -> String {
    let rounded = (number * 10_000.0).round() / 10_000.0;
    if number.fract() == 0.0 && number.abs() < 1e15 { format!("{number:.0}") } else { format!("{rounded}") }
}
