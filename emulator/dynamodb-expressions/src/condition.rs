//! Conditions: what `ConditionExpression`, `FilterExpression`, `Expected`, `QueryFilter` and `ScanFilter` ask.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value};

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
#[derive(Debug, Clone)]
pub struct Condition {}

impl Condition {
    /// Reads an expression. Values are taken from the placeholders now.
    pub fn parse(_kind: ExpressionKind, _text: &str, _placeholders: &mut Placeholders) -> Result<Self> {
        todo!()
    }

    /// Reads the legacy `Expected`; the operator (`AND` or `OR`) is `ConditionalOperator`.
    pub fn from_expected(_expected: &Map<String, Value>, _operator: Option<&str>) -> Result<Self> {
        todo!()
    }

    /// Reads the legacy `QueryFilter` or `ScanFilter`; the operator (`AND` or `OR`) is `ConditionalOperator`.
    pub fn from_filter(_filter: &Map<String, Value>, _operator: Option<&str>) -> Result<Self> {
        todo!()
    }

    /// True if the item fulfils it. An item that does not exist is an empty one.
    pub fn holds(&self, _item: &Item) -> bool {
        todo!()
    }

    /// The top-level attributes that it reads: a filter may not read the key.
    pub fn attributes(&self) -> &BTreeSet<Arc<str>> {
        todo!()
    }

    /// The top-level attributes into which it reads by `.` or `[]`: key attributes may not be among them.
    pub fn nested_attributes(&self) -> &BTreeSet<Arc<str>> {
        todo!()
    }
}
