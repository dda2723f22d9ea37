//! What a topic is, and how it is found.

use std::sync::Arc;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::confirm::Asked;
use super::deliver::Delivery;
use super::errors::{because, check_arn, invalid, not_found};
use super::fifo::Fifo;
use super::platform::{Application, Endpoint};
use super::sms::Sms;
use super::subscription::Subscription;
use crate::Result;
use crate::cloud::{At, Cx, Scope, Target};

/// The topics of all accounts and regions, and what hangs on them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Topics {
    /// By ARN.
    pub(super) topics: OrdMap<String, Topic>,
    /// By ARN, which begins with the topic's.
    pub(super) subscriptions: OrdMap<String, Subscription>,
    /// Deliveries that failed and are tried again, by their ids.
    pub(super) waiting: OrdMap<String, Delivery>,
    /// What the tokens stand for that messages asked for a confirmation with.
    #[serde(default)]
    pub(super) tokens: OrdMap<String, Asked>,
    /// By ARN.
    pub(super) applications: OrdMap<String, Application>,
    /// By ARN.
    pub(super) endpoints: OrdMap<String, Endpoint>,
    /// By account and region, joined by a slash.
    pub(super) sms: OrdMap<String, Sms>,
}

/// A topic.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Topic {
    pub owner: Arc<str>,
    /// As they were set, without the policy.
    pub attributes: OrdMap<String, String>,
    /// The default one, or what it was replaced by.
    pub policy: Arc<str>,
    /// `DataProtectionPolicy`.
    #[serde(default)]
    pub protection: Option<Arc<str>>,
    pub tags: OrdMap<String, String>,
    /// How many subscriptions were deleted: `SubscriptionsDeleted`.
    pub deleted: u64,
    /// Of a FIFO topic.
    pub fifo: Option<Fifo>,
}

impl Topic {
    /// An attribute that is on.
    pub fn has(&self, attribute: &str) -> bool {
        self.attributes.get(attribute).is_some_and(|value| value == "true")
    }

    /// `SignatureVersion`.
    pub fn signature_version(&self) -> &str {
        self.attributes.get("SignatureVersion").map_or("1", String::as_str)
    }
}

/// The policy that every topic begins with.
pub(super) fn default_policy(arn: &str, owner: &str) -> String {
    json!({
        "Version": "2008-10-17",
        "Id": "__default_policy_ID",
        "Statement": [{
            "Sid": "__default_statement_ID",
            "Effect": "Allow",
            "Principal": { "AWS": "*" },
            "Action": [
                "SNS:GetTopicAttributes",
                "SNS:SetTopicAttributes",
                "SNS:AddPermission",
                "SNS:RemovePermission",
                "SNS:DeleteTopic",
                "SNS:Subscribe",
                "SNS:ListSubscriptionsByTopic",
                "SNS:Publish",
            ],
            "Resource": arn,
            "Condition": { "StringEquals": { "AWS:SourceOwner": owner } },
        }],
    })
    .to_string()
}

/// What an operation acts on that its topic's policy may allow to others.
pub(super) fn on(at: &At<Topics>, arn: &str) -> Target {
    match at.state.topics.get(arn) {
        Some(topic) => Target::on(arn).policy(Some(Arc::clone(&topic.policy))).owner(&*topic.owner),
        None => Target::on(arn),
    }
}

/// The topic of an ARN. Topics are reached in their own region only.
pub(super) fn find<'a>(cx: &'a mut Cx<Topics>, arn: &str) -> Result<&'a mut Topic> {
    check_place(cx.scope, arn)?;
    cx.state.topics.get_mut(arn).ok_or_else(|| not_found("Topic"))
}

/// Whether an ARN is one that is served here.
pub(super) fn check_place(scope: &Scope, arn: &str) -> Result<()> {
    if arn.is_empty() {
        return Err(because("TopicArn", "no value for required parameter"));
    }
    check_arn("TopicArn", arn)?;
    match arn.split(':').nth(3) {
        Some(region) if region == &*scope.region => Ok(()),
        _ => Err(invalid("TopicArn")),
    }
}

/// The subscriptions of a topic, in the order of their ARNs.
pub(super) fn subscriptions_of<'a>(
    state: &'a Topics,
    topic: &str,
) -> impl Iterator<Item = (&'a String, &'a Subscription)> {
    let prefix = format!("{topic}:");
    state.subscriptions.range(prefix.clone()..).take_while(move |(arn, _)| arn.starts_with(&prefix))
}
