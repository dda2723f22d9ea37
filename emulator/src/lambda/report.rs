//! What an invocation leaves behind: its lines in CloudWatch Logs, written as the function's role, and its metrics.

use serde_json::{Value, json};

use super::Functions;
use super::invoke::{AttemptEnd, Completed, Outcome};
use super::lines::EVENT_OVERHEAD;
use crate::Timestamp;
use crate::cloud::{Call, Cx};

/// What one call of `PutLogEvents` may carry: bytes, with what is added to each event, and events.
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html>
const BATCH_SIZE: usize = 1_048_576;
const BATCH_EVENTS: usize = 10_000;

/// An invocation that has ended.
#[derive(Clone, Copy)]
pub(super) struct Ended<'a> {
    pub completed: &'a Completed,
    pub outcome: &'a Outcome,
    pub started: Timestamp,
    pub now: Timestamp,
    pub timed_out: bool,
}

/// START, the function's own lines, END and REPORT.
/// <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html>
pub(super) fn lines(ended: Ended<'_>) -> Vec<(Timestamp, String)> {
    let Ended { completed, outcome, started, now, timed_out } = ended;
    let attempt = &completed.attempt;
    let request_id = &attempt.request_id;
    // What code logs while it starts comes before.
    let own = &completed.lines;
    let init = if completed.init_millis.is_some() { own.partition_point(|(at, _)| *at < started) } else { 0 };
    let (before, during) = own.split_at(init);
    let mut lines = before.to_vec();
    if attempt.logging.is_json() {
        lines.extend(during.iter().cloned());
        return json_lines(lines, ended);
    }
    lines.push((started, format!("START RequestId: {request_id} Version: {}\n", attempt.version)));
    lines.extend(during.iter().cloned());
    if timed_out {
        let stamp = now.to_iso_millis();
        lines.push((now, format!("{stamp} {request_id} Task timed out after {}.00 seconds\n", attempt.timeout)));
    } else if let (AttemptEnd::Died(how), true) = (&completed.end, attempt.executable.is_some()) {
        let reason = exit_reason(how.as_deref());
        lines.push((now, format!("RequestId: {request_id} Error: {reason}\nRuntime.ExitError\n")));
    } else if outcome.error.is_some() && says_nothing_itself(completed) {
        lines.push((now, format!("{}\n", outcome.payload)));
    }
    lines.push((now, format!("END RequestId: {request_id}\n")));
    lines.push((now, report_line(completed, started, now, timed_out)));
    lines
}

/// The lines of a function that logs in JSON: those of Lambda as far as the system's level lets them through.
/// <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html>
fn json_lines(mut lines: Vec<(Timestamp, String)>, ended: Ended<'_>) -> Vec<(Timestamp, String)> {
    let Ended { completed, outcome, started, now, timed_out } = ended;
    let attempt = &completed.attempt;
    let request_id = &attempt.request_id;
    let event = |at: Timestamp, kind: &str, record: Value| {
        let line = json!({ "time": at.to_iso_millis(), "type": kind, "record": record });
        (at, format!("{line}\n"))
    };
    let status = match (timed_out, &outcome.error) {
        (true, _) => "timeout",
        (_, Some(_)) => "error",
        _ => "success",
    };
    if outcome.error.is_some() && !timed_out && says_nothing_itself(completed) {
        lines.push((now, format!("{}\n", outcome.payload)));
    }
    if attempt.logging.system_log_level.as_deref() == Some("WARN") && status == "success" {
        return lines;
    }
    let place = lines.partition_point(|(at, _)| *at < started);
    lines.insert(
        place,
        event(started, "platform.start", json!({ "requestId": request_id, "version": attempt.version })),
    );
    let millis = now.since(started).as_millis() as u64;
    let mut metrics = json!({
        "durationMs": millis as f64,
        "billedDurationMs": millis.max(1),
        "memorySizeMB": attempt.memory,
        "maxMemoryUsedMB": completed.memory_used.unwrap_or(attempt.memory),
    });
    if let (true, Some(init)) = (completed.cold, completed.init_millis) {
        metrics["initDurationMs"] = init.into();
    }
    lines.push(event(now, "platform.report", json!({ "requestId": request_id, "metrics": metrics, "status": status })));
    lines
}

/// A runtime logs the errors of its handlers; code in this process, and what keeps a process from starting, do not.
fn says_nothing_itself(completed: &Completed) -> bool {
    completed.attempt.executable.is_none() || (completed.cold && completed.init_millis.is_none())
}

/// How a process ended, in the words of the Runtime API's errors.
pub(super) fn exit_reason(how: Option<&str>) -> String {
    match how {
        Some(how) => format!("Runtime exited with error: {how}"),
        None => "Runtime exited without providing a reason".to_owned(),
    }
}

/// Writes the lines as the function's role.
pub(super) fn logs(cx: &mut Cx<Functions>, completed: &Completed, lines: &[(Timestamp, String)]) {
    let attempt = &completed.attempt;
    let Some(caller) = cx.access().role_session(&attempt.role, &attempt.function, super::PRINCIPAL) else {
        tracing::warn!(function = attempt.function, role = attempt.role, "no such role: the function's logs are lost");
        return;
    };
    let group = &attempt.logging.log_group;
    let call = |operation: &str, input| Call::new("logs", operation, caller.clone(), cx.scope.clone(), input);
    let mut calls = Vec::new();
    if completed.cold {
        calls.push(call("CreateLogGroup", json!({ "logGroupName": group })));
        calls.push(call("CreateLogStream", json!({ "logGroupName": group, "logStreamName": completed.log_stream })));
    }
    for events in batches(lines) {
        let put = json!({ "logGroupName": group, "logStreamName": completed.log_stream, "logEvents": events });
        calls.push(call("PutLogEvents", put));
    }
    cx.emit_in_order(calls);
}

fn batches(lines: &[(Timestamp, String)]) -> Vec<Vec<Value>> {
    let (mut batches, mut size) = (vec![Vec::new()], 0);
    for (at, message) in lines {
        let event = message.len() + EVENT_OVERHEAD;
        if size + event > BATCH_SIZE || batches.last().is_some_and(|batch| batch.len() >= BATCH_EVENTS) {
            batches.push(Vec::new());
            size = 0;
        }
        size += event;
        if let Some(batch) = batches.last_mut() {
            batch.push(json!({ "timestamp": at, "message": message }));
        }
    }
    batches
}

/// The REPORT line. Memory is not measured in this process: the figure is the size that was asked for.
fn report_line(completed: &Completed, started: Timestamp, now: Timestamp, timed_out: bool) -> String {
    let attempt = &completed.attempt;
    let duration = now.since(started).as_millis();
    let used = completed.memory_used.unwrap_or(attempt.memory);
    let init = match (completed.cold, completed.init_millis) {
        (true, Some(millis)) => format!("\tInit Duration: {millis:.2} ms"),
        (true, None) if attempt.executable.is_none() => "\tInit Duration: 0.00 ms".to_owned(),
        _ => String::new(),
    };
    let status = match &completed.end {
        _ if attempt.executable.is_none() => "",
        _ if timed_out => "\tStatus: timeout",
        AttemptEnd::Died(_) => "\tStatus: error\tError Type: Runtime.ExitError",
        _ => "",
    };
    format!(
        "REPORT RequestId: {}\tDuration: {duration}.00 ms\tBilled Duration: {} ms\tMemory Size: {} MB\tMax Memory Used: {used} MB{init}{status}\t\n",
        attempt.request_id,
        duration.max(1),
        attempt.memory,
    )
}

/// `Invocations`, `Errors` and `Duration` in the namespace `AWS/Lambda`.
/// <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html>
pub(super) fn metrics(cx: &mut Cx<Functions>, completed: &Completed, outcome: &Outcome, started: Timestamp) {
    let duration = cx.now.since(started).as_millis() as f64;
    let errors = if outcome.error.is_some() { 1.0 } else { 0.0 };
    let figures = [("Invocations", 1.0, "Count"), ("Errors", errors, "Count"), ("Duration", duration, "Milliseconds")];
    measure(cx, &completed.attempt.function, started, &figures);
}

/// `Throttles`: there was no concurrency for an invocation.
pub(super) fn throttled(cx: &mut Cx<Functions>, function: &str) {
    let now = cx.now;
    measure(cx, function, now, &[("Throttles", 1.0, "Count")]);
}

fn measure(cx: &mut Cx<Functions>, function: &str, at: Timestamp, figures: &[(&'static str, f64, &'static str)]) {
    for figure in figures {
        cx.measure("AWS/Lambda", &[("FunctionName", function)], at, *figure);
    }
}
