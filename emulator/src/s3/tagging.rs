//! Tags of objects and buckets.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html>

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::errors;
use super::events::{self, Happening};
use super::input::input;
use super::lookup::{bucket, bucket_mut, missing, version};
use super::object::Object;
use super::state::{Bucket, Buckets};
use crate::cloud::Cx;
use crate::{Error, Result};

/// How many tags an object may have.
pub(super) const OBJECT_LIMIT: usize = 10;
/// How many tags a bucket may have.
pub(super) const BUCKET_LIMIT: usize = 50;
/// The length of a tag's key and value, in UTF-16 units.
const KEY_LENGTH: usize = 128;
const VALUE_LENGTH: usize = 256;

/// A tag.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    pub key: String,
    pub value: String,
}

/// # Errors
/// `BadRequest` for too many, `InvalidTag` for tags that are not allowed.
pub(super) fn check(tags: &[Tag], limit: usize) -> Result<()> {
    if tags.len() > limit {
        let what = if limit == OBJECT_LIMIT { "Object" } else { "Bucket" };
        return Err(Error::new(400, "BadRequest", format!("{what} tags cannot be greater than {limit}")));
    }
    let mut keys = BTreeSet::new();
    for Tag { key, value } in tags {
        if !keys.insert(key) {
            let text = "Cannot provide multiple Tags with the same key";
            return Err(Error::new(400, "InvalidTag", text).with("TagKey", key.clone()));
        }
        if key.starts_with("aws:") {
            let text = if limit == OBJECT_LIMIT {
                "Your TagKey cannot be prefixed with aws:"
            } else {
                "System tags cannot be added/updated by requester"
            };
            return Err(Error::new(400, "InvalidTag", text).with("TagKey", key.clone()));
        }
        if key.is_empty() || key.encode_utf16().count() > KEY_LENGTH || !key.chars().all(allowed) {
            let text = "The TagKey you have provided is invalid";
            return Err(Error::new(400, "InvalidTag", text).with("TagKey", key.clone()));
        }
        if value.encode_utf16().count() > VALUE_LENGTH || !value.chars().all(allowed) {
            let text = "The TagValue you have provided is invalid";
            return Err(Error::new(400, "InvalidTag", text)
                .with("TagKey", key.clone())
                .with("TagValue", value.clone()));
        }
    }
    Ok(())
}

/// The same of a bucket that is about to be made, which has a text of its own for the tags of AWS.
///
/// # Errors
/// As [`check`].
pub(super) fn check_new(tags: &[Tag]) -> Result<()> {
    if tags.iter().any(|tag| tag.key.starts_with("aws:")) {
        let text = "User-defined tag keys can't start with \"aws:\". This prefix is reserved for system tags. Remove \
                    \"aws:\" from your tag keys and try again.";
        return Err(Error::new(400, "InvalidTag", text));
    }
    check(tags, BUCKET_LIMIT)
}

/// Letters, digits and spaces of any script, and `_ . : / = + - @`.
fn allowed(c: char) -> bool {
    c.is_alphanumeric() || c.is_whitespace() || "_.:/=+-@".contains(c)
}

/// The tags of the header `x-amz-tagging`, which are written like the query of a URL.
///
/// # Errors
/// `InvalidArgument` for what is not written so; see [`check`] for the rest.
pub(super) fn from_header(header: &str) -> Result<Vec<Tag>> {
    let invalid = || {
        let text = "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without \
                    tag name duplicates.";
        errors::invalid_argument("x-amz-tagging", header, text)
    };
    let decode = |part: &str| {
        let spaced = part.replace('+', " ");
        percent_encoding::percent_decode_str(&spaced).decode_utf8().map(|text| text.into_owned()).map_err(|_| invalid())
    };
    let mut tags: Vec<Tag> = Vec::new();
    for pair in header.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let tag = Tag { key: decode(key)?, value: decode(value)? };
        if tag.key.is_empty() || tags.iter().any(|other| other.key == tag.key) {
            return Err(invalid());
        }
        tags.push(tag);
    }
    // S3 keeps these in an order that is not the request's.
    tags.sort_unstable_by(|a, b| a.key.cmp(&b.key));
    check(&tags, OBJECT_LIMIT).map_err(|error| if error.code() == "InvalidTag" { invalid() } else { error })?;
    Ok(tags)
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tagging {
    #[serde(default)]
    tag_set: Vec<Tag>,
}

input! { guard; struct OnObject { pub key: String, pub version_id: Option<String>, } }

input! { guard configures;
    struct PutObjectTagging { pub key: String, pub version_id: Option<String>, tagging: Tagging, }
}

impl PutObjectTagging {
    /// The tags that it brings.
    pub fn tags(&self) -> &[Tag] {
        &self.tagging.tag_set
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ObjectTaggingOutput {
    #[serde(skip_serializing_if = "Option::is_none")]
    version_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag_set: Option<Vec<Tag>>,
}

/// The object whose tags or ACL are meant. A delete marker has neither.
pub(super) fn object(
    cx: &Cx<Buckets>,
    bucket: &Bucket,
    key: &str,
    id: Option<&str>,
    method: &str,
) -> Result<Arc<Object>> {
    let found = match id {
        None => match bucket.latest(key) {
            // To who reads, what was deleted is not there.
            None => return Err(missing(cx, bucket, key)),
            Some(super::object::Version::Marker(_)) if method == "GET" => return Err(missing(cx, bucket, key)),
            Some(version) => version,
        },
        Some(_) => version(cx, bucket, key, id, method)?,
    };
    found.object(method).map(Arc::clone)
}

pub(super) fn get_object_tagging(cx: &mut Cx<Buckets>, input: OnObject) -> Result<ObjectTaggingOutput> {
    let bucket = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    // Unlike other readers this one is told what it is that has no tags.
    if let (None, Some(marker)) = (&input.version_id, bucket.latest(&input.key)) {
        marker.object("GET")?;
    }
    let object = object(cx, bucket, &input.key, input.version_id.as_deref(), "GET");
    // And it tells the bucket together with a key that is missing.
    let object = object.map_err(|error| match error.code() {
        "NoSuchKey" => error.with("Key", format!("{}/{}", input.bucket, input.key)),
        _ => error,
    })?;
    let version_id = bucket.shown_id(&object.stamp);
    Ok(ObjectTaggingOutput { version_id, tag_set: Some(object.description.tags.clone()) })
}

pub(super) fn put_object_tagging(cx: &mut Cx<Buckets>, input: PutObjectTagging) -> Result<ObjectTaggingOutput> {
    check(&input.tagging.tag_set, OBJECT_LIMIT)?;
    let at = OnObject {
        key: input.key,
        version_id: input.version_id,
        bucket: input.bucket,
        expected_bucket_owner: input.expected_bucket_owner,
        _request_payer: None,
    };
    set_object_tags(cx, &at, input.tagging.tag_set, "PUT")
}

pub(super) fn delete_object_tagging(cx: &mut Cx<Buckets>, input: OnObject) -> Result<ObjectTaggingOutput> {
    set_object_tags(cx, &input, Vec::new(), "DELETE")
}

fn set_object_tags(cx: &mut Cx<Buckets>, at: &OnObject, tags: Vec<Tag>, method: &str) -> Result<ObjectTaggingOutput> {
    let found = bucket(cx, &at.bucket, at.expected_bucket_owner.as_deref())?;
    let object = object(cx, found, &at.key, at.version_id.as_deref(), method)?;
    let version_id = found.shown_id(&object.stamp);
    bucket_mut(cx, &at.bucket)?.change(&at.key, &object, |kept| kept.tags = tags)?;
    let event = if method == "DELETE" { "ObjectTagging:Delete" } else { "ObjectTagging:Put" };
    let mut happening = Happening::of(event, &at.key, &object);
    happening.version.clone_from(&version_id);
    events::tell(cx, &at.bucket, happening);
    Ok(ObjectTaggingOutput { version_id, tag_set: None })
}

input! { guard configures; struct PutBucketTagging { tagging: Tagging, } }

pub(super) fn get_bucket_tagging(cx: &mut Cx<Buckets>, input: super::bucket::OnBucket) -> Result<Tagging> {
    let bucket = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    let tags = &bucket.configuration.tags;
    if tags.is_empty() {
        let error = Error::new(404, "NoSuchTagSet", "The TagSet does not exist");
        return Err(error.with("BucketName", input.bucket));
    }
    Ok(Tagging { tag_set: tags.clone() })
}

pub(super) fn put_bucket_tagging(cx: &mut Cx<Buckets>, input: PutBucketTagging) -> Result<()> {
    bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    check(&input.tagging.tag_set, BUCKET_LIMIT)?;
    bucket_mut(cx, &input.bucket)?.configuration.tags = input.tagging.tag_set;
    cx.answer_status(204);
    Ok(())
}

pub(super) fn delete_bucket_tagging(cx: &mut Cx<Buckets>, input: super::bucket::OnBucket) -> Result<()> {
    bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    bucket_mut(cx, &input.bucket)?.configuration.tags = Vec::new();
    Ok(())
}
