//! Commands against a small model, and what the AWS CLI would print.

#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::*;

/// A few operations of real services, as much of their shapes as the tests need.
pub(crate) struct Small;

fn members(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(name, shape)| ((*name).to_owned(), (*shape).to_owned())).collect()
}

fn structure(list: &[(&str, &str)], required: &[&str], payload: Option<&str>) -> Shape {
    Shape::Structure(Structure {
        members: members(list),
        required: required.iter().map(|name| (*name).to_owned()).collect(),
        payload: payload.map(str::to_owned),
    })
}

impl Shapes for Small {
    fn services(&self) -> Vec<String> {
        ["s3", "logs", "lambda", "cloudwatch"].map(str::to_owned).to_vec()
    }

    fn operations(&self, service: &str) -> Option<Vec<String>> {
        let operations: &[&str] = match service {
            "s3" => &["GetObject", "PutObject", "ListObjectsV2"],
            "logs" => &["FilterLogEvents", "PutLogEvents"],
            "lambda" => &["Invoke"],
            "cloudwatch" => &["PutMetricAlarm"],
            _ => return None,
        };
        Some(operations.iter().map(|name| (*name).to_owned()).collect())
    }

    fn operation(&self, service: &str, operation: &str) -> Option<OperationShape> {
        let paginator = (operation == "FilterLogEvents").then(|| Paginator {
            input_tokens: vec!["nextToken".to_owned()],
            output_tokens: vec!["nextToken".to_owned()],
            result_keys: vec!["events".to_owned(), "searchedLogStreams".to_owned()],
            more_results: None,
        });
        let known = self.operations(service)?.contains(&operation.to_owned());
        known.then(|| OperationShape {
            input: Some(format!("{operation}Request")),
            output: (service != "cloudwatch").then(|| format!("{operation}Response")),
            paginator,
        })
    }

    fn shape(&self, _service: &str, shape: &str) -> Option<Shape> {
        Some(match shape {
            "String" => Shape::String,
            "Integer" => Shape::Integer,
            "Double" => Shape::Float,
            "Boolean" => Shape::Boolean,
            "Blob" => Shape::Blob,
            "Timestamp" => Shape::Timestamp,
            "Strings" => Shape::List("String".to_owned()),
            "StringMap" => Shape::Map("String".to_owned()),
            "Dimension" => structure(&[("Name", "String"), ("Value", "String")], &[], None),
            "Dimensions" => Shape::List("Dimension".to_owned()),
            "Event" => structure(&[("message", "String"), ("timestamp", "Integer"), ("eventId", "String")], &[], None),
            "Events" => Shape::List("Event".to_owned()),
            "Object" => structure(&[("Key", "String"), ("Size", "Integer"), ("LastModified", "Timestamp")], &[], None),
            "Objects" => Shape::List("Object".to_owned()),
            _ => return messages(shape),
        })
    }
}

/// The inputs and outputs of the operations.
fn messages(shape: &str) -> Option<Shape> {
    Some(match shape {
        "GetObjectRequest" => structure(
            &[("Bucket", "String"), ("Key", "String"), ("IfModifiedSince", "Timestamp")],
            &["Bucket", "Key"],
            None,
        ),
        "GetObjectResponse" => {
            structure(&[("Body", "Blob"), ("ETag", "String"), ("LastModified", "Timestamp")], &[], Some("Body"))
        }
        "PutObjectRequest" => structure(
            &[
                ("Bucket", "String"),
                ("Key", "String"),
                ("Body", "Blob"),
                ("Metadata", "StringMap"),
                ("BucketKeyEnabled", "Boolean"),
            ],
            &["Bucket", "Key"],
            Some("Body"),
        ),
        "PutObjectResponse" => structure(&[("ETag", "String")], &[], None),
        "ListObjectsV2Request" => structure(&[("Bucket", "String")], &["Bucket"], None),
        "ListObjectsV2Response" => structure(&[("Contents", "Objects")], &[], None),
        "FilterLogEventsRequest" => structure(
            &[
                ("logGroupName", "String"),
                ("logStreamNames", "Strings"),
                ("startTime", "Integer"),
                ("nextToken", "String"),
            ],
            &[],
            None,
        ),
        "FilterLogEventsResponse" => {
            structure(&[("events", "Events"), ("searchedLogStreams", "Strings"), ("nextToken", "String")], &[], None)
        }
        "PutLogEventsRequest" => {
            structure(&[("logGroupName", "String"), ("logEvents", "Events")], &["logGroupName", "logEvents"], None)
        }
        "PutLogEventsResponse" => structure(&[], &[], None),
        "InvokeRequest" => {
            structure(&[("FunctionName", "String"), ("Payload", "Blob")], &["FunctionName"], Some("Payload"))
        }
        "InvokeResponse" => structure(&[("StatusCode", "Integer"), ("Payload", "Blob")], &[], Some("Payload")),
        "PutMetricAlarmRequest" => structure(
            &[
                ("AlarmName", "String"),
                ("ActionsEnabled", "Boolean"),
                ("AlarmActions", "Strings"),
                ("Dimensions", "Dimensions"),
                ("Threshold", "Double"),
                ("Metric", "Metric"),
            ],
            &["AlarmName"],
            None,
        ),
        "Metric" => structure(
            &[("Name", "String"), ("Stat", "String"), ("Dimensions", "Dimensions"), ("Id", "Blob")],
            &[],
            None,
        ),
        _ => return None,
    })
}

fn words(line: &str) -> Vec<String> {
    let words = split::split(split::Source { text: line, offset: 0 }).unwrap();
    words.iter().map(|word| word.text.as_written()).collect()
}

fn command(line: &str) -> Command {
    Command::parse(&words(line), &Small).unwrap_or_else(|error| panic!("{line}: {error:?}"))
}

fn print(line: &str, pages: &[Value]) -> String {
    let pages: Vec<Response> =
        pages.iter().map(|output| Response { output: output.clone(), body: Bytes::new() }).collect();
    command(line).print(&pages, &Small).unwrap()
}

#[test]
fn options_become_input() {
    for (line, input) in [
        (
            "s3api get-object --bucket b --key=k --if-modified-since 2026-03-02T12:00:00Z -",
            json!({"Bucket": "b", "Key": "k", "IfModifiedSince": 1_772_452_800_000_i64}),
        ),
        (
            "s3api put-object --bucket b --key k --metadata a=1,b='x y' --no-bucket-key-enabled",
            json!({"Bucket": "b", "Key": "k", "Metadata": {"a": "1", "b": "x y"}, "BucketKeyEnabled": false}),
        ),
        (
            "s3api put-object --bucket b --key k --metadata '{\"a\":\"1\"}' --bucket-key-enabled",
            json!({"Bucket": "b", "Key": "k", "Metadata": {"a": "1"}, "BucketKeyEnabled": true}),
        ),
        (
            "logs filter-log-events --log-stream-names a b --start-time 5",
            json!({"logStreamNames": ["a", "b"], "startTime": 5}),
        ),
        ("logs filter-log-events --log-stream-names '[\"a\",\"b\"]'", json!({"logStreamNames": ["a", "b"]})),
        (
            "logs put-log-events --log-group-name g --log-events timestamp=1,message=x timestamp=2,message='y z'",
            json!({"logGroupName": "g", "logEvents": [{"timestamp": 1, "message": "x"}, {"timestamp": 2, "message": "y z"}]}),
        ),
        (
            "logs put-log-events --cli-input-json '{\"logGroupName\":\"g\",\"logEvents\":[]}' --log-group-name h",
            json!({"logGroupName": "h", "logEvents": []}),
        ),
        (
            "cloudwatch put-metric-alarm --alarm-name a --threshold 1.5 --dimensions Name=x,Value=y --metric 'Name=m,Dimensions=[{Name=x,Value=y}],Id=abc'",
            json!({"AlarmName": "a", "Threshold": 1.5, "Dimensions": [{"Name": "x", "Value": "y"}], "Metric": {"Name": "m", "Dimensions": [{"Name": "x", "Value": "y"}], "Id": "YWJj"}}),
        ),
        ("s3 ls s3://b/p/q", json!({"Bucket": "b", "Prefix": "p/q", "Delimiter": "/"})),
        ("s3 rm s3://b/k/l", json!({"Bucket": "b", "Key": "k/l"})),
    ] {
        assert_eq!(command(line).input, input, "{line}");
    }
}

#[test]
fn payloads_travel_beside_the_input() {
    let put = command("s3api put-object --bucket b --key k --body 'olá'");
    assert_eq!(put.body.as_deref(), Some("olá".as_bytes()));
    let invoke = command("lambda invoke --function-name f --payload '{\"a\": 1}' -");
    assert_eq!(
        (invoke.body.as_deref(), &invoke.input),
        (Some(b"{\"a\": 1}".as_slice()), &json!({"FunctionName": "f"}))
    );
    let base64 = command("lambda invoke --function-name f --cli-binary-format base64 --payload e30= /dev/stdout");
    assert_eq!(base64.body.as_deref(), Some(b"{}".as_slice()));
    let json = command("lambda invoke --cli-input-json '{\"FunctionName\":\"f\",\"Payload\":\"{}\"}' -");
    assert_eq!(json.body.as_deref(), Some(b"{}".as_slice()));
}

#[test]
fn what_is_not_understood_is_refused() {
    let refusals = [
        "s4api ls",
        "s3api",
        "s3api get-objet --bucket b",
        "s3api get-object --bucket b -",
        "s3api get-object --bucket b --key k",
        "s3api get-object --bucket b --key k out.txt",
        "s3api get-object --bukcet b --key k -",
        "s3api get-object --bucket b --bucket c --key k -",
        "s3api get-object --bucket b --key k --if-modified-since soon -",
        "s3api put-object --bucket b --key k --body file://x",
        "s3api put-object --bucket b --key k extra",
        "s3api put-object --bucket b c --key k",
        "s3api put-object --bucket b --key k --no-metadata",
        "s3api put-object --bucket b --key k --metadata x",
        "s3api put-object --bucket b --key k --output table",
        "s3api put-object --bucket b --key k --profile p",
        "s3api put-object --bucket b --key k --query '[['",
        "logs put-log-events --log-group-name g --log-events '[{\"mesage\":\"x\"}]'",
        "logs put-log-events --log-group-name g --log-events '[{\"message\":5}]'",
        "logs filter-log-events --start-time x",
        "logs filter-log-events --start-time",
        "lambda invoke --function-name f --cli-binary-format base64 --payload '{' -",
        "s3 sync a b",
        "s3 copy a b",
        "s3 cp - s3://b/k",
        "s3 cp s3://b/k a",
        "s3 cp a b",
        "s3 cp s3://b/ -",
        "s3 rm s3://b/p --recursive",
    ];
    let shown = refusals.map(|line| format!("{line}\n    {:?}", Command::parse(&words(line), &Small).unwrap_err()));
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn output_is_printed_as_the_cli_does() {
    let listing = json!({"Contents": [
        {"Key": "a", "Size": 3, "LastModified": 1_772_452_800_000_i64},
        {"Key": "b", "Size": 4, "LastModified": 1_772_452_800_120_i64},
    ]});
    let line = "s3api list-objects-v2 --bucket b";
    let shown = [
        print(line, std::slice::from_ref(&listing)),
        print(&format!("{line} --output text"), std::slice::from_ref(&listing)),
        print(&format!("{line} --query 'Contents[].Key' --output text"), std::slice::from_ref(&listing)),
        print(&format!("{line} --query 'Contents[0].{{s: Size, k: Key}}'"), std::slice::from_ref(&listing)),
        print(&format!("{line} --query Nothing"), std::slice::from_ref(&listing)),
        print(&format!("{line} --query Nothing --output text"), std::slice::from_ref(&listing)),
        print(line, &[json!({})]),
    ];
    insta::assert_snapshot!(shown.join("---\n"));
}

#[test]
fn pages_are_followed_and_joined() {
    let line = "logs filter-log-events --log-group-name g";
    let filter = command(line);
    let first = json!({"events": [{"eventId": "1"}], "searchedLogStreams": [], "nextToken": "t"});
    let second = json!({"events": [{"eventId": "2"}]});
    let page = |output: &Value| Response { output: output.clone(), body: Bytes::new() };
    assert_eq!(filter.next(&page(&first)), Some(json!({"logGroupName": "g", "nextToken": "t"})));
    assert_eq!(filter.next(&page(&second)), None);
    let pages = [first.clone(), second];
    assert_eq!(
        print(&format!("{line} --query 'events[].eventId' --output text"), &pages),
        "1\n2\n",
        "text: page by page"
    );
    assert_eq!(print(&format!("{line} --query 'events[].eventId'"), &pages), "[\n    \"1\",\n    \"2\"\n]\n");
    assert!(!print(line, &pages).contains("nextToken"));
    for one_call in ["--no-paginate", "--next-token t"] {
        assert_eq!(command(&format!("{line} {one_call}")).next(&page(&first)), None, "{one_call}");
    }
    assert!(print(&format!("{line} --no-paginate"), &[first]).contains("nextToken"));
}

#[test]
fn high_level_s3_prints_its_columns() {
    let listing = json!({
        "CommonPrefixes": [{"Prefix": "p/q/"}],
        "Contents": [{"Key": "p/a.txt", "Size": 12, "LastModified": 1_772_452_800_000_i64}],
    });
    let listed = print("s3 ls s3://b/p/", &[listing]);
    assert_eq!(listed, "                           PRE q/\n2026-03-02 12:00:00         12 a.txt\n");
    let buckets = json!({"Buckets": [{"Name": "b", "CreationDate": 1_772_452_800_000_i64}]});
    assert_eq!(print("s3 ls", &[buckets]), "2026-03-02 12:00:00 b\n");
    assert_eq!(print("s3 rm s3://b/k", &[json!({})]), "delete: s3://b/k\n");
    let body = Response { output: json!({}), body: Bytes::from_static(b"text") };
    assert_eq!(command("s3 cp s3://b/k -").print(&[body], &Small).unwrap(), "text");
}

#[test]
fn failures_read_as_the_cli_writes_them() {
    let error = Error::new(404, "NoSuchKey", "The specified key does not exist.");
    assert_eq!(
        command("s3api get-object --bucket b --key k -").failure(&error),
        "An error occurred (NoSuchKey) when calling the GetObject operation: The specified key does not exist."
    );
    assert!(
        command("s3 cp s3://b/k -").failure(&error).starts_with("download failed: s3://b/k to - An error occurred")
    );
}

proptest::proptest! {
    #[test]
    fn never_panics(tail in "( --metadata| --log-events| --query| a=| \\[| \\{| x| -|=|,|\\]|\\}|[a-z]){0,12}") {
        let line = format!("s3api put-object --bucket b{tail}");
        if let Ok(words) = split::split(split::Source { text: &line, offset: 0 }) {
            let words: Vec<String> = words.iter().map(|word| word.text.as_written()).collect();
            let _ = Command::parse(&words, &Small);
        }
    }
}
