//! Tests of the data plane, from bytes to bytes.
#![allow(clippy::unwrap_used)]

use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};

use crate::apigatewayv2::tests::{World, function_uri};
use crate::cloud::Entry;

async fn send(world: &World, request: http::request::Builder, body: &str) -> Response<Bytes> {
    let entry = Entry { invocation: None, source_ip: None };
    world.cloud.0.http(request.body(Bytes::from(body.to_owned())).unwrap(), &entry).await.unwrap()
}

fn at(api: &str, method: &str, path: &str) -> http::request::Builder {
    Request::builder().method(method).uri(path).header("host", format!("{api}.execute-api.localhost:4566"))
}

/// An HTTP API with these routes to the function `f` in a payload format, on the `$default` stage.
async fn api(world: &World, format: &str, keys: &[&str], more: Value) -> String {
    let mut input = json!({ "Name": "a", "ProtocolType": "HTTP" });
    input.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    let api = world.make("CreateApi", input, "ApiId").await;
    let input = json!({
        "ApiId": api, "IntegrationType": "AWS_PROXY", "IntegrationUri": function_uri(), "PayloadFormatVersion": format,
    });
    let integration = world.make("CreateIntegration", input, "IntegrationId").await;
    for key in keys {
        let input = json!({ "ApiId": api, "RouteKey": key, "Target": format!("integrations/{integration}") });
        world.make("CreateRoute", input, "RouteId").await;
    }
    let stage = json!({ "ApiId": api, "StageName": "$default", "AutoDeploy": true });
    world.ask("apigatewayv2", "CreateStage", stage).await.unwrap();
    api
}

fn echo(event: &Value) -> Result<Value, &'static str> {
    match event["type"].as_str() {
        Some("REQUEST") => Ok(json!({
            "isAuthorized": event["identitySource"] == json!(["good"]), "context": { "who": "alice" },
        })),
        _ if event["rawPath"] == "/fail" => Err("Error"),
        _ => Ok(json!({ "seen": event["requestContext"]["authorizer"] })),
    }
}

#[tokio::test]
async fn an_event_of_format_2_and_an_inferred_answer() {
    let world = World::new(echo).await;
    let api = api(&world, "2.0", &["GET /pets/{id}", "GET /fail"], json!({})).await;
    let request = at(&api, "GET", "/pets/a%20b?x=1&x=2&y=3").header("cookie", "k=v; l=w").header("x-a", "1");
    let answer = send(&world, request, "").await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "application/json");
    let event = world.take_events().pop().unwrap();
    assert_eq!((&event["version"], &event["rawPath"]), (&"2.0".into(), &"/pets/a b".into()));
    assert_eq!(event["rawQueryString"], "x=1&x=2&y=3");
    assert_eq!(event["cookies"], json!(["k=v", "l=w"]));
    assert_eq!(event["queryStringParameters"], json!({ "x": "1,2", "y": "3" }));
    assert_eq!(event["pathParameters"], json!({ "id": "a b" }));
    assert_eq!(event["requestContext"]["routeKey"], "GET /pets/{id}");
    assert_eq!(event["requestContext"]["stage"], "$default");
    assert_eq!(event["headers"]["x-a"], "1");
    assert!(event.get("body").is_none() && event["isBase64Encoded"] == false);
    assert_eq!(send(&world, at(&api, "GET", "/fail"), "").await.status(), 500);
    let missing = send(&world, at(&api, "POST", "/pets/1"), "").await;
    assert_eq!((missing.status().as_u16(), &missing.body()[..]), (404, &br#"{"message":"Not Found"}"#[..]));
}

#[tokio::test]
async fn an_event_of_format_1_wants_a_status() {
    let world = World::new(|event| match event["httpMethod"].as_str() {
        Some("GET") => Ok(json!({ "statusCode": 201, "body": "made" })),
        _ => Ok(json!({ "no": "status" })),
    })
    .await;
    let api = api(&world, "1.0", &["ANY /{proxy+}"], json!({})).await;
    let answer = send(&world, at(&api, "GET", "/a/b"), "").await;
    assert_eq!((answer.status().as_u16(), &answer.body()[..]), (201, &b"made"[..]));
    let event = world.take_events().pop().unwrap();
    assert_eq!((&event["resource"], &event["path"]), (&"/{proxy+}".into(), &"/a/b".into()));
    assert_eq!(event["pathParameters"], json!({ "proxy": "a/b" }));
    assert_eq!(send(&world, at(&api, "POST", "/a"), "x").await.status(), 500);
}

#[tokio::test]
async fn preflights_are_answered_and_origins_stamped() {
    let world = World::new(echo).await;
    let cors = json!({ "AllowOrigins": ["https://a.example"], "AllowMethods": ["GET"], "MaxAge": 60 });
    let api = api(&world, "2.0", &["$default"], json!({ "CorsConfiguration": cors })).await;
    let preflight = |origin: &str| {
        at(&api, "OPTIONS", "/x").header("origin", origin).header("access-control-request-method", "GET")
    };
    let answer = send(&world, preflight("https://a.example"), "").await;
    assert_eq!(answer.status(), 204);
    assert_eq!(answer.headers()["access-control-allow-methods"], "GET");
    assert_eq!(answer.headers()["access-control-max-age"], "60");
    let other = send(&world, preflight("https://b.example"), "").await;
    assert!(!other.headers().contains_key("access-control-allow-origin"));
    assert!(world.take_events().is_empty());
    let answer = send(&world, at(&api, "GET", "/x").header("origin", "https://a.example"), "").await;
    assert_eq!(answer.headers()["access-control-allow-origin"], "https://a.example");
}

#[tokio::test]
async fn an_authorizer_with_simple_responses_decides() {
    let world = World::new(echo).await;
    let api = api(&world, "2.0", &["GET /x"], json!({})).await;
    let input = json!({
        "ApiId": api, "AuthorizerType": "REQUEST", "Name": "auth", "AuthorizerUri": function_uri(),
        "IdentitySource": ["$request.header.Authorization"], "AuthorizerPayloadFormatVersion": "2.0",
        "EnableSimpleResponses": true,
    });
    let authorizer = world.make("CreateAuthorizer", input, "AuthorizerId").await;
    let routes = world.ask("apigatewayv2", "GetRoutes", json!({ "ApiId": api })).await.unwrap();
    let input = json!({
        "ApiId": api, "RouteId": routes["Items"][0]["RouteId"], "AuthorizationType": "CUSTOM", "AuthorizerId": authorizer,
    });
    world.make("UpdateRoute", input, "RouteId").await;
    let with = |token: &str| at(&api, "GET", "/x").header("authorization", token);
    assert_eq!(send(&world, at(&api, "GET", "/x"), "").await.status(), 401);
    assert_eq!(send(&world, with("bad"), "").await.status(), 403);
    let answer = send(&world, with("good"), "").await;
    assert_eq!(answer.body(), r#"{"seen":{"lambda":{"who":"alice"}}}"#);
}
