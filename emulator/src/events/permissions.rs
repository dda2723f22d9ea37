//! `PutPermission` and `RemovePermission`: the policy of a bus.
//! <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutPermission.html>

use serde::Deserialize;
use serde_json::{Value, json};

use super::bus::{self, Buses, arn_of, invalid, not_found};
use crate::cloud::{Cx, Service};
use crate::iam::policy::{Policy, Purpose};
use crate::{Error, Result};

/// The longest policy, in bytes.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html>
const POLICY_LIMIT: usize = 10_240;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Buses>) -> Service<Buses> {
    service.op("PutPermission", |at, i: &Put| bus::on(at, i.event_bus_name.as_deref()), put).op(
        "RemovePermission",
        |at, i: &Remove| bus::on(at, i.event_bus_name.as_deref()),
        remove,
    )
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Put {
    event_bus_name: Option<String>,
    action: Option<String>,
    principal: Option<String>,
    statement_id: Option<String>,
    condition: Option<Condition>,
    policy: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Condition {
    r#type: String,
    key: String,
    value: String,
}

fn put(cx: &mut Cx<Buses>, input: Put) -> Result<()> {
    let arn = arn_of(cx.scope, input.event_bus_name.as_deref());
    let text = match &input.policy {
        Some(policy) => {
            Policy::parse(policy, Purpose::Resource)
                .map_err(|error| invalid(format!("Parameter Policy is not valid. Reason: {}", error.message())))?;
            policy.clone()
        }
        None => {
            let mut policy = policy_of(bus::get(cx.state, &arn).unwrap_or_default().policy.as_deref())?;
            let statement = input.statement(&arn)?;
            let statements = statements(&mut policy)?;
            statements.retain(|other| other["Sid"] != statement["Sid"]);
            statements.push(statement);
            policy.to_string()
        }
    };
    if text.len() > POLICY_LIMIT {
        return Err(Error::client("PolicyLengthExceededException", "The policy exceeds its maximum size."));
    }
    bus::change(cx, &arn)?.policy = Some(text.into());
    Ok(())
}

impl Put {
    fn statement(&self, bus: &str) -> Result<Value> {
        let missing = |name: &str| invalid(format!("Parameter {name} must be specified."));
        let principal = match self.principal.as_deref().ok_or_else(|| missing("Principal"))? {
            "*" => json!("*"),
            account => json!({ "AWS": format!("arn:aws:iam::{account}:root") }),
        };
        let action = self.action.as_deref().ok_or_else(|| missing("Action"))?;
        if action != "events:PutEvents" {
            return Err(invalid("Provided value in parameter 'action' is not supported."));
        }
        let mut statement = json!({
            "Sid": self.statement_id.as_deref().ok_or_else(|| missing("StatementId"))?,
            "Effect": "Allow",
            "Principal": principal,
            "Action": action,
            "Resource": bus,
        });
        if let Some(Condition { r#type, key, value }) = &self.condition {
            statement["Condition"] = json!({ r#type: { key: value } });
        }
        Ok(statement)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Remove {
    event_bus_name: Option<String>,
    statement_id: Option<String>,
    #[serde(default)]
    remove_all_permissions: bool,
}

fn remove(cx: &mut Cx<Buses>, input: Remove) -> Result<()> {
    let arn = arn_of(cx.scope, input.event_bus_name.as_deref());
    let bus = bus::get(cx.state, &arn).ok_or_else(|| bus::missing(&arn))?;
    if input.remove_all_permissions {
        bus::change(cx, &arn)?.policy = None;
        return Ok(());
    }
    let Some(text) = bus.policy else { return Err(not_found("EventBus does not have a policy.".to_owned())) };
    let mut policy = policy_of(Some(&text))?;
    let left = statements(&mut policy)?;
    let before = left.len();
    left.retain(|statement| statement["Sid"].as_str() != input.statement_id.as_deref());
    if left.len() == before {
        return Err(not_found("Statement with the provided id does not exist.".to_owned()));
    }
    let is_empty = left.is_empty();
    bus::change(cx, &arn)?.policy = (!is_empty).then(|| policy.to_string().into());
    Ok(())
}

fn policy_of(text: Option<&str>) -> Result<Value> {
    match text {
        Some(text) => serde_json::from_str(text).map_err(Error::internal),
        None => Ok(json!({ "Version": "2012-10-17", "Statement": [] })),
    }
}

/// The statements of a policy; a single one that stands without a list gets one.
fn statements(policy: &mut Value) -> Result<&mut Vec<Value>> {
    let policy = policy.as_object_mut().ok_or_else(|| Error::internal("a bus's policy is no object"))?;
    let entry = policy.entry("Statement").or_insert_with(|| json!([]));
    if !entry.is_array() {
        *entry = json!([entry.take()]);
    }
    entry.as_array_mut().ok_or_else(|| Error::internal("a policy without statements"))
}
