//! AWS KMS: keys and what is known of them: their states, aliases, policies and tags.
//!
//! Nothing is encrypted here, and the operations that would do so are refused by name. Key policies are kept and shown;
//! who may do what with a key is decided by IAM's policies alone.
//! <https://docs.aws.amazon.com/kms/latest/developerguide/overview.html>

mod aliases;
mod keys;
mod managed;
mod policies;
mod tags;
#[cfg(test)]
mod tests;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use crate::cloud::{At, Cx, Scope, Service, Target};
use crate::{Error, Result};
use aliases::Alias;
use keys::Key;
pub use managed::managed_key;

/// The keys of an account in a region.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Keys {
    /// By their ids.
    keys: OrdMap<String, Key>,
    /// By their names, which begin with `alias/`.
    aliases: OrdMap<String, Alias>,
}

/// The service and its operations.
pub fn service() -> Service<Keys> {
    Service::new("kms")
        .with(keys::operations)
        .with(aliases::operations)
        .with(policies::operations)
        .with(tags::operations)
}

/// The input of operations that only name a key.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfKey {
    key_id: String,
}

/// The ARN of a key.
fn arn(scope: &Scope, id: &str) -> String {
    scope.arn("kms", format_args!("key/{id}"))
}

/// A key as the target of an operation.
fn on(at: &At<Keys>, name: &str) -> Target {
    Target::on(arn(at.scope, at.state.id(at.scope, name).as_deref().unwrap_or(name)))
}

impl Keys {
    /// The id that a key's id, ARN, alias or alias's ARN stands for. An id need not be there.
    fn id(&self, scope: &Scope, name: &str) -> Option<String> {
        let local = match name.strip_prefix("arn:") {
            Some(_) => name.strip_prefix(&scope.arn("kms", ""))?,
            None => name,
        };
        match local.strip_prefix("key/") {
            Some(id) => Some(id.to_owned()),
            None if local.starts_with("alias/") => self.aliases.get(local).map(|alias| alias.key.clone()),
            None => Some(local.to_owned()),
        }
    }
}

/// The id of the key that a request names.
///
/// # Errors
/// `NotFoundException` for a key or alias that is not there.
fn find(cx: &Cx<Keys>, name: &str) -> Result<String> {
    let id = cx.state.id(cx.scope, name);
    id.filter(|id| cx.state.keys.contains_key(id)).ok_or_else(|| no_key(cx.scope, name))
}

/// The same to change it. A key that AWS manages is changed by nobody else.
fn find_mut<'a>(cx: &'a mut Cx<'_, Keys>, name: &str) -> Result<&'a mut Key> {
    let id = find(cx, name)?;
    let managed = || {
        Error::client(
            "AccessDeniedException",
            format!("{} is managed by AWS and cannot be changed", arn(cx.scope, &id)),
        )
    };
    if cx.state.keys.get(&id).is_some_and(|key| key.managed) {
        return Err(managed());
    }
    cx.state.keys.get_mut(&id).ok_or_else(|| Error::internal("a key that was found is gone"))
}

/// There is no such key.
fn no_key(scope: &Scope, name: &str) -> Error {
    let alias = name.starts_with("alias/") || name.contains(":alias/");
    let message = match (alias, name.starts_with("arn:")) {
        (true, true) => format!("Alias {name} is not found."),
        (true, false) => format!("Alias {} is not found.", scope.arn("kms", name)),
        (false, true) => format!("Key '{name}' does not exist"),
        (false, false) => format!("Key '{}' does not exist", arn(scope, name)),
    };
    Error::client("NotFoundException", message)
}

/// A page of what stands after `marker`, and the marker of the next one.
fn page<'a, T>(
    all: impl Iterator<Item = (&'a String, &'a T)>,
    limit: Option<usize>,
    size: usize,
) -> (Vec<(&'a String, &'a T)>, Option<String>) {
    let mut all = all;
    let page: Vec<_> = all.by_ref().take(limit.unwrap_or(size)).collect();
    let next = all.next().and(page.last()).map(|(name, _)| (*name).clone());
    (page, next)
}
