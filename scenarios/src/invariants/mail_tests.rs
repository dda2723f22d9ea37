//! The invariants of mail-notify, each shown failing on a trace in which something went wrong.
#![allow(clippy::unwrap_used)]

use garoa::Error;
use garoa::cloud::{CallRecord, FaultKind, Reply};
use parking_lot::Mutex;

use super::super::testing::trace;
use super::*;

fn body(to: &str) -> String {
    json!({ "recipient_email": to, "s3_bucket": "videos", "s3_key": "42.zip" }).to_string()
}

fn sqs(operation: &str, input: Value, output: Value) -> CallRecord {
    CallRecord {
        service: "sqs".to_owned(),
        operation: operation.to_owned(),
        action: format!("sqs:{operation}"),
        input,
        output,
        status: Some(200),
        ..CallRecord::default()
    }
}

fn message(id: &str) -> CallRecord {
    let input = json!({ "QueueUrl": "http://x/1/mail-queue", "MessageBody": body("ana@example.com") });
    sqs("SendMessage", input, json!({ "MessageId": id }))
}

fn mail(id: &str) -> CallRecord {
    let zip = json!({ "name": "42.zip", "sha256": hex::encode(Sha256::digest("zip")) });
    CallRecord {
        service: SINK.to_owned(),
        operation: "MAIL".to_owned(),
        input: json!({
            "messageId": format!("{id}@example.com"), "envelope": { "to": ["ana@example.com"] }, "attachments": [zip],
        }),
        status: Some(250),
        ..CallRecord::default()
    }
}

/// A run that made these calls, at whose end `dead` are in the dead-letter queue and so many in the queue.
fn run(calls: Vec<CallRecord>, dead: &[&str], left: usize) -> Run {
    let pages = dead.iter().map(|id| json!({ "Messages": [{ "MessageId": id, "ReceiptHandle": id }] })).rev().collect();
    let pages: Mutex<Vec<Value>> = Mutex::new(pages);
    Run::new(trace(calls), move |call| {
        let output = match &*call.operation {
            "GetQueueUrl" => json!({ "QueueUrl": call.input["QueueName"] }),
            "ReceiveMessage" => pages.lock().pop().unwrap_or_else(|| json!({})),
            "ChangeMessageVisibility" => {
                let page = json!({ "Messages": [{ "MessageId": call.input["ReceiptHandle"], "ReceiptHandle": call.input["ReceiptHandle"] }] });
                pages.lock().push(page);
                json!({})
            }
            "GetQueueAttributes" => {
                json!({ "Attributes": { "ApproximateNumberOfMessagesNotVisible": left.to_string() } })
            }
            "GetObject" => return Ok(Reply::output(json!({})).with_body("zip")),
            other => return Err(Error::not_implemented(other)),
        };
        Ok(Reply::output(output))
    })
}

fn counts(list: &[(&str, usize)]) -> Result<BTreeMap<String, usize>, String> {
    Ok(list.iter().map(|(id, times)| ((*id).to_owned(), *times)).collect())
}

#[test]
fn a_good_run_holds_them_all() {
    let batch = sqs(
        "SendMessageBatch",
        json!({ "QueueUrl": "/mail-queue", "Entries": [{ "Id": "a", "MessageBody": body("ana@example.com") }, { "Id": "b", "MessageBody": "{" }] }),
        json!({ "Successful": [{ "Id": "b", "MessageId": "3" }, { "Id": "a", "MessageId": "2" }] }),
    );
    let good = || run(vec![message("1"), batch.clone(), mail("1"), mail("2")], &["3"], 0);
    assert_eq!(no_message_lost(&good()), Ok(()));
    assert_eq!(mail_intact(&good()), Ok(()));
    assert_eq!(mail_sent(&good()), counts(&[("1", 1), ("2", 1)]));
}

#[test]
fn a_message_that_is_nowhere_is_lost() {
    let calls = || vec![message("1"), message("2"), mail("2")];
    let lost = no_message_lost(&run(calls(), &[], 0)).unwrap_err();
    assert!(lost.ends_with(": 1"), "{lost}");
    assert_eq!(no_message_lost(&run(calls(), &[], 1)), Ok(()), "it is in flight");
    assert_eq!(no_message_lost(&run(calls(), &["1"], 0)), Ok(()), "it is a dead letter");
    assert_eq!(mail_sent(&run(calls(), &[], 0)), counts(&[("1", 0), ("2", 1)]));
}

#[test]
fn a_mail_that_was_not_accepted_was_not_sent() {
    for spoil in [
        |mail: &mut CallRecord| mail.status = Some(421),
        |mail: &mut CallRecord| mail.fault = Some(FaultKind::CrashBefore),
        |mail: &mut CallRecord| (mail.status, mail.error) = (None, Some(("ConnectionReset".to_owned(), String::new()))),
    ] {
        let mut mail = mail("1");
        spoil(&mut mail);
        let run = run(vec![message("1"), mail], &[], 0);
        assert!(no_message_lost(&run).is_err());
        assert_eq!(mail_sent(&run), counts(&[("1", 0)]));
    }
}

#[test]
fn a_mail_whose_answer_was_lost_was_sent_and_a_second_one_counts() {
    let mut lost = mail("1");
    lost.fault = Some(FaultKind::LostReply);
    let run = run(vec![message("1"), lost, mail("1")], &[], 0);
    assert_eq!(no_message_lost(&run), Ok(()));
    assert_eq!(mail_sent(&run), counts(&[("1", 2)]));
}

#[test]
fn a_spoilt_mail_is_found() {
    for (place, value, says) in [
        ("attachments", json!([]), "alone and whole"),
        ("attachments", json!([{ "sha256": "00" }]), "alone and whole"),
        ("envelope", json!({ "to": ["eve@example.com"] }), "went to"),
        ("messageId", json!("9@example.com"), "no message asked for"),
        ("messageId", Value::Null, "without a Message-ID"),
    ] {
        let mut mail = mail("1");
        mail.input[place] = value;
        let why = mail_intact(&run(vec![message("1"), mail], &[], 0)).unwrap_err();
        assert!(why.contains(says), "{why}");
    }
}
