//! Key policies: each key has one, which is called `default`.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html>

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Keys, OfKey, find_key, find_mut, on_key};
use crate::cloud::{Cx, Scope, Service, Target};
use crate::iam::policy::Policy;
use crate::{Error, Result};

/// The only name that a key's policy can have.
const NAME: &str = "default";

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Keys>) -> Service<Keys> {
    service
        .op("GetKeyPolicy", |at, i: &GetPolicy| on_key(at, &i.key_id), get)
        .op("PutKeyPolicy", |at, i: &PutPolicy| on_key(at, &i.key_id), put)
        .op("ListKeyPolicies", |at, i: &OfKey| on_key(at, &i.key_id), list)
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

/// The policy of a key that AWS manages: everybody in the account may use it through its service, and look at it.
/// <https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#aws-managed-key>
pub(super) fn of_managed(scope: &Scope, service: &str) -> String {
    let Scope { account, region } = scope;
    let through = json!({ "StringEquals": {
        "kms:CallerAccount": account, "kms:ViaService": format!("{service}.{region}.amazonaws.com"),
    } });
    let used = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"];
    let policy = json!({ "Version": "2012-10-17", "Id": format!("auto-{service}-2"), "Statement": [
        {
            "Sid": format!("Allow access through {service} for all principals in the account that are authorized to use it"),
            "Effect": "Allow", "Principal": { "AWS": "*" }, "Action": used, "Resource": "*", "Condition": through,
        },
        {
            "Sid": "Allow direct access to key metadata to the account",
            "Effect": "Allow", "Principal": { "AWS": format!("arn:aws:iam::{account}:root") },
            "Action": ["kms:Describe*", "kms:Get*", "kms:List*"], "Resource": "*",
        },
    ] });
    policy.to_string()
}

/// A policy as it is kept, if it can be read.
fn check(text: &str) -> Result<String> {
    match Policy::read(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(Error::client("MalformedPolicyDocumentException", error.message())),
    }
}

/// The policy of a new key: the one that is given, or the standard one.
///
/// # Errors
/// What [`check`] and [`check_lockout`] say.
pub(super) fn of_new(cx: &Cx<Keys>, scope: &Scope, given: Option<&str>, bypass: bool) -> Result<String> {
    let policy = given.map(check).transpose()?.unwrap_or_else(|| standard(scope));
    check_lockout(cx, &policy, bypass)?;
    Ok(policy)
}

/// A policy with more statements, those that can be read.
pub(super) fn with_statements(text: &str, more: Vec<Value>) -> String {
    let Ok(mut policy) = serde_json::from_str::<Value>(text) else { return text.to_owned() };
    let readable = |statement: &Value| {
        let alone = json!({ "Version": "2012-10-17", "Statement": [statement] });
        Policy::accepted(&alone.to_string()).is_ok()
    };
    let mut statements = match policy["Statement"].take() {
        Value::Array(statements) => statements,
        one => vec![one],
    };
    statements.extend(more.into_iter().filter(readable));
    policy["Statement"] = statements.into();
    policy.to_string()
}

/// Refuses a policy under which the caller could not put another one.
/// <https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html>
fn check_lockout(cx: &Cx<Keys>, policy: &str, bypass: bool) -> Result<()> {
    let target = Target::on(super::arn(cx.scope, "*")).policy(Some(policy.into())).owner(&*cx.scope.account);
    if bypass || cx.access().may_on("kms:PutKeyPolicy", &target) {
        return Ok(());
    }
    let message = "The new key policy will not allow you to update the key policy in the future.";
    Err(Error::client("MalformedPolicyDocumentException", message))
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
    let (_, key) = find_key(cx, &input.key_id)?;
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
    #[serde(default)]
    bypass_policy_lockout_safety_check: bool,
}

fn put(cx: &mut Cx<Keys>, input: PutPolicy) -> Result<()> {
    check_name(input.policy_name.as_deref())?;
    let policy = check(&input.policy)?;
    find_key(cx, &input.key_id)?;
    check_lockout(cx, &policy, input.bypass_policy_lockout_safety_check)?;
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
    find_key(cx, &input.key_id)?;
    Ok(NamesOutput { policy_names: [NAME], truncated: false })
}
