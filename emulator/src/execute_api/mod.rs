//! The data plane of Amazon API Gateway: HTTP requests to deployed APIs.
//!
//! It is no service of its own: code beside the states, which reads what is deployed, and makes its calls through the front
//! door. `address.rs` and `domains.rs` say which API a request is for; the API's owner answers it: `rest/` for REST APIs. Requests are in the
//! trace, and faults strike them, as calls of `execute-api:Invoke`: `door.rs`.

mod address;
pub(crate) mod domains;
mod door;
pub(crate) mod outside;
mod rest;

use std::borrow::Cow;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::Value;

pub(crate) use address::{Address, Form, address};

use crate::apigatewayv2;
use crate::cloud::{Entry, Halt, Inner, Scope};

/// A request to an API, on its way to the API's owner.
pub(crate) struct Incoming<'a> {
    /// Where to.
    pub address: Address,
    /// Method, URI and headers.
    pub head: &'a Parts,
    /// The body.
    pub body: &'a Bytes,
    /// How it came in.
    pub entry: &'a Entry,
    /// The id of the request, as its answer carries it.
    pub request_id: &'a str,
}

/// Tries a method of a REST API out: `TestInvokeMethod`.
pub(crate) async fn test(inner: &Inner, scope: &Scope, trial: crate::apigateway::trial::Trial) -> serde_json::Value {
    rest::test(inner, scope, trial).await
}

/// Which service an API belongs to.
enum Owner {
    /// `apigateway`: REST APIs.
    Rest(Scope),
    /// `apigatewayv2`: HTTP APIs, and WebSocket APIs if so.
    Second(Scope, bool),
}

/// Answers a request that is addressed to an API.
pub(crate) async fn answer(inner: &Inner, incoming: Incoming<'_>) -> Result<Response<Bytes>, Halt> {
    match owner(inner, &incoming.address) {
        Some(Owner::Rest(scope)) => {
            Box::pin(door::pass(inner, &scope, &incoming, Box::pin(rest::answer(inner, &scope, &incoming)))).await
        }
        // The management of connections is a service's call like any other.
        Some(Owner::Second(_, true)) => apigatewayv2::manage(inner, &incoming).await,
        Some(Owner::Second(scope, false)) => {
            Box::pin(door::pass(inner, &scope, &incoming, Box::pin(apigatewayv2::answer(inner, &scope, &incoming))))
                .await
        }
        // An API that does not exist has no name at AWS; its endpoint answers so to names that it does not know.
        None => Ok(forbidden(incoming.request_id)),
    }
}

/// Finds the API by its id, which is unique in a region; an address without a region is looked for in all.
fn owner(inner: &Inner, address: &Address) -> Option<Owner> {
    let here = |scope: &Scope| address.region.as_deref().is_none_or(|region| region == &*scope.region);
    let rest = inner.running::<crate::apigateway::RestApis>("apigateway")?;
    rest.find(|scope, apis| (here(scope) && apis.has(&address.api)).then(|| scope.clone()))
        .map(Owner::Rest)
        .or_else(|| apigatewayv2::owner(inner, address).map(|(scope, is_websocket)| Owner::Second(scope, is_websocket)))
}

/// A scalar as the text that contexts and headers carry; none for what is no scalar.
pub(crate) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Null | Value::Array(_) | Value::Object(_) => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// Bytes as text, which nearly all of them are.
pub(crate) fn text(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// The answer to a request that leads to no API, or to no stage of it.
pub(crate) fn forbidden(request_id: &str) -> Response<Bytes> {
    let mut response = json(403, r#"{"message":"Forbidden"}"#);
    let headers = response.headers_mut();
    headers.insert("x-amzn-errortype", HeaderValue::from_static("ForbiddenException"));
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert("x-amzn-requestid", id);
    }
    response
}

/// An answer in JSON.
fn json(status: u16, body: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
