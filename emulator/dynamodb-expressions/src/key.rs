//! Key values: the three types that a key attribute may have, in the order that queries answer.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{AttributeValue, Number};

/// The type of a key attribute, as an `AttributeDefinition` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum KeyType {
    /// Text.
    S,
    /// Number.
    N,
    /// Binary.
    B,
}

impl KeyType {
    /// The type's name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::S => "S",
            Self::N => "N",
            Self::B => "B",
        }
    }

    /// Reads the type's name on the wire.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "S" => Some(Self::S),
            "N" => Some(Self::N),
            "B" => Some(Self::B),
            _ => None,
        }
    }
}

/// The value of a key attribute. Its order is that of DynamoDB: text by UTF-8 bytes, numbers by value, binary by
/// unsigned bytes. Limits of size are the table's matter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum KeyValue {
    /// Text.
    S(Arc<str>),
    /// Number.
    N(Number),
    /// Binary.
    B(Bytes),
}

impl KeyValue {
    /// The type of this value.
    pub fn key_type(&self) -> KeyType {
        match self {
            Self::S(_) => KeyType::S,
            Self::N(_) => KeyType::N,
            Self::B(_) => KeyType::B,
        }
    }

    /// The size in bytes, as the limits of keys count it.
    pub fn size(&self) -> usize {
        AttributeValue::from(self.clone()).size()
    }

    /// True if this text or binary begins with that one.
    pub fn begins_with(&self, prefix: &Self) -> bool {
        match (self, prefix) {
            (Self::S(text), Self::S(prefix)) => text.starts_with(&**prefix),
            (Self::B(bytes), Self::B(prefix)) => bytes.starts_with(prefix),
            _ => false,
        }
    }
}

impl TryFrom<&AttributeValue> for KeyValue {
    /// The type that no key can have.
    type Error = &'static str;

    fn try_from(value: &AttributeValue) -> std::result::Result<Self, Self::Error> {
        match value {
            AttributeValue::S(text) => Ok(Self::S(text.clone())),
            AttributeValue::N(number) => Ok(Self::N(*number)),
            AttributeValue::B(bytes) => Ok(Self::B(bytes.clone())),
            other => Err(other.type_name()),
        }
    }
}

impl From<KeyValue> for AttributeValue {
    fn from(key: KeyValue) -> Self {
        match key {
            KeyValue::S(text) => Self::S(text),
            KeyValue::N(number) => Self::N(number),
            KeyValue::B(bytes) => Self::B(bytes),
        }
    }
}
