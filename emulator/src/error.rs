//! The one error type: what an operation, a validation, a denial or an injected fault answers with.

use std::borrow::Cow;
use std::fmt;

use serde_json::{Map, Value};

/// What every fallible step of the emulator returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An AWS error answer, independent of the protocol that will carry it.
///
/// It is rendered once, by `wire`, in the protocol that the request came in. Boxed, so that a `Result` stays small.
#[derive(Clone, PartialEq)]
pub struct Error(Box<Parts>);

#[derive(Clone, Debug, PartialEq)]
struct Parts {
    code: Cow<'static, str>,
    status: u16,
    message: String,
    members: Map<String, Value>,
}

impl Error {
    /// An error with an HTTP status, AWS's error code, and AWS's text.
    pub fn new(status: u16, code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self(Box::new(Parts { code: code.into(), status, message: message.into(), members: Map::new() }))
    }

    /// An error that is the client's: status 400.
    pub fn client(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }

    /// What exists at AWS and not here: status 501, code `NotImplemented`. The text must name it.
    pub fn not_implemented(what: impl fmt::Display) -> Self {
        Self::new(501, "NotImplemented", format!("Garoa does not implement {what}"))
    }

    /// A fault of the emulator itself: status 500, code `InternalFailure`.
    pub fn internal(message: impl fmt::Display) -> Self {
        Self::new(500, "InternalFailure", message.to_string())
    }

    /// Adds a member to the answer besides code and message, such as S3's `Key` or a queue's `BucketName`.
    #[must_use]
    pub fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.0.members.insert(member.to_owned(), value.into());
        self
    }

    /// The error code, as the service's model or documentation writes it.
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.0.status
    }

    /// AWS's text.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The members besides code and message.
    pub fn members(&self) -> &Map<String, Value> {
        &self.0.members
    }

    /// Whether the sender is at fault (4xx) rather than the service.
    pub fn is_client_fault(&self) -> bool {
        self.0.status < 500
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.0.code, self.0.status, self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {}
