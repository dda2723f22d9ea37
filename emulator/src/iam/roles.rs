//! Roles: their life and their trust policies.

use serde::{Deserialize, Serialize};

use super::attachments::{Named, check_boundary};
use super::directory::{Directory, Entity, InstanceProfile, Kind, Role, already_exists, delete_conflict, quota};
use super::linked;
use super::policy::{Either, Policy, Purpose};
use super::principal::PrincipalElement;
use super::shapes::{AttachedPermissionsBoundary, Empty, Rest, Tag, Tags, add_tags, encoded, list_tags, page, size};
use crate::cloud::Cx;
use crate::{Error, Result, Timestamp};

/// An account has so many roles, and a trust policy so many characters, unless AWS grants more.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
pub(super) const MAX_ROLES: usize = 1_000;
pub(super) const MAX_TRUST: usize = 2_048;
/// How long sessions last at most, in seconds, unless the role says otherwise.
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html>
const DEFAULT_SESSION: u32 = 3_600;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateRole {
    pub path: Option<String>,
    pub role_name: String,
    assume_role_policy_document: String,
    description: Option<String>,
    max_session_duration: Option<u32>,
    pub permissions_boundary: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UpdateRole {
    pub role_name: String,
    description: Option<String>,
    max_session_duration: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UpdateAssumeRolePolicy {
    pub role_name: String,
    policy_document: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListRoles {
    pub path_prefix: Option<String>,
    marker: Option<String>,
    max_items: Option<usize>,
}

/// `Role` of the IAM API.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RoleShape {
    path: String,
    role_name: String,
    role_id: String,
    arn: String,
    create_date: Timestamp,
    assume_role_policy_document: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// The answer to a creation does not tell it (seen at AWS).
    #[serde(skip_serializing_if = "Option::is_none")]
    max_session_duration: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions_boundary: Option<AttachedPermissionsBoundary>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Tag>,
    /// Empty for a role that was never used; IAM tells of use with hours of delay, and Garoa does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    role_last_used: Option<Empty>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RoleAnswer {
    role: RoleShape,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListRolesAnswer {
    roles: Vec<RoleShape>,
    #[serde(flatten)]
    rest: Rest,
}

impl RoleShape {
    /// As lists show it: without boundary, tags and last use.
    pub fn short(role: &Role) -> Self {
        Self {
            path: role.entity.path.clone(),
            role_name: role.entity.name.clone(),
            role_id: role.entity.id.clone(),
            arn: role.entity.arn.clone(),
            create_date: role.entity.created,
            assume_role_policy_document: encoded(&role.trust),
            description: role.description.clone(),
            max_session_duration: Some(role.max_session_duration),
            permissions_boundary: None,
            tags: Vec::new(),
            role_last_used: None,
        }
    }

    pub fn full(role: &Role) -> Self {
        Self {
            permissions_boundary: role.entity.boundary.as_deref().map(AttachedPermissionsBoundary::new),
            tags: list_tags(&role.entity.tags),
            ..Self::short(role)
        }
    }
}

pub(super) fn create(cx: &mut Cx<Directory>, input: CreateRole) -> Result<RoleAnswer> {
    let trust = trust(cx, &input.assume_role_policy_document)?;
    check_boundary(cx, input.permissions_boundary.as_deref())?;
    let tags = add_tags("Role", &Tags::new(), input.tags)?;
    let id = format!("AROA{}", cx.ids().upper(17));
    let path = input.path.unwrap_or_else(|| "/".to_owned());
    let (account, now) = (cx.scope.account.clone(), cx.now);
    let roles = &mut cx.state.account_mut(&account).roles;
    let key = input.role_name.to_lowercase();
    if roles.contains_key(&key) {
        return Err(already_exists(format!("Role with name {} already exists.", input.role_name)));
    }
    if roles.len() >= MAX_ROLES {
        return Err(quota("RolesPerAccount", MAX_ROLES));
    }
    let entity = Entity::new(Kind::Role, &account, path, input.role_name, id, now);
    let entity = Entity { boundary: input.permissions_boundary, tags, ..entity };
    let max_session_duration = input.max_session_duration.unwrap_or(DEFAULT_SESSION);
    let role = Role { entity, trust, description: input.description, max_session_duration };
    let answer = created(&role);
    roles.insert(key, role);
    Ok(answer)
}

/// The answer to the creation of a role.
pub(super) fn created(role: &Role) -> RoleAnswer {
    RoleAnswer { role: RoleShape { max_session_duration: None, ..RoleShape::full(role) } }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UpdateDescription {
    pub role_name: String,
    description: String,
}

pub(super) fn update_description(cx: &mut Cx<Directory>, input: UpdateDescription) -> Result<RoleAnswer> {
    let role = cx.state.role_mut(&cx.scope.account, &input.role_name)?;
    role.description = Some(input.description);
    Ok(RoleAnswer { role: RoleShape::full(role) })
}

pub(super) fn get(cx: &mut Cx<Directory>, input: Named) -> Result<RoleAnswer> {
    let role = cx.state.role(&cx.scope.account, &input.name).ok_or_else(|| Kind::Role.missing(&input.name))?;
    Ok(RoleAnswer { role: RoleShape { role_last_used: Some(Empty {}), ..RoleShape::full(role) } })
}

pub(super) fn list(cx: &mut Cx<Directory>, input: ListRoles) -> Result<ListRolesAnswer> {
    let prefix = input.path_prefix.as_deref().unwrap_or("/");
    let roles = cx.state.account(&cx.scope.account).into_iter().flat_map(|account| account.roles.iter());
    let roles = roles.filter(|(_, role)| role.entity.path.starts_with(prefix));
    let roles = roles.map(|(key, role)| (key.clone(), RoleShape::short(role)));
    let (roles, rest) = page(roles, input.marker, input.max_items)?;
    Ok(ListRolesAnswer { roles, rest })
}

pub(super) fn update(cx: &mut Cx<Directory>, input: UpdateRole) -> Result<Empty> {
    let role = cx.state.role_mut(&cx.scope.account, &input.role_name)?;
    role.description = input.description.or(role.description.take());
    role.max_session_duration = input.max_session_duration.unwrap_or(role.max_session_duration);
    Ok(Empty {})
}

pub(super) fn update_trust(cx: &mut Cx<Directory>, input: UpdateAssumeRolePolicy) -> Result<Empty> {
    cx.state.entity(Kind::Role, &cx.scope.account, &input.role_name)?;
    let trust = trust(cx, &input.policy_document)?;
    cx.state.role_mut(&cx.scope.account, &input.role_name)?.trust = trust;
    Ok(Empty {})
}

pub(super) fn delete(cx: &mut Cx<Directory>, input: Named) -> Result<Empty> {
    let entity = cx.state.entity(Kind::Role, &cx.scope.account, &input.name)?;
    if !entity.attached.is_empty() {
        return Err(delete_conflict("Cannot delete entity, must detach all policies first."));
    }
    if !entity.inline.is_empty() {
        return Err(delete_conflict("Cannot delete entity, must delete policies first."));
    }
    if entity.path.starts_with(linked::PATH) {
        let text = format!(
            "Cannot perform the operation on the protected role '{}' - this role is only modifiable by AWS",
            input.name
        );
        return Err(Error::client("UnmodifiableEntity", text));
    }
    let account = cx.scope.account.clone();
    let key = input.name.to_lowercase();
    let holds = |profile: &InstanceProfile| profile.role.as_ref() == Some(&entity.name);
    if cx.state.account(&account).is_some_and(|account| account.profiles.values().any(holds)) {
        return Err(delete_conflict("Cannot delete entity, must remove roles from instance profile first."));
    }
    cx.state.account_mut(&account).roles.remove(&key);
    Ok(Empty {})
}

/// Reads a trust policy. IAM looks up the roles and users that it names.
fn trust(cx: &Cx<Directory>, text: &str) -> Result<Policy> {
    let policy = Policy::parse(text, Purpose::Trust)?;
    if size(text) > MAX_TRUST {
        return Err(quota("ACLSizePerRole", MAX_TRUST));
    }
    for statement in &policy.document().statements {
        let Some(Either::Is(element) | Either::Not(element)) = &statement.principal else { continue };
        if let Some(stranger) = stranger(cx.state, element) {
            let message = format!("Invalid principal in policy: \"AWS\":\"{stranger}\"");
            return Err(Error::client("MalformedPolicyDocument", message));
        }
    }
    Ok(policy)
}

/// The first role or user that does not exist.
fn stranger<'a>(directory: &Directory, element: &'a PrincipalElement) -> Option<&'a String> {
    element.aws.iter().find(|arn| {
        let Some((account, resource)) = arn.strip_prefix("arn:aws:iam::").and_then(|rest| rest.split_once(':')) else {
            return false;
        };
        let name = resource.rsplit('/').next().unwrap_or_default();
        let known = match resource.split('/').next() {
            Some("role") => directory.role(account, name).map(|role| &role.entity),
            Some("user") => directory.user(account, name).map(|user| &user.entity),
            _ => return false,
        };
        known.is_none_or(|entity| entity.arn != **arn)
    })
}
