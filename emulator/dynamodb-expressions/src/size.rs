//! Sizes in bytes, as DynamoDB counts them for its limits and for capacity.
//!
//! Model: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>

use crate::{AttributeValue, Item};

/// What a list or map costs, whatever it holds.
const DOCUMENT_OVERHEAD: usize = 3;
/// What every element of a list or map costs besides its own size.
const ELEMENT_OVERHEAD: usize = 1;

impl AttributeValue {
    /// The size in bytes, without the name of the attribute.
    pub fn size(&self) -> usize {
        match self {
            Self::S(text) => text.len(),
            Self::N(number) => number.size(),
            Self::B(bytes) => bytes.len(),
            Self::Bool(_) | Self::Null => 1,
            Self::M(map) => DOCUMENT_OVERHEAD + ELEMENT_OVERHEAD * map.len() + item_size(map),
            Self::L(list) => {
                DOCUMENT_OVERHEAD + list.iter().map(|value| ELEMENT_OVERHEAD + value.size()).sum::<usize>()
            }
            Self::SS(set) => set.iter().map(|text| text.len()).sum(),
            Self::NS(set) => set.iter().map(|number| number.size()).sum(),
            Self::BS(set) => set.iter().map(|bytes| bytes.len()).sum(),
        }
    }
}

/// The size of an item in bytes: names and values.
pub fn item_size(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value.size()).sum()
}
