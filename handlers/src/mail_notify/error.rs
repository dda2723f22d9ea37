//! Why a mail was not sent, and whether another try may help.

use lambda_runtime::Diagnostic;

/// Why one message of a batch failed. It goes back to the queue whatever the reason is, and ends in the dead-letter queue
/// if it keeps failing; [`Error::is_permanent`] tells people which of them to look at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The event is not a batch of SQS messages: the whole invocation fails.
    #[error("the event is not a batch of SQS messages: {0}")]
    BadEvent(String),
    /// The message is not the JSON that it should be.
    #[error("the message cannot be read: {0}")]
    BadMessage(String),
    /// The recipient's address is none.
    #[error("recipient_email is no address: {0}")]
    BadAddress(String),
    /// No mail can be made of the message.
    #[error("the mail cannot be composed: {0}")]
    Unmailable(String),
    /// There is no such object, or no such bucket.
    #[error("s3://{bucket}/{key} does not exist ({reason})")]
    ObjectMissing {
        /// The bucket.
        bucket: String,
        /// The key.
        key: String,
        /// What S3 said.
        reason: String,
    },
    /// The object is larger than what mail servers take.
    #[error("s3://{bucket}/{key} has {size} bytes; {limit} can be mailed")]
    ObjectTooLarge {
        /// The bucket.
        bucket: String,
        /// The key.
        key: String,
        /// The object's size.
        size: u64,
        /// The limit.
        limit: u64,
    },
    /// The role may not read the object.
    #[error(
        "not allowed to read s3://{bucket}/{key}: the role needs s3:GetObject on it, and s3:ListBucket on the bucket, \
         without which S3 answers 403 instead of 404 for an object that does not exist ({reason})"
    )]
    ObjectDenied {
        /// The bucket.
        bucket: String,
        /// The key.
        key: String,
        /// What S3 said.
        reason: String,
    },
    /// The object could not be read for another reason.
    #[error("cannot read s3://{bucket}/{key}: {reason}")]
    ObjectUnavailable {
        /// The bucket.
        bucket: String,
        /// The key.
        key: String,
        /// What S3 or the connection said.
        reason: String,
    },
    /// Another delivery of the same message is being mailed at this moment, or was when it died.
    #[error("another delivery of this message holds the claim, until its lease ends")]
    Claimed,
    /// The claim could not be made.
    #[error("cannot claim the message in {table}: {reason}")]
    ClaimUnavailable {
        /// The table.
        table: String,
        /// What DynamoDB or the connection said.
        reason: String,
    },
    /// The password could not be fetched.
    #[error("cannot read the SMTP password from Secrets Manager: {0}")]
    PasswordUnavailable(String),
    /// The mail server cannot be reached, or broke the connection before it was given the mail.
    #[error("the mail server cannot be reached: {0}")]
    SmtpUnreachable(String),
    /// There is no TLS with the mail server, and nothing is sent without.
    #[error("no TLS with the mail server: {0}")]
    SmtpInsecure(String),
    /// The mail server refused the mail.
    #[error("the mail server refused with {code}: {text}")]
    SmtpRefused {
        /// The reply code: 4xx for now, 5xx for good.
        code: u16,
        /// The reply's text.
        text: String,
    },
    /// The mail server was given the mail, and what it made of it is not known. It may have been sent.
    #[error("the mail server was given the mail and did not say whether it took it: {0}")]
    SmtpUnanswered(String),
    /// What is left of the invocation's time is not enough.
    #[error("no time is left in this invocation")]
    OutOfTime,
}

impl Error {
    /// Whether no later try can succeed unless somebody changes something.
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::BadEvent(_)
            | Self::BadMessage(_)
            | Self::BadAddress(_)
            | Self::Unmailable(_)
            | Self::ObjectMissing { .. }
            | Self::ObjectTooLarge { .. } => true,
            Self::SmtpRefused { code, .. } => *code >= 500,
            _ => false,
        }
    }

    /// A stable name, on which alarms and people can act; Lambda's `errorType` where the whole invocation fails.
    pub fn error_type(&self) -> &'static str {
        match self {
            Self::BadEvent(_) => "MailNotify.BadEvent",
            Self::BadMessage(_) => "MailNotify.BadMessage",
            Self::BadAddress(_) => "MailNotify.BadAddress",
            Self::Unmailable(_) => "MailNotify.Unmailable",
            Self::ObjectMissing { .. } => "MailNotify.ObjectMissing",
            Self::ObjectTooLarge { .. } => "MailNotify.ObjectTooLarge",
            Self::ObjectDenied { .. } => "MailNotify.ObjectDenied",
            Self::ObjectUnavailable { .. } => "MailNotify.ObjectUnavailable",
            Self::Claimed => "MailNotify.Claimed",
            Self::ClaimUnavailable { .. } => "MailNotify.ClaimUnavailable",
            Self::PasswordUnavailable(_) => "MailNotify.PasswordUnavailable",
            Self::SmtpUnreachable(_) => "MailNotify.SmtpUnreachable",
            Self::SmtpInsecure(_) => "MailNotify.SmtpInsecure",
            Self::SmtpRefused { .. } => "MailNotify.SmtpRefused",
            Self::SmtpUnanswered(_) => "MailNotify.SmtpUnanswered",
            Self::OutOfTime => "MailNotify.OutOfTime",
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
    fn a_servers_code_says_whether_trying_again_helps() {
        let refused = |code| Error::SmtpRefused { code, text: String::new() };
        assert!(!refused(421).is_permanent() && refused(550).is_permanent());
        assert!(Error::BadMessage(String::new()).is_permanent() && !Error::Claimed.is_permanent());
        assert_eq!(Diagnostic::from(Error::BadEvent("x".to_owned())).error_type, "MailNotify.BadEvent");
    }
}
