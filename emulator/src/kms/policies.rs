//! Key policies: each key has one, which is called `default`.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html>

use serde::{Deserialize, Serialize};

use super::{Keys, OfKey, find, find_mut, no_key, on};
use crate::cloud::{Cx, Scope, Service};
use crate::iam::policy::Policy;
use crate::{Error, Result};

/// The only name that a key's policy can have.
const NAME: &str = "default";

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Keys>) -> Service<Keys> {
    service
        .op("GetKeyPolicy", |at, i: &GetPolicy| on(at, &i.key_id), get)
        .op("PutKeyPolicy", |at, i: &PutPolicy| on(at, &i.key_id), put)
        .op("ListKeyPolicies", |at, i: &OfKey| on(at, &i.key_id), list)
}

/// The policy of a key whose maker gives none: the account may do everything, and IAM decides for whom in it.
pub(super) fn standard(scope: &Scope) -> String {
    format!(
        r#"{{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {{
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {{
      "AWS" : "arn:aws:iam::{}:root"
    }},
    "Action" : "kms:*",
    "Resource" : "*"
  }} ]
}}"#,
        scope.account
    )
}

/// A policy as it is kept, if it can be read.
pub(super) fn check(text: &str) -> Result<String> {
    match Policy::read(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(Error::client("MalformedPolicyDocumentException", error.message())),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetPolicy {
    key_id: String,
    policy_name: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyOutput {
    policy: String,
    policy_name: &'static str,
}

fn get(cx: &mut Cx<Keys>, input: GetPolicy) -> Result<PolicyOutput> {
    check_name(input.policy_name.as_deref())?;
    let id = find(cx, &input.key_id)?;
    let key = cx.state.keys.get(&id).ok_or_else(|| no_key(cx.scope, &id))?;
    Ok(PolicyOutput { policy: key.policy.clone(), policy_name: NAME })
}

fn check_name(name: Option<&str>) -> Result<()> {
    match name {
        None | Some(NAME) => Ok(()),
        Some(_) => Err(Error::client("NotFoundException", "No such policy exists")),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutPolicy {
    key_id: String,
    policy_name: Option<String>,
    policy: String,
    #[serde(rename = "BypassPolicyLockoutSafetyCheck")]
    _bypass: Option<bool>,
}

fn put(cx: &mut Cx<Keys>, input: PutPolicy) -> Result<()> {
    check_name(input.policy_name.as_deref())?;
    let policy = check(&input.policy)?;
    find_mut(cx, &input.key_id)?.policy = policy;
    Ok(())
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct NamesOutput {
    policy_names: [&'static str; 1],
    truncated: bool,
}

fn list(cx: &mut Cx<Keys>, input: OfKey) -> Result<NamesOutput> {
    find(cx, &input.key_id)?;
    Ok(NamesOutput { policy_names: [NAME], truncated: false })
}
