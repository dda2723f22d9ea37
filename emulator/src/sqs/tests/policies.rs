//! Who may: other accounts by the queue's policy, and labels of `AddPermission`.

use serde_json::json;

use super::*;

const OTHER: &str = "210987654321";

/// The other account's view of the cloud.
fn other(sqs: &Sqs) -> Sqs {
    Sqs { cloud: sqs.cloud.clone(), scope: Scope::new(OTHER, "us-east-1") }
}

#[tokio::test]
async fn another_account_may_what_the_policy_says() {
    let sqs = Sqs::new().await;
    let stranger = other(&sqs);
    let url = "https://sqs.us-east-1.amazonaws.com/123456789012/q";
    let send = json!({"QueueUrl": url, "MessageBody": "x"});
    assert_eq!(stranger.err("SendMessage", send.clone()).await.code(), "AccessDenied");
    let permission = json!({"QueueUrl": "q", "Label": "in", "AWSAccountIds": [OTHER], "Actions": ["SendMessage", "SetQueueAttributes"]});
    sqs.ok("AddPermission", permission.clone()).await;
    stranger.ok("SendMessage", send.clone()).await;
    assert_eq!(sqs.receive("q").await[0]["Attributes"]["SenderId"], OTHER);
    assert_eq!(stranger.err("ReceiveMessage", json!({"QueueUrl": url})).await.code(), "AccessDenied");
    let set = json!({"QueueUrl": url, "Attributes": {"DelaySeconds": "1"}});
    assert_eq!(stranger.err("SetQueueAttributes", set).await.code(), "AccessDenied", "never across accounts");
    assert!(sqs.err("AddPermission", permission).await.message().ends_with("Reason: Already exists."));
    sqs.ok("RemovePermission", json!({"QueueUrl": "q", "Label": "in"})).await;
    assert_eq!(stranger.err("SendMessage", send).await.code(), "AccessDenied");
    let told = sqs.ok("GetQueueAttributes", json!({"QueueUrl": "q", "AttributeNames": ["Policy"]})).await;
    assert_eq!(told, json!({}));
}

#[tokio::test]
async fn accounts_have_queues_of_their_own() {
    let sqs = Sqs::new().await;
    let stranger = other(&sqs);
    stranger.create("q", json!({"DelaySeconds": "5"})).await;
    sqs.send("q", "x").await;
    assert_eq!(sqs.counts("q"), (1, 0, 0));
    let own = stranger.ok("GetQueueAttributes", json!({"QueueUrl": "q", "AttributeNames": ["All"]})).await;
    assert_eq!(
        (&own["Attributes"]["ApproximateNumberOfMessages"], &own["Attributes"]["DelaySeconds"]),
        (&json!("0"), &json!("5"))
    );
    assert_eq!(stranger.ok("ListQueues", json!({})).await["QueueUrls"].as_array().unwrap().len(), 1);
}
