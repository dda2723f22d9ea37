//! `AWS::Lambda::LayerVersion` and `AWS::Lambda::LayerVersionPermission`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-layerversion.html>

use serde_json::{Value, json};

use super::{Made, ResourceType, Task, replaces};
use crate::{Error, Result};

/// Every change is a version of its own.
pub(super) const VERSION: ResourceType = ResourceType {
    name: "AWS::Lambda::LayerVersion",
    properties: &[
        replaces("CompatibleArchitectures"),
        replaces("CompatibleRuntimes"),
        replaces("Content").required(),
        replaces("Description"),
        replaces("LayerName"),
        replaces("LicenseInfo"),
    ],
    // A replacement is the next version of the same name.
    name_property: None,
    create: |task| Box::pin(create(task)),
    update: |task| Box::pin(async { Ok(made(task.physical_id)) }),
    delete: |task| Box::pin(delete(task)),
};

/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-layerversionpermission.html>
pub(super) const PERMISSION: ResourceType = ResourceType {
    name: "AWS::Lambda::LayerVersionPermission",
    properties: &[
        replaces("Action").required(),
        replaces("LayerVersionArn").required(),
        replaces("OrganizationId"),
        replaces("Principal").required(),
    ],
    name_property: None,
    create: |task| Box::pin(permit(task)),
    update: |task| Box::pin(async { Ok(Made::new(task.physical_id, [("Id", task.physical_id.into())])) }),
    delete: |task| Box::pin(forbid(task)),
};

/// The longest name of a layer.
const NAME_LIMIT: usize = 64;
/// The longest statement id.
const ID_LIMIT: usize = 100;
/// Stands between a layer version and the statement in the id of a permission.
const SEPARATOR: char = '#';

async fn create(task: &Task<'_>) -> Result<Made> {
    // A name that nobody gave is the logical id with a suffix: the same for each version that follows.
    let name = match task.properties.get("LayerName").and_then(Value::as_str) {
        Some(name) => name.to_owned(),
        None => task.generated(NAME_LIMIT),
    };
    let mut input =
        task.pick(&["CompatibleArchitectures", "CompatibleRuntimes", "Content", "Description", "LicenseInfo"]);
    input.insert("LayerName".to_owned(), name.into());
    let answer = task.door.call("lambda", "PublishLayerVersion", Value::Object(input)).await?;
    let arn = answer["LayerVersionArn"].as_str().unwrap_or_default();
    task.begun(arn);
    Ok(made(arn))
}

fn made(arn: &str) -> Made {
    Made::new(arn, [("LayerVersionArn", arn.into())])
}

/// The layer and the number of a version.
fn parts(arn: &str) -> Result<(&str, i64)> {
    let parts = arn.rsplit_once(':').and_then(|(layer, number)| Some((layer, number.parse().ok()?)));
    parts.ok_or_else(|| Error::client("InvalidRequest", format!("{arn} is not the ARN of a version of a layer")))
}

async fn delete(task: &Task<'_>) -> Result<()> {
    let (layer, number) = parts(task.physical_id)?;
    let input = json!({ "LayerName": layer, "VersionNumber": number });
    task.door.call("lambda", "DeleteLayerVersion", input).await.map(drop)
}

async fn permit(task: &Task<'_>) -> Result<Made> {
    let arn = task.get("LayerVersionArn");
    let arn = arn.as_str().unwrap_or_default();
    let (layer, number) = parts(arn)?;
    let statement = task.generated(ID_LIMIT);
    let mut input = task.pick(&["Action", "OrganizationId", "Principal"]);
    input.insert("LayerName".to_owned(), layer.into());
    input.insert("VersionNumber".to_owned(), number.into());
    input.insert("StatementId".to_owned(), statement.as_str().into());
    task.door.call("lambda", "AddLayerVersionPermission", Value::Object(input)).await?;
    let id = format!("{arn}{SEPARATOR}{statement}");
    task.begun(&id);
    Ok(Made::new(id.clone(), [("Id", id.into())]))
}

async fn forbid(task: &Task<'_>) -> Result<()> {
    let Some((arn, statement)) = task.physical_id.split_once(SEPARATOR) else {
        return Err(Error::internal("the id of a layer's permission has two parts"));
    };
    let (layer, number) = parts(arn)?;
    let input = json!({ "LayerName": layer, "VersionNumber": number, "StatementId": statement });
    task.door.call("lambda", "RemoveLayerVersionPermission", input).await.map(drop)
}
