//! Who may call a method and with what: authorizers, keys, validators; and how the gateway itself answers.

use std::time::Duration;

use serde_json::{Value, json};

use super::{api, at, mock, proxy, said, send};
use crate::apigatewayv2::tests::{World, function_uri};

/// An authorizer of a kind, and what it is named by in a document's `security`.
fn authorizer(kind: &str, source: &str, more: Value) -> Value {
    let mut settings = json!({"type": kind, "authorizerUri": function_uri(), "identitySource": source});
    settings.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    json!({"security": [{"guard": []}], "components": {"securitySchemes": {"guard": {
        "type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "custom",
        "x-amazon-apigateway-authorizer": settings,
    }}}})
}

/// Answers as an authorizer, or as a function behind one.
fn guard(event: &Value) -> Result<Value, &'static str> {
    let token = match event["type"].as_str() {
        Some("TOKEN") => event["authorizationToken"].as_str(),
        Some("REQUEST") => event["queryStringParameters"]["token"].as_str(),
        _ => return Ok(json!({"statusCode": 200, "body": event["requestContext"]["authorizer"].to_string()})),
    };
    let policy = |effect: &str| {
        json!({"Version": "2012-10-17", "Statement": [
        {"Action": "execute-api:Invoke", "Effect": effect, "Resource": event["methodArn"]}]})
    };
    Ok(match token.unwrap_or_default() {
        "allow" => json!({"principalId": "ana", "policyDocument": policy("Allow"), "context": {"level": 3}}),
        "deny" => json!({"principalId": "ana", "policyDocument": policy("Deny")}),
        "nested" => json!({"principalId": "ana", "policyDocument": policy("Allow"), "context": {"a": {"b": 1}}}),
        "nothing" => json!({}),
        _ => return Err("Broken"),
    })
}

#[tokio::test]
async fn a_token_authorizer_decides_and_its_answer_is_kept_for_a_time() {
    let world = World::new(guard).await;
    let more =
        authorizer("token", "", json!({"authorizerResultTtlInSeconds": 60, "identityValidationExpression": "[a-z]+"}));
    let id = api(&world, json!({"/x": proxy()}), more).await;
    let with = |token: &str| at(&id, "GET", "/x").header("authorization", token);
    let asked = |events: Vec<Value>| events.iter().filter(|event| event["type"] == "TOKEN").count();
    let answer = send(&world, with("allow"), "").await;
    let context: Value = serde_json::from_slice(answer.body()).unwrap();
    assert_eq!((&context["principalId"], &context["level"]), (&"ana".into(), &"3".into()), "{answer:?}");
    let event = world.take_events().remove(0);
    assert!(event["methodArn"].as_str().unwrap().ends_with(&format!(":{id}/dev/GET/x")), "{event}");
    assert_eq!(send(&world, with("allow"), "").await.status(), 200);
    assert_eq!(asked(world.take_events()), 0);
    world.cloud.advance(Duration::from_secs(61)).await.unwrap();
    assert_eq!(send(&world, with("allow"), "").await.status(), 200);
    assert_eq!(asked(world.take_events()), 1);
    let denied = send(&world, with("deny"), "").await;
    let text = r#"{"Message":"User is not authorized to access this resource with an explicit deny"}"#;
    assert_eq!(said(&denied), (403, text));
    for (token, status) in [("", 401), ("UPPER", 401), ("nested", 500), ("nothing", 500), ("fails", 500)] {
        assert_eq!(send(&world, with(token), "").await.status(), status, "{token}");
    }
    assert_eq!(said(&send(&world, at(&id, "GET", "/x"), "").await), (401, r#"{"message":"Unauthorized"}"#));
}

#[tokio::test]
async fn a_request_authorizer_sees_the_request_and_needs_its_sources() {
    let world = World::new(guard).await;
    let source = "method.request.querystring.token, method.request.header.X-Who";
    let id = api(&world, json!({"/x": proxy()}), authorizer("request", source, json!({}))).await;
    assert_eq!(send(&world, at(&id, "GET", "/x?token=allow"), "").await.status(), 401);
    assert!(world.take_events().is_empty());
    let whole = || at(&id, "GET", "/x?token=allow").header("x-who", "ana");
    assert_eq!(send(&world, whole(), "").await.status(), 200);
    let event = world.take_events().remove(0);
    assert_eq!((&event["type"], &event["headers"]["X-Who"]), (&"REQUEST".into(), &"ana".into()));
    assert!(event.get("body").is_none() && event["requestContext"]["resourcePath"] == "/x");
    // Another value of a source is another caller.
    send(&world, whole(), "").await;
    send(&world, at(&id, "GET", "/x?token=allow").header("x-who", "bea"), "").await;
    assert_eq!(world.take_events().iter().filter(|event| event["type"] == "REQUEST").count(), 1);
}

#[tokio::test]
async fn a_usage_plan_limits_rate_and_quota() {
    let world = World::new(guard).await;
    let more = json!({"security": [{"key": []}], "components": {"securitySchemes": {
        "key": {"type": "apiKey", "name": "x-api-key", "in": "header"}}}});
    let id = api(&world, json!({"/x": mock()}), more).await;
    let plan = json!({"name": "p", "apiStages": [{"apiId": id, "stage": "dev"}],
        "throttle": {"burstLimit": 1, "rateLimit": 1.0}, "quota": {"limit": 2, "period": "DAY"}});
    let plan = world.ask("apigateway", "CreateUsagePlan", plan).await.unwrap();
    let key = world.ask("apigateway", "CreateApiKey", json!({"name": "k", "enabled": true})).await.unwrap();
    let with = |key: &Value| at(&id, "GET", "/x").header("x-api-key", key["value"].as_str().unwrap());
    assert_eq!(said(&send(&world, with(&key), "").await), (403, r#"{"message":"Forbidden"}"#));
    let member = json!({"usagePlanId": plan["id"], "keyId": key["id"], "keyType": "API_KEY"});
    world.ask("apigateway", "CreateUsagePlanKey", member).await.unwrap();
    assert_eq!(send(&world, with(&key), "").await.status(), 200);
    assert_eq!(said(&send(&world, with(&key), "").await), (429, r#"{"message":"Too Many Requests"}"#));
    world.cloud.advance(Duration::from_secs(2)).await.unwrap();
    assert_eq!(send(&world, with(&key), "").await.status(), 200);
    world.cloud.advance(Duration::from_secs(2)).await.unwrap();
    assert_eq!(said(&send(&world, with(&key), "").await), (429, r#"{"message":"Limit Exceeded"}"#));
    world.cloud.advance(Duration::from_secs(24 * 60 * 60)).await.unwrap();
    assert_eq!(send(&world, with(&key), "").await.status(), 200);
}

#[tokio::test]
async fn a_validator_refuses_what_is_missing_or_not_as_its_model() {
    let world = World::new(guard).await;
    let mut path = mock();
    path["x-amazon-apigateway-any-method"].as_object_mut().unwrap().extend(
        json!({
            "parameters": [{"name": "q", "in": "query", "required": true}],
            "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}}},
            "x-amazon-apigateway-request-validator": "all",
        })
        .as_object()
        .cloned()
        .unwrap(),
    );
    let more = json!({
        "x-amazon-apigateway-request-validators": {"all": {"validateRequestBody": true, "validateRequestParameters": true}},
        "components": {"schemas": {"Pet": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}}},
    });
    let id = api(&world, json!({"/x": path}), more).await;
    let post = |path: &str| at(&id, "POST", path).header("content-type", "application/json");
    assert_eq!(send(&world, post("/x?q=1"), r#"{"name": "rex"}"#).await.status(), 200);
    let missing = r#"{"message": "Missing required request parameters: [q]"}"#;
    assert_eq!(said(&send(&world, post("/x"), r#"{"name": "rex"}"#).await), (400, missing));
    for body in [r#"{"name": 3}"#, "{}", "not JSON"] {
        let answer = send(&world, post("/x?q=1"), body).await;
        assert_eq!(said(&answer), (400, r#"{"message": "Invalid request body"}"#), "{body}");
        assert_eq!(answer.headers()["x-amzn-errortype"], "BadRequestException");
    }
}

#[tokio::test]
async fn gateway_responses_and_preflights_are_as_the_api_has_them() {
    let world = World::new(guard).await;
    let more = json!({"x-amazon-apigateway-gateway-responses": {"MISSING_AUTHENTICATION_TOKEN": {
        "statusCode": 404,
        "responseParameters": {"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"},
        "responseTemplates": {"application/json": "{\"gone\": $context.error.messageString, \"at\": \"$context.path\"}"},
    }}});
    let mut path = mock();
    path["options"] = json!({
        "responses": {"200": {"headers": {"Access-Control-Allow-Origin": {}, "Access-Control-Allow-Methods": {}}}},
        "x-amazon-apigateway-integration": {
            "type": "mock", "requestTemplates": {"application/json": "{statusCode: 200}"},
            "responses": {"default": {"statusCode": "200", "responseParameters": {
                "method.response.header.Access-Control-Allow-Origin": "'https://a.example'",
                "method.response.header.Access-Control-Allow-Methods": "'GET,OPTIONS'"}}},
        },
    });
    let id = api(&world, json!({"/x": path}), more).await;
    let answer = send(&world, at(&id, "GET", "/nowhere"), "").await;
    assert_eq!(said(&answer), (404, r#"{"gone": "Missing Authentication Token", "at": "/dev/nowhere"}"#));
    assert_eq!(answer.headers()["access-control-allow-origin"], "*");
    let answer = send(&world, at(&id, "OPTIONS", "/x").header("origin", "https://a.example"), "").await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["access-control-allow-origin"], "https://a.example");
    assert_eq!(answer.headers()["access-control-allow-methods"], "GET,OPTIONS");
}
