//! Smithy RPC v2 CBOR: bodies as CBOR maps, timestamps under tag 1, blobs as byte strings.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ciborium::value::{Integer, Value as Cbor};
use serde_json::{Map, Number, Value};

use super::json::{integer, is_special_float, not_of};
use super::timestamps;
use crate::model::{Kind, Model, Shape, Structure};

/// The deepest nesting that is taken, the same as JSON's.
const MAX_DEPTH: usize = 128;
/// The tag of a point in time as seconds since 1970 (RFC 8949, 3.4.2).
const EPOCH_TAG: u64 = 1;

/// Parses a body as a structure; an empty body is an empty structure.
pub fn parse(
    model: &Model,
    structure: &Structure,
    body: &[u8],
    unknown: &mut Vec<String>,
) -> Result<Map<String, Value>, String> {
    if body.is_empty() {
        return Ok(Map::new());
    }
    let value: Cbor = ciborium::de::from_reader_with_recursion_limit(body, MAX_DEPTH)
        .map_err(|error| format!("Could not parse request body into cbor: {error}"))?;
    match value {
        Cbor::Map(entries) => read_structure(model, structure, entries, "", unknown),
        Cbor::Null => Ok(Map::new()),
        _ => Err("The request body is not a CBOR map".to_owned()),
    }
}

fn read_structure(
    model: &Model,
    structure: &Structure,
    entries: Vec<(Cbor, Cbor)>,
    path: &str,
    unknown: &mut Vec<String>,
) -> Result<Map<String, Value>, String> {
    let mut members = Map::new();
    for (key, value) in entries {
        let Cbor::Text(name) = key else { return Err("A key of a structure is not text".to_owned()) };
        let place = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let Some(member) = structure.member_on_wire(&name) else {
            unknown.push(place);
            continue;
        };
        if value != Cbor::Null {
            members.insert(member.name.to_owned(), read(model, model.shape(member.shape), value, &place, unknown)?);
        }
    }
    Ok(members)
}

fn read(model: &Model, shape: &Shape, value: Cbor, path: &str, unknown: &mut Vec<String>) -> Result<Value, String> {
    let wrong = || format!("The value of {path} is not of the type {}", shape.name);
    Ok(match (&shape.kind, value) {
        (Kind::Structure(structure), Cbor::Map(entries)) => {
            Value::Object(read_structure(model, structure, entries, path, unknown)?)
        }
        (Kind::List(element), Cbor::Array(values)) => {
            let shape = model.shape(element.shape);
            let read = |value| match value {
                Cbor::Null => Ok(Value::Null),
                value => read(model, shape, value, path, unknown),
            };
            Value::Array(values.into_iter().map(read).collect::<Result<_, _>>()?)
        }
        (Kind::Map(_, element), Cbor::Map(entries)) => {
            let shape = model.shape(element.shape);
            let mut map = Map::new();
            for (key, value) in entries {
                let Cbor::Text(key) = key else { return Err(wrong()) };
                if value != Cbor::Null {
                    map.insert(key, read(model, shape, value, path, unknown)?);
                }
            }
            Value::Object(map)
        }
        (Kind::String, Cbor::Text(text)) => Value::String(text),
        (Kind::Boolean, Cbor::Bool(flag)) => Value::Bool(flag),
        (Kind::Blob, Cbor::Bytes(bytes)) => Value::String(STANDARD.encode(bytes)),
        (Kind::Integer { long }, Cbor::Integer(whole)) => {
            let whole = i64::try_from(whole).map_err(|_| wrong())?;
            Value::Number(integer(&Number::from(whole), *long).ok_or_else(wrong)?)
        }
        (Kind::Integer { long }, Cbor::Float(float)) => {
            Value::Number(Number::from_f64(float).and_then(|number| integer(&number, *long)).ok_or_else(wrong)?)
        }
        (Kind::Float, Cbor::Float(float)) => float_value(float),
        (Kind::Float, Cbor::Integer(whole)) => float_value(i128::from(whole) as f64),
        (Kind::Timestamp, Cbor::Tag(EPOCH_TAG, value)) => Value::from(point(&value).ok_or_else(wrong)?),
        _ => return Err(wrong()),
    })
}

fn float_value(float: f64) -> Value {
    Number::from_f64(float).map_or_else(
        || {
            Value::from(if float.is_nan() {
                "NaN"
            } else if float > 0.0 {
                "Infinity"
            } else {
                "-Infinity"
            })
        },
        Value::Number,
    )
}

fn point(seconds: &Cbor) -> Option<i64> {
    match seconds {
        Cbor::Integer(whole) => timestamps::from_seconds(i64::try_from(*whole).ok()? as f64),
        Cbor::Float(float) => timestamps::from_seconds(*float),
        _ => None,
    }
}

/// Writes the body of an answer or an error. Fails when the value is not as the model has it.
pub fn write(model: &Model, structure: &Structure, members: &Map<String, Value>) -> Result<Vec<u8>, String> {
    to_bytes(&Cbor::Map(write_members(model, structure, members)?))
}

pub(super) fn to_bytes(value: &Cbor) -> Result<Vec<u8>, String> {
    let mut body = Vec::with_capacity(256);
    ciborium::into_writer(value, &mut body).map_err(|error| error.to_string())?;
    Ok(body)
}

/// The modelled members in the model's order, without nulls.
pub(super) fn write_members(
    model: &Model,
    structure: &Structure,
    members: &Map<String, Value>,
) -> Result<Vec<(Cbor, Cbor)>, String> {
    let mut entries = Vec::with_capacity(members.len());
    for member in &structure.members {
        if let Some(value) = members.get(member.name).filter(|value| !value.is_null()) {
            entries.push((Cbor::from(member.wire_name()), write_value(model, model.shape(member.shape), value)?));
        }
    }
    Ok(entries)
}

fn write_value(model: &Model, shape: &Shape, value: &Value) -> Result<Cbor, String> {
    let wrong = || not_of(shape, value);
    Ok(match (&shape.kind, value) {
        (Kind::Structure(structure), Value::Object(members)) => Cbor::Map(write_members(model, structure, members)?),
        (Kind::List(element), Value::Array(values)) => {
            let shape = model.shape(element.shape);
            Cbor::Array(values.iter().map(|value| write_value(model, shape, value)).collect::<Result<_, _>>()?)
        }
        (Kind::Map(_, element), Value::Object(entries)) => {
            let shape = model.shape(element.shape);
            let entries = entries.iter().filter(|(_, value)| !value.is_null());
            let write = |(key, value): (&String, &Value)| {
                Ok::<_, String>((Cbor::from(key.as_str()), write_value(model, shape, value)?))
            };
            Cbor::Map(entries.map(write).collect::<Result<_, _>>()?)
        }
        (Kind::String, Value::String(text)) => Cbor::from(text.as_str()),
        (Kind::Boolean, Value::Bool(flag)) => Cbor::Bool(*flag),
        (Kind::Blob, Value::String(text)) => Cbor::Bytes(STANDARD.decode(text).map_err(|_| wrong())?),
        (Kind::Integer { .. }, Value::Number(number)) => {
            Cbor::Integer(Integer::from(number.as_i64().ok_or_else(wrong)?))
        }
        (Kind::Float, Value::Number(number)) => Cbor::Float(number.as_f64().ok_or_else(wrong)?),
        (Kind::Float, Value::String(text)) if is_special_float(text) => Cbor::Float(text.parse().map_err(|_| wrong())?),
        (Kind::Timestamp, Value::Number(millis)) => {
            let millis = millis.as_i64().ok_or_else(wrong)?;
            Cbor::Tag(EPOCH_TAG, Box::new(Cbor::Float(millis as f64 / 1000.0)))
        }
        _ => return Err(wrong()),
    })
}
