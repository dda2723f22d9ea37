//! `AWS::ApiGateway::Resource`, `Model`, `Authorizer`, `RequestValidator` and `GatewayResponse`: the parts of an API that are made
//! by one call each.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_ApiGateway.html>

use serde_json::{Map, Value, json};

use super::apigateway_rest_api::{patch, renamed, replace, text};
use super::{Made, ResourceType, Task, may_change, replaces};
use crate::Result;

const SERVICE: &str = "apigateway";
/// The longest generated name.
const NAME_LIMIT: usize = 64;

pub(super) const RESOURCE: ResourceType = ResourceType {
    name: "AWS::ApiGateway::Resource",
    properties: &[replaces("ParentId").required(), replaces("PathPart").required(), replaces("RestApiId").required()],
    name_property: None,
    create: |task| {
        Box::pin(async move {
            let names = [("RestApiId", "restApiId"), ("ParentId", "parentId"), ("PathPart", "pathPart")];
            let made = call(task, "CreateResource", renamed(task, &names)).await?;
            let id = text(&made, "id")?;
            task.begun(&id);
            Ok(Made::new(&*id, [("ResourceId", id.as_str().into())]))
        })
    },
    update: |task| Box::pin(async move { Ok(Made::new(task.physical_id, [("ResourceId", task.physical_id.into())])) }),
    delete: |task| Box::pin(remove(task, "DeleteResource", "resourceId")),
};

pub(super) const MODEL: ResourceType = ResourceType {
    name: "AWS::ApiGateway::Model",
    properties: &[
        replaces("ContentType"),
        may_change("Description"),
        replaces("Name"),
        replaces("RestApiId").required(),
        may_change("Schema"),
    ],
    name_property: Some("Name"),
    create: |task| {
        Box::pin(async move {
            let mut input = renamed(task, &[("RestApiId", "restApiId"), ("Description", "description")]);
            // Names of models are letters and digits.
            let name: String = task.name("Name", NAME_LIMIT).chars().filter(char::is_ascii_alphanumeric).collect();
            let kind = task.properties.get("ContentType").cloned().unwrap_or_else(|| "application/json".into());
            input.insert("name".to_owned(), name.as_str().into());
            input.insert("contentType".to_owned(), kind);
            input.insert("schema".to_owned(), schema(task)?);
            call(task, "CreateModel", input).await?;
            task.begun(&name);
            Ok(Made::new(name, []))
        })
    },
    update: |task| {
        Box::pin(async move {
            let mut operations = vec![replace("/schema", &schema(task)?)];
            operations.push(replace("/description", &task.get("Description")));
            patch(task, "UpdateModel", of(task, "modelName"), operations).await?;
            Ok(Made::new(task.physical_id, []))
        })
    },
    delete: |task| Box::pin(remove(task, "DeleteModel", "modelName")),
};

fn schema(task: &Task<'_>) -> Result<Value> {
    Ok(if task.get("Schema").is_null() { "{\"type\":\"object\"}".into() } else { task.document("Schema")?.into() })
}

pub(super) const REQUEST_VALIDATOR: ResourceType = ResourceType {
    name: "AWS::ApiGateway::RequestValidator",
    properties: &[
        replaces("Name"),
        replaces("RestApiId").required(),
        may_change("ValidateRequestBody"),
        may_change("ValidateRequestParameters"),
    ],
    name_property: Some("Name"),
    create: |task| {
        Box::pin(async move {
            let mut input = renamed(task, &VALIDATOR);
            input.insert("name".to_owned(), task.name("Name", NAME_LIMIT).into());
            input.extend(renamed(task, &[("RestApiId", "restApiId")]));
            identified(task, call(task, "CreateRequestValidator", input).await?, "RequestValidatorId")
        })
    },
    update: |task| {
        Box::pin(async move {
            let operations = VALIDATOR.iter().map(|(property, member)| {
                let value = task.properties.get(*property).cloned().unwrap_or(Value::Bool(false));
                replace(&format!("/{member}"), &value)
            });
            patch(task, "UpdateRequestValidator", of(task, "requestValidatorId"), operations.collect()).await?;
            Ok(Made::new(task.physical_id, [("RequestValidatorId", task.physical_id.into())]))
        })
    },
    delete: |task| Box::pin(remove(task, "DeleteRequestValidator", "requestValidatorId")),
};

const VALIDATOR: [(&str, &str); 2] =
    [("ValidateRequestBody", "validateRequestBody"), ("ValidateRequestParameters", "validateRequestParameters")];

pub(super) const AUTHORIZER: ResourceType = ResourceType {
    name: "AWS::ApiGateway::Authorizer",
    properties: &[
        may_change("AuthType"),
        may_change("AuthorizerCredentials"),
        may_change("AuthorizerResultTtlInSeconds"),
        may_change("AuthorizerUri"),
        may_change("IdentitySource"),
        may_change("IdentityValidationExpression"),
        may_change("Name").required(),
        may_change("ProviderARNs"),
        replaces("RestApiId").required(),
        may_change("Type").required(),
    ],
    name_property: None,
    create: |task| {
        Box::pin(async move {
            let mut input = renamed(task, &AUTHORIZER_MEMBERS);
            input.extend(renamed(task, &[("RestApiId", "restApiId"), ("ProviderARNs", "providerARNs")]));
            identified(task, call(task, "CreateAuthorizer", input).await?, "AuthorizerId")
        })
    },
    update: |task| {
        Box::pin(async move {
            let changed = AUTHORIZER_MEMBERS.iter().filter(|(property, _)| task.changes(&[*property]));
            let operations = changed.map(|(property, member)| replace(&format!("/{member}"), &task.get(property)));
            patch(task, "UpdateAuthorizer", of(task, "authorizerId"), operations.collect()).await?;
            Ok(Made::new(task.physical_id, [("AuthorizerId", task.physical_id.into())]))
        })
    },
    delete: |task| Box::pin(remove(task, "DeleteAuthorizer", "authorizerId")),
};

const AUTHORIZER_MEMBERS: [(&str, &str); 8] = [
    ("AuthType", "authType"),
    ("AuthorizerCredentials", "authorizerCredentials"),
    ("AuthorizerResultTtlInSeconds", "authorizerResultTtlInSeconds"),
    ("AuthorizerUri", "authorizerUri"),
    ("IdentitySource", "identitySource"),
    ("IdentityValidationExpression", "identityValidationExpression"),
    ("Name", "name"),
    ("Type", "type"),
];

pub(super) const GATEWAY_RESPONSE: ResourceType = ResourceType {
    name: "AWS::ApiGateway::GatewayResponse",
    properties: &[
        may_change("ResponseParameters"),
        may_change("ResponseTemplates"),
        replaces("ResponseType").required(),
        replaces("RestApiId").required(),
        may_change("StatusCode"),
    ],
    name_property: None,
    create: |task| {
        Box::pin(async move {
            call(task, "PutGatewayResponse", gateway_response(task)).await?;
            let id = task.generated(NAME_LIMIT);
            task.begun(&id);
            Ok(Made::new(&*id, [("Id", id.as_str().into())]))
        })
    },
    update: |task| {
        Box::pin(async move {
            call(task, "PutGatewayResponse", gateway_response(task)).await?;
            Ok(Made::new(task.physical_id, [("Id", task.physical_id.into())]))
        })
    },
    delete: |task| {
        Box::pin(async move {
            let names = [("RestApiId", "restApiId"), ("ResponseType", "responseType")];
            call(task, "DeleteGatewayResponse", renamed(task, &names)).await.map(drop)
        })
    },
};

fn gateway_response(task: &Task<'_>) -> Map<String, Value> {
    renamed(
        task,
        &[
            ("ResponseParameters", "responseParameters"),
            ("ResponseTemplates", "responseTemplates"),
            ("ResponseType", "responseType"),
            ("RestApiId", "restApiId"),
            ("StatusCode", "statusCode"),
        ],
    )
}

pub(super) async fn call(task: &Task<'_>, operation: &str, input: Map<String, Value>) -> Result<Value> {
    task.door.call(SERVICE, operation, Value::Object(input)).await
}

/// The API and the part's id under the name of its member.
fn of(task: &Task<'_>, member: &str) -> Value {
    json!({ "restApiId": task.get("RestApiId"), member: task.physical_id })
}

async fn remove(task: &Task<'_>, operation: &str, member: &str) -> Result<()> {
    task.door.call(SERVICE, operation, of(task, member)).await.map(drop)
}

/// What was made, by the id that it was given.
fn identified(task: &Task<'_>, made: Value, attribute: &str) -> Result<Made> {
    let id = text(&made, "id")?;
    task.begun(&id);
    Ok(Made::new(&*id, [(attribute, id.as_str().into())]))
}
