//! `SetAlarmState`, `EnableAlarmActions`, `DisableAlarmActions`, `DeleteAlarms`.

use serde::Deserialize;
use serde_json::{Value, json};

use super::alarm::State;
use super::composite;
use super::history::{self, Item};
use super::watch::{LOOK, change};
use super::{arn, on};
use crate::cloud::{At, Cx, Service, Target};
use crate::cloudwatch::{Empty, Metrics, validation};
use crate::{Error, Result};

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Metrics>) -> Service<Metrics> {
    service
        .op("SetAlarmState", |at, i: &SetState| on(at, &i.alarm_name), set_state)
        .op("EnableAlarmActions", on_first, |cx, input| enable(cx, input, true))
        .op("DisableAlarmActions", on_first, |cx, input| enable(cx, input, false))
        .op("DeleteAlarms", on_first, delete)
}

fn on_first(at: &At<Metrics>, input: &Named) -> Target {
    input.alarm_names.first().map_or_else(Target::any, |name| on(at, name))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SetState {
    alarm_name: String,
    state_value: State,
    state_reason: String,
    state_reason_data: Option<String>,
}

/// Until the next look: then the data decides again.
fn set_state(cx: &mut Cx<Metrics>, input: SetState) -> Result<Empty> {
    if !cx.state.alarms.contains_key(&input.alarm_name) {
        return Err(Error::new(404, "ResourceNotFound", ""));
    }
    if let Some(data) = &input.state_reason_data
        && serde_json::from_str::<Value>(data).is_err()
    {
        return Err(Error::client("InvalidFormat", "StateReasonData must be a JSON document."));
    }
    change(cx, &input.alarm_name, input.state_value, input.state_reason, input.state_reason_data)?;
    Ok(Empty {})
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    alarm_names: Vec<String>,
}

/// Names of no alarm are passed over, as at AWS.
fn enable(cx: &mut Cx<Metrics>, input: Named, enabled: bool) -> Result<Empty> {
    for name in &input.alarm_names {
        if let Some(alarm) = cx.state.alarms.get_mut(name) {
            alarm.settings.actions_enabled = enabled;
        }
    }
    Ok(Empty {})
}

fn delete(cx: &mut Cx<Metrics>, input: Named) -> Result<Empty> {
    let now = cx.now;
    check_delete(cx.state, &input.alarm_names)?;
    for name in &input.alarm_names {
        let Some(alarm) = cx.state.alarms.get(name).cloned() else { continue };
        let data = json!({ "version": "1.0", "type": "Delete", "alarmArn": arn(cx.scope, name) });
        let summary = format!("Alarm \"{name}\" deleted");
        history::add(cx, Item::new(name, "ConfigurationUpdate", summary, data, now));
        composite::forget(cx.state, &alarm);
        cx.state.alarms.remove(name);
        cx.cancel_timer(LOOK, name.as_str());
    }
    Ok(Empty {})
}

/// Nothing is deleted that a composite alarm refers to which stays, and one composite alarm at a time.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DeleteAlarms.html>
fn check_delete(state: &Metrics, names: &[String]) -> Result<()> {
    let is_composite = |name: &&String| state.alarms.get(*name).is_some_and(|alarm| alarm.settings.is_composite());
    if names.iter().filter(is_composite).count() > 1 {
        return Err(validation("DeleteAlarms can delete at most one composite alarm"));
    }
    let is_needed = |name: &&String| composite::parents(state, name).any(|parent| !names.contains(parent));
    let needed: Vec<&str> = names.iter().filter(is_needed).map(String::as_str).collect();
    if needed.is_empty() {
        return Ok(());
    }
    let them = if needed.len() == 1 { "it" } else { "them" };
    let needed = needed.join(",");
    Err(validation(format!("Cannot delete {needed} as there are composite alarm(s) depending on {them}.")))
}
