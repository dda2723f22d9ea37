//! What a scenario asks of the queues beside the API: what they hold, and that they misbehave as AWS's may.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Queues;
use super::errors::no_queue;
use super::queue::region_of;
use crate::cloud::{Cloud, Cx, Scope};
use crate::{Error, Result};

/// The event by which a queue is told how to misbehave.
pub(super) const QUIRKS: &str = "Quirks";

/// What a standard queue does that AWS allows it to do, and seldom does: at-least-once delivery, and order as best it can.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/standard-queues-at-least-once-delivery.html>
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quirks {
    /// Each message is delivered twice: when it is first received, a second copy of it becomes visible, with the same id and
    /// body. The copy stays when the message is deleted, is counted like any message, and has to be deleted itself.
    pub duplicate: bool,
    /// A receive takes any of the ten oldest visible messages, drawn from the service's seeded ids: the same seed gives the
    /// same order.
    pub reorder: bool,
}

/// What a queue holds at a moment. Dead messages are those of its dead-letter queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QueueView {
    /// The queue's name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// How many messages can be received: `ApproximateNumberOfMessages`.
    pub visible: usize,
    /// How many were received, and neither deleted nor visible again: `ApproximateNumberOfMessagesNotVisible`.
    pub in_flight: usize,
    /// How many wait for their delay to end: `ApproximateNumberOfMessagesDelayed`.
    pub delayed: usize,
    /// The ARN of its dead-letter queue, by its `RedrivePolicy`.
    pub dead_letter_target: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Told {
    arn: Arc<str>,
    quirks: Quirks,
}

impl Cloud {
    /// Has a standard queue duplicate or reorder messages from now on; `Quirks::default()` ends it.
    ///
    /// # Errors
    /// `QueueDoesNotExist` if there is no queue of this ARN, `UnsupportedOperation` for a FIFO queue: AWS promises that those
    /// do neither.
    pub fn queue_quirks(&self, arn: &str, quirks: Quirks) -> Result<()> {
        let told = serde_json::to_string(&Told { arn: arn.into(), quirks })?;
        self.0.event("sqs", self.scope(), QUIRKS, &told)
    }

    /// The queues of the cloud's own account and region, in the order of their names, with what they hold now. Looking
    /// changes nothing.
    pub fn queues(&self) -> Vec<QueueView> {
        let now = self.now();
        let queues = self.0.state_of::<Queues>("sqs", self.scope()).unwrap_or_default().queues;
        let Scope { account, region } = self.scope();
        let own = queues.into_iter().filter(|(arn, queue)| queue.account == *account && region_of(arn) == &**region);
        let views = own.map(|(_, mut queue)| {
            // A copy: what is due there counts as visible, and the queue itself is not touched.
            queue.touch(now);
            let counts = queue.books.counts();
            QueueView {
                name: queue.name.to_string(),
                arn: queue.arn.to_string(),
                visible: counts.visible,
                in_flight: counts.in_flight,
                delayed: counts.delayed,
                dead_letter_target: queue.attributes.redrive.map(|policy| policy.target),
            }
        });
        views.collect()
    }
}

pub(super) fn change(cx: &mut Cx<Queues>, told: &str) -> Result<()> {
    let Told { arn, quirks } = serde_json::from_str(told)?;
    let queue = cx.state.queues.get_mut(&arn).ok_or_else(no_queue)?;
    if queue.is_fifo() {
        return Err(Error::client("UnsupportedOperation", "A FIFO queue neither duplicates nor reorders messages."));
    }
    queue.quirks = quirks;
    Ok(())
}
