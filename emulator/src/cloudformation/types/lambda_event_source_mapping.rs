//! `AWS::Lambda::EventSourceMapping`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-eventsourcemapping.html>

use serde_json::{Value, json};

use super::task::TagNames;
use super::{Made, ResourceType, Task, may_change, replaces};
use crate::Result;

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::Lambda::EventSourceMapping",
    properties: &[
        replaces("EventSourceArn"),
        replaces("StartingPosition"),
        replaces("StartingPositionTimestamp"),
        may_change("BatchSize"),
        may_change("BisectBatchOnFunctionError"),
        may_change("DestinationConfig"),
        may_change("Enabled"),
        may_change("FilterCriteria"),
        may_change("FunctionName").required(),
        may_change("FunctionResponseTypes"),
        may_change("MaximumBatchingWindowInSeconds"),
        may_change("MaximumRecordAgeInSeconds"),
        may_change("MaximumRetryAttempts"),
        may_change("ParallelizationFactor"),
        may_change("ScalingConfig"),
        may_change("Tags"),
        may_change("TumblingWindowInSeconds"),
    ],
    name_property: None,
    create: |task| Box::pin(create(task)),
    update: |task| Box::pin(update(task)),
    delete: |task| Box::pin(delete(task)),
};

/// What can be changed, and what a property that the template no longer has goes back to; null where it depends on the
/// source, which then keeps it.
fn changeable() -> [(&'static str, Value); 12] {
    [
        ("BatchSize", Value::Null),
        ("BisectBatchOnFunctionError", json!(false)),
        ("DestinationConfig", json!({ "OnFailure": {} })),
        ("Enabled", json!(true)),
        ("FilterCriteria", json!({ "Filters": [] })),
        ("FunctionName", Value::Null),
        ("FunctionResponseTypes", json!([])),
        ("MaximumBatchingWindowInSeconds", json!(0)),
        ("MaximumRecordAgeInSeconds", json!(-1)),
        ("MaximumRetryAttempts", json!(-1)),
        ("ParallelizationFactor", json!(1)),
        ("ScalingConfig", json!({})),
    ]
}

async fn create(task: &Task<'_>) -> Result<Made> {
    let mut input = task.pick(&changeable().map(|(name, _)| name));
    let fixed = ["EventSourceArn", "StartingPosition", "StartingPositionTimestamp", "TumblingWindowInSeconds"];
    input.extend(task.pick(&fixed));
    input.insert("Tags".to_owned(), task.tag_map()?);
    let made = task.door.call("lambda", "CreateEventSourceMapping", Value::Object(input)).await?;
    task.begun(made["UUID"].as_str().unwrap_or_default());
    Ok(attributes(&made))
}

async fn update(task: &Task<'_>) -> Result<Made> {
    let mut input = task.pick(&["TumblingWindowInSeconds"]);
    for (name, default) in changeable() {
        if task.changes(&[name]) {
            input.insert(name.to_owned(), task.properties.get(name).cloned().unwrap_or(default));
        }
    }
    input.insert("UUID".to_owned(), task.physical_id.into());
    let made = task.door.call("lambda", "UpdateEventSourceMapping", Value::Object(input)).await?;
    let arn = made["EventSourceMappingArn"].as_str().unwrap_or_default();
    let names = TagNames { arn: "Resource", tags: "Tags", keys: "TagKeys", as_map: true };
    task.retag("lambda", arn, names).await?;
    Ok(attributes(&made))
}

async fn delete(task: &Task<'_>) -> Result<()> {
    task.door.call("lambda", "DeleteEventSourceMapping", json!({ "UUID": task.physical_id })).await.map(drop)
}

fn attributes(made: &Value) -> Made {
    let (id, arn) = (made["UUID"].clone(), made["EventSourceMappingArn"].clone());
    Made::new(id.as_str().unwrap_or_default(), [("Id", id.clone()), ("EventSourceMappingArn", arn)])
}
