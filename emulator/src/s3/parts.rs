//! ListParts and ListMultipartUploads.

use std::ops::Bound;
use std::sync::Arc;

use serde::Serialize;

use super::bucket::Owner;
use super::checksum::{Algorithm, Checksum, Kind};
use super::errors;
use super::input::input;
use super::list::{CommonPrefix, Encoding, page_size};
use super::lookup::{bucket, canonical_id};
use super::multipart::{Upload, upload};
use super::object::STANDARD_CLASS;
use super::ownership::ANONYMOUS;
use super::state::{Bucket, Buckets, place};
use super::walk::{Filter, Start};
use crate::cloud::Cx;
use crate::{Result, Timestamp};

input! { guard;
    struct ListParts {
        pub key: String,
        pub upload_id: String,
        max_parts: Option<i64>,
        part_number_marker: Option<i64>,
        // What a list tells of an upload under a customer's key is not encrypted with it.
        #[serde(rename = "SSECustomerAlgorithm")]
        _customer_algorithm: Option<String>,
        #[serde(rename = "SSECustomerKey")]
        _customer_key: Option<String>,
        #[serde(rename = "SSECustomerKeyMD5")]
        _customer_md5: Option<String>,
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListPartsOutput {
    bucket: String,
    key: String,
    upload_id: String,
    part_number_marker: u32,
    next_part_number_marker: u32,
    max_parts: usize,
    is_truncated: bool,
    parts: Vec<PartEntry>,
    initiator: Initiator,
    owner: Owner,
    storage_class: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    checksum_algorithm: Option<Algorithm>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checksum_type: Option<Kind>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PartEntry {
    part_number: u32,
    last_modified: Timestamp,
    #[serde(rename = "ETag")]
    etag: String,
    size: u64,
    #[serde(flatten)]
    checksum: Option<Checksum>,
}

/// Who started an upload: a user by its ARN, an account by its canonical id. Unlike owners it still has a name.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Initiator {
    #[serde(rename = "ID")]
    id: String,
    display_name: String,
}

impl Initiator {
    fn of(upload: &Upload, bucket: &Bucket) -> Self {
        let account = upload.initiator_account().unwrap_or(&bucket.owner);
        let root = upload.initiator == ANONYMOUS || upload.initiator.ends_with(":root");
        let id = if root { canonical_id(account) } else { upload.initiator.clone() };
        let display_name = match upload.initiator.rsplit_once('/') {
            Some((_, name)) if !root => name.to_owned(),
            _ => account.to_owned(),
        };
        Self { id, display_name }
    }
}

impl Upload {
    /// The account of who started it; none for a service.
    pub(super) fn initiator_account(&self) -> Option<&str> {
        if self.initiator == ANONYMOUS {
            return Some(ANONYMOUS);
        }
        self.initiator.split(':').nth(4)
    }

    /// Who is going to own its object.
    fn owner(&self, bucket: &Bucket) -> Owner {
        Owner::of(bucket.owner_among(self.description.owner.as_deref()))
    }
}

fn storage_class(upload: &Upload) -> String {
    upload.description.storage_class.clone().unwrap_or_else(|| STANDARD_CLASS.to_owned())
}

/// The part after which a page begins.
pub(super) fn part_marker(marker: Option<i64>) -> Result<u32> {
    let marker = marker.unwrap_or(0);
    u32::try_from(marker).map_err(|_| {
        let text = "Argument part-number-marker must be an integer between 0 and 2147483647";
        errors::invalid_argument("part-number-marker", marker.to_string(), text)
    })
}

pub(super) fn list_parts(cx: &mut Cx<Buckets>, input: ListParts) -> Result<ListPartsOutput> {
    let bucket = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    let (upload, _) = upload(bucket, &input.key, &input.upload_id)?;
    let limit = page_size("max-parts", input.max_parts)?;
    let marker = part_marker(input.part_number_marker)?;
    let mut after = upload.parts.range((Bound::Excluded(marker), Bound::Unbounded));
    let parts: Vec<_> = after
        .by_ref()
        .take(limit)
        .map(|(number, part)| PartEntry {
            part_number: *number,
            last_modified: part.modified,
            etag: part.etag.clone(),
            size: part.body.len() as u64,
            checksum: upload.checksum.map(|_| part.checksum.clone()),
        })
        .collect();
    Ok(ListPartsOutput {
        part_number_marker: marker,
        next_part_number_marker: parts.last().map_or(0, |last| last.part_number),
        max_parts: limit,
        is_truncated: limit > 0 && after.next().is_some(),
        parts,
        initiator: Initiator::of(upload, bucket),
        owner: upload.owner(bucket),
        storage_class: storage_class(upload),
        checksum_algorithm: upload.checksum.map(|(algorithm, _)| algorithm),
        checksum_type: upload.checksum.map(|(_, kind)| kind),
        bucket: input.bucket,
        key: input.key,
        upload_id: input.upload_id,
    })
}

input! { guard;
    struct ListMultipartUploads {
        prefix: Option<String>,
        delimiter: Option<String>,
        encoding_type: Option<String>,
        key_marker: Option<String>,
        upload_id_marker: Option<String>,
        max_uploads: Option<i64>,
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListMultipartUploadsOutput {
    bucket: String,
    key_marker: String,
    upload_id_marker: String,
    next_key_marker: String,
    next_upload_id_marker: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delimiter: Option<String>,
    max_uploads: usize,
    is_truncated: bool,
    uploads: Vec<UploadEntry>,
    common_prefixes: Vec<CommonPrefix>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding_type: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct UploadEntry {
    upload_id: String,
    key: String,
    initiated: Timestamp,
    storage_class: String,
    owner: Owner,
    initiator: Initiator,
    #[serde(skip_serializing_if = "Option::is_none")]
    checksum_algorithm: Option<Algorithm>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checksum_type: Option<Kind>,
}

pub(super) fn list_uploads(cx: &mut Cx<Buckets>, input: ListMultipartUploads) -> Result<ListMultipartUploadsOutput> {
    let bucket = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    let limit = page_size("max-uploads", input.max_uploads)?;
    let encoding = Encoding::new(input.encoding_type.as_deref())?;
    let filter = Filter::new(input.prefix.as_deref(), input.delimiter.as_deref());
    let (key_marker, id_marker) = (input.key_marker.unwrap_or_default(), input.upload_id_marker.unwrap_or_default());
    let mut output = ListMultipartUploadsOutput {
        bucket: bucket.name.to_string(),
        key_marker: encoding.write(&key_marker),
        next_key_marker: String::new(),
        next_upload_id_marker: String::new(),
        prefix: encoding.write_some(input.prefix.as_deref()),
        delimiter: encoding.write_some(input.delimiter.as_deref()),
        max_uploads: limit,
        is_truncated: false,
        uploads: Vec::new(),
        common_prefixes: Vec::new(),
        encoding_type: encoding.name(),
        // Without a key, an upload is no marker.
        upload_id_marker: if key_marker.is_empty() { String::new() } else { id_marker.clone() },
    };
    check_marker(bucket, &key_marker, &id_marker)?;
    let mut from = start(&filter, &key_marker, &id_marker)?;
    'seek: while let Some(bound) = from {
        from = None;
        for ((key, _), upload) in bucket.uploads.range((bound, Bound::Unbounded)) {
            if !key.starts_with(filter.prefix) {
                break;
            }
            if output.uploads.len() + output.common_prefixes.len() == limit {
                output.is_truncated = limit > 0;
                break;
            }
            if let Some(common) = filter.common(key) {
                let prefix = encoding.write(common);
                // Where a common prefix was the last, S3 tells nothing to go on from.
                output.next_key_marker.clear();
                output.next_upload_id_marker.clear();
                output.common_prefixes.push(CommonPrefix { prefix });
                from = at(&Start::beyond(common));
                continue 'seek;
            }
            output.next_key_marker = encoding.write(key);
            output.next_upload_id_marker = upload.id.to_string();
            output.uploads.push(entry(encoding.write(key), upload, bucket));
        }
    }
    Ok(output)
}

fn entry(key: String, upload: &Upload, bucket: &Bucket) -> UploadEntry {
    UploadEntry {
        upload_id: upload.id.to_string(),
        key,
        initiated: upload.initiated,
        storage_class: storage_class(upload),
        owner: upload.owner(bucket),
        initiator: Initiator::of(upload, bucket),
        checksum_algorithm: upload.checksum.map(|(algorithm, _)| algorithm),
        checksum_type: upload.checksum.map(|(_, kind)| kind),
    }
}

type Place = (Arc<str>, u64);

/// The lower bound of the uploads of the keys from a place on.
fn at(from: &Start) -> Option<Bound<Place>> {
    match from {
        Start::At(key) => Some(Bound::Included((Arc::from(&**key), 0))),
        Start::After(key) => Some(Bound::Excluded((Arc::from(&**key), u64::MAX))),
        Start::End => None,
    }
}

/// The upload of a marker may be over, but it is not that of another key.
fn check_marker(bucket: &Bucket, key: &str, id: &str) -> Result<()> {
    let known = |place: u64| bucket.uploads.contains_key(&(Arc::from(key), place));
    if id.is_empty() || key.is_empty() || place(id).is_some_and(known) {
        return Ok(());
    }
    if bucket.uploads.values().any(|upload| &*upload.id == id) {
        return Err(errors::invalid_argument("upload-id-marker", id, "Invalid uploadId marker"));
    }
    Ok(())
}

/// An upload id as marker goes on within the key; alone it is ignored, as S3 does.
fn start(filter: &Filter, key: &str, id: &str) -> Result<Option<Bound<Place>>> {
    if key.is_empty() {
        return Ok(at(&filter.start(Start::default())));
    }
    if id.is_empty() || filter.common(key).is_some() {
        return Ok(at(&filter.start(filter.after_marker(key))));
    }
    let sequence =
        place(id).ok_or_else(|| errors::invalid_argument("upload-id-marker", id, "Invalid uploadId marker"))?;
    if key < filter.prefix {
        return Ok(at(&filter.start(Start::default())));
    }
    Ok(Some(Bound::Excluded((Arc::from(key), sequence))))
}
