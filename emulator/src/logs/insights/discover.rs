//! The fields that are found in an event by themselves: those of JSON, and those of the lines of Lambda.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_AnalyzeLogData-discoverable-fields.html>

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::value::Value;

/// So many fields are found in an event (same page).
const MAX_FIELDS: usize = 200;
/// And so deep they lie at most: the limit is ours.
const MAX_DEPTH: usize = 32;

pub(super) type Fields = BTreeMap<String, Value>;

/// The fields of a message of this group.
pub(super) fn discover(group: &str, message: &str) -> Fields {
    let mut fields = Fields::new();
    if let Some(document) = fragment(message) {
        flatten("", &document, &mut fields, 0);
    }
    if group.starts_with("/aws/lambda/") {
        lambda(message, &mut fields);
    }
    fields
}

/// The first JSON object in a message.
fn fragment(message: &str) -> Option<Json> {
    let text = message.get(message.find('{')?..)?;
    let first = serde_json::Deserializer::from_str(text).into_iter::<Json>().next()?.ok()?;
    first.is_object().then_some(first)
}

/// A field of a field is `a.b`, one of a list `a.0`. Names that begin with `@` get another one.
fn flatten(prefix: &str, value: &Json, fields: &mut Fields, depth: usize) {
    if depth > MAX_DEPTH || fields.len() >= MAX_FIELDS {
        return;
    }
    let name = |part: &str| if prefix.is_empty() { part.to_owned() } else { format!("{prefix}.{part}") };
    match value {
        Json::Object(object) => {
            for (part, inner) in object {
                let part = if prefix.is_empty() && part.starts_with('@') { format!("@{part}") } else { part.clone() };
                flatten(&name(&part), inner, fields, depth + 1);
            }
        }
        Json::Array(array) => {
            for (index, inner) in array.iter().enumerate() {
                flatten(&name(&index.to_string()), inner, fields, depth + 1);
            }
        }
        Json::Null => {}
        Json::Bool(value) => drop(fields.insert(prefix.to_owned(), Value::Bool(*value))),
        Json::Number(number) => {
            let value = number.as_f64().map_or(Value::Missing, Value::Number);
            fields.insert(prefix.to_owned(), value);
        }
        Json::String(text) => drop(fields.insert(prefix.to_owned(), Value::Text(text.clone()))),
    }
}

/// `START`, `END` and `REPORT` lines, and the request's id in the lines of code. Memory is in bytes: a megabyte is a million.
fn lambda(message: &str, fields: &mut Fields) {
    let kind = ["START", "END", "REPORT"]
        .into_iter()
        .find(|kind| message.strip_prefix(kind).is_some_and(|rest| rest.starts_with(" RequestId: ")));
    let Some(kind) = kind else {
        let id = message.split(['\t', ' ']).find(|word| is_uuid(word));
        if let Some(id) = id {
            fields.insert("@requestId".to_owned(), Value::Text(id.to_owned()));
        }
        return;
    };
    fields.insert("@type".to_owned(), Value::Text(kind.to_owned()));
    let request_id = message.split("RequestId: ").nth(1).and_then(|rest| rest.split_whitespace().next());
    fields.extend(request_id.map(|id| ("@requestId".to_owned(), Value::Text(id.to_owned()))));
    if kind != "REPORT" {
        return;
    }
    let measures = [
        ("@duration", "\tDuration: ", 1.0),
        ("@billedDuration", "Billed Duration: ", 1.0),
        ("@initDuration", "Init Duration: ", 1.0),
        ("@memorySize", "Memory Size: ", 1e6),
        ("@maxMemoryUsed", "Max Memory Used: ", 1e6),
    ];
    for (name, label, factor) in measures {
        let text = message.split(label).nth(1).and_then(|rest| rest.split_whitespace().next());
        if let Some(number) = text.and_then(|text| text.parse::<f64>().ok()) {
            fields.insert(name.to_owned(), Value::Number(number * factor));
        }
    }
    let trace = message.split("XRAY TraceId: ").nth(1).and_then(|rest| rest.split_whitespace().next());
    fields.extend(trace.map(|id| ("@xrayTraceId".to_owned(), Value::Text(id.to_owned()))));
}

fn is_uuid(word: &str) -> bool {
    word.len() == 36
        && word.bytes().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
