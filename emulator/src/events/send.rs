//! One attempt at a delivery, to each kind of target.
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::deliver::{Delivery, Failure, GivenUp};
use super::input::at_path;
use crate::cloud::{Call, Caller, Cloud, Scope};
use crate::sqs::url_of_arn;
use crate::{Error, Timestamp};

/// Makes an attempt.
pub(super) async fn send(cloud: &Cloud, delivery: &Delivery) -> Result<(), Failure> {
    let failure = |error: Error| Failure {
        // A lack of permission and a target that is gone do not mend themselves.
        retryable: !error.is_client_fault() || error.status() == 429 || error.code().contains("Throttl"),
        code: error.code().to_owned(),
        message: error.message().to_owned(),
    };
    if let Some(given_up) = &delivery.given_up {
        return cloud.call(to_dead_letters(delivery, given_up)).await.map(drop).map_err(failure);
    }
    let caller = caller(cloud, delivery).map_err(failure)?;
    if delivery.target.arn.split(':').nth(2) == Some("logs") {
        return to_logs(cloud, delivery, caller).await.map_err(failure);
    }
    let answer = cloud.call(call(delivery, caller)).await.map_err(failure)?;
    // A bus that refuses an event says so in its answer.
    match answer.output["Entries"][0]["ErrorCode"].as_str().filter(|_| delivery.target.arn.contains(":event-bus/")) {
        Some(code) => Err(Failure {
            code: code.to_owned(),
            message: answer.output["Entries"][0]["ErrorMessage"].as_str().unwrap_or_default().to_owned(),
            retryable: false,
        }),
        None => Ok(()),
    }
}

/// As EventBridge calls on behalf of a rule, or as the role that the target names.
fn caller(cloud: &Cloud, delivery: &Delivery) -> Result<Caller, Error> {
    let service = Caller::service(super::PRINCIPAL);
    let caller = match &delivery.target.role_arn {
        None => service,
        Some(role) => {
            let session = delivery.id.replace('-', "");
            let found = cloud.0.access(&service).role_session(role, &session, super::PRINCIPAL);
            found.ok_or_else(|| {
                let message = format!("{} may not assume the role {role}", super::PRINCIPAL);
                Error::new(403, "AccessDeniedException", message)
            })?
        }
    };
    Ok(Caller { source_arn: Some(delivery.rule_arn.clone()), ..caller })
}

fn call(delivery: &Delivery, caller: Caller) -> Call {
    let (target, arn, payload) = (&delivery.target, &delivery.target.arn, &delivery.payload);
    let scope = Scope::of_arn(arn);
    match arn.split(':').nth(2).unwrap_or_default() {
        "sqs" => {
            let mut input = json!({ "QueueUrl": url_of_arn(arn), "MessageBody": payload });
            let group = target.sqs_parameters.as_ref().and_then(|parameters| parameters.message_group_id.as_ref());
            if let Some(group) = group {
                input["MessageGroupId"] = group.as_str().into();
            }
            Call::new("sqs", "SendMessage", caller, scope, input)
        }
        "sns" => Call::new("sns", "Publish", caller, scope, json!({ "TopicArn": arn, "Message": payload })),
        "kinesis" => {
            let path = target.kinesis_parameters.as_ref().map(|parameters| parameters.partition_key_path.as_str());
            let key = path.and_then(|path| at_path(&delivery.event, path));
            let key = key.map_or_else(|| delivery.event["id"].clone(), Value::clone);
            let key = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
            let stream = arn.rsplit('/').next().unwrap_or_default();
            let input = json!({ "StreamName": stream, "Data": STANDARD.encode(payload), "PartitionKey": key });
            Call::new("kinesis", "PutRecord", caller, scope, input)
        }
        "events" => {
            let event = &delivery.event;
            let time = event["time"].as_str().and_then(|time| time.parse::<Timestamp>().ok());
            let entry = json!({
                "EventBusName": arn,
                "Time": time.map(Timestamp::millis),
                "Source": event["source"],
                "DetailType": event["detail-type"],
                "Resources": event["resources"],
                "Detail": event["detail"].to_string(),
            });
            // The event stays one of the account and region in which it happened.
            Call::new("events", "PutEvents", caller, delivery.home.clone(), json!({ "Entries": [entry] }))
        }
        _ => {
            let input = json!({ "FunctionName": arn, "InvocationType": "Event" });
            Call::new("lambda", "Invoke", caller, scope, input).with_body(payload.clone())
        }
    }
}

/// Each event gets a log stream of its own.
async fn to_logs(cloud: &Cloud, delivery: &Delivery, caller: Caller) -> Result<(), Error> {
    let arn = &delivery.target.arn;
    let (scope, group) = (Scope::of_arn(arn), arn.splitn(7, ':').nth(6).unwrap_or_default().trim_end_matches(":*"));
    let stream = json!({ "logGroupName": group, "logStreamName": delivery.id });
    cloud.call(Call::new("logs", "CreateLogStream", caller.clone(), scope.clone(), stream)).await?;
    let events = json!({
        "logGroupName": group,
        "logStreamName": delivery.id,
        "logEvents": [{ "timestamp": cloud.now().millis(), "message": delivery.payload }],
    });
    cloud.call(Call::new("logs", "PutLogEvents", caller, scope, events)).await.map(drop)
}

/// The event itself, and in attributes why it is here.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html>
fn to_dead_letters(delivery: &Delivery, given_up: &GivenUp) -> Call {
    let config = delivery.target.dead_letter_config.as_ref();
    let queue = config.and_then(|config| config.arn.as_deref()).unwrap_or_default();
    let text = |value: &str| json!({ "DataType": "String", "StringValue": value });
    let mut attributes = json!({
        "RULE_ARN": text(&delivery.rule_arn),
        "TARGET_ARN": text(&delivery.target.arn),
        "ERROR_CODE": text(&given_up.code),
        "ERROR_MESSAGE": text(if given_up.message.is_empty() { "none" } else { &given_up.message }),
        "RETRY_ATTEMPTS": { "DataType": "Number", "StringValue": (delivery.attempt - 1).to_string() },
    });
    if let Some(exhausted) = &given_up.exhausted {
        attributes["EXHAUSTED_RETRY_CONDITION"] = text(exhausted);
    }
    let input = json!({
        "QueueUrl": url_of_arn(queue),
        "MessageBody": delivery.event.to_string(),
        "MessageAttributes": attributes,
    });
    let caller = Caller { source_arn: Some(delivery.rule_arn.clone()), ..Caller::service(super::PRINCIPAL) };
    Call::new("sqs", "SendMessage", caller, Scope::of_arn(queue), input)
}
