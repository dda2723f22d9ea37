//! What is kept of secrets, how they are found, and how staging labels move.

use std::sync::Arc;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::keys::Sealed;
use crate::cloud::{Asks, Inquiries, Scope};
use crate::{Error, Result, Timestamp};

/// The label of the version that is answered when none is asked for.
pub(super) const CURRENT: &str = "AWSCURRENT";
/// The label of the version that was current before.
pub(super) const PREVIOUS: &str = "AWSPREVIOUS";
/// The label of the version that a rotation makes.
pub(super) const PENDING: &str = "AWSPENDING";
/// The key that encrypts secrets of which nothing else was said.
pub(super) const DEFAULT_KEY: &str = "alias/aws/secretsmanager";
/// The random part of an ARN, with its hyphen.
const SUFFIX: usize = 7;
/// So many versions without a label are kept of a secret; beyond them the oldest go.
/// <https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html>
const MAX_DEPRECATED: usize = 100;
/// So many labels may one version have.
pub(super) const MAX_STAGES: usize = 20;

/// The secrets of all accounts and regions.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Secrets {
    /// By account, region and name, joined by `/`: neither of the first two has one.
    pub(super) secrets: OrdMap<String, Secret>,
    /// How many were created: secrets that were created at once are listed in the order of their creation.
    pub(super) created: u64,
    /// What KMS is asked.
    #[serde(default)]
    inquiries: Inquiries,
}

impl Asks for Secrets {
    fn inquiries(&mut self) -> &mut Inquiries {
        &mut self.inquiries
    }
}

/// A secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Secret {
    pub number: u64,
    pub arn: Arc<str>,
    pub name: Arc<str>,
    pub account: Arc<str>,
    pub region: Arc<str>,
    pub description: Option<Arc<str>>,
    pub kms_key_id: Option<Arc<str>>,
    pub kind: Option<Arc<str>>,
    pub created: Timestamp,
    pub changed: Timestamp,
    pub accessed: Option<Timestamp>,
    /// When it is going to be deleted.
    pub deletion: Option<Timestamp>,
    /// In the order in which they were first set; nothing if none ever was.
    pub tags: Option<Vec<Tag>>,
    pub policy: Option<Arc<str>>,
    /// From the oldest on.
    pub versions: Vec<Version>,
    pub rotation: Option<Rotation>,
    pub rotated: Option<Timestamp>,
    /// The other regions that have it.
    pub replicas: Vec<Replica>,
    /// The region of which this is a replica.
    pub primary_region: Option<Arc<str>>,
}

/// A tag.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    pub key: String,
    pub value: String,
}

/// A version. One that a rotation has begun has no value yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Version {
    pub id: Arc<str>,
    pub value: Option<SecretValue>,
    /// The staging labels; without any the version is deprecated.
    pub stages: Vec<String>,
    pub created: Timestamp,
    pub accessed: Option<Timestamp>,
    /// What it is encrypted with, where that is a customer's key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<Sealed>,
}

/// What is secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum SecretValue {
    Text(Arc<str>),
    /// In base64.
    Binary(Arc<str>),
}

/// How a secret is rotated.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Rotation {
    pub enabled: bool,
    pub lambda_arn: Arc<str>,
    pub rules: RotationRules,
    pub next: Option<Timestamp>,
    /// The version that the last `RotateSecret` asked for.
    pub token: Option<Arc<str>>,
}

/// When a secret is rotated.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RotationRules {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub automatically_after_days: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule_expression: Option<String>,
}

/// A replica, as the primary secret knows it: `ReplicationStatusType` of the API.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Replica {
    pub region: Arc<str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_key_id: Option<String>,
    pub status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_message: Option<String>,
}

/// The key of a secret in the state.
pub(super) fn key(account: &str, region: &str, name: &str) -> String {
    format!("{account}/{region}/{name}")
}

pub(super) fn not_found() -> Error {
    Error::client("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
}

pub(super) fn invalid_request(message: impl Into<String>) -> Error {
    Error::client("InvalidRequestException", message)
}

pub(super) fn invalid_parameter(message: impl Into<String>) -> Error {
    Error::client("InvalidParameterException", message)
}

/// The name is one that a secret can have.
pub(super) fn check_name(name: &str) -> Result<()> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"/_+=.@-!".contains(&byte);
    if !name.is_empty() && name.bytes().all(fits) {
        return Ok(());
    }
    Err(Error::client(
        "ValidationException",
        "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!",
    ))
}

impl Secrets {
    /// The key of the secret of this name, ARN, or ARN without the random part.
    pub(super) fn find(&self, scope: &Scope, id: &str) -> Result<String> {
        let Some(parts) = id.strip_prefix("arn:") else {
            check_name(id)?;
            let key = key(&scope.account, &scope.region, id);
            return if self.secrets.contains_key(&key) { Ok(key) } else { Err(not_found()) };
        };
        let parts: Vec<&str> = parts.splitn(6, ':').collect();
        let [_, "secretsmanager", region, account, "secret", name] = parts[..] else { return Err(not_found()) };
        check_name(name)?;
        let whole =
            name.len().checked_sub(SUFFIX).and_then(|end| name.get(..end)).map(|name| key(account, region, name));
        let is_whole = |key: &String| self.secrets.get(key).is_some_and(|secret| &*secret.arn == id);
        if let Some(key) = whole.filter(is_whole) {
            return Ok(key);
        }
        let partial = key(account, region, name);
        if self.secrets.contains_key(&partial) { Ok(partial) } else { Err(not_found()) }
    }

    /// The secret, whatever its state.
    pub(super) fn get(&self, scope: &Scope, id: &str) -> Result<&Secret> {
        self.secrets.get(&self.find(scope, id)?).ok_or_else(not_found)
    }

    /// A copy of the secret, to be changed and saved: it is not marked for deletion, and no replica.
    pub(super) fn to_change(&self, scope: &Scope, id: &str) -> Result<Secret> {
        let secret = self.get(scope, id)?;
        secret.check_primary()?;
        secret.check_kept()?;
        Ok(secret.clone())
    }

    /// Saves a secret, and brings its replicas up to date.
    pub(super) fn save(&mut self, mut secret: Secret) {
        secret.drop_outdated();
        for replica in secret.replicas.iter().filter(|replica| replica.status == "InSync") {
            let key = key(&secret.account, &replica.region, &secret.name);
            let number = self.secrets.get(&key).map_or(secret.number, |old| old.number);
            self.secrets.insert(key, secret.replica(number, replica));
        }
        self.secrets.insert(secret.key(), secret);
    }

    /// The secrets of an account in a region.
    pub(super) fn of(&self, scope: &Scope) -> impl Iterator<Item = &Secret> {
        let prefix = key(&scope.account, &scope.region, "");
        self.secrets.range(prefix.clone()..).take_while(move |(key, _)| key.starts_with(&prefix)).map(|(_, one)| one)
    }
}

impl Secret {
    pub fn key(&self) -> String {
        key(&self.account, &self.region, &self.name)
    }

    /// What another region has of it.
    fn replica(&self, number: u64, replica: &Replica) -> Self {
        let suffix = self.arn.rsplit('-').next().unwrap_or_default();
        let scope = Scope::new(self.account.clone(), replica.region.clone());
        // The keys of another region are not asked for.
        let open = |version: &Version| Version { sealed: None, ..version.clone() };
        Self {
            versions: self.versions.iter().map(open).collect(),
            number,
            arn: scope.arn("secretsmanager", format_args!("secret:{}-{suffix}", self.name)).into(),
            region: replica.region.clone(),
            kms_key_id: replica.kms_key_id.as_deref().map(Arc::from),
            policy: None,
            replicas: Vec::new(),
            primary_region: Some(self.region.clone()),
            ..self.clone()
        }
    }

    pub fn check_primary(&self) -> Result<()> {
        if self.primary_region.as_ref().is_none_or(|primary| *primary == self.region) {
            return Ok(());
        }
        Err(invalid_parameter(
            "Operation not permitted on a replica secret. Call must be made in primary secret's region.",
        ))
    }

    pub fn check_kept(&self) -> Result<()> {
        if self.deletion.is_none() {
            return Ok(());
        }
        Err(invalid_request("You can't perform this operation on the secret because it was marked for deletion."))
    }

    /// Values that AWS's own key encrypts do not leave the account.
    pub fn check_account(&self, scope: &Scope) -> Result<()> {
        let default = self.kms_key_id.as_deref().is_none_or(|key| key == DEFAULT_KEY);
        if *self.account == *scope.account || !default {
            return Ok(());
        }
        Err(invalid_request(
            "You can't access a secret from a different AWS account if you encrypt the secret with the default KMS \
             service key.",
        ))
    }

    pub fn version(&self, id: &str) -> Option<&Version> {
        self.versions.iter().find(|version| &*version.id == id)
    }

    /// The version that has a label.
    pub fn staged(&self, stage: &str) -> Option<&Version> {
        self.versions.iter().find(|version| version.stages.iter().any(|one| one == stage))
    }

    /// Moves a label to a version, or takes it from all. The version that AWSCURRENT leaves becomes AWSPREVIOUS, and is
    /// no longer AWSPENDING.
    pub fn stage(&mut self, stage: &str, to: Option<&str>) {
        let from = self.staged(stage).map(|version| version.id.clone());
        if from.as_deref() == to {
            return;
        }
        for version in &mut self.versions {
            version.stages.retain(|one| one != stage);
            if Some(&*version.id) == to {
                version.stages.push(stage.to_owned());
            }
        }
        if let (CURRENT, Some(from)) = (stage, from) {
            if to.and_then(|to| self.version(to)).is_some_and(|to| to.stages.iter().any(|one| one == PREVIOUS)) {
                self.stage(PREVIOUS, None);
            }
            self.stage(PREVIOUS, Some(&from));
            if let Some(previous) = self.versions.iter_mut().find(|version| version.id == from) {
                previous.stages.retain(|one| one != PENDING);
            }
        }
    }

    /// Adds a version.
    pub fn add_version(&mut self, id: Arc<str>, value: Option<SecretValue>, now: Timestamp) {
        self.versions.push(Version { id, value, stages: Vec::new(), created: now, accessed: None, sealed: None });
    }

    /// Keeps what KMS made for a version.
    pub fn seal(&mut self, id: &str, sealed: Option<Sealed>) {
        if let Some(version) = self.versions.iter_mut().find(|version| *version.id == *id) {
            version.sealed = sealed.or(version.sealed.take());
        }
    }

    /// Of too many versions without a label the oldest go.
    fn drop_outdated(&mut self) {
        let deprecated = self.versions.iter().filter(|version| version.stages.is_empty()).count();
        let mut outdated = deprecated.saturating_sub(MAX_DEPRECATED);
        self.versions.retain(|version| {
            let goes = outdated > 0 && version.stages.is_empty();
            outdated -= usize::from(goes);
            !goes
        });
    }
}

impl Version {
    /// The labels, in the order in which they are read.
    pub fn sorted_stages(&self) -> Vec<String> {
        let mut stages = self.stages.clone();
        stages.sort();
        stages
    }
}
