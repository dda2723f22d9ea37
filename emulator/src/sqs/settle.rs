//! What is done with a message that was received: `DeleteMessage`, `ChangeMessageVisibility`, and their batches.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use super::Queues;
use super::attributes::MAX_VISIBILITY;
use super::batch::{self, Outcomes, Success};
use super::errors::{invalid, invalid_handle, invalid_value, missing};
use super::handle::Handle;
use super::message::State;
use super::queue::{Queue, announce, find, on, seconds, watch};
use crate::cloud::{Cx, Service};
use crate::{Error, Result, Timestamp};

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Queues>) -> Service<Queues> {
    service
        .op("DeleteMessage", |at, i: &Received| on(at, &i.queue_url), delete)
        .op("DeleteMessageBatch", |at, i: &Batch| on(at, &i.queue_url).action("sqs:DeleteMessage"), delete_batch)
        .op("ChangeMessageVisibility", |at, i: &Received| on(at, &i.queue_url), change)
        .op(
            "ChangeMessageVisibilityBatch",
            |at, i: &Batch| on(at, &i.queue_url).action("sqs:ChangeMessageVisibility"),
            change_batch,
        )
}

/// A message that was received: of a request of its own, or an entry of a batch.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Received {
    /// Of a request of its own.
    #[serde(default)]
    queue_url: String,
    /// Of an entry of a batch.
    #[serde(default)]
    id: String,
    #[serde(default)]
    receipt_handle: String,
    visibility_timeout: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Batch {
    queue_url: String,
    entries: Vec<Received>,
}

fn delete(cx: &mut Cx<Queues>, input: Received) -> Result<()> {
    let now = cx.now;
    input.delete(find(cx, &input.queue_url)?, now)?;
    wake(cx, &input.queue_url)
}

fn delete_batch(cx: &mut Cx<Queues>, input: Batch) -> Result<Outcomes<Success>> {
    let now = cx.now;
    let queue = find(cx, &input.queue_url)?;
    batch::check(&input.entries, |entry| &entry.id, "DeleteMessageBatchRequestEntry")?;
    let outcomes = Outcomes::of(
        input.entries,
        |entry| &entry.id,
        |entry| {
            entry.delete(queue, now)?;
            Ok(Success { id: entry.id })
        },
    );
    wake(cx, &input.queue_url)?;
    Ok(outcomes)
}

fn change(cx: &mut Cx<Queues>, input: Received) -> Result<()> {
    let now = cx.now;
    input.change(find(cx, &input.queue_url)?, now)?;
    wake(cx, &input.queue_url)
}

fn change_batch(cx: &mut Cx<Queues>, input: Batch) -> Result<Outcomes<Success>> {
    let now = cx.now;
    let queue = find(cx, &input.queue_url)?;
    batch::check(&input.entries, |entry| &entry.id, "ChangeMessageVisibilityBatchRequestEntry")?;
    let outcomes = Outcomes::of(
        input.entries,
        |entry| &entry.id,
        |entry| {
            entry.change(queue, now)?;
            Ok(Success { id: entry.id })
        },
    );
    wake(cx, &input.queue_url)?;
    Ok(outcomes)
}

/// Another message may be the next to become visible. A deletion in a FIFO queue may have unlocked a group.
fn wake(cx: &mut Cx<Queues>, url: &str) -> Result<()> {
    let queue = find(cx, url)?;
    let (arn, is_fifo) = (Arc::clone(&queue.arn), queue.is_fifo());
    if is_fifo {
        announce(cx, &arn)
    } else {
        watch(cx, &arn)
    }
    Ok(())
}

impl Received {
    /// The receive that the handle stands for.
    fn handle(&self, queue: &Queue, refuse: impl FnOnce() -> Error) -> Result<Handle> {
        if self.receipt_handle.is_empty() {
            return Err(missing("ReceiptHandle"));
        }
        let handle = Handle::decode(&self.receipt_handle).ok_or_else(refuse)?;
        if handle.queue != queue.number {
            let message = format!("The receipt handle \"{}\" is not valid for this queue.", self.receipt_handle);
            return Err(invalid_handle(message));
        }
        Ok(handle)
    }

    /// Deletes the message. That it is gone already is no error; a FIFO queue wants the handle of a receive that still holds it.
    fn delete(&self, queue: &mut Queue, now: Timestamp) -> Result<()> {
        let text = &self.receipt_handle;
        let handle = self.handle(queue, || {
            invalid_handle(format!("The input receipt handle \"{text}\" is not a valid receipt handle."))
        })?;
        let Some(message) = queue.books.get(handle.key) else {
            queue.meter.deleted(now);
            return Ok(());
        };
        if queue.is_fifo() && !(message.is_in_flight() && message.receives == handle.receive) {
            return Err(invalid_value(&self.receipt_handle, "ReceiptHandle", "The receipt handle has expired."));
        }
        queue.books.remove(handle.key);
        queue.meter.deleted(now);
        Ok(())
    }

    fn change(&self, queue: &mut Queue, now: Timestamp) -> Result<()> {
        let timeout = self.visibility_timeout.ok_or_else(|| missing("VisibilityTimeout"))?;
        let timeout = u32::try_from(timeout).ok().filter(|timeout| *timeout <= MAX_VISIBILITY).ok_or_else(|| {
            invalid_value(timeout, "VisibilityTimeout", "VisibilityTimeout must be an integer between 0 and 43200.")
        })?;
        let handle = self.handle(queue, || invalid_handle("The input receipt handle is invalid."))?;
        let gone = || {
            let reason = "Message does not exist or is not available for visibility timeout change.";
            invalid_value(&self.receipt_handle, "ReceiptHandle", reason)
        };
        let message = queue.books.get(handle.key).ok_or_else(gone)?;
        let is_last = message.receives == handle.receive;
        // A standard queue takes an old handle, and hides a message again whose time is over; a FIFO queue does neither.
        let may_change = match message.state {
            State::InFlight(_) => is_last || !queue.is_fifo(),
            State::Visible => is_last && !queue.is_fifo(),
            State::Delayed(_) => false,
        };
        if !may_change {
            return Err(gone());
        }
        let until = now + seconds(timeout);
        // The limit counts from when the message was received.
        // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
        if until > message.received + Duration::from_secs(MAX_VISIBILITY.into()) {
            return Err(invalid(format!(
                "Value {timeout} for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the message is \
                 beyond the limit [{MAX_VISIBILITY} seconds]"
            )));
        }
        if message.state == State::Visible {
            queue.books.hide(handle.key, until);
        } else {
            queue.books.postpone(handle.key, until);
        }
        Ok(())
    }
}
