//! Versioning, and ListObjectVersions.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::bucket::{OnBucket, Owner, Owners};
use super::checksum::{Algorithm, Kind};
use super::errors;
use super::input::input;
use super::list::{CommonPrefix, Encoding, page_size, refuse_attributes};
use super::lookup::{bucket, bucket_mut};
use super::object::{STANDARD_CLASS, Stamp, Version};
use super::state::{Bucket, Buckets, Versioning, place};
use super::walk::{Filter, Start};
use crate::cloud::Cx;
use crate::{Error, Result, Timestamp};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct VersioningConfiguration {
    status: Option<String>,
    #[serde(rename = "MFADelete")]
    mfa_delete: Option<String>,
}

input! { guard configures; struct PutBucketVersioning { versioning_configuration: VersioningConfiguration, } }

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct VersioningOutput {
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
}

pub(super) fn put(cx: &mut Cx<Buckets>, input: PutBucketVersioning) -> Result<()> {
    let found = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    let wanted = input.versioning_configuration;
    if wanted.mfa_delete.as_deref() == Some("Enabled") {
        return Err(Error::not_implemented("MFADelete of S3's versioning"));
    }
    if found.configuration.object_lock.is_some() && wanted.status.as_deref() != Some("Enabled") {
        let text = "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.";
        return Err(Error::new(409, "InvalidBucketState", text));
    }
    let versioning = match wanted.status.as_deref() {
        Some("Enabled") => Versioning::Enabled,
        Some("Suspended") => Versioning::Suspended,
        Some(_) => return Err(errors::malformed_xml()),
        None => {
            let text = "The Versioning element must be specified";
            return Err(Error::new(400, "IllegalVersioningConfigurationException", text));
        }
    };
    bucket_mut(cx, &input.bucket)?.versioning = versioning;
    Ok(())
}

pub(super) fn get(cx: &mut Cx<Buckets>, input: OnBucket) -> Result<VersioningOutput> {
    let bucket = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    let status = match bucket.versioning {
        Versioning::Off => None,
        Versioning::Enabled => Some("Enabled"),
        Versioning::Suspended => Some("Suspended"),
    };
    Ok(VersioningOutput { status })
}

input! { guard;
    struct ListObjectVersions {
        pub prefix: Option<String>,
        pub delimiter: Option<String>,
        pub max_keys: Option<i64>,
        encoding_type: Option<String>,
        key_marker: Option<String>,
        version_id_marker: Option<String>,
        optional_object_attributes: Option<Vec<String>>,
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListObjectVersionsOutput {
    is_truncated: bool,
    key_marker: String,
    version_id_marker: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_key_marker: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_version_id_marker: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    versions: Vec<VersionEntry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    delete_markers: Vec<MarkerEntry>,
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

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct VersionEntry {
    #[serde(rename = "ETag")]
    etag: String,
    checksum_algorithm: [Algorithm; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    checksum_type: Option<Kind>,
    size: u64,
    storage_class: String,
    #[serde(flatten)]
    marker: MarkerEntry,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct MarkerEntry {
    key: String,
    version_id: String,
    is_latest: bool,
    last_modified: Timestamp,
    owner: Owner,
}

/// What a page has gathered.
struct Gathered {
    items: Vec<Found>,
    truncated: bool,
}

enum Found {
    Common(String),
    Version { key: Arc<str>, version: Version, is_latest: bool },
}

pub(super) fn list(cx: &mut Cx<Buckets>, input: ListObjectVersions) -> Result<ListObjectVersionsOutput> {
    let bucket = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    refuse_attributes(input.optional_object_attributes.as_deref())?;
    let limit = page_size("maxKeys", input.max_keys)?;
    let encoding = Encoding::new(input.encoding_type.as_deref())?;
    let filter = Filter::new(input.prefix.as_deref(), input.delimiter.as_deref());
    let key_marker = input.key_marker.as_deref().unwrap_or_default();
    let (from, below) = start(bucket, &filter, key_marker, input.version_id_marker.as_deref())?;
    let gathered = gather(bucket, &filter, from, below, limit);
    let (next_key_marker, next_version_id_marker) = match gathered.items.last().filter(|_| gathered.truncated) {
        None => (None, None),
        Some(Found::Common(prefix)) => (Some(encoding.write(prefix)), None),
        Some(Found::Version { key, version, .. }) => {
            (Some(encoding.write(key)), Some(version.stamp().id_or_null().to_owned()))
        }
    };
    let mut output = ListObjectVersionsOutput {
        is_truncated: gathered.truncated,
        key_marker: encoding.write(key_marker),
        version_id_marker: input.version_id_marker.unwrap_or_default(),
        next_key_marker,
        next_version_id_marker,
        versions: Vec::new(),
        delete_markers: Vec::new(),
        name: bucket.name.to_string(),
        prefix: encoding.write(filter.prefix),
        delimiter: encoding.write_some(input.delimiter.as_deref()),
        max_keys: limit,
        common_prefixes: Vec::new(),
        encoding_type: encoding.name(),
    };
    let owners = Owners::of(bucket);
    for found in gathered.items {
        match found {
            Found::Common(prefix) => output.common_prefixes.push(CommonPrefix { prefix: encoding.write(&prefix) }),
            Found::Version { key, version, is_latest } => {
                let owner = match &version {
                    Version::Object(object) => owners.owner(object).into_owned(),
                    Version::Marker(_) => owners.own().clone(),
                };
                output.add(entry(&encoding.write(&key), version.stamp(), is_latest, owner), version);
            }
        }
    }
    Ok(output)
}

impl ListObjectVersionsOutput {
    fn add(&mut self, marker: MarkerEntry, version: Version) {
        match version {
            Version::Marker(_) => self.delete_markers.push(marker),
            Version::Object(object) => self.versions.push(VersionEntry {
                etag: object.etag.clone(),
                checksum_algorithm: [object.checksum.algorithm],
                checksum_type: object.checksum.kind,
                size: object.size(),
                storage_class: object.description.storage_class.clone().unwrap_or_else(|| STANDARD_CLASS.to_owned()),
                marker,
            }),
        }
    }
}

fn entry(key: &str, stamp: &Stamp, is_latest: bool, owner: Owner) -> MarkerEntry {
    MarkerEntry {
        key: key.to_owned(),
        version_id: stamp.id_or_null().to_owned(),
        is_latest,
        last_modified: stamp.modified,
        owner,
    }
}

/// Where a page begins: at a key, and in it below a version.
fn start(bucket: &Bucket, filter: &Filter, key: &str, version: Option<&str>) -> Result<(Start, Option<u64>)> {
    let marker = "version-id-marker";
    match version {
        Some("") => Err(errors::invalid_argument(marker, "", "A version-id marker cannot be empty.")),
        Some(id) if key.is_empty() => {
            let text = "A version-id marker cannot be specified without a key marker.";
            Err(errors::invalid_argument(marker, id, text))
        }
        Some(id) if filter.common(key).is_none() => {
            // The version may be gone since; its id still says where it was. Of the null version only what is there tells.
            let sequence = match bucket.version(key, id) {
                Some(version) => Some(version.stamp().sequence),
                None => place(id),
            };
            match sequence {
                Some(sequence) => Ok((Start::At(key.to_owned()), Some(sequence))),
                None if id == "null" => Ok((Start::after(key), None)),
                None => Err(errors::invalid_argument(marker, id, "Invalid version id specified")),
            }
        }
        _ if key.is_empty() => Ok((Start::default(), None)),
        _ => Ok((filter.after_marker(key), None)),
    }
}

/// At most `limit` versions and common prefixes; of the first key only versions older than `below`, if that is its key.
fn gather(bucket: &Bucket, filter: &Filter, from: Start, below: Option<u64>, limit: usize) -> Gathered {
    let mut gathered = Gathered { items: Vec::new(), truncated: false };
    let resumed = match (&from, below) {
        (Start::At(key), Some(sequence)) => Some((key.clone(), sequence)),
        _ => None,
    };
    let mut from = filter.start(from);
    while let Some(key) = from.bound().and_then(|bound| bucket.next_key(bound)) {
        if !key.starts_with(filter.prefix) {
            break;
        }
        if let Some(common) = filter.common(key) {
            if gathered.items.len() == limit {
                gathered.truncated = limit > 0;
                break;
            }
            gathered.items.push(Found::Common(common.to_owned()));
            from = Start::beyond(common);
            continue;
        }
        let below =
            resumed.as_ref().filter(|(resumed, _)| **resumed == **key).map_or(u64::MAX, |(_, sequence)| *sequence);
        for (version, is_latest) in versions(bucket, key, below) {
            if gathered.items.len() == limit {
                gathered.truncated = limit > 0;
                return gathered;
            }
            gathered.items.push(Found::Version { key: Arc::clone(key), version, is_latest });
        }
        from = Start::after(key);
    }
    gathered
}

/// The versions of a key that are older than `below`, newest first, and whether each is the latest.
pub(super) fn versions<'a>(
    bucket: &'a Bucket,
    key: &str,
    below: u64,
) -> impl Iterator<Item = (Version, bool)> + use<'a> {
    let current = bucket.objects.get(key).map(|object| Version::Object(Arc::clone(object)));
    let history = bucket.history.get(key);
    let latest = match &current {
        Some(version) => Some(version.stamp().sequence),
        None => history.and_then(|history| history.versions.get_max()).map(|(sequence, _)| *sequence),
    };
    let older = history.into_iter().flat_map(move |history| history.versions.range(..below).rev());
    current
        .into_iter()
        .filter(move |version| version.stamp().sequence < below)
        .chain(older.map(|(_, version)| version.clone()))
        .map(move |version| {
            let is_latest = Some(version.stamp().sequence) == latest;
            (version, is_latest)
        })
}
