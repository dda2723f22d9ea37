//! What clients ask for and no bucket here can have: the answers of S3 for a bucket without it.

use serde::Serialize;

use super::bucket::OnBucket;
use super::lookup::bucket;
use super::state::Buckets;
use crate::cloud::Cx;
use crate::{Error, Result};

/// An answer without members: no notifications, no logging, no acceleration.
#[derive(Serialize)]
pub(super) struct Nothing {}

pub(super) fn nothing(cx: &mut Cx<Buckets>, input: OnBucket) -> Result<Nothing> {
    bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    Ok(Nothing {})
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PaymentOutput {
    payer: &'static str,
}

pub(super) fn payment(cx: &mut Cx<Buckets>, input: OnBucket) -> Result<PaymentOutput> {
    nothing(cx, input).map(|_| PaymentOutput { payer: "BucketOwner" })
}

pub(super) fn website(cx: &mut Cx<Buckets>, input: OnBucket) -> Result<Nothing> {
    let text = "The specified bucket does not have a website configuration";
    missing(cx, input, "NoSuchWebsiteConfiguration", text)
}

pub(super) fn replication(cx: &mut Cx<Buckets>, input: OnBucket) -> Result<Nothing> {
    let text = "The replication configuration was not found";
    missing(cx, input, "ReplicationConfigurationNotFoundError", text)
}

pub(super) fn object_lock(cx: &mut Cx<Buckets>, input: OnBucket) -> Result<Nothing> {
    let text = "Object Lock configuration does not exist for this bucket";
    missing(cx, input, "ObjectLockConfigurationNotFoundError", text)
}

fn missing(cx: &mut Cx<Buckets>, input: OnBucket, code: &'static str, text: &str) -> Result<Nothing> {
    let bucket = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    Err(Error::new(404, code, text).with("BucketName", &*bucket.name))
}
