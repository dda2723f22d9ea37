//! Virtual time: functions that sleep, time out, crash and are retried; schedules that fire.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use aws_smithy_async::rt::sleep::AsyncSleep;
use garoa::Timestamp;
use garoa::clock::ClockMode;
use garoa::cloud::{Cloud, Event, IamMode};
use lambda_runtime::Diagnostic;
use serde_json::json;

use crate::support::{ROLE, call, create_function, function, invoke, sleep};

fn start() -> Timestamp {
    "2026-03-02T12:00:00Z".parse().unwrap()
}

fn builder() -> garoa::cloud::CloudBuilder {
    Cloud::builder().iam(IamMode::Off).start(start())
}

/// When each attempt at a function began, in seconds since the start, and how it ended.
fn attempts(cloud: &Cloud) -> Vec<(u64, Option<String>)> {
    let mut attempts: Vec<(u64, Option<String>)> = Vec::new();
    for record in cloud.trace() {
        match record.event {
            Event::Started(_) => attempts.push((record.at.since(start()).as_secs(), None)),
            Event::Ended { error, .. } => attempts.last_mut().unwrap().1 = error,
            Event::Call(_) => {}
        }
    }
    attempts
}

#[tokio::test]
async fn a_function_that_sleeps_takes_virtual_time_and_no_real_time() {
    let sleeper = function(|sdk, event| async move {
        sleep(&sdk).sleep(Duration::from_secs(50)).await;
        Ok(json!({ "echo": event }))
    });
    let cloud = builder().function("sleeper", sleeper).build();
    create_function(&cloud, "sleeper", 60).await;
    let (payload, error) = invoke(&cloud, "sleeper", json!([1, 2])).await;
    assert_eq!((payload, error), (json!({ "echo": [1, 2] }), json!(null)));
    assert_eq!(cloud.now(), start() + Duration::from_secs(50));
}

#[tokio::test]
async fn a_function_that_takes_too_long_is_ended_at_its_deadline() {
    let slow = function(|sdk, _| async move {
        sleep(&sdk).sleep(Duration::from_secs(50)).await;
        Ok(json!("never"))
    });
    let cloud = builder().function("slow", slow).build();
    create_function(&cloud, "slow", 7).await;
    let (payload, error) = invoke(&cloud, "slow", json!({})).await;
    assert_eq!(error, json!("Unhandled"));
    assert_eq!(payload["errorType"], "Sandbox.Timedout");
    assert!(payload["errorMessage"].as_str().unwrap().ends_with("Task timed out after 7.00 seconds"), "{payload}");
    assert_eq!(cloud.now(), start() + Duration::from_secs(7));
}

#[tokio::test]
async fn an_asynchronous_invocation_that_fails_is_tried_again_after_one_and_two_minutes() {
    let runs = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&runs);
    let failing = function(move |_, _| {
        let runs = Arc::clone(&counted);
        async move {
            runs.fetch_add(1, Ordering::SeqCst);
            Err(Diagnostic { error_type: "Boom".into(), error_message: "as ever".into() })
        }
    });
    let cloud = builder().function("failing", failing).build();
    create_function(&cloud, "failing", 3).await;
    call(&cloud, "lambda", "Invoke", json!({ "FunctionName": "failing", "InvocationType": "Event" })).await.unwrap();
    cloud.advance(Duration::from_secs(3600)).await.unwrap();
    assert_eq!(runs.load(Ordering::SeqCst), 3);
    let boom = Some("Boom".to_owned());
    assert_eq!(attempts(&cloud), [(0, boom.clone()), (60, boom.clone()), (180, boom)]);
}

#[tokio::test]
async fn a_panic_is_an_exit_of_the_runtime_and_the_next_invocation_starts_cold() {
    let panicking = function(|_, event| async move {
        assert!(event["calm"].as_bool().unwrap_or_default(), "not calm");
        Ok(json!("calm"))
    });
    let cloud = builder().function("panicking", panicking).build();
    create_function(&cloud, "panicking", 3).await;
    let (payload, error) = invoke(&cloud, "panicking", json!({})).await;
    assert_eq!((payload["errorType"].as_str(), error.as_str()), (Some("Runtime.ExitError"), Some("Unhandled")));
    assert_eq!(invoke(&cloud, "panicking", json!({ "calm": true })).await.0, json!("calm"));
}

#[tokio::test]
async fn a_rate_schedule_fires_at_once_and_then_every_period() {
    let quick = function(|_, event| async move { Ok(event) });
    let cloud = builder().function("quick", quick).build();
    create_function(&cloud, "quick", 3).await;
    let input = json!({
        "Name": "often", "ScheduleExpression": "rate(3 minutes)", "FlexibleTimeWindow": { "Mode": "OFF" },
        "Target": { "Arn": "arn:aws:lambda:us-east-1:123456789012:function:quick", "RoleArn": ROLE, "Input": "{\"n\":1}" },
    });
    call(&cloud, "scheduler", "CreateSchedule", input).await.unwrap();
    cloud.advance(Duration::from_secs(600)).await.unwrap();
    assert_eq!(attempts(&cloud), [(0, None), (180, None), (360, None), (540, None)]);
}

#[tokio::test]
async fn two_invocations_overlap_only_while_one_of_them_sleeps() {
    let slow = function(|sdk, event| async move {
        sleep(&sdk).sleep(Duration::from_secs(event["seconds"].as_u64().unwrap())).await;
        Ok(json!(null))
    });
    let cloud = builder().function("slow", slow).build();
    create_function(&cloud, "slow", 900).await;
    for seconds in [300, 100] {
        let input = json!({ "FunctionName": "slow", "InvocationType": "Event" });
        let event = garoa::cloud::Call::new(
            "lambda",
            "Invoke",
            garoa::cloud::Caller::root("123456789012"),
            cloud.scope().clone(),
            input,
        );
        cloud.call(event.with_body(json!({ "seconds": seconds }).to_string())).await.unwrap();
    }
    cloud.settle().await.unwrap();
    assert_eq!(cloud.now(), start(), "settling moves no time");
    cloud.advance(Duration::from_secs(1000)).await.unwrap();
    let ends: Vec<(u32, u64)> = cloud
        .trace()
        .into_iter()
        .filter_map(|record| match record.event {
            Event::Ended { invocation, .. } => Some((invocation.invocation.number, record.at.since(start()).as_secs())),
            _ => None,
        })
        .collect();
    assert_eq!(ends, [(2, 100), (1, 300)]);
}

#[tokio::test]
async fn a_fork_goes_its_own_way() {
    let cloud = builder().build();
    create_function(&cloud, "one", 3).await;
    let fork = cloud.fork();
    create_function(&fork, "two", 3).await;
    let names = |reply: garoa::cloud::Reply| {
        let functions = reply.output["Functions"].as_array().unwrap().clone();
        functions.iter().map(|f| f["FunctionName"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(call(&cloud, "lambda", "ListFunctions", json!({})).await.unwrap()), ["one"]);
    assert_eq!(names(call(&fork, "lambda", "ListFunctions", json!({})).await.unwrap()), ["one", "two"]);
}

#[tokio::test]
async fn a_saved_world_goes_on_in_another_cloud() {
    let quick = function(|_, event| async move { Ok(event) });
    let first = builder().function("quick", quick.clone()).build();
    create_function(&first, "quick", 3).await;
    let input = json!({
        "Name": "once", "ScheduleExpression": "at(2026-03-02T13:00:00)", "FlexibleTimeWindow": { "Mode": "OFF" },
        "Target": { "Arn": "arn:aws:lambda:us-east-1:123456789012:function:quick", "RoleArn": ROLE },
    });
    call(&first, "scheduler", "CreateSchedule", input).await.unwrap();
    let saved = serde_json::to_string(&first.save().unwrap()).unwrap();
    let second = builder().function("quick", quick).build();
    second.load(serde_json::from_str(&saved).unwrap()).unwrap();
    second.advance(Duration::from_secs(7200)).await.unwrap();
    assert_eq!(attempts(&second), [(3600, None)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_the_machines_clock_no_waiting_invocation_misses_its_end() {
    let quick = function(|_, event| async move { Ok(event) });
    let cloud = Cloud::builder().iam(IamMode::Off).clock(ClockMode::Real).function("quick", quick).build();
    create_function(&cloud, "quick", 30).await;
    let callers = (0..4).map(|caller| {
        let cloud = cloud.clone();
        tokio::spawn(async move {
            for n in 0..100 {
                assert_eq!(invoke(&cloud, "quick", json!([caller, n])).await.0, json!([caller, n]));
            }
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await.unwrap();
    }
}
