//! Server-side encryption: which keys an object is said to be encrypted with, and who may read it for that.
//!
//! Nothing is encrypted here, for nothing is on a disk that a client could look at. What clients see of encryption is
//! done: the headers that are kept and answered, the default of the bucket, and that an object under a customer's key is
//! read with that key alone. AWS KMS is asked for the use of its keys (`kms.rs`).
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/serv-side-encryption.html>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::bucket::OnBucket;
use super::errors;
use super::input::input;
use super::kms::DEFAULT_KEY;
use super::lookup::{bucket, bucket_mut};
use super::state::{Bucket, Buckets};
use crate::cloud::Cx;
use crate::{Error, Result};

/// The algorithm of S3's own keys, and the only one of customers' keys.
pub(super) const AES: &str = "AES256";
/// The algorithms whose keys are AWS KMS's.
const KMS: [&str; 2] = ["aws:kms", "aws:kms:dsse"];
/// A customer's key has so many bytes.
const KEY_SIZE: usize = 32;
/// The header that S3's errors about encryption name.
const HEADER: &str = "x-amz-server-side-encryption";

/// What an object is said to be encrypted with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) enum ServerSide {
    /// S3's own keys.
    #[default]
    Managed,
    /// A key of AWS KMS.
    Kms {
        algorithm: String,
        /// The key's ARN; the name that a request has for it, before KMS was asked.
        key: String,
        bucket_key: bool,
        context: Option<String>,
        /// The data key, encrypted under the key, in base64: what KMS is asked to decrypt for who reads the object.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        data_key: Option<String>,
    },
    /// A key that the customer sends along each time: its MD5, in base64.
    Customer(String),
}

/// The output members that tell of encryption, for `#[serde(flatten)]`.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Shown {
    #[serde(skip_serializing_if = "Option::is_none")]
    server_side_encryption: Option<String>,
    #[serde(rename = "SSEKMSKeyId", skip_serializing_if = "Option::is_none")]
    kms_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bucket_key_enabled: Option<bool>,
    #[serde(rename = "SSECustomerAlgorithm", skip_serializing_if = "Option::is_none")]
    customer_algorithm: Option<&'static str>,
    #[serde(rename = "SSECustomerKeyMD5", skip_serializing_if = "Option::is_none")]
    customer_md5: Option<String>,
    /// Told to who writes alone.
    #[serde(rename = "SSEKMSEncryptionContext", skip_serializing_if = "Option::is_none")]
    context: Option<String>,
}

impl ServerSide {
    /// What reading answers.
    pub fn shown(&self) -> Shown {
        match self {
            Self::Managed => Shown { server_side_encryption: Some(AES.to_owned()), ..Shown::default() },
            Self::Kms { algorithm, key, bucket_key, .. } => Shown {
                server_side_encryption: Some(algorithm.clone()),
                kms_key: Some(key.clone()),
                bucket_key_enabled: bucket_key.then_some(true),
                ..Shown::default()
            },
            Self::Customer(md5) => {
                Shown { customer_algorithm: Some(AES), customer_md5: Some(md5.clone()), ..Shown::default() }
            }
        }
    }

    /// What writing answers.
    pub fn written(&self) -> Shown {
        let context = match self {
            Self::Kms { context, .. } => context.clone(),
            _ => None,
        };
        Shown { context, ..self.shown() }
    }

    /// Checks that a request to read brings the key that is needed, and none where none is.
    ///
    /// # Errors
    /// `InvalidRequest` for a key that is missing or has no use; 403 for another key.
    pub fn check_read(&self, key: &CustomerKey) -> Result<()> {
        // A key of another length is just another key.
        let given = key.check_any()?.map(|(md5, _)| md5);
        match (self, given) {
            (Self::Customer(md5), Some(given)) if *md5 == given => Ok(()),
            (Self::Customer(_), Some(_)) => {
                let text = "Requests specifying Server Side Encryption with Customer provided keys must provide the correct \
                            secret key.";
                Err(Error::new(403, "AccessDenied", text))
            }
            (Self::Customer(_), None) => Err(errors::invalid_request(
                "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to \
                 retrieve the object.",
            )),
            (_, Some(_)) => {
                Err(errors::invalid_request("The encryption parameters are not applicable to this object."))
            }
            (_, None) => Ok(()),
        }
    }

    /// Checks that a part comes with the key that its upload was started with.
    ///
    /// # Errors
    /// `InvalidRequest`.
    pub fn check_part(&self, key: &CustomerKey) -> Result<()> {
        match (self, key.check()?) {
            (Self::Customer(md5), Some(given)) if *md5 == given => Ok(()),
            (Self::Customer(_), None) | (Self::Managed | Self::Kms { .. }, Some(_)) => Err(errors::invalid_request(
                "The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate \
                 encryption parameters.",
            )),
            (Self::Customer(_), Some(_)) => Err(errors::invalid_request(
                "The provided encryption parameters did not match the ones used originally.",
            )),
            (_, None) => Ok(()),
        }
    }

    /// The completion of an upload may bring the key once more; then it must be the same.
    ///
    /// # Errors
    /// `InvalidRequest`.
    pub fn check_completion(&self, key: &CustomerKey) -> Result<()> {
        if key.algorithm.is_none() && key.key.is_none() { Ok(()) } else { self.check_part(key) }
    }
}

/// A customer's key as a request brings it.
#[derive(Clone, Debug, Default)]
pub(super) struct CustomerKey {
    pub algorithm: Option<String>,
    /// Base64, as it is in the header.
    pub key: Option<String>,
    pub md5: Option<String>,
}

impl CustomerKey {
    /// The MD5 of the key, if there is one and all of it is right.
    ///
    /// # Errors
    /// `InvalidArgument`, and `InvalidEncryptionAlgorithmError`.
    pub fn check(&self) -> Result<Option<String>> {
        match self.check_any()? {
            Some((_, size)) if size != KEY_SIZE => {
                let text = "The secret key was invalid for the specified algorithm.";
                Err(Error::new(400, "InvalidArgument", text).with("ArgumentName", HEADER))
            }
            key => Ok(key.map(|(md5, _)| md5)),
        }
    }

    /// The same for a key of any size, which comes with the MD5.
    fn check_any(&self) -> Result<Option<(String, usize)>> {
        let invalid = |text: &str| Err(Error::new(400, "InvalidArgument", text).with("ArgumentName", HEADER));
        let (Some(algorithm), Some(key)) = (&self.algorithm, &self.key) else {
            return match (&self.algorithm, &self.key, &self.md5) {
                (None, None, None) => Ok(None),
                (None, ..) => invalid(
                    "Requests specifying Server Side Encryption with Customer provided keys must provide a valid encryption \
                     algorithm.",
                ),
                _ => invalid(
                    "Requests specifying Server Side Encryption with Customer provided keys must provide an appropriate \
                     secret key.",
                ),
            };
        };
        if algorithm != AES {
            let text = "The Encryption request you specified is not valid. Supported value: AES256.";
            return Err(Error::new(400, "InvalidEncryptionAlgorithmError", text)
                .with("ArgumentName", HEADER)
                .with("ArgumentValue", algorithm.as_str()));
        }
        let bytes = STANDARD.decode(key).unwrap_or_default();
        let md5 = STANDARD.encode(md5_many::md5(&bytes));
        match &self.md5 {
            None => invalid(
                "Requests specifying Server Side Encryption with Customer provided keys must provide the client calculated \
                 MD5 of the secret key.",
            ),
            Some(given) if *given != md5 => {
                invalid("The calculated MD5 hash of the key did not match the hash that was provided.")
            }
            Some(_) => Ok(Some((md5, bytes.len()))),
        }
    }
}

/// What a request to write says about encryption.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    pub algorithm: Option<String>,
    pub kms_key: Option<String>,
    pub kms_context: Option<String>,
    pub bucket_key: Option<bool>,
    pub customer: CustomerKey,
    /// What KMS's answer made of it: see `kms.rs`.
    pub sealed: Option<ServerSide>,
}

impl Asked {
    /// Whether it says anything.
    pub fn is_some(&self) -> bool {
        self.algorithm.is_some() || self.customer.algorithm.is_some()
    }

    /// What the object is encrypted with: what the request says, else what the bucket does.
    ///
    /// # Errors
    /// `InvalidArgument` for what does not go together; 403 for customers' keys where the bucket has none of them.
    pub fn decide(self, bucket: &Bucket) -> Result<ServerSide> {
        if let Some(sealed) = self.sealed {
            return Ok(sealed);
        }
        if let Some(algorithm) = &self.algorithm
            && (self.customer.algorithm.is_some() || self.customer.key.is_some())
        {
            let text = "Server Side Encryption with Customer provided key is incompatible with the encryption method \
                        specified";
            return Err(errors::invalid_argument(HEADER, algorithm.as_str(), text));
        }
        if let Some(md5) = self.customer.check()? {
            if bucket.configuration.encryption.blocks_customer_keys() {
                return Err(errors::access_denied());
            }
            return Ok(ServerSide::Customer(md5));
        }
        let is_kms = self.algorithm.as_deref().is_some_and(|algorithm| KMS.contains(&algorithm));
        if let Some(key) = self.kms_key.as_deref().filter(|_| !is_kms) {
            let text = "Server Side Encryption with AWS KMS managed key requires HTTP header \
                        x-amz-server-side-encryption : aws:kms";
            return Err(errors::invalid_argument("x-amz-server-side-encryption-aws-kms-key-id", key, text));
        }
        match self.algorithm {
            None => Ok(bucket.configuration.encryption.of_objects()),
            Some(algorithm) if algorithm == AES => Ok(ServerSide::Managed),
            Some(algorithm) if is_kms => Ok(ServerSide::Kms {
                key: self.kms_key.unwrap_or_else(|| DEFAULT_KEY.to_owned()),
                // There are no bucket keys for the encryption in two layers.
                bucket_key: self.bucket_key.unwrap_or_else(|| bucket.configuration.encryption.has_bucket_key())
                    && algorithm == "aws:kms",
                algorithm,
                context: self.kms_context,
                data_key: None,
            }),
            Some(other) => {
                Err(errors::invalid_argument(HEADER, other, "The encryption method specified is not supported"))
            }
        }
    }
}

/// `ServerSideEncryptionConfiguration` of the model.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Encryption {
    #[serde(default)]
    rules: Vec<EncryptionRule>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EncryptionRule {
    #[serde(skip_serializing_if = "Option::is_none")]
    apply_server_side_encryption_by_default: Option<EncryptionDefault>,
    #[serde(default)]
    bucket_key_enabled: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    blocked_encryption_types: Option<BlockedTypes>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct EncryptionDefault {
    #[serde(rename = "SSEAlgorithm")]
    algorithm: String,
    #[serde(rename = "KMSMasterKeyID", default, skip_serializing_if = "Option::is_none")]
    kms_key: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BlockedTypes {
    encryption_type: Vec<String>,
}

impl Default for Encryption {
    /// Every bucket encrypts with S3's own keys since January 2023.
    fn default() -> Self {
        let by_default = EncryptionDefault { algorithm: AES.to_owned(), kms_key: None };
        let rule = EncryptionRule {
            apply_server_side_encryption_by_default: Some(by_default),
            bucket_key_enabled: false,
            blocked_encryption_types: None,
        };
        Self { rules: vec![rule] }
    }
}

impl Encryption {
    fn rule(&self) -> Option<&EncryptionRule> {
        self.rules.first()
    }

    fn has_bucket_key(&self) -> bool {
        self.rule().is_some_and(|rule| rule.bucket_key_enabled)
    }

    fn blocks_customer_keys(&self) -> bool {
        let blocked = self.rule().and_then(|rule| rule.blocked_encryption_types.as_ref());
        blocked.is_some_and(|blocked| blocked.encryption_type.iter().any(|one| one == "SSE-C"))
    }

    /// What objects are encrypted with whose requests say nothing.
    fn of_objects(&self) -> ServerSide {
        match self.rule().and_then(|rule| rule.apply_server_side_encryption_by_default.as_ref()) {
            Some(default) if KMS.contains(&&*default.algorithm) => ServerSide::Kms {
                algorithm: default.algorithm.clone(),
                key: default.kms_key.clone().unwrap_or_else(|| DEFAULT_KEY.to_owned()),
                bucket_key: self.has_bucket_key() && default.algorithm == "aws:kms",
                context: None,
                data_key: None,
            },
            _ => ServerSide::Managed,
        }
    }

    fn check(&self) -> Result<()> {
        let [rule] = self.rules.as_slice() else { return Err(errors::malformed_xml()) };
        let Some(default) = &rule.apply_server_side_encryption_by_default else { return Ok(()) };
        let is_kms = KMS.contains(&&*default.algorithm);
        if !is_kms && default.algorithm != AES {
            return Err(errors::malformed_xml());
        }
        if default.kms_key.is_some() && !is_kms {
            let text = "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse";
            return Err(
                Error::new(400, "InvalidArgument", text).with("ArgumentName", "ApplyServerSideEncryptionByDefault")
            );
        }
        Ok(())
    }
}

input! { guard configures; struct PutEncryption { server_side_encryption_configuration: Option<Encryption>, } }

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct EncryptionOutput {
    server_side_encryption_configuration: Encryption,
}

pub(super) fn put(cx: &mut Cx<Buckets>, input: PutEncryption) -> Result<()> {
    bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    let encryption = input.server_side_encryption_configuration.ok_or_else(errors::malformed_xml)?;
    encryption.check()?;
    cx.state.uses_kms |= encryption.of_objects() != ServerSide::Managed;
    let configuration = &mut bucket_mut(cx, &input.bucket)?.configuration;
    configuration.encryption = encryption;
    configuration.encryption_put = true;
    Ok(())
}

pub(super) fn get(cx: &mut Cx<Buckets>, input: OnBucket) -> Result<EncryptionOutput> {
    let bucket = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    Ok(EncryptionOutput { server_side_encryption_configuration: bucket.configuration.encryption.clone() })
}

/// Puts the default back.
pub(super) fn delete(cx: &mut Cx<Buckets>, input: OnBucket) -> Result<()> {
    bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    let configuration = &mut bucket_mut(cx, &input.bucket)?.configuration;
    configuration.encryption = Encryption::default();
    configuration.encryption_put = false;
    Ok(())
}
