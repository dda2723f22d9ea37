//! The checksums that S3 verifies on arrival, keeps, and answers.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use crc_fast::CrcAlgorithm;
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::{errors, md5};
use crate::{Error, Result};

/// The algorithms that are honoured. The newer ones of the model (SHA512, MD5, XXHASH…) are refused by their members' names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Algorithm {
    Crc32,
    Crc32C,
    Crc64Nvme,
    Sha1,
    Sha256,
}

/// Whether a checksum covers the object's bytes or the checksums of its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Kind {
    FullObject,
    Composite,
}

impl Kind {
    /// As the model's enum writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::FullObject => "FULL_OBJECT",
            Self::Composite => "COMPOSITE",
        }
    }
}

impl Algorithm {
    /// Those of the model that Garoa does not have.
    const OTHERS: [&str; 5] = ["SHA512", "MD5", "XXHASH64", "XXHASH3", "XXHASH128"];
    const ALL: [Self; 5] = [Self::Crc32, Self::Crc32C, Self::Crc64Nvme, Self::Sha1, Self::Sha256];

    /// As the model's enum writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32C => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    fn member(self) -> &'static str {
        match self {
            Self::Crc32 => "ChecksumCRC32",
            Self::Crc32C => "ChecksumCRC32C",
            Self::Crc64Nvme => "ChecksumCRC64NVME",
            Self::Sha1 => "ChecksumSHA1",
            Self::Sha256 => "ChecksumSHA256",
        }
    }

    /// # Errors
    /// 501 for the algorithms that S3 has and Garoa does not, `InvalidRequest` for what is none.
    pub fn parse(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name).ok_or_else(|| {
            match Self::OTHERS.contains(&name) {
                true => Error::not_implemented(format!("the checksum algorithm {name} of S3")),
                false => errors::invalid_request(
                    "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, \
                     CRC32C, CRC64NVME, SHA1, SHA256]",
                ),
            }
        })
    }

    /// The checksum of some bytes, big-endian.
    pub fn digest(self, bytes: &[u8]) -> Vec<u8> {
        let crc32 = |algorithm| (crc_fast::checksum(algorithm, bytes) as u32).to_be_bytes().to_vec();
        match self {
            Self::Crc32 => crc32(CrcAlgorithm::Crc32IsoHdlc),
            Self::Crc32C => crc32(CrcAlgorithm::Crc32Iscsi),
            Self::Crc64Nvme => crc_fast::checksum(CrcAlgorithm::Crc64Nvme, bytes).to_be_bytes().to_vec(),
            Self::Sha1 => Sha1::digest(bytes).to_vec(),
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
        }
    }

    /// How many bytes a checksum has.
    fn size(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32C => 4,
            Self::Crc64Nvme => 8,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }
}

/// A checksum as it is kept. It is written as the output members that carry it, for `#[serde(flatten)]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Checksum {
    pub algorithm: Algorithm,
    /// Base64; a composite one ends in `-` and the number of parts.
    pub value: String,
    /// Absent in the checksum of a part.
    pub kind: Option<Kind>,
}

impl Checksum {
    /// The checksum of all of some bytes.
    pub fn of(algorithm: Algorithm, bytes: &[u8]) -> Self {
        Self { algorithm, value: STANDARD.encode(algorithm.digest(bytes)), kind: Some(Kind::FullObject) }
    }

    /// The same checksum as that of a part.
    pub fn of_part(self) -> Self {
        Self { kind: None, ..self }
    }

    /// The checksum of the parts' checksums.
    ///
    /// # Errors
    /// If a kept checksum is not base64, which is a bug.
    pub fn composite(algorithm: Algorithm, parts: &[&Self]) -> Result<Self> {
        let mut digests = Vec::with_capacity(parts.len() * algorithm.size());
        for part in parts {
            digests.extend(STANDARD.decode(&part.value).map_err(Error::internal)?);
        }
        let value = format!("{}-{}", STANDARD.encode(algorithm.digest(&digests)), parts.len());
        Ok(Self { algorithm, value, kind: Some(Kind::Composite) })
    }
}

impl Serialize for Checksum {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry(self.algorithm.member(), &self.value)?;
        if let Some(kind) = self.kind {
            map.serialize_entry("ChecksumType", &kind)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Checksum {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut members = std::collections::BTreeMap::<String, String>::deserialize(deserializer)?;
        let kind = match members.remove("ChecksumType").as_deref() {
            None => None,
            Some("COMPOSITE") => Some(Kind::Composite),
            Some(_) => Some(Kind::FullObject),
        };
        Algorithm::ALL
            .into_iter()
            .find_map(|algorithm| Some(Self { algorithm, value: members.remove(algorithm.member())?, kind }))
            .ok_or_else(|| serde::de::Error::custom("a checksum without its value"))
    }
}

/// The checksum that a request carries: at most one.
#[derive(Clone, Debug, Default)]
pub(super) struct Sent(Vec<(Algorithm, String)>);

impl Sent {
    /// From the members CRC32, CRC32C, CRC64NVME, SHA1, SHA256, in this order.
    pub fn new(members: [Option<String>; 5]) -> Self {
        Self(Algorithm::ALL.into_iter().zip(members).filter_map(|(a, value)| Some((a, value?))).collect())
    }

    /// The one checksum that was sent.
    ///
    /// # Errors
    /// `InvalidRequest` if there are several, or one that is no checksum.
    pub fn one(&self) -> Result<Option<(Algorithm, &str)>> {
        match self.0.as_slice() {
            [] => Ok(None),
            [(algorithm, value)] => Ok(Some((*algorithm, value))),
            _ => Err(errors::invalid_request(
                "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
            )),
        }
    }

    /// Compares what was sent with the bytes, and says which checksum is kept: the one that was sent, else that of the
    /// announced algorithm, else `default`.
    ///
    /// AWS refuses an announced algorithm without a value. Here it is computed, because a command line that runs in
    /// process announces one (`--checksum-algorithm`) and leaves the computing to the service.
    ///
    /// # Errors
    /// `BadDigest` if they differ; `InvalidRequest` for what is no checksum.
    pub fn verify(&self, announced: Option<&str>, default: Algorithm, bytes: &[u8]) -> Result<Checksum> {
        let announced = announced.map(Algorithm::parse).transpose()?;
        let Some((algorithm, sent)) = self.one()? else {
            return Ok(Checksum::of(announced.unwrap_or(default), bytes));
        };
        if announced.is_some_and(|announced| announced != algorithm) {
            return Err(errors::invalid_request("Value for x-amz-sdk-checksum-algorithm header is invalid."));
        }
        if !STANDARD.decode(sent).is_ok_and(|digest| digest.len() == algorithm.size()) {
            let header = algorithm.name().to_ascii_lowercase();
            return Err(errors::invalid_request(format!("Value for x-amz-checksum-{header} header is invalid.")));
        }
        let checksum = Checksum::of(algorithm, bytes);
        if checksum.value != sent {
            let text = format!("The {} you specified did not match the calculated checksum.", algorithm.name());
            return Err(Error::new(400, "BadDigest", text));
        }
        Ok(checksum)
    }
}

/// What was found of a payload before its operation ran: its MD5, and its checksum where that is known to be wanted.
pub(super) struct Digests {
    pub md5: Result<[u8; 16]>,
    pub checksum: Option<Result<Checksum>>,
}

/// The ETag of what has this MD5, with its quotes.
pub(super) fn etag(md5: [u8; 16]) -> String {
    let mut digits = [b'"'; 34];
    // The digits of sixteen bytes are as many as there is room for.
    let _ = hex::encode_to_slice(md5, &mut digits[1..33]);
    String::from_utf8_lossy(&digits).into_owned()
}

/// The MD5 of what is uploaded, compared with `Content-MD5` if that was sent.
///
/// # Errors
/// `InvalidDigest` if the header is no MD5; `BadDigest` if it is another.
pub(super) fn md5(body: &Bytes, sent: Option<&str>) -> Result<[u8; 16]> {
    let digest = md5::digest(body);
    let Some(sent) = sent else { return Ok(digest) };
    let given = STANDARD.decode(sent).unwrap_or_default();
    if given.len() != digest.len() {
        let text = "The Content-MD5 you specified was invalid.";
        return Err(Error::new(400, "InvalidDigest", text).with("Content-MD5", sent));
    }
    if given != digest {
        return Err(Error::new(400, "BadDigest", "The Content-MD5 you specified did not match what we received.")
            .with("ExpectedDigest", sent)
            .with("CalculatedDigest", STANDARD.encode(digest)));
    }
    Ok(digest)
}
