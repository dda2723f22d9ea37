//! `AWS::IAM::AccessKey`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-accesskey.html>

use serde_json::json;

use super::iam_holder::gone;
use super::{Made, ResourceType, Task, may_change, replaces};
use crate::Result;

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::IAM::AccessKey",
    properties: &[replaces("Serial"), may_change("Status"), replaces("UserName").required()],
    name_property: None,
    create: |task| Box::pin(create(task)),
    update: |task| Box::pin(update(task)),
    delete: |task| Box::pin(delete(task)),
};

async fn create(task: &Task<'_>) -> Result<Made> {
    let made = task.door.call("iam", "CreateAccessKey", json!({ "UserName": task.get("UserName") })).await?;
    let key = &made["AccessKey"];
    let id = key["AccessKeyId"].as_str().unwrap_or_default();
    task.begun(id);
    if task.get("Status") == "Inactive" {
        set_status(task, id, "Inactive").await?;
    }
    Ok(Made::new(id, [("SecretAccessKey", key["SecretAccessKey"].clone())]))
}

async fn set_status(task: &Task<'_>, id: &str, status: &str) -> Result<()> {
    let input = json!({ "UserName": task.get("UserName"), "AccessKeyId": id, "Status": status });
    task.door.call("iam", "UpdateAccessKey", input).await.map(drop)
}

/// The secret is told when the key is made, and never again.
async fn update(task: &Task<'_>) -> Result<Made> {
    let status = task.get("Status").as_str().unwrap_or("Active").to_owned();
    set_status(task, task.physical_id, &status).await?;
    Ok(Made::new(task.physical_id, []))
}

async fn delete(task: &Task<'_>) -> Result<()> {
    let input = json!({ "UserName": task.get("UserName"), "AccessKeyId": task.physical_id });
    gone(task.door.call("iam", "DeleteAccessKey", input).await)
}
