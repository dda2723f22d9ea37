//! `AWS::IAM::ServiceLinkedRole`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-servicelinkedrole.html>

use serde_json::{Value, json};

use super::iam_holder::gone;
use super::{Made, ResourceType, Task, may_change, replaces};
use crate::{Error, Result};

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::IAM::ServiceLinkedRole",
    properties: &[replaces("AWSServiceName"), replaces("CustomSuffix"), may_change("Description")],
    name_property: None,
    create: |task| Box::pin(create(task)),
    update: |task| Box::pin(update(task)),
    delete: |task| Box::pin(delete(task)),
};

async fn create(task: &Task<'_>) -> Result<Made> {
    if !task.properties.contains_key("AWSServiceName") {
        return Err(Error::client("InvalidRequest", "Properties validation failed: AWSServiceName is required"));
    }
    let input = Value::Object(task.pick(&["AWSServiceName", "CustomSuffix", "Description"]));
    let made = task.door.call("iam", "CreateServiceLinkedRole", input).await?;
    let name = made["Role"]["RoleName"].as_str().unwrap_or_default();
    Ok(Made::new(name, [("RoleName", name.into())]))
}

async fn update(task: &Task<'_>) -> Result<Made> {
    let input = json!({ "RoleName": task.physical_id, "Description": task.get("Description") });
    task.door.call("iam", "UpdateRole", input).await?;
    Ok(Made::new(task.physical_id, []))
}

async fn delete(task: &Task<'_>) -> Result<()> {
    gone(task.door.call("iam", "DeleteServiceLinkedRole", json!({ "RoleName": task.physical_id })).await)
}
