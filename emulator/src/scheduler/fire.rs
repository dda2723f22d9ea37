//! Schedules that fall due: planning, invoking the target as the schedule's role, retrying.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Schedules;
use super::expression::{Expression, time_zone};
use super::schedules::{Schedule, Target};
use crate::cloud::{Call, Caller, Cloud, Cx, JobFuture, Scope, Service};
use crate::{Error, Result, Timestamp};

/// Who assumes the roles of schedules.
pub(super) const PRINCIPAL: &str = "scheduler.amazonaws.com";
/// Retries wait twice as long each time, from this on and up to that. AWS says "exponential backoff" and no figures
/// (<https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule.html>): these are ours.
const FIRST_BACKOFF: Duration = Duration::from_secs(1);
const LAST_BACKOFF: Duration = Duration::from_secs(3600);

/// Adds the events and the job that bring a schedule to its target.
pub(super) fn events(service: Service<Schedules>) -> Service<Schedules> {
    service.event("Fire", fire).event("Deliver", deliver).event("Delivered", delivered).job("Deliver", job)
}

/// One invocation of a target that is under way: the key of the events here.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Delivery {
    key: String,
    schedule_arn: String,
    target: Target,
    execution_id: String,
    due: Timestamp,
    attempt: u32,
}

/// What became of it.
#[derive(Debug, Serialize, Deserialize)]
struct Delivered {
    delivery: Delivery,
    error: Option<Failure>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Failure {
    text: String,
    retryable: bool,
}

/// Sets the timer of a schedule's next occurrence after `last`; before the first one, from its creation on.
pub(super) fn plan(cx: &mut Cx<Schedules>, key: &str, schedule: &Schedule, last: Option<Timestamp>) {
    if schedule.settings.state == "ENABLED"
        && let Some(due) = next(schedule, last, cx.now)
    {
        cx.set_timer("Fire", key, due);
    }
}

fn next(schedule: &Schedule, last: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
    let settings = &schedule.settings;
    let expression = Expression::parse(&settings.schedule_expression).ok()?;
    let zone = time_zone(&settings.schedule_expression_timezone).ok()?;
    let after = last.unwrap_or(now - Duration::from_millis(1));
    let due = expression.next(after, &zone, settings.start_date, schedule.modified)?;
    (expression.is_one_time() || settings.end_date.is_none_or(|end| due <= end)).then_some(due)
}

/// A schedule is due.
fn fire(cx: &mut Cx<Schedules>, key: &str) -> Result<()> {
    let Some(schedule) = cx.state.schedules.get(key).cloned() else { return Ok(()) };
    let delivery = Delivery {
        key: key.to_owned(),
        schedule_arn: schedule.arn.clone(),
        target: schedule.settings.target.clone(),
        execution_id: cx.ids().uuid(),
        due: cx.now,
        attempt: 1,
    };
    let window = schedule.settings.flexible_time_window.width();
    if window.is_zero() {
        cx.start("Deliver", &delivery)?;
    } else {
        let offset = Duration::from_millis(cx.ids().below(u64::try_from(window.as_millis()).unwrap_or(u64::MAX)));
        let due = cx.now + offset;
        cx.set_timer("Deliver", serde_json::to_string(&delivery)?, due);
    }
    let now = cx.now;
    plan(cx, key, &schedule, Some(now));
    if next(&schedule, Some(now), now).is_none() && schedule.settings.action_after_completion == "DELETE" {
        cx.state.schedules.remove(key);
    }
    Ok(())
}

/// A delivery that had to wait is due.
fn deliver(cx: &mut Cx<Schedules>, delivery: &str) -> Result<()> {
    let delivery: Delivery = serde_json::from_str(delivery)?;
    cx.start("Deliver", &delivery)
}

/// A delivery was made, or failed: then it is retried as the schedule says.
fn delivered(cx: &mut Cx<Schedules>, report: &str) -> Result<()> {
    let Delivered { mut delivery, error } = serde_json::from_str(report)?;
    let Some(failure) = error else { return Ok(()) };
    let policy = &delivery.target.retry_policy;
    let backoff = FIRST_BACKOFF.saturating_mul(1 << (delivery.attempt - 1).min(16)).min(LAST_BACKOFF);
    let again = cx.now + backoff;
    let in_time = again.since(delivery.due) <= Duration::from_secs(policy.maximum_event_age_in_seconds);
    if failure.retryable && in_time && delivery.attempt <= policy.maximum_retry_attempts {
        delivery.attempt += 1;
        cx.set_timer("Deliver", serde_json::to_string(&delivery)?, again);
    } else {
        tracing::warn!(schedule = delivery.schedule_arn, error = failure.text, "a schedule's target was not invoked");
    }
    Ok(())
}

/// Invokes the target, through the front door, as a session of the schedule's role.
fn job(cloud: Cloud, scope: Scope, delivery: Value) -> JobFuture {
    Box::pin(async move {
        let outcome = match serde_json::from_value::<Delivery>(delivery) {
            Ok(delivery) => {
                let error = invoke(&cloud, &scope, &delivery).await.err().map(|error| Failure {
                    // A lack of permission and a target that is gone do not mend themselves.
                    retryable: !matches!(error.status(), 403 | 404) && error.code() != "AccessDeniedException",
                    text: error.to_string(),
                });
                serde_json::to_string(&Delivered { delivery, error })
            }
            Err(error) => Err(error),
        };
        let told = outcome.map_err(Error::from).and_then(|key| cloud.0.event("scheduler", &scope, "Delivered", &key));
        if let Err(error) = told {
            tracing::error!(%error, "the end of a delivery was not noted");
        }
    })
}

async fn invoke(cloud: &Cloud, scope: &Scope, delivery: &Delivery) -> Result<()> {
    let role = &delivery.target.role_arn;
    let session = delivery.execution_id.replace('-', "");
    let mut caller =
        cloud.0.access(&Caller::service(PRINCIPAL)).role_session(role, &session, PRINCIPAL).ok_or_else(|| {
            Error::new(403, "AccessDeniedException", format!("{PRINCIPAL} may not assume the role {role}"))
        })?;
    caller.source_arn = Some(delivery.schedule_arn.clone());
    let (arn, payload) = (&delivery.target.arn, payload(scope, delivery));
    let call = match arn.split(':').nth(2) {
        Some("sns") => {
            Call::new("sns", "Publish", caller, scope.clone(), json!({ "TopicArn": arn, "Message": payload }))
        }
        _ => {
            let input = json!({ "FunctionName": arn, "InvocationType": "Event" });
            Call::new("lambda", "Invoke", caller, scope.clone(), input).with_body(payload)
        }
    };
    cloud.call(call).await.map(drop)
}

/// The target's input, with the context attributes filled in; without one, the event that Scheduler makes up.
/// <https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html>
fn payload(scope: &Scope, delivery: &Delivery) -> String {
    let due = delivery.due.to_iso_secs();
    match &delivery.target.input {
        Some(input) => input
            .replace("<aws.scheduler.schedule-arn>", &delivery.schedule_arn)
            .replace("<aws.scheduler.scheduled-time>", &due)
            .replace("<aws.scheduler.execution-id>", &delivery.execution_id)
            .replace("<aws.scheduler.attempt-number>", &delivery.attempt.to_string()),
        None => json!({
            "version": "0",
            "id": delivery.execution_id,
            "detail-type": "Scheduled Event",
            "source": "aws.scheduler",
            "account": scope.account,
            "time": due,
            "region": scope.region,
            "resources": [delivery.schedule_arn],
            "detail": "{}",
        })
        .to_string(),
    }
}

/// Targets that are not served yet are refused when the schedule is created.
pub(super) fn check_target(target: &Target) -> Result<()> {
    let mut parts = target.arn.splitn(6, ':');
    match (parts.next(), parts.nth(1)) {
        (Some("arn"), Some("lambda" | "sns")) => Ok(()),
        (Some("arn"), Some(service)) => {
            Err(Error::not_implemented(format!("{service} as the target of a schedule ({})", target.arn)))
        }
        _ => Err(Error::client(
            "ValidationException",
            format!("Provided Arn is not in correct format. Arn: {}", target.arn),
        )),
    }
}
