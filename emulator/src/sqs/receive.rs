//! `ReceiveMessage`: what is visible, now or within the time that the caller waits.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Queues;
use super::attributes::{MAX_VISIBILITY, MAX_WAIT};
use super::books::Key;
use super::digest::{self, AttributeValue};
use super::errors::{invalid_value, unknown_attribute};
use super::handle::Handle;
use super::message::Message;
use super::queue::{Queue, announce, find_in, on, seconds, watch};
use super::send::{TRACE_HEADER, check_id};
use crate::cloud::{Cx, Ids, Later, Service, Step};
use crate::{Error, Result, Timestamp};

/// The most messages that one request answers with.
const MAX_MESSAGES: i64 = 10;
/// The most messages that may be in flight, of a standard and of a FIFO queue alike.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-fifo.html>
const MAX_IN_FLIGHT: usize = 120_000;
/// How far a queue that reorders looks for a message.
const REORDER_WINDOW: usize = 10;

/// Adds the operation of this file.
pub(super) fn operations(service: Service<Queues>) -> Service<Queues> {
    service.waiting_op("ReceiveMessage", |at, i: &ReceiveMessage| on(at, &i.queue_url), receive)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ReceiveMessage {
    queue_url: String,
    /// The old name of `message_system_attribute_names`.
    #[serde(default)]
    attribute_names: Vec<String>,
    #[serde(default)]
    message_system_attribute_names: Vec<String>,
    #[serde(default)]
    message_attribute_names: Vec<String>,
    max_number_of_messages: Option<i64>,
    visibility_timeout: Option<i64>,
    wait_time_seconds: Option<i64>,
    receive_request_attempt_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Received {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    messages: Vec<Delivery>,
}

/// A message as it is answered.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Delivery {
    message_id: Arc<str>,
    receipt_handle: String,
    #[serde(rename = "MD5OfBody")]
    body_md5: Arc<str>,
    body: Arc<str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    attributes: BTreeMap<&'static str, String>,
    #[serde(rename = "MD5OfMessageAttributes", skip_serializing_if = "Option::is_none")]
    attributes_md5: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    message_attributes: BTreeMap<String, AttributeValue>,
}

/// What a request asks for, checked.
struct Wanted {
    count: usize,
    visibility: u32,
    wait: u32,
}

fn receive(cx: &mut Cx<Queues>, input: &ReceiveMessage) -> Result<Step<Received>> {
    let now = cx.now;
    let queue = find_in(cx.state, cx.scope, now, &input.queue_url)?;
    let arn = Arc::clone(&queue.arn);
    let wanted = input.check(queue)?;
    let mut dead = Vec::new();
    let attempt = input.receive_request_attempt_id.as_deref().filter(|_| queue.is_fifo());
    let until = now + seconds(wanted.visibility);
    let keys = match attempt.and_then(|id| repeat(queue, id, until, now)) {
        Some(keys) => keys,
        None => {
            let target = dead_letter_queue(cx.state, &arn);
            let queue = cx.state.get_mut(&arn)?;
            let keys = take(queue, cx.ids, &wanted, target.as_ref().map(|(_, max)| *max), &mut dead, now)?;
            bury(cx, target, dead, &arn);
            keys
        }
    };
    let queue = cx.state.get_mut(&arn)?;
    if let Some(id) = attempt.filter(|_| !keys.is_empty()) {
        let taken = keys.iter().filter_map(|key| Some((*key, queue.books.get(*key)?.receives))).collect();
        if let Some(memory) = &mut queue.deduplication {
            memory.remember_attempt(id, taken, now);
        }
    }
    let messages: Vec<_> =
        keys.iter().filter_map(|key| Some(input.deliver(queue, *key, queue.books.get(*key)?))).collect();
    watch(cx, &arn);
    let queue = cx.state.get_mut(&arn)?;
    if !messages.is_empty() {
        queue.meter.received(now, messages.len());
        return Ok(Step::Done(Received { messages }));
    }
    wait(queue, &wanted, cx.resumed, now)
}

/// Nothing is there: the caller waits for a signal, for what becomes visible by itself, or for the end of its patience.
fn wait(
    queue: &mut Queue,
    wanted: &Wanted,
    resumed: Option<&crate::cloud::Resumed>,
    now: Timestamp,
) -> Result<Step<Received>> {
    let deadline = match resumed {
        Some(resumed) => Timestamp::from_millis(resumed.token.parse().map_err(Error::internal)?),
        None => now + seconds(wanted.wait),
    };
    if deadline <= now {
        queue.meter.received(now, 0);
        return Ok(Step::Done(Received { messages: Vec::new() }));
    }
    let until = queue.books.next_due().map_or(deadline, |due| due.min(deadline));
    Ok(Step::Later(Later { signal: queue.signal(), until: Some(until), token: deadline.millis().to_string() }))
}

/// The dead-letter queue of a queue, if there is one that takes its messages, and how many receives a message may have.
fn dead_letter_queue(state: &Queues, arn: &str) -> Option<(Arc<str>, u32)> {
    let queue = state.queues.get(arn)?;
    let policy = queue.attributes.redrive.as_ref()?;
    let target = state.queues.get(policy.target.as_str())?;
    let allowed = target.attributes.allow.as_ref().is_none_or(|allow| allow.allows(arn));
    (allowed && target.is_fifo() == queue.is_fifo()).then(|| (Arc::clone(&target.arn), policy.max_receives))
}

/// The dead are moved to the dead-letter queue.
fn bury(cx: &mut Cx<Queues>, target: Option<(Arc<str>, u32)>, dead: Vec<(Key, Message)>, source: &Arc<str>) {
    let now = cx.now;
    let Some(queue) = target.and_then(|(arn, _)| cx.state.queues.get_mut(&arn)) else { return };
    if dead.is_empty() {
        return;
    }
    for (key, message) in dead {
        queue.bury(key, message, source, now);
    }
    let arn = Arc::clone(&queue.arn);
    announce(cx, &arn);
}

/// Answers again what the first receive of this attempt was answered, as long as all of it is in flight by that receive.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-receiverequestattemptid-request-parameter.html>
fn repeat(queue: &mut Queue, attempt: &str, until: Timestamp, now: Timestamp) -> Option<Vec<Key>> {
    let taken = queue.deduplication.as_mut()?.attempt(attempt, now)?;
    let is_held = |(key, receive): &(Key, u32)| {
        queue.books.get(*key).is_some_and(|message| message.receives == *receive && message.is_in_flight())
    };
    if !taken.iter().all(is_held) {
        return None;
    }
    Some(taken.into_iter().map(|(key, _)| key).filter(|key| queue.books.postpone(*key, until)).collect())
}

/// Takes what is visible into flight. What was received too often is dead, and goes to `dead` instead.
fn take(
    queue: &mut Queue,
    ids: &mut Ids,
    wanted: &Wanted,
    max_receives: Option<u32>,
    dead: &mut Vec<(Key, Message)>,
    now: Timestamp,
) -> Result<Vec<Key>> {
    let room = MAX_IN_FLIGHT.saturating_sub(queue.books.counts().in_flight);
    if room == 0 && !queue.is_fifo() && wanted.wait == 0 {
        // Who polls long, or a FIFO queue, is answered with nothing instead.
        return Err(Error::new(
            403,
            "OverLimit",
            format!("The maximum number of in flight messages is reached: {MAX_IN_FLIGHT}."),
        ));
    }
    let until = now + seconds(wanted.visibility);
    let mut keys = Vec::new();
    let mut turn = None;
    while keys.len() < wanted.count.min(room) {
        let Some(key) = next(queue, ids, &mut turn) else { break };
        let Some(message) = queue.books.get(key) else { break };
        if max_receives.is_some_and(|max| message.receives >= max) {
            dead.extend(queue.books.remove(key).map(|message| (key, message)));
            continue;
        }
        queue.books.take(key, now, until);
        keys.push(key);
    }
    if queue.quirks.duplicate {
        for key in &keys {
            let first = queue.books.get(*key).filter(|message| message.receives == 1 && !message.is_copy);
            if let Some(content) = first.map(|message| Arc::clone(&message.content)) {
                queue.books.copy(*key, content, now);
            }
        }
    }
    Ok(keys)
}

/// The group that a receive takes messages of, and the message in flight that it must not go beyond.
type Turn = Option<(Arc<str>, Option<Key>)>;

/// Which of the visible messages is next: the oldest, unless the queue is to reorder; of a FIFO queue as many as possible of
/// one group, then of the next.
fn next(queue: &Queue, ids: &mut Ids, turn: &mut Turn) -> Option<Key> {
    let Some(groups) = queue.books.groups() else {
        let window = if queue.quirks.reorder { queue.books.counts().visible.min(REORDER_WINDOW) } else { 1 };
        let nth = if window > 1 { ids.below(window as u64) } else { 0 };
        return queue.books.next(usize::try_from(nth).unwrap_or(0));
    };
    if let Some((group, barrier)) = turn
        && let Some(key) = groups.next_in(group, *barrier)
    {
        return Some(key);
    }
    let (group, key, barrier) = groups.next()?;
    *turn = Some((group, barrier));
    Some(key)
}

impl ReceiveMessage {
    fn check(&self, queue: &Queue) -> Result<Wanted> {
        let count = self.max_number_of_messages.unwrap_or(1);
        if !(1..=MAX_MESSAGES).contains(&count) {
            let reason = format!("Must be between 1 and {MAX_MESSAGES}, if provided.");
            return Err(invalid_value(count, "MaxNumberOfMessages", reason));
        }
        if queue.is_fifo() {
            check_id("ReceiveRequestAttemptId", self.receive_request_attempt_id.as_deref())?;
        }
        let attributes = &queue.attributes;
        let within = |value: Option<i64>, default: u32, max: u32, name: &str| match value {
            None => Ok(default),
            Some(value) => u32::try_from(value)
                .ok()
                .filter(|value| *value <= max)
                .ok_or_else(|| invalid_value(value, name, format!("Must be >= 0 and <= {max}, if provided."))),
        };
        let names = self.attribute_names.iter().chain(&self.message_system_attribute_names);
        if let Some(name) = names.into_iter().find(|name| !is_known(name)) {
            return Err(unknown_attribute(name));
        }
        Ok(Wanted {
            count: usize::try_from(count).unwrap_or(1),
            visibility: within(self.visibility_timeout, attributes.visibility, MAX_VISIBILITY, "VisibilityTimeout")?,
            wait: within(self.wait_time_seconds, attributes.wait, MAX_WAIT, "WaitTimeSeconds")?,
        })
    }

    fn deliver(&self, queue: &Queue, key: Key, message: &Message) -> Delivery {
        let content = &message.content;
        let message_attributes: BTreeMap<_, _> = content
            .attributes
            .iter()
            .filter(|(name, _)| self.message_attribute_names.iter().any(|wanted| selects(wanted, name)))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        Delivery {
            message_id: Arc::clone(&content.id),
            receipt_handle: Handle { queue: queue.number, key, receive: message.receives }.encode(),
            body_md5: Arc::clone(&content.body_md5),
            body: Arc::clone(&content.body),
            attributes: self.system_attributes(key, message),
            // SDKs check the digest against what they receive, not against what was sent.
            attributes_md5: (!message_attributes.is_empty()).then(|| digest::of_attributes(&message_attributes)),
            message_attributes,
        }
    }

    fn system_attributes(&self, key: Key, message: &Message) -> BTreeMap<&'static str, String> {
        if self.attribute_names.is_empty() && self.message_system_attribute_names.is_empty() {
            return BTreeMap::new();
        }
        let names = || self.attribute_names.iter().chain(&self.message_system_attribute_names);
        let all = names().any(|name| name == "All");
        let wanted = SYSTEM_ATTRIBUTES.iter().filter(|(name, _)| all || names().any(|wanted| wanted == name));
        wanted.filter_map(|(name, value)| Some((*name, value(key, message)?))).collect()
    }
}

/// Whether a name of the request selects a message attribute: its name, `All`, `.*`, or a prefix as `foo.*` or `foo.`.
fn selects(wanted: &str, name: &str) -> bool {
    match wanted {
        "All" | "*" | ".*" => true,
        _ => {
            wanted == name
                || wanted.strip_suffix(".*").is_some_and(|prefix| name.starts_with(prefix))
                || wanted.strip_suffix('.').is_some_and(|prefix| name.starts_with(prefix))
        }
    }
}

/// A message system attribute, and how it is told.
type SystemAttribute = (&'static str, fn(Key, &Message) -> Option<String>);

/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html>
const SYSTEM_ATTRIBUTES: [SystemAttribute; 9] = [
    ("SenderId", |_, message| Some(message.content.sender.to_string())),
    ("SentTimestamp", |key, _| Some(key.sent.millis().to_string())),
    ("ApproximateReceiveCount", |_, message| Some(message.receives.to_string())),
    ("ApproximateFirstReceiveTimestamp", |_, message| Some(message.first_received?.millis().to_string())),
    ("SequenceNumber", |_, message| message.content.sequence_number()),
    ("MessageDeduplicationId", |_, message| message.content.deduplication.as_deref().map(str::to_owned)),
    ("MessageGroupId", |_, message| message.content.group.as_deref().map(str::to_owned)),
    (TRACE_HEADER, |_, message| message.content.trace.as_ref()?.string_value.clone()),
    ("DeadLetterQueueSourceArn", |_, message| message.source.as_deref().map(str::to_owned)),
];

/// `AttributeNames` was once typed as the names of a queue's attributes; those select nothing.
fn is_known(name: &str) -> bool {
    SYSTEM_ATTRIBUTES.iter().any(|(known, _)| *known == name) || super::configure::is_queue_attribute(name)
}
