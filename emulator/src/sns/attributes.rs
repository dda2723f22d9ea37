//! The attributes of topics: `GetTopicAttributes` and `SetTopicAttributes`.
//! <https://docs.aws.amazon.com/sns/latest/api/API_SetTopicAttributes.html>

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::errors::{because, invalid};
use super::feedback;
use super::retry;
use super::topic::{Topic, Topics, default_policy, find, on, subscriptions_of};
use crate::cloud::{Cx, Service};
use crate::iam::policy::{Policy, Purpose};
use crate::{Error, Result};

/// The longest display name, in characters.
const DISPLAY_NAME_LIMIT: usize = 100;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Topics>) -> Service<Topics> {
    service.op("GetTopicAttributes", |at, i: &OfTopic| on(at, &i.topic_arn), get).op(
        "SetTopicAttributes",
        |at, i: &SetAttributes| on(at, &i.topic_arn),
        set_one,
    )
}

/// Which operation sets an attribute: their words differ.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum In {
    Creation,
    Change,
}

impl In {
    /// A value that is wrong.
    fn wrong(self, attribute: &str, reason: &str) -> Error {
        match self {
            Self::Creation => because("Attributes", format!("{attribute}: {reason}")),
            Self::Change => because(attribute, reason),
        }
    }
}

/// Sets one attribute of a topic.
pub(super) fn set(topic: &mut Topic, name: &str, value: &str, when: In) -> Result<()> {
    let flag = |value: &str| match value {
        "true" | "false" => Ok(()),
        _ => Err(when.wrong(name, &format!("Invalid value [{value}]. Must be true or false."))),
    };
    match name {
        "Policy" => {
            Policy::parse(value, Purpose::Resource)
                .map_err(|error| invalid(format!("Policy Error: {}", error.message())))?;
            topic.policy = value.into();
            return Ok(());
        }
        "DisplayName" if value.chars().count() > DISPLAY_NAME_LIMIT => return Err(invalid("DisplayName")),
        "DisplayName" | "KmsMasterKeyId" => {}
        "SignatureVersion" if !matches!(value, "1" | "2") => return Err(invalid("SignatureVersion")),
        "SignatureVersion" => {}
        "DeliveryPolicy" => {
            let kept = retry::read_topic_policy(value)?;
            match kept {
                Some(text) => topic.attributes.insert(name.to_owned(), text),
                None => topic.attributes.remove(name),
            };
            return Ok(());
        }
        "ContentBasedDeduplication" | "FifoThroughputScope" if topic.fifo.is_none() => {
            return Err(match when {
                In::Creation => because("Attributes", format!("{name} attribute is only supported for FIFO topics")),
                In::Change => invalid("AttributeName"),
            });
        }
        "ContentBasedDeduplication" => flag(value)?,
        "FifoThroughputScope" if !matches!(value, "Topic" | "MessageGroup") => return Err(invalid(name)),
        "FifoThroughputScope" => {}
        "TracingConfig" if value == "PassThrough" => {}
        "TracingConfig" | "ArchivePolicy" => {
            return Err(Error::not_implemented(format!("the topic attribute {name} with the value {value}")));
        }
        name if feedback::check(name, value) == Some(false) => return Err(invalid(name)),
        name if feedback::check(name, value) == Some(true) => {}
        name if name.contains("FeedbackRoleArn") || name.ends_with("FeedbackSampleRate") => {
            return Err(Error::not_implemented(format!("the topic attribute {name}: its deliveries go nowhere")));
        }
        _ if when == In::Creation => return Err(because("Attributes", format!("Unknown attribute {name}"))),
        _ => return Err(invalid("AttributeName")),
    }
    topic.attributes.insert(name.to_owned(), value.to_owned());
    Ok(())
}

/// What a topic has that is created again, as far as the caller says.
pub(super) fn check_same(topic: &Topic, given: &OrdMap<String, String>) -> Result<()> {
    let same = |(name, value): (&String, &String)| match name.as_str() {
        "FifoTopic" => (value == "true") == topic.fifo.is_some(),
        "Policy" => **value == *topic.policy,
        "SignatureVersion" => value == topic.signature_version(),
        "ContentBasedDeduplication" => (value == "true") == topic.has(name),
        _ => topic.attributes.get(name).map_or("", String::as_str) == value,
    };
    match given.iter().all(same) {
        true => Ok(()),
        false => Err(because("Attributes", "Topic already exists with different attributes")),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfTopic {
    topic_arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Attributes {
    attributes: OrdMap<String, String>,
}

fn get(cx: &mut Cx<Topics>, input: OfTopic) -> Result<Attributes> {
    let arn = input.topic_arn;
    let topic = find(cx, &arn)?.clone();
    let (mut confirmed, mut pending) = (0_u64, 0_u64);
    for (_, subscription) in subscriptions_of(cx.state, &arn) {
        if subscription.is_pending() { pending += 1 } else { confirmed += 1 }
    }
    let effective = retry::effective_of_topic(topic.attributes.get("DeliveryPolicy").map(String::as_str));
    let mut attributes = topic.attributes.clone();
    let mut put = |name: &str, value: String| {
        attributes.insert(name.to_owned(), value);
    };
    if topic.fifo.is_some() {
        put("FifoTopic", "true".to_owned());
        put("ContentBasedDeduplication", topic.has("ContentBasedDeduplication").to_string());
    }
    put("TopicArn", arn);
    put("Owner", topic.owner.to_string());
    put("Policy", topic.policy.to_string());
    put("EffectiveDeliveryPolicy", effective);
    put("SubscriptionsConfirmed", confirmed.to_string());
    put("SubscriptionsPending", pending.to_string());
    put("SubscriptionsDeleted", topic.deleted.to_string());
    attributes.entry("DisplayName".to_owned()).or_default();
    Ok(Attributes { attributes })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SetAttributes {
    topic_arn: String,
    attribute_name: String,
    #[serde(default)]
    attribute_value: String,
}

fn set_one(cx: &mut Cx<Topics>, input: SetAttributes) -> Result<()> {
    let topic = find(cx, &input.topic_arn)?;
    if input.attribute_name == "Policy" && input.attribute_value.is_empty() {
        topic.policy = default_policy(&input.topic_arn, &topic.owner).into();
        return Ok(());
    }
    set(topic, &input.attribute_name, &input.attribute_value, In::Change)
}
