//! How a refresh can fail, and the `errorType` that Lambda reports for it.

use lambda_runtime::Diagnostic;

/// Why a refresh failed. The tables that it does not name are refreshed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Tables could not be read or written, for reasons that a retry may mend or that a person must: throttling, a broken
    /// connection, a permission that is missing.
    #[error("{} of {total} tables could not be refreshed: {}", .failures.len(), .failures.join("; "))]
    TablesUnavailable {
        /// How many tables there are.
        total: usize,
        /// Each with its table and reason.
        failures: Vec<String>,
    },
}

impl Error {
    /// Lambda's `errorType`.
    pub fn error_type(&self) -> &'static str {
        match self {
            Self::TablesUnavailable { .. } => "DataRefresh.TablesUnavailable",
        }
    }
}

impl From<Error> for Diagnostic {
    fn from(error: Error) -> Self {
        Self { error_type: error.error_type().to_owned(), error_message: error.to_string() }
    }
}
