//! `AWS::ApiGatewayV2::Stage`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigatewayv2-stage.html>

use serde_json::{Value, json};

use super::apigatewayv2_api::retag;
use super::{Made, ResourceType, Task, may_change, replaces};
use crate::Result;

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::ApiGatewayV2::Stage",
    properties: &[
        may_change("AccessLogSettings"),
        replaces("ApiId").required(),
        may_change("AutoDeploy"),
        may_change("ClientCertificateId"),
        may_change("DefaultRouteSettings"),
        may_change("DeploymentId"),
        may_change("Description"),
        may_change("RouteSettings"),
        replaces("StageName").required(),
        may_change("StageVariables"),
        may_change("Tags"),
    ],
    name_property: Some("StageName"),
    create: |task| Box::pin(create(task)),
    update: |task| Box::pin(update(task)),
    delete: |task| Box::pin(delete(task)),
};

/// What `CreateStage` and `UpdateStage` take as the template has it.
const PASSED_ON: [&str; 10] = [
    "AccessLogSettings",
    "ApiId",
    "AutoDeploy",
    "ClientCertificateId",
    "DefaultRouteSettings",
    "DeploymentId",
    "Description",
    "RouteSettings",
    "StageName",
    "StageVariables",
];

async fn create(task: &Task<'_>) -> Result<Made> {
    let mut input = task.pick(&PASSED_ON);
    input.insert("Tags".to_owned(), task.get("Tags"));
    task.door.call("apigatewayv2", "CreateStage", Value::Object(input)).await?;
    let name = task.get("StageName");
    let name = name.as_str().unwrap_or_default();
    task.begun(name);
    Ok(Made::new(name, []))
}

async fn update(task: &Task<'_>) -> Result<Made> {
    task.door.call("apigatewayv2", "UpdateStage", Value::Object(task.pick(&PASSED_ON))).await?;
    let (region, api) = (&task.door.scope.region, task.get("ApiId"));
    let api = api.as_str().unwrap_or_default();
    retag(task, &format!("arn:aws:apigateway:{region}::/apis/{api}/stages/{}", task.physical_id)).await?;
    Ok(Made::new(task.physical_id, []))
}

async fn delete(task: &Task<'_>) -> Result<()> {
    let input = json!({ "ApiId": task.get("ApiId"), "StageName": task.physical_id });
    task.door.call("apigatewayv2", "DeleteStage", input).await.map(drop)
}
