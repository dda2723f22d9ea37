//! `AWS::KMS::Key` and `AWS::KMS::Alias`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_KMS.html>

use serde_json::{Value, json};

use super::sqs_queue::is_true;
use super::task::document;
use super::{Made, ResourceType, Task, may_change, replaces};
use crate::Result;

pub(super) const KEY: ResourceType = ResourceType {
    name: "AWS::KMS::Key",
    properties: &[
        replaces("KeySpec"),
        replaces("KeyUsage"),
        replaces("MultiRegion"),
        replaces("Origin"),
        may_change("Description"),
        may_change("Enabled"),
        may_change("EnableKeyRotation"),
        may_change("RotationPeriodInDays"),
        may_change("BypassPolicyLockoutSafetyCheck"),
        may_change("KeyPolicy"),
        may_change("PendingWindowInDays"),
        may_change("Tags"),
    ],
    name_property: None,
    create: |task| Box::pin(create(task)),
    update: |task| Box::pin(update(task)),
    delete: |task| Box::pin(delete(task)),
};

pub(super) const ALIAS: ResourceType = ResourceType {
    name: "AWS::KMS::Alias",
    properties: &[replaces("AliasName").required(), replaces("TargetKeyId").required()],
    name_property: Some("AliasName"),
    create: |task| Box::pin(create_alias(task)),
    update: |task| Box::pin(async { Ok(Made::new(task.physical_id, [])) }),
    delete: |task| Box::pin(delete_alias(task)),
};

async fn create(task: &Task<'_>) -> Result<Made> {
    let policy = task.get("KeyPolicy");
    let input = json!({
        "BypassPolicyLockoutSafetyCheck": task.get("BypassPolicyLockoutSafetyCheck"),
        "Description": task.get("Description"),
        "KeySpec": task.get("KeySpec"),
        "KeyUsage": task.get("KeyUsage"),
        "MultiRegion": task.get("MultiRegion"),
        "Origin": task.get("Origin"),
        "Policy": if policy.is_null() { Value::Null } else { document(&policy)?.into() },
        "Tags": tags(&task.items("Tags")),
    });
    let made = task.door.call("kms", "CreateKey", input).await?;
    let metadata = &made["KeyMetadata"];
    let id = metadata["KeyId"].as_str().unwrap_or_default();
    task.begun(id);
    if is_true(&task.get("EnableKeyRotation")) {
        rotate(task, id).await?;
    }
    enable(task, id).await?;
    Ok(key(id, &metadata["Arn"]))
}

async fn update(task: &Task<'_>) -> Result<Made> {
    let id = task.physical_id;
    let policy = task.get("KeyPolicy");
    if task.changes(&["KeyPolicy"]) && !policy.is_null() {
        let bypass = task.get("BypassPolicyLockoutSafetyCheck");
        let policy = document(&policy)?;
        let input =
            json!({ "KeyId": id, "PolicyName": "default", "Policy": policy, "BypassPolicyLockoutSafetyCheck": bypass });
        task.door.call("kms", "PutKeyPolicy", input).await?;
    }
    if task.changes(&["Description"]) {
        let description = task.get("Description");
        let input = json!({ "KeyId": id, "Description": description.as_str().unwrap_or_default() });
        task.door.call("kms", "UpdateKeyDescription", input).await?;
    }
    if task.changes(&["EnableKeyRotation", "RotationPeriodInDays"]) {
        rotate(task, id).await?;
    }
    if task.changes(&["Enabled"]) {
        enable(task, id).await?;
    }
    if task.changes(&["Tags"]) {
        let removed = task.removed_tags();
        if !removed.is_empty() {
            task.door.call("kms", "UntagResource", json!({ "KeyId": id, "TagKeys": removed })).await?;
        }
        let input = json!({ "KeyId": id, "Tags": tags(&task.items("Tags")) });
        task.door.call("kms", "TagResource", input).await?;
    }
    let arn = task.door.scope.arn("kms", format_args!("key/{id}"));
    Ok(key(id, &arn.into()))
}

/// Rotation is only switched on a key that is enabled, so that it comes before the key is disabled.
async fn rotate(task: &Task<'_>, id: &str) -> Result<()> {
    let (operation, input) = match is_true(&task.get("EnableKeyRotation")) {
        true => {
            let days = task.get("RotationPeriodInDays");
            let days = days.as_str().and_then(|days| days.parse::<u32>().ok()).map_or(days.clone(), Value::from);
            ("EnableKeyRotation", json!({ "KeyId": id, "RotationPeriodInDays": days }))
        }
        false => ("DisableKeyRotation", json!({ "KeyId": id })),
    };
    task.door.call("kms", operation, input).await.map(drop)
}

async fn enable(task: &Task<'_>, id: &str) -> Result<()> {
    let wanted = task.get("Enabled");
    let operation = if wanted.is_null() || is_true(&wanted) { "EnableKey" } else { "DisableKey" };
    // A new key is enabled.
    if operation == "DisableKey" || task.changes(&["Enabled"]) {
        task.door.call("kms", operation, json!({ "KeyId": id })).await?;
    }
    Ok(())
}

async fn delete(task: &Task<'_>) -> Result<()> {
    let input = json!({ "KeyId": task.physical_id, "PendingWindowInDays": task.get("PendingWindowInDays") });
    task.door.call("kms", "ScheduleKeyDeletion", input).await.map(drop)
}

/// KMS names the members of its tags in its own way.
fn tags(tags: &[Value]) -> Vec<Value> {
    tags.iter().map(|tag| json!({ "TagKey": tag["Key"], "TagValue": tag["Value"] })).collect()
}

fn key(id: &str, arn: &Value) -> Made {
    Made::new(id, [("Arn", arn.clone()), ("KeyId", id.into())])
}

async fn create_alias(task: &Task<'_>) -> Result<Made> {
    let name = task.get("AliasName");
    let name = name.as_str().unwrap_or_default();
    let input = json!({ "AliasName": name, "TargetKeyId": task.get("TargetKeyId") });
    task.door.call("kms", "CreateAlias", input).await?;
    task.begun(name);
    Ok(Made::new(name, []))
}

async fn delete_alias(task: &Task<'_>) -> Result<()> {
    task.door.call("kms", "DeleteAlias", json!({ "AliasName": task.physical_id })).await.map(drop)
}
