//! Attribute values: the ten data types of DynamoDB.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use litemap::LiteMap;
use serde::{Deserialize, Serialize};

use crate::Number;

/// An item, or the inside of a map: attributes by name, in the order of their names.
pub type Item = LiteMap<Arc<str>, AttributeValue>;

/// One attribute value. A clone is cheap, for whatever may be large is shared. Sets are in their own order.
///
/// Model: <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html>
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum AttributeValue {
    /// Text, UTF-8.
    S(Arc<str>),
    /// A number of at most 38 digits.
    N(Number),
    /// Binary.
    B(Bytes),
    /// A boolean: `BOOL` on the wire.
    Bool(bool),
    /// The null: `NULL` on the wire.
    Null,
    /// A map.
    M(Arc<Item>),
    /// A list.
    L(Arc<Vec<AttributeValue>>),
    /// A set of texts, never empty, by their UTF-8 bytes.
    SS(Arc<BTreeSet<Arc<str>>>),
    /// A set of numbers, never empty, ascending.
    NS(Arc<BTreeSet<Number>>),
    /// A set of binaries, never empty, by unsigned bytes.
    BS(Arc<BTreeSet<Bytes>>),
}

impl AttributeValue {
    /// The data type as AWS abbreviates it: `S`, `N`, `B`, `BOOL`, `NULL`, `M`, `L`, `SS`, `NS` or `BS`.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::S(_) => "S",
            Self::N(_) => "N",
            Self::B(_) => "B",
            Self::Bool(_) => "BOOL",
            Self::Null => "NULL",
            Self::M(_) => "M",
            Self::L(_) => "L",
            Self::SS(_) => "SS",
            Self::NS(_) => "NS",
            Self::BS(_) => "BS",
        }
    }
}
