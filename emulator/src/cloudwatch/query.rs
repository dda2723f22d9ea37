//! Queries: a metric's statistic or an expression over other queries, as `GetMetricData` and alarms ask them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::math::{self, Grid, Outcome, Series};
use super::series::{Dimension, MetricKey};
use super::statistic::{Statistic, Unusable, unsupported};
use super::window::{Window, is_period, rank};
use super::{Metrics, validation};
use crate::{Error, Result, Timestamp};

/// `MetricDataQuery` of the API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Query {
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric_stat: Option<MetricStat>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_data: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<i64>,
}

/// `MetricStat` of the API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct MetricStat {
    pub metric: Metric,
    pub period: i64,
    pub stat: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

/// `Metric` of the API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Metric {
    pub namespace: String,
    pub metric_name: String,
    #[serde(default)]
    pub dimensions: Vec<Dimension>,
}

/// A query that was checked.
pub(super) struct Checked<'a> {
    pub query: &'a Query,
    pub kind: Kind<'a>,
}

/// What it asks for.
pub(super) enum Kind<'a> {
    Stat(&'a MetricStat, Statistic),
    Expression(math::Expression),
}

/// A number of a period, and how many samples it is made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Datapoint {
    pub at: Timestamp,
    pub value: f64,
    pub samples: f64,
}

/// The units that data came in, where it came in several.
pub(super) type Units = Vec<String>;

/// Checks queries; AWS tells of all that is wrong at once.
pub(super) fn check_all<'a>(parameter: &str, queries: &'a [Query]) -> Result<Vec<Checked<'a>>> {
    let ids: BTreeSet<&str> = queries.iter().map(|query| query.id.as_str()).collect();
    if ids.len() < queries.len() {
        return Err(validation(format!("The values for parameter id in {parameter} are not unique.")));
    }
    let (mut checked, mut problems) = (Vec::new(), Vec::new());
    for (index, query) in queries.iter().enumerate() {
        match check(&format!("{parameter}.member.{}", index + 1), query)? {
            Ok(one) => checked.push(one),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(checked) } else { Err(validation(problems.join("\n"))) }
}

/// Checks a query. The outer error is for what Garoa does not do; the inner one for what AWS refuses, of which it tells all
/// at once.
fn check<'a>(place: &str, query: &'a Query) -> Result<Result<Checked<'a>, String>> {
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
    if query.label.as_deref().is_some_and(|label| label.contains("${")) {
        return Err(Error::not_implemented(format!("dynamic labels of CloudWatch metrics ({place}.Label)")));
    }
    match (&query.metric_stat, &query.expression) {
        (Some(_), Some(_)) => Ok(Err(both("Expression"))),
        (None, None) => Ok(Err(format!("The parameter {place}.MetricStat or {place}.Expression is required."))),
        (Some(_), None) if query.period.is_some() => Ok(Err(both("Period"))),
        (None, Some(expression)) => check_expression(place, query, expression),
        (Some(stat), None) => check_stat(place, query, stat),
    }
}

fn check_expression<'a>(place: &str, query: &'a Query, text: &str) -> Result<Result<Checked<'a>, String>> {
    if text.trim_start().to_ascii_uppercase().starts_with("SELECT") {
        return Err(Error::not_implemented(format!("CloudWatch Metrics Insights ({place}.Expression={text})")));
    }
    if query.period.is_some_and(|period| !is_period(period)) {
        return Ok(Err(bad_period(&format!("{place}.Period"))));
    }
    match math::parse(text) {
        Ok(expression) => Ok(Ok(Checked { query, kind: Kind::Expression(expression) })),
        Err(problem) => Ok(Err(format!("Error in expression '{}': {problem}", query.id))),
    }
}

fn bad_period(parameter: &str) -> String {
    format!("The parameter {parameter} must be a value in the set [ 1, 5, 10, 20, 30 ] or a multiple of 60.")
}

fn check_stat<'a>(place: &str, query: &'a Query, stat: &'a MetricStat) -> Result<Result<Checked<'a>, String>> {
    if !is_period(stat.period) {
        return Ok(Err(bad_period(&format!("{place}.MetricStat.Period"))));
    }
    match Statistic::parse(&stat.stat) {
        Ok(statistic) => Ok(Ok(Checked { query, kind: Kind::Stat(stat, statistic) })),
        Err(Unusable::Unsupported) => Err(unsupported(&stat.stat)),
        Err(Unusable::Unknown) => {
            Ok(Err(format!("The value {} for parameter {place}.MetricStat.Stat is not a valid statistic.", stat.stat)))
        }
    }
}

/// The datapoints of one statistic, from the oldest to the newest. Where data came in several units and none is asked
/// for, CloudWatch answers from the first unit in an order of its own, and says so (seen at AWS).
pub(super) fn datapoints(
    state: &Metrics,
    stat: &MetricStat,
    statistic: Statistic,
    (start, end): (Timestamp, Timestamp),
    now: Timestamp,
) -> (Vec<Datapoint>, Units) {
    let key = MetricKey::new(&stat.metric.namespace, &stat.metric.metric_name, &stat.metric.dimensions);
    let window = Window::new(start, end, stat.period, now);
    let mut points = state.points(&key, window.start, window.end);
    points.retain(|point| stat.unit.as_deref().is_none_or(|unit| unit == point.unit));
    let buckets = window.buckets(points);
    let units: BTreeMap<usize, &str> = buckets.keys().map(|(_, unit)| (rank(unit), *unit)).collect();
    let Some((_, first)) = units.first_key_value() else { return (Vec::new(), Vec::new()) };
    let of_first = buckets.iter().filter(|((_, unit), _)| unit == first);
    let datapoints = of_first.filter_map(|((at, _), points)| {
        let samples = Statistic::SampleCount.over(points)?;
        Some(Datapoint { at: *at, value: statistic.over(points)?, samples })
    });
    let several = if units.len() > 1 { units.values().map(|unit| (*unit).to_owned()).collect() } else { Vec::new() };
    (datapoints.collect(), several)
}

/// What queries give, by their ids.
#[derive(Default)]
pub(super) struct Computed {
    pub outcomes: BTreeMap<String, Outcome>,
    pub units: BTreeMap<String, Units>,
}

/// Computes all queries in a range of time. A series of a metric has its label from `label`.
pub(super) fn compute(
    state: &Metrics,
    queries: &[Checked<'_>],
    range: (Timestamp, Timestamp),
    now: Timestamp,
    label: impl Fn(&Query, &MetricStat) -> String,
) -> Result<Computed> {
    let mut computed = Computed::default();
    let mut metrics = Vec::new();
    let mut waiting = Vec::new();
    for Checked { query, kind } in queries {
        match kind {
            Kind::Stat(stat, statistic) => {
                let (datapoints, units) = datapoints(state, stat, *statistic, range, now);
                let points = datapoints.into_iter().map(|one| (one.at, one.value)).collect();
                let series = Series { label: label(query, stat), period: stat.period, points };
                metrics.push((query.id.clone(), series.clone()));
                computed.units.insert(query.id.clone(), units);
                computed.outcomes.insert(query.id.clone(), Outcome::One(series));
            }
            Kind::Expression(expression) => waiting.push((*query, expression)),
        }
    }
    // An expression is computed once all that it refers to is; what refers to itself never is.
    while !waiting.is_empty() {
        let ready =
            |expression: &math::Expression| expression.names().iter().all(|name| computed.outcomes.contains_key(*name));
        let Some(place) = waiting.iter().position(|(_, expression)| ready(expression)) else { break };
        let (query, expression) = waiting.remove(place);
        let outcome = of_expression(query, expression, &computed.outcomes, &metrics, range, now)?;
        computed.outcomes.insert(query.id.clone(), outcome);
    }
    match waiting.first() {
        None => Ok(computed),
        Some((query, expression)) => {
            let unknown = expression.names().into_iter().find(|name| !computed.outcomes.contains_key(*name));
            Err(in_expression(&query.id, format_args!("'{}' cannot be resolved", unknown.unwrap_or_default())))
        }
    }
}

fn of_expression(
    query: &Query,
    expression: &math::Expression,
    known: &BTreeMap<String, Outcome>,
    metrics: &[(String, Series)],
    (start, end): (Timestamp, Timestamp),
    now: Timestamp,
) -> Result<Outcome> {
    let everything = expression.calls("METRICS");
    let names = expression.names();
    let of_names = names.iter().filter_map(|name| known.get(*name)).flat_map(|outcome| match outcome {
        Outcome::One(series) => vec![series.period],
        Outcome::Many(many) => many.iter().map(|series| series.period).collect(),
        Outcome::Number(_) => Vec::new(),
    });
    let of_all = metrics.iter().filter(|_| everything).map(|(_, series)| series.period);
    let period = query.period.or_else(|| of_names.chain(of_all).max()).unwrap_or(60);
    let grid = Grid { start: Window::new(start, end, period, now).start, end, period };
    let outcome = math::evaluate(expression, known, metrics, grid);
    outcome.map_err(|error| match error.status() {
        400 => in_expression(&query.id, error.message()),
        _ => error,
    })
}

/// What is wrong with an expression, by its id.
pub(super) fn in_expression(id: &str, problem: impl std::fmt::Display) -> Error {
    validation(format!("Error in expression '{id}': {problem}"))
}
