//! `GetMetricData`: several metrics at once, one statistic each, answered in pages.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::Metrics;
use super::series::{Dimension, MetricKey};
use super::statistic::{Statistic, Unusable, unsupported};
use super::window::{Window, is_period, rank};
use crate::cloud::Cx;
use crate::{Error, Result, Timestamp};

/// A request has this many queries, and an answer this many datapoints.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html>
const MAX_QUERIES: usize = 500;
const MAX_DATAPOINTS: usize = 100_800;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetMetricData {
    metric_data_queries: Vec<Query>,
    start_time: Timestamp,
    end_time: Timestamp,
    next_token: Option<String>,
    scan_by: Option<String>,
    max_datapoints: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Query {
    id: String,
    metric_stat: Option<MetricStat>,
    expression: Option<String>,
    label: Option<String>,
    return_data: Option<bool>,
    period: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MetricStat {
    metric: Metric,
    period: i64,
    stat: String,
    unit: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Metric {
    namespace: String,
    metric_name: String,
    #[serde(default)]
    dimensions: Vec<Dimension>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetMetricDataOutput {
    metric_data_results: Vec<MetricDataResult>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
    messages: Vec<Message>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct MetricDataResult {
    id: String,
    label: String,
    timestamps: Vec<Timestamp>,
    values: Vec<f64>,
    status_code: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    messages: Vec<Message>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Message {
    code: &'static str,
    value: String,
}

pub(super) fn get(cx: &mut Cx<Metrics>, input: GetMetricData) -> Result<GetMetricDataOutput> {
    let stats = check(&input)?;
    let descending = input.scan_by.as_deref() != Some("TimestampAscending");
    let size = input.max_datapoints.unwrap_or(MAX_DATAPOINTS);
    if !(1..=MAX_DATAPOINTS).contains(&size) {
        return Err(validation(format!(
            "The value {size} for parameter MaxDatapoints must be between 1 and {MAX_DATAPOINTS}."
        )));
    }
    let skip = input.next_token.as_deref().map_or(Ok(0), read_token)?;
    let labels = Labels::new(&stats);
    let mut results = Vec::new();
    for (query, stat, statistic) in stats {
        if query.return_data == Some(false) {
            continue;
        }
        let (mut datapoints, messages) = evaluate(cx, &input, stat, statistic);
        if descending {
            datapoints.reverse();
        }
        let label = query.label.clone().unwrap_or_else(|| labels.of(stat));
        let (timestamps, values) = datapoints.into_iter().unzip();
        results.push(MetricDataResult {
            id: query.id.clone(),
            label,
            timestamps,
            values,
            status_code: "Complete",
            messages,
        });
    }
    let next_token = page(&mut results, skip, size);
    Ok(GetMetricDataOutput { metric_data_results: results, next_token, messages: Vec::new() })
}

/// Checks all queries before any is answered.
fn check(input: &GetMetricData) -> Result<Vec<(&Query, &MetricStat, Statistic)>> {
    // Fractions of a second do not count.
    match input.start_time.secs().cmp(&input.end_time.secs()) {
        Ordering::Less => {}
        Ordering::Equal => return Err(validation("The parameter StartTime must not equal parameter EndTime.")),
        Ordering::Greater => return Err(validation("The parameter EndTime must be greater than StartTime.")),
    }
    if input.metric_data_queries.len() > MAX_QUERIES {
        return Err(validation(format!(
            "The collection MetricDataQueries must not have a size greater than {MAX_QUERIES}."
        )));
    }
    let ids: BTreeSet<&str> = input.metric_data_queries.iter().map(|query| query.id.as_str()).collect();
    if ids.len() < input.metric_data_queries.len() {
        return Err(validation("The values for parameter id in MetricDataQueries are not unique."));
    }
    let (mut checked, mut problems) = (Vec::new(), Vec::new());
    for (index, query) in input.metric_data_queries.iter().enumerate() {
        let place = format!("MetricDataQueries.member.{}", index + 1);
        match check_query(&place, query)? {
            Ok((stat, statistic)) => checked.push((query, stat, statistic)),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(checked) } else { Err(validation(problems.join("\n"))) }
}

/// The outer error is for what Garoa does not do; the inner one for what AWS refuses, of which it tells all at once.
fn check_query<'a>(place: &str, query: &'a Query) -> Result<Result<(&'a MetricStat, Statistic), String>> {
    let id_begins = query.id.starts_with(|c: char| c.is_ascii_lowercase());
    if !id_begins || !query.id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return Ok(Err(format!(
            "The value {} for parameter {place}.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$.",
            query.id
        )));
    }
    let both = |other: &str| {
        format!(
            "The parameters {place}.{other} and {place}.MetricStat are mutually exclusive and you have specified both."
        )
    };
    let stat = match (&query.metric_stat, &query.expression) {
        (Some(_), Some(_)) => return Ok(Err(both("Expression"))),
        (None, Some(expression)) => {
            return Err(Error::not_implemented(format!("CloudWatch metric math ({place}.Expression={expression})")));
        }
        (None, None) => return Ok(Err(format!("The parameter {place}.MetricStat or {place}.Expression is required."))),
        (Some(_), None) if query.period.is_some() => return Ok(Err(both("Period"))),
        (Some(stat), None) => stat,
    };
    if query.label.as_deref().is_some_and(|label| label.contains("${")) {
        return Err(Error::not_implemented(format!("dynamic labels of CloudWatch metrics ({place}.Label)")));
    }
    if !is_period(stat.period) {
        return Ok(Err(format!(
            "The parameter {place}.MetricStat.Period must be a value in the set [ 1, 5, 10, 20, 30 ] or a multiple of 60."
        )));
    }
    match Statistic::parse(&stat.stat) {
        Ok(statistic) => Ok(Ok((stat, statistic))),
        Err(Unusable::Unsupported) => Err(unsupported(&stat.stat)),
        Err(Unusable::Unknown) => {
            Ok(Err(format!("The value {} for parameter {place}.MetricStat.Stat is not a valid statistic.", stat.stat)))
        }
    }
}

/// The datapoints of one query, from the oldest to the newest. Where data came in several units and none is asked
/// for, CloudWatch answers from the first unit in an order of its own, and says so (seen at AWS).
fn evaluate(
    cx: &Cx<Metrics>,
    input: &GetMetricData,
    stat: &MetricStat,
    statistic: Statistic,
) -> (Vec<(Timestamp, f64)>, Vec<Message>) {
    let key = MetricKey::new(&stat.metric.namespace, &stat.metric.metric_name, &stat.metric.dimensions);
    let window = Window::new(input.start_time, input.end_time, stat.period, cx.now);
    let mut points = cx.state.points(&key, window.start, window.end);
    points.retain(|point| stat.unit.as_deref().is_none_or(|unit| unit == point.unit));
    let buckets = window.buckets(points);
    let units: BTreeMap<usize, &str> = buckets.keys().map(|(_, unit)| (rank(unit), *unit)).collect();
    let Some((_, first)) = units.first_key_value() else { return (Vec::new(), Vec::new()) };
    let mut messages = Vec::new();
    if units.len() > 1 {
        let names: Vec<&str> = units.values().copied().collect();
        let value = format!("Multiple units returned: '[{}]'", names.join(", "));
        messages.push(Message { code: "MultipleUnits", value });
    }
    let of_first = buckets.iter().filter(|((_, unit), _)| unit == first);
    let datapoints = of_first.filter_map(|((at, _), points)| Some((*at, statistic.over(points)?))).collect();
    (datapoints, messages)
}

/// How results are labelled whose queries say nothing: the metric's name, and statistic and period where the queries
/// differ in them (seen at AWS).
struct Labels {
    stat: bool,
    period: bool,
}

impl Labels {
    fn new(stats: &[(&Query, &MetricStat, Statistic)]) -> Self {
        let differ = |pairs: fn(&MetricStat, &MetricStat) -> bool| {
            stats.iter().zip(stats.iter().skip(1)).any(|((_, a, _), (_, b, _))| pairs(a, b))
        };
        Self { stat: differ(|a, b| a.stat != b.stat), period: differ(|a, b| a.period != b.period) }
    }

    fn of(&self, stat: &MetricStat) -> String {
        let mut label = stat.metric.metric_name.clone();
        if self.stat {
            label = format!("{label} {}", stat.stat);
        }
        if self.period {
            label = format!("{label} {}", stat.period);
        }
        label
    }
}

/// Leaves the datapoints of one page in the results, and answers where the next begins.
fn page(results: &mut Vec<MetricDataResult>, skip: usize, size: usize) -> Option<String> {
    let (mut to_skip, mut room) = (skip, size);
    let mut more = false;
    results.retain_mut(|result| {
        let all = result.values.len();
        let from = to_skip.min(all);
        let taken = (all - from).min(room);
        to_skip -= from;
        room -= taken;
        let rest = all - from - taken;
        if rest > 0 {
            more = true;
            result.status_code = "PartialData";
        }
        result.timestamps = result.timestamps.drain(from..from + taken).collect();
        result.values = result.values.drain(from..from + taken).collect();
        // Earlier pages have told of a query whose datapoints they had.
        taken > 0 || (skip == 0 && rest == 0) || rest > 0
    });
    more.then(|| URL_SAFE_NO_PAD.encode(skip.saturating_add(size).to_string()))
}

fn read_token(token: &str) -> Result<usize> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    let invalid = || Error::client("InvalidNextToken", "The NextToken is invalid.");
    text.and_then(|text| text.parse().ok()).ok_or_else(invalid)
}

fn validation(message: impl Into<String>) -> Error {
    Error::client("ValidationError", message)
}
