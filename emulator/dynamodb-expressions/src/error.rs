//! The errors of this crate: AWS's kind and AWS's text.

/// The answer of everything here that reads what came from outside.
pub type Result<T> = std::result::Result<T, Error>;

/// What DynamoDB refuses, with the text that it answers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// `ValidationException`: the request is wrong, or does not fit the item that it found.
    #[error("{0}")]
    Validation(String),
    /// `SerializationException`: a member has a JSON type that it cannot have.
    #[error("{0}")]
    Serialization(String),
}

impl Error {
    /// A `ValidationException` with this text.
    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::Validation(message.into())
    }

    /// A `ValidationException` of one parameter: AWS begins most texts of this kind alike.
    pub(crate) fn parameter(message: impl std::fmt::Display) -> Self {
        Self::Validation(format!("One or more parameter values were invalid: {message}"))
    }

    /// The text alone, without the kind.
    pub fn message(&self) -> &str {
        match self {
            Self::Validation(message) | Self::Serialization(message) => message,
        }
    }

    /// The same error with a text before and one after its own.
    pub(crate) fn within(self, before: &str, after: &str) -> Self {
        match self {
            Self::Validation(message) => Self::Validation(format!("{before}{message}{after}")),
            other => other,
        }
    }
}
