//! `AddPermission` and `RemovePermission`: statements of the queue's policy by label.
//!
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_AddPermission.html>

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Queues;
use super::errors::{invalid_value, missing};
use super::queue::{Queue, find, on_own};
use crate::cloud::{Cx, Service};
use crate::{Error, Result};

/// A label has at most this many characters.
const MAX_LABEL: usize = 80;
/// A statement names at most this many actions.
const MAX_ACTIONS: usize = 7;
/// What may be allowed in this way.
const ACTIONS: [&str; 12] = [
    "*",
    "AddPermission",
    "ChangeMessageVisibility",
    "DeleteMessage",
    "DeleteQueue",
    "GetQueueAttributes",
    "GetQueueUrl",
    "ListDeadLetterSourceQueues",
    "PurgeQueue",
    "ReceiveMessage",
    "SendMessage",
    "SetQueueAttributes",
];

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Queues>) -> Service<Queues> {
    service.op("AddPermission", |at, i: &AddPermission| on_own(at, &i.queue_url), add).op(
        "RemovePermission",
        |at, i: &RemovePermission| on_own(at, &i.queue_url),
        remove,
    )
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AddPermission {
    queue_url: String,
    label: String,
    #[serde(rename = "AWSAccountIds")]
    accounts: Vec<String>,
    actions: Vec<String>,
}

fn add(cx: &mut Cx<Queues>, input: AddPermission) -> Result<()> {
    let now = cx.now;
    let queue = find(cx, &input.queue_url)?;
    input.check()?;
    let mut policy = policy_of(queue)?;
    if statements(&mut policy)?.iter().any(|statement| statement["Sid"] == input.label) {
        return Err(invalid_value(&input.label, "Label", "Already exists."));
    }
    let principals = input.accounts.iter().map(|account| format!("arn:aws:iam::{account}:root"));
    let actions = input.actions.iter().map(|action| format!("SQS:{action}"));
    let statement = json!({
        "Sid": input.label,
        "Effect": "Allow",
        "Principal": { "AWS": one_or_many(principals) },
        "Action": one_or_many(actions),
        "Resource": &*queue.arn,
    });
    statements(&mut policy)?.push(statement);
    queue.attributes.policy = Some(policy.to_string().into());
    queue.modified = now;
    Ok(())
}

impl AddPermission {
    fn check(&self) -> Result<()> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if self.label.is_empty() || self.label.len() > MAX_LABEL || !self.label.chars().all(allowed) {
            let reason = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length.";
            return Err(invalid_value(&self.label, "Label", reason));
        }
        if self.actions.is_empty() {
            return Err(missing("Actions"));
        }
        if self.accounts.is_empty() {
            return Err(invalid_value("[]", "PrincipalId", "Unable to verify."));
        }
        if self.actions.len() > MAX_ACTIONS {
            return Err(Error::new(
                403,
                "OverLimit",
                format!("{} Actions were found, maximum allowed is {MAX_ACTIONS}.", self.actions.len()),
            ));
        }
        if let Some(action) = self.actions.iter().find(|action| !ACTIONS.contains(&action.as_str())) {
            let reason = "Only the queue owner is allowed to invoke this action.";
            return Err(invalid_value(format!("SQS:{action}"), "ActionName", reason));
        }
        let is_account = |id: &String| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit());
        match self.accounts.iter().find(|id| !is_account(id)) {
            Some(id) => Err(invalid_value(format!("[{id}]"), "PrincipalId", "Unable to verify.")),
            None => Ok(()),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RemovePermission {
    queue_url: String,
    label: String,
}

fn remove(cx: &mut Cx<Queues>, input: RemovePermission) -> Result<()> {
    let now = cx.now;
    let queue = find(cx, &input.queue_url)?;
    let mut policy = policy_of(queue)?;
    let statements = statements(&mut policy)?;
    let before = statements.len();
    statements.retain(|statement| statement["Sid"] != input.label);
    if statements.len() == before {
        return Err(invalid_value(&input.label, "Label", "can't find label."));
    }
    let is_empty = statements.is_empty();
    queue.attributes.policy = (!is_empty).then(|| policy.to_string().into());
    queue.modified = now;
    Ok(())
}

/// The queue's policy as it is, or an empty one of the kind that AWS makes.
fn policy_of(queue: &Queue) -> Result<Value> {
    match &queue.attributes.policy {
        Some(text) => serde_json::from_str(text).map_err(Error::internal),
        None => Ok(json!({
            "Version": "2008-10-17",
            "Id": format!("{}/SQSDefaultPolicy", queue.arn),
            "Statement": [],
        })),
    }
}

/// The statements of a policy; a single one that stands without a list gets one.
fn statements(policy: &mut Value) -> Result<&mut Vec<Value>> {
    let policy: &mut Map<String, Value> =
        policy.as_object_mut().ok_or_else(|| Error::internal("a queue's policy is no object"))?;
    let entry = policy.entry("Statement").or_insert_with(|| json!([]));
    if !entry.is_array() {
        *entry = json!([entry.take()]);
    }
    entry.as_array_mut().ok_or_else(|| Error::internal("a policy without statements"))
}

/// AWS writes a list of one as the one.
fn one_or_many(values: impl Iterator<Item = String>) -> Value {
    let mut values: Vec<Value> = values.map(Value::from).collect();
    match values.pop() {
        Some(only) if values.is_empty() => only,
        Some(last) => {
            values.push(last);
            Value::Array(values)
        }
        None => json!([]),
    }
}
