//! The invariants of the Pix monitor, each shown failing on a trace in which something went wrong.
#![allow(clippy::unwrap_used)]

use bytes::Bytes;
use garoa::Error;
use garoa::cloud::{FaultKind, Reply};

use super::super::testing::trace;
use super::*;

fn line(account: &str, body: &str) -> String {
    format!(
        "2026-03-02T12:00:01Z\tr\tINFO\t{{\"Session\":{{\"accountName\":\"{account}\"}},\"Payload\":{{\"body\":{body}}}}}"
    )
}

fn event(id: &str, account: &str, body: &str) -> Value {
    json!({ "eventId": id, "message": line(account, body) })
}

/// Two cash-outs of the watched account, one of another, a cash-in, and a line that is none.
fn events() -> Vec<Value> {
    vec![
        event("9", "1", r#"{"transactionId":"E1","amount":100}"#),
        event("10", "1", r#"{"transactionId":"E2","amount":-1}"#),
        event("11", "2", r#"{"transactionId":"E3","amount":5}"#),
        event("12", "1", r#"{"endToEndId":"E4","transactionId":"x","amount":5}"#),
        json!({ "eventId": "13", "message": "START" }),
    ]
}

fn call(number: u32, service: &str, operation: &str, resource: &str) -> CallRecord {
    CallRecord {
        service: service.to_owned(),
        operation: operation.to_owned(),
        action: if service == SINK { String::new() } else { format!("{service}:{operation}") },
        resource: resource.to_owned(),
        invocation: Some(InvocationRef { function: FUNCTION.into(), number }),
        status: Some(200),
        ..CallRecord::default()
    }
}

fn get(number: u32, cursor: Option<&str>) -> CallRecord {
    let mut get = call(number, "s3", "GetObject", "arn:aws:s3:::pix-state/lastId.txt");
    match cursor {
        Some(cursor) => get.answer = Bytes::from(cursor.to_owned()),
        None => {
            get.status = Some(404);
            get.error = Some(("NoSuchKey".to_owned(), String::new()));
        }
    }
    get
}

fn filter(number: u32) -> CallRecord {
    let mut filter = call(number, "logs", "FilterLogEvents", "arn:aws:logs:us-east-1:1:log-group:g:*");
    filter.output = json!({ "events": events() });
    filter
}

fn post(number: u32, count: usize, sum: i64) -> CallRecord {
    let text = format!("*Contas:* 1\n*Quantidade de eventos:* {count}\n*Valor total:* R$ x ({sum} centavos)");
    let mut post = call(number, SINK, "POST", "http://slack.sink.localhost/");
    post.input = json!({ "blocks": [{}, { "text": { "text": text } }] });
    post
}

fn put(number: u32, cursor: &str) -> CallRecord {
    let mut put = call(number, "s3", "PutObject", "arn:aws:s3:::pix-state/lastId.txt");
    put.body = Bytes::from(cursor.to_owned());
    put
}

/// A run that made these calls, one a second, in whose end all events are in the log group `g`.
fn run(calls: Vec<CallRecord>) -> Run {
    Run::new(trace(calls), |call| {
        let output = match &*call.operation {
            "GetFunctionConfiguration" => {
                json!({ "Environment": { "Variables": { "WATCHED_ACCOUNTS": "1", "LOG_GROUPS": "g" } } })
            }
            "FilterLogEvents" if call.input.get("nextToken").is_some() => json!({ "events": events() }),
            "FilterLogEvents" => json!({ "events": [], "nextToken": "t" }),
            other => return Err(Error::not_implemented(other)),
        };
        Ok(Reply::output(output))
    })
}

fn counts(times: usize) -> Result<BTreeMap<String, usize>, String> {
    Ok(["E1", "E2"].map(|name| (name.to_owned(), times)).into())
}

#[test]
fn a_good_run_holds_them_all() {
    let run = run(vec![get(1, None), filter(1), post(1, 2, 99), put(1, "10"), get(2, Some("10")), filter(2)]);
    assert_eq!(no_alert_lost(&run), Ok(()));
    assert_eq!(cursor_never_ahead_of_slack(&run), Ok(()));
    assert_eq!(alert_announced(&run), counts(1));
}

#[test]
fn an_alert_that_was_never_told_is_lost_and_the_cursor_is_ahead() {
    let run = run(vec![get(1, None), filter(1), put(1, "10"), get(2, Some("10")), filter(2)]);
    assert_eq!(no_alert_lost(&run), Err("never told: E1, E2".to_owned()));
    let ahead = cursor_never_ahead_of_slack(&run).unwrap_err();
    assert!(ahead.contains("invocation 1 wrote the cursor past E1"), "{ahead}");
    assert_eq!(alert_announced(&run), counts(0));
}

#[test]
fn a_cursor_before_the_message_is_ahead_though_nothing_is_lost() {
    let run = run(vec![get(1, None), filter(1), put(1, "10"), post(1, 2, 99)]);
    assert_eq!(no_alert_lost(&run), Ok(()));
    assert!(cursor_never_ahead_of_slack(&run).is_err());
}

#[test]
fn a_message_that_slack_did_not_accept_told_nothing() {
    for spoil in [
        |post: &mut CallRecord| post.status = Some(500),
        |post: &mut CallRecord| post.fault = Some(FaultKind::CrashBefore),
        |post: &mut CallRecord| (post.status, post.error) = (None, Some(("Timeout".to_owned(), String::new()))),
    ] {
        let mut post = post(1, 2, 99);
        spoil(&mut post);
        let run = run(vec![get(1, None), filter(1), post, put(1, "10")]);
        assert!(no_alert_lost(&run).is_err());
        assert!(cursor_never_ahead_of_slack(&run).is_err());
    }
}

#[test]
fn a_message_whose_answer_was_lost_was_told() {
    let mut lost = post(1, 2, 99);
    lost.fault = Some(FaultKind::LostReply);
    let run = run(vec![get(1, None), filter(1), lost, post(1, 2, 99), put(1, "10")]);
    assert_eq!(no_alert_lost(&run), Ok(()));
    assert_eq!(alert_announced(&run), counts(2));
}

#[test]
fn a_run_that_did_not_know_the_cursor_tells_twice() {
    let first = [get(1, None), filter(1), post(1, 2, 99)];
    let again = [get(2, None), filter(2), post(2, 2, 99), put(2, "10")];
    let run = run(first.into_iter().chain(again).collect());
    assert_eq!(alert_announced(&run), counts(2));
}

#[test]
fn a_message_that_disagrees_with_what_was_read_is_no_proof() {
    for wrong in [post(1, 1, 99), post(1, 2, 100), post(1, 22, 99)] {
        let run = run(vec![get(1, None), filter(1), wrong, put(1, "10")]);
        assert!(no_alert_lost(&run).unwrap_err().contains("had read"));
        assert!(alert_announced(&run).is_err());
    }
}

#[test]
fn ids_compare_as_numbers_of_any_length() {
    let id = |text: &str| Id(text.to_owned());
    assert!(id("9") < id("10") && id("0009") < id("10") && id("100") > id("99"));
    assert_eq!(id("10").cmp(&id("010")), Ordering::Equal);
}
