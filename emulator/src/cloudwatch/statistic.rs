//! Statistics: what is computed from the samples of a period.

use super::series::{Point, Summary};
use crate::Error;

/// A statistic that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Statistic {
    SampleCount,
    Average,
    Sum,
    Minimum,
    Maximum,
    /// A percentile, from 0 to 100.
    Percentile(f64),
}

/// Why a text is no statistic that is computed here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unusable {
    /// There is none of this name.
    Unknown,
    /// CloudWatch has it, and Garoa does not.
    Unsupported,
}

/// The statistics of CloudWatch that are refused: trimmed and winsorised means, counts, sums, percentile ranks.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html>
const UNSUPPORTED: [&str; 6] = ["iqm", "tm", "wm", "pr", "tc", "ts"];

impl Statistic {
    pub fn parse(text: &str) -> Result<Self, Unusable> {
        match text {
            "SampleCount" => Ok(Self::SampleCount),
            "Average" => Ok(Self::Average),
            "Sum" => Ok(Self::Sum),
            "Minimum" => Ok(Self::Minimum),
            "Maximum" => Ok(Self::Maximum),
            _ => Self::parse_extended(text),
        }
    }

    /// `p0` to `p100`, with digits after a point.
    pub fn parse_extended(text: &str) -> Result<Self, Unusable> {
        let lower = text.to_ascii_lowercase();
        let percentile = text.strip_prefix('p').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        if let Some(number) = percentile {
            let digits = number.bytes().all(|b| b.is_ascii_digit() || b == b'.') && !number.ends_with('.');
            return match number.parse::<f64>() {
                Ok(number) if digits && number <= 100.0 => Ok(Self::Percentile(number)),
                _ => Err(Unusable::Unknown),
            };
        }
        let known = |name: &str| lower.strip_prefix(name).is_some_and(|rest| !rest.starts_with(char::is_alphabetic));
        if UNSUPPORTED.iter().any(|name| known(name)) { Err(Unusable::Unsupported) } else { Err(Unusable::Unknown) }
    }

    /// The statistic over the points of one period. None where there is no sample; for a percentile also where values
    /// are not known, for they came as a statistic set, and where one is negative.
    pub fn over(self, points: &[Point<'_>]) -> Option<f64> {
        let summary = summary(points)?;
        match self {
            Self::SampleCount => Some(summary.count),
            Self::Average => Some(summary.sum / summary.count),
            Self::Sum => Some(summary.sum),
            Self::Minimum => Some(summary.minimum),
            Self::Maximum => Some(summary.maximum),
            Self::Percentile(_) if summary.minimum < 0.0 => None,
            Self::Percentile(percent) => percentile(points, percent),
        }
    }
}

/// The samples of all points summed up.
fn summary(points: &[Point<'_>]) -> Option<Summary> {
    let mut summary = Summary::default();
    points.iter().for_each(|point| summary.merge(&point.samples.summary));
    (summary.count > 0.0).then_some(summary)
}

/// The lowest value that as many per cent of the samples do not exceed. CloudWatch approximates percentiles by
/// buckets of values, so its answers lie near this one.
fn percentile(points: &[Point<'_>], percent: f64) -> Option<f64> {
    let mut values = Vec::new();
    for point in points {
        values.extend(point.samples.values()?);
    }
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = values.iter().map(|(_, count)| count).sum();
    let wanted = total * percent / 100.0;
    let mut seen = 0.0;
    let found = values.iter().find(|(_, count)| {
        seen += count;
        seen >= wanted
    });
    found.or(values.last()).map(|(value, _)| *value)
}

/// The refusal of a statistic that CloudWatch has and Garoa has not.
pub(super) fn unsupported(text: &str) -> Error {
    Error::not_implemented(format!("the CloudWatch statistic {text}"))
}

#[cfg(test)]
mod tests {
    use super::super::series::Samples;
    use super::*;
    use crate::Timestamp;
    use proptest::prelude::*;

    #[test]
    fn names() {
        assert_eq!(Statistic::parse("p99.9"), Ok(Statistic::Percentile(99.9)));
        assert_eq!(Statistic::parse("p100"), Ok(Statistic::Percentile(100.0)));
        for bad in ["p101", "p", "p1e1", "p-1", "p5.", "pNaN", "average", "P50", ""] {
            assert_eq!(Statistic::parse(bad), Err(Unusable::Unknown), "{bad}");
        }
        for other in ["tm90", "TM(10%:90%)", "IQM", "wm98", "PR(:300)", "tc90", "ts90"] {
            assert_eq!(Statistic::parse(other), Err(Unusable::Unsupported), "{other}");
        }
    }

    /// What a reader of the documentation would compute by hand, over plain numbers.
    fn naive(numbers: &[f64], statistic: Statistic) -> f64 {
        let mut sorted = numbers.to_vec();
        sorted.sort_by(f64::total_cmp);
        let sum: f64 = sorted.iter().sum();
        match statistic {
            Statistic::SampleCount => sorted.len() as f64,
            Statistic::Sum => sum,
            Statistic::Average => sum / sorted.len() as f64,
            Statistic::Minimum => sorted[0],
            Statistic::Maximum => sorted[sorted.len() - 1],
            Statistic::Percentile(percent) => {
                let place = (sorted.len() as f64 * percent / 100.0).ceil() as usize;
                sorted[place.clamp(1, sorted.len()) - 1]
            }
        }
    }

    proptest! {
        /// However numbers are spread over points and joined into counts, the statistics are those of the numbers.
        #[test]
        fn statistics_are_those_of_the_numbers(
            data in proptest::collection::vec((0u32..1000, 1u32..5, 0usize..4), 1..60),
            percent in 0u32..=100,
        ) {
            let (mut points, mut numbers) = (vec![Samples::default(); 4], Vec::new());
            for (value, count, place) in data {
                points[place].merge(&Samples::of(f64::from(value), f64::from(count)));
                numbers.extend(std::iter::repeat_n(f64::from(value), count as usize));
            }
            let at = Timestamp::from_secs(0);
            let points: Vec<_> = points.iter().map(|samples| Point { at, unit: "None", samples }).collect();
            let basic =
                [Statistic::SampleCount, Statistic::Sum, Statistic::Average, Statistic::Minimum, Statistic::Maximum];
            for statistic in basic.into_iter().chain([Statistic::Percentile(f64::from(percent))]) {
                prop_assert_eq!(statistic.over(&points), Some(naive(&numbers, statistic)), "{:?}", statistic);
            }
        }
    }

    #[test]
    fn percentiles_need_known_values_that_are_not_negative() {
        let at = Timestamp::from_secs(0);
        let median = |samples: &Samples| Statistic::Percentile(50.0).over(&[Point { at, unit: "None", samples }]);
        let set = |count, sum, minimum, maximum| Samples::of_set(Summary { count, sum, minimum, maximum });
        assert_eq!(median(&set(3.0, 6.0, 1.0, 3.0)), None);
        assert_eq!(median(&set(3.0, 6.0, 2.0, 2.0)), Some(2.0));
        assert_eq!(median(&Samples::of(-1.0, 1.0)), None);
        assert_eq!(median(&Samples::default()), None);
    }
}
