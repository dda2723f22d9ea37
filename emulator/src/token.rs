//! Tokens of paged answers: where a listing goes on, in base64 that needs no escaping, for callers take them as opaque. Services
//! whose models ask for a form of their own have it beside them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Result;

/// The token of a text, such as a name.
pub(crate) fn of_text(place: &str) -> String {
    URL_SAFE_NO_PAD.encode(place)
}

/// The text of a token; none if it is no token.
pub(crate) fn text(token: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()
}

/// The token of a value.
///
/// # Errors
/// If it cannot be written as JSON.
pub(crate) fn of(place: &impl Serialize) -> Result<String> {
    Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(place)?))
}

/// The value of a token; none if it is no token of such a value.
pub(crate) fn read<T: DeserializeOwned>(token: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token).ok()?).ok()
}
