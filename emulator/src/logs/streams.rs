//! Log streams: `CreateLogStream`, `DeleteLogStream`, `DescribeLogStreams`.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use super::groups::PAGE;
use super::names::{group_name, invalid, invalid_token, no_stream, stream_arn};
use super::store::{Group, LogGroups, Stream};
use super::token::{self, Behind};
use crate::cloud::Cx;
use crate::{Error, Result, Timestamp};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Named {
    pub log_group_name: String,
    pub log_stream_name: String,
}

pub(super) fn create(cx: &mut Cx<LogGroups>, input: Named) -> Result<()> {
    let now = cx.now;
    let group = cx.state.group_mut(&input.log_group_name)?;
    if group.streams.contains_key(&input.log_stream_name) {
        return Err(Error::client("ResourceAlreadyExistsException", "The specified log stream already exists"));
    }
    group.streams.insert(input.log_stream_name, Stream::new(now));
    Ok(())
}

pub(super) fn delete(cx: &mut Cx<LogGroups>, input: Named) -> Result<()> {
    let group = cx.state.group_mut(&input.log_group_name)?;
    if group.remove_stream(&input.log_stream_name) { Ok(()) } else { Err(no_stream()) }
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
enum OrderBy {
    #[default]
    LogStreamName,
    LastEventTime,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DescribeLogStreams {
    pub log_group_name: Option<String>,
    pub log_group_identifier: Option<String>,
    log_stream_name_prefix: Option<String>,
    #[serde(default)]
    order_by: OrderBy,
    #[serde(default)]
    descending: bool,
    next_token: Option<String>,
    limit: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DescribeLogStreamsOutput {
    log_streams: Vec<LogStream>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// `LogStream` of the API.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogStream {
    log_stream_name: String,
    creation_time: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_event_timestamp: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_event_timestamp: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_ingestion_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upload_sequence_token: Option<String>,
    arn: String,
    /// Always zero: AWS has not counted streams since June 2019.
    stored_bytes: u64,
}

/// How streams sort: by time, where that is the order, then by name.
type Place<'a> = (Option<Timestamp>, &'a str);

pub(super) fn describe(cx: &mut Cx<LogGroups>, input: DescribeLogStreams) -> Result<DescribeLogStreamsOutput> {
    let by_time = input.order_by == OrderBy::LastEventTime;
    if by_time && input.log_stream_name_prefix.is_some() {
        return Err(invalid("Cannot order by LastEventTime with a logStreamNamePrefix."));
    }
    let group_name = group_name(cx.scope, input.log_group_name.as_ref(), input.log_group_identifier.as_ref())?;
    let group = cx.state.group(group_name)?;
    let size = input.limit.unwrap_or(PAGE).min(PAGE);
    let last = input.next_token.as_deref().map(token::decode::<Behind>).transpose()?;
    if last.as_ref().is_some_and(|behind| behind.of != group_name || (behind.time.is_some() && !by_time)) {
        return Err(invalid_token());
    }
    let behind = last.as_ref().map(|behind| (behind.time, &*behind.name));
    let prefix = input.log_stream_name_prefix.as_deref().unwrap_or_default();
    let mut places = places(group, prefix, by_time, behind, input.descending);
    let more = places.len() > size;
    places.truncate(size);
    let next_token = match places.last().filter(|_| more) {
        Some((time, name)) => {
            let behind = Behind { of: group_name.to_owned(), name: (*name).to_owned(), time: *time };
            Some(token::encode(&behind)?)
        }
        None => None,
    };
    let log_streams = places
        .iter()
        .filter_map(|(_, name)| {
            let stream = group.streams.get(*name)?;
            Some(show(stream, name, stream_arn(cx.scope, group_name, name)))
        })
        .collect();
    Ok(DescribeLogStreamsOutput { log_streams, next_token })
}

/// The streams behind a place, in order.
fn places<'a>(
    group: &'a Group,
    prefix: &str,
    by_time: bool,
    behind: Option<Place<'_>>,
    descending: bool,
) -> Vec<Place<'a>> {
    let streams = group.streams.range(prefix.to_owned()..).take_while(|(name, _)| name.starts_with(prefix));
    let mut places: Vec<Place<'a>> = streams
        .map(|(name, stream)| (stream.last_event.filter(|_| by_time), name.as_str()))
        .filter(|place| behind.is_none_or(|behind| if descending { *place < behind } else { *place > behind }))
        .collect();
    if descending {
        places.sort_unstable_by_key(|place| Reverse(*place));
    } else {
        places.sort_unstable();
    }
    places
}

fn show(stream: &Stream, name: &str, arn: String) -> LogStream {
    LogStream {
        log_stream_name: name.to_owned(),
        creation_time: stream.created,
        first_event_timestamp: stream.first_event,
        last_event_timestamp: stream.last_event,
        last_ingestion_time: stream.last_ingestion,
        upload_sequence_token: stream.sequence_token.clone(),
        arn,
        stored_bytes: 0,
    }
}
