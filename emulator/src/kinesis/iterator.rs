//! Shard iterators: where a reader stands in a shard.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::invalid;
use crate::{Error, Result, Timestamp};

/// An iterator is good for so long.
/// <https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetShardIterator.html>
const LIFETIME: Duration = Duration::from_secs(5 * 60);

/// A place in a shard.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Iterator {
    pub stream: String,
    /// When the stream was made: an iterator is of no use for a later stream of the same name.
    pub created: Timestamp,
    pub shard: usize,
    /// The number of the record that is read next, or of the first one after it.
    pub position: u64,
    pub issued: Timestamp,
}

impl Iterator {
    /// The text that a reader gets.
    pub fn write(&self) -> String {
        let (created, issued) = (self.created.millis(), self.issued.millis());
        STANDARD.encode(format!("{}/{created}/{}/{}/{issued}", self.stream, self.shard, self.position))
    }

    /// The name of the stream in a text, if it is an iterator's.
    pub fn stream(text: &str) -> Option<String> {
        Self::parse(text).map(|iterator| iterator.stream)
    }

    /// Reads a text that a reader got before `now`.
    ///
    /// # Errors
    /// `ExpiredIteratorException`, or `InvalidArgumentException` for a text that is no iterator.
    pub fn read(text: &str, now: Timestamp) -> Result<Self> {
        let read = Self::parse(text).ok_or_else(|| invalid("Invalid ShardIterator."))?;
        if read.issued + LIFETIME < now {
            let message = format!(
                "Iterator expired. The iterator was created at time {} while right now it is {} which is further in the \
                 future than the tolerated delay of {} milliseconds.",
                read.issued.to_iso_millis(),
                now.to_iso_millis(),
                LIFETIME.as_millis()
            );
            return Err(Error::client("ExpiredIteratorException", message));
        }
        Ok(read)
    }

    fn parse(text: &str) -> Option<Self> {
        let inside = String::from_utf8(STANDARD.decode(text).ok()?).ok()?;
        let mut parts = inside.split('/');
        let mut next = || parts.next();
        let stream = next()?.to_owned();
        let created = Timestamp::from_millis(next()?.parse().ok()?);
        let shard = next()?.parse().ok()?;
        let position = next()?.parse().ok()?;
        let issued = Timestamp::from_millis(next()?.parse().ok()?);
        Some(Self { stream, created, shard, position, issued })
    }
}
