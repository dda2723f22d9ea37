//! Resource policies: `GetResourcePolicy`, `PutResourcePolicy`, `DeleteResourcePolicy`, `ValidateResourcePolicy`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::stages::Changed;
use super::store::{Secrets, check_name};
use super::{Named, on};
use crate::cloud::{Cx, Service, Target};
use crate::iam::policy::{Policy, Purpose};
use crate::{Error, Result};

pub(super) fn operations(service: Service<Secrets>) -> Service<Secrets> {
    service
        .op("GetResourcePolicy", |at, i: &Named| on(at, &i.secret_id), get)
        .op("PutResourcePolicy", |at, i: &PutResourcePolicy| on(at, &i.secret_id), put)
        .op("DeleteResourcePolicy", |at, i: &Named| on(at, &i.secret_id), delete)
        .op(
            "ValidateResourcePolicy",
            |at, i: &ValidateResourcePolicy| i.secret_id.as_deref().map_or_else(Target::any, |id| on(at, id)),
            validate,
        )
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutResourcePolicy {
    secret_id: String,
    resource_policy: String,
    #[serde(default)]
    block_public_policy: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ValidateResourcePolicy {
    secret_id: Option<String>,
    resource_policy: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyOutput {
    #[serde(flatten)]
    of: Changed,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_policy: Option<Arc<str>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Validated {
    policy_validation_passed: bool,
    validation_errors: Vec<ValidationError>,
}

/// `ValidationErrorsEntry` of the API.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ValidationError {
    check_name: &'static str,
    error_message: String,
}

fn get(cx: &mut Cx<Secrets>, input: Named) -> Result<PolicyOutput> {
    let secret = cx.state.get(cx.scope, &input.secret_id)?;
    secret.check_primary()?;
    secret.check_kept()?;
    Ok(PolicyOutput { of: Changed::of(secret), resource_policy: secret.policy.clone() })
}

fn check(policy: &str) -> Result<()> {
    match Policy::parse(policy, Purpose::Resource) {
        Ok(_) => Ok(()),
        Err(error) => Err(Error::client("MalformedPolicyDocumentException", error.message())),
    }
}

/// True if it lets everybody in, without a condition.
fn is_public(policy: &str) -> bool {
    let Ok(document) = serde_json::from_str::<Value>(policy) else { return false };
    let each = |value: &Value| value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
    each(document.get("Statement").unwrap_or(&Value::Null)).iter().any(|statement| {
        let principal = statement.get("Principal").unwrap_or(&Value::Null);
        let named = principal.get("AWS").unwrap_or(principal);
        let everybody = each(named).iter().any(|one| one == "*");
        statement.get("Effect").is_some_and(|effect| effect == "Allow")
            && everybody
            && statement.get("Condition").is_none()
    })
}

fn put(cx: &mut Cx<Secrets>, input: PutResourcePolicy) -> Result<Changed> {
    let mut secret = cx.state.to_change(cx.scope, &input.secret_id)?;
    check(&input.resource_policy)?;
    if input.block_public_policy && is_public(&input.resource_policy) {
        return Err(Error::client(
            "PublicPolicyException",
            "The resource policy did not get added because it allows broad access to the secret.",
        ));
    }
    secret.policy = Some(input.resource_policy.into());
    let answer = Changed::of(&secret);
    cx.state.save(secret);
    Ok(answer)
}

fn delete(cx: &mut Cx<Secrets>, input: Named) -> Result<Changed> {
    let mut secret = cx.state.to_change(cx.scope, &input.secret_id)?;
    secret.policy = None;
    let answer = Changed::of(&secret);
    cx.state.save(secret);
    Ok(answer)
}

fn validate(cx: &mut Cx<Secrets>, input: ValidateResourcePolicy) -> Result<Validated> {
    if let Some(id) = &input.secret_id {
        if !id.starts_with("arn:") {
            check_name(id)?;
        }
        cx.state.get(cx.scope, id)?.check_kept()?;
    }
    let mut errors = Vec::new();
    if let Err(error) = check(&input.resource_policy) {
        errors.push(ValidationError { check_name: "SYNTAX", error_message: error.message().to_owned() });
    } else if is_public(&input.resource_policy) {
        let error_message = "The resource policy allows broad access to the secret.".to_owned();
        errors.push(ValidationError { check_name: "PUBLIC_ACCESS", error_message });
    }
    Ok(Validated { policy_validation_passed: errors.is_empty(), validation_errors: errors })
}
