//! Cross-origin resource sharing: answers to preflight requests, and headers on all others.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html>

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
    ORIGIN, VARY,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};

use super::super::state::Cors;

/// Whether a request is a preflight.
pub(crate) fn is_preflight(head: &Parts) -> bool {
    head.method == Method::OPTIONS
        && head.headers.contains_key(ORIGIN)
        && head.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// The answer to a preflight: 204, without headers where the origin may not.
pub(crate) fn preflight(cors: &Cors, head: &Parts) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    if allow(cors, head, headers) {
        let list = |values: &Option<Vec<String>>| values.as_deref().unwrap_or_default().join(",");
        put(headers, ACCESS_CONTROL_ALLOW_METHODS, &list(&cors.allow_methods));
        put(headers, ACCESS_CONTROL_ALLOW_HEADERS, &list(&cors.allow_headers));
        if let Some(age) = cors.max_age {
            put(headers, ACCESS_CONTROL_MAX_AGE, &age.to_string());
        }
    }
    response
}

/// Adds the API's headers to an answer; those of the integration are taken away.
pub(crate) fn stamp(cors: &Cors, head: &Parts, headers: &mut HeaderMap) {
    for name in [
        ACCESS_CONTROL_ALLOW_CREDENTIALS,
        ACCESS_CONTROL_ALLOW_HEADERS,
        ACCESS_CONTROL_ALLOW_METHODS,
        ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_EXPOSE_HEADERS,
        ACCESS_CONTROL_MAX_AGE,
    ] {
        headers.remove(name);
    }
    if allow(cors, head, headers) {
        put(headers, ACCESS_CONTROL_EXPOSE_HEADERS, &cors.expose_headers.as_deref().unwrap_or_default().join(","));
    }
}

/// Allows the request's origin, if it may.
fn allow(cors: &Cors, head: &Parts, headers: &mut HeaderMap) -> bool {
    let Some(origin) = head.headers.get(ORIGIN).and_then(|origin| origin.to_str().ok()) else { return false };
    let allowed = cors.allow_origins.as_deref().unwrap_or_default();
    let Some(rule) = allowed.iter().find(|rule| fits(rule, origin)) else { return false };
    put(headers, ACCESS_CONTROL_ALLOW_ORIGIN, if rule == "*" { "*" } else { origin });
    if rule != "*" {
        put(headers, VARY, "Origin");
    }
    if cors.allow_credentials == Some(true) {
        put(headers, ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
    }
    true
}

/// `*`, `https://*` and its like, or the origin itself.
fn fits(rule: &str, origin: &str) -> bool {
    match rule.strip_suffix('*') {
        Some(prefix) => origin.starts_with(prefix),
        None => rule.eq_ignore_ascii_case(origin),
    }
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value)
        && !value.is_empty()
    {
        headers.insert(name, value);
    }
}
