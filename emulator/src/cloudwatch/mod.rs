//! Amazon CloudWatch: metrics, alarms, dashboards.
//!
//! `put.rs` takes data in, `measured.rs` those of AWS's own services, `series.rs` keeps it, `window.rs` says which data a
//! request means, `statistic.rs` computes, `statistics.rs` and `data.rs` answer the two reading operations, `list.rs` lists.
//! `query.rs` is what `GetMetricData` and alarms ask; `math/` are expressions, `alarms/` alarms. Anomaly
//! detectors, metric streams and insights do not exist here and are refused by name.

mod alarms;
mod dashboards;
mod data;
mod list;
mod math;
mod measured;
mod put;
mod query;
mod series;
mod statistic;
mod statistics;
mod tags;
mod window;

use imbl::{OrdMap, OrdSet, Vector};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::cloud::{Service, Target, pairs};
use crate::token;
use crate::{Error, Result, Timestamp};
use alarms::{Alarm, Item};
use dashboards::Dashboard;
use series::{MetricKey, Series};

/// The metrics of an account in a region.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Metrics {
    #[serde(with = "pairs")]
    series: OrdMap<MetricKey, Series>,
    #[serde(default)]
    alarms: OrdMap<String, Alarm>,
    /// Each alarm with each composite alarm that refers to it.
    #[serde(default)]
    parents: OrdSet<(String, String)>,
    /// What happened to alarms, from the oldest on.
    #[serde(default)]
    history: Vector<Item>,
    #[serde(default)]
    dashboards: OrdMap<String, Dashboard>,
}

impl Metrics {
    /// The data of one metric from `start` up to, and without, `end`: time, unit and samples, in order of time.
    fn points(&self, key: &MetricKey, start: Timestamp, end: Timestamp) -> Vec<series::Point<'_>> {
        self.series.get(key).map(|series| series.between(start, end)).unwrap_or_default()
    }
}

/// The service and its operations.
///
/// CloudWatch's permissions for metrics know no resources; `PutMetricData` has the condition key
/// `cloudwatch:namespace`.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html>
pub fn service() -> Service<Metrics> {
    Service::new("cloudwatch")
        .op("PutMetricData", |_, i| Target::any().context("cloudwatch:namespace", &*i.namespace), put::put)
        .op("GetMetricStatistics", |_, _| Target::any(), statistics::get)
        .op("GetMetricData", |_, _| Target::any(), data::get)
        .op("ListMetrics", |_, _| Target::any(), list::list)
        .with(alarms::operations)
        .with(dashboards::operations)
        .with(tags::operations)
        .meter(measured::take)
}

fn invalid_value(message: impl Into<String>) -> Error {
    Error::client("InvalidParameterValue", message)
}

fn invalid_combination(message: impl Into<String>) -> Error {
    Error::client("InvalidParameterCombination", message)
}

fn validation(message: impl Into<String>) -> Error {
    Error::client("ValidationError", message)
}

/// What an operation answers that has nothing to tell.
#[derive(Serialize)]
struct Empty {}

/// Where a paged answer goes on.
fn read_place<T: DeserializeOwned>(token: &str) -> Result<T> {
    token::read(token).ok_or_else(|| Error::client("InvalidNextToken", "The NextToken is invalid."))
}

#[cfg(test)]
mod tests;
