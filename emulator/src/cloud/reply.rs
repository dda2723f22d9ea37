//! What an operation answers, before a protocol gives it bytes.

use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;

/// An operation's answer.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    /// Overrides the status that the service model gives.
    pub status: Option<u16>,
    /// Headers besides the modelled ones.
    pub headers: HeaderMap,
    /// The output shape's members, as plain values.
    pub output: Value,
    /// The member that is bound to the HTTP payload, where that is a blob.
    pub body: Option<Bytes>,
}
