//! PutObject, and how every object is stored.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Serialize;

use super::checksum::{self, Algorithm, Checksum, Digests};
use super::encryption::Shown;
use super::events::{self, Happening};
use super::input::{description, input, sent_checksum};
use super::lookup::bucket;
use super::object::{Described, Description, Object, PartOf, check_key};
use super::state::{Buckets, Versioning};
use super::{conditions, context, errors, guard, lifecycle, lookup};
use crate::cloud::{At, Cx, Target};
use crate::{Error, Result, Timestamp};

/// An object that comes in one piece, and each part of one that does not, has at most this many bytes.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
pub(super) const SIZE_LIMIT: u64 = 5 * 1024 * 1024 * 1024;

/// What hyper reads at once, at most; a longer body was put together in memory of its own.
const READ_BUFFER: usize = 8192 + 4096 * 100;

/// The member by which PutObject learns that it was a form. No client can send it: the model has no such member.
pub(crate) const POSTED: &str = "$posted";

input! { guard describes customer grants checksums;
    struct PutObject {
        pub key: String,
        if_match: Option<String>,
        if_none_match: Option<String>,
        #[serde(rename = "ContentMD5")]
        content_md5: Option<String>,
        checksum_algorithm: Option<String>,
        _content_length: Option<u64>,
        #[serde(skip)]
        digests: Option<Digests>,
        /// Said by the door of what came in a form: see [`POSTED`].
        #[serde(rename = "$posted")]
        posted: Option<String>,
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PutObjectOutput {
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

/// The target of an operation that writes an object: policies may look at its headers.
pub(super) fn target(at: &At<Buckets>, input: &PutObject) -> Target {
    let target = guard::on_object(at, &input.bucket, &input.key, None, "s3:PutObject");
    let conditions = [("s3:if-match", input.if_match.as_deref()), ("s3:if-none-match", input.if_none_match.as_deref())];
    context::described!(context::with(target, conditions), input)
}

/// The digests of the payload, which take longer than everything else.
pub(super) fn digest(input: &mut PutObject, body: &Bytes) {
    let sent = sent_checksum!(input);
    let checksum = sent.verify(input.checksum_algorithm.as_deref(), Algorithm::Crc64Nvme, body);
    // Unlike other operations, this one repeats the digest that it was sent in hexadecimal digits.
    let md5 = checksum::md5(body, input.content_md5.as_deref()).map_err(|error| {
        match error.members().get("ExpectedDigest") {
            Some(sent) => {
                let sent = sent.as_str().and_then(|sent| STANDARD.decode(sent).ok()).unwrap_or_default();
                error.with("ExpectedDigest", hex::encode(sent))
            }
            None => error,
        }
    });
    input.digests = Some(Digests { md5, checksum: Some(checksum) });
}

/// A body as it is stored. A small one is copied: it came as a part of its connection's read buffer, all of which would stay
/// as long as the object does.
pub(super) fn kept(body: &Bytes) -> Bytes {
    if body.len() <= READ_BUFFER { Bytes::copy_from_slice(body) } else { body.clone() }
}

pub(super) fn put(cx: &mut Cx<Buckets>, mut input: PutObject) -> Result<PutObjectOutput> {
    let bucket = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    check_key(&input.key)?;
    let body = kept(&cx.body);
    check_size(&body)?;
    let described = description!(input);
    require_more(cx, &described, &input.bucket, &input.key)?;
    let description = described.check(cx, bucket)?;
    let digests = input.digests.take().ok_or_else(|| Error::internal("an object without its digest"))?;
    let md5 = digests.md5?;
    let checksum = digests.checksum.ok_or_else(|| Error::internal("an object without its checksum"))??;
    conditions::check_write(cx, bucket, &input.key, input.if_match.as_deref(), input.if_none_match.as_deref())?;
    let etag = checksum::etag(md5);
    let new = New { body, etag, checksum, description, parts: Vec::new(), modified: cx.now };
    let Stored { object, version_id, expiration } = store(cx, &input.bucket, &input.key, new, None)?;
    let event = if input.posted.is_some() { "ObjectCreated:Post" } else { "ObjectCreated:Put" };
    events::tell(cx, &input.bucket, Happening::of(event, &input.key, &object));
    Ok(PutObjectOutput {
        etag: object.etag.clone(),
        checksum: object.checksum.clone(),
        encryption: object.description.encryption.written(),
        version_id,
        expiration,
    })
}

/// Who writes tags or locks together with an object needs the permissions to.
pub(super) fn require_more(cx: &Cx<Buckets>, described: &Described, bucket: &str, key: &str) -> Result<()> {
    described.lock.require(cx, bucket, key)?;
    if described.tagging.as_deref().is_none_or(str::is_empty) {
        return Ok(());
    }
    let target = guard::on_object(&lookup::at(cx), bucket, key, None, "s3:PutObjectTagging");
    lookup::require_on(cx, &context::tag_header(target, described.tagging.as_deref()))
}

/// # Errors
/// `EntityTooLarge`.
pub(super) fn check_size(body: &Bytes) -> Result<()> {
    let size = body.len() as u64;
    if size > SIZE_LIMIT { Err(errors::too_large(size, SIZE_LIMIT)) } else { Ok(()) }
}

pub(super) fn quoted(tag: &str) -> String {
    format!("\"{tag}\"")
}

/// An object that is about to be stored.
pub(super) struct New {
    pub body: Bytes,
    pub etag: String,
    pub checksum: Checksum,
    pub description: Description,
    pub parts: Vec<PartOf>,
    pub modified: Timestamp,
}

/// What storing an object answers.
pub(super) struct Stored {
    pub object: Arc<Object>,
    pub version_id: Option<String>,
    pub expiration: Option<String>,
}

/// Makes an object the latest version of its key. Everything was checked before.
pub(super) fn store(cx: &mut Cx<Buckets>, name: &str, key: &str, new: New, upload: Option<Arc<str>>) -> Result<Stored> {
    let bucket = cx.state.buckets.get_mut(name).ok_or_else(|| errors::no_such_bucket(name))?;
    let stamp = bucket.next_stamp(cx.ids, new.modified);
    let New { body, etag, checksum, description, parts, .. } = new;
    let description = bucket.describe(description);
    let object = Arc::new(Object { stamp, body, etag, checksum, description, parts, upload });
    bucket.add(key, super::object::Version::Object(Arc::clone(&object)));
    // Suspended buckets store null versions, and do not say so.
    let version_id = object.stamp.id.as_deref().filter(|_| bucket.versioning == Versioning::Enabled);
    let expiration = lifecycle::expiration_header(bucket, key, &object);
    Ok(Stored { version_id: version_id.map(str::to_owned), expiration, object })
}
