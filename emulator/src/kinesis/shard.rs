//! Shards: the records of a stretch of hash keys, in order.

use std::sync::Arc;
use std::time::Duration;

use imbl::Vector;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Timestamp;

/// A shard keeps at most so many records; AWS has no such limit, but time there moves on by itself.
const MAX_RECORDS: usize = 1_000_000;
/// What all sequence numbers begin with; 53 digits follow.
const SEQUENCE_HEAD: &str = "496";

/// A shard.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Shard {
    /// The first and the last hash key, as texts: JSON's numbers are too small for them.
    pub first: String,
    pub last: String,
    pub records: Vector<Arc<Record>>,
}

/// A record.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Record {
    /// Records are counted from 1 in the whole stream.
    pub number: u64,
    pub at: Timestamp,
    pub partition_key: String,
    /// In base64.
    pub data: Arc<str>,
}

impl Shard {
    /// So many shards, which share all hash keys evenly.
    pub fn even(count: u32) -> Vec<Self> {
        let count = u128::from(count.max(1));
        // 2¹²⁸ divided by the number of shards, without the one number that has no room.
        let width = u128::MAX / count + u128::from(count > 1 && u128::MAX % count == count - 1);
        let first = |place: u128| width * place;
        (0..count)
            .map(|place| {
                let last = if place + 1 == count { u128::MAX } else { first(place + 1) - 1 };
                Self { first: first(place).to_string(), last: last.to_string(), records: Vector::new() }
            })
            .collect()
    }

    /// The shard that a hash key belongs to.
    pub fn of(shards: &[Self], hash: u128) -> usize {
        let starts_at = |shard: &Self| shard.first.parse::<u128>().unwrap_or_default();
        shards.partition_point(|shard| starts_at(shard) <= hash).saturating_sub(1)
    }

    /// Forgets what is older than the stream keeps.
    pub fn trim(&mut self, retention: Duration, now: Timestamp) {
        let is_old = |record: &Arc<Record>| record.at + retention <= now;
        while self.records.front().is_some_and(is_old) || self.records.len() > MAX_RECORDS {
            self.records.pop_front();
        }
    }

    /// The shard as answers show it.
    pub fn shown(&self, place: usize) -> Value {
        json!({
            "ShardId": id(place),
            "HashKeyRange": { "StartingHashKey": self.first, "EndingHashKey": self.last },
            "SequenceNumberRange": { "StartingSequenceNumber": sequence(0) },
        })
    }
}

/// The id of the shard at a place.
pub(super) fn id(place: usize) -> String {
    format!("shardId-{place:012}")
}

/// The place of the shard of this id.
pub(super) fn place(id: &str) -> Option<usize> {
    id.strip_prefix("shardId-").filter(|digits| digits.len() == 12)?.parse().ok()
}

/// The hash key of a partition key.
pub(super) fn hash(partition_key: &str) -> u128 {
    u128::from_be_bytes(md5_many::md5(partition_key.as_bytes()))
}

/// A record's sequence number on the wire.
pub(super) fn sequence(number: u64) -> String {
    format!("{SEQUENCE_HEAD}{number:053}")
}

/// The number of the record that a sequence number names.
pub(super) fn number(sequence: &str) -> Option<u64> {
    sequence.strip_prefix(SEQUENCE_HEAD).filter(|digits| digits.len() == 53)?.parse().ok()
}
