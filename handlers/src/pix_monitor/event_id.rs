//! CloudWatch Logs event ids: decimal numbers of 56 digits, which fit no machine integer.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// The `eventId` of a log event, kept as the text it came in and compared as the number it is.
///
/// Any length is accepted, since AWS promises none. Leading zeros do not count: `007` equals `7`.
#[derive(Clone, Debug)]
pub struct EventId(String);

/// A text that is not a decimal number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a decimal number")]
pub struct NotDecimal;

impl EventId {
    /// The id as it came in, leading zeros included.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn significant(&self) -> &str {
        self.0.trim_start_matches('0')
    }
}

impl FromStr for EventId {
    type Err = NotDecimal;

    /// One or more ASCII digits; no sign, no space, no other script's digits.
    fn from_str(text: &str) -> Result<Self, NotDecimal> {
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(NotDecimal);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Ord for EventId {
    /// Without leading zeros, the longer number is the greater; of the same length, text order is number order.
    fn cmp(&self, other: &Self) -> Ordering {
        let (left, right) = (self.significant(), other.significant());
        left.len().cmp(&right.len()).then_with(|| left.cmp(right))
    }
}

impl PartialOrd for EventId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for EventId {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for EventId {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use num_bigint::BigUint;
    use proptest::prelude::*;

    use super::*;

    fn agree(left: &str, right: &str) -> Result<(), TestCaseError> {
        let number = |text: &str| text.parse::<BigUint>().unwrap();
        let id = |text: &str| text.parse::<EventId>().unwrap();
        prop_assert_eq!(id(left).cmp(&id(right)), number(left).cmp(&number(right)));
        prop_assert_eq!(id(left) == id(right), number(left) == number(right));
        prop_assert_eq!(id(left).to_string(), left);
        Ok(())
    }

    #[test]
    fn examples() {
        let id = |text: &str| text.parse::<EventId>().unwrap();
        assert!(id("9") < id("10"));
        assert!(id("0") < id("1"));
        assert_eq!(id("000"), id("0"));
        assert_eq!(id("007"), id("7"));
        let real = "31132629274945519779805322857203735586714454643391594505";
        let next = "31132629274945519779805322857203735586714454643391594506";
        assert_eq!(real.len(), 56);
        assert!(id(real) < id(next));
        assert!(id(&format!("0{next}")) > id(real));
    }

    #[test]
    fn only_digits_are_ids() {
        for text in ["", " ", "-1", "+1", "1 ", "1e3", "0x1", "١", "1.0", "12a"] {
            assert_eq!(text.parse::<EventId>(), Err(NotDecimal), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn ids_of_56_digits(left in "[0-9]{56}", right in "[0-9]{56}") {
            agree(&left, &right)?;
        }

        #[test]
        fn neighbours_of_56_digits(prefix in "[0-9]{54}", left in "[0-9]{2}", right in "[0-9]{2}") {
            agree(&format!("{prefix}{left}"), &format!("{prefix}{right}"))?;
        }

        #[test]
        fn ids_of_any_length_with_leading_zeros(
            left in "0{0,4}[0-9]{1,60}", right in "0{0,4}[0-9]{1,60}", zeros in 0usize..5
        ) {
            agree(&left, &right)?;
            agree(&left, &format!("{}{left}", "0".repeat(zeros)))?;
        }
    }
}
