//! Who owns the objects of a bucket, and what a bucket has of that and of the public's access when it is made.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html>

use serde::{Deserialize, Serialize};

use super::acl;
use super::bucket::OnBucket;
use super::errors;
use super::input::input;
use super::lookup::{bucket, bucket_mut};
use super::object::Object;
use super::state::{Bucket, Buckets};
use crate::cloud::Cx;
use crate::iam::Principal;
use crate::{Error, Result};

/// Stands for the account of those who send no signature, where an account is needed.
pub(super) const ANONYMOUS: &str = "anonymous";

/// Who owns the objects of a bucket: the setting Object Ownership.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html>
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ObjectOwnership {
    /// The bucket's owner, and access control lists are off: AWS's default for new buckets since April 2023.
    #[default]
    BucketOwnerEnforced,
    /// Who writes an object, unless it is written with the list `bucket-owner-full-control`: then the bucket's owner.
    BucketOwnerPreferred,
    /// Who writes an object: AWS's default before April 2023.
    ObjectWriter,
}

impl ObjectOwnership {
    /// The setting of this name, which is AWS's.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "BucketOwnerEnforced" => Some(Self::BucketOwnerEnforced),
            "BucketOwnerPreferred" => Some(Self::BucketOwnerPreferred),
            "ObjectWriter" => Some(Self::ObjectWriter),
            _ => None,
        }
    }
}

/// What a bucket has that is made without saying so.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewBuckets {
    pub ownership: ObjectOwnership,
    /// Whether all four settings of Block Public Access are on.
    pub block_public_access: bool,
}

impl Default for NewBuckets {
    fn default() -> Self {
        Self { ownership: ObjectOwnership::default(), block_public_access: true }
    }
}

impl Bucket {
    /// The account that owns an object here: the bucket's own, where nothing else counts.
    pub(super) fn owner_of<'a>(&'a self, object: &'a Object) -> &'a str {
        self.owner_among(object.description.owner.as_deref())
    }

    /// The same for what is described as owned by this account.
    pub(super) fn owner_among<'a>(&'a self, described: Option<&'a str>) -> &'a str {
        match described {
            Some(other) if self.configuration.ownership() != ObjectOwnership::BucketOwnerEnforced => other,
            _ => &self.owner,
        }
    }

    /// The account that comes to own what a caller writes, where that is not the bucket's own. AWS's services write for it.
    pub(super) fn foreign_writer<'a>(&self, caller: &'a Principal) -> Option<&'a str> {
        let writer = match caller {
            Principal::Anonymous => Some(ANONYMOUS),
            caller => caller.account(),
        };
        writer.filter(|writer| *writer != &*self.owner)
    }
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

pub(super) fn put(cx: &mut Cx<Buckets>, input: PutOwnershipControls) -> Result<()> {
    let found = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    let [rule] = input.ownership_controls.rules.as_slice() else { return Err(errors::malformed_xml()) };
    let ownership = ObjectOwnership::named(&rule.object_ownership).ok_or_else(errors::malformed_xml)?;
    if found.configuration.acl.is_some() && ownership == ObjectOwnership::BucketOwnerEnforced {
        return Err(acl::does_not_go_with_ownership());
    }
    bucket_mut(cx, &input.bucket)?.configuration.ownership = Some(ownership);
    Ok(())
}

pub(super) fn get(cx: &mut Cx<Buckets>, input: OnBucket) -> Result<OwnershipOutput> {
    let bucket = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    let ownership = bucket.configuration.ownership.ok_or_else(|| {
        let text = "The bucket ownership controls were not found";
        Error::new(404, "OwnershipControlsNotFoundError", text).with("BucketName", &*bucket.name)
    })?;
    // The names of the settings are those of the variants.
    let object_ownership = format!("{ownership:?}");
    Ok(OwnershipOutput { ownership_controls: OwnershipControls { rules: vec![OwnershipRule { object_ownership }] } })
}

pub(super) fn delete(cx: &mut Cx<Buckets>, input: OnBucket) -> Result<()> {
    bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    bucket_mut(cx, &input.bucket)?.configuration.ownership = None;
    Ok(())
}
