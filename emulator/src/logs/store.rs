//! What is kept: groups, their streams, and their events in one order of time for each group.
//!
//! The group holds the events, so that a search across streams walks just those in its time range; a stream holds the keys of its
//! own, so that reading one stream among many costs what that stream has in range.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::batch::{EVENT_OVERHEAD, Event};
use super::deliveries::Delivery;
use super::delivery_destinations::DeliveryDestination;
use super::delivery_sources::DeliverySource;
use super::destinations::Destination;
use super::exports::Export;
use super::id::{EventId, EventKey, Salt};
use super::insights::{Definition, Query};
use super::metric_filters::MetricFilter;
use super::resource_policies::ResourcePolicy;
use super::subscriptions::{Checked, Subscription};
use super::timeline::{Range, Timeline};
use crate::{Result, Timestamp};

const DAY: Duration = Duration::from_secs(86_400);

/// The log groups of an account in a region.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct LogGroups {
    pub(super) groups: OrdMap<String, Group>,
    #[serde(default)]
    pub(super) resource_policies: OrdMap<String, ResourcePolicy>,
    #[serde(default)]
    pub(super) destinations: OrdMap<String, Destination>,
    #[serde(default)]
    pub(super) delivery_destinations: OrdMap<String, DeliveryDestination>,
    #[serde(default)]
    pub(super) delivery_sources: OrdMap<String, DeliverySource>,
    #[serde(default)]
    pub(super) deliveries: OrdMap<String, Delivery>,
    #[serde(default)]
    pub(super) exports: OrdMap<String, Export>,
    #[serde(default)]
    pub(super) queries: OrdMap<String, Query>,
    #[serde(default)]
    pub(super) definitions: OrdMap<String, Definition>,
    /// What became of the checks of destinations that a call waits for; `None` while one is under way.
    #[serde(default)]
    pub(super) checks: OrdMap<String, Option<Checked>>,
}

/// A log group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Group {
    pub created: Timestamp,
    pub retention_days: Option<u32>,
    pub kms_key: Option<String>,
    pub tags: OrdMap<String, String>,
    pub streams: OrdMap<String, Stream>,
    pub events: Timeline<(EventKey, Event)>,
    pub stored_bytes: u64,
    /// How many events were ever ingested.
    pub ingested: u64,
    pub salt: Salt,
    #[serde(default)]
    pub metric_filters: OrdMap<String, MetricFilter>,
    #[serde(default)]
    pub subscriptions: OrdMap<String, Subscription>,
}

/// A log stream.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Stream {
    pub created: Timestamp,
    pub first_event: Option<Timestamp>,
    pub last_event: Option<Timestamp>,
    pub last_ingestion: Option<Timestamp>,
    pub sequence_token: Option<String>,
    keys: Timeline<EventKey>,
}

impl Stream {
    pub fn new(created: Timestamp) -> Self {
        Self {
            created,
            first_event: None,
            last_event: None,
            last_ingestion: None,
            sequence_token: None,
            keys: Timeline::default(),
        }
    }
}

/// Events with their keys, in a direction.
pub(super) type Events<'a> = Box<dyn Iterator<Item = (EventKey, &'a Event)> + 'a>;

impl Group {
    pub fn new(created: Timestamp, salt: Salt) -> Self {
        Self {
            created,
            retention_days: None,
            kms_key: None,
            tags: OrdMap::new(),
            streams: OrdMap::new(),
            events: Timeline::default(),
            stored_bytes: 0,
            ingested: 0,
            salt,
            metric_filters: OrdMap::new(),
            subscriptions: OrdMap::new(),
        }
    }

    pub fn id(&self, key: EventKey) -> EventId {
        EventId::new(key, self.salt)
    }

    /// Adds the events of a call, which are in order of time, to a stream that exists, and says under which keys.
    pub fn add(
        &mut self,
        stream: &Arc<str>,
        times: impl ExactSizeIterator<Item = Timestamp>,
        messages: &[&str],
        now: Timestamp,
    ) -> Result<Vec<EventKey>> {
        let Some(kept) = self.streams.get_mut(&**stream) else { return Ok(Vec::new()) };
        let events = Event::of_call(stream, now, messages)?;
        let counted = self.ingested + 1..;
        let keys: Vec<_> = times.zip(counted).map(|(time, place)| EventKey(time, place)).collect();
        let (Some(EventKey(first, _)), Some(EventKey(last, _))) = (keys.first(), keys.last()) else { return Ok(keys) };
        kept.first_event = Some(kept.first_event.map_or(*first, |known| known.min(*first)));
        kept.last_event = Some(kept.last_event.map_or(*last, |known| known.max(*last)));
        kept.last_ingestion = Some(now);
        kept.keys.add(keys.iter().copied());
        self.ingested += keys.len() as u64;
        self.stored_bytes += messages.iter().map(|message| (message.len() + EVENT_OVERHEAD) as u64).sum::<u64>();
        self.events.add(keys.iter().copied().zip(events));
        Ok(keys)
    }

    pub fn event(&self, key: EventKey) -> Option<&Event> {
        self.events.get(key).map(|(_, event)| event)
    }

    /// Removes a stream and its events; false if there is none.
    pub fn remove_stream(&mut self, name: &str) -> bool {
        let Some(stream) = self.streams.remove(name) else { return false };
        for key in stream.keys.iter() {
            if let Some((_, event)) = self.events.remove(*key) {
                self.stored_bytes -= event.size() as u64;
            }
        }
        true
    }

    /// Events before this point have expired.
    pub fn cutoff(&self, now: Timestamp) -> Option<Timestamp> {
        self.retention_days.map(|days| now - DAY * days)
    }

    /// When the oldest event expires.
    pub fn next_expiry(&self) -> Option<Timestamp> {
        let (EventKey(oldest, _), _) = self.events.first()?;
        Some(*oldest + DAY * self.retention_days?)
    }

    /// Drops the events that have expired.
    pub fn expire(&mut self, now: Timestamp) {
        let Some(cutoff) = self.cutoff(now) else { return };
        while self.events.first().is_some_and(|(key, _)| key.0 < cutoff)
            && let Some((key, event)) = self.events.remove_first()
        {
            self.stored_bytes -= event.size() as u64;
            if let Some(stream) = self.streams.get_mut(&**event.stream()) {
                stream.keys.remove(key);
            }
        }
    }

    /// The events in a range, of all streams.
    pub fn all(&self, range: Range, forward: bool) -> Events<'_> {
        let events = self.events.range(range).map(|(key, event)| (*key, event));
        if forward { Box::new(events) } else { Box::new(events.rev()) }
    }

    /// The events in a range, of these streams only; it costs what those streams have there.
    pub fn of<'a>(&'a self, streams: &[&'a Stream], range: Range, forward: bool) -> Events<'a> {
        let keys = streams.iter().map(|stream| {
            let keys = stream.keys.range(range).copied();
            if forward { Box::new(keys) as Keys<'a> } else { Box::new(keys.rev()) }
        });
        let merge = Merge::new(keys, forward);
        let mut events = self.events.finder();
        Box::new(merge.filter_map(move |key| events.find(key).map(|(key, event)| (*key, event))))
    }
}

type Keys<'a> = Box<dyn Iterator<Item = EventKey> + 'a>;

/// Several sorted runs of keys as one. No key is in two of them.
struct Merge<'a> {
    heads: BTreeMap<EventKey, Keys<'a>>,
    forward: bool,
}

impl<'a> Merge<'a> {
    fn new(runs: impl Iterator<Item = Keys<'a>>, forward: bool) -> Self {
        let heads = runs.filter_map(|mut run| run.next().map(|head| (head, run))).collect();
        Self { heads, forward }
    }
}

impl Iterator for Merge<'_> {
    type Item = EventKey;

    fn next(&mut self) -> Option<EventKey> {
        let (key, mut run) = if self.forward { self.heads.pop_first() } else { self.heads.pop_last() }?;
        if let Some(head) = run.next() {
            self.heads.insert(head, run);
        }
        Some(key)
    }
}
