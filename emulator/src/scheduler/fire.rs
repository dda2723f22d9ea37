//! Schedules that fall due: planning, invoking the target as the schedule's role, retrying.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Schedules;
use super::expression::{Expression, time_zone};
use super::schedules::Schedule;
use super::targets::{self, Target};
use crate::cloud::{Call, Caller, Cloud, Cx, JobFuture, Scope, Service, job_input};
use crate::sqs::url_of_arn;
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
    code: String,
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
        bury(cx, &delivery, &failure, if in_time { "MaximumRetryAttempts" } else { "MaximumEventAgeInSeconds" });
    }
    Ok(())
}

/// Sends what could not be delivered to the schedule's dead-letter queue, as the schedule's role.
/// <https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html>
fn bury(cx: &mut Cx<Schedules>, delivery: &Delivery, failure: &Failure, condition: &str) {
    let Some(queue) = delivery.target.dead_letter_config.as_ref().and_then(|config| config.arn.as_deref()) else {
        return;
    };
    let Some(mut caller) = cx.access().role_session(&delivery.target.role_arn, &session(delivery), PRINCIPAL) else {
        return;
    };
    caller.source_arn = Some(delivery.schedule_arn.clone());
    let text = |value: &str| json!({ "DataType": "String", "StringValue": value });
    let attempts = (delivery.attempt - 1).to_string();
    let attributes = json!({
        "ERROR_CODE": text(&failure.code),
        "ERROR_MESSAGE": text(if failure.text.is_empty() { &failure.code } else { &failure.text }),
        "EXECUTION_ID": text(&delivery.execution_id),
        "EXHAUSTED_RETRY_CONDITION": text(condition),
        "IS_PAYLOAD_TRUNCATED": text("false"),
        "RETRY_ATTEMPTS": text(&attempts),
        "SCHEDULED_TIME": text(&delivery.due.to_iso_secs()),
        "SCHEDULE_ARN": text(&delivery.schedule_arn),
        "TARGET_ARN": text(&delivery.target.arn),
    });
    let input = json!({
        "QueueUrl": url_of_arn(queue),
        "MessageBody": payload(cx.scope, delivery),
        "MessageAttributes": attributes,
    });
    let region = queue.split(':').nth(3).unwrap_or(&cx.scope.region);
    let scope = Scope::new(cx.scope.account.clone(), region);
    cx.emit(Call::new("sqs", "SendMessage", caller, scope, input));
}

/// The name of the session as which a target is invoked.
fn session(delivery: &Delivery) -> String {
    delivery.execution_id.replace('-', "")
}

/// Invokes the target, through the front door, as a session of the schedule's role.
fn job(cloud: Cloud, scope: Scope, delivery: Value) -> JobFuture {
    Box::pin(async move {
        let Some(delivery) = job_input::<Delivery>(delivery) else { return };
        let error = invoke(&cloud, &scope, &delivery).await.err().map(|error| Failure {
            // A lack of permission and a target that is gone do not mend themselves.
            retryable: !matches!(error.status(), 403 | 404 | 501) && error.code() != "AccessDeniedException",
            code: error.code().to_owned(),
            text: error.message().to_owned(),
        });
        cloud.report("scheduler", &scope, "Delivered", &Delivered { delivery, error });
    })
}

async fn invoke(cloud: &Cloud, scope: &Scope, delivery: &Delivery) -> Result<()> {
    let role = &delivery.target.role_arn;
    let session = session(delivery);
    let mut caller =
        cloud.0.access(&Caller::service(PRINCIPAL)).role_session(role, &session, PRINCIPAL).ok_or_else(|| {
            Error::new(403, "AccessDeniedException", format!("{PRINCIPAL} may not assume the role {role}"))
        })?;
    caller.source_arn = Some(delivery.schedule_arn.clone());
    let call = targets::call(&delivery.target, scope, caller, payload(scope, delivery))?;
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
