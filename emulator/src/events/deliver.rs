//! Deliveries: what is sent to which target, what becomes of it, and when it is tried again.
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html>

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::bus::Buses;
use super::input;
use super::rule::{Rule, RuleTarget};
use super::send;
use crate::cloud::{Cloud, Cx, JobFuture, Scope, Service, job_input};
use crate::{Result, Timestamp};

/// A delivery is tried again as often, and for as long, unless its target says otherwise.
const RETRIES: u32 = 185;
const AGE: u64 = 86_400;
/// Retries wait twice as long each time, from this on and up to that. AWS says "exponential back off and jitter" and no figures:
/// these are ours, and without jitter.
const FIRST_BACKOFF: Duration = Duration::from_secs(1);
const LAST_BACKOFF: Duration = Duration::from_secs(600);

/// Adds the events and the job that bring events to their targets.
pub(super) fn events(service: Service<Buses>) -> Service<Buses> {
    service.event("Retry", retry).event("Delivered", delivered).job("Deliver", job)
}

/// An event on its way to one target.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Delivery {
    pub id: String,
    pub rule_arn: String,
    /// The account and region of the rule.
    pub home: Scope,
    pub target: RuleTarget,
    pub event: Value,
    /// What the target gets.
    pub payload: String,
    since: Timestamp,
    /// From 1.
    pub attempt: u32,
    /// Why it has been given up: then it goes to the dead letters.
    pub given_up: Option<GivenUp>,
}

/// Why a delivery has been given up.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct GivenUp {
    pub code: String,
    pub message: String,
    /// `MaximumRetryAttempts` or `MaximumEventAgeInSeconds`, if it was tried again.
    pub exhausted: Option<String>,
}

/// Why a delivery failed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Failure {
    pub code: String,
    pub message: String,
    /// Whether the target's side was at fault, so that it may work later.
    pub retryable: bool,
}

/// What became of a delivery: the key of the event.
#[derive(Serialize, Deserialize)]
struct Delivered {
    delivery: Delivery,
    failure: Failure,
}

/// Has an event delivered to all targets of a rule.
pub(super) fn to_targets(cx: &mut Cx<Buses>, rule: &Rule, event: &Value) -> Result<()> {
    for target in rule.targets.values() {
        let Some(payload) = input::of(rule, target, event, cx.now) else {
            tracing::warn!(
                rule = rule.name,
                target = target.id,
                "the input template gives no JSON: nothing is delivered"
            );
            continue;
        };
        let delivery = Delivery {
            id: cx.ids().uuid(),
            rule_arn: rule.arn(),
            home: Scope::of_arn(&rule.bus),
            target: target.clone(),
            event: event.clone(),
            payload,
            since: cx.now,
            attempt: 1,
            given_up: None,
        };
        cx.start("Deliver", &delivery)?;
    }
    Ok(())
}

/// A delivery that failed is due again.
fn retry(cx: &mut Cx<Buses>, id: &str) -> Result<()> {
    match cx.state.waiting.remove(id) {
        Some(delivery) => cx.start("Deliver", &delivery),
        None => Ok(()),
    }
}

/// A delivery failed: it is tried again as its target says, and at last goes to the dead letters.
fn delivered(cx: &mut Cx<Buses>, report: &str) -> Result<()> {
    let Delivered { mut delivery, failure } = serde_json::from_str(report)?;
    let policy = delivery.target.retry_policy.as_ref();
    let retries = policy.and_then(|policy| policy.maximum_retry_attempts).unwrap_or(RETRIES);
    let age = policy.and_then(|policy| policy.maximum_event_age_in_seconds).unwrap_or(AGE);
    let backoff = FIRST_BACKOFF.saturating_mul(1 << (delivery.attempt - 1).min(16)).min(LAST_BACKOFF);
    let again = cx.now + backoff;
    let in_time = again.since(delivery.since) <= Duration::from_secs(age);
    if failure.retryable && in_time && delivery.attempt <= retries {
        delivery.attempt += 1;
        let id = delivery.id.clone();
        cx.state.waiting.insert(id.clone(), delivery);
        cx.set_timer("Retry", id, again);
        return Ok(());
    }
    let (rule, target, error) = (&delivery.rule_arn, &delivery.target.arn, &failure.message);
    tracing::warn!(rule, target, error, dead = delivery.given_up.is_some(), "an event was not delivered");
    let has_queue = delivery.target.dead_letter_config.as_ref().is_some_and(|config| config.arn.is_some());
    if !has_queue || delivery.given_up.is_some() {
        return Ok(());
    }
    let exhausted = match (failure.retryable, in_time) {
        (false, _) => None,
        (true, true) => Some("MaximumRetryAttempts".to_owned()),
        (true, false) => Some("MaximumEventAgeInSeconds".to_owned()),
    };
    let given_up = GivenUp { code: failure.code, message: failure.message, exhausted };
    cx.start("Deliver", &Delivery { given_up: Some(given_up), ..delivery })
}

/// Makes a delivery, and reports if it fails.
fn job(cloud: Cloud, scope: Scope, delivery: Value) -> JobFuture {
    Box::pin(async move {
        let Some(delivery) = job_input::<Delivery>(delivery) else { return };
        let Err(failure) = send::send(&cloud, &delivery).await else { return };
        cloud.report("events", &scope, "Delivered", &Delivered { delivery, failure });
    })
}
