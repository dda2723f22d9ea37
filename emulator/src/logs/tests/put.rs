//! `PutLogEvents`.

use super::*;

fn batch(events: Vec<Value>) -> Value {
    json!({"logGroupName": "g", "logStreamName": "s", "logEvents": events})
}

fn event(at: i64, message: &str) -> Value {
    json!({"timestamp": START + at, "message": message})
}

async fn stored(logs: &Logs) -> Vec<String> {
    messages(&logs.ok("GetLogEvents", json!({"logGroupName": "g", "logStreamName": "s", "startFromHead": true})).await)
}

#[tokio::test]
async fn a_sequence_token_is_ignored_and_answered() {
    let logs = Logs::with_stream().await;
    let mut input = batch(vec![event(0, "a")]);
    input["sequenceToken"] = json!("nonsense");
    let first = logs.ok("PutLogEvents", input.clone()).await;
    let second = logs.ok("PutLogEvents", input).await;
    for output in [&first, &second] {
        let token = output["nextSequenceToken"].as_str().unwrap();
        assert!(token.len() == 56 && token.bytes().all(|b| b.is_ascii_digit()), "{token}");
        assert_eq!(output.as_object().unwrap().len(), 1);
    }
    assert_ne!(first, second);
    assert_eq!(stored(&logs).await, ["a", "a"], "the same batch again is stored again");
}

#[tokio::test]
async fn events_come_in_order_of_time() {
    let logs = Logs::with_stream().await;
    let text = "Log events in a single PutLogEvents request must be in chronological order.";
    let input = batch(vec![event(0, "a"), event(2, "b"), event(1, "c")]);
    assert_eq!(logs.error("PutLogEvents", input).await, pair("InvalidParameterException", text));
    assert!(stored(&logs).await.is_empty());
    logs.put("s", &[(5, "later"), (5, "same")]).await;
    logs.put("s", &[(1, "earlier"), (5, "again")]).await;
    assert_eq!(stored(&logs).await, ["earlier", "later", "same", "again"]);
}

#[tokio::test]
async fn what_is_too_old_too_new_or_expired_is_refused_one_by_one() {
    let logs = Logs::with_stream().await;
    logs.ok("PutRetentionPolicy", json!({"logGroupName": "g", "retentionInDays": 1})).await;
    let events = vec![
        event(-15 * DAY, "old"),
        event(-14 * DAY - 1, "old"),
        event(-14 * DAY, "expired"),
        event(-DAY - 1, "expired"),
        event(-DAY + 2 * HOUR, "first"),
        event(2 * HOUR, "last"),
        event(2 * HOUR + 1, "new"),
        event(DAY, "new"),
    ];
    let output = logs.ok("PutLogEvents", batch(events)).await;
    let info = json!({"tooNewLogEventStartIndex": 6, "tooOldLogEventEndIndex": 2, "expiredLogEventEndIndex": 4});
    assert_eq!(output["rejectedLogEventsInfo"], info);
    assert_eq!(stored(&logs).await, ["first", "last"]);

    let output = logs.ok("PutLogEvents", batch(vec![event(-15 * DAY, "old")])).await;
    assert_eq!(output["rejectedLogEventsInfo"], json!({"tooOldLogEventEndIndex": 1}));
    let output = logs.ok("PutLogEvents", batch(vec![event(181 * MINUTE, "new")])).await;
    assert_eq!(output["rejectedLogEventsInfo"], json!({"tooNewLogEventStartIndex": 0}));
    assert_eq!(stored(&logs).await.len(), 2);
}

#[tokio::test]
async fn what_is_taken_spans_a_day_at_most() {
    let logs = Logs::with_stream().await;
    logs.put("s", &[(-DAY, "a"), (0, "b")]).await;
    let text = "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.";
    let input = batch(vec![event(-DAY - 1, "c"), event(0, "d")]);
    assert_eq!(logs.error("PutLogEvents", input).await, pair("InvalidParameterException", text));
    logs.put("s", &[(-20 * DAY, "old"), (-HOUR, "e"), (DAY, "new")]).await;
    assert_eq!(stored(&logs).await, ["a", "e", "b"]);
}

#[tokio::test]
async fn events_and_batches_have_a_size_in_bytes() {
    let logs = Logs::with_stream().await;
    let most = "é".repeat((1_048_576 - 26) / 2);
    logs.put("s", &[(0, &most)]).await;
    let input = batch(vec![event(0, &format!("{most}é"))]);
    let text = "Log event too large: 1048578 bytes exceeds limit of 1048576";
    assert_eq!(logs.error("PutLogEvents", input).await, pair("InvalidParameterException", text));
    let half = "x".repeat(524_288 - 26);
    logs.put("s", &[(0, &half), (0, &half)]).await;
    let input = batch(vec![event(0, &half), event(0, &half), event(0, "x")]);
    let text = "Upload too large: 1048603 bytes exceeds limit of 1048576";
    assert_eq!(logs.error("PutLogEvents", input).await, pair("InvalidParameterException", text));
}

#[tokio::test]
async fn group_and_stream_must_exist() {
    let logs = Logs::with_stream().await;
    let mut input = batch(vec![event(0, "a")]);
    input["logStreamName"] = json!("x");
    assert_eq!(logs.error("PutLogEvents", input.clone()).await, no_stream());
    input["logGroupName"] = json!("x");
    assert_eq!(logs.error("PutLogEvents", input).await, no_group());
}

#[tokio::test]
async fn runs_of_one_seed_give_the_same_ids() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let logs = Logs::with_stream().await;
        let put = logs.put("s", &[(0, "a"), (0, "b")]).await;
        runs.push((put, logs.ok("FilterLogEvents", json!({"logGroupName": "g"})).await));
    }
    assert_eq!(runs[0], runs[1]);
}
