//! ListObjects and ListObjectsV2.

use std::fmt::Write as _;
use std::sync::Arc;

use http::{HeaderName, HeaderValue};
use serde::Serialize;

use super::bucket::{Owner, Owners};
use super::checksum::{Algorithm, Kind};
use super::input::input;
use super::lookup::bucket;
use super::object::{Object, STANDARD_CLASS};
use super::state::{Bucket, Buckets};
use super::walk::{Filter, Item, Page, Start, walk};
use super::{errors, guard, token};
use crate::cloud::{At, Cx, Target};
use crate::wire::xml;
use crate::{Error, Result, Timestamp};

/// A page of a list has at most this many entries.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>
pub(super) const PAGE: usize = 1000;

/// How many entries a request wants.
///
/// # Errors
/// `InvalidArgument` for less than none.
pub(super) fn page_size(name: &str, asked: Option<i64>) -> Result<usize> {
    let Some(asked) = asked else { return Ok(PAGE) };
    usize::try_from(asked).map(|asked| asked.min(PAGE)).map_err(|_| {
        let text = format!("Argument {name} must be an integer between 0 and 2147483647");
        errors::invalid_argument(name, asked.to_string(), text)
    })
}

/// How keys are written: as they are, or percent-encoded for what XML 1.0 cannot carry.
#[derive(Clone, Copy)]
pub(super) struct Encoding(bool);

impl Encoding {
    /// # Errors
    /// `InvalidArgument` for another encoding than `url`.
    pub fn new(asked: Option<&str>) -> Result<Self> {
        match asked {
            None => Ok(Self(false)),
            Some("url") => Ok(Self(true)),
            Some(other) => {
                Err(errors::invalid_argument("encoding-type", other, "Invalid Encoding Method specified in Request"))
            }
        }
    }

    /// The encoding of URLs.
    pub fn url() -> Self {
        Self(true)
    }

    pub fn name(self) -> Option<&'static str> {
        self.0.then_some("url")
    }

    /// As forms are encoded, but with slashes kept.
    pub fn write(self, key: &str) -> String {
        if !self.0 {
            return key.to_owned();
        }
        let mut written = String::with_capacity(key.len());
        for byte in key.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' | b'/' => written.push(byte.into()),
                b' ' => written.push('+'),
                other => written.push_str(&format!("%{other:02X}")),
            }
        }
        written
    }

    /// The same for a member that may be absent.
    pub fn write_some(self, key: Option<&str>) -> Option<String> {
        key.map(|key| self.write(key))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CommonPrefix {
    pub prefix: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    key: String,
    last_modified: Timestamp,
    #[serde(rename = "ETag")]
    etag: String,
    checksum_algorithm: [Algorithm; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    checksum_type: Option<Kind>,
    size: u64,
    storage_class: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<Owner>,
}

/// The target of a list: policies may look at what is listed.
pub(super) fn target(
    at: &At<Buckets>,
    bucket: &str,
    action: &'static str,
    members: [Option<&str>; 2],
    max: Option<i64>,
) -> Target {
    let [prefix, delimiter] = members;
    let mut target = guard::on_bucket(at, bucket, action);
    for (key, value) in [("s3:prefix", prefix), ("s3:delimiter", delimiter)] {
        if let Some(value) = value {
            target = target.context(key, value);
        }
    }
    match max {
        Some(max) => target.context("s3:max-keys", max.to_string()),
        None => target,
    }
}

input! { guard;
    struct ListObjectsV2 {
        pub prefix: Option<String>,
        pub delimiter: Option<String>,
        pub max_keys: Option<i64>,
        encoding_type: Option<String>,
        continuation_token: Option<String>,
        start_after: Option<String>,
        fetch_owner: Option<bool>,
        optional_object_attributes: Option<Vec<String>>,
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListObjectsV2Output {
    is_truncated: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    contents: Vec<Entry>,
    name: String,
    prefix: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    delimiter: Option<String>,
    max_keys: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    common_prefixes: Vec<CommonPrefix>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding_type: Option<&'static str>,
    key_count: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    continuation_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_continuation_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_after: Option<String>,
}

pub(super) fn list_v2(cx: &mut Cx<Buckets>, input: ListObjectsV2) -> Result<ListObjectsV2Output> {
    let bucket = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    refuse_attributes(input.optional_object_attributes.as_deref())?;
    let limit = page_size("maxKeys", input.max_keys)?;
    let encoding = Encoding::new(input.encoding_type.as_deref())?;
    let filter = Filter::new(input.prefix.as_deref(), input.delimiter.as_deref());
    if input.continuation_token.as_deref() == Some("") {
        let text = "The continuation token provided is incorrect";
        return Err(Error::new(400, "InvalidArgument", text).with("ArgumentName", "continuation-token"));
    }
    // A key of a common prefix as StartAfter does not hide the prefix; a token remembers what was answered.
    let from = match (&input.continuation_token, input.start_after.as_deref()) {
        (Some(token), _) => filter.after_marker(&token::read(token)?),
        (None, Some(start)) if !start.is_empty() => Start::after(start),
        _ => Start::default(),
    };
    let page = walk(&bucket.objects, &filter, from, limit);
    let place = place(bucket);
    let next_continuation_token = page.truncated.then(|| last(&page)).flatten().map(token::write);
    let key_count = page.items.len();
    let is_truncated = page.truncated;
    let owners = (input.fetch_owner == Some(true)).then(|| Owners::of(bucket));
    let written = cx.writes().then(|| written(&page, encoding, owners.as_ref()));
    let page = if written.is_some() { page.prefixes() } else { page };
    let (contents, common_prefixes) = split(page, encoding, owners.as_ref());
    let output = ListObjectsV2Output {
        is_truncated,
        contents,
        name: bucket.name.to_string(),
        prefix: encoding.write(filter.prefix),
        delimiter: told(encoding, input.delimiter.as_deref()),
        max_keys: limit,
        common_prefixes,
        encoding_type: encoding.name(),
        key_count,
        // Where a token says more, the key is not repeated.
        start_after: encoding.write_some(input.start_after.as_deref().filter(|_| input.continuation_token.is_none())),
        continuation_token: input.continuation_token,
        next_continuation_token,
    };
    cx.answer_header(BUCKET_REGION, place);
    if let Some(written) = written {
        cx.answer_written("Contents", written);
    }
    Ok(output)
}

/// The entries of a page as XML: what the wire makes of [`Entry`]s, at a fraction of the cost. Clients list whole buckets.
fn written(page: &Page<Arc<Object>>, encoding: Encoding, owners: Option<&Owners<'_>>) -> String {
    let mut out = String::with_capacity(page.items.len() * 320);
    // Objects of one moment share its text.
    let mut time = (Timestamp::from_secs(0), Timestamp::from_secs(0).to_iso_millis());
    for item in &page.items {
        let Item::Entry(key, object) = item else { continue };
        if object.stamp.modified != time.0 {
            time = (object.stamp.modified, object.stamp.modified.to_iso_millis());
        }
        out.push_str("<Contents><Key>");
        if encoding.0 {
            out.push_str(&encoding.write(key))
        } else {
            xml::escape(&mut out, key)
        }
        out.extend(["</Key><LastModified>", &time.1, "</LastModified><ETag>"]);
        xml::escape(&mut out, &object.etag);
        out.extend(["</ETag><ChecksumAlgorithm>", object.checksum.algorithm.name(), "</ChecksumAlgorithm>"]);
        if let Some(kind) = object.checksum.kind {
            out.extend(["<ChecksumType>", kind.name(), "</ChecksumType>"]);
        }
        // Text takes whatever is written to it.
        let _ = write!(out, "<Size>{}</Size><StorageClass>", object.size());
        out.push_str(object.description.storage_class.as_deref().unwrap_or(STANDARD_CLASS));
        out.push_str("</StorageClass>");
        if let Some(owners) = owners {
            out.extend(["<Owner><ID>", &owners.owner(object).id, "</ID></Owner>"]);
        }
        out.push_str("</Contents>");
    }
    out
}

/// The header by which ListObjectsV2 says where its bucket is.
const BUCKET_REGION: HeaderName = HeaderName::from_static("x-amz-bucket-region");

fn place(bucket: &Bucket) -> HeaderValue {
    // A region's name is always a header's value.
    HeaderValue::from_str(&bucket.region).unwrap_or(HeaderValue::from_static(""))
}

input! { guard;
    struct ListObjects {
        pub prefix: Option<String>,
        pub delimiter: Option<String>,
        pub max_keys: Option<i64>,
        encoding_type: Option<String>,
        marker: Option<String>,
        optional_object_attributes: Option<Vec<String>>,
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListObjectsOutput {
    is_truncated: bool,
    marker: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    contents: Vec<Entry>,
    name: String,
    prefix: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    delimiter: Option<String>,
    max_keys: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    common_prefixes: Vec<CommonPrefix>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding_type: Option<&'static str>,
}

pub(super) fn list(cx: &mut Cx<Buckets>, input: ListObjects) -> Result<ListObjectsOutput> {
    let bucket = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    refuse_attributes(input.optional_object_attributes.as_deref())?;
    let limit = page_size("maxKeys", input.max_keys)?;
    let encoding = Encoding::new(input.encoding_type.as_deref())?;
    let filter = Filter::new(input.prefix.as_deref(), input.delimiter.as_deref());
    let marker = input.marker.unwrap_or_default();
    let from = if marker.is_empty() { Start::default() } else { filter.after_marker(&marker) };
    let page = walk(&bucket.objects, &filter, from, limit);
    // Without a delimiter clients go on from the last key.
    let has_delimiter = !filter.delimiter.is_empty();
    let next_marker = (page.truncated && has_delimiter).then(|| encoding.write_some(last(&page))).flatten();
    let is_truncated = page.truncated;
    let (contents, common_prefixes) = split(page, encoding, Some(&Owners::of(bucket)));
    Ok(ListObjectsOutput {
        is_truncated,
        marker: encoding.write(&marker),
        next_marker,
        contents,
        name: bucket.name.to_string(),
        prefix: encoding.write(filter.prefix),
        delimiter: told(encoding, input.delimiter.as_deref()),
        max_keys: limit,
        common_prefixes,
        encoding_type: encoding.name(),
    })
}

/// The delimiter as an answer repeats it: an empty one is none.
fn told(encoding: Encoding, delimiter: Option<&str>) -> Option<String> {
    encoding.write_some(delimiter.filter(|delimiter| !delimiter.is_empty()))
}

/// The only such attribute is the state of a restore, which lists do not tell here.
pub(super) fn refuse_attributes(asked: Option<&[String]>) -> Result<()> {
    match asked {
        None | Some([]) => Ok(()),
        Some(_) => Err(Error::not_implemented("the parameter OptionalObjectAttributes of S3's lists")),
    }
}

/// The key or the common prefix that a page ends with.
pub(super) fn last<'a, V>(page: &'a Page<V>) -> Option<&'a str> {
    page.items.last().map(|item| match item {
        Item::Entry(key, _) => &***key,
        Item::Common(common) => common,
    })
}

fn split(page: Page<Arc<Object>>, encoding: Encoding, owners: Option<&Owners<'_>>) -> (Vec<Entry>, Vec<CommonPrefix>) {
    let (mut contents, mut common) = (Vec::new(), Vec::new());
    for item in page.items {
        match item {
            Item::Common(prefix) => common.push(CommonPrefix { prefix: encoding.write(&prefix) }),
            Item::Entry(key, object) => contents.push(Entry {
                key: encoding.write(key),
                last_modified: object.stamp.modified,
                etag: object.etag.clone(),
                checksum_algorithm: [object.checksum.algorithm],
                checksum_type: object.checksum.kind,
                size: object.size(),
                storage_class: object.description.storage_class.clone().unwrap_or_else(|| STANDARD_CLASS.to_owned()),
                owner: owners.map(|owners| owners.owner(object).into_owned()),
            }),
        }
    }
    (contents, common)
}
