//! Targets: which calls schedules may make, and with which inputs.
//!
//! A templated target is a resource, whose usual operation is called; a universal one names any operation of a service.
//! <https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::cloud::{Call, Caller, Scope};
use crate::model::{Kind, Model, OperationModel, Shape, TimestampFormat};
use crate::sqs::url_of_arn;
use crate::wire::timestamps;
use crate::{Error, Result};

/// What the ARN of a universal target begins with.
const UNIVERSAL: &str = "arn:aws:scheduler:::aws-sdk:";
/// What the actions of universal targets may not begin with: they only read.
const READING: [&str; 23] = [
    "get",
    "describe",
    "list",
    "poll",
    "receive",
    "search",
    "scan",
    "query",
    "select",
    "read",
    "lookup",
    "discover",
    "validate",
    "batchGet",
    "batchDescribe",
    "batchRead",
    "transactGet",
    "adminGet",
    "adminList",
    "testMigration",
    "retrieve",
    "testConnection",
    "translateDocument",
];
/// Services that universal targets call by other names than Garoa.
const NAMES: [(&str, &str); 2] = [("eventbridge", "events"), ("cloudwatchlogs", "logs")];
/// Inputs nest no deeper.
const DEPTH: usize = 64;

/// What a schedule invokes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Target {
    pub arn: String,
    pub role_arn: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    #[serde(default)]
    pub retry_policy: RetryPolicy,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead_letter_config: Option<DeadLetterConfig>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sqs_parameters: Option<SqsParameters>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event_bridge_parameters: Option<EventBridgeParameters>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kinesis_parameters: Option<KinesisParameters>,
}

/// Retries, unless the schedule says otherwise, and their greatest age in seconds.
/// <https://docs.aws.amazon.com/scheduler/latest/APIReference/API_RetryPolicy.html>
const DEFAULT_RETRIES: u32 = 185;
const DEFAULT_EVENT_AGE: u64 = 86_400;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RetryPolicy {
    #[serde(default = "default_event_age")]
    pub maximum_event_age_in_seconds: u64,
    #[serde(default = "default_retries")]
    pub maximum_retry_attempts: u32,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { maximum_event_age_in_seconds: DEFAULT_EVENT_AGE, maximum_retry_attempts: DEFAULT_RETRIES }
    }
}

fn default_event_age() -> u64 {
    DEFAULT_EVENT_AGE
}

fn default_retries() -> u32 {
    DEFAULT_RETRIES
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DeadLetterConfig {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SqsParameters {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message_group_id: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EventBridgeParameters {
    detail_type: String,
    source: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KinesisParameters {
    partition_key: String,
}

fn invalid(message: impl Into<String>) -> Error {
    Error::client("ValidationException", message)
}

/// Refuses what no schedule may call, and what is not here.
pub(super) fn check(target: &Target) -> Result<()> {
    if target.arn.starts_with(UNIVERSAL) {
        let operation = operation(&target.arn)?;
        let input = document(operation, target.input.as_deref().unwrap_or("{}"));
        return input.map(drop);
    }
    let parts: Vec<&str> = target.arn.splitn(6, ':').collect();
    let ["arn", _, service, ..] = parts.as_slice() else {
        return Err(invalid(format!("Provided Arn is not in correct format. Arn: {}", target.arn)));
    };
    let missing = |member: &str| Err(invalid(format!("{member} must be provided for the target {}.", target.arn)));
    match *service {
        "events" if target.event_bridge_parameters.is_none() => missing("EventBridgeParameters"),
        "kinesis" if target.kinesis_parameters.is_none() => missing("KinesisParameters"),
        "lambda" | "sqs" | "sns" | "events" | "kinesis" => Ok(()),
        other => Err(Error::not_implemented(format!("{other} as the target of a schedule ({})", target.arn))),
    }
}

/// The call that invokes a target, with what it is told.
pub(super) fn call(target: &Target, scope: &Scope, caller: Caller, payload: String) -> Result<Call> {
    if target.arn.starts_with(UNIVERSAL) {
        return universal(target, scope, caller, &payload);
    }
    let parts: Vec<&str> = target.arn.splitn(6, ':').collect();
    let part = |place: usize| parts.get(place).copied().unwrap_or_default();
    let scope = Scope::new(scope.account.clone(), if part(3).is_empty() { &*scope.region } else { part(3) });
    let arn = &target.arn;
    let (service, operation, input) = match part(2) {
        "sqs" => ("sqs", "SendMessage", message(target, payload)),
        "sns" => ("sns", "Publish", json!({ "TopicArn": arn, "Message": payload })),
        "events" => {
            let told = target.event_bridge_parameters.as_ref();
            let mut entry = json!({ "Detail": payload, "EventBusName": arn });
            if let Some(EventBridgeParameters { detail_type, source }) = told {
                entry["DetailType"] = json!(detail_type);
                entry["Source"] = json!(source);
            }
            ("events", "PutEvents", json!({ "Entries": [entry] }))
        }
        "kinesis" => {
            let key = target.kinesis_parameters.as_ref().map(|parameters| &parameters.partition_key);
            let data = STANDARD.encode(payload);
            ("kinesis", "PutRecord", json!({ "StreamARN": arn, "PartitionKey": key, "Data": data }))
        }
        _ => {
            let input = json!({ "FunctionName": arn, "InvocationType": "Event" });
            return Ok(Call::new("lambda", "Invoke", caller, scope, input).with_body(payload));
        }
    };
    Ok(Call::new(service, operation, caller, scope, input))
}

fn message(target: &Target, body: String) -> Value {
    let mut input = json!({ "QueueUrl": url_of_arn(&target.arn), "MessageBody": body });
    if let Some(group) = target.sqs_parameters.as_ref().and_then(|parameters| parameters.message_group_id.as_ref()) {
        input["MessageGroupId"] = json!(group);
    }
    input
}

fn universal(target: &Target, scope: &Scope, caller: Caller, payload: &str) -> Result<Call> {
    let operation = operation(&target.arn)?;
    let text = if target.input.is_some() { payload } else { "{}" };
    let (input, body) = document(operation, text)?;
    Ok(Call::new(operation.service, operation.name, caller, scope.clone(), input).with_body(body))
}

/// The operation of a universal target: `arn:aws:scheduler:::aws-sdk:sqs:sendMessage`.
fn operation(arn: &str) -> Result<&'static OperationModel> {
    let rest = arn.strip_prefix(UNIVERSAL).unwrap_or_default();
    let (service, action) = rest.split_once(':').unwrap_or((rest, ""));
    if READING.iter().any(|word| action.starts_with(word)) {
        return Err(invalid(format!("The action {action} of {service} is not supported as the target of a schedule.")));
    }
    let name = NAMES.iter().find(|(alias, _)| *alias == service).map_or(service, |(_, name)| name);
    let model = Model::of(name)
        .ok_or_else(|| Error::not_implemented(format!("{service} as the target of a schedule ({arn})")))?;
    let found = model.operations().find(|operation| decapitalised(operation.name) == action);
    found.ok_or_else(|| {
        let mut name = action.to_owned();
        if let Some(first) = name.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        if model.only_names(&name) {
            return Error::not_implemented(format!("{service}:{action} as the target of a schedule ({arn})"));
        }
        invalid(format!("{arn} is not a valid target: {service} has no action {action}."))
    })
}

fn decapitalised(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
}

/// The text of an input as an operation's members, with what travels as the body of an HTTP request apart.
fn document(operation: &'static OperationModel, text: &str) -> Result<(Value, Bytes)> {
    let wrong = |what: &str| invalid(format!("The target's Input is invalid: {what}"));
    let value: Value = serde_json::from_str(text).map_err(|_| wrong("it is not a valid JSON document"))?;
    let Some(shape) = operation.input_shape() else { return Ok((json!({}), Bytes::new())) };
    let mut input = shaped(operation.model(), shape, &value, 0).map_err(|what| wrong(&what))?;
    let mut body = Bytes::new();
    if let Some(name) = shape.payload
        && let Some(member) = shape.structure().and_then(|structure| structure.member(name))
        && matches!(operation.model().shape(member.shape).kind, Kind::Blob)
        && let Some(payload) = input.as_object_mut().and_then(|members| members.remove(name))
    {
        body = payload.as_str().map_or_else(|| payload.to_string(), str::to_owned).into();
    }
    Ok((input, body))
}

/// Members go by the names of the SDK for Java, which begin with a capital whatever the service's own do.
fn shaped(model: &'static Model, shape: &'static Shape, value: &Value, depth: usize) -> Result<Value, String> {
    if depth > DEPTH {
        return Err(format!("it nests deeper than {DEPTH} levels"));
    }
    match (&shape.kind, value) {
        (Kind::Structure(structure), Value::Object(members)) => {
            let mut result = Map::new();
            for (name, value) in members {
                let member = structure.member(name).or_else(|| structure.member(&decapitalised(name)));
                let member = member.ok_or_else(|| format!("there is no parameter {name}"))?;
                result.insert(member.name.to_owned(), shaped(model, model.shape(member.shape), value, depth + 1)?);
            }
            Ok(Value::Object(result))
        }
        (Kind::List(member), Value::Array(items)) => {
            items.iter().map(|item| shaped(model, model.shape(member.shape), item, depth + 1)).collect()
        }
        (Kind::Map(_, member), Value::Object(members)) => {
            let of = |(name, value): (&String, &Value)| {
                Ok((name.clone(), shaped(model, model.shape(member.shape), value, depth + 1)?))
            };
            members.iter().map(of).collect::<Result<Map<_, _>, String>>().map(Value::Object)
        }
        (Kind::Structure(_) | Kind::Map(..), _) => Err(format!("{} is to be an object", shape.name)),
        (Kind::List(_), _) => Err(format!("{} is to be a list", shape.name)),
        (Kind::Timestamp, Value::String(text)) => timestamps::parse(text, TimestampFormat::Iso8601)
            .map(Value::from)
            .ok_or_else(|| format!("{text} is not a point in time")),
        (_, scalar) => Ok(scalar.clone()),
    }
}
