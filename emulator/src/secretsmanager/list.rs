//! `ListSecrets`, and the paging of lists.

use serde::{Deserialize, Serialize};

use super::describe::Description;
use super::filter::{Filter, Matcher};
use super::store::{Secret, Secrets};
use crate::cloud::{Cx, Service, Target};
use crate::token;
use crate::{Error, Result};

/// A page of secrets holds this many.
/// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ListSecrets.html>
const PAGE: usize = 100;

pub(super) fn operations(service: Service<Secrets>) -> Service<Secrets> {
    service.op("ListSecrets", |_, _: &ListSecrets| Target::any(), list)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListSecrets {
    #[serde(default)]
    include_planned_deletion: bool,
    max_results: Option<usize>,
    next_token: Option<String>,
    #[serde(default)]
    filters: Vec<Filter>,
    sort_order: Option<String>,
    sort_by: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    secret_list: Vec<Description>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// What secrets are sorted by, and which way.
#[derive(Clone, Copy, Default)]
pub(super) struct Order {
    by: SortBy,
    descending: bool,
}

#[derive(Clone, Copy, Default)]
enum SortBy {
    #[default]
    Created,
    Accessed,
    Changed,
    Name,
}

/// Where a secret stands in an order; the last part tells apart what is equal.
type Place = (i64, String, u64);

impl Order {
    fn place(self, secret: &Secret) -> Place {
        let by = match self.by {
            SortBy::Created => (secret.created.millis(), String::new()),
            SortBy::Accessed => (secret.accessed.map_or(i64::MIN, |accessed| accessed.millis()), String::new()),
            SortBy::Changed => (secret.changed.millis(), String::new()),
            SortBy::Name => (0, secret.name.to_string()),
        };
        (by.0, by.1, secret.number)
    }
}

fn list(cx: &mut Cx<Secrets>, input: ListSecrets) -> Result<Listed> {
    let matcher = Matcher::new(&input.filters)?;
    let by = match input.sort_by.as_deref() {
        Some("name") => SortBy::Name,
        Some("last-accessed-date") => SortBy::Accessed,
        Some("last-changed-date") => SortBy::Changed,
        _ => SortBy::Created,
    };
    let order = Order { by, descending: input.sort_order.as_deref() == Some("desc") };
    let shown =
        |secret: &&Secret| (input.include_planned_deletion || secret.deletion.is_none()) && matcher.matches(secret);
    let size = input.max_results.unwrap_or(PAGE).min(PAGE);
    let (page, next_token) = page(cx.state.of(cx.scope).filter(shown), order, size, input.next_token)?;
    Ok(Listed { secret_list: page.into_iter().map(Description::listed).collect(), next_token })
}

/// A page of secrets in an order, and where to go on.
pub(super) fn page<'a>(
    secrets: impl Iterator<Item = &'a Secret>,
    order: Order,
    size: usize,
    token: Option<String>,
) -> Result<(Vec<&'a Secret>, Option<String>)> {
    let last: Option<Place> = token.map(|token| token::read(&token).ok_or_else(invalid_token)).transpose()?;
    let mut found: Vec<(Place, &Secret)> = secrets.map(|secret| (order.place(secret), secret)).collect();
    found.sort_by(|(one, _), (other, _)| if order.descending { other.cmp(one) } else { one.cmp(other) });
    let is_behind = |place: &Place| match &last {
        Some(last) if order.descending => place < last,
        Some(last) => place > last,
        None => true,
    };
    let mut rest = found.into_iter().filter(|(place, _)| is_behind(place));
    let page: Vec<(Place, &Secret)> = rest.by_ref().take(size).collect();
    let next = match (rest.next(), page.last()) {
        (Some(_), Some((place, _))) => Some(token::of(place)?),
        _ => None,
    };
    Ok((page.into_iter().map(|(_, secret)| secret).collect(), next))
}

/// A page of what has an order already, and where to go on: behind the entry of this id.
pub(super) fn page_of<T>(
    entries: Vec<T>,
    id: fn(&T) -> String,
    size: usize,
    token: Option<String>,
) -> Result<(Vec<T>, Option<String>)> {
    let start = match token {
        Some(token) => {
            let last: String = token::read(&token).ok_or_else(invalid_token)?;
            1 + entries.iter().position(|entry| id(entry) == last).ok_or_else(invalid_token)?
        }
        None => 0,
    };
    let more = entries.len() > start + size;
    let page: Vec<T> = entries.into_iter().skip(start).take(size).collect();
    let next = page.last().filter(|_| more).map(|last| token::of(&id(last))).transpose()?;
    Ok((page, next))
}

fn invalid_token() -> Error {
    Error::client("InvalidNextTokenException", "Invalid NextToken value.")
}
