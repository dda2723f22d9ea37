//! The checksums that S3 and its clients put on content.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crc_fast::CrcAlgorithm;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};

/// An algorithm, as the member `ChecksumAlgorithm` names it; MD5 is the header `Content-MD5` as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// CRC-32 of ISO-HDLC.
    Crc32,
    /// CRC-32 of Castagnoli.
    Crc32c,
    /// CRC-64 of NVM Express, the default of today's SDKs and of S3 itself.
    Crc64Nvme,
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
    /// MD5.
    Md5,
}

impl Algorithm {
    /// Every algorithm. S3's XXHASH64, XXHASH3 and XXHASH128 are not computed here.
    pub const ALL: [Self; 7] =
        [Self::Crc32, Self::Crc32c, Self::Crc64Nvme, Self::Sha1, Self::Sha256, Self::Sha512, Self::Md5];

    /// The algorithm that the model names so (`CRC64NVME`).
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }

    /// The name in the model.
    pub fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
            Self::Sha512 => "SHA512",
            Self::Md5 => "MD5",
        }
    }

    /// The member of requests and answers that carries the checksum, `ChecksumCRC32`.
    pub fn member(self) -> String {
        format!("Checksum{}", self.name())
    }

    /// The header that carries it, `x-amz-checksum-crc32`.
    pub fn header(self) -> String {
        format!("x-amz-checksum-{}", self.name().to_ascii_lowercase())
    }
}

/// The checksum of the bytes, raw, most significant byte first.
pub fn compute_raw(algorithm: Algorithm, bytes: &[u8]) -> Vec<u8> {
    let crc32 = |kind| {
        let sum = crc_fast::checksum(kind, bytes);
        // A CRC of 32 bits stands in the low half of the 64.
        sum.to_be_bytes().into_iter().skip(4).collect()
    };
    match algorithm {
        Algorithm::Crc32 => crc32(CrcAlgorithm::Crc32IsoHdlc),
        Algorithm::Crc32c => crc32(CrcAlgorithm::Crc32Iscsi),
        Algorithm::Crc64Nvme => crc_fast::checksum(CrcAlgorithm::Crc64Nvme, bytes).to_be_bytes().to_vec(),
        Algorithm::Sha1 => Sha1::digest(bytes).to_vec(),
        Algorithm::Sha256 => Sha256::digest(bytes).to_vec(),
        Algorithm::Sha512 => Sha512::digest(bytes).to_vec(),
        Algorithm::Md5 => Md5::digest(bytes).to_vec(),
    }
}

/// The checksum of the bytes in base64, as headers and members carry it.
pub fn compute(algorithm: Algorithm, bytes: &[u8]) -> String {
    STANDARD.encode(compute_raw(algorithm, bytes))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The check values of the CRC catalogue, and of the hashes' own specifications, for "123456789".
    #[test]
    fn known_values() {
        let sum = |algorithm| hex::encode(compute_raw(algorithm, b"123456789"));
        assert_eq!(sum(Algorithm::Crc32), "cbf43926");
        assert_eq!(sum(Algorithm::Crc32c), "e3069283");
        assert_eq!(sum(Algorithm::Crc64Nvme), "ae8b14860a799888");
        assert_eq!(sum(Algorithm::Md5), "25f9e794323b453885f5181f1b624d0b");
        assert_eq!(sum(Algorithm::Sha1), "f7c3bc1d808e04732adf679965ccc34ca7ae3441");
        assert_eq!(compute(Algorithm::Crc32, b"hello world"), "DUoRhQ==");
        assert_eq!(compute(Algorithm::Sha256, b""), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    }

    #[test]
    fn names() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::of(algorithm.name()), Some(algorithm));
        }
        assert_eq!(Algorithm::of("XXHASH64"), None);
        assert_eq!(Algorithm::Crc64Nvme.header(), "x-amz-checksum-crc64nvme");
        assert_eq!(Algorithm::Crc32c.member(), "ChecksumCRC32C");
    }
}
