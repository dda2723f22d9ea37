//! `AWS::IAM::ManagedPolicy`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-managedpolicy.html>

use serde_json::{Value, json};

use super::iam_holder::gone;
use super::{Made, ResourceType, Task, may_change, replaces};
use crate::Result;

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::IAM::ManagedPolicy",
    properties: &[
        replaces("Description"),
        replaces("ManagedPolicyName"),
        replaces("Path"),
        may_change("Groups"),
        may_change("PolicyDocument").required(),
        may_change("Roles"),
        may_change("Users"),
    ],
    name_property: Some("ManagedPolicyName"),
    create: |task| Box::pin(create(task)),
    update: |task| Box::pin(update(task)),
    delete: |task| Box::pin(delete(task)),
};

/// The longest name of a managed policy.
const NAME_LIMIT: usize = 128;
/// Who may have the policy attached: property, the member that names one, and the operations.
const HOLDERS: [(&str, &str, &str, &str); 3] = [
    ("Roles", "RoleName", "AttachRolePolicy", "DetachRolePolicy"),
    ("Users", "UserName", "AttachUserPolicy", "DetachUserPolicy"),
    ("Groups", "GroupName", "AttachGroupPolicy", "DetachGroupPolicy"),
];

async fn create(task: &Task<'_>) -> Result<Made> {
    let mut input = task.pick(&["Description", "Path"]);
    input.insert("PolicyName".to_owned(), task.name("ManagedPolicyName", NAME_LIMIT).into());
    input.insert("PolicyDocument".to_owned(), task.document("PolicyDocument")?.into());
    let made = task.door.call("iam", "CreatePolicy", Value::Object(input)).await?;
    let arn = made["Policy"]["Arn"].as_str().unwrap_or_default().to_owned();
    task.begun(&arn);
    attach(task, &arn).await?;
    Ok(attributes(&arn, &made["Policy"]))
}

async fn update(task: &Task<'_>) -> Result<Made> {
    let arn = task.physical_id;
    if task.changes(&["PolicyDocument"]) {
        let before = task.door.call("iam", "GetPolicy", json!({ "PolicyArn": arn })).await?;
        let input =
            json!({ "PolicyArn": arn, "PolicyDocument": task.document("PolicyDocument")?, "SetAsDefault": true });
        task.door.call("iam", "CreatePolicyVersion", input).await?;
        // There may be five versions at most.
        let old = json!({ "PolicyArn": arn, "VersionId": before["Policy"]["DefaultVersionId"] });
        task.door.call("iam", "DeletePolicyVersion", old).await?;
    }
    for (property, member, _, detach) in HOLDERS {
        let kept = task.items(property);
        for holder in task.old_items(property).iter().filter(|holder| !kept.contains(holder)) {
            gone(task.door.call("iam", detach, json!({ member: holder, "PolicyArn": arn })).await)?;
        }
    }
    attach(task, arn).await?;
    let found = task.door.call("iam", "GetPolicy", json!({ "PolicyArn": arn })).await?;
    Ok(attributes(arn, &found["Policy"]))
}

async fn delete(task: &Task<'_>) -> Result<()> {
    for (property, member, _, detach) in HOLDERS {
        for holder in task.items(property) {
            gone(task.door.call("iam", detach, json!({ member: holder, "PolicyArn": task.physical_id })).await)?;
        }
    }
    task.door.call("iam", "DeletePolicy", json!({ "PolicyArn": task.physical_id })).await.map(drop)
}

async fn attach(task: &Task<'_>, arn: &str) -> Result<()> {
    for (property, member, attach, _) in HOLDERS {
        let old = task.old_items(property);
        for holder in task.items(property).iter().filter(|holder| !old.contains(holder)) {
            task.door.call("iam", attach, json!({ member: holder, "PolicyArn": arn })).await?;
        }
    }
    Ok(())
}

fn attributes(arn: &str, policy: &Value) -> Made {
    let names = ["PolicyId", "DefaultVersionId"];
    let [id, version] = names.map(|name| (name, policy[name].clone()));
    Made::new(arn, [("PolicyArn", arn.into()), id, version])
}
