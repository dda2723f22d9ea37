//! What the CLI prints for an operation: pages joined, the query applied, the format written.

use serde::Serialize;
use serde_json::ser::{PrettyFormatter, Serializer};
use serde_json::{Map, Value};

use super::shapes::{Paginator, Shape, Shapes};
use super::{Format, text};
use crate::Timestamp;
use crate::scenario::expect::jmes;

/// How deep an answer may be nested.
const DEPTH_MAX: usize = 100;

/// An output as the CLI shows it: points in time as ISO 8601 with their offset, members in the answer's order.
pub(super) fn shown(value: &Value, service: &str, shape: Option<&str>, shapes: &dyn Shapes) -> Result<Value, String> {
    match shape {
        None => Ok(value.clone()),
        Some(shape) => convert(value, service, shape, shapes, 0),
    }
}

fn convert(value: &Value, service: &str, shape: &str, shapes: &dyn Shapes, depth: usize) -> Result<Value, String> {
    if depth > DEPTH_MAX {
        return Err(format!("the answer is nested more than {DEPTH_MAX} deep"));
    }
    let Some(found) = shapes.shape(service, shape) else {
        return Err(format!("the model of {service} has no shape {shape}"));
    };
    let inside = |value: &Value, shape: &str| convert(value, service, shape, shapes, depth + 1);
    Ok(match (found, value) {
        (Shape::Timestamp, Value::Number(millis)) => iso(millis.as_i64().unwrap_or_default()).into(),
        (Shape::List(member), Value::Array(items)) => {
            items.iter().map(|item| inside(item, &member)).collect::<Result<_, _>>()?
        }
        (Shape::Map(member), Value::Object(members)) => {
            let convert = |(key, item): (&String, &Value)| Ok((key.clone(), inside(item, &member)?));
            Value::Object(members.iter().map(convert).collect::<Result<_, String>>()?)
        }
        (Shape::Structure(structure), Value::Object(members)) => {
            let mut converted = Map::new();
            for (key, item) in members.iter().filter(|(_, item)| !item.is_null()) {
                let item = structure.member(key).map_or_else(|| Ok(item.clone()), |shape| inside(item, shape))?;
                converted.insert(key.clone(), item);
            }
            Value::Object(converted)
        }
        (_, other) => other.clone(),
    })
}

/// `2026-03-02T12:00:00+00:00`; with six digits of a second where it has a fraction.
pub(super) fn iso(millis: i64) -> String {
    let point = Timestamp::from_millis(millis).to_jiff();
    let fraction = millis.rem_euclid(1000);
    if fraction == 0 {
        return point.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string();
    }
    point.strftime(&format!("%Y-%m-%dT%H:%M:%S.{fraction:03}000+00:00")).to_string()
}

/// Prints the pages. In text each page is queried and written by itself, as the CLI does; in JSON they are joined first.
pub(super) fn print(
    pages: &[Value],
    paginator: Option<&Paginator>,
    query: Option<&str>,
    format: Format,
) -> Result<String, String> {
    let queried = |page: &Value| query.map_or_else(|| Ok(page.clone()), |query| jmes::search(query, page));
    match format {
        Format::Text => {
            let mut out = String::new();
            for page in pages {
                let page = without_tokens(page, paginator);
                text::write(&queried(&page)?, &mut out);
            }
            Ok(out)
        }
        Format::Json => {
            let joined = joined(pages, paginator);
            if query.is_none() && joined.as_object().is_none_or(Map::is_empty) {
                return Ok(String::new());
            }
            json(&queried(&joined)?)
        }
    }
}

fn json(value: &Value) -> Result<String, String> {
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, PrettyFormatter::with_indent(b"    "));
    value.serialize(&mut serializer).map_err(|error| error.to_string())?;
    bytes.push(b'\n');
    String::from_utf8(bytes).map_err(|error| error.to_string())
}

/// The CLI's own paging leaves no token in what it prints.
fn without_tokens(page: &Value, paginator: Option<&Paginator>) -> Value {
    let mut page = page.clone();
    if let (Some(paginator), Some(members)) = (paginator, page.as_object_mut()) {
        for token in &paginator.output_tokens {
            members.shift_remove(token);
        }
    }
    page
}

/// One output out of the pages: the first page's members, with the lists of the others added to its own.
fn joined(pages: &[Value], paginator: Option<&Paginator>) -> Value {
    let Some((first, others)) = pages.split_first() else { return Value::Null };
    let Some(paginator) = paginator else { return first.clone() };
    let mut whole = without_tokens(first, Some(paginator));
    for page in others {
        for key in &paginator.result_keys {
            let Some(Value::Array(more)) = at(page, key) else { continue };
            let more = more.clone();
            match at_mut(&mut whole, key) {
                Some(Value::Array(list)) => list.extend(more),
                Some(slot) => *slot = Value::Array(more),
                None => {}
            }
        }
    }
    whole
}

fn at<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').try_fold(value, |value, key| value.get(key))
}

/// The place of a path, made where it is missing.
fn at_mut<'v>(value: &'v mut Value, path: &str) -> Option<&'v mut Value> {
    path.split('.').try_fold(value, |value, key| {
        if value.is_null() {
            *value = Value::Object(Map::new());
        }
        value.as_object_mut().map(|members| members.entry(key).or_insert(Value::Null))
    })
}
