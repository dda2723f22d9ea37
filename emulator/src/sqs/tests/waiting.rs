//! Long polls under virtual time.

use std::time::Duration;

use serde_json::json;

use super::*;

/// Polls `queue` for `wait` seconds beside what goes on; answers the bodies, and the seconds that it took.
fn poll(sqs: &Sqs, queue: &str, wait: u32) -> tokio::task::JoinHandle<(Vec<String>, u64)> {
    let (cloud, scope) = (sqs.cloud.clone(), sqs.scope.clone());
    let input = json!({"QueueUrl": queue, "WaitTimeSeconds": wait, "MaxNumberOfMessages": 10});
    tokio::spawn(async move {
        let begun = cloud.now();
        let call = Call::new("sqs", "ReceiveMessage", Caller::root(&scope.account), scope, input);
        let output = cloud.call(call).await.unwrap().output;
        let messages = output["Messages"].as_array().cloned().unwrap_or_default();
        let bodies = messages.iter().map(|message| message["Body"].as_str().unwrap().to_owned()).collect();
        (bodies, cloud.now().since(begun).as_secs())
    })
}

/// Lets the polls that were begun come to wait.
async fn begin() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_poll_ends_with_a_message_or_with_its_time() {
    let sqs = Sqs::new().await;
    let patient = poll(&sqs, "q", 20);
    begin().await;
    sqs.advance(5).await;
    sqs.send("q", "x").await;
    sqs.cloud.settle().await.unwrap();
    assert_eq!(patient.await.unwrap(), (vec!["x".to_owned()], 5));
    let vain = poll(&sqs, "f.fifo", 20);
    begin().await;
    sqs.advance(60).await;
    let (bodies, _) = vain.await.unwrap();
    assert!(bodies.is_empty());
}

#[tokio::test]
async fn a_poll_sees_what_becomes_visible_at_its_time() {
    let sqs = Sqs::new().await;
    sqs.ok("SendMessage", json!({"QueueUrl": "q", "MessageBody": "late", "DelaySeconds": 7})).await;
    let cloud = sqs.cloud.clone();
    let waiting = poll(&sqs, "q", 20);
    begin().await;
    cloud.advance(Duration::from_secs(7)).await.unwrap();
    assert_eq!(waiting.await.unwrap(), (vec!["late".to_owned()], 7));
}

#[tokio::test]
async fn a_poll_wakes_when_a_message_is_given_back() {
    let sqs = Sqs::new().await;
    sqs.send_to("g", "1").await;
    sqs.send_to("g", "2").await;
    let first = sqs.receive_by(json!({"QueueUrl": "f.fifo"})).await.remove(0);
    let waiting = poll(&sqs, "f.fifo", 20);
    begin().await;
    sqs.advance(3).await;
    sqs.delete("f.fifo", &first).await;
    sqs.cloud.settle().await.unwrap();
    assert_eq!(waiting.await.unwrap(), (vec!["2".to_owned()], 3));
}

#[tokio::test]
async fn one_message_is_for_one_poll_and_a_deleted_queue_for_none() {
    let sqs = Sqs::new().await;
    let polls = [poll(&sqs, "q", 20), poll(&sqs, "q", 20)];
    begin().await;
    sqs.send("q", "x").await;
    sqs.advance(20).await;
    let mut lengths = Vec::new();
    for poll in polls {
        lengths.push(poll.await.unwrap().0.len());
    }
    lengths.sort_unstable();
    assert_eq!(lengths, [0, 1]);
    let (cloud, scope) = (sqs.cloud.clone(), sqs.scope.clone());
    let waiting = tokio::spawn(async move {
        let input = json!({"QueueUrl": "f.fifo", "WaitTimeSeconds": 20});
        cloud.call(Call::new("sqs", "ReceiveMessage", Caller::root(&scope.account), scope, input)).await
    });
    begin().await;
    sqs.ok("DeleteQueue", json!({"QueueUrl": "f.fifo"})).await;
    sqs.cloud.settle().await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap_err().code(), "QueueDoesNotExist");
}
