//! `AWS::IAM::OIDCProvider`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-oidcprovider.html>

use serde_json::{Value, json};

use super::{Made, ResourceType, Task, may_change, replaces};
use crate::Result;

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::IAM::OIDCProvider",
    properties: &[may_change("ClientIdList"), may_change("Tags"), may_change("ThumbprintList"), replaces("Url")],
    name_property: Some("Url"),
    create: |task| Box::pin(create(task)),
    update: |task| Box::pin(update(task)),
    delete: |task| {
        Box::pin(async move { call(task, "DeleteOpenIDConnectProvider", of(task.physical_id)).await.map(drop) })
    },
};

async fn call(task: &Task<'_>, operation: &str, input: Value) -> Result<Value> {
    task.door.call("iam", operation, input).await
}

fn of(arn: &str) -> Value {
    json!({ "OpenIDConnectProviderArn": arn })
}

async fn create(task: &Task<'_>) -> Result<Made> {
    let input = json!({
        "Url": task.get("Url"),
        "ClientIDList": task.get("ClientIdList"),
        "ThumbprintList": task.get("ThumbprintList"),
        "Tags": task.tag_list(),
    });
    let made = call(task, "CreateOpenIDConnectProvider", input).await?;
    let arn = made["OpenIDConnectProviderArn"].as_str().unwrap_or_default();
    task.begun(arn);
    Ok(Made::new(arn, [("Arn", arn.into())]))
}

async fn update(task: &Task<'_>) -> Result<Made> {
    let arn = task.physical_id;
    if task.changes(&["ThumbprintList"]) {
        let mut input = of(arn);
        input["ThumbprintList"] = task.items("ThumbprintList").into();
        call(task, "UpdateOpenIDConnectProviderThumbprint", input).await?;
    }
    let (old, new) = (task.old_items("ClientIdList"), task.items("ClientIdList"));
    let added = new.iter().filter(|id| !old.contains(id)).map(|id| ("AddClientIDToOpenIDConnectProvider", id));
    let removed = old.iter().filter(|id| !new.contains(id)).map(|id| ("RemoveClientIDFromOpenIDConnectProvider", id));
    for (operation, id) in added.chain(removed) {
        let mut input = of(arn);
        input["ClientID"] = id.clone();
        call(task, operation, input).await?;
    }
    let removed = task.removed_tags();
    if !removed.is_empty() {
        let mut input = of(arn);
        input["TagKeys"] = removed.into();
        call(task, "UntagOpenIDConnectProvider", input).await?;
    }
    let tags = task.tag_list();
    if task.changes(&["Tags"]) && !tags.is_null() {
        let mut input = of(arn);
        input["Tags"] = tags;
        call(task, "TagOpenIDConnectProvider", input).await?;
    }
    Ok(Made::new(arn, [("Arn", arn.into())]))
}
