//! Data keys and data key pairs, with which clients encrypt by themselves; and random bytes.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/data-keys.html>

use serde::{Deserialize, Serialize};

use super::blob::Blob;
use super::chance::Chance;
use super::cipher::Context;
use super::encrypt::seal_under;
use super::keys::Key;
use super::spec::{SYMMETRIC, Spec, Usage};
use super::target::with_context;
use super::{Keys, dry_run, find, making, managed, on, pairs};
use crate::cloud::{At, Cx, Service, Step, Target};
use crate::{Error, Result};

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Keys>) -> Service<Keys> {
    service
        .op("GenerateDataKey", of_key, |cx, i| generate(cx, i, "GenerateDataKey"))
        .op("GenerateDataKeyWithoutPlaintext", of_key, |cx, i| {
            let made = generate(cx, i, "GenerateDataKeyWithoutPlaintext")?;
            Ok(DataKey { plaintext: None, ..made })
        })
        .waiting_op("GenerateDataKeyPair", of_pair, |cx, i| generate_pair(cx, i, "GenerateDataKeyPair", true))
        .waiting_op("GenerateDataKeyPairWithoutPlaintext", of_pair, |cx, i| {
            generate_pair(cx, i, "GenerateDataKeyPairWithoutPlaintext", false)
        })
        .op("GenerateRandom", |_, _: &GenerateRandom| Target::any(), random)
}

fn of_key(at: &At<Keys>, input: &GenerateDataKey) -> Target {
    let target = on(at, &input.key_id).context("kms:EncryptionAlgorithm", SYMMETRIC);
    with_context(target, &input.encryption_context)
}

fn of_pair(at: &At<Keys>, input: &GeneratePair) -> Target {
    let target = on(at, &input.key_id).context("kms:DataKeyPairSpec", input.key_pair_spec.as_str());
    with_context(target.context("kms:EncryptionAlgorithm", SYMMETRIC), &input.encryption_context)
}

/// The key under which data keys are encrypted: a symmetric one.
fn wrapping<'a>(cx: &'a Cx<Keys>, name: &str, operation: &str) -> Result<(String, &'a Key)> {
    let (arn, key) = find(cx, name)?;
    key.check_usage(&arn, Usage::Encrypt, operation)?;
    if !key.is_symmetric() {
        let message = format!("{arn} key spec is {} which is not valid for {operation}.", key.spec.name());
        return Err(Error::client("InvalidKeyUsageException", message));
    }
    Ok((arn, key))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GenerateDataKey {
    key_id: String,
    #[serde(default)]
    encryption_context: Context,
    number_of_bytes: Option<usize>,
    key_spec: Option<String>,
    /// A grant is good as soon as it is made, so that there is nothing that a token could add.
    #[serde(rename = "GrantTokens")]
    _grant_tokens: Option<Vec<String>>,
    dry_run: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DataKey {
    ciphertext_blob: Blob,
    #[serde(skip_serializing_if = "Option::is_none")]
    plaintext: Option<Blob>,
    key_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_material_id: Option<String>,
}

fn generate(cx: &mut Cx<Keys>, input: GenerateDataKey, operation: &str) -> Result<DataKey> {
    let length = match (input.key_spec.as_deref(), input.number_of_bytes) {
        (Some("AES_128"), None) => 16,
        (Some(_), None) => 32,
        (None, Some(bytes)) => bytes,
        _ => {
            let message = "Please specify either number of bytes or key spec.";
            return Err(Error::client("ValidationException", message));
        }
    };
    managed::make(cx, &input.key_id)?;
    let (seed, plaintext) = (cx.ids().bytes(), Chance::new(cx.ids().bytes()).bytes(length));
    let (arn, key) = wrapping(cx, &input.key_id, operation)?;
    let ciphertext_blob = seal_under(key, seed, &input.encryption_context, &plaintext)?;
    dry_run(input.dry_run)?;
    Ok(DataKey { ciphertext_blob, plaintext: Some(plaintext.into()), key_material_id: key.material_id(), key_id: arn })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GeneratePair {
    key_id: String,
    key_pair_spec: String,
    #[serde(default)]
    encryption_context: Context,
    #[serde(rename = "GrantTokens")]
    _grant_tokens: Option<Vec<String>>,
    dry_run: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DataKeyPair {
    private_key_ciphertext_blob: Blob,
    #[serde(skip_serializing_if = "Option::is_none")]
    private_key_plaintext: Option<Blob>,
    public_key: Blob,
    key_id: String,
    key_pair_spec: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_material_id: Option<String>,
}

fn generate_pair(cx: &mut Cx<Keys>, input: &GeneratePair, operation: &str, told: bool) -> Result<Step<DataKeyPair>> {
    let spec = Spec::read(&input.key_pair_spec)?;
    managed::make(cx, &input.key_id)?;
    wrapping(cx, &input.key_id, operation)?;
    dry_run(input.dry_run)?;
    let private = match making::pair(cx, spec)? {
        Step::Done(private) => private,
        Step::Later(later) => return Ok(Step::Later(later)),
    };
    let public = pairs::public(spec, &private).ok_or_else(|| Error::internal("a new key pair cannot be read"))?;
    let seed = cx.ids().bytes();
    let (arn, key) = wrapping(cx, &input.key_id, operation)?;
    Ok(Step::Done(DataKeyPair {
        private_key_ciphertext_blob: seal_under(key, seed, &input.encryption_context, &private)?,
        private_key_plaintext: told.then_some(private),
        public_key: public.into(),
        key_material_id: key.material_id(),
        key_id: arn,
        key_pair_spec: input.key_pair_spec.clone(),
    }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GenerateRandom {
    number_of_bytes: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RandomOutput {
    plaintext: Blob,
}

fn random(cx: &mut Cx<Keys>, input: GenerateRandom) -> Result<RandomOutput> {
    let required = || Error::client("ValidationException", "NumberOfBytes is required.");
    let length = input.number_of_bytes.ok_or_else(required)?;
    Ok(RandomOutput { plaintext: Chance::new(cx.ids().bytes()).bytes(length).into() })
}
