//! bucket-purge behind its API: whatever is asked without the right password, nothing is deleted.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use bytes::Bytes;
use garoa::cloud::{Call, Caller, Cloud};
use http::Request;
use proptest::prelude::*;
use serde_json::{Value, json};

const BUCKETS: [&str; 2] = ["apiparceiro", "apiparceiro-dados"];
/// Argon2id of `senha`, with little memory.
const HASH: &str = "$argon2id$v=19$m=8,t=1,p=1$yCODZfDJCXYfz2cbBhc9rA$nJPig8YQ3W/3uvsd09pBKQ2Q+W1fMTVNhdgx/pvbPdg";

async fn ask(cloud: &Cloud, service: &'static str, operation: &'static str, input: Value) -> Value {
    let call = Call::new(service, operation, Caller::root("123456789012"), cloud.scope().clone(), input);
    cloud.call(call).await.unwrap_or_else(|error| panic!("{operation}: {error}")).output
}

/// A cloud with the stack, objects in both buckets, and a second API without the proxy; the URLs of both.
async fn world() -> (Cloud, [String; 2]) {
    let code = garoa::lambda::handler(handlers::bucket_purge::service);
    let cloud = Cloud::builder().function("bucket-purge", code).build();
    let template = std::fs::read_to_string(scenarios::root().join("handlers/partner-data/template.yaml")).unwrap();
    let parameters = BTreeMap::from([("PurgePasswordHash".to_owned(), HASH.to_owned())]);
    let outputs = cloud.deploy("partner-data", &template, &parameters).await.unwrap();
    for bucket in BUCKETS {
        for key in ["a", "b", "a"] {
            ask(&cloud, "s3", "PutObject", json!({ "Bucket": bucket, "Key": key })).await;
        }
        ask(&cloud, "s3", "DeleteObject", json!({ "Bucket": bucket, "Key": "b" })).await;
    }
    let api = ask(&cloud, "apigateway", "CreateRestApi", json!({ "name": "by-hand" })).await["id"].clone();
    let root = ask(&cloud, "apigateway", "GetResources", json!({ "restApiId": api })).await["items"][0]["id"].clone();
    let method = |more: Value| {
        let mut input = json!({ "restApiId": api, "resourceId": root, "httpMethod": "POST" });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    let uri = format!(
        "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{}/invocations",
        outputs["BucketPurgeArn"]
    );
    let ok = || method(json!({ "statusCode": "200" }));
    ask(&cloud, "apigateway", "PutMethod", method(json!({ "authorizationType": "NONE" }))).await;
    let integration = method(json!({ "type": "AWS", "integrationHttpMethod": "POST", "uri": uri }));
    ask(&cloud, "apigateway", "PutIntegration", integration).await;
    ask(&cloud, "apigateway", "PutMethodResponse", ok()).await;
    ask(&cloud, "apigateway", "PutIntegrationResponse", ok()).await;
    ask(&cloud, "apigateway", "CreateDeployment", json!({ "restApiId": api, "stageName": "v1" })).await;
    let permission = json!({
        "FunctionName": "bucket-purge", "StatementId": "by-hand", "Action": "lambda:InvokeFunction",
        "Principal": "apigateway.amazonaws.com",
    });
    ask(&cloud, "lambda", "AddPermission", permission).await;
    let by_hand = format!("https://{}.execute-api.us-east-1.amazonaws.com/v1", api.as_str().unwrap());
    (cloud, [format!("{}/purge", outputs["AdminUrl"]), by_hand])
}

/// Every version and delete marker of both buckets.
async fn stock(cloud: &Cloud) -> Vec<Value> {
    let mut stock = Vec::new();
    for bucket in BUCKETS {
        let listed = ask(cloud, "s3", "ListObjectVersions", json!({ "Bucket": bucket })).await;
        stock.push(json!([listed["Versions"], listed["DeleteMarkers"]]));
    }
    stock
}

async fn post(cloud: &Cloud, url: &str, body: &str) -> (u16, String) {
    let request = Request::post(url).body(Bytes::from(body.to_owned())).unwrap();
    let answer = cloud.http(request).await.unwrap();
    (answer.status().as_u16(), String::from_utf8_lossy(answer.body()).into_owned())
}

/// Whatever is no right password: near misses, other types, nothing at all.
fn password() -> impl Strategy<Value = Value> {
    prop_oneof![
        ".{0,8}".prop_filter("that is the password", |text| text != "senha").prop_map(Value::from),
        prop::sample::select(vec![
            json!("Senha"),
            json!("senha "),
            json!("senha\0"),
            json!(HASH),
            json!(null),
            json!(true),
            json!(0),
            json!(["senha"]),
            json!({ "password": "senha" }),
        ]),
    ]
}

fn body() -> impl Strategy<Value = String> {
    let bucket = prop_oneof![prop::sample::select(&BUCKETS[..]).prop_map(str::to_owned), "[a-z/*.]{0,8}"];
    prop_oneof![
        4 => (bucket, password()).prop_map(|(bucket, password)| json!({ "bucket_name": bucket, "password": password }).to_string()),
        1 => prop::sample::select(&BUCKETS[..]).prop_map(|bucket| json!({ "bucket_name": bucket }).to_string()),
        // The event of the proxy inside the body, as if the caller could choose it.
        1 => password().prop_map(|password| json!({
            "body": json!({ "bucket_name": BUCKETS[0], "password": password }).to_string(), "requestContext": {},
        }).to_string()),
        1 => ".{0,40}".prop_filter("that holds the password", |text| !text.contains("senha")),
    ]
}

#[test]
fn no_sequence_of_requests_without_the_password_deletes_anything() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (cloud, urls) = runtime.block_on(world());
    let before = runtime.block_on(stock(&cloud));
    assert!(before.iter().all(|bucket| bucket[0].as_array().is_some_and(|versions| versions.len() == 3)), "{before:?}");
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(48));
    let requests = prop::collection::vec((any::<bool>(), body()), 1..5);
    let outcome = runner.run(&requests, |requests| {
        let cloud = cloud.fork();
        let after = runtime.block_on(async {
            for (by_hand, body) in &requests {
                let (status, text) = post(&cloud, &urls[usize::from(*by_hand)], body).await;
                assert!(!text.contains("deleted successfully"), "{body} was answered {status} {text}");
            }
            stock(&cloud).await
        });
        prop_assert_eq!(&after, &before);
        Ok(())
    });
    outcome.unwrap();

    // The same world, and the right password: so the test could have failed.
    for (url, bucket) in urls.iter().zip(BUCKETS) {
        let body = json!({ "bucket_name": bucket, "password": "senha" }).to_string();
        let (status, text) = runtime.block_on(post(&cloud, url, &body));
        assert_eq!(status, 200, "{text}");
        assert!(text.contains("deleted successfully"), "{text}");
    }
    assert_eq!(runtime.block_on(stock(&cloud)), vec![json!([null, null]); 2]);
}
