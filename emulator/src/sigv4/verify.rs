//! Verifying a signature: time, signed headers, payload hash, and the signature itself.

use std::time::Duration;

use http::request::Parts;

use super::refusal::{Dialect, amz_date};
use super::{Signed, canonical, is_signed, sha256_hex, signing_key};
use crate::wire::headers::text;
use crate::{Error, Result, Timestamp};

/// How far the clocks of client and service may differ: 15 minutes, for S3 as for the others.
pub const MAX_SKEW: Duration = Duration::from_secs(15 * 60);

/// What the verifier knows of a request's body.
#[derive(Clone, Copy, Debug)]
pub enum Payload<'a> {
    /// The whole body: a hash that the request states is checked against it.
    Body(&'a [u8]),
    /// The body is still to come: the hash that the request states is believed, and whoever reads the body checks it.
    Later,
}

/// The header that says what the body is, as far as the signature goes.
const HASH: &str = "x-amz-content-sha256";

/// Forms of it that are not a hash.
const FORMS: [&str; 4] = [
    "UNSIGNED-PAYLOAD",
    "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
];

/// Verifies a signature with the secret of its access key. `Ok` says that whoever has the secret signed this request,
/// and not too long ago.
pub fn verify(
    signed: &Signed<'_>,
    secret: &str,
    head: &Parts,
    payload: Payload<'_>,
    now: Timestamp,
    dialect: Dialect,
) -> Result<()> {
    // S3 looks at the time last, the others first.
    if dialect != Dialect::S3 {
        check_time(signed, now, dialect)?;
    }
    check_signed_headers(signed, head, dialect)?;
    let payload_hash = payload_hash(signed, head, payload, dialect)?;
    let canonical = canonical::request(signed, head, &payload_hash);
    let to_sign = canonical::string_to_sign(signed, &canonical);
    if !is_signed(&signing_key(secret, &signed.scope), &to_sign, &signed.signature) {
        return Err(mismatch(signed, dialect, &to_sign, &canonical));
    }
    check_body(&payload_hash, payload, dialect)?;
    if dialect == Dialect::S3 { check_time(signed, now, dialect) } else { Ok(()) }
}

/// What can be told of a presigned URL of S3 without its secret: whether the request has the headers that were signed, and no
/// others of AWS's, and whether its time is over. Who signs by a clock that is ahead of the cloud's is let through.
///
/// # Errors
/// `AccessDenied`, and `SignatureDoesNotMatch` where a signed header is missing.
pub fn check_unverified(signed: &Signed<'_>, head: &Parts, now: Timestamp, dialect: Dialect) -> Result<()> {
    if dialect != Dialect::S3 || !signed.presigned {
        return Ok(());
    }
    check_signed_headers(signed, head, dialect)?;
    let is_missing =
        |name: &str| name != "host" && !head.headers.contains_key(name) && canonical::in_query(head, name).is_none();
    if signed.header_names().any(is_missing) {
        let payload_hash = payload_hash(signed, head, Payload::Later, dialect)?;
        let canonical = canonical::request(signed, head, &payload_hash);
        return Err(mismatch(signed, dialect, &canonical::string_to_sign(signed, &canonical), &canonical));
    }
    check_expiry(signed, now)
}

/// Whether the time of a URL of S3 is over.
fn check_expiry(signed: &Signed<'_>, now: Timestamp) -> Result<()> {
    let Some(seconds) = signed.expires else { return Ok(()) };
    let last = signed.timestamp + Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
    if now <= last && seconds != 0 {
        return Ok(());
    }
    Err(Error::new(403, "AccessDenied", "Request has expired")
        .with("ServerTime", now.to_iso_secs())
        .with("X-Amz-Expires", seconds.to_string())
        .with("Expires", last.to_iso_secs()))
}

fn check_time(signed: &Signed<'_>, now: Timestamp, dialect: Dialect) -> Result<()> {
    let skewed =
        |earliest: bool| signed.timestamp.since(now) > MAX_SKEW || (earliest && now.since(signed.timestamp) > MAX_SKEW);
    let Some(seconds) = signed.expires.filter(|_| signed.presigned) else {
        return if skewed(true) { Err(dialect.skewed(signed.timestamp, &signed.amz_date, now)) } else { Ok(()) };
    };
    let last = signed.timestamp + Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
    if dialect != Dialect::S3 {
        if now > last {
            let (last, now) = (amz_date(last), amz_date(now));
            return Err(
                dialect.invalid(format!("Signature expired: {} is now earlier than {now} ({last})", signed.amz_date))
            );
        }
        return if skewed(false) { Err(dialect.skewed(signed.timestamp, &signed.amz_date, now)) } else { Ok(()) };
    }
    check_expiry(signed, now)?;
    if skewed(false) {
        return Err(Error::new(403, "AccessDenied", "Request is not yet valid")
            .with("ServerTime", now.to_iso_secs())
            .with("X-Amz-Date", &*signed.amz_date));
    }
    Ok(())
}

/// `host` must be signed everywhere, and at S3 every `x-amz-…` header that the request has. S3 does not look at the hash of
/// the body that comes with a presigned URL and is not signed.
fn check_signed_headers(signed: &Signed<'_>, head: &Parts, dialect: Dialect) -> Result<()> {
    let is_signed = |name: &str| signed.header_names().any(|one| one == name);
    if dialect != Dialect::S3 {
        if is_signed("host") || is_signed(":authority") {
            return Ok(());
        }
        return Err(dialect.invalid("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."));
    }
    let mut unsigned: Vec<&str> = head
        .headers
        .keys()
        .map(http::HeaderName::as_str)
        .filter(|name| name.starts_with("x-amz-") && !is_signed(name))
        .filter(|name| !(signed.presigned && *name == HASH))
        .collect();
    unsigned.sort_unstable();
    if !is_signed("host") {
        unsigned.insert(0, "host");
    }
    if unsigned.is_empty() {
        return Ok(());
    }
    let message = "There were headers present in the request which were not signed";
    Err(Error::new(403, "AccessDenied", message).with("HeadersNotSigned", unsigned.join(", ")))
}

/// The last line of the canonical request.
fn payload_hash(signed: &Signed<'_>, head: &Parts, payload: Payload<'_>, dialect: Dialect) -> Result<String> {
    let counts = dialect != Dialect::S3 || !signed.presigned || signed.header_names().any(|name| name == HASH);
    let stated =
        text(&head.headers, HASH).filter(|_| counts).map(str::to_owned).or_else(|| canonical::in_query(head, HASH));
    match (stated, dialect) {
        (Some(stated), Dialect::S3) if !FORMS.contains(&stated.as_str()) && !is_hash(&stated) => {
            let message = format!(
                "x-amz-content-sha256 must be {}, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, \
                 STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER or a valid sha256 value.",
                FORMS.join(", ")
            );
            Err(Error::client("InvalidArgument", message)
                .with("ArgumentName", "x-amz-content-sha256")
                .with("ArgumentValue", stated))
        }
        (Some(stated), Dialect::S3) => Ok(stated),
        (None, Dialect::S3) if signed.presigned => Ok("UNSIGNED-PAYLOAD".to_owned()),
        (None, Dialect::S3) => {
            Err(Error::client("InvalidRequest", "Missing required header for this request: x-amz-content-sha256"))
        }
        // Elsewhere the service hashes what it received, unless the request says that the body is not signed.
        (Some(stated), _) if FORMS.contains(&stated.as_str()) => Ok(stated),
        (stated, _) => match payload {
            Payload::Body(body) => Ok(sha256_hex(body)),
            Payload::Later => stated.ok_or_else(|| {
                Error::internal("a signature without a payload hash cannot be verified before its body")
            }),
        },
    }
}

fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn check_body(stated: &str, payload: Payload<'_>, dialect: Dialect) -> Result<()> {
    let Payload::Body(body) = payload else { return Ok(()) };
    if !is_hash(stated) {
        return Ok(());
    }
    let computed = sha256_hex(body);
    if stated.eq_ignore_ascii_case(&computed) {
        return Ok(());
    }
    Err(match dialect {
        Dialect::S3 => {
            let message = "The provided 'x-amz-content-sha256' header does not match what was computed.";
            Error::client("XAmzContentSHA256Mismatch", message)
                .with("ClientComputedContentSHA256", stated)
                .with("S3ComputedContentSHA256", computed)
        }
        _ => dialect.mismatch(),
    })
}

/// S3 shows what it signed; the JSON services do so in the text, and Garoa leaves that out.
fn mismatch(signed: &Signed<'_>, dialect: Dialect, to_sign: &str, canonical: &str) -> Error {
    if dialect != Dialect::S3 {
        return dialect.mismatch();
    }
    s3_mismatch(&signed.access_key, to_sign, &signed.signature)
        .with("CanonicalRequest", canonical)
        .with("CanonicalRequestBytes", spaced_hex(canonical))
}

/// What S3 answers where the signature is not that of the text to sign.
pub(crate) fn s3_mismatch(access_key: &str, to_sign: &str, signature: &str) -> Error {
    Dialect::S3
        .mismatch()
        .with("AWSAccessKeyId", access_key)
        .with("StringToSign", to_sign)
        .with("SignatureProvided", signature)
        .with("StringToSignBytes", spaced_hex(to_sign))
}

fn spaced_hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}
