//! Delivery status logging: what became of deliveries, as lines in CloudWatch Logs.
//! <https://docs.aws.amazon.com/sns/latest/dg/sns-topic-attributes.html>

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::deliver::Delivery;
use super::topic::{Topic, Topics};
use crate::cloud::{Call, Cx, Scope};

/// The protocols of which deliveries can be logged here, as attributes and as subscriptions name them. Those to devices and
/// delivery streams go nowhere.
const PROTOCOLS: [(&str, &[&str]); 3] = [("HTTP", &["http", "https"]), ("Lambda", &["lambda"]), ("SQS", &["sqs"])];
const SUCCESS_ROLE: &str = "SuccessFeedbackRoleArn";
const SUCCESS_RATE: &str = "SuccessFeedbackSampleRate";
const FAILURE_ROLE: &str = "FailureFeedbackRoleArn";

/// What of the deliveries to a subscription is logged.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Feedback {
    /// The role that writes of successes, and of how many in a hundred.
    success: Option<String>,
    rate: u64,
    /// The role that writes of failures.
    failure: Option<String>,
}

/// What a receiver answered.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Answer {
    /// None where there was no answer.
    pub status: Option<u16>,
    pub text: String,
}

/// Whether a topic's attribute is one of these; and then whether its value is one that it can have.
pub(super) fn check(name: &str, value: &str) -> Option<bool> {
    let (_, kind) = PROTOCOLS.iter().find_map(|(prefix, _)| Some((prefix, name.strip_prefix(prefix)?)))?;
    match kind {
        SUCCESS_ROLE | FAILURE_ROLE => Some(value.is_empty() || value.starts_with("arn:") && value.contains(":role/")),
        SUCCESS_RATE => Some(value.parse::<u8>().is_ok_and(|rate| rate <= 100)),
        _ => None,
    }
}

impl Feedback {
    /// What a topic wants to know of the deliveries by a protocol.
    pub fn of(topic: &Topic, protocol: &str) -> Option<Self> {
        let (prefix, _) = PROTOCOLS.iter().find(|(_, protocols)| protocols.contains(&protocol))?;
        let get = |kind: &str| {
            let value = topic.attributes.get(&format!("{prefix}{kind}"))?;
            Some(value.clone()).filter(|value| !value.is_empty())
        };
        let rate = get(SUCCESS_RATE).and_then(|rate| rate.parse().ok()).unwrap_or(0);
        let feedback = Self { success: get(SUCCESS_ROLE).filter(|_| rate > 0), rate, failure: get(FAILURE_ROLE) };
        (feedback.success.is_some() || feedback.failure.is_some()).then_some(feedback)
    }
}

/// Logs the end of a delivery, if its topic wants it.
pub(super) fn log(cx: &mut Cx<Topics>, delivery: &Delivery, answer: &Answer, succeeded: bool) {
    let Some(feedback) = delivery.feedback.as_ref().filter(|_| !delivery.is_dead) else { return };
    let role = if succeeded {
        let is_chosen = feedback.rate >= 100 || cx.ids().below(100) < feedback.rate;
        feedback.success.as_ref().filter(|_| is_chosen)
    } else {
        feedback.failure.as_ref()
    };
    let Some(role) = role else { return };
    let topic = &delivery.message.topic;
    let Some(caller) = cx.access().role_session(role, "SNSFeedback", super::PRINCIPAL) else {
        tracing::warn!(topic, role, "SNS may not assume the role: what became of a delivery is not logged");
        return;
    };
    let home = Scope::of_arn(topic);
    let name = topic.rsplit(':').next().unwrap_or_default();
    let (end, status) = if succeeded { ("", "SUCCESS") } else { ("/Failure", "FAILURE") };
    let group = format!("sns/{}/{}/{name}{end}", home.region, home.account);
    let stream = hex::encode(md5_many::md5(group.as_bytes()));
    let line = line(cx, delivery, answer, status).to_string();
    let event = json!([{ "timestamp": cx.now, "message": line }]);
    let of_stream = json!({ "logGroupName": group, "logStreamName": stream });
    let put = json!({ "logGroupName": group, "logStreamName": stream, "logEvents": event });
    let call = |operation: &str, input| Call::new("logs", operation, caller.clone(), home.clone(), input);
    cx.emit_in_order(vec![
        call("CreateLogGroup", json!({ "logGroupName": group })),
        call("CreateLogStream", of_stream),
        call("PutLogEvents", put),
    ]);
}

fn line(cx: &mut Cx<Topics>, delivery: &Delivery, answer: &Answer, status: &str) -> Value {
    let request = cx.ids().uuid();
    let provider = match (delivery.protocol.as_str(), answer.status) {
        ("lambda", Some(200..=299)) => json!({ "lambdaRequestId": request }).to_string(),
        ("sqs", Some(200..=299)) => json!({ "sqsRequestId": request, "sqsMessageId": answer.text }).to_string(),
        _ => answer.text.clone(),
    };
    let mut told = json!({
        "notification": {
            "messageMD5Sum": hex::encode(md5_many::md5(delivery.message.text.as_bytes())),
            "messageId": delivery.message.id,
            "topicArn": delivery.message.topic,
            "timestamp": delivery.created.to_jiff().strftime("%Y-%m-%d %H:%M:%S.%3f").to_string(),
        },
        "delivery": {
            "deliveryId": delivery.id,
            "destination": delivery.endpoint,
            "providerResponse": provider,
            "dwellTimeMs": cx.now.since(delivery.created).as_millis() as u64,
        },
        "status": status,
    });
    if let Some(status) = answer.status {
        told["delivery"]["statusCode"] = status.into();
    }
    told
}
