//! `AWS::IAM::Policy`: an inline policy of roles, users and groups.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-policy.html>

use serde_json::{Value, json};

use super::iam_holder::gone;
use super::{Made, ResourceType, Task, may_change, replaces};
use crate::Result;

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::IAM::Policy",
    properties: &[
        replaces("PolicyName").required(),
        may_change("Groups"),
        may_change("PolicyDocument").required(),
        may_change("Roles"),
        may_change("Users"),
    ],
    name_property: None,
    create: |task| Box::pin(create(task)),
    update: |task| Box::pin(update(task)),
    delete: |task| Box::pin(delete(task)),
};

/// Who may have the policy: property, the member that names one, and the operations.
const HOLDERS: [(&str, &str, &str, &str); 3] = [
    ("Roles", "RoleName", "PutRolePolicy", "DeleteRolePolicy"),
    ("Users", "UserName", "PutUserPolicy", "DeleteUserPolicy"),
    ("Groups", "GroupName", "PutGroupPolicy", "DeleteGroupPolicy"),
];

async fn create(task: &Task<'_>) -> Result<Made> {
    // So AWS names policies of this type: by the first letters of what they are named after.
    let first = |name: &str, letters: usize| name.chars().take(letters).collect::<String>();
    let id = format!("{}-{}-{}", first(task.stack_name, 5), first(task.logical_id, 4), task.suffix.to_uppercase());
    task.begun(&id);
    put(task).await?;
    Ok(Made::new(id.as_str(), [("Id", id.as_str().into())]))
}

async fn update(task: &Task<'_>) -> Result<Made> {
    for (property, member, _, delete) in HOLDERS {
        let kept = task.items(property);
        for holder in task.old_items(property).iter().filter(|holder| !kept.contains(holder)) {
            let input = json!({ member: holder, "PolicyName": task.get("PolicyName") });
            gone(task.door.call("iam", delete, input).await)?;
        }
    }
    put(task).await?;
    Ok(Made::new(task.physical_id, [("Id", task.physical_id.into())]))
}

async fn delete(task: &Task<'_>) -> Result<()> {
    for (property, member, _, delete) in HOLDERS {
        for holder in task.items(property) {
            let input = json!({ member: holder, "PolicyName": task.get("PolicyName") });
            gone(task.door.call("iam", delete, input).await)?;
        }
    }
    Ok(())
}

async fn put(task: &Task<'_>) -> Result<()> {
    let text: Value = task.document("PolicyDocument")?.into();
    for (property, member, put, _) in HOLDERS {
        for holder in task.items(property) {
            let input = json!({ member: holder, "PolicyName": task.get("PolicyName"), "PolicyDocument": text });
            task.door.call("iam", put, input).await?;
        }
    }
    Ok(())
}
