//! Lifecycle policies: `PutLifecyclePolicy`, `GetLifecyclePolicy`, `DeleteLifecyclePolicy`. They find no images to act on.
//!
//! <https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html>

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{OfRepository, Registry, find_mut, invalid, on};
use crate::cloud::{Cx, Scope, Service};
use crate::{Error, Result, Timestamp};

/// Which images a rule may choose by their tags.
const STATUSES: [&str; 3] = ["tagged", "untagged", "any"];

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Registry>) -> Service<Registry> {
    service
        .op("PutLifecyclePolicy", |at, i: &PutPolicy| on(at, &i.repository_name), put)
        .op("GetLifecyclePolicy", |at, i: &OfRepository| on(at, &i.repository_name), get)
        .op("DeleteLifecyclePolicy", |at, i: &OfRepository| on(at, &i.repository_name), delete)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PutPolicy {
    registry_id: Option<String>,
    repository_name: String,
    lifecycle_policy_text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PolicyOutput {
    registry_id: String,
    repository_name: String,
    lifecycle_policy_text: String,
    /// AWS tells the beginning of time of a policy that has not been evaluated yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_evaluated_at: Option<Timestamp>,
}

fn put(cx: &mut Cx<Registry>, input: PutPolicy) -> Result<PolicyOutput> {
    let repository = find_mut(cx, input.registry_id.as_deref(), &input.repository_name)?;
    check(&input.lifecycle_policy_text)?;
    repository.lifecycle = Some(input.lifecycle_policy_text.clone());
    Ok(PolicyOutput {
        registry_id: cx.scope.account.to_string(),
        repository_name: input.repository_name,
        lifecycle_policy_text: input.lifecycle_policy_text,
        last_evaluated_at: None,
    })
}

fn get(cx: &mut Cx<Registry>, input: OfRepository) -> Result<PolicyOutput> {
    let policy = input.find(cx)?.lifecycle.clone();
    output(cx.scope, input.repository_name, policy)
}

fn delete(cx: &mut Cx<Registry>, input: OfRepository) -> Result<PolicyOutput> {
    let policy = find_mut(cx, input.registry_id.as_deref(), &input.repository_name)?.lifecycle.take();
    output(cx.scope, input.repository_name, policy)
}

fn output(scope: &Scope, repository_name: String, policy: Option<String>) -> Result<PolicyOutput> {
    let registry_id = scope.account.to_string();
    let Some(lifecycle_policy_text) = policy else {
        let text = format!(
            "Lifecycle policy does not exist for the repository with name '{repository_name}' in the registry with id \
             '{registry_id}'"
        );
        return Err(Error::client("LifecyclePolicyNotFoundException", text));
    };
    let last_evaluated_at = Some(Timestamp::from_secs(0));
    Ok(PolicyOutput { registry_id, repository_name, lifecycle_policy_text, last_evaluated_at })
}

/// Refuses a policy that is none. AWS holds it against a schema of its own, whose words these are.
fn check(text: &str) -> Result<()> {
    let policy: Value = serde_json::from_str(text).map_err(|_| failure("Invalid JSON syntax"))?;
    let rules = required(&policy, &["rules"])?["rules"].as_array().filter(|rules| !rules.is_empty());
    let rules = rules.ok_or_else(|| failure("rules must be an array of at least one rule"))?;
    let mut priorities = Vec::new();
    for rule in rules {
        let rule = required(rule, &["action", "rulePriority", "selection"])?;
        required(&rule["action"], &["type"])?;
        match rule["rulePriority"].as_u64() {
            Some(priority) if priority > 0 && !priorities.contains(&priority) => priorities.push(priority),
            Some(priority) if priority > 0 => return Err(failure("rulePriority must be unique")),
            _ => return Err(failure("rulePriority must be a positive integer")),
        }
        check_selection(&rule["selection"])?;
    }
    Ok(())
}

/// What a rule chooses: images by their tags, of an age or beyond a number.
fn check_selection(selection: &Value) -> Result<()> {
    let selection = required(selection, &["countNumber", "countType", "tagStatus"])?;
    let status = selection["tagStatus"].as_str().unwrap_or_default();
    if !STATUSES.contains(&status) {
        let known = STATUSES.map(|status| format!("\"{status}\"")).join(",");
        return Err(failure(&format!(
            "instance value ({}) not found in enum (possible values: [{known}])",
            selection["tagStatus"]
        )));
    }
    if selection["countNumber"].as_u64().is_none_or(|number| number == 0) {
        return Err(failure("countNumber must be a positive integer"));
    }
    let names_tags = ["tagPrefixList", "tagPatternList"].iter().any(|list| selection.contains_key(*list));
    let is_by_age = selection["countType"].as_str().is_some_and(|kind| kind.starts_with("since"));
    // Tags are named for tagged images and no others, and a unit belongs to an age.
    if names_tags != (status == "tagged") || selection.contains_key("countUnit") != is_by_age {
        return Err(failure("instance failed to match exactly one schema (matched 0 out of 2)"));
    }
    Ok(())
}

/// The members of an object that has these.
fn required<'a>(value: &'a Value, names: &[&str]) -> Result<&'a Map<String, Value>> {
    let members = value
        .as_object()
        .ok_or_else(|| failure("instance type does not match any allowed primitive type (allowed: [\"object\"])"))?;
    let missing: Vec<String> =
        names.iter().filter(|name| !members.contains_key(**name)).map(|name| format!("\"{name}\"")).collect();
    if missing.is_empty() {
        return Ok(members);
    }
    Err(failure(&format!("object has missing required properties ([{}])", missing.join(","))))
}

fn failure(reason: &str) -> Error {
    invalid("LifecyclePolicyText", &format!("Lifecycle policy validation failure: {reason}"))
}
