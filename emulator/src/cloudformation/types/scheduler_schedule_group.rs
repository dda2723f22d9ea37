//! `AWS::Scheduler::ScheduleGroup`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-scheduler-schedulegroup.html>

use serde_json::{Value, json};

use super::task::TagNames;
use super::{Made, ResourceType, Task, may_change, replaces};
use crate::wire::timestamps;
use crate::{Result, model::TimestampFormat};

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::Scheduler::ScheduleGroup",
    properties: &[replaces("Name"), may_change("Tags")],
    name_property: Some("Name"),
    create: |task| Box::pin(create(task)),
    update: |task| Box::pin(update(task)),
    delete: |task| Box::pin(delete(task)),
};

/// The longest name of a group.
const NAME_LIMIT: usize = 64;

async fn create(task: &Task<'_>) -> Result<Made> {
    let name = task.name("Name", NAME_LIMIT);
    task.door.call("scheduler", "CreateScheduleGroup", json!({ "Name": name, "Tags": task.tag_list() })).await?;
    task.begun(&name);
    made(task, &name).await
}

async fn update(task: &Task<'_>) -> Result<Made> {
    let arn = task.door.scope.arn("scheduler", format_args!("schedule-group/{}", task.physical_id));
    let names = TagNames { arn: "ResourceArn", tags: "Tags", keys: "TagKeys", as_map: false };
    task.retag("scheduler", &arn, names).await?;
    made(task, task.physical_id).await
}

async fn delete(task: &Task<'_>) -> Result<()> {
    task.door.call("scheduler", "DeleteScheduleGroup", json!({ "Name": task.physical_id })).await.map(drop)
}

async fn made(task: &Task<'_>, name: &str) -> Result<Made> {
    let group = task.door.call("scheduler", "GetScheduleGroup", json!({ "Name": name })).await?;
    let date = |member: &str| match group.get(member).and_then(Value::as_i64) {
        Some(millis) => timestamps::text(millis, TimestampFormat::Iso8601).into(),
        None => Value::Null,
    };
    Ok(Made::new(
        name,
        [
            ("Arn", group["Arn"].clone()),
            ("State", group["State"].clone()),
            ("CreationDate", date("CreationDate")),
            ("LastModificationDate", date("LastModificationDate")),
        ],
    ))
}
