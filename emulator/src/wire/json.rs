//! JSON bodies: awsJson 1.0 and 1.1, and the bodies of restJson.
//!
//! A request is parsed by serde_json and then corrected in place, member by member; what AWS and we hold alike is
//! not copied. An answer is written straight into bytes. Messages of `SerializationException` are those of AWS's
//! Coral servers, which name the token and the type.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Number, Value};

use super::{dynamodb, timestamps};
use crate::model::{Kind, Member, Model, Shape, Structure, TimestampFormat};

/// Whether entries of this map may be null: the templates of API Gateway's integrations, which then pass on what comes.
fn has_empty_templates(member: &Member) -> bool {
    matches!(member.name, "requestTemplates" | "responseTemplates")
}

/// Parses a body as a structure. An empty body is an empty structure, as AWS takes it.
/// Nesting is limited by serde_json to 128 levels.
pub fn parse(
    model: &Model,
    shape: &Shape,
    body: &[u8],
    unknown: &mut Vec<String>,
) -> Result<Map<String, Value>, String> {
    let mut value: Value = match body.trim_ascii() {
        [] => return Ok(Map::new()),
        body => serde_json::from_slice(body).map_err(|error| unreadable(model, &error))?,
    };
    if value.is_null() {
        return Ok(Map::new());
    }
    Reader { model, unknown }.value(shape, None, &mut value, "")?;
    match value {
        Value::Object(members) => Ok(members),
        _ => Err("Unexpected token: the request body is not a JSON object".to_owned()),
    }
}

/// DynamoDB says nothing about what is no JSON at all.
fn unreadable(model: &Model, error: &serde_json::Error) -> String {
    if dynamodb::is(model.service) { String::new() } else { format!("Could not parse request body into json: {error}") }
}

struct Reader<'a> {
    model: &'a Model,
    unknown: &'a mut Vec<String>,
}

impl Reader<'_> {
    fn value(&mut self, shape: &Shape, member: Option<&Member>, value: &mut Value, path: &str) -> Result<(), String> {
        if shape.document {
            return Ok(());
        }
        match (&shape.kind, &mut *value) {
            (Kind::Structure(structure), Value::Object(members)) => self.structure(structure, members, path),
            (Kind::List(element), Value::Array(elements)) => {
                let shape = self.model.shape(element.shape);
                elements
                    .iter_mut()
                    .filter(|value| !value.is_null())
                    .try_for_each(|value| self.value(shape, Some(element), value, path))
            }
            (Kind::Map(_, element), Value::Object(entries)) => {
                // A null is as good as no entry to Coral's servers, but for templates without a text.
                let keeps_nulls = member.is_some_and(has_empty_templates);
                entries.retain(|_, value| keeps_nulls || !value.is_null());
                // A map has no order, and clients that keep theirs in hash tables send another one each time: runs repeat.
                if !entries.keys().is_sorted() {
                    entries.sort_keys();
                }
                let shape = self.model.shape(element.shape);
                entries
                    .values_mut()
                    .filter(|value| !value.is_null())
                    .try_for_each(|value| self.value(shape, Some(element), value, path))
            }
            (Kind::String, Value::String(_)) | (Kind::Boolean, Value::Bool(_)) => Ok(()),
            (Kind::Integer { long }, Value::Number(number)) => match integer(number, *long) {
                Some(whole) => {
                    *number = whole;
                    Ok(())
                }
                None if dynamodb::is(self.model.service) => dynamodb::coerce(self.model, shape, member, value),
                None => Err("NUMBER_VALUE can not be converted to an Integer".to_owned()),
            },
            (Kind::Float, Value::Number(_)) => Ok(()),
            (Kind::Float, Value::String(text)) if is_special_float(text) => Ok(()),
            (Kind::Blob, Value::String(text)) => match STANDARD.decode(text.as_bytes()) {
                Ok(_) => Ok(()),
                Err(_) if dynamodb::is(self.model.service) => dynamodb::coerce(self.model, shape, member, value),
                Err(_) => Err("Invalid base64 encoding of a blob".to_owned()),
            },
            (Kind::Timestamp, value) => {
                let format = member.and_then(|member| member.timestamp_format);
                let point = timestamp(value, format.unwrap_or(TimestampFormat::UnixTimestamp));
                *value = Value::from(point.ok_or_else(|| mismatch(shape, value))?);
                Ok(())
            }
            (_, value) if dynamodb::is(self.model.service) => dynamodb::coerce(self.model, shape, member, value),
            (_, value) => Err(mismatch(shape, value)),
        }
    }

    fn structure(&mut self, structure: &Structure, members: &mut Map<String, Value>, path: &str) -> Result<(), String> {
        let (mut stale, mut renamed) = (false, false);
        for (name, value) in members.iter_mut() {
            let Some(member) = structure.member_on_wire(name).filter(|member| member.location.is_none()) else {
                // `__type` is how Coral's clients mark a structure's class; servers skip it.
                if name != "__type" {
                    self.unknown.push(join(path, name));
                }
                stale = true;
                continue;
            };
            if value.is_null() {
                stale = true;
                continue;
            }
            renamed |= member.name != name;
            let shape = self.model.shape(member.shape);
            match shape.kind {
                // Only what has members of its own needs its path, for unknown ones; all else saves the text.
                Kind::Structure(_) | Kind::List(_) | Kind::Map(..) => {
                    self.value(shape, Some(member), value, &join(path, member.name))?;
                }
                _ => self.value(shape, Some(member), value, path)?,
            }
        }
        if stale {
            members.retain(|name, value| !value.is_null() && structure.member_on_wire(name).is_some_and(in_body));
        }
        if renamed {
            let entries = std::mem::take(members).into_iter();
            *members = entries
                .map(|(name, value)| match structure.member_on_wire(&name) {
                    Some(member) => (member.name.to_owned(), value),
                    None => (name, value),
                })
                .collect();
        }
        Ok(())
    }
}

pub(super) fn in_body(member: &Member) -> bool {
    member.location.is_none()
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn timestamp(value: &Value, format: TimestampFormat) -> Option<i64> {
    match (value, format) {
        (Value::Number(number), TimestampFormat::UnixTimestamp) => timestamps::from_seconds(number.as_f64()?),
        (Value::String(text), TimestampFormat::Iso8601 | TimestampFormat::Rfc822) => timestamps::parse(text, format),
        _ => None,
    }
}

/// A whole number within 32 or 64 bits; `5.0` is one.
pub(super) fn integer(number: &Number, long: bool) -> Option<Number> {
    let whole = number.as_i64().or_else(|| {
        let float = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() <= 9_007_199_254_740_992.0)?;
        Some(float as i64)
    })?;
    (long || i32::try_from(whole).is_ok()).then(|| Number::from(whole))
}

/// What JSON has no numbers for.
pub(super) fn is_special_float(text: &str) -> bool {
    matches!(text, "NaN" | "Infinity" | "-Infinity")
}

/// Coral's words for a value of the wrong type.
fn mismatch(shape: &Shape, value: &Value) -> String {
    let wanted = match &shape.kind {
        Kind::Structure(_) => return "Expected structure or null".to_owned(),
        Kind::Map(..) => return "Expected map or null".to_owned(),
        Kind::List(_) => return "Expected list or null".to_owned(),
        Kind::String => "a String",
        Kind::Integer { long: false } => "an Integer",
        Kind::Integer { long: true } => "a Long",
        Kind::Float => "a Double",
        Kind::Boolean => "a Boolean",
        Kind::Blob => "a Blob",
        Kind::Timestamp => "a Timestamp",
    };
    let token = match value {
        Value::Null => "NULL_VALUE",
        Value::Bool(true) => "TRUE_VALUE",
        Value::Bool(false) => "FALSE_VALUE",
        Value::Number(number) if number.is_f64() => "DECIMAL_VALUE",
        Value::Number(_) => "NUMBER_VALUE",
        Value::String(_) => "STRING_VALUE",
        Value::Array(_) => return "Start of list found where not expected".to_owned(),
        Value::Object(_) => return "Start of structure or map found where not expected.".to_owned(),
    };
    format!("{token} can not be converted to {wanted}")
}

/// Writes a value by its shape. Only modelled members are written, in the model's order, and no nulls.
/// Fails when the value is not of the shape: a fault of the service that made it.
pub fn write(
    out: &mut Vec<u8>,
    model: &Model,
    shape: &Shape,
    member: Option<&Member>,
    value: &Value,
) -> Result<(), String> {
    match (&shape.kind, value) {
        (Kind::Structure(structure), Value::Object(members)) if !shape.document => {
            out.push(b'{');
            let mut first = true;
            write_members(out, model, structure, members, &mut first)?;
            out.push(b'}');
            Ok(())
        }
        (Kind::List(element), Value::Array(elements)) => {
            let shape = model.shape(element.shape);
            out.push(b'[');
            for (place, value) in elements.iter().enumerate() {
                if place > 0 {
                    out.push(b',');
                }
                if value.is_null() {
                    out.extend_from_slice(b"null");
                } else {
                    write(out, model, shape, Some(element), value)?;
                }
            }
            out.push(b']');
            Ok(())
        }
        (Kind::Map(_, element), Value::Object(entries)) => {
            let shape = model.shape(element.shape);
            out.push(b'{');
            let keeps_nulls = member.is_some_and(has_empty_templates);
            for (place, (key, value)) in entries.iter().filter(|(_, value)| keeps_nulls || !value.is_null()).enumerate()
            {
                if place > 0 {
                    out.push(b',');
                }
                scalar(out, &Value::String(key.clone()))?;
                out.push(b':');
                if value.is_null() {
                    out.extend_from_slice(b"null");
                } else {
                    write(out, model, shape, Some(element), value)?;
                }
            }
            out.push(b'}');
            Ok(())
        }
        (Kind::Timestamp, Value::Number(millis)) => {
            let format = member.and_then(|member| member.timestamp_format).unwrap_or(TimestampFormat::UnixTimestamp);
            let millis = millis.as_i64().ok_or_else(|| not_of(shape, value))?;
            scalar(out, &timestamps::json(millis, format))
        }
        (Kind::String | Kind::Blob, Value::String(_))
        | (Kind::Boolean, Value::Bool(_))
        | (Kind::Integer { .. } | Kind::Float, Value::Number(_)) => scalar(out, value),
        (Kind::Float, Value::String(text)) if is_special_float(text) => scalar(out, value),
        _ if shape.document => scalar(out, value),
        _ => Err(not_of(shape, value)),
    }
}

/// Writes the members of a structure that belong into the body, without braces.
pub(super) fn write_members(
    out: &mut Vec<u8>,
    model: &Model,
    structure: &Structure,
    members: &Map<String, Value>,
    first: &mut bool,
) -> Result<(), String> {
    for member in structure.members.iter().filter(|member| in_body(member)) {
        let Some(value) = members.get(member.name).filter(|value| !value.is_null()) else { continue };
        if !std::mem::take(first) {
            out.push(b',');
        }
        scalar(out, &Value::from(member.wire_name()))?;
        out.push(b':');
        write(out, model, model.shape(member.shape), Some(member), value)?;
    }
    Ok(())
}

pub(super) fn scalar(out: &mut Vec<u8>, value: &Value) -> Result<(), String> {
    serde_json::to_writer(out, value).map_err(|error| error.to_string())
}

/// The fault of an answer that is not as the model has it.
pub(super) fn not_of(shape: &Shape, value: &Value) -> String {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    format!("the answer has {kind} where the model has {}", shape.name)
}
