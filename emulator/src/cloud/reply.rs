//! What an operation answers with, before a protocol writes it.

use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;

/// The answer of an operation as plain data.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    /// The HTTP status, where it is not the model's (`304`, `206`).
    pub status: Option<u16>,
    /// Headers that no member of the output carries. They replace what the protocol would write.
    pub headers: HeaderMap,
    /// The output, its members named as in the model; members that the model does not know are not written.
    pub output: Value,
    /// The blob, stream or event stream that is the HTTP body, where the output has such a payload.
    pub body: Option<Bytes>,
    /// A member of the output that its operation wrote as XML itself: its name, and its elements.
    pub(crate) written: Option<(&'static str, String)>,
}

impl Reply {
    /// An answer that is only an output.
    pub fn output(output: Value) -> Self {
        Self { output, ..Self::default() }
    }

    /// The same with a body.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = Some(body.into());
        self
    }
}
