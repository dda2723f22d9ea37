//! What is kept of a metric: its samples by time and unit, each interval summed up as it comes in.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::cloud::pairs;

/// The unit of data that came without one.
pub(super) const NO_UNIT: &str = "None";

/// What identifies a metric: every combination of dimensions is a metric of its own.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html>
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct MetricKey {
    pub namespace: String,
    pub name: String,
    /// Names and values, in order of the names.
    pub dimensions: Vec<(String, String)>,
}

/// A dimension as requests and answers have it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Dimension {
    pub name: String,
    pub value: String,
}

impl MetricKey {
    pub fn new(namespace: &str, name: &str, dimensions: &[Dimension]) -> Self {
        let mut dimensions: Vec<_> = dimensions.iter().map(|one| (one.name.clone(), one.value.clone())).collect();
        dimensions.sort();
        Self { namespace: namespace.to_owned(), name: name.to_owned(), dimensions }
    }
}

/// The data of one metric.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Series {
    /// When data last came in: what `ListMetrics` calls recently active.
    pub published: Timestamp,
    #[serde(with = "pairs")]
    points: OrdMap<(Timestamp, String), Samples>,
}

/// What came in for one interval in one unit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point<'a> {
    pub at: Timestamp,
    pub unit: &'a str,
    pub samples: &'a Samples,
}

impl Series {
    /// Adds samples to the interval that begins at `at`.
    pub fn add(&mut self, at: Timestamp, unit: String, samples: &Samples) {
        self.points.entry((at, unit)).or_default().merge(samples);
    }

    /// What is known of the interval that begins at `at` is this.
    pub fn replace(&mut self, at: Timestamp, unit: String, samples: Samples) {
        self.points.insert((at, unit), samples);
    }

    /// What is kept from `start` up to, and without, `end`. Costs as much as there is in between.
    pub fn between(&self, start: Timestamp, end: Timestamp) -> Vec<Point<'_>> {
        if start >= end {
            return Vec::new();
        }
        let range = (start, String::new())..(end, String::new());
        self.points.range(range).map(|((at, unit), samples)| Point { at: *at, unit, samples }).collect()
    }
}

/// Samples summed up, with the single values where they are known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Samples {
    pub summary: Summary,
    /// How often each value came. Percentiles need it. Empty where all are one, as those of most intervals are: it takes room.
    #[serde(with = "pairs")]
    values: OrdMap<Ordered, f64>,
    /// Whether samples are in the summary whose values are unknown, for they came as a statistic set.
    opaque: bool,
}

/// What `Statistics` of a request are made from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Summary {
    pub count: f64,
    pub sum: f64,
    pub minimum: f64,
    pub maximum: f64,
}

impl Default for Summary {
    /// Of no sample. The bounds are as wide apart as they can be, and finite, for JSON has no infinity.
    fn default() -> Self {
        Self { count: 0.0, sum: 0.0, minimum: f64::MAX, maximum: f64::MIN }
    }
}

impl Summary {
    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.sum += other.sum;
        self.minimum = self.minimum.min(other.minimum);
        self.maximum = self.maximum.max(other.maximum);
    }
}

impl Samples {
    /// `count` samples of one value. None at all for a count of zero.
    pub fn of(value: f64, count: f64) -> Self {
        let mut samples = Self::default();
        if count > 0.0 {
            samples.summary = Summary { count, sum: value * count, minimum: value, maximum: value };
        }
        samples
    }

    /// A statistic set. Its values are known where it can only be one.
    /// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#Percentiles>
    pub fn of_set(summary: Summary) -> Self {
        let one_value = summary.minimum == summary.maximum && summary.sum == summary.minimum * summary.count;
        if one_value {
            return Self::of(summary.minimum, summary.count);
        }
        Self { summary, values: OrdMap::new(), opaque: true }
    }

    pub fn merge(&mut self, other: &Self) {
        if !self.is_alike(other) {
            if let Some((value, count)) = self.one() {
                self.values.insert(Ordered::from(value), count);
            }
            for (value, count) in other.each() {
                *self.values.entry(Ordered::from(value)).or_insert(0.0) += count;
            }
        }
        self.summary.merge(&other.summary);
        self.opaque |= other.opaque;
    }

    /// Whether all samples of both are of one value.
    fn is_alike(&self, other: &Self) -> bool {
        match (self.one(), other.one()) {
            (Some((own, _)), Some((value, _))) => own == value,
            _ => other.summary.count == 0.0 || self.summary.count == 0.0 && other.one().is_some(),
        }
    }

    /// The value that all samples have, and how many they are.
    fn one(&self) -> Option<(f64, f64)> {
        let is_one = self.values.is_empty() && !self.opaque && self.summary.count > 0.0;
        is_one.then_some((self.summary.minimum, self.summary.count))
    }

    fn each(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.one().into_iter().chain(self.values.iter().map(|(value, count)| (value.value(), *count)))
    }

    /// The values and how often each came, from low to high; none where some are not known.
    pub fn values(&self) -> Option<impl Iterator<Item = (f64, f64)> + '_> {
        (!self.opaque).then(|| self.each())
    }
}

/// A finite number that can be a key: its bits, turned so that they sort as the numbers do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Ordered(u64);

const SIGN: u64 = 1 << 63;

impl From<f64> for Ordered {
    fn from(value: f64) -> Self {
        // Both zeros are one value.
        let bits = if value == 0.0 { 0 } else { value.to_bits() };
        Self(if bits & SIGN == 0 { bits | SIGN } else { !bits })
    }
}

impl Ordered {
    fn value(self) -> f64 {
        f64::from_bits(if self.0 & SIGN == 0 { !self.0 } else { self.0 & !SIGN })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_sort_as_their_keys(a in -1e300..1e300f64, b in -1e300..1e300f64) {
            prop_assert_eq!(a.partial_cmp(&b), Some(Ordered::from(a).cmp(&Ordered::from(b))));
            prop_assert_eq!(Ordered::from(a).value(), a);
        }
    }

    #[test]
    fn both_zeros_are_one_value() {
        assert_eq!(Ordered::from(-0.0), Ordered::from(0.0));
    }
}
