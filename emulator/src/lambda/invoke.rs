//! Invocations: the books of what was asked, what runs, and what is to be tried again.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::functions::{bare_name, find_mut, refuse_qualifier};
use super::{Functions, on, report};
use crate::cloud::{Cx, Event, InvocationRecord, InvocationRef, Later, Service, Step};
use crate::{Error, Result, Timestamp};

/// The payload of a synchronous invocation, in bytes.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const SYNC_PAYLOAD_LIMIT: usize = 6 * 1024 * 1024;
/// The payload of an asynchronous invocation, in bytes (raised from 256 KB in 2025, same page).
const ASYNC_PAYLOAD_LIMIT: usize = 1024 * 1024;
/// How long Lambda waits before the first and the second retry of an asynchronous invocation that failed.
/// <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>
const RETRY_AFTER: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(120)];

/// Adds the operation of this file, and the events that move an invocation on.
pub(super) fn operations(service: Service<Functions>) -> Service<Functions> {
    service
        .waiting_op("Invoke", |at, i: &Invoke| on(at, &i.function_name).action("lambda:InvokeFunction"), invoke)
        .event("Completed", completed)
        .event("Deadline", deadline)
        .event("Retry", retry)
}

/// An invocation that is not done with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Invocation {
    function: String,
    asynchronous: bool,
    payload: String,
    retries: u32,
    /// The attempt that runs, or ran last.
    number: u32,
    started: Timestamp,
    timed_out: bool,
    outcome: Option<Outcome>,
}

/// How an attempt ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Outcome {
    /// The kind of function error, or none.
    pub error: Option<FunctionError>,
    /// The answer, or the error document.
    pub payload: Value,
}

/// `X-Amz-Function-Error`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum FunctionError {
    /// The code answered with an error, or crashed, or took too long.
    Unhandled,
}

/// What an environment is asked to run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Attempt {
    pub function: String,
    pub arn: String,
    pub role: String,
    pub revision: String,
    pub memory: u32,
    pub timeout: u32,
    pub deadline: Timestamp,
    pub variables: imbl::OrdMap<String, String>,
    pub log_group: String,
    pub request_id: String,
    pub number: u32,
    pub retries: u32,
    pub payload: String,
}

/// What an environment reports: the key of the event `Completed`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Completed {
    pub attempt: Attempt,
    pub log_stream: String,
    pub cold: bool,
    pub lines: Vec<(Timestamp, String)>,
    pub end: AttemptEnd,
}

/// How the code of an attempt ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum AttemptEnd {
    /// It returned.
    Answered(Value),
    /// It returned an error: type and message.
    Failed(String, String),
    /// Its process died.
    Died,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Invoke {
    pub function_name: String,
    invocation_type: Option<String>,
    log_type: Option<String>,
    qualifier: Option<String>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct InvokeOutput {
    #[serde(skip_serializing_if = "Option::is_none")]
    function_error: Option<FunctionError>,
    #[serde(skip_serializing_if = "Option::is_none")]
    executed_version: Option<String>,
    status_code: u16,
    /// The how-manieth attempt at running the function it was: for mappings and scenarios. The model does not know it, so
    /// that no client sees it.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<u32>,
}

fn invoke(cx: &mut Cx<Functions>, input: &Invoke) -> Result<Step<InvokeOutput>> {
    if let Some(resumed) = cx.resumed().cloned() {
        return answer(cx, &resumed.token);
    }
    refuse_qualifier(input.qualifier.as_deref())?;
    if input.log_type.as_deref().is_some_and(|kind| kind != "None") {
        return Err(Error::not_implemented("the log tail of Invoke (LogType=Tail)"));
    }
    let name = bare_name(&input.function_name).to_owned();
    find_mut(cx, &name)?;
    match input.invocation_type.as_deref().unwrap_or("RequestResponse") {
        "DryRun" => {
            cx.answer_status(204);
            Ok(Step::Done(InvokeOutput { status_code: 204, ..InvokeOutput::default() }))
        }
        "Event" => {
            let payload = event_document(&cx.body, ASYNC_PAYLOAD_LIMIT)?;
            accept(cx, name, payload, true)?;
            cx.answer_status(202);
            Ok(Step::Done(InvokeOutput { status_code: 202, ..InvokeOutput::default() }))
        }
        _ => {
            let payload = event_document(&cx.body, SYNC_PAYLOAD_LIMIT)?;
            let request_id = accept(cx, name, payload, false)?;
            Ok(Step::Later(Later { signal: signal(&request_id), until: None, token: request_id }))
        }
    }
}

/// The answer of a synchronous invocation that has ended.
fn answer(cx: &mut Cx<Functions>, request_id: &str) -> Result<Step<InvokeOutput>> {
    let attempt = cx.state.invocations.get(request_id).map(|invocation| invocation.number);
    let outcome = match cx.state.invocations.get(request_id) {
        None => return Err(Error::internal(format!("the invocation {request_id} is not in the books"))),
        Some(Invocation { outcome: None, .. }) => {
            return Ok(Step::Later(Later { signal: signal(request_id), until: None, token: request_id.to_owned() }));
        }
        Some(Invocation { outcome: Some(outcome), .. }) => outcome.clone(),
    };
    cx.state.invocations.remove(request_id);
    cx.answer_body(Bytes::from(serde_json::to_vec(&outcome.payload)?));
    let output = InvokeOutput {
        function_error: outcome.error,
        executed_version: Some("$LATEST".to_owned()),
        status_code: 200,
        attempt,
    };
    Ok(Step::Done(output))
}

fn signal(request_id: &str) -> String {
    format!("lambda/invocation/{request_id}")
}

/// The event document: valid JSON of at most `limit` bytes; nothing at all stands for `{}`.
fn event_document(body: &[u8], limit: usize) -> Result<String> {
    if body.len() > limit {
        return Err(Error::new(
            413,
            "RequestTooLargeException",
            format!("Request must be smaller than {limit} bytes for the InvokeFunction operation"),
        )
        .with("Type", "User"));
    }
    if body.is_empty() {
        return Ok("{}".to_owned());
    }
    let parsed: Result<serde::de::IgnoredAny, _> = serde_json::from_slice(body);
    match (parsed, std::str::from_utf8(body)) {
        (Ok(_), Ok(text)) => Ok(text.to_owned()),
        (Err(error), _) => Err(unparsable(error)),
        (_, Err(error)) => Err(unparsable(error)),
    }
}

fn unparsable(error: impl std::fmt::Display) -> Error {
    Error::client("InvalidRequestContentException", format!("Could not parse request body into json: {error}"))
        .with("Type", "User")
}

fn accept(cx: &mut Cx<Functions>, function: String, payload: String, asynchronous: bool) -> Result<String> {
    let request_id = if cx.request_id.is_empty() { cx.ids().uuid() } else { cx.request_id.to_owned() };
    let invocation = Invocation {
        function,
        asynchronous,
        payload,
        retries: 0,
        number: 0,
        started: cx.now,
        timed_out: false,
        outcome: None,
    };
    cx.state.invocations.insert(request_id.clone(), invocation);
    start(cx, &request_id)?;
    let header = HeaderValue::from_str(&request_id).map_err(Error::internal)?;
    cx.answer_header(HeaderName::from_static("x-amzn-requestid"), header);
    Ok(request_id)
}

/// Starts the next attempt at an invocation.
fn start(cx: &mut Cx<Functions>, request_id: &str) -> Result<()> {
    let now = cx.now;
    let Some(invocation) = cx.state.invocations.get_mut(request_id) else { return Ok(()) };
    let Some(function) = cx.state.functions.get_mut(&invocation.function) else {
        // The function was deleted meanwhile: nothing can be retried.
        cx.state.invocations.remove(request_id);
        return Ok(());
    };
    function.attempts += 1;
    invocation.number = function.attempts;
    invocation.started = now;
    let configuration = &function.configuration;
    let deadline = now + Duration::from_secs(configuration.timeout.into());
    let attempt = Attempt {
        function: configuration.function_name.clone(),
        arn: configuration.function_arn.clone(),
        role: configuration.role.clone(),
        revision: configuration.revision_id.clone(),
        memory: configuration.memory_size,
        timeout: configuration.timeout,
        deadline,
        variables: configuration.environment.clone().unwrap_or_default().variables,
        log_group: configuration.logging_config.log_group.clone(),
        request_id: request_id.to_owned(),
        number: invocation.number,
        retries: invocation.retries,
        payload: invocation.payload.clone(),
    };
    cx.note(Event::Started(record(&attempt)));
    cx.set_timer("Deadline", request_id, deadline);
    cx.start(super::RUN, &attempt)
}

fn record(attempt: &Attempt) -> InvocationRecord {
    InvocationRecord {
        invocation: InvocationRef { function: attempt.function.as_str().into(), number: attempt.number },
        request_id: attempt.request_id.clone(),
        retries: attempt.retries,
    }
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
fn completed(cx: &mut Cx<Functions>, report: &str) -> Result<()> {
    let completed: Completed = serde_json::from_str(report)?;
    let request_id = completed.attempt.request_id.clone();
    let Some(invocation) = cx.state.invocations.get(&request_id).cloned() else { return Ok(()) };
    cx.cancel_timer("Deadline", request_id.as_str());
    let outcome = outcome(&completed, invocation.timed_out);
    report::logs(cx, &completed, &outcome, invocation.started, invocation.timed_out)?;
    report::metrics(cx, &completed, &outcome, invocation.started);
    cx.note(Event::Ended {
        invocation: record(&completed.attempt),
        error: outcome.error.map(|_| error_type(&outcome.payload)),
        payload: outcome.payload.clone(),
    });
    if !invocation.asynchronous {
        if let Some(invocation) = cx.state.invocations.get_mut(&request_id) {
            invocation.outcome = Some(outcome);
        }
        cx.signal(signal(&request_id));
        return Ok(());
    }
    match RETRY_AFTER.get(invocation.retries as usize).filter(|_| outcome.error.is_some()) {
        Some(wait) => {
            let due = cx.now + *wait;
            cx.set_timer("Retry", request_id, due);
        }
        None => {
            cx.state.invocations.remove(&request_id);
        }
    }
    Ok(())
}

/// The time has come to try an asynchronous invocation again.
fn retry(cx: &mut Cx<Functions>, request_id: &str) -> Result<()> {
    if let Some(invocation) = cx.state.invocations.get_mut(request_id) {
        invocation.retries += 1;
        invocation.timed_out = false;
    }
    start(cx, request_id)
}

fn outcome(completed: &Completed, timed_out: bool) -> Outcome {
    let request_id = &completed.attempt.request_id;
    match &completed.end {
        AttemptEnd::Answered(payload) => Outcome { error: None, payload: payload.clone() },
        AttemptEnd::Failed(kind, message) => failure(kind, message.clone()),
        AttemptEnd::Died if timed_out => failure(
            "Sandbox.Timedout",
            format!("RequestId: {request_id} Error: Task timed out after {}.00 seconds", completed.attempt.timeout),
        ),
        AttemptEnd::Died => failure(
            "Runtime.ExitError",
            format!("RequestId: {request_id} Error: Runtime exited with error: signal: killed"),
        ),
    }
}

fn failure(kind: &str, message: String) -> Outcome {
    let payload = serde_json::json!({ "errorType": kind, "errorMessage": message });
    Outcome { error: Some(FunctionError::Unhandled), payload }
}

fn error_type(payload: &Value) -> String {
    payload.get("errorType").and_then(Value::as_str).unwrap_or("Unhandled").to_owned()
}
