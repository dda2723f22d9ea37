//! Policies of advanced parameters: a parameter may end at a point in time.
//!
//! <https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-policies.html>

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Parameters;
use crate::cloud::{Cx, Service};
use crate::{Error, Result, Timestamp};

/// The event that deletes a parameter whose time is over.
const EXPIRE: &str = "Expire";
/// The one policy that is honoured. The others tell EventBridge.
const EXPIRATION: &str = "Expiration";
const NOTIFICATIONS: [&str; 2] = ["ExpirationNotification", "NoChangeNotification"];
/// A parameter has at most so many policies.
const LIMIT: usize = 10;

/// Adds the event.
pub(super) fn operations(service: Service<Parameters>) -> Service<Parameters> {
    service.event(EXPIRE, |cx, key| {
        cx.state.parameters.remove(key);
        Ok(())
    })
}

/// An expiration.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Policy {
    /// The policy as it was written.
    text: String,
    /// When the parameter ends.
    pub at: Timestamp,
}

/// A policy as `DescribeParameters` tells of it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Shown {
    policy_text: String,
    policy_type: &'static str,
    policy_status: &'static str,
}

impl Policy {
    pub fn shown(&self) -> Shown {
        Shown { policy_text: self.text.clone(), policy_type: EXPIRATION, policy_status: "Pending" }
    }
}

/// Reads the `Policies` of a request: a list of policies; an empty list or object takes those away that there are.
pub(super) fn read(text: &str, now: Timestamp) -> Result<Vec<Policy>> {
    let invalid = |text: &str| Error::client("InvalidPolicyAttributeException", text);
    let document: Value =
        serde_json::from_str(text).map_err(|_| invalid("The parameter policies are not a valid JSON document."))?;
    let list = match document {
        Value::Array(list) => list,
        Value::Object(members) if members.is_empty() => Vec::new(),
        _ => return Err(invalid("The parameter policies must be a list of policies.")),
    };
    if list.len() > LIMIT {
        let text = format!(
            "You specified more than the maximum number of allowed policies for the parameter. The maximum is {LIMIT}."
        );
        return Err(Error::client("PoliciesLimitExceededException", text));
    }
    let policies = list.iter().map(|policy| one(policy, now)).collect::<Result<Vec<_>>>()?;
    if policies.len() > 1 {
        return Err(Error::client(
            "IncompatiblePolicyException",
            "There is a conflict in the policies specified for this parameter. You can't, for example, specify two \
             Expiration policies for a parameter. Review your policies, and try again.",
        ));
    }
    Ok(policies)
}

fn one(policy: &Value, now: Timestamp) -> Result<Policy> {
    let kind = policy["Type"].as_str().unwrap_or_default();
    if NOTIFICATIONS.contains(&kind) {
        return Err(Error::not_implemented(format!("parameter policies of the type {kind}")));
    }
    if kind != EXPIRATION {
        return Err(Error::client(
            "InvalidPolicyTypeException",
            "The policy type isn't supported. Parameter Store supports the following policy types: Expiration, \
             ExpirationNotification, and NoChangeNotification.",
        ));
    }
    let invalid = |what: &str| {
        Error::client(
            "InvalidPolicyAttributeException",
            format!("A policy attribute or its value is invalid: {what} of the Expiration policy"),
        )
    };
    if policy["Version"].as_str() != Some("1.0") {
        return Err(invalid("Version"));
    }
    let at = policy["Attributes"]["Timestamp"].as_str().and_then(|text| text.parse::<Timestamp>().ok());
    let at = at.filter(|at| *at > now).ok_or_else(|| invalid("Timestamp"))?;
    Ok(Policy { text: policy.to_string(), at })
}

/// Sets or takes back the timer of a parameter's end.
pub(super) fn plan(cx: &mut Cx<Parameters>, key: &str, policies: &[Policy]) {
    match policies.first() {
        Some(policy) => cx.set_timer(EXPIRE, key, policy.at),
        None => cx.cancel_timer(EXPIRE, key),
    }
}
