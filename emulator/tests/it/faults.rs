//! Faults at the calls of a function that writes one object, seen from outside.

use std::time::Duration;

use garoa::Timestamp;
use garoa::cloud::{Aim, Cloud, Event, Fault, FaultKind, IamMode};
use serde_json::{Value, json};

use crate::support::{call, create_function, function, invoke};

/// A cloud with a function that puts `attempt` into `bucket/key`, under IAM mode `iam`.
async fn writer(iam: IamMode) -> Cloud {
    let write = function(|sdk, _| async move {
        let s3 = aws_sdk_s3::Client::new(&sdk);
        let put = s3.put_object().bucket("bucket").key("key").body(b"content".to_vec().into());
        match put.send().await {
            Ok(_) => Ok(json!("written")),
            Err(error) => Ok(json!(format!("{:?}", aws_sdk_s3::error::ProvideErrorMetadata::code(&error)))),
        }
    });
    let cloud = Cloud::builder().iam(iam).function("writer", write).build();
    call(&cloud, "s3", "CreateBucket", json!({ "Bucket": "bucket" })).await.unwrap();
    if iam == IamMode::Off {
        create_function(&cloud, "writer", 30).await;
    }
    cloud
}

fn first_call(kind: FaultKind) -> Fault {
    Fault { aim: Aim::Point { function: "writer".into(), invocation: 1, call: 1 }, kind }
}

async fn is_written(cloud: &Cloud) -> bool {
    call(cloud, "s3", "HeadObject", json!({ "Bucket": "bucket", "Key": "key" })).await.is_ok()
}

/// The statuses that the function's calls were answered with.
fn statuses(cloud: &Cloud) -> Vec<Option<u16>> {
    let calls = cloud.trace().into_iter().filter_map(|record| match record.event {
        Event::Call(call) if call.invocation.is_some() => Some(call.status),
        _ => None,
    });
    calls.collect()
}

async fn run(kind: FaultKind) -> (Cloud, Value, Value) {
    let cloud = writer(IamMode::Off).await;
    cloud.inject(first_call(kind));
    let (payload, error) = invoke(&cloud, "writer", json!({})).await;
    (cloud, payload, error)
}

#[tokio::test]
async fn a_crash_before_the_call_leaves_nothing_and_one_after_it_leaves_its_effect() {
    for (kind, written) in [(FaultKind::CrashBefore, false), (FaultKind::CrashAfter, true)] {
        let (cloud, payload, error) = run(kind).await;
        assert_eq!((payload["errorType"].as_str(), error.as_str()), (Some("Runtime.ExitError"), Some("Unhandled")));
        assert_eq!(is_written(&cloud).await, written);
        assert_eq!(invoke(&cloud, "writer", json!({})).await.0, json!("written"), "the next environment is whole");
    }
}

#[tokio::test]
async fn the_sdk_retries_after_a_lost_reply_a_throttle_and_a_refused_connection_in_virtual_time() {
    for (kind, first) in
        [(FaultKind::LostReply, Some(200)), (FaultKind::Throttle, Some(503)), (FaultKind::Refuse, None)]
    {
        let (cloud, payload, _) = run(kind).await;
        assert_eq!(payload, json!("written"));
        assert_eq!(statuses(&cloud), [first, Some(200)]);
        assert!(cloud.now() > Cloud::builder().build().now(), "the wait before the retry took virtual time");
    }
}

#[tokio::test]
async fn a_denial_is_an_answer_that_the_function_sees() {
    let (cloud, payload, _) = run(FaultKind::Deny).await;
    assert_eq!(payload, json!("Some(\"AccessDenied\")"));
    assert!(!is_written(&cloud).await);
}

#[tokio::test]
async fn a_delayed_call_takes_effect_later() {
    let (cloud, payload, _) = run(FaultKind::Delay(Duration::from_secs(2))).await;
    assert_eq!(payload, json!("written"));
    let head = call(&cloud, "s3", "HeadObject", json!({ "Bucket": "bucket", "Key": "key" })).await.unwrap();
    let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(head.output["LastModified"], json!(start + Duration::from_secs(2)));
}

#[tokio::test]
async fn a_role_may_what_its_policies_allow_and_is_told_what_it_may_not() {
    let cloud = writer(IamMode::Enforce).await;
    let trust = json!({"Version": "2012-10-17", "Statement":
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}});
    let role = json!({ "RoleName": "any", "AssumeRolePolicyDocument": trust.to_string() });
    call(&cloud, "iam", "CreateRole", role).await.unwrap();
    create_function(&cloud, "writer", 30).await;
    assert_eq!(invoke(&cloud, "writer", json!({})).await.0, json!("Some(\"AccessDenied\")"));
    let told = cloud.trace().into_iter().find_map(|record| match record.event {
        Event::Call(call) if call.invocation.is_some() => call.error.clone(),
        _ => None,
    });
    let text = "User: arn:aws:sts::123456789012:assumed-role/any/writer is not authorized to perform: s3:PutObject on \
                resource: \"arn:aws:s3:::bucket/key\" because no identity-based policy allows the s3:PutObject action";
    assert_eq!(told, Some(("AccessDenied".to_owned(), text.to_owned())));

    let policy = json!({"Version": "2012-10-17", "Statement":
        {"Effect": "Allow", "Action": "s3:Put*", "Resource": "arn:aws:s3:::bucket/*"}});
    let put = json!({ "RoleName": "any", "PolicyName": "write", "PolicyDocument": policy.to_string() });
    call(&cloud, "iam", "PutRolePolicy", put).await.unwrap();
    assert_eq!(invoke(&cloud, "writer", json!({})).await.0, json!("written"));
}

#[tokio::test]
async fn a_role_that_does_not_trust_lambda_runs_no_function() {
    let cloud = writer(IamMode::Enforce).await;
    let trust = json!({"Version": "2012-10-17", "Statement":
        {"Effect": "Allow", "Principal": {"Service": "scheduler.amazonaws.com"}, "Action": "sts:AssumeRole"}});
    let role = json!({ "RoleName": "any", "AssumeRolePolicyDocument": trust.to_string() });
    call(&cloud, "iam", "CreateRole", role).await.unwrap();
    let input = json!({
        "FunctionName": "writer", "Role": crate::support::ROLE, "Runtime": "provided.al2023", "Handler": "bootstrap",
        "Code": { "S3Bucket": "code", "S3Key": "writer" },
    });
    let refused = call(&cloud, "lambda", "CreateFunction", input).await.unwrap_err();
    assert_eq!(refused.message(), "The role defined for the function cannot be assumed by Lambda.");
}

#[tokio::test]
async fn two_runs_with_one_seed_leave_the_same_trace_to_the_byte() {
    let trace = async |seed| {
        let cloud = Cloud::builder().seed(seed).iam(IamMode::Off);
        let echo = function(|sdk, _| async move {
            let s3 = aws_sdk_s3::Client::new(&sdk);
            s3.put_object().bucket("bucket").key("key").body(b"x".to_vec().into()).send().await.unwrap();
            Ok(json!(null))
        });
        let cloud = cloud.function("echo", echo).build();
        call(&cloud, "s3", "CreateBucket", json!({ "Bucket": "bucket" })).await.unwrap();
        create_function(&cloud, "echo", 30).await;
        cloud.inject(Fault {
            aim: Aim::Point { function: "echo".into(), invocation: 1, call: 1 },
            kind: FaultKind::Throttle,
        });
        invoke(&cloud, "echo", json!({})).await;
        cloud.settle().await.unwrap();
        serde_json::to_string(&cloud.trace()).unwrap()
    };
    let first = trace(7).await;
    assert_eq!(first, trace(7).await);
    assert_ne!(first, trace(8).await);
}
