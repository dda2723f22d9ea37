//! Keys: which attributes they are made of, and what keys and items have to be like.
//!
//! Limits: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>

use std::collections::BTreeSet;
use std::sync::Arc;

use dynamodb_expressions::{AttributeValue, Item, KeyElement, KeyType, KeyValue};
use serde::{Deserialize, Serialize};

use super::errors::{parameter, validation};
use super::place::{Hash, Piece, Place, Range};
use crate::{Error, Result};

/// A partition key has at most so many bytes.
const MAX_HASH: usize = 2048;
/// A sort key has at most so many bytes.
const MAX_RANGE: usize = 1024;

/// The key of a table or index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct KeySchema {
    pub hash: KeyAttribute,
    pub range: Option<KeyAttribute>,
    /// Further attributes of the partition key, which only global indexes have.
    #[serde(default)]
    pub more_hash: Vec<KeyAttribute>,
    /// Further attributes of the sort key, which only global indexes have.
    #[serde(default)]
    pub more_range: Vec<KeyAttribute>,
}

/// An attribute of a key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct KeyAttribute {
    pub name: Arc<str>,
    pub kind: KeyType,
}

impl KeyAttribute {
    pub fn element(&self) -> KeyElement<'_> {
        KeyElement { name: &self.name, key_type: self.kind }
    }

    /// The attribute's value in an item, if it has the key's type.
    fn of(&self, item: &Item) -> Option<KeyValue> {
        let key = KeyValue::try_from(item.get(&self.name)?).ok()?;
        (key.key_type() == self.kind).then_some(key)
    }
}

impl KeySchema {
    /// The names of the attributes, the partition key first.
    pub fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.attributes().map(|attribute| &attribute.name)
    }

    pub fn attributes(&self) -> impl Iterator<Item = &KeyAttribute> {
        self.hash_attributes().chain(self.range_attributes())
    }

    /// The attributes of the partition key.
    pub fn hash_attributes(&self) -> impl Iterator<Item = &KeyAttribute> {
        std::iter::once(&self.hash).chain(&self.more_hash)
    }

    /// The attributes of the sort key.
    pub fn range_attributes(&self) -> impl Iterator<Item = &KeyAttribute> {
        self.range.iter().chain(&self.more_range)
    }

    pub fn has(&self, name: &str) -> bool {
        self.names().any(|known| &**known == name)
    }

    /// The place of an item that may lack these attributes, as an item of a table may lack those of an index.
    pub fn sparse_place(&self, item: &Item) -> Option<Place> {
        self.place(|attribute| attribute.of(item).ok_or(())).ok()
    }

    /// The place of the values that `value` gives for the attributes.
    fn place<E>(&self, value: impl Fn(&KeyAttribute) -> Result<KeyValue, E>) -> Result<Place, E> {
        let hash = match self.more_hash.is_empty() {
            true => Hash::One(value(&self.hash)?),
            false => Hash::Several(self.hash_attributes().map(&value).collect::<Result<_, E>>()?),
        };
        let range = match &self.range {
            None => Range::None,
            Some(range) if self.more_range.is_empty() => Range::Value(value(range)?),
            Some(_) => {
                let pieces = self.range_attributes().map(|attribute| value(attribute).map(Piece::Value));
                Range::Several(pieces.collect::<Result<_, E>>()?)
            }
        };
        Ok(Place::new(hash, range))
    }

    /// The place of an item that is to be put.
    pub fn place_of_item(&self, item: &Item) -> Result<Place> {
        self.place(|attribute| {
            let name = &attribute.name;
            let value = item.get(name).ok_or_else(|| parameter(format_args!("Missing the key {name} in the item")))?;
            let typed = KeyValue::try_from(value).ok().filter(|key| key.key_type() == attribute.kind);
            let typed = typed.ok_or_else(|| {
                let (expected, actual) = (attribute.kind.as_str(), value.type_name());
                parameter(format_args!("Type mismatch for key {name} expected: {expected} actual: {actual}"))
            })?;
            if let Some(kind) = emptiness(value) {
                return Err(validation(format!(
                    "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain \
                     an empty {kind} value. Key: {name}"
                )));
            }
            self.check_size(attribute, typed.size())?;
            Ok(typed)
        })
    }

    /// The place that a key names. It must be the key and nothing else.
    pub fn place_of_key(&self, key: &Item) -> Result<Place> {
        if key.len() != self.names().count() {
            return Err(mismatch());
        }
        self.place(|attribute| self.key_piece(attribute, key))
    }

    /// One attribute of a key that a request names.
    pub fn key_piece(&self, attribute: &KeyAttribute, key: &Item) -> Result<KeyValue> {
        let value = key.get(&attribute.name).ok_or_else(mismatch)?;
        let typed = attribute.of(key).ok_or_else(mismatch)?;
        if let Some(kind) = emptiness(value) {
            return Err(parameter(format_args!(
                "The AttributeValue for a key attribute cannot contain an empty {kind} value. Key: {}",
                attribute.name
            )));
        }
        self.check_size(attribute, typed.size())?;
        Ok(typed)
    }

    fn is_hash(&self, attribute: &KeyAttribute) -> bool {
        self.hash_attributes().any(|hash| hash.name == attribute.name)
    }

    /// Checks the size of the part of the key that an attribute belongs to, in bytes.
    fn check_size(&self, attribute: &KeyAttribute, size: usize) -> Result<()> {
        let is_hash = self.is_hash(attribute);
        if size <= if is_hash { MAX_HASH } else { MAX_RANGE } {
            return Ok(());
        }
        Err(parameter(if is_hash {
            format!("Size of hashkey has exceeded the maximum size limit of{MAX_HASH} bytes")
        } else {
            format!("Aggregated size of all range keys has exceeded the size limit of {MAX_RANGE} bytes")
        }))
    }

    /// Checks an item's attributes that are this index's key: they may be missing, but not of another type.
    pub fn check_index_key(&self, index: &str, item: &Item) -> Result<()> {
        let (mut hash_size, mut range_size) = (0, 0);
        for attribute in self.attributes() {
            let name = &attribute.name;
            let Some(value) = item.get(name) else { continue };
            let Some(key) = attribute.of(item) else {
                let (expected, actual) = (attribute.kind.as_str(), value.type_name());
                return Err(parameter(format_args!(
                    "Type mismatch for Index Key {name} Expected: {expected} Actual: {actual} IndexName: {index}"
                )));
            };
            if let Some(kind) = emptiness(value) {
                return Err(validation(format!(
                    "One or more parameter values are not valid. A value specified for a secondary index key is not \
                     supported. The AttributeValue for a key attribute cannot contain an empty {kind} value. \
                     IndexName: {index}, IndexKey: {name}"
                )));
            }
            let size = if self.is_hash(attribute) { &mut hash_size } else { &mut range_size };
            *size += key.size();
            self.check_size(attribute, *size)?;
        }
        Ok(())
    }

    /// The key attributes of an item.
    pub fn key_of(&self, item: &Item) -> Item {
        self.names().filter_map(|name| Some((name.clone(), item.get(name)?.clone()))).collect()
    }

    /// The first of these attributes into which an expression looks, as if it were no scalar.
    pub fn nested<'a>(&'a self, nested: &BTreeSet<Arc<str>>) -> Option<&'a str> {
        self.names().find(|name| nested.contains(*name)).map(|name| &**name)
    }
}

/// The key does not name an item of the table.
pub(super) fn mismatch() -> Error {
    validation("The provided key element does not match the schema")
}

/// What a key may not be: an empty text or binary.
fn emptiness(value: &AttributeValue) -> Option<&'static str> {
    match value {
        AttributeValue::S(text) if text.is_empty() => Some("string"),
        AttributeValue::B(bytes) if bytes.is_empty() => Some("binary"),
        _ => None,
    }
}
