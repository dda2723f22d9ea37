//! What is configured on a bucket; here its public access, the rest in files of their own.

use std::sync::Arc;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::acl::Acl;
use super::bucket::OnBucket;
use super::cors::Cors;
use super::encryption::Encryption;
use super::errors;
use super::input::input;
use super::lifecycle::Lifecycle;
use super::lock::BucketLock;
use super::lookup::{bucket, bucket_mut};
use super::notification::Notifications;
use super::ownership::{NewBuckets, ObjectOwnership};
use super::state::Buckets;
use super::tagging::Tag;
use super::website::Website;
use crate::cloud::{Cx, IamMode};
use crate::{Error, Result};

/// A bucket's configuration.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Configuration {
    pub policy: Option<Arc<str>>,
    pub tags: Vec<Tag>,
    pub public_access: Option<PublicAccess>,
    pub ownership: Option<ObjectOwnership>,
    pub acl: Option<Acl>,
    pub encryption: Encryption,
    /// Whether that was put, be it as every bucket's is.
    #[serde(default)]
    pub encryption_put: bool,
    pub cors: Option<Cors>,
    pub lifecycle: Option<Lifecycle>,
    /// Absent where Object Lock is off.
    #[serde(default)]
    pub object_lock: Option<BucketLock>,
    #[serde(default)]
    pub notifications: Notifications,
    #[serde(default)]
    pub website: Option<Website>,
    /// What is answered as it came: see `kept.rs`.
    #[serde(default)]
    pub kept: OrdMap<String, Value>,
}

impl Configuration {
    /// That of a new bucket.
    pub fn new(new: NewBuckets) -> Self {
        Self {
            policy: None,
            tags: Vec::new(),
            public_access: new.block_public_access.then_some(PublicAccess::CLOSED),
            ownership: Some(new.ownership),
            acl: None,
            encryption: Encryption::default(),
            encryption_put: false,
            cors: None,
            lifecycle: None,
            object_lock: None,
            notifications: Notifications::default(),
            website: None,
            kept: OrdMap::new(),
        }
    }

    /// Who owns new objects. Without a rule it is as before there were rules.
    pub fn ownership(&self) -> ObjectOwnership {
        self.ownership.unwrap_or(ObjectOwnership::ObjectWriter)
    }

    /// What is blocked of the public. Blocking is a denial, and so there is none where permissions are not enforced.
    pub fn blocked(&self, cx: &Cx<Buckets>) -> PublicAccess {
        match cx.access().mode() {
            IamMode::Enforce => self.public_access.unwrap_or_default(),
            IamMode::Off | IamMode::Audit => PublicAccess::default(),
        }
    }
}

/// `PublicAccessBlockConfiguration` of the model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct PublicAccess {
    pub block_public_acls: bool,
    pub ignore_public_acls: bool,
    pub block_public_policy: bool,
    pub restrict_public_buckets: bool,
}

impl PublicAccess {
    /// As new buckets are since April 2023.
    const CLOSED: Self = Self {
        block_public_acls: true,
        ignore_public_acls: true,
        block_public_policy: true,
        restrict_public_buckets: true,
    };
}

/// The same as a request writes it: what is left out is not blocked.
#[derive(Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AskedAccess {
    block_public_acls: Option<bool>,
    ignore_public_acls: Option<bool>,
    block_public_policy: Option<bool>,
    restrict_public_buckets: Option<bool>,
}

input! { guard configures; struct PutPublicAccessBlock { public_access_block_configuration: AskedAccess, } }

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PublicAccessOutput {
    public_access_block_configuration: PublicAccess,
}

pub(super) fn put_public_access(cx: &mut Cx<Buckets>, input: PutPublicAccessBlock) -> Result<()> {
    bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    let asked = input.public_access_block_configuration;
    if asked == AskedAccess::default() {
        return Err(errors::invalid_request("Must specify at least one configuration."));
    }
    bucket_mut(cx, &input.bucket)?.configuration.public_access = Some(PublicAccess {
        block_public_acls: asked.block_public_acls.unwrap_or_default(),
        ignore_public_acls: asked.ignore_public_acls.unwrap_or_default(),
        block_public_policy: asked.block_public_policy.unwrap_or_default(),
        restrict_public_buckets: asked.restrict_public_buckets.unwrap_or_default(),
    });
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
