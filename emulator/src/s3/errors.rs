//! S3's errors, each with AWS's text and extra members.
//!
//! Follows <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>. A member whose name has no upper-case
//! letter (`x-amz-delete-marker`, `etag`) is a header of the answer, not an element of its document: S3's elements are
//! all capitalised somewhere.

use crate::Error;
use crate::timestamp::Timestamp;

pub(super) fn no_such_bucket(bucket: &str) -> Error {
    Error::new(404, "NoSuchBucket", "The specified bucket does not exist").with("BucketName", bucket)
}

pub(super) fn no_such_key(key: &str) -> Error {
    Error::new(404, "NoSuchKey", "The specified key does not exist.").with("Key", key)
}

pub(super) fn no_such_version(key: &str, version: &str) -> Error {
    Error::new(404, "NoSuchVersion", "The specified version does not exist.")
        .with("Key", key)
        .with("VersionId", version)
}

pub(super) fn no_such_upload(id: &str) -> Error {
    let text = "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted \
                or completed.";
    Error::new(404, "NoSuchUpload", text).with("UploadId", id)
}

/// A denial that the step itself finds out, in the words of IAM's.
pub(super) fn denied(caller: &str, action: &str, resource: &str) -> Error {
    let text = format!(
        "User: {caller} is not authorized to perform: {action} on resource: \"{resource}\" because no identity-based \
         policy allows the {action} action"
    );
    Error::new(403, "AccessDenied", text)
}

/// What a wrong `ExpectedBucketOwner` answers.
pub(super) fn access_denied() -> Error {
    Error::new(403, "AccessDenied", "Access Denied")
}

pub(super) fn precondition_failed(condition: &str) -> Error {
    let text = "At least one of the pre-conditions you specified did not hold";
    Error::new(412, "PreconditionFailed", text).with("Condition", condition)
}

/// 304: an answer without a body, which the protocol knows as an error.
pub(super) fn not_modified(etag: &str, modified: Timestamp) -> Error {
    Error::new(304, "NotModified", "Not Modified").with("etag", etag).with("last-modified", modified.to_http_date())
}

pub(super) fn invalid_range(asked: &str, size: u64) -> Error {
    Error::new(416, "InvalidRange", "The requested range is not satisfiable")
        .with("RangeRequested", asked)
        .with("ActualObjectSize", size.to_string())
}

pub(super) fn invalid_argument(name: &str, value: impl Into<String>, text: impl Into<String>) -> Error {
    Error::new(400, "InvalidArgument", text).with("ArgumentName", name).with("ArgumentValue", value.into())
}

pub(super) fn invalid_request(text: impl Into<String>) -> Error {
    Error::new(400, "InvalidRequest", text)
}

pub(super) fn malformed_xml() -> Error {
    let text = "The XML you provided was not well-formed or did not validate against our published schema";
    Error::new(400, "MalformedXML", text)
}

/// A header with a value that S3 itself does not take; the text is S3's, not Garoa's.
pub(super) fn header_not_implemented(header: &str, detail: &str) -> Error {
    Error::new(501, "NotImplemented", "A header you provided implies functionality that is not implemented")
        .with("Header", header)
        .with("additionalMessage", detail)
}

pub(super) fn too_large(size: u64, limit: u64) -> Error {
    Error::new(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
        .with("ProposedSize", size.to_string())
        .with("MaxSizeAllowed", limit.to_string())
}

/// What answers on a delete marker that was asked for by its version id, or for its tags and the like.
pub(super) fn marker_not_allowed(method: &str, id: &str, modified: Timestamp) -> Error {
    Error::new(405, "MethodNotAllowed", "The specified method is not allowed against this resource.")
        .with("Method", method)
        .with("ResourceType", "DeleteMarker")
        .with("allow", "DELETE")
        .with("x-amz-delete-marker", "true")
        .with("x-amz-version-id", id)
        .with("last-modified", modified.to_http_date())
}
