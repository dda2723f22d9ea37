//! Metric filters: what becomes of log events as numbers in CloudWatch.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/MonitoringLogData.html>

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::PRINCIPAL;
use super::groups::PAGE;
use super::id::EventKey;
use super::names::{invalid, limit_exceeded, missing, on_group};
use super::pattern::{Parts, Pattern};
use super::store::LogGroups;
use super::test_filter::compile;
use super::token::{self, Behind};
use crate::cloud::{Call, Caller, Cx, Service};
use crate::{Error, Result, Timestamp};

/// A group has at most so many metric filters, a transformation so many dimensions.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html>
const LIMIT: usize = 100;
const MAX_DIMENSIONS: usize = 3;
/// `PutMetricData` takes so many data, and so many values of each.
const MAX_DATA: usize = 1000;
const MAX_VALUES: usize = 150;
const MINUTE: i64 = 60_000;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<LogGroups>) -> Service<LogGroups> {
    service
        .op("PutMetricFilter", |at, i: &PutMetricFilter| on_group(at, Some(&i.log_group_name), None), put)
        .op("DescribeMetricFilters", |at, i: &Describe| on_group(at, i.log_group_name.as_ref(), None), describe)
        .op("DeleteMetricFilter", |at, i: &Delete| on_group(at, Some(&i.log_group_name), None), delete)
}

/// A metric filter as it is kept; its name is the key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct MetricFilter {
    pattern: String,
    created: Timestamp,
    transformation: Transformation,
    /// The last minute that something was published for: no default is published on top.
    last: Option<i64>,
}

/// `MetricTransformation` of the API.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Transformation {
    metric_name: String,
    metric_namespace: String,
    metric_value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_value: Option<f64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    dimensions: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PutMetricFilter {
    log_group_name: String,
    filter_name: String,
    filter_pattern: String,
    metric_transformations: Vec<Transformation>,
    apply_on_transformed_logs: Option<bool>,
}

fn put(cx: &mut Cx<LogGroups>, input: PutMetricFilter) -> Result<()> {
    let created = cx.now;
    let group = cx.state.group_mut(&input.log_group_name)?;
    not_transformed(input.apply_on_transformed_logs)?;
    let pattern = compile(&input.filter_pattern)?;
    let Some(transformation) = input.metric_transformations.into_iter().next() else {
        return Err(invalid("A metric filter needs one metric transformation."));
    };
    transformation.check(&pattern)?;
    if group.metric_filters.len() >= LIMIT && !group.metric_filters.contains_key(&input.filter_name) {
        return Err(limit_exceeded());
    }
    let filter = MetricFilter { pattern: input.filter_pattern, created, transformation, last: None };
    group.metric_filters.insert(input.filter_name, filter);
    Ok(())
}

/// There are no transformers of logs here.
pub(super) fn not_transformed(apply: Option<bool>) -> Result<()> {
    match apply {
        Some(true) => Err(Error::not_implemented("filters on transformed log events (applyOnTransformedLogs)")),
        _ => Ok(()),
    }
}

impl Transformation {
    fn check(&self, pattern: &Pattern) -> Result<()> {
        if self.default_value.is_some() && !self.dimensions.is_empty() {
            return Err(invalid(
                "Invalid metric transformation: dimensions and default value are mutually exclusive properties.",
            ));
        }
        if self.dimensions.len() > MAX_DIMENSIONS {
            return Err(invalid(format!(
                "Invalid metric transformation: there can be no more than {MAX_DIMENSIONS} dimensions."
            )));
        }
        if self.metric_namespace.starts_with("AWS/") {
            return Err(invalid("Invalid metric transformation: the namespace AWS/ is reserved."));
        }
        let refers = |value: &str| pattern.can_refer(value);
        if number(&self.metric_value).is_none() && !refers(&self.metric_value) {
            return Err(invalid(format!(
                "Invalid metric transformation: metricValue '{}' must be a number or a field of the filter pattern.",
                self.metric_value
            )));
        }
        match self.dimensions.values().find(|value| !refers(value)) {
            None => Ok(()),
            Some(value) => Err(invalid(format!(
                "Invalid metric transformation: dimension value '{value}' must be a field of the filter pattern."
            ))),
        }
    }

    /// The value and the dimensions that an event's parts make; `None` if a part is not there, or no number.
    fn apply(&self, parts: &Parts) -> Option<(Dimensions, f64)> {
        let value = match number(&self.metric_value) {
            Some(value) => value,
            None => number(&parts.text(&self.metric_value)?)?,
        };
        let dimension = |(name, part): (&String, &String)| Some((name.clone(), parts.text(part)?));
        Some((self.dimensions.iter().map(dimension).collect::<Option<_>>()?, value))
    }
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Describe {
    log_group_name: Option<String>,
    filter_name_prefix: Option<String>,
    metric_name: Option<String>,
    metric_namespace: Option<String>,
    next_token: Option<String>,
    limit: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DescribeOutput {
    metric_filters: Vec<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// `MetricFilter` of the API.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    filter_name: String,
    filter_pattern: String,
    metric_transformations: [Transformation; 1],
    creation_time: Timestamp,
    log_group_name: String,
    apply_on_transformed_logs: bool,
}

/// By name, then by group.
fn describe(cx: &mut Cx<LogGroups>, input: Describe) -> Result<DescribeOutput> {
    let one = match &input.log_group_name {
        Some(name) => Some((name, cx.state.group(name)?)),
        None => None,
    };
    let size = input.limit.unwrap_or(PAGE).min(PAGE);
    let last = input.next_token.as_deref().map(token::decode::<Behind>).transpose()?;
    let prefix = input.filter_name_prefix.as_deref().unwrap_or_default();
    let all = cx.state.groups.iter().filter(|_| one.is_none()).chain(one);
    let mut found: Vec<(&String, &String, &MetricFilter)> = Vec::new();
    for (group, kept) in all {
        let named = kept.metric_filters.range(prefix.to_owned()..).take_while(|(name, _)| name.starts_with(prefix));
        found.extend(named.map(|(name, filter)| (name, group, filter)));
    }
    found.retain(|(name, group, filter)| {
        input.means(filter) && last.as_ref().is_none_or(|last| (*name, *group) > (&last.name, &last.of))
    });
    found.sort_by_key(|(name, group, _)| (*name, *group));
    let more = found.len() > size;
    found.truncate(size);
    let next_token = match found.last().filter(|_| more) {
        Some((name, group, _)) => {
            Some(token::encode(&Behind { of: (*group).clone(), name: (*name).clone(), time: None })?)
        }
        None => None,
    };
    let metric_filters = found
        .into_iter()
        .map(|(name, group, filter)| Shown {
            filter_name: name.clone(),
            filter_pattern: filter.pattern.clone(),
            metric_transformations: [filter.transformation.clone()],
            creation_time: filter.created,
            log_group_name: group.clone(),
            apply_on_transformed_logs: false,
        })
        .collect();
    Ok(DescribeOutput { metric_filters, next_token })
}

impl Describe {
    fn means(&self, filter: &MetricFilter) -> bool {
        let transformation = &filter.transformation;
        self.metric_name.as_ref().is_none_or(|name| *name == transformation.metric_name)
            && self.metric_namespace.as_ref().is_none_or(|name| *name == transformation.metric_namespace)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Delete {
    log_group_name: String,
    filter_name: String,
}

fn delete(cx: &mut Cx<LogGroups>, input: Delete) -> Result<()> {
    let group = cx.state.group_mut(&input.log_group_name)?;
    match group.metric_filters.remove(&input.filter_name) {
        Some(_) => Ok(()),
        None => Err(missing("The specified metric filter does not exist.")),
    }
}

type Dimensions = Vec<(String, String)>;

/// What one filter publishes for one minute and one combination of dimensions.
struct Datum {
    /// Of the first event: never older than what `PutLogEvents` takes.
    at: Timestamp,
    /// How often each value came, by its bits.
    values: BTreeMap<u64, u64>,
}

/// Publishes what the filters of a group make of events that have just come in.
pub(super) fn publish(cx: &mut Cx<LogGroups>, name: &str, taken: &[EventKey]) -> Result<()> {
    let group = cx.state.group(name)?;
    if group.metric_filters.is_empty() || taken.is_empty() {
        return Ok(());
    }
    let events: Vec<_> = taken.iter().filter_map(|key| Some((key.0, group.event(*key)?.message()))).collect();
    let (mut calls, mut lasts) = (Vec::new(), Vec::new());
    for (filter_name, filter) in &group.metric_filters {
        let pattern = Pattern::compile(&filter.pattern)?;
        let mut minutes: BTreeMap<(i64, Dimensions), Datum> = BTreeMap::new();
        let mut seen: BTreeMap<i64, (Timestamp, bool)> = BTreeMap::new();
        for (at, message) in &events {
            let minute = at.millis().div_euclid(MINUTE);
            let found = pattern.parts(message).and_then(|parts| filter.transformation.apply(&parts));
            seen.entry(minute).or_insert((*at, false)).1 |= found.is_some();
            if let Some((dimensions, value)) = found {
                let datum = || Datum { at: *at, values: BTreeMap::new() };
                let datum = minutes.entry((minute, dimensions)).or_insert_with(datum);
                *datum.values.entry(value.to_bits()).or_default() += 1;
            }
        }
        let last = seen.keys().next_back().copied();
        for (minute, (at, matched)) in seen {
            let fresh = filter.last.is_none_or(|last| last < minute);
            if let Some(default) = filter.transformation.default_value.filter(|_| !matched && fresh) {
                minutes.insert((minute, Vec::new()), Datum { at, values: [(default.to_bits(), 1)].into() });
            }
        }
        if minutes.is_empty() {
            continue;
        }
        lasts.push((filter_name.clone(), filter.last.max(last)));
        calls.extend(filter.transformation.calls(minutes));
    }
    for (filter_name, last) in lasts {
        if let Some(filter) = cx.state.group_mut(name)?.metric_filters.get_mut(&filter_name) {
            filter.last = last;
        }
    }
    for input in calls {
        let call = Call::new("cloudwatch", "PutMetricData", Caller::service(PRINCIPAL), cx.scope.clone(), input);
        cx.emit(call);
    }
    Ok(())
}

impl Transformation {
    /// The inputs of `PutMetricData` that publish all this.
    fn calls(&self, minutes: BTreeMap<(i64, Dimensions), Datum>) -> Vec<Value> {
        let mut data = Vec::new();
        for ((_, dimensions), datum) in minutes {
            let values: Vec<_> = datum.values.into_iter().collect();
            for part in values.chunks(MAX_VALUES) {
                let values: Vec<f64> = part.iter().map(|(bits, _)| f64::from_bits(*bits)).collect();
                let counts: Vec<u64> = part.iter().map(|(_, count)| *count).collect();
                let mut one = json!({
                    "MetricName": self.metric_name, "Timestamp": datum.at, "Values": values, "Counts": counts,
                });
                if let Some(unit) = &self.unit {
                    one["Unit"] = json!(unit);
                }
                if !dimensions.is_empty() {
                    let all = dimensions.iter().map(|(name, value)| json!({ "Name": name, "Value": value }));
                    one["Dimensions"] = all.collect();
                }
                data.push(one);
            }
        }
        let input = |data: &[Value]| json!({ "Namespace": self.metric_namespace, "MetricData": data });
        data.chunks(MAX_DATA).map(input).collect()
    }
}
