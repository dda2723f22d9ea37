//! One test of one value: an element of a pattern's list.

use serde_json::{Number, Value};

use super::cidr::Block;

/// What a value must be.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Test {
    /// This text.
    Text(String),
    /// This number, however it is written.
    Number(Number),
    /// `true`, `false` or `null`.
    Literal(Value),
    /// A text that the shape fits.
    Shape(Shape),
    /// A number within these bounds.
    Numeric(Vec<(Comparison, f64)>),
    /// An IP address in this block.
    Cidr(Block),
    /// Something, or nothing at all.
    Exists(bool),
    /// Something that passes none of these.
    AnythingBut(Vec<Test>),
}

/// What a text looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Prefix(String),
    Suffix(String),
    /// The same, prefix and suffix, without regard to case; kept in lower case.
    EqualsIgnoringCase(String),
    PrefixIgnoringCase(String),
    SuffixIgnoringCase(String),
    /// The parts between the wildcards `*`, the escapes resolved. There is at least one part.
    Wildcard(Vec<String>),
}

/// How a number is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Test {
    /// Whether a value that is no list and no object passes.
    pub fn passes(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Text(wanted), Value::String(text)) => wanted == text,
            (Self::Number(wanted), Value::Number(number)) => same_number(wanted, number),
            (Self::Literal(wanted), value) => wanted == value,
            (Self::Shape(shape), Value::String(text)) => shape.fits(text),
            (Self::Numeric(bounds), Value::Number(number)) => {
                number.as_f64().is_some_and(|number| bounds.iter().all(|(how, bound)| how.holds(number, *bound)))
            }
            (Self::Cidr(block), Value::String(text)) => block.holds(text),
            (Self::Exists(wanted), _) => *wanted,
            (Self::AnythingBut(excluded), value) => !excluded.iter().any(|test| test.passes(value)),
            _ => false,
        }
    }

    /// Whether it passes that there is no value.
    pub fn passes_absence(&self) -> bool {
        *self == Self::Exists(false)
    }
}

fn same_number(a: &Number, b: &Number) -> bool {
    a == b || (a.as_f64().is_some() && a.as_f64() == b.as_f64())
}

impl Comparison {
    /// What AWS calls it when it has no number to compare with.
    pub fn name(self) -> &'static str {
        match self {
            Self::Equal => "equals",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    fn holds(self, number: f64, bound: f64) -> bool {
        match self {
            Self::Equal => number == bound,
            Self::Less => number < bound,
            Self::LessOrEqual => number <= bound,
            Self::Greater => number > bound,
            Self::GreaterOrEqual => number >= bound,
        }
    }
}

impl Shape {
    fn fits(&self, text: &str) -> bool {
        match self {
            Self::Prefix(prefix) => text.starts_with(prefix.as_str()),
            Self::Suffix(suffix) => text.ends_with(suffix.as_str()),
            Self::EqualsIgnoringCase(wanted) => text.to_lowercase() == *wanted,
            Self::PrefixIgnoringCase(prefix) => text.to_lowercase().starts_with(prefix.as_str()),
            Self::SuffixIgnoringCase(suffix) => text.to_lowercase().ends_with(suffix.as_str()),
            Self::Wildcard(parts) => fits_wildcards(parts, text),
        }
    }
}

/// Linear in the text for each part: a part is taken where it is found first, which is right for all but the last.
fn fits_wildcards(parts: &[String], text: &str) -> bool {
    let Some((first, rest)) = parts.split_first() else { return false };
    let Some((last, middle)) = rest.split_last() else { return text == first };
    let Some(mut left) = text.strip_prefix(first.as_str()) else { return false };
    for part in middle {
        let Some(at) = left.find(part.as_str()) else { return false };
        left = &left[at + part.len()..];
    }
    left.ends_with(last.as_str())
}
