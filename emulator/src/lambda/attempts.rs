//! Attempts at invocations: how one starts, how it ends, and what is tried again.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::concurrency::Throttle;
use super::destinations::{self, Condition};
use super::invoke::{Attempt, AttemptEnd, Completed, Executable, FunctionError, Invocation, Outcome, signal};
use super::qualifier::Resolved;
use super::{Functions, report};
use crate::Result;
use crate::cloud::{Cx, Event, InvocationRecord, InvocationRef, Service};

/// How long Lambda waits before the first and the second retry of an asynchronous invocation that failed; there are no more.
/// <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>
const RETRY_AFTER: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(120)];
/// How long an event is kept, unless its function's configuration says otherwise: six hours (same page).
const EVENT_AGE: Duration = Duration::from_secs(6 * 3600);
/// How long Lambda waits before it tries an event again for which there was no concurrency: from one second, doubling, to five
/// minutes (same page).
const THROTTLED_LONGEST: u64 = 300;
/// How many answers are kept that nobody has fetched yet: more than can come at once.
const UNCLAIMED_LIMIT: usize = 2000;
/// How much of the log `LogType=Tail` answers, in bytes.
/// <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>
const TAIL: usize = 4096;

/// Adds the events that move an invocation on.
pub(super) fn operations(service: Service<Functions>) -> Service<Functions> {
    service
        .event("Began", began)
        .event("Completed", completed)
        .event("Deadline", deadline)
        .event("Retry", retry)
        .event("Requeue", requeue)
}

/// What became of the start of an attempt.
pub(super) enum Started {
    Running,
    Throttled(Throttle),
    /// There is nothing to run any more.
    Gone,
}

/// Starts the next attempt at an invocation.
pub(super) fn start(cx: &mut Cx<Functions>, request_id: &str) -> Result<Started> {
    let now = cx.now;
    let Some(invocation) = cx.state.invocations.get(request_id) else { return Ok(Started::Gone) };
    let function = cx.state.functions.get(&invocation.function);
    let resolved = function.and_then(|f| Some((f.resolve(invocation.qualifier.as_deref(), &mut *cx.ids).ok()?, f)));
    let Some((resolved, function)) = resolved else {
        // The function was deleted meanwhile: nothing can be retried.
        cx.state.invocations.remove(request_id);
        return Ok(Started::Gone);
    };
    let slot = cx.state.free_slot(function, invocation.qualifier.as_deref(), &resolved.version, now);
    if let Some(throttle) = cx.state.throttle(function).filter(|_| slot.is_none()) {
        return Ok(Started::Throttled(throttle));
    }
    let in_process = cx.environments().has_code_for(&invocation.function);
    let arn = function.configuration.function_arn.clone();
    let mut attempt = attempt(request_id, invocation, &resolved, (arn, now, in_process, slot.is_some()));
    let (Some(function), Some(invocation)) =
        (cx.state.functions.get_mut(&attempt.function), cx.state.invocations.get_mut(request_id))
    else {
        return Ok(Started::Gone);
    };
    function.attempts += 1;
    attempt.number = function.attempts;
    invocation.number = function.attempts;
    invocation.started = now;
    invocation.throttles = 0;
    invocation.slot.clone_from(&slot);
    cx.state.count(&attempt.function, slot.as_deref());
    cx.note(Event::Started(record(&attempt)));
    // A process's time begins once it is ready: see `began`.
    if in_process {
        cx.set_timer("Deadline", request_id, attempt.deadline);
    }
    cx.run(attempt);
    Ok(Started::Running)
}

fn attempt(
    request_id: &str,
    invocation: &Invocation,
    resolved: &Resolved<'_>,
    (arn, now, in_process, provisioned): (String, crate::Timestamp, bool, bool),
) -> Attempt {
    let configuration = resolved.configuration;
    let executable = || Executable {
        runtime: configuration.runtime.clone().unwrap_or_default(),
        handler: configuration.handler.clone().unwrap_or_default(),
        hash: super::hash_of(&configuration.code_sha256),
    };
    Attempt {
        function: configuration.function_name.clone(),
        arn,
        invoked_arn: resolved.arn.to_string(),
        version: resolved.version.to_string(),
        role: configuration.role.clone(),
        build: resolved.build.to_owned(),
        memory: configuration.memory_size,
        timeout: configuration.timeout,
        deadline: now + Duration::from_secs(configuration.timeout.into()),
        variables: configuration.environment.clone().unwrap_or_default().variables,
        logging: configuration.logging_config.clone(),
        provisioned,
        request_id: request_id.to_owned(),
        number: invocation.number,
        retries: invocation.retries,
        payload: invocation.payload.clone(),
        client_context: invocation.client_context.clone(),
        executable: (!in_process).then(executable),
    }
}

fn record(attempt: &Attempt) -> InvocationRecord {
    InvocationRecord {
        invocation: InvocationRef { function: attempt.function.as_str().into(), number: attempt.number },
        request_id: attempt.request_id.clone(),
        retries: attempt.retries,
    }
}

/// A process is ready, and gets its invocation now.
fn began(cx: &mut Cx<Functions>, key: &str) -> Result<()> {
    let (request_id, timeout): (String, u32) = serde_json::from_str(key)?;
    let now = cx.now;
    if let Some(invocation) = cx.state.invocations.get_mut(&request_id) {
        invocation.started = now;
        cx.set_timer("Deadline", request_id, now + Duration::from_secs(timeout.into()));
    }
    Ok(())
}

/// The function's time is over.
fn deadline(cx: &mut Cx<Functions>, request_id: &str) -> Result<()> {
    if let Some(invocation) = cx.state.invocations.get_mut(request_id) {
        invocation.timed_out = true;
        let attempt = InvocationRef { function: invocation.function.as_str().into(), number: invocation.number };
        cx.kill(attempt);
    }
    Ok(())
}

/// An attempt has ended: logs, metrics, the answer or the retry.
fn completed(cx: &mut Cx<Functions>, request_id: &str) -> Result<()> {
    let Some(completed) = cx.environments().ended(request_id) else { return Ok(()) };
    let Some(mut invocation) = cx.state.invocations.remove(request_id) else { return Ok(()) };
    cx.state.discount(&invocation.function, invocation.slot.as_deref());
    cx.cancel_timer("Deadline", request_id);
    invocation.timed_out |= completed.end == AttemptEnd::TimedOut;
    let mut outcome = outcome(&completed, invocation.timed_out);
    let (started, now, timed_out) = (invocation.started, cx.now, invocation.timed_out);
    let lines = report::lines(report::Ended { completed: &completed, outcome: &outcome, started, now, timed_out });
    if invocation.tail {
        outcome.tail = Some(tail(&lines));
    }
    report::logs(cx, &completed, &lines);
    report::metrics(cx, &completed, &outcome, invocation.started);
    cx.note(Event::Ended {
        invocation: record(&completed.attempt),
        error: outcome.error.map(|_| error_type(&outcome.value())),
        payload: Arc::clone(&outcome.payload),
    });
    if invocation.asynchronous {
        return settle(cx, request_id, &invocation, &outcome);
    }
    invocation.outcome = Some(outcome);
    cx.state.invocations.insert(request_id.to_owned(), invocation);
    // Who broke off the call never comes for the answer.
    cx.state.unclaimed.push_back(request_id.to_owned());
    if cx.state.unclaimed.len() > UNCLAIMED_LIMIT
        && let Some(oldest) = cx.state.unclaimed.pop_front()
    {
        cx.state.invocations.remove(&oldest);
    }
    cx.signal(signal(request_id));
    Ok(())
}

/// What follows an attempt at an asynchronous invocation: another one, or the end.
fn settle(cx: &mut Cx<Functions>, request_id: &str, invocation: &Invocation, outcome: &Outcome) -> Result<()> {
    let (retries, age) = limits(cx, invocation);
    let wait = RETRY_AFTER.get(invocation.retries as usize).filter(|_| invocation.retries < retries);
    let condition = match wait {
        _ if outcome.error.is_none() => Condition::Success,
        None => Condition::RetriesExhausted,
        Some(wait) if cx.now + *wait > invocation.accepted + age => Condition::EventAgeExceeded,
        Some(wait) => {
            let due = cx.now + *wait;
            cx.state.invocations.insert(request_id.to_owned(), invocation.clone());
            cx.set_timer("Retry", request_id, due);
            return Ok(());
        }
    };
    cx.state.invocations.remove(request_id);
    destinations::tell(cx, invocation, request_id, condition, Some(outcome))
}

/// How often an invocation is retried, and how old it may get.
fn limits(cx: &Cx<Functions>, invocation: &Invocation) -> (u32, Duration) {
    let place = invocation.qualifier.as_deref().unwrap_or(super::qualifier::LATEST);
    let function = cx.state.functions.get(&invocation.function);
    let config = function.and_then(|function| function.event_configs.get(place));
    let retries = config.and_then(|config| config.maximum_retry_attempts).unwrap_or(RETRY_AFTER.len() as u32);
    let age = config.and_then(|config| config.maximum_event_age_in_seconds);
    (retries, age.map_or(EVENT_AGE, |seconds| Duration::from_secs(seconds.into())))
}

/// The time has come to try an asynchronous invocation again.
fn retry(cx: &mut Cx<Functions>, request_id: &str) -> Result<()> {
    if let Some(invocation) = cx.state.invocations.get_mut(request_id) {
        invocation.retries += 1;
        invocation.timed_out = false;
    }
    requeue(cx, request_id)
}

/// Tries an asynchronous invocation for which there was no concurrency.
fn requeue(cx: &mut Cx<Functions>, request_id: &str) -> Result<()> {
    let function = cx.state.invocations.get(request_id).map(|invocation| invocation.function.clone());
    if let (Started::Throttled(_), Some(function)) = (start(cx, request_id)?, function) {
        report::throttled(cx, &function);
        put_off(cx, request_id)?;
    }
    Ok(())
}

/// There is no concurrency for an asynchronous invocation: it waits, unless that is in vain.
pub(super) fn put_off(cx: &mut Cx<Functions>, request_id: &str) -> Result<()> {
    let Some(mut invocation) = cx.state.invocations.get(request_id).cloned() else { return Ok(()) };
    let reserved = cx.state.functions.get(&invocation.function).and_then(|function| function.reserved);
    let wait = Duration::from_secs((1u64 << invocation.throttles.min(16)).min(THROTTLED_LONGEST));
    let (_, age) = limits(cx, &invocation);
    let condition = match reserved {
        Some(0) => Condition::ZeroReservedConcurrency,
        _ if cx.now + wait > invocation.accepted + age => Condition::EventAgeExceeded,
        _ => {
            invocation.throttles += 1;
            let due = cx.now + wait;
            cx.state.invocations.insert(request_id.to_owned(), invocation);
            cx.set_timer("Requeue", request_id, due);
            return Ok(());
        }
    };
    cx.state.invocations.remove(request_id);
    destinations::tell(cx, &invocation, request_id, condition, None)
}

fn outcome(completed: &Completed, timed_out: bool) -> Outcome {
    let attempt = &completed.attempt;
    let request_id = &attempt.request_id;
    let (error, payload) = match &completed.end {
        AttemptEnd::Answered(payload) => (None, payload.clone()),
        AttemptEnd::Failed(document) => (Some(FunctionError::Unhandled), document.to_string().into()),
        AttemptEnd::Died(_) | AttemptEnd::TimedOut if timed_out => {
            let text = format!("RequestId: {request_id} Error: Task timed out after {}.00 seconds", attempt.timeout);
            (Some(FunctionError::Unhandled), document("Sandbox.Timedout", &text))
        }
        end => {
            let how = if let AttemptEnd::Died(how) = end { how.as_deref() } else { None };
            let text = format!("RequestId: {request_id} Error: {}", report::exit_reason(how));
            (Some(FunctionError::Unhandled), document("Runtime.ExitError", &text))
        }
    };
    Outcome { error, payload, version: attempt.version.clone(), tail: None }
}

fn document(kind: &str, message: &str) -> Arc<str> {
    serde_json::json!({ "errorType": kind, "errorMessage": message }).to_string().into()
}

fn error_type(payload: &Value) -> String {
    payload.get("errorType").and_then(Value::as_str).unwrap_or("Unhandled").to_owned()
}

fn tail(lines: &[(crate::Timestamp, String)]) -> String {
    let mut whole = String::new();
    for (_, line) in lines {
        whole.push_str(line);
        if !line.ends_with('\n') {
            whole.push('\n');
        }
    }
    let mut from = whole.len().saturating_sub(TAIL);
    while !whole.is_char_boundary(from) {
        from += 1;
    }
    whole.split_off(from)
}
