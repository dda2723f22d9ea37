//! The tokens of paged answers: where to go on, in a form that callers take as opaque.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::id::EventKey;
use super::names::invalid_token;
use crate::{Result, Timestamp};

pub(super) use crate::token::of as encode;

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

/// Entries by their names, and the token for what is behind them.
type Page<'a, V> = (Vec<(&'a String, &'a V)>, Option<String>);

/// As many of the entries as a page takes. `of` is the group that they are in, empty where they are in none.
pub(super) fn page<'a, V: 'a>(
    found: impl IntoIterator<Item = (&'a String, &'a V)>,
    size: usize,
    of: &str,
) -> Result<Page<'a, V>> {
    let mut found = found.into_iter();
    let page: Vec<_> = found.by_ref().take(size).collect();
    let last = page.last().filter(|_| found.next().is_some());
    let behind = last.map(|(name, _)| Behind { of: of.to_owned(), name: (*name).clone(), time: None });
    let next_token = behind.map(|behind| encode(&behind)).transpose()?;
    Ok((page, next_token))
}

/// What a token says.
///
/// # Errors
/// `InvalidParameterException` for what is no token.
pub(super) fn decode<T: DeserializeOwned>(token: &str) -> Result<T> {
    crate::token::read(token).ok_or_else(invalid_token)
}
