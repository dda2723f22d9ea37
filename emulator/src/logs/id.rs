//! Event ids: numbers of 56 decimal digits that grow with an event's time and its place in the order of ingestion.
//!
//! AWS's ids are the event's timestamp in milliseconds, times 2^144, plus something: seen in any answer of
//! `FilterLogEvents`. Here the lower bits are the group's count of events (64 bits) and its salt (80 bits), so that ids
//! never repeat, not even across groups. A position in a stream is such a number as well: see `get.rs`.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// How many digits an id has.
pub(super) const DIGITS: usize = 56;
/// The first point in time whose ids would need a 57th digit: 10^56 / 2^144, in the year 2112.
pub(super) const END_OF_IDS: Timestamp = Timestamp::from_millis(4_484_155_085_839);
/// How many digits are split off at once: 10^18 fits a word.
const CHUNK: u128 = 1_000_000_000_000_000_000;

/// Where an event stands: by its timestamp, then by its place in the group's order of ingestion, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct EventKey(pub Timestamp, pub u64);

impl EventKey {
    /// The least key at a point in time.
    pub const fn first_at(time: Timestamp) -> Self {
        Self(time, 0)
    }

    /// The greatest key at a point in time.
    pub const fn last_at(time: Timestamp) -> Self {
        Self(time, u64::MAX)
    }
}

/// What makes the ids of one group its own: 80 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Salt([u8; 10]);

impl Salt {
    pub const fn new(bytes: [u8; 10]) -> Self {
        Self(bytes)
    }

    fn bits(self) -> u128 {
        self.0.iter().fold(0, |bits, byte| bits << 8 | u128::from(*byte))
    }
}

/// A number of 192 bits: 48 of the timestamp, 64 of the place, 80 of the salt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct EventId([u64; 3]);

impl EventId {
    pub fn new(EventKey(time, place): EventKey, salt: Salt) -> Self {
        let time = u64::try_from(time.millis().clamp(0, END_OF_IDS.millis() - 1)).unwrap_or(0);
        let salt = salt.bits();
        Self([time << 16 | place >> 48, place << 16 | (salt >> 64) as u64, salt as u64])
    }

    /// The key in this number.
    pub fn key(self) -> EventKey {
        let [high, middle, _] = self.0;
        EventKey(Timestamp::from_millis((high >> 16) as i64), high << 48 | middle >> 16)
    }

    /// The number of these digits; `None` if they are not 56 digits.
    pub fn parse(digits: &str) -> Option<Self> {
        if digits.len() != DIGITS || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let number = digits.bytes().fold([0_u64; 3], |number, digit| {
            let mut carry = u128::from(digit - b'0');
            let mut next = number;
            for limb in next.iter_mut().rev() {
                carry += u128::from(*limb) * 10;
                *limb = carry as u64;
                carry >>= 64;
            }
            next
        });
        Some(Self(number))
    }
}

impl std::fmt::Display for EventId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut rest = self.0;
        let mut chunks = [0_u64; 3];
        for chunk in &mut chunks {
            let mut remainder = 0_u128;
            for limb in &mut rest {
                let part = remainder << 64 | u128::from(*limb);
                *limb = (part / CHUNK) as u64;
                remainder = part % CHUNK;
            }
            *chunk = remainder as u64;
        }
        let [low, middle, high] = chunks;
        write!(f, "{:02}{high:018}{middle:018}{low:018}", rest[2])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(time: i64, place: u64, salt: [u8; 10]) -> EventId {
        EventId::new(EventKey(Timestamp::from_millis(time), place), Salt::new(salt))
    }

    #[test]
    fn an_id_has_the_form_of_aws() {
        // AWS gave this one to an event of this time.
        let theirs = EventId::parse("39903467874038626255489051380512987027658700536901861376");
        let time = Timestamp::from_millis(1_789_333_384_100);
        assert_eq!(theirs.map(|id| id.key().0), Some(time));
        assert_eq!(&EventId::new(EventKey(time, 1), Salt::default()).to_string()[..17], "39903467874038626");
    }

    #[test]
    fn the_last_time_that_fits_has_56_digits_and_the_next_has_not() {
        let last = id(END_OF_IDS.millis() - 1, u64::MAX, [255; 10]).to_string();
        assert_eq!(last.len(), DIGITS);
        assert!(!last.starts_with('0'));
        let beyond = EventId([(END_OF_IDS.millis() as u64 + 1) << 16, 0, 0]).to_string();
        assert_eq!(beyond.len(), DIGITS + 1);
    }

    #[test]
    fn what_is_not_56_digits_is_no_id() {
        for text in ["", "1", &"9".repeat(55), &"9".repeat(57), &format!("{}x", "1".repeat(55)), &"é".repeat(28)] {
            assert_eq!(EventId::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn ids_are_56_digits_in_the_order_of_their_keys_and_read_back(
            a in (0..4_484_155_085_839_i64, any::<u64>()),
            b in (0..4_484_155_085_839_i64, any::<u64>()),
            salt in any::<[u8; 10]>(),
        ) {
            let (x, y) = (id(a.0, a.1, salt), id(b.0, b.1, salt));
            prop_assert_eq!(x.to_string().len(), DIGITS);
            prop_assert_eq!(x.to_string().cmp(&y.to_string()), a.cmp(&b));
            prop_assert_eq!(EventId::parse(&x.to_string()), Some(x));
            prop_assert_eq!(x.key(), EventKey(Timestamp::from_millis(a.0), a.1));
        }
    }
}
