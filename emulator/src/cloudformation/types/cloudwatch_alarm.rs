//! `AWS::CloudWatch::Alarm`, `AWS::CloudWatch::CompositeAlarm` and `AWS::CloudWatch::Dashboard`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_CloudWatch.html>

use serde_json::{Value, json};

use super::task::TagNames;
use super::{Made, ResourceType, Task, may_change, replaces};
use crate::Result;

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::CloudWatch::Alarm",
    properties: &[
        replaces("AlarmName"),
        may_change("ActionsEnabled"),
        may_change("AlarmActions"),
        may_change("AlarmDescription"),
        may_change("ComparisonOperator"),
        may_change("DatapointsToAlarm"),
        may_change("Dimensions"),
        may_change("EvaluateLowSampleCountPercentile"),
        may_change("EvaluationPeriods"),
        may_change("ExtendedStatistic"),
        may_change("InsufficientDataActions"),
        may_change("MetricName"),
        may_change("Metrics"),
        may_change("Namespace"),
        may_change("OKActions"),
        may_change("Period"),
        may_change("Statistic"),
        may_change("Tags"),
        may_change("Threshold"),
        may_change("TreatMissingData"),
        may_change("Unit"),
    ],
    name_property: Some("AlarmName"),
    create: |task| Box::pin(create(task, METRIC)),
    update: |task| Box::pin(update(task, METRIC)),
    delete: |task| Box::pin(delete(task)),
};

pub(super) const COMPOSITE_ALARM: ResourceType = ResourceType {
    name: "AWS::CloudWatch::CompositeAlarm",
    properties: &[
        replaces("AlarmName"),
        may_change("AlarmRule").required(),
        may_change("ActionsEnabled"),
        may_change("AlarmActions"),
        may_change("AlarmDescription"),
        may_change("InsufficientDataActions"),
        may_change("OKActions"),
        may_change("Tags"),
    ],
    name_property: Some("AlarmName"),
    create: |task| Box::pin(create(task, COMPOSITE)),
    update: |task| Box::pin(update(task, COMPOSITE)),
    delete: |task| Box::pin(delete(task)),
};

pub(super) const DASHBOARD: ResourceType = ResourceType {
    name: "AWS::CloudWatch::Dashboard",
    properties: &[replaces("DashboardName"), may_change("DashboardBody").required()],
    name_property: Some("DashboardName"),
    create: |task| Box::pin(create_dashboard(task)),
    update: |task| Box::pin(update_dashboard(task)),
    delete: |task| Box::pin(delete_dashboard(task)),
};

/// The longest name of either.
const NAME_LIMIT: usize = 255;
/// The operation that makes an alarm, and what a property is in its input as well: all of the template but the name and the tags.
type Put = (&'static str, &'static [&'static str]);

const COMPOSITE: Put = (
    "PutCompositeAlarm",
    &["ActionsEnabled", "AlarmActions", "AlarmDescription", "AlarmRule", "InsufficientDataActions", "OKActions"],
);
const METRIC: Put = ("PutMetricAlarm", &SETTINGS);
const SETTINGS: [&str; 19] = [
    "ActionsEnabled",
    "AlarmActions",
    "AlarmDescription",
    "ComparisonOperator",
    "DatapointsToAlarm",
    "Dimensions",
    "EvaluateLowSampleCountPercentile",
    "EvaluationPeriods",
    "ExtendedStatistic",
    "InsufficientDataActions",
    "MetricName",
    "Metrics",
    "Namespace",
    "OKActions",
    "Period",
    "Statistic",
    "Threshold",
    "TreatMissingData",
    "Unit",
];

async fn create(task: &Task<'_>, how: Put) -> Result<Made> {
    let name = task.name("AlarmName", NAME_LIMIT);
    put(task, how, &name, task.tag_list()).await?;
    task.begun(&name);
    Ok(made(task, &name))
}

async fn update(task: &Task<'_>, how: Put) -> Result<Made> {
    put(task, how, task.physical_id, Value::Null).await?;
    let names = TagNames { arn: "ResourceARN", tags: "Tags", keys: "TagKeys", as_map: false };
    task.retag("cloudwatch", &arn(task, task.physical_id), names).await?;
    Ok(made(task, task.physical_id))
}

async fn put(task: &Task<'_>, (operation, settings): Put, name: &str, tags: Value) -> Result<()> {
    let mut input = task.pick(settings);
    input.insert("AlarmName".to_owned(), name.into());
    if !tags.is_null() {
        input.insert("Tags".to_owned(), tags);
    }
    task.door.call("cloudwatch", operation, Value::Object(input)).await.map(drop)
}

async fn delete(task: &Task<'_>) -> Result<()> {
    task.door.call("cloudwatch", "DeleteAlarms", json!({ "AlarmNames": [task.physical_id] })).await.map(drop)
}

fn arn(task: &Task<'_>, name: &str) -> String {
    task.door.scope.arn("cloudwatch", format_args!("alarm:{name}"))
}

fn made(task: &Task<'_>, name: &str) -> Made {
    Made::new(name, [("Arn", arn(task, name).into())])
}

async fn create_dashboard(task: &Task<'_>) -> Result<Made> {
    let name = task.name("DashboardName", NAME_LIMIT);
    put_dashboard(task, &name).await?;
    task.begun(&name);
    Ok(Made::new(name, []))
}

async fn update_dashboard(task: &Task<'_>) -> Result<Made> {
    put_dashboard(task, task.physical_id).await?;
    Ok(Made::new(task.physical_id, []))
}

async fn put_dashboard(task: &Task<'_>, name: &str) -> Result<()> {
    let input = json!({ "DashboardName": name, "DashboardBody": task.document("DashboardBody")? });
    task.door.call("cloudwatch", "PutDashboard", input).await.map(drop)
}

async fn delete_dashboard(task: &Task<'_>) -> Result<()> {
    task.door.call("cloudwatch", "DeleteDashboards", json!({ "DashboardNames": [task.physical_id] })).await.map(drop)
}
