//! `PutMetricData`: what may come in, and how it is added to what is there.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

use super::series::{Dimension, MetricKey, NO_UNIT, Samples, Summary};
use super::window::round_down;
use super::{Empty, Metrics, invalid_combination, invalid_value};
use crate::cloud::Cx;
use crate::iam::Principal;
use crate::{Error, Result, Timestamp};

/// `PutMetricData` takes this many metrics at once, and this many values of each.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html>
const MAX_DATA: usize = 1000;
const MAX_VALUES: usize = 150;
/// A metric has this many dimensions.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html>
const MAX_DIMENSIONS: usize = 30;
/// Values lie between plus and minus two to the power of 360.
const MAX_EXPONENT: i32 = 360;
/// How far in the past, and in the future, the time of data may lie, in seconds: two weeks, and two hours.
const PAST: i64 = 14 * 24 * 3_600;
const FUTURE: i64 = 2 * 3_600;
/// Only AWS's own services write to namespaces that begin so.
const RESERVED: &str = "AWS/";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PutMetricData {
    pub namespace: String,
    #[serde(default)]
    metric_data: Vec<MetricDatum>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MetricDatum {
    metric_name: String,
    #[serde(default)]
    dimensions: Vec<Dimension>,
    timestamp: Option<Timestamp>,
    value: Option<Double>,
    values: Option<Vec<Double>>,
    counts: Option<Vec<Double>>,
    statistic_values: Option<StatisticSet>,
    unit: Option<String>,
    storage_resolution: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StatisticSet {
    sample_count: Double,
    sum: Double,
    minimum: Double,
    maximum: Double,
}

/// Data that was checked, ready to be added.
struct Checked {
    key: MetricKey,
    at: Timestamp,
    unit: String,
    samples: Samples,
}

pub(super) fn put(cx: &mut Cx<Metrics>, input: PutMetricData) -> Result<Empty> {
    let by_aws = matches!(cx.caller.principal, Principal::Service(_));
    if input.namespace.starts_with(RESERVED) && !by_aws {
        return Err(invalid_value(format!("The value {RESERVED} for parameter Namespace is invalid.")));
    }
    if input.metric_data.is_empty() {
        return Err(Error::client("MissingParameter", "The parameter MetricData is required."));
    }
    if input.metric_data.len() > MAX_DATA {
        return Err(invalid_value(format!("The collection MetricData must not have a size greater than {MAX_DATA}.")));
    }
    let mut problems = Vec::new();
    let mut checked = Vec::with_capacity(input.metric_data.len());
    for (index, datum) in input.metric_data.into_iter().enumerate() {
        let place = format!("MetricData.member.{}", index + 1);
        checked.push(check(&place, &input.namespace, datum, cx.now, &mut problems)?);
    }
    // AWS tells of all bad values at once, a line each.
    if !problems.is_empty() {
        return Err(invalid_value(problems.join("\n")));
    }
    for Checked { key, at, unit, samples } in checked {
        let series = cx.state.series.entry(key).or_default();
        series.published = cx.now;
        series.add(at, unit, &samples);
    }
    Ok(Empty {})
}

/// Checks one datum. Bad values are added to `problems`; parameters that do not go together are an error at once.
fn check(
    place: &str,
    namespace: &str,
    datum: MetricDatum,
    now: Timestamp,
    problems: &mut Vec<String>,
) -> Result<Checked> {
    let samples = samples(place, &datum, problems)?;
    if datum.dimensions.len() > MAX_DIMENSIONS {
        let collection = format!("{place}.Dimensions");
        problems.push(format!("The collection {collection} must not have a size greater than {MAX_DIMENSIONS}."));
    }
    let names: BTreeSet<&str> = datum.dimensions.iter().map(|one| one.name.as_str()).collect();
    if names.len() < datum.dimensions.len() {
        problems.push(format!("The collection {place}.Dimensions must not name a dimension twice."));
    }
    let resolution = datum.storage_resolution.unwrap_or(60);
    if ![1, 60].contains(&resolution) {
        problems.push(format!("The parameter {place}.StorageResolution must be a value in the set [ 1, 60 ]."));
    }
    let at = datum.timestamp.unwrap_or(now);
    if at.secs() < now.secs().saturating_sub(PAST) {
        problems.push(format!("The parameter {place}.Timestamp must specify a time within the past two weeks."));
    }
    if at.secs() > now.secs().saturating_add(FUTURE) {
        problems
            .push(format!("The parameter {place}.Timestamp must specify a time no more than two hours in the future."));
    }
    Ok(Checked {
        key: MetricKey::new(namespace, &datum.metric_name, &datum.dimensions),
        at: round_down(at, resolution),
        unit: datum.unit.unwrap_or_else(|| NO_UNIT.to_owned()),
        samples,
    })
}

/// The samples of a datum: one value, values with counts, or a statistic set.
fn samples(place: &str, datum: &MetricDatum, problems: &mut Vec<String>) -> Result<Samples> {
    let values = datum.values.as_deref().filter(|values| !values.is_empty());
    let given = [
        ("Value", datum.value.is_some()),
        ("Values", values.is_some()),
        ("StatisticValues", datum.statistic_values.is_some()),
    ];
    let mut given = given.iter().filter(|(_, given)| *given).map(|(name, _)| *name);
    // Values and a statistic set together are the one pair that AWS takes (seen there); the values count.
    if let (Some(first), Some(second)) = (given.next(), given.next())
        && first != "Values"
    {
        return Err(invalid_combination(format!(
            "The parameters {place}.{first} and {place}.{second} are mutually exclusive and you have specified both."
        )));
    }
    let mut number = |name: &str, number: &Double| number.check(&format!("{place}.{name}"), problems);
    match (&datum.value, values, &datum.statistic_values) {
        (Some(value), ..) => Ok(Samples::of(number("Value", value), 1.0)),
        (_, Some(values), _) => with_counts(place, values, datum.counts.as_deref(), problems),
        (.., Some(set)) => {
            let summary = Summary {
                count: number("StatisticValues.SampleCount", &set.sample_count),
                sum: number("StatisticValues.Sum", &set.sum),
                minimum: number("StatisticValues.Minimum", &set.minimum),
                maximum: number("StatisticValues.Maximum", &set.maximum),
            };
            if summary.count <= 0.0 {
                problems.push(bad_value(&format!("{place}.StatisticValues.SampleCount"), &set.sample_count));
            }
            if summary.maximum < summary.minimum {
                problems.push(format!(
                    "The parameter {place}.StatisticValues.Maximum must be greater than {place}.StatisticValues.Minimum."
                ));
            }
            Ok(Samples::of_set(summary))
        }
        (None, None, None) => Err(invalid_combination("At least one of the parameters must be specified.")),
    }
}

fn with_counts(
    place: &str,
    values: &[Double],
    counts: Option<&[Double]>,
    problems: &mut Vec<String>,
) -> Result<Samples> {
    let counts = counts.filter(|counts| !counts.is_empty());
    if counts.is_some_and(|counts| counts.len() != values.len()) {
        return Err(invalid_value(format!(
            "The parameters {place}.Values and {place}.Counts must be of the same size."
        )));
    }
    if values.len() > MAX_VALUES {
        problems.push(format!("The collection {place}.Values must not have a size greater than {MAX_VALUES}."));
        return Ok(Samples::default());
    }
    let mut samples = Samples::default();
    for (index, value) in values.iter().enumerate() {
        let value = value.check(&format!("{place}.Values.member.{}", index + 1), problems);
        let count = counts.and_then(|counts| counts.get(index)).map_or(1.0, |count| {
            let name = format!("{place}.Counts.member.{}", index + 1);
            let number = count.check(&name, problems);
            if number < 0.0 {
                problems.push(bad_value(&name, count));
            }
            number
        });
        samples.merge(&Samples::of(value, count));
    }
    Ok(samples)
}

/// A number as it came in: not always one that JSON can write.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Double(f64);

impl Double {
    /// The number, or 0 and a problem where it is none or out of range.
    fn check(self, name: &str, problems: &mut Vec<String>) -> f64 {
        if self.0.is_finite() && self.0.abs() <= 2f64.powi(MAX_EXPONENT) {
            return self.0;
        }
        problems.push(bad_value(name, &self));
        0.0
    }
}

fn bad_value(name: &str, value: &Double) -> String {
    format!("The value {value} for parameter {name} is invalid.")
}

impl fmt::Display for Double {
    /// As AWS's Java writes numbers, as far as that matters: `NaN`, `Infinity`, `-1.0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            number if number.is_infinite() => f.write_str(if number > 0.0 { "Infinity" } else { "-Infinity" }),
            number => write!(f, "{number:?}"),
        }
    }
}

impl<'de> Deserialize<'de> for Double {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;
        impl Visitor<'_> for Number {
            type Value = Double;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number")
            }
            fn visit_f64<E>(self, number: f64) -> Result<Double, E> {
                Ok(Double(number))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Double, E> {
                Ok(Double(number as f64))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Double, E> {
                Ok(Double(number as f64))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Double, E> {
                match text {
                    "NaN" => Ok(Double(f64::NAN)),
                    "Infinity" => Ok(Double(f64::INFINITY)),
                    "-Infinity" => Ok(Double(f64::NEG_INFINITY)),
                    other => other.parse().map(Double).map_err(|_| E::invalid_value(de::Unexpected::Str(other), &self)),
                }
            }
            /// What JSON makes of a number that is none.
            fn visit_unit<E>(self) -> Result<Double, E> {
                Ok(Double(f64::NAN))
            }
        }
        deserializer.deserialize_any(Number)
    }
}
