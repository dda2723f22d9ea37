//! What is peculiar to FIFO topics: sequence numbers, and the memory of what was published already.
//! <https://docs.aws.amazon.com/sns/latest/dg/fifo-message-dedup.html>

use std::time::Duration;

use imbl::{OrdMap, OrdSet};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Timestamp;

/// A message that is published again within this time is the same.
const INTERVAL: Duration = Duration::from_secs(300);
/// Sequence numbers have twenty digits and do not begin at zero.
const FIRST_SEQUENCE: u128 = 10_000_000_000_000_000_000;

/// What a FIFO topic remembers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Fifo {
    sequence: u64,
    /// By deduplication id: when it is forgotten, and what was answered.
    published: OrdMap<String, Published>,
    /// What is forgotten when.
    forgets: OrdSet<(Timestamp, String)>,
}

/// What was answered to a message.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Published {
    until: Timestamp,
    pub id: String,
    pub sequence: String,
}

impl Fifo {
    /// The message that was published under this id within the interval.
    pub fn find(&mut self, id: &str, now: Timestamp) -> Option<Published> {
        while let Some((until, old)) = self.forgets.get_min().cloned().filter(|(until, _)| *until <= now) {
            self.forgets.remove(&(until, old.clone()));
            self.published.remove(&old);
        }
        self.published.get(id).cloned()
    }

    /// Takes a message; its sequence number.
    pub fn remember(&mut self, deduplication: &str, id: &str, now: Timestamp) -> String {
        self.sequence += 1;
        let sequence = (FIRST_SEQUENCE + u128::from(self.sequence) * 4096).to_string();
        let until = now + INTERVAL;
        let published = Published { until, id: id.to_owned(), sequence: sequence.clone() };
        self.published.insert(deduplication.to_owned(), published);
        self.forgets.insert((until, deduplication.to_owned()));
        sequence
    }
}

/// The deduplication id of a message that has none: SHA-256 of its body.
pub(super) fn by_content(message: &str) -> String {
    hex::encode(Sha256::digest(message))
}
