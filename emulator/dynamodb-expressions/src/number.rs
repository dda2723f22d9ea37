//! DynamoDB's numbers: 38 decimal digits, exact.

use serde::{Deserialize, Serialize};

use crate::Result;

/// A number of at most 38 significant digits, from 1E-130 to 9.99…E125 in magnitude, or zero.
///
/// Model: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Number(i64);

impl Number {
    /// Reads a number as it stands on the wire. The text of the error is AWS's.
    pub fn parse(_text: &str) -> Result<Self> {
        todo!()
    }

    /// The exact sum, or the error when it does not fit.
    pub fn add(self, _other: Self) -> Result<Self> {
        todo!()
    }

    /// The exact difference, or the error when it does not fit.
    pub fn subtract(self, _other: Self) -> Result<Self> {
        todo!()
    }

    /// How many significant digits it has, without zeros at either end: 1 for zero. Sizes count them.
    pub fn digits(self) -> usize {
        todo!()
    }
}

impl std::fmt::Display for Number {
    fn fmt(&self, _f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        todo!()
    }
}
