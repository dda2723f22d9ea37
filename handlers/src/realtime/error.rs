//! What makes an invocation fail. API Gateway then tells the client "Internal server error", or does not let it in.

use lambda_runtime::Diagnostic;

/// Why an invocation failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The event is none of a WebSocket API.
    #[error("the event has no {0}")]
    Event(&'static str),
    /// A table could not be read or written.
    #[error("{operation} of {table}: {reason}")]
    Table {
        /// DynamoDB's operation.
        operation: &'static str,
        /// The table.
        table: String,
        /// What DynamoDB said.
        reason: String,
    },
    /// Some receivers did not get a message, and are not gone.
    #[error("{failed} of {receivers} receivers did not get the message: {reason}")]
    Undelivered {
        /// How many did not.
        failed: usize,
        /// How many there were.
        receivers: usize,
        /// What was said of the first.
        reason: String,
    },
}

impl Error {
    /// Lambda's `errorType`.
    pub fn error_type(&self) -> &'static str {
        match self {
            Self::Event(_) => "Realtime.Event",
            Self::Table { .. } => "Realtime.Table",
            Self::Undelivered { .. } => "Realtime.Undelivered",
        }
    }
}

impl From<Error> for Diagnostic {
    fn from(error: Error) -> Self {
        Self { error_type: error.error_type().to_owned(), error_message: error.to_string() }
    }
}
