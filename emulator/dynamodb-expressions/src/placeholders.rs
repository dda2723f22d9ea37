//! `ExpressionAttributeNames` and `ExpressionAttributeValues`: what they stand for, and which were used.

use serde_json::{Map, Value};

use crate::Result;

/// The names and values that a request's expressions may refer to. One lives for the whole request.
#[derive(Debug, Default)]
pub struct Placeholders {}

impl Placeholders {
    /// Reads both members as they stand in the request: `{"#n": "name"}` and `{":v": {"S": "…"}}`.
    ///
    /// Errors: an empty map, a key that is not `#…` or `:…`, a value that is not valid.
    pub fn new(_names: Option<&Map<String, Value>>, _values: Option<&Map<String, Value>>) -> Result<Self> {
        todo!()
    }

    /// The error for what no expression used. To be called after the last expression of the request.
    pub fn finish(&self) -> Result<()> {
        todo!()
    }
}
