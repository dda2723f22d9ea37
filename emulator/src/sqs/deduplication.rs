//! What a FIFO queue remembers for five minutes: which messages were sent, and what a receive answered.
//!
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-messagededuplicationid-property.html>

use std::sync::Arc;
use std::time::Duration;

use imbl::{OrdMap, OrdSet};
use serde::{Deserialize, Serialize};

use super::books::Key;
use crate::Timestamp;

/// How long a deduplication id, and the id of an attempt at receiving, is remembered.
const INTERVAL: Duration = Duration::from_secs(300);

/// The group, or nothing where the whole queue is the scope; then the deduplication id.
type Id = (Option<Arc<str>>, Arc<str>);

/// What was sent and received lately.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Deduplication {
    /// How many messages were ever sent: their sequence numbers follow from it.
    pub sequence: u64,
    #[serde(with = "crate::cloud::pairs")]
    sent: OrdMap<Id, Sent>,
    sent_at: OrdSet<(Timestamp, Id)>,
    attempts: OrdMap<Arc<str>, Attempt>,
    attempted_at: OrdSet<(Timestamp, Arc<str>)>,
}

/// What the first send of an id was answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Sent {
    pub message_id: Arc<str>,
    pub sequence: u64,
    at: Timestamp,
}

/// What the first receive of an attempt took: each message with the number of its receive.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Attempt {
    at: Timestamp,
    taken: Vec<(Key, u32)>,
}

impl Deduplication {
    /// Forgets what is older than five minutes.
    fn forget(&mut self, now: Timestamp) {
        while let Some((at, id)) = self.sent_at.get_min()
            && *at + INTERVAL <= now
        {
            let id = id.clone();
            self.sent_at.remove_min();
            self.sent.remove(&id);
        }
        while let Some((at, id)) = self.attempted_at.get_min()
            && *at + INTERVAL <= now
        {
            let id = Arc::clone(id);
            self.attempted_at.remove_min();
            self.attempts.remove(&id);
        }
    }

    /// What was answered when a message with this id was sent within the last five minutes.
    pub fn find(&mut self, group: Option<&Arc<str>>, id: &Arc<str>, now: Timestamp) -> Option<Sent> {
        self.forget(now);
        self.sent.get(&(group.cloned(), Arc::clone(id))).cloned()
    }

    pub fn remember(
        &mut self,
        group: Option<&Arc<str>>,
        id: &Arc<str>,
        message_id: &Arc<str>,
        sequence: u64,
        now: Timestamp,
    ) {
        let key = (group.cloned(), Arc::clone(id));
        self.sent_at.insert((now, key.clone()));
        self.sent.insert(key, Sent { message_id: Arc::clone(message_id), sequence, at: now });
    }

    /// What the receive with this attempt's id took, within the last five minutes.
    pub fn attempt(&mut self, id: &str, now: Timestamp) -> Option<Vec<(Key, u32)>> {
        self.forget(now);
        self.attempts.get(id).map(|attempt| attempt.taken.clone())
    }

    pub fn remember_attempt(&mut self, id: &str, taken: Vec<(Key, u32)>, now: Timestamp) {
        let id: Arc<str> = id.into();
        if let Some(before) = self.attempts.insert(Arc::clone(&id), Attempt { at: now, taken }) {
            self.attempted_at.remove(&(before.at, Arc::clone(&id)));
        }
        self.attempted_at.insert((now, id));
    }

    /// The queue was purged: nothing is remembered but how many messages there were.
    pub fn purge(&mut self) {
        *self = Self { sequence: self.sequence, ..Self::default() };
    }
}
