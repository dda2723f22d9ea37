//! awsJson 1.0 and 1.1: CloudWatch Logs, and CloudWatch in JSON.

use serde_json::json;

use super::*;
use crate::wire::{Protocol, encode, encode_error};

fn logs(operation: &str, body: &str) -> (Parts, Bytes) {
    let target = format!("Logs_20140328.{operation}");
    let headers = [("x-amz-target", target.as_str()), ("content-type", "application/x-amz-json-1.1")];
    request("POST", "https://logs.us-east-1.amazonaws.com/", &headers, body.to_owned())
}

#[test]
fn put_log_events_is_read_as_it_stands() {
    let body = r#"{"logGroupName":"/aws/lambda/f","logStreamName":"s","logEvents":[{"timestamp":1772452800123,"message":"héllo"}]}"#;
    let (detected, decoded) = read(&logs("PutLogEvents", body)).unwrap();
    assert_eq!((detected.service, detected.operation.name), ("logs", "PutLogEvents"));
    assert_eq!(detected.protocol, Protocol::AwsJson11);
    assert_eq!(decoded.input.to_string(), body);
    assert!(decoded.unknown.is_empty() && decoded.body.is_empty());
}

#[test]
fn unknown_members_are_dropped_and_told() {
    let body = r#"{"logGroupName":"g","surprise":{"a":1},"logStreamName":null,"logEvents":[{"message":"m","timestamp":1,"x":2}]}"#;
    let (_, decoded) = read(&logs("PutLogEvents", body)).unwrap();
    assert_eq!(decoded.input, json!({"logGroupName": "g", "logEvents": [{"message": "m", "timestamp": 1}]}));
    assert_eq!(decoded.unknown, ["surprise", "logEvents.x"]);
}

#[test]
fn wrong_types_are_serialization_exceptions_in_coral_s_words() {
    for (body, message) in [
        (r#"{"logGroupName":5}"#, "NUMBER_VALUE can not be converted to a String"),
        (r#"{"limit":"5"}"#, "STRING_VALUE can not be converted to an Integer"),
        (r#"{"limit":5000000000}"#, "NUMBER_VALUE can not be converted to an Integer"),
        (r#"{"logStreamNames":"x"}"#, "Expected list or null"),
        (r#"{"interleaved":[]}"#, "Start of list found where not expected"),
    ] {
        let error = read(&logs("FilterLogEvents", body)).unwrap_err();
        assert_eq!((error.code(), error.status(), error.message()), ("SerializationException", 400, message));
    }
    for body in ["[", "[]", "5", "{\"a\":}", &"[".repeat(100_000)] {
        assert_eq!(read(&logs("FilterLogEvents", body)).unwrap_err().code(), "SerializationException", "{body:.20}");
    }
    let (_, decoded) = read(&logs("DescribeLogGroups", "")).unwrap();
    assert_eq!(decoded.input, json!({}));
}

#[test]
fn an_unknown_operation_and_an_unknown_service_are_loud() {
    let error = read(&logs("MakeCoffee", "{}")).unwrap_err();
    assert_eq!((error.code(), error.status()), ("UnknownOperationException", 400));
    assert!(error.message().contains("MakeCoffee") && error.message().contains("logs"));
    let other = request("POST", "/", &[("x-amz-target", "AmazonTextract.DetectDocumentText")], "{}");
    let error = read(&other).unwrap_err();
    assert_eq!((error.code(), error.status()), ("NotImplemented", 501));
    assert!(error.message().contains("AmazonTextract"));
}

#[test]
fn cloudwatch_speaks_json_with_timestamps_in_seconds() {
    let headers = [
        ("x-amz-target", "GraniteServiceVersion20100801.PutMetricData"),
        ("content-type", "application/x-amz-json-1.0"),
    ];
    let body = r#"{"Namespace":"N","MetricData":[{"MetricName":"m","Timestamp":1772452800.5,"Value":"NaN"}]}"#;
    let (detected, decoded) = read(&request("POST", "/", &headers, body)).unwrap();
    assert_eq!(detected.protocol, Protocol::AwsJson10);
    let datum = &decoded.input["MetricData"][0];
    assert_eq!(*datum, json!({"MetricName": "m", "Timestamp": 1_772_452_800_500_i64, "Value": "NaN"}));
}

#[test]
fn answers_hold_the_model_s_members_in_its_order() {
    let output = json!({"nextToken": null, "events": [{"message": "m", "timestamp": 1, "bogus": 1}], "bogus": true});
    let response = encode(Protocol::AwsJson11, operation("logs", "FilterLogEvents"), &reply(output), "id-1");
    assert_eq!(text(&response), r#"{"events":[{"timestamp":1,"message":"m"}]}"#);
    assert_eq!(response.headers()["content-type"], "application/x-amz-json-1.1");
    assert_eq!(response.headers()["x-amzn-requestid"], "id-1");
    let response = encode(Protocol::AwsJson11, operation("logs", "CreateLogGroup"), &reply(json!({})), "id");
    assert_eq!((response.status().as_u16(), text(&response)), (200, ""));
}

#[test]
fn an_answer_that_is_not_the_model_s_is_a_fault_of_ours() {
    let output = json!({"events": [{"message": 5}]});
    let response = encode(Protocol::AwsJson11, operation("logs", "FilterLogEvents"), &reply(output), "id");
    assert_eq!(response.status().as_u16(), 500);
    assert!(text(&response).contains("InternalFailure") && text(&response).contains("EventMessage"));
}

#[test]
fn errors_name_their_type_and_message() {
    let error = Error::client("ResourceNotFoundException", "The specified log group does not exist.");
    let response = encode_error(Protocol::AwsJson11, "logs", None, &error, "id");
    let expected = r#"{"__type":"ResourceNotFoundException","message":"The specified log group does not exist."}"#;
    assert_eq!((response.status().as_u16(), text(&response)), (400, expected));
    let error = Error::client("InvalidSequenceTokenException", "bad").with("expectedSequenceToken", "49");
    let response = encode_error(Protocol::AwsJson11, "logs", None, &error, "id");
    let expected = r#"{"__type":"InvalidSequenceTokenException","message":"bad","expectedSequenceToken":"49"}"#;
    assert_eq!(text(&response), expected);
    let error = Error::new(404, "ResourceNotFound", "No such dashboard");
    let response = encode_error(Protocol::AwsJson10, "cloudwatch", None, &error, "id");
    assert_eq!(response.headers()["x-amzn-query-error"], "ResourceNotFound;Sender");
}
