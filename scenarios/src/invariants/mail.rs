//! What must hold of mail-notify, wherever it is broken: no message is lost, no mail is sent twice, no ZIP is spoiled.
//!
//! A message is told by its id: SQS gives it out when the message is sent, keeps it in the dead-letter queue, and the
//! function makes the mail's `Message-ID` of it.

use std::collections::{BTreeMap, BTreeSet};

use garoa::scenario::run::{Invariants, Run};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const SINK: &str = "smtp";
const QUEUE: &str = "mail-queue";
const DEAD_LETTERS: &str = "mail-dlq";
/// More messages than any scenario sends.
const MESSAGES_MAX: usize = 10_000;

/// Adds the invariants of mail-notify.
pub fn register(invariants: Invariants) -> Invariants {
    invariants
        .always("no-message-lost", no_message_lost)
        .always("mail-intact", mail_intact)
        .once("mail-sent", mail_sent)
}

/// Every message that was sent to the queue was mailed, or is in the dead-letter queue, or still in the queue.
///
/// # Errors
/// Names those that are nowhere.
pub fn no_message_lost(run: &Run) -> Result<(), String> {
    let (mailed, dead) = (mailed(run), dead_letters(run)?);
    let missing: Vec<String> =
        sent(run).into_keys().filter(|id| !mailed.contains_key(id) && !dead.contains(id)).collect();
    // Of messages in flight SQS tells only how many there are.
    let left = left(run)?;
    if missing.len() <= left {
        return Ok(());
    }
    Err(format!("neither mailed nor in a queue ({left} are left in {QUEUE}): {}", missing.join(", ")))
}

/// Every mail that was accepted answers a message: its recipient, and one attachment with the object's very bytes.
///
/// # Errors
/// Names the first that does not.
pub fn mail_intact(run: &Run) -> Result<(), String> {
    let sent = sent(run);
    for (_, call) in run.accepted(SINK) {
        let mail = &call.input;
        let id = message_id(mail).ok_or_else(|| format!("a mail without a Message-ID: {mail}"))?;
        let Some(message) = sent.get(id) else { return Err(format!("a mail that no message asked for: {id}")) };
        let text = |name: &str| message[name].as_str().unwrap_or_default();
        if mail["envelope"]["to"] != json!([text("recipient_email")]) {
            return Err(format!("{id} went to {}", mail["envelope"]["to"]));
        }
        let object = json!({ "Bucket": text("s3_bucket"), "Key": text("s3_key") });
        let bytes =
            run.call("s3", "GetObject", object).map_err(|error| format!("{id}: {error}"))?.body.unwrap_or_default();
        let wanted = hex::encode(Sha256::digest(&bytes));
        let hashes: Vec<_> =
            mail["attachments"].as_array().into_iter().flatten().map(|attachment| &attachment["sha256"]).collect();
        if hashes != [&json!(wanted)] {
            return Err(format!("{id} does not hold s3://{}/{} alone and whole", text("s3_bucket"), text("s3_key")));
        }
    }
    Ok(())
}

/// How often each message was mailed that did not end in the dead-letter queue.
///
/// # Errors
/// If the dead-letter queue cannot be read.
pub fn mail_sent(run: &Run) -> Result<BTreeMap<String, usize>, String> {
    let (mailed, dead) = (mailed(run), dead_letters(run)?);
    let alive = sent(run).into_keys().filter(|id| !dead.contains(id));
    Ok(alive.map(|id| (id.clone(), mailed.get(&id).copied().unwrap_or(0))).collect())
}

/// The messages that were sent to the queue: id and body.
fn sent(run: &Run) -> BTreeMap<String, Value> {
    let mut sent = BTreeMap::new();
    for (_, call) in run.calls().filter(|(_, call)| call.service == "sqs" && call.took_effect()) {
        if !call.input["QueueUrl"].as_str().is_some_and(|url| url.ends_with(&format!("/{QUEUE}"))) {
            continue;
        }
        let mut add = |id: &Value, body: &Value| {
            let body = body.as_str().and_then(|body| serde_json::from_str(body).ok()).unwrap_or_default();
            sent.extend(id.as_str().map(|id| (id.to_owned(), body)));
        };
        match &*call.operation {
            "SendMessage" => add(&call.output["MessageId"], &call.input["MessageBody"]),
            "SendMessageBatch" => {
                let entries = || call.input["Entries"].as_array().into_iter().flatten();
                for taken in call.output["Successful"].as_array().into_iter().flatten() {
                    let entry = entries().find(|entry| entry["Id"] == taken["Id"]);
                    add(&taken["MessageId"], entry.map_or(&Value::Null, |entry| &entry["MessageBody"]));
                }
            }
            _ => {}
        }
    }
    sent
}

/// How often each message was mailed.
fn mailed(run: &Run) -> BTreeMap<String, usize> {
    let mut mailed = BTreeMap::new();
    for (_, call) in run.accepted(SINK) {
        if let Some(id) = message_id(&call.input) {
            *mailed.entry(id.to_owned()).or_default() += 1;
        }
    }
    mailed
}

fn message_id(mail: &Value) -> Option<&str> {
    mail["messageId"].as_str()?.split('@').next()
}

/// The ids in the dead-letter queue. They are received one after the other, in the copy that the run's end is.
fn dead_letters(run: &Run) -> Result<BTreeSet<String>, String> {
    let mut ids = BTreeSet::new();
    let url = url(run, DEAD_LETTERS)?;
    for _ in 0..MESSAGES_MAX {
        let input = json!({ "QueueUrl": url, "MaxNumberOfMessages": 10, "VisibilityTimeout": 43_200 });
        let page = run.call("sqs", "ReceiveMessage", input).map_err(|error| error.to_string())?.output;
        let found: Vec<String> = page["Messages"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|message| message["MessageId"].as_str().map(str::to_owned))
            .collect();
        if found.is_empty() {
            break;
        }
        ids.extend(found);
    }
    Ok(ids)
}

/// How many messages are left in the queue, visible or not.
fn left(run: &Run) -> Result<usize, String> {
    let input = json!({ "QueueUrl": url(run, QUEUE)?, "AttributeNames": ["All"] });
    let attributes = run.call("sqs", "GetQueueAttributes", input).map_err(|error| error.to_string())?.output;
    let count = |name: &str| attributes["Attributes"][name].as_str().and_then(|text| text.parse().ok()).unwrap_or(0);
    Ok(["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"]
        .into_iter()
        .map(count)
        .sum())
}

fn url(run: &Run, name: &str) -> Result<String, String> {
    let found = run.call("sqs", "GetQueueUrl", json!({ "QueueName": name })).map_err(|error| error.to_string())?;
    found.output["QueueUrl"].as_str().map(str::to_owned).ok_or_else(|| format!("{name} has no URL"))
}

#[cfg(test)]
#[path = "mail_tests.rs"]
mod tests;
