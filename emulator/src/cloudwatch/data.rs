//! `GetMetricData`: several metrics at once, one statistic each, and expressions over them, answered in pages.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::math::{Outcome, Points};
use super::query::{Checked, Kind, MetricStat, Query, Units, check_all, compute, in_expression};
use super::{Metrics, read_place, validation};
use crate::cloud::Cx;
use crate::token;
use crate::{Result, Timestamp};

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

#[derive(Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Message {
    code: &'static str,
    value: String,
}

pub(super) fn get(cx: &mut Cx<Metrics>, input: GetMetricData) -> Result<GetMetricDataOutput> {
    let queries = check(&input)?;
    let descending = input.scan_by.as_deref() != Some("TimestampAscending");
    let size = input.max_datapoints.unwrap_or(MAX_DATAPOINTS);
    if !(1..=MAX_DATAPOINTS).contains(&size) {
        return Err(validation(format!(
            "The value {size} for parameter MaxDatapoints must be between 1 and {MAX_DATAPOINTS}."
        )));
    }
    let skip = input.next_token.as_deref().map_or(Ok(0), read_place)?;
    let labels = Labels::new(&queries);
    let label = |query: &Query, stat: &MetricStat| query.label.clone().unwrap_or_else(|| labels.of(stat));
    let mut computed = compute(cx.state, &queries, (input.start_time, input.end_time), cx.now, label)?;
    let mut results = Vec::new();
    for Checked { query, .. } in queries.iter().filter(|one| one.query.return_data != Some(false)) {
        let messages = multiple_units(computed.units.get(&query.id));
        for (label, points) in shown(query, computed.outcomes.remove(&query.id))? {
            let mut points: Vec<_> = points.into_iter().collect();
            if descending {
                points.reverse();
            }
            let (timestamps, values) = points.into_iter().unzip();
            results.push(MetricDataResult {
                id: query.id.clone(),
                label,
                timestamps,
                values,
                status_code: "Complete",
                messages: messages.clone(),
            });
        }
    }
    let next_token = page(&mut results, skip, size)?;
    Ok(GetMetricDataOutput { metric_data_results: results, next_token, messages: Vec::new() })
}

/// The series of a query, each with its label. A number alone is no series.
fn shown(query: &Query, outcome: Option<Outcome>) -> Result<Vec<(String, Points)>> {
    let is_metric = query.metric_stat.is_some();
    let name = query.label.clone().unwrap_or_else(|| query.id.clone());
    match outcome {
        Some(Outcome::One(series)) if is_metric => Ok(vec![(series.label, series.points)]),
        Some(Outcome::One(series)) => Ok(vec![(name, series.points)]),
        Some(Outcome::Many(many)) => {
            Ok(many.into_iter().map(|one| (format!("{name} {}", one.label), one.points)).collect())
        }
        Some(Outcome::Number(_)) | None => {
            Err(in_expression(&query.id, "the result must be a time series or a list of time series"))
        }
    }
}

fn multiple_units(units: Option<&Units>) -> Vec<Message> {
    let several = units.filter(|units| !units.is_empty());
    let message = |units: &Units| Message {
        code: "MultipleUnits",
        value: format!("Multiple units returned: '[{}]'", units.join(", ")),
    };
    several.map(message).into_iter().collect()
}

/// Checks all queries before any is answered.
fn check(input: &GetMetricData) -> Result<Vec<Checked<'_>>> {
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
    check_all("MetricDataQueries", &input.metric_data_queries)
}

/// How results are labelled whose queries say nothing: the metric's name, and statistic and period where the queries
/// differ in them (seen at AWS).
struct Labels {
    stat: bool,
    period: bool,
}

impl Labels {
    fn new(queries: &[Checked<'_>]) -> Self {
        let stats: Vec<&MetricStat> = queries
            .iter()
            .filter_map(|one| match &one.kind {
                Kind::Stat(stat, _) => Some(*stat),
                Kind::Expression(_) => None,
            })
            .collect();
        let differ = |pairs: fn(&MetricStat, &MetricStat) -> bool| {
            stats.iter().zip(stats.iter().skip(1)).any(|(a, b)| pairs(a, b))
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
fn page(results: &mut Vec<MetricDataResult>, skip: usize, size: usize) -> Result<Option<String>> {
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
    more.then(|| token::of(&skip.saturating_add(size))).transpose()
}
