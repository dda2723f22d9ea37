//! Objects, delete markers, and what a request may say about an object besides its bytes.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::acl::Acl;
use super::checksum::Checksum;
use super::encryption::ServerSide;
use super::lock::Lock;
use super::state::{Bucket, Buckets};
use super::tagging::{self, Tag};
use super::{acl, encryption, errors, lock};
use crate::cloud::Cx;
use crate::{Error, Result, Timestamp};

/// The size of all keys and values of user-defined metadata together, in bytes.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html>
const METADATA_LIMIT: usize = 2048;
/// The length of a key, in bytes of UTF-8.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html>
const KEY_LIMIT: usize = 1024;
/// An object without a storage class has this one.
pub(super) const STANDARD_CLASS: &str = "STANDARD";
/// An object without a type has this one.
const DEFAULT_TYPE: &str = "binary/octet-stream";
/// The storage classes of buckets that are not directories or on outposts.
const CLASSES: [&str; 8] = [
    STANDARD_CLASS,
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER_IR",
    "GLACIER",
    "DEEP_ARCHIVE",
];

/// What every version of a key has, object or delete marker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Stamp {
    /// The version's id; absent in the null version.
    pub id: Option<Arc<str>>,
    /// The place among all versions of the bucket, in order of creation.
    pub sequence: u64,
    /// Whole seconds, as S3 answers.
    pub modified: Timestamp,
}

impl Stamp {
    /// The id as lists write it.
    pub fn id_or_null(&self) -> &str {
        self.id.as_deref().unwrap_or("null")
    }
}

/// A version of a key that is an object.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Object {
    pub stamp: Stamp,
    #[serde(with = "super::body")]
    pub body: Bytes,
    /// With its quotes, as every answer has it.
    pub etag: String,
    pub checksum: Checksum,
    /// Shared with the objects before and after it of which the same is kept.
    pub description: Arc<Description>,
    /// The parts that it was put together from; none if it came in one piece.
    pub parts: Vec<PartOf>,
    /// The id of the upload that brought the parts.
    pub upload: Option<Arc<str>>,
}

/// A part of an object that was put together.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct PartOf {
    pub number: u32,
    pub size: u64,
    pub checksum: Checksum,
}

impl Object {
    pub fn size(&self) -> u64 {
        self.body.len() as u64
    }
}

/// What is kept of an object besides its bytes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Description {
    pub headers: ContentHeaders,
    pub redirect: Option<String>,
    pub metadata: BTreeMap<String, String>,
    /// Absent for `STANDARD`.
    pub storage_class: Option<String>,
    pub tags: Vec<Tag>,
    /// Absent for a private one.
    pub acl: Option<Acl>,
    /// The account that wrote it, where that is not the bucket's owner and came to own it: see `ownership.rs`.
    #[serde(default)]
    pub owner: Option<Arc<str>>,
    #[serde(default)]
    pub encryption: ServerSide,
    #[serde(default)]
    pub lock: Lock,
    /// When the copy of an object in an archive ends.
    #[serde(default)]
    pub restored_until: Option<Timestamp>,
}

/// The headers that an object is answered with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ContentHeaders {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_encoding: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_language: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_disposition: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_control: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
}

/// What a request says about an object besides its bytes, before it is checked.
#[derive(Clone, Debug, Default)]
pub(super) struct Described {
    pub headers: ContentHeaders,
    pub redirect: Option<String>,
    pub metadata: BTreeMap<String, String>,
    pub storage_class: Option<String>,
    pub encryption: encryption::Asked,
    pub lock: lock::Asked,
    pub tagging: Option<String>,
    pub acl: acl::Asked,
}

impl Described {
    /// Checks it, and adds what the bucket gives to objects whose requests say nothing.
    ///
    /// # Errors
    /// AWS's, for what is too long or not allowed.
    pub fn check(self, cx: &Cx<Buckets>, bucket: &Bucket) -> Result<Description> {
        let size = self.metadata.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>();
        if size > METADATA_LIMIT {
            return Err(Error::new(
                400,
                "MetadataTooLarge",
                "Your metadata headers exceed the maximum allowed metadata size",
            )
            .with("Size", size.to_string())
            .with("MaxSizeAllowed", METADATA_LIMIT.to_string()));
        }
        let mut headers = self.headers;
        headers.content_type.get_or_insert_with(|| DEFAULT_TYPE.to_owned());
        let (acl, owner) = self.acl.for_object(cx, bucket)?;
        headers.content_encoding = headers.content_encoding.and_then(|encoding| without_chunking(&encoding));
        Ok(Description {
            headers,
            redirect: self.redirect,
            // HTTP header names have no case; S3 answers them in lower case.
            metadata: self.metadata.into_iter().map(|(key, value)| (key.to_ascii_lowercase(), value)).collect(),
            storage_class: self.storage_class.map(check_class).transpose()?.filter(|class| class != STANDARD_CLASS),
            tags: self.tagging.as_deref().map(tagging::from_header).transpose()?.unwrap_or_default(),
            acl,
            owner,
            encryption: self.encryption.decide(bucket)?,
            lock: self.lock.decide(bucket, cx.now)?,
            restored_until: None,
        })
    }
}

/// # Errors
/// `KeyTooLongError`.
pub(super) fn check_key(key: &str) -> Result<()> {
    if key.len() <= KEY_LIMIT {
        return Ok(());
    }
    Err(Error::new(400, "KeyTooLongError", "Your key is too long")
        .with("Size", key.len().to_string())
        .with("MaxSizeAllowed", KEY_LIMIT.to_string()))
}

fn check_class(class: String) -> Result<String> {
    if CLASSES.contains(&&*class) {
        return Ok(class);
    }
    Err(Error::new(400, "InvalidStorageClass", "The storage class you specified is not valid")
        .with("StorageClassRequested", class))
}

/// `aws-chunked` is how the body travelled, not what it is: S3 does not keep it.
fn without_chunking(encoding: &str) -> Option<String> {
    let kept: Vec<_> = encoding.split(',').filter(|one| one.trim() != "aws-chunked").collect();
    (!kept.is_empty()).then(|| kept.join(",").trim().to_owned())
}

/// A version of a key: an object, or the mark that it was deleted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Version {
    Object(Arc<Object>),
    Marker(Stamp),
}

impl Version {
    pub fn stamp(&self) -> &Stamp {
        match self {
            Self::Object(object) => &object.stamp,
            Self::Marker(stamp) => stamp,
        }
    }

    /// The object.
    ///
    /// # Errors
    /// 405 for a delete marker.
    pub fn object(&self, method: &str) -> Result<&Arc<Object>> {
        match self {
            Self::Object(object) => Ok(object),
            Self::Marker(stamp) => Err(errors::marker_not_allowed(method, stamp.id_or_null(), stamp.modified)),
        }
    }
}
