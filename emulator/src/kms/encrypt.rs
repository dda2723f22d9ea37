//! `Encrypt`, `Decrypt` and `ReEncrypt`.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html>

use serde::{Deserialize, Serialize};

use super::blob::Blob;
use super::chance::Chance;
use super::cipher::{self, Context, Header};
use super::keys::{Key, Place, invalid_state};
use super::spec::{SYMMETRIC, Usage};
use super::target::{of_header, on_ciphertext, with_context};
use super::{Keys, dry_run, find, managed, on, pairs};
use crate::cloud::{At, Cx, Service};
use crate::{Error, Result};

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Keys>) -> Service<Keys> {
    service
        .op("Encrypt", |at, i: &Encrypt| to_use(on(at, &i.key_id), &i.encryption_algorithm, &i.encryption_context), run)
        .op(
            "Decrypt",
            |at, i: &Decrypt| {
                let target = on_ciphertext(at, i.key_id.as_deref(), &i.ciphertext_blob);
                to_use(target, &i.encryption_algorithm, &i.encryption_context)
            },
            decrypt,
        )
        .op(
            "ReEncrypt",
            |at, i: &ReEncrypt| {
                let target = on_ciphertext(at, i.source_key_id.as_deref(), &i.ciphertext_blob);
                to_use(target, &i.source_encryption_algorithm, &i.source_encryption_context).action("kms:ReEncryptFrom")
            },
            re_encrypt,
        )
}

type Target = crate::cloud::Target;

/// Adds what conditions read of a use.
fn to_use(target: Target, algorithm: &Option<String>, context: &Context) -> Target {
    let target = target.context("kms:EncryptionAlgorithm", algorithm.as_deref().unwrap_or(SYMMETRIC));
    with_context(target, context)
}

/// What cannot be decrypted, whatever is wrong with it.
fn invalid_ciphertext() -> Error {
    Error::client("InvalidCiphertextException", "")
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Encrypt {
    key_id: String,
    plaintext: Blob,
    #[serde(default)]
    encryption_context: Context,
    encryption_algorithm: Option<String>,
    /// A grant is good as soon as it is made, so that there is nothing that a token could add.
    #[serde(rename = "GrantTokens")]
    _grant_tokens: Option<Vec<String>>,
    dry_run: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Encrypted {
    ciphertext_blob: Blob,
    key_id: String,
    encryption_algorithm: String,
}

fn run(cx: &mut Cx<Keys>, input: Encrypt) -> Result<Encrypted> {
    managed::make(cx, &input.key_id)?;
    let algorithm = input.encryption_algorithm.unwrap_or_else(|| SYMMETRIC.to_owned());
    let (arn, _) = find(cx, &input.key_id)?;
    let sealed = seal(cx, &arn, "Encrypt", &algorithm, &input.encryption_context, &input.plaintext)?;
    dry_run(input.dry_run)?;
    Ok(Encrypted { ciphertext_blob: sealed, key_id: arn, encryption_algorithm: algorithm })
}

/// Encrypts under a key.
fn seal(
    cx: &mut Cx<Keys>,
    arn: &str,
    operation: &str,
    algorithm: &str,
    context: &Context,
    plaintext: &[u8],
) -> Result<Blob> {
    let seed = cx.ids().bytes();
    let (_, key) = find(cx, arn)?;
    key.check_use(arn, Usage::Encrypt, operation, algorithm)?;
    let Some(bits) = key.spec.rsa_bits() else { return seal_under(key, seed, context, plaintext) };
    if !context.is_empty() {
        let message = "EncryptionContext is not supported for asymmetric keys.";
        return Err(Error::client("ValidationException", message));
    }
    let most = pairs::most_plaintext(bits, algorithm);
    if plaintext.len() > most {
        let name = key.spec.name();
        let message =
            format!("Algorithm {algorithm} and key spec {name} cannot encrypt data larger than {most} bytes.");
        return Err(Error::client("ValidationException", message));
    }
    let sealed = pairs::encrypt(key.secret()?, algorithm, plaintext, &mut Chance::new(seed));
    sealed.map(Blob::from).ok_or_else(|| Error::internal("an RSA key does not encrypt"))
}

/// Encrypts under a symmetric key that was found fit.
pub(super) fn seal_under(key: &Key, seed: [u8; 32], context: &Context, plaintext: &[u8]) -> Result<Blob> {
    let material = key.current().map(|material| material.id.clone()).unwrap_or_default();
    let header = Header { account: key.scope.account.to_string(), key: key.id.clone(), material };
    let nonce = seed.first_chunk().copied().unwrap_or_default();
    let sealed = cipher::seal(&header, key.secret()?, nonce, context, plaintext);
    sealed.map(Blob::from).ok_or_else(|| Error::internal("a symmetric key does not encrypt"))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Decrypt {
    ciphertext_blob: Blob,
    #[serde(default)]
    encryption_context: Context,
    key_id: Option<String>,
    encryption_algorithm: Option<String>,
    #[serde(rename = "GrantTokens")]
    _grant_tokens: Option<Vec<String>>,
    dry_run: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Decrypted {
    key_id: String,
    plaintext: Blob,
    encryption_algorithm: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_material_id: Option<String>,
}

fn decrypt(cx: &mut Cx<Keys>, input: Decrypt) -> Result<Decrypted> {
    let algorithm = input.encryption_algorithm.unwrap_or_else(|| SYMMETRIC.to_owned());
    let name = input.key_id.as_deref();
    let opened = open(cx, name, "Decrypt", &algorithm, &input.encryption_context, &input.ciphertext_blob)?;
    dry_run(input.dry_run)?;
    Ok(Decrypted {
        key_id: opened.key,
        plaintext: opened.plaintext,
        encryption_algorithm: algorithm,
        key_material_id: opened.material,
    })
}

/// What was decrypted, the ARN of its key, and the id of the material where the key is symmetric.
struct Opened {
    key: String,
    plaintext: Blob,
    material: Option<String>,
}

/// Decrypts. A symmetric ciphertext says which key it is for.
fn open(
    cx: &mut Cx<Keys>,
    name: Option<&str>,
    operation: &str,
    algorithm: &str,
    context: &Context,
    ciphertext: &[u8],
) -> Result<Opened> {
    let seed = cx.ids().bytes();
    let named = name.map(|name| find(cx, name)).transpose()?;
    let is_pair = |key: &Key| key.usage == Usage::Encrypt && key.spec.rsa_bits().is_some();
    if algorithm != SYMMETRIC || named.as_ref().is_some_and(|(_, key)| is_pair(key)) {
        let Some((arn, key)) = named else {
            return Err(Error::client("ValidationException", "KeyId is required for asymmetric decryption."));
        };
        key.check_use(&arn, Usage::Encrypt, operation, algorithm)?;
        let plaintext = pairs::decrypt(key.secret()?, algorithm, ciphertext, &mut Chance::new(seed));
        let plaintext = plaintext.ok_or_else(invalid_ciphertext)?.into();
        return Ok(Opened { key: arn, plaintext, material: None });
    }
    let (header, rest) = Header::read(ciphertext).ok_or_else(invalid_ciphertext)?;
    let arn = of_header(cx.scope, &header);
    if named.is_some_and(|(named, _)| named != arn) {
        let message = "The key ID in the request does not identify a CMK that can perform this operation.";
        return Err(Error::client("IncorrectKeyException", message));
    }
    let Some(key) = cx.state.keys.get(&arn) else {
        let message = "The ciphertext refers to a customer master key that does not exist, does not exist in this \
                       region, or you are not allowed to access.";
        return Err(Error::client("AccessDeniedException", message));
    };
    key.check_usage(&arn, Usage::Encrypt, operation)?;
    let used = key.materials.iter().filter(|material| material.place != Place::Pending);
    let material = used.into_iter().find(|material| material.id == header.material).ok_or_else(invalid_ciphertext)?;
    let Some(secret) = &material.secret else { return Err(invalid_state(format!("{arn} is pending import."))) };
    let plaintext = cipher::open(&header, secret, context, rest).ok_or_else(invalid_ciphertext)?;
    Ok(Opened { key: arn, plaintext: plaintext.into(), material: Some(header.material) })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ReEncrypt {
    ciphertext_blob: Blob,
    #[serde(default)]
    source_encryption_context: Context,
    source_key_id: Option<String>,
    destination_key_id: String,
    #[serde(default)]
    destination_encryption_context: Context,
    source_encryption_algorithm: Option<String>,
    destination_encryption_algorithm: Option<String>,
    #[serde(rename = "GrantTokens")]
    _grant_tokens: Option<Vec<String>>,
    dry_run: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ReEncrypted {
    ciphertext_blob: Blob,
    source_key_id: String,
    key_id: String,
    source_encryption_algorithm: String,
    destination_encryption_algorithm: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_key_material_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destination_key_material_id: Option<String>,
}

/// The caller needs a permission on each of the two keys.
fn re_encrypt(cx: &mut Cx<Keys>, input: ReEncrypt) -> Result<ReEncrypted> {
    let destination = &input.destination_key_id;
    managed::make(cx, destination)?;
    let at = At { scope: cx.scope, state: &*cx.state };
    let target = on(&at, destination);
    let algorithm = &input.destination_encryption_algorithm;
    cx.access().require("kms:ReEncryptTo", &to_use(target, algorithm, &input.destination_encryption_context))?;
    let from = input.source_encryption_algorithm.unwrap_or_else(|| SYMMETRIC.to_owned());
    let to = input.destination_encryption_algorithm.unwrap_or_else(|| SYMMETRIC.to_owned());
    let source = input.source_key_id.as_deref();
    let context = &input.source_encryption_context;
    let opened = open(cx, source, "ReEncryptFrom", &from, context, &input.ciphertext_blob)?;
    let (arn, key) = find(cx, destination)?;
    let material = key.material_id();
    let sealed = seal(cx, &arn, "ReEncryptTo", &to, &input.destination_encryption_context, &opened.plaintext)?;
    dry_run(input.dry_run)?;
    Ok(ReEncrypted {
        ciphertext_blob: sealed,
        source_key_id: opened.key,
        key_id: arn,
        source_encryption_algorithm: from,
        destination_encryption_algorithm: to,
        source_key_material_id: opened.material,
        destination_key_material_id: material,
    })
}
