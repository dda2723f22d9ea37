//! Tags, by ARN and by name.

use super::*;

const ARN: &str = "arn:aws:logs:us-east-1:123456789012:log-group:g";

async fn both(logs: &Logs) -> Value {
    let by_arn = logs.ok("ListTagsForResource", json!({"resourceArn": ARN})).await;
    assert_eq!(logs.ok("ListTagsLogGroup", json!({"logGroupName": "g"})).await, by_arn);
    by_arn["tags"].clone()
}

#[tokio::test]
async fn tags_are_added_replaced_and_removed_by_arn_and_by_name() {
    let logs = Logs::new();
    logs.ok("CreateLogGroup", json!({"logGroupName": "g", "tags": {"a": "1"}})).await;
    assert_eq!(both(&logs).await, json!({"a": "1"}));
    logs.ok("TagResource", json!({"resourceArn": ARN, "tags": {"a": "2", "b": "3"}})).await;
    assert_eq!(both(&logs).await, json!({"a": "2", "b": "3"}));
    logs.ok("TagLogGroup", json!({"logGroupName": "g", "tags": {"c": ""}})).await;
    logs.ok("UntagResource", json!({"resourceArn": ARN, "tagKeys": ["b", "none"]})).await;
    assert_eq!(both(&logs).await, json!({"a": "2", "c": ""}));
    logs.ok("UntagLogGroup", json!({"logGroupName": "g", "tags": ["a", "c"]})).await;
    assert_eq!(both(&logs).await, json!({}));
}

#[tokio::test]
async fn fifty_tags_are_the_most() {
    let logs = Logs::with_stream().await;
    let tags: serde_json::Map<String, Value> = (0..50).map(|number| (format!("k{number}"), json!("v"))).collect();
    logs.ok("TagResource", json!({"resourceArn": ARN, "tags": tags})).await;
    logs.ok("TagResource", json!({"resourceArn": ARN, "tags": {"k0": "w"}})).await;
    let (code, _) = logs.error("TagResource", json!({"resourceArn": ARN, "tags": {"one": "more"}})).await;
    assert_eq!(code, "TooManyTagsException");
    assert_eq!(both(&logs).await.as_object().unwrap().len(), 50);
}

#[tokio::test]
async fn what_does_not_exist_has_no_tags() {
    let logs = Logs::with_stream().await;
    let code = no_group().0;
    let no_destination = (code, "The specified destination does not exist.".to_owned());
    let destination = "arn:aws:logs:us-east-1:123456789012:destination:d";
    for (arn, gone) in [(&*format!("{ARN}x"), no_group()), ("g", no_group()), (destination, no_destination)] {
        assert_eq!(logs.error("ListTagsForResource", json!({"resourceArn": arn})).await, gone);
        assert_eq!(logs.error("TagResource", json!({"resourceArn": arn, "tags": {"a": "b"}})).await, gone);
        assert_eq!(logs.error("UntagResource", json!({"resourceArn": arn, "tagKeys": []})).await, gone);
    }
    assert_eq!(logs.error("ListTagsLogGroup", json!({"logGroupName": "x"})).await, no_group());
}
