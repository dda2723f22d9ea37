//! Seeded identifiers: the only source of chance in the emulator, so that a run can be repeated to the byte.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A deterministic generator of the identifiers that AWS makes up.
///
/// Each service owns one, derived from the world's seed and the service's name: a new call to one service
/// does not change the ids that another hands out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ids(ChaCha8Rng);

const LOWER_ALNUM: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
const UPPER_ALNUM: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

impl Ids {
    /// The generator of `label` in the world of `seed`.
    pub fn new(seed: u64, label: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(seed.to_be_bytes());
        hash.update(label.as_bytes());
        Self(ChaCha8Rng::from_seed(hash.finalize().into()))
    }

    /// A version 4 UUID: `8-4-4-4-12` lower-case hexadecimal digits.
    pub fn uuid(&mut self) -> String {
        let mut bytes = self.bytes::<16>();
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        let mut uuid = [b'-'; 36];
        for (place, bytes) in
            [(0, &bytes[..4]), (9, &bytes[4..6]), (14, &bytes[6..8]), (19, &bytes[8..10]), (24, &bytes[10..])]
        {
            // The room is exactly what the bytes take.
            let _ = hex::encode_to_slice(bytes, &mut uuid[place..place + 2 * bytes.len()]);
        }
        String::from_utf8_lossy(&uuid).into_owned()
    }

    /// `digits` lower-case hexadecimal digits.
    pub fn hex(&mut self, digits: usize) -> String {
        self.from(b"0123456789abcdef", digits)
    }

    /// Lower-case letters and digits, as in API ids.
    pub fn lower(&mut self, length: usize) -> String {
        self.from(LOWER_ALNUM, length)
    }

    /// Upper-case letters and the digits 2 to 7, as in access keys and unique ids of IAM.
    pub fn upper(&mut self, length: usize) -> String {
        self.from(UPPER_ALNUM, length)
    }

    /// Upper- and lower-case letters and digits, as in the suffix of a secret's ARN.
    pub fn mixed(&mut self, length: usize) -> String {
        self.from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", length)
    }

    /// A number from 0 up to, and without, `bound`; 0 for a bound of 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.0.next_u64() % bound }
    }

    /// `N` bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    fn from(&mut self, alphabet: &[u8], length: usize) -> String {
        let size = alphabet.len() as u64;
        (0..length).map(|_| char::from(alphabet[self.below(size) as usize])).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_and_label_give_the_same_ids_and_others_give_others() {
        let (mut a, mut b, mut c) = (Ids::new(1, "s3"), Ids::new(1, "s3"), Ids::new(1, "logs"));
        let first = a.uuid();
        assert_eq!(first, b.uuid());
        assert_ne!(first, c.uuid());
        assert_ne!(first, a.uuid());
    }

    #[test]
    fn a_generator_that_was_saved_goes_on_where_it_was() {
        let mut ids = Ids::new(7, "x");
        ids.hex(5);
        let saved = serde_json::to_string(&ids).unwrap_or_default();
        let mut restored: Ids = serde_json::from_str(&saved).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(ids.uuid(), restored.uuid());
    }
}
