//! DynamoDB Streams: what changed in a table, in order, for a day.
//!
//! A stream is one shard, for a table here never needs a second one. It outlives its table, and the day on which it was
//! disabled. <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html>

mod iterator;
mod read;

use std::sync::Arc;
use std::time::Duration;

use dynamodb_expressions::{Item, item_size};
use imbl::Vector;
use serde::{Deserialize, Serialize};

use super::Tables;
use super::definition::KeySchemaElement;
use super::table::{Stored, Table};
use super::write::Writer;
use crate::Timestamp;
use crate::cloud::{Cx, Service};

/// Records are kept for so long.
const RETENTION: Duration = Duration::from_secs(24 * 3600);
/// A stream keeps at most so many records; AWS has no such limit, but time there moves on by itself. Who reads what was
/// dropped learns of it by a `TrimmedDataAccessException`.
const MAX_RECORDS: usize = 1_000_000;
/// The first record's sequence number, less one: AWS's have 21 digits at least.
const SEQUENCE_BASE: u128 = 100_000_000_000_000_000_000;
/// The event that drops a stream a day after it was disabled.
const DROP: &str = "DropStream";

/// Adds the operations of DynamoDB Streams.
pub(super) fn operations(service: Service<Tables>) -> Service<Tables> {
    service.with(read::operations).event(DROP, |cx, arn| {
        cx.state.streams.remove(arn);
        Ok(())
    })
}

/// A stream.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Stream {
    pub arn: Arc<str>,
    /// When it was made, as a text: the end of its ARN.
    pub label: String,
    pub table: Arc<str>,
    pub view: String,
    pub created: Timestamp,
    pub disabled: Option<Timestamp>,
    pub key_schema: Vec<KeySchemaElement>,
    pub shard: String,
    /// The number of the next record, counted from 1.
    pub next: u64,
    pub records: Vector<Arc<Record>>,
}

/// A change of one item.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Record {
    pub number: u64,
    pub event_id: String,
    pub at: Timestamp,
    pub keys: Item,
    pub old: Option<Arc<Stored>>,
    pub new: Option<Arc<Stored>>,
    /// Whether the item expired.
    pub expired: bool,
}

/// A change that a stream is to hold.
pub(super) struct Change {
    pub keys: Item,
    pub old: Option<Arc<Stored>>,
    pub new: Option<Arc<Stored>>,
    pub writer: Writer,
}

impl Stream {
    /// The number of the oldest record that is kept, or of the next one.
    pub fn first(&self) -> u64 {
        self.records.front().map_or(self.next, |record| record.number)
    }

    /// Forgets what is older than a day.
    pub fn trim(&mut self, now: Timestamp) {
        while self.records.front().is_some_and(|record| record.at + RETENTION <= now)
            || self.records.len() > MAX_RECORDS
        {
            self.records.pop_front();
        }
    }
}

/// A record's sequence number on the wire.
pub(super) fn sequence(number: u64) -> String {
    (SEQUENCE_BASE + u128::from(number)).to_string()
}

/// The number of the record that a sequence number names.
fn number(sequence: &str) -> Option<u64> {
    sequence.parse::<u128>().ok()?.checked_sub(SEQUENCE_BASE)?.try_into().ok()
}

/// Starts a stream of a table; its ARN.
pub(super) fn start(cx: &mut Cx<Tables>, table: &Table, view: &str) -> Arc<str> {
    let label = cx.now.to_iso_millis().trim_end_matches('Z').to_owned();
    let arn: Arc<str> = format!("{}/stream/{label}", table.definition.arn).into();
    let shard = format!("shardId-{:020}-{}", cx.now.millis(), cx.ids().hex(8));
    let stream = Stream {
        arn: arn.clone(),
        label,
        table: table.definition.name.clone(),
        view: view.to_owned(),
        created: cx.now,
        disabled: None,
        key_schema: Table::key_schema(&table.definition.key),
        shard,
        next: 1,
        records: Vector::new(),
    };
    cx.cancel_timer(DROP, arn.clone());
    cx.state.streams.insert(arn.clone(), stream);
    arn
}

/// Ends a stream. It can be read for another day.
pub(super) fn stop(cx: &mut Cx<Tables>, arn: &Arc<str>) {
    let now = cx.now;
    if let Some(stream) = cx.state.streams.get_mut(arn) {
        stream.disabled = Some(now);
        cx.set_timer(DROP, arn.clone(), now + RETENTION);
        cx.signal(signal(arn));
    }
}

/// The signal that wakes those who wait for records.
fn signal(arn: &str) -> String {
    format!("dynamodb/stream/{arn}")
}

/// Adds a record.
pub(super) fn record(cx: &mut Cx<Tables>, arn: &Arc<str>, change: Change) {
    let (now, event_id) = (cx.now, cx.ids().hex(32));
    let Some(stream) = cx.state.streams.get_mut(arn) else { return };
    let Change { keys, old, new, writer } = change;
    let number = stream.next;
    stream.next += 1;
    let expired = writer == Writer::Expiry;
    stream.records.push_back(Arc::new(Record { number, event_id, at: now, keys, old, new, expired }));
    stream.trim(now);
    cx.signal(signal(arn));
}

impl Record {
    /// What happened to the item.
    fn name(&self) -> &'static str {
        match (&self.old, &self.new) {
            (None, _) => "INSERT",
            (Some(_), Some(_)) => "MODIFY",
            (Some(_), None) => "REMOVE",
        }
    }

    fn new_image(&self, view: &str) -> Option<&Item> {
        let wanted = matches!(view, "NEW_IMAGE" | "NEW_AND_OLD_IMAGES");
        self.new.as_ref().filter(|_| wanted).map(|stored| &stored.item)
    }

    fn old_image(&self, view: &str) -> Option<&Item> {
        let wanted = matches!(view, "OLD_IMAGE" | "NEW_AND_OLD_IMAGES");
        self.old.as_ref().filter(|_| wanted).map(|stored| &stored.item)
    }

    /// The bytes of the record.
    fn size(&self, view: &str) -> usize {
        let images = self.new_image(view).into_iter().chain(self.old_image(view));
        item_size(&self.keys) + images.map(item_size).sum::<usize>()
    }
}
