//! One-time passwords of virtual MFA devices: RFC 6238 with SHA-1, six digits and steps of 30 seconds, as AWS's
//! `otpauth://` addresses say.

use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, Mac};
use sha1::Sha1;

use crate::Timestamp;

const STEP: i64 = 30;
const MODULUS: u32 = 1_000_000;
/// Codes of so many steps before and after now are taken: clocks differ, and two codes must follow each other.
const EARLIER: i64 = 2;
const LATER: i64 = 1;

/// A seed as people and programs take it over.
pub(super) fn base32(seed: &[u8]) -> String {
    BASE32_NOPAD.encode(seed)
}

fn code(seed: &[u8], step: i64) -> Option<String> {
    let mut mac = Hmac::<Sha1>::new_from_slice(seed).ok()?;
    mac.update(&u64::try_from(step).ok()?.to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let offset = usize::from(hash.last()? & 15);
    let four: [u8; 4] = hash.get(offset..offset + 4)?.try_into().ok()?;
    Some(format!("{:06}", (u32::from_be_bytes(four) & 0x7fff_ffff) % MODULUS))
}

fn steps(now: Timestamp) -> impl Iterator<Item = i64> {
    let step = now.secs().div_euclid(STEP);
    step - EARLIER..=step + LATER
}

/// Whether the device shows this code about now.
pub(super) fn is_code(seed: &[u8], now: Timestamp, given: &str) -> bool {
    steps(now).any(|step| code(seed, step).as_deref() == Some(given))
}

/// Whether the device shows these two codes one after the other about now.
pub(super) fn are_codes(seed: &[u8], now: Timestamp, first: &str, second: &str) -> bool {
    steps(now).any(|step| code(seed, step).as_deref() == Some(first) && code(seed, step + 1).as_deref() == Some(second))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The last six digits of RFC 6238's appendix B.
    #[test]
    fn codes_are_those_of_the_rfc() {
        let seed = b"12345678901234567890";
        for (secs, digits) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
            assert_eq!(code(seed, secs / STEP).as_deref(), Some(digits));
        }
        assert_eq!(base32(seed), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(base32(b"foob"), "MZXW6YQ");
        let now = Timestamp::from_secs(1_111_111_111);
        assert!(are_codes(seed, now, "081804", "050471") && !are_codes(seed, now, "050471", "081804"));
        assert!(is_code(seed, now, "081804") && !is_code(seed, now, "000000"));
    }
}
