//! Streams: made, described, listed, deleted; how long they keep records.
//!
//! <https://docs.aws.amazon.com/kinesis/latest/APIReference/API_CreateStream.html>

use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::shard::{self, Shard};
use super::{Named, Streams, arn, find, find_mut, invalid, name_of, named, on};
use crate::cloud::{Cx, Service, Target};
use crate::{Error, Result, Timestamp};

/// A stream keeps records for so many hours, at the least and most.
/// <https://docs.aws.amazon.com/streams/latest/dev/kinesis-extended-retention.html>
const LEAST_HOURS: u32 = 24;
const MOST_HOURS: u32 = 8760;
const HOUR: Duration = Duration::from_secs(3600);
/// A stream on demand begins with so many shards.
const ON_DEMAND_SHARDS: u32 = 4;
/// An account may have so many shards in a region. <https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html>
const MAX_SHARDS: u32 = 500;
/// Lists answer so many, if the request does not say.
const STREAMS_PAGE: usize = 100;
const DESCRIBED_SHARDS: usize = 100;
const SHARDS_PAGE: usize = 1000;

named! { DeleteStream, DescribeStream, Retention }

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Streams>) -> Service<Streams> {
    service
        .op("CreateStream", |at, i: &CreateStream| on(at, &i.stream_name), create)
        .op("DeleteStream", |at, i: &DeleteStream| on(at, i.name()), delete)
        .op("DescribeStream", |at, i: &DescribeStream| on(at, i.name()), describe)
        .op("DescribeStreamSummary", |at, i: &Named| on(at, i.name()), summary)
        .op("ListStreams", |_, _: &ListStreams| Target::any(), list)
        .op("ListShards", |at, i: &ListShards| on(at, i.name()), shards)
        .op("IncreaseStreamRetentionPeriod", |at, i: &Retention| on(at, i.name()), |cx, i| retain(cx, &i, true))
        .op("DecreaseStreamRetentionPeriod", |at, i: &Retention| on(at, i.name()), |cx, i| retain(cx, &i, false))
}

/// A stream.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Stream {
    pub name: Arc<str>,
    pub created: Timestamp,
    mode: String,
    pub shards: Vec<Shard>,
    hours: u32,
    pub tags: OrdMap<String, String>,
    /// The number of the next record.
    pub next: u64,
}

impl Stream {
    /// For how long the stream keeps records.
    pub fn retention(&self) -> Duration {
        HOUR * self.hours
    }

    fn shown(&self, arn: &str) -> Value {
        json!({
            "StreamName": self.name,
            "StreamARN": arn,
            "StreamStatus": "ACTIVE",
            "StreamModeDetails": { "StreamMode": self.mode },
            "RetentionPeriodHours": self.hours,
            "StreamCreationTimestamp": self.created,
            "EnhancedMonitoring": [{ "ShardLevelMetrics": [] }],
            "EncryptionType": "NONE",
        })
    }

    /// The shards after one, at most so many, and whether there are more.
    fn page(&self, after: Option<&str>, size: usize) -> (Vec<Value>, bool) {
        let start = after.map_or(0, |after| shard::place(after).map_or(0, |place| place + 1));
        let shown: Vec<Value> =
            self.shards.iter().enumerate().skip(start).take(size).map(|(place, shard)| shard.shown(place)).collect();
        let more = start + shown.len() < self.shards.len();
        (shown, more)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateStream {
    stream_name: String,
    shard_count: Option<u32>,
    stream_mode_details: Option<StreamModeDetails>,
    #[serde(default)]
    tags: OrdMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StreamModeDetails {
    stream_mode: String,
}

fn create(cx: &mut Cx<Streams>, input: CreateStream) -> Result<()> {
    let mode = match (input.stream_mode_details, input.shard_count) {
        (Some(details), _) => details.stream_mode,
        (None, Some(_)) => "PROVISIONED".to_owned(),
        // Only what is on demand can do without a number of shards.
        (None, None) => "ON_DEMAND".to_owned(),
    };
    let count = match (mode.as_str(), input.shard_count) {
        ("ON_DEMAND", None) => ON_DEMAND_SHARDS,
        ("ON_DEMAND", Some(_)) => {
            return Err(invalid("ShardCount must not be specified for a stream whose StreamMode is ON_DEMAND"));
        }
        (_, Some(count)) => count,
        (_, None) => return Err(invalid("ShardCount must be specified for a stream whose StreamMode is PROVISIONED")),
    };
    let name = input.stream_name.as_str();
    let account = &cx.scope.account;
    if cx.state.streams.contains_key(name) {
        let message = format!("Stream {name} under account {account} already exists.");
        return Err(Error::client("ResourceInUseException", message));
    }
    let used: usize = cx.state.streams.values().map(|stream| stream.shards.len()).sum();
    if count.saturating_add(u32::try_from(used).unwrap_or(u32::MAX)) > MAX_SHARDS {
        let message = format!(
            "This request would exceed the shard limit for the account {account} in {}. Current shard count for the \
             account: {used}. Limit: {MAX_SHARDS}. Number of additional shards that would have resulted from this \
             request: {count}. Refer to the AWS Service Limits page \
             (https://docs.aws.amazon.com/general/latest/gr/aws_service_limits.html) for current limits and how to \
             request higher limits.",
            cx.scope.region
        );
        return Err(Error::client("LimitExceededException", message));
    }
    let stream = Stream {
        name: name.into(),
        created: cx.now,
        mode,
        shards: Shard::even(count),
        hours: LEAST_HOURS,
        tags: input.tags,
        next: 1,
    };
    cx.state.streams.insert(name.into(), stream);
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeleteStream {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    /// There are no consumers whose deletion could be enforced.
    #[serde(rename = "EnforceConsumerDeletion")]
    _enforce_consumer_deletion: Option<bool>,
}

fn delete(cx: &mut Cx<Streams>, input: DeleteStream) -> Result<()> {
    find(cx, input.name())?;
    cx.state.streams.remove(input.name());
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DescribeStream {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    limit: Option<usize>,
    exclusive_start_shard_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DescribeOutput {
    stream_description: Value,
}

fn describe(cx: &mut Cx<Streams>, input: DescribeStream) -> Result<DescribeOutput> {
    let stream = find(cx, input.name())?;
    let mut stream_description = stream.shown(&arn(cx.scope, &stream.name));
    let size = input.limit.unwrap_or(DESCRIBED_SHARDS);
    let (shards, more) = stream.page(input.exclusive_start_shard_id.as_deref(), size);
    stream_description["Shards"] = json!(shards);
    stream_description["HasMoreShards"] = json!(more);
    Ok(DescribeOutput { stream_description })
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SummaryOutput {
    stream_description_summary: Value,
}

fn summary(cx: &mut Cx<Streams>, input: Named) -> Result<SummaryOutput> {
    let stream = find(cx, input.name())?;
    let mut summary = stream.shown(&arn(cx.scope, &stream.name));
    summary["OpenShardCount"] = json!(stream.shards.len());
    summary["ConsumerCount"] = json!(0);
    Ok(SummaryOutput { stream_description_summary: summary })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListStreams {
    limit: Option<usize>,
    exclusive_start_stream_name: Option<String>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListOutput {
    stream_names: Vec<Arc<str>>,
    has_more_streams: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<Arc<str>>,
    stream_summaries: Vec<Value>,
}

fn list(cx: &mut Cx<Streams>, input: ListStreams) -> Result<ListOutput> {
    let after = input.next_token.or(input.exclusive_start_stream_name);
    let start = after.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
    let mut found = cx.state.streams.range::<_, str>((start, Bound::Unbounded)).map(|(_, stream)| stream);
    let page: Vec<&Stream> = found.by_ref().take(input.limit.unwrap_or(STREAMS_PAGE)).collect();
    let has_more_streams = found.next().is_some();
    let entry = |stream: &&Stream| {
        json!({
            "StreamName": stream.name,
            "StreamARN": arn(cx.scope, &stream.name),
            "StreamStatus": "ACTIVE",
            "StreamModeDetails": { "StreamMode": stream.mode },
            "StreamCreationTimestamp": stream.created,
        })
    };
    Ok(ListOutput {
        stream_names: page.iter().map(|stream| stream.name.clone()).collect(),
        has_more_streams,
        next_token: page.last().filter(|_| has_more_streams).map(|stream| stream.name.clone()),
        stream_summaries: page.iter().map(entry).collect(),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListShards {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    next_token: Option<String>,
    exclusive_start_shard_id: Option<String>,
    max_results: Option<usize>,
    shard_filter: Option<ShardFilter>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ShardFilter {
    r#type: String,
    shard_id: Option<String>,
}

impl ListShards {
    /// The stream: a token of a page names it before the shard that the page ended with.
    fn name(&self) -> &str {
        let of_token = || self.next_token.as_deref().and_then(|token| token.split_once('/')).map(|(name, _)| name);
        match name_of(self.stream_name.as_deref(), self.stream_arn.as_deref()) {
            "" => of_token().unwrap_or_default(),
            name => name,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ShardsOutput {
    shards: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

fn shards(cx: &mut Cx<Streams>, input: ListShards) -> Result<ShardsOutput> {
    if input.next_token.is_some() && (input.stream_name.is_some() || input.exclusive_start_shard_id.is_some()) {
        return Err(invalid("NextToken and StreamName cannot be provided together."));
    }
    let stream = find(cx, input.name())?;
    let of_token = input.next_token.as_deref().and_then(|token| token.split_once('/')).map(|(_, shard)| shard);
    // All shards are open, and were from the beginning: but for the one that names a shard, every filter lets them pass.
    let of_filter = match input.shard_filter.as_ref() {
        Some(filter) if filter.r#type == "AFTER_SHARD_ID" => {
            Some(filter.shard_id.as_deref().ok_or_else(|| invalid("ShardId is required for AFTER_SHARD_ID"))?)
        }
        Some(filter) if filter.r#type.ends_with("TIMESTAMP") => {
            return Err(Error::not_implemented(format!("the shard filter {} of kinesis:ListShards", filter.r#type)));
        }
        _ => None,
    };
    let after = of_token.or(input.exclusive_start_shard_id.as_deref()).or(of_filter);
    let (shards, more) = stream.page(after, input.max_results.unwrap_or(SHARDS_PAGE));
    let last = shards.last().and_then(|shard| shard["ShardId"].as_str());
    let next_token = last.filter(|_| more).map(|last| format!("{}/{last}", stream.name));
    Ok(ShardsOutput { shards, next_token })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Retention {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    retention_period_hours: u32,
}

fn retain(cx: &mut Cx<Streams>, input: &Retention, longer: bool) -> Result<()> {
    let (now, hours) = (cx.now, input.retention_period_hours);
    let stream = find_mut(cx, input.name())?;
    let current = stream.hours;
    if !(LEAST_HOURS..=MOST_HOURS).contains(&hours) {
        let (limit, most) = if hours < LEAST_HOURS { ("Minimum", LEAST_HOURS) } else { ("Maximum", MOST_HOURS) };
        return Err(invalid(format!(
            "{limit} allowed retention period is {most} hours. Requested retention period ({hours} hours) is too {}.",
            if limit == "Minimum" { "short" } else { "long" }
        )));
    }
    if (longer && hours < current) || (!longer && hours > current) {
        let (than, must) = if longer { ("shorter", "longer") } else { ("longer", "shorter") };
        return Err(invalid(format!(
            "Requested retention period ({hours} hours) for stream {} can not be {than} than existing retention period \
             ({current} hours). It must be {must}.",
            stream.name
        )));
    }
    stream.hours = hours;
    let retention = stream.retention();
    stream.shards.iter_mut().for_each(|shard| shard.trim(retention, now));
    Ok(())
}
