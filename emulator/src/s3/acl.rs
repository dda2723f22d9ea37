//! Access control lists, as far as clients need them: canned ones that grant nobody else anything.
//!
//! Access is decided by policies. ACLs that would open a bucket or an object to others are refused by name.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html>

use serde::Serialize;

use super::bucket::{OnBucket, Owner};
use super::input::input;
use super::lookup::{bucket, bucket_mut};
use super::state::Buckets;
use super::tagging::{OnObject, object};
use crate::cloud::Cx;
use crate::{Error, Result};

/// The ownership rule that turns ACLs off: the default since April 2023.
pub(super) const ENFORCED: &str = "BucketOwnerEnforced";
/// The canned ACLs that grant nobody else anything, for the bucket's owner owns all objects here.
const CLOSED: [&str; 3] = ["private", "bucket-owner-full-control", "bucket-owner-read"];

/// The ACL of a new object.
///
/// # Errors
/// `AccessControlListNotSupported` where ACLs are off; 501 for one that opens the object to others.
pub(super) fn check_object(acl: Option<String>, ownership: &str) -> Result<Option<String>> {
    match acl {
        None => Ok(None),
        Some(acl) if ownership == ENFORCED => {
            if acl == "bucket-owner-full-control" {
                Ok(None)
            } else {
                Err(not_supported())
            }
        }
        Some(acl) => closed(acl),
    }
}

/// The ACL of a new bucket.
///
/// # Errors
/// `InvalidBucketAclWithObjectOwnership` where ACLs are off; 501 for one that opens the bucket to others.
pub(super) fn check_bucket(acl: Option<String>, ownership: &str) -> Result<Option<String>> {
    match acl {
        None => Ok(None),
        Some(acl) if acl == "private" => Ok(None),
        Some(_) if ownership == ENFORCED => {
            let text = "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting";
            Err(Error::new(400, "InvalidBucketAclWithObjectOwnership", text))
        }
        Some(acl) => closed(acl),
    }
}

fn closed(acl: String) -> Result<Option<String>> {
    if CLOSED.contains(&&*acl) {
        return Ok(Some(acl));
    }
    Err(Error::not_implemented(format!("the canned ACL {acl} of S3: use a bucket policy")))
}

fn not_supported() -> Error {
    Error::new(400, "AccessControlListNotSupported", "The bucket does not allow ACLs")
}

input! { guard configures; struct PutBucketAcl { #[serde(rename = "ACL")] acl: Option<String>, } }
input! { guard configures;
    struct PutObjectAcl {
        pub key: String,
        pub version_id: Option<String>,
        #[serde(rename = "ACL")]
        acl: Option<String>,
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AclOutput {
    owner: Owner,
    grants: [Grant; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Grant {
    grantee: Grantee,
    permission: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Grantee {
    #[serde(rename = "ID")]
    id: String,
    r#type: &'static str,
}

impl AclOutput {
    fn of(account: &str) -> Self {
        let owner = Owner::of(account);
        let grantee = Grantee { id: owner.id.clone(), r#type: "CanonicalUser" };
        Self { owner, grants: [Grant { grantee, permission: "FULL_CONTROL" }] }
    }
}

pub(super) fn get_bucket_acl(cx: &mut Cx<Buckets>, input: OnBucket) -> Result<AclOutput> {
    let bucket = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    Ok(AclOutput::of(&bucket.owner))
}

pub(super) fn put_bucket_acl(cx: &mut Cx<Buckets>, input: PutBucketAcl) -> Result<()> {
    let found = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    if found.configuration.ownership() == ENFORCED {
        return Err(not_supported());
    }
    let acl = check_bucket(Some(required(input.acl)?), found.configuration.ownership())?;
    bucket_mut(cx, &input.bucket)?.configuration.acl = acl;
    Ok(())
}

pub(super) fn get_object_acl(cx: &mut Cx<Buckets>, input: OnObject) -> Result<AclOutput> {
    let bucket = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    object(cx, bucket, &input.key, input.version_id.as_deref(), "GET")?;
    Ok(AclOutput::of(&bucket.owner))
}

pub(super) fn put_object_acl(cx: &mut Cx<Buckets>, input: PutObjectAcl) -> Result<()> {
    let found = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    let object = object(cx, found, &input.key, input.version_id.as_deref(), "PUT")?;
    let ownership = found.configuration.ownership();
    if ownership == ENFORCED {
        return Err(not_supported());
    }
    let acl = check_object(Some(required(input.acl)?), ownership)?;
    bucket_mut(cx, &input.bucket)?.change(&input.key, &object, |object| object.description.acl = acl)
}

/// # Errors
/// `MissingSecurityHeader`, as for a request with neither a canned ACL nor a list.
fn required(acl: Option<String>) -> Result<String> {
    acl.ok_or_else(|| {
        Error::new(400, "MissingSecurityHeader", "Your request was missing a required header")
            .with("MissingHeaderName", "x-amz-acl")
    })
}
