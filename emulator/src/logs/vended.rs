//! What delivery sources, delivery destinations and deliveries have in common: they are found by a key, told in the order in which
//! they were made, and tagged.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-and-resource-policy.html>

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::deliveries::Delivery;
use super::groups::PAGE;
use super::names::missing;
use super::store::LogGroups;
use super::token;
use crate::cloud::{At, Cx, Scope, Target};
use crate::{Error, Result};

/// One of the three.
pub(super) trait Vended: Clone + 'static {
    /// What it is in ARNs, and in what is answered.
    const KIND: &'static str;
    const NAME: &'static str;
    /// How the API tells it.
    type Shown: Serialize;

    fn all(state: &LogGroups) -> &OrdMap<String, Self>;
    fn all_mut(state: &mut LogGroups) -> &mut OrdMap<String, Self>;
    /// In the order in which they were made.
    fn number(&self) -> u64;
    fn tags(&mut self) -> &mut OrdMap<String, String>;
    fn show(&self, scope: &Scope, key: &str) -> Self::Shown;

    /// Whether a delivery needs what has this key.
    fn is_of(_: &Delivery, _: &str) -> bool {
        false
    }
}

pub(super) fn arn<T: Vended>(scope: &Scope, key: &str) -> String {
    scope.arn("logs", format_args!("{}:{key}", T::KIND))
}

/// What an operation on one acts on.
pub(super) fn on<T: Vended>(at: &At<LogGroups>, key: &str) -> Target {
    Target::on(arn::<T>(at.scope, key))
}

fn not_found<T: Vended>() -> Error {
    missing(format!("Requested {} does not exist in this account.", T::NAME))
}

pub(super) fn validation(message: impl Into<String>) -> Error {
    Error::client("ValidationException", message)
}

pub(super) fn conflict(message: impl Into<String>) -> Error {
    Error::client("ConflictException", message)
}

/// The input of operations on what has a name.
#[derive(Deserialize)]
pub(super) struct Named {
    pub name: String,
}

pub(super) fn find<'a, T: Vended>(state: &'a LogGroups, key: &str) -> Result<&'a T> {
    T::all(state).get(key).ok_or_else(not_found::<T>)
}

pub(super) fn find_mut<'a, T: Vended>(state: &'a mut LogGroups, key: &str) -> Result<&'a mut T> {
    T::all_mut(state).get_mut(key).ok_or_else(not_found::<T>)
}

/// The tags of what has this key.
pub(super) fn tags_of<'a, T: Vended>(state: &'a mut LogGroups, key: &str) -> Result<&'a mut OrdMap<String, String>> {
    find_mut::<T>(state, key).map(T::tags)
}

/// The number of what is made next.
pub(super) fn next_number<T: Vended>(state: &LogGroups) -> u64 {
    T::all(state).values().map(T::number).max().unwrap_or_default() + 1
}

/// Keeps what was made or changed, and tells it.
pub(super) fn keep<T: Vended>(cx: &mut Cx<LogGroups>, key: String, one: T) -> T::Shown {
    let shown = one.show(cx.scope, &key);
    T::all_mut(cx.state).insert(key, one);
    shown
}

pub(super) fn get<T: Vended>(cx: &Cx<LogGroups>, key: &str) -> Result<T::Shown> {
    Ok(find::<T>(cx.state, key)?.show(cx.scope, key))
}

/// Deletes what no delivery needs.
pub(super) fn delete<T: Vended>(cx: &mut Cx<LogGroups>, key: &str) -> Result<()> {
    find::<T>(cx.state, key)?;
    if cx.state.deliveries.values().any(|delivery| T::is_of(delivery, key)) {
        return Err(conflict(format!("{} {key} still has deliveries", T::NAME)));
    }
    T::all_mut(cx.state).remove(key);
    Ok(())
}

/// Which page of them is asked for.
pub(super) struct Wanted {
    pub limit: Option<usize>,
    pub next_token: Option<String>,
}

/// A page of those that are wanted, and the token for what is behind it.
pub(super) fn page<T: Vended>(
    cx: &Cx<LogGroups>,
    page: Wanted,
    is_wanted: impl Fn(&str, &T) -> bool,
) -> Result<(Vec<T::Shown>, Option<String>)> {
    let last = page.next_token.as_deref().map(token::decode::<u64>).transpose()?.unwrap_or_default();
    let all = T::all(cx.state).iter();
    let mut found: Vec<_> = all.filter(|(key, one)| one.number() > last && is_wanted(key, one)).collect();
    found.sort_by_key(|(_, one)| one.number());
    let size = page.limit.unwrap_or(PAGE).min(PAGE);
    let more = found.len() > size;
    found.truncate(size);
    let last = found.last().filter(|_| more).map(|(_, one)| one.number());
    let shown = found.into_iter().map(|(key, one)| one.show(cx.scope, key)).collect();
    Ok((shown, last.map(|number| token::encode(&number)).transpose()?))
}
