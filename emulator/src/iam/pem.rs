//! PEM, and as much of X.509 as IAM's answers say something about: whether a text holds a certificate, and when that expires.
//! Nothing is verified.

use crate::{Error, Result, Timestamp};

/// The bytes of a PEM text with this label, or one that ends so.
pub(super) fn decode(text: &str, label: &str) -> Option<Vec<u8>> {
    let found = pem::parse(text).ok()?;
    found.tag().ends_with(label).then(|| found.into_contents())
}

/// When a certificate expires.
///
/// # Errors
/// `MalformedCertificate` where the text holds none.
pub(super) fn expiration(text: &str) -> Result<Timestamp> {
    let malformed = "Unable to parse certificate. Please ensure the certificate is in PEM format.";
    let not_after = |der: Vec<u8>| {
        let (_, certificate) = x509_parser::parse_x509_certificate(&der).ok()?;
        Some(Timestamp::from_secs(certificate.validity().not_after.timestamp()))
    };
    let found = decode(text, "CERTIFICATE").and_then(not_after);
    found.ok_or_else(|| Error::client("MalformedCertificate", malformed))
}
