//! SQS in its two protocols: the names that its model has lost, its queues' own URLs, and the names of errors.

use serde_json::json;

use super::*;
use crate::wire::{Protocol, encode, encode_error, validate};

const FORM: [(&str, &str); 1] = [("content-type", "application/x-www-form-urlencoded")];

#[test]
fn a_form_names_members_as_the_query_protocol_did() {
    let body = "Action=SendMessageBatch&Version=2012-11-05&SendMessageBatchRequestEntry.1.Id=a&\
                SendMessageBatchRequestEntry.1.MessageBody=x&SendMessageBatchRequestEntry.1.MessageAttribute.1.Name=n&\
                SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.DataType=String&\
                SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.StringValue=v";
    let (detected, decoded) = read(&request("POST", "/123456789012/q", &FORM, body)).unwrap();
    assert_eq!((detected.service, detected.protocol), ("sqs", Protocol::Query));
    let attributes = json!({"n": {"DataType": "String", "StringValue": "v"}});
    let entry = json!({"Id": "a", "MessageBody": "x", "MessageAttributes": attributes});
    assert_eq!(decoded.unknown, Vec::<String>::new());
    assert_eq!(decoded.input["Entries"][0]["MessageAttributes"], entry["MessageAttributes"]);
    assert_eq!(decoded.input, json!({"Entries": [entry], "QueueUrl": "/123456789012/q"}));
    let body =
        "Action=CreateQueue&QueueName=q&Attribute.1.Name=DelaySeconds&Attribute.1.Value=5&Tag.1.Key=k&Tag.1.Value=v";
    let form = format!("{body}&Version=2012-11-05");
    let (_, decoded) = read(&request("POST", "/", &FORM, form)).unwrap();
    assert_eq!(decoded.input, json!({"QueueName": "q", "Attributes": {"DelaySeconds": "5"}, "tags": {"k": "v"}}));
    let error = read(&request("POST", "/123456789012/q", &FORM, body)).unwrap_err();
    assert_eq!(error.message(), "The action CreateQueue is not valid for this endpoint.");
    let body =
        "Action=ReceiveMessage&AttributeName.1=All&MessageAttributeName.1=a&MessageSystemAttributeName.1=SenderId";
    let uri = format!("/123456789012/q?{body}");
    let (_, decoded) = read(&request("GET", &uri, &[], "")).unwrap();
    assert_eq!(decoded.input["MessageSystemAttributeNames"], json!(["SenderId"]));
    assert_eq!((&decoded.input["AttributeNames"], decoded.unknown.len()), (&json!(["All"]), 0));
}

#[test]
fn json_names_members_as_the_model_does() {
    let target = [("x-amz-target", "AmazonSQS.CreateQueue"), ("content-type", "application/x-amz-json-1.0")];
    let body = r#"{"QueueName": "q", "Attributes": {"DelaySeconds": "5"}, "tags": {"k": "v"}}"#;
    let (detected, decoded) = read(&request("POST", "/", &target, body)).unwrap();
    assert_eq!(detected.protocol, Protocol::AwsJson10);
    assert_eq!(decoded.input, json!({"QueueName": "q", "Attributes": {"DelaySeconds": "5"}, "tags": {"k": "v"}}));
    let missing = validate(detected.operation, &json!({})).unwrap_err();
    assert_eq!(missing.message(), "The request must contain the parameter QueueName.");
}

#[test]
fn the_header_of_a_trace_becomes_an_attribute_of_the_message() {
    let headers = [("x-amz-target", "AmazonSQS.SendMessage"), ("x-amzn-trace-id", "Root=1")];
    let (_, decoded) = read(&request("POST", "/", &headers, r#"{"QueueUrl": "q", "MessageBody": "x"}"#)).unwrap();
    let trace = json!({"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1"}});
    assert_eq!(decoded.input["MessageSystemAttributes"], trace);
}

#[test]
fn answers_have_the_elements_of_the_query_protocol() {
    let (detected, _) = read(&request("GET", "/123456789012/q?Action=ReceiveMessage", &[], "")).unwrap();
    let answer = |output| {
        let response = encode(Protocol::Query, detected.operation, &Reply::output(output), "id");
        String::from_utf8(response.body().to_vec()).unwrap()
    };
    let message = json!({"Body": "x", "Attributes": {"SenderId": "1"}});
    let text = answer(json!({"Messages": [message]}));
    let wanted = "<ReceiveMessageResult><Message><Body>x</Body><Attribute><Name>SenderId</Name><Value>1</Value></Attribute>\
                  </Message></ReceiveMessageResult>";
    assert!(text.contains(wanted), "{text}");
    assert!(text.contains("xmlns=\"http://queue.amazonaws.com/doc/2012-11-05/\""), "{text}");
    assert!(answer(json!({})).contains("<ReceiveMessageResult/>"));
}

#[test]
fn errors_are_named_by_protocol() {
    for (code, in_json, in_query) in [
        ("QueueDoesNotExist", "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"),
        ("QueueNameExists", "QueueNameExists", "QueueAlreadyExists"),
        ("InvalidParameterValueException", "InvalidParameterValueException", "InvalidParameterValue"),
        ("MissingRequiredParameterException", "MissingRequiredParameterException", "MissingParameter"),
        ("AccessDenied", "AccessDeniedException", "AccessDenied"),
    ] {
        let error = Error::client(code, "text");
        let json = encode_error(Protocol::AwsJson10, "sqs", None, &error, "id");
        let body: Value = serde_json::from_slice(json.body()).unwrap();
        assert_eq!(body["__type"], in_json);
        assert_eq!(json.headers()["x-amzn-query-error"], format!("{in_query};Sender"));
        let query = encode_error(Protocol::Query, "sqs", None, &error, "id");
        let text = String::from_utf8(query.body().to_vec()).unwrap();
        assert!(text.contains(&format!("<Code>{in_query}</Code>")), "{text}");
    }
}
