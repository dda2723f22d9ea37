//! What a key can be: its spec, its usage, and the algorithms that follow from both.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html>

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The algorithm of symmetric keys, which is also what a request means that names none.
pub(super) const SYMMETRIC: &str = "SYMMETRIC_DEFAULT";
/// `EncryptionAlgorithms` of RSA keys.
const RSAES: &[&str] = &["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"];
/// `SigningAlgorithms` of RSA keys.
const RSASSA: &[&str] = &[
    "RSASSA_PKCS1_V1_5_SHA_256",
    "RSASSA_PKCS1_V1_5_SHA_384",
    "RSASSA_PKCS1_V1_5_SHA_512",
    "RSASSA_PSS_SHA_256",
    "RSASSA_PSS_SHA_384",
    "RSASSA_PSS_SHA_512",
];

/// `KeySpec`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Spec {
    #[serde(rename = "SYMMETRIC_DEFAULT")]
    Symmetric,
    #[serde(rename = "RSA_2048")]
    Rsa2048,
    #[serde(rename = "RSA_3072")]
    Rsa3072,
    #[serde(rename = "RSA_4096")]
    Rsa4096,
    #[serde(rename = "ECC_NIST_P256")]
    P256,
    #[serde(rename = "ECC_NIST_P384")]
    P384,
    #[serde(rename = "ECC_NIST_P521")]
    P521,
    #[serde(rename = "ECC_SECG_P256K1")]
    K256,
    #[serde(rename = "ECC_NIST_EDWARDS25519")]
    Ed25519,
    #[serde(rename = "HMAC_224")]
    Hmac224,
    #[serde(rename = "HMAC_256")]
    Hmac256,
    #[serde(rename = "HMAC_384")]
    Hmac384,
    #[serde(rename = "HMAC_512")]
    Hmac512,
}

/// `KeyUsage`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Usage {
    #[serde(rename = "ENCRYPT_DECRYPT")]
    Encrypt,
    #[serde(rename = "SIGN_VERIFY")]
    Sign,
    #[serde(rename = "GENERATE_VERIFY_MAC")]
    Mac,
    #[serde(rename = "KEY_AGREEMENT")]
    Agree,
}

/// All specs that are here, by their names. Post-quantum keys and SM2, which China's regions alone have, are not.
const SPECS: &[(&str, Spec)] = &[
    (SYMMETRIC, Spec::Symmetric),
    ("RSA_2048", Spec::Rsa2048),
    ("RSA_3072", Spec::Rsa3072),
    ("RSA_4096", Spec::Rsa4096),
    ("ECC_NIST_P256", Spec::P256),
    ("ECC_NIST_P384", Spec::P384),
    ("ECC_NIST_P521", Spec::P521),
    ("ECC_SECG_P256K1", Spec::K256),
    ("ECC_NIST_EDWARDS25519", Spec::Ed25519),
    ("HMAC_224", Spec::Hmac224),
    ("HMAC_256", Spec::Hmac256),
    ("HMAC_384", Spec::Hmac384),
    ("HMAC_512", Spec::Hmac512),
];
const USAGES: &[(&str, Usage)] = &[
    ("ENCRYPT_DECRYPT", Usage::Encrypt),
    ("SIGN_VERIFY", Usage::Sign),
    ("GENERATE_VERIFY_MAC", Usage::Mac),
    ("KEY_AGREEMENT", Usage::Agree),
];

impl Usage {
    /// The usage of this name.
    ///
    /// # Errors
    /// `NotImplemented` for one that is not here.
    pub fn read(name: &str) -> Result<Self> {
        let found = USAGES.iter().find(|(known, _)| *known == name).map(|(_, usage)| *usage);
        found.ok_or_else(|| Error::not_implemented(format!("the KeyUsage {name} of KMS keys")))
    }

    /// AWS's name.
    pub fn name(self) -> &'static str {
        USAGES.iter().find(|(_, usage)| *usage == self).map_or("", |(name, _)| name)
    }
}

impl Spec {
    /// The spec of this name.
    ///
    /// # Errors
    /// `NotImplemented` for one that is not here.
    pub fn read(name: &str) -> Result<Self> {
        let found = SPECS.iter().find(|(known, _)| *known == name).map(|(_, spec)| *spec);
        found.ok_or_else(|| Error::not_implemented(format!("the KeySpec {name} of KMS keys")))
    }

    /// AWS's name.
    pub fn name(self) -> &'static str {
        SPECS.iter().find(|(_, spec)| *spec == self).map_or("", |(name, _)| name)
    }

    /// The bits of an RSA key's modulus.
    pub fn rsa_bits(self) -> Option<usize> {
        match self {
            Self::Rsa2048 => Some(2048),
            Self::Rsa3072 => Some(3072),
            Self::Rsa4096 => Some(4096),
            _ => None,
        }
    }

    /// The least and most bytes of the material of a key that is no pair. Those that KMS makes have the least, imported ones for HMAC may be longer.
    pub fn bytes(self) -> Option<(usize, usize)> {
        match self {
            Self::Symmetric => Some((32, 32)),
            Self::Hmac224 => Some((28, 64)),
            Self::Hmac256 => Some((32, 64)),
            Self::Hmac384 => Some((48, 128)),
            Self::Hmac512 => Some((64, 128)),
            _ => None,
        }
    }

    /// What such keys can be used for.
    pub fn usages(self) -> &'static [Usage] {
        match self {
            Self::Symmetric => &[Usage::Encrypt],
            Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096 => &[Usage::Encrypt, Usage::Sign],
            Self::P256 | Self::P384 | Self::P521 => &[Usage::Sign, Usage::Agree],
            Self::K256 | Self::Ed25519 => &[Usage::Sign],
            Self::Hmac224 | Self::Hmac256 | Self::Hmac384 | Self::Hmac512 => &[Usage::Mac],
        }
    }

    /// The algorithms of such a key under a usage, and the member of `KeyMetadata` that lists them.
    pub fn algorithms(self, usage: Usage) -> (&'static str, &'static [&'static str]) {
        match usage {
            Usage::Encrypt if self == Self::Symmetric => ("EncryptionAlgorithms", &[SYMMETRIC]),
            Usage::Encrypt => ("EncryptionAlgorithms", RSAES),
            Usage::Agree => ("KeyAgreementAlgorithms", &["ECDH"]),
            Usage::Mac => ("MacAlgorithms", self.mac_algorithms()),
            Usage::Sign => ("SigningAlgorithms", self.signing_algorithms()),
        }
    }

    fn mac_algorithms(self) -> &'static [&'static str] {
        match self {
            Self::Hmac224 => &["HMAC_SHA_224"],
            Self::Hmac256 => &["HMAC_SHA_256"],
            Self::Hmac384 => &["HMAC_SHA_384"],
            _ => &["HMAC_SHA_512"],
        }
    }

    fn signing_algorithms(self) -> &'static [&'static str] {
        match self {
            Self::P256 | Self::K256 => &["ECDSA_SHA_256"],
            Self::P384 => &["ECDSA_SHA_384"],
            Self::P521 => &["ECDSA_SHA_512"],
            Self::Ed25519 => &["ED25519_SHA_512", "ED25519_PH_SHA_512"],
            _ => RSASSA,
        }
    }

    /// Refuses an algorithm that is not one of such a key.
    ///
    /// # Errors
    /// `InvalidKeyUsageException`.
    pub fn check_algorithm(self, usage: Usage, algorithm: &str) -> Result<()> {
        if self.algorithms(usage).1.contains(&algorithm) {
            return Ok(());
        }
        let message = format!("Algorithm {algorithm} is incompatible with key spec {}.", self.name());
        Err(Error::client("InvalidKeyUsageException", message))
    }
}
