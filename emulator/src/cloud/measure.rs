//! What services measure of themselves, as Lambda does its invocations. At AWS such metrics are in CloudWatch without anybody's
//! call: nothing is permitted, broken or traced there.

use super::Scope;
use crate::Timestamp;

/// What a service has measured of one metric.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub scope: Scope,
    /// `AWS/Lambda`, say.
    pub namespace: &'static str,
    pub name: &'static str,
    /// Names and values.
    pub dimensions: Vec<(&'static str, String)>,
    pub at: Timestamp,
    pub samples: Sampled,
    /// One of CloudWatch's units.
    pub unit: &'static str,
}

/// What is known of a metric.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sampled {
    /// One value more.
    Value(f64),
    /// All values of a minute so far: they replace what was known of it.
    Minute { count: f64, sum: f64, minimum: f64, maximum: f64 },
}

impl Sampled {
    /// All values of a minute so far, which are whole numbers.
    pub fn minute(count: u64, sum: u64, minimum: u64, maximum: u64) -> Self {
        let [count, sum, minimum, maximum] = [count, sum, minimum, maximum].map(|number| number as f64);
        Self::Minute { count, sum, minimum, maximum }
    }
}
