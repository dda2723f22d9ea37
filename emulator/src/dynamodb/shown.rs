//! Items as answers show them: AWS's wire form, written straight from the values.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dynamodb_expressions::{AttributeValue, Item};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use super::table::Stored;

/// An item in an answer: one that is kept, or one made for the answer.
#[derive(Clone, Debug)]
pub(super) enum Shown {
    Kept(Arc<Stored>),
    Made(Item),
}

impl Shown {
    pub fn item(&self) -> &Item {
        match self {
            Self::Kept(stored) => &stored.item,
            Self::Made(item) => item,
        }
    }
}

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Attributes(self.item()).serialize(serializer)
    }
}

/// An item in the wire form.
pub(super) struct Attributes<'a>(pub &'a Item);

impl Serialize for Attributes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0 {
            map.serialize_entry(&**name, &Attribute(value))?;
        }
        map.end()
    }
}

/// A value in the wire form. Values were read with a limit on their depth.
struct Attribute<'a>(&'a AttributeValue);

impl Serialize for Attribute<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        let name = self.0.type_name();
        match self.0 {
            AttributeValue::S(text) => map.serialize_entry(name, &**text)?,
            AttributeValue::N(number) => map.serialize_entry(name, &number.to_string())?,
            AttributeValue::B(bytes) => map.serialize_entry(name, &STANDARD.encode(bytes))?,
            AttributeValue::Bool(value) => map.serialize_entry(name, value)?,
            AttributeValue::Null => map.serialize_entry(name, &true)?,
            AttributeValue::M(item) => map.serialize_entry(name, &Attributes(item))?,
            AttributeValue::L(list) => map.serialize_entry(name, &Each(|| list.iter().map(Attribute)))?,
            AttributeValue::SS(set) => map.serialize_entry(name, &Each(|| set.iter().map(|text| &**text)))?,
            AttributeValue::NS(set) => map.serialize_entry(name, &Each(|| set.iter().map(ToString::to_string)))?,
            AttributeValue::BS(set) => {
                map.serialize_entry(name, &Each(|| set.iter().map(|bytes| STANDARD.encode(bytes))))?
            }
        }
        map.end()
    }
}

/// A list, written as it is walked.
struct Each<F>(F);

impl<F, I> Serialize for Each<F>
where
    F: Fn() -> I,
    I: Iterator,
    I::Item: Serialize,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

/// An item in the wire form, as a plain value.
pub(super) fn to_json(item: &Item) -> Value {
    // Writing to memory cannot fail.
    serde_json::to_value(Attributes(item)).unwrap_or(Value::Null)
}
