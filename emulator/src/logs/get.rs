//! `GetLogEvents`: one stream, in both directions.

use std::ops::Bound;

use serde::{Deserialize, Serialize};

use super::batch::Event;
use super::filter::{PAGE_BYTES, PAGE_EVENTS};
use super::id::{EventId, EventKey};
use super::names::{group_name, invalid_token};
use super::put::OLDEST;
use super::store::{Events, Group, LogGroups};
use super::timeline::Range;
use crate::cloud::Cx;
use crate::{Error, Result, Timestamp};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GetLogEvents {
    pub log_group_name: Option<String>,
    pub log_group_identifier: Option<String>,
    pub log_stream_name: String,
    start_time: Option<Timestamp>,
    end_time: Option<Timestamp>,
    next_token: Option<String>,
    limit: Option<usize>,
    #[serde(default)]
    start_from_head: bool,
    unmask: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GetLogEventsOutput {
    events: Vec<OutputLogEvent>,
    next_forward_token: String,
    next_backward_token: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OutputLogEvent {
    timestamp: Timestamp,
    message: String,
    ingestion_time: Timestamp,
}

/// A token: `f/` for what is behind an id, `b/` for what is before it, the id, and `/s`, as AWS writes it.
///
/// At AWS a token expires after 24 hours. Ours carry no time, so that their form is AWS's, and do not expire.
struct Token {
    forward: bool,
    id: EventId,
}

impl Token {
    fn parse(text: &str) -> Result<Self> {
        let (forward, rest) = match text.split_at_checked(2) {
            Some(("f/", rest)) => (true, rest),
            Some(("b/", rest)) => (false, rest),
            _ => return Err(invalid_token()),
        };
        let id = EventId::parse(rest.strip_suffix("/s").unwrap_or(rest)).ok_or_else(invalid_token)?;
        Ok(Self { forward, id })
    }

    /// Narrows a range to what is on the token's side of its id.
    fn narrow(&self, group: &Group, (start, end): Range) -> Range {
        let key = self.id.key();
        let event = group.id(key);
        // The id may be a bare point in time, on either side of an event with that key.
        let bound = |beyond: bool| if beyond { Bound::Included(key) } else { Bound::Excluded(key) };
        if self.forward {
            (later(start, bound(event > self.id)), end)
        } else {
            (start, earlier(end, bound(event < self.id)))
        }
    }
}

pub(super) fn get(cx: &mut Cx<LogGroups>, input: GetLogEvents) -> Result<GetLogEventsOutput> {
    let name = group_name(cx.scope, input.log_group_name.as_ref(), input.log_group_identifier.as_ref())?;
    check_unmask(input.unmask)?;
    let group = cx.state.group(name)?;
    let stream = group.stream(&input.log_stream_name)?;
    let token = input.next_token.as_deref().map(Token::parse).transpose()?;
    let cutoff = group.cutoff(cx.now);
    let start = input.start_time.max(cutoff).unwrap_or(Timestamp::from_millis(0));
    let mut range = (
        Bound::Included(EventKey::first_at(start)),
        input.end_time.map_or(Bound::Unbounded, |end| Bound::Excluded(EventKey::first_at(end))),
    );
    if let Some(token) = &token {
        range = token.narrow(group, range);
    }
    let forward = token.as_ref().map_or(input.start_from_head, |token| token.forward);
    let mut events = page(group.of(&[stream], range, forward), input.limit.unwrap_or(PAGE_EVENTS));
    if !forward {
        events.reverse();
    }
    // An empty page stays where it was asked for: before everything that may still arrive, if nowhere in particular.
    let nowhere = || token.as_ref().map_or_else(|| group.id(EventKey::first_at(start.max(cx.now - OLDEST))), |t| t.id);
    let first = events.first().map_or_else(nowhere, |(key, _)| group.id(*key));
    let last = events.last().map_or_else(nowhere, |(key, _)| group.id(*key));
    let events = events
        .into_iter()
        .map(|(key, event)| OutputLogEvent {
            timestamp: key.0,
            message: event.message().to_owned(),
            ingestion_time: event.ingested(),
        })
        .collect();
    Ok(GetLogEventsOutput {
        events,
        next_forward_token: format!("f/{last}/s"),
        next_backward_token: format!("b/{first}/s"),
    })
}

/// As many events as a page takes.
fn page(events: Events<'_>, limit: usize) -> Vec<(EventKey, &Event)> {
    let mut bytes = 0;
    events
        .take(limit.min(PAGE_EVENTS))
        .take_while(|(_, event)| {
            bytes += event.size();
            bytes <= PAGE_BYTES
        })
        .collect()
}

/// There are no data protection policies, so nothing is masked; AWS asks for the permission `logs:Unmask`.
pub(super) fn check_unmask(unmask: Option<bool>) -> Result<()> {
    match unmask {
        Some(true) => Err(Error::not_implemented("the masking of sensitive data in log events (unmask)")),
        _ => Ok(()),
    }
}

fn later(a: Bound<EventKey>, b: Bound<EventKey>) -> Bound<EventKey> {
    match (a, b) {
        (Bound::Included(x), Bound::Included(y) | Bound::Excluded(y)) if x > y => a,
        (Bound::Excluded(x), Bound::Included(y) | Bound::Excluded(y)) if x >= y => a,
        _ => b,
    }
}

fn earlier(a: Bound<EventKey>, b: Bound<EventKey>) -> Bound<EventKey> {
    match (a, b) {
        (Bound::Included(x), Bound::Included(y) | Bound::Excluded(y)) if x < y => a,
        (Bound::Excluded(x), Bound::Included(y) | Bound::Excluded(y)) if x <= y => a,
        _ => b,
    }
}
