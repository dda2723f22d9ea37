//! `Publish` and `PublishBatch`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::deliver::{self, Delivery};
use super::errors::{because, check_arn, invalid};
use super::fifo::by_content;
use super::filter::Filter;
use super::message::{Attribute, Content, Forms, Kind, Message, SIZE_LIMIT, base, check_attributes};
use super::platform;
use super::protection;
use super::sms;
use super::topic::{Topic, Topics, find, on, subscriptions_of};
use crate::cloud::{Cx, Service, Target};
use crate::{Error, Result};

/// A batch has at most this many entries.
const MAX_ENTRIES: usize = 10;
/// The longest id of an entry.
const ID_LIMIT: usize = 80;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Topics>) -> Service<Topics> {
    service
        .op(
            "Publish",
            |at, i: &Publish| match (&i.topic_arn, &i.target_arn) {
                (Some(arn), _) | (None, Some(arn)) => on(at, arn),
                (None, None) => Target::any(),
            },
            publish,
        )
        .op("PublishBatch", |at, i: &PublishBatch| on(at, &i.topic_arn).action("sns:Publish"), publish_batch)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Publish {
    topic_arn: Option<String>,
    target_arn: Option<String>,
    phone_number: Option<String>,
    message: String,
    subject: Option<String>,
    message_structure: Option<String>,
    #[serde(default)]
    message_attributes: BTreeMap<String, Attribute>,
    message_deduplication_id: Option<String>,
    message_group_id: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Published {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    message_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence_number: Option<String>,
}

fn publish(cx: &mut Cx<Topics>, input: Publish) -> Result<Published> {
    let content = Content {
        id: None,
        message: input.message,
        subject: input.subject,
        message_structure: input.message_structure,
        message_attributes: input.message_attributes,
        message_deduplication_id: input.message_deduplication_id,
        message_group_id: input.message_group_id,
    };
    let arn = match (input.topic_arn, input.target_arn, input.phone_number) {
        (None, None, Some(number)) => {
            sms::check_number(&number)?;
            // The message goes nowhere; the trace has it.
            content.forms()?;
            check_attributes(&content.message_attributes)?;
            return Ok(Published { id: None, message_id: cx.ids().uuid(), sequence_number: None });
        }
        (Some(arn), None, None) => arn,
        (None, Some(arn), None) if arn.contains(":endpoint/") => {
            platform::check_target(cx, &arn)?;
            check_attributes(&content.message_attributes)?;
            if content.message.is_empty() {
                return Err(invalid("Empty message"));
            }
            return Ok(Published { id: None, message_id: cx.ids().uuid(), sequence_number: None });
        }
        (None, Some(arn), None) => arn,
        (None, None, None) => return Err(because("TopicArn or TargetArn", "no value for required parameter")),
        _ => return Err(because("TopicArn", "Only one of TopicArn, TargetArn and PhoneNumber may be given")),
    };
    check_arn("TopicArn", &arn)?;
    let topic = find(cx, &arn)?;
    let forms = content.forms()?;
    check_for_topic(&content, topic)?;
    check_attributes(&content.message_attributes)?;
    protection::check_message(topic, &forms)?;
    let mut batch = Batch::new(cx, &arn);
    let published = batch.take(cx, &content, &forms)?;
    batch.deliver(cx)?;
    Ok(published)
}

/// What a kind of topic demands.
fn check_for_topic(content: &Content, topic: &Topic) -> Result<()> {
    if topic.fifo.is_none() {
        return match &content.message_deduplication_id {
            Some(_) => Err(because(
                "MessageDeduplicationId",
                "The request includes MessageDeduplicationId parameter that is not valid for this topic type",
            )),
            None => Ok(()),
        };
    }
    if content.message_group_id.as_deref().is_none_or(str::is_empty) {
        return Err(invalid("The MessageGroupId parameter is required for FIFO topics"));
    }
    if content.message_deduplication_id.is_none() && !topic.has("ContentBasedDeduplication") {
        return Err(invalid(
            "The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
        ));
    }
    Ok(())
}

/// A subscription, and what it gets.
struct Recipient {
    arn: String,
    filter: Option<Filter>,
    deliveries: Vec<Delivery>,
}

/// Messages that are published at once. Each subscription gets its own in their order.
struct Batch {
    topic: String,
    base: String,
    recipients: Vec<Recipient>,
}

impl Batch {
    fn new(cx: &Cx<Topics>, topic: &str) -> Self {
        let wanting = subscriptions_of(cx.state, topic).filter(|(_, subscription)| !subscription.is_pending());
        let recipients = wanting.map(|(arn, subscription)| Recipient {
            arn: arn.clone(),
            filter: subscription.filter(),
            deliveries: Vec::new(),
        });
        Self { topic: topic.to_owned(), base: base(cx, topic), recipients: recipients.collect() }
    }

    /// Takes a message that fits its topic.
    fn take(&mut self, cx: &mut Cx<Topics>, content: &Content, forms: &Forms) -> Result<Published> {
        let (now, id) = (cx.now, cx.ids().uuid());
        let topic = find(cx, &self.topic)?;
        let signature_version = topic.signature_version().to_owned();
        let by_group = topic.attributes.get("FifoThroughputScope").is_some_and(|scope| scope == "MessageGroup");
        let mut deduplication = content.message_deduplication_id.clone();
        let mut sequence = None;
        if let Some(fifo) = &mut topic.fifo {
            let wanted = deduplication.get_or_insert_with(|| by_content(&content.message)).clone();
            let group = content.message_group_id.as_deref().filter(|_| by_group).unwrap_or_default();
            let key = format!("{group}/{wanted}");
            if let Some(before) = fifo.find(&key, now) {
                let (message_id, sequence_number) = (before.id, Some(before.sequence));
                return Ok(Published { id: content.id.clone(), message_id, sequence_number });
            }
            sequence = Some(fifo.remember(&key, &id, now));
        }
        let mut message = Message {
            id: id.clone(),
            kind: Kind::Notification,
            topic: self.topic.clone(),
            subject: content.subject.clone(),
            text: String::new(),
            attributes: content.message_attributes.clone(),
            timestamp: now.to_iso_millis(),
            group: content.message_group_id.clone(),
            deduplication,
            sequence: sequence.clone(),
            signature_version,
            trace: cx.caller.trace.clone(),
            base: self.base.clone(),
        };
        for recipient in &mut self.recipients {
            let Some(subscription) = cx.state.subscriptions.get(&recipient.arn) else { continue };
            forms.of(&subscription.protocol).clone_into(&mut message.text);
            if recipient.filter.as_ref().is_none_or(|filter| filter.wants(&message)) {
                let subscription = subscription.clone();
                let delivery = Delivery::new(cx, &recipient.arn, &subscription, message.clone());
                recipient.deliveries.push(delivery);
            }
        }
        Ok(Published { id: content.id.clone(), message_id: id, sequence_number: sequence })
    }

    fn deliver(self, cx: &mut Cx<Topics>) -> Result<()> {
        for recipient in self.recipients {
            deliver::send(cx, recipient.deliveries)?;
        }
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PublishBatch {
    topic_arn: String,
    #[serde(rename = "PublishBatchRequestEntries")]
    entries: Vec<Content>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Outcomes {
    successful: Vec<Published>,
    /// Always empty: what is wrong with an entry is wrong with the request.
    failed: Vec<Published>,
}

fn publish_batch(cx: &mut Cx<Topics>, input: PublishBatch) -> Result<Outcomes> {
    let PublishBatch { topic_arn, entries } = input;
    let topic = find(cx, &topic_arn)?;
    check_ids(&entries)?;
    if entries.iter().map(Content::size).sum::<usize>() > SIZE_LIMIT {
        let message = "The length of all the messages put together is more than the limit.";
        return Err(Error::client("BatchRequestTooLong", message));
    }
    // One bad entry fails the whole request, as recordings of AWS have it.
    let forms = entries.iter().map(Content::forms).collect::<Result<Vec<_>>>()?;
    for (content, forms) in entries.iter().zip(&forms) {
        check_for_topic(content, topic)?;
        check_attributes(&content.message_attributes)?;
        protection::check_message(topic, forms)?;
    }
    let mut batch = Batch::new(cx, &topic_arn);
    let mut successful = Vec::with_capacity(entries.len());
    for (content, forms) in entries.iter().zip(&forms) {
        successful.push(batch.take(cx, content, forms)?);
    }
    batch.deliver(cx)?;
    Ok(Outcomes { successful, failed: Vec::new() })
}

fn check_ids(entries: &[Content]) -> Result<()> {
    if entries.is_empty() {
        return Err(Error::client("EmptyBatchRequest", "The batch request doesn't contain any entries."));
    }
    if entries.len() > MAX_ENTRIES {
        let message = "The batch request contains more entries than permissible.";
        return Err(Error::client("TooManyEntriesInBatchRequest", message));
    }
    let mut seen = BTreeSet::new();
    for entry in entries {
        let id = entry.id.as_deref().unwrap_or_default();
        let what = if id.len() > ID_LIMIT {
            "is too long"
        } else if !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') {
            "contains an impermissible character"
        } else if id.is_empty() {
            "is empty"
        } else if !seen.insert(id) {
            let message = "Two or more batch entries in the request have the same Id.";
            return Err(Error::client("BatchEntryIdsNotDistinct", message));
        } else {
            continue;
        };
        let message = format!("The Id of a batch entry in the batch request {what}: {id}");
        return Err(Error::client("InvalidBatchEntryId", message));
    }
    Ok(())
}
