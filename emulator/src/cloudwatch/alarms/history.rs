//! `DescribeAlarmHistory`, and what it tells.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarmHistory.html>

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::alarm::Alarm;
use super::on;
use crate::cloud::{At, Cx, Service, Target};
use crate::cloudwatch::{Metrics, read_place};
use crate::token;
use crate::{Result, Timestamp};

/// The history of an alarm is kept for so long, and no more than so many items of all: the number is ours.
const KEPT: Duration = Duration::from_secs(30 * 86_400);
const MAX_ITEMS: usize = 10_000;
/// A page holds so many.
const PAGE: usize = 100;

/// Adds the operation of this file.
pub(super) fn operations(service: Service<Metrics>) -> Service<Metrics> {
    service.op("DescribeAlarmHistory", on_alarm, describe)
}

fn on_alarm(at: &At<Metrics>, input: &Describe) -> Target {
    input.alarm_name.as_ref().map_or_else(Target::any, |name| on(at, name))
}

/// `AlarmHistoryItem` of the API.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::cloudwatch) struct Item {
    alarm_name: String,
    alarm_type: String,
    timestamp: Timestamp,
    history_item_type: String,
    history_summary: String,
    /// A JSON document.
    history_data: String,
}

impl Item {
    pub fn new(alarm: &str, kind: &str, summary: String, data: Value, at: Timestamp) -> Self {
        Self {
            alarm_name: alarm.to_owned(),
            alarm_type: "MetricAlarm".to_owned(),
            timestamp: at,
            history_item_type: kind.to_owned(),
            history_summary: summary,
            history_data: data.to_string(),
        }
    }
}

/// Notes something of an alarm that there is, and forgets what is too old.
pub(super) fn add(cx: &mut Cx<Metrics>, mut item: Item) {
    if cx.state.alarms.get(&item.alarm_name).is_some_and(|alarm| alarm.settings.is_composite()) {
        item.alarm_type = "CompositeAlarm".to_owned();
    }
    let oldest = cx.now - KEPT;
    let history = &mut cx.state.history;
    history.push_back(item);
    while history.len() > MAX_ITEMS || history.front().is_some_and(|item| item.timestamp < oldest) {
        history.pop_front();
    }
}

/// A change of state, as the history has it.
pub(super) fn states(old: &Alarm, new: &Alarm) -> Value {
    json!({ "version": "1.0", "oldState": state(old), "newState": state(new) })
}

fn state(alarm: &Alarm) -> Value {
    let mut state = json!({ "stateValue": alarm.state, "stateReason": alarm.reason });
    if let Some(data) = alarm.reason_data.as_deref().and_then(|data| serde_json::from_str::<Value>(data).ok()) {
        state["stateReasonData"] = data;
    }
    state
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Describe {
    alarm_name: Option<String>,
    alarm_types: Option<Vec<String>>,
    history_item_type: Option<String>,
    start_date: Option<Timestamp>,
    end_date: Option<Timestamp>,
    max_records: Option<usize>,
    next_token: Option<String>,
    scan_by: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    alarm_history_items: Vec<Item>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

fn describe(cx: &mut Cx<Metrics>, input: Describe) -> Result<Described> {
    let skip: usize = input.next_token.as_deref().map_or(Ok(0), read_place)?;
    let size = input.max_records.unwrap_or(PAGE).min(PAGE);
    let wanted = |item: &&Item| {
        input.alarm_name.as_ref().is_none_or(|name| *name == item.alarm_name)
            && input.alarm_types.as_ref().is_none_or(|types| types.is_empty() || types.contains(&item.alarm_type))
            && input.history_item_type.as_ref().is_none_or(|kind| *kind == item.history_item_type)
            && input.start_date.is_none_or(|start| item.timestamp >= start)
            && input.end_date.is_none_or(|end| item.timestamp <= end)
    };
    let ascending = input.scan_by.as_deref() == Some("TimestampAscending");
    let mut all: Vec<&Item> = cx.state.history.iter().filter(wanted).collect();
    if !ascending {
        all.reverse();
    }
    let more = all.len() > skip.saturating_add(size);
    let next_token = more.then(|| token::of(&(skip + size))).transpose()?;
    let alarm_history_items = all.into_iter().skip(skip).take(size).cloned().collect();
    Ok(Described { alarm_history_items, next_token })
}
