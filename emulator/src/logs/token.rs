//! The tokens of paged answers: where to go on, in a form that callers take as opaque.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::id::EventKey;
use super::names::invalid_token;
use crate::{Result, Timestamp};

/// Where a listing of groups or streams goes on: behind this entry.
#[derive(Serialize, Deserialize)]
pub(super) struct Behind {
    /// The group, or for streams the group that they are in.
    pub of: String,
    pub name: String,
    /// The last event's time, in the order of `LastEventTime`.
    pub time: Option<Timestamp>,
}

/// Where `FilterLogEvents` goes on.
#[derive(Serialize, Deserialize)]
pub(super) struct Position {
    pub group: String,
    /// The last event that was looked at.
    pub last: EventKey,
    pub forward: bool,
    pub issued: Timestamp,
}

pub(super) fn encode(token: &impl Serialize) -> Result<String> {
    Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(token)?))
}

pub(super) fn decode<T: DeserializeOwned>(token: &str) -> Result<T> {
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| invalid_token())?;
    serde_json::from_slice(&bytes).map_err(|_| invalid_token())
}
