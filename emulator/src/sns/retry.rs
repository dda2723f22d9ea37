//! Delivery policies: how often, and after what time, a delivery is tried again.
//! <https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html>

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::errors::invalid;
use crate::Result;

/// All retries over HTTP together take no longer than this, in seconds (same page).
const LONGEST: u64 = 3600;
/// The most retries over HTTP (same page).
const MOST: u32 = 100;
/// What is sent as unless a policy says otherwise.
const CONTENT_TYPE: &str = "text/plain; charset=UTF-8";

/// When a failed delivery is tried again. The members are those of `healthyRetryPolicy`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Retries {
    min_delay_target: u64,
    max_delay_target: u64,
    num_retries: u32,
    num_max_delay_retries: u32,
    num_no_delay_retries: u32,
    num_min_delay_retries: u32,
    backoff_function: String,
}

impl Default for Retries {
    /// Over HTTP, unless a policy says otherwise.
    fn default() -> Self {
        Self {
            min_delay_target: 20,
            max_delay_target: 20,
            num_retries: 3,
            num_max_delay_retries: 0,
            num_no_delay_retries: 0,
            num_min_delay_retries: 0,
            backoff_function: "linear".to_owned(),
        }
    }
}

impl Retries {
    /// To queues and functions: 100,015 times within 23 days.
    pub fn managed() -> Self {
        Self {
            min_delay_target: 1,
            max_delay_target: 20,
            num_retries: 100_015,
            num_max_delay_retries: 100_000,
            num_no_delay_retries: 3,
            num_min_delay_retries: 2,
            backoff_function: "exponential".to_owned(),
        }
    }

    /// How long to wait before a retry, counted from 1; `None` if there is none any more.
    pub fn delay(&self, retry: u32) -> Option<Duration> {
        let before_backoff = self.num_no_delay_retries + self.num_min_delay_retries;
        let after_backoff = self.num_retries.saturating_sub(self.num_max_delay_retries);
        let seconds = if retry > self.num_retries {
            return None;
        } else if retry <= self.num_no_delay_retries {
            0.0
        } else if retry <= before_backoff {
            self.min_delay_target as f64
        } else if retry > after_backoff {
            self.max_delay_target as f64
        } else {
            self.backoff(retry - before_backoff, after_backoff - before_backoff)
        };
        Some(Duration::from_millis((seconds * 1000.0).round() as u64))
    }

    /// The delay of the step of so many that lead from the least delay to the longest. AWS draws the four functions and gives no
    /// formulas: linear and arithmetic are straight here, geometric grows with the square, exponential by a constant factor.
    fn backoff(&self, step: u32, steps: u32) -> f64 {
        let (least, longest) = (self.min_delay_target as f64, self.max_delay_target as f64);
        let part = if steps <= 1 { 1.0 } else { f64::from(step - 1) / f64::from(steps - 1) };
        match self.backoff_function.as_str() {
            "exponential" if least > 0.0 => least * (longest / least).powf(part),
            "geometric" | "exponential" => least + (longest - least) * part * part,
            _ => least + (longest - least) * part,
        }
    }

    fn check(&self) -> std::result::Result<(), String> {
        let phases = self.num_no_delay_retries.saturating_add(self.num_min_delay_retries);
        let phases = phases.saturating_add(self.num_max_delay_retries);
        if !matches!(self.backoff_function.as_str(), "arithmetic" | "exponential" | "geometric" | "linear") {
            return Err(format!("DeliveryPolicy: invalid value: {}", self.backoff_function));
        }
        if !(1..=LONGEST).contains(&self.min_delay_target) {
            return Err(format!("DeliveryPolicy: healthyRetryPolicy.minDelayTarget must be between 1 and {LONGEST}"));
        }
        if !(self.min_delay_target..=LONGEST).contains(&self.max_delay_target) {
            return Err(
                "DeliveryPolicy: healthyRetryPolicy.maxDelayTarget must be greater than or equal to minDelayTarget"
                    .to_owned(),
            );
        }
        if self.num_retries > MOST {
            return Err(format!("DeliveryPolicy: healthyRetryPolicy.numRetries must be less than or equal to {MOST}"));
        }
        if phases > self.num_retries {
            return Err("DeliveryPolicy: the number of retries of all phases must not exceed numRetries".to_owned());
        }
        let total: Duration = (1..=self.num_retries).filter_map(|retry| self.delay(retry)).sum();
        if total > Duration::from_secs(LONGEST) {
            return Err(format!("DeliveryPolicy: the total of all delays must not exceed {LONGEST} seconds"));
        }
        Ok(())
    }
}

/// The policy of a topic, as it is told; `None` to have none.
pub(super) fn read_topic_policy(text: &str) -> Result<Option<String>> {
    if text.is_empty() {
        return Ok(None);
    }
    let policy: Value = serde_json::from_str(text)
        .map_err(|error| invalid(format!("DeliveryPolicy: failed to parse JSON. {error}")))?;
    let http = &policy["http"];
    let known = [
        "defaultHealthyRetryPolicy",
        "disableSubscriptionOverrides",
        "defaultRequestPolicy",
        "defaultSicklyRetryPolicy",
    ];
    let mut names = http.as_object().into_iter().flatten().map(|(name, _)| name);
    if let Some(name) = names.find(|name| !known.contains(&name.as_str())) {
        return Err(invalid(format!("DeliveryPolicy: Unrecognized field \"{name}\"")));
    }
    if !http["defaultThrottlePolicy"].is_null() || !http["defaultSicklyRetryPolicy"].is_null() {
        return Err(crate::Error::not_implemented("throttlePolicy and sicklyRetryPolicy of a DeliveryPolicy"));
    }
    retries_in(&http["defaultHealthyRetryPolicy"]).map_err(invalid)?;
    let mut kept = serde_json::Map::new();
    if !http["defaultHealthyRetryPolicy"].is_null() {
        kept.insert("defaultHealthyRetryPolicy".to_owned(), http["defaultHealthyRetryPolicy"].clone());
    }
    let overrides = http["disableSubscriptionOverrides"].as_bool().unwrap_or_default();
    kept.insert("disableSubscriptionOverrides".to_owned(), overrides.into());
    if !http["defaultRequestPolicy"].is_null() {
        kept.insert("defaultRequestPolicy".to_owned(), http["defaultRequestPolicy"].clone());
    }
    Ok(Some(json!({ "http": kept }).to_string()))
}

/// The policy of a subscription, as it is told; `None` to have none.
pub(super) fn read_subscription_policy(text: &str) -> std::result::Result<Option<String>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let policy: Value =
        serde_json::from_str(text).map_err(|error| format!("DeliveryPolicy: failed to parse JSON. {error}"))?;
    let known = ["healthyRetryPolicy", "sicklyRetryPolicy", "throttlePolicy", "requestPolicy", "guaranteed"];
    if let Some((name, _)) = policy.as_object().into_iter().flatten().find(|(name, _)| !known.contains(&name.as_str()))
    {
        return Err(format!("DeliveryPolicy: Unrecognized field \"{name}\""));
    }
    retries_in(&policy["healthyRetryPolicy"])?;
    Ok(Some(
        json!({
            "healthyRetryPolicy": policy["healthyRetryPolicy"],
            "sicklyRetryPolicy": policy["sicklyRetryPolicy"],
            "throttlePolicy": policy["throttlePolicy"],
            "requestPolicy": policy["requestPolicy"],
            "guaranteed": policy["guaranteed"].as_bool().unwrap_or_default(),
        })
        .to_string(),
    ))
}

fn retries_in(policy: &Value) -> std::result::Result<Option<Retries>, String> {
    if policy.is_null() {
        return Ok(None);
    }
    let retries: Retries = serde_json::from_value(policy.clone())
        .map_err(|error| format!("DeliveryPolicy: failed to parse JSON. {error}"))?;
    retries.check()?;
    Ok(Some(retries))
}

/// `EffectiveDeliveryPolicy` of a topic.
pub(super) fn effective_of_topic(policy: Option<&str>) -> String {
    let http = &parsed(policy)["http"];
    json!({
        "http": {
            "defaultHealthyRetryPolicy": or_default(&http["defaultHealthyRetryPolicy"]),
            "disableSubscriptionOverrides": http["disableSubscriptionOverrides"].as_bool().unwrap_or_default(),
            "defaultRequestPolicy": { "headerContentType": content_type_in(&http["defaultRequestPolicy"]) },
        }
    })
    .to_string()
}

/// `EffectiveDeliveryPolicy` of a subscription: its own, or its topic's.
pub(super) fn effective_of_subscription(topic: Option<&str>, own: Option<&str>) -> String {
    let effective = Effective::of(topic, own);
    json!({
        "healthyRetryPolicy": effective.retries,
        "sicklyRetryPolicy": null,
        "throttlePolicy": null,
        "requestPolicy": { "headerContentType": effective.content_type },
        "guaranteed": false,
    })
    .to_string()
}

/// What policies come to.
pub(super) struct Effective {
    pub retries: Retries,
    pub content_type: String,
}

impl Effective {
    /// Of a topic's policy and a subscription's own.
    pub fn of(topic: Option<&str>, own: Option<&str>) -> Self {
        let topic = parsed(topic);
        let http = &topic["http"];
        let own = match http["disableSubscriptionOverrides"].as_bool() {
            Some(true) => Value::Null,
            _ => parsed(own),
        };
        let retries = match &own["healthyRetryPolicy"] {
            Value::Null => or_default(&http["defaultHealthyRetryPolicy"]),
            own => or_default(own),
        };
        let content_type = match own["requestPolicy"]["headerContentType"].as_str() {
            Some(own) => own.to_owned(),
            None => content_type_in(&http["defaultRequestPolicy"]),
        };
        Self { retries, content_type }
    }
}

fn parsed(policy: Option<&str>) -> Value {
    // It was checked when it was set.
    policy.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

fn or_default(policy: &Value) -> Retries {
    serde_json::from_value(policy.clone()).unwrap_or_default()
}

fn content_type_in(policy: &Value) -> String {
    policy["headerContentType"].as_str().unwrap_or(CONTENT_TYPE).to_owned()
}
