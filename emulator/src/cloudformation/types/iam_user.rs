//! `AWS::IAM::User`, `AWS::IAM::Group` and `AWS::IAM::UserToGroupAddition`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-user.html>

use serde_json::{Value, json};

use super::iam_holder::{self, Holder, bound, delete_policies, gone, put_policies, retag, take_away_policies};
use super::{Made, ResourceType, Task, may_change, replaces};
use crate::Result;

pub(super) const USER: ResourceType = ResourceType {
    name: "AWS::IAM::User",
    properties: &[
        may_change("Groups"),
        may_change("LoginProfile"),
        may_change("ManagedPolicyArns"),
        may_change("Path"),
        may_change("PermissionsBoundary"),
        may_change("Policies"),
        may_change("Tags"),
        replaces("UserName"),
    ],
    name_property: Some("UserName"),
    create: |task| Box::pin(create(task, &iam_holder::USER)),
    update: |task| Box::pin(update(task, &iam_holder::USER)),
    delete: |task| Box::pin(delete(task, &iam_holder::USER)),
};

pub(super) const GROUP: ResourceType = ResourceType {
    name: "AWS::IAM::Group",
    properties: &[replaces("GroupName"), may_change("ManagedPolicyArns"), may_change("Path"), may_change("Policies")],
    name_property: Some("GroupName"),
    create: |task| Box::pin(create(task, &iam_holder::GROUP)),
    update: |task| Box::pin(update(task, &iam_holder::GROUP)),
    delete: |task| Box::pin(delete(task, &iam_holder::GROUP)),
};

pub(super) const ADDITION: ResourceType = ResourceType {
    name: "AWS::IAM::UserToGroupAddition",
    properties: &[may_change("GroupName").required(), may_change("Users").required()],
    name_property: None,
    create: |task| Box::pin(add(task)),
    update: |task| Box::pin(add(task)),
    delete: |task| Box::pin(take_out(task, task.get("GroupName"), task.items("Users"))),
};

async fn create(task: &Task<'_>, kind: &Holder) -> Result<Made> {
    let name = task.name(kind.member, kind.limit);
    let mut input = task.pick(&["Path", "PermissionsBoundary"]);
    input.insert(kind.member.to_owned(), name.as_str().into());
    input.insert("Tags".to_owned(), task.tag_list());
    let made = task.door.call("iam", &format!("Create{}", kind.word), Value::Object(input)).await?;
    task.begun(&name);
    put_policies(task, kind, &name).await?;
    for group in task.items("Groups") {
        task.door.call("iam", "AddUserToGroup", json!({ "GroupName": group, "UserName": name })).await?;
    }
    if task.properties.contains_key("LoginProfile") {
        task.door.call("iam", "CreateLoginProfile", login(task, &name)).await?;
    }
    Ok(Made::new(name.as_str(), [("Arn", made[kind.word]["Arn"].clone())]))
}

fn login(task: &Task<'_>, name: &str) -> Value {
    let mut input = task.get("LoginProfile");
    // What is no object is for the operation's model to refuse.
    if let Some(members) = input.as_object_mut() {
        members.insert("UserName".to_owned(), name.into());
    }
    input
}

async fn update(task: &Task<'_>, kind: &Holder) -> Result<Made> {
    let name = task.physical_id;
    if task.changes(&["Path"]) {
        let path = task.properties.get("Path").cloned().unwrap_or_else(|| "/".into());
        let input = json!({ kind.member: name, "NewPath": path });
        task.door.call("iam", &format!("Update{}", kind.word), input).await?;
    }
    bound(task, kind).await?;
    if task.changes(&["LoginProfile"]) {
        match (task.old.contains_key("LoginProfile"), task.properties.contains_key("LoginProfile")) {
            (true, false) => gone(task.door.call("iam", "DeleteLoginProfile", json!({ "UserName": name })).await)?,
            (true, true) => drop(task.door.call("iam", "UpdateLoginProfile", login(task, name)).await?),
            (false, _) => drop(task.door.call("iam", "CreateLoginProfile", login(task, name)).await?),
        }
    }
    take_away_policies(task, kind).await?;
    put_policies(task, kind, name).await?;
    let (old, new) = (task.old_items("Groups"), task.items("Groups"));
    for group in old.iter().filter(|group| !new.contains(group)) {
        let input = json!({ "GroupName": group, "UserName": name });
        gone(task.door.call("iam", "RemoveUserFromGroup", input).await)?;
    }
    for group in new.iter().filter(|group| !old.contains(group)) {
        task.door.call("iam", "AddUserToGroup", json!({ "GroupName": group, "UserName": name })).await?;
    }
    retag(task, kind).await?;
    let found = task.door.call("iam", &format!("Get{}", kind.word), json!({ kind.member: name })).await?;
    Ok(Made::new(name, [("Arn", found[kind.word]["Arn"].clone())]))
}

async fn delete(task: &Task<'_>, kind: &Holder) -> Result<()> {
    let name = task.physical_id;
    for group in task.items("Groups") {
        let input = json!({ "GroupName": group, "UserName": name });
        gone(task.door.call("iam", "RemoveUserFromGroup", input).await)?;
    }
    if task.properties.contains_key("LoginProfile") {
        gone(task.door.call("iam", "DeleteLoginProfile", json!({ "UserName": name })).await)?;
    }
    delete_policies(task, kind).await?;
    task.door.call("iam", &format!("Delete{}", kind.word), json!({ kind.member: name })).await.map(drop)
}

async fn add(task: &Task<'_>) -> Result<Made> {
    let id =
        if task.physical_id.is_empty() { task.generated(iam_holder::GROUP.limit) } else { task.physical_id.to_owned() };
    task.begun(&id);
    let (group, users) = (task.get("GroupName"), task.items("Users"));
    for user in &users {
        task.door.call("iam", "AddUserToGroup", json!({ "GroupName": group, "UserName": user })).await?;
    }
    let moved = task.old.get("GroupName").is_some_and(|old| *old != group);
    let left = task.old_items("Users").into_iter().filter(|user| moved || !users.contains(user)).collect();
    take_out(task, task.old.get("GroupName").cloned().unwrap_or_default(), left).await?;
    Ok(Made::new(id.as_str(), [("Id", id.as_str().into())]))
}

async fn take_out(task: &Task<'_>, group: Value, users: Vec<Value>) -> Result<()> {
    for user in users {
        let input = json!({ "GroupName": group, "UserName": user });
        gone(task.door.call("iam", "RemoveUserFromGroup", input).await)?;
    }
    Ok(())
}
