//! What concerns an account as a whole: its alias, its password policy, and what it has.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::directory::{
    Account, Directory, Entity, ManagedPolicy, PasswordPolicy, already_exists, no_such_entity, validation,
};
use super::profiles::ProfileShape;
use super::shapes::{Empty, Rest, encoded, list_tags, page};
use super::{
    attachments, aws_managed, groups, managed, profiles, roles, server_certificates, signing_certificates, users,
};
use crate::cloud::Cx;
use crate::{Error, Result};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OfAlias {
    account_alias: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListAliases {
    marker: Option<String>,
    max_items: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Aliases {
    account_aliases: Vec<String>,
    #[serde(flatten)]
    rest: Rest,
}

/// Nothing is asked.
#[derive(Deserialize)]
pub(super) struct Nothing {}

/// An alias is unique in the world.
pub(super) fn create_alias(cx: &mut Cx<Directory>, input: OfAlias) -> Result<Empty> {
    let account = cx.scope.account.clone();
    if cx
        .state
        .accounts()
        .any(|(number, other)| *number != *account && other.alias.as_ref() == Some(&input.account_alias))
    {
        return Err(already_exists(format!("The account alias {} already exists.", input.account_alias)));
    }
    cx.state.account_mut(&account).alias = Some(input.account_alias);
    Ok(Empty {})
}

pub(super) fn delete_alias(cx: &mut Cx<Directory>, input: OfAlias) -> Result<Empty> {
    let account = cx.scope.account.clone();
    let alias = &mut cx.state.account_mut(&account).alias;
    if alias.as_ref() != Some(&input.account_alias) {
        return Err(no_such_entity(format!("The account alias {} cannot be found.", input.account_alias)));
    }
    *alias = None;
    Ok(Empty {})
}

pub(super) fn aliases(cx: &mut Cx<Directory>, input: ListAliases) -> Result<Aliases> {
    let alias = cx.state.account(&cx.scope.account).and_then(|account| account.alias.clone());
    let (account_aliases, rest) = page(alias.map(|alias| (alias.clone(), alias)), input.marker, input.max_items)?;
    Ok(Aliases { account_aliases, rest })
}

pub(super) fn update_passwords(cx: &mut Cx<Directory>, input: PasswordPolicy) -> Result<Empty> {
    let account = cx.scope.account.clone();
    cx.state.account_mut(&account).passwords = Some(input);
    Ok(Empty {})
}

fn no_passwords(account: &str) -> Error {
    no_such_entity(format!("The Password Policy with domain name {account} cannot be found."))
}

pub(super) fn passwords(cx: &mut Cx<Directory>, _: Nothing) -> Result<Value> {
    let account = &cx.scope.account;
    let policy = cx.state.account(account).and_then(|account| account.passwords.clone());
    let policy = policy.ok_or_else(|| no_passwords(account))?;
    let mut answer = serde_json::to_value(&policy)?;
    answer["ExpirePasswords"] = json!(policy.max_password_age.is_some_and(|age| age > 0));
    Ok(json!({ "PasswordPolicy": answer }))
}

pub(super) fn delete_passwords(cx: &mut Cx<Directory>, _: Nothing) -> Result<Empty> {
    let account = cx.scope.account.clone();
    match cx.state.account_mut(&account).passwords.take() {
        Some(_) => Ok(Empty {}),
        None => Err(no_such_entity("The account policy with name PasswordPolicy cannot be found.")),
    }
}

/// What there is, and AWS's quotas.
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html>
pub(super) fn summary(cx: &mut Cx<Directory>, _: Nothing) -> Result<Value> {
    let none = Account::default();
    let account = cx.state.account(&cx.scope.account).unwrap_or(&none);
    let versions: usize = account.policies.values().map(|policy| policy.versions.len()).sum();
    let counts = [
        ("Users", account.users.len()),
        ("UsersQuota", users::MAX_USERS),
        ("Groups", account.groups.len()),
        ("GroupsQuota", groups::MAX_GROUPS),
        ("GroupsPerUserQuota", groups::MAX_GROUPS_OF_USER),
        ("Roles", account.roles.len()),
        ("RolesQuota", roles::MAX_ROLES),
        ("InstanceProfiles", account.profiles.len()),
        ("InstanceProfilesQuota", profiles::MAX_PROFILES),
        ("Policies", account.policies.len()),
        ("PoliciesQuota", managed::MAX_POLICIES),
        ("PolicySizeQuota", managed::MAX_SIZE),
        ("PolicyVersionsInUse", versions),
        ("PolicyVersionsInUseQuota", 10_000),
        ("VersionsPerPolicyQuota", managed::MAX_VERSIONS),
        ("AttachedPoliciesPerGroupQuota", attachments::MAX_ATTACHED),
        ("AttachedPoliciesPerRoleQuota", attachments::MAX_ATTACHED),
        ("AttachedPoliciesPerUserQuota", attachments::MAX_ATTACHED),
        ("GroupPolicySizeQuota", attachments::MAX_INLINE_OF_GROUP),
        ("RolePolicySizeQuota", attachments::MAX_INLINE_OF_ROLE),
        ("UserPolicySizeQuota", attachments::MAX_INLINE_OF_USER),
        ("AssumeRolePolicySizeQuota", roles::MAX_TRUST),
        ("AccessKeysPerUserQuota", users::MAX_KEYS),
        ("SigningCertificatesPerUserQuota", signing_certificates::MAX_CERTIFICATES),
        ("ServerCertificates", account.server_certificates.len()),
        ("ServerCertificatesQuota", server_certificates::MAX_CERTIFICATES),
        ("MFADevices", account.mfa_devices.len()),
        ("MFADevicesInUse", account.mfa_devices.values().filter(|device| device.is_in_use()).count()),
        ("AccountMFAEnabled", 0),
        ("AccountAccessKeysPresent", usize::from(!account.root_keys.is_empty())),
        ("AccountPasswordPresent", 1),
        ("AccountSigningCertificatesPresent", 0),
        ("Providers", account.oidc_providers.len() + account.saml_providers.len()),
        ("GlobalEndpointTokenVersion", 1),
    ];
    let map: BTreeMap<&str, usize> = counts.into_iter().collect();
    Ok(json!({ "SummaryMap": map }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Details {
    #[serde(default)]
    filter: Vec<String>,
    marker: Option<String>,
    max_items: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DetailsAnswer {
    user_detail_list: Vec<Value>,
    group_detail_list: Vec<Value>,
    role_detail_list: Vec<Value>,
    policies: Vec<Value>,
    #[serde(flatten)]
    rest: Rest,
}

/// Everything about everybody, page by page, over all kinds.
pub(super) fn details(cx: &mut Cx<Directory>, input: Details) -> Result<DetailsAnswer> {
    const KINDS: [&str; 5] = ["User", "Group", "Role", "LocalManagedPolicy", "AWSManagedPolicy"];
    if let Some(other) = input.filter.iter().find(|kind| !KINDS.contains(&kind.as_str())) {
        return Err(validation(format!("{other} is not a type of entity that can be listed.")));
    }
    let wanted = |kind: &str| input.filter.is_empty() || input.filter.iter().any(|one| one == kind);
    let none = Account::default();
    let account = cx.state.account(&cx.scope.account).unwrap_or(&none);
    let mut all: Vec<(String, (&str, Value))> = Vec::new();
    if wanted("User") {
        all.extend(account.users.iter().map(|(key, user)| {
            let groups: Vec<&String> = cx.state.groups_of(&cx.scope.account, user).map(|group| &group.name).collect();
            let mut detail = entity(&user.entity, "User");
            detail["GroupList"] = json!(groups);
            (format!("1/{key}"), ("User", detail))
        }));
    }
    if wanted("Group") {
        all.extend(account.groups.iter().map(|(key, group)| (format!("2/{key}"), ("Group", entity(group, "Group")))));
    }
    if wanted("Role") {
        all.extend(account.roles.iter().map(|(key, role)| {
            let mut detail = entity(&role.entity, "Role");
            detail["AssumeRolePolicyDocument"] = json!(encoded(&role.trust));
            detail["RoleLastUsed"] = json!({});
            let profiles = account.profiles.values().filter(|one| one.role.as_ref() == Some(&role.entity.name));
            let profiles = profiles.map(|one| ProfileShape::short(cx.state, &cx.scope.account, one));
            detail["InstanceProfileList"] = profiles.map(|one| json!(one)).collect();
            (format!("3/{key}"), ("Role", detail))
        }));
    }
    if wanted("LocalManagedPolicy") {
        all.extend(account.policies.iter().map(|(key, one)| (format!("4/{key}"), ("Policy", policy(cx, one)))));
    }
    if wanted("AWSManagedPolicy") {
        let used = |arn: &String| cx.state.entities(&cx.scope.account).any(|one| one.attached.contains_key(arn));
        let theirs = aws_managed::all().filter(|one| used(&one.arn));
        all.extend(theirs.map(|one| (format!("5/{}", one.arn), ("Policy", policy(cx, one)))));
    }
    let (items, rest) = page(all, input.marker, input.max_items)?;
    let of = |kind: &str| items.iter().filter(|(one, _)| *one == kind).map(|(_, detail)| detail.clone()).collect();
    Ok(DetailsAnswer {
        user_detail_list: of("User"),
        group_detail_list: of("Group"),
        role_detail_list: of("Role"),
        policies: of("Policy"),
        rest,
    })
}

/// What users, groups and roles have in common; members are named by the kind.
fn entity(entity: &Entity, kind: &str) -> Value {
    let inline: Vec<Value> = entity
        .inline
        .iter()
        .map(|(name, policy)| json!({ "PolicyName": name, "PolicyDocument": encoded(policy) }))
        .collect();
    let attached: Vec<Value> =
        entity.attached.keys().map(|arn| json!({ "PolicyName": arn.rsplit('/').next(), "PolicyArn": arn })).collect();
    let mut detail = json!({
        "Path": entity.path,
        format!("{kind}Name"): entity.name,
        format!("{kind}Id"): entity.id,
        "Arn": entity.arn,
        "CreateDate": entity.created,
        format!("{kind}PolicyList"): inline,
        "AttachedManagedPolicies": attached,
    });
    if kind != "Group" {
        detail["Tags"] = json!(list_tags(&entity.tags));
        if let Some(arn) = &entity.boundary {
            detail["PermissionsBoundary"] =
                json!({ "PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn });
        }
    }
    detail
}

fn policy(cx: &Cx<Directory>, policy: &ManagedPolicy) -> Value {
    let versions: Vec<Value> = policy
        .versions
        .iter()
        .rev()
        .map(|(number, version)| {
            json!({
                "Document": encoded(&version.document),
                "VersionId": format!("v{number}"),
                "IsDefaultVersion": policy.default == *number,
                "CreateDate": version.created,
            })
        })
        .collect();
    let (attached, bounds) = managed::usage(cx, &policy.arn);
    json!({
        "PolicyName": policy.name,
        "PolicyId": policy.id,
        "Arn": policy.arn,
        "Path": policy.path,
        "DefaultVersionId": format!("v{}", policy.default),
        "AttachmentCount": attached,
        "PermissionsBoundaryUsageCount": bounds,
        "IsAttachable": true,
        "CreateDate": policy.created,
        "UpdateDate": policy.updated,
        "PolicyVersionList": versions,
    })
}
