//! Deliveries: what is sent to whom, what becomes of it, and when it is tried again.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::feedback::{self, Answer, Feedback};
use super::message::{Kind, Message};
use super::retry::{Effective, Retries};
use super::send;
use super::subscription::Subscription;
use super::topic::Topics;
use crate::cloud::{Cloud, Cx, JobFuture, Scope, Service, job_input};
use crate::{Result, Timestamp};

/// Adds the events and the job that bring messages to their endpoints.
pub(super) fn events(service: Service<Topics>) -> Service<Topics> {
    service.event("Retry", retry).event("Delivered", delivered).job("Deliver", job)
}

/// A message on its way to one subscription.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Delivery {
    pub id: String,
    pub subscription: String,
    pub protocol: String,
    pub endpoint: String,
    pub raw: bool,
    pub message: Message,
    /// How it is tried again, and how it is sent over HTTP.
    retries: Retries,
    pub content_type: String,
    /// The queue for what cannot be delivered.
    pub dead_letters: Option<String>,
    /// What is logged of it, and since when it is on its way.
    #[serde(default)]
    pub feedback: Option<Feedback>,
    #[serde(default)]
    pub created: Timestamp,
    /// From 1.
    attempt: u32,
    /// Whether it has been given up, and goes to the dead letters.
    pub is_dead: bool,
}

impl Delivery {
    pub fn new(cx: &mut Cx<Topics>, arn: &str, subscription: &Subscription, message: Message) -> Self {
        let topic = cx.state.topics.get(&*subscription.topic);
        let policy = topic.and_then(|topic| topic.attributes.get("DeliveryPolicy")).map(String::as_str);
        let own = subscription.attributes.get("DeliveryPolicy").map(String::as_str);
        let Effective { retries, content_type } = Effective::of(policy, own);
        let is_notification = message.kind == Kind::Notification;
        let feedback = topic.and_then(|topic| Feedback::of(topic, &subscription.protocol)).filter(|_| is_notification);
        Self {
            id: cx.ids().uuid(),
            subscription: arn.to_owned(),
            protocol: subscription.protocol.clone(),
            endpoint: subscription.endpoint.clone(),
            raw: subscription.is_raw(),
            message,
            retries: if subscription.is_http() { retries } else { Retries::managed() },
            content_type,
            // A question that nobody takes is no letter.
            dead_letters: subscription.dead_letters().filter(|_| is_notification),
            feedback,
            created: cx.now,
            attempt: 1,
            is_dead: false,
        }
    }

    fn is_ordered(&self) -> bool {
        self.message.sequence.is_some()
    }
}

/// Why a delivery failed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Failure {
    pub text: String,
    /// Whether the receiver's side was at fault, so that it may work later.
    pub retryable: bool,
    /// What it answered, if it did.
    #[serde(default)]
    pub status: Option<u16>,
}

/// What became of a delivery: the key of the event.
#[derive(Serialize, Deserialize)]
struct Delivered {
    delivery: Delivery,
    outcome: std::result::Result<Answer, Failure>,
}

/// Has deliveries to one subscription made, in their order.
pub(super) fn send(cx: &mut Cx<Topics>, deliveries: Vec<Delivery>) -> Result<()> {
    let Some(first) = deliveries.first() else { return Ok(()) };
    // What goes to an address or a device is in the trace, and goes nowhere.
    if matches!(first.protocol.as_str(), "email" | "email-json" | "sms" | "application") {
        return Ok(());
    }
    if !first.is_ordered() {
        return cx.start("Deliver", &deliveries);
    }
    // From a FIFO topic, one is delivered after the other.
    let Some(subscription) = cx.state.subscriptions.get_mut(&first.subscription) else { return Ok(()) };
    let is_idle = subscription.outbox.is_empty();
    let next = [first.clone()];
    subscription.outbox.extend(deliveries);
    if is_idle { cx.start("Deliver", &next) } else { Ok(()) }
}

/// A delivery that failed is due again.
fn retry(cx: &mut Cx<Topics>, id: &str) -> Result<()> {
    let Some(delivery) = cx.state.waiting.remove(id) else { return Ok(()) };
    // The subscription may have been taken back meanwhile.
    if !cx.state.subscriptions.contains_key(&delivery.subscription) {
        return Ok(());
    }
    cx.start("Deliver", &[delivery])
}

/// A delivery was made, or failed: then it is tried again as its policy says, and at last goes to the dead letters.
fn delivered(cx: &mut Cx<Topics>, report: &str) -> Result<()> {
    let Delivered { mut delivery, outcome } = serde_json::from_str(report)?;
    let failure = match outcome {
        Err(failure) => failure,
        Ok(answer) => {
            feedback::log(cx, &delivery, &answer, true);
            return next(cx, &delivery);
        }
    };
    let delay = delivery.retries.delay(delivery.attempt).filter(|_| failure.retryable);
    if let Some(delay) = delay {
        delivery.attempt += 1;
        let (id, due) = (delivery.id.clone(), cx.now + delay);
        cx.state.waiting.insert(id.clone(), delivery);
        cx.set_timer("Retry", id, due);
        return Ok(());
    }
    feedback::log(cx, &delivery, &Answer { status: failure.status, text: failure.text.clone() }, false);
    let (subscription, error) = (&delivery.subscription, &failure.text);
    tracing::warn!(subscription, error, dead = delivery.is_dead, "a message was not delivered");
    if delivery.dead_letters.is_some() && !delivery.is_dead {
        let buried = Delivery { is_dead: true, attempt: 1, retries: Retries::managed(), ..delivery };
        return cx.start("Deliver", &[buried]);
    }
    next(cx, &delivery)
}

/// The next delivery from a FIFO topic to the subscription.
fn next(cx: &mut Cx<Topics>, done: &Delivery) -> Result<()> {
    if !done.is_ordered() {
        return Ok(());
    }
    let Some(subscription) = cx.state.subscriptions.get_mut(&done.subscription) else { return Ok(()) };
    if subscription.outbox.front().is_some_and(|first| first.id == done.id) {
        subscription.outbox.pop_front();
    }
    match subscription.outbox.front().cloned() {
        Some(delivery) => cx.start("Deliver", &[delivery]),
        None => Ok(()),
    }
}

/// Makes deliveries, and reports what needs more to be done.
fn job(cloud: Cloud, scope: Scope, deliveries: Value) -> JobFuture {
    Box::pin(async move {
        for delivery in job_input::<Vec<Delivery>>(deliveries).unwrap_or_default() {
            let outcome = send::send(&cloud, &delivery).await;
            if outcome.is_ok() && !delivery.is_ordered() && delivery.feedback.is_none() {
                continue;
            }
            cloud.report("sns", &scope, "Delivered", &Delivered { delivery, outcome });
        }
    })
}
