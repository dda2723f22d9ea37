//! The parts of an API that differ in nothing but names: `AWS::ApiGatewayV2::ApiMapping`, `Authorizer`, `Deployment`, `Integration`,
//! `IntegrationResponse`, `Model`, `Route` and `RouteResponse`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_ApiGatewayV2.html>

use serde_json::{Map, Value};

use super::{Made, Property, ResourceType, Task, may_change, replaces};
use crate::Result;

/// How a kind of part is called in operations (`CreateRoute`), the member that is its id, and what it belongs to.
struct Kind {
    name: &'static str,
    id: &'static str,
    owners: &'static [&'static str],
}

/// A type of this kind with these properties.
macro_rules! part {
    ($name:literal, $id:literal, $owners:expr, $properties:expr) => {{
        const KIND: Kind = Kind { name: $name, id: $id, owners: $owners };
        const PROPERTIES: &[Property] = $properties;
        ResourceType {
            name: concat!("AWS::ApiGatewayV2::", $name),
            properties: PROPERTIES,
            name_property: None,
            create: |task| Box::pin(create(task, &KIND)),
            update: |task| Box::pin(update(task, &KIND)),
            delete: |task| Box::pin(delete(task, &KIND)),
        }
    }};
}

pub(super) const API_MAPPING: ResourceType = part!(
    "ApiMapping",
    "ApiMappingId",
    &["DomainName"],
    &[
        may_change("ApiId").required(),
        may_change("ApiMappingKey"),
        replaces("DomainName").required(),
        may_change("Stage").required(),
    ]
);

pub(super) const AUTHORIZER: ResourceType = part!(
    "Authorizer",
    "AuthorizerId",
    &["ApiId"],
    &[
        replaces("ApiId").required(),
        may_change("AuthorizerCredentialsArn"),
        may_change("AuthorizerPayloadFormatVersion"),
        may_change("AuthorizerResultTtlInSeconds"),
        may_change("AuthorizerType").required(),
        may_change("AuthorizerUri"),
        may_change("EnableSimpleResponses"),
        may_change("IdentitySource"),
        may_change("IdentityValidationExpression"),
        may_change("JwtConfiguration"),
        may_change("Name").required(),
    ]
);

pub(super) const DEPLOYMENT: ResourceType = part!(
    "Deployment",
    "DeploymentId",
    &["ApiId"],
    &[replaces("ApiId").required(), may_change("Description"), replaces("StageName"),]
);

pub(super) const INTEGRATION: ResourceType = part!(
    "Integration",
    "IntegrationId",
    &["ApiId"],
    &[
        replaces("ApiId").required(),
        may_change("ConnectionId"),
        may_change("ConnectionType"),
        may_change("ContentHandlingStrategy"),
        may_change("CredentialsArn"),
        may_change("Description"),
        may_change("IntegrationMethod"),
        may_change("IntegrationSubtype"),
        may_change("IntegrationType").required(),
        may_change("IntegrationUri"),
        may_change("PassthroughBehavior"),
        may_change("PayloadFormatVersion"),
        may_change("RequestParameters"),
        may_change("RequestTemplates"),
        may_change("TemplateSelectionExpression"),
        may_change("TimeoutInMillis"),
        may_change("TlsConfig"),
    ]
);

pub(super) const INTEGRATION_RESPONSE: ResourceType = part!(
    "IntegrationResponse",
    "IntegrationResponseId",
    &["ApiId", "IntegrationId"],
    &[
        replaces("ApiId").required(),
        may_change("ContentHandlingStrategy"),
        replaces("IntegrationId").required(),
        may_change("IntegrationResponseKey").required(),
        may_change("ResponseParameters"),
        may_change("ResponseTemplates"),
        may_change("TemplateSelectionExpression"),
    ]
);

pub(super) const MODEL: ResourceType = part!(
    "Model",
    "ModelId",
    &["ApiId"],
    &[
        replaces("ApiId").required(),
        may_change("ContentType"),
        may_change("Description"),
        may_change("Name").required(),
        may_change("Schema").required(),
    ]
);

pub(super) const ROUTE: ResourceType = part!(
    "Route",
    "RouteId",
    &["ApiId"],
    &[
        replaces("ApiId").required(),
        may_change("ApiKeyRequired"),
        may_change("AuthorizationScopes"),
        may_change("AuthorizationType"),
        may_change("AuthorizerId"),
        may_change("ModelSelectionExpression"),
        may_change("OperationName"),
        may_change("RequestModels"),
        may_change("RequestParameters"),
        may_change("RouteKey").required(),
        may_change("RouteResponseSelectionExpression"),
        may_change("Target"),
    ]
);

pub(super) const ROUTE_RESPONSE: ResourceType = part!(
    "RouteResponse",
    "RouteResponseId",
    &["ApiId", "RouteId"],
    &[
        replaces("ApiId").required(),
        may_change("ModelSelectionExpression"),
        may_change("ResponseModels"),
        may_change("ResponseParameters"),
        replaces("RouteId").required(),
        may_change("RouteResponseKey").required(),
    ]
);

async fn create(task: &Task<'_>, kind: &Kind) -> Result<Made> {
    let made = task.door.call("apigatewayv2", &format!("Create{}", kind.name), given(task)).await?;
    let id = made[kind.id].as_str().unwrap_or_default();
    task.begun(id);
    Ok(Made::new(id, [(kind.id, id.into())]))
}

async fn update(task: &Task<'_>, kind: &Kind) -> Result<Made> {
    let mut input = given(task);
    input[kind.id] = task.physical_id.into();
    task.door.call("apigatewayv2", &format!("Update{}", kind.name), input).await?;
    Ok(Made::new(task.physical_id, [(kind.id, task.physical_id.into())]))
}

async fn delete(task: &Task<'_>, kind: &Kind) -> Result<()> {
    let mut input = task.pick(kind.owners);
    input.insert(kind.id.to_owned(), task.physical_id.into());
    task.door.call("apigatewayv2", &format!("Delete{}", kind.name), Value::Object(input)).await.map(drop)
}

/// The properties as the operations take them: a schema is text there.
fn given(task: &Task<'_>) -> Value {
    let mut given: Map<String, Value> = task.properties.clone();
    if let Some(schema) = given.get_mut("Schema").filter(|schema| !schema.is_string()) {
        *schema = schema.to_string().into();
    }
    Value::Object(given)
}
