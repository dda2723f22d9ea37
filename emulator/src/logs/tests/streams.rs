//! `CreateLogStream`, `DeleteLogStream`, `DescribeLogStreams`.

use super::*;

async fn names(logs: &Logs, input: Value) -> Vec<String> {
    members(&logs.ok("DescribeLogStreams", input).await["logStreams"], "logStreamName")
}

#[tokio::test]
async fn a_stream_is_described_before_and_after_its_first_events() {
    let logs = Logs::with_stream().await;
    let mut expected = json!({
        "logStreamName": "s",
        "creationTime": START,
        "arn": "arn:aws:logs:us-east-1:123456789012:log-group:g:log-stream:s",
        "storedBytes": 0,
    });
    let by_name = json!({"logGroupName": "g"});
    assert_eq!(logs.ok("DescribeLogStreams", by_name.clone()).await, json!({"logStreams": [expected]}));
    logs.advance(MINUTE).await;
    logs.put("s", &[(10, "a"), (20, "b")]).await;
    let token = logs.put("s", &[(5, "c")]).await["nextSequenceToken"].clone();
    expected["firstEventTimestamp"] = json!(START + 5);
    expected["lastEventTimestamp"] = json!(START + 20);
    expected["lastIngestionTime"] = json!(START + MINUTE);
    expected["uploadSequenceToken"] = token;
    assert_eq!(logs.ok("DescribeLogStreams", by_name).await, json!({"logStreams": [expected]}));
    let arn = "arn:aws:logs:us-east-1:123456789012:log-group:g";
    assert_eq!(names(&logs, json!({"logGroupIdentifier": arn})).await, ["s"]);
    assert_eq!(names(&logs, json!({"logGroupIdentifier": "g"})).await, ["s"]);
}

#[tokio::test]
async fn what_exists_is_not_created_again_and_what_does_not_is_not_deleted() {
    let logs = Logs::with_stream().await;
    assert_eq!(
        logs.error("CreateLogStream", json!({"logGroupName": "g", "logStreamName": "s"})).await,
        pair("ResourceAlreadyExistsException", "The specified log stream already exists")
    );
    for operation in ["CreateLogStream", "DeleteLogStream"] {
        assert_eq!(logs.error(operation, json!({"logGroupName": "x", "logStreamName": "s"})).await, no_group());
    }
    logs.ok("DeleteLogStream", json!({"logGroupName": "g", "logStreamName": "s"})).await;
    assert_eq!(logs.error("DeleteLogStream", json!({"logGroupName": "g", "logStreamName": "s"})).await, no_stream());
    assert_eq!(logs.error("DescribeLogStreams", json!({"logGroupName": "x"})).await, no_group());
    assert_eq!(
        logs.error("DescribeLogStreams", json!({"logGroupName": "g", "logGroupIdentifier": "g"})).await,
        pair("ValidationException", "LogGroup name and LogGroup ARN are mutually exclusive parameters.")
    );
    assert_eq!(logs.error("DescribeLogStreams", json!({})).await.0, "InvalidParameterException");
}

#[tokio::test]
async fn a_deleted_stream_takes_its_events_with_it_and_no_others() {
    let logs = Logs::with_stream().await;
    logs.ok("CreateLogStream", json!({"logGroupName": "g", "logStreamName": "t"})).await;
    logs.put("s", &[(0, "one"), (2, "three")]).await;
    logs.put("t", &[(1, "two")]).await;
    logs.ok("DeleteLogStream", json!({"logGroupName": "g", "logStreamName": "s"})).await;
    assert_eq!(messages(&logs.ok("FilterLogEvents", json!({"logGroupName": "g"})).await), ["two"]);
    let groups = logs.ok("DescribeLogGroups", json!({})).await;
    assert_eq!(groups["logGroups"][0]["storedBytes"], json!(3 + 26));
}

#[tokio::test]
async fn streams_are_ordered_by_name_or_last_event_both_ways_and_paged() {
    let logs = Logs::new();
    logs.ok("CreateLogGroup", json!({"logGroupName": "g"})).await;
    let events = [("a", Some(30)), ("b", Some(10)), ("b1", None), ("b2", Some(30)), ("c", Some(20))];
    for (name, at) in events {
        logs.ok("CreateLogStream", json!({"logGroupName": "g", "logStreamName": name})).await;
        if let Some(at) = at {
            logs.put(name, &[(at, "x")]).await;
        }
    }
    let orders = [
        ("LogStreamName", false, ["a", "b", "b1", "b2", "c"]),
        ("LogStreamName", true, ["c", "b2", "b1", "b", "a"]),
        ("LastEventTime", false, ["b1", "b", "c", "a", "b2"]),
        ("LastEventTime", true, ["b2", "a", "c", "b", "b1"]),
    ];
    for (order, descending, expected) in orders {
        for limit in 1..=6 {
            let (mut all, mut token) = (Vec::new(), Value::Null);
            loop {
                let input = json!({"logGroupName": "g", "orderBy": order, "descending": descending, "limit": limit,
                    "nextToken": token});
                let output = logs.ok("DescribeLogStreams", input).await;
                let page = members(&output["logStreams"], "logStreamName");
                assert!(page.len() <= limit && !page.is_empty());
                all.extend(page);
                token = output["nextToken"].clone();
                if token.is_null() {
                    break;
                }
            }
            assert_eq!(all, expected, "{order} {descending} {limit}");
        }
    }
    assert_eq!(names(&logs, json!({"logGroupName": "g", "logStreamNamePrefix": "b"})).await, ["b", "b1", "b2"]);
    let input = json!({"logGroupName": "g", "logStreamNamePrefix": "b", "orderBy": "LastEventTime"});
    assert_eq!(
        logs.error("DescribeLogStreams", input).await,
        pair("InvalidParameterException", "Cannot order by LastEventTime with a logStreamNamePrefix.")
    );
}

#[tokio::test]
async fn a_token_of_another_group_or_none_is_refused() {
    let logs = Logs::with_stream().await;
    logs.ok("CreateLogStream", json!({"logGroupName": "g", "logStreamName": "t"})).await;
    logs.ok("CreateLogGroup", json!({"logGroupName": "h"})).await;
    let token = logs.ok("DescribeLogStreams", json!({"logGroupName": "g", "limit": 1})).await["nextToken"].clone();
    assert_eq!(
        logs.error("DescribeLogStreams", json!({"logGroupName": "h", "nextToken": token})).await,
        invalid_token()
    );
    assert_eq!(logs.error("DescribeLogGroups", json!({"nextToken": token})).await, invalid_token());
    assert_eq!(logs.error("DescribeLogStreams", json!({"logGroupName": "g", "nextToken": "?"})).await, invalid_token());
}
