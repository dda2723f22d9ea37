//! Streams and time to live, by the cloud's clock.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Dynamo, n, s};

async fn streaming(view: &str) -> (Dynamo, String) {
    let dynamo = Dynamo::new();
    let stream = json!({"StreamSpecification": {"StreamEnabled": true, "StreamViewType": view}});
    dynamo.create("t", None, stream).await;
    let arn = dynamo.describe("t").await["LatestStreamArn"].as_str().unwrap().to_owned();
    (dynamo, arn)
}

async fn iterator(dynamo: &Dynamo, arn: &str, more: Value) -> Value {
    let described = dynamo.streams("DescribeStream", json!({"StreamArn": arn})).await;
    let shard = &described["StreamDescription"]["Shards"][0]["ShardId"];
    let mut input = json!({"StreamArn": arn, "ShardId": shard});
    for (name, value) in more.as_object().unwrap() {
        input[name] = value.clone();
    }
    dynamo.streams("GetShardIterator", input).await["ShardIterator"].clone()
}

async fn records(dynamo: &Dynamo, arn: &str) -> Vec<Value> {
    let iterator = iterator(dynamo, arn, json!({"ShardIteratorType": "TRIM_HORIZON"})).await;
    let got = dynamo.streams("GetRecords", json!({"ShardIterator": iterator})).await;
    got["Records"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_stream_tells_each_change_once_in_order_with_its_images() {
    let (dynamo, arn) = streaming("NEW_AND_OLD_IMAGES").await;
    dynamo.put(json!({"p": s("a"), "x": n(1)})).await;
    dynamo.put(json!({"p": s("a"), "x": n(1)})).await;
    dynamo.put(json!({"p": s("a"), "x": n(2)})).await;
    dynamo.ok("DeleteItem", json!({"TableName": "t", "Key": {"p": s("a")}})).await;
    dynamo.ok("DeleteItem", json!({"TableName": "t", "Key": {"p": s("a")}})).await;
    let records = records(&dynamo, &arn).await;
    let names: Vec<&str> = records.iter().map(|record| record["eventName"].as_str().unwrap()).collect();
    assert_eq!(names, ["INSERT", "MODIFY", "REMOVE"]);
    assert_eq!(records[1]["dynamodb"]["OldImage"], json!({"p": s("a"), "x": n(1)}));
    assert_eq!(records[1]["dynamodb"]["NewImage"], json!({"p": s("a"), "x": n(2)}));
    assert_eq!(records[2]["dynamodb"]["Keys"], json!({"p": s("a")}));
    assert_eq!(records[2].get("userIdentity"), None);
    let after = json!({
        "ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": records[0]["dynamodb"]["SequenceNumber"],
    });
    let iterator = iterator(&dynamo, &arn, after).await;
    let page = dynamo.streams("GetRecords", json!({"ShardIterator": iterator, "Limit": 1})).await;
    assert_eq!(page["Records"], json!([records[1]]));
    let rest = dynamo.streams("GetRecords", json!({"ShardIterator": page["NextShardIterator"]})).await;
    assert_eq!(rest["Records"], json!([records[2]]));
}

#[tokio::test]
async fn records_are_gone_after_a_day_and_a_stale_place_is_refused() {
    let (dynamo, arn) = streaming("KEYS_ONLY").await;
    dynamo.put(json!({"p": s("a")})).await;
    let first = records(&dynamo, &arn).await[0]["dynamodb"]["SequenceNumber"].clone();
    dynamo.cloud.advance(Duration::from_secs(24 * 3600)).await.unwrap();
    dynamo.put(json!({"p": s("b")})).await;
    let kept = records(&dynamo, &arn).await;
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0]["dynamodb"]["Keys"], json!({"p": s("b")}));
    let described = dynamo.streams("DescribeStream", json!({"StreamArn": arn})).await;
    let shard = &described["StreamDescription"]["Shards"][0]["ShardId"];
    let input = json!({
        "StreamArn": arn, "ShardId": shard, "ShardIteratorType": "AT_SEQUENCE_NUMBER", "SequenceNumber": first,
    });
    let error = dynamo.call("dynamodbstreams", "GetShardIterator", input).await.unwrap_err();
    assert_eq!(error.code(), "TrimmedDataAccessException");
}

#[tokio::test]
async fn a_disabled_stream_ends_and_is_gone_a_day_later() {
    let (dynamo, arn) = streaming("KEYS_ONLY").await;
    dynamo.put(json!({"p": s("a")})).await;
    let off = json!({"TableName": "t", "StreamSpecification": {"StreamEnabled": false}});
    dynamo.ok("UpdateTable", off).await;
    dynamo.put(json!({"p": s("b")})).await;
    let iterator = iterator(&dynamo, &arn, json!({"ShardIteratorType": "TRIM_HORIZON"})).await;
    let got = dynamo.streams("GetRecords", json!({"ShardIterator": iterator})).await;
    assert_eq!(got["Records"].as_array().unwrap().len(), 1);
    assert_eq!(got.get("NextShardIterator"), None);
    dynamo.cloud.advance(Duration::from_secs(25 * 3600)).await.unwrap();
    assert_eq!(dynamo.streams("ListStreams", json!({})).await["Streams"], json!([]));
}

#[tokio::test]
async fn items_expire_at_their_second_and_the_stream_says_who_deleted_them() {
    let (dynamo, arn) = streaming("OLD_IMAGE").await;
    let ttl = json!({"TableName": "t", "TimeToLiveSpecification": {"Enabled": true, "AttributeName": "end"}});
    let now = dynamo.cloud.now().secs();
    dynamo.put(json!({"p": s("before"), "end": n(now + 60)})).await;
    dynamo.ok("UpdateTimeToLive", ttl).await;
    dynamo.put(json!({"p": s("later"), "end": n(now + 120)})).await;
    dynamo.put(json!({"p": s("text"), "end": s("soon")})).await;
    dynamo.put(json!({"p": s("ancient"), "end": n(1)})).await;
    dynamo.cloud.advance(Duration::from_secs(61)).await.unwrap();
    assert_eq!(dynamo.get(json!({"p": s("before")})).await, None);
    assert!(dynamo.get(json!({"p": s("later")})).await.is_some());
    dynamo.cloud.advance(Duration::from_secs(60)).await.unwrap();
    assert_eq!(dynamo.get(json!({"p": s("later")})).await, None);
    assert!(dynamo.get(json!({"p": s("text")})).await.is_some());
    assert!(dynamo.get(json!({"p": s("ancient")})).await.is_some());
    let removed: Vec<Value> =
        records(&dynamo, &arn).await.into_iter().filter(|record| record["eventName"] == "REMOVE").collect();
    assert_eq!(removed.len(), 2);
    assert_eq!(removed[0]["userIdentity"], json!({"PrincipalId": "dynamodb.amazonaws.com", "Type": "Service"}));
    assert_eq!(removed[0]["dynamodb"]["OldImage"]["p"], s("before"));
}
