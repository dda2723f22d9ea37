//! Key pairs: made, told in public, and used. Private keys are PKCS #8, public ones SubjectPublicKeyInfo, both in DER, as in
//! KMS's API.
//!
//! What cannot be done, because a key or a message is not as it should be, is `None`: KMS's errors do not say more.

use p256::elliptic_curve::Generate;
use p256::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use rsa::signature::hazmat::{PrehashSigner, PrehashVerifier};
use rsa_sha1::Sha1;
use rsa_sha2::{Digest, Sha256, Sha384, Sha512};

use super::chance::Chance;
use super::spec::Spec;

/// What stands before the seed of an Ed25519 key, and before its public key: RFC 8410.
const ED25519_PRIVATE: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
const ED25519_PUBLIC: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// The same code for each curve of Weierstrass's form; for other keys the last expression.
macro_rules! on_curve {
    ($spec:expr, $curve:ident => $body:expr, _ => $other:expr) => {
        match $spec {
            Spec::P256 => {
                use p256 as $curve;
                $body
            }
            Spec::P384 => {
                use p384 as $curve;
                $body
            }
            Spec::P521 => {
                use p521 as $curve;
                $body
            }
            Spec::K256 => {
                use k256 as $curve;
                $body
            }
            _ => $other,
        }
    };
}

/// The same code for each digest that an algorithm's name can end with.
macro_rules! by_digest {
    ($algorithm:expr, $digest:ident => $body:expr) => {
        if $algorithm.ends_with("SHA_256") {
            type $digest = Sha256;
            $body
        } else if $algorithm.ends_with("SHA_384") {
            type $digest = Sha384;
            $body
        } else {
            type $digest = Sha512;
            $body
        }
    };
}

/// A new private key.
pub(super) fn generate(spec: Spec, chance: &mut Chance) -> Option<Vec<u8>> {
    if let Some(bits) = spec.rsa_bits() {
        return Some(rsa::PrivateKey::new(chance, bits).ok()?.to_pkcs8_der().ok()?.as_bytes().to_vec());
    }
    if spec == Spec::Ed25519 {
        return Some([&ED25519_PRIVATE[..], &chance.bytes(32)].concat());
    }
    on_curve!(spec, curve => {
        let Ok(key) = curve::SecretKey::try_generate_from_rng(chance);
        Some(key.to_pkcs8_der().ok()?.as_bytes().to_vec())
    }, _ => None)
}

/// The public key of a private one; `None` if it is not one of this spec.
pub(super) fn public(spec: Spec, private: &[u8]) -> Option<Vec<u8>> {
    if let Some(bits) = spec.rsa_bits() {
        let key = rsa::PrivateKey::from_pkcs8_der(private).ok()?;
        let size = rsa::traits::PublicKeyParts::size(&key);
        return Some(key.to_public_key().to_public_key_der().ok()?.into_vec()).filter(|_| size * 8 == bits);
    }
    if spec == Spec::Ed25519 {
        let key = Ed25519KeyPair::from_pkcs8_maybe_unchecked(private).ok()?;
        return Some([&ED25519_PUBLIC[..], key.public_key().as_ref()].concat());
    }
    on_curve!(spec, curve => {
        let key = curve::SecretKey::from_pkcs8_der(private).ok()?;
        Some(key.public_key().to_public_key_der().ok()?.into_vec())
    }, _ => None)
}

/// The digest of a message, as a signing algorithm takes it.
pub(super) fn digest(algorithm: &str, message: &[u8]) -> Vec<u8> {
    by_digest!(algorithm, D => D::digest(message).to_vec())
}

/// So many bytes has the digest of a signing algorithm.
pub(super) fn digest_length(algorithm: &str) -> usize {
    by_digest!(algorithm, D => <D as Digest>::output_size())
}

/// Signs a digest; with Ed25519, a message.
pub(super) fn sign(spec: Spec, private: &[u8], algorithm: &str, digest: &[u8], chance: &mut Chance) -> Option<Vec<u8>> {
    if spec.rsa_bits().is_some() {
        let key = rsa::PrivateKey::from_pkcs8_der(private).ok()?;
        return by_digest!(algorithm, D => match algorithm.contains("PSS") {
            true => key.pss_sign_prehash_with_rng::<D, _>(chance, digest).ok(),
            false => key.pkcs1v15_sign_prehash_with_rng::<D, _>(chance, digest).ok(),
        });
    }
    if spec == Spec::Ed25519 {
        let key = Ed25519KeyPair::from_pkcs8_maybe_unchecked(private).ok()?;
        return Some(key.sign(digest).as_ref().to_vec());
    }
    on_curve!(spec, curve => {
        let key = curve::ecdsa::SigningKey::from(curve::SecretKey::from_pkcs8_der(private).ok()?);
        let signature: curve::ecdsa::Signature = key.sign_prehash(digest).ok()?;
        Some(signature.to_der().as_bytes().to_vec())
    }, _ => None)
}

/// Whether a signature is one of a digest; with Ed25519, of a message.
pub(super) fn verify(spec: Spec, private: &[u8], algorithm: &str, digest: &[u8], signature: &[u8]) -> Option<()> {
    if spec.rsa_bits().is_some() {
        let key = rsa::PrivateKey::from_pkcs8_der(private).ok()?.to_public_key();
        return by_digest!(algorithm, D => match algorithm.contains("PSS") {
            true => key.pss_verify_prehash::<D>(digest, signature).ok(),
            false => key.pkcs1v15_verify_prehash::<D>(digest, signature).ok(),
        });
    }
    if spec == Spec::Ed25519 {
        let key = Ed25519KeyPair::from_pkcs8_maybe_unchecked(private).ok()?;
        return UnparsedPublicKey::new(&ED25519, key.public_key().as_ref()).verify(digest, signature).ok();
    }
    on_curve!(spec, curve => {
        let key = curve::ecdsa::SigningKey::from(curve::SecretKey::from_pkcs8_der(private).ok()?);
        let signature = curve::ecdsa::Signature::from_der(signature).ok()?;
        // Of the two signatures that are as good, one curve's crate takes the lower alone; KMS takes both.
        key.verifying_key().verify_prehash(digest, &signature.normalize_s()).ok()
    }, _ => None)
}

/// Encrypts with an RSA key.
pub(super) fn encrypt(private: &[u8], algorithm: &str, plaintext: &[u8], chance: &mut Chance) -> Option<Vec<u8>> {
    let key = rsa::PrivateKey::from_pkcs8_der(private).ok()?.to_public_key();
    match algorithm.ends_with("SHA_1") {
        true => key.oaep_encrypt_with_rng::<Sha1, _>(chance, plaintext).ok(),
        false => key.oaep_encrypt_with_rng::<Sha256, _>(chance, plaintext).ok(),
    }
}

/// Decrypts what was encrypted for an RSA key.
pub(super) fn decrypt(private: &[u8], algorithm: &str, ciphertext: &[u8], chance: &mut Chance) -> Option<Vec<u8>> {
    let key = rsa::PrivateKey::from_pkcs8_der(private).ok()?;
    match algorithm.ends_with("SHA_1") {
        true => key.oaep_decrypt_with_rng::<Sha1, _>(chance, ciphertext).ok(),
        false => key.oaep_decrypt_with_rng::<Sha256, _>(chance, ciphertext).ok(),
    }
}

/// How much an RSA key encrypts at once: RFC 8017, section 7.1.1.
pub(super) fn most_plaintext(bits: usize, algorithm: &str) -> usize {
    let digest = if algorithm.ends_with("SHA_1") { 20 } else { 32 };
    bits / 8 - 2 * digest - 2
}

/// The secret that a private key and somebody's public key have in common.
pub(super) fn agree(spec: Spec, private: &[u8], public: &[u8]) -> Option<Vec<u8>> {
    on_curve!(spec, curve => {
        let public = curve::PublicKey::from_public_key_der(public).ok()?;
        let secret = curve::SecretKey::from_pkcs8_der(private).ok()?.diffie_hellman(&public);
        Some(secret.raw_secret_bytes().to_vec())
    }, _ => None)
}
