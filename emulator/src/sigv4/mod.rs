//! AWS Signature Version 4: reading a request's signature and verifying it.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html>. The SDK's own signer keeps its canonical
//! requests to itself, so they are built here, and the tests hold them against it.

mod canonical;
mod chunks;
pub mod refusal;
mod signed;
mod verify;

pub use chunks::verify_chunks;
pub use refusal::Dialect;
pub use signed::{Scope, Signed, parse};
pub use verify::{MAX_SKEW, Payload, verify};

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

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
fn signing_key(secret: &str, scope: &Scope) -> [u8; 32] {
    let mut key = hmac_sha256(format!("AWS4{secret}").as_bytes(), scope.date.as_bytes());
    for part in [&scope.region, &scope.service, "aws4_request"] {
        key = hmac_sha256(&key, part.as_bytes());
    }
    key
}

/// Whether the policy of a form is signed by a secret (version 4): the policy itself is what is signed.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-UsingHTTPPOST.html>
pub fn is_policy_signed(secret: &str, scope: &Scope, policy: &str, signature: &str) -> bool {
    use subtle::ConstantTimeEq as _;
    let expected = hex::encode(hmac_sha256(&signing_key(secret, scope), policy.as_bytes()));
    expected.as_bytes().ct_eq(signature.as_bytes()).into()
}

/// The same by version 2, which S3 still takes of old clients.
pub fn is_policy_signed_v2(secret: &str, policy: &str, signature: &str) -> bool {
    use base64::Engine as _;
    use subtle::ConstantTimeEq as _;
    let Ok(mut mac) = Hmac::<sha1::Sha1>::new_from_slice(secret.as_bytes()) else { return false };
    mac.update(policy.as_bytes());
    let expected = base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes());
    expected.as_bytes().ct_eq(signature.as_bytes()).into()
}

#[cfg(test)]
mod tests;
