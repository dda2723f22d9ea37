//! DeleteObject and DeleteObjects.

use serde::{Deserialize, Serialize};

use super::events::{self, Happening};
use super::input::input;
use super::lookup::{bucket, check_version_id, require};
use super::object::Version;
use super::state::Buckets;
use super::{conditions, errors, guard, lock};
use crate::cloud::{At, Cx, Target};
use crate::{Error, Result, Timestamp};

/// `DeleteObjects` takes at most this many keys.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>
const BATCH: usize = 1000;

input! { guard;
    struct DeleteObject {
        pub key: String,
        pub version_id: Option<String>,
        if_match: Option<String>,
        bypass_governance_retention: Option<bool>,
        if_match_last_modified_time: Option<Timestamp>,
        if_match_size: Option<u64>,
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DeleteObjectOutput {
    #[serde(skip_serializing_if = "Option::is_none")]
    delete_marker: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_id: Option<String>,
}

pub(super) fn target(at: &At<Buckets>, input: &DeleteObject) -> Target {
    let actions = ["s3:DeleteObject", "s3:DeleteObjectVersion"];
    let target = super::get::on_version(at, &input.bucket, &input.key, input.version_id.as_deref(), actions);
    match &input.if_match {
        Some(tag) => target.context("s3:if-match", tag),
        None => target,
    }
}

pub(super) fn delete(cx: &mut Cx<Buckets>, input: DeleteObject) -> Result<DeleteObjectOutput> {
    let bucket = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    refuse_directory_conditions(input.if_match_last_modified_time, input.if_match_size)?;
    lock::check_bypass(bucket, input.bypass_governance_retention)?;
    conditions::check_delete(cx, bucket, &input.key, input.if_match.as_deref())?;
    let bypass = lock::bypasses(cx, &input.bucket, &input.key, input.bypass_governance_retention);
    let gone = remove(cx, &input.bucket, &input.key, input.version_id.as_deref(), bypass)?;
    let (delete_marker, version_id) = match gone {
        Gone::Nothing => (None, None),
        Gone::Marked(id) => (Some(true), Some(id)),
        Gone::Version { id, was_marker } => (was_marker.then_some(true), Some(id)),
    };
    Ok(DeleteObjectOutput { delete_marker, version_id })
}

/// What a deletion did.
enum Gone {
    /// Nothing that has a version id to answer.
    Nothing,
    /// A delete marker of this id was left.
    Marked(String),
    /// This version is gone for good.
    Version { id: String, was_marker: bool },
}

/// Deletes and tells. `bypass` is whether the request ends a retention that its sender may end.
fn remove(cx: &mut Cx<Buckets>, name: &str, key: &str, version_id: Option<&str>, bypass: bool) -> Result<Gone> {
    let bucket = cx.state.buckets.get_mut(name).ok_or_else(|| errors::no_such_bucket(name))?;
    let Some(id) = version_id else {
        let was_there = bucket.objects.contains_key(key);
        let marker = bucket.delete(key, cx.ids, cx.now);
        let Some(stamp) = marker else {
            // What was not there is not gone.
            if was_there {
                events::tell(cx, name, Happening::gone("ObjectRemoved:Delete", key, None));
            }
            return Ok(Gone::Nothing);
        };
        let id = stamp.id.as_deref().map(str::to_owned);
        events::tell(cx, name, Happening::gone("ObjectRemoved:DeleteMarkerCreated", key, id));
        return Ok(Gone::Marked(stamp.id_or_null().to_owned()));
    };
    check_version_id(id)?;
    if let Some(Version::Object(object)) = bucket.version(key, id) {
        object.description.lock.check_delete(bypass, cx.now)?;
    }
    // Deleting a version that is not there succeeds as well.
    let gone = bucket.delete_version(key, id);
    let was_marker = matches!(gone, Some(Version::Marker(_)));
    if gone.is_some() {
        let shown = Some(id.to_owned()).filter(|id| id != "null");
        events::tell(cx, name, Happening::gone("ObjectRemoved:Delete", key, shown));
    }
    Ok(Gone::Version { id: id.to_owned(), was_marker })
}

/// Conditions that only directory buckets know.
fn refuse_directory_conditions(modified: Option<Timestamp>, size: Option<u64>) -> Result<()> {
    let header = match (modified, size) {
        (Some(_), _) => "x-amz-if-match-last-modified-time",
        (None, Some(_)) => "x-amz-if-match-size",
        (None, None) => return Ok(()),
    };
    let text = "A header you provided implies functionality that is not implemented";
    Err(Error::new(501, "NotImplemented", text).with("Header", header))
}

input! { guard;
    struct DeleteObjects {
        delete: Delete,
        _checksum_algorithm: Option<String>,
        bypass_governance_retention: Option<bool>,
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Delete {
    objects: Vec<Identifier>,
    quiet: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Identifier {
    key: String,
    version_id: Option<String>,
    #[serde(rename = "ETag")]
    etag: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DeleteObjectsOutput {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    deleted: Vec<Deleted>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Failed>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Deleted {
    key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delete_marker: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delete_marker_version_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Failed {
    key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_id: Option<String>,
    code: String,
    message: String,
}

/// The request itself is open: each key is allowed or denied by itself, and a denial is told among the answer's errors.
pub(super) fn batch_target(at: &At<Buckets>, input: &DeleteObjects) -> Target {
    let target = guard::on_bucket(at, &input.bucket, "s3:DeleteObject");
    Target { open: true, resource: format!("{}/*", target.resource), ..target }
}

pub(super) fn delete_batch(cx: &mut Cx<Buckets>, input: DeleteObjects) -> Result<DeleteObjectsOutput> {
    bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    // AWS refuses to bypass retentions where none can be, as DeleteObject does here. A batch is let through: there is nothing
    // to bypass, and Ceph's suite empties all of its buckets so.
    let Delete { objects, quiet } = input.delete;
    if objects.is_empty() || objects.len() > BATCH {
        return Err(errors::malformed_xml());
    }
    let mut output = DeleteObjectsOutput { deleted: Vec::new(), errors: Vec::new() };
    for object in objects {
        match delete_one(cx, &input.bucket, &object, input.bypass_governance_retention) {
            Ok(_) if quiet == Some(true) => {}
            Ok(gone) => output.deleted.push(deleted(object.key, gone)),
            Err(error) => output.errors.push(Failed {
                key: object.key,
                version_id: object.version_id,
                code: error.code().to_owned(),
                message: error.message().to_owned(),
            }),
        }
    }
    Ok(output)
}

fn delete_one(cx: &mut Cx<Buckets>, name: &str, object: &Identifier, bypass: Option<bool>) -> Result<Gone> {
    let version_id = object.version_id.as_deref();
    let action = if version_id.is_some() { "s3:DeleteObjectVersion" } else { "s3:DeleteObject" };
    require(cx, action, name, &object.key)?;
    let bucket = bucket(cx, name, None)?;
    conditions::check_delete(cx, bucket, &object.key, object.etag.as_deref())?;
    let bypass = lock::bypasses(cx, name, &object.key, bypass);
    remove(cx, name, &object.key, version_id, bypass).map_err(|error| match error.code() {
        // Inside a batch S3 does not find a version whose id is none.
        "InvalidArgument" => Error::new(404, "NoSuchVersion", "The specified version does not exist."),
        _ => error,
    })
}

fn deleted(key: String, gone: Gone) -> Deleted {
    let (version_id, marker) = match gone {
        Gone::Nothing => (None, None),
        Gone::Marked(id) => (None, Some(id)),
        Gone::Version { id, was_marker: false } => (Some(id), None),
        Gone::Version { id, was_marker: true } => (Some(id.clone()), Some(id)),
    };
    Deleted { key, version_id, delete_marker: marker.is_some().then_some(true), delete_marker_version_id: marker }
}
