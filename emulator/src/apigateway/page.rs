//! Pages of lists. The position is the key of the last element that was seen, in base64: clients are not to read it.

use std::ops::Bound;

use imbl::OrdMap;
use serde::Serialize;

use crate::token;

/// A page has this many elements if nothing is said, and at most so many.
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetRestApis.html>
const DEFAULT_LIMIT: i64 = 25;
const MAX_LIMIT: i64 = 500;

/// A page of a list.
#[derive(Serialize)]
pub(super) struct Page<V> {
    pub items: Vec<V>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<String>,
}

/// A page of a map's elements, as `view` shows them; those that it does not show are passed over.
pub(super) fn page<T: Clone, V>(
    map: &OrdMap<String, T>,
    position: Option<&String>,
    limit: Option<i64>,
    mut view: impl FnMut(&T) -> Option<V>,
) -> Page<V> {
    let limit = usize::try_from(limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT)).unwrap_or(1);
    let position = position.and_then(|position| token::text(position));
    let from = position.map_or(Bound::Unbounded, Bound::Excluded);
    let mut items = Vec::new();
    let mut last = None;
    for (key, element) in map.range((from, Bound::Unbounded)) {
        if items.len() == limit {
            return Page { items, position: last.map(|key: String| token::of_text(&key)) };
        }
        if let Some(shown) = view(element) {
            items.push(shown);
            last = Some(key.clone());
        }
    }
    Page { items, position: None }
}
