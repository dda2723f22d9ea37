//! The books of a queue: which messages it holds, and which of them are visible, delayed or in flight.
//!
//! Nothing here costs more for a deeper queue than a look-up does: every order that is asked for is kept. There is no
//! timer for a message either: what is due is promoted when the queue is next touched ([`Books::touch`]).

use std::sync::Arc;
use std::time::Duration;

use imbl::{OrdMap, OrdSet};
use serde::{Deserialize, Serialize};

use super::groups::Groups;
use super::message::{Content, Message, State};
use crate::Timestamp;

/// The place of a message in its queue: by the time it was sent, then in the order of arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Key {
    pub sent: Timestamp,
    pub number: u64,
}

/// The messages of one queue.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Books {
    next: u64,
    #[serde(with = "crate::cloud::pairs")]
    messages: OrdMap<Key, Message>,
    /// The visible messages of a standard queue.
    ready: OrdSet<Key>,
    /// The visible messages of a FIFO queue, by group.
    groups: Option<Groups>,
    /// When those that are not visible will be.
    due: OrdSet<(Timestamp, Key)>,
    in_flight: usize,
    delayed: usize,
}

/// How many messages there are of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub visible: usize,
    pub in_flight: usize,
    pub delayed: usize,
}

impl Books {
    /// Empty books of a standard or of a FIFO queue.
    pub fn new(fifo: bool) -> Self {
        Self { groups: fifo.then(Groups::default), ..Self::default() }
    }

    pub fn counts(&self) -> Counts {
        let (in_flight, delayed) = (self.in_flight, self.delayed);
        Counts { visible: self.messages.len() - in_flight - delayed, in_flight, delayed }
    }

    pub fn get(&self, key: Key) -> Option<&Message> {
        self.messages.get(&key)
    }

    /// When the oldest message was sent.
    pub fn oldest(&self) -> Option<Timestamp> {
        self.messages.get_min().map(|(key, _)| key.sent)
    }

    /// When the next message that is not visible becomes so.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.due.get_min().map(|(at, _)| *at)
    }

    /// Drops what has expired and makes visible what is due.
    pub fn touch(&mut self, now: Timestamp, retention: Duration) {
        while let Some((key, _)) = self.messages.get_min()
            && key.sent + retention <= now
        {
            let key = *key;
            self.remove(key);
        }
        while let Some((at, key)) = self.due.get_min().copied()
            && at <= now
        {
            self.due.remove(&(at, key));
            self.surface(key);
        }
    }

    /// Adds a message that becomes visible at `visible`, if that is later than `now`.
    pub fn add(&mut self, sent: Timestamp, mut message: Message, now: Timestamp, visible: Timestamp) -> Key {
        self.next += 1;
        let key = Key { sent, number: self.next };
        if visible > now {
            message.state = State::Delayed(visible);
            self.due.insert((visible, key));
            self.delayed += 1;
        } else {
            message.state = State::Visible;
            self.enter(key, message.content.group.as_ref());
        }
        self.messages.insert(key, message);
        key
    }

    /// A message becomes visible.
    fn surface(&mut self, key: Key) {
        let Some(message) = self.messages.get_mut(&key) else { return };
        let was = std::mem::replace(&mut message.state, State::Visible);
        let content = Arc::clone(&message.content);
        match was {
            State::InFlight(_) => self.in_flight -= 1,
            State::Delayed(_) => self.delayed -= 1,
            State::Visible => {}
        }
        self.enter(key, content.group.as_ref());
    }

    /// Among the visible.
    fn enter(&mut self, key: Key, group: Option<&Arc<str>>) {
        match (&mut self.groups, group) {
            (Some(groups), Some(group)) => groups.enter(key, group),
            _ => {
                self.ready.insert(key);
            }
        }
    }

    /// Takes a message out of the queue.
    pub fn remove(&mut self, key: Key) -> Option<Message> {
        let message = self.messages.remove(&key)?;
        match message.state {
            State::Visible => {
                self.ready.remove(&key);
            }
            State::Delayed(at) => {
                self.due.remove(&(at, key));
                self.delayed -= 1;
            }
            State::InFlight(at) => {
                self.due.remove(&(at, key));
                self.in_flight -= 1;
            }
        }
        if let (Some(groups), Some(group)) = (&mut self.groups, &message.content.group) {
            groups.remove(key, group);
        }
        Some(message)
    }

    /// The visible message of a standard queue that is next, or the `nth` after it.
    pub fn next(&self, nth: usize) -> Option<Key> {
        if nth == 0 { self.ready.get_min().copied() } else { self.ready.iter().nth(nth).copied() }
    }

    /// The groups of a FIFO queue.
    pub fn groups(&self) -> Option<&Groups> {
        self.groups.as_ref()
    }

    /// Takes a visible message into flight until `until`. It is received once more.
    pub fn take(&mut self, key: Key, now: Timestamp, until: Timestamp) {
        let Some(message) = self.messages.get_mut(&key) else { return };
        message.receives += 1;
        message.received = now;
        message.first_received.get_or_insert(now);
        self.hide(key, until);
    }

    /// A visible message is in flight until `until`.
    pub fn hide(&mut self, key: Key, until: Timestamp) {
        let Some(message) = self.messages.get_mut(&key) else { return };
        message.state = State::InFlight(until);
        match (&mut self.groups, message.content.group.as_ref()) {
            (Some(groups), Some(group)) => groups.take(key, group),
            _ => {
                self.ready.remove(&key);
            }
        }
        self.due.insert((until, key));
        self.in_flight += 1;
    }

    /// Moves the time at which a message that is in flight becomes visible again. False if it is not in flight.
    pub fn postpone(&mut self, key: Key, until: Timestamp) -> bool {
        let Some(message) = self.messages.get_mut(&key) else { return false };
        let State::InFlight(at) = message.state else { return false };
        message.state = State::InFlight(until);
        self.due.remove(&(at, key));
        self.due.insert((until, key));
        true
    }

    /// The delay of a FIFO queue was changed, which counts for the messages that are waiting for theirs.
    /// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-delay-queues.html>
    pub fn delay_anew(&mut self, delay: Duration) {
        let waiting: Vec<(Timestamp, Key)> = self.due.iter().copied().collect();
        for (at, key) in waiting {
            let Some(message) = self.messages.get_mut(&key) else { continue };
            if let State::Delayed(_) = message.state {
                let visible = key.sent + delay;
                message.state = State::Delayed(visible);
                self.due.remove(&(at, key));
                self.due.insert((visible, key));
            }
        }
    }

    /// A second copy of a message, which is visible at once: what a standard queue may deliver besides.
    pub fn copy(&mut self, key: Key, content: Arc<Content>, now: Timestamp) {
        let mut copy = Message::new(content);
        copy.is_copy = true;
        self.add(key.sent, copy, now, now);
    }

    /// All messages go.
    pub fn clear(&mut self) {
        let next = self.next;
        *self = Self { next, ..Self::new(self.groups.is_some()) };
    }
}
