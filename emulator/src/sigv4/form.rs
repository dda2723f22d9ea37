//! The signatures of HTML forms: their policy itself is what is signed.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-UsingHTTPPOST.html>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use subtle::ConstantTimeEq as _;

use super::{Scope, is_signed, signing_key};

/// Whether the policy of a form is signed by a secret.
pub fn is_policy_signed(secret: &str, scope: &Scope, policy: &str, signature: &str) -> bool {
    is_signed(&signing_key(secret, scope), policy, signature)
}

/// The same by version 2, which S3 still takes of old clients.
pub fn is_policy_signed_v2(secret: &str, policy: &str, signature: &str) -> bool {
    let Ok(mut mac) = Hmac::<sha1::Sha1>::new_from_slice(secret.as_bytes()) else { return false };
    mac.update(policy.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes()).as_bytes().ct_eq(signature.as_bytes()).into()
}
