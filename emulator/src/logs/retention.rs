//! Retention: `PutRetentionPolicy`, `DeleteRetentionPolicy`, and the timer that drops what has expired.

use serde::Deserialize;

use super::groups::Named;
use super::names::invalid;
use super::store::LogGroups;
use crate::cloud::Cx;
use crate::{Result, Timestamp};

/// The periods that may be set, in days.
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html>
const DAYS: [u32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];
/// The event that drops expired log events; its key is the group's name.
pub(super) const EXPIRE: &str = "Expire";
/// Expired events are never answered with, but they are dropped once an hour at most, so that a busy group does not
/// have a timer for each event. AWS drops them within 72 hours.
const GRAIN: i64 = 3_600_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PutRetentionPolicy {
    pub log_group_name: String,
    retention_in_days: u32,
}

pub(super) fn put(cx: &mut Cx<LogGroups>, input: PutRetentionPolicy) -> Result<()> {
    let group = cx.state.group_mut(&input.log_group_name)?;
    if !DAYS.contains(&input.retention_in_days) {
        return Err(invalid(format!(
            "1 validation error detected: Value '{}' at 'retentionInDays' failed to satisfy constraint: Member must satisfy \
             enum value set: {DAYS:?}",
            input.retention_in_days
        )));
    }
    group.retention_days = Some(input.retention_in_days);
    schedule(cx, &input.log_group_name);
    Ok(())
}

pub(super) fn delete(cx: &mut Cx<LogGroups>, input: Named) -> Result<()> {
    cx.state.group_mut(&input.log_group_name)?.retention_days = None;
    cx.cancel_timer(EXPIRE, input.log_group_name);
    Ok(())
}

/// Sets the timer for the group's oldest event.
pub(super) fn schedule(cx: &mut Cx<LogGroups>, name: &str) {
    let Some(due) = cx.state.groups.get(name).and_then(|group| group.next_expiry()) else { return };
    // Strictly after the event has expired, and after now, where a shorter retention was set on old events.
    let grain = due.max(cx.now).millis().div_euclid(GRAIN) + 1;
    cx.set_timer(EXPIRE, name, Timestamp::from_millis(grain.saturating_mul(GRAIN)));
}

pub(super) fn expire(cx: &mut Cx<LogGroups>, name: &str) -> Result<()> {
    let now = cx.now;
    if let Some(group) = cx.state.groups.get_mut(name) {
        group.expire(now);
        schedule(cx, name);
    }
    Ok(())
}
