//! Amazon CloudWatch: metrics.
//!
//! `put.rs` takes data in, `measured.rs` those of AWS's own services, `series.rs` keeps it, `window.rs` says which data a request means, `statistic.rs` computes,
//! `statistics.rs` and `data.rs` answer the two reading operations, `list.rs` lists. Alarms, metric math, metric
//! streams, dashboards and insights do not exist here and are refused by name.

mod data;
mod list;
mod measured;
mod put;
mod series;
mod statistic;
mod statistics;
mod window;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use crate::cloud::{Service, Target, pairs};
use crate::{Error, Timestamp};
use series::{MetricKey, Series};

/// The metrics of an account in a region.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Metrics {
    #[serde(with = "pairs")]
    series: OrdMap<MetricKey, Series>,
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
        .meter(measured::take)
}

fn invalid_value(message: impl Into<String>) -> Error {
    Error::client("InvalidParameterValue", message)
}

fn invalid_combination(message: impl Into<String>) -> Error {
    Error::client("InvalidParameterCombination", message)
}

#[cfg(test)]
mod tests;
