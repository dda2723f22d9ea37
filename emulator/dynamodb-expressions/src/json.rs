//! The wire form of attribute values: `{"S": "…"}`, `{"N": "1"}`, `{"B": "base64"}`.

use std::collections::BTreeSet;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Map, Value};

use crate::{AttributeValue, Error, Item, Number, Result};

/// The levels of a document, the attribute itself being the first.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-items>
pub(crate) const NESTING_LEVELS: usize = 32;

const EMPTY: &str = "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes";
const MANY: &str =
    "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes";
/// The data types in the order in which DynamoDB looks at them: it tells which of two errors is answered.
const TYPES: [&str; 10] = ["S", "B", "N", "BOOL", "NULL", "BS", "NS", "SS", "L", "M"];

impl AttributeValue {
    /// Reads the wire form, with AWS's validation and its texts. Members that are no data type, and members that are
    /// null, are as good as absent.
    ///
    /// Errors: no data type or several, a number out of range, an empty set or one with duplicates, a document of more
    /// than 32 levels; and `Serialization` for a JSON type that the member cannot have.
    pub fn from_json(json: &Value) -> Result<Self> {
        read(json, 1)
    }

    /// The wire form.
    pub fn to_json(&self) -> Value {
        let value = match self {
            Self::S(text) => Value::from(&**text),
            Self::N(number) => Value::from(number.to_string()),
            Self::B(bytes) => Value::from(STANDARD.encode(bytes)),
            Self::Bool(value) => Value::from(*value),
            Self::Null => Value::from(true),
            Self::M(map) => Value::Object(item_to_json(map)),
            Self::L(list) => list.iter().map(Self::to_json).collect(),
            Self::SS(set) => set.iter().map(|text| Value::from(&**text)).collect(),
            Self::NS(set) => set.iter().map(|number| Value::from(number.to_string())).collect(),
            Self::BS(set) => set.iter().map(|bytes| Value::from(STANDARD.encode(bytes))).collect(),
        };
        Value::Object(Map::from_iter([(self.type_name().to_owned(), value)]))
    }

    /// How many levels the value has: a scalar one, a list or map one more than its deepest element.
    pub(crate) fn levels(&self) -> usize {
        match self {
            Self::M(map) => 1 + map.values().map(Self::levels).max().unwrap_or_default(),
            Self::L(list) => 1 + list.iter().map(Self::levels).max().unwrap_or_default(),
            _ => 1,
        }
    }
}

/// Reads an item or key in the wire form: `{"id": {"S": "…"}}`. The first attribute that is not valid is the error.
pub fn item_from_json(json: &Map<String, Value>) -> Result<Item> {
    json.iter().map(|(name, value)| Ok((Arc::from(name.as_str()), AttributeValue::from_json(value)?))).collect()
}

/// The wire form of an item or key.
pub fn item_to_json(item: &Item) -> Map<String, Value> {
    item.iter().map(|(name, value)| (name.to_string(), value.to_json())).collect()
}

/// The refusal of a document that is too deep.
pub(crate) fn too_deep() -> Error {
    Error::validation(
        "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported \
         limit",
    )
}

fn read(json: &Value, level: usize) -> Result<AttributeValue> {
    let members = match json {
        Value::Object(members) => members,
        Value::Array(_) => {
            return Err(serialization(
                "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.AttributeValue",
            ));
        }
        _ => return Err(serialization("Unexpected value type in payload")),
    };
    if level > NESTING_LEVELS {
        return Err(too_deep());
    }
    let mut found = None;
    let mut several = false;
    for data_type in TYPES {
        let Some(value) = members.get(data_type).filter(|value| !value.is_null()) else { continue };
        let value = read_type(data_type, value, level)?;
        several |= found.replace(value).is_some();
    }
    match found {
        Some(_) if several => Err(Error::validation(MANY)),
        Some(value) => Ok(value),
        None => Err(Error::validation(EMPTY)),
    }
}

fn read_type(data_type: &str, json: &Value, level: usize) -> Result<AttributeValue> {
    Ok(match data_type {
        "S" => AttributeValue::S(Arc::from(string(json)?)),
        "N" => AttributeValue::N(Number::parse(string(json)?)?),
        "B" => AttributeValue::B(blob(json)?),
        "BOOL" => AttributeValue::Bool(boolean(json)?),
        "NULL" if boolean(json)? => AttributeValue::Null,
        "NULL" => return Err(Error::parameter("Null attribute value types must have the value of true")),
        "SS" => AttributeValue::SS(Arc::new(strings(json)?)),
        "NS" => AttributeValue::NS(Arc::new(numbers(json)?)),
        "BS" => AttributeValue::BS(Arc::new(blobs(json)?)),
        "L" => {
            AttributeValue::L(Arc::new(list(json)?.iter().map(|value| read(value, level + 1)).collect::<Result<_>>()?))
        }
        _ => {
            let map = map(json)?;
            let read_member =
                |(name, value): (&String, &Value)| Ok((Arc::from(name.as_str()), read(value, level + 1)?));
            AttributeValue::M(Arc::new(map.iter().map(read_member).collect::<Result<_>>()?))
        }
    })
}

fn strings(json: &Value) -> Result<BTreeSet<Arc<str>>> {
    let list = list(json)?;
    let texts: Vec<&str> = list.iter().map(string).collect::<Result<_>>()?;
    if texts.is_empty() {
        return Err(Error::parameter("An string set  may not be empty"));
    }
    let set: BTreeSet<Arc<str>> = texts.iter().map(|text| Arc::from(*text)).collect();
    if set.len() < texts.len() {
        return Err(Error::parameter(format!("Input collection [{}] contains duplicates.", texts.join(", "))));
    }
    Ok(set)
}

fn numbers(json: &Value) -> Result<BTreeSet<Number>> {
    let list = list(json)?;
    if list.is_empty() {
        return Err(Error::parameter("An number set  may not be empty"));
    }
    let set: BTreeSet<Number> = list.iter().map(|text| Number::parse(string(text)?)).collect::<Result<_>>()?;
    if set.len() < list.len() {
        return Err(Error::validation("Input collection contains duplicates"));
    }
    Ok(set)
}

fn blobs(json: &Value) -> Result<BTreeSet<Bytes>> {
    let list = list(json)?;
    if list.is_empty() {
        return Err(Error::parameter("Binary sets should not be empty"));
    }
    let set: BTreeSet<Bytes> = list.iter().map(blob).collect::<Result<_>>()?;
    if set.len() < list.len() {
        let texts: Vec<&str> = list.iter().map(string).collect::<Result<_>>()?;
        // The missing space is AWS's.
        return Err(Error::parameter(format!(
            "Input collection [{}]of type BS contains duplicates.",
            texts.join(", ")
        )));
    }
    Ok(set)
}

fn string(json: &Value) -> Result<&str> {
    json.as_str().ok_or_else(|| wrong_scalar(json, "String", "java.lang.String"))
}

/// A boolean, or one of the texts that DynamoDB takes for one.
fn boolean(json: &Value) -> Result<bool> {
    match json {
        Value::Bool(value) => Ok(*value),
        Value::String(text) => match text.to_ascii_uppercase().as_str() {
            "TRUE" | "1" | "YES" => Ok(true),
            "FALSE" | "0" | "NO" => Ok(false),
            _ => Err(serialization("Unexpected token received from parser")),
        },
        other => Err(wrong_scalar(other, "Boolean", "java.lang.Boolean")),
    }
}

fn blob(json: &Value) -> Result<Bytes> {
    let text = match json {
        Value::String(text) => text,
        Value::Array(_) | Value::Object(_) => return Err(wrong_scalar(json, "", "java.nio.ByteBuffer")),
        _ => return Err(serialization("only base-64-encoded strings are convertible to bytes")),
    };
    if !text.len().is_multiple_of(4) {
        return Err(serialization(&format!(
            "Base64 encoded length is expected a multiple of 4 bytes but found: {}",
            text.len()
        )));
    }
    // The misspelling is AWS's.
    STANDARD.decode(text).map(Bytes::from).map_err(|_| serialization("Invalid last non-pad Base64 character dectected"))
}

fn list(json: &Value) -> Result<&Vec<Value>> {
    match json {
        Value::Array(list) => Ok(list),
        Value::Object(_) => Err(serialization("Start of structure or map found where not expected")),
        _ => Err(serialization("Unexpected field type")),
    }
}

fn map(json: &Value) -> Result<&Map<String, Value>> {
    match json {
        Value::Object(map) => Ok(map),
        Value::Array(_) => Err(serialization(
            "Unrecognized collection type java.util.Map<java.lang.String, \
             com.amazonaws.dynamodb.v20120810.AttributeValue>",
        )),
        _ => Err(serialization("Unexpected field type")),
    }
}

/// The error for a scalar of another type; its class is how Java names it.
fn wrong_scalar(json: &Value, scalar: &str, class: &str) -> Error {
    serialization(&match json {
        Value::Object(_) => "Start of structure or map found where not expected".to_owned(),
        Value::Array(_) => format!("Unrecognized collection type class {class}"),
        Value::Bool(value) => {
            format!("{}_VALUE cannot be converted to {scalar}", if *value { "TRUE" } else { "FALSE" })
        }
        Value::Number(number) if number.is_f64() => format!("DECIMAL_VALUE cannot be converted to {scalar}"),
        Value::Number(_) => format!("NUMBER_VALUE cannot be converted to {scalar}"),
        Value::String(_) => format!("STRING_VALUE cannot be converted to {scalar}"),
        Value::Null => format!("NULL_VALUE cannot be converted to {scalar}"),
    })
}

fn serialization(message: &str) -> Error {
    Error::Serialization(message.to_owned())
}
