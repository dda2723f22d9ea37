//! Finding what a request names, and the errors of not finding it.

use super::errors;
use super::guard::{on_bucket, on_object};
use super::object::Version;
use super::ownership::ANONYMOUS;
use super::state::{Bucket, Buckets};
use crate::cloud::{At, Cx, Target};
use crate::iam::Principal;
use crate::{Error, Result};

/// The canonical user id of those who send no signature.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html>
pub(super) const NOBODY: &str = "65a011a29cdf8ec533ec3d1ccaae921c";

/// The ARN of a bucket.
pub(super) fn bucket_arn(bucket: &str) -> String {
    format!("arn:aws:s3:::{bucket}")
}

/// The ARN of an object.
pub(super) fn object_arn(bucket: &str, key: &str) -> String {
    format!("arn:aws:s3:::{bucket}/{key}")
}

/// The bucket of this name.
///
/// # Errors
/// 404 without it; 403 if it is another account's than the caller expects; 301 if it is in another region than the
/// one that was called.
pub(super) fn bucket<'a>(cx: &'a Cx<Buckets>, name: &str, expected_owner: Option<&str>) -> Result<&'a Bucket> {
    let bucket = cx.state.buckets.get(name).ok_or_else(|| errors::no_such_bucket(name))?;
    check(cx, bucket, expected_owner)?;
    Ok(bucket)
}

/// The same bucket to be changed, once [`bucket`] has checked it.
pub(super) fn bucket_mut<'a>(cx: &'a mut Cx<Buckets>, name: &str) -> Result<&'a mut Bucket> {
    cx.state.buckets.get_mut(name).ok_or_else(|| errors::no_such_bucket(name))
}

/// # Errors
/// 403 for a bucket of another account than is expected; 400 if what is expected is no account.
pub(super) fn check_owner(bucket: &Bucket, expected: Option<&str>) -> Result<()> {
    match expected {
        Some(expected) if !crate::iam::principal::is_account(expected) => {
            let text =
                format!("The value of the expected bucket owner parameter must be an AWS Account ID... [{expected}]");
            Err(Error::new(400, "InvalidBucketOwnerAWSAccountID", text))
        }
        Some(expected) if expected != &*bucket.owner => Err(errors::access_denied()),
        _ => Ok(()),
    }
}

fn check(cx: &Cx<Buckets>, bucket: &Bucket, expected_owner: Option<&str>) -> Result<()> {
    check_owner(bucket, expected_owner)?;
    // Some requests say no region, and a service acts wherever the bucket is.
    let placeless = cx.caller.placeless || matches!(cx.caller.principal, Principal::Anonymous | Principal::Service(_));
    if bucket.region == cx.scope.region || placeless {
        return Ok(());
    }
    let text = "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all \
                future requests to this endpoint.";
    Err(Error::new(301, "PermanentRedirect", text)
        .with("Endpoint", format!("{}.s3.{}.amazonaws.com", bucket.name, bucket.region))
        .with("Bucket", &*bucket.name)
        .with("x-amz-bucket-region", &*bucket.region))
}

/// The version of a key that a request names, or the latest.
///
/// # Errors
/// Those of S3 for what is not there. Who may not list the bucket does not learn that a key is missing:
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>, "Permissions".
pub(super) fn version(cx: &Cx<Buckets>, bucket: &Bucket, key: &str, id: Option<&str>, method: &str) -> Result<Version> {
    match id {
        None => match bucket.latest(key) {
            Some(version @ Version::Object(_)) => Ok(version),
            Some(Version::Marker(stamp)) => Err(missing(cx, bucket, key)
                .with("x-amz-delete-marker", "true")
                .with("x-amz-version-id", stamp.id_or_null())),
            None => Err(missing(cx, bucket, key)),
        },
        Some(id) => {
            check_version_id(id)?;
            let version = bucket.version(key, id).ok_or_else(|| errors::no_such_version(key, id))?;
            version.object(method)?;
            Ok(version)
        }
    }
}

/// What a missing key answers this caller.
pub(super) fn missing(cx: &Cx<Buckets>, bucket: &Bucket, key: &str) -> Error {
    let action = "s3:ListBucket";
    // A policy may let somebody list what begins with a prefix: the key is one.
    let target = on_bucket(&at(cx), &bucket.name, action).context("s3:prefix", key);
    if may_do(cx, &target) {
        errors::no_such_key(key)
    } else {
        errors::denied(&cx.caller.principal.arn(), action, &target.resource)
    }
}

/// Whether the caller may do to an object what its operation does besides.
pub(super) fn may(cx: &Cx<Buckets>, action: &'static str, bucket: &str, key: &str) -> bool {
    may_do(cx, &on_object(&at(cx), bucket, key, None, action))
}

/// Whether the caller may do what its operation does besides, by its own policies and the bucket's. The target has the action.
pub(super) fn may_do(cx: &Cx<Buckets>, target: &Target) -> bool {
    target.action.as_deref().is_some_and(|action| cx.access().may_on(action, target))
}

/// Refuses what the caller may not do besides what the operation itself asks for.
///
/// # Errors
/// 403.
pub(super) fn require(cx: &Cx<Buckets>, action: &'static str, bucket: &str, key: &str) -> Result<()> {
    require_on(cx, &on_object(&at(cx), bucket, key, None, action))
}

/// The same for a target with condition keys.
///
/// # Errors
/// 403.
pub(super) fn require_on(cx: &Cx<Buckets>, target: &Target) -> Result<()> {
    if may_do(cx, target) {
        return Ok(());
    }
    let action = target.action.as_deref().unwrap_or_default();
    Err(errors::denied(&cx.caller.principal.arn(), action, &target.resource))
}

pub(super) fn at<'a>(cx: &'a Cx<Buckets>) -> At<'a, Buckets> {
    At { scope: cx.scope, state: &*cx.state }
}

/// # Errors
/// `InvalidArgument` for what cannot be the id of a version.
pub(super) fn check_version_id(id: &str) -> Result<()> {
    if id == "null" || super::state::place(id).is_some() {
        return Ok(());
    }
    Err(errors::invalid_argument("versionId", id, "Invalid version id specified"))
}

/// The canonical user id of an account: 64 hexadecimal digits that belong to it alone.
pub(super) fn canonical_id(account: &str) -> String {
    if account == ANONYMOUS {
        return NOBODY.to_owned();
    }
    use sha2::{Digest, Sha256};
    hex::encode(Sha256::digest(format!("canonical user of {account}")))
}

/// The id of an account's customer, as event messages name who owns a bucket.
pub(super) fn owner_id(account: &str) -> String {
    let id = canonical_id(account).to_ascii_uppercase();
    format!("A{}", id.get(..13).unwrap_or_default())
}
