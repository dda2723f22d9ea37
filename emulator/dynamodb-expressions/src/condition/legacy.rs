//! The legacy conditions: `Expected`, `QueryFilter`, `ScanFilter` and `KeyConditions`.
//!
//! Model: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LegacyConditionalParameters.html>

use std::sync::Arc;

use serde_json::{Map, Value};

use super::evaluate::{Comparator, Function, Operand, Test, compare};
use crate::path::Path;
use crate::{AttributeValue, Error, Result};

/// The operators of legacy conditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ComparisonOperator {
    Eq,
    Ne,
    Le,
    Lt,
    Ge,
    Gt,
    Contains,
    NotContains,
    BeginsWith,
    NotNull,
    Null,
    In,
    Between,
}

impl ComparisonOperator {
    const ALL: [(Self, &'static str); 13] = [
        (Self::In, "IN"),
        (Self::Null, "NULL"),
        (Self::Between, "BETWEEN"),
        (Self::Lt, "LT"),
        (Self::NotContains, "NOT_CONTAINS"),
        (Self::Eq, "EQ"),
        (Self::Gt, "GT"),
        (Self::NotNull, "NOT_NULL"),
        (Self::Ne, "NE"),
        (Self::Le, "LE"),
        (Self::BeginsWith, "BEGINS_WITH"),
        (Self::Ge, "GE"),
        (Self::Contains, "CONTAINS"),
    ];

    fn from_json(json: &Value) -> Result<Self> {
        let name = json.as_str().unwrap_or_default();
        let found = Self::ALL.iter().find(|(_, known)| *known == name);
        found.map(|(operator, _)| *operator).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|(_, name)| *name).collect();
            Error::validation(format!(
                "1 validation error detected: Value '{name}' at 'comparisonOperator' failed to satisfy constraint: \
                 Member must satisfy enum value set: [{}]",
                names.join(", ")
            ))
        })
    }

    /// AWS's name.
    pub(crate) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(operator, _)| *operator == self).map_or("", |(_, name)| name)
    }

    fn check_count(self, values: usize) -> Result<()> {
        let fits = match self {
            Self::Null | Self::NotNull => values == 0,
            Self::Between => values == 2,
            Self::In => values > 0,
            _ => values == 1,
        };
        if fits {
            return Ok(());
        }
        Err(Error::parameter(format_args!("Invalid number of argument(s) for the {} ComparisonOperator", self.name())))
    }

    /// Refuses values of types that the operator does not compare.
    pub(crate) fn check_types(self, values: &[AttributeValue]) -> Result<()> {
        let allowed: &[&str] = match self {
            // These two take every type, lists and maps included.
            Self::Eq | Self::Ne => return Ok(()),
            Self::BeginsWith => &["S", "B"],
            _ => &["S", "N", "B"],
        };
        match values.iter().map(AttributeValue::type_name).find(|data_type| !allowed.contains(data_type)) {
            Some(data_type) => Err(Error::parameter(format_args!(
                "ComparisonOperator {} is not valid for {data_type} AttributeValue type",
                self.name()
            ))),
            None => Ok(()),
        }
    }

    fn check_range(self, values: &[AttributeValue]) -> Result<()> {
        match (self, values) {
            (Self::Between, [lower, upper]) if compare(lower, upper).is_some_and(|order| order.is_gt()) => {
                Err(Error::validation(
                    "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound",
                ))
            }
            _ => Ok(()),
        }
    }
}

fn check_same_type(values: &[AttributeValue]) -> Result<()> {
    if values.windows(2).all(|pair| pair[0].type_name() == pair[1].type_name()) {
        return Ok(());
    }
    Err(Error::parameter("AttributeValues inside AttributeValueList must be of same type"))
}

/// One condition on one attribute.
#[derive(Debug, Clone)]
pub(crate) struct LegacyCondition {
    pub(crate) attribute: Arc<str>,
    pub(crate) operator: ComparisonOperator,
    pub(crate) values: Vec<AttributeValue>,
}

impl LegacyCondition {
    /// The attribute, and what is asked of it.
    pub(crate) fn into_test(self) -> (Arc<str>, Test) {
        let path = Operand::Path(Path::attribute(&self.attribute));
        let mut operands: Vec<Operand> =
            std::iter::once(path).chain(self.values.into_iter().map(Operand::Value)).collect();
        let compare = |comparator, operands: Vec<Operand>| match <[Operand; 2]>::try_from(operands) {
            Ok(operands) => Test::Compare(comparator, operands),
            Err(operands) => Test::In(operands),
        };
        let test = match self.operator {
            ComparisonOperator::Eq => compare(Comparator::Equal, operands),
            ComparisonOperator::Ne => compare(Comparator::NotEqual, operands),
            ComparisonOperator::Le => compare(Comparator::LessOrEqual, operands),
            ComparisonOperator::Lt => compare(Comparator::Less, operands),
            ComparisonOperator::Ge => compare(Comparator::GreaterOrEqual, operands),
            ComparisonOperator::Gt => compare(Comparator::Greater, operands),
            ComparisonOperator::Contains => Test::Call(Function::Contains, operands),
            ComparisonOperator::NotContains => Test::Not(Box::new(Test::Call(Function::Contains, operands))),
            ComparisonOperator::BeginsWith => Test::Call(Function::BeginsWith, operands),
            ComparisonOperator::NotNull => Test::Call(Function::AttributeExists, operands),
            ComparisonOperator::Null => Test::Call(Function::AttributeNotExists, operands),
            ComparisonOperator::In => Test::In(operands),
            ComparisonOperator::Between => {
                operands.truncate(3);
                match <[Operand; 3]>::try_from(operands) {
                    Ok(operands) => Test::Between(operands),
                    Err(operands) => Test::In(operands),
                }
            }
        };
        (self.attribute, test)
    }
}

/// Reads conditions by attribute: `QueryFilter`, `ScanFilter`, `KeyConditions`.
pub(crate) fn conditions(json: &Map<String, Value>) -> Result<Vec<LegacyCondition>> {
    json.iter()
        .map(|(attribute, json)| {
            let operator = ComparisonOperator::from_json(json.get("ComparisonOperator").unwrap_or(&Value::Null))?;
            let values = values(json)?.unwrap_or_default();
            operator.check_count(values.len())?;
            check_same_type(&values)?;
            operator.check_types(&values)?;
            operator.check_range(&values)?;
            Ok(LegacyCondition { attribute: Arc::from(attribute.as_str()), operator, values })
        })
        .collect()
}

fn values(json: &Value) -> Result<Option<Vec<AttributeValue>>> {
    let Some(list) = json.get("AttributeValueList").and_then(Value::as_array) else { return Ok(None) };
    list.iter().map(AttributeValue::from_json).collect::<Result<_>>().map(Some)
}

/// Reads `Expected`: a comparison, or a value that must be there, or that the attribute must not exist.
pub(super) fn expected(json: &Map<String, Value>) -> Result<Vec<(Arc<str>, Test)>> {
    json.iter().map(|(attribute, json)| Ok(expected_attribute(attribute, json)?.into_test())).collect()
}

fn expected_attribute(attribute: &str, json: &Value) -> Result<LegacyCondition> {
    let member = |name: &str| json.get(name).filter(|member| !member.is_null());
    let (value, list) = (member("Value"), member("AttributeValueList"));
    let exists = member("Exists").map(|exists| exists.as_bool().unwrap_or_default());
    if value.is_some() && list.is_some() {
        return Err(Error::parameter(format_args!(
            "Value and AttributeValueList cannot be used together for Attribute: {attribute}"
        )));
    }
    let (operator, values) = match member("ComparisonOperator") {
        Some(operator) => {
            let operator = ComparisonOperator::from_json(operator)?;
            compared(attribute, operator, exists, value, list.and(Some(json)))?
        }
        None if list.is_some() => {
            return Err(Error::parameter(format_args!(
                "AttributeValueList can only be used with a ComparisonOperator for Attribute: {attribute}"
            )));
        }
        None => match (exists, value) {
            (Some(false), None) => (ComparisonOperator::Null, Vec::new()),
            (Some(false), Some(_)) => {
                return Err(Error::parameter(format_args!(
                    "Value cannot be used when Exists is false for Attribute: {attribute}"
                )));
            }
            (_, Some(value)) => (ComparisonOperator::Eq, vec![AttributeValue::from_json(value)?]),
            (exists, None) => {
                let exists = exists.map_or("null", |_| "true");
                return Err(Error::parameter(format_args!(
                    "Value must be provided when Exists is {exists} for Attribute: {attribute}"
                )));
            }
        },
    };
    Ok(LegacyCondition { attribute: Arc::from(attribute), operator, values })
}

fn compared(
    attribute: &str,
    operator: ComparisonOperator,
    exists: Option<bool>,
    value: Option<&Value>,
    list: Option<&Value>,
) -> Result<(ComparisonOperator, Vec<AttributeValue>)> {
    if exists.is_some() {
        return Err(Error::parameter(format_args!(
            "Exists and ComparisonOperator cannot be used together for Attribute: {attribute}"
        )));
    }
    let unary = matches!(operator, ComparisonOperator::Null | ComparisonOperator::NotNull);
    if !unary && value.is_none() && list.is_none() {
        return Err(Error::parameter(format_args!(
            "Value or AttributeValueList must be used with ComparisonOperator: {} for Attribute: {attribute}",
            operator.name()
        )));
    }
    let values = match (value, list) {
        (Some(value), _) => vec![AttributeValue::from_json(value)?],
        (None, Some(json)) => values(json)?.unwrap_or_default(),
        (None, None) => Vec::new(),
    };
    operator.check_count(values.len())?;
    check_same_type(&values)?;
    // Unlike filters, expectations may compare lists, maps, booleans and null for equality.
    if !matches!(operator, ComparisonOperator::Eq | ComparisonOperator::Ne) {
        operator.check_types(&values)?;
    }
    operator.check_range(&values)?;
    Ok((operator, values))
}
