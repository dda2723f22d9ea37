//! SQS through the front door, as its clients meet it.
#![allow(clippy::unwrap_used)]

mod books;
mod dead_letters;
mod fifo;
mod messages;
mod policies;
mod queues;
mod waiting;

use std::time::Duration;

use serde_json::{Value, json};

use crate::Error;
use crate::cloud::{Call, Caller, Cloud, Reply, Scope};

/// A cloud whose clock stands, with a standard queue `q` and a FIFO queue `f.fifo`.
struct Sqs {
    cloud: Cloud,
    scope: Scope,
}

impl Sqs {
    async fn new() -> Self {
        let cloud = Cloud::builder().clock(crate::clock::ClockMode::Frozen).build();
        let scope = cloud.scope().clone();
        let sqs = Self { cloud, scope };
        sqs.create("q", json!({})).await;
        sqs.create("f.fifo", json!({"FifoQueue": "true"})).await;
        sqs
    }

    async fn create(&self, name: &str, attributes: Value) -> String {
        let created = self.ok("CreateQueue", json!({"QueueName": name, "Attributes": attributes})).await;
        created["QueueUrl"].as_str().unwrap().to_owned()
    }

    async fn call(&self, operation: &str, input: Value) -> Result<Reply, Error> {
        let caller = Caller::root(&self.scope.account);
        self.cloud.call(Call::new("sqs", operation, caller, self.scope.clone(), input)).await
    }

    async fn ok(&self, operation: &str, input: Value) -> Value {
        self.call(operation, input).await.unwrap_or_else(|e| panic!("{operation}: {e}")).output
    }

    async fn err(&self, operation: &str, input: Value) -> Error {
        match self.call(operation, input).await {
            Ok(reply) => panic!("{operation} succeeded: {:?}", reply.output),
            Err(error) => error,
        }
    }

    /// Sends a message to a queue.
    async fn send(&self, queue: &str, body: &str) -> Value {
        self.ok("SendMessage", json!({"QueueUrl": queue, "MessageBody": body})).await
    }

    /// Sends a message to `f.fifo`, of a group; its body is its deduplication id.
    async fn send_to(&self, group: &str, body: &str) -> Value {
        let input = json!({
            "QueueUrl": "f.fifo", "MessageBody": body, "MessageGroupId": group, "MessageDeduplicationId": body,
        });
        self.ok("SendMessage", input).await
    }

    /// Receives up to ten messages with all that is known of them.
    async fn receive(&self, queue: &str) -> Vec<Value> {
        self.receive_by(json!({"QueueUrl": queue, "MaxNumberOfMessages": 10})).await
    }

    async fn receive_by(&self, mut input: Value) -> Vec<Value> {
        input["AttributeNames"] = json!(["All"]);
        let output = self.ok("ReceiveMessage", input).await;
        output["Messages"].as_array().cloned().unwrap_or_default()
    }

    async fn delete(&self, queue: &str, message: &Value) {
        self.ok("DeleteMessage", json!({"QueueUrl": queue, "ReceiptHandle": message["ReceiptHandle"]})).await;
    }

    /// Visible, in flight, delayed.
    fn counts(&self, queue: &str) -> (usize, usize, usize) {
        let view = self.cloud.queues().into_iter().find(|view| view.name == queue).unwrap();
        (view.visible, view.in_flight, view.delayed)
    }

    async fn advance(&self, seconds: u64) {
        self.cloud.advance(Duration::from_secs(seconds)).await.unwrap();
    }
}

fn bodies(messages: &[Value]) -> Vec<&str> {
    messages.iter().map(|message| message["Body"].as_str().unwrap()).collect()
}

/// The ARN of a queue of the tests' account.
fn arn(name: &str) -> String {
    format!("arn:aws:sqs:us-east-1:123456789012:{name}")
}
