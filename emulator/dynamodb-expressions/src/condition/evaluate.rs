//! What conditions mean for an item.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::path::Path;
use crate::{AttributeValue, Item, Number};

/// A condition with everything in its place.
#[derive(Debug, Clone)]
pub(crate) enum Test {
    /// One of them holds.
    Or(Vec<Test>),
    /// All of them hold.
    And(Vec<Test>),
    /// It does not hold.
    Not(Box<Test>),
    /// Two operands compared.
    Compare(Comparator, [Operand; 2]),
    /// The first is neither less than the second nor greater than the third.
    Between([Operand; 3]),
    /// The first equals one of the others.
    In(Vec<Operand>),
    /// A function of as many operands as it takes.
    Call(Function, Vec<Operand>),
}

/// The comparators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// The functions that are conditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    AttributeExists,
    AttributeNotExists,
    AttributeType,
    BeginsWith,
    Contains,
}

/// What a condition looks at.
#[derive(Debug, Clone)]
pub(crate) enum Operand {
    /// A value of the request.
    Value(AttributeValue),
    /// What stands at a path.
    Path(Path),
    /// The size of what the operand is.
    Size(Box<Operand>),
}

impl Comparator {
    pub(crate) fn from_symbol(symbol: &str) -> Option<Self> {
        Some(match symbol {
            "=" => Self::Equal,
            "<>" => Self::NotEqual,
            "<" => Self::Less,
            "<=" => Self::LessOrEqual,
            ">" => Self::Greater,
            ">=" => Self::GreaterOrEqual,
            _ => return None,
        })
    }

    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    /// The comparator that says the same with the operands changed over.
    pub(crate) fn mirrored(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            same => same,
        }
    }

    /// Values of different types are not equal, and neither is less. What does not exist equals nothing.
    fn holds(self, left: Option<&AttributeValue>, right: Option<&AttributeValue>) -> bool {
        let (Some(left), Some(right)) = (left, right) else { return self == Self::NotEqual };
        match self {
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::Less => compare(left, right).is_some_and(Ordering::is_lt),
            Self::LessOrEqual => compare(left, right).is_some_and(Ordering::is_le),
            Self::Greater => compare(left, right).is_some_and(Ordering::is_gt),
            Self::GreaterOrEqual => compare(left, right).is_some_and(Ordering::is_ge),
        }
    }
}

/// The order of texts, numbers and binaries of one type.
pub(crate) fn compare(left: &AttributeValue, right: &AttributeValue) -> Option<Ordering> {
    match (left, right) {
        (AttributeValue::S(left), AttributeValue::S(right)) => Some(left.cmp(right)),
        (AttributeValue::N(left), AttributeValue::N(right)) => Some(left.cmp(right)),
        (AttributeValue::B(left), AttributeValue::B(right)) => Some(left.cmp(right)),
        _ => None,
    }
}

impl Function {
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "attribute_exists" => Self::AttributeExists,
            "attribute_not_exists" => Self::AttributeNotExists,
            "attribute_type" => Self::AttributeType,
            "begins_with" => Self::BeginsWith,
            "contains" => Self::Contains,
            _ => return None,
        })
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::AttributeExists => "attribute_exists",
            Self::AttributeNotExists => "attribute_not_exists",
            Self::AttributeType => "attribute_type",
            Self::BeginsWith => "begins_with",
            Self::Contains => "contains",
        }
    }

    /// How many operands it takes.
    pub(crate) fn operands(self) -> usize {
        match self {
            Self::AttributeExists | Self::AttributeNotExists => 1,
            Self::AttributeType | Self::BeginsWith | Self::Contains => 2,
        }
    }

    fn holds(self, first: Option<&AttributeValue>, second: Option<&AttributeValue>) -> bool {
        let Some(first) = first else { return self == Self::AttributeNotExists };
        match self {
            Self::AttributeExists => true,
            Self::AttributeNotExists => false,
            Self::AttributeType => matches!(second, Some(AttributeValue::S(name)) if &**name == first.type_name()),
            Self::BeginsWith => second.is_some_and(|prefix| begins_with(first, prefix)),
            Self::Contains => second.is_some_and(|part| contains(first, part)),
        }
    }
}

fn begins_with(whole: &AttributeValue, prefix: &AttributeValue) -> bool {
    match (whole, prefix) {
        (AttributeValue::S(whole), AttributeValue::S(prefix)) => whole.starts_with(&**prefix),
        (AttributeValue::B(whole), AttributeValue::B(prefix)) => whole.starts_with(prefix),
        _ => false,
    }
}

/// A part of a text or binary, an element of a set or list.
fn contains(whole: &AttributeValue, part: &AttributeValue) -> bool {
    match (whole, part) {
        (AttributeValue::S(whole), AttributeValue::S(part)) => whole.contains(&**part),
        (AttributeValue::B(whole), AttributeValue::B(part)) => {
            part.is_empty() || whole.windows(part.len()).any(|window| window == part)
        }
        (AttributeValue::SS(set), AttributeValue::S(element)) => set.contains(element),
        (AttributeValue::NS(set), AttributeValue::N(element)) => set.contains(element),
        (AttributeValue::BS(set), AttributeValue::B(element)) => set.contains(element),
        (AttributeValue::L(list), element) => list.contains(element),
        _ => false,
    }
}

impl Operand {
    /// The operand's value for an item, if there is one.
    fn value<'a>(&'a self, item: &'a Item) -> Option<Cow<'a, AttributeValue>> {
        match self {
            Self::Value(value) => Some(Cow::Borrowed(value)),
            Self::Path(path) => path.get(item).map(Cow::Borrowed),
            Self::Size(operand) => size(&*operand.value(item)?).map(|size| Cow::Owned(AttributeValue::N(size))),
        }
    }
}

/// What the function `size` answers: bytes, or elements. Numbers, booleans and null have no size.
fn size(value: &AttributeValue) -> Option<Number> {
    let size = match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::B(bytes) => bytes.len(),
        AttributeValue::M(map) => map.len(),
        AttributeValue::L(list) => list.len(),
        AttributeValue::SS(set) => set.len(),
        AttributeValue::NS(set) => set.len(),
        AttributeValue::BS(set) => set.len(),
        AttributeValue::N(_) | AttributeValue::Bool(_) | AttributeValue::Null => return None,
    };
    i64::try_from(size).ok().map(Number::from)
}

impl Test {
    /// True if the item fulfils it.
    pub(crate) fn holds(&self, item: &Item) -> bool {
        match self {
            Self::Or(tests) => tests.iter().any(|test| test.holds(item)),
            Self::And(tests) => tests.iter().all(|test| test.holds(item)),
            Self::Not(test) => !test.holds(item),
            Self::Compare(comparator, [left, right]) => {
                comparator.holds(left.value(item).as_deref(), right.value(item).as_deref())
            }
            Self::Between([value, lower, upper]) => {
                let value = value.value(item);
                Comparator::GreaterOrEqual.holds(value.as_deref(), lower.value(item).as_deref())
                    && Comparator::LessOrEqual.holds(value.as_deref(), upper.value(item).as_deref())
            }
            Self::In(operands) => {
                let mut values = operands.iter().map(|operand| operand.value(item));
                let Some(Some(value)) = values.next() else { return false };
                values.any(|candidate| candidate.is_some_and(|candidate| candidate == value))
            }
            Self::Call(function, operands) => {
                let mut values = operands.iter().map(|operand| operand.value(item));
                let first = values.next().flatten();
                let second = values.next().flatten();
                function.holds(first.as_deref(), second.as_deref())
            }
        }
    }
}
