//! Queues as things: made, configured, listed, purged, deleted, saved.

use serde_json::json;

use super::*;

#[tokio::test]
async fn a_queue_is_created_once_and_its_name_is_free_a_minute_after_it_was_deleted() {
    let sqs = Sqs::new().await;
    let url = sqs.create("q", json!({"VisibilityTimeout": "30"})).await;
    assert_eq!(url, "https://sqs.us-east-1.amazonaws.com/123456789012/q");
    let other = json!({"QueueName": "q", "Attributes": {"VisibilityTimeout": "31"}});
    let error = sqs.err("CreateQueue", other).await;
    assert_eq!(error.code(), "QueueNameExists");
    assert!(error.message().ends_with("for attribute VisibilityTimeout"), "{error}");
    sqs.ok("DeleteQueue", json!({"QueueUrl": url})).await;
    assert_eq!(sqs.err("GetQueueUrl", json!({"QueueName": "q"})).await.code(), "QueueDoesNotExist");
    sqs.advance(59).await;
    assert_eq!(sqs.err("CreateQueue", json!({"QueueName": "q"})).await.code(), "QueueDeletedRecently");
    sqs.advance(1).await;
    sqs.create("q", json!({})).await;
}

#[tokio::test]
async fn names_and_attributes_are_checked() {
    let sqs = Sqs::new().await;
    for (name, attributes) in [
        ("a b", json!({})),
        ("x.fifo", json!({})),
        ("x", json!({"FifoQueue": "true"})),
        ("", json!({})),
        (&*"x".repeat(81), json!({})),
        ("x", json!({"DelaySeconds": "901"})),
        ("x", json!({"MessageRetentionPeriod": "59"})),
        ("x", json!({"MaximumMessageSize": "1048577"})),
        ("x", json!({"ReceiveMessageWaitTimeSeconds": "21"})),
        ("x", json!({"VisibilityTimeout": "x"})),
        ("x", json!({"ContentBasedDeduplication": "true"})),
        ("x", json!({"NoSuchAttribute": "1"})),
        ("x", json!({"Policy": "nonsense"})),
        ("x.fifo", json!({"FifoQueue": "true", "FifoThroughputLimit": "perMessageGroupId"})),
    ] {
        let error = sqs.err("CreateQueue", json!({"QueueName": name, "Attributes": attributes})).await;
        assert!(error.status() == 400 && error.code().starts_with("Invalid"), "{name} {attributes}: {error}");
    }
    let change = json!({"QueueUrl": "q", "Attributes": {"DelaySeconds": "5", "VisibilityTimeout": "x"}});
    sqs.err("SetQueueAttributes", change).await;
    let told = sqs.ok("GetQueueAttributes", json!({"QueueUrl": "q", "AttributeNames": ["DelaySeconds"]})).await;
    assert_eq!(told["Attributes"], json!({"DelaySeconds": "0"}), "all attributes are set, or none");
}

#[tokio::test]
async fn queues_are_listed_by_prefix_and_page() {
    let sqs = Sqs::new().await;
    for n in 0..5 {
        sqs.create(&format!("list-{n}"), json!({})).await;
    }
    let (mut names, mut token) = (Vec::new(), Value::Null);
    loop {
        let mut input = json!({"QueueNamePrefix": "list-", "MaxResults": 2});
        if !token.is_null() {
            input["NextToken"] = token;
        }
        let page = sqs.ok("ListQueues", input).await;
        let urls = page["QueueUrls"].as_array().unwrap();
        assert!((1..=2).contains(&urls.len()));
        names.extend(urls.iter().map(|url| url.as_str().unwrap().rsplit('/').next().unwrap().to_owned()));
        token = page["NextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    assert_eq!(names, ["list-0", "list-1", "list-2", "list-3", "list-4"]);
    let all = sqs.ok("ListQueues", json!({})).await;
    assert_eq!(all["QueueUrls"].as_array().unwrap().len(), 7);
    sqs.err("ListQueues", json!({"NextToken": "%%"})).await;
}

#[tokio::test]
async fn a_purge_takes_everything_and_is_allowed_once_a_minute() {
    let sqs = Sqs::new().await;
    for body in ["1", "2"] {
        sqs.send("q", body).await;
    }
    sqs.receive_by(json!({"QueueUrl": "q"})).await;
    sqs.ok("PurgeQueue", json!({"QueueUrl": "q"})).await;
    assert_eq!(sqs.counts("q"), (0, 0, 0));
    let error = sqs.err("PurgeQueue", json!({"QueueUrl": "q"})).await;
    assert_eq!((error.status(), error.code()), (403, "PurgeQueueInProgress"));
    sqs.advance(60).await;
    sqs.ok("PurgeQueue", json!({"QueueUrl": "q"})).await;
}

#[tokio::test]
async fn a_fork_and_a_saved_world_go_on_by_themselves() {
    let sqs = Sqs::new().await;
    sqs.send_to("g", "1").await;
    sqs.send("q", "x").await;
    sqs.receive("q").await;
    let fork = Sqs { cloud: sqs.cloud.fork(), scope: sqs.scope.clone() };
    let saved = serde_json::to_string(&sqs.cloud.save().unwrap()).unwrap();
    assert_eq!(sqs.receive("f.fifo").await.len(), 1);
    assert_eq!((fork.counts("f.fifo"), fork.counts("q")), ((1, 0, 0), (0, 1, 0)));
    fork.cloud.load(serde_json::from_str(&saved).unwrap()).unwrap();
    fork.advance(30).await;
    assert_eq!(fork.counts("q"), (1, 0, 0));
    assert_eq!(bodies(&fork.receive("f.fifo").await), ["1"]);
    assert_eq!(sqs.counts("q"), (0, 1, 0));
}

#[tokio::test]
async fn tags_are_set_told_and_taken_away() {
    let sqs = Sqs::new().await;
    sqs.ok("TagQueue", json!({"QueueUrl": "q", "Tags": {"a": "1", "b": "2"}})).await;
    sqs.ok("TagQueue", json!({"QueueUrl": "q", "Tags": {"a": "3"}})).await;
    sqs.ok("UntagQueue", json!({"QueueUrl": "q", "TagKeys": ["b", "c"]})).await;
    assert_eq!(sqs.ok("ListQueueTags", json!({"QueueUrl": "q"})).await["Tags"], json!({"a": "3"}));
}
