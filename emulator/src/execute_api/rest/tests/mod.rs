//! Tests of REST APIs, from bytes to bytes.
#![allow(clippy::unwrap_used)]

mod access;
mod integrations;

use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};

use crate::apigatewayv2::tests::{ACCOUNT, World, function_uri};
use crate::cloud::{Call, Caller, Entry};

/// A request to the stage `dev` of an API.
fn at(api: &str, method: &str, path: &str) -> http::request::Builder {
    let uri = format!("/dev{path}");
    Request::builder().method(method).uri(uri).header("host", format!("{api}.execute-api.localhost:4566"))
}

async fn send(world: &World, request: http::request::Builder, body: impl Into<Bytes>) -> Response<Bytes> {
    let entry = Entry { invocation: None, source_ip: None };
    world.cloud.0.http(request.body(body.into()).unwrap(), &entry).await.unwrap()
}

/// Status and body of an answer.
fn said(answer: &Response<Bytes>) -> (u16, &str) {
    (answer.status().as_u16(), std::str::from_utf8(answer.body()).unwrap())
}

/// An API of these paths, with more of an OpenAPI document, deployed to `dev`.
async fn api(world: &World, paths: Value, more: Value) -> String {
    let mut document = json!({"openapi": "3.0.1", "info": {"title": "a", "version": "1"}, "paths": paths});
    document.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    let call = Call::new("apigateway", "ImportRestApi", Caller::root(ACCOUNT), world.cloud.scope().clone(), json!({}));
    let made = world.cloud.call(call.with_body(document.to_string())).await.unwrap().output;
    let id = made["id"].as_str().unwrap().to_owned();
    let input = json!({"restApiId": id, "stageName": "dev", "variables": {"colour": "red"}});
    world.ask("apigateway", "CreateDeployment", input).await.unwrap();
    id
}

/// A path whose every method is the function's.
fn proxy() -> Value {
    any(json!({"type": "aws_proxy", "httpMethod": "POST", "uri": function_uri()}))
}

/// A path whose every method has this integration.
fn any(integration: Value) -> Value {
    json!({"x-amazon-apigateway-any-method": {"x-amazon-apigateway-integration": integration}})
}

/// A path that answers 200 by itself.
fn mock() -> Value {
    any(json!({
        "type": "mock", "requestTemplates": {"application/json": "{\"statusCode\": 200}"},
        "responses": {"default": {"statusCode": "200", "responseTemplates": {"application/json": "fine"}}},
    }))
}
