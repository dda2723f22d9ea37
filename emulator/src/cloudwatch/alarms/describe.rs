//! `DescribeAlarms` and `DescribeAlarmsForMetric`.

use serde::{Deserialize, Serialize};

use super::alarm::{Alarm, Settings, State};
use super::arn;
use crate::cloud::{Cx, Scope, Service, Target};
use crate::cloudwatch::series::{Dimension, MetricKey};
use crate::cloudwatch::{Metrics, invalid_combination, read_place};
use crate::token;
use crate::{Error, Result, Timestamp};

/// A page holds so many where nothing is said.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html>
const PAGE: usize = 50;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Metrics>) -> Service<Metrics> {
    service.op("DescribeAlarms", |_, _: &Describe| Target::any(), describe).op(
        "DescribeAlarmsForMetric",
        |_, _: &ForMetric| Target::any(),
        for_metric,
    )
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Describe {
    alarm_names: Option<Vec<String>>,
    alarm_name_prefix: Option<String>,
    alarm_types: Option<Vec<String>>,
    state_value: Option<State>,
    action_prefix: Option<String>,
    max_records: Option<usize>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    composite_alarms: Vec<Composite>,
    metric_alarms: Vec<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// `MetricAlarm` of the API.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shown {
    alarm_arn: String,
    alarm_configuration_updated_timestamp: Timestamp,
    #[serde(flatten)]
    settings: Settings,
    state_reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_reason_data: Option<String>,
    state_transitioned_timestamp: Timestamp,
    state_updated_timestamp: Timestamp,
    state_value: State,
}

/// `CompositeAlarm` of the API.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Composite {
    actions_enabled: bool,
    alarm_actions: Vec<String>,
    alarm_arn: String,
    alarm_configuration_updated_timestamp: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    alarm_description: Option<String>,
    alarm_name: String,
    alarm_rule: Option<String>,
    insufficient_data_actions: Vec<String>,
    #[serde(rename = "OKActions")]
    ok_actions: Vec<String>,
    state_reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_reason_data: Option<String>,
    state_updated_timestamp: Timestamp,
    state_value: State,
    state_transitioned_timestamp: Timestamp,
}

fn show_composite(scope: &Scope, alarm: &Alarm) -> Composite {
    let settings = alarm.settings.clone();
    Composite {
        actions_enabled: settings.actions_enabled,
        alarm_actions: settings.alarm_actions,
        alarm_arn: arn(scope, &settings.alarm_name),
        alarm_configuration_updated_timestamp: alarm.configured,
        alarm_description: settings.alarm_description,
        alarm_name: settings.alarm_name,
        alarm_rule: settings.alarm_rule,
        insufficient_data_actions: settings.insufficient_data_actions,
        ok_actions: settings.ok_actions,
        state_reason: alarm.reason.clone(),
        state_reason_data: alarm.reason_data.clone(),
        state_updated_timestamp: alarm.updated,
        state_value: alarm.state,
        state_transitioned_timestamp: alarm.transitioned,
    }
}

fn show(scope: &Scope, alarm: &Alarm) -> Shown {
    Shown {
        alarm_arn: arn(scope, &alarm.settings.alarm_name),
        alarm_configuration_updated_timestamp: alarm.configured,
        settings: alarm.settings.clone(),
        state_reason: alarm.reason.clone(),
        state_reason_data: alarm.reason_data.clone(),
        state_transitioned_timestamp: alarm.transitioned,
        state_updated_timestamp: alarm.updated,
        state_value: alarm.state,
    }
}

fn describe(cx: &mut Cx<Metrics>, input: Describe) -> Result<Described> {
    if input.alarm_names.is_some() && input.alarm_name_prefix.is_some() {
        return Err(invalid_combination("AlarmNames and AlarmNamePrefix are mutually exclusive."));
    }
    let known = ["MetricAlarm", "CompositeAlarm"];
    if let Some(kind) = input.alarm_types.iter().flatten().find(|kind| !known.contains(&kind.as_str())) {
        return Err(Error::not_implemented(format!("CloudWatch alarms of the type {kind} (AlarmTypes)")));
    }
    // Who does not say which gets metric alarms alone.
    let given = input.alarm_types.filter(|types| !types.is_empty());
    let types = given.unwrap_or_else(|| vec![known[0].to_owned()]);
    let last: Option<String> = input.next_token.as_deref().map(read_place).transpose()?;
    let size = input.max_records.unwrap_or(PAGE);
    let prefix = input.alarm_name_prefix.as_deref().unwrap_or_default();
    let action = input.action_prefix.as_deref().unwrap_or_default();
    let wanted = |(name, alarm): &(&String, &Alarm)| {
        let states = [State::Ok, State::Alarm, State::InsufficientData];
        let mut actions = states.into_iter().flat_map(|state| alarm.settings.actions(state));
        types.iter().any(|one| *one == known[usize::from(alarm.settings.is_composite())])
            && last.as_ref().is_none_or(|last| *name > last)
            && input.alarm_names.as_ref().is_none_or(|names| names.contains(name))
            && input.state_value.is_none_or(|state| state == alarm.state)
            && (action.is_empty() || actions.any(|one| one.starts_with(action)))
    };
    let from = last.clone().unwrap_or_default().max(prefix.to_owned());
    let named = cx.state.alarms.range(from..).take_while(|(name, _)| name.starts_with(prefix));
    let scope = cx.scope;
    let mut found = named.filter(wanted).map(|(_, alarm)| alarm);
    let page: Vec<&Alarm> = found.by_ref().take(size).collect();
    let more = found.next().is_some();
    let last = page.last().filter(|_| more);
    let next_token = last.map(|last| token::of(&last.settings.alarm_name)).transpose()?;
    let (composite, metric): (Vec<&Alarm>, Vec<&Alarm>) =
        page.into_iter().partition(|alarm| alarm.settings.is_composite());
    Ok(Described {
        composite_alarms: composite.into_iter().map(|alarm| show_composite(scope, alarm)).collect(),
        metric_alarms: metric.into_iter().map(|alarm| show(scope, alarm)).collect(),
        next_token,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ForMetric {
    metric_name: String,
    namespace: String,
    statistic: Option<String>,
    extended_statistic: Option<String>,
    #[serde(default)]
    dimensions: Vec<Dimension>,
    period: Option<i64>,
    unit: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ForMetricOutput {
    metric_alarms: Vec<Shown>,
}

/// Alarms on expressions are not among them, as at AWS.
fn for_metric(cx: &mut Cx<Metrics>, input: ForMetric) -> Result<ForMetricOutput> {
    let key = MetricKey::new(&input.namespace, &input.metric_name, &input.dimensions);
    let watched = |settings: &Settings| {
        let (namespace, name) = (settings.namespace.as_deref()?, settings.metric_name.as_deref()?);
        Some(MetricKey::new(namespace, name, &settings.dimensions))
    };
    let wanted = |alarm: &&Alarm| {
        let settings = &alarm.settings;
        watched(settings).as_ref() == Some(&key)
            && input.statistic.as_ref().is_none_or(|stat| settings.statistic.as_ref() == Some(stat))
            && input.extended_statistic.as_ref().is_none_or(|stat| settings.extended_statistic.as_ref() == Some(stat))
            && input.period.is_none_or(|period| settings.period == Some(period))
            && input.unit.as_ref().is_none_or(|unit| settings.unit.as_ref() == Some(unit))
    };
    let scope = cx.scope;
    let metric_alarms = cx.state.alarms.values().filter(wanted).map(|alarm| show(scope, alarm)).collect();
    Ok(ForMetricOutput { metric_alarms })
}
