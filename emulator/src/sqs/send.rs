//! `SendMessage` and `SendMessageBatch`.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Queues;
use super::attributes::{MAX_DELAY, MAX_MESSAGE_SIZE};
use super::batch::{self, Outcomes};
use super::digest::{self, AttributeValue};
use super::errors::{invalid, invalid_value, missing};
use super::message::{Content, Message, sequence_number};
use super::queue::{Queue, announce, find_in, on, seconds};
use crate::cloud::{Cx, Ids, Service};
use crate::{Error, Result, Timestamp};

/// The longest message group id and deduplication id, in characters.
const MAX_ID: usize = 128;
/// The only system attribute that can be sent: the header of AWS X-Ray.
pub(crate) const TRACE_HEADER: &str = "AWSTraceHeader";

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Queues>) -> Service<Queues> {
    service.op("SendMessage", |at, i: &Entry| on(at, &i.queue_url), send).op(
        "SendMessageBatch",
        |at, i: &SendMessageBatch| on(at, &i.queue_url).action("sqs:SendMessage"),
        send_batch,
    )
}

/// A message to be sent: a request of its own, or an entry of a batch.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    /// Of a request of its own.
    #[serde(default)]
    queue_url: String,
    /// Of an entry of a batch.
    #[serde(default)]
    id: String,
    #[serde(default)]
    message_body: Option<Arc<str>>,
    delay_seconds: Option<i64>,
    #[serde(default)]
    message_attributes: BTreeMap<String, AttributeValue>,
    #[serde(default)]
    message_system_attributes: BTreeMap<String, AttributeValue>,
    message_deduplication_id: Option<Arc<str>>,
    message_group_id: Option<Arc<str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendMessageBatch {
    queue_url: String,
    entries: Vec<Entry>,
}

/// What is answered for a message that was sent.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Sent {
    #[serde(skip_serializing_if = "String::is_empty")]
    id: String,
    message_id: Arc<str>,
    #[serde(rename = "MD5OfMessageBody")]
    body_md5: Arc<str>,
    #[serde(rename = "MD5OfMessageAttributes", skip_serializing_if = "Option::is_none")]
    attributes_md5: Option<String>,
    #[serde(rename = "MD5OfMessageSystemAttributes", skip_serializing_if = "Option::is_none")]
    system_attributes_md5: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence_number: Option<String>,
}

fn send(cx: &mut Cx<Queues>, input: Entry) -> Result<Sent> {
    let (now, origin) = (cx.now, Origin::of(cx));
    let queue = find_in(cx.state, cx.scope, now, &input.queue_url)?;
    input.check(queue)?;
    let sent = input.put(queue, cx.ids, &origin, now);
    let arn = Arc::clone(&queue.arn);
    announce(cx, &arn);
    Ok(sent)
}

fn send_batch(cx: &mut Cx<Queues>, input: SendMessageBatch) -> Result<Outcomes<Sent>> {
    let (now, origin) = (cx.now, Origin::of(cx));
    let queue = find_in(cx.state, cx.scope, now, &input.queue_url)?;
    batch::check(&input.entries, |entry| &entry.id, "SendMessageBatchRequestEntry")?;
    check_length(&input.entries)?;
    if queue.is_fifo() {
        input.entries.iter().try_for_each(|entry| entry.check_fifo_of_batch(queue))?;
    }
    let outcomes = Outcomes::of(
        input.entries,
        |entry| &entry.id,
        |entry| {
            entry.check(queue).map_err(in_batch)?;
            Ok(entry.put(queue, cx.ids, &origin, now))
        },
    );
    let arn = Arc::clone(&queue.arn);
    announce(cx, &arn);
    Ok(outcomes)
}

/// Where messages come from.
struct Origin {
    /// `SenderId`: the account, the user's id, or the role's with the session.
    sender: Arc<str>,
    /// The trace of the request, of which a message is part that names none.
    trace: Option<AttributeValue>,
}

impl Origin {
    fn of(cx: &Cx<Queues>) -> Self {
        let trace = cx.caller.trace.clone().map(AttributeValue::string);
        Self { sender: cx.caller.principal.user_id().into(), trace }
    }
}

/// All messages of a batch together may be as long as one message.
fn check_length(entries: &[Entry]) -> Result<()> {
    let length: usize = entries.iter().map(Entry::size).sum();
    if length > MAX_MESSAGE_SIZE as usize {
        return Err(Error::client(
            "BatchRequestTooLong",
            format!("Batch requests cannot be longer than {MAX_MESSAGE_SIZE} bytes. You have sent {length} bytes."),
        ));
    }
    Ok(())
}

/// Some refusals are worded in another way within a batch.
fn in_batch(error: Error) -> Error {
    match error.message().strip_prefix("One or more parameters are invalid.") {
        Some(reason) => invalid(format!("One or more parameters cannot be validated.{reason}")),
        None => error,
    }
}

impl Entry {
    fn size(&self) -> usize {
        self.message_body.as_deref().map_or(0, str::len) + digest::size_of_attributes(&self.message_attributes)
    }

    fn check(&self, queue: &Queue) -> Result<()> {
        let body = self.message_body.as_deref().filter(|body| !body.is_empty());
        check_contents(body.ok_or_else(|| missing("MessageBody"))?)?;
        digest::check_attributes(&self.message_attributes)?;
        for (name, value) in &self.message_system_attributes {
            if name != TRACE_HEADER {
                return Err(invalid(format!("Message (system) attribute '{name}' is not supported.")));
            }
            digest::check_system_attribute(name, value)?;
        }
        let limit = queue.attributes.max_size;
        if self.size() > limit as usize {
            return Err(invalid(format!(
                "One or more parameters are invalid. Reason: Message must be shorter than {limit} bytes."
            )));
        }
        check_id("MessageGroupId", self.message_group_id.as_deref())?;
        check_id("MessageDeduplicationId", self.message_deduplication_id.as_deref())?;
        self.check_delay(queue)?;
        if queue.is_fifo() {
            if self.message_group_id.is_none() {
                return Err(missing("MessageGroupId"));
            }
            return self.check_deduplication(queue);
        }
        match &self.message_deduplication_id {
            Some(id) => Err(not_of_this_type(id, "MessageDeduplicationId")),
            None => Ok(()),
        }
    }

    fn check_delay(&self, queue: &Queue) -> Result<()> {
        let Some(delay) = self.delay_seconds else { return Ok(()) };
        if !(0..=i64::from(MAX_DELAY)).contains(&delay) {
            return Err(invalid_value(delay, "DelaySeconds", format!("DelaySeconds must be >= 0 and <= {MAX_DELAY}.")));
        }
        if queue.is_fifo() && delay > 0 {
            return Err(not_of_this_type(delay, "DelaySeconds"));
        }
        Ok(())
    }

    /// What a FIFO queue refuses a whole batch for.
    fn check_fifo_of_batch(&self, queue: &Queue) -> Result<()> {
        if self.message_group_id.is_none() {
            return Err(invalid("The request must contain the parameter MessageGroupId."));
        }
        self.check_deduplication(queue)
    }

    fn check_deduplication(&self, queue: &Queue) -> Result<()> {
        let by_content = queue.attributes.fifo.as_ref().is_some_and(|fifo| fifo.by_content);
        if self.message_deduplication_id.is_none() && !by_content {
            return Err(invalid(
                "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
            ));
        }
        Ok(())
    }

    /// Sends a message that was checked.
    fn put(self, queue: &mut Queue, ids: &mut Ids, origin: &Origin, now: Timestamp) -> Sent {
        let size = self.size();
        let body = self.message_body.unwrap_or_else(|| "".into());
        let by_group = queue.deduplicates_by_group(now);
        let scope = self.message_group_id.as_ref().filter(|_| by_group);
        let mut content = Content {
            id: "".into(),
            body_md5: digest::of_text(&body).into(),
            body,
            attributes: self.message_attributes,
            trace: self.message_system_attributes.into_values().next(),
            sender: Arc::clone(&origin.sender),
            group: self.message_group_id.clone(),
            deduplication: self.message_deduplication_id,
            sequence: None,
        };
        let mut sent = Sent {
            id: self.id,
            message_id: "".into(),
            body_md5: Arc::clone(&content.body_md5),
            attributes_md5: content.attributes_md5(),
            system_attributes_md5: content.trace.as_ref().map(digest::of_trace),
            sequence_number: None,
        };
        content.trace = content.trace.or_else(|| origin.trace.clone());
        if let Some(memory) = &mut queue.deduplication {
            let id = content.deduplication.get_or_insert_with(|| by_content(&content.body));
            if let Some(before) = memory.find(scope, id, now) {
                queue.meter.repeated(now);
                sent.message_id = before.message_id;
                sent.sequence_number = Some(sequence_number(before.sequence));
                return sent;
            }
            memory.sequence += 1;
            content.sequence = Some(memory.sequence);
            content.id = ids.uuid().into();
            memory.remember(scope, id, &content.id, memory.sequence, now);
        } else {
            content.id = ids.uuid().into();
        }
        queue.meter.sent(now, size);
        sent.message_id = Arc::clone(&content.id);
        sent.sequence_number = content.sequence_number();
        let delay = self.delay_seconds.filter(|_| content.sequence.is_none());
        let delay = delay.and_then(|delay| u32::try_from(delay).ok()).unwrap_or(queue.attributes.delay);
        queue.books.add(now, Message::new(Arc::new(content)), now, now + seconds(delay));
        sent
    }
}

/// The deduplication id of a message that has none: SHA-256 of its body, as AWS has it.
fn by_content(body: &str) -> Arc<str> {
    use sha2::{Digest, Sha256};
    hex::encode(Sha256::digest(body)).into()
}

fn not_of_this_type(value: impl std::fmt::Display, parameter: &str) -> Error {
    invalid_value(value, parameter, "The request include parameter that is not valid for this queue type.")
}

/// Letters, digits and punctuation of ASCII.
pub(super) fn check_id(parameter: &str, id: Option<&str>) -> Result<()> {
    let Some(id) = id else { return Ok(()) };
    if (1..=MAX_ID).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    let reason =
        format!("{parameter} can only include alphanumeric and punctuation characters. 1 to {MAX_ID} in length.");
    Err(invalid_value(id, parameter, reason))
}

/// Bodies are made of the characters of XML 1.0, whatever the protocol.
fn check_contents(body: &str) -> Result<()> {
    // Most bodies are ASCII, and looked at as bytes in a moment.
    let is_plain = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | 0x20..=0x7f);
    if body.as_bytes().iter().all(is_plain) || body.chars().all(is_allowed) {
        return Ok(());
    }
    Err(Error::client(
        "InvalidMessageContents",
        "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 \
         to #x10FFFF",
    ))
}

/// A character of XML 1.0.
pub(super) fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}')
}
