//! Dead-letter queues: the policy of the queue that has one, and of the queue that is one.
//!
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html>

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::errors::invalid;
use crate::Result;

/// How often a message may be received before it is dead.
const MAX_RECEIVES: std::ops::RangeInclusive<u32> = 1..=1000;
/// `byQueue` names at most this many queues.
const MAX_SOURCES: usize = 10;

/// The attribute `RedrivePolicy`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct RedrivePolicy {
    /// The dead-letter queue's ARN.
    pub target: String,
    pub max_receives: u32,
    /// As AWS tells it.
    pub text: String,
}

impl RedrivePolicy {
    pub fn read(text: &str) -> Result<Self> {
        let refuse =
            |reason: &str| invalid(format!("Value {text} for parameter RedrivePolicy is invalid. Reason: {reason}"));
        let policy: Value =
            serde_json::from_str(text).map_err(|_| refuse("Redrive policy is not a valid JSON map."))?;
        let policy = policy.as_object().ok_or_else(|| refuse("Redrive policy is not a valid JSON map."))?;
        let target = policy.get("deadLetterTargetArn").and_then(Value::as_str).filter(|arn| !arn.is_empty());
        let target = target
            .ok_or_else(|| refuse("Redrive policy does not contain mandatory attribute: deadLetterTargetArn."))?;
        let count = policy.get("maxReceiveCount").filter(|count| !count.is_null());
        let count =
            count.ok_or_else(|| refuse("Redrive policy does not contain mandatory attribute: maxReceiveCount."))?;
        let number = match count {
            Value::String(text) => text.parse().ok(),
            other => other.as_u64().and_then(|number| u32::try_from(number).ok()),
        };
        let max_receives = number
            .filter(|number| MAX_RECEIVES.contains(number))
            .ok_or_else(|| refuse("Invalid value for maxReceiveCount: must be an integer from 1 to 1000."))?;
        if target.split(':').count() != 6 {
            return Err(refuse("Invalid value for deadLetterTargetArn."));
        }
        // The count is told as a number, even if it came as text.
        let text = serde_json::json!({ "deadLetterTargetArn": target, "maxReceiveCount": max_receives }).to_string();
        Ok(Self { target: target.to_owned(), max_receives, text })
    }
}

/// The attribute `RedriveAllowPolicy`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct AllowPolicy {
    /// The queues that may use this one; `None` for all.
    sources: Option<Vec<String>>,
    pub text: String,
}

impl AllowPolicy {
    pub fn read(text: &str) -> Result<Self> {
        let refuse = |reason: &str| {
            invalid(format!("Value {text} for parameter RedriveAllowPolicy is invalid. Reason: {reason}"))
        };
        let policy: Value =
            serde_json::from_str(text).map_err(|_| refuse("Amazon SQS can't parse the RedriveAllowPolicy."))?;
        let listed = policy
            .get("sourceQueueArns")
            .and_then(Value::as_array)
            .map(|arns| arns.iter().filter_map(|arn| arn.as_str().map(str::to_owned)).collect::<Vec<_>>());
        let sources = match (policy.get("redrivePermission").and_then(Value::as_str), listed) {
            (Some("allowAll"), None) => None,
            (Some("denyAll"), None) => Some(Vec::new()),
            (Some("byQueue"), Some(arns)) if (1..=MAX_SOURCES).contains(&arns.len()) => Some(arns),
            (Some("byQueue"), _) => {
                return Err(refuse("byQueue needs one to ten sourceQueueArns."));
            }
            _ => {
                return Err(refuse(
                    "Amazon SQS can't create the redrive allow policy, as it's in an unsupported format.",
                ));
            }
        };
        Ok(Self { sources, text: text.to_owned() })
    }

    /// Whether the queue of this ARN may use the one that has this policy.
    pub fn allows(&self, source: &str) -> bool {
        self.sources.as_ref().is_none_or(|sources| sources.iter().any(|arn| arn == source))
    }
}
