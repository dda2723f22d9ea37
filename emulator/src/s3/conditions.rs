//! Conditional requests: what a request demands of the object that is there.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html>

use super::errors;
use super::lookup::require;
use super::object::{Object, Version};
use super::state::{Bucket, Buckets};
use crate::cloud::Cx;
use crate::{Result, Timestamp};

/// Whether a header of ETags means this one. Quotes may be left out; `*` means every one.
fn names(header: &str, etag: &str) -> bool {
    let bare = |tag: &str| tag.trim().trim_start_matches("W/").trim_matches('"').to_owned();
    header.split(',').any(|one| one.trim() == "*" || bare(one) == bare(etag))
}

/// The four conditions of reading.
#[derive(Clone, Debug, Default)]
pub(super) struct ReadConditions {
    pub if_match: Option<String>,
    pub if_none_match: Option<String>,
    pub if_modified_since: Option<Timestamp>,
    pub if_unmodified_since: Option<Timestamp>,
}

impl ReadConditions {
    /// The first condition that fails, in the order of RFC 9110: a condition on ETags makes the one on times beside it void.
    /// A time that is to come is none to have been modified since.
    fn failure(&self, object: &Object, now: Timestamp) -> Option<(Outcome, &'static str)> {
        let modified = object.stamp.modified.secs();
        match (&self.if_match, self.if_unmodified_since) {
            (Some(tags), _) if !names(tags, &object.etag) => return Some((Outcome::Failed, "If-Match")),
            (None, Some(time)) if modified > time.secs() => return Some((Outcome::Failed, "If-Unmodified-Since")),
            _ => {}
        }
        match (&self.if_none_match, self.if_modified_since) {
            (Some(tags), _) if names(tags, &object.etag) => Some((Outcome::NotModified, "If-None-Match")),
            (None, Some(time)) if modified <= time.secs() && time <= now => {
                Some((Outcome::NotModified, "If-Modified-Since"))
            }
            _ => None,
        }
    }

    /// # Errors
    /// 412, or 304 where the client has the object already.
    pub fn check(&self, object: &Object, now: Timestamp) -> Result<()> {
        match self.failure(object, now) {
            None => Ok(()),
            Some((Outcome::Failed, condition)) => Err(errors::precondition_failed(condition)),
            Some((Outcome::NotModified, _)) => Err(errors::not_modified(&object.etag, object.stamp.modified)),
        }
    }

    /// The same conditions on the source of a copy: there, all failures are 412.
    ///
    /// # Errors
    /// 412.
    pub fn check_source(&self, object: &Object, now: Timestamp) -> Result<()> {
        match self.failure(object, now) {
            None => Ok(()),
            Some((_, condition)) => Err(errors::precondition_failed(&format!("x-amz-copy-source-{condition}"))),
        }
    }
}

enum Outcome {
    Failed,
    NotModified,
}

/// The conditions of writing a key.
///
/// S3 also answers 409 `ConditionalRequestConflict` when another request changes the key while a conditional one is
/// under way. A step here is atomic, so nothing ever is under way: that answer can only be injected as a fault.
///
/// # Errors
/// 412 where there is an object and none may be, or another one; 404 where one must be and is not; 501 for values that
/// S3 does not take; 403 without the permission to read the object, which `If-Match` needs as well.
pub(super) fn check_write(
    cx: &Cx<Buckets>,
    bucket: &Bucket,
    key: &str,
    if_match: Option<&str>,
    if_none_match: Option<&str>,
) -> Result<()> {
    if if_match.is_some() && if_none_match.is_some() {
        let detail = "Multiple conditional request headers present in the request";
        return Err(errors::header_not_implemented("If-Match,If-None-Match", detail));
    }
    let current = match bucket.latest(key) {
        Some(Version::Object(object)) => Some(object),
        _ => None,
    };
    match if_none_match {
        Some("*") if current.is_some() => return Err(errors::precondition_failed("If-None-Match")),
        Some("*") | None => {}
        Some(_) => {
            let detail = "We don't accept the provided value of If-None-Match header for this API";
            return Err(errors::header_not_implemented("If-None-Match", detail));
        }
    }
    let Some(tag) = if_match else { return Ok(()) };
    if tag == "*" {
        let detail = "We don't accept the provided value of If-Match header for this API";
        return Err(errors::header_not_implemented("If-Match", detail));
    }
    require(cx, "s3:GetObject", &bucket.name, key)?;
    match current {
        None => Err(errors::no_such_key(key)),
        Some(object) if names(tag, &object.etag) => Ok(()),
        Some(_) => Err(errors::precondition_failed("If-Match")),
    }
}

/// The condition of deleting a key. It looks at the current version, whichever is deleted.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html>
///
/// # Errors
/// 412 if the current object is another, or `*` asks for one and there is none; 404 if an ETag does;
/// 403 without the permission to read the object, which an ETag needs as well.
pub(super) fn check_delete(cx: &Cx<Buckets>, bucket: &Bucket, key: &str, if_match: Option<&str>) -> Result<()> {
    let Some(tag) = if_match else { return Ok(()) };
    if tag != "*" {
        require(cx, "s3:GetObject", &bucket.name, key)?;
    }
    match bucket.latest(key) {
        Some(Version::Object(object)) if names(tag, &object.etag) => Ok(()),
        Some(Version::Object(_)) => Err(errors::precondition_failed("If-Match")),
        _ if tag == "*" => Err(errors::precondition_failed("If-Match")),
        _ => Err(errors::no_such_key(key)),
    }
}
