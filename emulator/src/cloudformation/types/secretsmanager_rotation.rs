//! `AWS::SecretsManager::RotationSchedule`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-rotationschedule.html>

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Made, ResourceType, Task, may_change, replaces};
use crate::Result;

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::SecretsManager::RotationSchedule",
    properties: &[
        may_change("RotateImmediatelyOnUpdate"),
        may_change("RotationLambdaARN"),
        may_change("RotationRules"),
        replaces("SecretId").required(),
    ],
    name_property: None,
    create: |task| Box::pin(rotate(task)),
    update: |task| Box::pin(rotate(task)),
    delete: |task| {
        Box::pin(async move {
            let input = json!({ "SecretId": task.physical_id });
            task.door.call("secretsmanager", "CancelRotateSecret", input).await.map(drop)
        })
    },
};

/// The physical id is the secret's ARN.
async fn rotate(task: &Task<'_>) -> Result<Made> {
    let mut input = task.pick(&["RotationLambdaARN", "RotationRules", "SecretId"]);
    if let Some(immediately) = task.properties.get("RotateImmediatelyOnUpdate") {
        input.insert("RotateImmediately".to_owned(), immediately.clone());
    }
    // Tells one rotation from another.
    let now = task.door.cloud.now();
    let digest = hex::encode(Sha256::digest(format!("{}/{}/{}/{now}", task.stack_name, task.logical_id, task.suffix)));
    input.insert("ClientRequestToken".to_owned(), digest.into());
    let made = task.door.call("secretsmanager", "RotateSecret", Value::Object(input)).await?;
    let arn = made["ARN"].as_str().unwrap_or_default();
    task.begun(arn);
    Ok(Made::new(arn, [("Id", arn.into())]))
}
