//! Dead-letter queues, and the tasks that move messages out of them.

use serde_json::json;

use super::*;

/// `q` gets the dead-letter queue `dead`.
async fn with_dead(max: u32) -> Sqs {
    let sqs = Sqs::new().await;
    sqs.create("dead", json!({})).await;
    let policy = json!({"deadLetterTargetArn": arn("dead"), "maxReceiveCount": max}).to_string();
    sqs.ok("SetQueueAttributes", json!({"QueueUrl": "q", "Attributes": {"RedrivePolicy": policy}})).await;
    sqs
}

#[tokio::test]
async fn what_was_received_too_often_is_dead_and_keeps_its_id_and_age() {
    let sqs = with_dead(2).await;
    let sent = sqs.send("q", "poison").await;
    let mut alive = Value::Null;
    for _ in 0..2 {
        alive = sqs.receive("q").await.remove(0);
        sqs.advance(30).await;
    }
    assert!(sqs.receive("q").await.is_empty());
    let view = sqs.cloud.queues().into_iter().find(|view| view.name == "q").unwrap();
    assert_eq!(view.dead_letter_target, Some(arn("dead")));
    assert_eq!((sqs.counts("q"), sqs.counts("dead")), ((0, 0, 0), (1, 0, 0)));
    let dead = sqs.receive("dead").await.remove(0);
    assert_eq!((&dead["MessageId"], &dead["Body"]), (&sent["MessageId"], &json!("poison")));
    let attributes = &dead["Attributes"];
    assert_eq!(attributes["SentTimestamp"], alive["Attributes"]["SentTimestamp"]);
    assert_eq!(
        (&attributes["ApproximateReceiveCount"], &attributes["DeadLetterQueueSourceArn"]),
        (&json!("3"), &json!(arn("q")))
    );
}

#[tokio::test]
async fn who_may_use_a_dead_letter_queue_is_checked() {
    let sqs = with_dead(1).await;
    let policy = |target: &str| json!({"deadLetterTargetArn": arn(target), "maxReceiveCount": "3"}).to_string();
    for (attributes, part) in [
        (json!({"RedrivePolicy": policy("none")}), "does not exist"),
        (json!({"RedrivePolicy": policy("f.fifo")}), "same type"),
        (json!({"RedrivePolicy": "{}"}), "deadLetterTargetArn"),
    ] {
        let error = sqs.err("CreateQueue", json!({"QueueName": "new", "Attributes": attributes})).await;
        assert!(error.message().contains(part), "{error}");
    }
    let allow = json!({"redrivePermission": "byQueue", "sourceQueueArns": [arn("q")]}).to_string();
    sqs.ok("SetQueueAttributes", json!({"QueueUrl": "dead", "Attributes": {"RedriveAllowPolicy": allow}})).await;
    let error =
        sqs.err("CreateQueue", json!({"QueueName": "new", "Attributes": {"RedrivePolicy": policy("dead")}})).await;
    assert!(error.message().contains("RedriveAllowPolicy"), "{error}");
    let sources = sqs.ok("ListDeadLetterSourceQueues", json!({"QueueUrl": "dead"})).await;
    assert_eq!(sources["queueUrls"], json!(["https://sqs.us-east-1.amazonaws.com/123456789012/q"]));
    sqs.ok("SetQueueAttributes", json!({"QueueUrl": "q", "Attributes": {"RedrivePolicy": ""}})).await;
    let sources = sqs.ok("ListDeadLetterSourceQueues", json!({"QueueUrl": "dead"})).await;
    assert_eq!(sources["queueUrls"], json!([]));
}

#[tokio::test]
async fn a_task_moves_messages_back_at_its_rate_and_can_be_cancelled() {
    let sqs = with_dead(1).await;
    for body in 0..5 {
        sqs.send("q", &body.to_string()).await;
    }
    sqs.receive("q").await;
    sqs.advance(30).await;
    sqs.receive("q").await;
    assert_eq!(sqs.counts("dead"), (5, 0, 0));
    let start = json!({"SourceArn": arn("dead"), "MaxNumberOfMessagesPerSecond": 2});
    let handle = sqs.ok("StartMessageMoveTask", start.clone()).await["TaskHandle"].clone();
    let error = sqs.err("StartMessageMoveTask", start.clone()).await;
    assert!(error.message().starts_with("There is already a task running."), "{error}");
    sqs.cloud.settle().await.unwrap();
    assert_eq!((sqs.counts("q"), sqs.counts("dead")), ((2, 0, 0), (3, 0, 0)));
    let cancelled = sqs.ok("CancelMessageMoveTask", json!({"TaskHandle": handle})).await;
    assert_eq!(cancelled["ApproximateNumberOfMessagesMoved"], 2);
    sqs.advance(10).await;
    assert_eq!(sqs.counts("q"), (2, 0, 0));
    sqs.ok("StartMessageMoveTask", start).await;
    sqs.advance(10).await;
    assert_eq!((sqs.counts("q"), sqs.counts("dead")), ((5, 0, 0), (0, 0, 0)));
    let listed = sqs.ok("ListMessageMoveTasks", json!({"SourceArn": arn("dead"), "MaxResults": 10})).await;
    let results = listed["Results"].as_array().unwrap();
    let told: Vec<_> =
        results.iter().map(|task| (&task["Status"], &task["ApproximateNumberOfMessagesMoved"])).collect();
    assert_eq!(told, [(&json!("COMPLETED"), &json!(3)), (&json!("CANCELLED"), &json!(2))]);
    let back = sqs.receive("q").await;
    assert_eq!(back[0]["Attributes"]["ApproximateReceiveCount"], "1", "a moved message is a new one");
}
