//! What is configured on a bucket: public access, ownership, encryption, CORS, notifications.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::acl::ENFORCED;
use super::bucket::OnBucket;
use super::input::input;
use super::lifecycle::Lifecycle;
use super::lookup::{bucket, bucket_mut};
use super::object::check_encryption;
use super::policy::is_public;
use super::state::Buckets;
use super::tagging::Tag;
use super::{acl, errors};
use crate::cloud::Cx;
use crate::{Error, Result};

/// A CORS configuration has at most this many rules.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ManageCorsUsing.html>
const CORS_RULES: usize = 100;

/// A bucket's configuration, with the defaults of a new bucket.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Configuration {
    pub policy: Option<Arc<str>>,
    pub tags: Vec<Tag>,
    pub public_access: Option<PublicAccess>,
    pub ownership: Option<String>,
    pub acl: Option<String>,
    pub encryption: Encryption,
    pub cors: Option<Cors>,
    pub lifecycle: Option<Lifecycle>,
}

impl Default for Configuration {
    fn default() -> Self {
        Self {
            policy: None,
            tags: Vec::new(),
            public_access: Some(PublicAccess::CLOSED),
            ownership: Some(ENFORCED.to_owned()),
            acl: None,
            encryption: Encryption::default(),
            cors: None,
            lifecycle: None,
        }
    }
}

impl Configuration {
    /// Who owns new objects. Without a rule it is as before there were rules.
    pub fn ownership(&self) -> &str {
        self.ownership.as_deref().unwrap_or("ObjectWriter")
    }

    /// Refuses what this emulator would have to answer falsely: it does not weigh who calls a bucket whose policy is
    /// public and that is open to its own account alone.
    pub fn check_public(&self) -> Result<()> {
        let restricted = self.public_access.is_some_and(|access| access.restrict_public_buckets);
        if restricted && self.policy.as_deref().is_some_and(is_public) {
            return Err(Error::not_implemented("RestrictPublicBuckets on a bucket of S3 whose policy is public"));
        }
        Ok(())
    }
}

/// `PublicAccessBlockConfiguration` of the model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct PublicAccess {
    // ACLs that are public do not exist here: see acl.rs.
    block_public_acls: bool,
    ignore_public_acls: bool,
    pub block_public_policy: bool,
    pub restrict_public_buckets: bool,
}

impl PublicAccess {
    /// New buckets are closed to the public since April 2023.
    const CLOSED: Self = Self {
        block_public_acls: true,
        ignore_public_acls: true,
        block_public_policy: true,
        restrict_public_buckets: true,
    };
}

input! { guard configures; struct PutPublicAccessBlock { public_access_block_configuration: PublicAccess, } }

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PublicAccessOutput {
    public_access_block_configuration: PublicAccess,
}

pub(super) fn put_public_access(cx: &mut Cx<Buckets>, input: PutPublicAccessBlock) -> Result<()> {
    let found = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    let mut changed = found.configuration.clone();
    changed.public_access = Some(input.public_access_block_configuration);
    changed.check_public()?;
    bucket_mut(cx, &input.bucket)?.configuration = changed;
    Ok(())
}

pub(super) fn get_public_access(cx: &mut Cx<Buckets>, input: OnBucket) -> Result<PublicAccessOutput> {
    let bucket = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    let access = bucket.configuration.public_access.ok_or_else(|| {
        let text = "The public access block configuration was not found";
        Error::new(404, "NoSuchPublicAccessBlockConfiguration", text).with("BucketName", &*bucket.name)
    })?;
    Ok(PublicAccessOutput { public_access_block_configuration: access })
}

pub(super) fn delete_public_access(cx: &mut Cx<Buckets>, input: OnBucket) -> Result<()> {
    bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    bucket_mut(cx, &input.bucket)?.configuration.public_access = None;
    Ok(())
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OwnershipControls {
    rules: Vec<OwnershipRule>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OwnershipRule {
    object_ownership: String,
}

input! { guard configures; struct PutOwnershipControls { ownership_controls: OwnershipControls, } }

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OwnershipOutput {
    ownership_controls: OwnershipControls,
}

pub(super) fn put_ownership(cx: &mut Cx<Buckets>, input: PutOwnershipControls) -> Result<()> {
    let found = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    let [rule] = input.ownership_controls.rules.as_slice() else { return Err(errors::malformed_xml()) };
    acl::check_bucket(found.configuration.acl.clone(), &rule.object_ownership)?;
    bucket_mut(cx, &input.bucket)?.configuration.ownership = Some(rule.object_ownership.clone());
    Ok(())
}

pub(super) fn get_ownership(cx: &mut Cx<Buckets>, input: OnBucket) -> Result<OwnershipOutput> {
    let bucket = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    let object_ownership = bucket.configuration.ownership.clone().ok_or_else(|| {
        let text = "The bucket ownership controls were not found";
        Error::new(404, "OwnershipControlsNotFoundError", text).with("BucketName", &*bucket.name)
    })?;
    Ok(OwnershipOutput { ownership_controls: OwnershipControls { rules: vec![OwnershipRule { object_ownership }] } })
}

pub(super) fn delete_ownership(cx: &mut Cx<Buckets>, input: OnBucket) -> Result<()> {
    bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    bucket_mut(cx, &input.bucket)?.configuration.ownership = None;
    Ok(())
}

/// `ServerSideEncryptionConfiguration` of the model.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Encryption {
    rules: Vec<EncryptionRule>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EncryptionRule {
    #[serde(skip_serializing_if = "Option::is_none")]
    apply_server_side_encryption_by_default: Option<EncryptionDefault>,
    #[serde(default)]
    bucket_key_enabled: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct EncryptionDefault {
    #[serde(rename = "SSEAlgorithm")]
    algorithm: String,
}

impl Default for Encryption {
    /// Every bucket encrypts with S3's own keys since January 2023.
    fn default() -> Self {
        let by_default = EncryptionDefault { algorithm: "AES256".to_owned() };
        let rule =
            EncryptionRule { apply_server_side_encryption_by_default: Some(by_default), bucket_key_enabled: false };
        Self { rules: vec![rule] }
    }
}

input! { guard configures; struct PutEncryption { server_side_encryption_configuration: Encryption, } }

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct EncryptionOutput {
    server_side_encryption_configuration: Encryption,
}

pub(super) fn put_encryption(cx: &mut Cx<Buckets>, input: PutEncryption) -> Result<()> {
    bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    let encryption = input.server_side_encryption_configuration;
    let [rule] = encryption.rules.as_slice() else { return Err(errors::malformed_xml()) };
    let algorithm = rule.apply_server_side_encryption_by_default.as_ref().map(|default| default.algorithm.as_str());
    check_encryption(algorithm, Some(rule.bucket_key_enabled))?;
    bucket_mut(cx, &input.bucket)?.configuration.encryption = encryption;
    Ok(())
}

pub(super) fn get_encryption(cx: &mut Cx<Buckets>, input: OnBucket) -> Result<EncryptionOutput> {
    let bucket = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    Ok(EncryptionOutput { server_side_encryption_configuration: bucket.configuration.encryption.clone() })
}

/// Puts the default back.
pub(super) fn delete_encryption(cx: &mut Cx<Buckets>, input: OnBucket) -> Result<()> {
    bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    bucket_mut(cx, &input.bucket)?.configuration.encryption = Encryption::default();
    Ok(())
}

/// `CORSConfiguration` of the model. It is kept and answered; browsers' preflight requests are the wire's.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Cors {
    #[serde(rename = "CORSRules")]
    rules: Vec<CorsRule>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CorsRule {
    #[serde(rename = "ID", skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed_headers: Option<Vec<String>>,
    allowed_methods: Vec<String>,
    allowed_origins: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expose_headers: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_age_seconds: Option<i64>,
}

input! { guard configures; struct PutCors { #[serde(rename = "CORSConfiguration")] cors: Cors, } }

pub(super) fn put_cors(cx: &mut Cx<Buckets>, input: PutCors) -> Result<()> {
    bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    if input.cors.rules.is_empty() || input.cors.rules.len() > CORS_RULES {
        return Err(errors::malformed_xml());
    }
    for method in input.cors.rules.iter().flat_map(|rule| &rule.allowed_methods) {
        if !["GET", "PUT", "POST", "DELETE", "HEAD"].contains(&&**method) {
            let text = format!("Found unsupported HTTP method in CORS config. Unsupported method is {method}");
            return Err(errors::invalid_request(text));
        }
    }
    for list in input.cors.rules.iter().flat_map(|rule| [Some(&rule.allowed_origins), rule.allowed_headers.as_ref()]) {
        if let Some(value) = list.into_iter().flatten().find(|value| value.matches('*').count() > 1) {
            let text = format!("AllowedOrigin \"{value}\" can not have more than one wildcard.");
            return Err(errors::invalid_request(text));
        }
    }
    bucket_mut(cx, &input.bucket)?.configuration.cors = Some(input.cors);
    Ok(())
}

pub(super) fn get_cors(cx: &mut Cx<Buckets>, input: OnBucket) -> Result<Cors> {
    let bucket = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    bucket.configuration.cors.clone().ok_or_else(|| {
        Error::new(404, "NoSuchCORSConfiguration", "The CORS configuration does not exist")
            .with("BucketName", &*bucket.name)
    })
}

pub(super) fn delete_cors(cx: &mut Cx<Buckets>, input: OnBucket) -> Result<()> {
    bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    bucket_mut(cx, &input.bucket)?.configuration.cors = None;
    Ok(())
}

input! { guard; struct PutNotification { notification_configuration: Notification, skip_destination_validation: Option<bool>, } }

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Notification {
    topic_configurations: Option<Vec<Value>>,
    queue_configurations: Option<Vec<Value>>,
    lambda_function_configurations: Option<Vec<Value>>,
    event_bridge_configuration: Option<Value>,
}

/// An empty configuration, which turns notifications off, is all that is done.
pub(super) fn put_notification(cx: &mut Cx<Buckets>, input: PutNotification) -> Result<()> {
    bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    let wanted = input.notification_configuration;
    let lists = [
        ("TopicConfigurations", wanted.topic_configurations),
        ("QueueConfigurations", wanted.queue_configurations),
        ("LambdaFunctionConfigurations", wanted.lambda_function_configurations),
        ("EventBridgeConfiguration", wanted.event_bridge_configuration.map(|one| vec![one])),
    ];
    // Nothing is told, so there is no destination that could be validated or not.
    let _ = input.skip_destination_validation;
    match lists.iter().find(|(_, list)| list.as_ref().is_some_and(|list| !list.is_empty())) {
        Some((name, _)) => Err(Error::not_implemented(format!("event notifications of S3 ({name})"))),
        None => Ok(()),
    }
}
