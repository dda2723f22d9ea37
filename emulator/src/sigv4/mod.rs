//! AWS Signature Version 4: reading a request's signature and verifying it.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html>. The SDK's own signer keeps its canonical
//! requests to itself, so they are built here, and the tests hold them against it.

mod canonical;
mod chunks;
mod form;
pub mod refusal;
mod signed;
mod verify;
mod version_two;

pub use chunks::verify_chunks;
pub use form::{is_policy_signed, is_policy_signed_v2};
pub use refusal::Dialect;
pub use signed::{Scope, Signed, parse};
pub(crate) use verify::s3_mismatch;
pub use verify::{MAX_SKEW, Payload, check_unverified, verify};
pub use version_two::parse as parse_version_two;

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq as _;

/// The only algorithm that Garoa knows; the asymmetric SigV4A is refused by name.
pub const ALGORITHM: &str = "AWS4-HMAC-SHA256";

pub(crate) fn hmac_sha256(key: &[u8], data: &[u8]) -> [u8; 32] {
    // HMAC takes keys of any length, so the fallback is never taken.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    mac.update(data);
    mac.finalize().into_bytes().into()
}

pub(crate) fn sha256_hex(data: &[u8]) -> String {
    hex::encode(Sha256::digest(data))
}

/// The key that a secret yields for one day, region and service.
fn signing_key(secret: &str, scope: &Scope<'_>) -> [u8; 32] {
    let mut key = hmac_sha256(format!("AWS4{secret}").as_bytes(), scope.date.as_bytes());
    for part in [&*scope.region, &*scope.service, "aws4_request"] {
        key = hmac_sha256(&key, part.as_bytes());
    }
    key
}

/// Whether a signature is what a key makes of a text.
fn is_signed(key: &[u8], text: &str, signature: &str) -> bool {
    hex::encode(hmac_sha256(key, text.as_bytes())).as_bytes().ct_eq(signature.as_bytes()).into()
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod version_two_tests;
