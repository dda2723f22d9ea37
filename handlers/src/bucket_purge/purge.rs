//! Empties a bucket: every object, every version, every delete marker.

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::list_object_versions::ListObjectVersionsOutput;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};

use crate::failure::{chain, reason};

/// Why a bucket is not empty now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failure {
    /// What S3 said.
    pub reason: String,
    /// The keys that S3 named; each once, in the order of the bucket.
    pub keys: Vec<String>,
}

/// Deletes page by page: S3 lists at most 1,000 versions at once, and takes as many in one `DeleteObjects`. What cannot be deleted
/// is told at the end; the rest goes.
///
/// # Errors
/// [`Failure`]: also when a deletion is refused within an answer that is a success as a whole.
pub async fn purge(client: &Client, bucket: &str) -> Result<u64, Failure> {
    let (mut key_marker, mut version_marker) = (None, None);
    let mut deleted = 0;
    let mut failure = Failure::default();
    loop {
        let listing = client.list_object_versions().bucket(bucket);
        let listing = listing.set_key_marker(key_marker).set_version_id_marker(version_marker).send().await;
        let page = listing.map_err(|error| Failure { reason: reason(&error), keys: failure.keys.clone() })?;
        let versions = versions(&page).map_err(|reason| Failure { reason, keys: failure.keys.clone() })?;
        if !versions.is_empty() {
            deleted += delete(client, bucket, versions, &mut failure).await;
        }
        if page.is_truncated() != Some(true) {
            break;
        }
        key_marker = page.next_key_marker().map(str::to_owned);
        version_marker = page.next_version_id_marker().map(str::to_owned);
        if key_marker.is_none() {
            let reason = "S3 answered a page that is not the last without a marker".to_owned();
            return Err(Failure { reason, keys: failure.keys });
        }
    }
    if failure.reason.is_empty() { Ok(deleted) } else { Err(failure) }
}

fn versions(page: &ListObjectVersionsOutput) -> Result<Vec<ObjectIdentifier>, String> {
    let versions = page.versions().iter().map(|version| (version.key(), version.version_id()));
    let markers = page.delete_markers().iter().map(|marker| (marker.key(), marker.version_id()));
    versions
        .chain(markers)
        .map(|(key, version)| {
            let identifier = ObjectIdentifier::builder().set_key(key.map(str::to_owned));
            identifier.set_version_id(version.map(str::to_owned)).build().map_err(|error| chain(&error))
        })
        .collect()
}

/// Deletes a page of versions and says how many went.
async fn delete(client: &Client, bucket: &str, versions: Vec<ObjectIdentifier>, failure: &mut Failure) -> u64 {
    let count = versions.len() as u64;
    let keys: Vec<String> = versions.iter().map(|version| version.key().to_owned()).collect();
    let mut fail = |reason: String, keys: &mut dyn Iterator<Item = String>| {
        // The first reason is told, and every key.
        if failure.reason.is_empty() {
            failure.reason = reason;
        }
        for key in keys {
            if !failure.keys.contains(&key) {
                failure.keys.push(key);
            }
        }
    };
    let delete = match Delete::builder().set_objects(Some(versions)).quiet(true).build() {
        Ok(delete) => delete,
        Err(error) => {
            fail(chain(&error), &mut keys.into_iter());
            return 0;
        }
    };
    match client.delete_objects().bucket(bucket).delete(delete).send().await {
        Ok(answer) => {
            let errors = answer.errors();
            if let Some(first) = errors.first() {
                let (code, message) = (first.code().unwrap_or("unknown"), first.message().unwrap_or(""));
                let mut keys = errors.iter().filter_map(|error| error.key()).map(str::to_owned);
                fail(format!("{code}: {message}"), &mut keys);
            }
            count.saturating_sub(errors.len() as u64)
        }
        Err(error) => {
            fail(reason(&error), &mut keys.into_iter());
            0
        }
    }
}
