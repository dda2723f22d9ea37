//! `PutLogEvents`: which events are taken, and which are refused one by one.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::batch::EVENT_OVERHEAD;
use super::id::END_OF_IDS;
use super::names::invalid;
use super::store::LogGroups;
use super::{metric_filters, retention, subscriptions};
use crate::cloud::Cx;
use crate::{Error, Result, Timestamp};

// The limits are those of <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html>;
// that a request has at most 10,000 events is in the service model.

/// An event with its overhead may have this many bytes (raised from 256 KiB in 2025).
const EVENT_LIMIT: usize = 1_048_576;
/// And all events of a request together this many.
const BATCH_LIMIT: usize = 1_048_576;
/// Events are taken that are at most this old.
pub(super) const OLDEST: Duration = Duration::from_secs(14 * 86_400);
/// And at most this far ahead.
const NEWEST: Duration = Duration::from_secs(2 * 3_600);
/// The events that are taken may lie this far apart.
const SPAN: Duration = Duration::from_secs(24 * 3_600);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PutLogEvents {
    pub log_group_name: String,
    pub log_stream_name: String,
    log_events: Vec<InputLogEvent>,
    /// Ignored since January 2023; every token is right.
    #[serde(rename = "sequenceToken")]
    _sequence_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InputLogEvent {
    timestamp: Timestamp,
    message: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PutLogEventsOutput {
    next_sequence_token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rejected_log_events_info: Option<RejectedLogEventsInfo>,
}

/// Since events come in order of time, what is refused is a beginning and an end of the list.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct RejectedLogEventsInfo {
    /// The first event that is too new.
    #[serde(skip_serializing_if = "Option::is_none")]
    too_new_log_event_start_index: Option<usize>,
    /// The first event that is not too old.
    #[serde(skip_serializing_if = "Option::is_none")]
    too_old_log_event_end_index: Option<usize>,
    /// The first event that the group's retention has not expired.
    #[serde(skip_serializing_if = "Option::is_none")]
    expired_log_event_end_index: Option<usize>,
}

pub(super) fn put(cx: &mut Cx<LogGroups>, input: PutLogEvents) -> Result<PutLogEventsOutput> {
    let group = cx.state.group(&input.log_group_name)?;
    group.stream(&input.log_stream_name)?;
    let events = input.log_events;
    check_sizes(&events)?;
    if !events.is_sorted_by_key(|event| event.timestamp) {
        return Err(invalid("Log events in a single PutLogEvents request must be in chronological order."));
    }
    let (taken, rejected) = divide(&events, cx.now, group.cutoff(cx.now));
    let taken = &events[taken];
    check_times(taken)?;

    let now = cx.now;
    let token = sequence_token(cx);
    let stream: Arc<str> = input.log_stream_name.into();
    let group = cx.state.group_mut(&input.log_group_name)?;
    let messages: Vec<&str> = taken.iter().map(|event| &*event.message).collect();
    let keys = group.add(&stream, taken.iter().map(|event| event.timestamp), &messages, now)?;
    if let Some(kept) = group.streams.get_mut(&*stream).filter(|kept| kept.last_event.is_some()) {
        kept.sequence_token = Some(token.clone());
    }
    retention::schedule(cx, &input.log_group_name);
    metric_filters::publish(cx, &input.log_group_name, &keys)?;
    subscriptions::forward(cx, &input.log_group_name, &keys)?;
    Ok(PutLogEventsOutput { next_sequence_token: token, rejected_log_events_info: rejected })
}

fn check_sizes(events: &[InputLogEvent]) -> Result<()> {
    let mut batch = 0;
    for event in events {
        let size = event.message.len() + EVENT_OVERHEAD;
        if size > EVENT_LIMIT {
            return Err(invalid(format!("Log event too large: {size} bytes exceeds limit of {EVENT_LIMIT}")));
        }
        batch += size;
    }
    if batch > BATCH_LIMIT {
        return Err(invalid(format!("Upload too large: {batch} bytes exceeds limit of {BATCH_LIMIT}")));
    }
    Ok(())
}

/// Which of the events are taken, and what is said of the others.
fn divide(
    events: &[InputLogEvent],
    now: Timestamp,
    cutoff: Option<Timestamp>,
) -> (std::ops::Range<usize>, Option<RejectedLogEventsInfo>) {
    let before = |point: Timestamp| events.partition_point(|event| event.timestamp < point);
    let old = before(now - OLDEST);
    let expired = cutoff.map_or(0, before);
    let new = events.partition_point(|event| event.timestamp <= now + NEWEST);
    let start = old.max(expired);
    let info = RejectedLogEventsInfo {
        too_new_log_event_start_index: (new < events.len()).then_some(new),
        too_old_log_event_end_index: (old > 0).then_some(old),
        expired_log_event_end_index: (expired > old).then_some(expired),
    };
    let all = start == 0 && new == events.len();
    (start..new.max(start), (!all).then_some(info))
}

fn check_times(taken: &[InputLogEvent]) -> Result<()> {
    let (Some(first), Some(last)) = (taken.first(), taken.last()) else { return Ok(()) };
    if last.timestamp.since(first.timestamp) > SPAN {
        return Err(invalid(
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
        ));
    }
    if last.timestamp >= END_OF_IDS {
        return Err(Error::not_implemented("log events after the year 2111: their ids have more than 56 digits"));
    }
    Ok(())
}

/// `49` and 54 digits, as AWS's tokens. Nobody reads them any more.
fn sequence_token(cx: &mut Cx<LogGroups>) -> String {
    let ids = cx.ids();
    let digits = [ids.below(10_u64.pow(18)), ids.below(10_u64.pow(18)), ids.below(10_u64.pow(18))];
    format!("49{:018}{:018}{:018}", digits[0], digits[1], digits[2])
}
