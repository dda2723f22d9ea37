//! CopyObject, and finding the source of any copy.

use std::sync::Arc;

use serde::Serialize;

use super::checksum::{Algorithm, Checksum};
use super::conditions::{self, ReadConditions};
use super::encryption::{CustomerKey, ServerSide, Shown};
use super::events::{self, Happening};
use super::get::on_version;
use super::input::{copied_from, description, input};
use super::lookup::{self, bucket};
use super::object::{Described, Description, Object, check_key};
use super::put::{New, SIZE_LIMIT, Stored, quoted, require_more, store};
use super::state::{Bucket, Buckets};
use super::{context, errors, guard, tagging};
use crate::cloud::{At, Cx, Target};
use crate::{Error, Result, Timestamp};

input! { guard describes customer grants source;
    struct CopyObject {
        pub key: String,
        metadata_directive: Option<String>,
        tagging_directive: Option<String>,
        checksum_algorithm: Option<String>,
        if_match: Option<String>,
        if_none_match: Option<String>,
    }
}

/// What a request says about the source of a copy.
pub(super) struct From {
    pub source: String,
    pub expected_owner: Option<String>,
    pub conditions: ReadConditions,
    pub customer: CustomerKey,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CopyObjectOutput {
    copy_object_result: CopyObjectResult,
    #[serde(flatten)]
    encryption: Shown,
    #[serde(skip_serializing_if = "Option::is_none")]
    copy_source_version_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CopyObjectResult {
    #[serde(rename = "ETag")]
    etag: String,
    last_modified: Timestamp,
    #[serde(flatten)]
    checksum: Checksum,
}

pub(super) fn target(at: &At<Buckets>, input: &CopyObject) -> Target {
    let target = guard::on_object(at, &input.bucket, &input.key, None, "s3:PutObject");
    let conditions = [
        ("s3:if-match", input.if_match.as_deref()),
        ("s3:if-none-match", input.if_none_match.as_deref()),
        ("s3:x-amz-copy-source", Some(input.copy_source.trim_start_matches('/'))),
        ("s3:x-amz-metadata-directive", input.metadata_directive.as_deref()),
    ];
    context::described!(context::with(target, conditions), input)
}

/// Where a copy comes from.
pub(super) struct Source {
    pub bucket: String,
    pub key: String,
    pub version_id: Option<String>,
}

impl Source {
    /// Reads `[/]bucket/key[?versionId=id]`, percent-encoded.
    ///
    /// # Errors
    /// `InvalidArgument`.
    pub fn read(header: &str) -> Result<Self> {
        let invalid = |text: &str| errors::invalid_argument("x-amz-copy-source", header, text);
        if header.starts_with("arn:") {
            return Err(Error::not_implemented("copy sources of S3 that are the ARN of an access point"));
        }
        // Only what follows the key is the query: a key may hold a question mark only percent-encoded.
        let (path, version_id) = match header.split_once("?versionId=") {
            Some((path, id)) => (path, Some(id.to_owned())),
            None => (header, None),
        };
        // A plus sign is a space, as in forms: clients that mean the sign encode it.
        let spaced = path.replace('+', " ");
        let path = percent_encoding::percent_decode_str(&spaced)
            .decode_utf8()
            .map_err(|_| invalid("Invalid copy source encoding."))?;
        let path = path.strip_prefix('/').unwrap_or(&path);
        match path.split_once('/') {
            Some((bucket, key)) if !bucket.is_empty() && !key.is_empty() => {
                Ok(Self { bucket: bucket.to_owned(), key: key.to_owned(), version_id })
            }
            _ => Err(errors::invalid_argument(
                "x-amz-copy-source",
                "x-amz-copy-source",
                "Invalid copy source object key",
            )),
        }
    }

    /// The object, for a caller who may read it. The second part is how the answer names its version.
    ///
    /// # Errors
    /// As GetObject, and 412 for the conditions.
    pub fn object(&self, cx: &Cx<Buckets>, from: &From) -> Result<(Arc<Object>, Option<String>)> {
        // The source may be in any region.
        let bucket = cx.state.buckets.get(&*self.bucket).ok_or_else(|| errors::no_such_bucket(&self.bucket))?;
        lookup::check_owner(bucket, from.expected_owner.as_deref())?;
        let actions = ["s3:GetObject", "s3:GetObjectVersion"];
        let version = self.version_id.as_deref();
        lookup::require_on(cx, &on_version(&lookup::at(cx), &self.bucket, &self.key, version, actions))?;
        let version = lookup::version(cx, bucket, &self.key, self.version_id.as_deref(), "COPY").map_err(|error| {
            if error.status() != 405 {
                return error;
            }
            errors::invalid_request(
                "The source of a copy request may not specifically refer to a delete marker by version id.",
            )
        })?;
        let object = Arc::clone(version.object("COPY")?);
        if object.check_readable(cx.now).is_err() {
            let text = "The source object of the COPY action is not in the active tier and is only stored in Amazon S3 Glacier.";
            return Err(Error::new(403, "ObjectNotInActiveTierError", text).with("Key", self.key.as_str()));
        }
        object.description.encryption.check_read(&from.customer)?;
        from.conditions.check_source(&object, cx.now)?;
        // The null version is not named.
        let shown = object.stamp.id.as_deref().map(str::to_owned);
        Ok((object, shown))
    }
}

pub(super) fn copy(cx: &mut Cx<Buckets>, mut input: CopyObject) -> Result<CopyObjectOutput> {
    let bucket = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    check_key(&input.key)?;
    let from = copied_from!(input);
    let source = Source::read(&from.source)?;
    let (object, source_version) = source.object(cx, &from)?;
    if object.size() > SIZE_LIMIT {
        let text = "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120";
        return Err(errors::invalid_request(text));
    }
    let described = description!(input);
    require_more(cx, &described, &input.bucket, &input.key)?;
    conditions::check_write(cx, bucket, &input.key, input.if_match.as_deref(), input.if_none_match.as_deref())?;
    check_onto_itself(&source, &input, &described, &object, bucket)?;
    let directives = (input.metadata_directive.as_deref(), input.tagging_directive.as_deref());
    let description = describe(described, directives, &object, (&*cx, bucket))?;
    let body = object.body.clone();
    let algorithm = input.checksum_algorithm.as_deref().map(Algorithm::parse).transpose()?;
    // A copy is one piece: the checksum of parts becomes one of the whole, of the same algorithm.
    let checksum = match algorithm {
        None if object.parts.is_empty() => object.checksum.clone(),
        wanted => Checksum::of(wanted.unwrap_or(object.checksum.algorithm), &body),
    };
    let etag = if object.parts.is_empty() { object.etag.clone() } else { quoted(&md5_of(&body)) };
    let new = New { body, etag, checksum, description, parts: Vec::new(), modified: cx.now };
    let Stored { object, expiration, .. } = store(cx, &input.bucket, &input.key, new, None)?;
    // Unlike other writes, a copy tells the null version that it leaves in a suspended bucket.
    let version_id = lookup::bucket(cx, &input.bucket, None)?.shown_id(&object.stamp);
    events::tell(cx, &input.bucket, Happening::of("ObjectCreated:Copy", &input.key, &object));
    Ok(CopyObjectOutput {
        copy_object_result: CopyObjectResult {
            etag: object.etag.clone(),
            last_modified: object.stamp.modified,
            checksum: object.checksum.clone(),
        },
        encryption: object.description.encryption.written(),
        copy_source_version_id: source_version,
        version_id,
        expiration,
    })
}

fn md5_of(body: &[u8]) -> String {
    hex::encode(md5_many::md5(body))
}

/// A copy onto itself must change something. The copy of a version onto its key restores that version.
fn check_onto_itself(
    source: &Source,
    input: &CopyObject,
    described: &Described,
    object: &Object,
    bucket: &Bucket,
) -> Result<()> {
    let itself = source.bucket == input.bucket && source.key == input.key && source.version_id.is_none();
    let changes = input.metadata_directive.as_deref() == Some("REPLACE")
        // To name a class is enough, be it the same.
        || described.storage_class.is_some()
        || described.redirect.is_some()
        || described.encryption.is_some()
        // What the bucket's default does is a change as well where the object has another encryption, or where the bucket
        // was given one.
        || object.description.encryption != ServerSide::Managed
        || bucket.configuration.encryption_put;
    if !itself || changes {
        return Ok(());
    }
    let text = "This copy request is illegal because it is trying to copy an object to itself without changing the \
                object's metadata, storage class, website redirect location or encryption attributes.";
    Err(errors::invalid_request(text))
}

/// What the copy is described as: `REPLACE` takes the request's word, `COPY`, the default, the source's.
/// The storage class, the redirect and the ACL are always the request's.
fn describe(
    described: Described,
    (metadata, tags): (Option<&str>, Option<&str>),
    object: &Object,
    (cx, bucket): (&Cx<Buckets>, &Bucket),
) -> Result<Description> {
    let unknown = |name: &str, value: &str| {
        let text = if name.contains("tagging") { "Unknown tagging directive." } else { "Unknown metadata directive." };
        Err(errors::invalid_argument(name, value, text))
    };
    let replaced_tags = match tags {
        None | Some("COPY") => None,
        Some("REPLACE") => {
            Some(described.tagging.as_deref().map(tagging::from_header).transpose()?.unwrap_or_default())
        }
        Some(other) => return unknown("x-amz-tagging-directive", other),
    };
    let mut description = described.check(cx, bucket)?;
    match metadata {
        Some("REPLACE") => {}
        None | Some("COPY") => {
            description.headers = object.description.headers.clone();
            description.metadata = object.description.metadata.clone();
        }
        Some(other) => return unknown("x-amz-metadata-directive", other),
    }
    description.tags = replaced_tags.unwrap_or_else(|| object.description.tags.clone());
    Ok(description)
}
