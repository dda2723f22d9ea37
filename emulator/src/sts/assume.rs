//! `AssumeRole`: who may take a role, for how long, and within which policies.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{CredentialsShape, Tokens, issue};
use crate::cloud::{At, Cx, IamMode, Target};
use crate::iam::credentials::Session;
use crate::iam::policy::{Policy, Purpose};
use crate::iam::principal::Principal;
use crate::{Error, Result};

/// How long a session lasts, in seconds, unless told otherwise; and how long at most if a session assumes a role.
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
const DEFAULT_SESSION: u32 = 3_600;
const MAX_CHAINED: u32 = 3_600;
/// The characters of an inline session policy and of the ARNs of managed ones, and how many of those.
const MAX_POLICY: usize = 2_048;
const MAX_POLICY_ARNS: usize = 10;
const ACTION: &str = "sts:AssumeRole";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AssumeRole {
    role_arn: String,
    role_session_name: String,
    duration_seconds: Option<u32>,
    policy: Option<String>,
    #[serde(default)]
    policy_arns: Vec<PolicyArn>,
    external_id: Option<String>,
}

/// `PolicyDescriptorType`, whose one member is written small.
#[derive(Deserialize)]
struct PolicyArn {
    arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AssumeRoleAnswer {
    credentials: CredentialsShape,
    assumed_role_user: AssumedRoleUser,
    #[serde(skip_serializing_if = "Option::is_none")]
    packed_policy_size: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AssumedRoleUser {
    assumed_role_id: String,
    arn: String,
}

/// The role. The operation decides by itself, for the trust policy is IAM's and not STS's.
pub(super) fn target(_: &At<Tokens>, input: &AssumeRole) -> Target {
    Target { open: true, ..Target::on(&*input.role_arn) }
}

pub(super) fn assume_role(cx: &mut Cx<Tokens>, input: AssumeRole) -> Result<AssumeRoleAnswer> {
    let account = account_of_role(&input.role_arn)?;
    let principal = authorize(cx, &input, &account)?;
    let seconds = duration(cx, &input)?;
    let (session_policies, packed_policy_size) = session_policies(cx, &input)?;
    let assumed_role_user = AssumedRoleUser { assumed_role_id: principal.user_id(), arn: principal.arn() };
    let session = Session {
        principal,
        role_arn: input.role_arn,
        session_name: input.role_session_name,
        issued: cx.now,
        expires: cx.now + Duration::from_secs(seconds.into()),
        session_policies,
        source_identity: None,
        tags: Default::default(),
    };
    let credentials = issue(cx, &session)?;
    Ok(AssumeRoleAnswer { credentials, assumed_role_user, packed_policy_size })
}

fn account_of_role(arn: &str) -> Result<String> {
    let parts = arn.strip_prefix("arn:aws:iam::").and_then(|rest| rest.split_once(":role/"));
    match parts {
        Some((account, name)) if !name.is_empty() => Ok(account.to_owned()),
        _ => Err(validation(format!("{arn} is invalid"))),
    }
}

/// Whom the caller becomes, if role and policies let them. A role that does not exist is denied like one that does
/// not trust the caller.
fn authorize(cx: &Cx<Tokens>, input: &AssumeRole, account: &str) -> Result<Principal> {
    let access = cx.access();
    let root = matches!(cx.caller.principal, Principal::AccountRoot { .. });
    if root && access.mode() == IamMode::Enforce {
        return Err(denied("Roles may not be assumed by root accounts."));
    }
    let caller = cx.caller.principal.arn();
    let refusal =
        || denied(format!("User: {caller} is not authorized to perform: {ACTION} on resource: {}", input.role_arn));
    let role = access.directory().role_by_arn(&input.role_arn).ok_or_else(refusal)?;
    let mut asked = Target::on(&*input.role_arn)
        .owner(account)
        .policy(Some(role.trust.text().into()))
        .context("sts:RoleSessionName", &*input.role_session_name);
    if let Some(external_id) = &input.external_id {
        asked = asked.context("sts:ExternalId", &**external_id);
    }
    if !access.may_on(ACTION, &asked) {
        return Err(refusal());
    }
    Ok(Principal::AssumedRole {
        account: account.to_owned(),
        role_name: role.name.clone(),
        role_path: role.path.clone(),
        role_id: role.id.clone(),
        session_name: input.role_session_name.clone(),
    })
}

fn duration(cx: &Cx<Tokens>, input: &AssumeRole) -> Result<u32> {
    let seconds = input.duration_seconds.unwrap_or(DEFAULT_SESSION);
    let role = cx.access().directory().role_by_arn(&input.role_arn);
    if role.is_some_and(|role| seconds > role.max_session_duration) {
        return Err(validation("The requested DurationSeconds exceeds the MaxSessionDuration set for this role."));
    }
    if matches!(cx.caller.principal, Principal::AssumedRole { .. }) && seconds > MAX_CHAINED {
        return Err(validation(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
        ));
    }
    Ok(seconds)
}

/// The texts of the session policies, and how much of their room they take, in per cent. AWS packs policies before it
/// measures them, in a way that is not published; here the limit is that of the plain text.
fn session_policies(cx: &Cx<Tokens>, input: &AssumeRole) -> Result<(Vec<String>, Option<usize>)> {
    if input.policy.is_none() && input.policy_arns.is_empty() {
        return Ok((Vec::new(), None));
    }
    if input.policy_arns.len() > MAX_POLICY_ARNS {
        return Err(validation(format!(
            "PolicyArns: at most {MAX_POLICY_ARNS} managed session policies can be passed."
        )));
    }
    let mut texts = Vec::new();
    if let Some(text) = &input.policy {
        Policy::parse(text, Purpose::Session)?;
        texts.push(text.clone());
    }
    for PolicyArn { arn } in &input.policy_arns {
        let missing = || Error::client("MalformedPolicyDocument", format!("Policy {arn} does not exist."));
        texts.push(cx.access().directory().managed_policy(arn).ok_or_else(missing)?.text().to_owned());
    }
    let arns: usize = input.policy_arns.iter().map(|one| one.arn.chars().count()).sum();
    let plain = arns + input.policy.as_deref().map_or(0, |text| text.chars().count());
    let percent = (plain * 100).div_ceil(MAX_POLICY);
    if percent > 100 {
        let message = format!("Packed policy consumes {percent}% of allotted space, please use smaller policy.");
        return Err(Error::client("PackedPolicyTooLarge", message));
    }
    Ok((texts, Some(percent)))
}

fn denied(message: impl Into<String>) -> Error {
    Error::new(403, "AccessDenied", message)
}

fn validation(message: impl Into<String>) -> Error {
    Error::client("ValidationError", message)
}
