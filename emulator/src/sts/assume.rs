//! `AssumeRole`: who may take a role, for how long, and within which policies.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::mfa::asked;
use super::session::{Passed, PolicyArn, Tag, passed, validation, with_tags};
use super::{CredentialsShape, Tokens, issue};
use crate::cloud::{At, Cx, IamMode, Target};
use crate::iam::Role;
use crate::iam::credentials::Session;
use crate::iam::principal::Principal;
use crate::{Error, Result, Timestamp};

/// How long a session lasts, in seconds, unless told otherwise; and how long at most if a session assumes a role.
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
const DEFAULT_SESSION: u32 = 3_600;
const MAX_CHAINED: u32 = 3_600;
const ACTION: &str = "sts:AssumeRole";
const TAG_SESSION: &str = "sts:TagSession";
const SET_SOURCE: &str = "sts:SetSourceIdentity";

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
    #[serde(default)]
    tags: Vec<Tag>,
    #[serde(default)]
    transitive_tag_keys: Vec<String>,
    source_identity: Option<String>,
    serial_number: Option<String>,
    token_code: Option<String>,
}

/// What is answered of a role's session that has begun, by whatever way.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AssumeRoleAnswer {
    pub credentials: CredentialsShape,
    pub assumed_role_user: AssumedRoleUser,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packed_policy_size: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_identity: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AssumedRoleUser {
    assumed_role_id: String,
    arn: String,
}

/// The role. The operation decides by itself, for the trust policy is IAM's and not STS's.
pub(super) fn target(_: &At<Tokens>, input: &AssumeRole) -> Target {
    Target { open: true, ..Target::on(&*input.role_arn) }
}

pub(super) fn assume_role(cx: &mut Cx<Tokens>, input: AssumeRole) -> Result<AssumeRoleAnswer> {
    let account = account_of_role(&input.role_arn)?;
    let source_identity = source_identity(cx, &input)?;
    let passed = passed(cx, input.policy.as_ref(), &input.policy_arns, &input.tags, &input.transitive_tag_keys)?;
    let mfa = asked(cx, input.serial_number.as_deref(), input.token_code.as_deref())?;
    let principal = authorize(cx, &input, &account, &passed, mfa)?;
    let seconds = duration(cx, &input.role_arn, input.duration_seconds)?;
    let assumed_role_user = AssumedRoleUser::of(&principal);
    let session = Session {
        principal,
        role_arn: input.role_arn,
        session_name: input.role_session_name,
        issued: cx.now,
        expires: cx.now + Duration::from_secs(seconds.into()),
        session_policies: passed.policies,
        source_identity: source_identity.clone(),
        tags: passed.tags,
        transitive: passed.transitive,
        mfa,
    };
    let credentials = issue(cx, &session)?;
    Ok(AssumeRoleAnswer { credentials, assumed_role_user, packed_policy_size: passed.packed, source_identity })
}

/// Who began a chain of sessions; whoever is in one cannot say that it was somebody else.
fn source_identity(cx: &Cx<Tokens>, input: &AssumeRole) -> Result<Option<String>> {
    let inherited = cx.caller.session.as_ref().and_then(|session| session.source_identity.clone());
    match (&input.source_identity, inherited) {
        (Some(given), Some(known)) if *given != known => {
            Err(denied(format!("The source identity of the calling session is {known} and cannot be changed.")))
        }
        (Some(given), _) => Ok(Some(given.clone())),
        (None, inherited) => Ok(inherited),
    }
}

pub(super) fn account_of_role(arn: &str) -> Result<String> {
    let parts = arn.strip_prefix("arn:aws:iam::").and_then(|rest| rest.split_once(":role/"));
    match parts {
        Some((account, name)) if !name.is_empty() => Ok(account.to_owned()),
        _ => Err(validation(format!("{arn} is invalid"))),
    }
}

/// Whom the caller becomes, if role and policies let them. A role that does not exist is denied like one that does
/// not trust the caller.
fn authorize(
    cx: &Cx<Tokens>,
    input: &AssumeRole,
    account: &str,
    passed: &Passed,
    mfa: Option<Timestamp>,
) -> Result<Principal> {
    let access = cx.access();
    let root = matches!(cx.caller.principal, Principal::AccountRoot { .. });
    if root && access.mode() == IamMode::Enforce {
        return Err(denied("Roles may not be assumed by root accounts."));
    }
    let caller = cx.caller.principal.arn();
    let refusal = |action: &str| {
        denied(format!("User: {caller} is not authorized to perform: {action} on resource: {}", input.role_arn))
    };
    let role = access.directory().role_by_arn(&input.role_arn).ok_or_else(|| refusal(ACTION))?;
    let mut asked = Target::on(&*input.role_arn)
        .owner(account)
        .policy(Some(role.trust.text().into()))
        .context("sts:RoleSessionName", &*input.role_session_name);
    if let Some(external_id) = &input.external_id {
        asked = asked.context("sts:ExternalId", &**external_id);
    }
    if let Some(source) = &input.source_identity {
        asked = asked.context("sts:SourceIdentity", &**source);
    }
    if mfa.is_some() {
        asked = asked.context("aws:MultiFactorAuthPresent", "true").context("aws:MultiFactorAuthAge", "0");
    }
    let asked = with_tags(asked, &input.tags, &input.transitive_tag_keys);
    let wanted =
        [(ACTION, true), (TAG_SESSION, !passed.tags.is_empty()), (SET_SOURCE, input.source_identity.is_some())];
    for (action, _) in wanted.iter().filter(|(_, wanted)| *wanted) {
        if !access.may_on(action, &asked) {
            return Err(refusal(action));
        }
    }
    Ok(session_of(role, account, &input.role_session_name))
}

/// Who the holder of a role's credentials is.
pub(super) fn session_of(role: &Role, account: &str, session_name: &str) -> Principal {
    Principal::AssumedRole {
        account: account.to_owned(),
        role_name: role.name.clone(),
        role_path: role.path.clone(),
        role_id: role.id.clone(),
        session_name: session_name.to_owned(),
    }
}

impl AssumedRoleUser {
    pub(super) fn of(principal: &Principal) -> Self {
        Self { assumed_role_id: principal.user_id(), arn: principal.arn() }
    }
}

pub(super) fn duration(cx: &Cx<Tokens>, role_arn: &str, wanted: Option<u32>) -> Result<u32> {
    let seconds = wanted.unwrap_or(DEFAULT_SESSION);
    let role = cx.access().directory().role_by_arn(role_arn);
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

pub(super) fn denied(message: impl Into<String>) -> Error {
    Error::new(403, "AccessDenied", message)
}
