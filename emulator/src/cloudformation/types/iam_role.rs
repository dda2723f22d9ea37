//! `AWS::IAM::Role`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-role.html>

use serde_json::{Value, json};

use super::iam_holder::{ROLE, bound, delete_policies, put_policies, retag, take_away_policies};
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

/// How long sessions last at most, if the role does not say, in seconds.
const DEFAULT_SESSION: u32 = 3600;

async fn create(task: &Task<'_>) -> Result<Made> {
    let name = task.name(ROLE.member, ROLE.limit);
    let mut input = task.pick(&["Path", "Description", "MaxSessionDuration", "PermissionsBoundary"]);
    input.insert("RoleName".to_owned(), name.as_str().into());
    input.insert("AssumeRolePolicyDocument".to_owned(), task.document("AssumeRolePolicyDocument")?.into());
    input.insert("Tags".to_owned(), task.tag_list());
    let made = task.door.call("iam", "CreateRole", Value::Object(input)).await?;
    task.begun(&name);
    put_policies(task, &ROLE, &name).await?;
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
    bound(task, &ROLE).await?;
    retag(task, &ROLE).await?;
    take_away_policies(task, &ROLE).await?;
    put_policies(task, &ROLE, name).await?;
    let found = task.door.call("iam", "GetRole", json!({ "RoleName": name })).await?;
    Ok(attributes(name, &found["Role"]))
}

async fn delete(task: &Task<'_>) -> Result<()> {
    delete_policies(task, &ROLE).await?;
    task.door.call("iam", "DeleteRole", json!({ "RoleName": task.physical_id })).await.map(drop)
}

fn attributes(name: &str, role: &Value) -> Made {
    Made::new(name, [("Arn", role["Arn"].clone()), ("RoleId", role["RoleId"].clone())])
}
