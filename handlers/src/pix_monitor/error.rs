//! How a run can fail, and the `errorType` that Lambda reports for it.

use lambda_runtime::Diagnostic;

pub(crate) use crate::failure::{chain, reason};

/// Why a run failed. Whatever it is, the cursor stands where it stood unless the text says otherwise.
///
/// The name of the variant becomes Lambda's `errorType`, prefixed `PixMonitor.`
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A group in `LOG_GROUPS` does not exist.
    #[error("log group {group} does not exist; it is named in LOG_GROUPS")]
    LogGroupMissing {
        /// The group.
        group: String,
    },
    /// The role may not read a group.
    #[error("not allowed to read log group {group}: the role needs logs:FilterLogEvents on it ({reason})")]
    LogsAccessDenied {
        /// The group.
        group: String,
        /// What AWS said.
        reason: String,
    },
    /// A group could not be read: throttled beyond the SDK's retries, unreachable, or refused.
    #[error("cannot read log group {group}: {reason}")]
    LogsUnavailable {
        /// The group.
        group: String,
        /// What AWS or the connection said.
        reason: String,
    },
    /// `FilterLogEvents` answered with the token that it had just been given: reading on would never end.
    #[error("log group {group}: FilterLogEvents repeated its page token after {pages} pages")]
    LogsTokenLoop {
        /// The group.
        group: String,
        /// Pages read until then.
        pages: u64,
    },
    /// The window holds more pages than one run may read.
    #[error("log group {group}: more than {limit} pages in the window")]
    LogsTooManyPages {
        /// The group.
        group: String,
        /// The limit.
        limit: u64,
    },
    /// The role may not read or write the cursor.
    #[error(
        "not allowed to {action} s3://{bucket}/{key}: the role needs {permissions}; without s3:ListBucket, S3 answers \
         403 instead of 404 for a cursor that does not exist yet ({reason})"
    )]
    CursorAccessDenied {
        /// `read` or `write`.
        action: &'static str,
        /// The bucket.
        bucket: String,
        /// The key.
        key: String,
        /// The permissions that are missing, with their resources.
        permissions: String,
        /// What AWS said.
        reason: String,
    },
    /// `STATE_BUCKET` does not exist.
    #[error("bucket {bucket} does not exist; it is named in STATE_BUCKET")]
    StateBucketMissing {
        /// The bucket.
        bucket: String,
    },
    /// The cursor object holds something that is not an event id.
    #[error("s3://{bucket}/{key} is not an event id: {found}; it was not overwritten, repair or delete it")]
    CursorCorrupt {
        /// The bucket.
        bucket: String,
        /// The key.
        key: String,
        /// What is there, shortened.
        found: String,
    },
    /// The cursor could not be read or written for another reason.
    #[error("cannot {action} s3://{bucket}/{key}: {reason}")]
    CursorUnavailable {
        /// `read` or `write`.
        action: &'static str,
        /// The bucket.
        bucket: String,
        /// The key.
        key: String,
        /// What AWS or the connection said.
        reason: String,
    },
    /// Another run moved the cursor after this one had read it. The other run's cursor stands.
    #[error("lost the race: another run moved s3://{bucket}/{key} first, and its cursor stands ({reason})")]
    LostRace {
        /// The bucket.
        bucket: String,
        /// The key.
        key: String,
        /// What S3 said.
        reason: String,
    },
    /// Slack refused the message for good (a status that no retry can change).
    #[error("Slack refused the message with status {status}: {body}")]
    SlackRejected {
        /// The HTTP status.
        status: u16,
        /// The beginning of Slack's answer, such as `no_service`.
        body: String,
    },
    /// Slack did not take the message within the retries.
    #[error("Slack did not take the message in {attempts} attempts: {reason}")]
    SlackUnavailable {
        /// Attempts made.
        attempts: u32,
        /// Why the last one failed.
        reason: String,
    },
}

impl Error {
    /// Lambda's `errorType`: stable, so that alarms and retry rules may depend on it.
    pub fn error_type(&self) -> &'static str {
        match self {
            Self::LogGroupMissing { .. } => "PixMonitor.LogGroupMissing",
            Self::LogsAccessDenied { .. } => "PixMonitor.LogsAccessDenied",
            Self::LogsUnavailable { .. } => "PixMonitor.LogsUnavailable",
            Self::LogsTokenLoop { .. } => "PixMonitor.LogsTokenLoop",
            Self::LogsTooManyPages { .. } => "PixMonitor.LogsTooManyPages",
            Self::CursorAccessDenied { .. } => "PixMonitor.CursorAccessDenied",
            Self::StateBucketMissing { .. } => "PixMonitor.StateBucketMissing",
            Self::CursorCorrupt { .. } => "PixMonitor.CursorCorrupt",
            Self::CursorUnavailable { .. } => "PixMonitor.CursorUnavailable",
            Self::LostRace { .. } => "PixMonitor.LostRace",
            Self::SlackRejected { .. } => "PixMonitor.SlackRejected",
            Self::SlackUnavailable { .. } => "PixMonitor.SlackUnavailable",
        }
    }
}

impl From<Error> for Diagnostic {
    fn from(error: Error) -> Self {
        Self { error_type: error.error_type().to_owned(), error_message: error.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lambda_sees_the_variant_and_the_text() {
        let error = Error::StateBucketMissing { bucket: "pix-state".to_owned() };
        let diagnostic = Diagnostic::from(error);
        assert_eq!(diagnostic.error_type, "PixMonitor.StateBucketMissing");
        assert_eq!(diagnostic.error_message, "bucket pix-state does not exist; it is named in STATE_BUCKET");
    }
}
