//! Listings in pages.

use imbl::OrdMap;
use serde::Serialize;

use crate::token;
use crate::{Error, Result};

/// The most that one answer lists: `MaxResults` at its highest.
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_v2_GetApis.html> names no figure; this is the REST API's `limit`.
const PAGE: usize = 500;

/// One page.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Page<T> {
    items: Vec<T>,
    next_token: Option<String>,
}

/// What a caller says of paging.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub max_results: Option<&'a str>,
    pub next_token: Option<&'a str>,
}

/// The page that is asked for. The token is the key of the last entry before it.
pub(super) fn page<V: Clone, T>(
    all: &OrdMap<String, V>,
    asked: Asked<'_>,
    item: impl Fn(&str, &V) -> Option<T>,
) -> Result<Page<T>> {
    let size = match asked.max_results {
        None => PAGE,
        Some(text) => text
            .parse()
            .ok()
            .filter(|size| (1..=PAGE).contains(size))
            .ok_or_else(|| Error::client("BadRequestException", "Invalid value for maxResults specified"))?,
    };
    let from = match asked.next_token {
        None => std::ops::Bound::Unbounded,
        Some(token) => {
            let key = token::text(token);
            let key = key.ok_or_else(|| Error::client("BadRequestException", "Invalid nextToken specified"))?;
            std::ops::Bound::Excluded(key)
        }
    };
    let mut items = Vec::new();
    let mut last = "";
    for (key, value) in all.range::<_, String>((from, std::ops::Bound::Unbounded)) {
        let Some(item) = item(key, value) else { continue };
        if items.len() == size {
            return Ok(Page { items, next_token: Some(token::of_text(last)) });
        }
        items.push(item);
        last = key;
    }
    Ok(Page { items, next_token: None })
}
