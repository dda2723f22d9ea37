//! Policies of tables and streams: kept here, handed to IAM with every target.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/access-control-resource-based.html>

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Tables, errors, target};
use crate::cloud::{At, Cx, Service, Target};
use crate::iam::policy::Policy;
use crate::{Error, Result};

/// A policy has at most so many bytes.
const MAX_SIZE: usize = 20 * 1024;
/// The revision that stands for there being no policy yet.
const NO_POLICY: &str = "NO_POLICY";

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Tables>) -> Service<Tables> {
    service
        .op("PutResourcePolicy", |at, i: &PutPolicy| on(at, &i.resource_arn), put)
        .op("GetResourcePolicy", |at, i: &OfResource| on(at, &i.resource_arn), get)
        .op("DeleteResourcePolicy", |at, i: &DeletePolicy| on(at, &i.resource_arn), delete)
}

fn on(at: &At<Tables>, arn: &str) -> Target {
    Target::on(arn).policy(target::table(at, arn).policy)
}

/// A policy as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Stored {
    pub text: Arc<str>,
    revision: String,
}

/// Reads the policy of a request.
pub(super) fn read(cx: &mut Cx<Tables>, text: &str) -> Result<Stored> {
    if text.len() > MAX_SIZE {
        return Err(errors::validation(format!("Resource policy is larger than the limit of {MAX_SIZE} bytes")));
    }
    Policy::read(text).map_err(|_| errors::validation("The provided policy document is malformed or invalid."))?;
    Ok(Stored { text: text.into(), revision: cx.now.millis().to_string() })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutPolicy {
    resource_arn: String,
    policy: String,
    expected_revision_id: Option<String>,
    // Only its sender could be locked out, and the account's root user never is.
    #[serde(rename = "ConfirmRemoveSelfResourceAccess")]
    _confirm: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RevisionOutput {
    #[serde(skip_serializing_if = "Option::is_none")]
    revision_id: Option<String>,
}

fn put(cx: &mut Cx<Tables>, input: PutPolicy) -> Result<RevisionOutput> {
    let current = policy_of(cx, &input.resource_arn)?.clone();
    check_revision(input.expected_revision_id.as_deref(), current.as_ref(), &input.resource_arn)?;
    let before = current.as_ref().map(|current| current.revision.clone());
    // The same policy again is no change.
    if let Some(current) = current.filter(|current| *current.text == *input.policy) {
        return Ok(RevisionOutput { revision_id: Some(current.revision) });
    }
    let mut stored = read(cx, &input.policy)?;
    // A revision is a number greater than those before it.
    let number = |revision: &str| revision.parse::<i64>().unwrap_or_default();
    if let Some(before) = before.filter(|before| number(before) >= number(&stored.revision)) {
        stored.revision = (number(&before) + 1).to_string();
    }
    let revision_id = Some(stored.revision.clone());
    *policy_of(cx, &input.resource_arn)? = Some(stored);
    Ok(RevisionOutput { revision_id })
}

/// A request may say which revision it means to replace.
fn check_revision(expected: Option<&str>, current: Option<&Stored>, arn: &str) -> Result<()> {
    let table = target::table_name(arn);
    let detail = match (expected, current) {
        (None, _) => return Ok(()),
        (Some(NO_POLICY), None) => return Ok(()),
        (Some(expected), Some(current)) if expected == current.revision => return Ok(()),
        (Some(NO_POLICY), Some(Stored { revision, .. })) => format!(
            "Requested policy update expecting none to be present for table {table}, but a policy exists with revision id \
             {revision}."
        ),
        (Some(expected), Some(Stored { revision, .. })) => format!(
            "Requested update for policy with revision id {expected}, but the policy associated to target table {table} has \
             revision id {revision}."
        ),
        (Some(expected), None) => format!(
            "Requested update for policy with revision id {expected}, but no policy is associated to target table {table}."
        ),
    };
    let message = format!("Resource-based policy not found for the provided ResourceArn: {detail}");
    Err(Error::client("PolicyNotFoundException", message))
}

fn policy_of<'a>(cx: &'a mut Cx<'_, Tables>, arn: &str) -> Result<&'a mut Option<Stored>> {
    if arn.contains("/stream/") {
        return Err(Error::not_implemented("the policies of streams"));
    }
    let missing = || {
        let name = target::table_name(arn);
        Error::client("ResourceNotFoundException", format!("Requested resource not found: Table: {name} not found"))
    };
    cx.state.table_mut(arn).map(|table| &mut table.definition.policy).map_err(|_| missing())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfResource {
    resource_arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyOutput {
    policy: String,
    revision_id: String,
}

fn get(cx: &mut Cx<Tables>, input: OfResource) -> Result<PolicyOutput> {
    let arn = &input.resource_arn;
    match policy_of(cx, arn)? {
        Some(policy) => Ok(PolicyOutput { policy: policy.text.to_string(), revision_id: policy.revision.clone() }),
        None => {
            let message = format!("Resource-based policy not found for the provided ResourceArn: {arn}");
            Err(Error::client("PolicyNotFoundException", message))
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeletePolicy {
    resource_arn: String,
    expected_revision_id: Option<String>,
}

fn delete(cx: &mut Cx<Tables>, input: DeletePolicy) -> Result<RevisionOutput> {
    let policy = policy_of(cx, &input.resource_arn)?;
    check_revision(input.expected_revision_id.as_deref(), policy.as_ref(), &input.resource_arn)?;
    let revision = policy.take().map(|policy| policy.revision);
    Ok(RevisionOutput { revision_id: revision })
}
