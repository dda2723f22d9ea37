//! Integrations: events and answers of functions, mappings, servers outside, limits.

use std::time::Duration;

use serde_json::{Value, json};

use super::{any, api, at, proxy, said, send};
use crate::apigatewayv2::tests::{World, function_uri};

/// An answer for each path.
fn by_path(event: &Value) -> Result<Value, &'static str> {
    Ok(match event["path"].as_str().unwrap_or_default() {
        "/text" => json!({"statusCode": "201", "headers": {"X-One": "1"}, "multiValueHeaders": {"X-Two": ["a", "b"]},
            "body": "made"}),
        "/bytes" => json!({"statusCode": 200, "headers": {"Content-Type": "image/png"}, "body": "AP8=",
            "isBase64Encoded": true}),
        "/none" => json!({}),
        "/extra" => json!({"statusCode": 200, "more": 1}),
        "/object" => json!({"statusCode": 200, "body": {"a": 1}}),
        "/status" => json!({"statusCode": "many"}),
        "/array" => json!([200]),
        "/null" => Value::Null,
        "/fails" => return Err("Broken"),
        _ => json!({"statusCode": 200, "body": event.to_string()}),
    })
}

#[tokio::test]
async fn the_event_of_a_proxy_is_of_format_1() {
    let world = World::new(by_path).await;
    let id = api(&world, json!({"/pets/{id}/{rest+}": proxy()}), json!({})).await;
    let request = at(&id, "PUT", "/pets/a%20b/c/d?x=1&x=2&y=3").header("x-a", "1").header("x-a", "2");
    let answer = send(&world, request.header("content-type", "text/plain"), "hello").await;
    assert_eq!(answer.status(), 200);
    let event = world.take_events().pop().unwrap();
    let members: Vec<&String> = event.as_object().unwrap().keys().collect();
    let expected = [
        "resource",
        "path",
        "httpMethod",
        "headers",
        "multiValueHeaders",
        "queryStringParameters",
        "multiValueQueryStringParameters",
        "pathParameters",
        "stageVariables",
        "requestContext",
        "body",
        "isBase64Encoded",
    ];
    assert_eq!(members, expected);
    assert_eq!((&event["resource"], &event["httpMethod"]), (&"/pets/{id}/{rest+}".into(), &"PUT".into()));
    assert_eq!(event["path"], "/pets/a%20b/c/d");
    assert_eq!((&event["headers"]["X-A"], &event["multiValueHeaders"]["X-A"]), (&"2".into(), &json!(["1", "2"])));
    assert_eq!(event["queryStringParameters"], json!({"x": "2", "y": "3"}));
    assert_eq!(event["multiValueQueryStringParameters"], json!({"x": ["1", "2"], "y": ["3"]}));
    assert_eq!(event["pathParameters"]["rest"], "c/d");
    assert_eq!(event["stageVariables"], json!({"colour": "red"}));
    assert_eq!((&event["body"], &event["isBase64Encoded"]), (&"hello".into(), &false.into()));
    let context = &event["requestContext"];
    assert_eq!((&context["stage"], &context["path"]), (&"dev".into(), &"/dev/pets/a%20b/c/d".into()));
    assert_eq!((&context["apiId"], &context["resourcePath"]), (&id.as_str().into(), &"/pets/{id}/{rest+}".into()));
    assert_eq!(context["identity"]["sourceIp"], "127.0.0.1");
    assert_eq!(context["requestId"], answer.headers()["x-amzn-requestid"].to_str().unwrap());
}

#[tokio::test]
async fn what_is_absent_from_a_request_is_null_in_its_event() {
    let world = World::new(by_path).await;
    let id = api(&world, json!({"/": proxy()}), json!({})).await;
    send(&world, at(&id, "GET", ""), "").await;
    let event = world.take_events().pop().unwrap();
    for member in ["queryStringParameters", "multiValueQueryStringParameters", "pathParameters", "body"] {
        assert_eq!(event[member], Value::Null, "{member}");
    }
}

#[tokio::test]
async fn an_answer_that_is_not_formed_as_one_is_502() {
    let world = World::new(by_path).await;
    let id = api(&world, json!({"/{proxy+}": proxy()}), json!({})).await;
    let answer = send(&world, at(&id, "GET", "/text"), "").await;
    assert_eq!(said(&answer), (201, "made"));
    assert_eq!(answer.headers()["x-one"], "1");
    let two: Vec<_> = answer.headers().get_all("x-two").iter().collect();
    assert_eq!(two, ["a", "b"]);
    assert_eq!(said(&send(&world, at(&id, "GET", "/none"), "").await), (200, ""));
    for path in ["/extra", "/object", "/status", "/array", "/null", "/fails"] {
        let answer = send(&world, at(&id, "GET", path), "").await;
        assert_eq!(said(&answer), (502, r#"{"message": "Internal server error"}"#), "{path}");
        assert_eq!(answer.headers()["x-amzn-errortype"], "InternalServerErrorException", "{path}");
    }
}

#[tokio::test]
async fn binary_media_types_make_bytes_of_base64_and_back() {
    let world = World::new(by_path).await;
    let paths = json!({"/{proxy+}": proxy()});
    let plain = api(&world, paths.clone(), json!({})).await;
    let png = |id: &str| at(id, "POST", "/bytes").header("content-type", "image/png").header("accept", "image/png");
    assert_eq!(said(&send(&world, png(&plain), "x").await), (200, "AP8="));
    let types = json!({"x-amazon-apigateway-binary-media-types": ["image/*"]});
    let binary = api(&world, paths, types).await;
    world.take_events();
    let answer = send(&world, png(&binary), vec![0u8, 255]).await;
    assert_eq!(&answer.body()[..], [0, 255]);
    let event = world.take_events().pop().unwrap();
    assert_eq!((&event["body"], &event["isBase64Encoded"]), (&"AP8=".into(), &true.into()));
}

#[tokio::test]
async fn an_integration_has_29_seconds() {
    let world = World::new(by_path).await;
    let id = api(&world, json!({"/{proxy+}": proxy()}), json!({})).await;
    let before = world.cloud.now();
    let answer = send(&world, at(&id, "POST", "/x"), r#"{"sleep": 40}"#).await;
    assert_eq!(said(&answer), (504, r#"{"message": "Endpoint request timed out"}"#));
    let took = world.cloud.now().since(before);
    assert!(took >= Duration::from_secs(29) && took < Duration::from_secs(30), "{took:?}");
    assert_eq!(send(&world, at(&id, "POST", "/x"), r#"{"sleep": 20}"#).await.status(), 200);
}

#[tokio::test]
async fn a_payload_has_10_mb() {
    let world = World::new(|_| Ok(json!({"statusCode": 200}))).await;
    let id = api(&world, json!({"/{proxy+}": super::mock()}), json!({})).await;
    let most = super::super::PAYLOAD_LIMIT;
    let text = |length: usize| at(&id, "POST", "/x").header("x-length", length.to_string());
    assert_eq!(send(&world, text(most), vec![b'a'; most]).await.status(), 200);
    let answer = send(&world, text(most + 1), vec![b'a'; most + 1]).await;
    assert_eq!(said(&answer), (413, r#"{"message":"Request Too Long"}"#));
}

#[tokio::test]
async fn templates_map_a_request_and_its_answer() {
    let world = World::new(|event| match event["name"].as_str() {
        Some("rex") => Ok(json!({"got": event})),
        _ => Err("NotFound: no such pet"),
    })
    .await;
    let request = r##"#set($in = $input.path('$'))
{"name": "$in.pet.name", "none": "$!in.none", "stage": "$context.stage", "colour": "$stageVariables.colour",
 "tags": [#foreach($tag in $in.tags)"$util.escapeJavaScript($tag)"#if($foreach.hasNext), #end#end],
 "q": "$input.params('q')", "all": $input.json('$.pet')}"##;
    let id = api(
        &world,
        json!({"/x": any(json!({
            "type": "aws", "httpMethod": "POST", "uri": function_uri(), "requestTemplates": {"application/json": request},
            "passthroughBehavior": "never",
            "responses": {
                "default": {"statusCode": "200", "responseTemplates": {"application/json": "$input.json('$.got')"},
                    "responseParameters": {}},
                ".*": {"statusCode": "404", "responseTemplates": {"application/json": "$input.path('$.errorType')"}},
            },
        }))}),
        json!({}),
    )
    .await;
    let body = r#"{"pet": {"name": "rex"}, "tags": ["a", "b\"c"]}"#;
    let answer = send(&world, at(&id, "POST", "/x?q=1").header("content-type", "application/json"), body).await;
    assert_eq!(answer.status(), 200, "{answer:?}");
    let got: Value = serde_json::from_slice(answer.body()).unwrap();
    let expected = json!({"name": "rex", "none": "", "stage": "dev", "colour": "red", "tags": ["a", "b\"c"], "q": "1",
        "all": {"name": "rex"}});
    assert_eq!(got, expected);
    let answer = send(&world, at(&id, "POST", "/x").header("content-type", "text/plain"), "x").await;
    assert_eq!(said(&answer), (415, r#"{"message": "Unsupported Media Type"}"#));
}

#[tokio::test]
async fn an_unknown_directive_of_a_template_fails_loudly() {
    let world = World::new(by_path).await;
    let template = json!({"application/json": "#parse('x'){\"statusCode\": 200}"});
    let integration =
        json!({"type": "mock", "requestTemplates": template, "responses": {"default": {"statusCode": "200"}}});
    let id = api(&world, json!({"/x": any(integration)}), json!({})).await;
    let answer = send(&world, at(&id, "GET", "/x"), "").await;
    assert_eq!(said(&answer), (500, r#"{"message": "Internal server error"}"#));
}

#[tokio::test]
async fn an_integration_calls_another_service() {
    let world = World::new(by_path).await;
    let queue = world.ask("sqs", "CreateQueue", json!({"QueueName": "q"})).await.unwrap();
    let role = json!({"RoleName": "gateway", "AssumeRolePolicyDocument": json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "apigateway.amazonaws.com"}, "Action": "sts:AssumeRole"}]}).to_string()});
    world.ask("iam", "CreateRole", role).await.unwrap();
    let id = api(
        &world,
        json!({"/x": any(json!({
            "type": "aws", "httpMethod": "POST", "uri": "arn:aws:apigateway:us-east-1:sqs:path/123456789012/q",
            "credentials": "arn:aws:iam::123456789012:role/gateway",
            "requestParameters": {"integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"},
            "requestTemplates": {"application/json": "Action=SendMessage&MessageBody=$util.urlEncode($input.body)"},
            "responses": {"2\\d\\d": {"statusCode": "200", "responseTemplates": {"application/json": "sent"}}},
        }))}),
        json!({}),
    )
    .await;
    let request = at(&id, "POST", "/x").header("content-type", "application/json");
    assert_eq!(said(&send(&world, request, r#"{"a": "b&c"}"#).await), (200, "sent"));
    let got = world.ask("sqs", "ReceiveMessage", json!({"QueueUrl": queue["QueueUrl"]})).await.unwrap();
    assert_eq!(got["Messages"][0]["Body"], r#"{"a": "b&c"}"#);
}

#[tokio::test]
async fn http_integrations_reach_what_is_allowed_and_nothing_else() {
    let world = World::new(by_path).await;
    let _sink = world.cloud.sink("pets", vec![]).await;
    let http = |kind: &str, uri: &str| {
        any(json!({"type": kind, "httpMethod": "POST", "uri": uri,
        "requestParameters": {"integration.request.path.id": "method.request.path.id"},
        "responses": {"default": {"statusCode": "202", "responseTemplates": {"application/json": "mapped $input.body"}}}}))
    };
    let paths = json!({
        "/proxy/{id}": http("http_proxy", "http://pets.sink.localhost/{id}"),
        "/mapped/{id}": http("http", "http://pets.sink.localhost/{id}"),
        "/outside/{id}": http("http_proxy", "http://169.254.169.254/latest/{id}"),
        "/tls/{id}": http("http_proxy", "https://example.com/{id}"),
    });
    let id = api(&world, paths, json!({})).await;
    assert_eq!(said(&send(&world, at(&id, "POST", "/proxy/7"), r#"{"a": 1}"#).await), (200, "ok"));
    assert_eq!(said(&send(&world, at(&id, "POST", "/mapped/7"), r#"{"a": 2}"#).await), (202, "mapped ok"));
    let bodies: Vec<Value> = world.cloud.sink_requests("pets").into_iter().map(|request| request.body).collect();
    assert_eq!(bodies, [json!({"a": 1}), json!({"a": 2})]);
    for (path, host) in [("/outside/7", "169.254.169.254"), ("/tls/7", "example.com")] {
        let answer = send(&world, at(&id, "POST", path), "{}").await;
        let (status, body) = said(&answer);
        assert!(status == 501 && body.contains(host), "{status} {body}");
    }
}
