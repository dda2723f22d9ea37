//! Multipart uploads: starting, filling, completing and aborting them. `parts.rs` lists them.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html>

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use imbl::OrdMap;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use super::checksum::{self, Algorithm, Checksum, Digests, Kind, Sent};
use super::copy::Source;
use super::encryption::Shown;
use super::events::{self, Happening};
use super::input::{copied_from, customer_key, description, input, sent_checksum};
use super::lookup::{self, bucket};
use super::object::{Description, Object, PartOf, Version, check_key};
use super::part_checksums::{
    check_kind, check_part_algorithm, check_part_checksum, check_whole, wanted_checksum, whole_checksum,
};
use super::put::{New, Stored, check_size, kept, quoted, require_more, store};
use super::state::{Bucket, Buckets, place, whole_seconds};
use super::{conditions, context, errors, guard, range};
use crate::cloud::{At, Cx, Target};
use crate::{Error, Result, Timestamp};

/// The parts of an upload are numbered from 1 to this.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
const PARTS: u32 = 10_000;
/// So many completed uploads of a bucket are remembered; AWS says no figure.
const COMPLETED: usize = 1000;
/// Every part but the last has at least this many bytes.
const PART_MINIMUM: u64 = 5 * 1024 * 1024;
/// An object of parts has at most this many bytes (50 TB since December 2025).
const OBJECT_LIMIT: u64 = 50 * 1024 * 1024 * 1024 * 1024;

/// What stays as it is of a key in the location of its object: slashes do not.
pub(super) const LOCATION: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// An upload that is under way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Upload {
    pub id: Arc<str>,
    pub initiated: Timestamp,
    pub initiator: String,
    pub description: Description,
    /// The checksum that was asked for when it was started.
    pub checksum: Option<(Algorithm, Kind)>,
    pub parts: OrdMap<u32, Part>,
    /// Whether an object of its key was deleted since it was started.
    #[serde(default)]
    pub outdated: bool,
}

/// A part that was uploaded.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Part {
    #[serde(with = "super::body")]
    pub body: Bytes,
    pub etag: String,
    pub checksum: Checksum,
    pub modified: Timestamp,
}

input! { guard describes customer grants;
    struct CreateMultipartUpload {
        pub key: String,
        checksum_algorithm: Option<String>,
        checksum_type: Option<String>,
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateOutput {
    bucket: String,
    key: String,
    upload_id: String,
    #[serde(flatten)]
    encryption: Shown,
    #[serde(skip_serializing_if = "Option::is_none")]
    checksum_algorithm: Option<Algorithm>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checksum_type: Option<Kind>,
}

/// The target of the start of an upload: policies may look at its headers.
pub(super) fn create_target(at: &At<Buckets>, input: &CreateMultipartUpload) -> Target {
    context::described!(guard::on_object(at, &input.bucket, &input.key, None, "s3:PutObject"), input)
}

/// The target of an operation that fills or completes an upload.
pub(super) fn target(at: &At<Buckets>, bucket: &str, key: &str, id: &str) -> Target {
    let found = at.state.buckets.get(bucket).and_then(|bucket| upload(bucket, key, id).ok());
    context::of_upload(guard::on_object(at, bucket, key, None, "s3:PutObject"), found.map(|(upload, _)| upload))
}

pub(super) fn create(cx: &mut Cx<Buckets>, mut input: CreateMultipartUpload) -> Result<CreateOutput> {
    let found = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    check_key(&input.key)?;
    let described = description!(input);
    require_more(cx, &described, &input.bucket, &input.key)?;
    let description = described.check(cx, found)?;
    let encryption = description.encryption.written();
    let checksum = wanted_checksum(input.checksum_algorithm.as_deref(), input.checksum_type.as_deref())?;
    let initiator = cx.caller.principal.arn();
    let initiated = whole_seconds(cx.now);
    let bucket = cx.state.buckets.get_mut(&*input.bucket).ok_or_else(|| errors::no_such_bucket(&input.bucket))?;
    let (sequence, id) = bucket.next_id(cx.ids);
    let upload = Upload {
        id: Arc::clone(&id),
        initiated,
        initiator,
        description,
        checksum,
        parts: OrdMap::new(),
        outdated: false,
    };
    bucket.uploads.insert((Arc::from(&*input.key), sequence), upload);
    Ok(CreateOutput {
        bucket: input.bucket,
        key: input.key,
        upload_id: id.to_string(),
        encryption,
        checksum_algorithm: checksum.map(|(algorithm, _)| algorithm),
        checksum_type: checksum.map(|(_, kind)| kind),
    })
}

/// The upload of this id, and its place.
///
/// # Errors
/// `NoSuchUpload`.
pub(super) fn upload<'a>(bucket: &'a Bucket, key: &str, id: &str) -> Result<(&'a Upload, (Arc<str>, u64))> {
    let missing = || errors::no_such_upload(id);
    let at = (Arc::from(key), place(id).ok_or_else(missing)?);
    let upload = bucket.uploads.get(&at).filter(|upload| &*upload.id == id).ok_or_else(missing)?;
    Ok((upload, at))
}

fn check_part_number(number: i64) -> Result<u32> {
    u32::try_from(number).ok().filter(|number| (1..=PARTS).contains(number)).ok_or_else(|| {
        let text = "Part number must be an integer between 1 and 10000, inclusive";
        errors::invalid_argument("partNumber", number.to_string(), text)
    })
}

input! { guard customer checksums;
    struct UploadPart {
        pub key: String,
        pub upload_id: String,
        part_number: i64,
        #[serde(rename = "ContentMD5")]
        content_md5: Option<String>,
        checksum_algorithm: Option<String>,
        _content_length: Option<u64>,
        #[serde(skip)]
        digests: Option<Digests>,
        #[serde(skip)]
        sent: Sent,
    }
}

/// The digests of the payload. A checksum that the request does not name is the upload's, which is not known yet.
pub(super) fn digest(input: &mut UploadPart, body: &Bytes) {
    input.sent = sent_checksum!(input);
    let announced = input.checksum_algorithm.as_deref();
    let named = announced.is_some() || !matches!(input.sent.one(), Ok(None));
    let checksum = named.then(|| input.sent.verify(announced, Algorithm::Crc64Nvme, body));
    input.digests = Some(Digests { md5: checksum::md5(body, input.content_md5.as_deref()), checksum });
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UploadPartOutput {
    #[serde(rename = "ETag")]
    etag: String,
    #[serde(flatten)]
    checksum: Checksum,
    #[serde(flatten)]
    encryption: Shown,
}

pub(super) fn upload_part(cx: &mut Cx<Buckets>, mut input: UploadPart) -> Result<UploadPartOutput> {
    let found = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    let number = check_part_number(input.part_number)?;
    let (upload, at) = upload(found, &input.key, &input.upload_id)?;
    upload.description.encryption.check_part(&customer_key!(input))?;
    let encryption = upload.description.encryption.shown();
    let body = kept(&cx.body);
    check_size(&body)?;
    let digests = input.digests.take().ok_or_else(|| Error::internal("a part without its digest"))?;
    let md5 = digests.md5?;
    let announced = input.checksum_algorithm.as_deref();
    check_part_algorithm(upload, &input.sent, announced)?;
    let checksum = match digests.checksum {
        Some(checksum) => checksum?,
        None => {
            let wanted = upload.checksum.map_or(Algorithm::Crc64Nvme, |(algorithm, _)| algorithm);
            Checksum::of(wanted, &body)
        }
    };
    let checksum = checksum.of_part();
    let etag = checksum::etag(md5);
    let part = Part { body, etag: etag.clone(), checksum: checksum.clone(), modified: whole_seconds(cx.now) };
    add_part(cx, &input.bucket, &at, number, part)?;
    Ok(UploadPartOutput { etag, checksum, encryption })
}

fn add_part(cx: &mut Cx<Buckets>, name: &str, at: &(Arc<str>, u64), number: u32, part: Part) -> Result<()> {
    let upload = lookup::bucket_mut(cx, name)?.uploads.get_mut(at);
    upload.ok_or_else(|| Error::internal("an upload that was just found is gone"))?.parts.insert(number, part);
    Ok(())
}

input! { guard customer source;
    struct UploadPartCopy {
        pub key: String,
        pub upload_id: String,
        part_number: i64,
        copy_source_range: Option<String>,
    }
}

/// The target of a copy into an upload.
pub(super) fn copy_target(at: &At<Buckets>, input: &UploadPartCopy) -> Target {
    target(at, &input.bucket, &input.key, &input.upload_id)
        .context("s3:x-amz-copy-source", input.copy_source.trim_start_matches('/'))
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UploadPartCopyOutput {
    copy_part_result: CopyPartResult,
    #[serde(flatten)]
    encryption: Shown,
    #[serde(skip_serializing_if = "Option::is_none")]
    copy_source_version_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CopyPartResult {
    #[serde(rename = "ETag")]
    etag: String,
    last_modified: Timestamp,
    /// Told of uploads that were started with an algorithm.
    #[serde(flatten)]
    checksum: Option<Checksum>,
}

pub(super) fn upload_part_copy(cx: &mut Cx<Buckets>, mut input: UploadPartCopy) -> Result<UploadPartCopyOutput> {
    let found = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    let number = check_part_number(input.part_number)?;
    let (upload, at) = upload(found, &input.key, &input.upload_id)?;
    upload.description.encryption.check_part(&customer_key!(input))?;
    let encryption = upload.description.encryption.shown();
    let from = copied_from!(input);
    let (object, version_id) = Source::read(&from.source)?.object(cx, &from)?;
    let body = match &input.copy_source_range {
        Some(range) => source_range(range, &object)?,
        None => object.body.clone(),
    };
    check_size(&body)?;
    let algorithm = upload.checksum.map_or(Algorithm::Crc64Nvme, |(algorithm, _)| algorithm);
    let told = upload.checksum.is_some();
    let checksum = Checksum::of(algorithm, &body).of_part();
    let etag = checksum::etag(md5_many::md5(&body));
    let modified = whole_seconds(cx.now);
    let part = Part { body, etag: etag.clone(), checksum: checksum.clone(), modified };
    add_part(cx, &input.bucket, &at, number, part)?;
    let copy_part_result = CopyPartResult { etag, last_modified: modified, checksum: told.then_some(checksum) };
    Ok(UploadPartCopyOutput { copy_part_result, encryption, copy_source_version_id: version_id })
}

/// A range of a source has both ends, and both are in it.
fn source_range(header: &str, object: &Object) -> Result<Bytes> {
    let size = object.size();
    let ends = header.strip_prefix("bytes=").and_then(|range| range.split_once('-'));
    let ends = ends.and_then(|(first, last)| Some((first.parse::<u64>().ok()?, last.parse::<u64>().ok()?)));
    let Some((first, last)) = ends.filter(|(first, last)| first <= last) else {
        let text = "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the \
                    zero-based offsets of the first and last bytes to copy";
        return Err(errors::invalid_argument("x-amz-copy-source-range", header, text));
    };
    let bytes = range::read(header, size).ok().flatten();
    if bytes.is_none() && first >= size {
        return Err(errors::invalid_request("The specified copy range is invalid for the source object size"));
    }
    let bytes = bytes.filter(|_| last < size);
    let bounds = bytes.and_then(|b| Some((usize::try_from(b.start).ok()?, usize::try_from(b.end).ok()?)));
    let Some((start, end)) = bounds else {
        let text = format!("Range specified is not valid for source object of size: {size}");
        return Err(errors::invalid_argument("x-amz-copy-source-range", header, text));
    };
    Ok(object.body.slice(start..end))
}

input! { guard customer checksums;
    struct CompleteMultipartUpload {
        pub key: String,
        pub upload_id: String,
        multipart_upload: Option<Completed>,
        checksum_type: Option<String>,
        mpu_object_size: Option<u64>,
        if_match: Option<String>,
        if_none_match: Option<String>,
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Completed {
    #[serde(default)]
    parts: Vec<CompletedPart>,
}

input! { checksums;
    struct CompletedPart {
        part_number: i64,
        #[serde(rename = "ETag")]
        etag: Option<String>,
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CompleteOutput {
    location: String,
    bucket: String,
    key: String,
    #[serde(rename = "ETag")]
    etag: String,
    #[serde(flatten)]
    checksum: Checksum,
    #[serde(flatten)]
    encryption: Shown,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration: Option<String>,
}

/// The target of a completion: policies may look at its conditions.
pub(super) fn complete_target(at: &At<Buckets>, input: &CompleteMultipartUpload) -> Target {
    let conditions = [("s3:if-match", input.if_match.as_deref()), ("s3:if-none-match", input.if_none_match.as_deref())];
    context::with(target(at, &input.bucket, &input.key, &input.upload_id), conditions)
}

pub(super) fn complete(cx: &mut Cx<Buckets>, mut input: CompleteMultipartUpload) -> Result<CompleteOutput> {
    let found = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    let region = Arc::clone(&found.region);
    let key = utf8_percent_encode(&input.key, LOCATION);
    let location = format!("https://{}.s3.{region}.amazonaws.com/{key}", input.bucket);
    let (upload, at) = match upload(found, &input.key, &input.upload_id) {
        Ok(found) => found,
        // Completing once more what this upload became answers as before, so that a client whose answer got lost may retry.
        Err(missing) => {
            let latest = found.latest(&input.key).filter(|version| completed_by(version, &input.upload_id));
            let Some(Version::Object(object)) = latest else { return Err(missing) };
            let version_id = object.stamp.id.as_deref().map(str::to_owned);
            return Ok(answer(input, location, Stored { object, version_id, expiration: None }));
        }
    };
    let listed = input.multipart_upload.take().unwrap_or_default().parts;
    check_kind(upload, input.checksum_type.as_deref())?;
    let parts = chosen_parts(upload, listed)?;
    let size = parts.iter().map(|(_, part)| part.body.len() as u64).sum::<u64>();
    if size > OBJECT_LIMIT {
        return Err(errors::too_large(size, OBJECT_LIMIT));
    }
    if let Some(expected) = input.mpu_object_size.filter(|expected| *expected != size) {
        let text = format!(
            "The provided 'x-amz-mp-object-size' header value {expected} does not match what was computed: {size}"
        );
        return Err(errors::invalid_request(text));
    }
    upload.description.encryption.check_completion(&customer_key!(input))?;
    conditions::check_write(cx, found, &input.key, input.if_match.as_deref(), input.if_none_match.as_deref())?;
    let changed = found.latest(&input.key).is_some_and(|version| version.stamp().sequence > at.1);
    let conflict = match (&input.if_match, &input.if_none_match) {
        (Some(_), _) if changed => Some("If-Match"),
        (_, Some(_)) if upload.outdated => Some("If-None-Match"),
        _ => None,
    };
    if let Some(condition) = conflict {
        let text = "The conditional request cannot succeed due to a conflicting operation against this resource.";
        return Err(Error::new(409, "ConditionalRequestConflict", text)
            .with("Condition", condition)
            .with("Key", input.key));
    }
    let body = joined(&parts);
    let checksum = whole_checksum(upload, &parts, &body)?;
    check_whole(&checksum, &sent_checksum!(input), input.checksum_type.as_deref(), upload)?;
    let new = New {
        body,
        etag: quoted(&format!("{}-{}", etag_of_parts(&parts)?, parts.len())),
        checksum,
        description: upload.description.clone(),
        parts: parts.iter().map(|(number, part)| part_of(*number, part)).collect(),
        // An object of parts is as old as its upload.
        modified: upload.initiated,
    };
    let bucket = lookup::bucket_mut(cx, &input.bucket)?;
    bucket.uploads.remove(&at);
    bucket.completed.insert(at.1, Arc::from(&*input.upload_id));
    if bucket.completed.len() > COMPLETED {
        bucket.completed = bucket.completed.without_min().1;
    }
    let stored = store(cx, &input.bucket, &input.key, new, Some(Arc::from(&*input.upload_id)))?;
    let happening = Happening::of("ObjectCreated:CompleteMultipartUpload", &input.key, &stored.object);
    events::tell(cx, &input.bucket, happening);
    Ok(answer(input, location, stored))
}

fn completed_by(version: &Version, upload: &str) -> bool {
    matches!(version, Version::Object(object) if object.upload.as_deref() == Some(upload))
}

fn answer(input: CompleteMultipartUpload, location: String, stored: Stored) -> CompleteOutput {
    let Stored { object, version_id, expiration } = stored;
    CompleteOutput {
        location,
        bucket: input.bucket,
        key: input.key,
        etag: object.etag.clone(),
        checksum: object.checksum.clone(),
        encryption: object.description.encryption.written(),
        version_id,
        expiration,
    }
}

/// The parts that a completion names, if they are as it says.
fn chosen_parts(upload: &Upload, listed: Vec<CompletedPart>) -> Result<Vec<(u32, &Part)>> {
    if listed.is_empty() {
        return Err(errors::invalid_request("You must specify at least one part"));
    }
    if !listed.is_sorted_by(|before, after| before.part_number < after.part_number) {
        let text = "The list of parts was not in ascending order. Parts must be ordered by part number.";
        return Err(Error::new(400, "InvalidPartOrder", text).with("UploadId", &*upload.id));
    }
    let mut parts: Vec<(u32, &Part)> = Vec::with_capacity(listed.len());
    for mut wanted in listed {
        let number = check_part_number(wanted.part_number)?;
        let etag = wanted.etag.take().unwrap_or_default();
        let part = upload.parts.get(&number).filter(|part| part.etag.trim_matches('"') == etag.trim_matches('"'));
        let part = part.ok_or_else(|| invalid_part(upload, number, &etag))?;
        check_part_checksum(upload, number, part, &sent_checksum!(wanted), &etag)?;
        parts.push((number, part));
    }
    let all_but_last = parts.split_last().map_or([].as_slice(), |(_, others)| others);
    match all_but_last.iter().find(|(_, part)| (part.body.len() as u64) < PART_MINIMUM) {
        None => Ok(parts),
        Some((number, part)) => {
            Err(Error::new(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
                .with("ETag", part.etag.trim_matches('"'))
                .with("PartNumber", number.to_string())
                .with("MinSizeAllowed", PART_MINIMUM.to_string())
                .with("ProposedSize", part.body.len().to_string()))
        }
    }
}

pub(super) fn invalid_part(upload: &Upload, number: u32, etag: &str) -> Error {
    let text = "One or more of the specified parts could not be found.  The part may not have been uploaded, or the \
                specified entity tag may not match the part's entity tag.";
    Error::new(400, "InvalidPart", text)
        .with("UploadId", &*upload.id)
        .with("PartNumber", number.to_string())
        .with("ETag", etag.trim_matches('"'))
}

/// The object's bytes. The one copy that S3's bodies know: an object is one piece, whatever it came in.
fn joined(parts: &[(u32, &Part)]) -> Bytes {
    if let [(_, only)] = parts {
        return only.body.clone();
    }
    let mut body = BytesMut::with_capacity(parts.iter().map(|(_, part)| part.body.len()).sum());
    for (_, part) in parts {
        body.extend_from_slice(&part.body);
    }
    body.freeze()
}

/// The MD5 of the parts' MD5s.
fn etag_of_parts(parts: &[(u32, &Part)]) -> Result<String> {
    let mut digests = Vec::with_capacity(parts.len() * 16);
    for (_, part) in parts {
        digests.extend(hex::decode(part.etag.trim_matches('"')).map_err(Error::internal)?);
    }
    Ok(hex::encode(md5_many::md5(&digests)))
}

fn part_of(number: u32, part: &Part) -> PartOf {
    PartOf { number, size: part.body.len() as u64, checksum: part.checksum.clone() }
}

input! { guard; struct OnUpload { pub key: String, pub upload_id: String, } }

pub(super) fn abort(cx: &mut Cx<Buckets>, input: OnUpload) -> Result<()> {
    let found = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    let is_complete = place(&input.upload_id)
        .and_then(|place| found.completed.get(&place))
        .is_some_and(|completed| **completed == *input.upload_id);
    // To abort what is complete is done: clients clean up behind themselves so.
    if is_complete {
        return Ok(());
    }
    let (_, at) = upload(found, &input.key, &input.upload_id)?;
    lookup::bucket_mut(cx, &input.bucket)?.uploads.remove(&at);
    Ok(())
}
