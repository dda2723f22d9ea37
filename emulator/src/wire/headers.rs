//! Names of headers that every request is searched for, or every answer has. A name that is text is read anew, and looked for
//! among the known ones, each time that it is asked for.

use http::header::AsHeaderName;
use http::{HeaderMap, HeaderName, HeaderValue};

pub(crate) static AMZ_CONTENT_SHA256: HeaderName = HeaderName::from_static("x-amz-content-sha256");
pub(crate) static AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");
pub(crate) static AMZ_DECODED_CONTENT_LENGTH: HeaderName = HeaderName::from_static("x-amz-decoded-content-length");
pub(crate) static AMZ_ID_2: HeaderName = HeaderName::from_static("x-amz-id-2");
pub(crate) static AMZ_REQUEST_ID: HeaderName = HeaderName::from_static("x-amz-request-id");
pub(crate) static AMZ_SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");
pub(crate) static AMZ_SERVER_SIDE_ENCRYPTION: HeaderName = HeaderName::from_static("x-amz-server-side-encryption");
pub(crate) static AMZ_TARGET: HeaderName = HeaderName::from_static("x-amz-target");
pub(crate) static AMZN_REQUESTID: HeaderName = HeaderName::from_static("x-amzn-requestid");
pub(crate) static AMZN_TRACE_ID: HeaderName = HeaderName::from_static("x-amzn-trace-id");
pub(crate) static SMITHY_PROTOCOL: HeaderName = HeaderName::from_static("smithy-protocol");

/// A header's text, if it is ASCII; looked at by words, where `HeaderValue::to_str` goes byte by byte.
pub(crate) fn text(headers: &HeaderMap, name: impl AsHeaderName) -> Option<&str> {
    ascii(headers.get(name)?)
}

/// The text of a header's value, if it is ASCII.
pub(super) fn ascii(value: &HeaderValue) -> Option<&str> {
    let value = value.as_bytes();
    if value.is_ascii() { std::str::from_utf8(value).ok() } else { None }
}
