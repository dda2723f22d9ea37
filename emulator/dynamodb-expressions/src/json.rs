//! The wire form of attribute values: `{"S": "…"}`, `{"N": "1"}`, `{"B": "base64"}`.

use serde_json::{Map, Value};

use crate::{AttributeValue, Item, Result};

impl AttributeValue {
    /// Reads the wire form, with AWS's validation and its texts.
    pub fn from_json(_json: &Value) -> Result<Self> {
        todo!()
    }

    /// The wire form.
    pub fn to_json(&self) -> Value {
        todo!()
    }
}

/// Reads an item or key in the wire form: `{"id": {"S": "…"}}`. The first attribute that is not valid is the error.
pub fn item_from_json(_json: &Map<String, Value>) -> Result<Item> {
    todo!()
}

/// The wire form of an item or key.
pub fn item_to_json(_item: &Item) -> Map<String, Value> {
    todo!()
}
