//! `PutRetentionPolicy`, `DeleteRetentionPolicy`, and the end of events.

use super::*;

async fn group(logs: &Logs) -> Value {
    logs.ok("DescribeLogGroups", json!({})).await["logGroups"][0].clone()
}

async fn found(logs: &Logs) -> Vec<String> {
    let found = messages(&logs.ok("FilterLogEvents", json!({"logGroupName": "g"})).await);
    let input = json!({"logGroupName": "g", "logStreamName": "s", "startFromHead": true});
    assert_eq!(messages(&logs.ok("GetLogEvents", input).await), found);
    found
}

#[tokio::test]
async fn a_policy_is_set_shown_and_removed() {
    let logs = Logs::with_stream().await;
    logs.ok("PutRetentionPolicy", json!({"logGroupName": "g", "retentionInDays": 3653})).await;
    assert_eq!(group(&logs).await["retentionInDays"], json!(3653));
    for _ in 0..2 {
        logs.ok("DeleteRetentionPolicy", json!({"logGroupName": "g"})).await;
        assert_eq!(group(&logs).await.get("retentionInDays"), None);
    }
    let (code, message) = logs.error("PutRetentionPolicy", json!({"logGroupName": "g", "retentionInDays": 2})).await;
    assert_eq!(code, "InvalidParameterException");
    assert!(message.contains("'2' at 'retentionInDays'"), "{message}");
    assert_eq!(logs.error("PutRetentionPolicy", json!({"logGroupName": "x", "retentionInDays": 1})).await, no_group());
    assert_eq!(logs.error("DeleteRetentionPolicy", json!({"logGroupName": "x"})).await, no_group());
}

#[tokio::test]
async fn events_expire_to_the_millisecond_and_are_dropped_within_the_hour() {
    let logs = Logs::with_stream().await;
    logs.put("s", &[(0, "a"), (1, "bb"), (2 * HOUR, "ccc")]).await;
    logs.ok("PutRetentionPolicy", json!({"logGroupName": "g", "retentionInDays": 1})).await;
    logs.advance(DAY).await;
    assert_eq!(found(&logs).await, ["a", "bb", "ccc"]);
    logs.advance(1).await;
    assert_eq!(found(&logs).await, ["bb", "ccc"]);
    assert_eq!(group(&logs).await["storedBytes"], json!(3 * 26 + 6), "nothing was dropped yet");
    logs.advance(HOUR - 1).await;
    assert_eq!(group(&logs).await["storedBytes"], json!(26 + 3));
    assert_eq!(found(&logs).await, ["ccc"]);
    logs.advance(3 * HOUR).await;
    assert!(found(&logs).await.is_empty());
    assert_eq!(group(&logs).await["storedBytes"], json!(0));
    logs.ok("DeleteRetentionPolicy", json!({"logGroupName": "g"})).await;
    assert!(found(&logs).await.is_empty(), "what was dropped does not come back");
}

#[tokio::test]
async fn a_policy_that_is_removed_in_time_keeps_the_events() {
    let logs = Logs::with_stream().await;
    logs.ok("PutRetentionPolicy", json!({"logGroupName": "g", "retentionInDays": 1})).await;
    logs.put("s", &[(0, "a")]).await;
    logs.advance(DAY - 1).await;
    logs.ok("DeleteRetentionPolicy", json!({"logGroupName": "g"})).await;
    logs.advance(10 * DAY).await;
    assert_eq!(found(&logs).await, ["a"]);
    logs.ok("PutRetentionPolicy", json!({"logGroupName": "g", "retentionInDays": 14})).await;
    logs.advance(2 * DAY).await;
    assert_eq!(found(&logs).await, ["a"]);
    logs.ok("PutRetentionPolicy", json!({"logGroupName": "g", "retentionInDays": 3})).await;
    assert!(found(&logs).await.is_empty());
    logs.advance(HOUR).await;
    assert_eq!(group(&logs).await["storedBytes"], json!(0));
}

#[tokio::test]
async fn each_later_event_has_its_own_end() {
    let logs = Logs::with_stream().await;
    logs.ok("PutRetentionPolicy", json!({"logGroupName": "g", "retentionInDays": 1})).await;
    for hour in 0..48 {
        logs.put("s", &[(hour * HOUR, "x")]).await;
        logs.advance(HOUR).await;
    }
    assert_eq!(found(&logs).await.len(), 24);
    assert_eq!(group(&logs).await["storedBytes"], json!(24 * 27));
}
