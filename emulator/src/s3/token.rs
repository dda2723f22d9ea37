//! Continuation tokens: opaque to clients, base64 of where to go on here.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::errors;
use crate::Result;

/// A token that remembers a text.
pub(super) fn write(text: &str) -> String {
    STANDARD.encode(text)
}

/// What a token remembers.
///
/// # Errors
/// `InvalidArgument` for what is no token.
pub(super) fn read(token: &str) -> Result<String> {
    STANDARD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(|| {
        errors::invalid_argument("continuation-token", token, "The continuation token provided is incorrect")
    })
}
