//! Data protection policies: they are kept, and no message that they might be about is let pass.
//!
//! To find personal data as AWS finds it takes its machine learning, and in which words it refuses a message is not documented. So
//! a message that may hold what a policy looks for is refused by name; one that certainly holds none of it is published.
//! <https://docs.aws.amazon.com/sns/latest/dg/sns-message-data-protection-policies.html>

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::errors::because;
use super::message::Forms;
use super::topic::{Topic, Topics, find, on};
use crate::cloud::{Cx, Service};
use crate::{Error, Result};

/// The longest policy.
/// <https://docs.aws.amazon.com/sns/latest/api/API_PutDataProtectionPolicy.html>
const LIMIT: usize = 30_720;
/// The version of the policies' language.
const VERSION: &str = "2021-06-01";
/// What a policy may look for that can be told to be missing: no address is without its `@`.
const EMAIL: &str = "data-identifier/EmailAddress";

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Topics>) -> Service<Topics> {
    service.op("PutDataProtectionPolicy", |at, i: &Put| on(at, &i.resource_arn), put).op(
        "GetDataProtectionPolicy",
        |at, i: &Get| on(at, &i.resource_arn),
        get,
    )
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Put {
    resource_arn: String,
    data_protection_policy: String,
}

/// Replaces the policy of a topic; an empty text takes it away.
fn put(cx: &mut Cx<Topics>, input: Put) -> Result<()> {
    let topic = find(cx, &input.resource_arn)?;
    let text = input.data_protection_policy;
    if !text.is_empty() {
        check(&text)?;
    }
    topic.protection = (!text.is_empty()).then(|| Arc::from(text));
    Ok(())
}

/// What every policy has.
fn check(text: &str) -> Result<()> {
    let wrong = |reason: &str| because("DataProtectionPolicy", reason);
    if text.chars().count() > LIMIT {
        return Err(wrong("The policy is too long"));
    }
    let policy: Value = serde_json::from_str(text).map_err(|_| wrong("The policy is no JSON document"))?;
    if policy["Name"].as_str().is_none_or(str::is_empty) {
        return Err(wrong("The policy needs a Name"));
    }
    if policy["Version"] != VERSION {
        return Err(wrong("Version must be 2021-06-01"));
    }
    let statements = policy["Statement"].as_array().filter(|statements| !statements.is_empty());
    for statement in statements.ok_or_else(|| wrong("The policy needs a Statement"))? {
        if !matches!(statement["DataDirection"].as_str(), Some("Inbound" | "Outbound")) {
            return Err(wrong("DataDirection must be Inbound or Outbound"));
        }
        if statement["DataIdentifier"].as_array().is_none_or(Vec::is_empty) {
            return Err(wrong("A statement needs a DataIdentifier"));
        }
        let operation = statement["Operation"].as_object().filter(|operation| operation.len() == 1);
        let known = |name: &String| matches!(name.as_str(), "Audit" | "Deidentify" | "Deny");
        if !operation.is_some_and(|operation| operation.keys().all(known)) {
            return Err(wrong("Operation must be one of Audit, Deidentify and Deny"));
        }
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Get {
    resource_arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Policy {
    #[serde(skip_serializing_if = "Option::is_none")]
    data_protection_policy: Option<Arc<str>>,
}

fn get(cx: &mut Cx<Topics>, input: Get) -> Result<Policy> {
    Ok(Policy { data_protection_policy: find(cx, &input.resource_arn)?.protection.clone() })
}

/// Lets a message pass that holds nothing which the topic's policy looks for.
pub(super) fn check_message(topic: &Topic, forms: &Forms) -> Result<()> {
    let Some(policy) = &topic.protection else { return Ok(()) };
    // It was checked when it was set.
    let policy: Value = serde_json::from_str(policy).unwrap_or_default();
    for statement in policy["Statement"].as_array().into_iter().flatten() {
        // An audit may log as well that nothing was found.
        let is_audit = statement["Operation"].get("Audit").is_some();
        for identifier in statement["DataIdentifier"].as_array().into_iter().flatten() {
            let identifier = identifier.as_str().unwrap_or_default();
            if is_audit || !identifier.ends_with(EMAIL) || forms.texts().any(|text| text.contains('@')) {
                return Err(Error::not_implemented(format!(
                    "looking for {identifier} in messages (DataProtectionPolicy)"
                )));
            }
        }
    }
    Ok(())
}
