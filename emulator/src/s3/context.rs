//! The condition keys by which policies look into requests to S3.
//!
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html#amazons3-policy-keys>. A key that
//! tells of a header is there only where the request has the header, for policies ask whether it is (`Null`).

use super::encryption::ServerSide;
use super::multipart::Upload;
use super::tagging::{self, Tag};
use crate::cloud::Target;

const SSE: &str = "s3:x-amz-server-side-encryption";
const SSE_KEY: &str = "s3:x-amz-server-side-encryption-aws-kms-key-id";
const SSE_CUSTOMER: &str = "s3:x-amz-server-side-encryption-customer-algorithm";

/// A target with those keys that the request has a value for.
pub(super) fn with<const N: usize>(target: Target, keys: [(&'static str, Option<&str>); N]) -> Target {
    keys.into_iter().fold(target, |target, (key, value)| match value {
        Some(value) => target.context(key, value),
        None => target,
    })
}

/// What a request says about an object besides its bytes: see the macro [`described`].
pub(super) struct Words<'a> {
    pub storage_class: Option<&'a str>,
    pub redirect: Option<&'a str>,
    /// The algorithm, and the key of AWS KMS.
    pub encryption: [Option<&'a str>; 2],
    pub customer_algorithm: Option<&'a str>,
    pub lock_mode: Option<&'a str>,
    pub lock_until: Option<String>,
    pub legal_hold: Option<&'a str>,
    pub tagging: Option<&'a str>,
}

impl Words<'_> {
    pub fn add(self, target: Target) -> Target {
        let [algorithm, key] = self.encryption;
        let keys = [
            ("s3:x-amz-storage-class", self.storage_class),
            ("s3:x-amz-website-redirect-location", self.redirect),
            (SSE, algorithm),
            (SSE_KEY, key),
            (SSE_CUSTOMER, self.customer_algorithm),
            ("s3:object-lock-mode", self.lock_mode),
            ("s3:object-lock-retain-until-date", self.lock_until.as_deref()),
            ("s3:object-lock-legal-hold", self.legal_hold),
        ];
        tag_header(with(target, keys), self.tagging)
    }
}

/// Adds what an input says about an object: see [`Words`].
macro_rules! described {
    ($target:expr, $input:expr) => {
        $crate::s3::context::Words {
            storage_class: $input.storage_class.as_deref(),
            redirect: $input.website_redirect_location.as_deref(),
            encryption: [$input.server_side_encryption.as_deref(), $input.kms_key.as_deref()],
            customer_algorithm: $input.customer_algorithm.as_deref(),
            lock_mode: $input.object_lock_mode.as_deref(),
            lock_until: $input.object_lock_retain_until_date.map($crate::Timestamp::to_iso_secs),
            legal_hold: $input.object_lock_legal_hold_status.as_deref(),
            tagging: $input.tagging.as_deref(),
        }
        .add($crate::s3::context::granted!($target, $input))
    };
}
pub(super) use described;

/// Adds the access control list that an input asks for.
macro_rules! granted {
    ($target:expr, $input:expr) => {
        $crate::s3::context::with(
            $target,
            [
                ("s3:x-amz-acl", $input.acl.as_deref()),
                ("s3:x-amz-grant-full-control", $input.grant_full_control.as_deref()),
                ("s3:x-amz-grant-read", $input.grant_read.as_deref()),
                ("s3:x-amz-grant-read-acp", $input.grant_read_acp.as_deref()),
                ("s3:x-amz-grant-write", $input.grant_write.as_deref()),
                ("s3:x-amz-grant-write-acp", $input.grant_write_acp.as_deref()),
            ],
        )
    };
}
pub(super) use granted;

/// Adds the tags that a request brings in its header. What is no list of tags is refused later, and adds nothing.
pub(super) fn tag_header(target: Target, header: Option<&str>) -> Target {
    match header.map(tagging::from_header) {
        Some(Ok(tags)) => request_tags(target, &tags),
        _ => target,
    }
}

/// Adds the tags that a request brings.
pub(super) fn request_tags(mut target: Target, tags: &[Tag]) -> Target {
    if tags.is_empty() {
        return target;
    }
    let keys = tags.iter().map(|tag| tag.key.clone()).collect();
    target.context.push(("s3:RequestObjectTagKeys".into(), keys));
    tags.iter().fold(target, |target, tag| target.context(format!("s3:RequestObjectTag/{}", tag.key), &*tag.value))
}

/// Adds the tags that an object has.
pub(super) fn existing_tags(target: Target, tags: &[Tag]) -> Target {
    tags.iter().fold(target, |target, tag| target.context(format!("s3:ExistingObjectTag/{}", tag.key), &*tag.value))
}

/// Adds the encryption that an upload was started with: the requests for its parts do not repeat it, and a policy that wants
/// it is content.
pub(super) fn of_upload(target: Target, upload: Option<&Upload>) -> Target {
    match upload.map(|upload| &upload.description.encryption) {
        None => target,
        Some(ServerSide::Managed) => target.context(SSE, "AES256"),
        Some(ServerSide::Kms { algorithm, key, .. }) => target.context(SSE, &**algorithm).context(SSE_KEY, &**key),
        Some(ServerSide::Customer(_)) => target.context(SSE_CUSTOMER, "AES256"),
    }
}
