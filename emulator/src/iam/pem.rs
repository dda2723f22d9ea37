//! As much of PEM (RFC 7468) and X.509 (RFC 5280) as IAM's answers say something about: whether a text holds a certificate, and
//! when that expires. Nothing is verified.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::{Error, Result, Timestamp};

const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
/// The version of a certificate, which those of the first have not.
const VERSION: u8 = 0xa0;
/// Two digits of a year below this are of this century (RFC 5280, section 4.1.2.5.1).
const CENTURY: i64 = 50;

/// The bytes between the lines that begin and end what has this label, and whatever its label ends with.
pub(super) fn decode(text: &str, label: &str) -> Option<Vec<u8>> {
    let (_, rest) = text.split_once("-----BEGIN ")?;
    let (found, rest) = rest.split_once("-----")?;
    let (body, _) = rest.split_once("-----END ")?;
    let letters: String = body.chars().filter(|c| !c.is_whitespace()).collect();
    found.ends_with(label).then(|| STANDARD.decode(letters).ok()).flatten()
}

/// When a certificate expires.
///
/// # Errors
/// `MalformedCertificate` where the text holds none.
pub(super) fn expiration(text: &str) -> Result<Timestamp> {
    let malformed = "Unable to parse certificate. Please ensure the certificate is in PEM format.";
    let found = decode(text, "CERTIFICATE").and_then(|der| not_after(&der));
    found.ok_or_else(|| Error::client("MalformedCertificate", malformed))
}

/// One element: tag, content, and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match *first {
        short @ 0..=0x7f => (usize::from(short), rest),
        // Four bytes of length are more than any certificate has.
        long @ 0x81..=0x84 => {
            let (length, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
            (length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

fn content(der: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    element(der).filter(|(tag, ..)| *tag == wanted).map(|(_, content, rest)| (content, rest))
}

/// Certificate, to be signed, validity, its second time.
fn not_after(der: &[u8]) -> Option<Timestamp> {
    let (certificate, _) = content(der, SEQUENCE)?;
    let (signed, _) = content(certificate, SEQUENCE)?;
    let signed = content(signed, VERSION).map_or(signed, |(_, rest)| rest);
    let (_, rest) = content(signed, INTEGER)?;
    let (_, rest) = content(rest, SEQUENCE)?;
    let (_, rest) = content(rest, SEQUENCE)?;
    let (validity, _) = content(rest, SEQUENCE)?;
    let (_, _, rest) = element(validity)?;
    let (tag, time, _) = element(rest)?;
    let text = std::str::from_utf8(time).ok()?;
    let (year, rest) = match tag {
        UTC_TIME => {
            let (year, rest) = text.split_at_checked(2)?;
            let year: i64 = year.parse().ok()?;
            (if year < CENTURY { 2000 + year } else { 1900 + year }, rest)
        }
        GENERALIZED_TIME => {
            let (year, rest) = text.split_at_checked(4)?;
            (year.parse().ok()?, rest)
        }
        _ => return None,
    };
    let part = |from: usize| rest.get(from..from + 2);
    let iso = format!("{year:04}-{}-{}T{}:{}:{}Z", part(0)?, part(2)?, part(4)?, part(6)?, part(8)?);
    iso.parse().ok()
}
