//! `AWS::IAM::Role`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-role.html>

use serde_json::{Value, json};

use super::task::document;
use super::{Made, ResourceType, Task, may_change, replaces};
use crate::Result;

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::IAM::Role",
    properties: &[
        replaces("Path"),
        replaces("RoleName"),
        may_change("AssumeRolePolicyDocument").required(),
        may_change("Description"),
        may_change("ManagedPolicyArns"),
        may_change("MaxSessionDuration"),
        may_change("PermissionsBoundary"),
        may_change("Policies"),
        may_change("Tags"),
    ],
    name_property: Some("RoleName"),
    create: |task| Box::pin(create(task)),
    update: |task| Box::pin(update(task)),
    delete: |task| Box::pin(delete(task)),
};

/// The longest name of a role.
const NAME_LIMIT: usize = 64;
/// How long sessions last at most, if the role does not say, in seconds.
const DEFAULT_SESSION: u32 = 3600;

async fn create(task: &Task<'_>) -> Result<Made> {
    let name = task.name("RoleName", NAME_LIMIT);
    let mut input = task.pick(&["Path", "Description", "MaxSessionDuration", "PermissionsBoundary"]);
    input.insert("RoleName".to_owned(), name.as_str().into());
    input.insert("AssumeRolePolicyDocument".to_owned(), task.document("AssumeRolePolicyDocument")?.into());
    input.insert("Tags".to_owned(), task.tag_list());
    let made = task.door.call("iam", "CreateRole", Value::Object(input)).await?;
    task.begun(&name);
    put_policies(task, &name).await?;
    Ok(attributes(&name, &made["Role"]))
}

async fn update(task: &Task<'_>) -> Result<Made> {
    let name = task.physical_id;
    if task.changes(&["AssumeRolePolicyDocument"]) {
        let input = json!({ "RoleName": name, "PolicyDocument": task.document("AssumeRolePolicyDocument")? });
        task.door.call("iam", "UpdateAssumeRolePolicy", input).await?;
    }
    if task.changes(&["Description", "MaxSessionDuration"]) {
        let mut input = task.pick(&["Description", "MaxSessionDuration"]);
        input.entry("Description").or_insert("".into());
        input.entry("MaxSessionDuration").or_insert(DEFAULT_SESSION.into());
        input.insert("RoleName".to_owned(), name.into());
        task.door.call("iam", "UpdateRole", Value::Object(input)).await?;
    }
    if task.changes(&["PermissionsBoundary"]) {
        match task.get("PermissionsBoundary") {
            Value::Null => task.door.call("iam", "DeleteRolePermissionsBoundary", json!({ "RoleName": name })).await?,
            boundary => {
                let input = json!({ "RoleName": name, "PermissionsBoundary": boundary });
                task.door.call("iam", "PutRolePermissionsBoundary", input).await?
            }
        };
    }
    retag(task, name).await?;
    take_away_policies(task, name).await?;
    put_policies(task, name).await?;
    let found = task.door.call("iam", "GetRole", json!({ "RoleName": name })).await?;
    Ok(attributes(name, &found["Role"]))
}

async fn delete(task: &Task<'_>) -> Result<()> {
    let name = task.physical_id;
    for arn in task.items("ManagedPolicyArns") {
        gone(task.door.call("iam", "DetachRolePolicy", json!({ "RoleName": name, "PolicyArn": arn })).await)?;
    }
    for policy in task.items("Policies") {
        let input = json!({ "RoleName": name, "PolicyName": policy.get("PolicyName") });
        gone(task.door.call("iam", "DeleteRolePolicy", input).await)?;
    }
    task.door.call("iam", "DeleteRole", json!({ "RoleName": name })).await.map(drop)
}

/// What is gone already need not be deleted.
pub(super) fn gone(outcome: Result<Value>) -> Result<()> {
    match outcome {
        Err(error) if error.status() == 404 => Ok(()),
        outcome => outcome.map(drop),
    }
}

/// Inline policies, and managed ones that are attached: those that are new or changed.
async fn put_policies(task: &Task<'_>, name: &str) -> Result<()> {
    let old = task.old_items("Policies");
    for policy in task.items("Policies").iter().filter(|policy| !old.contains(policy)) {
        let text = document(policy.get("PolicyDocument").unwrap_or(&Value::Null))?;
        let input = json!({ "RoleName": name, "PolicyName": policy.get("PolicyName"), "PolicyDocument": text });
        task.door.call("iam", "PutRolePolicy", input).await?;
    }
    let old = task.old_items("ManagedPolicyArns");
    for arn in task.items("ManagedPolicyArns").iter().filter(|arn| !old.contains(arn)) {
        task.door.call("iam", "AttachRolePolicy", json!({ "RoleName": name, "PolicyArn": arn })).await?;
    }
    Ok(())
}

/// The policies that the role no longer has.
async fn take_away_policies(task: &Task<'_>, name: &str) -> Result<()> {
    let kept: Vec<Option<Value>> =
        task.items("Policies").iter().map(|policy| policy.get("PolicyName").cloned()).collect();
    for policy in task.old_items("Policies") {
        let policy_name = policy.get("PolicyName").cloned();
        if !kept.contains(&policy_name) {
            gone(
                task.door.call("iam", "DeleteRolePolicy", json!({ "RoleName": name, "PolicyName": policy_name })).await,
            )?;
        }
    }
    let kept = task.items("ManagedPolicyArns");
    for arn in task.old_items("ManagedPolicyArns").iter().filter(|arn| !kept.contains(arn)) {
        gone(task.door.call("iam", "DetachRolePolicy", json!({ "RoleName": name, "PolicyArn": arn })).await)?;
    }
    Ok(())
}

async fn retag(task: &Task<'_>, name: &str) -> Result<()> {
    let removed = task.removed_tags();
    if !removed.is_empty() {
        task.door.call("iam", "UntagRole", json!({ "RoleName": name, "TagKeys": removed })).await?;
    }
    if task.changes(&["Tags"]) && !task.tag_list().is_null() {
        task.door.call("iam", "TagRole", json!({ "RoleName": name, "Tags": task.tag_list() })).await?;
    }
    Ok(())
}

fn attributes(name: &str, role: &Value) -> Made {
    Made::new(name, [("Arn", role["Arn"].clone()), ("RoleId", role["RoleId"].clone())])
}
