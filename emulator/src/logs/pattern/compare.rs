//! Comparisons of a value in an event with what the pattern says.

use std::cmp::Ordering;

use regex::Regex;

/// How a value is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Operator {
    /// Whether it asks for more than equality.
    pub fn is_order(self) -> bool {
        !matches!(self, Self::Equal | Self::Unequal)
    }

    fn accepts(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::Unequal => ordering.is_ne(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

/// What a value is compared with.
#[derive(Debug)]
pub(super) enum Operand {
    Number { value: Number, text: String },
    Text(Glob),
    Regex(Regex),
}

/// A value of an event.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scalar<'a> {
    /// A number of a JSON document, with its text.
    Number(Number, &'a str),
    /// A string of a JSON document: never a number, whatever its text.
    Text(&'a str),
    /// A word of a line: a number if it reads as one.
    Word(&'a str),
}

impl<'a> Scalar<'a> {
    fn text(self) -> &'a str {
        match self {
            Self::Number(_, text) | Self::Text(text) | Self::Word(text) => text,
        }
    }

    fn number(self) -> Option<Number> {
        match self {
            Self::Number(number, _) => Some(number),
            Self::Text(_) => None,
            Self::Word(text) => Number::parse(text),
        }
    }
}

#[derive(Debug)]
pub(super) struct Comparison {
    pub operator: Operator,
    pub operand: Operand,
}

impl Comparison {
    /// A text that everything has for which this holds: of strings alone, for a number may be written in several ways.
    pub fn needs(&self) -> Option<&str> {
        let is_of_strings = |text: &&str| text.bytes().any(|byte| !b"0123456789+-.eE".contains(&byte));
        match (self.operator, &self.operand) {
            (Operator::Equal, Operand::Text(glob)) => Some(glob.text.as_str()).filter(is_of_strings),
            _ => None,
        }
    }

    pub fn holds(&self, scalar: Scalar<'_>) -> bool {
        let equal = match &self.operand {
            Operand::Number { value, text } => match scalar.number() {
                Some(number) => return number.compare(*value).is_some_and(|ordering| self.operator.accepts(ordering)),
                None => scalar.text() == text,
            },
            Operand::Text(glob) => glob.matches(scalar.text()),
            Operand::Regex(regex) => regex.is_match(scalar.text()),
        };
        match self.operator {
            Operator::Equal => equal,
            Operator::Unequal => !equal,
            _ => false,
        }
    }
}

/// A string with wildcards: an asterisk at its beginning or end. Elsewhere an asterisk is an asterisk.
#[derive(Debug)]
pub(super) struct Glob {
    open_start: bool,
    open_end: bool,
    text: String,
}

impl Glob {
    pub fn new(text: &str) -> Self {
        let without_start = text.strip_prefix('*');
        let rest = without_start.unwrap_or(text);
        let without_end = rest.strip_suffix('*');
        // A lone asterisk is open at both ends.
        Self {
            open_start: without_start.is_some(),
            open_end: without_end.is_some() || text == "*",
            text: without_end.unwrap_or(rest).to_owned(),
        }
    }

    fn matches(&self, text: &str) -> bool {
        match (self.open_start, self.open_end) {
            (false, false) => text == self.text,
            (true, false) => text.ends_with(&self.text),
            (false, true) => text.starts_with(&self.text),
            (true, true) => text.contains(&self.text),
        }
    }
}

/// A number: exact as long as it is an integer that fits.
#[derive(Clone, Copy, Debug)]
pub(super) enum Number {
    Integer(i128),
    Float(f64),
}

impl Number {
    /// An integer, a decimal, or either in scientific notation, with a sign or without.
    pub fn parse(text: &str) -> Option<Self> {
        // Rust's own floats include `inf`, `nan` and `.5`; none of them is a number here.
        let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
        let plain = digits.bytes().all(|b| b.is_ascii_digit() || b".eE+-".contains(&b));
        if !plain || !digits.starts_with(|c: char| c.is_ascii_digit()) || digits.ends_with('.') {
            return None;
        }
        text.parse().map(Self::Integer).ok().or_else(|| text.parse().map(Self::Float).ok())
    }

    fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => Some(a.cmp(&b)),
            (a, b) => a.float().partial_cmp(&b.float()),
        }
    }

    fn float(self) -> f64 {
        match self {
            Self::Integer(integer) => integer as f64,
            Self::Float(float) => float,
        }
    }
}
