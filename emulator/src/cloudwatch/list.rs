//! `ListMetrics`: which metrics there are.

use serde::{Deserialize, Serialize};

use super::series::{Dimension, MetricKey};
use super::{Metrics, invalid_value, read_place};
use crate::Result;
use crate::cloud::Cx;
use crate::token;

/// `ListMetrics` answers so many at once.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListMetrics.html>
const PAGE: usize = 500;
/// Metrics without new data for two weeks are not listed; those with data in three hours are recently active. In
/// seconds.
const LISTED: i64 = 14 * 24 * 3_600;
const RECENT: i64 = 3 * 3_600;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListMetrics {
    namespace: Option<String>,
    metric_name: Option<String>,
    #[serde(default)]
    dimensions: Vec<DimensionFilter>,
    next_token: Option<String>,
    recently_active: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DimensionFilter {
    name: String,
    value: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListMetricsOutput {
    metrics: Vec<Metric>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metric {
    namespace: String,
    metric_name: String,
    dimensions: Vec<Dimension>,
}

pub(super) fn list(cx: &mut Cx<Metrics>, input: ListMetrics) -> Result<ListMetricsOutput> {
    let first = MetricKey {
        namespace: input.namespace.clone().unwrap_or_default(),
        name: String::new(),
        dimensions: Vec::new(),
    };
    let from = input.next_token.as_deref().map_or(Ok(first), read_token)?;
    let age = if input.recently_active.is_some() { RECENT } else { LISTED };
    let oldest = cx.now.secs().saturating_sub(age);
    let mut metrics = Vec::new();
    let mut next_token = None;
    for (key, series) in cx.state.series.range(from..) {
        if input.namespace.as_ref().is_some_and(|namespace| key.namespace != *namespace) {
            break;
        }
        if series.published.secs() < oldest || !input.means(key) {
            continue;
        }
        if metrics.len() == PAGE {
            next_token = Some(token::of(key)?);
            break;
        }
        metrics.push(Metric::from(key));
    }
    Ok(ListMetricsOutput { metrics, next_token })
}

impl ListMetrics {
    fn means(&self, key: &MetricKey) -> bool {
        let has = |filter: &DimensionFilter| {
            let fits = |value: &str| filter.value.as_deref().is_none_or(|wanted| wanted == value);
            key.dimensions.iter().any(|(name, value)| *name == filter.name && fits(value))
        };
        self.metric_name.as_ref().is_none_or(|name| key.name == *name) && self.dimensions.iter().all(has)
    }
}

impl From<&MetricKey> for Metric {
    fn from(key: &MetricKey) -> Self {
        let dimension = |(name, value): &(String, String)| Dimension { name: name.clone(), value: value.clone() };
        Self {
            namespace: key.namespace.clone(),
            metric_name: key.name.clone(),
            dimensions: key.dimensions.iter().map(dimension).collect(),
        }
    }
}

/// The first metric of the next page.
fn read_token(token: &str) -> Result<MetricKey> {
    read_place(token).map_err(|_| invalid_value("Request parameter NextToken is invalid"))
}
