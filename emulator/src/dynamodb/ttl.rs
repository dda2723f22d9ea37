//! Time to live: which attribute says when items expire, and their expiry.
//!
//! AWS deletes expired items within a few days; here they go at their second, in the order of their times.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html>

use std::sync::Arc;

use dynamodb_expressions::Number;
use serde::{Deserialize, Serialize};

use super::errors::validation;
use super::write::{Writer, commit};
use super::{Tables, target};
use crate::cloud::{Cx, Service};
use crate::{Result, Timestamp};

/// The event that deletes what has expired.
const EXPIRE: &str = "Expire";
/// At most so many items expire in one step; what is left goes in the next one, at the same time.
const BATCH: usize = 500;
/// What should have expired so long ago stays: such a number is probably no time at all.
const TOO_OLD: i64 = 5 * 365 * 86_400;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Tables>) -> Service<Tables> {
    service
        .op("UpdateTimeToLive", |at, i: &UpdateTimeToLive| target::table(at, &i.table_name), update)
        .op("DescribeTimeToLive", |at, i: &DescribeTimeToLive| target::table(at, &i.table_name), describe)
        .event(EXPIRE, expire)
}

/// The setting of a table.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Setting {
    attribute: Option<Arc<str>>,
}

impl Setting {
    /// The attribute that says when items expire, if they do.
    pub fn attribute(&self) -> Option<&str> {
        self.attribute.as_deref()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateTimeToLive {
    table_name: String,
    time_to_live_specification: Specification,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Specification {
    enabled: bool,
    attribute_name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateOutput {
    time_to_live_specification: Specification,
}

fn update(cx: &mut Cx<Tables>, input: UpdateTimeToLive) -> Result<UpdateOutput> {
    let Specification { enabled, attribute_name } = &input.time_to_live_specification;
    let table = cx.state.known_mut(&input.table_name)?;
    match table.definition.ttl.attribute() {
        Some(_) if *enabled => return Err(validation("TimeToLive is already enabled")),
        None if !enabled => return Err(validation("TimeToLive is already disabled")),
        Some(current) if current != attribute_name => {
            return Err(validation(format!(
                "TimeToLive is active on a different AttributeName: current AttributeName is {current}"
            )));
        }
        _ => {}
    }
    table.definition.ttl.attribute = enabled.then(|| Arc::from(attribute_name.as_str()));
    table.schedule_expiry();
    let (name, next) = (table.definition.name.clone(), table.expiry.get_min().map(|(at, _)| *at));
    set_timer(cx, &name, next);
    Ok(UpdateOutput { time_to_live_specification: input.time_to_live_specification })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DescribeTimeToLive {
    table_name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DescribeOutput {
    time_to_live_description: Description,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Description {
    time_to_live_status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    attribute_name: Option<Arc<str>>,
}

fn describe(cx: &mut Cx<Tables>, input: DescribeTimeToLive) -> Result<DescribeOutput> {
    let attribute_name = cx.state.known(&input.table_name)?.definition.ttl.attribute.clone();
    let time_to_live_status = if attribute_name.is_some() { "ENABLED" } else { "DISABLED" };
    Ok(DescribeOutput { time_to_live_description: Description { time_to_live_status, attribute_name } })
}

/// The second that a number names. A fraction of a second does not count.
pub(super) fn seconds(number: Number) -> Option<i64> {
    number.to_i64()
}

/// Has a table's items expire from `next` on, the earliest time that any of them names.
pub(super) fn set_timer<S>(cx: &mut Cx<S>, table: &str, next: Option<i64>) {
    let name = target::table_name(table);
    match next {
        Some(next) => cx.set_timer(EXPIRE, name, Timestamp::from_secs(next).max(cx.now)),
        None => cx.cancel_timer(EXPIRE, name),
    }
}

fn expire(cx: &mut Cx<Tables>, name: &str) -> Result<()> {
    // The table may have been deleted meanwhile.
    let Ok(table) = cx.state.table_mut(name) else { return Ok(()) };
    let now = cx.now.secs();
    let mut due = Vec::new();
    while let Some((at, place)) = table.expiry.get_min().filter(|(at, _)| *at <= now && due.len() < BATCH).cloned() {
        table.expiry.remove(&(at, place.clone()));
        if at > now - TOO_OLD {
            due.push(place);
        }
    }
    for place in due {
        commit(cx, name, &place, None, Writer::Expiry)?;
    }
    let next = cx.state.table(name)?.expiry.get_min().map(|(at, _)| *at);
    set_timer(cx, name, next);
    Ok(())
}
