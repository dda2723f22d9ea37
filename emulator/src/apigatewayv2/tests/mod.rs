//! Tests of the control plane, through the front door, and what the tests of the data planes share.
#![allow(clippy::unwrap_used)]

use std::convert::Infallible;
use std::sync::Arc;

use aws_smithy_async::rt::sleep::AsyncSleep;
use lambda_runtime::{Diagnostic, LambdaEvent};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tower::service_fn;

use crate::cloud::{Call, Caller, Cloud, IamMode};
use crate::{Result, lambda};

pub(super) const ACCOUNT: &str = "123456789012";

/// What a test function does: the event's answer.
pub(super) type Answers = fn(&Value) -> Result<Value, &'static str>;

/// A cloud with the function `f`, and the events that it received.
pub(super) struct World {
    pub cloud: Cloud,
    pub events: Arc<Mutex<Vec<Value>>>,
}

impl World {
    /// A cloud whose function answers so, after as many seconds as the event's body says in `sleep`.
    pub async fn new(answers: Answers) -> Self {
        let events: Arc<Mutex<Vec<Value>>> = Arc::default();
        let seen = Arc::clone(&events);
        let code = lambda::handler(move |sdk, _| {
            let (seen, sleep) = (Arc::clone(&seen), sdk.sleep_impl().unwrap());
            Ok::<_, Infallible>(service_fn(move |event: LambdaEvent<Value>| {
                seen.lock().push(event.payload.clone());
                let sleep = sleep.clone();
                async move {
                    let body = event.payload["body"].as_str().unwrap_or("null");
                    let body: Value = serde_json::from_str(body).unwrap_or_default();
                    if let Some(seconds) = body["sleep"].as_u64() {
                        sleep.sleep(std::time::Duration::from_secs(seconds)).await;
                    }
                    answers(&event.payload)
                        .map_err(|kind| Diagnostic { error_type: kind.to_owned(), error_message: String::new() })
                }
            }))
        });
        let world = Self { cloud: Cloud::builder().iam(IamMode::Off).function("f", code).build(), events };
        let function = json!({
            "FunctionName": "f", "Role": "arn:aws:iam::123456789012:role/any", "Runtime": "provided.al2023",
            "Handler": "bootstrap", "Timeout": 60, "Code": { "S3Bucket": "code", "S3Key": "f" },
        });
        world.ask("lambda", "CreateFunction", function).await.unwrap();
        world
    }

    pub async fn ask(&self, service: &'static str, operation: &str, input: Value) -> Result<Value> {
        let call = Call::new(service, operation, Caller::root(ACCOUNT), self.cloud.scope().clone(), input);
        self.cloud.call(call).await.map(|reply| reply.output)
    }

    /// An operation of the control plane; the member of its answer that is a text.
    pub async fn make(&self, operation: &str, input: Value, member: &str) -> String {
        let answer = self.ask("apigatewayv2", operation, input).await.unwrap();
        answer[member].as_str().unwrap_or_else(|| panic!("{operation} gives no {member}: {answer}")).to_owned()
    }

    /// The events that the function received since the last time.
    pub fn take_events(&self) -> Vec<Value> {
        std::mem::take(&mut self.events.lock())
    }
}

pub(super) fn function_uri() -> String {
    let arn = format!("arn:aws:lambda:us-east-1:{ACCOUNT}:function:f");
    format!("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations")
}

async fn http_api(world: &World) -> String {
    world.make("CreateApi", json!({ "Name": "a", "ProtocolType": "HTTP" }), "ApiId").await
}

#[tokio::test]
async fn a_stage_that_deploys_by_itself_serves_each_change_and_keeps_one_deployment() {
    let world = World::new(|_| Ok(Value::Null)).await;
    let api = http_api(&world).await;
    let stage = json!({ "ApiId": api, "StageName": "$default", "AutoDeploy": true });
    world.ask("apigatewayv2", "CreateStage", stage).await.unwrap();
    for key in ["GET /a", "GET /b", "GET /c"] {
        world.ask("apigatewayv2", "CreateRoute", json!({ "ApiId": api, "RouteKey": key })).await.unwrap();
    }
    let all = world.ask("apigatewayv2", "GetDeployments", json!({ "ApiId": api })).await.unwrap();
    assert_eq!(all["Items"].as_array().unwrap().len(), 1, "{all}");
    assert_eq!(all["Items"][0]["AutoDeployed"], true);
    let stage = world.ask("apigatewayv2", "GetStage", json!({ "ApiId": api, "StageName": "$default" })).await.unwrap();
    assert_eq!(stage["DeploymentId"], all["Items"][0]["DeploymentId"]);
}

#[tokio::test]
async fn a_target_makes_route_integration_and_stage() {
    let world = World::new(|_| Ok(Value::Null)).await;
    let input = json!({ "Name": "a", "ProtocolType": "HTTP", "Target": function_uri() });
    let api = world.make("CreateApi", input, "ApiId").await;
    let routes = world.ask("apigatewayv2", "GetRoutes", json!({ "ApiId": api })).await.unwrap();
    assert_eq!(routes["Items"][0]["RouteKey"], "$default");
    let stages = world.ask("apigatewayv2", "GetStages", json!({ "ApiId": api })).await.unwrap();
    assert_eq!(
        (&stages["Items"][0]["StageName"], &stages["Items"][0]["AutoDeploy"]),
        (&"$default".into(), &true.into())
    );
}

#[tokio::test]
async fn listings_come_in_pages() {
    let world = World::new(|_| Ok(Value::Null)).await;
    for _ in 0..5 {
        http_api(&world).await;
    }
    let (mut token, mut found, mut pages) = (Value::Null, Vec::new(), 0);
    loop {
        let input = json!({ "MaxResults": "2", "NextToken": token });
        let page = world.ask("apigatewayv2", "GetApis", input).await.unwrap();
        found.extend(page["Items"].as_array().unwrap().iter().map(|api| api["ApiId"].clone()));
        pages += 1;
        token = page["NextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    found.dedup();
    assert_eq!((found.len(), pages), (5, 3));
    let refused = world.ask("apigatewayv2", "GetApis", json!({ "NextToken": "zz" })).await.unwrap_err();
    assert_eq!(refused.code(), "BadRequestException");
}

#[tokio::test]
async fn what_cannot_be_served_is_refused_when_it_is_made() {
    let world = World::new(|_| Ok(Value::Null)).await;
    let input = json!({ "Name": "w", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action" });
    let api = world.make("CreateApi", input, "ApiId").await;
    let refused = |input: Value| world.ask("apigatewayv2", "CreateIntegration", input);
    let error = refused(json!({ "ApiId": api, "IntegrationType": "AWS", "IntegrationUri": "x" })).await.unwrap_err();
    assert_eq!((error.status(), error.code()), (501, "NotImplemented"));
    let error =
        refused(json!({ "ApiId": api, "IntegrationType": "AWS_PROXY", "IntegrationUri": "x" })).await.unwrap_err();
    assert_eq!(error.code(), "BadRequestException");
    let key = json!({ "ApiId": api, "RouteKey": "$connect" });
    world.ask("apigatewayv2", "CreateRoute", key.clone()).await.unwrap();
    assert_eq!(world.ask("apigatewayv2", "CreateRoute", key).await.unwrap_err().code(), "ConflictException");
}

#[tokio::test]
async fn a_document_describes_routes_integrations_and_authorizers() {
    let world = World::new(|_| Ok(Value::Null)).await;
    let body = format!(
        r##"
openapi: 3.0.1
info: {{ title: Pets, version: "1.0" }}
x-amazon-apigateway-cors: {{ allowOrigins: ["https://a.example"], maxAge: 60 }}
components:
  securitySchemes:
    auth:
      type: apiKey
      name: Authorization
      in: header
      x-amazon-apigateway-authorizer:
        type: request
        identitySource: "$request.header.Authorization"
        authorizerUri: {uri}
        authorizerPayloadFormatVersion: "2.0"
        enableSimpleResponses: true
  x-amazon-apigateway-integrations:
    f: {{ type: aws_proxy, uri: {uri}, payloadFormatVersion: "2.0" }}
paths:
  /pets/{{id}}:
    get:
      security: [{{ auth: [] }}]
      x-amazon-apigateway-integration: {{ $ref: "#/components/x-amazon-apigateway-integrations/f" }}
  /$default:
    x-amazon-apigateway-any-method:
      isDefaultRoute: true
      x-amazon-apigateway-integration: {{ type: http_proxy, httpMethod: ANY, uri: "http://localhost:1/" }}
"##,
        uri = function_uri()
    );
    let api = world.make("ImportApi", json!({ "Body": body }), "ApiId").await;
    let routes = world.ask("apigatewayv2", "GetRoutes", json!({ "ApiId": api })).await.unwrap();
    let mut keys: Vec<(&str, &str)> = routes["Items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|route| (route["RouteKey"].as_str().unwrap(), route["AuthorizationType"].as_str().unwrap()))
        .collect();
    keys.sort_unstable();
    assert_eq!(keys, [("$default", "NONE"), ("GET /pets/{id}", "CUSTOM")]);
    let made = world.ask("apigatewayv2", "GetApi", json!({ "ApiId": api })).await.unwrap();
    assert_eq!(made["CorsConfiguration"]["MaxAge"], 60);
    assert!(world.ask("apigatewayv2", "ImportApi", json!({ "Body": "openapi: 2.0" })).await.is_err());
}
