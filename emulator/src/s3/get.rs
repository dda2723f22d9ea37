//! GetObject and HeadObject.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use serde::Serialize;

use super::checksum::{Checksum, Kind};
use super::conditions::ReadConditions;
use super::input::{customer_key, input};
use super::lookup::{self, bucket, version};
use super::object::{ContentHeaders, Object, Version};
use super::state::Buckets;
use super::{context, encryption, errors, guard, lifecycle, lock, range};
use crate::cloud::{At, Cx, Target};
use crate::iam::Principal;
use crate::{Error, Result, Timestamp};

input! { guard customer;
    struct GetObject {
        pub key: String,
        pub version_id: Option<String>,
        if_match: Option<String>,
        if_none_match: Option<String>,
        if_modified_since: Option<Timestamp>,
        if_unmodified_since: Option<Timestamp>,
        range: Option<String>,
        part_number: Option<u32>,
        pub checksum_mode: Option<String>,
        response_cache_control: Option<String>,
        response_content_disposition: Option<String>,
        response_content_encoding: Option<String>,
        response_content_language: Option<String>,
        response_content_type: Option<String>,
        response_expires: Option<Timestamp>,
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ObjectOutput {
    accept_ranges: &'static str,
    last_modified: Timestamp,
    content_length: u64,
    #[serde(rename = "ETag")]
    etag: String,
    #[serde(flatten)]
    checksum: Option<Checksum>,
    #[serde(flatten)]
    headers: ContentHeaders,
    metadata: BTreeMap<String, String>,
    #[serde(flatten)]
    encryption: encryption::Shown,
    #[serde(flatten)]
    lock: lock::Shown,
    #[serde(skip_serializing_if = "Option::is_none")]
    restore: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_range: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    website_redirect_location: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    storage_class: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parts_count: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag_count: Option<usize>,
}

pub(super) fn target(at: &At<Buckets>, input: &GetObject) -> Target {
    on_version(at, &input.bucket, &input.key, input.version_id.as_deref(), ["s3:GetObject", "s3:GetObjectVersion"])
}

/// The target of an operation that has one action on a key, and another on one version of it.
pub(super) fn on_version(
    at: &At<Buckets>,
    bucket: &str,
    key: &str,
    version: Option<&str>,
    [action, versioned]: [&'static str; 2],
) -> Target {
    let target = match version {
        None => guard::on_object(at, bucket, key, None, action),
        Some(id) => guard::on_object(at, bucket, key, Some(id), versioned).context("s3:VersionId", id),
    };
    let found = at.state.buckets.get(bucket).and_then(|bucket| match version {
        None => bucket.latest(key),
        Some(id) => bucket.version(key, id),
    });
    match found {
        Some(Version::Object(object)) => context::existing_tags(target, &object.description.tags),
        _ => target,
    }
}

pub(super) fn get(cx: &mut Cx<Buckets>, input: GetObject) -> Result<ObjectOutput> {
    let (object, bytes, output) = read(cx, input, "GET")?;
    let (start, end) = (usize::try_from(bytes.start), usize::try_from(bytes.end));
    let (Ok(start), Ok(end)) = (start, end) else { return Err(Error::internal("a range beyond memory")) };
    cx.answer_body(object.body.slice(start..end));
    Ok(output)
}

pub(super) fn head(cx: &mut Cx<Buckets>, input: GetObject) -> Result<ObjectOutput> {
    read(cx, input, "HEAD").map(|(_, _, output)| output)
}

/// What GET and HEAD have in common. The range is within the object.
fn read(cx: &mut Cx<Buckets>, mut input: GetObject, method: &str) -> Result<(Arc<Object>, Range<u64>, ObjectOutput)> {
    let bucket = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    let found = version(cx, bucket, &input.key, input.version_id.as_deref(), method)?;
    let object = Arc::clone(found.object(method)?);
    let conditions = ReadConditions {
        if_match: input.if_match.take(),
        if_none_match: input.if_none_match.take(),
        if_modified_since: input.if_modified_since,
        if_unmodified_since: input.if_unmodified_since,
    };
    object.description.encryption.check_read(&customer_key!(input))?;
    conditions.check(&object, cx.now)?;
    if method == "GET" {
        object.check_readable(cx.now)?;
    }
    let size = object.size();
    let part = bytes_asked(&input, &object)?;
    let whole = part.is_none();
    let bytes = part.unwrap_or(0..size);
    // The number of tags is for those who may read them.
    let tags = object.description.tags.len();
    let may_count = tags > 0 && {
        let actions = ["s3:GetObjectTagging", "s3:GetObjectVersionTagging"];
        let version = input.version_id.as_deref();
        lookup::may_do(cx, &on_version(&lookup::at(cx), &input.bucket, &input.key, version, actions))
    };
    let tag_count = may_count.then_some(tags);
    let checksum = match input.checksum_mode.as_deref() {
        Some(mode) if mode.eq_ignore_ascii_case("enabled") => {
            checksum_of(&object, bytes == (0..size), input.part_number)
        }
        _ => None,
    };
    let output = ObjectOutput {
        accept_ranges: "bytes",
        last_modified: object.stamp.modified,
        content_length: bytes.end - bytes.start,
        etag: object.etag.clone(),
        checksum,
        headers: headers(cx, &mut input, &object)?,
        metadata: object.description.metadata.clone(),
        encryption: object.description.encryption.shown(),
        lock: object.description.lock.shown(cx, &input.bucket, &input.key),
        restore: object.restore_header(cx.now),
        content_range: (!whole).then(|| range::content_range(&bytes, size)),
        version_id: bucket.shown_id(&object.stamp),
        website_redirect_location: object.description.redirect.clone(),
        storage_class: object.description.storage_class.clone(),
        expiration: match input.version_id {
            None => lifecycle::expiration_header(bucket, &input.key, &object),
            Some(_) => None,
        },
        parts_count: input.part_number.map(|_| object.parts.len()).filter(|count| *count > 0),
        tag_count,
    };
    if !whole {
        cx.answer_status(206);
    }
    Ok((object, bytes, output))
}

/// The checksum of what is answered: that of the object, or of the part that is asked for by its number.
fn checksum_of(object: &Object, whole: bool, part: Option<u32>) -> Option<Checksum> {
    match part {
        None => whole.then(|| object.checksum.clone()),
        Some(_) if object.parts.is_empty() => Some(object.checksum.clone()),
        Some(number) if object.checksum.kind == Some(Kind::Composite) => {
            let part = object.parts.get(usize::try_from(number.checked_sub(1)?).ok()?)?;
            Some(Checksum { kind: object.checksum.kind, ..part.checksum.clone() })
        }
        Some(_) => whole.then(|| object.checksum.clone()),
    }
}

/// The part of the object that is asked for; none if all of it is.
fn bytes_asked(input: &GetObject, object: &Object) -> Result<Option<Range<u64>>> {
    let size = object.size();
    match (&input.range, input.part_number) {
        (Some(_), Some(_)) => {
            Err(errors::invalid_request("Cannot specify both Range header and partNumber query parameter"))
        }
        (Some(header), None) => range::read(header, size),
        (None, Some(1)) if object.parts.is_empty() => Ok((size > 0).then_some(0..size)),
        (None, Some(number)) => {
            let mut start = 0;
            for (index, part) in object.parts.iter().enumerate() {
                // Parts are numbered anew here: clients count from 1 to the number of parts.
                if index as u64 + 1 == u64::from(number) {
                    return Ok(Some(start..start + part.size));
                }
                start += part.size;
            }
            Err(Error::new(416, "InvalidPartNumber", "The requested partnumber is not satisfiable")
                .with("ActualPartCount", object.parts.len().max(1).to_string())
                .with("PartNumberRequested", number.to_string()))
        }
        (None, None) => Ok(None),
    }
}

/// The object's headers, with those that the request wants instead.
fn headers(cx: &Cx<Buckets>, input: &mut GetObject, object: &Object) -> Result<ContentHeaders> {
    let wanted = ContentHeaders {
        content_type: input.response_content_type.take(),
        content_encoding: input.response_content_encoding.take(),
        content_language: input.response_content_language.take(),
        content_disposition: input.response_content_disposition.take(),
        cache_control: input.response_cache_control.take(),
        expires: input.response_expires.map(Timestamp::to_http_date),
    };
    if wanted == ContentHeaders::default() {
        return Ok(object.description.headers.clone());
    }
    let named = [
        ("response-cache-control", &wanted.cache_control),
        ("response-content-disposition", &wanted.content_disposition),
        ("response-content-encoding", &wanted.content_encoding),
        ("response-content-language", &wanted.content_language),
        ("response-content-type", &wanted.content_type),
    ];
    for (name, value) in named {
        if let Some(value) = value.as_deref().filter(|value| value.chars().any(|c| u32::from(c) > 0xFF)) {
            return Err(errors::invalid_argument(name, value, "Header value cannot be represented using ISO-8859-1."));
        }
    }
    if cx.caller.principal == Principal::Anonymous {
        let text = "Request specific response headers cannot be used for anonymous GET requests.";
        return Err(errors::invalid_request(text));
    }
    let kept = object.description.headers.clone();
    Ok(ContentHeaders {
        content_type: wanted.content_type.or(kept.content_type),
        content_encoding: wanted.content_encoding.or(kept.content_encoding),
        content_language: wanted.content_language.or(kept.content_language),
        content_disposition: wanted.content_disposition.or(kept.content_disposition),
        cache_control: wanted.cache_control.or(kept.cache_control),
        expires: wanted.expires.or(kept.expires),
    })
}
