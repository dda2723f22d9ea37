//! The query protocol's other answers: who asks for JSON (`Accept: application/json`), as API Gateway's integrations do, gets JSON.
//!
//! No model tells of it. Coral writes every member that the shape has, in the order of the alphabet, `null` where there is
//! nothing: `{"SendMessageResponse":{"ResponseMetadata":{"RequestId":"…"},"SendMessageResult":{…,"SequenceNumber":null}}}`.

use http::header::ACCEPT;
use http::request::Parts;
use serde_json::{Map, Value, json};

use super::json::{in_body, not_of};
use super::{Protocol, timestamps};
use crate::model::{Kind, Member, Model, OperationModel, Shape, Structure, TimestampFormat};

/// What SQS calls two members of its answers there, and its model does not tell.
const SQS_NAMES: &[(&str, &str)] = &[("Messages", "messages"), ("QueueUrls", "queueUrls")];

/// The query protocol, answered in what the request accepts first of what there is.
pub(super) fn negotiated(head: &Parts) -> Protocol {
    let accepted = head.headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let types = accepted.split(',').map(|one| one.split(';').next().unwrap_or_default().trim());
    let mut known = types.filter(|one| matches!(*one, "application/json" | "application/xml" | "text/xml" | "*/*"));
    if known.next() == Some("application/json") { Protocol::QueryJson } else { Protocol::Query }
}

/// The body of a successful answer.
pub(super) fn write(operation: &OperationModel, output: &Value, request_id: &str) -> Result<String, String> {
    let mut response = Map::new();
    let empty = Map::new();
    if let Some(structure) = operation.output_shape().and_then(Shape::structure) {
        let members = members(operation.model(), structure, output.as_object().unwrap_or(&empty))?;
        match operation.result_wrapper {
            Some(wrapper) => drop(response.insert(wrapper.to_owned(), members.into())),
            None => response = members,
        }
    }
    response.insert("ResponseMetadata".to_owned(), json!({ "RequestId": request_id }));
    response.sort_keys();
    Ok(json!({ format!("{}Response", operation.name): response }).to_string())
}

/// The body of an error.
pub(super) fn error(code: &str, message: &str, fault: &str, request_id: &str) -> String {
    json!({ "Error": { "Code": code, "Message": message, "Type": fault }, "RequestId": request_id }).to_string()
}

fn members(model: &Model, structure: &Structure, values: &Map<String, Value>) -> Result<Map<String, Value>, String> {
    let mut members = Map::new();
    for member in structure.members.iter().filter(|member| in_body(member)) {
        let own = SQS_NAMES.iter().find(|(name, _)| model.service == "sqs" && *name == member.name);
        let value = match values.get(member.name) {
            Some(value) if !value.is_null() => read(model, model.shape(member.shape), member, value)?,
            _ => Value::Null,
        };
        members.insert(own.map_or(member.name, |(_, name)| name).to_owned(), value);
    }
    members.sort_keys();
    Ok(members)
}

fn read(model: &Model, shape: &Shape, member: &Member, value: &Value) -> Result<Value, String> {
    match (&shape.kind, value) {
        (Kind::Structure(structure), Value::Object(values)) => members(model, structure, values).map(Value::Object),
        (Kind::List(part), Value::Array(values)) => {
            values.iter().map(|value| read(model, model.shape(part.shape), part, value)).collect()
        }
        (Kind::Map(key, part), Value::Object(entries)) => {
            let entries = entries.iter().map(|(name, value)| {
                Ok::<_, String>((name.clone(), read(model, model.shape(part.shape), part, value)?))
            });
            if !member.flattened {
                return entries.collect::<Result<Map<_, _>, _>>().map(Value::Object);
            }
            let (key, part) = (key.xml_name().unwrap_or("key"), part.xml_name().unwrap_or("value"));
            entries.map(|entry| entry.map(|(name, value)| json!({ key: name, part: value }))).collect()
        }
        (Kind::Timestamp, Value::Number(millis)) => {
            let millis = millis.as_i64().ok_or_else(|| not_of(shape, value))?;
            Ok(timestamps::json(millis, TimestampFormat::UnixTimestamp))
        }
        (Kind::Structure(_) | Kind::List(_) | Kind::Map(..) | Kind::Timestamp, _) => Err(not_of(shape, value)),
        _ => Ok(value.clone()),
    }
}
