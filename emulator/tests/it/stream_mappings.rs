//! Mappings of DynamoDB streams to functions, seen from outside: order, retries, what is given up.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use garoa::cloud::{Cloud, IamMode};
use lambda_runtime::Diagnostic;
use serde_json::{Value, json};

use crate::support::{call, create_function, function};

const SECOND: Duration = Duration::from_secs(1);

/// The keys of each batch that the function was given.
type Seen = Arc<Mutex<Vec<Vec<String>>>>;

struct World {
    cloud: Cloud,
    seen: Seen,
    last: Arc<Mutex<Value>>,
    stream: String,
}

impl World {
    /// A cloud with a table, a stream of it, a queue `failed`, and a function that answers `answer` of the keys.
    async fn new<A>(answer: A) -> Self
    where
        A: Fn(&[String], &Value) -> Result<Value, Diagnostic> + Clone + Send + Sync + 'static,
    {
        let (seen, last) = (Seen::default(), Arc::<Mutex<Value>>::default());
        let (noting, latest) = (Arc::clone(&seen), Arc::clone(&last));
        let run = function(move |_, event| {
            let keys: Vec<String> = event["Records"].as_array().unwrap().iter().map(key).collect();
            let answered = answer(&keys, &event);
            noting.lock().unwrap().push(keys);
            *latest.lock().unwrap() = event;
            async move { answered }
        });
        let cloud = Cloud::builder().iam(IamMode::Off).function("f", run).build();
        create_function(&cloud, "f", 10).await;
        call(&cloud, "sqs", "CreateQueue", json!({ "QueueName": "failed" })).await.unwrap();
        let table = json!({
            "TableName": "t", "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
            "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
            "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" },
        });
        let made = call(&cloud, "dynamodb", "CreateTable", table).await.unwrap().output;
        let stream = made["TableDescription"]["LatestStreamArn"].as_str().unwrap().to_owned();
        Self { cloud, seen, last, stream }
    }

    async fn map(&self, settings: Value) -> garoa::Result<Value> {
        let mut input =
            json!({ "FunctionName": "f", "EventSourceArn": self.stream, "StartingPosition": "TRIM_HORIZON" });
        for (name, value) in settings.as_object().unwrap() {
            input[name] = value.clone();
        }
        let made = call(&self.cloud, "lambda", "CreateEventSourceMapping", input).await?.output;
        self.cloud.settle().await.unwrap();
        Ok(made)
    }

    async fn put(&self, ids: &[&str]) {
        for id in ids {
            let item = json!({ "id": { "S": id }, "n": { "N": "1" } });
            call(&self.cloud, "dynamodb", "PutItem", json!({ "TableName": "t", "Item": item })).await.unwrap();
        }
    }

    async fn advance(&self, time: Duration) {
        self.cloud.advance(time).await.unwrap();
    }

    fn take(&self) -> Vec<Vec<String>> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }

    async fn result(&self) -> Value {
        let listed = call(&self.cloud, "lambda", "ListEventSourceMappings", json!({})).await.unwrap();
        listed.output["EventSourceMappings"][0]["LastProcessingResult"].clone()
    }

    /// What was sent to the queue `failed`.
    async fn given_up(&self) -> Vec<Value> {
        let url = "https://sqs.us-east-1.amazonaws.com/123456789012/failed";
        let input = json!({ "QueueUrl": url, "MaxNumberOfMessages": 10 });
        let output = call(&self.cloud, "sqs", "ReceiveMessage", input).await.unwrap().output;
        let messages = output["Messages"].as_array().cloned().unwrap_or_default();
        messages.iter().map(|message| serde_json::from_str(message["Body"].as_str().unwrap()).unwrap()).collect()
    }
}

fn key(record: &Value) -> String {
    record["dynamodb"]["Keys"]["id"]["S"].as_str().unwrap_or_default().to_owned()
}

fn failure() -> Diagnostic {
    Diagnostic { error_type: "Broken".into(), error_message: "on purpose".into() }
}

fn keys(batches: &[&[&str]]) -> Vec<Vec<String>> {
    batches.iter().map(|batch| batch.iter().map(|key| (*key).to_owned()).collect()).collect()
}

#[tokio::test]
async fn changes_reach_the_function_in_order_and_waiting_costs_nothing() {
    let world = World::new(|_, _| Ok(json!(null))).await;
    world.put(&["a", "b"]).await;
    let made = world.map(json!({})).await.unwrap();
    assert_eq!(made["LastProcessingResult"], "No records processed");
    assert_eq!((&made["BatchSize"], &made["State"]), (&json!(100), &json!("Creating")));
    assert_eq!(made["StateTransitionReason"], "User action");
    assert_eq!(world.take(), keys(&[&["a", "b"]]));
    let record = world.last.lock().unwrap()["Records"][0].clone();
    assert_eq!((&record["eventName"], &record["eventSource"]), (&json!("INSERT"), &json!("aws:dynamodb")));
    assert_eq!(record["eventSourceARN"], json!(world.stream));
    assert_eq!(record["dynamodb"]["ApproximateCreationDateTime"], json!(world.cloud.now().secs() as f64));
    assert_eq!(record["dynamodb"]["NewImage"]["n"], json!({ "N": "1" }));
    assert_eq!(world.result().await, "OK");
    let before = world.cloud.trace().len();
    world.advance(Duration::from_secs(24 * 3600)).await;
    let calls = world.cloud.trace().len() - before;
    assert!(calls < 10, "a mapping that waits makes no calls: {calls}");
    world.put(&["c"]).await;
    world.cloud.settle().await.unwrap();
    assert_eq!(world.take(), keys(&[&["c"]]));
}

#[tokio::test]
async fn latest_begins_with_what_comes_next_however_long_that_takes() {
    let world = World::new(|_, _| Ok(json!(null))).await;
    world.put(&["before"]).await;
    world.map(json!({ "StartingPosition": "LATEST" })).await.unwrap();
    world.advance(Duration::from_secs(3600)).await;
    world.put(&["after"]).await;
    world.cloud.settle().await.unwrap();
    assert_eq!(world.take(), keys(&[&["after"]]));
}

#[tokio::test]
async fn filters_and_windows() {
    let world = World::new(|_, _| Ok(json!(null))).await;
    let filters = json!({ "Filters": [{ "Pattern": r#"{"dynamodb": {"Keys": {"id": {"S": [{"prefix": "a"}]}}}}"# }] });
    world.map(json!({ "FilterCriteria": filters, "MaximumBatchingWindowInSeconds": 30 })).await.unwrap();
    world.put(&["a1", "b1"]).await;
    world.advance(20 * SECOND).await;
    world.put(&["a2"]).await;
    assert_eq!(world.take(), keys(&[]));
    world.advance(10 * SECOND).await;
    assert_eq!(world.take(), keys(&[&["a1", "a2"]]));
}

#[tokio::test]
async fn a_batch_that_fails_is_tried_again_before_all_others_and_then_given_up() {
    let answer =
        |keys: &[String], _: &Value| if keys.contains(&"bad".to_owned()) { Err(failure()) } else { Ok(json!(null)) };
    let world = World::new(answer).await;
    let destination = json!({ "OnFailure": { "Destination": "arn:aws:sqs:us-east-1:123456789012:failed" } });
    let settings = json!({ "BatchSize": 1, "MaximumRetryAttempts": 2, "DestinationConfig": destination });
    world.map(settings).await.unwrap();
    world.put(&["bad", "good"]).await;
    world.cloud.settle().await.unwrap();
    assert_eq!(world.result().await, "PROBLEM: Function call failed");
    world.advance(60 * SECOND).await;
    assert_eq!(world.take(), keys(&[&["bad"], &["bad"], &["bad"], &["good"]]));
    let given_up = world.given_up().await;
    assert_eq!(given_up.len(), 1);
    let document = &given_up[0];
    assert_eq!(document["requestContext"]["condition"], "RetryAttemptsExhausted");
    assert_eq!(document["requestContext"]["approximateInvokeCount"], 3);
    let response = json!({ "statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled" });
    assert_eq!(document["responseContext"], response);
    let info = &document["DDBStreamBatchInfo"];
    assert_eq!((&info["batchSize"], &info["streamArn"]), (&json!(1), &json!(world.stream)));
    assert!(info["startSequenceNumber"].is_string() && info["startSequenceNumber"] == info["endSequenceNumber"]);
    assert!(document["requestContext"]["requestId"].as_str().is_some_and(|id| id.len() == 36), "{document}");
}

#[tokio::test]
async fn a_batch_that_fails_is_bisected() {
    let answer =
        |keys: &[String], _: &Value| if keys.contains(&"bad".to_owned()) { Err(failure()) } else { Ok(json!(null)) };
    let world = World::new(answer).await;
    world.put(&["a", "b", "bad", "c"]).await;
    world.map(json!({ "BisectBatchOnFunctionError": true, "MaximumRetryAttempts": 0 })).await.unwrap();
    world.advance(60 * SECOND).await;
    assert_eq!(world.take(), keys(&[&["a", "b", "bad", "c"], &["a", "b"], &["bad", "c"], &["bad"], &["c"]]));
}

#[tokio::test]
async fn what_came_before_the_first_record_that_failed_is_done_with() {
    let answer = |_: &[String], event: &Value| {
        let bad = event["Records"].as_array().unwrap().iter().find(|record| key(record) == "bad");
        let failed = bad.map(|record| json!({ "itemIdentifier": record["dynamodb"]["SequenceNumber"] }));
        Ok(json!({ "batchItemFailures": failed.into_iter().collect::<Vec<_>>() }))
    };
    let world = World::new(answer).await;
    world.put(&["a", "bad", "b"]).await;
    let partial = json!(["ReportBatchItemFailures"]);
    world.map(json!({ "FunctionResponseTypes": partial, "MaximumRetryAttempts": 2 })).await.unwrap();
    world.put(&["c"]).await;
    world.advance(60 * SECOND).await;
    assert_eq!(world.take(), keys(&[&["a", "bad", "b"], &["bad", "b"], &["bad", "b"], &["c"]]));
}

#[tokio::test]
async fn records_that_are_too_old_are_given_up() {
    let world = World::new(|_, _| Err(failure())).await;
    let destination = json!({ "OnFailure": { "Destination": "arn:aws:sqs:us-east-1:123456789012:failed" } });
    world.map(json!({ "MaximumRecordAgeInSeconds": 60, "DestinationConfig": destination })).await.unwrap();
    world.put(&["a"]).await;
    world.advance(300 * SECOND).await;
    let tries = world.take().len();
    assert!((5..9).contains(&tries), "{tries}");
    let given_up = world.given_up().await;
    assert_eq!(given_up[0]["requestContext"]["condition"], "RecordAgeExceeded");
    world.put(&["b"]).await;
    world.cloud.settle().await.unwrap();
    assert_eq!(world.take(), keys(&[&["b"]]));
}

#[tokio::test]
async fn what_aws_refuses_is_refused_in_its_words() {
    let world = World::new(|_, _| Ok(json!(null))).await;
    let made = world.map(json!({})).await.unwrap();
    let (stream, uuid) = (&world.stream, made["UUID"].as_str().unwrap());
    let second = format!(
        "The event source arn (\" {stream} \") and function (\" f \") provided mapping already exists. Please update or delete the \
         existing mapping with UUID {uuid}"
    );
    let unsupported = format!("Unsupported starting position for arn type: {stream}");
    let other = "arn:aws:dynamodb:us-east-1:123456789012:table/none/stream/2026-01-01T00:00:00.000";
    let missing = format!("Stream not found: {other}");
    for (settings, text) in [
        (json!({}), second.as_str()),
        (json!({ "StartingPosition": "AT_TIMESTAMP" }), unsupported.as_str()),
        (
            json!({ "StartingPosition": null }),
            "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be null.",
        ),
        (json!({ "EventSourceArn": other }), missing.as_str()),
        (
            json!({ "ScalingConfig": { "MaximumConcurrency": 2 } }),
            "Unsupported ScalingConfig parameter for given event source mapping type.",
        ),
    ] {
        assert_eq!(world.map(settings.clone()).await.unwrap_err().message(), text, "{settings}");
    }
    assert_eq!(world.map(json!({ "TumblingWindowInSeconds": 30 })).await.unwrap_err().status(), 501);
}
