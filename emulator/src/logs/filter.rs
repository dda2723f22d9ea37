//! `FilterLogEvents`: the events of a group, or of some of its streams, that a pattern matches.

use std::ops::Bound;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::batch::Event;
use super::get::check_unmask;
use super::id::EventKey;
use super::names::{group_name, invalid, invalid_token};
use super::pattern::Pattern;
use super::store::{Events, Group, LogGroups};
use super::timeline::Range;
use super::token::{self, Position};
use crate::cloud::Cx;
use crate::{Result, Timestamp};

/// A page holds at most this many events.
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html>
pub(super) const PAGE_EVENTS: usize = 10_000;
/// And this many bytes of them, counted as `PutLogEvents` counts. Every event fits an empty page.
pub(super) const PAGE_BYTES: usize = 1024 * 1024;
/// A page looks at this many events, whether they match or not, and is then handed out as it is: maybe empty, with a
/// token. AWS does the same and says only that it does; the number is ours.
pub(super) const SCAN_BUDGET: usize = 10_000;
/// A token is good for this long (same page).
const TOKEN_LIFE: Duration = Duration::from_secs(24 * 3_600);
/// The newest events come first only in searches that start no earlier than 2024-01-01T00:00:00Z (same page).
const DESCENDING_SINCE: Timestamp = Timestamp::from_secs(1_704_067_200);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FilterLogEvents {
    pub log_group_name: Option<String>,
    pub log_group_identifier: Option<String>,
    log_stream_names: Option<Vec<String>>,
    log_stream_name_prefix: Option<String>,
    start_time: Option<Timestamp>,
    end_time: Option<Timestamp>,
    filter_pattern: Option<String>,
    next_token: Option<String>,
    limit: Option<usize>,
    start_from_head: Option<bool>,
    /// Ignored since June 2019: streams are always interleaved.
    #[serde(rename = "interleaved")]
    _interleaved: Option<bool>,
    unmask: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FilterLogEventsOutput {
    events: Vec<FilteredLogEvent>,
    /// Always empty since May 2020.
    searched_log_streams: [(); 0],
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FilteredLogEvent {
    log_stream_name: String,
    timestamp: Timestamp,
    message: String,
    ingestion_time: Timestamp,
    event_id: String,
}

pub(super) fn filter(cx: &mut Cx<LogGroups>, input: FilterLogEvents) -> Result<FilterLogEventsOutput> {
    let name = group_name(cx.scope, input.log_group_name.as_ref(), input.log_group_identifier.as_ref())?;
    check(&input)?;
    let pattern = Pattern::compile(input.filter_pattern.as_deref().unwrap_or_default())?;
    let group = cx.state.group(name)?;
    let position = input.next_token.as_deref().map(|token| position(token, name, cx.now)).transpose()?;
    let forward = position.as_ref().map_or(input.start_from_head.unwrap_or(true), |position| position.forward);
    let range = range(&input, group.cutoff(cx.now), position.as_ref());
    let events = candidates(group, &input, range, forward)?;
    let prefix = input.log_stream_name_prefix.as_deref().unwrap_or_default();
    let wanted = |event: &Event| event.stream().starts_with(prefix) && pattern.matches(event.message());
    let (found, last) = scan(events, wanted, input.limit.unwrap_or(PAGE_EVENTS).min(PAGE_EVENTS));
    let next_token = last
        .map(|last| token::encode(&Position { group: name.to_owned(), last, forward, issued: cx.now }))
        .transpose()?;
    let events = found
        .into_iter()
        .map(|(key, event)| FilteredLogEvent {
            log_stream_name: event.stream().to_string(),
            timestamp: key.0,
            message: event.message().to_owned(),
            ingestion_time: event.ingested(),
            event_id: group.id(key).to_string(),
        })
        .collect();
    Ok(FilterLogEventsOutput { events, searched_log_streams: [], next_token })
}

fn check(input: &FilterLogEvents) -> Result<()> {
    if input.log_stream_names.is_some() && input.log_stream_name_prefix.is_some() {
        return Err(invalid("LogStream names and LogStream name prefix are mutually exclusive parameters."));
    }
    let descending = input.start_from_head == Some(false);
    if descending && input.start_time.is_some_and(|start| start < DESCENDING_SINCE) {
        return Err(invalid(
            "startFromHead can be false only if startTime is on or after January 1, 2024 00:00:00 UTC.",
        ));
    }
    check_unmask(input.unmask)
}

fn position(text: &str, group: &str, now: Timestamp) -> Result<Position> {
    let position: Position = token::decode(text)?;
    if position.group == group && now.since(position.issued) <= TOKEN_LIFE {
        Ok(position)
    } else {
        Err(invalid_token())
    }
}

/// The keys that are searched: both ends of the time range belong to it, other than with `GetLogEvents`.
fn range(input: &FilterLogEvents, cutoff: Option<Timestamp>, position: Option<&Position>) -> Range {
    let start = input.start_time.max(cutoff);
    let mut range = (
        start.map_or(Bound::Unbounded, |start| Bound::Included(EventKey::first_at(start))),
        input.end_time.map_or(Bound::Unbounded, |end| Bound::Included(EventKey::last_at(end))),
    );
    if let Some(Position { last, forward, .. }) = position {
        let side = if *forward { &mut range.0 } else { &mut range.1 };
        // What the token says lies within the range, unless the retention has caught up with it.
        let passed = matches!(*side, Bound::Included(bound) if if *forward { bound > *last } else { bound < *last });
        if !passed {
            *side = Bound::Excluded(*last);
        }
    }
    range
}

/// The events that are looked at: those of the streams that are named, or of all.
fn candidates<'a>(group: &'a Group, input: &FilterLogEvents, range: Range, forward: bool) -> Result<Events<'a>> {
    let Some(names) = &input.log_stream_names else { return Ok(group.all(range, forward)) };
    let mut streams = Vec::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        if !names[..index].contains(name) {
            streams.push(group.stream(name)?);
        }
    }
    Ok(group.of(&streams, range, forward))
}

/// A page of events, and if there is more behind it, the last one that was looked at.
fn scan<'a>(
    events: Events<'a>,
    wanted: impl Fn(&Event) -> bool,
    limit: usize,
) -> (Vec<(EventKey, &'a Event)>, Option<EventKey>) {
    let mut found = Vec::new();
    let (mut bytes, mut looked_at, mut last) = (0, 0, None);
    for (key, event) in events {
        if looked_at == SCAN_BUDGET || found.len() == limit {
            return (found, last);
        }
        if wanted(event) {
            if bytes + event.size() > PAGE_BYTES {
                return (found, last);
            }
            bytes += event.size();
            found.push((key, event));
        }
        looked_at += 1;
        last = Some(key);
    }
    (found, None)
}
