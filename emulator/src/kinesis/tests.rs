//! Streams through the front door.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::shard::{self, Shard};
use crate::Error;
use crate::cloud::{Call, Caller, Cloud};

async fn call(cloud: &Cloud, operation: &str, input: Value) -> Result<Value, Error> {
    let caller = Caller::root(&cloud.scope().account);
    let call = Call::new("kinesis", operation, caller, cloud.scope().clone(), input);
    cloud.call(call).await.map(|reply| reply.output)
}

async fn with_stream(shards: u32) -> Cloud {
    let cloud = Cloud::builder().build();
    call(&cloud, "CreateStream", json!({"StreamName": "s", "ShardCount": shards})).await.unwrap();
    cloud
}

async fn put(cloud: &Cloud, key: &str, data: &str) -> Value {
    let input = json!({"StreamName": "s", "PartitionKey": key, "Data": STANDARD.encode(data)});
    call(cloud, "PutRecord", input).await.unwrap()
}

async fn iterator(cloud: &Cloud, more: Value) -> String {
    let mut input = json!({"StreamName": "s", "ShardId": "shardId-000000000000"});
    for (name, value) in more.as_object().unwrap() {
        input[name] = value.clone();
    }
    let found = call(cloud, "GetShardIterator", input).await.unwrap();
    found["ShardIterator"].as_str().unwrap().to_owned()
}

async fn read(cloud: &Cloud, iterator: &str) -> (Vec<String>, Value) {
    let page = call(cloud, "GetRecords", json!({"ShardIterator": iterator, "Limit": 2})).await.unwrap();
    let text = |record: &Value| String::from_utf8(STANDARD.decode(record["Data"].as_str().unwrap()).unwrap()).unwrap();
    (page["Records"].as_array().unwrap().iter().map(text).collect(), page)
}

#[tokio::test]
async fn a_shard_is_read_in_order_from_wherever_the_reader_asks() {
    let cloud = with_stream(1).await;
    put(&cloud, "a", "1").await;
    let second = put(&cloud, "b", "2").await["SequenceNumber"].clone();
    cloud.advance(Duration::from_secs(10)).await.unwrap();
    let latest = iterator(&cloud, json!({"ShardIteratorType": "LATEST"})).await;
    put(&cloud, "c", "3").await;
    let now = cloud.now();
    for (more, expected) in [
        (json!({"ShardIteratorType": "TRIM_HORIZON"}), vec!["1", "2"]),
        (json!({"ShardIteratorType": "AT_SEQUENCE_NUMBER", "StartingSequenceNumber": second}), vec!["2", "3"]),
        (json!({"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": second}), vec!["3"]),
        (json!({"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": now.millis()}), vec!["3"]),
    ] {
        let iterator = iterator(&cloud, more.clone()).await;
        assert_eq!(read(&cloud, &iterator).await.0, expected, "{more}");
    }
    assert_eq!(read(&cloud, &latest).await.0, ["3"]);
    let from_the_beginning = iterator(&cloud, json!({"ShardIteratorType": "TRIM_HORIZON"})).await;
    let (_, page) = read(&cloud, &from_the_beginning).await;
    assert_eq!(page["MillisBehindLatest"], 0);
    let (rest, page) = read(&cloud, page["NextShardIterator"].as_str().unwrap()).await;
    assert_eq!(rest, ["3"]);
    cloud.advance(Duration::from_secs(301)).await.unwrap();
    let expired = call(&cloud, "GetRecords", json!({"ShardIterator": page["NextShardIterator"]})).await.unwrap_err();
    assert_eq!(expired.code(), "ExpiredIteratorException");
}

#[tokio::test]
async fn records_go_when_the_time_for_which_they_are_kept_is_over() {
    let cloud = with_stream(1).await;
    put(&cloud, "a", "1").await;
    let day = Duration::from_secs(24 * 3600);
    let longer = json!({"StreamName": "s", "RetentionPeriodHours": 48});
    call(&cloud, "IncreaseStreamRetentionPeriod", longer).await.unwrap();
    cloud.advance(day).await.unwrap();
    let oldest = iterator(&cloud, json!({"ShardIteratorType": "TRIM_HORIZON"})).await;
    assert_eq!(read(&cloud, &oldest).await.0, ["1"]);
    cloud.advance(day).await.unwrap();
    let oldest = iterator(&cloud, json!({"ShardIteratorType": "TRIM_HORIZON"})).await;
    assert!(read(&cloud, &oldest).await.0.is_empty());
    let shorter = json!({"StreamName": "s", "RetentionPeriodHours": 72});
    let refused = call(&cloud, "DecreaseStreamRetentionPeriod", shorter).await.unwrap_err();
    assert_eq!(refused.code(), "InvalidArgumentException");
}

#[tokio::test]
async fn shards_are_paged_and_share_the_hash_keys() {
    let cloud = with_stream(3).await;
    let page = call(&cloud, "ListShards", json!({"StreamName": "s", "MaxResults": 2})).await.unwrap();
    let edges: Vec<&Value> =
        page["Shards"].as_array().unwrap().iter().map(|shard| &shard["HashKeyRange"]["EndingHashKey"]).collect();
    // The edges of a stream of three shards at AWS.
    assert_eq!(edges, ["113427455640312821154458202477256070484", "226854911280625642308916404954512140969"]);
    let rest = call(&cloud, "ListShards", json!({"NextToken": page["NextToken"]})).await.unwrap();
    assert_eq!(rest["Shards"][0]["HashKeyRange"]["EndingHashKey"], u128::MAX.to_string());
    assert!(rest.get("NextToken").is_none());
    let low = json!({"Data": "YQ==", "PartitionKey": "a", "ExplicitHashKey": "0"});
    let high = json!({"Data": "Yg==", "PartitionKey": "a", "ExplicitHashKey": u128::MAX.to_string()});
    let answer = call(&cloud, "PutRecords", json!({"StreamName": "s", "Records": [low, high]})).await.unwrap();
    assert_eq!(answer["Records"][0]["ShardId"], "shardId-000000000000");
    assert_eq!(answer["Records"][1]["ShardId"], "shardId-000000000002");
}

#[test]
fn every_hash_key_has_one_shard() {
    for count in [1, 2, 3, 4, 7, 100, 500] {
        let shards = Shard::even(count);
        let number = |text: &str| text.parse::<u128>().unwrap();
        assert_eq!((number(&shards[0].first), number(&shards.last().unwrap().last)), (0, u128::MAX));
        for (place, pair) in shards.windows(2).enumerate() {
            assert_eq!(number(&pair[0].last) + 1, number(&pair[1].first));
            assert_eq!(Shard::of(&shards, number(&pair[0].last)), place);
            assert_eq!(Shard::of(&shards, number(&pair[1].first)), place + 1);
        }
    }
    assert_eq!(shard::number(&shard::sequence(7)), Some(7));
}

#[tokio::test]
async fn a_stream_is_named_tagged_and_deleted() {
    let cloud = with_stream(2).await;
    let again = call(&cloud, "CreateStream", json!({"StreamName": "s", "ShardCount": 1})).await.unwrap_err();
    assert_eq!(again.code(), "ResourceInUseException");
    let summary = call(&cloud, "DescribeStreamSummary", json!({"StreamName": "s"})).await.unwrap();
    let arn = &summary["StreamDescriptionSummary"]["StreamARN"];
    assert_eq!(summary["StreamDescriptionSummary"]["OpenShardCount"], 2);
    call(&cloud, "AddTagsToStream", json!({"StreamARN": arn, "Tags": {"a": "1", "b": "2"}})).await.unwrap();
    call(&cloud, "RemoveTagsFromStream", json!({"StreamName": "s", "TagKeys": ["a"]})).await.unwrap();
    let tags = call(&cloud, "ListTagsForStream", json!({"StreamName": "s"})).await.unwrap();
    assert_eq!(tags["Tags"], json!([{"Key": "b", "Value": "2"}]));
    assert_eq!(call(&cloud, "ListStreams", json!({})).await.unwrap()["StreamNames"], json!(["s"]));
    call(&cloud, "DeleteStream", json!({"StreamName": "s"})).await.unwrap();
    let gone = call(&cloud, "DescribeStream", json!({"StreamName": "s"})).await.unwrap_err();
    assert_eq!(gone.message(), "Stream s under account 123456789012 not found.");
    let refused = call(
        &cloud,
        "SplitShard",
        json!({"StreamName": "s", "ShardToSplit": "shardId-000000000000", "NewStartingHashKey": "1"}),
    );
    assert_eq!(refused.await.unwrap_err().status(), 501);
}
