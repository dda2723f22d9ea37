//! Events as they are kept: those that one call of `PutLogEvents` brought share their stream, the time of their ingestion and one
//! text, in which their messages stand one after the other. Most messages are about as long as what keeping each by itself takes.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Error, Result, Timestamp};

/// AWS counts this many bytes for an event besides its message.
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html>
pub(super) const EVENT_OVERHEAD: usize = 26;

/// What the events of a call share.
#[derive(Debug)]
struct Batch {
    stream: Arc<str>,
    ingested: Timestamp,
    text: Box<str>,
}

/// An event, without its key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "Plain", into = "Plain")]
pub(super) struct Event {
    batch: Arc<Batch>,
    /// Where its message begins and ends. Calls are far smaller than what 32 bits count.
    start: u32,
    end: u32,
}

impl Event {
    /// The events of a call.
    pub fn of_call(stream: &Arc<str>, ingested: Timestamp, messages: &[&str]) -> Result<impl Iterator<Item = Self>> {
        let text = messages.concat().into_boxed_str();
        u32::try_from(text.len()).map_err(Error::internal)?;
        let batch = Arc::new(Batch { stream: Arc::clone(stream), ingested, text });
        let mut end = 0;
        Ok(messages.iter().map(move |message| {
            let start = end;
            end += message.len() as u32;
            Self { batch: Arc::clone(&batch), start, end }
        }))
    }

    pub fn stream(&self) -> &Arc<str> {
        &self.batch.stream
    }

    pub fn ingested(&self) -> Timestamp {
        self.batch.ingested
    }

    pub fn message(&self) -> &str {
        self.batch.text.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    /// What the event counts against every limit, in bytes.
    pub fn size(&self) -> usize {
        self.message().len() + EVENT_OVERHEAD
    }
}

/// An event as it is saved.
#[derive(Serialize, Deserialize)]
struct Plain {
    stream: Arc<str>,
    ingested: Timestamp,
    message: String,
}

impl From<Event> for Plain {
    fn from(event: Event) -> Self {
        Self { stream: Arc::clone(event.stream()), ingested: event.ingested(), message: event.message().to_owned() }
    }
}

impl TryFrom<Plain> for Event {
    type Error = Error;

    fn try_from(plain: Plain) -> Result<Self> {
        let message = [&*plain.message];
        let mut events = Self::of_call(&plain.stream, plain.ingested, &message)?;
        events.next().ok_or_else(|| Error::internal("one message is one event"))
    }
}
