//! The recording door in front of APIs: faults and the trace, as the front has them for calls.

use bytes::Bytes;
use http::{HeaderMap, Response};
use serde_json::{Map, Value, json};

use super::Incoming;
use crate::Error;
use crate::clock::Activity;
use crate::cloud::{CallRecord, Event, FaultKind, Halt, Inner, InvocationRef, Scope};

/// A request on its way to an API.
struct Passage<'a> {
    incoming: &'a Incoming<'a>,
    resource: String,
    point: Option<(InvocationRef, u32)>,
    fault: Option<FaultKind>,
}

/// Lets a request pass to the API that answers it.
pub(super) async fn pass(
    inner: &Inner,
    scope: &Scope,
    incoming: &Incoming<'_>,
    answering: impl Future<Output = Result<Response<Bytes>, Halt>>,
) -> Result<Response<Bytes>, Halt> {
    let (stage, path) = incoming.address.staged();
    let resource =
        scope.arn("execute-api", format_args!("{}/{stage}/{}{path}", incoming.address.api, incoming.head.method));
    let point = incoming.entry.invocation.clone().map(|invocation| {
        let number = inner.trace.next_call(&invocation);
        (invocation, number)
    });
    let place = point.as_ref().map(|(invocation, call)| (&*invocation.function, invocation.number, *call));
    let fault = inner.strike_outside("execute-api", "Invoke", &resource, place);
    let passage = Passage { incoming, resource, point, fault };
    let outcome = match before(inner, &passage).await {
        Ok(None) => answering.await,
        Ok(Some(answer)) => Ok(answer),
        Err(halt) => Err(halt),
    };
    record(inner, &passage, &outcome);
    let seen = match passage.fault {
        Some(FaultKind::CrashAfter) => Err(Halt::Crashed),
        Some(FaultKind::LostReply) => Err(Halt::Lost),
        _ => outcome,
    };
    if let (Err(Halt::Crashed), Some((invocation, _))) = (&seen, &passage.point) {
        inner.kill(invocation);
        if Activity::current().is_some() {
            std::future::pending::<()>().await;
        }
    }
    seen
}

/// The faults that come before the API is reached; with the answer, where they are one.
async fn before(inner: &Inner, passage: &Passage<'_>) -> Result<Option<Response<Bytes>>, Halt> {
    let plain = |status: u16, message: &str| Ok(Some(super::json(status, json!({"message": message}).to_string())));
    match &passage.fault {
        // A duplicate is of a record, and strikes no request.
        None | Some(FaultKind::CrashAfter | FaultKind::LostReply | FaultKind::Duplicate) => Ok(None),
        Some(FaultKind::CrashBefore) => Err(Halt::Crashed),
        Some(FaultKind::Refuse) => Err(Halt::Refused),
        Some(FaultKind::Throttle) => plain(429, "Too Many Requests"),
        Some(FaultKind::Deny) => plain(403, "Forbidden"),
        Some(FaultKind::Error { status, .. }) => plain(*status, "Internal server error"),
        Some(FaultKind::Delay(time)) => {
            let (_, hold) = inner.wait(Some(inner.clock.now() + *time)).await?;
            drop(hold);
            Ok(None)
        }
        Some(FaultKind::EmptyPage) => {
            Err(Error::not_implemented("the fault empty-page at an API, which has no pages").into())
        }
    }
}

fn record(inner: &Inner, passage: &Passage<'_>, outcome: &Result<Response<Bytes>, Halt>) {
    if !inner.trace.is_kept() {
        return;
    }
    let incoming = passage.incoming;
    let (status, error, answer) = match outcome {
        Ok(response) => (Some(response.status().as_u16()), None, response.body().clone()),
        Err(Halt::Error(error)) => {
            (Some(error.status()), Some((error.code().to_owned(), error.message().to_owned())), Bytes::new())
        }
        Err(_) => (None, None, Bytes::new()),
    };
    let record = CallRecord {
        service: "execute-api".to_owned(),
        operation: "Invoke".to_owned(),
        action: "execute-api:Invoke".to_owned(),
        resource: passage.resource.clone(),
        caller: passage.point.as_ref().map_or_else(|| "anonymous".to_owned(), |(i, _)| i.function.to_string()),
        source_arn: None,
        invocation: passage.point.as_ref().map(|(invocation, _)| invocation.clone()),
        index: passage.point.as_ref().map(|(_, index)| *index),
        input: json!({
            "method": incoming.head.method.as_str(),
            "path": incoming.head.uri.path_and_query().map_or("/", |path| path.as_str()),
            "headers": headers(&incoming.head.headers),
        }),
        body: incoming.body.clone(),
        status,
        error,
        output: outcome.as_ref().map_or(Value::Null, |response| json!({"headers": headers(response.headers())})),
        answer,
        fault: passage.fault.clone(),
    };
    inner.trace.add(inner.clock.now(), Event::Call(std::sync::Arc::new(record)));
}

/// Headers as they are in the trace: without who sent them, which differs from run to run by the port.
fn headers(headers: &HeaderMap) -> Value {
    let shown = headers.iter().filter(|(name, _)| *name != http::header::HOST);
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    Value::Object(shown.map(|(name, value)| (name.to_string(), text(value).into())).collect::<Map<_, _>>())
}
