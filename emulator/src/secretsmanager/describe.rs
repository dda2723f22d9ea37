//! `DescribeSecret` and `ListSecretVersionIds`.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::list::page_of;
use super::store::{Replica, RotationRules, Secret, Secrets, Tag};
use super::{Named, on};
use crate::cloud::{Cx, Service};
use crate::{Result, Timestamp};

/// How AWS names the key of versions that nobody chose a key for.
const DEFAULT_ENCRYPTION_KEY: &str = "DefaultEncryptionKey";

pub(super) fn operations(service: Service<Secrets>) -> Service<Secrets> {
    service.op("DescribeSecret", |at, i: &Named| on(at, &i.secret_id), describe).op(
        "ListSecretVersionIds",
        |at, i: &ListSecretVersionIds| on(at, &i.secret_id),
        list_versions,
    )
}

/// `DescribeSecretResponse` and `SecretListEntry` of the API, which differ in the name of the versions.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Description {
    #[serde(rename = "ARN")]
    pub arn: Arc<str>,
    name: Arc<str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<Arc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<Arc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kms_key_id: Option<Arc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rotation_enabled: Option<bool>,
    #[serde(rename = "RotationLambdaARN", skip_serializing_if = "Option::is_none")]
    rotation_lambda_arn: Option<Arc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rotation_rules: Option<RotationRules>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_rotated_date: Option<Timestamp>,
    last_changed_date: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_accessed_date: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_date: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_rotation_date: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<Tag>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    version_ids_to_stages: BTreeMap<Arc<str>, Vec<String>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    secret_versions_to_stages: BTreeMap<Arc<str>, Vec<String>>,
    created_date: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    primary_region: Option<Arc<str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    replication_status: Vec<Replica>,
}

impl Description {
    /// What `ListSecrets` tells of a secret.
    pub fn listed(secret: &Secret) -> Self {
        let mut listed = Self::of(secret);
        listed.secret_versions_to_stages = std::mem::take(&mut listed.version_ids_to_stages);
        listed
    }

    fn of(secret: &Secret) -> Self {
        let labelled = secret.versions.iter().filter(|version| !version.stages.is_empty());
        let rotation = secret.rotation.as_ref();
        let active = rotation.filter(|rotation| rotation.enabled);
        Self {
            arn: secret.arn.clone(),
            name: secret.name.clone(),
            r#type: secret.kind.clone(),
            description: secret.description.clone(),
            kms_key_id: secret.kms_key_id.clone(),
            rotation_enabled: rotation.map(|rotation| rotation.enabled),
            rotation_lambda_arn: rotation.map(|rotation| rotation.lambda_arn.clone()),
            rotation_rules: rotation.map(|rotation| rotation.rules.clone()),
            last_rotated_date: secret.rotated,
            last_changed_date: secret.changed,
            last_accessed_date: secret.accessed,
            deleted_date: secret.deletion,
            next_rotation_date: active.and_then(|rotation| rotation.next),
            tags: secret.tags.clone(),
            version_ids_to_stages: labelled.map(|version| (version.id.clone(), version.sorted_stages())).collect(),
            secret_versions_to_stages: BTreeMap::new(),
            created_date: secret.created,
            primary_region: secret.primary_region.clone(),
            replication_status: secret.replicas.clone(),
        }
    }
}

fn describe(cx: &mut Cx<Secrets>, input: Named) -> Result<Description> {
    cx.state.get(cx.scope, &input.secret_id).map(Description::of)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListSecretVersionIds {
    secret_id: String,
    max_results: Option<usize>,
    next_token: Option<String>,
    #[serde(default)]
    include_deprecated: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Versions {
    versions: Vec<VersionEntry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
    #[serde(rename = "ARN")]
    arn: Arc<str>,
    name: Arc<str>,
}

/// `SecretVersionsListEntry` of the API.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct VersionEntry {
    version_id: Arc<str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    version_stages: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_accessed_date: Option<Timestamp>,
    created_date: Timestamp,
    kms_key_ids: Vec<Arc<str>>,
}

fn list_versions(cx: &mut Cx<Secrets>, input: ListSecretVersionIds) -> Result<Versions> {
    let secret = cx.state.get(cx.scope, &input.secret_id)?;
    let key = secret.kms_key_id.clone().unwrap_or_else(|| DEFAULT_ENCRYPTION_KEY.into());
    let versions: Vec<VersionEntry> = secret
        .versions
        .iter()
        .filter(|version| input.include_deprecated || !version.stages.is_empty())
        .map(|version| VersionEntry {
            version_id: version.id.clone(),
            version_stages: version.sorted_stages(),
            last_accessed_date: version.accessed,
            created_date: version.created,
            kms_key_ids: vec![key.clone()],
        })
        .collect();
    let (arn, name) = (secret.arn.clone(), secret.name.clone());
    // AWS documents no size of a page that was not asked for, and what is kept of a secret is few enough for one.
    let size = input.max_results.unwrap_or(versions.len());
    let (versions, next_token) = page_of(versions, |version| version.version_id.to_string(), size, input.next_token)?;
    Ok(Versions { versions, next_token, arn, name })
}
