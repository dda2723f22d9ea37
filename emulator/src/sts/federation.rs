//! `GetFederationToken`: credentials that a user hands to somebody else, limited by what is passed.
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html>

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::session::{PolicyArn, Tag, passed, with_tags};
use super::{CredentialsShape, Tokens, issue, seconds, unsigned};
use crate::Result;
use crate::cloud::{At, Cx, Target};
use crate::iam::credentials::Session;
use crate::iam::principal::Principal;

/// Without a session policy, such a user may do nothing by itself.
const NOTHING: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"none:none","Resource":"*"}]}"#;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetFederationToken {
    name: String,
    policy: Option<String>,
    #[serde(default)]
    policy_arns: Vec<PolicyArn>,
    duration_seconds: Option<u32>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct FederationAnswer {
    credentials: CredentialsShape,
    federated_user: FederatedUser,
    packed_policy_size: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct FederatedUser {
    federated_user_id: String,
    arn: String,
}

pub(super) fn target(at: &At<Tokens>, input: &GetFederationToken) -> Target {
    let arn = format!("arn:aws:sts::{}:federated-user/{}", at.scope.account, input.name);
    with_tags(Target::on(arn), &input.tags, &[])
}

pub(super) fn get_federation_token(cx: &mut Cx<Tokens>, input: GetFederationToken) -> Result<FederationAnswer> {
    let seconds = seconds(cx, "GetFederationToken", input.duration_seconds)?;
    let account = cx.caller.principal.account().ok_or_else(unsigned)?.to_owned();
    let issuer = match &cx.caller.principal {
        Principal::User { name, .. } => Some(name.clone()),
        _ => None,
    };
    let mut passed = passed(cx, input.policy.as_ref(), &input.policy_arns, &input.tags, &[])?;
    if passed.policies.is_empty() {
        passed.policies.push(NOTHING.to_owned());
    }
    let principal = Principal::FederatedUser { account, name: input.name, issuer };
    let federated_user = FederatedUser { federated_user_id: principal.user_id(), arn: principal.arn() };
    let session = Session {
        principal,
        role_arn: String::new(),
        session_name: String::new(),
        issued: cx.now,
        expires: cx.now + Duration::from_secs(seconds.into()),
        session_policies: passed.policies,
        source_identity: None,
        tags: passed.tags,
        transitive: Vec::new(),
        mfa: None,
    };
    let credentials = issue(cx, &session)?;
    Ok(FederationAnswer { credentials, federated_user, packed_policy_size: passed.packed.unwrap_or_default() })
}
