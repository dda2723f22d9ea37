//! `AWS::Lambda::CodeSigningConfig`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-codesigningconfig.html>

use serde_json::{Value, json};

use super::task::TagNames;
use super::{Made, ResourceType, Task, may_change};
use crate::Result;

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::Lambda::CodeSigningConfig",
    properties: &[
        may_change("AllowedPublishers").required(),
        may_change("CodeSigningPolicies"),
        may_change("Description"),
        may_change("Tags"),
    ],
    name_property: None,
    create: |task| Box::pin(create(task)),
    update: |task| Box::pin(update(task)),
    delete: |task| Box::pin(delete(task)),
};

const PROPERTIES: [&str; 3] = ["AllowedPublishers", "CodeSigningPolicies", "Description"];

async fn create(task: &Task<'_>) -> Result<Made> {
    let mut input = task.pick(&PROPERTIES);
    input.insert("Tags".to_owned(), task.tag_map()?);
    let answer = task.door.call("lambda", "CreateCodeSigningConfig", Value::Object(input)).await?;
    let arn = answer["CodeSigningConfig"]["CodeSigningConfigArn"].as_str().unwrap_or_default();
    task.begun(arn);
    Ok(made(arn))
}

fn made(arn: &str) -> Made {
    let id = arn.rsplit(':').next().unwrap_or_default();
    Made::new(arn, [("CodeSigningConfigArn", arn.into()), ("CodeSigningConfigId", id.into())])
}

async fn update(task: &Task<'_>) -> Result<Made> {
    let arn = task.physical_id;
    if task.changes(&PROPERTIES) {
        let mut input = task.pick(&PROPERTIES);
        // What the template no longer says goes back to its default.
        for (property, default) in
            [("Description", json!("")), ("CodeSigningPolicies", json!({ "UntrustedArtifactOnDeployment": "Warn" }))]
        {
            input.entry(property).or_insert(default);
        }
        input.insert("CodeSigningConfigArn".to_owned(), arn.into());
        task.door.call("lambda", "UpdateCodeSigningConfig", Value::Object(input)).await?;
    }
    let names = TagNames { arn: "Resource", tags: "Tags", keys: "TagKeys", as_map: true };
    task.retag("lambda", arn, names).await?;
    Ok(made(arn))
}

async fn delete(task: &Task<'_>) -> Result<()> {
    let input = json!({ "CodeSigningConfigArn": task.physical_id });
    task.door.call("lambda", "DeleteCodeSigningConfig", input).await.map(drop)
}
