//! `AWS::IAM::RolePolicy`, `AWS::IAM::UserPolicy`, `AWS::IAM::GroupPolicy`: one inline policy of one of them.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-rolepolicy.html>

use serde_json::json;

use super::iam_holder::gone;
use super::{Made, ResourceType, Task, may_change, replaces};
use crate::Result;

pub(super) const ROLE: ResourceType = ResourceType {
    name: "AWS::IAM::RolePolicy",
    properties: &[may_change("PolicyDocument"), replaces("PolicyName").required(), replaces("RoleName").required()],
    name_property: None,
    create: |task| Box::pin(put(task, "Role")),
    update: |task| Box::pin(put(task, "Role")),
    delete: |task| Box::pin(delete(task, "Role")),
};

pub(super) const USER: ResourceType = ResourceType {
    name: "AWS::IAM::UserPolicy",
    properties: &[may_change("PolicyDocument"), replaces("PolicyName").required(), replaces("UserName").required()],
    name_property: None,
    create: |task| Box::pin(put(task, "User")),
    update: |task| Box::pin(put(task, "User")),
    delete: |task| Box::pin(delete(task, "User")),
};

pub(super) const GROUP: ResourceType = ResourceType {
    name: "AWS::IAM::GroupPolicy",
    properties: &[may_change("PolicyDocument"), replaces("PolicyName").required(), replaces("GroupName").required()],
    name_property: None,
    create: |task| Box::pin(put(task, "Group")),
    update: |task| Box::pin(put(task, "Group")),
    delete: |task| Box::pin(delete(task, "Group")),
};

async fn put(task: &Task<'_>, kind: &str) -> Result<Made> {
    let holder = format!("{kind}Name");
    let input = json!({
        (holder.as_str()): task.get(&holder),
        "PolicyName": task.get("PolicyName"),
        "PolicyDocument": task.document("PolicyDocument")?,
    });
    task.door.call("iam", &format!("Put{kind}Policy"), input).await?;
    let text = |name: &str| task.get(name).as_str().unwrap_or_default().to_owned();
    let id = format!("{}|{}", text("PolicyName"), text(&holder));
    Ok(Made::new(id, []))
}

async fn delete(task: &Task<'_>, kind: &str) -> Result<()> {
    let holder = format!("{kind}Name");
    let input = json!({ (holder.as_str()): task.get(&holder), "PolicyName": task.get("PolicyName") });
    gone(task.door.call("iam", &format!("Delete{kind}Policy"), input).await)
}
