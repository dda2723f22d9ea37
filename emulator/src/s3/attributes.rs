//! GetObjectAttributes.

use std::sync::Arc;

use serde::Serialize;

use super::checksum::{Checksum, Kind};
use super::errors;
use super::input::{customer_key, input};
use super::list::page_size;
use super::lookup::{bucket, version};
use super::object::{Object, STANDARD_CLASS};
use super::parts::part_marker;
use super::state::Buckets;
use crate::cloud::Cx;
use crate::{Result, Timestamp};

/// What can be asked for.
const KNOWN: [&str; 5] = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"];

input! { guard customer;
    struct GetObjectAttributes {
        pub key: String,
        pub version_id: Option<String>,
        object_attributes: Vec<String>,
        max_parts: Option<i64>,
        part_number_marker: Option<i64>,
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AttributesOutput {
    last_modified: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_id: Option<String>,
    /// Without its quotes: the one answer of S3 where it is so.
    #[serde(rename = "ETag", skip_serializing_if = "Option::is_none")]
    etag: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checksum: Option<Checksum>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object_parts: Option<ObjectParts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    storage_class: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object_size: Option<u64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ObjectParts {
    total_parts_count: usize,
    #[serde(flatten)]
    page: Option<PartsPage>,
}

/// Which parts there are is told only of objects with a checksum of their parts.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PartsPage {
    part_number_marker: u32,
    next_part_number_marker: u32,
    max_parts: usize,
    is_truncated: bool,
    parts: Vec<ObjectPart>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ObjectPart {
    part_number: u32,
    size: u64,
    #[serde(flatten)]
    checksum: Checksum,
}

pub(super) fn get(cx: &mut Cx<Buckets>, mut input: GetObjectAttributes) -> Result<AttributesOutput> {
    let bucket = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    // A list in a header may come in one piece.
    let asked: Vec<&str> = input.object_attributes.iter().flat_map(|one| one.split(',')).map(str::trim).collect();
    if let Some(other) = asked.iter().find(|one| !KNOWN.contains(one)) {
        return Err(errors::invalid_argument("x-amz-object-attributes", *other, "Invalid attribute name specified."));
    }
    let version = version(cx, bucket, &input.key, input.version_id.as_deref(), "GET")?;
    let object = Arc::clone(version.object("GET")?);
    object.description.encryption.check_read(&customer_key!(input))?;
    let wants = |name: &str| asked.contains(&name);
    let marker = part_marker(input.part_number_marker)?;
    let limit = page_size("max-parts", input.max_parts)?;
    let class = || object.description.storage_class.clone().unwrap_or_else(|| STANDARD_CLASS.to_owned());
    Ok(AttributesOutput {
        last_modified: object.stamp.modified,
        version_id: bucket.shown_id(&object.stamp),
        etag: wants("ETag").then(|| object.etag.trim_matches('"').to_owned()),
        checksum: wants("Checksum").then(|| bare(&object.checksum)),
        object_parts: (wants("ObjectParts") && !object.parts.is_empty()).then(|| parts(&object, marker, limit)),
        storage_class: wants("StorageClass").then(class),
        object_size: wants("ObjectSize").then(|| object.size()),
    })
}

/// A composite checksum without the number of parts, which stands beside it here.
fn bare(checksum: &Checksum) -> Checksum {
    let value = checksum.value.split('-').next().unwrap_or_default().to_owned();
    Checksum { value, ..checksum.clone() }
}

fn parts(object: &Object, marker: u32, limit: usize) -> ObjectParts {
    let mut after = object.parts.iter().filter(|part| part.number > marker);
    let page = (object.checksum.kind == Some(Kind::Composite)).then(|| {
        let parts: Vec<_> = after
            .by_ref()
            .take(limit)
            .map(|part| ObjectPart { part_number: part.number, size: part.size, checksum: part.checksum.clone() })
            .collect();
        PartsPage {
            part_number_marker: marker,
            next_part_number_marker: parts.last().map_or(0, |last| last.part_number),
            max_parts: limit,
            is_truncated: limit > 0 && after.next().is_some(),
            parts,
        }
    });
    ObjectParts { total_parts_count: object.parts.len(), page }
}
