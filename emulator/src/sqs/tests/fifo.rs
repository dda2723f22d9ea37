//! FIFO queues: order within groups, locks, deduplication, attempts.

use serde_json::json;

use super::*;

#[tokio::test]
async fn a_group_waits_for_what_is_in_flight() {
    let sqs = Sqs::new().await;
    for (group, body) in [("a", "a1"), ("a", "a2"), ("b", "b1"), ("a", "a3")] {
        sqs.send_to(group, body).await;
    }
    let two = sqs.receive_by(json!({"QueueUrl": "f.fifo", "MaxNumberOfMessages": 2})).await;
    assert_eq!(bodies(&two), ["a1", "a2"]);
    assert_eq!(bodies(&sqs.receive("f.fifo").await), ["b1"]);
    sqs.delete("f.fifo", &two[0]).await;
    assert!(sqs.receive("f.fifo").await.is_empty(), "a2 is in flight still");
    sqs.delete("f.fifo", &two[1]).await;
    assert_eq!(bodies(&sqs.receive("f.fifo").await), ["a3"]);
}

#[tokio::test]
async fn a_message_that_is_shown_again_comes_before_those_behind_it() {
    let sqs = Sqs::new().await;
    for body in ["1", "2", "3"] {
        sqs.send_to("g", body).await;
    }
    let two = sqs.receive_by(json!({"QueueUrl": "f.fifo", "MaxNumberOfMessages": 2})).await;
    let show = |message: &Value| json!({"QueueUrl": "f.fifo", "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 0});
    sqs.ok("ChangeMessageVisibility", show(&two[0])).await;
    assert_eq!(bodies(&sqs.receive("f.fifo").await), ["1"], "2 is in flight, and 3 behind it");
    let late = json!({"QueueUrl": "f.fifo", "ReceiptHandle": two[0]["ReceiptHandle"]});
    let error = sqs.err("DeleteMessage", late).await;
    assert!(error.message().ends_with("Reason: The receipt handle has expired."), "{error}");
    sqs.advance(30).await;
    assert_eq!(bodies(&sqs.receive("f.fifo").await), ["1", "2", "3"]);
}

#[tokio::test]
async fn a_message_is_accepted_once_within_five_minutes() {
    let sqs = Sqs::new().await;
    let first = sqs.send_to("g", "x").await;
    sqs.advance(299).await;
    let again = sqs.send_to("g", "x").await;
    assert_eq!((&first["MessageId"], &first["SequenceNumber"]), (&again["MessageId"], &again["SequenceNumber"]));
    assert_eq!(first["SequenceNumber"].as_str().unwrap().len(), 20);
    assert_eq!(sqs.counts("f.fifo"), (1, 0, 0));
    sqs.advance(1).await;
    let new = sqs.send_to("g", "x").await;
    assert!(new["SequenceNumber"].as_str() > first["SequenceNumber"].as_str());
    assert_eq!(sqs.counts("f.fifo"), (2, 0, 0));
}

#[tokio::test]
async fn the_scope_of_deduplication_and_content_count() {
    let sqs = Sqs::new().await;
    let attributes =
        json!({"FifoQueue": "true", "ContentBasedDeduplication": "true", "DeduplicationScope": "messageGroup"});
    let queue = sqs.create("g.fifo", attributes).await;
    for group in ["a", "b", "a"] {
        sqs.ok("SendMessage", json!({"QueueUrl": queue, "MessageBody": "x", "MessageGroupId": group})).await;
    }
    assert_eq!(sqs.counts("g.fifo"), (2, 0, 0));
    let error = sqs.err("SendMessage", json!({"QueueUrl": "f.fifo", "MessageBody": "x", "MessageGroupId": "g"})).await;
    assert!(error.message().contains("ContentBasedDeduplication"), "{error}");
    let error = sqs.err("SendMessage", json!({"QueueUrl": "f.fifo", "MessageBody": "x"})).await;
    assert_eq!(error.code(), "MissingRequiredParameterException");
}

#[tokio::test]
async fn a_changed_scope_of_deduplication_counts_a_minute_later() {
    let sqs = Sqs::new().await;
    let send = |group: &'static str| {
        sqs.ok(
        "SendMessage",
        json!({"QueueUrl": "f.fifo", "MessageBody": "x", "MessageGroupId": group, "MessageDeduplicationId": "same"}),
    )
    };
    let count = || sqs.counts("f.fifo").0;
    send("a").await;
    let attributes = json!({"DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"});
    sqs.ok("SetQueueAttributes", json!({"QueueUrl": "f.fifo", "Attributes": attributes})).await;
    sqs.advance(30).await;
    sqs.ok("SetQueueAttributes", json!({"QueueUrl": "f.fifo", "Attributes": {"DelaySeconds": "0"}})).await;
    sqs.advance(29).await;
    send("b").await;
    assert_eq!(count(), 1);
    sqs.advance(1).await;
    send("c").await;
    assert_eq!(count(), 2);
    send("c").await;
    assert_eq!(count(), 2);
}

#[tokio::test]
async fn an_attempt_is_answered_alike_when_it_is_repeated() {
    let sqs = Sqs::new().await;
    for body in ["1", "2", "3"] {
        sqs.send_to("g", body).await;
    }
    let attempt = json!({"QueueUrl": "f.fifo", "MaxNumberOfMessages": 2, "ReceiveRequestAttemptId": "a"});
    let first = sqs.receive_by(attempt.clone()).await;
    sqs.advance(20).await;
    let second = sqs.receive_by(attempt.clone()).await;
    assert_eq!(first, second);
    sqs.advance(20).await;
    assert_eq!(sqs.counts("f.fifo"), (1, 2, 0), "the repeated receive hid them anew");
    sqs.delete("f.fifo", &first[0]).await;
    assert!(sqs.receive_by(attempt).await.is_empty(), "what was deleted is not received again");
}

#[tokio::test]
async fn a_delay_of_the_queue_holds_for_messages_that_wait_already() {
    let sqs = Sqs::new().await;
    let delay = |seconds: &str| json!({"QueueUrl": "f.fifo", "Attributes": {"DelaySeconds": seconds}});
    sqs.ok("SetQueueAttributes", delay("100")).await;
    sqs.send_to("g", "1").await;
    assert_eq!(sqs.counts("f.fifo"), (0, 0, 1));
    sqs.ok("SetQueueAttributes", delay("10")).await;
    sqs.advance(9).await;
    assert!(sqs.receive("f.fifo").await.is_empty());
    sqs.advance(1).await;
    assert_eq!(sqs.receive("f.fifo").await.len(), 1);
    let own = json!({
        "QueueUrl": "f.fifo", "MessageBody": "x", "MessageGroupId": "g", "MessageDeduplicationId": "d", "DelaySeconds": 1,
    });
    assert_eq!(sqs.err("SendMessage", own).await.code(), "InvalidParameterValueException");
}
