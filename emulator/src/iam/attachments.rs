//! The policies of roles, users and groups: inline, attached, and permissions boundaries.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::directory::{Directory, Kind, limit_exceeded, no_such_entity, quota, validation};
use super::policy::{Policy, Purpose};
use super::shapes::{Empty, Rest, encoded, page, size};
use crate::Result;
use crate::cloud::Cx;

/// How much the inline policies of a role, of a user, and of a group may take together, in characters.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
pub(super) const MAX_INLINE_OF_ROLE: usize = 10_240;
pub(super) const MAX_INLINE_OF_USER: usize = 2_048;
pub(super) const MAX_INLINE_OF_GROUP: usize = 5_120;
/// A role or user has so many managed policies attached, unless AWS grants more.
pub(super) const MAX_ATTACHED: usize = 10;

/// A role or user; the wire has checked which of the names belongs to the operation.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Named {
    #[serde(alias = "RoleName", alias = "UserName", alias = "GroupName")]
    pub name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PutPolicy {
    #[serde(alias = "RoleName", alias = "UserName", alias = "GroupName")]
    pub name: String,
    policy_name: String,
    policy_document: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OnPolicy {
    #[serde(alias = "RoleName", alias = "UserName", alias = "GroupName")]
    pub name: String,
    policy_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListPolicies {
    #[serde(alias = "RoleName", alias = "UserName", alias = "GroupName")]
    pub name: String,
    path_prefix: Option<String>,
    marker: Option<String>,
    max_items: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Attach {
    #[serde(alias = "RoleName", alias = "UserName", alias = "GroupName")]
    pub name: String,
    pub policy_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PutBoundary {
    #[serde(alias = "RoleName", alias = "UserName", alias = "GroupName")]
    pub name: String,
    pub permissions_boundary: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PolicyNames {
    policy_names: Vec<String>,
    #[serde(flatten)]
    rest: Rest,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AttachedPolicies {
    attached_policies: Vec<AttachedPolicy>,
    #[serde(flatten)]
    rest: Rest,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AttachedPolicy {
    pub policy_name: String,
    pub policy_arn: String,
}

pub(super) fn put(cx: &mut Cx<Directory>, kind: Kind, input: PutPolicy) -> Result<Empty> {
    let entity = cx.state.entity_mut(kind, &cx.scope.account, &input.name)?;
    let policy = Policy::parse(&input.policy_document, Purpose::Inline)?;
    let others = entity.inline.iter().filter(|(name, _)| **name != input.policy_name);
    let taken: usize = others.map(|(_, policy)| size(policy.text())).sum();
    let limit = match kind {
        Kind::Role => MAX_INLINE_OF_ROLE,
        Kind::User => MAX_INLINE_OF_USER,
        Kind::Group => MAX_INLINE_OF_GROUP,
    };
    if taken + size(policy.text()) > limit {
        let owner = kind.word();
        return Err(limit_exceeded(format!(
            "Maximum policy size of {limit} bytes exceeded for {owner} {}",
            input.name
        )));
    }
    entity.inline.insert(input.policy_name, policy);
    Ok(Empty {})
}

pub(super) fn get(cx: &mut Cx<Directory>, kind: Kind, input: OnPolicy) -> Result<Value> {
    let entity = cx.state.entity(kind, &cx.scope.account, &input.name)?;
    let policy = entity.inline.get(&input.policy_name).ok_or_else(|| missing_inline(kind, &input.policy_name))?;
    let name = format!("{}Name", kind.title());
    Ok(json!({ name: entity.name, "PolicyName": input.policy_name, "PolicyDocument": encoded(policy) }))
}

pub(super) fn delete(cx: &mut Cx<Directory>, kind: Kind, input: OnPolicy) -> Result<Empty> {
    let entity = cx.state.entity_mut(kind, &cx.scope.account, &input.name)?;
    entity.inline.remove(&input.policy_name).ok_or_else(|| missing_inline(kind, &input.policy_name))?;
    Ok(Empty {})
}

fn missing_inline(kind: Kind, name: &str) -> crate::Error {
    no_such_entity(format!("The {} policy with name {name} cannot be found.", kind.word()))
}

pub(super) fn list(cx: &mut Cx<Directory>, kind: Kind, input: ListPolicies) -> Result<PolicyNames> {
    let entity = cx.state.entity(kind, &cx.scope.account, &input.name)?;
    let names = entity.inline.keys().map(|name| (name.clone(), name.clone()));
    let (policy_names, rest) = page(names, input.marker, input.max_items)?;
    Ok(PolicyNames { policy_names, rest })
}

pub(super) fn attach(cx: &mut Cx<Directory>, kind: Kind, input: Attach) -> Result<Empty> {
    check_arn(&input.policy_arn)?;
    cx.state.entity(kind, &cx.scope.account, &input.name)?;
    let arn = input.policy_arn;
    if !is_attachable(cx, &arn) {
        return Err(no_such_entity(format!("Policy {arn} does not exist or is not attachable.")));
    }
    let now = cx.now;
    let entity = cx.state.entity_mut(kind, &cx.scope.account, &input.name)?;
    if entity.attached.contains_key(&arn) {
        return Ok(Empty {});
    }
    if entity.attached.len() >= MAX_ATTACHED {
        return Err(quota(format_args!("PoliciesPer{}", kind.title()), MAX_ATTACHED));
    }
    entity.attached.insert(arn, now);
    Ok(Empty {})
}

pub(super) fn detach(cx: &mut Cx<Directory>, kind: Kind, input: Attach) -> Result<Empty> {
    check_arn(&input.policy_arn)?;
    let entity = cx.state.entity_mut(kind, &cx.scope.account, &input.name)?;
    let missing = || no_such_entity(format!("Policy {} was not found.", input.policy_arn));
    entity.attached.remove(&input.policy_arn).ok_or_else(missing)?;
    Ok(Empty {})
}

pub(super) fn list_attached(cx: &mut Cx<Directory>, kind: Kind, input: ListPolicies) -> Result<AttachedPolicies> {
    let entity = cx.state.entity(kind, &cx.scope.account, &input.name)?;
    let prefix = input.path_prefix.as_deref().unwrap_or("/");
    // The policies of service-linked roles are known by their ARNs alone.
    let attached = entity.attached.keys().filter_map(|arn| {
        let (_, place) = arn.split_once(":policy")?;
        let name = place.rsplit('/').next().unwrap_or_default();
        let attached = AttachedPolicy { policy_name: name.to_owned(), policy_arn: arn.clone() };
        place.starts_with(prefix).then(|| (format!("{name}/{arn}"), attached))
    });
    let (attached_policies, rest) = page(attached, input.marker, input.max_items)?;
    Ok(AttachedPolicies { attached_policies, rest })
}

pub(super) fn put_boundary(cx: &mut Cx<Directory>, kind: Kind, input: PutBoundary) -> Result<Empty> {
    cx.state.entity(kind, &cx.scope.account, &input.name)?;
    check_boundary(cx, Some(&input.permissions_boundary))?;
    cx.state.entity_mut(kind, &cx.scope.account, &input.name)?.boundary = Some(input.permissions_boundary);
    Ok(Empty {})
}

pub(super) fn delete_boundary(cx: &mut Cx<Directory>, kind: Kind, input: Named) -> Result<Empty> {
    cx.state.entity_mut(kind, &cx.scope.account, &input.name)?.boundary = None;
    Ok(Empty {})
}

/// Whether the ARN is one of a policy that the account may use.
fn is_attachable(cx: &Cx<Directory>, arn: &str) -> bool {
    let owner = arn.split(':').nth(4).unwrap_or_default();
    (owner == "aws" || *owner == *cx.scope.account) && cx.state.managed(arn).is_some()
}

/// Refuses a boundary that is no policy of the account's.
pub(super) fn check_boundary(cx: &Cx<Directory>, arn: Option<&str>) -> Result<()> {
    match arn {
        Some(arn) if !is_attachable(cx, arn) => {
            Err(no_such_entity(format!("Scope ARN: {arn} does not exist or is not attachable.")))
        }
        _ => Ok(()),
    }
}

/// Refuses what is no ARN at all.
pub(super) fn check_arn(arn: &str) -> Result<()> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    if parts.len() != 6 || parts.first() != Some(&"arn") {
        // AWS writes two spaces.
        return Err(validation("Invalid ARN:  Could not be parsed!"));
    }
    let valid = parts.last().is_some_and(|last| !last.is_empty());
    if valid { Ok(()) } else { Err(validation(format!("ARN {arn} is not valid."))) }
}
