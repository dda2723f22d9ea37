//! `AWS::SecretsManager::ResourcePolicy`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-resourcepolicy.html>

use serde_json::json;

use super::{Made, ResourceType, Task, may_change, replaces};
use crate::Result;

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::SecretsManager::ResourcePolicy",
    properties: &[
        replaces("SecretId").required(),
        may_change("BlockPublicPolicy"),
        may_change("ResourcePolicy").required(),
    ],
    name_property: None,
    create: |task| Box::pin(put(task)),
    update: |task| Box::pin(put(task)),
    delete: |task| Box::pin(delete(task)),
};

async fn put(task: &Task<'_>) -> Result<Made> {
    let input = json!({
        "SecretId": task.get("SecretId"),
        "ResourcePolicy": task.document("ResourcePolicy")?,
        "BlockPublicPolicy": task.get("BlockPublicPolicy"),
    });
    let put = task.door.call("secretsmanager", "PutResourcePolicy", input).await?;
    let arn = put["ARN"].as_str().unwrap_or_default();
    task.begun(arn);
    Ok(Made::new(arn, []))
}

async fn delete(task: &Task<'_>) -> Result<()> {
    let input = json!({ "SecretId": task.physical_id });
    task.door.call("secretsmanager", "DeleteResourcePolicy", input).await.map(drop)
}
