//! Calls that an API makes: of functions, through the front door, and of HTTP services.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};

use super::PRINCIPAL;
use crate::cloud::{Call, Caller, Inner, Scope};
use crate::execute_api::outside;

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
            let service = Caller::service(PRINCIPAL);
            let access = inner.access_in(&service, scope);
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
    match inner.within(time, inner.call(call, &request_id)).await {
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

/// Sends a request to an HTTP service, as far as there is a way to it.
pub(super) async fn http(inner: &Inner, request: Request<Bytes>, time: Duration) -> Outcome<Response<Bytes>> {
    let uri = request.uri().clone();
    match inner.within(time, outside::send(inner, request)).await {
        None => Outcome::TimedOut,
        Some(Ok(response)) => Outcome::Answered(response),
        Some(Err(halt)) => {
            tracing::warn!(%uri, ?halt, "an API's HTTP integration failed");
            Outcome::Failed
        }
    }
}
