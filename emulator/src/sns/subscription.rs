//! What a subscription is, and its attributes.
//! <https://docs.aws.amazon.com/sns/latest/api/API_SetSubscriptionAttributes.html>

use std::sync::Arc;

use imbl::{OrdMap, Vector};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::deliver::Delivery;
use super::errors::{because, invalid};
use super::filter::{self, Filter};
use super::retry;
use super::topic::Topics;
use super::topics::FIFO;
use crate::cloud::Cx;
use crate::{Error, Result};

/// A subscription.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Subscription {
    pub topic: Arc<str>,
    /// The account that subscribed.
    pub owner: Arc<str>,
    /// The ARN of who subscribed.
    pub principal: String,
    pub protocol: String,
    pub endpoint: String,
    /// As they were set, in the form in which they are told.
    pub attributes: OrdMap<String, String>,
    pub confirmation: Confirmation,
    /// Of a FIFO topic: what is on its way, the first of it right now.
    pub outbox: Vector<Delivery>,
}

/// Whether deliveries are wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Confirmation {
    /// The owner of the endpoint has not said so; the token proves that it is him.
    Pending { token: String },
    /// He has. `authenticated` tells whether a signed call did it, `only_authenticated` whether it takes one to unsubscribe.
    Confirmed { authenticated: bool, only_authenticated: bool },
}

impl Subscription {
    pub fn is_pending(&self) -> bool {
        matches!(self.confirmation, Confirmation::Pending { .. })
    }

    /// `RawMessageDelivery`.
    pub fn is_raw(&self) -> bool {
        self.attributes.get("RawMessageDelivery").is_some_and(|value| value == "true")
    }

    /// What it wants; everything without a filter policy.
    pub fn filter(&self) -> Option<Filter> {
        let policy = self.attributes.get("FilterPolicy")?;
        // It was checked when it was set.
        Filter::parse(policy, scope_of(&self.attributes)).ok()
    }

    /// The queue for what cannot be delivered.
    pub fn dead_letters(&self) -> Option<String> {
        let policy: Value = serde_json::from_str(self.attributes.get("RedrivePolicy")?).ok()?;
        policy["deadLetterTargetArn"].as_str().map(str::to_owned)
    }

    /// What `GetSubscriptionAttributes` tells.
    pub fn told(&self, arn: &str, topic_policy: Option<&str>) -> OrdMap<String, String> {
        let mut told = self.attributes.clone();
        let mut put = |name: &str, value: &str| {
            told.insert(name.to_owned(), value.to_owned());
        };
        let authenticated = matches!(self.confirmation, Confirmation::Confirmed { authenticated: true, .. });
        put("ConfirmationWasAuthenticated", &authenticated.to_string());
        put("Endpoint", &self.endpoint);
        put("Owner", &self.owner);
        put("PendingConfirmation", &self.is_pending().to_string());
        put("Protocol", &self.protocol);
        put("RawMessageDelivery", &self.is_raw().to_string());
        put("SubscriptionArn", arn);
        put("SubscriptionPrincipal", &self.principal);
        put("TopicArn", &self.topic);
        if self.is_http() {
            let own = self.attributes.get("DeliveryPolicy").map(String::as_str);
            put("EffectiveDeliveryPolicy", &retry::effective_of_subscription(topic_policy, own));
        }
        if self.attributes.contains_key("FilterPolicy") {
            put("FilterPolicyScope", scope_of(&self.attributes));
        } else {
            told.remove("FilterPolicyScope");
        }
        told
    }

    /// Whether it is delivered over HTTP.
    pub fn is_http(&self) -> bool {
        self.protocol.starts_with("http")
    }
}

/// `FilterPolicyScope`.
pub(super) fn scope_of(attributes: &OrdMap<String, String>) -> &str {
    attributes.get("FilterPolicyScope").map_or(filter::ATTRIBUTES, String::as_str)
}

/// Which operation sets an attribute: their words differ.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum In {
    Subscribe,
    Change,
}

impl In {
    fn wrong(self, reason: impl std::fmt::Display) -> Error {
        match self {
            Self::Subscribe => because("Attributes", reason),
            Self::Change => invalid(reason),
        }
    }
}

/// What an attribute is set on.
pub(super) struct On<'a> {
    pub topic: &'a str,
    pub endpoint: &'a str,
    pub when: In,
}

impl On<'_> {
    /// Sets several attributes; the scope of a filter policy before the policy.
    pub fn all(&self, given: &OrdMap<String, String>) -> Result<OrdMap<String, String>> {
        let mut attributes = OrdMap::new();
        let (first, rest): (Vec<_>, Vec<_>) = given.iter().partition(|(name, _)| *name == "FilterPolicyScope");
        for (name, value) in first.into_iter().chain(rest) {
            self.set(&mut attributes, name, value)?;
        }
        Ok(attributes)
    }

    /// Sets one attribute.
    pub fn set(&self, attributes: &mut OrdMap<String, String>, name: &str, value: &str) -> Result<()> {
        let wrong = |reason: String| self.when.wrong(reason);
        match name {
            "RawMessageDelivery" => {
                // However it is written, it is kept in lower case.
                let flag = value.to_ascii_lowercase();
                if !matches!(flag.as_str(), "true" | "false") {
                    return Err(wrong(format!("{name}: Invalid value [{value}]. Must be true or false.")));
                }
                attributes.insert(name.to_owned(), flag);
                return Ok(());
            }
            "SubscriptionRoleArn" => {}
            "FilterPolicyScope" => {
                if !matches!(value, filter::ATTRIBUTES | filter::BODY) {
                    let known = "Please use either MessageBody or MessageAttributes";
                    return Err(wrong(format!("{name}: Invalid value [{value}]. {known}")));
                }
                if let Some(policy) = attributes.get("FilterPolicy") {
                    filter::check(policy, value, &wrong)?;
                }
            }
            "FilterPolicy" if value.is_empty() => {
                attributes.remove("FilterPolicyScope");
            }
            "FilterPolicy" => filter::check(value, scope_of(attributes), &wrong)?,
            "RedrivePolicy" if value.is_empty() => {}
            "RedrivePolicy" => self.check_redrive(value)?,
            "DeliveryPolicy" => match retry::read_subscription_policy(value).map_err(wrong)? {
                Some(text) => {
                    attributes.insert(name.to_owned(), text);
                    return Ok(());
                }
                None => {
                    attributes.remove(name);
                    return Ok(());
                }
            },
            "ReplayPolicy" => {
                return Err(Error::not_implemented("the subscription attribute ReplayPolicy: archives of messages"));
            }
            _ if self.when == In::Subscribe => return Err(because("Attributes", format!("Unknown attribute {name}"))),
            _ => return Err(invalid("AttributeName")),
        }
        if value.is_empty() {
            attributes.remove(name);
        } else {
            attributes.insert(name.to_owned(), value.to_owned());
        }
        Ok(())
    }

    /// <https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html>
    fn check_redrive(&self, text: &str) -> Result<()> {
        let wrong = |reason: &str| self.when.wrong(format!("RedrivePolicy: {reason}"));
        let policy: Value =
            serde_json::from_str(text).map_err(|error| wrong(&format!("failed to parse JSON. {error}")))?;
        let arn = policy["deadLetterTargetArn"].as_str().unwrap_or_default();
        if !is_queue(arn) {
            return Err(wrong("deadLetterTargetArn is an invalid arn"));
        }
        if self.topic.ends_with(FIFO) && self.endpoint.ends_with(FIFO) && !arn.ends_with(FIFO) {
            return Err(wrong("must use a FIFO queue as DLQ for a FIFO Subscription to a FIFO Topic."));
        }
        Ok(())
    }
}

/// Whether an ARN is a queue's.
pub(super) fn is_queue(arn: &str) -> bool {
    let parts: Vec<&str> = arn.split(':').collect();
    matches!(parts.as_slice(), ["arn", _, "sqs", region, account, name]
        if !region.is_empty() && !account.is_empty() && !name.is_empty())
}

/// What a protocol makes of an endpoint. The words are AWS's.
pub(super) fn check_endpoint(cx: &Cx<Topics>, topic: &str, protocol: &str, endpoint: &str) -> Result<()> {
    let is_fifo = topic.ends_with(FIFO);
    let is_here =
        || endpoint.starts_with(&cx.scope.arn("sns", "endpoint/")) && cx.state.endpoints.contains_key(endpoint);
    let to_fifo = |reason: &str| Err(invalid(because("Endpoint", reason).message()));
    match protocol {
        "sqs" if !is_queue(endpoint) => Err(invalid("SQS endpoint ARN")),
        "sqs" if endpoint.ends_with(FIFO) && !is_fifo => {
            to_fifo("FIFO SQS Queues can not be subscribed to standard SNS topics")
        }
        "sqs" => Ok(()),
        "lambda" | "http" | "https" | "email" | "email-json" | "sms" | "application" if is_fifo => {
            to_fifo("Please use FIFO SQS queue")
        }
        "lambda" => match endpoint.split(':').collect::<Vec<_>>().as_slice() {
            ["arn", _, "lambda", _, _, "function", ..] => Ok(()),
            _ => Err(invalid("Lambda endpoint ARN")),
        },
        "http" | "https" => match endpoint.strip_prefix(protocol).and_then(|rest| rest.strip_prefix("://")) {
            Some(rest) if !rest.is_empty() => Ok(()),
            _ => Err(invalid("Endpoint must match the specified protocol")),
        },
        "email" | "email-json" if !endpoint.contains('@') => Err(invalid("Email address")),
        "email" | "email-json" => Ok(()),
        "sms" if !super::sms::is_endpoint(endpoint) => {
            Err(super::errors::bare(format!("Invalid SMS endpoint: {endpoint}")))
        }
        "sms" => Ok(()),
        "application" if !is_here() => {
            Err(because("Endpoint", format!("Endpoint does not exist for endpoint arn{endpoint}")))
        }
        "application" => Ok(()),
        "firehose" => Err(Error::not_implemented("subscriptions with the protocol firehose")),
        other => Err(invalid(format!("Amazon SNS does not support this protocol string: {other}"))),
    }
}
