//! `AWS::ApiGatewayV2::Api`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigatewayv2-api.html>

use serde_json::{Map, Value, json};

use super::{Made, ResourceType, Task, may_change, replaces};
use crate::Result;

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::ApiGatewayV2::Api",
    properties: &[
        may_change("ApiKeySelectionExpression"),
        may_change("Basepath"),
        may_change("Body"),
        may_change("CorsConfiguration"),
        may_change("CredentialsArn"),
        may_change("Description"),
        may_change("DisableExecuteApiEndpoint"),
        may_change("DisableSchemaValidation"),
        may_change("FailOnWarnings"),
        may_change("IpAddressType"),
        may_change("Name"),
        replaces("ProtocolType"),
        may_change("RouteKey"),
        may_change("RouteSelectionExpression"),
        may_change("Tags"),
        may_change("Target"),
        may_change("Version"),
    ],
    name_property: None,
    create: |task| Box::pin(create(task)),
    update: |task| Box::pin(update(task)),
    delete: |task| Box::pin(delete(task)),
};

/// What `CreateApi` and `UpdateApi` take as the template has it.
const PASSED_ON: [&str; 12] = [
    "ApiKeySelectionExpression",
    "CorsConfiguration",
    "CredentialsArn",
    "Description",
    "DisableExecuteApiEndpoint",
    "DisableSchemaValidation",
    "IpAddressType",
    "Name",
    "RouteKey",
    "RouteSelectionExpression",
    "Target",
    "Version",
];

async fn create(task: &Task<'_>) -> Result<Made> {
    let api = match task.properties.get("Body") {
        Some(body) => task.door.call("apigatewayv2", "ImportApi", import(task, body)).await?,
        None => {
            let mut input = task.pick(&PASSED_ON);
            input.insert("ProtocolType".to_owned(), task.get("ProtocolType"));
            input.insert("Tags".to_owned(), task.get("Tags"));
            task.door.call("apigatewayv2", "CreateApi", Value::Object(input)).await?
        }
    };
    let id = api["ApiId"].as_str().unwrap_or_default();
    task.begun(id);
    if task.properties.contains_key("Body") {
        // What the document does not say, the template may.
        let mut input = task.pick(&PASSED_ON);
        input.insert("ApiId".to_owned(), id.into());
        task.door.call("apigatewayv2", "UpdateApi", Value::Object(input)).await?;
        if let Some(tags) = task.properties.get("Tags") {
            let input = json!({ "ResourceArn": arn(task, id), "Tags": tags });
            task.door.call("apigatewayv2", "TagResource", input).await?;
        }
    }
    Ok(made(&api))
}

fn import(task: &Task<'_>, body: &Value) -> Value {
    let body = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
    json!({ "Body": body, "Basepath": task.get("Basepath"), "FailOnWarnings": task.get("FailOnWarnings") })
}

async fn update(task: &Task<'_>) -> Result<Made> {
    let id = task.physical_id;
    if let Some(body) = task.properties.get("Body").filter(|_| task.changes(&["Body"])) {
        let mut input = import(task, body);
        input["ApiId"] = id.into();
        task.door.call("apigatewayv2", "ReimportApi", input).await?;
    }
    let mut input = task.pick(&PASSED_ON);
    input.insert("ApiId".to_owned(), id.into());
    let api = task.door.call("apigatewayv2", "UpdateApi", Value::Object(input)).await?;
    if task.old.contains_key("CorsConfiguration") && !task.properties.contains_key("CorsConfiguration") {
        task.door.call("apigatewayv2", "DeleteCorsConfiguration", json!({ "ApiId": id })).await?;
    }
    retag(task, &arn(task, id)).await?;
    Ok(made(&api))
}

async fn delete(task: &Task<'_>) -> Result<()> {
    task.door.call("apigatewayv2", "DeleteApi", json!({ "ApiId": task.physical_id })).await.map(drop)
}

fn arn(task: &Task<'_>, id: &str) -> String {
    format!("arn:aws:apigateway:{}::/apis/{id}", task.door.scope.region)
}

fn made(api: &Value) -> Made {
    let id = api["ApiId"].as_str().unwrap_or_default();
    Made::new(id, [("ApiId", id.into()), ("ApiEndpoint", api["ApiEndpoint"].clone())])
}

/// Brings tags that are a map in the template as well up to date.
pub(super) async fn retag(task: &Task<'_>, arn: &str) -> Result<()> {
    if !task.changes(&["Tags"]) {
        return Ok(());
    }
    let none = Map::new();
    let new = task.properties.get("Tags").and_then(Value::as_object).unwrap_or(&none);
    let old = task.old.get("Tags").and_then(Value::as_object).unwrap_or(&none);
    let removed: Vec<&String> = old.keys().filter(|key| !new.contains_key(*key)).collect();
    if !removed.is_empty() {
        let input = json!({ "ResourceArn": arn, "TagKeys": removed });
        task.door.call("apigatewayv2", "UntagResource", input).await?;
    }
    if !new.is_empty() {
        task.door.call("apigatewayv2", "TagResource", json!({ "ResourceArn": arn, "Tags": new })).await?;
    }
    Ok(())
}
