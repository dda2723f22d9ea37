//! Mappings of queues to functions, seen from outside: what a function gets, and what becomes of the messages.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_async::rt::sleep::AsyncSleep;
use garoa::cloud::{Aim, CallAim, Cloud, Event, Fault, FaultKind, IamMode};
use garoa::lambda::FunctionFactory;
use lambda_runtime::Diagnostic;
use serde_json::{Value, json};

use crate::support::{call, create_function, function, sleep};

const SECOND: Duration = Duration::from_secs(1);

/// What the function was given: the bodies of each batch.
type Seen = Arc<Mutex<Vec<Vec<String>>>>;

/// A function that notes what it is given and answers what `answer` says of it.
fn noting<A>(seen: &Seen, answer: A) -> FunctionFactory
where
    A: Fn(&[String], &Value) -> Result<Value, Diagnostic> + Clone + Send + Sync + 'static,
{
    let seen = Arc::clone(seen);
    function(move |_, event| {
        let bodies: Vec<String> = records(&event).iter().map(|record| text(&record["body"])).collect();
        let answered = answer(&bodies, &event);
        seen.lock().unwrap().push(bodies);
        async move { answered }
    })
}

fn records(event: &Value) -> Vec<Value> {
    event["Records"].as_array().cloned().unwrap_or_default()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn failure() -> Diagnostic {
    Diagnostic { error_type: "Broken".into(), error_message: "on purpose".into() }
}

/// Those records whose bodies begin with `bad` failed.
fn bad_ones(event: &Value) -> Value {
    let bad = records(event).into_iter().filter(|record| text(&record["body"]).starts_with("bad"));
    let failed: Vec<Value> = bad.map(|record| json!({ "itemIdentifier": record["messageId"] })).collect();
    json!({ "batchItemFailures": failed })
}

struct World {
    cloud: Cloud,
    seen: Seen,
}

impl World {
    /// A cloud with a queue, a function that answers `answer`, and a mapping with `settings` besides its names.
    async fn new<A>(queue: &str, attributes: Value, settings: Value, answer: A) -> Self
    where
        A: Fn(&[String], &Value) -> Result<Value, Diagnostic> + Clone + Send + Sync + 'static,
    {
        let seen = Seen::default();
        let cloud = Cloud::builder().iam(IamMode::Off).function("f", noting(&seen, answer)).build();
        let world = Self { cloud, seen };
        world.create_queue(queue, attributes).await;
        create_function(&world.cloud, "f", 10).await;
        world.map(queue, settings).await.unwrap();
        world.cloud.settle().await.unwrap();
        world
    }

    async fn create_queue(&self, name: &str, attributes: Value) {
        call(&self.cloud, "sqs", "CreateQueue", json!({ "QueueName": name, "Attributes": attributes })).await.unwrap();
    }

    async fn map(&self, queue: &str, settings: Value) -> garoa::Result<Value> {
        let mut input = json!({ "FunctionName": "f", "EventSourceArn": arn(queue) });
        for (name, value) in settings.as_object().unwrap() {
            input[name] = value.clone();
        }
        Ok(call(&self.cloud, "lambda", "CreateEventSourceMapping", input).await?.output)
    }

    async fn send(&self, queue: &str, bodies: &[&str]) {
        for body in bodies {
            self.send_with(queue, body, json!({})).await;
        }
    }

    async fn send_with(&self, queue: &str, body: &str, more: Value) {
        let mut input = json!({ "QueueUrl": url(queue), "MessageBody": body });
        for (name, value) in more.as_object().unwrap() {
            input[name] = value.clone();
        }
        call(&self.cloud, "sqs", "SendMessage", input).await.unwrap();
    }

    async fn advance(&self, time: Duration) {
        self.cloud.advance(time).await.unwrap();
    }

    fn take(&self) -> Vec<Vec<String>> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }

    /// Messages that are visible, in flight, delayed.
    async fn counts(&self, queue: &str) -> [String; 3] {
        counts(&self.cloud, queue).await
    }

    fn calls(&self, service: &str, operation: &str) -> usize {
        let meant = |event: &Event| matches!(event, Event::Call(call) if call.service == service && call.operation == operation);
        self.cloud.trace().iter().filter(|record| meant(&record.event)).count()
    }

    async fn mapping(&self) -> Value {
        let listed = call(&self.cloud, "lambda", "ListEventSourceMappings", json!({})).await.unwrap();
        listed.output["EventSourceMappings"][0].clone()
    }
}

async fn counts(cloud: &Cloud, queue: &str) -> [String; 3] {
    let input = json!({ "QueueUrl": url(queue), "AttributeNames": ["All"] });
    let attributes = call(cloud, "sqs", "GetQueueAttributes", input).await.unwrap().output["Attributes"].clone();
    ["", "NotVisible", "Delayed"].map(|kind| text(&attributes[format!("ApproximateNumberOfMessages{kind}")]))
}

fn arn(queue: &str) -> String {
    format!("arn:aws:sqs:us-east-1:123456789012:{queue}")
}

fn url(queue: &str) -> String {
    format!("https://sqs.us-east-1.amazonaws.com/123456789012/{queue}")
}

fn bodies(batches: &[&[&str]]) -> Vec<Vec<String>> {
    batches.iter().map(|batch| batch.iter().map(|body| (*body).to_owned()).collect()).collect()
}

#[tokio::test]
async fn a_message_reaches_the_function_and_is_deleted_and_waiting_costs_nothing() {
    let world = World::new("q", json!({}), json!({}), |_, event| Ok(event.clone())).await;
    world.send("q", &["hello"]).await;
    world.cloud.settle().await.unwrap();
    assert_eq!(world.take(), bodies(&[&["hello"]]));
    assert_eq!(world.counts("q").await, ["0", "0", "0"]);
    let before = world.cloud.trace().len();
    world.advance(Duration::from_secs(24 * 3600)).await;
    let after: Vec<_> = world.cloud.trace().into_iter().skip(before).collect();
    assert!(after.is_empty(), "a mapping that waits calls nobody: {after:?}");
    let answered = world.cloud.trace().into_iter().find_map(|record| match record.event {
        Event::Ended { payload, .. } => Some(payload),
        _ => None,
    });
    let answered: Value = serde_json::from_str(&answered.unwrap()).unwrap();
    let record = answered["Records"][0].clone();
    let names: Vec<&String> = record.as_object().unwrap().keys().collect();
    let expected = [
        "messageId",
        "receiptHandle",
        "body",
        "attributes",
        "messageAttributes",
        "md5OfBody",
        "eventSource",
        "eventSourceARN",
        "awsRegion",
    ];
    assert_eq!(names, expected);
    assert_eq!(record["attributes"]["ApproximateReceiveCount"], "1");
    assert_eq!(record["eventSourceARN"], arn("q"));
}

#[tokio::test]
async fn messages_come_in_batches_of_at_most_ten() {
    let world = World::new("q", json!({}), json!({ "Enabled": false }), |_, _| Ok(json!(null))).await;
    for number in 0..23 {
        world.send("q", &[&number.to_string()]).await;
    }
    world.advance(SECOND).await;
    assert_eq!(world.take(), bodies(&[]), "a mapping that is disabled reads nothing");
    let uuid = world.mapping().await["UUID"].clone();
    let enabling =
        call(&world.cloud, "lambda", "UpdateEventSourceMapping", json!({ "UUID": uuid, "Enabled": true })).await;
    assert_eq!(enabling.unwrap().output["State"], "Enabling");
    world.advance(SECOND).await;
    let sizes: Vec<usize> = world.take().iter().map(Vec::len).collect();
    assert_eq!(sizes, [10, 10, 3]);
    assert_eq!(world.mapping().await["State"], "Enabled");
}

#[tokio::test]
async fn a_window_gathers_a_batch_that_is_larger_than_one_receive() {
    let settings = json!({ "BatchSize": 15, "MaximumBatchingWindowInSeconds": 60 });
    // What waits for its batch is in flight already.
    let world = World::new("q", json!({ "VisibilityTimeout": "300" }), settings, |_, _| Ok(json!(null))).await;
    world.send("q", &["1", "2"]).await;
    world.advance(30 * SECOND).await;
    world.send("q", &["3"]).await;
    world.advance(29 * SECOND).await;
    assert_eq!(world.take(), bodies(&[]), "the window counts from the first message");
    world.advance(SECOND).await;
    assert_eq!(world.take(), bodies(&[&["1", "2", "3"]]));
    for number in 0..16 {
        world.send("q", &[&number.to_string()]).await;
    }
    world.cloud.settle().await.unwrap();
    assert_eq!(world.take().iter().map(Vec::len).collect::<Vec<_>>(), [15], "a full batch does not wait");
    world.advance(60 * SECOND).await;
    assert_eq!(world.take().iter().map(Vec::len).collect::<Vec<_>>(), [1]);
}

#[tokio::test]
async fn what_no_filter_passes_is_deleted() {
    let filters = json!({ "FilterCriteria": { "Filters": [{ "Pattern": r#"{"body": {"kind": ["a"]}}"# }] } });
    let world = World::new("q", json!({}), filters, |_, _| Ok(json!(null))).await;
    world.send("q", &[r#"{"kind":"a"}"#, r#"{"kind":"b"}"#, "kind"]).await;
    world.advance(SECOND).await;
    assert_eq!(world.take(), bodies(&[&[r#"{"kind":"a"}"#]]));
    assert_eq!(world.counts("q").await, ["0", "0", "0"]);
}

#[tokio::test]
async fn only_what_failed_comes_back_and_ends_in_the_dead_letter_queue() {
    let seen = Seen::default();
    let answer = |_: &[String], event: &Value| Ok(bad_ones(event));
    let cloud = Cloud::builder().iam(IamMode::Off).function("f", noting(&seen, answer)).build();
    let world = World { cloud, seen };
    world.create_queue("dead", json!({})).await;
    let redrive = json!({ "deadLetterTargetArn": arn("dead"), "maxReceiveCount": 3 }).to_string();
    world.create_queue("q", json!({ "VisibilityTimeout": "60", "RedrivePolicy": redrive })).await;
    create_function(&world.cloud, "f", 10).await;
    for body in ["good", "bad", "fine"] {
        world.send("q", &[body]).await;
    }
    world.map("q", json!({ "FunctionResponseTypes": ["ReportBatchItemFailures"] })).await.unwrap();
    world.cloud.settle().await.unwrap();
    assert_eq!(world.take(), bodies(&[&["good", "bad", "fine"]]));
    assert_eq!(world.counts("q").await, ["0", "1", "0"]);
    world.advance(59 * SECOND).await;
    assert_eq!(world.take(), bodies(&[]));
    world.advance(SECOND).await;
    assert_eq!(world.take(), bodies(&[&["bad"]]));
    world.advance(60 * SECOND).await;
    assert_eq!(world.take(), bodies(&[&["bad"]]));
    world.advance(60 * SECOND).await;
    assert_eq!(world.take(), bodies(&[]), "the fourth receive is the dead-letter queue's");
    assert_eq!(
        (world.counts("q").await, world.counts("dead").await),
        (["0", "0", "0"].map(str::to_owned), ["1", "0", "0"].map(str::to_owned))
    );
}

#[tokio::test]
async fn an_error_and_an_answer_that_makes_no_sense_fail_the_whole_batch() {
    for (partial, answer) in [
        (false, Err(failure())),
        (true, Err(failure())),
        (true, Ok(json!({ "batchItemFailures": [{ "itemIdentifier": "" }] }))),
    ] {
        let settings =
            if partial { json!({ "FunctionResponseTypes": ["ReportBatchItemFailures"] }) } else { json!({}) };
        let answer = move |_: &[String], _: &Value| match &answer {
            Ok(value) => Ok(value.clone()),
            Err(_) => Err(failure()),
        };
        let world = World::new("q", json!({}), settings, answer).await;
        world.send("q", &["one"]).await;
        world.advance(SECOND).await;
        assert_eq!(world.counts("q").await, ["0", "1", "0"]);
        world.advance(30 * SECOND).await;
        assert_eq!(world.take().len(), 2, "received again when it was visible again");
    }
    // Without the response type, what the function answers is not looked at.
    let world = World::new("q", json!({}), json!({}), |_, event| Ok(bad_ones(event))).await;
    world.send("q", &["bad"]).await;
    world.advance(SECOND).await;
    assert_eq!(world.counts("q").await, ["0", "0", "0"]);
}

#[tokio::test]
async fn a_group_keeps_its_order_and_waits_for_what_failed_in_it() {
    let failed_once = Arc::new(Mutex::new(false));
    let answer = move |bodies: &[String], _: &Value| {
        let mut failed = failed_once.lock().unwrap();
        if bodies == ["a1"] && !*failed {
            *failed = true;
            return Err(failure());
        }
        Ok(json!(null))
    };
    let attributes = json!({ "FifoQueue": "true", "ContentBasedDeduplication": "true" });
    let world = World::new("q.fifo", attributes, json!({ "BatchSize": 1 }), answer).await;
    for (group, body) in [("a", "a1"), ("a", "a2"), ("b", "b1"), ("a", "a3"), ("b", "b2")] {
        world.send_with("q.fifo", body, json!({ "MessageGroupId": group })).await;
    }
    world.advance(SECOND).await;
    assert_eq!(world.take(), bodies(&[&["a1"], &["b1"], &["b2"]]), "group a waits, group b goes on");
    world.advance(30 * SECOND).await;
    assert_eq!(world.take(), bodies(&[&["a1"], &["a2"], &["a3"]]));
}

#[tokio::test]
async fn a_delayed_message_wakes_the_mapping_in_a_saved_and_in_a_forked_world_too() {
    let world = World::new("q", json!({}), json!({}), |_, _| Ok(json!(null))).await;
    world.send_with("q", "late", json!({ "DelaySeconds": 60 })).await;
    world.cloud.settle().await.unwrap();
    let (saved, fork) = (world.cloud.save().unwrap(), world.cloud.fork());
    assert_eq!(world.counts("q").await, ["0", "0", "1"]);
    world.advance(60 * SECOND).await;
    assert_eq!(world.take(), bodies(&[&["late"]]));
    fork.advance(60 * SECOND).await.unwrap();
    assert_eq!(world.take(), bodies(&[&["late"]]), "the fork's function is the same");
    world.cloud.load(saved).unwrap();
    world.advance(60 * SECOND).await;
    assert_eq!(world.take(), bodies(&[&["late"]]));
    world.send("q", &["after"]).await;
    world.cloud.settle().await.unwrap();
    assert_eq!(world.take(), bodies(&[&["after"]]));
}

#[tokio::test]
async fn a_mapping_goes_on_though_what_it_was_doing_was_lost_with_another_cloud() {
    let slow = function(|sdk, _| async move {
        sleep(&sdk).sleep(5 * SECOND).await;
        Ok(json!(null))
    });
    let cloud = Cloud::builder().iam(IamMode::Off).function("f", slow).build();
    let world = World { cloud, seen: Seen::default() };
    world.create_queue("q", json!({ "VisibilityTimeout": "30" })).await;
    create_function(&world.cloud, "f", 10).await;
    world.map("q", json!({ "ScalingConfig": { "MaximumConcurrency": 2 } })).await.unwrap();
    world.send("q", &["one"]).await;
    world.cloud.settle().await.unwrap();
    assert_eq!(world.counts("q").await, ["0", "1", "0"], "the function has it");
    let fork = world.cloud.fork();
    fork.advance(Duration::from_secs(300)).await.unwrap();
    assert_eq!(counts(&fork, "q").await, ["0", "0", "0"]);
}

#[tokio::test]
async fn only_so_many_batches_run_at_a_time() {
    let running = Arc::new(Mutex::new((0_usize, 0_usize)));
    let counter = Arc::clone(&running);
    let slow = function(move |sdk, _| {
        let counter = Arc::clone(&counter);
        async move {
            {
                let mut running = counter.lock().unwrap();
                running.0 += 1;
                running.1 = running.1.max(running.0);
            }
            sleep(&sdk).sleep(SECOND).await;
            counter.lock().unwrap().0 -= 1;
            Ok(json!(null))
        }
    });
    for (scaling, most) in [(json!({ "ScalingConfig": { "MaximumConcurrency": 2 } }), 2), (json!({}), 5)] {
        let cloud = Cloud::builder().iam(IamMode::Off).function("f", slow.clone()).build();
        let world = World { cloud, seen: Seen::default() };
        world.create_queue("q", json!({})).await;
        create_function(&world.cloud, "f", 10).await;
        let mut settings = scaling;
        settings["BatchSize"] = json!(1);
        world.map("q", settings).await.unwrap();
        for number in 0..12 {
            world.send("q", &[&number.to_string()]).await;
        }
        world.advance(20 * SECOND).await;
        assert_eq!(world.counts("q").await, ["0", "0", "0"]);
        assert_eq!(std::mem::take(&mut *running.lock().unwrap()), (0, most));
    }
}

fn fault(operation: &str, kind: FaultKind) -> Fault {
    let calls = format!("sqs:{operation}").parse().unwrap();
    Fault { aim: Aim::Calls(CallAim { calls, nth: Some(1), resource: None, times: None }), kind }
}

#[tokio::test]
async fn a_deletion_that_is_lost_delivers_twice_and_one_whose_answer_is_lost_does_not() {
    for (kind, deliveries) in
        [(FaultKind::CrashBefore, 2), (FaultKind::Refuse, 2), (FaultKind::Throttle, 2), (FaultKind::LostReply, 1)]
    {
        let world = World::new("q", json!({}), json!({}), |_, _| Ok(json!(null))).await;
        world.cloud.inject(fault("DeleteMessageBatch", kind.clone()));
        world.send("q", &["one"]).await;
        world.advance(Duration::from_secs(120)).await;
        assert_eq!(world.take().len(), deliveries, "{kind:?}");
        assert_eq!(world.counts("q").await, ["0", "0", "0"]);
    }
}

#[tokio::test]
async fn a_receive_whose_answer_is_lost_delays_what_it_took() {
    let world = World::new("q", json!({}), json!({}), |_, _| Ok(json!(null))).await;
    world.cloud.inject(fault("ReceiveMessage", FaultKind::LostReply));
    world.send("q", &["one"]).await;
    world.advance(29 * SECOND).await;
    assert_eq!(world.take(), bodies(&[]));
    world.advance(2 * SECOND).await;
    assert_eq!(world.take(), bodies(&[&["one"]]));
}

#[tokio::test]
async fn two_runs_leave_the_same_trace() {
    let run = async || {
        let world = World::new("q", json!({}), json!({ "BatchSize": 3 }), |bodies, _| {
            if bodies.iter().any(|body| body == "5") { Err(failure()) } else { Ok(json!(null)) }
        })
        .await;
        for number in 0..20 {
            world.send("q", &[&number.to_string()]).await;
        }
        world.advance(Duration::from_secs(100)).await;
        serde_json::to_string(&world.cloud.trace()).unwrap()
    };
    assert_eq!(run().await, run().await);
}

/// A cloud that enforces permissions, with a function whose role may do what `actions` say on the queue.
async fn guarded(actions: Value) -> World {
    let seen = Seen::default();
    let world = World { cloud: Cloud::builder().function("f", noting(&seen, |_, _| Ok(json!(null)))).build(), seen };
    let trust = json!({"Version": "2012-10-17", "Statement":
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}});
    let role = json!({ "RoleName": "any", "AssumeRolePolicyDocument": trust.to_string() });
    call(&world.cloud, "iam", "CreateRole", role).await.unwrap();
    allow(&world, actions).await;
    world.create_queue("q", json!({})).await;
    create_function(&world.cloud, "f", 10).await;
    world
}

async fn allow(world: &World, actions: Value) {
    let policy =
        json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": actions, "Resource": arn("q")}});
    let put = json!({ "RoleName": "any", "PolicyName": "p", "PolicyDocument": policy.to_string() });
    call(&world.cloud, "iam", "PutRolePolicy", put).await.unwrap();
}

#[tokio::test]
async fn a_role_that_may_not_read_the_queue_has_no_mapping_and_one_that_may_no_longer_is_told() {
    for (actions, missing) in [
        (json!(["sqs:GetQueueAttributes"]), "ReceiveMessage"),
        (json!(["sqs:GetQueueAttributes", "sqs:ReceiveMessage"]), "DeleteMessage"),
        (json!(["sqs:DeleteMessage", "sqs:ReceiveMessage"]), "GetQueueAttributes"),
    ] {
        let refused = guarded(actions).await.map("q", json!({})).await.unwrap_err();
        assert_eq!(refused.code(), "InvalidParameterValueException");
        let text = format!("The provided execution role does not have permissions to call {missing} on SQS");
        assert_eq!(refused.message(), text);
    }

    let all = json!(["sqs:GetQueueAttributes", "sqs:ReceiveMessage", "sqs:DeleteMessage"]);
    let world = guarded(all.clone()).await;
    world.map("q", json!({})).await.unwrap();
    world.send("q", &["one"]).await;
    world.advance(SECOND).await;
    assert_eq!(world.take(), bodies(&[&["one"]]), "managed by the role alone: {}", world.mapping().await);
    assert_eq!(world.counts("q").await, ["0", "0", "0"]);
    let callers: Vec<String> = world
        .cloud
        .trace()
        .into_iter()
        .filter_map(|record| match record.event {
            Event::Call(call) if call.operation == "DeleteMessageBatch" => Some(call.caller.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(callers, ["arn:aws:sts::123456789012:assumed-role/any/f"]);

    allow(&world, json!(["sqs:GetQueueAttributes"])).await;
    world.send("q", &["two"]).await;
    world.advance(SECOND).await;
    let text = "PROBLEM: The provided execution role does not have permissions to call ReceiveMessage on SQS";
    assert_eq!(world.mapping().await["LastProcessingResult"], text);
    let before = world.calls("sqs", "ReceiveMessage");
    world.advance(Duration::from_secs(600)).await;
    assert_eq!(world.calls("sqs", "ReceiveMessage") - before, 10, "it tries again once a minute");
    allow(&world, all).await;
    world.advance(Duration::from_secs(60)).await;
    assert_eq!(world.take(), bodies(&[&["two"]]));
    assert!(world.mapping().await.get("LastProcessingResult").is_none());
}

#[tokio::test]
async fn what_aws_refuses_is_refused_in_its_words() {
    let world = World::new("q", json!({}), json!({}), |_, _| Ok(json!(null))).await;
    world.create_queue("f.fifo", json!({ "FifoQueue": "true" })).await;
    world.create_queue("short", json!({ "VisibilityTimeout": "5" })).await;
    world.create_queue("r", json!({})).await;
    let uuid = text(&world.mapping().await["UUID"]);
    let second = format!(
        "An event source mapping with SQS arn (\" {} \") and function (\" f \") already exists. Please update or delete the \
         existing mapping with UUID {uuid}",
        arn("q")
    );
    for (queue, settings, text) in [
        ("q", json!({}), second.as_str()),
        ("r", json!({ "FunctionName": "none" }), "Function does not exist"),
        ("r", json!({ "EventSourceArn": null }), "Unrecognized event source."),
        (
            "none",
            json!({}),
            "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. SQS Error Message: \
             The specified queue does not exist.",
        ),
        ("short", json!({}), "Queue visibility timeout: 5 seconds is less than Function timeout: 10 seconds"),
        (
            "r",
            json!({ "BatchSize": 11 }),
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10",
        ),
        ("f.fifo", json!({ "MaximumBatchingWindowInSeconds": 1 }), "Batching window is not supported for FIFO queues"),
        ("r", json!({ "StartingPosition": "LATEST" }), "StartingPosition is not valid for SQS event sources."),
        (
            "r",
            json!({ "DestinationConfig": { "OnFailure": { "Destination": arn("q") } } }),
            "Unsupported DestinationConfig parameter for given event source mapping type.",
        ),
        (
            "r",
            json!({ "FilterCriteria": { "Filters": [{ "Pattern": "text" }] } }),
            "Invalid filter pattern definition.",
        ),
    ] {
        let refused = world.map(queue, settings.clone()).await.unwrap_err();
        assert_eq!(refused.message(), text, "{queue} {settings}");
    }
    let batch =
        call(&world.cloud, "lambda", "UpdateEventSourceMapping", json!({ "UUID": uuid, "BatchSize": 100 })).await;
    assert!(batch.unwrap_err().message().starts_with("Maximum batch window"));
    let deleting = call(&world.cloud, "lambda", "DeleteEventSourceMapping", json!({ "UUID": uuid })).await.unwrap();
    assert_eq!(deleting.output["State"], "Deleting");
    world.cloud.settle().await.unwrap();
    let gone = call(&world.cloud, "lambda", "GetEventSourceMapping", json!({ "UUID": uuid })).await.unwrap_err();
    assert_eq!((gone.status(), gone.message()), (404, "The resource you requested does not exist."));
    world.send("q", &["unread"]).await;
    world.advance(SECOND).await;
    assert_eq!(world.take(), bodies(&[]));
}
