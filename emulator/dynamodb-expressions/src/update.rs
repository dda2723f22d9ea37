//! Updates: what `UpdateExpression` and `AttributeUpdates` make of an item.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::{Item, Placeholders, Result};

/// What is to be made of an item.
#[derive(Debug, Clone)]
pub struct Update {}

impl Update {
    /// Reads an `UpdateExpression`. Values are taken from the placeholders now.
    pub fn parse(_text: &str, _placeholders: &mut Placeholders) -> Result<Self> {
        todo!()
    }

    /// Reads the legacy `AttributeUpdates`.
    pub fn from_attribute_updates(_updates: &Map<String, Value>) -> Result<Self> {
        todo!()
    }

    /// The item as the update leaves it. All operands are those of the item as it was. An item that does not exist
    /// yet is its key alone.
    pub fn apply(&self, _item: &Item) -> Result<Item> {
        todo!()
    }

    /// The parts of the item that the update names: `UPDATED_OLD` of the item before, `UPDATED_NEW` of the one after.
    pub fn touched(&self, _item: &Item) -> Item {
        todo!()
    }

    /// The error when the update names one of these key attributes.
    pub fn check_keys<'a>(&self, _keys: impl IntoIterator<Item = &'a str>) -> Result<()> {
        todo!()
    }

    /// The type that the update will give to this top-level attribute, if that is known without the item: an
    /// attribute that is an index's key may have one type only.
    pub fn known_type(&self, _attribute: &str) -> Option<&'static str> {
        todo!()
    }

    /// The top-level attributes that it changes.
    pub fn attributes(&self) -> &BTreeSet<Arc<str>> {
        todo!()
    }

    /// The top-level attributes into which it writes by `.` or `[]`: key attributes may not be among them.
    pub fn nested_attributes(&self) -> &BTreeSet<Arc<str>> {
        todo!()
    }
}
