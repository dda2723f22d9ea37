//! The query protocol: IAM, STS, CloudFormation, and CloudWatch as old SDKs speak it.

use serde_json::json;

use super::*;
use crate::wire::{Protocol, encode, encode_error};

fn form(service: &str, body: &str) -> (Parts, Bytes) {
    let auth = signed(service);
    let headers =
        [("authorization", auth.as_str()), ("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
    request("POST", "/", &headers, body.to_owned())
}

#[test]
fn a_form_becomes_lists_structures_and_scalars() {
    let body = "Action=CreateStack&Version=2010-05-15&StackName=s+1&Parameters.member.2.ParameterKey=B&Parameters.member.1.ParameterKey=A&Parameters.member.1.ParameterValue=x%2By%26&Capabilities.member.1=CAPABILITY_IAM&DisableRollback=true&TimeoutInMinutes=5&Bogus=1";
    let (detected, decoded) = read(&form("cloudformation", body)).unwrap();
    assert_eq!((detected.service, detected.protocol), ("cloudformation", Protocol::Query));
    let expected = json!({
        "StackName": "s 1",
        "Parameters": [{"ParameterKey": "A", "ParameterValue": "x+y&"}, {"ParameterKey": "B"}],
        "DisableRollback": true,
        "TimeoutInMinutes": 5,
        "Capabilities": ["CAPABILITY_IAM"],
    });
    assert_eq!((decoded.input, decoded.unknown), (expected, vec!["Bogus".to_owned()]));
}

#[test]
fn services_are_told_apart_by_version_and_scope() {
    let unsigned = [("content-type", "application/x-www-form-urlencoded")];
    let body = "Action=AssumeRole&Version=2011-06-15&RoleArn=r&RoleSessionName=s&DurationSeconds=900";
    let (detected, decoded) = read(&request("POST", "/", &unsigned, body)).unwrap();
    assert_eq!((detected.service, detected.operation.name), ("sts", "AssumeRole"));
    assert_eq!(decoded.input["DurationSeconds"], 900);
    let presigned =
        "/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Credential=A%2F20260302%2Fus-east-1%2Fsts%2Faws4_request";
    let (detected, decoded) = read(&request("GET", presigned, &[], "")).unwrap();
    assert_eq!((detected.operation.name, decoded.unknown.len()), ("GetCallerIdentity", 0));
    let error = read(&form("iam", "Action=Nope&Version=2010-05-08")).unwrap_err();
    assert_eq!(
        (error.code(), error.message()),
        ("InvalidAction", "Could not find operation Nope for version 2010-05-08")
    );
    let error = read(&form("ec2", "Action=RunInstances&Version=2016-11-15")).unwrap_err();
    assert_eq!(error.code(), "NotImplemented");
    assert!(error.message().contains("RunInstances") && error.message().contains("ec2"));
    let error =
        read(&form("cloudformation", "Action=CreateStack&Version=2010-05-15&TimeoutInMinutes=soon")).unwrap_err();
    assert_eq!(error.code(), "MalformedInput");
    let error = read(&form("iam", "Action=GetUser&Version=2010-05-08&UserName=%ff")).unwrap_err();
    assert_eq!(error.code(), "MalformedInput");
}

#[test]
fn cloudwatch_reads_metric_data_with_dates() {
    let body = "Action=PutMetricData&Version=2010-08-01&Namespace=N&MetricData.member.1.MetricName=m&MetricData.member.1.Timestamp=2026-03-02T12%3A00%3A00Z&MetricData.member.1.Values.member.1=1.5&MetricData.member.1.Dimensions.member.1.Name=d&MetricData.member.1.Dimensions.member.1.Value=v";
    let (_, decoded) = read(&form("monitoring", body)).unwrap();
    let expected = json!({"MetricName": "m", "Dimensions": [{"Name": "d", "Value": "v"}], "Timestamp": 1_772_452_800_000_i64, "Values": [1.5]});
    assert_eq!(decoded.input["MetricData"][0], expected);
}

#[test]
fn answers_are_wrapped_twice() {
    let output = json!({"User": {"Path": "/", "UserName": "a<b>&\"c", "CreateDate": 1_772_452_800_000_i64}});
    let response = encode(Protocol::Query, operation("iam", "GetUser"), &reply(output), "id-1");
    let expected = "<GetUserResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><GetUserResult><User><Path>/</Path>\
        <UserName>a&lt;b&gt;&amp;&quot;c</UserName><CreateDate>2026-03-02T12:00:00Z</CreateDate></User></GetUserResult>\
        <ResponseMetadata><RequestId>id-1</RequestId></ResponseMetadata></GetUserResponse>";
    assert_eq!(text(&response), expected);
    assert_eq!(response.headers()["content-type"], "text/xml");
    let response = encode(Protocol::Query, operation("iam", "DeleteUser"), &reply(json!({})), "id");
    assert!(text(&response).ends_with(
        "doc/2010-05-08/\"><ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></DeleteUserResponse>"
    ));
    let output = json!({"Stacks": [{"StackName": "s", "CreationTime": 0, "StackStatus": "X", "Outputs": []}]});
    let response = encode(Protocol::Query, operation("cloudformation", "DescribeStacks"), &reply(output), "id");
    assert!(text(&response).contains("<Stacks><member><StackName>s</StackName>"));
    assert!(text(&response).contains("<Outputs></Outputs>"));
}

#[test]
fn errors_use_the_model_s_code() {
    let error = Error::new(404, "NoSuchEntityException", "The user with name x cannot be found.");
    let response = encode_error(Protocol::Query, "iam", None, &error, "id");
    let expected = "<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><Error><Type>Sender</Type><Code>NoSuchEntity</Code>\
        <Message>The user with name x cannot be found.</Message></Error><RequestId>id</RequestId></ErrorResponse>";
    assert_eq!((response.status().as_u16(), text(&response)), (404, expected));
}

#[test]
fn who_accepts_json_gets_json() {
    let (auth, accept) = (signed("sqs"), ("accept", "application/json"));
    let ask = |accept: (&'static str, &'static str), uri: &str| {
        read(&request("GET", uri, &[("authorization", &auth), accept], "")).unwrap()
    };
    let receive = "/123456789012/q?Action=ReceiveMessage";
    let (detected, decoded) = ask(accept, receive);
    assert_eq!((detected.protocol, &decoded.input["QueueUrl"]), (Protocol::QueryJson, &json!("/123456789012/q")));
    // What is accepted first counts.
    assert_eq!(ask(("accept", "text/xml, application/json"), receive).0.protocol, Protocol::Query);
    let message = json!({"MessageId": "m", "Body": "b", "Attributes": {"SenderId": "s"}});
    let messages = reply(json!({"Messages": [message]}));
    let response = encode(Protocol::QueryJson, detected.operation, &messages, "r");
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(
        text(&response),
        r#"{"ReceiveMessageResponse":{"ReceiveMessageResult":{"messages":[{"Attributes":[{"Name":"SenderId","Value":"s"}],"Body":"b","MD5OfBody":null,"MD5OfMessageAttributes":null,"MessageAttributes":null,"MessageId":"m","ReceiptHandle":null}]},"ResponseMetadata":{"RequestId":"r"}}}"#
    );
    // A time is a number.
    let (detected, _) = read(&form("sts", "Action=GetSessionToken&Version=2011-06-15")).unwrap();
    let credentials = reply(json!({"Credentials": {"Expiration": 1_700_000_000_000_i64}}));
    let answer = encode(Protocol::QueryJson, detected.operation, &credentials, "r");
    let answer: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
    let result = &answer["GetSessionTokenResponse"]["GetSessionTokenResult"];
    assert_eq!(result["Credentials"]["Expiration"].as_f64(), Some(1_700_000_000.0));
    let error = Error::client("QueueDoesNotExist", "no");
    let answer = encode_error(Protocol::QueryJson, "sqs", None, &error, "r");
    let answer: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
    assert_eq!(answer["Error"]["Code"], "AWS.SimpleQueueService.NonExistentQueue");
    assert_eq!((&answer["Error"]["Type"], &answer["RequestId"]), (&json!("Sender"), &json!("r")));
}
