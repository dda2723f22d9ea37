//! Amounts of money in centavos: exact integers, written and read the Brazilian way.

use std::fmt;
use std::str::FromStr;

/// Centavos in one real.
const CENTAVOS_PER_REAL: u128 = 100;

/// Digits between two thousands separators.
const GROUP: usize = 3;

/// An amount in centavos, over the whole range of `i128`. Never a float: those lose centavos.
///
/// It is displayed as `R$ 1.234,56` and parsed back from exactly that form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Centavos(pub i128);

impl fmt::Display for Centavos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // unsigned_abs: the magnitude of i128::MIN does not fit i128.
        let magnitude = self.0.unsigned_abs();
        let sign = if self.0 < 0 { "-" } else { "" };
        let reais = grouped(magnitude / CENTAVOS_PER_REAL);
        write!(f, "{sign}R$ {reais},{:02}", magnitude % CENTAVOS_PER_REAL)
    }
}

/// A number with a point between the thousands: `1.234.567`.
fn grouped(number: u128) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / GROUP);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(GROUP) {
            text.push('.');
        }
        text.push(digit);
    }
    text
}

/// A text that is not an amount in the form `R$ 1.234,56`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an amount in the form R$ 1.234,56: {0:?}")]
pub struct ParseError(String);

impl FromStr for Centavos {
    type Err = ParseError;

    /// Reads the displayed form and nothing looser, so that reading and writing are inverse.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let error = || ParseError(text.to_owned());
        let (negative, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let digits = rest.strip_prefix("R$ ").ok_or_else(error)?;
        let digits: String = digits.chars().filter(|c| !matches!(c, '.' | ',')).collect();
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(error());
        }
        // The sign goes in before parsing: the magnitude of i128::MIN does not fit i128.
        let signed = if negative { format!("-{digits}") } else { digits };
        let amount = Self(signed.parse().map_err(|_| error())?);
        // Writing it again proves every separator, every zero and the sign at once.
        if amount.to_string() == text { Ok(amount) } else { Err(error()) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use num_bigint::{BigInt, Sign};
    use proptest::prelude::*;

    use super::*;

    /// The same rule written another way: over arbitrary-precision integers, from the right to the left.
    fn reference(amount: &BigInt) -> String {
        let hundred = BigInt::from(100);
        let thousand = BigInt::from(1000);
        let magnitude = BigInt::from(amount.magnitude().clone());
        let centavos = &magnitude % &hundred;
        let mut reais = magnitude / &hundred;
        let mut groups = Vec::new();
        while reais >= thousand {
            groups.push(format!("{:0>3}", (&reais % &thousand).to_string()));
            reais /= &thousand;
        }
        groups.push(reais.to_string());
        groups.reverse();
        let sign = if amount.sign() == Sign::Minus { "-" } else { "" };
        format!("{sign}R$ {},{:0>2}", groups.join("."), centavos.to_string())
    }

    #[test]
    fn examples() {
        let cases = [
            (0, "R$ 0,00"),
            (1, "R$ 0,01"),
            (-1, "-R$ 0,01"),
            (99, "R$ 0,99"),
            (100, "R$ 1,00"),
            (99_999, "R$ 999,99"),
            (100_000, "R$ 1.000,00"),
            (123_456, "R$ 1.234,56"),
            (-123_456_789, "-R$ 1.234.567,89"),
            (i128::MAX, "R$ 1.701.411.834.604.692.317.316.873.037.158.841.057,27"),
            (i128::MIN, "-R$ 1.701.411.834.604.692.317.316.873.037.158.841.057,28"),
        ];
        for (amount, text) in cases {
            assert_eq!(Centavos(amount).to_string(), text);
            assert_eq!(text.parse(), Ok(Centavos(amount)));
        }
    }

    #[test]
    fn other_forms_are_refused() {
        let forms = [
            "",
            "R$",
            "R$ ",
            "R$ ,",
            "R$ 1",
            "R$ 1,2",
            "R$ 1,234",
            "R$ 1234,56",
            "R$ 1.23,45",
            "R$ 01,00",
            "-R$ 0,00",
            "R$ -1,00",
            "R$ 1,00 ",
            " R$ 1,00",
            "R$ 1.00",
            "R$ .100,00",
            "1,00",
            "R$ ١,00",
            "--R$ 1,00",
            "R$ +1,00",
            "R$ 1.701.411.834.604.692.317.316.873.037.158.841.057,28",
        ];
        for form in forms {
            assert_eq!(form.parse::<Centavos>(), Err(ParseError(form.to_owned())));
        }
    }

    proptest! {
        #[test]
        fn written_like_the_reference_and_read_back(amount: i128) {
            let text = Centavos(amount).to_string();
            prop_assert_eq!(&text, &reference(&BigInt::from(amount)));
            prop_assert_eq!(text.parse(), Ok(Centavos(amount)));
        }

        #[test]
        fn small_amounts_too(amount in -1_000_000i128..1_000_000) {
            let text = Centavos(amount).to_string();
            prop_assert_eq!(&text, &reference(&BigInt::from(amount)));
            prop_assert_eq!(text.parse(), Ok(Centavos(amount)));
        }

        #[test]
        fn only_the_written_form_is_read(text in "-?R\\$ [0-9.,]{0,12}") {
            if let Ok(amount) = text.parse::<Centavos>() {
                prop_assert_eq!(amount.to_string(), text);
            }
        }
    }
}
