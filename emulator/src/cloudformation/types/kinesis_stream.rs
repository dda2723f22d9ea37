//! `AWS::Kinesis::Stream`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-kinesis-stream.html>

use serde_json::{Value, json};

use super::{Made, ResourceType, Task, may_change, replaces};
use crate::{Error, Result};

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::Kinesis::Stream",
    properties: &[
        replaces("Name"),
        may_change("RetentionPeriodHours"),
        may_change("ShardCount"),
        may_change("StreamModeDetails"),
        may_change("Tags"),
    ],
    name_property: Some("Name"),
    create: |task| Box::pin(create(task)),
    update: |task| Box::pin(update(task)),
    delete: |task| Box::pin(delete(task)),
};

/// The longest name of a stream.
const NAME_LIMIT: usize = 128;
/// How long a stream keeps its records of which nothing is said, in hours.
const RETENTION: i64 = 24;

async fn create(task: &Task<'_>) -> Result<Made> {
    let name = task.name("Name", NAME_LIMIT);
    let input = json!({
        "StreamName": name,
        "ShardCount": task.get("ShardCount"),
        "StreamModeDetails": task.get("StreamModeDetails"),
        "Tags": task.tag_map()?,
    });
    task.door.call("kinesis", "CreateStream", input).await?;
    task.begun(&name);
    retain(task, &name, RETENTION).await?;
    Ok(made(task, &name))
}

async fn update(task: &Task<'_>) -> Result<Made> {
    let name = task.physical_id;
    if task.changes(&["ShardCount", "StreamModeDetails"]) {
        return Err(Error::not_implemented(
            "another number of shards of a stream (ShardCount of AWS::Kinesis::Stream)",
        ));
    }
    retain(task, name, hours(task.old.get("RetentionPeriodHours"))).await?;
    if task.changes(&["Tags"]) {
        let removed = task.removed_tags();
        if !removed.is_empty() {
            let input = json!({ "StreamName": name, "TagKeys": removed });
            task.door.call("kinesis", "RemoveTagsFromStream", input).await?;
        }
        let tags = task.tag_map()?;
        if !tags.is_null() {
            task.door.call("kinesis", "AddTagsToStream", json!({ "StreamName": name, "Tags": tags })).await?;
        }
    }
    Ok(made(task, name))
}

/// Brings the time for which records are kept from what it was to what it is to be.
async fn retain(task: &Task<'_>, name: &str, was: i64) -> Result<()> {
    let wanted = hours(task.properties.get("RetentionPeriodHours"));
    let operation = match wanted.cmp(&was) {
        std::cmp::Ordering::Equal => return Ok(()),
        std::cmp::Ordering::Greater => "IncreaseStreamRetentionPeriod",
        std::cmp::Ordering::Less => "DecreaseStreamRetentionPeriod",
    };
    let input = json!({ "StreamName": name, "RetentionPeriodHours": wanted });
    task.door.call("kinesis", operation, input).await.map(drop)
}

/// Templates write numbers as text, too.
fn hours(value: Option<&Value>) -> i64 {
    let number = value.and_then(|value| value.as_i64().or_else(|| value.as_str()?.parse().ok()));
    number.unwrap_or(RETENTION)
}

async fn delete(task: &Task<'_>) -> Result<()> {
    let input = json!({ "StreamName": task.physical_id, "EnforceConsumerDeletion": true });
    task.door.call("kinesis", "DeleteStream", input).await.map(drop)
}

fn made(task: &Task<'_>, name: &str) -> Made {
    let arn = task.door.scope.arn("kinesis", format_args!("stream/{name}"));
    Made::new(name, [("Arn", arn.into())])
}
