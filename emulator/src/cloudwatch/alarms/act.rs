//! What an alarm does when its state changes: it tells topics, and invokes functions.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-actions.html>

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::alarm::{Alarm, Settings};
use super::arn;
use super::composite::triggering_children;
use super::history::{self, Item};
use super::reason::moment;
use crate::Result;
use crate::cloud::{Call, Caller, Cloud, Cx, JobFuture, Scope, Service};
use crate::cloudwatch::Metrics;
use crate::cloudwatch::query::{MetricStat, Query};
use crate::cloudwatch::series::Dimension;

/// Who publishes to topics, and who invokes functions.
const TO_TOPICS: &str = "cloudwatch.amazonaws.com";
const TO_FUNCTIONS: &str = "lambda.alarms.cloudwatch.amazonaws.com";
/// How regions are called in messages.
/// <https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html>
const REGIONS: [(&str, &str); 17] = [
    ("ap-northeast-1", "Asia Pacific (Tokyo)"),
    ("ap-northeast-2", "Asia Pacific (Seoul)"),
    ("ap-northeast-3", "Asia Pacific (Osaka)"),
    ("ap-south-1", "Asia Pacific (Mumbai)"),
    ("ap-southeast-1", "Asia Pacific (Singapore)"),
    ("ap-southeast-2", "Asia Pacific (Sydney)"),
    ("ca-central-1", "Canada (Central)"),
    ("eu-central-1", "EU (Frankfurt)"),
    ("eu-north-1", "EU (Stockholm)"),
    ("eu-west-1", "EU (Ireland)"),
    ("eu-west-2", "EU (London)"),
    ("eu-west-3", "EU (Paris)"),
    ("sa-east-1", "South America (Sao Paulo)"),
    ("us-east-1", "US East (N. Virginia)"),
    ("us-east-2", "US East (Ohio)"),
    ("us-west-1", "US West (N. California)"),
    ("us-west-2", "US West (Oregon)"),
];

/// Adds the job and the event of this file.
pub(super) fn jobs(service: Service<Metrics>) -> Service<Metrics> {
    service.job("Act", job).event("Acted", acted)
}

/// An action that is to be done.
#[derive(Debug, Serialize, Deserialize)]
struct Action {
    alarm: String,
    arn: String,
    subject: String,
    message: String,
}

/// What became of it.
#[derive(Debug, Serialize, Deserialize)]
struct Acted {
    alarm: String,
    arn: String,
    error: Option<String>,
}

/// Has the actions of an alarm's new state done.
pub(super) fn act(cx: &mut Cx<Metrics>, old: &Alarm, new: &Alarm) -> Result<()> {
    let name = &new.settings.alarm_name;
    for arn in new.settings.actions(new.state) {
        let message = if is_function(arn) { event(cx, old, new) } else { notification(cx.scope, old, new) };
        let subject = format!("{}: \"{name}\" in {}", new.state.name(), region(cx.scope));
        cx.start("Act", &Action { alarm: name.clone(), arn: arn.clone(), subject, message: message.to_string() })?;
    }
    Ok(())
}

fn is_function(arn: &str) -> bool {
    arn.split(':').nth(2) == Some("lambda")
}

fn region(scope: &Scope) -> &str {
    REGIONS.iter().find(|(code, _)| *code == &*scope.region).map_or(&*scope.region, |(_, name)| name)
}

fn job(cloud: Cloud, scope: Scope, action: Value) -> JobFuture {
    Box::pin(async move {
        let Ok(Action { alarm, arn: to, subject, message }) = serde_json::from_value::<Action>(action) else { return };
        let mut caller = Caller::service(if is_function(&to) { TO_FUNCTIONS } else { TO_TOPICS });
        caller.source_arn = Some(arn(&scope, &alarm));
        let call = if is_function(&to) {
            let input = json!({ "FunctionName": to, "InvocationType": "Event" });
            Call::new("lambda", "Invoke", caller, scope.clone(), input).with_body(message)
        } else {
            let input = json!({ "TopicArn": to, "Subject": subject, "Message": message });
            Call::new("sns", "Publish", caller, scope.clone(), input)
        };
        let error = cloud.call(call).await.err().map(|error| error.message().to_owned());
        cloud.report("cloudwatch", &scope, "Acted", &Acted { alarm, arn: to, error });
    })
}

fn acted(cx: &mut Cx<Metrics>, report: &str) -> Result<()> {
    let Acted { alarm, arn, error } = serde_json::from_str(report)?;
    let summary = match &error {
        None => format!("Successfully executed action {arn}"),
        Some(error) => format!("Failed to execute action {arn}. Received error: \"{error}\""),
    };
    let state = if error.is_some() { "Failed" } else { "Succeeded" };
    let data = json!({ "actionState": state, "notificationResource": arn, "error": error });
    let now = cx.now;
    history::add(cx, Item::new(&alarm, "Action", summary, data, now));
    Ok(())
}

/// The message that topics get.
fn notification(scope: &Scope, old: &Alarm, new: &Alarm) -> Value {
    let settings = &new.settings;
    let mut message = json!({
        "AlarmName": settings.alarm_name,
        "AlarmDescription": settings.alarm_description,
        "AWSAccountId": scope.account,
        "AlarmConfigurationUpdatedTimestamp": moment(new.configured),
        "NewStateValue": new.state,
        "NewStateReason": new.reason,
        "StateChangeTime": moment(new.updated),
        "Region": region(scope),
        "AlarmArn": arn(scope, &settings.alarm_name),
        "OldStateValue": old.state,
        "OKActions": settings.ok_actions,
        "AlarmActions": settings.alarm_actions,
        "InsufficientDataActions": settings.insufficient_data_actions,
    });
    if let Some(rule) = &settings.alarm_rule {
        message["AlarmRule"] = json!(rule);
        message["TriggeringChildren"] = triggering_children(new);
    } else {
        message["Trigger"] = trigger(settings);
    }
    message
}

fn trigger(settings: &Settings) -> Value {
    let mut trigger = Map::new();
    let mut put = |name: &str, value: Value| trigger.insert(name.to_owned(), value);
    if settings.metrics.is_empty() {
        put("MetricName", json!(settings.metric_name));
        put("Namespace", json!(settings.namespace));
        match (&settings.statistic, &settings.extended_statistic) {
            (Some(statistic), _) => {
                // Names as the SDK of AWS's own Java has them: SAMPLE_COUNT.
                let upper = if statistic == "SampleCount" { "SAMPLE_COUNT".into() } else { statistic.to_uppercase() };
                put("StatisticType", json!("Statistic"));
                put("Statistic", json!(upper));
            }
            (None, extended) => {
                put("StatisticType", json!("ExtendedStatistic"));
                put("ExtendedStatistic", json!(extended));
            }
        }
        put("Unit", json!(settings.unit));
        put("Dimensions", dimensions(&settings.dimensions));
    } else {
        put("Metrics", settings.metrics.iter().map(trigger_metric).collect());
    }
    put("Period", json!(settings.period()));
    put("EvaluationPeriods", json!(settings.evaluation_periods));
    if let Some(least) = settings.datapoints_to_alarm {
        put("DatapointsToAlarm", json!(least));
    }
    put("ComparisonOperator", json!(settings.comparison_operator));
    put("Threshold", json!(settings.threshold));
    put("TreatMissingData", json!(settings.treat_missing_data.as_deref().unwrap_or("missing")));
    put(
        "EvaluateLowSampleCountPercentile",
        json!(settings.evaluate_low_sample_count_percentile.as_deref().unwrap_or_default()),
    );
    Value::Object(trigger)
}

fn dimensions(dimensions: &[Dimension]) -> Value {
    dimensions.iter().map(|one| json!({ "value": one.value, "name": one.name })).collect()
}

fn trigger_metric(query: &Query) -> Value {
    let mut metric = json!({ "Id": query.id, "ReturnData": query.return_data.unwrap_or(true) });
    if let Some(expression) = &query.expression {
        metric["Expression"] = json!(expression);
    }
    if let Some(label) = &query.label {
        metric["Label"] = json!(label);
    }
    if let Some(MetricStat { metric: of, period, stat, .. }) = &query.metric_stat {
        metric["MetricStat"] = json!({
            "Metric": {
                "Dimensions": dimensions(&of.dimensions), "MetricName": of.metric_name, "Namespace": of.namespace,
            },
            "Period": period,
            "Stat": stat,
        });
    }
    metric
}

/// The event that functions get.
fn event(cx: &mut Cx<Metrics>, old: &Alarm, new: &Alarm) -> Value {
    let settings = &new.settings;
    let id = cx.ids().uuid();
    let state = |alarm: &Alarm| {
        let mut state = json!({ "value": alarm.state, "reason": alarm.reason, "timestamp": moment(alarm.updated) });
        if let Some(data) = &alarm.reason_data {
            state["reasonData"] = json!(data);
        }
        state
    };
    let own = settings.metric_stat().map(|stat| Query {
        id,
        metric_stat: Some(stat),
        expression: None,
        label: None,
        return_data: Some(true),
        period: None,
    });
    let configuration = match &settings.alarm_rule {
        Some(rule) => json!({ "alarmRule": rule }),
        None => {
            let metrics: Vec<Value> = settings.metrics.iter().chain(&own).map(event_metric).collect();
            json!({ "description": settings.alarm_description, "metrics": metrics })
        }
    };
    json!({
        "source": "aws.cloudwatch",
        "alarmArn": arn(cx.scope, &settings.alarm_name),
        "accountId": cx.scope.account,
        "time": moment(cx.now),
        "region": cx.scope.region,
        "alarmData": {
            "alarmName": settings.alarm_name,
            "state": state(new),
            "previousState": state(old),
            "configuration": configuration,
        },
    })
}

fn event_metric(query: &Query) -> Value {
    let mut metric = json!({ "id": query.id, "returnData": query.return_data.unwrap_or(true) });
    if let Some(expression) = &query.expression {
        metric["expression"] = json!(expression);
    }
    if let Some(label) = &query.label {
        metric["label"] = json!(label);
    }
    if let Some(stat) = &query.metric_stat {
        let dimensions: Map<String, Value> =
            stat.metric.dimensions.iter().map(|one| (one.name.clone(), json!(one.value))).collect();
        metric["metricStat"] = json!({
            "metric": { "namespace": stat.metric.namespace, "name": stat.metric.metric_name, "dimensions": dimensions },
            "period": stat.period,
            "stat": stat.stat,
        });
        if let Some(unit) = &stat.unit {
            metric["metricStat"]["unit"] = json!(unit);
        }
    }
    metric
}
