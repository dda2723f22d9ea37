//! The invariants of realtime, each shown failing on a trace in which something went wrong.

use std::sync::Arc;

use garoa::cloud::{InvocationRecord, Record};
use serde_json::{Value, json};

use super::*;

/// A call: operation, resource, status, input, output.
type Made = (&'static str, &'static str, u16, Value, Value);

const AUDIT_TABLE: &str = "arn:aws:dynamodb:r:a:table/realtime-audit";
const CONNECTIONS_TABLE: &str = "arn:aws:dynamodb:r:a:table/realtime-connections";

/// A run of one invocation that made these calls and ended so.
fn run(function: &str, calls: &[Made], error: Option<&str>) -> Run {
    let made = InvocationRef { function: function.into(), number: 1 };
    let call = |(operation, resource, status, input, output): &Made| {
        let call = CallRecord {
            operation: (*operation).to_owned(),
            resource: (*resource).to_owned(),
            status: Some(*status),
            input: input.clone(),
            output: output.clone(),
            invocation: Some(made.clone()),
            ..CallRecord::default()
        };
        Event::Call(Arc::new(call))
    };
    let ended = Event::Ended {
        invocation: InvocationRecord { invocation: made.clone(), request_id: String::new(), retries: 0 },
        error: error.map(str::to_owned),
        payload: "null".into(),
    };
    let events = calls.iter().map(call).chain([ended]).enumerate();
    let record = |(place, event)| Record { seq: place as u64 + 1, at: garoa::Timestamp::default(), event };
    Run::new(events.map(record).collect(), |_| Err(garoa::Error::internal("there is no state here")))
}

fn audit() -> Made {
    ("PutItem", AUDIT_TABLE, 200, json!({}), Value::Null)
}

fn post(to: &str, status: u16) -> Made {
    ("PostToConnection", "x", status, json!({ "ConnectionId": to }), Value::Null)
}

fn delete(id: &str) -> Made {
    ("DeleteItem", CONNECTIONS_TABLE, 200, json!({ "Key": { "connection_id": { "S": id } } }), Value::Null)
}

fn scan(ids: &[&str]) -> Made {
    let items: Vec<Value> = ids.iter().map(|id| json!({ "connection_id": { "S": id } })).collect();
    ("Scan", CONNECTIONS_TABLE, 200, json!({}), json!({ "Items": items }))
}

fn put() -> Made {
    ("PutItem", CONNECTIONS_TABLE, 200, json!({}), Value::Null)
}

#[test]
fn what_is_sent_before_the_audit_is_found() {
    assert_eq!(audited_before_sent(&run(MESSAGE, &[audit(), post("a", 200)], None)), Ok(()));
    assert!(audited_before_sent(&run(MESSAGE, &[post("a", 200), audit()], None)).is_err());
    assert!(audited_before_sent(&run(MESSAGE, &[post("a", 200)], Some("Realtime.Table"))).is_err());
}

#[test]
fn a_connection_that_stays_is_found() {
    let holds = |calls: &[Made], error| gone_connections_leave_the_table(&run(MESSAGE, calls, error));
    assert_eq!(holds(&[post("a", 410), delete("a")], None), Ok(()));
    assert!(holds(&[post("a", 410), delete("b")], None).is_err());
    assert!(holds(&[delete("a"), post("a", 410)], None).is_err());
    assert!(holds(&[post("a", 410)], None).is_err());
    // Who died before it could has said so.
    assert_eq!(holds(&[post("a", 410)], Some("Runtime.ExitError")), Ok(()));
}

#[test]
fn who_is_passed_over_is_found() {
    let holds = |calls: &[Made], error| everybody_has_a_turn(&run(MESSAGE, calls, error));
    let two_pages = [scan(&["a", "b"]), scan(&["c"])];
    let all = [&two_pages[..], &[post("a", 200), post("b", 410), post("c", 403)]].concat();
    assert_eq!(holds(&all, None), Ok(()));
    let stopped = [&two_pages[..], &[post("a", 200), post("b", 410)]].concat();
    assert!(holds(&stopped, None).is_err());
    assert!(holds(&stopped, Some(UNDELIVERED)).is_err());
    assert_eq!(holds(&stopped, Some("Runtime.ExitError")), Ok(()));
}

#[test]
fn who_is_let_in_and_not_in_the_books_is_found() {
    let holds = |function, calls: &[Made], error| connections_are_booked(&run(function, calls, error));
    assert_eq!(holds(CONNECT, &[audit(), put()], None), Ok(()));
    assert!(holds(CONNECT, &[audit()], None).is_err());
    assert!(holds(CONNECT, &[put()], None).is_err());
    assert_eq!(holds(CONNECT, &[audit()], Some("Realtime.Table")), Ok(()));
    assert_eq!(holds(DISCONNECT, &[delete("a"), audit()], None), Ok(()));
    assert!(holds(DISCONNECT, &[audit(), put()], None).is_err());
    assert!(holds(DISCONNECT, &[delete("a")], None).is_err());
}
