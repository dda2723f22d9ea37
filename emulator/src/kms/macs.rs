//! Message authentication codes: HMAC.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/hmac.html>

use hmac::{Hmac, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::{Sha224, Sha256, Sha384, Sha512};

use super::blob::Blob;
use super::keys::Key;
use super::spec::Usage;
use super::{Keys, dry_run, find, on};
use crate::cloud::{Cx, Service};
use crate::{Error, Result};

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Keys>) -> Service<Keys> {
    service
        .op(
            "GenerateMac",
            |at, i: &Generate| on(at, &i.key_id).context("kms:MacAlgorithm", i.mac_algorithm.as_str()),
            generate,
        )
        .op(
            "VerifyMac",
            |at, i: &Verify| on(at, &i.key_id).context("kms:MacAlgorithm", i.mac_algorithm.as_str()),
            verify,
        )
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Generate {
    key_id: String,
    message: Blob,
    mac_algorithm: String,
    /// A grant is good as soon as it is made, so that there is nothing that a token could add.
    #[serde(rename = "GrantTokens")]
    _grant_tokens: Option<Vec<String>>,
    dry_run: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Generated {
    key_id: String,
    mac: Blob,
    mac_algorithm: String,
}

/// The key of a request, if it is one for the algorithm.
fn fit<'a>(cx: &'a Cx<Keys>, name: &str, algorithm: &str, operation: &str) -> Result<(String, &'a Key)> {
    let (arn, key) = find(cx, name)?;
    key.check_use(&arn, Usage::Mac, operation, algorithm)?;
    Ok((arn, key))
}

/// The same code for each digest.
macro_rules! hmac {
    ($algorithm:expr, $secret:expr, $message:expr, $mac:ident => $body:expr) => {
        match $algorithm {
            "HMAC_SHA_224" => hmac!(Sha224, $secret, $message, $mac => $body; done),
            "HMAC_SHA_256" => hmac!(Sha256, $secret, $message, $mac => $body; done),
            "HMAC_SHA_384" => hmac!(Sha384, $secret, $message, $mac => $body; done),
            _ => hmac!(Sha512, $secret, $message, $mac => $body; done),
        }
    };
    ($digest:ty, $secret:expr, $message:expr, $mac:ident => $body:expr; done) => {{
        let mut $mac = Hmac::<$digest>::new_from_slice($secret).map_err(Error::internal)?;
        $mac.update($message);
        $body
    }};
}

fn generate(cx: &mut Cx<Keys>, input: Generate) -> Result<Generated> {
    let (arn, key) = fit(cx, &input.key_id, &input.mac_algorithm, "GenerateMac")?;
    dry_run(input.dry_run)?;
    let (secret, message): (&[u8], &[u8]) = (key.secret()?, &input.message);
    let code = hmac!(input.mac_algorithm.as_str(), secret, message, mac => mac.finalize().into_bytes().to_vec());
    Ok(Generated { key_id: arn, mac: code.into(), mac_algorithm: input.mac_algorithm })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Verify {
    key_id: String,
    message: Blob,
    mac_algorithm: String,
    mac: Blob,
    #[serde(rename = "GrantTokens")]
    _grant_tokens: Option<Vec<String>>,
    dry_run: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Verified {
    key_id: String,
    mac_valid: bool,
    mac_algorithm: String,
}

fn verify(cx: &mut Cx<Keys>, input: Verify) -> Result<Verified> {
    let (arn, key) = fit(cx, &input.key_id, &input.mac_algorithm, "VerifyMac")?;
    let (secret, message): (&[u8], &[u8]) = (key.secret()?, &input.message);
    let valid = hmac!(input.mac_algorithm.as_str(), secret, message, mac => mac.verify_slice(&input.mac).is_ok());
    if !valid {
        return Err(Error::client("KMSInvalidMacException", ""));
    }
    dry_run(input.dry_run)?;
    Ok(Verified { key_id: arn, mac_valid: true, mac_algorithm: input.mac_algorithm })
}
