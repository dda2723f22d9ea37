//! The one way in which items change: table, indexes, expiry and stream follow each other in one step.

use std::sync::Arc;

use dynamodb_expressions::Condition;

use super::capacity::Consumed;
use super::place::Place;
use super::streams::{self, Change};
use super::table::Stored;
use super::{Tables, errors, kinesis, ttl};
use crate::Result;
use crate::cloud::Cx;

/// An item has at most so many bytes.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-items>
pub(super) const MAX_ITEM_SIZE: usize = 400 * 1024;

/// Who writes: records of expiry say that it was DynamoDB itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writer {
    Caller,
    Expiry,
}

/// What a write did.
pub(super) struct Written {
    pub old: Option<Arc<Stored>>,
    pub consumed: Consumed,
}

/// Writes an item, or deletes it. All checks have been made.
pub(super) fn commit(
    cx: &mut Cx<Tables>,
    name: &str,
    place: &Place,
    new: Option<&Arc<Stored>>,
    writer: Writer,
) -> Result<Written> {
    let table = cx.state.table_mut(name)?;
    let first_expiry = table.expiry.get_min().map(|(at, _)| *at);
    let (old, indexes) = table.put(place, new);
    let next_expiry = table.expiry.get_min().map(|(at, _)| *at);
    let stream = table.definition.stream.clone().filter(|_| table.definition.settings.stream.is_some());
    let is_watched = stream.is_some() || !table.definition.destinations.is_empty();
    if is_watched && old.as_ref().map(|old| &old.item) != new.map(|new| &new.item) {
        let keys = old.as_ref().or(new).map(|stored| table.definition.key.key_of(&stored.item)).unwrap_or_default();
        let change = Change { keys, old: old.clone(), new: new.cloned(), writer };
        let (table, destinations) = (table.definition.name.clone(), table.definition.destinations.clone());
        kinesis::send(cx, &table, &destinations, &change);
        if let Some(arn) = stream {
            streams::record(cx, &arn, change);
        }
    }
    if first_expiry != next_expiry {
        ttl::set_timer(cx, name, next_expiry);
    }
    let size = |stored: Option<&Arc<Stored>>| stored.map(|stored| stored.size);
    let consumed = Consumed::write(size(old.as_ref()), size(new), &indexes);
    Ok(Written { old, consumed })
}

/// Refuses a write whose condition does not hold; with the item, if `ReturnValuesOnConditionCheckFailure` says so.
pub(super) fn check(condition: Option<&Condition>, old: Option<&Stored>, return_values: Option<&str>) -> Result<()> {
    let empty = dynamodb_expressions::Item::new();
    match condition {
        Some(condition) if !condition.holds(old.map_or(&empty, |old| &old.item)) => {
            let item = old.filter(|_| return_values == Some("ALL_OLD")).map(|old| &old.item);
            Err(errors::condition_failed(item))
        }
        _ => Ok(()),
    }
}
