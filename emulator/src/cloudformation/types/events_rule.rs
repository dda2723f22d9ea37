//! `AWS::Events::Rule`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-rule.html>

use serde_json::{Value, json};

use super::task::TagNames;
use super::{Made, ResourceType, Task, may_change, replaces};
use crate::{Error, Result};

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::Events::Rule",
    properties: &[
        replaces("EventBusName"),
        replaces("Name"),
        may_change("Description"),
        may_change("EventPattern"),
        may_change("RoleArn"),
        may_change("ScheduleExpression"),
        may_change("State"),
        may_change("Tags"),
        may_change("Targets"),
    ],
    name_property: Some("Name"),
    create: |task| Box::pin(create(task)),
    update: |task| Box::pin(update(task)),
    delete: |task| Box::pin(delete(task)),
};

/// The longest name of a rule.
const NAME_LIMIT: usize = 64;
const TAGS: TagNames = TagNames { arn: "ResourceARN", tags: "Tags", keys: "TagKeys", as_map: false };

async fn create(task: &Task<'_>) -> Result<Made> {
    let name = task.name("Name", NAME_LIMIT);
    let input = json!({ "Name": name, "EventBusName": task.get("EventBusName") });
    // EventBridge takes the making of a rule that is there for a change of it.
    if task.properties.contains_key("Name") && task.door.call("events", "DescribeRule", input).await.is_ok() {
        return Err(Error::new(409, "ResourceAlreadyExists", format!("{name} already exists")));
    }
    let arn = put(task, &name, task.tag_list()).await?;
    let id = id_of(task, &name);
    task.begun(&id);
    put_targets(task, &name, &task.items("Targets")).await?;
    Ok(Made::new(id, [("Arn", arn)]))
}

/// A rule of a bus of one's own is known by both names.
fn id_of(task: &Task<'_>, name: &str) -> String {
    match task.get("EventBusName").as_str() {
        None | Some("default") => name.to_owned(),
        Some(bus) => format!("{}|{name}", bus.rsplit('/').next().unwrap_or(bus)),
    }
}

async fn update(task: &Task<'_>) -> Result<Made> {
    let name = name_of(task);
    let arn = put(task, name, Value::Null).await?;
    let ids = |targets: Vec<Value>| targets.into_iter().filter_map(|target| target.get("Id").cloned());
    let kept: Vec<Value> = ids(task.items("Targets")).collect();
    let gone: Vec<Value> = ids(task.old_items("Targets")).filter(|id| !kept.contains(id)).collect();
    remove_targets(task, name, gone).await?;
    put_targets(task, name, &task.items("Targets")).await?;
    task.retag("events", arn.as_str().unwrap_or_default(), TAGS).await?;
    Ok(Made::new(task.physical_id, [("Arn", arn)]))
}

async fn delete(task: &Task<'_>) -> Result<()> {
    let name = name_of(task);
    let targets = task.items("Targets").into_iter().filter_map(|target| target.get("Id").cloned()).collect();
    remove_targets(task, name, targets).await?;
    let input = json!({ "Name": name, "EventBusName": task.get("EventBusName") });
    task.door.call("events", "DeleteRule", input).await.map(drop)
}

fn name_of<'a>(task: &'a Task<'_>) -> &'a str {
    task.physical_id.rsplit('|').next().unwrap_or(task.physical_id)
}

/// Puts the rule itself; its ARN.
async fn put(task: &Task<'_>, name: &str, tags: Value) -> Result<Value> {
    let mut input = task.pick(&["EventBusName", "Description", "RoleArn", "ScheduleExpression", "State"]);
    if task.properties.contains_key("EventPattern") {
        input.insert("EventPattern".to_owned(), task.document("EventPattern")?.into());
    }
    input.insert("Name".to_owned(), name.into());
    input.insert("Tags".to_owned(), tags);
    Ok(task.door.call("events", "PutRule", Value::Object(input)).await?["RuleArn"].clone())
}

async fn put_targets(task: &Task<'_>, name: &str, targets: &[Value]) -> Result<()> {
    if targets.is_empty() {
        return Ok(());
    }
    let input = json!({ "Rule": name, "EventBusName": task.get("EventBusName"), "Targets": targets });
    task.door.call("events", "PutTargets", input).await.map(drop)
}

async fn remove_targets(task: &Task<'_>, name: &str, ids: Vec<Value>) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let input = json!({ "Rule": name, "EventBusName": task.get("EventBusName"), "Ids": ids });
    task.door.call("events", "RemoveTargets", input).await.map(drop)
}
