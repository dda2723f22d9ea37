//! DynamoDB's numbers: 38 decimal digits, exact.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The most significant digits of a number.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html>
const DIGITS: u32 = 38;
/// The greatest exponent of the first digit: 9.99…E125 is the greatest number.
const MAX_EXPONENT: i64 = 125;
/// The least exponent of the first digit: 1E-130 is the least positive number.
const MIN_EXPONENT: i64 = -130;

const OVERFLOW: &str = "Number overflow. Attempting to store a number with magnitude larger than supported range";
const UNDERFLOW: &str = "Number underflow. Attempting to store a number with magnitude smaller than supported range";
const PRECISION: &str = "Attempting to store more than 38 significant digits in a Number";
const NOT_A_NUMBER: &str = "The parameter cannot be converted to a numeric value";

/// A number of at most 38 significant digits, from 1E-130 to 9.99…E125 in magnitude, or zero.
///
/// One number has one form: the coefficient does not end in a zero, and zero has the exponent 0. It prints as DynamoDB
/// answers it: plain notation, no zeros that say nothing. It is saved as that text.
///
/// Model: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Number {
    /// The digits as an integer, with the sign. 38 nines fit.
    coefficient: i128,
    /// The power of ten that the coefficient is to be multiplied by.
    exponent: i16,
}

impl Number {
    /// Zero.
    pub const ZERO: Self = Self { coefficient: 0, exponent: 0 };

    /// Reads a number as it stands on the wire: sign, digits with or without a point, exponent. The texts of the
    /// errors are AWS's: not a number, overflow, underflow, more than 38 digits.
    pub fn parse(text: &str) -> Result<Self> {
        let not_a_number = || match text {
            "" => Error::validation(NOT_A_NUMBER),
            text => Error::validation(format!("{NOT_A_NUMBER}: {text}")),
        };
        // Nearly every number in practice: a few digits, perhaps a sign.
        if text.len() <= 18
            && text.bytes().all(|byte| byte.is_ascii_digit())
            && let Ok(small) = text.parse::<i64>()
        {
            return Ok(Self::from(small));
        }
        let (negative, unsigned) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        let (mantissa, power) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, power)) => (mantissa, Some(power)),
            None => (unsigned, None),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits_only = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.len() + fraction.len() == 0 || !digits_only(whole) || !digits_only(fraction) {
            return Err(not_a_number());
        }
        let power = power.map_or(Some(0), exponent).ok_or_else(not_a_number)?;
        Self::from_digits(negative, whole, fraction, power)
    }

    /// The number ±whole.fraction × 10^power, if it is one. The digits are digits.
    fn from_digits(negative: bool, whole: &str, fraction: &str, power: i64) -> Result<Self> {
        let digits = || whole.bytes().chain(fraction.bytes());
        let Some(first) = digits().position(|digit| digit != b'0') else { return Ok(Self::ZERO) };
        let last = whole.len() + fraction.len() - 1 - digits().rev().take_while(|digit| *digit == b'0').count();
        // Texts are far shorter than 2^60, and `exponent` keeps powers there too: none of this overflows.
        let first_exponent = power.saturating_add(whole.len() as i64 - 1 - first as i64);
        if first_exponent > MAX_EXPONENT {
            return Err(Error::validation(OVERFLOW));
        }
        if first_exponent < MIN_EXPONENT {
            return Err(Error::validation(UNDERFLOW));
        }
        if last - first >= DIGITS as usize {
            return Err(Error::validation(PRECISION));
        }
        let magnitude = digits()
            .skip(first)
            .take(last - first + 1)
            .fold(0_i128, |coefficient, digit| coefficient * 10 + i128::from(digit - b'0'));
        let exponent = first_exponent - (last - first) as i64;
        Ok(Self { coefficient: if negative { -magnitude } else { magnitude }, exponent: exponent as i16 })
    }

    /// The number ±magnitude × 10^exponent in its one form, or the error of arithmetic.
    fn from_parts(negative: bool, mut magnitude: u128, mut exponent: i64) -> Result<Self> {
        if magnitude == 0 {
            return Ok(Self::ZERO);
        }
        while magnitude.is_multiple_of(10) {
            magnitude /= 10;
            exponent += 1;
        }
        let digits = i64::from(magnitude.ilog10()) + 1;
        let first_exponent = exponent + digits - 1;
        if first_exponent > MAX_EXPONENT || digits > i64::from(DIGITS) {
            return Err(Error::validation(OVERFLOW));
        }
        if first_exponent < MIN_EXPONENT {
            return Err(Error::validation(UNDERFLOW));
        }
        // 38 digits fit.
        let coefficient = i128::try_from(magnitude).map_err(|_| Error::validation(OVERFLOW))?;
        Ok(Self { coefficient: if negative { -coefficient } else { coefficient }, exponent: exponent as i16 })
    }

    /// The exact sum. A sum of more than 38 digits, or out of range, is refused; DynamoDB calls both an overflow.
    pub fn plus(self, other: Self) -> Result<Self> {
        if self.coefficient == 0 {
            return Ok(other);
        }
        if other.coefficient == 0 {
            return Ok(self);
        }
        let (high, low) = if self.exponent >= other.exponent { (self, other) } else { (other, self) };
        let shift = high.exponent.abs_diff(low.exponent);
        // What overflows here is at least 3.4E38 and the other less than 1E38; the last digit of `low` is not zero. So
        // the sum would have more than 38 digits.
        let aligned = 10_u128.checked_pow(shift.into()).and_then(|power| high.magnitude().checked_mul(power));
        let aligned = aligned.ok_or_else(|| Error::validation(OVERFLOW))?;
        let exponent = i64::from(low.exponent);
        if high.is_negative() == low.is_negative() {
            // Without a shift both are less than 1E38.
            let sum = aligned.checked_add(low.magnitude()).ok_or_else(|| Error::validation(OVERFLOW))?;
            return Self::from_parts(high.is_negative(), sum, exponent);
        }
        let negative = if aligned >= low.magnitude() { high.is_negative() } else { low.is_negative() };
        Self::from_parts(negative, aligned.abs_diff(low.magnitude()), exponent)
    }

    /// The exact difference, with the limits of [`Number::plus`].
    pub fn minus(self, other: Self) -> Result<Self> {
        self.plus(Self { coefficient: -other.coefficient, ..other })
    }

    /// How many bytes it takes in an item: one, and one for every two digits in pairs that begin at the point, and
    /// one for a minus. AWS documents it as approximate; these are the figures that its capacity answers show.
    pub fn size(self) -> usize {
        if self.coefficient == 0 {
            return 1;
        }
        // The exponents of the first and last digit; digits 2k and 2k+1 share a byte.
        let last = i64::from(self.exponent);
        let first = last + i64::from(self.magnitude().ilog10());
        let pairs = first.div_euclid(2) - last.div_euclid(2) + 1;
        1 + pairs as usize + usize::from(self.is_negative())
    }

    /// The whole part, if it fits: times to live are numbers of seconds.
    pub fn to_i64(self) -> Option<i64> {
        let whole = match u32::from(self.exponent.unsigned_abs()) {
            places if self.exponent < 0 => 10_i128.checked_pow(places).map_or(0, |power| self.coefficient / power),
            zeros => 10_i128.checked_pow(zeros).and_then(|power| self.coefficient.checked_mul(power))?,
        };
        i64::try_from(whole).ok()
    }

    fn magnitude(self) -> u128 {
        self.coefficient.unsigned_abs()
    }

    fn is_negative(self) -> bool {
        self.coefficient < 0
    }

    /// The exponent of the first digit, for the comparison of magnitudes.
    fn first_exponent(self) -> i32 {
        i32::from(self.exponent) + self.magnitude().ilog10() as i32
    }
}

/// The exponent in a text, kept within what any text's length could make up for.
fn exponent(text: &str) -> Option<i64> {
    const FAR: i64 = 1 << 60;
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if digits.is_empty() {
        return None;
    }
    let magnitude = digits.bytes().try_fold(0_i64, |sum, digit| {
        digit.is_ascii_digit().then(|| sum.saturating_mul(10).saturating_add(i64::from(digit - b'0')).min(FAR))
    })?;
    Some(if negative { -magnitude } else { magnitude })
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        let (mut coefficient, mut exponent) = (value, 0);
        while coefficient != 0 && coefficient % 10 == 0 {
            coefficient /= 10;
            exponent += 1;
        }
        Self { coefficient: i128::from(coefficient), exponent }
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = self.coefficient.signum();
        if sign != other.coefficient.signum() || sign == 0 {
            return sign.cmp(&other.coefficient.signum());
        }
        let magnitude = self.first_exponent().cmp(&other.first_exponent()).then_with(|| {
            // The same first exponent: the shorter coefficient gains as many zeros as the other has digits more, at
            // most 37, so neither outgrows 38 digits.
            let shift = self.exponent - other.exponent;
            let zeros = 10_u128.pow(u32::from(shift.unsigned_abs()));
            let (mine, theirs) = (self.magnitude(), other.magnitude());
            if shift >= 0 { (mine * zeros).cmp(&theirs) } else { mine.cmp(&(theirs * zeros)) }
        });
        if sign > 0 { magnitude } else { magnitude.reverse() }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.magnitude().to_string();
        let sign = if self.is_negative() { "-" } else { "" };
        if self.exponent >= 0 {
            return write!(f, "{sign}{digits}{:0<width$}", "", width = usize::from(self.exponent.unsigned_abs()));
        }
        let places = usize::from(self.exponent.unsigned_abs());
        match digits.split_at_checked(digits.len().saturating_sub(places)) {
            Some((whole, fraction)) if !whole.is_empty() => write!(f, "{sign}{whole}.{fraction}"),
            _ => write!(f, "{sign}0.{digits:0>places$}"),
        }
    }
}

impl From<Number> for String {
    fn from(number: Number) -> Self {
        number.to_string()
    }
}

impl TryFrom<String> for Number {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        Self::parse(&text)
    }
}
