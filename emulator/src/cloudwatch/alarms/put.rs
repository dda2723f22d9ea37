//! `PutMetricAlarm`: what may be asked for.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html>

use serde::Deserialize;
use serde_json::json;

use super::alarm::Settings;
use super::history::{self, Item};
use super::judge::Missing;
use super::watch::{fresh, schedule};
use super::{arn, on};
use crate::cloud::{Cx, Service};
use crate::cloudwatch::query::{Query, check_all};
use crate::cloudwatch::series::Dimension;
use crate::cloudwatch::statistic::{Statistic, Unusable, unsupported};
use crate::cloudwatch::tags::{Tag, check_count};
use crate::cloudwatch::window::is_period;
use crate::cloudwatch::{Empty, Metrics, invalid_combination, invalid_value, validation};
use crate::{Error, Result};

/// An alarm looks at most at a day; at a week, where its period is an hour or more. In seconds.
const DAY: i64 = 86_400;
const WEEK: i64 = 7 * DAY;
/// A state has at most so many actions.
const MAX_ACTIONS: usize = 5;

/// Adds the operation of this file.
pub(super) fn operations(service: Service<Metrics>) -> Service<Metrics> {
    service.op("PutMetricAlarm", |at, i: &Put| on(at, &i.settings.alarm_name), put)
}

/// What either operation that makes alarms is asked for.
#[derive(Deserialize)]
#[serde(from = "Input")]
pub(super) struct Put {
    pub settings: Settings,
    pub tags: Vec<Tag>,
}

/// The members of the inputs of both operations, each by its name: one that is not here is refused. Which of them an operation
/// has, the model says: no other comes this far.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    alarm_name: String,
    alarm_description: Option<String>,
    actions_enabled: Option<bool>,
    #[serde(default, rename = "OKActions")]
    ok_actions: Vec<String>,
    #[serde(default)]
    alarm_actions: Vec<String>,
    #[serde(default)]
    insufficient_data_actions: Vec<String>,
    metric_name: Option<String>,
    namespace: Option<String>,
    statistic: Option<String>,
    extended_statistic: Option<String>,
    #[serde(default)]
    dimensions: Vec<Dimension>,
    period: Option<i64>,
    unit: Option<String>,
    evaluation_periods: Option<u32>,
    datapoints_to_alarm: Option<u32>,
    threshold: Option<f64>,
    comparison_operator: Option<String>,
    treat_missing_data: Option<String>,
    evaluate_low_sample_count_percentile: Option<String>,
    #[serde(default)]
    metrics: Vec<Query>,
    alarm_rule: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

impl From<Input> for Put {
    fn from(input: Input) -> Self {
        let settings = Settings {
            alarm_name: input.alarm_name,
            alarm_description: input.alarm_description,
            actions_enabled: input.actions_enabled.unwrap_or(true),
            ok_actions: input.ok_actions,
            alarm_actions: input.alarm_actions,
            insufficient_data_actions: input.insufficient_data_actions,
            metric_name: input.metric_name,
            namespace: input.namespace,
            statistic: input.statistic,
            extended_statistic: input.extended_statistic,
            dimensions: input.dimensions,
            period: input.period,
            unit: input.unit,
            evaluation_periods: input.evaluation_periods,
            datapoints_to_alarm: input.datapoints_to_alarm,
            threshold: input.threshold,
            comparison_operator: input.comparison_operator,
            treat_missing_data: input.treat_missing_data,
            evaluate_low_sample_count_percentile: input.evaluate_low_sample_count_percentile,
            metrics: input.metrics,
            alarm_rule: input.alarm_rule,
        };
        Self { settings, tags: input.tags }
    }
}

fn put(cx: &mut Cx<Metrics>, input: Put) -> Result<Empty> {
    let Put { settings, tags } = input;
    check(&settings)?;
    check_count(tags.len())?;
    let (now, name) = (cx.now, settings.alarm_name.clone());
    let old = cx.state.alarms.get(&name).cloned();
    if old.as_ref().is_some_and(|old| old.settings.is_composite()) {
        return Err(validation(format!("There is a composite alarm with the name {name}")));
    }
    let (verb, kind) = if old.is_some() { ("updated", "Update") } else { ("created", "Create") };
    let mut alarm = old.unwrap_or_else(|| {
        // Tags count only when an alarm is made.
        let mut alarm = fresh(settings.clone(), now);
        alarm.tags = tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
        alarm
    });
    (alarm.settings, alarm.configured) = (settings.clone(), now);
    cx.state.alarms.insert(name.clone(), alarm);
    let data = json!({ "version": "1.0", "type": kind, "alarmArn": arn(cx.scope, &name), "updatedAlarm": settings });
    history::add(cx, Item::new(&name, "ConfigurationUpdate", format!("Alarm \"{name}\" {verb}"), data, now));
    schedule(cx, &name);
    Ok(Empty {})
}

fn check(settings: &Settings) -> Result<()> {
    let Some(operator) = settings.comparison_operator.as_deref() else {
        return Err(validation("The parameter ComparisonOperator is required."));
    };
    if operator.contains("Lower") || operator.contains("Upper") {
        return Err(Error::not_implemented(format!("alarms on anomalies (ComparisonOperator={operator})")));
    }
    let Some(periods) = settings.evaluation_periods else {
        return Err(validation("The parameter EvaluationPeriods is required."));
    };
    if settings.threshold.is_none() {
        return Err(validation("The parameter Threshold is required."));
    }
    if settings.datapoints_to_alarm.is_some_and(|least| least > periods) {
        return Err(validation("DatapointsToAlarm must be less than or equal to EvaluationPeriods."));
    }
    if Missing::read(settings.treat_missing_data.as_deref()).is_none() {
        let option = settings.treat_missing_data.as_deref().unwrap_or_default();
        return Err(validation(format!(
            "Option {option} is not supported. Supported options for parameter TreatMissingData are [breaching, notBreaching, \
             ignore, missing]"
        )));
    }
    if settings.metrics.is_empty() {
        check_metric(settings)?
    } else {
        check_expression(settings)?
    }
    let (seconds, period) = (settings.period() * i64::from(periods), settings.period());
    if seconds > if period >= 3600 { WEEK } else { DAY } {
        return Err(validation(
            "Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400), or a week where the \
             period is an hour or more (<= 604800).",
        ));
    }
    check_actions(settings)
}

fn check_metric(settings: &Settings) -> Result<()> {
    let required = [
        ("MetricName", settings.metric_name.is_some()),
        ("Namespace", settings.namespace.is_some()),
        ("Period", settings.period.is_some()),
    ];
    if let Some((name, _)) = required.iter().find(|(_, given)| !given) {
        return Err(validation(format!("The parameter {name} is required.")));
    }
    if settings.period.is_some_and(|period| !is_period(period)) {
        return Err(validation("Invalid metric period. Must be 10, 20, 30 or a multiple of 60."));
    }
    let low = settings.evaluate_low_sample_count_percentile.as_deref();
    if let Some(option) = low.filter(|option| !["evaluate", "ignore"].contains(option)) {
        return Err(validation(format!(
            "Option {option} is not supported. Supported options for parameter EvaluateLowSampleCountPercentile are evaluate \
             and ignore."
        )));
    }
    match (&settings.statistic, &settings.extended_statistic) {
        (Some(_), Some(_)) => {
            Err(invalid_combination("Must specify either Statistic or ExtendedStatistic, but not both"))
        }
        (None, None) => Err(validation("Must specify either Statistic or ExtendedStatistic")),
        (Some(_), None) => Ok(()),
        (None, Some(extended)) => match Statistic::parse_extended(extended) {
            Ok(_) => Ok(()),
            Err(Unusable::Unsupported) => Err(unsupported(extended)),
            Err(Unusable::Unknown) => {
                Err(invalid_value(format!("The value {extended} for parameter ExtendedStatistic is not supported.")))
            }
        },
    }
}

fn check_expression(settings: &Settings) -> Result<()> {
    let mixed = settings.metric_name.is_some() || settings.namespace.is_some() || settings.stat().is_some();
    if mixed || settings.period.is_some() || !settings.dimensions.is_empty() {
        return Err(invalid_combination(
            "Parameters MetricName, Namespace, Dimensions, Period, Unit, Statistic or ExtendedStatistic cannot be specified \
             together with Metrics.",
        ));
    }
    check_all("Metrics", &settings.metrics)?;
    if settings.metrics.iter().filter(|query| query.return_data != Some(false)).count() != 1 {
        return Err(validation("Exactly one element of the metrics list should return data."));
    }
    Ok(())
}

/// Topics and functions can be told; what else AWS can do to its services does not exist here.
pub(super) fn check_actions(settings: &Settings) -> Result<()> {
    for actions in [&settings.ok_actions, &settings.alarm_actions, &settings.insufficient_data_actions] {
        if actions.len() > MAX_ACTIONS {
            return Err(validation(format!("An alarm has at most {MAX_ACTIONS} actions for a state.")));
        }
        for action in actions {
            match action.split(':').nth(2) {
                Some("sns" | "lambda") => {}
                Some(service) => {
                    return Err(Error::not_implemented(format!("{service} as the action of an alarm ({action})")));
                }
                None => return Err(invalid_value(format!("Invalid arn syntax: {action}"))),
            }
        }
    }
    Ok(())
}
