//! What the operations act on, as policies see it.

use super::*;
use crate::cloud::Event;
use crate::iam::Principal;
use crate::iam::policy::pattern::Context;
use crate::iam::policy::{Attached, Policy, Request, evaluate};

const GROUP: &str = "arn:aws:logs:us-east-1:123456789012:log-group:g";

/// The action and the resource of a call, as the trace has them.
async fn target(operation: &str, input: Value) -> (String, String) {
    let logs = Logs::new();
    let _ = logs.call(operation, input).await;
    let records = logs.0.trace();
    let Some(Event::Call(record)) = records.last().map(|record| &record.event) else { panic!("{records:?}") };
    (record.action.clone(), record.resource.clone())
}

fn allows(action: &str, on: &str, (wanted, resource): &(String, String)) -> bool {
    let text = json!({"Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": action, "Resource": on}]})
    .to_string();
    let policy = Policy::read(&text).unwrap();
    let request = Request {
        principal: Principal::User {
            account: ACCOUNT.into(),
            path: "/".to_owned(),
            name: "u".to_owned(),
            id: "AIDA".into(),
        },
        resource_account: ACCOUNT.to_owned(),
        action: wanted.clone(),
        resource: resource.clone(),
        context: Context::new(),
    };
    evaluate(&request, &[Attached { name: "p", policy: &policy }], None, &[], None).is_allowed()
}

#[tokio::test]
async fn operations_on_a_group_are_allowed_by_its_arn_with_an_asterisk_and_not_without() {
    for (operation, input) in [
        ("FilterLogEvents", json!({"logGroupName": "g"})),
        ("FilterLogEvents", json!({"logGroupIdentifier": GROUP})),
        ("DescribeLogStreams", json!({"logGroupName": "g"})),
        ("CreateLogGroup", json!({"logGroupName": "g"})),
        ("PutRetentionPolicy", json!({"logGroupName": "g", "retentionInDays": 1})),
    ] {
        let target = target(operation, input).await;
        assert_eq!(target, (format!("logs:{operation}"), format!("{GROUP}:log-stream:")));
        let action = format!("logs:{operation}");
        assert!(allows(&action, &format!("{GROUP}:*"), &target));
        assert!(!allows(&action, GROUP, &target));
        assert!(!allows(&action, &format!("{GROUP}2:*"), &target));
    }
}

#[tokio::test]
async fn operations_on_a_stream_act_on_it() {
    for (operation, input) in [
        ("PutLogEvents", json!({"logGroupName": "g", "logStreamName": "s", "logEvents": []})),
        ("GetLogEvents", json!({"logGroupName": "g", "logStreamName": "s"})),
        ("GetLogEvents", json!({"logGroupIdentifier": GROUP, "logStreamName": "s"})),
        ("CreateLogStream", json!({"logGroupName": "g", "logStreamName": "s"})),
        ("DeleteLogStream", json!({"logGroupName": "g", "logStreamName": "s"})),
    ] {
        let target = target(operation, input).await;
        assert_eq!(target.1, format!("{GROUP}:log-stream:s"), "{operation}");
        assert!(allows("logs:*", &format!("{GROUP}:*"), &target));
        assert!(allows("logs:*", &format!("{GROUP}:log-stream:s"), &target));
        assert!(!allows("logs:*", &format!("{GROUP}:log-stream:t"), &target));
    }
}

#[tokio::test]
async fn tagging_by_arn_acts_on_the_bare_arn_and_listing_on_no_group() {
    assert_eq!(target("TagResource", json!({"resourceArn": GROUP, "tags": {}})).await.1, GROUP);
    assert_eq!(target("ListTagsForResource", json!({"resourceArn": GROUP})).await.1, GROUP);
    let described = target("DescribeLogGroups", json!({"logGroupNamePrefix": "g"})).await.1;
    assert_eq!(described, "arn:aws:logs:us-east-1:123456789012:log-group::log-stream:");
    assert_eq!(target("TestMetricFilter", json!({"filterPattern": "", "logEventMessages": []})).await.1, "*");
}

#[tokio::test]
async fn a_role_without_policies_may_nothing() {
    let logs = Logs(Cloud::builder().start(Timestamp::from_millis(START)).build());
    let user =
        Principal::User { account: ACCOUNT.into(), path: "/".to_owned(), name: "u".to_owned(), id: "AIDA".into() };
    let call =
        Call::new("logs", "FilterLogEvents", Caller::new(user), logs.0.scope().clone(), json!({"logGroupName": "g"}));
    let error = logs.0.call(call).await.unwrap_err();
    assert_eq!(error.code(), "AccessDeniedException");
    assert!(error.message().contains(&format!("logs:FilterLogEvents on resource: {GROUP}:log-stream:")), "{error}");
}
