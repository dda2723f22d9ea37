//! Archives: objects that must be restored before they are read, for a while.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/restoring-objects.html>. AWS takes from minutes to two days; here
//! the copy is there when the request is answered, for nothing that a system under test could see depends on which.

use std::time::Duration;

use serde::Deserialize;

use super::errors;
use super::events::{self, Happening};
use super::input::input;
use super::lifecycle::next_midnight;
use super::lookup::{bucket, bucket_mut};
use super::object::{Object, STANDARD_CLASS};
use super::state::Buckets;
use super::tagging::object;
use crate::cloud::Cx;
use crate::{Error, Result, Timestamp};

/// The storage classes whose objects must be restored.
pub(super) const ARCHIVES: [&str; 2] = ["GLACIER", "DEEP_ARCHIVE"];
const DAY: Duration = Duration::from_secs(86_400);

impl Object {
    /// Whether it is in an archive.
    pub fn is_archived(&self) -> bool {
        self.description.storage_class.as_deref().is_some_and(|class| ARCHIVES.contains(&class))
    }

    /// # Errors
    /// `InvalidObjectState` for an object in an archive that is not restored.
    pub fn check_readable(&self, now: Timestamp) -> Result<()> {
        if !self.is_archived() || self.description.restored_until.is_some_and(|until| until > now) {
            return Ok(());
        }
        let class = self.description.storage_class.clone().unwrap_or_default();
        let text = "The operation is not valid for the object's storage class";
        Err(Error::new(403, "InvalidObjectState", text).with("StorageClass", class))
    }

    /// The header `x-amz-restore`.
    pub fn restore_header(&self, now: Timestamp) -> Option<String> {
        let until = self.description.restored_until.filter(|until| *until > now)?;
        Some(format!("ongoing-request=\"false\", expiry-date=\"{}\"", until.to_http_date()))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RestoreRequest {
    days: Option<u32>,
    glacier_job_parameters: Option<JobParameters>,
    tier: Option<String>,
    _description: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct JobParameters {
    tier: Option<String>,
}

input! { guard;
    struct RestoreObject {
        pub key: String,
        pub version_id: Option<String>,
        restore_request: Option<RestoreRequest>,
        _checksum_algorithm: Option<String>,
    }
}

pub(super) fn restore(cx: &mut Cx<Buckets>, input: RestoreObject) -> Result<()> {
    let found = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    let object = object(cx, found, &input.key, input.version_id.as_deref(), "POST")?;
    if !object.is_archived() {
        let class = object.description.storage_class.as_deref().unwrap_or(STANDARD_CLASS);
        let text = "Restore is not allowed for the object's current storage class";
        return Err(Error::new(403, "InvalidObjectState", text).with("StorageClass", class));
    }
    let request = input.restore_request.ok_or_else(errors::malformed_xml)?;
    let days = request.days.filter(|days| *days > 0).ok_or_else(errors::malformed_xml)?;
    let tier = request.tier.or(request.glacier_job_parameters.and_then(|parameters| parameters.tier));
    if tier.as_deref().is_some_and(|tier| !["Standard", "Bulk", "Expedited"].contains(&tier)) {
        return Err(errors::malformed_xml());
    }
    let was_restored = object.description.restored_until.is_some_and(|until| until > cx.now);
    // As with expiration, a copy ends at the midnight after so many days.
    let until = next_midnight(cx.now + DAY * days);
    let version = found.shown_id(&object.stamp);
    bucket_mut(cx, &input.bucket)?.change(&input.key, &object, |kept| kept.restored_until = Some(until))?;
    let mut begun = Happening::of("ObjectRestore:Post", &input.key, &object);
    begun.version.clone_from(&version);
    events::tell(cx, &input.bucket, begun);
    let mut done = Happening::of("ObjectRestore:Completed", &input.key, &object);
    done.version = version;
    done.until = Some(until);
    events::tell(cx, &input.bucket, done);
    cx.answer_status(if was_restored { 200 } else { 202 });
    Ok(())
}
