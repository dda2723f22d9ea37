//! `AWS::IAM::InstanceProfile`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-instanceprofile.html>

use serde_json::{Value, json};

use super::iam_holder::gone;
use super::{Made, ResourceType, Task, may_change, replaces};
use crate::Result;

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::IAM::InstanceProfile",
    properties: &[replaces("InstanceProfileName"), replaces("Path"), may_change("Roles").required()],
    name_property: Some("InstanceProfileName"),
    create: |task| Box::pin(create(task)),
    update: |task| Box::pin(update(task)),
    delete: |task| Box::pin(delete(task)),
};

/// The longest name of an instance profile.
const NAME_LIMIT: usize = 128;

async fn create(task: &Task<'_>) -> Result<Made> {
    let name = task.name("InstanceProfileName", NAME_LIMIT);
    let input = json!({ "InstanceProfileName": name, "Path": task.get("Path") });
    let made = task.door.call("iam", "CreateInstanceProfile", input).await?;
    task.begun(&name);
    add_roles(task, &name, &task.items("Roles")).await?;
    Ok(Made::new(name.as_str(), [("Arn", made["InstanceProfile"]["Arn"].clone())]))
}

async fn update(task: &Task<'_>) -> Result<Made> {
    let name = task.physical_id;
    let (old, new) = (task.old_items("Roles"), task.items("Roles"));
    let gone_roles: Vec<Value> = old.iter().filter(|role| !new.contains(role)).cloned().collect();
    remove_roles(task, &gone_roles).await?;
    let added: Vec<Value> = new.into_iter().filter(|role| !old.contains(role)).collect();
    add_roles(task, name, &added).await?;
    let found = task.door.call("iam", "GetInstanceProfile", json!({ "InstanceProfileName": name })).await?;
    Ok(Made::new(name, [("Arn", found["InstanceProfile"]["Arn"].clone())]))
}

async fn delete(task: &Task<'_>) -> Result<()> {
    remove_roles(task, &task.items("Roles")).await?;
    let input = json!({ "InstanceProfileName": task.physical_id });
    task.door.call("iam", "DeleteInstanceProfile", input).await.map(drop)
}

async fn add_roles(task: &Task<'_>, profile: &str, roles: &[Value]) -> Result<()> {
    for role in roles {
        let input = json!({ "InstanceProfileName": profile, "RoleName": role });
        task.door.call("iam", "AddRoleToInstanceProfile", input).await?;
    }
    Ok(())
}

async fn remove_roles(task: &Task<'_>, roles: &[Value]) -> Result<()> {
    for role in roles {
        let input = json!({ "InstanceProfileName": task.physical_id, "RoleName": role });
        gone(task.door.call("iam", "RemoveRoleFromInstanceProfile", input).await)?;
    }
    Ok(())
}
