//! The attributes of a queue: their names, limits and defaults.
//!
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html>

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::errors::{invalid_attribute, invalid_attribute_because, unknown_attribute};
use super::redrive::{AllowPolicy, RedrivePolicy};
use crate::iam::policy::Policy;
use crate::{Error, Result};

/// The largest message, and that of a queue that says nothing, in bytes: 1 MiB since August 2025.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html>
pub(super) const MAX_MESSAGE_SIZE: u32 = 1_048_576;
/// The longest visibility timeout, in seconds: 12 hours.
pub(super) const MAX_VISIBILITY: u32 = 43_200;
/// The longest delay, in seconds: 15 minutes.
pub(super) const MAX_DELAY: u32 = 900;
/// The longest poll, in seconds.
pub(super) const MAX_WAIT: u32 = 20;
const RETENTION: RangeInclusive<u32> = 60..=1_209_600;
const MESSAGE_SIZE: RangeInclusive<u32> = 1024..=MAX_MESSAGE_SIZE;
const KEY_REUSE: RangeInclusive<u32> = 60..=86_400;

/// The attributes that can be set, as they are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Attributes {
    pub delay: u32,
    pub max_size: u32,
    pub retention: u32,
    pub wait: u32,
    pub visibility: u32,
    pub policy: Option<Arc<str>>,
    pub redrive: Option<RedrivePolicy>,
    pub allow: Option<AllowPolicy>,
    kms_key: Option<String>,
    kms_reuse: Option<u32>,
    /// Whether SQS encrypts with keys of its own. Nothing is encrypted here; it is told as it was set.
    managed_encryption: bool,
    /// What only FIFO queues have.
    pub fifo: Option<FifoAttributes>,
}

/// The attributes of FIFO queues.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct FifoAttributes {
    pub by_content: bool,
    /// `messageGroup` rather than `queue`.
    pub by_group: bool,
    /// `perMessageGroupId` rather than `perQueue`. There is no throughput limit here; it is told as it was set.
    throughput_by_group: bool,
}

impl Attributes {
    /// What a queue has that says nothing.
    pub fn new(fifo: bool) -> Self {
        let fifo = fifo.then_some(FifoAttributes { by_content: false, by_group: false, throughput_by_group: false });
        Self {
            delay: 0,
            max_size: MAX_MESSAGE_SIZE,
            retention: 345_600,
            wait: 0,
            visibility: 30,
            policy: None,
            redrive: None,
            allow: None,
            kms_key: None,
            kms_reuse: None,
            managed_encryption: true,
            fifo,
        }
    }

    pub fn retention(&self) -> Duration {
        Duration::from_secs(self.retention.into())
    }

    /// Sets attributes, all of them or none. An empty value of a policy or a key takes it away.
    pub fn set(&mut self, given: &OrdMap<String, String>) -> Result<()> {
        let mut changed = self.clone();
        for (name, value) in given {
            changed.set_one(name, value)?;
        }
        // One after the other is let pass: the later one takes the place of the earlier.
        let has_key = given.get("KmsMasterKeyId").is_some_and(|key| !key.is_empty());
        if has_key && given.get("SqsManagedSseEnabled").is_some_and(|flag| flag.eq_ignore_ascii_case("true")) {
            return Err(Error::client(
                "InvalidAttributeName",
                "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE.",
            ));
        }
        if changed.fifo.as_ref().is_some_and(|fifo| fifo.throughput_by_group && !fifo.by_group) {
            return Err(invalid_attribute_because(
                "FifoThroughputLimit",
                "The FifoThroughputLimit can be set to perMessageGroupId only when DeduplicationScope is set to messageGroup.",
            ));
        }
        *self = changed;
        Ok(())
    }

    fn set_one(&mut self, name: &str, value: &str) -> Result<()> {
        // Spaces around a name are let pass.
        let name = name.trim();
        match name {
            "DelaySeconds" => self.delay = number(name, value, 0..=MAX_DELAY)?,
            "MaximumMessageSize" => self.max_size = number(name, value, MESSAGE_SIZE)?,
            "MessageRetentionPeriod" => self.retention = number(name, value, RETENTION)?,
            "ReceiveMessageWaitTimeSeconds" => self.wait = number(name, value, 0..=MAX_WAIT)?,
            "VisibilityTimeout" => self.visibility = number(name, value, 0..=MAX_VISIBILITY)?,
            "KmsDataKeyReusePeriodSeconds" => self.kms_reuse = Some(number(name, value, KEY_REUSE)?),
            "Policy" => self.policy = policy(value)?,
            "RedrivePolicy" => self.redrive = unless_empty(value, RedrivePolicy::read)?,
            "RedriveAllowPolicy" => self.allow = unless_empty(value, AllowPolicy::read)?,
            "KmsMasterKeyId" => {
                self.kms_key = (!value.is_empty()).then(|| value.to_owned());
                // The two ways of encryption exclude each other.
                self.managed_encryption &= value.is_empty();
            }
            "SqsManagedSseEnabled" => {
                self.managed_encryption = flag(name, value)?;
                if self.managed_encryption {
                    self.kms_key = None;
                }
            }
            "FifoQueue" => self.set_kind(value)?,
            _ => self.set_fifo(name, value)?,
        }
        Ok(())
    }

    fn set_kind(&self, value: &str) -> Result<()> {
        match (&self.fifo, flag("FifoQueue", value)?) {
            (None, _) => Err(unknown_attribute("FifoQueue")),
            (Some(_), true) => Ok(()),
            (Some(_), false) => Err(invalid_attribute_because("FifoQueue", "Modifying queue type is not supported.")),
        }
    }

    fn set_fifo(&mut self, name: &str, value: &str) -> Result<()> {
        let Some(fifo) = &mut self.fifo else {
            return Err(match name {
                "DeduplicationScope" | "FifoThroughputLimit" => Error::client(
                    "InvalidAttributeName",
                    format!("You can specify the {name} only when FifoQueue is set to true."),
                ),
                _ => unknown_attribute(name),
            });
        };
        match (name, value) {
            ("ContentBasedDeduplication", value) => fifo.by_content = flag(name, value)?,
            ("DeduplicationScope", "queue") => fifo.by_group = false,
            ("DeduplicationScope", "messageGroup") => fifo.by_group = true,
            ("FifoThroughputLimit", "perQueue") => fifo.throughput_by_group = false,
            ("FifoThroughputLimit", "perMessageGroupId") => fifo.throughput_by_group = true,
            ("DeduplicationScope" | "FifoThroughputLimit", _) => return Err(invalid_attribute(name)),
            _ => return Err(unknown_attribute(name)),
        }
        Ok(())
    }

    /// The value of a settable attribute; `None` if the queue does not have it.
    pub fn get(&self, name: &str) -> Option<String> {
        let fifo = self.fifo.as_ref();
        Some(match name {
            "DelaySeconds" => self.delay.to_string(),
            "MaximumMessageSize" => self.max_size.to_string(),
            "MessageRetentionPeriod" => self.retention.to_string(),
            "ReceiveMessageWaitTimeSeconds" => self.wait.to_string(),
            "VisibilityTimeout" => self.visibility.to_string(),
            "Policy" => self.policy.as_deref()?.to_owned(),
            "RedrivePolicy" => self.redrive.as_ref()?.text.clone(),
            "RedriveAllowPolicy" => self.allow.as_ref()?.text.clone(),
            "KmsMasterKeyId" => self.kms_key.clone()?,
            // AWS tells it only along with a key.
            "KmsDataKeyReusePeriodSeconds" => {
                self.kms_key.as_ref()?;
                self.kms_reuse.unwrap_or(300).to_string()
            }
            "SqsManagedSseEnabled" => self.managed_encryption.to_string(),
            "FifoQueue" => fifo.map(|_| "true".to_owned())?,
            "ContentBasedDeduplication" => fifo?.by_content.to_string(),
            "DeduplicationScope" => if fifo?.by_group { "messageGroup" } else { "queue" }.to_owned(),
            "FifoThroughputLimit" => {
                if fifo?.throughput_by_group { "perMessageGroupId" } else { "perQueue" }.to_owned()
            }
            _ => return None,
        })
    }
}

/// The names of the attributes that can be set, in the order in which they are told.
pub(super) const SETTABLE: [&str; 16] = [
    "DelaySeconds",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "ReceiveMessageWaitTimeSeconds",
    "VisibilityTimeout",
    "Policy",
    "RedrivePolicy",
    "RedriveAllowPolicy",
    "KmsMasterKeyId",
    "KmsDataKeyReusePeriodSeconds",
    "SqsManagedSseEnabled",
    "FifoQueue",
    "ContentBasedDeduplication",
    "DeduplicationScope",
    "FifoThroughputLimit",
    "All",
];

fn number(name: &str, value: &str, range: RangeInclusive<u32>) -> Result<u32> {
    value.trim().parse().ok().filter(|number| range.contains(number)).ok_or_else(|| invalid_attribute(name))
}

fn flag(name: &str, value: &str) -> Result<bool> {
    match value {
        _ if value.eq_ignore_ascii_case("true") => Ok(true),
        _ if value.eq_ignore_ascii_case("false") => Ok(false),
        _ => Err(invalid_attribute(name)),
    }
}

fn unless_empty<T>(value: &str, read: fn(&str) -> Result<T>) -> Result<Option<T>> {
    if value.is_empty() { Ok(None) } else { read(value).map(Some) }
}

/// A policy that cannot be read is refused; an empty text takes the policy away.
fn policy(value: &str) -> Result<Option<Arc<str>>> {
    if value.is_empty() {
        return Ok(None);
    }
    match Policy::read(value) {
        Ok(_) => Ok(Some(value.into())),
        Err(_) => Err(invalid_attribute("Policy")),
    }
}
