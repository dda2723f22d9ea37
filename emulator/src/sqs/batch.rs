//! Batches: what all of them are checked for, and how each entry's outcome is told.
//!
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-batch-api-actions.html>

use serde::Serialize;

use crate::{Error, Result};

/// A batch has at most this many entries.
const MAX_ENTRIES: usize = 10;
/// The longest id of an entry, in characters.
const MAX_ID: usize = 80;

/// What came of the entries.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Outcomes<T> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    successful: Vec<T>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failed: Vec<Failure>,
}

/// An entry that failed.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Failure {
    id: String,
    sender_fault: bool,
    code: String,
    message: String,
}

/// An entry that succeeded, and has nothing else to say.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Success {
    pub id: String,
}

impl<T> Outcomes<T> {
    /// Does something for each entry. An error is its entry's alone.
    pub fn of<E>(entries: Vec<E>, id: fn(&E) -> &str, mut run: impl FnMut(E) -> Result<T>) -> Self {
        let mut outcomes = Self { successful: Vec::with_capacity(entries.len()), failed: Vec::new() };
        for entry in entries {
            let name = id(&entry).to_owned();
            match run(entry) {
                Ok(done) => outcomes.successful.push(done),
                Err(error) => outcomes.failed.push(Failure {
                    id: name,
                    sender_fault: error.is_client_fault(),
                    code: code(&error).to_owned(),
                    message: error.message().to_owned(),
                }),
            }
        }
        outcomes
    }
}

/// Within a batch the codes are those of the query protocol, whatever the protocol.
fn code(error: &Error) -> &str {
    match error.code() {
        "InvalidParameterValueException" => "InvalidParameterValue",
        "MissingRequiredParameterException" => "MissingParameter",
        code => code,
    }
}

/// Checks how many entries there are, and their ids.
pub(super) fn check<E>(entries: &[E], id: fn(&E) -> &str, kind: &str) -> Result<()> {
    if entries.is_empty() {
        let message = format!("There should be at least one {kind} in the request.");
        return Err(Error::client("EmptyBatchRequest", message));
    }
    if entries.len() > MAX_ENTRIES {
        let sent = entries.len();
        let message = format!("Maximum number of entries per request are {MAX_ENTRIES}. You have sent {sent}.");
        return Err(Error::client("TooManyEntriesInBatchRequest", message));
    }
    let is_valid = |id: &str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        (1..=MAX_ID).contains(&id.len()) && id.chars().all(allowed)
    };
    if entries.iter().any(|entry| !is_valid(id(entry))) {
        return Err(Error::client(
            "InvalidBatchEntryId",
            "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters \
             long.",
        ));
    }
    for (place, entry) in entries.iter().enumerate() {
        if entries.iter().take(place).any(|other| id(other) == id(entry)) {
            return Err(Error::client("BatchEntryIdsNotDistinct", format!("Id {} repeated.", id(entry))));
        }
    }
    Ok(())
}
