//! `GetShardIterator` and `GetRecords`.
//!
//! <https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html>

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::iterator::Iterator;
use super::shard::{self, Record, Shard};
use super::{Streams, find, find_mut, invalid, named, on};
use crate::cloud::{Cx, Service};
use crate::{Error, Result, Timestamp};

/// `GetRecords` answers at most so many records.
const MAX_RECORDS: usize = 10_000;
/// `GetRecords` answers at most so many bytes, but one record at least.
const MAX_BYTES: usize = 10 << 20;

named! { GetShardIterator }

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Streams>) -> Service<Streams> {
    service.op("GetShardIterator", |at, i: &GetShardIterator| on(at, i.name()), iterator).op(
        "GetRecords",
        |at, i: &GetRecords| on(at, &Iterator::stream(&i.shard_iterator).unwrap_or_default()),
        records,
    )
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetShardIterator {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    shard_id: String,
    shard_iterator_type: String,
    starting_sequence_number: Option<String>,
    timestamp: Option<Timestamp>,
}

impl GetShardIterator {
    /// The number of the record that the request names.
    fn number(&self) -> Result<u64> {
        let kind = &self.shard_iterator_type;
        let sequence = self.starting_sequence_number.as_deref().ok_or_else(|| {
            invalid(format!("Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and \
                             StartingSequenceNumber or (2) TRIM_HORIZON or LATEST and no StartingSequenceNumber. Request \
                             specified {kind} and no StartingSequenceNumber."))
        })?;
        shard::number(sequence).ok_or_else(|| {
            invalid(format!(
                "StartingSequenceNumber {sequence} used in GetShardIterator on shard {} in stream {} is invalid.",
                self.shard_id,
                self.name()
            ))
        })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct IteratorOutput {
    shard_iterator: String,
}

fn iterator(cx: &mut Cx<Streams>, input: GetShardIterator) -> Result<IteratorOutput> {
    let stream = find(cx, input.name())?;
    let found = shard::place(&input.shard_id).and_then(|place| Some((place, stream.shards.get(place)?)));
    let (place, shard) = found.ok_or_else(|| {
        let (id, name, account) = (&input.shard_id, &stream.name, &cx.scope.account);
        let message = format!("Shard {id} in stream {name} under account {account} does not exist");
        Error::client("ResourceNotFoundException", message)
    })?;
    let position = match input.shard_iterator_type.as_str() {
        "AT_SEQUENCE_NUMBER" => input.number()?,
        "AFTER_SEQUENCE_NUMBER" => input.number()?.saturating_add(1),
        "AT_TIMESTAMP" => {
            let from = input.timestamp.ok_or_else(|| {
                invalid("Must specify timestamp parameter for iterator of type AT_TIMESTAMP. Current request has no timestamp parameter.")
            })?;
            first(shard, |record| record.at < from).map_or(stream.next, |record| record.number)
        }
        "LATEST" => stream.next,
        _ => 0,
    };
    let iterator =
        Iterator { stream: stream.name.to_string(), created: stream.created, shard: place, position, issued: cx.now };
    Ok(IteratorOutput { shard_iterator: iterator.write() })
}

/// The first record of a shard that is not before a place.
fn first(shard: &Shard, is_before: impl Fn(&Record) -> bool) -> Option<&Arc<Record>> {
    shard.records.get(begin(shard, is_before))
}

/// Where that record stands. Records stand in the order of their numbers and of their times.
fn begin(shard: &Shard, is_before: impl Fn(&Record) -> bool) -> usize {
    let (mut low, mut high) = (0, shard.records.len());
    while low < high {
        let middle = low + (high - low) / 2;
        match shard.records.get(middle) {
            Some(record) if is_before(record) => low = middle + 1,
            _ => high = middle,
        }
    }
    low
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetRecords {
    shard_iterator: String,
    limit: Option<usize>,
    /// The iterator names the stream.
    #[serde(rename = "StreamARN")]
    _stream_arn: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RecordsOutput {
    records: Vec<Shown>,
    next_shard_iterator: String,
    millis_behind_latest: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shown {
    sequence_number: String,
    approximate_arrival_timestamp: Timestamp,
    data: Arc<str>,
    partition_key: String,
}

fn records(cx: &mut Cx<Streams>, input: GetRecords) -> Result<RecordsOutput> {
    let now = cx.now;
    let mut iterator = Iterator::read(&input.shard_iterator, now)?;
    let stream = find_mut(cx, &iterator.stream)?;
    let retention = stream.retention();
    let shard = stream.shards.get_mut(iterator.shard).filter(|_| stream.created == iterator.created);
    let shard = shard.ok_or_else(|| invalid("Invalid ShardIterator."))?;
    shard.trim(retention, now);
    let begin = begin(shard, |record| record.number < iterator.position);
    let (mut records, mut bytes) = (Vec::new(), 0);
    let mut left = shard.records.iter().skip(begin).peekable();
    while records.len() < input.limit.unwrap_or(MAX_RECORDS) {
        let Some(record) = left.next_if(|record| bytes == 0 || bytes + record.data.len() / 4 * 3 <= MAX_BYTES) else {
            break;
        };
        bytes += record.data.len() / 4 * 3;
        iterator.position = record.number + 1;
        records.push(Shown {
            sequence_number: shard::sequence(record.number),
            approximate_arrival_timestamp: record.at,
            data: record.data.clone(),
            partition_key: record.partition_key.clone(),
        });
    }
    let behind = left.peek().map_or(0, |record| now.millis() - record.at.millis());
    iterator.issued = now;
    Ok(RecordsOutput { records, next_shard_iterator: iterator.write(), millis_behind_latest: behind })
}
