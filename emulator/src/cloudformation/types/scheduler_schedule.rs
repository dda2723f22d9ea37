//! `AWS::Scheduler::Schedule`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-scheduler-schedule.html>

use serde_json::{Value, json};

use super::{Made, ResourceType, Task, may_change, replaces};
use crate::Result;

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::Scheduler::Schedule",
    properties: &[
        replaces("Name"),
        may_change("Description"),
        may_change("EndDate"),
        may_change("FlexibleTimeWindow").required(),
        may_change("GroupName"),
        may_change("ScheduleExpression").required(),
        may_change("ScheduleExpressionTimezone"),
        may_change("StartDate"),
        may_change("State"),
        may_change("Target").required(),
    ],
    name_property: Some("Name"),
    create: |task| Box::pin(create(task)),
    update: |task| Box::pin(update(task)),
    delete: |task| Box::pin(delete(task)),
};

/// The longest name of a schedule.
const NAME_LIMIT: usize = 64;
const SETTINGS: [&str; 9] = [
    "Description",
    "EndDate",
    "FlexibleTimeWindow",
    "GroupName",
    "ScheduleExpression",
    "ScheduleExpressionTimezone",
    "StartDate",
    "State",
    "Target",
];

async fn create(task: &Task<'_>) -> Result<Made> {
    put(task, "CreateSchedule", &task.name("Name", NAME_LIMIT)).await
}

/// Scheduler cannot move a schedule to another group: it is made there, and deleted here.
async fn update(task: &Task<'_>) -> Result<Made> {
    if !task.changes(&["GroupName"]) {
        return put(task, "UpdateSchedule", task.physical_id).await;
    }
    let made = put(task, "CreateSchedule", task.physical_id).await?;
    let old = json!({ "Name": task.physical_id, "GroupName": task.old.get("GroupName") });
    task.door.call("scheduler", "DeleteSchedule", old).await?;
    Ok(made)
}

async fn delete(task: &Task<'_>) -> Result<()> {
    let input = json!({ "Name": task.physical_id, "GroupName": task.get("GroupName") });
    task.door.call("scheduler", "DeleteSchedule", input).await.map(drop)
}

async fn put(task: &Task<'_>, operation: &str, name: &str) -> Result<Made> {
    let mut input = task.pick(&SETTINGS);
    input.insert("Name".to_owned(), name.into());
    let made = task.door.call("scheduler", operation, Value::Object(input)).await?;
    task.begun(name);
    Ok(Made::new(name, [("Arn", made["ScheduleArn"].clone())]))
}
