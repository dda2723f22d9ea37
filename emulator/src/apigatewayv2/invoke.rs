//! Calls that an API makes: of functions, through the front door, and of HTTP services.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Limited};
use serde_json::{Value, json};

use super::PRINCIPAL;
use crate::cloud::{Call, Caller, Entry, Halt, Inner, Scope};
use crate::sinks::SINK_DOMAIN;

/// The largest answer of an HTTP service, in bytes: an HTTP API's payload.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>
const ANSWER_LIMIT: usize = 10 * 1024 * 1024;
/// The name of the sessions in which integrations call.
pub(super) const SESSION: &str = "BackplaneAssumeRoleSession";

/// What became of a call.
#[derive(Debug)]
pub(super) enum Outcome<T> {
    /// It was answered.
    Answered(T),
    /// It failed: no permission, an error of the function, a broken connection.
    Failed,
    /// It took too long.
    TimedOut,
}

/// A function that is to be called.
pub(super) struct Function<'a> {
    /// Its ARN.
    pub arn: &'a str,
    /// The role to call it as; without one the API calls as itself, and the function's own policy must allow it.
    pub role: Option<&'a str>,
    /// On whose behalf: the ARN of the API's stage and route.
    pub source_arn: String,
}

/// A call of Lambda that waits for the answer.
pub(super) fn call_of(inner: &Inner, scope: &Scope, function: &Function<'_>, event: &Value) -> Option<Call> {
    let mut caller = match function.role {
        None => Caller::service(PRINCIPAL),
        Some(role) => {
            let access = inner.access(&Caller::service(PRINCIPAL));
            access.role_session(role, SESSION, PRINCIPAL)?
        }
    };
    caller.source_arn = Some(function.source_arn.clone());
    Some(invocation(scope, caller, function.arn, event))
}

/// The same, of a caller that is known already.
pub(super) fn invocation(scope: &Scope, caller: Caller, arn: &str, event: &Value) -> Call {
    let input = json!({ "FunctionName": arn, "InvocationType": "RequestResponse" });
    // arn:aws:lambda:{region}:{account}:function:{name}
    let mut parts = arn.split(':').skip(3);
    let place = match (parts.next(), parts.next()) {
        (Some(region), Some(account)) => Scope::new(account, region),
        _ => scope.clone(),
    };
    Call::new("lambda", "Invoke", caller, place, input).with_body(event.to_string())
}

/// Calls a function and gives what it returned.
pub(super) async fn function(
    inner: &Inner,
    scope: &Scope,
    function: &Function<'_>,
    event: &Value,
    time: Duration,
) -> Outcome<Value> {
    let Some(call) = call_of(inner, scope, function, event) else {
        tracing::warn!(role = function.role, "{PRINCIPAL} may not assume the role");
        return Outcome::Failed;
    };
    let request_id = inner.next_request_id();
    match within(inner, time, inner.call(call, &request_id)).await {
        None => Outcome::TimedOut,
        Some(Err(halt)) => {
            tracing::warn!(function = function.arn, ?halt, "an API's function was not invoked");
            Outcome::Failed
        }
        Some(Ok(reply)) if reply.output.get("FunctionError").is_some_and(|error| !error.is_null()) => Outcome::Failed,
        Some(Ok(reply)) => match serde_json::from_slice(&reply.body.unwrap_or_default()) {
            Ok(answer) => Outcome::Answered(answer),
            Err(_) => Outcome::Failed,
        },
    }
}

/// Waits for `work`, but by the cloud's clock no longer than this.
pub(super) async fn within<T>(inner: &Inner, time: Duration, work: impl Future<Output = T>) -> Option<T> {
    let until = inner.clock.now() + time;
    tokio::select! {
        biased;
        done = work => Some(done),
        over = inner.wait(Some(until)) => {
            drop(over);
            None
        }
    }
}

/// Sends a request to an HTTP service: a sink, or a server on this machine. There is no way to others.
pub(super) async fn http(inner: &Inner, request: Request<Bytes>, time: Duration) -> Outcome<Response<Bytes>> {
    let host = request.uri().host().unwrap_or_default().to_owned();
    if host.ends_with(SINK_DOMAIN) {
        let entry = Entry { invocation: None, source_ip: None };
        return match within(inner, time, inner.outside(request, &entry)).await {
            None => Outcome::TimedOut,
            Some(Ok(response)) => Outcome::Answered(response),
            Some(Err(Halt::Error(error))) => {
                tracing::warn!(%error, host, "an API's HTTP integration failed");
                Outcome::Failed
            }
            Some(Err(_)) => Outcome::Failed,
        };
    }
    if !is_this_machine(&host) {
        tracing::warn!(
            host,
            "an API's HTTP integration leads out of this machine: only sinks and loopback addresses are called"
        );
        return Outcome::Failed;
    }
    // What is on its way over a socket is in flight: virtual time waits for it.
    let busy = inner.clock.busy();
    let sent = within(inner, time, send(request)).await;
    drop(busy);
    match sent {
        None => Outcome::TimedOut,
        Some(Ok(response)) => Outcome::Answered(response),
        Some(Err(error)) => {
            tracing::warn!(error, host, "an API's HTTP integration failed");
            Outcome::Failed
        }
    }
}

fn is_this_machine(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let is_loopback = bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    is_loopback || host == "localhost"
}

async fn send(request: Request<Bytes>) -> Result<Response<Bytes>, String> {
    let (head, body) = request.into_parts();
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build();
    let client = client.map_err(|error| error.to_string())?;
    let url = head.uri.to_string();
    let sent = client.request(head.method, url).headers(head.headers).body(body).send().await;
    let response: Response<reqwest::Body> = sent.map_err(|error| error.to_string())?.into();
    let (head, body) = response.into_parts();
    let body = Limited::new(body, ANSWER_LIMIT).collect().await.map_err(|error| error.to_string())?.to_bytes();
    Ok(Response::from_parts(head, body))
}
