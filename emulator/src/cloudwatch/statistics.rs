//! `GetMetricStatistics`: one metric, several statistics, a datapoint for each period and unit.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::series::{Dimension, MetricKey, Point};
use super::statistic::{Statistic, Unusable, unsupported};
use super::window::{Window, is_period};
use super::{Metrics, invalid_combination, invalid_value};
use crate::cloud::Cx;
use crate::{Result, Timestamp};

/// `GetMetricStatistics` answers at most so many datapoints.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html>
const MAX_DATAPOINTS: i64 = 1_440;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetMetricStatistics {
    namespace: String,
    metric_name: String,
    #[serde(default)]
    dimensions: Vec<Dimension>,
    start_time: Timestamp,
    end_time: Timestamp,
    period: i64,
    #[serde(default)]
    statistics: Vec<String>,
    #[serde(default)]
    extended_statistics: Vec<String>,
    unit: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetMetricStatisticsOutput {
    label: String,
    datapoints: Vec<Datapoint>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Datapoint {
    timestamp: Timestamp,
    /// `SampleCount`, `Average`, `Sum`, `Minimum`, `Maximum`, as asked for.
    #[serde(flatten)]
    statistics: BTreeMap<String, f64>,
    unit: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    extended_statistics: BTreeMap<String, f64>,
}

type Wanted = Vec<(String, Statistic)>;

pub(super) fn get(cx: &mut Cx<Metrics>, input: GetMetricStatistics) -> Result<GetMetricStatisticsOutput> {
    let (basic, extended) = wanted(&input)?;
    check_range(&input)?;
    let key = MetricKey::new(&input.namespace, &input.metric_name, &input.dimensions);
    let window = Window::new(input.start_time, input.end_time, input.period, cx.now);
    let mut points = cx.state.points(&key, window.start, window.end);
    points.retain(|point| input.unit.as_deref().is_none_or(|unit| unit == point.unit));
    let datapoints = window
        .buckets(points)
        .into_iter()
        .map(|((timestamp, unit), points)| Datapoint {
            timestamp,
            unit: unit.to_owned(),
            statistics: compute(&basic, &points),
            extended_statistics: compute(&extended, &points),
        })
        .filter(|datapoint| !(datapoint.statistics.is_empty() && datapoint.extended_statistics.is_empty()))
        .collect();
    Ok(GetMetricStatisticsOutput { label: input.metric_name, datapoints })
}

fn compute(wanted: &Wanted, points: &[Point<'_>]) -> BTreeMap<String, f64> {
    wanted.iter().filter_map(|(name, statistic)| Some((name.clone(), statistic.over(points)?))).collect()
}

fn wanted(input: &GetMetricStatistics) -> Result<(Wanted, Wanted)> {
    match (input.statistics.is_empty(), input.extended_statistics.is_empty()) {
        (true, true) => return Err(invalid_combination("Must specify either Statistics or ExtendedStatistics")),
        (false, false) => {
            return Err(invalid_combination("Must specify either Statistics or ExtendedStatistics, but not both"));
        }
        _ => {}
    }
    let parse = |parameter: &str, names: &[String], parse: fn(&str) -> Result<Statistic, Unusable>| {
        let parse = |(index, name): (usize, &String)| match parse(name) {
            Ok(statistic) => Ok((name.clone(), statistic)),
            Err(Unusable::Unsupported) => Err(unsupported(name)),
            Err(Unusable::Unknown) => Err(invalid_value(format!(
                "The value {name} for parameter {parameter}.member.{} is not a valid statistic.",
                index + 1
            ))),
        };
        names.iter().enumerate().map(parse).collect::<Result<Wanted>>()
    };
    Ok((
        parse("Statistics", &input.statistics, Statistic::parse)?,
        parse("ExtendedStatistics", &input.extended_statistics, Statistic::parse_extended)?,
    ))
}

fn check_range(input: &GetMetricStatistics) -> Result<()> {
    if !is_period(input.period) {
        return Err(invalid_value(
            "The parameter Period must be a value in the set [ 1, 5, 10, 20, 30 ] or a multiple of 60.",
        ));
    }
    // Fractions of a second do not count.
    if input.start_time.secs() >= input.end_time.secs() {
        return Err(invalid_value("The parameter StartTime must be less than the parameter EndTime."));
    }
    let seconds = input.end_time.secs().saturating_sub(input.start_time.secs());
    let datapoints = seconds.saturating_add(input.period - 1) / input.period;
    if datapoints > MAX_DATAPOINTS {
        return Err(invalid_combination(format!(
            "You have requested up to {datapoints} datapoints, which exceeds the limit of {MAX_DATAPOINTS}. You may reduce \
             the datapoints requested by increasing Period, or decreasing the time range."
        )));
    }
    Ok(())
}
