//! Parameters and their versions, as they are kept.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use imbl::{OrdMap, Vector};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::names::Name;
use super::policies::Policy;
use crate::cloud::{Asks, Inquiries};
use crate::{Error, Result, Timestamp};

/// The key that encrypts where no other is named.
pub(super) const DEFAULT_KEY: &str = "alias/aws/ssm";
/// What secret parameters are of.
pub(super) const SECRET: &str = "SecureString";
/// Lists, whose items stand between commas.
pub(super) const LIST: &str = "StringList";
/// The tiers.
pub(super) const STANDARD_TIER: &str = "Standard";
pub(super) const ADVANCED_TIER: &str = "Advanced";

/// The parameters of an account in a region.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Parameters {
    /// By their names, each of which begins with a slash here.
    pub(super) parameters: OrdMap<String, Parameter>,
    inquiries: Inquiries,
}

impl Asks for Parameters {
    fn inquiries(&mut self) -> &mut Inquiries {
        &mut self.inquiries
    }
}

/// A parameter.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Parameter {
    /// The name that it was given, with or without a slash before it.
    pub name: String,
    /// The oldest first; there is at least one.
    pub versions: Vector<Version>,
    pub tags: OrdMap<String, String>,
}

/// A version of a parameter.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Version {
    pub number: i64,
    /// `String`, `StringList` or `SecureString`.
    pub kind: String,
    pub value: String,
    /// Of a secret: the key as it was named.
    pub key_id: Option<String>,
    /// The ARN of a key that is not AWS's own.
    pub key_arn: Option<String>,
    pub description: Option<String>,
    pub allowed_pattern: Option<String>,
    pub tier: String,
    pub data_type: String,
    pub policies: Vec<Policy>,
    pub modified: Timestamp,
    /// The ARN of who wrote it.
    pub modified_by: String,
    pub labels: Vec<String>,
}

impl Parameter {
    /// The newest version.
    pub fn latest(&self) -> Result<&Version> {
        self.versions.last().ok_or_else(|| Error::internal("a parameter without a version"))
    }

    /// The version that a request asks for by its number or a label; the newest, if by none.
    pub fn version(&self, name: &Name) -> Result<&Version> {
        let Some(selector) = &name.selector else { return self.latest() };
        let found = match selector.parse::<i64>() {
            Ok(number) => self.versions.iter().find(|version| version.number == number),
            Err(_) => self.versions.iter().find(|version| version.labels.contains(selector)),
        };
        found.ok_or_else(|| no_version(&name.given, selector))
    }
}

/// There is no such version.
pub(super) fn no_version(name: &str, version: &str) -> Error {
    let text = format!("Systems Manager could not find version {version} of {name}. Verify the version and try again.");
    Error::client("ParameterVersionNotFound", text)
}

impl Version {
    /// The value as it is given out: that of a secret only to who asks for it in clear.
    ///
    /// There is no cryptography here. What stands for the ciphertext tells nothing of the value, as AWS's does not, and is
    /// the same for the same version.
    pub fn shown(&self, arn: &str, in_clear: bool) -> String {
        if self.kind != SECRET || in_clear {
            return self.value.clone();
        }
        let mut bytes = b"\x01\x02\x02\x00".to_vec();
        for part in ["key", "text", "tag"] {
            let of = format!("{part}/{}/{arn}/{}", self.key_id.as_deref().unwrap_or_default(), self.number);
            bytes.extend(Sha256::digest(of));
        }
        STANDARD.encode(bytes)
    }
}
