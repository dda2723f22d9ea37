//! Tests of the data plane, with clients that have no socket.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use serde_json::{Value, json};

use super::client::{NotConnected, VirtualClient};
use crate::apigatewayv2::tests::{ACCOUNT, World, function_uri};
use crate::cloud::{Call, Caller};

/// A WebSocket API with the routes `$connect` (with an authorizer), `$disconnect`, `$default`, `echo` (two-way) and `sleep`, all of
/// them to the function `f`; deployed on the stage `prod`.
async fn api(world: &World) -> String {
    let input = json!({ "Name": "w", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action" });
    let api = world.make("CreateApi", input, "ApiId").await;
    let input = json!({ "ApiId": api, "IntegrationType": "AWS_PROXY", "IntegrationUri": function_uri() });
    let integration = world.make("CreateIntegration", input, "IntegrationId").await;
    let input = json!({
        "ApiId": api, "AuthorizerType": "REQUEST", "Name": "auth", "AuthorizerUri": function_uri(),
        "IdentitySource": ["route.request.querystring.token"],
    });
    let authorizer = world.make("CreateAuthorizer", input, "AuthorizerId").await;
    for key in ["$connect", "$disconnect", "$default", "echo", "sleep"] {
        let mut input = json!({ "ApiId": api, "RouteKey": key, "Target": format!("integrations/{integration}") });
        match key {
            "$connect" => {
                input["AuthorizationType"] = "CUSTOM".into();
                input["AuthorizerId"] = authorizer.clone().into();
            }
            "echo" => input["RouteResponseSelectionExpression"] = "$default".into(),
            _ => {}
        }
        let route = world.make("CreateRoute", input, "RouteId").await;
        if key == "echo" {
            let input = json!({ "ApiId": api, "RouteId": route, "RouteResponseKey": "$default" });
            world.make("CreateRouteResponse", input, "RouteResponseId").await;
        }
    }
    let stage = json!({ "ApiId": api, "StageName": "prod", "StageVariables": { "v": "1" } });
    world.ask("apigatewayv2", "CreateStage", stage).await.unwrap();
    world.make("CreateDeployment", json!({ "ApiId": api, "StageName": "prod" }), "DeploymentId").await;
    api
}

fn answers(event: &Value) -> Result<Value, &'static str> {
    if event["type"] == "REQUEST" {
        let token = event["queryStringParameters"]["token"].as_str().unwrap_or_default();
        let effect = match token {
            "good" | "nobody" | "broken" => "Allow",
            "error" => return Err("Error"),
            _ => "Deny",
        };
        let statement = json!({ "Effect": effect, "Action": "execute-api:Invoke", "Resource": event["methodArn"] });
        let policy = json!({ "Version": "2012-10-17", "Statement": [statement] });
        return Ok(json!({ "principalId": token, "policyDocument": policy, "context": { "n": 1 } }));
    }
    let who = &event["requestContext"]["authorizer"]["principalId"];
    match event["requestContext"]["eventType"].as_str() {
        Some("CONNECT") if who == "nobody" => Ok(json!({ "statusCode": 401 })),
        Some("CONNECT") if who == "broken" => Err("Error"),
        Some("MESSAGE") if event["body"].as_str().unwrap_or_default().contains("fail") => Err("Error"),
        Some("MESSAGE") => Ok(json!({ "statusCode": 200, "body": event["body"] })),
        _ => Ok(json!({ "statusCode": 200 })),
    }
}

async fn connect(world: &World, api: &str, token: &str) -> Result<VirtualClient, NotConnected> {
    let url = format!("wss://{api}.execute-api.us-east-1.amazonaws.com/prod?token={token}");
    VirtualClient::connect(&world.cloud, &url).await
}

async fn manage(world: &World, operation: &str, id: &str, body: &str) -> crate::Result<Value> {
    let input = json!({ "ConnectionId": id });
    let scope = world.cloud.scope().clone();
    let call = Call::new("apigatewaymanagementapi", operation, Caller::root(ACCOUNT), scope, input);
    world.cloud.call(call.with_body(body.to_owned())).await.map(|reply| reply.output)
}

fn received(world: &World, client: &VirtualClient) -> Value {
    client.receive(&world.cloud).map_or(Value::Null, |text| serde_json::from_str(&text).unwrap())
}

fn id_of(event: &Value) -> String {
    event["requestContext"]["connectionId"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn events_are_as_at_aws() {
    let world = World::new(answers).await;
    let api = api(&world).await;
    let client = connect(&world, &api, "good").await.unwrap();
    let events = world.take_events();
    let [authorization, opened] = events.as_slice() else { panic!("{events:?}") };
    let arn = format!("arn:aws:execute-api:us-east-1:{ACCOUNT}:{api}/prod/$connect");
    assert_eq!(authorization["methodArn"], arn);
    let context = &opened["requestContext"];
    let expected = json!({
        "routeKey": "$connect", "authorizer": { "n": "1", "principalId": "good" }, "eventType": "CONNECT",
        "extendedRequestId": context["requestId"], "requestTime": "01/Jan/2026:00:00:00 +0000", "messageDirection": "IN",
        "stage": "prod", "connectedAt": 1_767_225_600_000_u64, "requestTimeEpoch": 1_767_225_600_000_u64,
        "identity": { "sourceIp": "127.0.0.1", "userAgent": "garoa-scenario" }, "requestId": context["requestId"],
        "domainName": format!("{api}.execute-api.us-east-1.amazonaws.com"), "connectionId": context["connectionId"],
        "apiId": api,
    });
    assert_eq!(*context, expected);
    assert_eq!(opened["queryStringParameters"], json!({ "token": "good" }));
    assert_eq!(opened["stageVariables"], json!({ "v": "1" }));
    assert_eq!(opened["multiValueHeaders"]["Sec-WebSocket-Version"], json!(["13"]));

    client.send(&world.cloud, r#"{"action":"unknown"}"#).await;
    let message = world.take_events().pop().unwrap();
    let context = &message["requestContext"];
    assert_eq!((&context["routeKey"], &context["eventType"]), (&"$default".into(), &"MESSAGE".into()));
    assert!(context["messageId"].is_string() && message.get("headers").is_none(), "{message}");
    assert_eq!(message["body"], r#"{"action":"unknown"}"#);
    // The route has no response.
    assert_eq!(received(&world, &client), Value::Null);

    client.close(&world.cloud);
    world.cloud.settle().await.unwrap();
    let gone = world.take_events().pop().unwrap();
    let context = &gone["requestContext"];
    assert_eq!((&context["eventType"], &context["disconnectStatusCode"]), (&"DISCONNECT".into(), &1005.into()));
    assert_eq!(context["disconnectReason"], "Client-side close frame status not set");
    assert_eq!(manage(&world, "PostToConnection", &id_of(&gone), "x").await.unwrap_err().code(), "GoneException");
}

#[tokio::test]
async fn who_may_not_connect_is_told_so() {
    let world = World::new(answers).await;
    let api = api(&world).await;
    for (token, status) in [("bad", 403), ("error", 500), ("", 401), ("nobody", 401), ("broken", 502)] {
        match connect(&world, &api, token).await {
            Err(NotConnected::Refused(told, body)) => {
                assert_eq!(told, status, "{token}");
                assert!(body.contains("connectionId"), "{body}");
            }
            other => panic!("{token}: {:?}", other.err()),
        }
    }
    let url = format!("wss://{api}.execute-api.us-east-1.amazonaws.com/other?token=good");
    assert!(matches!(VirtualClient::connect(&world.cloud, &url).await, Err(NotConnected::Refused(403, _))));
    let url = "wss://nothing.execute-api.us-east-1.amazonaws.com/prod";
    assert!(matches!(VirtualClient::connect(&world.cloud, url).await, Err(NotConnected::NoApi(_))));
}

#[tokio::test]
async fn a_route_that_requires_a_key_is_closed() {
    let world = World::new(answers).await;
    let api = api(&world).await;
    let client = connect(&world, &api, "good").await.unwrap();
    let routes = world.ask("apigatewayv2", "GetRoutes", json!({ "ApiId": api })).await.unwrap();
    let of = |key: &str| routes["Items"].as_array().unwrap().iter().find(|route| route["RouteKey"] == key).unwrap();
    for key in ["echo", "$connect"] {
        let input = json!({ "ApiId": api, "RouteId": of(key)["RouteId"], "ApiKeyRequired": true });
        world.ask("apigatewayv2", "UpdateRoute", input).await.unwrap();
    }
    world.make("CreateDeployment", json!({ "ApiId": api, "StageName": "prod" }), "DeploymentId").await;
    client.send(&world.cloud, r#"{"action":"echo"}"#).await;
    assert_eq!(received(&world, &client)["message"], "Forbidden");
    assert!(matches!(connect(&world, &api, "good").await, Err(NotConnected::Refused(403, _))));
}

#[tokio::test]
async fn routes_answer_and_errors_are_told() {
    let world = World::new(answers).await;
    let api = api(&world).await;
    let client = connect(&world, &api, "good").await.unwrap();
    client.send(&world.cloud, r#"{"action":"echo","x":1}"#).await;
    assert_eq!(received(&world, &client), json!({ "action": "echo", "x": 1 }));
    client.send(&world.cloud, r#"{"action":"echo","fail":1}"#).await;
    let told = received(&world, &client);
    assert_eq!(told["message"], "Internal server error");
    assert!(told["connectionId"].is_string() && told["requestId"].is_string());
    let before = world.cloud.now();
    client.send(&world.cloud, r#"{"action":"sleep","sleep":40}"#).await;
    assert_eq!(received(&world, &client)["message"], "Endpoint request timed out");
    assert_eq!(world.cloud.now().since(before), Duration::from_secs(29));
}

#[tokio::test]
async fn connections_are_managed() {
    let world = World::new(answers).await;
    let api = api(&world).await;
    let client = connect(&world, &api, "good").await.unwrap();
    let id = id_of(&world.take_events()[1]);
    manage(&world, "PostToConnection", &id, r#"{"hello":1}"#).await.unwrap();
    assert_eq!(received(&world, &client), json!({ "hello": 1 }));
    assert_eq!(manage(&world, "GetConnection", &id, "").await.unwrap()["Identity"]["UserAgent"], "garoa-scenario");
    let large = "x".repeat(128 * 1024 + 1);
    assert_eq!(manage(&world, "PostToConnection", &id, &large).await.unwrap_err().code(), "PayloadTooLargeException");
    // A client that does not read is not written to without end.
    let mut posted = 0;
    let refused = loop {
        match manage(&world, "PostToConnection", &id, &large[..100_000]).await {
            Ok(_) => posted += 1,
            Err(error) => break error,
        }
    };
    assert_eq!((posted, refused.code()), (10, "LimitExceededException"));
    manage(&world, "DeleteConnection", &id, "").await.unwrap();
    assert_eq!(client.closed(&world.cloud).unwrap().code, 1000);
    assert_eq!(manage(&world, "GetConnection", &id, "").await.unwrap_err().status(), 410);
}

#[tokio::test]
async fn an_idle_connection_and_an_old_one_are_closed() {
    let world = World::new(answers).await;
    let api = api(&world).await;
    let (idle, busy) = (connect(&world, &api, "good").await.unwrap(), connect(&world, &api, "good").await.unwrap());
    let gone = connect(&world, &api, "good").await.unwrap();
    gone.vanish(&world.cloud);
    world.take_events();
    for minute in 1..=13 {
        world.cloud.advance(Duration::from_secs(9 * 60)).await.unwrap();
        busy.send(&world.cloud, r#"{"action":"echo"}"#).await;
        assert_eq!(idle.connected_at(&world.cloud).is_some(), minute == 1);
        assert!(busy.connected_at(&world.cloud).is_some(), "{minute}");
    }
    assert_eq!(idle.closed(&world.cloud).unwrap().code, 1001);
    world.cloud.advance(Duration::from_secs(4 * 60)).await.unwrap();
    assert_eq!(busy.closed(&world.cloud).unwrap().code, 1001);
    let codes: Vec<Value> = world
        .take_events()
        .iter()
        .filter(|event| event["requestContext"]["eventType"] == "DISCONNECT")
        .map(|event| event["requestContext"]["disconnectStatusCode"].clone())
        .collect();
    let mut sorted: Vec<u64> = codes.iter().filter_map(Value::as_u64).collect();
    sorted.sort_unstable();
    assert_eq!(sorted, [1001, 1001, 1006]);
}

#[tokio::test]
async fn what_is_written_to_a_client_that_vanished_comes_back() {
    let world = World::new(answers).await;
    let api = api(&world).await;
    let client = connect(&world, &api, "good").await.unwrap();
    let id = id_of(&world.take_events()[1]);
    client.vanish(&world.cloud);
    world.cloud.settle().await.unwrap();
    assert!(world.take_events().is_empty());
    assert_eq!(manage(&world, "PostToConnection", &id, "x").await.unwrap_err().status(), 410);
}

#[tokio::test]
async fn a_thousand_connections_take_a_broadcast() {
    let world = World::new(answers).await;
    let api = api(&world).await;
    let mut clients = Vec::new();
    for _ in 0..1000 {
        clients.push(connect(&world, &api, "good").await.unwrap());
    }
    let ids: Vec<String> = world.take_events().iter().filter(|event| event["type"] != "REQUEST").map(id_of).collect();
    assert_eq!(ids.len(), 1000);
    for id in &ids {
        manage(&world, "PostToConnection", id, "{}").await.unwrap();
    }
    assert!(clients.iter().all(|client| client.receive(&world.cloud).is_some()));
}
