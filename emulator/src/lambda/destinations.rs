//! Where the ends of asynchronous invocations are told: destinations and dead-letter queues, called as the function's role.
//! <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html>

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Functions;
use super::configuration::{Configuration, DeadLetterConfig};
use super::functions::invalid;
use super::invoke::{Invocation, Outcome};
use crate::cloud::{Call, Caller, Cx};
use crate::sqs::url_of_arn;
use crate::{Error, Result};

/// The longest part of an error message in the attributes of a dead letter, in bytes.
/// <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html#invocation-dlq>
const MESSAGE_LIMIT: usize = 1024;

/// `DestinationConfig`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Destinations {
    #[serde(default)]
    pub on_success: Destination,
    #[serde(default)]
    pub on_failure: Destination,
}

/// The ARN of a queue, a topic, a function, an event bus or a bucket.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Destination {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    destination: Option<String>,
}

impl Destinations {
    /// Without those that are empty, which stand for none.
    pub fn given(self) -> Self {
        let given = |destination: Destination| Destination {
            destination: destination.destination.filter(|arn| !arn.is_empty()),
        };
        Self { on_success: given(self.on_success), on_failure: given(self.on_failure) }
    }
}

/// How an asynchronous invocation ended for good: `condition` of the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    Success,
    RetriesExhausted,
    EventAgeExceeded,
    /// Nothing may run, and nothing ever will.
    ZeroReservedConcurrency,
}

impl Condition {
    fn name(self) -> &'static str {
        match self {
            Self::Success => "Success",
            Self::RetriesExhausted => "RetriesExhausted",
            Self::EventAgeExceeded => "EventAgeExceeded",
            Self::ZeroReservedConcurrency => "ZeroReservedConcurrency",
        }
    }
}

/// Whether a function of this ARN may have these destinations. `is_there` tells whether one that is a function exists.
pub(super) fn check_destinations(
    destinations: &Destinations,
    function: &str,
    is_there: impl Fn(&str) -> bool,
) -> Result<()> {
    for (Destination { destination }, is_failure) in
        [(&destinations.on_success, false), (&destinations.on_failure, true)]
    {
        let Some(arn) = destination.as_deref().filter(|arn| !arn.is_empty()) else { continue };
        if arn == function || arn.strip_prefix(function).is_some_and(|rest| rest.starts_with(':')) {
            return Err(invalid("You can't specify the function as a destination for itself."));
        }
        match service_of(arn) {
            "sqs" | "sns" => {}
            "lambda" if is_there(arn) => {}
            "events" if arn.contains(":event-bus/") => {}
            "s3" if is_failure => {}
            "s3" => {
                return Err(Error::not_implemented(format!("destinations of successful invocations like {arn}")));
            }
            "lambda" => return Err(invalid(format!("The destination ARN {arn} is invalid."))),
            _ => {
                let told = |destination: &Destination, kind: &str| match destination.destination.as_deref() {
                    Some(arn) => format!("{kind}(destination={arn})"),
                    None => "null".to_owned(),
                };
                let success = told(&destinations.on_success, "OnSuccess");
                let failure = told(&destinations.on_failure, "OnFailure");
                return Err(invalid(format!(
                    "The provided destination config DestinationConfig(onSuccess={success}, onFailure={failure}) is invalid."
                )));
            }
        }
    }
    Ok(())
}

pub(super) fn check_dead_letters(config: Option<&DeadLetterConfig>) -> Result<()> {
    match config.and_then(|config| config.target_arn.as_deref()).filter(|arn| !arn.is_empty()) {
        Some(arn) if !matches!(service_of(arn), "sqs" | "sns") => {
            Err(invalid(format!("The provided target ARN is invalid: {arn} is neither a queue nor a topic.")))
        }
        _ => Ok(()),
    }
}

fn service_of(arn: &str) -> &str {
    arn.split(':').nth(2).unwrap_or_default()
}

/// Tells the destination and the dead-letter queue of an invocation that has ended for good. There is no outcome if it
/// never ran.
pub(super) fn tell(
    cx: &mut Cx<Functions>,
    invocation: &Invocation,
    request_id: &str,
    condition: Condition,
    outcome: Option<&Outcome>,
) -> Result<()> {
    let Some(function) = cx.state.functions.get(&invocation.function).cloned() else { return Ok(()) };
    let configuration = &function.configuration;
    let place = invocation.qualifier.as_deref().unwrap_or(super::qualifier::LATEST);
    let destinations =
        function.event_configs.get(place).map(|config| config.destination_config.clone()).unwrap_or_default();
    let is_success = condition == Condition::Success;
    let destination = if is_success { destinations.on_success } else { destinations.on_failure };
    if let Some(arn) = destination.destination {
        let record = record(cx, invocation, request_id, condition, outcome, configuration);
        if service_of(&arn) == "events" {
            put_event(cx, configuration, &arn, &record, is_success);
        } else if let Some(bucket) = bucket_of(&arn) {
            put_object(cx, configuration, bucket, &record);
        } else {
            send(cx, configuration, &arn, record.to_string(), None);
        }
    }
    let dead = configuration.dead_letter_config.as_ref().and_then(|config| config.target_arn.clone());
    if let Some(arn) = dead.filter(|_| !is_success) {
        let message = outcome.and_then(|outcome| outcome.value().get("errorMessage").and_then(Value::as_str).map(cut));
        let attributes = [
            ("RequestID", "String", request_id.to_owned()),
            ("ErrorCode", "Number", if outcome.is_some() { "200" } else { "429" }.to_owned()),
            ("ErrorMessage", "String", message.unwrap_or_else(|| "Rate Exceeded.".to_owned())),
        ];
        let attributes: serde_json::Map<String, Value> = attributes
            .into_iter()
            .map(|(name, kind, value)| (name.to_owned(), json!({ "DataType": kind, "StringValue": value })))
            .collect();
        send(cx, configuration, &arn, invocation.payload.to_string(), Some(attributes.into()));
    }
    Ok(())
}

fn cut(message: &str) -> String {
    let mut end = message.len().min(MESSAGE_LIMIT);
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    message.get(..end).unwrap_or_default().to_owned()
}

/// The record that a destination gets.
fn record(
    cx: &Cx<Functions>,
    invocation: &Invocation,
    request_id: &str,
    condition: Condition,
    outcome: Option<&Outcome>,
    configuration: &Configuration,
) -> Value {
    let place = invocation.qualifier.as_deref().unwrap_or(super::qualifier::LATEST);
    let mut record = json!({
        "version": "1.0",
        "timestamp": cx.now.to_iso_millis(),
        "requestContext": {
            "requestId": request_id,
            "functionArn": format!("{}:{place}", configuration.function_arn),
            "condition": condition.name(),
            "approximateInvokeCount": if outcome.is_some() { invocation.retries + 1 } else { invocation.retries },
        },
        "requestPayload": serde_json::from_str::<Value>(&invocation.payload).unwrap_or_default(),
    });
    if let Some(outcome) = outcome {
        let mut context = json!({ "statusCode": 200, "executedVersion": outcome.version });
        if outcome.error.is_some() {
            context["functionError"] = json!("Unhandled");
        }
        record["responseContext"] = context;
        record["responsePayload"] = outcome.value();
    }
    record
}

/// The function's role, in which destinations are told.
fn caller(cx: &Cx<Functions>, configuration: &Configuration, arn: &str) -> Option<Caller> {
    let name = &configuration.function_name;
    let session = cx.access().role_session(&configuration.role, name, super::PRINCIPAL);
    if session.is_none() {
        tracing::warn!(function = name, role = configuration.role, "no such role: {arn} is not told");
    }
    Some(Caller { source_arn: Some(configuration.function_arn.clone()), ..session? })
}

/// An event bus gets the record as an event.
/// <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html>
fn put_event(cx: &mut Cx<Functions>, configuration: &Configuration, bus: &str, record: &Value, is_success: bool) {
    let Some(caller) = caller(cx, configuration, bus) else { return };
    let entry = json!({
        "EventBusName": bus,
        "Source": "lambda",
        "DetailType": format!("Lambda Function Invocation Result - {}", if is_success { "Success" } else { "Failure" }),
        "Resources": [bus, record["requestContext"]["functionArn"]],
        "Detail": record.to_string(),
    });
    let call = Call::new("events", "PutEvents", caller, cx.scope.clone(), json!({ "Entries": [entry] }));
    cx.emit(call);
}

/// A bucket gets the record as an object.
fn put_object(cx: &mut Cx<Functions>, configuration: &Configuration, bucket: &str, record: &Value) {
    let Some(caller) = caller(cx, configuration, bucket) else { return };
    let folder = format!("async/{}", configuration.function_name);
    let call = object(cx, caller, bucket, &folder, record.to_string());
    cx.emit(call);
}

/// The bucket that an ARN names, if it names one.
pub(super) fn bucket_of(arn: &str) -> Option<&str> {
    arn.split_once(":s3:::").map(|(_, bucket)| bucket)
}

/// The call that leaves a record in a bucket, under a key that AWS's pages tell.
/// <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html#create-destination>
pub(super) fn object(cx: &mut Cx<Functions>, caller: Caller, bucket: &str, folder: &str, text: String) -> Call {
    let time = cx.now.to_iso_secs();
    let (day, clock) = time.trim_end_matches('Z').split_once('T').unwrap_or_default();
    let (days, clock) = (day.replace('-', "/"), clock.replace(':', "."));
    let key = format!("aws/lambda/{folder}/{days}/{day}T{clock}-{}", cx.ids().uuid());
    let input = json!({ "Bucket": bucket, "Key": key });
    Call::new("s3", "PutObject", caller, cx.scope.clone(), input).with_body(text)
}

fn send(cx: &mut Cx<Functions>, configuration: &Configuration, arn: &str, text: String, attributes: Option<Value>) {
    let Some(caller) = caller(cx, configuration, arn) else { return };
    if let Some(call) = call(cx, caller, arn, text, attributes) {
        cx.emit(call);
    }
}

fn call(cx: &Cx<Functions>, caller: Caller, arn: &str, text: String, attributes: Option<Value>) -> Option<Call> {
    let parts: Vec<&str> = arn.split(':').collect();
    let [_, _, _, region, _, _, ..] = parts.as_slice() else { return None };
    let scope = crate::cloud::Scope::new(cx.scope.account.clone(), *region);
    let with = |mut input: Value| {
        if let Some(attributes) = attributes {
            input["MessageAttributes"] = attributes;
        }
        input
    };
    Some(match service_of(arn) {
        "sqs" => {
            let input = with(json!({ "QueueUrl": url_of_arn(arn), "MessageBody": text }));
            Call::new("sqs", "SendMessage", caller, scope, input)
        }
        "sns" => Call::new("sns", "Publish", caller, scope, with(json!({ "TopicArn": arn, "Message": text }))),
        _ => {
            let input = json!({ "FunctionName": arn, "InvocationType": "Event" });
            Call::new("lambda", "Invoke", caller, scope, input).with_body(text)
        }
    })
}
