//! The checksums of uploads: which one is wanted, and whether what the parts and the completion bring is that.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html>

use bytes::Bytes;

use super::checksum::{Algorithm, Checksum, Kind, Sent};
use super::errors;
use super::multipart::{Part, Upload, invalid_part};
use crate::{Error, Result};

/// Which checksum an upload is to have. SHA checksums cover the parts' checksums, CRC64NVME the whole, the others either.
pub(super) fn wanted_checksum(algorithm: Option<&str>, kind: Option<&str>) -> Result<Option<(Algorithm, Kind)>> {
    let Some(algorithm) = algorithm.map(Algorithm::parse).transpose()? else {
        return match kind {
            None => Ok(None),
            Some(_) => Err(errors::invalid_request(
                "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
            )),
        };
    };
    let kind = match kind {
        Some("FULL_OBJECT") => Kind::FullObject,
        Some("COMPOSITE") => Kind::Composite,
        Some(_) => return Err(errors::invalid_request("Value for x-amz-checksum-type header is invalid.")),
        None if algorithm == Algorithm::Crc64Nvme => Kind::FullObject,
        None => Kind::Composite,
    };
    let impossible = match (algorithm, kind) {
        (Algorithm::Crc64Nvme, Kind::Composite) => Some("COMPOSITE"),
        (Algorithm::Sha1 | Algorithm::Sha256, Kind::FullObject) => Some("FULL_OBJECT"),
        _ => None,
    };
    match impossible {
        None => Ok(Some((algorithm, kind))),
        Some(kind) => {
            let algorithm = algorithm.name().to_ascii_lowercase();
            let text = format!("The {kind} checksum type cannot be used with the {algorithm} checksum algorithm.");
            Err(errors::invalid_request(text))
        }
    }
}

/// The parts of an upload that was started with an algorithm come with a checksum of that one.
///
/// # Errors
/// `InvalidRequest`.
pub(super) fn check_part_algorithm(upload: &Upload, sent: &Sent, announced: Option<&str>) -> Result<()> {
    let Some((expected, kind)) = upload.checksum else { return Ok(()) };
    let actual = match sent.one()? {
        Some((algorithm, _)) => Some(algorithm),
        None => announced.map(Algorithm::parse).transpose()?,
    };
    // The checksum of the whole does not need those of the parts: S3 computes what is missing.
    if actual == Some(expected) || (actual.is_none() && kind == Kind::FullObject) {
        return Ok(());
    }
    let actual = actual.map_or("null".to_owned(), |algorithm| algorithm.name().to_ascii_lowercase());
    let expected = expected.name().to_ascii_lowercase();
    let text =
        format!("Checksum Type mismatch occurred, expected checksum Type: {expected}, actual checksum Type: {actual}");
    Err(errors::invalid_request(text))
}

/// The checksum that a completion says of a part is the part's; where it has to, it says one.
///
/// # Errors
/// `InvalidRequest`, `InvalidPart`.
pub(super) fn check_part_checksum(upload: &Upload, number: u32, part: &Part, sent: &Sent, etag: &str) -> Result<()> {
    match (sent.one()?, upload.checksum) {
        (None, Some((algorithm, Kind::Composite))) => {
            let algorithm = algorithm.name().to_ascii_lowercase();
            Err(errors::invalid_request(format!(
                "The upload was created using a {algorithm} checksum. The complete request must include the checksum for \
                 each part. It was missing for part {number} in the request."
            )))
        }
        // A checksum of another algorithm than the upload's is that of nothing that was received.
        (Some((sent, _)), Some((algorithm, Kind::Composite))) if sent != algorithm => {
            let name = sent.name().to_ascii_lowercase();
            let text = format!("The {name} you specified for part {number} did not match what we received.");
            Err(Error::new(400, "BadDigest", text))
        }
        // Of an upload that was started without an algorithm, S3 knows the checksum of no part.
        (Some(_), None) => Err(invalid_part(upload, number, etag)),
        (Some((algorithm, value)), _) if part.checksum.algorithm != algorithm || part.checksum.value != value => {
            Err(invalid_part(upload, number, etag))
        }
        _ => Ok(()),
    }
}

/// The checksum of the object that the parts make.
///
/// # Errors
/// If a kept checksum is none, which is a bug.
pub(super) fn whole_checksum(upload: &Upload, parts: &[(u32, &Part)], body: &Bytes) -> Result<Checksum> {
    match upload.checksum {
        Some((algorithm, Kind::Composite)) => {
            let checksums: Vec<_> = parts.iter().map(|(_, part)| &part.checksum).collect();
            Checksum::composite(algorithm, &checksums)
        }
        Some((algorithm, Kind::FullObject)) => Ok(Checksum::of(algorithm, body)),
        None => Ok(Checksum::of(Algorithm::Crc64Nvme, body)),
    }
}

/// The type of checksum that a completion names is the one that its upload was started with.
///
/// # Errors
/// `InvalidRequest`.
pub(super) fn check_kind(upload: &Upload, kind: Option<&str>) -> Result<()> {
    let upload_kind = upload.checksum.map(|(_, kind)| kind.name());
    if kind.is_none() || kind == upload_kind {
        return Ok(());
    }
    Err(errors::invalid_request(format!(
        "The upload was created using the {} checksum mode. The complete request must use the same checksum mode.",
        upload_kind.unwrap_or("null")
    )))
}

/// Compares the checksum of the whole with what the completion says it is. An upload that was started without an
/// algorithm takes no word for it, nor does one with a checksum of the whole from who does not say that it is that.
///
/// # Errors
/// `BadDigest`.
pub(super) fn check_whole(checksum: &Checksum, sent: &Sent, kind: Option<&str>, upload: &Upload) -> Result<()> {
    let Some((algorithm, upload_kind)) = upload.checksum else { return Ok(()) };
    let Some((sent_algorithm, value)) = sent.one()? else { return Ok(()) };
    // A composite checksum may be sent without the number of parts.
    let bare = checksum.value.split('-').next();
    let says = kind.is_some() || upload_kind == Kind::Composite;
    if sent_algorithm == algorithm && says && (value == checksum.value || Some(value) == bare) {
        return Ok(());
    }
    let name = algorithm.name().to_ascii_lowercase();
    Err(Error::new(400, "BadDigest", format!("The {name} you specified did not match the calculated checksum.")))
}
