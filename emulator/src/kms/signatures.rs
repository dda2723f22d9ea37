//! `Sign`, `Verify`, `GetPublicKey` and `DeriveSharedSecret`: what is done with key pairs, besides encryption.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html>

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::blob::Blob;
use super::chance::Chance;
use super::keys::Key;
use super::spec::{Spec, Usage};
use super::{Keys, dry_run, find, on, pairs};
use crate::cloud::{At, Cx, Service, Target};
use crate::{Error, Result};

/// What signs a digest of its own making, which no member of the API can carry.
const PREHASHED_ED25519: &str = "ED25519_PH_SHA_512";

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Keys>) -> Service<Keys> {
    service
        .op("Sign", |at, i: &Sign| to_sign(at, &i.key_id, &i.signing_algorithm, i.message_type.as_deref()), sign)
        .op("Verify", |at, i: &Verify| to_sign(at, &i.key_id, &i.signing_algorithm, i.message_type.as_deref()), verify)
        .op("GetPublicKey", |at, i: &GetPublicKey| on(at, &i.key_id), public_key)
        .op(
            "DeriveSharedSecret",
            |at, i: &Derive| on(at, &i.key_id).context("kms:KeyAgreementAlgorithm", i.key_agreement_algorithm.as_str()),
            derive,
        )
}

fn to_sign(at: &At<Keys>, name: &str, algorithm: &str, kind: Option<&str>) -> Target {
    on(at, name).context("kms:SigningAlgorithm", algorithm).context("kms:MessageType", kind.unwrap_or("RAW"))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Sign {
    key_id: String,
    message: Blob,
    message_type: Option<String>,
    signing_algorithm: String,
    /// A grant is good as soon as it is made, so that there is nothing that a token could add.
    #[serde(rename = "GrantTokens")]
    _grant_tokens: Option<Vec<String>>,
    dry_run: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Signed {
    key_id: String,
    signature: Blob,
    signing_algorithm: String,
}

/// What is signed of a message: its digest, which it may be already; with Ed25519 the message.
fn digest(spec: Spec, message: &Blob, kind: Option<&str>, algorithm: &str) -> Result<Blob> {
    if algorithm == PREHASHED_ED25519 {
        return Err(Error::not_implemented(format!("the SigningAlgorithm {algorithm} of KMS")));
    }
    match (kind, spec) {
        (None | Some("RAW"), Spec::Ed25519) => Ok(message.clone()),
        (None | Some("RAW"), _) => Ok(pairs::digest(algorithm, message).into()),
        (Some("DIGEST"), Spec::Ed25519) => {
            let message = format!("Algorithm {algorithm} does not support message type DIGEST.");
            Err(Error::client("ValidationException", message))
        }
        (Some("DIGEST"), _) if message.len() == pairs::digest_length(algorithm) => Ok(message.clone()),
        (Some("DIGEST"), _) => {
            let message = format!("Digest is invalid length for algorithm {algorithm}.");
            Err(Error::client("ValidationException", message))
        }
        (Some(other), _) => Err(Error::not_implemented(format!("the MessageType {other} of KMS"))),
    }
}

fn sign(cx: &mut Cx<Keys>, input: Sign) -> Result<Signed> {
    let seed = cx.ids().bytes();
    let (arn, key) = find(cx, &input.key_id)?;
    let algorithm = input.signing_algorithm;
    key.check_use(&arn, Usage::Sign, "Sign", &algorithm)?;
    let digest = digest(key.spec, &input.message, input.message_type.as_deref(), &algorithm)?;
    dry_run(input.dry_run)?;
    let signature = pairs::sign(key.spec, key.secret()?, &algorithm, &digest, &mut Chance::new(seed));
    let signature = signature.ok_or_else(|| Error::internal("a key does not sign"))?.into();
    Ok(Signed { key_id: arn, signature, signing_algorithm: algorithm })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Verify {
    key_id: String,
    message: Blob,
    message_type: Option<String>,
    signature: Blob,
    signing_algorithm: String,
    #[serde(rename = "GrantTokens")]
    _grant_tokens: Option<Vec<String>>,
    dry_run: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Verified {
    key_id: String,
    signature_valid: bool,
    signing_algorithm: String,
}

fn verify(cx: &mut Cx<Keys>, input: Verify) -> Result<Verified> {
    let (arn, key) = find(cx, &input.key_id)?;
    let algorithm = input.signing_algorithm;
    key.check_use(&arn, Usage::Sign, "Verify", &algorithm)?;
    let digest = digest(key.spec, &input.message, input.message_type.as_deref(), &algorithm)?;
    let valid = pairs::verify(key.spec, key.secret()?, &algorithm, &digest, &input.signature);
    valid.ok_or_else(|| Error::client("KMSInvalidSignatureException", ""))?;
    dry_run(input.dry_run)?;
    Ok(Verified { key_id: arn, signature_valid: true, signing_algorithm: algorithm })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetPublicKey {
    key_id: String,
    #[serde(rename = "GrantTokens")]
    _grant_tokens: Option<Vec<String>>,
}

fn public_key(cx: &mut Cx<Keys>, input: GetPublicKey) -> Result<Value> {
    let (arn, key) = find(cx, &input.key_id)?;
    if key.spec.bytes().is_some() {
        let message = format!("{arn} key spec is {} which is not valid for GetPublicKey.", key.spec.name());
        return Err(Error::client("UnsupportedOperationException", message));
    }
    key.check_enabled(&arn)?;
    let (member, algorithms) = key.spec.algorithms(key.usage);
    let mut told = json!({
        "KeyId": arn,
        "PublicKey": public(key)?,
        "CustomerMasterKeySpec": key.spec.name(),
        "KeySpec": key.spec.name(),
        "KeyUsage": key.usage.name(),
    });
    told[member] = json!(algorithms);
    Ok(told)
}

fn public(key: &Key) -> Result<Blob> {
    let public = pairs::public(key.spec, key.secret()?);
    public.map(Blob::from).ok_or_else(|| Error::internal("a key pair cannot be read"))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Derive {
    key_id: String,
    key_agreement_algorithm: String,
    public_key: Blob,
    #[serde(rename = "GrantTokens")]
    _grant_tokens: Option<Vec<String>>,
    dry_run: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Derived {
    key_id: String,
    shared_secret: Blob,
    key_agreement_algorithm: String,
    key_origin: &'static str,
}

fn derive(cx: &mut Cx<Keys>, input: Derive) -> Result<Derived> {
    let (arn, key) = find(cx, &input.key_id)?;
    key.check_usage(&arn, Usage::Agree, "DeriveSharedSecret")?;
    let secret = pairs::agree(key.spec, key.secret()?, &input.public_key);
    let shared_secret = secret.ok_or_else(|| Error::client("ValidationException", ""))?.into();
    dry_run(input.dry_run)?;
    let key_agreement_algorithm = input.key_agreement_algorithm;
    Ok(Derived { key_id: arn, shared_secret, key_agreement_algorithm, key_origin: key.origin() })
}
