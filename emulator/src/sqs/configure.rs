//! `GetQueueAttributes` and `SetQueueAttributes`.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::Queues;
use super::attributes::{Attributes, SETTABLE};
use super::errors::{invalid_value, missing, unknown_attribute};
use super::queue::{Queue, announce, find, on, on_own, seconds};
use crate::Result;
use crate::cloud::{Cx, Service};

/// The attributes that are only told.
const TOLD: [&str; 6] = [
    "QueueArn",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
];

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Queues>) -> Service<Queues> {
    service.op("GetQueueAttributes", |at, i: &GetQueueAttributes| on(at, &i.queue_url), get).op(
        "SetQueueAttributes",
        |at, i: &SetQueueAttributes| on_own(at, &i.queue_url),
        set,
    )
}

/// Whether a queue has, or may have, an attribute of this name.
pub(super) fn is_queue_attribute(name: &str) -> bool {
    SETTABLE.contains(&name) || TOLD.contains(&name)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetQueueAttributes {
    queue_url: String,
    #[serde(default)]
    attribute_names: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Told {
    #[serde(skip_serializing_if = "OrdMap::is_empty")]
    attributes: OrdMap<&'static str, String>,
}

fn get(cx: &mut Cx<Queues>, input: GetQueueAttributes) -> Result<Told> {
    let queue = find(cx, &input.queue_url)?;
    let names = &input.attribute_names;
    if let Some(name) = names.iter().find(|name| !is_queue_attribute(name)) {
        return Err(unknown_attribute(name));
    }
    let all = names.iter().any(|name| name == "All");
    let wanted = TOLD.iter().chain(&SETTABLE).filter(|name| all || names.iter().any(|wanted| wanted == *name));
    Ok(Told { attributes: wanted.filter_map(|name| Some((*name, value(queue, name)?))).collect() })
}

fn value(queue: &Queue, name: &str) -> Option<String> {
    let counts = queue.books.counts();
    Some(match name {
        "QueueArn" => queue.arn.to_string(),
        "CreatedTimestamp" => queue.created.secs().to_string(),
        "LastModifiedTimestamp" => queue.modified.secs().to_string(),
        "ApproximateNumberOfMessages" => counts.visible.to_string(),
        "ApproximateNumberOfMessagesNotVisible" => counts.in_flight.to_string(),
        "ApproximateNumberOfMessagesDelayed" => counts.delayed.to_string(),
        name => return queue.attributes.get(name),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SetQueueAttributes {
    queue_url: String,
    #[serde(default)]
    attributes: OrdMap<String, String>,
}

fn set(cx: &mut Cx<Queues>, input: SetQueueAttributes) -> Result<()> {
    let now = cx.now;
    let queue = find(cx, &input.queue_url)?;
    if input.attributes.is_empty() {
        return Err(missing("Attribute.Name"));
    }
    let arn = std::sync::Arc::clone(&queue.arn);
    let mut attributes = queue.attributes.clone();
    attributes.set(&input.attributes)?;
    check_redrive(cx.state, &arn, &attributes)?;
    let queue = cx.state.get_mut(&arn)?;
    let delay = (attributes.delay != queue.attributes.delay && queue.is_fifo()).then_some(attributes.delay);
    let before = queue.change(attributes, now);
    if let Some(delay) = delay {
        queue.books.delay_anew(seconds(delay));
    }
    cx.state.index_source(&arn, Some(&before));
    announce(cx, &arn);
    Ok(())
}

/// A dead-letter queue must exist, be of the same kind, and let the queue use it.
pub(super) fn check_redrive(state: &Queues, arn: &str, attributes: &Attributes) -> Result<()> {
    let Some(policy) = &attributes.redrive else { return Ok(()) };
    let refuse = |reason: &str| Err(invalid_value(&policy.text, "RedrivePolicy", reason));
    let Some(target) = state.queues.get(policy.target.as_str()) else {
        return refuse("Dead letter target does not exist.");
    };
    if target.is_fifo() != attributes.fifo.is_some() {
        return refuse("Dead-letter queue must be same type of queue as the source.");
    }
    if target.attributes.allow.as_ref().is_some_and(|allow| !allow.allows(arn)) {
        return refuse("The dead-letter queue's RedriveAllowPolicy does not allow this queue to use it.");
    }
    Ok(())
}

impl Queues {
    /// Keeps the index of dead-letter queues in step with the attributes of a queue, which were `before`.
    pub(super) fn index_source(&mut self, arn: &str, before: Option<&Attributes>) {
        if let Some(policy) = before.and_then(|before| before.redrive.as_ref()) {
            self.sources.remove(&(policy.target.as_str().into(), arn.into()));
        }
        let target =
            self.queues.get(arn).and_then(|queue| Some(queue.attributes.redrive.as_ref()?.target.as_str().into()));
        if let Some(target) = target {
            self.sources.insert((target, arn.into()));
        }
    }
}
