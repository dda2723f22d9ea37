//! `PutRecord` and `PutRecords`.
//!
//! <https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html>

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::shard::{self, Record, Shard};
use super::streams::Stream;
use super::{Streams, arn, find_mut, invalid, named, on};
use crate::cloud::{Cx, Scope, Service};
use crate::{Error, Result, Timestamp};

/// A record has at most so many bytes, data and partition key together, unless its stream allows more, which none does here.
const MAX_RECORD: usize = 1 << 20;
/// A request has at most so many bytes.
const MAX_REQUEST: usize = 10 << 20;

named! { PutRecord, PutRecords }

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Streams>) -> Service<Streams> {
    service.op("PutRecord", |at, i: &PutRecord| on(at, i.name()), put_one).op(
        "PutRecords",
        |at, i: &PutRecords| on(at, i.name()),
        put_all,
    )
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutRecord {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    data: String,
    partition_key: String,
    explicit_hash_key: Option<String>,
    /// All records stand in the order in which they came.
    #[serde(rename = "SequenceNumberForOrdering")]
    _sequence_number_for_ordering: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutRecords {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    records: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    data: String,
    partition_key: String,
    explicit_hash_key: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Put {
    shard_id: String,
    sequence_number: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PutAllOutput {
    failed_record_count: usize,
    records: Vec<Put>,
}

fn put_one(cx: &mut Cx<Streams>, input: PutRecord) -> Result<Put> {
    let now = cx.now;
    let name = input.name().to_owned();
    let entry =
        Entry { data: input.data, partition_key: input.partition_key, explicit_hash_key: input.explicit_hash_key };
    let hash = check(&entry, "data")?;
    let put = put(find_mut(cx, &name)?, entry, hash, now);
    cx.signal(signal(cx.scope, &name));
    Ok(put)
}

fn put_all(cx: &mut Cx<Streams>, input: PutRecords) -> Result<PutAllOutput> {
    let (now, name) = (cx.now, input.name().to_owned());
    let mut hashes = Vec::with_capacity(input.records.len());
    for (place, entry) in (1..).zip(&input.records) {
        hashes.push(check(entry, &format!("records.{place}.member.data"))?);
    }
    if input.records.iter().map(bytes).sum::<usize>() > MAX_REQUEST {
        return Err(invalid(format!("Records size exceeds {} MB limit", MAX_REQUEST >> 20)));
    }
    let stream = find_mut(cx, &name)?;
    let entries = input.records.into_iter().zip(hashes);
    let records = entries.map(|(entry, hash)| put(stream, entry, hash, now)).collect();
    cx.signal(signal(cx.scope, &name));
    Ok(PutAllOutput { failed_record_count: 0, records })
}

/// What wakes those who read a stream: the mappings of functions.
fn signal(scope: &Scope, name: &str) -> String {
    format!("kinesis/{}", arn(scope, name))
}

/// The bytes of a record.
fn bytes(entry: &Entry) -> usize {
    let padding = entry.data.bytes().rev().take_while(|byte| *byte == b'=').count();
    (entry.data.len() / 4 * 3).saturating_sub(padding) + entry.partition_key.len()
}

/// The hash key of a record, if the record can be put.
fn check(entry: &Entry, member: &str) -> Result<u128> {
    if bytes(entry) > MAX_RECORD {
        return Err(Error::client(
            "ValidationException",
            format!(
                "1 validation error detected: Value at '{member}' failed to satisfy constraint: Member must have length less \
                 than or equal to {MAX_RECORD}"
            ),
        ));
    }
    match &entry.explicit_hash_key {
        None => Ok(shard::hash(&entry.partition_key)),
        Some(key) => key.parse().map_err(|_| {
            invalid(format!(
                "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was {key}"
            ))
        }),
    }
}

fn put(stream: &mut Stream, entry: Entry, hash: u128, now: Timestamp) -> Put {
    let place = Shard::of(&stream.shards, hash);
    let (number, retention) = (stream.next, stream.retention());
    stream.next += 1;
    if let Some(shard) = stream.shards.get_mut(place) {
        shard.records.push_back(Arc::new(Record {
            number,
            at: now,
            partition_key: entry.partition_key,
            data: entry.data.into(),
        }));
        shard.trim(retention, now);
    }
    Put { shard_id: shard::id(place), sequence_number: shard::sequence(number) }
}
