//! Conditions: what `ConditionExpression`, `FilterExpression`, `Expected`, `QueryFilter` and `ScanFilter` ask.

mod evaluate;
mod legacy;
mod parse;
mod resolve;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value};

pub(crate) use evaluate::{Comparator, Function, Operand, Test};
pub(crate) use legacy::{ComparisonOperator, LegacyCondition, conditions as legacy_conditions};

use crate::path::Heads;
use crate::{Item, Placeholders, Result};

/// Which parameter an expression stands in: the texts of errors name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpressionKind {
    /// `ConditionExpression`.
    Condition,
    /// `FilterExpression`.
    Filter,
}

/// A condition on one item, ready to be asked.
///
/// Model: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html>
#[derive(Debug, Clone)]
pub struct Condition {
    test: Test,
    heads: Heads,
}

impl Condition {
    /// Reads an expression. Values are taken from the placeholders now.
    ///
    /// Errors begin with the kind: `Invalid ConditionExpression: `.
    pub fn parse(kind: ExpressionKind, text: &str, placeholders: &mut Placeholders) -> Result<Self> {
        let kind = match kind {
            ExpressionKind::Condition => "ConditionExpression",
            ExpressionKind::Filter => "FilterExpression",
        };
        let (test, heads) = read(kind, text, placeholders)?;
        Ok(Self { test, heads })
    }

    /// Reads the legacy `Expected`; the operator (`AND` or `OR`) is `ConditionalOperator`.
    pub fn from_expected(expected: &Map<String, Value>, operator: Option<&str>) -> Result<Self> {
        Ok(Self::from_tests(legacy::expected(expected)?, operator))
    }

    /// Reads the legacy `QueryFilter` or `ScanFilter`; the operator (`AND` or `OR`) is `ConditionalOperator`.
    pub fn from_filter(filter: &Map<String, Value>, operator: Option<&str>) -> Result<Self> {
        let conditions = legacy::conditions(filter)?;
        Ok(Self::from_tests(conditions.into_iter().map(|condition| condition.into_test()).collect(), operator))
    }

    /// The conjunction or disjunction of tests on attributes. No test at all holds.
    fn from_tests(tests: Vec<(Arc<str>, Test)>, operator: Option<&str>) -> Self {
        let all = tests.iter().map(|(name, _)| name.clone()).collect();
        let tests: Vec<Test> = tests.into_iter().map(|(_, test)| test).collect();
        let test = if operator == Some("OR") && !tests.is_empty() { Test::Or(tests) } else { Test::And(tests) };
        Self { test, heads: Heads { all, nested: BTreeSet::new() } }
    }

    /// True if the item fulfils it. An item that does not exist is an empty one.
    pub fn holds(&self, item: &Item) -> bool {
        self.test.holds(item)
    }

    /// The top-level attributes that it reads: a filter may not read the key.
    pub fn attributes(&self) -> &BTreeSet<Arc<str>> {
        &self.heads.all
    }

    /// The top-level attributes into which it reads by `.` or `[]`: key attributes may not be among them.
    pub fn nested_attributes(&self) -> &BTreeSet<Arc<str>> {
        &self.heads.nested
    }
}

/// Reads the expression of this kind of parameter.
pub(crate) fn read(kind: &str, text: &str, placeholders: &mut Placeholders) -> Result<(Test, Heads)> {
    parse::parse(text)
        .and_then(|tree| resolve::resolve(&tree, placeholders))
        .map_err(|error| error.within(&format!("Invalid {kind}: "), ""))
}
