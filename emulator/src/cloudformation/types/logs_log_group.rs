//! `AWS::Logs::LogGroup`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-logs-loggroup.html>

use serde_json::{Value, json};

use super::task::TagNames;
use super::{Made, ResourceType, Task, may_change, replaces};
use crate::Result;

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::Logs::LogGroup",
    properties: &[replaces("LogGroupName"), may_change("RetentionInDays"), may_change("Tags")],
    name_property: Some("LogGroupName"),
    create: |task| Box::pin(create(task)),
    update: |task| Box::pin(update(task)),
    delete: |task| Box::pin(delete(task)),
};

/// The longest name of a log group.
const NAME_LIMIT: usize = 512;

async fn create(task: &Task<'_>) -> Result<Made> {
    let name = task.name("LogGroupName", NAME_LIMIT);
    task.door.call("logs", "CreateLogGroup", json!({ "logGroupName": name, "tags": task.tag_map()? })).await?;
    task.begun(&name);
    retain(task, &name).await?;
    Ok(made(task, &name))
}

async fn update(task: &Task<'_>) -> Result<Made> {
    if task.changes(&["RetentionInDays"]) {
        retain(task, task.physical_id).await?;
    }
    let arn = task.door.scope.arn("logs", format_args!("log-group:{}", task.physical_id));
    let names = TagNames { arn: "resourceArn", tags: "tags", keys: "tagKeys", as_map: true };
    task.retag("logs", &arn, names).await?;
    Ok(made(task, task.physical_id))
}

async fn delete(task: &Task<'_>) -> Result<()> {
    task.door.call("logs", "DeleteLogGroup", json!({ "logGroupName": task.physical_id })).await.map(drop)
}

/// Without a retention, events are kept for ever.
async fn retain(task: &Task<'_>, name: &str) -> Result<()> {
    match task.get("RetentionInDays") {
        Value::Null if task.old.contains_key("RetentionInDays") => {
            task.door.call("logs", "DeleteRetentionPolicy", json!({ "logGroupName": name })).await?;
        }
        Value::Null => {}
        days => {
            let input = json!({ "logGroupName": name, "retentionInDays": days });
            task.door.call("logs", "PutRetentionPolicy", input).await?;
        }
    }
    Ok(())
}

fn made(task: &Task<'_>, name: &str) -> Made {
    Made::new(name, [("Arn", task.door.scope.arn("logs", format_args!("log-group:{name}:*")).into())])
}
