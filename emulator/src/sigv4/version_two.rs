//! Signatures of version 2, which S3 still takes in its older regions: of old clients, and in presigned URLs.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html>. That S3 takes them for new buckets as well is
//! recorded in LocalStack's suite, in February 2026.

use std::collections::BTreeMap;
use std::time::Duration;

use http::request::Parts;
use jiff::fmt::rfc2822::DateTimeParser;
use percent_encoding::percent_decode_str;

use super::form::is_policy_signed_v2;
use super::verify::{MAX_SKEW, s3_mismatch};
use super::{Dialect, canonical};
use crate::wire::headers::text;
use crate::{Error, Result, Timestamp};

/// The regions that take these signatures: those that S3 opened before January 30, 2014.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingAWSSDK.html#UsingAWSSDK-sig2-deprecation>
const REGIONS: [&str; 9] = [
    "us-east-1",
    "us-west-1",
    "us-west-2",
    "eu-west-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-northeast-1",
    "sa-east-1",
    "us-gov-west-1",
];

/// Parameters of a query that are part of what is signed: subresources, and the headers that a request overrides.
const SIGNED_PARAMETERS: [&str; 35] = [
    "accelerate",
    "acl",
    "analytics",
    "cors",
    "defaultObjectAcl",
    "delete",
    "inventory",
    "lifecycle",
    "location",
    "logging",
    "metrics",
    "notification",
    "object-lock",
    "partNumber",
    "policy",
    "replication",
    "requestPayment",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "select",
    "select-type",
    "storageClass",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
    "website",
];

/// A signature, read and not yet verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedTwo {
    /// The access key id.
    pub access_key: String,
    /// The session token of temporary credentials.
    pub token: Option<String>,
    /// 20 bytes in base64.
    signature: String,
    when: When,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum When {
    /// When the request was signed, and its header's text.
    Signed(Timestamp, String),
    /// Until when a URL is good, and its parameter's text.
    Until(Timestamp, String),
}

/// Reads the signature of a request to S3; none for a request that has none of this version.
///
/// # Errors
/// `InvalidArgument` and `AccessDenied`, for signatures that lack a part; `InvalidRequest` in regions that do not take them.
pub fn parse(head: &Parts, region: &str) -> Result<Option<SignedTwo>> {
    let signed = match text(&head.headers, "authorization").and_then(|value| value.strip_prefix("AWS ")) {
        Some(value) => Some(from_header(head, value)?),
        None => from_query(head)?,
    };
    if signed.is_some() && !REGIONS.contains(&region) {
        let text = "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.";
        return Err(Error::client("InvalidRequest", text));
    }
    Ok(signed)
}

fn from_header(head: &Parts, value: &str) -> Result<SignedTwo> {
    let (access_key, signature) = value.trim().split_once(':').ok_or_else(|| {
        let text = "AWS authorization header is invalid.  Expected AwsAccessKeyId:signature";
        Error::client("InvalidArgument", text)
            .with("ArgumentName", "Authorization")
            .with("ArgumentValue", format!("AWS {value}"))
    })?;
    let date = text(&head.headers, "x-amz-date").or_else(|| text(&head.headers, "date"));
    let parser = DateTimeParser::new().relaxed_weekday(true);
    let at = date.and_then(|date| parser.parse_timestamp(date).ok()).map(jiff::Timestamp::as_millisecond);
    let Some((date, at)) = date.zip(at.filter(|at| *at >= 0)) else {
        return Err(denied("AWS authentication requires a valid Date or x-amz-date header"));
    };
    Ok(SignedTwo {
        access_key: access_key.to_owned(),
        token: text(&head.headers, "x-amz-security-token").map(str::to_owned),
        signature: signature.to_owned(),
        when: When::Signed(Timestamp::from_millis(at), date.to_owned()),
    })
}

fn from_query(head: &Parts) -> Result<Option<SignedTwo>> {
    let pairs = pairs(head);
    let value = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let (access_key, signature) = (value("AWSAccessKeyId"), value("Signature"));
    if access_key.is_none() && signature.is_none() {
        return Ok(None);
    }
    let (Some(access_key), Some(signature), Some(expires)) = (access_key, signature, value("Expires")) else {
        return Err(denied(
            "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters",
        ));
    };
    let seconds: i64 =
        expires.parse().map_err(|_| denied(format!("Invalid date (should be seconds since epoch): {expires}")))?;
    let token = value("x-amz-security-token").or_else(|| text(&head.headers, "x-amz-security-token"));
    Ok(Some(SignedTwo {
        access_key: access_key.to_owned(),
        token: token.map(str::to_owned),
        signature: signature.to_owned(),
        when: When::Until(Timestamp::from_millis(seconds.saturating_mul(1000)), expires.to_owned()),
    }))
}

fn denied(text: impl Into<String>) -> Error {
    Error::new(403, "AccessDenied", text)
}

/// The parameters of the query; a `+` is itself, as SDKs write these URLs.
fn pairs(head: &Parts) -> Vec<(String, String)> {
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let pairs = head.uri.query().unwrap_or("").split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .collect()
}

impl SignedTwo {
    /// When a header was signed.
    pub fn timestamp(&self) -> Option<Timestamp> {
        match &self.when {
            When::Signed(at, _) => Some(*at),
            When::Until(..) => None,
        }
    }

    /// Verifies the signature, if the secret is known, and the time. `bucket` is what the host's name says it is.
    ///
    /// # Errors
    /// `SignatureDoesNotMatch`; `RequestTimeTooSkewed` for a header, `AccessDenied` for a URL whose time is over.
    pub fn verify(&self, secret: Option<&str>, head: &Parts, bucket: Option<&str>, now: Timestamp) -> Result<()> {
        if let Some(secret) = secret {
            let is_signed = |to_sign: &str| is_policy_signed_v2(secret, to_sign, &self.signature);
            let to_sign = self.string_to_sign(head, bucket, "");
            // SDKs sign a bucket with a slash behind it, and leave that out of the path that they send.
            let is_bucket = bucket.is_none() && !head.uri.path().trim_start_matches('/').contains('/');
            if !(is_signed(&to_sign) || is_bucket && is_signed(&self.string_to_sign(head, bucket, "/"))) {
                return Err(s3_mismatch(&self.access_key, &to_sign, &self.signature));
            }
        }
        match &self.when {
            When::Signed(at, text) if apart(*at, now) > MAX_SKEW => Err(Dialect::S3.skewed(*at, text, now)),
            When::Until(last, _) if now > *last => Err(denied("Request has expired")
                .with("Expires", last.to_iso_secs())
                .with("ServerTime", now.to_iso_secs())),
            _ => Ok(()),
        }
    }

    fn string_to_sign(&self, head: &Parts, bucket: Option<&str>, slash: &str) -> String {
        let query = pairs(head);
        // What a URL carries instead of headers is signed as they are.
        let in_query =
            |name: &str| query.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone());
        let either = |name: &str| text(&head.headers, name).map(str::to_owned).or_else(|| in_query(name));
        let date = match &self.when {
            When::Until(_, text) => text.as_str(),
            When::Signed(..) if head.headers.contains_key("x-amz-date") => "",
            When::Signed(_, text) => text.as_str(),
        };
        let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in &query {
            if name.starts_with("x-amz-") {
                headers.entry(name.clone()).or_default().push(value.clone());
            }
        }
        for name in head.headers.keys().map(http::HeaderName::as_str).filter(|name| name.starts_with("x-amz-")) {
            headers.entry(name.to_owned()).or_default().extend(canonical::header_values(head, name));
        }
        let headers: String = headers.iter().map(|(name, values)| format!("{name}:{}\n", values.join(","))).collect();
        format!(
            "{}\n{}\n{}\n{date}\n{headers}{}",
            head.method,
            either("content-md5").unwrap_or_default(),
            either("content-type").unwrap_or_default(),
            resource(head, bucket, slash, &query)
        )
    }
}

fn apart(a: Timestamp, b: Timestamp) -> Duration {
    a.since(b).max(b.since(a))
}

/// The path as it was sent, after the bucket where the host names it, and the parameters that count.
fn resource(head: &Parts, bucket: Option<&str>, slash: &str, query: &[(String, String)]) -> String {
    let bucket = bucket.map(|bucket| format!("/{bucket}")).unwrap_or_default();
    let mut counted: Vec<_> = query.iter().filter(|(name, _)| SIGNED_PARAMETERS.contains(&name.as_str())).collect();
    counted.sort();
    let counted: Vec<String> = counted
        .into_iter()
        .map(|(name, value)| if value.is_empty() { name.clone() } else { format!("{name}={value}") })
        .collect();
    let sign = if counted.is_empty() { "" } else { "?" };
    format!("{bucket}{}{slash}{sign}{}", head.uri.path(), counted.join("&"))
}
