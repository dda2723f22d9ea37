//! restJson: Lambda and EventBridge Scheduler.

use serde_json::json;

use super::*;
use crate::wire::{Protocol, encode, encode_error};

fn lambda(method: &str, path: &str, body: &str) -> (Parts, Bytes) {
    let auth = signed("lambda");
    request(method, path, &[("authorization", &auth), ("content-type", "application/json")], body.to_owned())
}

#[test]
fn invoke_has_label_query_header_and_payload() {
    let auth = signed("lambda");
    let headers = [("authorization", auth.as_str()), ("x-amz-invocation-type", "Event")];
    let path =
        "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Af/invocations?Qualifier=live";
    let (detected, decoded) = read(&request("POST", path, &headers, "{\"a\": 1}")).unwrap();
    assert_eq!((detected.service, detected.operation.name), ("lambda", "Invoke"));
    let name = "arn:aws:lambda:us-east-1:000000000000:function:f";
    assert_eq!(decoded.input["FunctionName"], name);
    assert_eq!((&decoded.input["Qualifier"], &decoded.input["InvocationType"]), (&json!("live"), &json!("Event")));
    assert_eq!(decoded.body, "{\"a\": 1}");
    assert!(decoded.input.get("Payload").is_none());
}

#[test]
fn paths_find_their_operations() {
    for (method, path, name) in [
        ("GET", "/2015-03-31/functions", "ListFunctions"),
        ("GET", "/2015-03-31/functions/", "ListFunctions"),
        ("GET", "/2015-03-31/functions/f", "GetFunction"),
        ("GET", "/2015-03-31/functions/f/configuration", "GetFunctionConfiguration"),
        ("GET", "/2019-09-30/functions/f/provisioned-concurrency?List=ALL", "ListProvisionedConcurrencyConfigs"),
        ("GET", "/2019-09-30/functions/f/provisioned-concurrency?Qualifier=1", "GetProvisionedConcurrencyConfig"),
        ("GET", "/2018-10-31/layers/l/versions/1", "GetLayerVersion"),
        ("GET", "/2018-10-31/layers?find=LayerVersion&Arn=x", "GetLayerVersionByArn"),
        ("DELETE", "/2017-03-31/tags/arn%3Aaws%3Alambda?tagKeys=a&tagKeys=b", "UntagResource"),
    ] {
        let (detected, _) = read(&lambda(method, path, "")).unwrap();
        assert_eq!(detected.operation.name, name, "{method} {path}");
    }
    let error = read(&lambda("GET", "/2015-03-31/functions/f/unheard-of", "")).unwrap_err();
    assert_eq!((error.code(), error.status()), ("UnknownOperationException", 404));
}

#[test]
fn lists_of_the_query_string_and_bodies_are_read() {
    let (_, decoded) = read(&lambda("DELETE", "/2017-03-31/tags/arn%3Ax?tagKeys=a%20b&tagKeys=c+d", "")).unwrap();
    assert_eq!(decoded.input["TagKeys"], json!(["a b", "c+d"]));
    let body = r#"{"FunctionName":"f","Code":{"ZipFile":"UEsFBg=="},"Environment":{"Variables":{"A":"1","B":null}},"Timeout":3.0,"X":1}"#;
    let (_, decoded) = read(&lambda("POST", "/2015-03-31/functions", body)).unwrap();
    let expected = json!({"FunctionName": "f", "Code": {"ZipFile": "UEsFBg=="}, "Environment": {"Variables": {"A": "1"}}, "Timeout": 3});
    assert_eq!((decoded.input, decoded.unknown), (expected, vec!["X".to_owned()]));
    let error = read(&lambda("POST", "/2015-03-31/functions", "{")).unwrap_err();
    assert_eq!(error.code(), "SerializationException");
}

#[test]
fn scheduler_paths_and_timestamps() {
    let auth = signed("scheduler");
    let body = r#"{"ScheduleExpression":"at(2026-03-02T12:00:00)","StartDate":1772452800,"Target":{"Arn":"a","RoleArn":"r"},"FlexibleTimeWindow":{"Mode":"OFF"}}"#;
    let (detected, decoded) = read(&request("POST", "/schedules/na%2Fme", &[("authorization", &auth)], body)).unwrap();
    assert_eq!(detected.operation.name, "CreateSchedule");
    assert_eq!(decoded.input["Name"], "na/me");
    assert_eq!(decoded.input["StartDate"], 1_772_452_800_000_i64);
    let get = operation("scheduler", "GetSchedule");
    let output = json!({"Name": "n", "CreationDate": 1_772_452_800_500_i64, "StartDate": 1_772_452_800_000_i64});
    let response = encode(Protocol::RestJson, get, &reply(output), "id");
    let body: Value = serde_json::from_slice(response.body()).unwrap();
    assert_eq!(body, json!({"Name": "n", "CreationDate": 1_772_452_800.5, "StartDate": 1_772_452_800}));
}

#[test]
fn answers_use_status_header_and_payload() {
    let mut answer = reply(json!({"StatusCode": 202, "FunctionError": "Unhandled", "ExecutedVersion": "$LATEST"}));
    answer.body = Some(Bytes::from_static(b"{\"errorMessage\":\"x\"}"));
    let response = encode(Protocol::RestJson, operation("lambda", "Invoke"), &answer, "id");
    assert_eq!(response.status().as_u16(), 202);
    assert_eq!(response.headers()["x-amz-function-error"], "Unhandled");
    assert_eq!(text(&response), "{\"errorMessage\":\"x\"}");
    let response =
        encode(Protocol::RestJson, operation("lambda", "CreateFunction"), &reply(json!({"FunctionName": "f"})), "id");
    assert_eq!((response.status().as_u16(), text(&response)), (201, "{\"FunctionName\":\"f\"}"));
    let response = encode(Protocol::RestJson, operation("lambda", "DeleteAlias"), &reply(json!({})), "id");
    assert_eq!((response.status().as_u16(), text(&response)), (204, ""));
    assert!(!response.headers().contains_key("content-type"));
}

#[test]
fn errors_are_typed_by_a_header_and_lambda_says_whose_fault() {
    let error = Error::new(404, "ResourceNotFoundException", "Function not found: arn:x");
    let response = encode_error(Protocol::RestJson, "lambda", None, &error, "id");
    assert_eq!(response.headers()["x-amzn-errortype"], "ResourceNotFoundException");
    assert_eq!(text(&response), r#"{"Message":"Function not found: arn:x","Type":"User"}"#);
    let response = encode_error(Protocol::RestJson, "scheduler", None, &error, "id");
    assert_eq!((response.status().as_u16(), text(&response)), (404, r#"{"Message":"Function not found: arn:x"}"#));
}
