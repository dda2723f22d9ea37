//! Amazon S3 Glacier: vaults of archives, as the API of 2012 knows them.
//!
//! An archive goes in at once and comes out by a job, hours of virtual time later (`jobs.rs`). What a vault says that it holds is
//! what its last inventory found, of which there is one a day (`inventory.rs`). Provisioned capacity, Select and jobs whose output
//! goes to S3 are refused by name.
//! <https://docs.aws.amazon.com/amazonglacier/latest/dev/introduction.html>

mod archives;
mod inventory;
mod jobs;
mod locks;
mod output;
mod retrieval;
mod settings;
mod tree_hash;
mod uploads;
mod vaults;

use std::sync::Arc;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cloud::{At, Cx, Scope, Service, Target};
use crate::{Error, Result};
use vaults::Vault;

/// The vaults of an account in a region.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Vaults {
    /// By their names.
    vaults: OrdMap<Arc<str>, Vault>,
    retrieval: retrieval::Retrieval,
}

/// The service and its operations.
pub fn service() -> Service<Vaults> {
    Service::new("glacier")
        .with(vaults::operations)
        .with(archives::operations)
        .with(uploads::operations)
        .with(jobs::operations)
        .with(output::operations)
        .with(settings::operations)
        .with(locks::operations)
        .with(retrieval::operations)
        .event(inventory::EVENT, inventory::take)
        .event(jobs::DONE, jobs::done)
        .event(jobs::GONE, jobs::gone)
        .event(uploads::GONE, uploads::gone)
        .event(locks::GONE, locks::gone)
}

/// The input of operations that only name a vault.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfVault {
    account_id: String,
    vault_name: String,
}

/// The ARN of a vault.
fn arn(scope: &Scope, name: &str) -> String {
    scope.arn("glacier", format_args!("vaults/{name}"))
}

/// A vault as the target of an operation, with its policies and tags.
fn on(at: &At<Vaults>, name: &str) -> Target {
    let target = Target::on(arn(at.scope, name));
    let Some(vault) = at.state.vaults.get(name) else { return target };
    let target = target.policy(policies(vault));
    vault.tags.iter().fold(target, |target, (key, value)| {
        target
            .context(format!("glacier:ResourceTag/{key}"), value.clone())
            .context(format!("aws:ResourceTag/{key}"), value.clone())
    })
}

/// The access policy and that of the lock, which is in force from its beginning: one document of the statements of both.
fn policies(vault: &Vault) -> Option<Arc<str>> {
    let lock = vault.lock.as_ref().map(|lock| &lock.policy);
    let (access, lock) = match (&vault.policy, lock) {
        (Some(access), Some(lock)) => (access, lock),
        (one, other) => return one.clone().or_else(|| other.cloned()),
    };
    let mut merged: Value = serde_json::from_str(access).ok()?;
    let mut statements = Vec::new();
    for text in [access, lock] {
        match serde_json::from_str::<Value>(text).ok()?["Statement"].take() {
            Value::Array(more) => statements.extend(more),
            one => statements.push(one),
        }
    }
    merged["Statement"] = statements.into();
    Some(merged.to_string().into())
}

/// A request names its account by its number or by a hyphen.
/// <https://docs.aws.amazon.com/amazonglacier/latest/dev/api-error-responses.html>
fn check_account(scope: &Scope, account: &str) -> Result<()> {
    if account == "-" || *account == *scope.account {
        return Ok(());
    }
    let message = format!("The account ID in the request does not match the account of the credentials: {account}");
    Err(Error::new(403, "AccessDeniedException", message))
}

/// The vault of this name.
///
/// # Errors
/// `ResourceNotFoundException`.
fn find<'a>(cx: &'a Cx<'_, Vaults>, account: &str, name: &str) -> Result<&'a Vault> {
    check_account(cx.scope, account)?;
    cx.state.vaults.get(name).ok_or_else(|| missing_vault(cx.scope, name))
}

/// The same to be changed.
fn find_mut<'a>(cx: &'a mut Cx<'_, Vaults>, account: &str, name: &str) -> Result<&'a mut Vault> {
    check_account(cx.scope, account)?;
    cx.state.vaults.get_mut(name).ok_or_else(|| missing_vault(cx.scope, name))
}

fn missing_vault(scope: &Scope, name: &str) -> Error {
    not_found(format!("Vault not found for ARN: {}", arn(scope, name)))
}

fn not_found(message: String) -> Error {
    Error::new(404, "ResourceNotFoundException", message)
}

fn invalid(message: impl Into<String>) -> Error {
    Error::client("InvalidParameterValueException", message)
}

fn required(name: &str) -> Error {
    Error::client("MissingParameterValueException", format!("Required parameter missing: {name}"))
}

fn denied(message: impl Into<String>) -> Error {
    Error::new(403, "AccessDeniedException", message)
}

/// So many items are on a page, if the request does not say; vaults have a figure of their own.
const PAGE: usize = 50;

/// A page of what comes after `marker`, and the marker of the next one: the name of its first item.
fn page<T>(
    all: impl Iterator<Item = (String, T)>,
    marker: Option<&str>,
    limit: Option<&str>,
    most: usize,
) -> Result<(Vec<T>, Option<String>)> {
    let limit = match limit {
        None => most,
        Some(text) => text
            .parse::<usize>()
            .ok()
            .filter(|limit| (1..=most).contains(limit))
            .ok_or_else(|| invalid(format!("Invalid limit: {text}. The limit must be between 1 and {most}.")))?,
    };
    let mut rest = all.skip_while(|(name, _)| marker.is_some_and(|marker| name != marker)).peekable();
    if marker.is_some() && rest.peek().is_none() {
        return Err(invalid(format!("Invalid marker: {}", marker.unwrap_or_default())));
    }
    let page = rest.by_ref().take(limit).map(|(_, item)| item).collect();
    Ok((page, rest.next().map(|(name, _)| name)))
}

/// Printable ASCII, at most 1,024 characters.
/// <https://docs.aws.amazon.com/amazonglacier/latest/dev/api-archive-post.html>
fn check_description(text: Option<&str>) -> Result<()> {
    let fits = |text: &str| text.len() <= 1024 && text.bytes().all(|byte| (0x20..=0x7e).contains(&byte));
    match text.filter(|text| !fits(text)) {
        None => Ok(()),
        Some(text) => Err(invalid(format!("Invalid archive description: {text}"))),
    }
}
