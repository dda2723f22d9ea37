//! Instance profiles: what hands a role to machines.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::directory::{
    Directory, InstanceProfile, Kind, already_exists, delete_conflict, limit_exceeded, no_such_entity, quota,
};
use super::roles::RoleShape;
use super::shapes::{Empty, Rest, Tag, Tags, add_tags, list_tags, page};
use crate::cloud::Cx;
use crate::{Result, Timestamp};

/// An account has so many instance profiles, unless AWS grants more.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
pub(super) const MAX_PROFILES: usize = 1_000;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateProfile {
    pub instance_profile_name: String,
    pub path: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OfProfile {
    pub instance_profile_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListProfiles {
    pub path_prefix: Option<String>,
    marker: Option<String>,
    max_items: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ProfilesOfRole {
    pub role_name: String,
    marker: Option<String>,
    max_items: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RoleInProfile {
    pub instance_profile_name: String,
    role_name: String,
}

/// `InstanceProfile` of the IAM API.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ProfileShape {
    path: String,
    instance_profile_name: String,
    instance_profile_id: String,
    arn: String,
    create_date: Timestamp,
    roles: Vec<RoleShape>,
    /// None in lists; where one profile is asked for, a list that may be empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<Tag>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ProfileAnswer {
    instance_profile: ProfileShape,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ProfilesAnswer {
    instance_profiles: Vec<ProfileShape>,
    #[serde(flatten)]
    rest: Rest,
}

impl ProfileShape {
    /// As lists show it: without tags.
    pub fn short(directory: &Directory, account: &str, profile: &InstanceProfile) -> Self {
        let role = profile.role.as_deref().and_then(|name| directory.role(account, name));
        Self {
            path: profile.path.clone(),
            instance_profile_name: profile.name.clone(),
            instance_profile_id: profile.id.clone(),
            arn: profile.arn.clone(),
            create_date: profile.created,
            roles: role.map(RoleShape::short).into_iter().collect(),
            tags: None,
        }
    }

    fn full(cx: &Cx<Directory>, profile: &InstanceProfile) -> Self {
        Self { tags: Some(list_tags(&profile.tags)), ..Self::short(cx.state, &cx.scope.account, profile) }
    }
}

fn missing(name: &str) -> crate::Error {
    no_such_entity(format!("Instance Profile {name} cannot be found."))
}

fn find<'a>(cx: &'a Cx<Directory>, name: &str) -> Result<&'a InstanceProfile> {
    let profiles = cx.state.account(&cx.scope.account).map(|account| &account.profiles);
    let found = profiles.and_then(|profiles| profiles.get(&name.to_lowercase()));
    found.ok_or_else(|| missing(name))
}

pub(super) fn find_mut<'a>(cx: &'a mut Cx<Directory>, name: &str) -> Result<&'a mut InstanceProfile> {
    let account = cx.scope.account.clone();
    let found = cx.state.account_mut(&account).profiles.get_mut(&name.to_lowercase());
    found.ok_or_else(|| missing(name))
}

pub(super) fn create(cx: &mut Cx<Directory>, input: CreateProfile) -> Result<ProfileAnswer> {
    let tags = add_tags("InstanceProfile", &Tags::new(), input.tags)?;
    let id = format!("AIPA{}", cx.ids().upper(17));
    let path = input.path.unwrap_or_else(|| "/".to_owned());
    let (account, created) = (cx.scope.account.clone(), cx.now);
    let profiles = &mut cx.state.account_mut(&account).profiles;
    let (name, key) = (input.instance_profile_name.clone(), input.instance_profile_name.to_lowercase());
    if profiles.contains_key(&key) {
        return Err(already_exists(format!("Instance Profile {name} already exists.")));
    }
    if profiles.len() >= MAX_PROFILES {
        return Err(quota("InstanceProfilesPerAccount", MAX_PROFILES));
    }
    let arn = format!("arn:aws:iam::{account}:instance-profile{path}{name}");
    let profile = InstanceProfile { name, path, id, arn, created, role: None, tags };
    profiles.insert(key, profile.clone());
    Ok(ProfileAnswer { instance_profile: ProfileShape::full(cx, &profile) })
}

pub(super) fn get(cx: &mut Cx<Directory>, input: OfProfile) -> Result<ProfileAnswer> {
    let profile = find(cx, &input.instance_profile_name)?;
    Ok(ProfileAnswer { instance_profile: ProfileShape::full(cx, profile) })
}

fn listed(
    cx: &Cx<Directory>,
    wanted: impl Fn(&InstanceProfile) -> bool,
    marker: Option<String>,
    max_items: Option<usize>,
) -> Result<ProfilesAnswer> {
    let empty = OrdMap::new();
    let profiles = cx.state.account(&cx.scope.account).map_or(&empty, |account| &account.profiles);
    let shapes = profiles.iter().filter(|(_, profile)| wanted(profile));
    let shapes = shapes.map(|(key, one)| (key.clone(), ProfileShape::short(cx.state, &cx.scope.account, one)));
    let (instance_profiles, rest) = page(shapes, marker, max_items)?;
    Ok(ProfilesAnswer { instance_profiles, rest })
}

pub(super) fn list(cx: &mut Cx<Directory>, input: ListProfiles) -> Result<ProfilesAnswer> {
    let prefix = input.path_prefix.unwrap_or_else(|| "/".to_owned());
    listed(cx, |profile| profile.path.starts_with(&prefix), input.marker, input.max_items)
}

pub(super) fn of_role(cx: &mut Cx<Directory>, input: ProfilesOfRole) -> Result<ProfilesAnswer> {
    let role = &cx.state.entity(Kind::Role, &cx.scope.account, &input.role_name)?.name;
    let has_it = |profile: &InstanceProfile| profile.role.as_ref() == Some(role);
    listed(cx, has_it, input.marker, input.max_items)
}

pub(super) fn delete(cx: &mut Cx<Directory>, input: OfProfile) -> Result<Empty> {
    if find(cx, &input.instance_profile_name)?.role.is_some() {
        return Err(delete_conflict("Cannot delete entity, must remove roles from instance profile first."));
    }
    let account = cx.scope.account.clone();
    cx.state.account_mut(&account).profiles.remove(&input.instance_profile_name.to_lowercase());
    Ok(Empty {})
}

/// A profile has one role at most.
pub(super) fn add_role(cx: &mut Cx<Directory>, input: RoleInProfile) -> Result<Empty> {
    find(cx, &input.instance_profile_name)?;
    let role = cx.state.entity(Kind::Role, &cx.scope.account, &input.role_name)?.name.clone();
    let profile = find_mut(cx, &input.instance_profile_name)?;
    if profile.role.is_some() {
        return Err(limit_exceeded("Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1"));
    }
    profile.role = Some(role);
    Ok(Empty {})
}

pub(super) fn remove_role(cx: &mut Cx<Directory>, input: RoleInProfile) -> Result<Empty> {
    let role = cx.state.entity(Kind::Role, &cx.scope.account, &input.role_name)?.name.clone();
    let profile = find_mut(cx, &input.instance_profile_name)?;
    if profile.role.as_ref() != Some(&role) {
        return Err(Kind::Role.missing(&input.role_name));
    }
    profile.role = None;
    Ok(Empty {})
}
