//! Sessions of roles for whom identity providers vouch for: what SAML and web identities have in common.

use std::time::Duration;

use super::assume::{AssumeRoleAnswer, AssumedRoleUser, denied, duration, session_of};
use super::session::{PolicyArn, Tag, passed};
use super::{Tokens, issue};
use crate::Result;
use crate::cloud::{Cx, IamMode};
use crate::iam::credentials::Session;
use crate::iam::policy::pattern::Context;
use crate::iam::policy::{Attached, Request, evaluate};
use crate::iam::{Principal, Role};

/// What a provider says, and what the request asks.
pub(super) struct Vouched {
    /// `AssumeRoleWithSAML` or `AssumeRoleWithWebIdentity`.
    pub operation: &'static str,
    pub role_arn: String,
    pub session_name: String,
    /// As policies name it.
    pub provider: String,
    /// The condition keys that the provider fills.
    pub keys: Vec<(String, Vec<String>)>,
    pub policy: Option<String>,
    pub policy_arns: Vec<PolicyArn>,
    pub duration: Option<u32>,
    pub tags: Vec<Tag>,
    pub transitive: Vec<String>,
    pub source_identity: Option<String>,
}

/// Begins the session if the role trusts the provider in this. A role that does not exist is denied like one that does not.
pub(super) fn begin(cx: &mut Cx<Tokens>, account: &str, vouched: Vouched) -> Result<AssumeRoleAnswer> {
    let passed = passed(cx, vouched.policy.as_ref(), &vouched.policy_arns, &vouched.tags, &vouched.transitive)?;
    let refusal = || denied(format!("Not authorized to perform sts:{}", vouched.operation));
    let principal = {
        let role = cx.access().directory().role_by_arn(&vouched.role_arn).ok_or_else(refusal)?;
        let tagged = (!passed.tags.is_empty()).then_some("sts:TagSession");
        let sourced = vouched.source_identity.is_some().then_some("sts:SetSourceIdentity");
        let own = format!("sts:{}", vouched.operation);
        let wanted = [Some(&*own), tagged, sourced];
        let enforced = cx.access().mode() == IamMode::Enforce;
        if enforced && !wanted.into_iter().flatten().all(|action| trusts(cx, account, role, &vouched, action)) {
            return Err(refusal());
        }
        session_of(role, account, &vouched.session_name)
    };
    let seconds = duration(cx, &vouched.role_arn, vouched.duration)?;
    let assumed_role_user = AssumedRoleUser::of(&principal);
    let source_identity = vouched.source_identity.clone();
    let session = Session {
        principal,
        role_arn: vouched.role_arn,
        session_name: vouched.session_name,
        issued: cx.now,
        expires: cx.now + Duration::from_secs(seconds.into()),
        session_policies: passed.policies,
        source_identity: vouched.source_identity,
        tags: passed.tags,
        transitive: passed.transitive,
        mfa: None,
    };
    let credentials = issue(cx, &session)?;
    Ok(AssumeRoleAnswer { credentials, assumed_role_user, packed_policy_size: passed.packed, source_identity })
}

fn trusts(cx: &Cx<Tokens>, account: &str, role: &Role, vouched: &Vouched, action: &str) -> bool {
    let mut context: Context = vouched.keys.iter().cloned().collect();
    let mut put = |key: &str, values: Vec<String>| context.insert(key.to_owned(), values);
    put("sts:RoleSessionName", vec![vouched.session_name.clone()]);
    put("aws:CurrentTime", vec![cx.now.to_iso_secs()]);
    put("aws:EpochTime", vec![cx.now.secs().to_string()]);
    put("aws:FederatedProvider", vec![vouched.provider.clone()]);
    if let Some(source) = &vouched.source_identity {
        put("sts:SourceIdentity", vec![source.clone()]);
    }
    for tag in &vouched.tags {
        put(&format!("aws:RequestTag/{}", tag.key), vec![tag.value.clone()]);
    }
    put("aws:TagKeys", vouched.tags.iter().map(|tag| tag.key.clone()).collect());
    let request = Request {
        principal: Principal::Federated(vouched.provider.clone()),
        resource_account: account.to_owned(),
        action: action.to_owned(),
        resource: vouched.role_arn.clone(),
        context,
    };
    evaluate(&request, &[], None, &[], Some(Attached { name: "trust", policy: &role.trust })).is_allowed()
}
