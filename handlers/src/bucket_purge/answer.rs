//! What is answered: the document that a proxy integration turns into an HTTP response.

use serde_json::{Value, json};

/// How many keys an answer lists at most.
const MAX_KEYS: usize = 100;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// 200: the bucket is empty.
    Purged {
        /// The bucket.
        bucket: String,
    },
    /// 400: the request says not what to do.
    BadRequest(String),
    /// 401, and nothing was touched.
    Unauthorized,
    /// 500: something could not be deleted, or the password could not be checked.
    Failed {
        /// Why.
        reason: String,
        /// What is left, as far as it is known.
        keys: Vec<String>,
    },
}

impl Answer {
    /// `{"statusCode", "headers", "body"}`.
    pub fn document(&self) -> Value {
        let (status, body) = match self {
            Self::Purged { bucket } => (200, format!("All objects in bucket '{bucket}' deleted successfully")),
            Self::BadRequest(reason) => (400, reason.clone()),
            Self::Unauthorized => (401, "Unauthorized".to_owned()),
            Self::Failed { reason, keys } if keys.is_empty() => (500, reason.clone()),
            Self::Failed { reason, keys } => {
                let listed = keys.iter().take(MAX_KEYS).map(String::as_str).collect::<Vec<_>>().join(", ");
                (500, format!("{reason}; {} keys were not deleted: {listed}", keys.len()))
            }
        };
        json!({
            "statusCode": status,
            "headers": { "Content-Type": "text/plain; charset=utf-8" },
            "body": body,
        })
    }
}
