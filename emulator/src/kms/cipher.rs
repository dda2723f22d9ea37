//! Ciphertexts of symmetric keys: AES-256-GCM, with what names the key before it and bound to it.
//!
//! Where AWS's are opaque, these are as well: what they begin with names account, key and material, so that `Decrypt` need not be
//! told. <https://docs.aws.amazon.com/kms/latest/cryptographic-details/crypto-primitives.html>

use std::collections::BTreeMap;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

/// What a ciphertext begins with.
const VERSION: [u8; 4] = [0x01, 0x02, 0x02, 0x00];
/// Digits of an account, and bytes of a material's id.
const ACCOUNT: usize = 12;
const MATERIAL: usize = 32;

/// `EncryptionContext`: what is bound to a ciphertext and not in it.
pub(super) type Context = BTreeMap<String, String>;

/// What a ciphertext says of itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub account: String,
    pub key: String,
    /// The id of the material.
    pub material: String,
}

impl Header {
    fn to_bytes(&self) -> Option<Vec<u8>> {
        let material = hex::decode(&self.material).ok().filter(|id| id.len() == MATERIAL)?;
        let length = u8::try_from(self.key.len()).ok()?;
        let account = Some(self.account.as_bytes()).filter(|account| account.len() == ACCOUNT)?;
        Some([&VERSION[..], account, &[length], self.key.as_bytes(), &material].concat())
    }

    /// Reads the beginning of a ciphertext, and gives the rest.
    pub fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let rest = bytes.strip_prefix(&VERSION)?;
        let (account, rest) = rest.split_at_checked(ACCOUNT)?;
        let (length, rest) = rest.split_first()?;
        let (key, rest) = rest.split_at_checked(usize::from(*length))?;
        let (material, rest) = rest.split_at_checked(MATERIAL)?;
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
        Some((Self { account: text(account)?, key: text(key)?, material: hex::encode(material) }, rest))
    }
}

/// The additional data: the header, then the context's pairs in order, each part with its length before it, so that no two
/// contexts are the same data.
fn bound(header: &[u8], context: &Context) -> Vec<u8> {
    let mut data = header.to_vec();
    for part in context.iter().flat_map(|(name, value)| [name, value]) {
        data.extend((part.len() as u64).to_be_bytes());
        data.extend(part.as_bytes());
    }
    data
}

fn key(secret: &[u8]) -> Option<LessSafeKey> {
    UnboundKey::new(&AES_256_GCM, secret).ok().map(LessSafeKey::new)
}

/// Encrypts.
pub(super) fn seal(
    header: &Header,
    secret: &[u8],
    nonce: [u8; NONCE_LEN],
    context: &Context,
    plaintext: &[u8],
) -> Option<Vec<u8>> {
    let mut sealed = header.to_bytes()?;
    let aad = Aad::from(bound(&sealed, context));
    let mut text = plaintext.to_vec();
    key(secret)?.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut text).ok()?;
    sealed.extend(nonce);
    sealed.extend(text);
    Some(sealed)
}

/// Decrypts what [`Header::read`] left over.
pub(super) fn open(header: &Header, secret: &[u8], context: &Context, rest: &[u8]) -> Option<Vec<u8>> {
    let (nonce, text) = rest.split_first_chunk::<NONCE_LEN>()?;
    let aad = Aad::from(bound(&header.to_bytes()?, context));
    let mut text = text.to_vec();
    let plaintext = key(secret)?.open_in_place(Nonce::assume_unique_for_key(*nonce), aad, &mut text).ok()?;
    Some(plaintext.to_vec())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;

    use super::*;

    fn header() -> Header {
        let key = "1234abcd-12ab-34cd-56ef-1234567890ab".to_owned();
        Header { account: "123456789012".to_owned(), key, material: "5e".repeat(32) }
    }

    fn opened(secret: &[u8], context: &Context, sealed: &[u8]) -> Option<Vec<u8>> {
        let (header, rest) = Header::read(sealed)?;
        open(&header, secret, context, rest)
    }

    proptest! {
        #[test]
        fn what_was_encrypted_is_decrypted_and_nothing_that_was_changed(
            secret: [u8; 32],
            nonce: [u8; 12],
            plaintext in vec(any::<u8>(), 1..16),
            context in btree_map("[a-z]{0,3}", "[a-z]{0,3}", 0..3),
        ) {
            let sealed = seal(&header(), &secret, nonce, &context, &plaintext).unwrap();
            prop_assert_eq!(opened(&secret, &context, &sealed), Some(plaintext));
            for bit in 0..sealed.len() * 8 {
                let mut flipped = sealed.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                prop_assert_eq!(opened(&secret, &context, &flipped), None, "bit {}", bit);
            }
            let mut other = context.clone();
            other.insert("another".to_owned(), String::new());
            prop_assert_eq!(opened(&secret, &other, &sealed), None);
        }
    }

    #[test]
    fn contexts_that_read_alike_are_not_alike() {
        let context = |pairs: &[(&str, &str)]| -> Context {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let sealed = seal(&header(), &[7; 32], [1; 12], &context(&[("a", "bc")]), b"x").unwrap();
        assert_eq!(opened(&[7; 32], &context(&[("ab", "c")]), &sealed), None);
        assert_eq!(opened(&[7; 32], &context(&[("a", "b"), ("c", "")]), &sealed), None);
    }
}
