//! Shard iterators: where a reader stands in a stream.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::{Error, Result, Timestamp};

/// An iterator is good for so long.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetShardIterator.html>
const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// A place in a stream.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Iterator {
    pub arn: String,
    /// The number of the record that is read next; 0 for the oldest one that there is.
    pub position: u64,
    pub issued: Timestamp,
}

impl Iterator {
    /// The text that a reader gets: the stream's ARN, a version, and what only Garoa reads.
    pub fn write(&self) -> String {
        let inside = format!("{}|{}", self.position, self.issued.millis());
        format!("{}|1|{}", self.arn, URL_SAFE_NO_PAD.encode(inside))
    }

    /// The ARN in a text, if it is an iterator's.
    pub fn arn(text: &str) -> Option<&str> {
        text.split_once("|1|").map(|(arn, _)| arn)
    }

    /// Reads a text that a reader got before `now`.
    ///
    /// # Errors
    /// `ExpiredIteratorException`, or a `ValidationException` for a text that is no iterator.
    pub fn read(text: &str, now: Timestamp) -> Result<Self> {
        let read = Self::parse(text).ok_or_else(|| Error::client("ValidationException", "Invalid ShardIterator"))?;
        if read.issued + LIFETIME < now {
            let message = "Shard iterator has expired. Please use a newer iterator.";
            return Err(Error::client("ExpiredIteratorException", message));
        }
        Ok(read)
    }

    fn parse(text: &str) -> Option<Self> {
        let (arn, inside) = text.split_once("|1|")?;
        let inside = String::from_utf8(URL_SAFE_NO_PAD.decode(inside).ok()?).ok()?;
        let (position, issued) = inside.split_once('|')?;
        let issued = Timestamp::from_millis(issued.parse().ok()?);
        Some(Self { arn: arn.to_owned(), position: position.parse().ok()?, issued })
    }
}
