//! Who and what there is: accounts with their roles, users, groups, access keys and policies, and how the front door
//! looks them up.

use imbl::{OrdMap, Vector};
use serde::{Deserialize, Serialize};

use super::aws_managed;
use super::policy::Policy;
use super::principal::Principal;
use crate::{Error, Result, Timestamp};

/// All accounts. IAM is global: there is one directory in the world.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Directory {
    accounts: OrdMap<String, Account>,
    /// The account and user of each access key; no user where it is the root's.
    keys: OrdMap<String, (String, String)>,
}

/// What IAM keeps for one account. Names are not distinguished by case, so the keys are lower-case names.
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html>
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Account {
    pub(super) roles: OrdMap<String, Role>,
    pub(super) users: OrdMap<String, User>,
    /// Customer managed policies.
    pub(super) policies: OrdMap<String, ManagedPolicy>,
    #[serde(default)]
    pub(super) groups: OrdMap<String, Entity>,
    #[serde(default)]
    pub(super) profiles: OrdMap<String, InstanceProfile>,
    /// By their ARNs.
    #[serde(default)]
    pub(super) oidc_providers: OrdMap<String, super::oidc::Provider>,
    /// By their ARNs.
    #[serde(default)]
    pub(super) saml_providers: OrdMap<String, super::saml::Provider>,
    /// By their serial numbers, which are ARNs.
    #[serde(default)]
    pub(super) mfa_devices: OrdMap<String, super::mfa::Device>,
    #[serde(default)]
    pub(super) server_certificates: OrdMap<String, super::server_certificates::Certificate>,
    /// The access keys of the account's root user.
    #[serde(default)]
    pub(super) root_keys: OrdMap<String, AccessKey>,
    #[serde(default)]
    pub(super) alias: Option<String>,
    #[serde(default)]
    pub(super) passwords: Option<PasswordPolicy>,
}

/// What roles, users and groups have in common: a name, and policies.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Entity {
    /// The name, without its path.
    pub name: String,
    /// The path, which begins and ends with `/`.
    pub path: String,
    /// The unique id: `AROA…` of a role, `AIDA…` of a user, `AGPA…` of a group.
    pub id: String,
    /// The ARN, path included.
    pub arn: String,
    /// When it was created.
    pub created: Timestamp,
    /// Inline policies by name.
    pub inline: OrdMap<String, Policy>,
    /// The ARNs of attached managed policies, with when they were attached.
    pub attached: OrdMap<String, Timestamp>,
    /// The ARN of the managed policy that is the permissions boundary.
    pub boundary: Option<String>,
    /// Keys and values. Keys compare without case, so they are kept by their lower case.
    pub tags: OrdMap<String, (String, String)>,
}

/// A role.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Role {
    /// Its name and policies.
    pub entity: Entity,
    /// Who may assume it.
    pub trust: Policy,
    /// What it is for, in the words of who made it.
    pub description: Option<String>,
    /// The longest session in seconds: 3,600 to 43,200.
    pub max_session_duration: u32,
}

/// A user.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct User {
    /// Its name and policies.
    pub entity: Entity,
    /// Its access keys by id.
    pub keys: OrdMap<String, AccessKey>,
    /// The groups that it is in, by their names in lower case, in the order in which it joined them.
    #[serde(default)]
    pub(super) groups: Vector<String>,
    /// What it signs in to the console with; the password itself is not kept, for there is no console.
    #[serde(default)]
    pub(super) login: Option<Login>,
    /// Its credentials for single services, by id.
    #[serde(default)]
    pub(super) credentials: OrdMap<String, ServiceCredential>,
    /// Its SSH public keys, by id.
    #[serde(default)]
    pub(super) ssh_keys: OrdMap<String, super::ssh_keys::PublicKey>,
    /// Its signing certificates, by id.
    #[serde(default)]
    pub(super) certificates: OrdMap<String, super::signing_certificates::Certificate>,
}

/// That a user has a password.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Login {
    pub created: Timestamp,
    pub reset_required: bool,
}

/// A user name and password for one service.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ServiceCredential {
    pub service: String,
    pub user_name: String,
    pub active: bool,
    pub created: Timestamp,
}

/// What hands a role to machines.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct InstanceProfile {
    pub name: String,
    pub path: String,
    pub id: String,
    pub arn: String,
    pub created: Timestamp,
    /// The role's name.
    pub role: Option<String>,
    pub tags: OrdMap<String, (String, String)>,
}

/// What passwords of an account must be like.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PasswordPolicy {
    #[serde(default = "shortest_password")]
    pub minimum_password_length: u32,
    #[serde(default)]
    pub require_symbols: bool,
    #[serde(default)]
    pub require_numbers: bool,
    #[serde(default)]
    pub require_uppercase_characters: bool,
    #[serde(default)]
    pub require_lowercase_characters: bool,
    #[serde(default)]
    pub allow_users_to_change_password: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_password_age: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_reuse_prevention: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hard_expiry: Option<bool>,
}

fn shortest_password() -> u32 {
    6
}

/// A long-term access key.
#[derive(Clone, Serialize, Deserialize)]
pub struct AccessKey {
    /// The secret, 40 characters.
    pub secret: String,
    /// Whether it may be used.
    pub active: bool,
    /// When it was created.
    pub created: Timestamp,
}

/// Shows no secret, so that a debug line in a log cannot leak it.
impl std::fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessKey")
            .field("active", &self.active)
            .field("created", &self.created)
            .finish_non_exhaustive()
    }
}

/// A managed policy: a customer's, or AWS's own.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ManagedPolicy {
    pub(super) name: String,
    pub(super) path: String,
    pub(super) id: String,
    pub(super) arn: String,
    pub(super) description: Option<String>,
    pub(super) created: Timestamp,
    pub(super) updated: Timestamp,
    pub(super) default: u32,
    pub(super) next: u32,
    #[serde(with = "crate::cloud::pairs")]
    pub(super) versions: OrdMap<u32, PolicyVersion>,
    pub(super) tags: OrdMap<String, (String, String)>,
}

/// One version of a managed policy.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct PolicyVersion {
    pub document: Policy,
    pub created: Timestamp,
}

/// The policies that limit and empower a principal.
#[derive(Clone, Debug, Default)]
pub struct Policies {
    /// Inline policies by name, and managed ones by ARN.
    pub identity: Vec<(String, Policy)>,
    /// The permissions boundary.
    pub boundary: Option<Policy>,
}

impl Entity {
    /// One that was just created, without policies and tags.
    pub(super) fn new(kind: Kind, account: &str, path: String, name: String, id: String, created: Timestamp) -> Self {
        Self {
            arn: kind.arn(account, &path, &name),
            name,
            path,
            id,
            created,
            inline: OrdMap::new(),
            attached: OrdMap::new(),
            boundary: None,
            tags: OrdMap::new(),
        }
    }
}

/// A role has the name and the policies of its entity.
impl std::ops::Deref for Role {
    type Target = Entity;

    fn deref(&self) -> &Entity {
        &self.entity
    }
}

impl Directory {
    /// The role of an account by its name.
    pub fn role(&self, account: &str, name: &str) -> Option<&Role> {
        self.accounts.get(account)?.roles.get(&name.to_lowercase())
    }

    /// The role of an ARN, `arn:aws:iam::{account}:role{path}{name}`.
    pub fn role_by_arn(&self, arn: &str) -> Option<&Role> {
        let (account, path_and_name) = arn.strip_prefix("arn:aws:iam::")?.split_once(":role/")?;
        let name = path_and_name.rsplit('/').next()?;
        self.role(account, name).filter(|role| role.entity.arn == arn)
    }

    /// The user of an account by its name.
    pub fn user(&self, account: &str, name: &str) -> Option<&User> {
        self.accounts.get(account)?.users.get(&name.to_lowercase())
    }

    /// The policies of a user, or of the role behind a session; none at all for whom there is no longer such a user
    /// or role, and for roots and services, which have none.
    pub fn policies_of(&self, principal: &Principal) -> Policies {
        let Some(entity) = self.behind(principal) else { return Policies::default() };
        let mut identity = self.policies_in(entity);
        if let Principal::User { account, name, .. } | Principal::FederatedUser { account, issuer: Some(name), .. } =
            principal
            && let Some(user) = self.user(account, name)
        {
            identity.extend(self.groups_of(account, user).flat_map(|group| self.policies_in(group)));
        }
        Policies { identity, boundary: entity.boundary.as_deref().and_then(|arn| self.managed_policy(arn)) }
    }

    /// The user or role whose policies a principal has.
    fn behind(&self, principal: &Principal) -> Option<&Entity> {
        match principal {
            Principal::User { account, name, id, .. } => {
                self.user(account, name).map(|user| &user.entity).filter(|entity| entity.id == *id)
            }
            Principal::AssumedRole { account, role_name, role_id, .. } => {
                self.role(account, role_name).map(|role| &role.entity).filter(|entity| entity.id == *role_id)
            }
            Principal::FederatedUser { account, issuer, .. } => {
                self.user(account, issuer.as_deref()?).map(|user| &user.entity)
            }
            Principal::AccountRoot { .. } | Principal::Service(_) | Principal::Federated(_) | Principal::Anonymous => {
                None
            }
        }
    }

    /// The inline policies of a user, group or role by name, and the managed ones by ARN.
    pub(super) fn policies_in(&self, entity: &Entity) -> Vec<(String, Policy)> {
        let managed = |arn: &String| Some((arn.clone(), self.managed_policy(arn)?));
        let inline = entity.inline.iter().map(|(name, policy)| (name.clone(), policy.clone()));
        inline.chain(entity.attached.keys().filter_map(managed)).collect()
    }

    /// The groups that a user is in.
    pub(super) fn groups_of<'a>(&'a self, account: &str, user: &'a User) -> impl Iterator<Item = &'a Entity> + use<'a> {
        let groups = self.accounts.get(account).map(|account| &account.groups);
        user.groups.iter().filter_map(move |name| groups?.get(name))
    }

    /// The tags of the user or role behind a principal.
    pub fn tags_of(&self, principal: &Principal) -> impl Iterator<Item = (String, String)> + use<> {
        self.behind(principal).map(|entity| entity.tags.clone()).unwrap_or_default().into_iter().map(|(_, tag)| tag)
    }

    /// The document of a managed policy as it is in force, a customer's or AWS's.
    pub fn managed_policy(&self, arn: &str) -> Option<Policy> {
        self.managed(arn)?.document().cloned()
    }

    /// Whose access key this is, its secret, and whether it may be used.
    pub fn access_key(&self, id: &str) -> Option<(Principal, String, bool)> {
        let (account, name) = self.keys.get(id)?;
        let of_account = self.accounts.get(account)?;
        if name.is_empty() {
            let key = of_account.root_keys.get(id)?;
            return Some((Principal::AccountRoot { account: account.clone() }, key.secret.clone(), key.active));
        }
        let user = of_account.users.get(name)?;
        let key = user.keys.get(id)?;
        let principal = Principal::User {
            account: account.clone(),
            path: user.entity.path.clone(),
            name: user.entity.name.clone(),
            id: user.entity.id.clone(),
        };
        Some((principal, key.secret.clone(), key.active))
    }

    /// The managed policy of an ARN, a customer's or AWS's.
    pub(super) fn managed(&self, arn: &str) -> Option<&ManagedPolicy> {
        let (account, path_and_name) = arn.strip_prefix("arn:aws:iam::")?.split_once(":policy/")?;
        if account == "aws" {
            return aws_managed::get(arn);
        }
        let name = path_and_name.rsplit('/').next()?.to_lowercase();
        self.accounts.get(account)?.policies.get(&name).filter(|policy| policy.arn == arn)
    }

    /// All accounts by their numbers.
    pub(super) fn accounts(&self) -> impl Iterator<Item = (&String, &Account)> {
        self.accounts.iter()
    }

    pub(super) fn account(&self, account: &str) -> Option<&Account> {
        self.accounts.get(account)
    }

    pub(super) fn account_mut(&mut self, account: &str) -> &mut Account {
        self.accounts.entry(account.to_owned()).or_default()
    }

    pub(super) fn role_mut(&mut self, account: &str, name: &str) -> Result<&mut Role> {
        let role = self.accounts.get_mut(account).and_then(|account| account.roles.get_mut(&name.to_lowercase()));
        role.ok_or_else(|| Kind::Role.missing(name))
    }

    pub(super) fn user_mut(&mut self, account: &str, name: &str) -> Result<&mut User> {
        let user = self.accounts.get_mut(account).and_then(|account| account.users.get_mut(&name.to_lowercase()));
        user.ok_or_else(|| Kind::User.missing(name))
    }

    /// The customer managed policy of an ARN.
    pub(super) fn managed_mut(&mut self, arn: &str) -> Option<&mut ManagedPolicy> {
        let (account, path_and_name) = arn.strip_prefix("arn:aws:iam::")?.split_once(":policy/")?;
        let name = path_and_name.rsplit('/').next()?.to_lowercase();
        self.accounts.get_mut(account)?.policies.get_mut(&name).filter(|policy| policy.arn == arn)
    }

    pub(super) fn entity(&self, kind: Kind, account: &str, name: &str) -> Result<&Entity> {
        let entity = match kind {
            Kind::Role => self.role(account, name).map(|role| &role.entity),
            Kind::User => self.user(account, name).map(|user| &user.entity),
            Kind::Group => self.group(account, name),
        };
        entity.ok_or_else(|| kind.missing(name))
    }

    pub(super) fn entity_mut(&mut self, kind: Kind, account: &str, name: &str) -> Result<&mut Entity> {
        match kind {
            Kind::Role => self.role_mut(account, name).map(|role| &mut role.entity),
            Kind::User => self.user_mut(account, name).map(|user| &mut user.entity),
            Kind::Group => {
                let group = self.accounts.get_mut(account).and_then(|one| one.groups.get_mut(&name.to_lowercase()));
                group.ok_or_else(|| Kind::Group.missing(name))
            }
        }
    }

    /// The group of an account by its name.
    pub(super) fn group(&self, account: &str, name: &str) -> Option<&Entity> {
        self.accounts.get(account)?.groups.get(&name.to_lowercase())
    }

    /// All roles, users and groups of an account.
    pub(super) fn entities(&self, account: &str) -> impl Iterator<Item = &Entity> {
        let account = self.accounts.get(account).into_iter();
        account.flat_map(|one| {
            let roles = one.roles.values().map(|role| &role.entity);
            roles.chain(one.users.values().map(|user| &user.entity)).chain(one.groups.values())
        })
    }

    pub(super) fn index_key(&mut self, id: &str, account: &str, user: &str) {
        self.keys.insert(id.to_owned(), (account.to_owned(), user.to_lowercase()));
    }

    pub(super) fn forget_key(&mut self, id: &str) {
        self.keys.remove(id);
    }
}

impl ManagedPolicy {
    /// The document of the default version.
    pub(super) fn document(&self) -> Option<&Policy> {
        self.versions.get(&self.default).map(|version| &version.document)
    }
}

/// Roles, users and groups share operations, which differ in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Role,
    User,
    Group,
}

impl Kind {
    /// As texts name it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Role => "role",
            Self::User => "user",
            Self::Group => "group",
        }
    }

    /// As members and quotas name it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Role => "Role",
            Self::User => "User",
            Self::Group => "Group",
        }
    }

    pub fn arn(self, account: &str, path: &str, name: &str) -> String {
        format!("arn:aws:iam::{account}:{}{path}{name}", self.word())
    }

    pub fn missing(self, name: &str) -> Error {
        no_such_entity(format!("The {} with name {name} cannot be found.", self.word()))
    }
}

pub(super) fn no_such_entity(message: impl Into<String>) -> Error {
    Error::new(404, "NoSuchEntity", message)
}

pub(super) fn already_exists(message: impl Into<String>) -> Error {
    Error::new(409, "EntityAlreadyExists", message)
}

pub(super) fn delete_conflict(message: impl Into<String>) -> Error {
    Error::new(409, "DeleteConflict", message)
}

pub(super) fn limit_exceeded(message: impl Into<String>) -> Error {
    Error::new(409, "LimitExceeded", message)
}

pub(super) fn quota(name: impl std::fmt::Display, limit: usize) -> Error {
    limit_exceeded(format!("Cannot exceed quota for {name}: {limit}"))
}

pub(super) fn validation(message: impl Into<String>) -> Error {
    Error::client("ValidationError", message)
}
