//! `AddPermission` and `RemovePermission`: statements of the topic's policy by label.
//! <https://docs.aws.amazon.com/sns/latest/api/API_AddPermission.html>

use serde::Deserialize;
use serde_json::{Value, json};

use super::errors::invalid;
use super::topic::{Topic, Topics, find, on};
use crate::cloud::{Cx, Service};
use crate::{Error, Result};

/// What may be allowed in this way.
const ACTIONS: [&str; 8] = [
    "AddPermission",
    "DeleteTopic",
    "GetTopicAttributes",
    "ListSubscriptionsByTopic",
    "Publish",
    "RemovePermission",
    "SetTopicAttributes",
    "Subscribe",
];

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Topics>) -> Service<Topics> {
    service.op("AddPermission", |at, i: &AddPermission| on(at, &i.topic_arn), add).op(
        "RemovePermission",
        |at, i: &RemovePermission| on(at, &i.topic_arn),
        remove,
    )
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AddPermission {
    topic_arn: String,
    label: String,
    #[serde(rename = "AWSAccountId")]
    accounts: Vec<String>,
    #[serde(rename = "ActionName")]
    actions: Vec<String>,
}

fn add(cx: &mut Cx<Topics>, input: AddPermission) -> Result<()> {
    let topic = find(cx, &input.topic_arn)?;
    let mut policy = policy_of(topic)?;
    let statements = statements(&mut policy)?;
    if statements.iter().any(|statement| statement["Sid"] == input.label) {
        return Err(invalid("Statement already exists"));
    }
    if input.actions.iter().any(|action| !ACTIONS.contains(&action.as_str())) {
        return Err(invalid("Policy statement action out of service scope!"));
    }
    let principals = input.accounts.iter().map(|account| format!("arn:aws:iam::{account}:root"));
    let actions = input.actions.iter().map(|action| format!("SNS:{action}"));
    statements.push(json!({
        "Sid": input.label,
        "Effect": "Allow",
        "Principal": { "AWS": one_or_many(principals) },
        "Action": one_or_many(actions),
        "Resource": input.topic_arn,
    }));
    topic.policy = policy.to_string().into();
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RemovePermission {
    topic_arn: String,
    label: String,
}

fn remove(cx: &mut Cx<Topics>, input: RemovePermission) -> Result<()> {
    let topic = find(cx, &input.topic_arn)?;
    let mut policy = policy_of(topic)?;
    statements(&mut policy)?.retain(|statement| statement["Sid"] != input.label);
    topic.policy = policy.to_string().into();
    Ok(())
}

fn policy_of(topic: &Topic) -> Result<Value> {
    serde_json::from_str(&topic.policy).map_err(Error::internal)
}

/// The statements of a policy; a single one that stands without a list gets one.
fn statements(policy: &mut Value) -> Result<&mut Vec<Value>> {
    let policy = policy.as_object_mut().ok_or_else(|| Error::internal("a topic's policy is no object"))?;
    let entry = policy.entry("Statement").or_insert_with(|| json!([]));
    if !entry.is_array() {
        *entry = json!([entry.take()]);
    }
    entry.as_array_mut().ok_or_else(|| Error::internal("a policy without statements"))
}

/// AWS writes a list of one as the one.
fn one_or_many(values: impl Iterator<Item = String>) -> Value {
    let mut values: Vec<Value> = values.map(Value::from).collect();
    if values.len() == 1 { values.remove(0) } else { Value::Array(values) }
}
