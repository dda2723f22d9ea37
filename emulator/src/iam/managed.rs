//! Managed policies and their versions.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::attachments::check_arn;
use super::aws_managed;
use super::directory::{
    Directory, ManagedPolicy, PolicyVersion, already_exists, delete_conflict, limit_exceeded, no_such_entity, quota,
};
use super::policy::{Policy, Purpose};
use super::shapes::{Empty, Rest, Tag, Tags, add_tags, encoded, list_tags, page, size};
use crate::cloud::Cx;
use crate::{Error, Result, Timestamp};

/// A managed policy has so many characters, and so many versions; an account so many policies, unless AWS grants more.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
pub(super) const MAX_SIZE: usize = 6_144;
pub(super) const MAX_VERSIONS: usize = 5;
pub(super) const MAX_POLICIES: usize = 1_500;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreatePolicy {
    pub policy_name: String,
    pub path: Option<String>,
    policy_document: String,
    description: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OnArn {
    pub policy_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OnVersion {
    pub policy_arn: String,
    version_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreatePolicyVersion {
    pub policy_arn: String,
    policy_document: String,
    #[serde(default)]
    set_as_default: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListPolicies {
    scope: Option<String>,
    #[serde(default)]
    only_attached: bool,
    path_prefix: Option<String>,
    policy_usage_filter: Option<String>,
    marker: Option<String>,
    max_items: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListPolicyVersions {
    pub policy_arn: String,
    marker: Option<String>,
    max_items: Option<usize>,
}

/// `Policy` of the IAM API.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PolicyShape {
    policy_name: String,
    policy_id: String,
    arn: String,
    path: String,
    default_version_id: String,
    attachment_count: usize,
    permissions_boundary_usage_count: usize,
    is_attachable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    create_date: Timestamp,
    update_date: Timestamp,
    /// None in lists; `GetPolicy` answers a list that may be empty (recorded at AWS).
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<Tag>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PolicyAnswer {
    policy: PolicyShape,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct VersionShape {
    #[serde(skip_serializing_if = "Option::is_none")]
    document: Option<String>,
    version_id: String,
    is_default_version: bool,
    create_date: Timestamp,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct VersionAnswer {
    policy_version: VersionShape,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListPoliciesAnswer {
    policies: Vec<PolicyShape>,
    #[serde(flatten)]
    rest: Rest,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListVersionsAnswer {
    versions: Vec<VersionShape>,
    #[serde(flatten)]
    rest: Rest,
}

impl PolicyShape {
    /// As lists show it: without description and tags.
    fn short(cx: &Cx<Directory>, policy: &ManagedPolicy) -> Self {
        let (attachment_count, permissions_boundary_usage_count) = usage(cx, &policy.arn);
        Self {
            policy_name: policy.name.clone(),
            policy_id: policy.id.clone(),
            arn: policy.arn.clone(),
            path: policy.path.clone(),
            default_version_id: format!("v{}", policy.default),
            attachment_count,
            permissions_boundary_usage_count,
            is_attachable: true,
            description: None,
            create_date: policy.created,
            update_date: policy.updated,
            tags: None,
        }
    }

    fn full(cx: &Cx<Directory>, policy: &ManagedPolicy) -> Self {
        Self { description: policy.description.clone(), tags: Some(list_tags(&policy.tags)), ..Self::short(cx, policy) }
    }
}

impl VersionShape {
    fn new(policy: &ManagedPolicy, number: u32, version: &PolicyVersion, with_document: bool) -> Self {
        Self {
            document: with_document.then(|| encoded(&version.document)),
            version_id: format!("v{number}"),
            is_default_version: policy.default == number,
            create_date: version.created,
        }
    }
}

/// How many roles, users and groups a policy is attached to, and of how many it is the boundary.
pub(super) fn usage(cx: &Cx<Directory>, arn: &str) -> (usize, usize) {
    cx.state.entities(&cx.scope.account).fold((0, 0), |(attached, boundary), entity| {
        let bounds = entity.boundary.as_deref() == Some(arn);
        (attached + usize::from(entity.attached.contains_key(arn)), boundary + usize::from(bounds))
    })
}

pub(super) fn create(cx: &mut Cx<Directory>, input: CreatePolicy) -> Result<PolicyAnswer> {
    let document = document(&input.policy_document)?;
    let tags = add_tags("Policy", &Tags::new(), input.tags)?;
    let id = format!("ANPA{}", cx.ids().upper(17));
    let (account, now) = (cx.scope.account.clone(), cx.now);
    let path = input.path.unwrap_or_else(|| "/".to_owned());
    let policies = &mut cx.state.account_mut(&account).policies;
    let key = input.policy_name.to_lowercase();
    if policies.contains_key(&key) {
        let name = input.policy_name;
        return Err(already_exists(format!("A policy called {name} already exists. Duplicate names are not allowed.")));
    }
    if policies.len() >= MAX_POLICIES {
        return Err(quota("PoliciesPerAccount", MAX_POLICIES));
    }
    let policy = ManagedPolicy {
        arn: format!("arn:aws:iam::{account}:policy{path}{}", input.policy_name),
        name: input.policy_name,
        path,
        id,
        description: input.description,
        created: now,
        updated: now,
        default: 1,
        next: 2,
        versions: OrdMap::unit(1, PolicyVersion { document, created: now }),
        tags,
    };
    policies.insert(key, policy.clone());
    // The answer to a creation has no description, and tags only if there are any (seen at AWS).
    let tags = Some(list_tags(&policy.tags)).filter(|tags| !tags.is_empty());
    Ok(PolicyAnswer { policy: PolicyShape { tags, ..PolicyShape::short(cx, &policy) } })
}

fn document(text: &str) -> Result<Policy> {
    let document = Policy::parse(text, Purpose::Identity)?;
    if size(text) > MAX_SIZE { Err(quota("PolicySize", MAX_SIZE)) } else { Ok(document) }
}

/// The policy of an ARN, if the account may see it.
fn find<'a>(cx: &'a Cx<Directory>, arn: &str) -> Result<&'a ManagedPolicy> {
    check_arn(arn)?;
    let owner = arn.split(':').nth(4).unwrap_or_default();
    let seen = owner == "aws" || *owner == *cx.scope.account;
    cx.state.managed(arn).filter(|_| seen).ok_or_else(|| not_found(arn))
}

/// The policy of an ARN, to change it: AWS's own cannot be changed.
pub(super) fn find_mut<'a>(cx: &'a mut Cx<Directory>, operation: &str, arn: &str) -> Result<&'a mut ManagedPolicy> {
    find(cx, arn)?;
    let user = cx.caller.principal.arn();
    let denied = format!("User: {user} is not authorized to perform: iam:{operation} on resource: policy {arn}");
    cx.state.managed_mut(arn).ok_or_else(|| Error::new(403, "AccessDenied", denied))
}

fn not_found(arn: &str) -> Error {
    no_such_entity(format!("Policy {arn} was not found."))
}

fn no_version(arn: &str, version: &str) -> Error {
    no_such_entity(format!("Policy {arn} version {version} does not exist or is not attachable."))
}

/// The number in `v1`.
fn number(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.parse().ok()
}

pub(super) fn get(cx: &mut Cx<Directory>, input: OnArn) -> Result<PolicyAnswer> {
    let policy = find(cx, &input.policy_arn)?;
    Ok(PolicyAnswer { policy: PolicyShape::full(cx, policy) })
}

pub(super) fn list(cx: &mut Cx<Directory>, input: ListPolicies) -> Result<ListPoliciesAnswer> {
    let scope = input.scope.as_deref().unwrap_or("All");
    let prefix = input.path_prefix.as_deref().unwrap_or("/");
    let own = cx.state.account(&cx.scope.account).into_iter().flat_map(|account| account.policies.values());
    let own = own.filter(|_| scope != "AWS");
    let policies = own.chain(aws_managed::all().filter(|_| scope != "Local"));
    let shapes = policies.filter(|policy| policy.path.starts_with(prefix)).map(|policy| {
        let key = format!("{}/{}", policy.name, policy.id);
        (key, PolicyShape::short(cx, policy))
    });
    let used = shapes.filter(|(_, shape)| {
        let (attached, bounds) = (shape.attachment_count > 0, shape.permissions_boundary_usage_count > 0);
        match input.policy_usage_filter.as_deref() {
            Some("PermissionsBoundary") => bounds,
            Some(_) => attached,
            None => attached || !input.only_attached,
        }
    });
    let (policies, rest) = page(used, input.marker, input.max_items)?;
    Ok(ListPoliciesAnswer { policies, rest })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListEntities {
    pub policy_arn: String,
    entity_filter: Option<String>,
    path_prefix: Option<String>,
    policy_usage_filter: Option<String>,
    marker: Option<String>,
    max_items: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct EntitiesAnswer {
    policy_groups: Vec<Value>,
    policy_users: Vec<Value>,
    policy_roles: Vec<Value>,
    #[serde(flatten)]
    rest: Rest,
}

/// Who has a policy attached, or as the permissions boundary.
pub(super) fn entities(cx: &mut Cx<Directory>, input: ListEntities) -> Result<EntitiesAnswer> {
    find(cx, &input.policy_arn)?;
    let prefix = input.path_prefix.as_deref().unwrap_or("/");
    let filter = input.entity_filter.as_deref();
    let usage = input.policy_usage_filter.as_deref();
    let found = cx.state.entities(&cx.scope.account).filter_map(|entity| {
        let kind = match entity.id.get(..4)? {
            "AROA" => "Role",
            "AGPA" => "Group",
            _ => "User",
        };
        let attached = entity.attached.contains_key(&input.policy_arn) && usage != Some("PermissionsBoundary");
        let bounds = entity.boundary.as_ref() == Some(&input.policy_arn) && usage != Some("PermissionsPolicy");
        let wanted = filter.is_none_or(|filter| filter == kind) && entity.path.starts_with(prefix);
        let shape = json!({ format!("{kind}Name"): entity.name, format!("{kind}Id"): entity.id });
        (wanted && (attached || bounds)).then(|| (format!("{kind}/{}", entity.name), (kind, shape)))
    });
    let (found, rest) = page(found, input.marker, input.max_items)?;
    let of = |kind: &str| found.iter().filter(|(one, _)| *one == kind).map(|(_, shape)| shape.clone()).collect();
    Ok(EntitiesAnswer { policy_groups: of("Group"), policy_users: of("User"), policy_roles: of("Role"), rest })
}

pub(super) fn get_version(cx: &mut Cx<Directory>, input: OnVersion) -> Result<VersionAnswer> {
    let policy = find(cx, &input.policy_arn)?;
    let found = number(&input.version_id).and_then(|number| Some((number, policy.versions.get(&number)?)));
    let (number, version) = found.ok_or_else(|| no_version(&input.policy_arn, &input.version_id))?;
    Ok(VersionAnswer { policy_version: VersionShape::new(policy, number, version, true) })
}

/// The newest version comes first.
pub(super) fn list_versions(cx: &mut Cx<Directory>, input: ListPolicyVersions) -> Result<ListVersionsAnswer> {
    let policy = find(cx, &input.policy_arn)?;
    let versions = policy.versions.iter().map(|(number, version)| {
        let key = format!("{:010}", u32::MAX - number);
        (key, VersionShape::new(policy, *number, version, false))
    });
    let (versions, rest) = page(versions, input.marker, input.max_items)?;
    Ok(ListVersionsAnswer { versions, rest })
}

pub(super) fn create_version(cx: &mut Cx<Directory>, input: CreatePolicyVersion) -> Result<VersionAnswer> {
    let now = cx.now;
    let policy = find_mut(cx, "CreatePolicyVersion", &input.policy_arn)?;
    let document = document(&input.policy_document)?;
    if policy.versions.len() >= MAX_VERSIONS {
        return Err(limit_exceeded(format!(
            "A managed policy can have up to {MAX_VERSIONS} versions. Before you create a new version, you must delete an \
             existing version."
        )));
    }
    let number = policy.next;
    let version = PolicyVersion { document, created: now };
    policy.next += 1;
    policy.versions.insert(number, version.clone());
    policy.updated = now;
    if input.set_as_default {
        policy.default = number;
    }
    Ok(VersionAnswer { policy_version: VersionShape::new(policy, number, &version, false) })
}

pub(super) fn delete_version(cx: &mut Cx<Directory>, input: OnVersion) -> Result<Empty> {
    let policy = find_mut(cx, "DeletePolicyVersion", &input.policy_arn)?;
    let missing = || no_version(&input.policy_arn, &input.version_id);
    let number = number(&input.version_id).filter(|number| policy.versions.contains_key(number)).ok_or_else(missing)?;
    if policy.default == number {
        return Err(delete_conflict("Cannot delete the default version of a policy."));
    }
    policy.versions.remove(&number);
    Ok(Empty {})
}

pub(super) fn set_default(cx: &mut Cx<Directory>, input: OnVersion) -> Result<Empty> {
    let now = cx.now;
    let policy = find_mut(cx, "SetDefaultPolicyVersion", &input.policy_arn)?;
    let missing = || no_version(&input.policy_arn, &input.version_id);
    let number = number(&input.version_id).filter(|number| policy.versions.contains_key(number)).ok_or_else(missing)?;
    policy.default = number;
    policy.updated = now;
    Ok(Empty {})
}

pub(super) fn delete(cx: &mut Cx<Directory>, input: OnArn) -> Result<Empty> {
    let (attached, bounds) = usage(cx, &input.policy_arn);
    let policy = find_mut(cx, "DeletePolicy", &input.policy_arn)?;
    if attached + bounds > 0 {
        return Err(delete_conflict("Cannot delete a policy attached to entities."));
    }
    if policy.versions.len() > 1 {
        return Err(delete_conflict(
            "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. \
             The default version is deleted with the policy.",
        ));
    }
    let key = policy.name.to_lowercase();
    let account = cx.scope.account.clone();
    cx.state.account_mut(&account).policies.remove(&key);
    Ok(Empty {})
}
