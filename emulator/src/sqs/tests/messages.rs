//! Messages of a standard queue: sent, received, hidden, deleted, expired.

use serde_json::json;

use super::*;
use crate::sqs::Quirks;

#[tokio::test]
async fn a_message_is_received_hidden_shown_again_and_deleted() {
    let sqs = Sqs::new().await;
    let sent = sqs.send("q", "hello").await;
    assert_eq!(sent["MD5OfMessageBody"], "5d41402abc4b2a76b9719d911017c592");
    let first = sqs.receive("q").await;
    assert_eq!(bodies(&first), ["hello"]);
    assert_eq!(first[0]["MessageId"], sent["MessageId"]);
    assert_eq!(first[0]["Attributes"]["ApproximateReceiveCount"], "1");
    assert_eq!((sqs.receive("q").await.len(), sqs.counts("q")), (0, (0, 1, 0)));
    sqs.advance(29).await;
    assert_eq!(sqs.receive("q").await.len(), 0);
    sqs.advance(1).await;
    assert_eq!(sqs.counts("q"), (1, 0, 0));
    let second = sqs.receive("q").await;
    assert_eq!(second[0]["Attributes"]["ApproximateReceiveCount"], "2");
    assert_eq!(
        second[0]["Attributes"]["ApproximateFirstReceiveTimestamp"],
        first[0]["Attributes"]["ApproximateFirstReceiveTimestamp"]
    );
    assert_ne!(first[0]["ReceiptHandle"], second[0]["ReceiptHandle"]);
    sqs.delete("q", &second[0]).await;
    sqs.delete("q", &second[0]).await;
    assert_eq!(sqs.counts("q"), (0, 0, 0));
}

#[tokio::test]
async fn delays_and_retention_end_when_they_should() {
    let sqs = Sqs::new().await;
    sqs.ok("SendMessage", json!({"QueueUrl": "q", "MessageBody": "late", "DelaySeconds": 10})).await;
    sqs.send("q", "now").await;
    assert_eq!(sqs.counts("q"), (1, 0, 1));
    assert_eq!(bodies(&sqs.receive("q").await), ["now"]);
    sqs.advance(10).await;
    assert_eq!(bodies(&sqs.receive("q").await), ["late"]);
    let retention = json!({"QueueUrl": "q", "Attributes": {"MessageRetentionPeriod": "60"}});
    sqs.ok("SetQueueAttributes", retention).await;
    sqs.advance(49).await;
    assert_eq!(sqs.counts("q"), (2, 0, 0));
    sqs.advance(1).await;
    assert_eq!(sqs.counts("q"), (0, 0, 0), "what is retained for 60 s is gone after 60 s");
}

#[tokio::test]
async fn a_visibility_timeout_is_changed_up_to_twelve_hours_after_the_receive() {
    let sqs = Sqs::new().await;
    sqs.send("q", "x").await;
    let message = sqs.receive("q").await.remove(0);
    let change = |seconds: i64| json!({"QueueUrl": "q", "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": seconds});
    sqs.ok("ChangeMessageVisibility", change(43_200)).await;
    sqs.advance(100).await;
    let error = sqs.err("ChangeMessageVisibility", change(43_101)).await;
    assert!(error.message().contains("Total VisibilityTimeout for the message is beyond the limit"), "{error}");
    sqs.ok("ChangeMessageVisibility", change(0)).await;
    assert_eq!(sqs.receive("q").await.len(), 1);
    let error = sqs.err("ChangeMessageVisibility", change(43_201)).await;
    assert_eq!(error.code(), "InvalidParameterValueException");
}

#[tokio::test]
async fn a_handle_that_was_never_given_is_refused() {
    let sqs = Sqs::new().await;
    let other = sqs.create("other", json!({})).await;
    sqs.send("q", "x").await;
    let message = sqs.receive("q").await.remove(0);
    for (queue, handle) in [("q", json!("garbage")), (other.as_str(), message["ReceiptHandle"].clone())] {
        let error = sqs.err("DeleteMessage", json!({"QueueUrl": queue, "ReceiptHandle": handle})).await;
        assert_eq!(error.code(), "ReceiptHandleIsInvalid", "{error}");
    }
    assert_eq!(sqs.counts("q"), (0, 1, 0));
}

#[tokio::test]
async fn the_entries_of_a_batch_fail_by_themselves() {
    let sqs = Sqs::new().await;
    let entries = json!([
        {"Id": "good", "MessageBody": "x"},
        {"Id": "bad", "MessageBody": "\u{1}"},
        {"Id": "slow", "MessageBody": "x", "DelaySeconds": 901},
    ]);
    let sent = sqs.ok("SendMessageBatch", json!({"QueueUrl": "q", "Entries": entries})).await;
    assert_eq!(sent["Successful"][0]["Id"], "good");
    assert_eq!(sent["Failed"][0]["Code"], "InvalidMessageContents");
    assert_eq!(sent["Failed"][1]["Code"], "InvalidParameterValue");
    assert_eq!(sqs.counts("q"), (1, 0, 0));
    let many: Vec<Value> = (0..11).map(|id| json!({"Id": id.to_string(), "MessageBody": "x"})).collect();
    let long = "x".repeat(600_000);
    for (entries, code) in [
        (json!([]), "EmptyBatchRequest"),
        (json!(many), "TooManyEntriesInBatchRequest"),
        (json!([{"Id": "a b", "MessageBody": "x"}]), "InvalidBatchEntryId"),
        (json!([{"Id": "a", "MessageBody": "x"}, {"Id": "a", "MessageBody": "x"}]), "BatchEntryIdsNotDistinct"),
        (json!([{"Id": "a", "MessageBody": long}, {"Id": "b", "MessageBody": long}]), "BatchRequestTooLong"),
    ] {
        let error = sqs.err("SendMessageBatch", json!({"QueueUrl": "q", "Entries": entries})).await;
        assert_eq!(error.code(), code);
    }
}

#[tokio::test]
async fn attributes_are_selected_by_name_and_prefix() {
    let sqs = Sqs::new().await;
    let value = json!({"DataType": "String", "StringValue": "v"});
    let attributes = json!({"a.one": value, "a.two": value, "b": value});
    sqs.ok("SendMessage", json!({"QueueUrl": "q", "MessageBody": "x", "MessageAttributes": attributes})).await;
    for (names, wanted) in [
        (json!(["All"]), vec!["a.one", "a.two", "b"]),
        (json!([".*"]), vec!["a.one", "a.two", "b"]),
        (json!(["a.*"]), vec!["a.one", "a.two"]),
        (json!(["b", "none"]), vec!["b"]),
        (json!([]), vec![]),
    ] {
        let input = json!({"QueueUrl": "q", "MessageAttributeNames": names, "VisibilityTimeout": 0});
        let message = sqs.receive_by(input).await.remove(0);
        let got: Vec<&String> =
            message["MessageAttributes"].as_object().into_iter().flat_map(|map| map.keys()).collect();
        assert_eq!(got, wanted);
        assert_eq!(message.get("MD5OfMessageAttributes").is_some(), !wanted.is_empty());
    }
}

#[tokio::test]
async fn a_queue_duplicates_and_reorders_when_it_is_told_to_and_alike_for_the_same_seed() {
    let mut orders = Vec::new();
    for _ in 0..2 {
        let sqs = Sqs::new().await;
        sqs.cloud.queue_quirks(&arn("q"), Quirks { duplicate: true, reorder: true }).unwrap();
        for body in 0..8 {
            sqs.send("q", &body.to_string()).await;
        }
        let first = sqs.receive("q").await;
        assert_eq!(first.len(), 8);
        for message in &first {
            sqs.delete("q", message).await;
        }
        assert_eq!(sqs.counts("q"), (8, 0, 0), "each has a copy that survives");
        let copies = sqs.receive("q").await;
        let ids = |messages: &[Value]| {
            let mut ids: Vec<String> = messages.iter().map(|message| message["MessageId"].to_string()).collect();
            ids.sort();
            ids
        };
        assert_eq!(ids(&first), ids(&copies));
        for message in &copies {
            sqs.delete("q", message).await;
        }
        assert_eq!(sqs.counts("q"), (0, 0, 0), "a copy has no copies");
        orders.push(first.iter().map(|message| message["Body"].to_string()).collect::<Vec<_>>());
    }
    assert_eq!(orders[0], orders[1]);
    let mut sorted = orders[0].clone();
    sorted.sort();
    assert_ne!(orders[0], sorted, "this seed reorders");
    let sqs = Sqs::new().await;
    let refused = sqs.cloud.queue_quirks(&arn("f.fifo"), Quirks::default()).unwrap_err();
    assert_eq!(refused.code(), "UnsupportedOperation");
    assert_eq!(sqs.cloud.queue_quirks(&arn("none"), Quirks::default()).unwrap_err().code(), "QueueDoesNotExist");
}
