//! Users and their access keys.

use imbl::{OrdMap, Vector};
use serde::{Deserialize, Serialize};

use super::attachments::{Named, check_boundary};
use super::credentials::access_key_id;
use super::directory::{
    AccessKey, Directory, Entity, Kind, User, already_exists, delete_conflict, no_such_entity, quota, validation,
};
use super::mfa::has_device;
use super::principal::Principal;
use super::shapes::{AttachedPermissionsBoundary, Empty, Rest, Tag, Tags, add_tags, list_tags, page};
use crate::cloud::Cx;
use crate::{Error, Result, Timestamp};

/// An account has so many users, and a user so many access keys.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
pub(super) const MAX_USERS: usize = 5_000;
pub(super) const MAX_KEYS: usize = 2;
/// Characters of a secret access key.
const SECRET: usize = 40;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateUser {
    pub path: Option<String>,
    pub user_name: String,
    pub permissions_boundary: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

/// A user, or the caller where no name is given.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct MaybeNamed {
    pub user_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListUsers {
    pub path_prefix: Option<String>,
    marker: Option<String>,
    max_items: Option<usize>,
}

/// A page of what a user has, or the caller where no name is given.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListOfUser {
    pub user_name: Option<String>,
    pub marker: Option<String>,
    pub max_items: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UpdateAccessKey {
    pub user_name: Option<String>,
    access_key_id: String,
    status: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DeleteAccessKey {
    pub user_name: Option<String>,
    access_key_id: String,
}

/// `User` of the IAM API.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UserShape {
    /// An account's root has neither path nor name.
    #[serde(skip_serializing_if = "String::is_empty")]
    path: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    user_name: String,
    user_id: String,
    arn: String,
    create_date: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions_boundary: Option<AttachedPermissionsBoundary>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Tag>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UserAnswer {
    user: UserShape,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListUsersAnswer {
    users: Vec<UserShape>,
    #[serde(flatten)]
    rest: Rest,
}

/// `AccessKey` and `AccessKeyMetadata` of the IAM API: only the first has a secret.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct KeyShape {
    /// An account's root has no name.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_name: Option<String>,
    access_key_id: String,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_access_key: Option<String>,
    create_date: Timestamp,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct KeyAnswer {
    access_key: KeyShape,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListKeysAnswer {
    access_key_metadata: Vec<KeyShape>,
    #[serde(flatten)]
    rest: Rest,
}

impl UserShape {
    /// The root of an account. No account was ever opened here, and so all are of the beginning of time.
    fn root(account: &str) -> Self {
        Self {
            path: String::new(),
            user_name: String::new(),
            user_id: account.to_owned(),
            arn: format!("arn:aws:iam::{account}:root"),
            create_date: Timestamp::from_secs(0),
            permissions_boundary: None,
            tags: Vec::new(),
        }
    }

    /// As lists show it: without boundary and tags.
    pub fn short(entity: &Entity) -> Self {
        Self {
            path: entity.path.clone(),
            user_name: entity.name.clone(),
            user_id: entity.id.clone(),
            arn: entity.arn.clone(),
            create_date: entity.created,
            permissions_boundary: None,
            tags: Vec::new(),
        }
    }

    pub fn full(entity: &Entity) -> Self {
        Self {
            permissions_boundary: entity.boundary.as_deref().map(AttachedPermissionsBoundary::new),
            tags: list_tags(&entity.tags),
            ..Self::short(entity)
        }
    }
}

pub(super) fn create(cx: &mut Cx<Directory>, input: CreateUser) -> Result<UserAnswer> {
    check_boundary(cx, input.permissions_boundary.as_deref())?;
    let tags = add_tags("User", &Tags::new(), input.tags)?;
    let id = format!("AIDA{}", cx.ids().upper(17));
    let path = input.path.unwrap_or_else(|| "/".to_owned());
    let (account, now) = (cx.scope.account.clone(), cx.now);
    let users = &mut cx.state.account_mut(&account).users;
    let key = input.user_name.to_lowercase();
    if users.contains_key(&key) {
        return Err(already_exists(format!("User with name {} already exists.", input.user_name)));
    }
    if users.len() >= MAX_USERS {
        return Err(quota("UsersPerAccount", MAX_USERS));
    }
    let entity = Entity::new(Kind::User, &account, path, input.user_name, id, now);
    let entity = Entity { boundary: input.permissions_boundary, tags, ..entity };
    let answer = UserAnswer { user: UserShape::full(&entity) };
    users.insert(
        key,
        User {
            entity,
            keys: OrdMap::new(),
            groups: Vector::new(),
            login: None,
            credentials: OrdMap::new(),
            ssh_keys: OrdMap::new(),
            certificates: OrdMap::new(),
        },
    );
    Ok(answer)
}

pub(super) fn get(cx: &mut Cx<Directory>, input: MaybeNamed) -> Result<UserAnswer> {
    if let (None, Principal::AccountRoot { account }) = (&input.user_name, &cx.caller.principal) {
        return Ok(UserAnswer { user: UserShape::root(account) });
    }
    let name = name_or_caller(cx, input.user_name)?;
    Ok(UserAnswer { user: UserShape::full(cx.state.entity(Kind::User, &cx.scope.account, &name)?) })
}

pub(super) fn list(cx: &mut Cx<Directory>, input: ListUsers) -> Result<ListUsersAnswer> {
    let prefix = input.path_prefix.as_deref().unwrap_or("/");
    let users = cx.state.account(&cx.scope.account).into_iter().flat_map(|account| account.users.iter());
    let users = users.filter(|(_, user)| user.entity.path.starts_with(prefix));
    let users = users.map(|(key, user)| (key.clone(), UserShape::short(&user.entity)));
    let (users, rest) = page(users, input.marker, input.max_items)?;
    Ok(ListUsersAnswer { users, rest })
}

pub(super) fn delete(cx: &mut Cx<Directory>, input: Named) -> Result<Empty> {
    let user = cx.state.user(&cx.scope.account, &input.name).ok_or_else(|| Kind::User.missing(&input.name))?;
    if !user.groups.is_empty() {
        return Err(delete_conflict("Cannot delete entity, must remove users from group first."));
    }
    if cx.state.account(&cx.scope.account).is_some_and(|account| has_device(account, &user.entity.id)) {
        return Err(delete_conflict("Cannot delete entity, must delete MFA device first."));
    }
    if !user.certificates.is_empty() {
        return Err(delete_conflict("Cannot delete entity, must delete signing certificates first."));
    }
    if !user.credentials.is_empty() || !user.ssh_keys.is_empty() {
        return Err(delete_conflict("Cannot delete entity, must remove referenced objects first."));
    }
    if user.login.is_some() {
        return Err(delete_conflict("Cannot delete entity, must delete login profile first."));
    }
    if !user.entity.attached.is_empty() {
        return Err(delete_conflict("Cannot delete entity, must detach all policies first."));
    }
    if !user.entity.inline.is_empty() {
        return Err(delete_conflict("Cannot delete entity, must delete policies first."));
    }
    if !user.keys.is_empty() {
        return Err(delete_conflict("Cannot delete entity, must delete access keys first."));
    }
    let account = cx.scope.account.clone();
    cx.state.account_mut(&account).users.remove(&input.name.to_lowercase());
    Ok(Empty {})
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UpdateUser {
    pub user_name: String,
    new_path: Option<String>,
    new_user_name: Option<String>,
}

pub(super) fn update(cx: &mut Cx<Directory>, input: UpdateUser) -> Result<Empty> {
    let account = cx.scope.account.clone();
    let mut user =
        cx.state.user(&account, &input.user_name).ok_or_else(|| Kind::User.missing(&input.user_name))?.clone();
    let old = input.user_name.to_lowercase();
    let name = input.new_user_name.unwrap_or(input.user_name);
    let new = name.to_lowercase();
    let users = &mut cx.state.account_mut(&account).users;
    if new != old && users.contains_key(&new) {
        return Err(already_exists(format!("User with name {name} already exists.")));
    }
    user.entity.path = input.new_path.unwrap_or(user.entity.path);
    user.entity.arn = Kind::User.arn(&account, &user.entity.path, &name);
    user.entity.name = name;
    users.remove(&old);
    let keys: Vec<String> = user.keys.keys().cloned().collect();
    users.insert(new.clone(), user);
    for key in keys {
        cx.state.index_key(&key, &account, &new);
    }
    Ok(Empty {})
}

/// The user that is named, in the case in which it was made, else the user who calls.
pub(super) fn name_or_caller(cx: &Cx<Directory>, name: Option<String>) -> Result<String> {
    match (name, &cx.caller.principal) {
        (Some(name), _) => {
            let known = cx.state.user(&cx.scope.account, &name).map(|user| user.entity.name.clone());
            Ok(known.unwrap_or(name))
        }
        (None, Principal::User { name, .. }) => Ok(name.clone()),
        (None, Principal::AccountRoot { .. }) => {
            Err(Error::not_implemented("the root user of an account as a user of IAM (UserName is not given)"))
        }
        (None, _) => Err(validation("Must specify userName when calling with non-User credentials")),
    }
}

/// Who has access keys: a user, or the account's root, which has no name.
fn key_holder(cx: &Cx<Directory>, name: Option<String>) -> Result<Option<String>> {
    match (&name, &cx.caller.principal) {
        (None, Principal::AccountRoot { .. }) => Ok(None),
        _ => name_or_caller(cx, name).map(Some),
    }
}

/// The access keys of such a one.
fn keys_mut<'a>(cx: &'a mut Cx<Directory>, holder: Option<&str>) -> Result<&'a mut OrdMap<String, AccessKey>> {
    let account = cx.scope.account.clone();
    match holder {
        Some(name) => cx.state.user_mut(&account, name).map(|user| &mut user.keys),
        None => Ok(&mut cx.state.account_mut(&account).root_keys),
    }
}

pub(super) fn create_key(cx: &mut Cx<Directory>, input: MaybeNamed) -> Result<KeyAnswer> {
    let holder = key_holder(cx, input.user_name)?;
    let (account, now) = (cx.scope.account.clone(), cx.now);
    if keys_mut(cx, holder.as_deref())?.len() >= MAX_KEYS {
        return Err(quota("AccessKeysPerUser", MAX_KEYS));
    }
    let unique = u64::from_be_bytes(cx.ids().bytes());
    let id = access_key_id("AKIA", &account, unique)
        .ok_or_else(|| Error::internal(format!("{account} is not an account id")))?;
    let key = AccessKey { secret: cx.ids().mixed(SECRET), active: true, created: now };
    let access_key = shape(holder.as_deref(), &id, &key, true);
    keys_mut(cx, holder.as_deref())?.insert(id.clone(), key);
    cx.state.index_key(&id, &account, holder.as_deref().unwrap_or_default());
    Ok(KeyAnswer { access_key })
}

fn shape(user: Option<&str>, id: &str, key: &AccessKey, with_secret: bool) -> KeyShape {
    KeyShape {
        user_name: user.map(str::to_owned),
        access_key_id: id.to_owned(),
        status: if key.active { "Active" } else { "Inactive" },
        secret_access_key: with_secret.then(|| key.secret.clone()),
        create_date: key.created,
    }
}

pub(super) fn list_keys(cx: &mut Cx<Directory>, input: ListOfUser) -> Result<ListKeysAnswer> {
    let holder = key_holder(cx, input.user_name)?;
    let keys = keys_mut(cx, holder.as_deref())?.clone();
    let keys = keys.iter().map(|(id, key)| (id.clone(), shape(holder.as_deref(), id, key, false)));
    let (access_key_metadata, rest) = page(keys, input.marker, input.max_items)?;
    Ok(ListKeysAnswer { access_key_metadata, rest })
}

pub(super) fn update_key(cx: &mut Cx<Directory>, input: UpdateAccessKey) -> Result<Empty> {
    let holder = key_holder(cx, input.user_name)?;
    let active = match input.status.as_str() {
        "Active" => true,
        "Inactive" => false,
        other => return Err(Error::not_implemented(format!("the status {other} of access keys"))),
    };
    let key = keys_mut(cx, holder.as_deref())?.get_mut(&input.access_key_id);
    key.ok_or_else(|| missing_key(&input.access_key_id))?.active = active;
    Ok(Empty {})
}

pub(super) fn delete_key(cx: &mut Cx<Directory>, input: DeleteAccessKey) -> Result<Empty> {
    let holder = key_holder(cx, input.user_name)?;
    let key = keys_mut(cx, holder.as_deref())?.remove(&input.access_key_id);
    key.ok_or_else(|| missing_key(&input.access_key_id))?;
    cx.state.forget_key(&input.access_key_id);
    Ok(Empty {})
}

fn missing_key(id: &str) -> Error {
    no_such_entity(format!("The Access Key with id {id} cannot be found."))
}
