//! Key conditions: what `KeyConditionExpression` and `KeyConditions` ask of a table's or index's key.

use std::ops::Bound;

use serde_json::{Map, Value};

use crate::{KeyType, KeyValue, Placeholders, Result};

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
pub struct KeyConditions {}

impl KeyConditions {
    /// Reads a `KeyConditionExpression`.
    pub fn parse(_text: &str, _placeholders: &mut Placeholders) -> Result<Self> {
        todo!()
    }

    /// Reads the legacy `KeyConditions`.
    pub fn from_legacy(_conditions: &Map<String, Value>) -> Result<Self> {
        todo!()
    }

    /// What `Query` checks only after all its expressions have been parsed and no placeholder was left unused, and
    /// before it looks for the table: operators that no key condition may use, two conditions for one key, how many
    /// there are.
    pub fn check(&self) -> Result<()> {
        todo!()
    }

    /// The condition on a key of this schema. Errors: a condition missing, not on the key, or of the wrong type.
    pub fn for_schema(&self, _hash: KeyElement<'_>, _range: Option<KeyElement<'_>>) -> Result<KeyCondition> {
        todo!()
    }
}

/// What a query looks for: one partition, and a stretch of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyCondition {
    /// The partition key.
    pub hash: KeyValue,
    /// The condition on the sort key, if there is one.
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
    pub fn holds(&self, _key: &KeyValue) -> bool {
        todo!()
    }

    /// The stretch of keys, in their order, outside of which none fulfils it: what a range scan visits.
    pub fn bounds(&self) -> (Bound<KeyValue>, Bound<KeyValue>) {
        todo!()
    }
}
