//! What an HTTP API answers: from what functions return, and in its own words.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, SET_COOKIE};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

use super::super::parameters::scalar;

/// `{"message": "…"}`.
pub(super) fn message(status: u16, text: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(json!({ "message": text }).to_string()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The answer that a function's result means; none if it means none. In format 2.0 a result without a status is the body.
pub(crate) fn of_function(result: &Value, second: bool) -> Option<Response<Bytes>> {
    let Some(status) = result.get("statusCode") else {
        return second.then(|| inferred(result));
    };
    let status = match status {
        Value::String(text) => text.parse().ok()?,
        other => u16::try_from(other.as_u64()?).ok()?,
    };
    let text = match &result["body"] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        // Format 1.0 wants a text; so does 2.0, but there an object is what people write.
        other if second => other.to_string(),
        _ => return None,
    };
    let body =
        if result["isBase64Encoded"] == true { Bytes::from(STANDARD.decode(text).ok()?) } else { Bytes::from(text) };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).ok()?;
    add_headers(&mut response, result);
    let headers = response.headers_mut();
    if !headers.contains_key(CONTENT_TYPE) {
        let kind = if second { "text/plain;charset=utf-8" } else { "application/json" };
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    Some(response)
}

fn inferred(result: &Value) -> Response<Bytes> {
    let body = match result {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut response = Response::new(Bytes::from(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn add_headers(response: &mut Response<Bytes>, result: &Value) {
    let headers = response.headers_mut();
    let mut add = |name: &str, value: &Value, instead: bool| {
        let name = HeaderName::from_bytes(name.as_bytes());
        let value = scalar(value).and_then(|text| HeaderValue::from_str(&text).ok());
        if let (Ok(name), Some(value)) = (name, value)
            && name != CONTENT_LENGTH
        {
            if instead {
                headers.insert(name, value);
            } else {
                headers.append(name, value);
            }
        }
    };
    for (name, value) in result["headers"].as_object().into_iter().flatten() {
        add(name, value, true);
    }
    for (name, values) in result["multiValueHeaders"].as_object().into_iter().flatten() {
        for value in values.as_array().into_iter().flatten() {
            add(name, value, false);
        }
    }
    for cookie in result["cookies"].as_array().into_iter().flatten() {
        add(SET_COOKIE.as_str(), cookie, false);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_result_without_a_status_is_the_body_in_format_2() {
        let response = of_function(&json!({ "a": 1 }), true).unwrap();
        assert_eq!((response.status().as_u16(), &response.body()[..]), (200, &br#"{"a":1}"#[..]));
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
        assert_eq!(of_function(&json!("hi"), true).unwrap().body(), "hi");
        assert!(of_function(&json!({ "a": 1 }), false).is_none());
    }

    #[test]
    fn status_headers_cookies_and_encoded_bodies() {
        let result = json!({
            "statusCode": 201, "headers": { "x-a": 1 }, "cookies": ["a=1", "b=2"], "body": "aGk=", "isBase64Encoded": true,
        });
        let response = of_function(&result, true).unwrap();
        assert_eq!((response.status().as_u16(), &response.body()[..]), (201, &b"hi"[..]));
        assert_eq!(response.headers()["x-a"], "1");
        assert_eq!(response.headers().get_all(SET_COOKIE).iter().count(), 2);
        assert!(of_function(&json!({ "statusCode": "nine" }), true).is_none());
        assert!(of_function(&json!({ "statusCode": 200, "body": { "a": 1 } }), false).is_none());
    }
}
