//! What a message looks like to who receives it.
//! <https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html>

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::message::{Kind, Message};
use super::signature::{certificate_url, sign};

/// What stands in a URL as it is: an ARN does.
const IN_URL: &AsciiSet = &NON_ALPHANUMERIC.remove(b':').remove(b'-').remove(b'_').remove(b'.').remove(b'/');

/// `SubscribeURL`.
pub(super) fn subscribe_url(message: &Message, token: &str) -> String {
    let topic = utf8_percent_encode(&message.topic, IN_URL);
    format!("{}/?Action=ConfirmSubscription&TopicArn={topic}&Token={token}", message.base)
}

fn unsubscribe_url(message: &Message, subscription: &str) -> String {
    let subscription = utf8_percent_encode(subscription, IN_URL);
    format!("{}/?Action=Unsubscribe&SubscriptionArn={subscription}", message.base)
}

/// `Type`, and the header of the same meaning.
pub(super) fn kind(message: &Message) -> &'static str {
    match message.kind {
        Kind::Notification => "Notification",
        Kind::Confirmation { .. } => "SubscriptionConfirmation",
        Kind::Farewell { .. } => "UnsubscribeConfirmation",
    }
}

/// The JSON that queues and HTTP endpoints get, spaced as AWS spaces it.
pub(super) fn json(message: &Message, subscription: &str) -> String {
    let mut members: Vec<(&str, String)> = vec![("Type", kind(message).to_owned()), ("MessageId", message.id.clone())];
    members.extend(message.kind.token().map(|token| ("Token", token.to_owned())));
    members.extend(message.sequence.clone().map(|sequence| ("SequenceNumber", sequence)));
    members.push(("TopicArn", message.topic.clone()));
    members.extend(message.subject.clone().map(|subject| ("Subject", subject)));
    members.push(("Message", message.text.clone()));
    members.extend(message.kind.token().map(|token| ("SubscribeURL", subscribe_url(message, token))));
    members.push(("Timestamp", message.timestamp.clone()));
    // FIFO topics do not sign.
    if message.sequence.is_none() {
        members.push(("SignatureVersion", message.signature_version.clone()));
        members.push(("Signature", sign(message)));
        members.push(("SigningCertURL", certificate_url(message)));
    }
    if message.kind == Kind::Notification {
        members.push(("UnsubscribeURL", unsubscribe_url(message, subscription)));
    }
    let mut lines: Vec<String> =
        members.into_iter().map(|(name, value)| format!("  \"{name}\" : {}", Value::from(value))).collect();
    if !message.attributes.is_empty() {
        let attributes = message.attributes.iter().map(|(name, attribute)| {
            let value = json!({ "Type": attribute.data_type, "Value": attribute.text() });
            format!("    {} : {value}", Value::from(name.as_str()))
        });
        let attributes = attributes.collect::<Vec<_>>().join(",\n");
        lines.push(format!("  \"MessageAttributes\" : {{\n{attributes}\n  }}"));
    }
    format!("{{\n{}\n}}", lines.join(",\n"))
}

/// The event that functions get.
/// <https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html>
pub(super) fn event(message: &Message, subscription: &str) -> String {
    let attributes: Map<String, Value> = message
        .attributes
        .iter()
        .map(|(name, attribute)| (name.clone(), json!({ "Type": attribute.data_type, "Value": attribute.text() })))
        .collect();
    json!({
        "Records": [{
            "EventSource": "aws:sns",
            "EventVersion": "1.0",
            "EventSubscriptionArn": subscription,
            "Sns": {
                "Type": kind(message),
                "MessageId": message.id,
                "TopicArn": message.topic,
                "Subject": message.subject,
                "Message": message.text,
                "Timestamp": message.timestamp,
                // Always 1, whatever the signature is made by: so AWS has it.
                "SignatureVersion": "1",
                "Signature": sign(message),
                "SigningCertUrl": certificate_url(message),
                "UnsubscribeUrl": unsubscribe_url(message, subscription),
                "MessageAttributes": attributes,
            },
        }]
    })
    .to_string()
}
