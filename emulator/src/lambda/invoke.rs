//! `Invoke`, and the books of what was asked for.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::attempts::{self, Started};
use super::configuration::LoggingConfig;
use super::functions::bare_name;
use super::qualifier::{LATEST, not_found, qualifier, reachable, resolve};
use super::{Functions, on_version};
use crate::cloud::{Cx, Later, Service, Step};
use crate::{Error, Result, Timestamp};

/// The payload of a synchronous invocation, in bytes.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const SYNC_PAYLOAD_LIMIT: usize = 6 * 1024 * 1024;
/// The payload of an asynchronous invocation, in bytes (raised from 256 KB in 2025, same page).
const ASYNC_PAYLOAD_LIMIT: usize = 1024 * 1024;
/// The client context, in bytes: it travels in a header.
/// <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>
const CONTEXT_LIMIT: usize = 3583;

/// Adds the operation of this file.
pub(super) fn operations(service: Service<Functions>) -> Service<Functions> {
    service.waiting_op_after(
        "Invoke",
        check_event,
        |at, i: &Invoke| on_version(at, &i.function_name, i.qualifier.as_deref()).action("lambda:InvokeFunction"),
        invoke,
    )
}

/// An invocation that is not done with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Invocation {
    pub function: String,
    pub qualifier: Option<String>,
    pub asynchronous: bool,
    pub payload: Arc<str>,
    pub client_context: Option<String>,
    /// Whether the end of the log is asked for.
    pub tail: bool,
    pub accepted: Timestamp,
    pub retries: u32,
    /// How often it could not run for want of concurrency, since it last ran.
    pub throttles: u32,
    /// The attempt that runs, or ran last.
    pub number: u32,
    pub started: Timestamp,
    pub timed_out: bool,
    /// The version or alias of whose provisioned environments it has one.
    #[serde(default)]
    pub slot: Option<String>,
    pub outcome: Option<Outcome>,
}

/// How an attempt ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Outcome {
    /// The kind of function error, or none.
    pub error: Option<FunctionError>,
    /// The answer as the function wrote it, or the error document.
    pub payload: Arc<str>,
    /// The version that ran.
    pub version: String,
    /// The end of the log, if it was asked for.
    pub tail: Option<String>,
}

impl Outcome {
    /// The payload as a value; a text if it is no JSON, which a runtime of one's own may answer.
    pub fn value(&self) -> Value {
        serde_json::from_str(&self.payload).unwrap_or_else(|_| Value::String(self.payload.to_string()))
    }
}

/// `X-Amz-Function-Error`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum FunctionError {
    /// The code answered with an error, or crashed, or took too long.
    Unhandled,
}

/// What an environment is asked to run.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub function: String,
    /// The function's ARN, without a qualifier.
    pub arn: String,
    /// The ARN that was invoked.
    pub invoked_arn: String,
    /// `$LATEST`, or the number of a published version.
    pub version: String,
    pub role: String,
    /// What the environment must have been made for.
    pub build: String,
    pub memory: u32,
    pub timeout: u32,
    pub deadline: Timestamp,
    pub variables: imbl::OrdMap<String, String>,
    pub logging: LoggingConfig,
    /// Whether an environment of its kind was provisioned.
    pub provisioned: bool,
    pub request_id: String,
    pub number: u32,
    pub retries: u32,
    pub payload: Arc<str>,
    pub client_context: Option<String>,
    /// What was uploaded; none for a function whose code is in this process.
    pub executable: Option<Executable>,
}

/// What a process is made of.
#[derive(Clone, Debug)]
pub(crate) struct Executable {
    pub runtime: String,
    pub handler: String,
    /// Which code: lower-case hexadecimal digits.
    pub hash: String,
}

/// What an environment reports by the event `Completed`.
#[derive(Clone, Debug)]
pub(super) struct Completed {
    pub attempt: Arc<Attempt>,
    pub log_stream: String,
    pub cold: bool,
    /// How long the code took to be ready, in milliseconds, where it was started for this attempt.
    pub init_millis: Option<f64>,
    /// The most memory that a process has had, in MiB.
    pub memory_used: Option<u32>,
    pub lines: Vec<(Timestamp, String)>,
    pub end: AttemptEnd,
}

/// How the code of an attempt ended.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum AttemptEnd {
    /// It returned this text.
    Answered(Arc<str>),
    /// It returned this error document.
    Failed(Value),
    /// Its process died: of what, unless it just ended.
    Died(Option<String>),
    /// Its time was over.
    TimedOut,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Invoke {
    function_name: String,
    invocation_type: Option<String>,
    log_type: Option<String>,
    qualifier: Option<String>,
    client_context: Option<String>,
    /// The event document, or what is wrong with it: see [`check_event`].
    #[serde(skip)]
    event: Option<Result<Arc<str>>>,
}

/// Reads the event, which may be as long as all else that an invocation costs.
fn check_event(input: &mut Invoke, body: &Bytes) {
    let limit = if input.is_asynchronous() { ASYNC_PAYLOAD_LIMIT } else { SYNC_PAYLOAD_LIMIT };
    input.event = Some(event_document(body, limit));
}

impl Invoke {
    fn is_asynchronous(&self) -> bool {
        self.invocation_type.as_deref() == Some("Event")
    }
}

#[derive(Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct InvokeOutput {
    #[serde(skip_serializing_if = "Option::is_none")]
    function_error: Option<FunctionError>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log_result: Option<String>,
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
    let place = qualifier(&input.function_name, input.qualifier.as_deref())?.map(str::to_owned);
    let name = reachable(cx.scope, &input.function_name)?;
    if place.is_none() && !cx.state.functions.contains_key(name) {
        return Err(not_found(&cx.scope.arn("lambda", format_args!("function:{name}:{LATEST}"))));
    }
    resolve(cx, &input.function_name, place.as_deref())?;
    let client_context = input.client_context.as_deref().map(context).transpose()?;
    if input.invocation_type.as_deref() == Some("DryRun") {
        cx.answer_status(204);
        return Ok(Step::Done(InvokeOutput { status_code: 204, ..InvokeOutput::default() }));
    }
    let asynchronous = input.is_asynchronous();
    let payload = input.event.clone().ok_or_else(|| Error::internal("an event that was not read"))??;
    let invocation = Invocation {
        function: bare_name(&input.function_name).to_owned(),
        qualifier: place,
        asynchronous,
        payload,
        client_context,
        tail: input.log_type.as_deref() == Some("Tail"),
        accepted: cx.now,
        retries: 0,
        throttles: 0,
        number: 0,
        started: cx.now,
        timed_out: false,
        slot: None,
        outcome: None,
    };
    let request_id = accept(cx, invocation)?;
    if asynchronous {
        cx.answer_status(202);
        return Ok(Step::Done(InvokeOutput { status_code: 202, ..InvokeOutput::default() }));
    }
    Ok(Step::Later(Later { signal: signal(&request_id), until: None, token: request_id }))
}

/// The answer of a synchronous invocation that has ended.
fn answer(cx: &mut Cx<Functions>, request_id: &str) -> Result<Step<InvokeOutput>> {
    if let Some(Invocation { outcome: None, .. }) = cx.state.invocations.get(request_id) {
        return Ok(Step::Later(Later { signal: signal(request_id), until: None, token: request_id.to_owned() }));
    }
    let Some(Invocation { outcome: Some(outcome), number, .. }) = cx.state.invocations.remove(request_id) else {
        return Err(Error::internal(format!("the invocation {request_id} is not in the books")));
    };
    if let Some(place) = cx.state.unclaimed.iter().position(|id| id == request_id) {
        cx.state.unclaimed.remove(place);
    }
    tell_id(cx, request_id)?;
    cx.answer_body(Bytes::copy_from_slice(outcome.payload.as_bytes()));
    Ok(Step::Done(InvokeOutput {
        function_error: outcome.error,
        log_result: outcome.tail.map(|tail| STANDARD.encode(tail)),
        executed_version: Some(outcome.version),
        status_code: 200,
        attempt: Some(number),
    }))
}

/// What wakes the call that waits for an invocation.
pub(super) fn signal(request_id: &str) -> String {
    format!("lambda/invocation/{request_id}")
}

/// The client context: base64 of a JSON document, handed to the code as that.
fn context(encoded: &str) -> Result<String> {
    let refused = |why: &str| {
        Error::client("InvalidRequestContentException", format!("Could not parse the client context: {why}"))
            .with("Type", "User")
    };
    if encoded.len() > CONTEXT_LIMIT {
        return Err(refused("it has more than 3583 bytes"));
    }
    let decoded = STANDARD.decode(encoded).map_err(|_| refused("it is not base64"))?;
    let parsed: Value = serde_json::from_slice(&decoded).map_err(|error| refused(&error.to_string()))?;
    // On one line, and in ASCII, for it becomes a header.
    let text = parsed.to_string();
    Ok(text.chars().map(|c| if c.is_ascii() { c.to_string() } else { escaped(c) }).collect())
}

fn escaped(c: char) -> String {
    c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect()
}

/// The event document: valid JSON of at most `limit` bytes; nothing at all stands for `{}`.
fn event_document(body: &[u8], limit: usize) -> Result<Arc<str>> {
    if body.len() > limit {
        return Err(Error::new(
            413,
            "RequestTooLargeException",
            format!("Request must be smaller than {limit} bytes for the InvokeFunction operation"),
        )
        .with("Type", "User"));
    }
    if body.is_empty() {
        return Ok("{}".into());
    }
    let parsed: Result<serde::de::IgnoredAny, _> = serde_json::from_slice(body);
    match (parsed, std::str::from_utf8(body)) {
        (Ok(_), Ok(text)) => Ok(text.into()),
        (Err(error), _) => Err(unparsable(error)),
        (_, Err(error)) => Err(unparsable(error)),
    }
}

fn unparsable(error: impl std::fmt::Display) -> Error {
    Error::client("InvalidRequestContentException", format!("Could not parse request body into json: {error}"))
        .with("Type", "User")
}

fn accept(cx: &mut Cx<Functions>, invocation: Invocation) -> Result<String> {
    let request_id = if cx.request_id.is_empty() { cx.ids().uuid() } else { cx.request_id.to_owned() };
    let asynchronous = invocation.asynchronous;
    let function = invocation.function.clone();
    cx.state.invocations.insert(request_id.clone(), invocation);
    if let Started::Throttled(throttle) = attempts::start(cx, &request_id)? {
        super::report::throttled(cx, &function);
        if !asynchronous {
            cx.state.invocations.remove(&request_id);
            return Err(throttle.error());
        }
        attempts::put_off(cx, &request_id)?;
    }
    tell_id(cx, &request_id)?;
    Ok(request_id)
}

/// The answer names the invocation: by its request id.
fn tell_id(cx: &mut Cx<Functions>, request_id: &str) -> Result<()> {
    let header = HeaderValue::from_str(request_id).map_err(Error::internal)?;
    cx.answer_header(HeaderName::from_static("x-amzn-requestid"), header);
    Ok(())
}
