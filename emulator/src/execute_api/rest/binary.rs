//! Payloads between text and binary.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-workflow.html>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::refusal::Refusal;

/// What an integration gets of a request's body. `binary` is whether the API takes the body's type for binary.
pub(super) fn request(body: &Bytes, binary: bool, handling: Option<&str>) -> Result<Bytes, Refusal> {
    match (binary, handling) {
        (true, Some("CONVERT_TO_TEXT")) => Ok(Bytes::from(STANDARD.encode(body))),
        (true, _) => Ok(body.clone()),
        (false, Some("CONVERT_TO_BINARY")) => decoded(body),
        (false, _) => Ok(text(body)),
    }
}

/// What a client gets of an integration's body. `binary` is whether the API takes the body's type for binary, `wanted` whether the
/// type that the client accepts.
pub(super) fn response(body: &Bytes, binary: bool, wanted: bool, handling: Option<&str>) -> Result<Bytes, Refusal> {
    match (binary, wanted, handling) {
        (true, _, Some("CONVERT_TO_TEXT")) | (true, false, None) => Ok(Bytes::from(STANDARD.encode(body))),
        (true, _, _) => Ok(body.clone()),
        (false, _, Some("CONVERT_TO_BINARY")) | (false, true, None) => decoded(body),
        (false, _, _) => Ok(text(body)),
    }
}

fn decoded(body: &Bytes) -> Result<Bytes, Refusal> {
    let decoded = STANDARD.decode(body).map_err(|_| Refusal::configuration(500))?;
    Ok(Bytes::from(decoded))
}

/// What is not UTF-8 is lost on the way.
fn text(body: &Bytes) -> Bytes {
    match std::str::from_utf8(body) {
        Ok(_) => body.clone(),
        Err(_) => Bytes::from(String::from_utf8_lossy(body).into_owned()),
    }
}
