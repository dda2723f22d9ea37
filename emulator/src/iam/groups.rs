//! Groups: their life, and who is in them.

use serde::{Deserialize, Serialize};

use super::attachments::Named;
use super::directory::{Directory, Entity, Kind, already_exists, delete_conflict, quota};
use super::shapes::{Empty, Rest, page};
use super::users::UserShape;
use crate::cloud::Cx;
use crate::{Result, Timestamp};

/// An account has so many groups, and a user is in so many, unless AWS grants more.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
pub(super) const MAX_GROUPS: usize = 300;
pub(super) const MAX_GROUPS_OF_USER: usize = 10;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateGroup {
    pub path: Option<String>,
    pub group_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetGroup {
    pub group_name: String,
    marker: Option<String>,
    max_items: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListGroups {
    pub path_prefix: Option<String>,
    marker: Option<String>,
    max_items: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UpdateGroup {
    pub group_name: String,
    new_path: Option<String>,
    new_group_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Membership {
    pub group_name: String,
    user_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GroupsOfUser {
    pub user_name: String,
    marker: Option<String>,
    max_items: Option<usize>,
}

/// `Group` of the IAM API.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GroupShape {
    path: String,
    group_name: String,
    group_id: String,
    arn: String,
    create_date: Timestamp,
}

impl GroupShape {
    fn of(group: &Entity) -> Self {
        Self {
            path: group.path.clone(),
            group_name: group.name.clone(),
            group_id: group.id.clone(),
            arn: group.arn.clone(),
            create_date: group.created,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GroupAnswer {
    group: GroupShape,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetGroupAnswer {
    group: GroupShape,
    users: Vec<UserShape>,
    #[serde(flatten)]
    rest: Rest,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GroupsAnswer {
    groups: Vec<GroupShape>,
    #[serde(flatten)]
    rest: Rest,
}

pub(super) fn create(cx: &mut Cx<Directory>, input: CreateGroup) -> Result<GroupAnswer> {
    let id = format!("AGPA{}", cx.ids().upper(17));
    let path = input.path.unwrap_or_else(|| "/".to_owned());
    let (account, created) = (cx.scope.account.clone(), cx.now);
    let groups = &mut cx.state.account_mut(&account).groups;
    let key = input.group_name.to_lowercase();
    if groups.contains_key(&key) {
        return Err(already_exists(format!("Group with name {} already exists.", input.group_name)));
    }
    if groups.len() >= MAX_GROUPS {
        return Err(quota("GroupsPerAccount", MAX_GROUPS));
    }
    let group = Entity::new(Kind::Group, &account, path, input.group_name, id, created);
    let answer = GroupAnswer { group: GroupShape::of(&group) };
    groups.insert(key, group);
    Ok(answer)
}

pub(super) fn get(cx: &mut Cx<Directory>, input: GetGroup) -> Result<GetGroupAnswer> {
    let group = GroupShape::of(cx.state.entity(Kind::Group, &cx.scope.account, &input.group_name)?);
    let key = input.group_name.to_lowercase();
    let users = cx.state.account(&cx.scope.account).into_iter().flat_map(|account| account.users.iter());
    let members = users.filter(|(_, user)| user.groups.contains(&key));
    let members = members.map(|(name, user)| (name.clone(), UserShape::short(&user.entity)));
    let (users, rest) = page(members, input.marker, input.max_items)?;
    Ok(GetGroupAnswer { group, users, rest })
}

pub(super) fn list(cx: &mut Cx<Directory>, input: ListGroups) -> Result<GroupsAnswer> {
    let prefix = input.path_prefix.as_deref().unwrap_or("/");
    let groups = cx.state.account(&cx.scope.account).into_iter().flat_map(|account| account.groups.iter());
    let groups = groups.filter(|(_, group)| group.path.starts_with(prefix));
    let groups = groups.map(|(key, group)| (key.clone(), GroupShape::of(group)));
    let (groups, rest) = page(groups, input.marker, input.max_items)?;
    Ok(GroupsAnswer { groups, rest })
}

pub(super) fn of_user(cx: &mut Cx<Directory>, input: GroupsOfUser) -> Result<GroupsAnswer> {
    let account = &cx.scope.account;
    let user = cx.state.user(account, &input.user_name).ok_or_else(|| Kind::User.missing(&input.user_name))?;
    let groups = cx.state.groups_of(account, user).enumerate();
    let groups = groups.map(|(place, group)| (format!("{place:03}"), GroupShape::of(group)));
    let (groups, rest) = page(groups, input.marker, input.max_items)?;
    Ok(GroupsAnswer { groups, rest })
}

pub(super) fn update(cx: &mut Cx<Directory>, input: UpdateGroup) -> Result<Empty> {
    let account = cx.scope.account.clone();
    let mut group = cx.state.entity(Kind::Group, &account, &input.group_name)?.clone();
    let (old, name) = (group.name.to_lowercase(), input.new_group_name.unwrap_or_else(|| group.name.clone()));
    let new = name.to_lowercase();
    let of_account = cx.state.account_mut(&account);
    if new != old && of_account.groups.contains_key(&new) {
        return Err(already_exists(format!("Group with name {name} already exists.")));
    }
    group.name = name;
    group.path = input.new_path.unwrap_or(group.path);
    group.arn = Kind::Group.arn(&account, &group.path, &group.name);
    of_account.groups.remove(&old);
    of_account.groups.insert(new.clone(), group);
    let members: Vec<String> =
        of_account.users.iter().filter(|(_, user)| user.groups.contains(&old)).map(|(key, _)| key.clone()).collect();
    for member in members {
        if let Some(user) = of_account.users.get_mut(&member) {
            user.groups.iter_mut().filter(|group| **group == old).for_each(|group| group.clone_from(&new));
        }
    }
    Ok(Empty {})
}

pub(super) fn delete(cx: &mut Cx<Directory>, input: Named) -> Result<Empty> {
    let account = cx.scope.account.clone();
    let group = cx.state.entity(Kind::Group, &account, &input.name)?;
    let key = input.name.to_lowercase();
    let users = cx.state.account(&account).into_iter().flat_map(|account| account.users.values());
    if users.into_iter().any(|user| user.groups.contains(&key)) {
        return Err(delete_conflict("Cannot delete entity, must remove users from group first."));
    }
    if !group.attached.is_empty() {
        return Err(delete_conflict("Cannot delete entity, must detach all policies first."));
    }
    if !group.inline.is_empty() {
        return Err(delete_conflict("Cannot delete entity, must delete policies first."));
    }
    cx.state.account_mut(&account).groups.remove(&key);
    Ok(Empty {})
}

pub(super) fn add_user(cx: &mut Cx<Directory>, input: Membership) -> Result<Empty> {
    let account = cx.scope.account.clone();
    cx.state.entity(Kind::Group, &account, &input.group_name)?;
    let user = cx.state.user_mut(&account, &input.user_name)?;
    let key = input.group_name.to_lowercase();
    if user.groups.contains(&key) {
        return Ok(Empty {});
    }
    if user.groups.len() >= MAX_GROUPS_OF_USER {
        return Err(quota("GroupsPerUser", MAX_GROUPS_OF_USER));
    }
    user.groups.push_back(key);
    Ok(Empty {})
}

pub(super) fn remove_user(cx: &mut Cx<Directory>, input: Membership) -> Result<Empty> {
    let account = cx.scope.account.clone();
    cx.state.entity(Kind::Group, &account, &input.group_name)?;
    let user = cx.state.user_mut(&account, &input.user_name)?;
    let key = input.group_name.to_lowercase();
    user.groups = user.groups.iter().filter(|group| **group != key).cloned().collect();
    Ok(Empty {})
}
