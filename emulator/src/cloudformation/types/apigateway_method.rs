//! `AWS::ApiGateway::Method`, with its integration and responses.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-method.html>

use serde_json::{Map, Value, json};

use super::apigateway_rest_api::{renamed, small};
use super::{Made, ResourceType, Task, may_change, replaces};
use crate::{Error, Result};

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::ApiGateway::Method",
    properties: &[
        may_change("ApiKeyRequired"),
        may_change("AuthorizationScopes"),
        may_change("AuthorizationType"),
        may_change("AuthorizerId"),
        replaces("HttpMethod").required(),
        may_change("Integration"),
        may_change("MethodResponses"),
        may_change("OperationName"),
        may_change("RequestModels"),
        may_change("RequestParameters"),
        may_change("RequestValidatorId"),
        replaces("ResourceId").required(),
        replaces("RestApiId").required(),
    ],
    name_property: None,
    create: |task| Box::pin(create(task)),
    update: |task| Box::pin(update(task)),
    delete: |task| Box::pin(delete(task)),
};

const SERVICE: &str = "apigateway";
/// The longest generated id.
const ID_LIMIT: usize = 64;
const OF: [(&str, &str); 3] = [("RestApiId", "restApiId"), ("ResourceId", "resourceId"), ("HttpMethod", "httpMethod")];

async fn create(task: &Task<'_>) -> Result<Made> {
    let id = task.generated(ID_LIMIT);
    make(task).await?;
    task.begun(&id);
    Ok(Made::new(id, []))
}

/// A method is made anew under its id.
async fn update(task: &Task<'_>) -> Result<Made> {
    task.door.call(SERVICE, "DeleteMethod", Value::Object(renamed(task, &OF))).await?;
    make(task).await?;
    Ok(Made::new(task.physical_id, []))
}

async fn delete(task: &Task<'_>) -> Result<()> {
    task.door.call(SERVICE, "DeleteMethod", Value::Object(renamed(task, &OF))).await.map(drop)
}

async fn make(task: &Task<'_>) -> Result<()> {
    let of = renamed(task, &OF);
    let mut input = of.clone();
    input.extend(renamed(
        task,
        &[
            ("ApiKeyRequired", "apiKeyRequired"),
            ("AuthorizationScopes", "authorizationScopes"),
            ("AuthorizerId", "authorizerId"),
            ("OperationName", "operationName"),
            ("RequestModels", "requestModels"),
            ("RequestParameters", "requestParameters"),
            ("RequestValidatorId", "requestValidatorId"),
        ],
    ));
    let kind = task.properties.get("AuthorizationType").cloned().unwrap_or_else(|| "NONE".into());
    input.insert("authorizationType".to_owned(), kind);
    task.door.call(SERVICE, "PutMethod", Value::Object(input)).await?;
    for response in task.items("MethodResponses") {
        task.door.call(SERVICE, "PutMethodResponse", with(&of, &response)?).await?;
    }
    let integration = task.get("Integration");
    if integration.is_null() {
        return Ok(());
    }
    let mut input = with(&of, &integration)?;
    let members = input.as_object_mut().ok_or_else(|| Error::internal("an input is an object"))?;
    let responses = members.shift_remove("integrationResponses").unwrap_or_default();
    task.door.call(SERVICE, "PutIntegration", input).await?;
    for response in responses.as_array().into_iter().flatten() {
        task.door.call(SERVICE, "PutIntegrationResponse", with(&of, response)?).await?;
    }
    Ok(())
}

/// A part of the method as an input: its own names begin with a small letter, the keys of its maps stay as they are.
fn with(of: &Map<String, Value>, part: &Value) -> Result<Value> {
    let wrong = || Error::client("InvalidRequest", "Model validation failed (#: a part of a method is an object)");
    let mut input = of.clone();
    for (name, value) in part.as_object().ok_or_else(wrong)? {
        let value = match name.as_str() {
            "TlsConfig" => super::apigateway_rest_api::lower(value),
            _ => value.clone(),
        };
        input.insert(small(name), value);
    }
    Ok(json!(input))
}
