//! Aggregations: what `stats` computes over the rows of a group.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Stats.html>

use std::collections::BTreeSet;

use super::value::Value;

/// A function of `stats`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aggregation {
    Count,
    CountDistinct,
    Sum,
    Avg,
    Min,
    Max,
    Stddev,
    Median,
    Pct,
    Earliest,
    Latest,
    SortsFirst,
    SortsLast,
}

const NAMES: [(&str, Aggregation); 13] = [
    ("count", Aggregation::Count),
    ("count_distinct", Aggregation::CountDistinct),
    ("sum", Aggregation::Sum),
    ("avg", Aggregation::Avg),
    ("min", Aggregation::Min),
    ("max", Aggregation::Max),
    ("stddev", Aggregation::Stddev),
    ("median", Aggregation::Median),
    ("pct", Aggregation::Pct),
    ("earliest", Aggregation::Earliest),
    ("latest", Aggregation::Latest),
    ("sortsfirst", Aggregation::SortsFirst),
    ("sortslast", Aggregation::SortsLast),
];

impl Aggregation {
    pub fn find(name: &str) -> Option<Self> {
        NAMES.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, found)| *found)
    }

    /// How many arguments it takes.
    pub fn arguments(self) -> usize {
        if self == Self::Pct { 2 } else { 1 }
    }

    /// Over the values of its argument, each with the time of its row. `percent` is the second argument of `pct`.
    pub fn over(self, values: &[(i64, Value)], percent: f64) -> Value {
        let present = || values.iter().filter(|(_, value)| *value != Value::Missing);
        let numbers = || present().filter_map(|(_, value)| value.number());
        let count = numbers().count() as f64;
        let number =
            |result: Option<f64>| result.filter(|result| result.is_finite()).map_or(Value::Missing, Value::Number);
        let first = |found: Option<&(i64, Value)>| found.map_or(Value::Missing, |(_, value)| value.clone());
        match self {
            Self::Count => Value::Number(present().count() as f64),
            Self::CountDistinct => {
                let distinct: BTreeSet<String> = present().filter_map(|(_, value)| value.text()).collect();
                Value::Number(distinct.len() as f64)
            }
            Self::Sum => number((count > 0.0).then(|| numbers().sum())),
            Self::Avg => number(Some(numbers().sum::<f64>() / count)),
            // Of times, the least is a time again.
            Self::Min => first(present().filter(|(_, v)| v.number().is_some()).min_by(|a, b| a.1.order(&b.1))),
            Self::Max => first(present().filter(|(_, v)| v.number().is_some()).max_by(|a, b| a.1.order(&b.1))),
            Self::Stddev => {
                let mean = numbers().sum::<f64>() / count;
                number(Some((numbers().map(|one| (one - mean).powi(2)).sum::<f64>() / count).sqrt()))
            }
            Self::Median => number(percentile(numbers().collect(), 50.0)),
            Self::Pct => number(percentile(numbers().collect(), percent)),
            Self::Earliest => first(present().min_by_key(|(at, _)| *at)),
            Self::Latest => first(present().max_by_key(|(at, _)| *at)),
            Self::SortsFirst => first(present().min_by(|a, b| a.1.order(&b.1))),
            Self::SortsLast => first(present().max_by(|a, b| a.1.order(&b.1))),
        }
    }
}

/// Between the two values on both sides of the place, as far as the place is between them.
fn percentile(mut numbers: Vec<f64>, percent: f64) -> Option<f64> {
    numbers.sort_by(f64::total_cmp);
    let place = (numbers.len().checked_sub(1)?) as f64 * percent.clamp(0.0, 100.0) / 100.0;
    let (low, high) = (numbers.get(place.floor() as usize)?, numbers.get(place.ceil() as usize)?);
    Some(low + (high - low) * place.fract())
}
