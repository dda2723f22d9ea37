//! What a rule is, and how it is found.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::bus::{Buses, DEFAULT, arn_of, existing, name_of, not_found};
use super::input::InputTransformer;
use crate::cloud::{At, Cx, Scope, Target};
use crate::event_pattern::EventPattern;
use crate::{Error, Result, Timestamp};

/// A rule.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Rule {
    pub name: String,
    /// The bus's ARN.
    pub bus: String,
    pub pattern: Option<String>,
    pub schedule: Option<String>,
    pub state: String,
    pub description: Option<String>,
    pub role: Option<String>,
    pub tags: OrdMap<String, String>,
    /// By their ids.
    pub targets: OrdMap<String, RuleTarget>,
    /// What a rate counts from.
    pub since: Timestamp,
}

impl Rule {
    pub fn arn(&self) -> String {
        arn(&self.bus, &self.name)
    }

    pub fn is_enabled(&self) -> bool {
        self.state != "DISABLED"
    }

    /// Whether the rule wants an event.
    pub fn wants(&self, event: &Value) -> bool {
        // It was checked when it was put.
        let pattern = || EventPattern::parse(self.pattern.as_deref()?).ok();
        self.is_enabled() && pattern().is_some_and(|pattern| pattern.matches(event))
    }
}

/// A target, as the API has it.
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Target.html>
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RuleTarget {
    pub id: String,
    pub arn: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_path: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_transformer: Option<InputTransformer>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kinesis_parameters: Option<KinesisParameters>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sqs_parameters: Option<SqsParameters>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead_letter_config: Option<DeadLetterConfig>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_policy: Option<RetryPolicy>,
}

/// Where in an event the partition key is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct KinesisParameters {
    pub partition_key_path: String,
}

/// The group of messages to a FIFO queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SqsParameters {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_group_id: Option<String>,
}

/// The queue for events that cannot be delivered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DeadLetterConfig {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
}

/// How often, and for how long, a delivery is tried again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RetryPolicy {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum_retry_attempts: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum_event_age_in_seconds: Option<u64>,
}

/// The ARN of a rule.
pub(super) fn arn(bus: &str, name: &str) -> String {
    let rest = match name_of(bus) {
        DEFAULT => format!("rule/{name}"),
        bus => format!("rule/{bus}/{name}"),
    };
    Scope::of_arn(bus).arn("events", rest)
}

/// Under what a rule is kept.
pub(super) fn key(bus: &str, name: &str) -> String {
    format!("{bus}|{name}")
}

/// The key of a rule by its ARN.
pub(super) fn key_of_arn(arn: &str) -> Option<String> {
    let (_, rest) = arn.split_once(":rule/")?;
    let (bus, name) = rest.rsplit_once('/').unwrap_or((DEFAULT, rest));
    Some(key(&arn_of(&Scope::of_arn(arn), Some(bus)), name))
}

/// The rules of a bus, in the order of their names.
pub(super) fn of_bus<'a>(state: &'a Buses, bus: &str) -> impl Iterator<Item = (&'a String, &'a Rule)> {
    let prefix = key(bus, "");
    state.rules.range(prefix.clone()..).take_while(move |(key, _)| key.starts_with(&prefix))
}

/// An operation on a rule.
pub(super) fn on(at: &At<Buses>, bus: Option<&str>, name: &str) -> Target {
    Target::on(arn(&arn_of(at.scope, bus), name))
}

/// A rule by its name and its bus's.
pub(super) fn find<'a>(cx: &'a mut Cx<Buses>, bus: Option<&str>, name: &str) -> Result<&'a mut Rule> {
    let bus = existing(cx, bus)?;
    let missing = || missing(&bus, name);
    cx.state.rules.get_mut(&key(&bus, name)).ok_or_else(missing)
}

pub(super) fn missing(bus: &str, name: &str) -> Error {
    not_found(format!("Rule {name} does not exist on EventBus {}.", name_of(bus)))
}
