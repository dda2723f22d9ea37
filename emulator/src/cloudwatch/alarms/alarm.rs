//! What is kept of an alarm.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::cloudwatch::query::{Metric, MetricStat, Query};
use crate::cloudwatch::series::Dimension;

/// An alarm; its name is the key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::cloudwatch) struct Alarm {
    pub settings: Settings,
    pub configured: Timestamp,
    pub state: State,
    pub reason: String,
    /// A JSON document.
    pub reason_data: Option<String>,
    /// When the state was last set, and when it last became another.
    pub updated: Timestamp,
    pub transitioned: Timestamp,
    pub tags: OrdMap<String, String>,
}

/// The states of an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(in crate::cloudwatch) enum State {
    Ok,
    Alarm,
    InsufficientData,
}

impl State {
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Alarm => "ALARM",
            Self::InsufficientData => "INSUFFICIENT_DATA",
        }
    }
}

/// What `PutMetricAlarm` and `PutCompositeAlarm` say, as `DescribeAlarms` tells it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::cloudwatch) struct Settings {
    pub alarm_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alarm_description: Option<String>,
    #[serde(default = "yes")]
    pub actions_enabled: bool,
    #[serde(default, rename = "OKActions")]
    pub ok_actions: Vec<String>,
    #[serde(default)]
    pub alarm_actions: Vec<String>,
    #[serde(default)]
    pub insufficient_data_actions: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statistic: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extended_statistic: Option<String>,
    #[serde(default)]
    pub dimensions: Vec<Dimension>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluation_periods: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub datapoints_to_alarm: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comparison_operator: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub treat_missing_data: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evaluate_low_sample_count_percentile: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<Query>,
    /// Of a composite alarm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarm_rule: Option<String>,
}

fn yes() -> bool {
    true
}

impl Settings {
    /// Whether the alarm is made of others.
    pub fn is_composite(&self) -> bool {
        self.alarm_rule.is_some()
    }

    /// The statistic, by its name.
    pub fn stat(&self) -> Option<&str> {
        self.statistic.as_deref().or(self.extended_statistic.as_deref())
    }

    /// The metric that is watched; `None` for an expression.
    pub fn metric_stat(&self) -> Option<MetricStat> {
        Some(MetricStat {
            metric: Metric {
                namespace: self.namespace.clone()?,
                metric_name: self.metric_name.clone()?,
                dimensions: self.dimensions.clone(),
            },
            period: self.period?,
            stat: self.stat()?.to_owned(),
            unit: self.unit.clone(),
        })
    }

    /// The query whose data is compared, of an alarm on an expression.
    pub fn returned(&self) -> Option<&Query> {
        self.metrics.iter().find(|query| query.return_data != Some(false))
    }

    /// The length of a period, in seconds.
    pub fn period(&self) -> i64 {
        let of_stat = |query: &Query| query.metric_stat.as_ref().map(|stat| stat.period);
        let own = self.period.or_else(|| self.returned().and_then(|query| query.period.or(of_stat(query))));
        own.or_else(|| self.metrics.iter().filter_map(of_stat).max()).unwrap_or(60).max(1)
    }

    /// What is done in a state.
    pub fn actions(&self, state: State) -> &[String] {
        match state {
            State::Ok => &self.ok_actions,
            State::Alarm => &self.alarm_actions,
            State::InsufficientData => &self.insufficient_data_actions,
        }
    }

    /// Whether a number crosses the threshold.
    pub fn breaches(&self, value: f64) -> bool {
        let threshold = self.threshold.unwrap_or_default();
        match self.comparison_operator.as_deref() {
            Some("GreaterThanOrEqualToThreshold") => value >= threshold,
            Some("LessThanThreshold") => value < threshold,
            Some("LessThanOrEqualToThreshold") => value <= threshold,
            _ => value > threshold,
        }
    }
}
