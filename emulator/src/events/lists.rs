//! Lists and their pages.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use imbl::OrdMap;

use super::bus::invalid;
use crate::Result;

/// Lists answer at most this many at a time.
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListRules.html>
const PAGE: usize = 100;

/// One page of a list.
pub(super) struct Page<'a, T> {
    pub items: Vec<(&'a String, &'a T)>,
    pub next_token: Option<String>,
}

/// A page of what a map holds under keys that begin with `prefix`. The token is the last key of the page before.
pub(super) fn page<'a, T: Clone>(
    map: &'a OrdMap<String, T>,
    prefix: &str,
    token: Option<&str>,
    limit: Option<usize>,
    shown: impl Fn(&T) -> bool,
) -> Result<Page<'a, T>> {
    let after = match token {
        None => None,
        Some(token) => {
            let decoded = STANDARD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            Some(decoded.ok_or_else(|| invalid("Parameter NextToken is not valid."))?)
        }
    };
    let from = after.as_deref().filter(|after| *after > prefix).unwrap_or(prefix).to_owned();
    let mut found = map
        .range(from..)
        .take_while(|(key, _)| key.starts_with(prefix))
        .filter(|(key, item)| after.as_ref() != Some(*key) && shown(item));
    let items: Vec<(&String, &T)> = found.by_ref().take(limit.unwrap_or(PAGE).clamp(1, PAGE)).collect();
    let more = found.next().is_some();
    let next_token = items.last().filter(|_| more).map(|(key, _)| STANDARD.encode(key));
    Ok(Page { items, next_token })
}
