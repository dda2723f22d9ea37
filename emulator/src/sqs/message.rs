//! A message: what was sent, and what became of it since.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::digest::{self, AttributeValue};
use crate::Timestamp;

/// Sequence numbers have twenty digits and begin somewhere; AWS's begin about here, and grow by some step.
const FIRST_SEQUENCE_NUMBER: u128 = 18_849_496_460_467_696_128;
const SEQUENCE_STEP: u128 = 256;

/// What was sent. It never changes, and is shared by everything that holds the message.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Content {
    pub id: Arc<str>,
    pub body: Arc<str>,
    pub body_md5: Arc<str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub attributes: BTreeMap<String, AttributeValue>,
    /// `AWSTraceHeader`, the one system attribute that can be sent.
    pub trace: Option<AttributeValue>,
    /// `SenderId`.
    pub sender: Arc<str>,
    pub group: Option<Arc<str>>,
    pub deduplication: Option<Arc<str>>,
    /// The how-manieth message of its FIFO queue it is.
    pub sequence: Option<u64>,
}

impl Content {
    pub fn attributes_md5(&self) -> Option<String> {
        (!self.attributes.is_empty()).then(|| digest::of_attributes(&self.attributes))
    }

    pub fn sequence_number(&self) -> Option<String> {
        self.sequence.map(sequence_number)
    }
}

/// The sequence number of the how-manieth message.
pub(super) fn sequence_number(sequence: u64) -> String {
    format!("{:020}", FIRST_SEQUENCE_NUMBER + SEQUENCE_STEP * u128::from(sequence))
}

/// A message in a queue.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Message {
    pub content: Arc<Content>,
    pub state: State,
    /// `ApproximateReceiveCount`.
    pub receives: u32,
    pub first_received: Option<Timestamp>,
    /// When it was last received: a visibility timeout ends twelve hours after that.
    pub received: Timestamp,
    /// `DeadLetterQueueSourceArn`: the queue that it was moved here from.
    pub source: Option<Arc<str>>,
    /// Whether it is a copy that the queue delivers although the message is delivered already.
    pub is_copy: bool,
}

/// Where a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum State {
    /// It can be received.
    Visible,
    /// It was sent and is not visible before this time.
    Delayed(Timestamp),
    /// It was received and is visible again at this time.
    InFlight(Timestamp),
}

impl Message {
    pub fn is_in_flight(&self) -> bool {
        matches!(self.state, State::InFlight(_))
    }

    /// A message that nobody has received.
    pub fn new(content: Arc<Content>) -> Self {
        Self {
            content,
            state: State::Visible,
            receives: 0,
            first_received: None,
            received: Timestamp::default(),
            source: None,
            is_copy: false,
        }
    }
}
