//! What an invocation leaves behind: its lines in CloudWatch Logs, written as the function's role, and its metrics.

use serde_json::json;

use super::Functions;
use super::invoke::{Completed, Outcome};
use crate::cloud::{Call, Caller, Cx};
use crate::{Result, Timestamp};

/// Writes START, the function's own lines, END and REPORT.
/// <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html>
pub(super) fn logs(
    cx: &mut Cx<Functions>,
    completed: &Completed,
    outcome: &Outcome,
    started: Timestamp,
    timed_out: bool,
) -> Result<()> {
    let attempt = &completed.attempt;
    let Some(caller) = cx.access().role_session(&attempt.role, &attempt.function, super::PRINCIPAL) else {
        tracing::warn!(function = attempt.function, role = attempt.role, "no such role: the function's logs are lost");
        return Ok(());
    };
    let request_id = &attempt.request_id;
    let mut lines = vec![(started, format!("START RequestId: {request_id} Version: $LATEST\n"))];
    lines.extend(completed.lines.iter().cloned());
    if timed_out {
        let stamp = cx.now.to_iso_millis();
        lines.push((cx.now, format!("{stamp} {request_id} Task timed out after {}.00 seconds\n", attempt.timeout)));
    } else if outcome.error.is_some() {
        lines.push((cx.now, format!("{}\n", outcome.payload)));
    }
    lines.push((cx.now, format!("END RequestId: {request_id}\n")));
    lines.push((cx.now, report_line(completed, started, cx.now)));

    let group = &attempt.log_group;
    let call = |operation: &str, input| Call::new("logs", operation, caller.clone(), cx.scope.clone(), input);
    let mut calls = Vec::new();
    if completed.cold {
        calls.push(call("CreateLogGroup", json!({ "logGroupName": group })));
        calls.push(call("CreateLogStream", json!({ "logGroupName": group, "logStreamName": completed.log_stream })));
    }
    let events: Vec<_> = lines.iter().map(|(at, message)| json!({ "timestamp": at, "message": message })).collect();
    let put = json!({ "logGroupName": group, "logStreamName": completed.log_stream, "logEvents": events });
    calls.push(call("PutLogEvents", put));
    calls.into_iter().for_each(|call| cx.emit(call));
    Ok(())
}

/// The REPORT line. Memory is not measured in this process: the figure is the size that was asked for.
fn report_line(completed: &Completed, started: Timestamp, now: Timestamp) -> String {
    let attempt = &completed.attempt;
    let duration = now.since(started).as_millis();
    let init = if completed.cold { "\tInit Duration: 0.00 ms" } else { "" };
    format!(
        "REPORT RequestId: {}\tDuration: {duration}.00 ms\tBilled Duration: {} ms\tMemory Size: {} MB\tMax Memory Used: {} MB{init}\t\n",
        attempt.request_id,
        duration.max(1),
        attempt.memory,
        attempt.memory,
    )
}

/// `Invocations`, `Errors` and `Duration` in the namespace `AWS/Lambda`.
/// <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html>
pub(super) fn metrics(cx: &mut Cx<Functions>, completed: &Completed, outcome: &Outcome, started: Timestamp) {
    let duration = cx.now.since(started).as_millis() as f64;
    let errors = if outcome.error.is_some() { 1.0 } else { 0.0 };
    let metric = |name: &str, value: f64, unit: &str| {
        json!({
            "MetricName": name,
            "Dimensions": [{ "Name": "FunctionName", "Value": completed.attempt.function }],
            "Timestamp": started,
            "Value": value,
            "Unit": unit,
        })
    };
    let data = json!([
        metric("Invocations", 1.0, "Count"),
        metric("Errors", errors, "Count"),
        metric("Duration", duration, "Milliseconds")
    ]);
    let input = json!({ "Namespace": "AWS/Lambda", "MetricData": data });
    let caller = Caller::service("lambda.amazonaws.com");
    let call = Call::new("cloudwatch", "PutMetricData", caller, cx.scope.clone(), input);
    cx.emit(call);
}
