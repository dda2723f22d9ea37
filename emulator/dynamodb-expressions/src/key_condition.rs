//! Key conditions: what `KeyConditionExpression` and `KeyConditions` ask of a table's or index's key.

use std::ops::Bound;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::condition::{self, Comparator, ComparisonOperator, Function, LegacyCondition, Operand, Test};
use crate::{AttributeValue, Error, KeyType, KeyValue, Placeholders, Result};

/// The key of a global index has at most so many attributes: four of the partition key, four of the sort key.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.DesignPattern.MultiAttributeKeys.html>
const MAX_ATTRIBUTES: usize = 8;

/// One element of a key schema: the name of the attribute, and its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyElement<'a> {
    /// The attribute's name.
    pub name: &'a str,
    /// The attribute's type.
    pub key_type: KeyType,
}

/// Conditions on key attributes, read without knowing the table.
#[derive(Debug, Clone)]
pub struct KeyConditions {
    /// The conditions, or what `check` answers.
    conditions: Result<Vec<LegacyCondition>>,
}

impl KeyConditions {
    /// Reads a `KeyConditionExpression`.
    ///
    /// Model: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.KeyConditionExpressions.html>
    pub fn parse(text: &str, placeholders: &mut Placeholders) -> Result<Self> {
        let (test, _) = condition::read("KeyConditionExpression", text, placeholders)?;
        let mut conditions = Vec::new();
        let outcome = collect(test, &mut conditions).and_then(|()| {
            conditions.iter().try_for_each(|condition| condition.operator.check_types(&condition.values))
        });
        Ok(Self { conditions: outcome.map(|()| conditions) })
    }

    /// Reads the legacy `KeyConditions`.
    pub fn from_legacy(conditions: &Map<String, Value>) -> Result<Self> {
        Ok(Self { conditions: Ok(condition::legacy_conditions(conditions)?) })
    }

    /// What `Query` checks only after all its expressions have been parsed and no placeholder was left unused, and
    /// before it looks for the table: operators that no key condition may use, two conditions for one key, how many
    /// there are. A table's key has two attributes at most, a global index's has eight.
    pub fn check(&self, on_index: bool) -> Result<()> {
        match &self.conditions {
            Err(error) => Err(error.clone()),
            Ok(conditions) => check_count(conditions.len(), if on_index { MAX_ATTRIBUTES } else { 2 }),
        }
    }

    /// The condition on a key of this schema: the attributes of its partition key, and those of its sort key, if it has
    /// one. Errors: a condition missing, not on the key, or of the wrong type.
    pub fn for_schema(&self, hash: &[KeyElement<'_>], range: &[KeyElement<'_>]) -> Result<KeyCondition> {
        let conditions = self.conditions.as_ref().map_err(Clone::clone)?;
        check_count(conditions.len(), (hash.len() + range.len()).max(2))?;
        let of = |name: &str| conditions.iter().find(|condition| &*condition.attribute == name);
        let missing = |name: &str| Error::validation(format!("Query condition missed key schema element: {name}"));
        let unsupported = || Error::validation("Query key condition not supported");
        if range.is_empty() && conditions.len() > hash.len() {
            return Err(unsupported());
        }
        let equal = |element: &KeyElement<'_>| {
            let condition = of(element.name).ok_or_else(|| missing(element.name))?;
            match key_values(condition, element.key_type)? {
                (ComparisonOperator::Eq, (value, _)) => Ok(value),
                _ => Err(unsupported()),
            }
        };
        let values = hash.iter().map(equal).collect::<Result<Vec<KeyValue>>>()?;
        let mut condition = KeyCondition { hash: values, prefix: Vec::new(), sort: None };
        for element in range.iter().take(conditions.len() - hash.len()) {
            // They are named from the left, and all but the last are equalities.
            let next = of(element.name).ok_or_else(|| missing(element.name))?;
            match condition.sort.take() {
                Some(SortCondition::Equal(value)) => condition.prefix.push(value),
                Some(_) => return Err(unsupported()),
                None => {}
            }
            condition.sort = Some(sort_condition(next, element.key_type)?);
        }
        Ok(condition)
    }
}

fn check_count(count: usize, most: usize) -> Result<()> {
    if (1..=most).contains(&count) {
        return Ok(());
    }
    Err(Error::validation("Conditions can be of length 1 or 2 only"))
}

/// Takes the conditions out of what may be a conjunction of them.
fn collect(test: Test, conditions: &mut Vec<LegacyCondition>) -> Result<()> {
    let invalid =
        |operator: &str| Err(Error::validation(format!("Invalid operator used in KeyConditionExpression: {operator}")));
    let (operator, operands) = match test {
        Test::And(tests) => return tests.into_iter().try_for_each(|test| collect(test, conditions)),
        Test::Or(_) => return invalid("OR"),
        Test::Not(_) => return invalid("NOT"),
        Test::In(_) => return invalid("IN"),
        Test::Compare(Comparator::NotEqual, _) => return invalid("<>"),
        Test::Call(Function::BeginsWith, operands) => (ComparisonOperator::BeginsWith, operands),
        Test::Call(function, _) => return invalid(function.name()),
        Test::Between(operands) => (ComparisonOperator::Between, Vec::from(operands)),
        Test::Compare(comparator, operands) => {
            // The key may stand on the right.
            let right = matches!(operands, [Operand::Value(_), Operand::Path(_)]);
            let comparator = if right { comparator.mirrored() } else { comparator };
            (comparison(comparator), Vec::from(operands))
        }
    };
    let key_first = match operator {
        ComparisonOperator::Between => Some("BETWEEN"),
        ComparisonOperator::BeginsWith => Some("begins_with"),
        _ => None,
    };
    if let (Some(name), false) = (key_first, matches!(operands.first(), Some(Operand::Path(_)))) {
        return Err(Error::validation(format!(
            "Invalid condition in KeyConditionExpression: {name} operator must have the key attribute as its first \
             operand"
        )));
    }
    let (attribute, values) = attribute_and_values(operands)?;
    if conditions.iter().any(|condition| condition.attribute == attribute) {
        return Err(Error::validation("KeyConditionExpressions must only contain one condition per key"));
    }
    conditions.push(LegacyCondition { attribute, operator, values });
    Ok(())
}

/// The one attribute among the operands, and the values.
fn attribute_and_values(operands: Vec<Operand>) -> Result<(Arc<str>, Vec<AttributeValue>)> {
    let invalid = |what: &str| Error::validation(format!("Invalid condition in KeyConditionExpression: {what}"));
    let mut attribute = None;
    let mut values = Vec::new();
    for operand in operands {
        match operand {
            Operand::Path(_) if attribute.is_some() => {
                return Err(invalid("Multiple attribute names used in one condition"));
            }
            Operand::Path(path) if !path.steps.is_empty() => {
                return Err(Error::validation("KeyConditionExpressions cannot have conditions on nested attributes"));
            }
            Operand::Path(path) => attribute = Some(path.head),
            Operand::Size(_) => {
                return Err(Error::validation("KeyConditionExpressions cannot contain nested operations"));
            }
            Operand::Value(value) => values.push(value),
        }
    }
    Ok((attribute.ok_or_else(|| invalid("No key attribute specified"))?, values))
}

fn comparison(comparator: Comparator) -> ComparisonOperator {
    match comparator {
        Comparator::Equal => ComparisonOperator::Eq,
        Comparator::NotEqual => ComparisonOperator::Ne,
        Comparator::Less => ComparisonOperator::Lt,
        Comparator::LessOrEqual => ComparisonOperator::Le,
        Comparator::Greater => ComparisonOperator::Gt,
        Comparator::GreaterOrEqual => ComparisonOperator::Ge,
    }
}

/// The values of a condition, if it is one that an index can answer and they have the key's type. The second is there
/// for BETWEEN alone.
fn key_values(
    condition: &LegacyCondition,
    key_type: KeyType,
) -> Result<(ComparisonOperator, (KeyValue, Option<KeyValue>))> {
    use ComparisonOperator::{Contains, In, Ne, NotContains, NotNull, Null};
    let not_indexable = || Error::validation("Attempted conditional constraint is not an indexable operation");
    if matches!(condition.operator, Null | NotNull | Ne | Contains | NotContains | In) {
        return Err(not_indexable());
    }
    let mut values = condition.values.iter().map(|value| {
        KeyValue::try_from(value)
            .ok()
            .filter(|value| value.key_type() == key_type)
            .ok_or_else(|| Error::parameter("Condition parameter type does not match schema type"))
    });
    let first = values.next().ok_or_else(not_indexable)??;
    Ok((condition.operator, (first, values.next().transpose()?)))
}

fn sort_condition(condition: &LegacyCondition, key_type: KeyType) -> Result<SortCondition> {
    let (operator, (value, second)) = key_values(condition, key_type)?;
    Ok(match (operator, second) {
        (ComparisonOperator::Between, Some(upper)) => SortCondition::Between(value, upper),
        (ComparisonOperator::Lt, _) => SortCondition::Less(value),
        (ComparisonOperator::Le, _) => SortCondition::LessOrEqual(value),
        (ComparisonOperator::Gt, _) => SortCondition::Greater(value),
        (ComparisonOperator::Ge, _) => SortCondition::GreaterOrEqual(value),
        (ComparisonOperator::BeginsWith, _) => SortCondition::BeginsWith(value),
        _ => SortCondition::Equal(value),
    })
}

/// What a query looks for: one partition, and a stretch of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyCondition {
    /// The partition key: the values of its attributes.
    pub hash: Vec<KeyValue>,
    /// What the first attributes of the sort key are equal to: all that are named but the last.
    pub prefix: Vec<KeyValue>,
    /// The condition on the attribute of the sort key that comes next, if there is one.
    pub sort: Option<SortCondition>,
}

/// The condition on a sort key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SortCondition {
    /// `=`
    Equal(KeyValue),
    /// `<`
    Less(KeyValue),
    /// `<=`
    LessOrEqual(KeyValue),
    /// `>`
    Greater(KeyValue),
    /// `>=`
    GreaterOrEqual(KeyValue),
    /// `BETWEEN`, both ends included.
    Between(KeyValue, KeyValue),
    /// `begins_with`, of texts and binaries.
    BeginsWith(KeyValue),
}

impl SortCondition {
    /// True if the sort key fulfils it.
    pub fn holds(&self, key: &KeyValue) -> bool {
        match self {
            Self::Equal(value) => key == value,
            Self::Less(value) => key < value,
            Self::LessOrEqual(value) => key <= value,
            Self::Greater(value) => key > value,
            Self::GreaterOrEqual(value) => key >= value,
            Self::Between(lower, upper) => lower <= key && key <= upper,
            Self::BeginsWith(prefix) => key.begins_with(prefix),
        }
    }

    /// The stretch of keys, in their order, that fulfil it: what a range scan visits. Within one type of key it holds
    /// exactly the keys for which `holds` is true.
    pub fn bounds(&self) -> (Bound<KeyValue>, Bound<KeyValue>) {
        use Bound::{Excluded, Included, Unbounded};
        match self.clone() {
            Self::Equal(value) => (Included(value.clone()), Included(value)),
            Self::Less(value) => (Unbounded, Excluded(value)),
            Self::LessOrEqual(value) => (Unbounded, Included(value)),
            Self::Greater(value) => (Excluded(value), Unbounded),
            Self::GreaterOrEqual(value) => (Included(value), Unbounded),
            Self::Between(lower, upper) => (Included(lower), Included(upper)),
            Self::BeginsWith(prefix) => (Included(prefix.clone()), after_prefix(prefix)),
        }
    }
}

/// The end of the keys that begin with a prefix: the prefix with its last character or byte raised.
fn after_prefix(prefix: KeyValue) -> Bound<KeyValue> {
    match prefix {
        KeyValue::S(text) => {
            let mut characters: Vec<char> = text.chars().collect();
            while let Some(last) = characters.pop() {
                // The order of UTF-8 bytes is that of code points; surrogates are none.
                let next = if last == '\u{d7ff}' { Some('\u{e000}') } else { char::from_u32(u32::from(last) + 1) };
                if let Some(next) = next {
                    characters.push(next);
                    return Bound::Excluded(KeyValue::S(Arc::from(String::from_iter(characters))));
                }
            }
            Bound::Unbounded
        }
        KeyValue::B(bytes) => {
            let mut bytes = bytes.to_vec();
            while let Some(last) = bytes.pop() {
                if let Some(next) = last.checked_add(1) {
                    bytes.push(next);
                    return Bound::Excluded(KeyValue::B(bytes.into()));
                }
            }
            Bound::Unbounded
        }
        KeyValue::N(_) => Bound::Unbounded,
    }
}
