//! The operations of DynamoDB Streams: `ListStreams`, `DescribeStream`, `GetShardIterator`, `GetRecords`.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Operations_Amazon_DynamoDB_Streams.html>

use std::ops::Bound;

use serde::{Deserialize, Serialize};

use super::iterator::Iterator;
use super::{Record, Stream, number, sequence};
use crate::cloud::{Cx, Service, Target};
use crate::dynamodb::Tables;
use crate::dynamodb::definition::KeySchemaElement;
use crate::dynamodb::errors::validation;
use crate::dynamodb::shown::Shown;
use crate::{Error, Result, Timestamp};

/// `GetRecords` answers at most so many records.
const MAX_RECORDS: usize = 1000;
/// `GetRecords` answers at most so many bytes, but one record at least.
const MAX_BYTES: usize = 1 << 20;
/// `ListStreams` and `DescribeStream` answer at most so many.
const PAGE: usize = 100;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Tables>) -> Service<Tables> {
    service
        .op("ListStreams", |_, _: &ListStreams| Target::any().action("dynamodb:ListStreams"), list)
        .op("DescribeStream", |_, i: &DescribeStream| on(&i.stream_arn, "dynamodb:DescribeStream"), describe)
        .op("GetShardIterator", |_, i: &GetShardIterator| on(&i.stream_arn, "dynamodb:GetShardIterator"), iterator)
        .op("GetRecords", |_, i: &GetRecords| on(arn_of(i), "dynamodb:GetRecords"), records)
}

fn on(arn: &str, action: &'static str) -> Target {
    Target::on(arn).action(action)
}

fn arn_of(input: &GetRecords) -> &str {
    Iterator::arn(&input.shard_iterator).unwrap_or("*")
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListStreams {
    table_name: Option<String>,
    limit: Option<usize>,
    exclusive_start_stream_arn: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListOutput {
    streams: Vec<Summary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_evaluated_stream_arn: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Summary {
    stream_arn: String,
    table_name: String,
    stream_label: String,
}

fn list(cx: &mut Cx<Tables>, input: ListStreams) -> Result<ListOutput> {
    let size = input.limit.unwrap_or(PAGE).min(PAGE);
    // A table's streams stand together, for their ARNs begin with the table's.
    let prefix = input.table_name.map(|name| cx.scope.arn("dynamodb", format_args!("table/{name}/stream/")));
    let prefix = prefix.unwrap_or_default();
    if input
        .exclusive_start_stream_arn
        .as_deref()
        .is_some_and(|arn| !(arn.starts_with("arn:") && arn.contains("/stream/")))
    {
        return Err(validation("Invalid StreamArn: the ExclusiveStartStreamArn is not the ARN of a stream"));
    }
    let start = match input.exclusive_start_stream_arn {
        Some(arn) => Bound::Excluded(arn),
        None => Bound::Included(prefix.clone()),
    };
    let range = (start.as_ref().map(String::as_str), Bound::<&str>::Unbounded);
    let mut found = cx.state.streams.range::<_, str>(range).map(|(_, stream)| stream);
    let found = found.by_ref().take_while(|stream| stream.arn.starts_with(&prefix));
    let mut streams: Vec<Summary> = found.take(size + 1).map(summary).collect();
    let more = streams.len() > size;
    streams.truncate(size);
    let last_evaluated_stream_arn = streams.last().filter(|_| more).map(|last| last.stream_arn.clone());
    Ok(ListOutput { streams, last_evaluated_stream_arn })
}

fn summary(stream: &Stream) -> Summary {
    Summary {
        stream_arn: stream.arn.to_string(),
        table_name: stream.table.to_string(),
        stream_label: stream.label.clone(),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DescribeStream {
    stream_arn: String,
    limit: Option<usize>,
    exclusive_start_shard_id: Option<String>,
    shard_filter: Option<ShardFilter>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ShardFilter {
    r#type: Option<String>,
    shard_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DescribeOutput {
    stream_description: Description,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Description {
    stream_arn: String,
    stream_label: String,
    stream_status: &'static str,
    stream_view_type: String,
    creation_request_date_time: Timestamp,
    table_name: String,
    key_schema: Vec<KeySchemaElement>,
    shards: Vec<Shard>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shard {
    shard_id: String,
    sequence_number_range: SequenceRange,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SequenceRange {
    starting_sequence_number: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ending_sequence_number: Option<String>,
}

fn describe(cx: &mut Cx<Tables>, input: DescribeStream) -> Result<DescribeOutput> {
    let stream = known(cx, &input.stream_arn)?;
    // The one shard has no children, and none comes after it.
    let past = input.exclusive_start_shard_id.is_some_and(|start| start >= stream.shard);
    let children = input.shard_filter.is_some_and(|filter| filter.r#type.is_some() && filter.shard_id.is_some());
    let shard = Shard {
        shard_id: stream.shard.clone(),
        sequence_number_range: SequenceRange {
            starting_sequence_number: sequence(1),
            ending_sequence_number: stream.disabled.map(|_| sequence(stream.next.saturating_sub(1).max(1))),
        },
    };
    let shown = !past && !children && input.limit != Some(0);
    let stream_description = Description {
        stream_arn: stream.arn.to_string(),
        stream_label: stream.label.clone(),
        stream_status: if stream.disabled.is_some() { "DISABLED" } else { "ENABLED" },
        stream_view_type: stream.view.clone(),
        creation_request_date_time: stream.created,
        table_name: stream.table.to_string(),
        key_schema: stream.key_schema.clone(),
        shards: if shown { vec![shard] } else { Vec::new() },
    };
    Ok(DescribeOutput { stream_description })
}

fn known<'a>(cx: &'a mut Cx<'_, Tables>, arn: &str) -> Result<&'a mut Stream> {
    let missing = || {
        let message = format!("Requested resource not found: Stream: {arn} not found");
        Error::client("ResourceNotFoundException", message)
    };
    cx.state.streams.get_mut(arn).ok_or_else(missing)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetShardIterator {
    stream_arn: String,
    shard_id: String,
    shard_iterator_type: String,
    sequence_number: Option<String>,
    timestamp: Option<Timestamp>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct IteratorOutput {
    shard_iterator: String,
}

fn iterator(cx: &mut Cx<Tables>, input: GetShardIterator) -> Result<IteratorOutput> {
    let now = cx.now;
    let stream = known(cx, &input.stream_arn)?;
    if stream.shard != input.shard_id {
        let message = format!("Requested resource not found: Shard: {} does not exist", input.shard_id);
        return Err(Error::client("ResourceNotFoundException", message));
    }
    stream.trim(now);
    let position = position(stream, &input)?;
    let iterator = Iterator { arn: stream.arn.to_string(), position, issued: now };
    Ok(IteratorOutput { shard_iterator: iterator.write() })
}

/// The number of the record that an iterator of this type reads first.
fn position(stream: &Stream, input: &GetShardIterator) -> Result<u64> {
    let kind = input.shard_iterator_type.as_str();
    match kind {
        "LATEST" => Ok(stream.next),
        "AT_SEQUENCE_NUMBER" | "AFTER_SEQUENCE_NUMBER" => {
            let text = input.sequence_number.as_deref().ok_or_else(|| {
                validation(format!("The SequenceNumber parameter must be provided for the ShardIteratorType {kind}"))
            })?;
            let number = number(text).filter(|number| (1..=stream.next).contains(number));
            let number = number
                .ok_or_else(|| validation("Invalid SequenceNumber: it is not one of the shard's sequence numbers"))?;
            if number < stream.first() {
                return Err(trimmed());
            }
            Ok(if kind == "AT_SEQUENCE_NUMBER" { number } else { number + 1 })
        }
        "AT_TIMESTAMP" => {
            let at = input.timestamp.ok_or_else(|| {
                validation("The Timestamp parameter must be provided for the ShardIteratorType AT_TIMESTAMP")
            })?;
            let found = stream.records.binary_search_by(|record| record.at.cmp(&at).then(std::cmp::Ordering::Greater));
            let place = found.unwrap_or_else(|place| place);
            Ok(stream.records.get(place).map_or(stream.next, |record| record.number))
        }
        _ => Ok(0),
    }
}

fn trimmed() -> Error {
    let message = "The operation attempted to read past the oldest stream record in a shard";
    Error::client("TrimmedDataAccessException", message)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetRecords {
    shard_iterator: String,
    limit: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RecordsOutput {
    records: Vec<RecordOutput>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_shard_iterator: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RecordOutput {
    #[serde(rename = "eventID")]
    event_id: String,
    event_name: &'static str,
    event_version: &'static str,
    event_source: &'static str,
    aws_region: String,
    dynamodb: StreamRecord,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_identity: Option<Identity>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct StreamRecord {
    approximate_creation_date_time: Timestamp,
    keys: Shown,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_image: Option<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    old_image: Option<Shown>,
    sequence_number: String,
    size_bytes: usize,
    stream_view_type: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Identity {
    principal_id: &'static str,
    r#type: &'static str,
}

fn records(cx: &mut Cx<Tables>, input: GetRecords) -> Result<RecordsOutput> {
    let (now, region) = (cx.now, cx.scope.region.to_string());
    let at = Iterator::read(&input.shard_iterator, now)?;
    let limit = input.limit.unwrap_or(MAX_RECORDS);
    if limit > MAX_RECORDS {
        return Err(validation(format!(
            "1 validation error detected: Value '{limit}' at 'limit' failed to satisfy constraint: Member must have \
             value less than or equal to {MAX_RECORDS}"
        )));
    }
    let stream = known(cx, &at.arn)?;
    stream.trim(now);
    let first = stream.first();
    if at.position != 0 && at.position < first {
        return Err(trimmed());
    }
    let from = at.position.max(first);
    let (mut shown, mut bytes) = (Vec::new(), 0);
    // Numbers have no gaps, so a record's place follows from its number.
    let start = usize::try_from(from - first).unwrap_or(usize::MAX);
    for record in (start..start.saturating_add(limit)).map_while(|place| stream.records.get(place)) {
        bytes += record.size(&stream.view);
        if bytes > MAX_BYTES && !shown.is_empty() {
            break;
        }
        shown.push(record_output(record, &stream.view, &region));
    }
    let next = from + shown.len() as u64;
    let is_over = stream.disabled.is_some() && next >= stream.next;
    let next_shard_iterator = (!is_over).then(|| Iterator { arn: at.arn, position: next, issued: now }.write());
    Ok(RecordsOutput { records: shown, next_shard_iterator })
}

fn record_output(record: &Record, view: &str, region: &str) -> RecordOutput {
    let image = |item: Option<&dynamodb_expressions::Item>| item.cloned().map(Shown::Made);
    RecordOutput {
        event_id: record.event_id.clone(),
        event_name: record.name(),
        event_version: "1.1",
        event_source: "aws:dynamodb",
        aws_region: region.to_owned(),
        dynamodb: StreamRecord {
            approximate_creation_date_time: Timestamp::from_secs(record.at.secs()),
            keys: Shown::Made(record.keys.clone()),
            new_image: image(record.new_image(view)),
            old_image: image(record.old_image(view)),
            sequence_number: sequence(record.number),
            size_bytes: record.size(view),
            stream_view_type: view.to_owned(),
        },
        user_identity: record.expired.then_some(Identity { principal_id: "dynamodb.amazonaws.com", r#type: "Service" }),
    }
}
