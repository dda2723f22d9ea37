//! What is asked: the event of a proxy integration, or the body itself where the method has none.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// A request that says all that is needed.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// The bucket to be emptied.
    pub bucket: String,
    /// The password, as it was given; it may be empty.
    pub password: String,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("bucket", &self.bucket).finish_non_exhaustive()
    }
}

/// Why it cannot be read: the text of the answer 400.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// The body is no JSON object.
    #[error("the body is not a JSON object")]
    Json,
    /// A member is missing, or is no text.
    #[error("{0} is missing or is not a text")]
    Member(&'static str),
}

impl Request {
    /// Reads an event.
    ///
    /// # Errors
    /// [`Unreadable`], which never holds what was given.
    pub fn read(event: &Value) -> Result<Self, Unreadable> {
        let parsed;
        // Without the proxy integration the function receives the body itself as its event.
        let body = match event.get("body") {
            None if event.get("requestContext").is_none() => event,
            None => return Err(Unreadable::Json),
            Some(body) => {
                parsed = parse(body, event.get("isBase64Encoded") == Some(&Value::Bool(true)))?;
                &parsed
            }
        };
        if !body.is_object() {
            return Err(Unreadable::Json);
        }
        let member = |name: &'static str| {
            let text = body.get(name).and_then(Value::as_str);
            text.map(str::to_owned).ok_or(Unreadable::Member(name))
        };
        let bucket = member("bucket_name")?;
        if bucket.is_empty() {
            return Err(Unreadable::Member("bucket_name"));
        }
        Ok(Self { bucket, password: member("password")? })
    }
}

fn parse(body: &Value, is_base64: bool) -> Result<Value, Unreadable> {
    let text = body.as_str().ok_or(Unreadable::Json)?;
    let parsed = if is_base64 {
        serde_json::from_slice(&STANDARD.decode(text).map_err(|_| Unreadable::Json)?)
    } else {
        serde_json::from_str(text)
    };
    parsed.map_err(|_| Unreadable::Json)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn asked() -> Result<Request, Unreadable> {
        Ok(Request { bucket: "b".to_owned(), password: "p".to_owned() })
    }

    #[test]
    fn both_integrations_are_read() {
        let body = r#"{"bucket_name":"b","password":"p"}"#;
        assert_eq!(Request::read(&json!({ "body": body, "requestContext": {} })), asked());
        assert_eq!(Request::read(&json!({ "body": STANDARD.encode(body), "isBase64Encoded": true })), asked());
        assert_eq!(Request::read(&json!({ "bucket_name": "b", "password": "p" })), asked());
    }

    #[test]
    fn what_is_missing_is_named_and_what_was_given_is_not() {
        let read = |body: &str| Request::read(&json!({ "body": body }));
        assert_eq!(read("{"), Err(Unreadable::Json));
        assert_eq!(read("[]"), Err(Unreadable::Json));
        assert_eq!(read(r#"{"password":"p"}"#), Err(Unreadable::Member("bucket_name")));
        assert_eq!(read(r#"{"bucket_name":"","password":"p"}"#), Err(Unreadable::Member("bucket_name")));
        assert_eq!(read(r#"{"bucket_name":"b","password":1}"#), Err(Unreadable::Member("password")));
        assert_eq!(Request::read(&json!({ "body": null, "requestContext": {} })), Err(Unreadable::Json));
        let request = Request { bucket: "b".to_owned(), password: "hush".to_owned() };
        assert!(!format!("{request:?}").contains("hush"));
    }
}
