//! Vault locks: a policy that, once it is complete, nobody changes.
//!
//! It is in force from its beginning, and goes by itself if it is not completed within a day.
//! <https://docs.aws.amazon.com/amazonglacier/latest/dev/vault-lock.html>

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::settings::{PolicyText, check_policy};
use super::{OfVault, Vaults, denied, find, find_mut, invalid, not_found, on};
use crate::cloud::{Cx, Service};
use crate::{Result, Timestamp};

/// The event by which a lock goes that was not completed; its key is the vault's name.
pub(super) const GONE: &str = "LockGone";
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Characters of an id.
const ID: usize = 22;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Vaults>) -> Service<Vaults> {
    service
        .op("InitiateVaultLock", |at, i: &Initiate| on(at, &i.vault_name), initiate)
        .op("CompleteVaultLock", |at, i: &Complete| on(at, &i.vault_name), complete)
        .op("AbortVaultLock", |at, i: &OfVault| on(at, &i.vault_name), abort)
        .op("GetVaultLock", |at, i: &OfVault| on(at, &i.vault_name), get)
}

/// A lock.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Lock {
    pub policy: Arc<str>,
    id: String,
    created: Timestamp,
    /// Nothing once it is complete.
    expires: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Initiate {
    account_id: String,
    vault_name: String,
    policy: Option<PolicyText>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Initiated {
    lock_id: String,
}

fn initiate(cx: &mut Cx<Vaults>, input: Initiate) -> Result<Initiated> {
    match &find(cx, &input.account_id, &input.vault_name)?.lock {
        Some(Lock { expires: Some(_), .. }) => {
            return Err(denied("A vault lock is already in progress; it has to be aborted first."));
        }
        Some(_) => return Err(denied("The vault is locked.")),
        None => {}
    }
    let policy = check_policy(input.policy)?;
    let (id, created, expires) = (cx.ids().mixed(ID), cx.now, cx.now + DAY);
    let lock = Lock { policy, id: id.clone(), created, expires: Some(expires) };
    find_mut(cx, "-", &input.vault_name)?.lock = Some(lock);
    cx.set_timer(GONE, input.vault_name, expires);
    Ok(Initiated { lock_id: id })
}

pub(super) fn gone(cx: &mut Cx<Vaults>, name: &str) -> Result<()> {
    if let Some(vault) = cx.state.vaults.get_mut(name) {
        vault.lock = vault.lock.take().filter(|lock| lock.expires.is_none());
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Complete {
    account_id: String,
    vault_name: String,
    lock_id: String,
}

/// To complete it once more by its id is no error.
/// <https://docs.aws.amazon.com/amazonglacier/latest/dev/api-CompleteVaultLock.html>
fn complete(cx: &mut Cx<Vaults>, input: Complete) -> Result<()> {
    let vault = find_mut(cx, &input.account_id, &input.vault_name)?;
    let missing = || not_found(format!("No vault lock is in progress for vault: {}", input.vault_name));
    let lock = vault.lock.as_mut().ok_or_else(missing)?;
    if lock.id != input.lock_id {
        return Err(match lock.expires {
            Some(_) => invalid(format!("Invalid lock ID: {}", input.lock_id)),
            None => denied("The vault is locked."),
        });
    }
    lock.expires = None;
    cx.cancel_timer(GONE, input.vault_name);
    Ok(())
}

/// To abort where there is nothing to abort is no error.
/// <https://docs.aws.amazon.com/amazonglacier/latest/dev/api-AbortVaultLock.html>
fn abort(cx: &mut Cx<Vaults>, input: OfVault) -> Result<()> {
    let vault = find_mut(cx, &input.account_id, &input.vault_name)?;
    if vault.lock.as_ref().is_some_and(|lock| lock.expires.is_none()) {
        return Err(denied("The vault is locked."));
    }
    vault.lock = None;
    cx.cancel_timer(GONE, input.vault_name);
    Ok(())
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shown {
    policy: Arc<str>,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration_date: Option<String>,
    creation_date: String,
}

fn get(cx: &mut Cx<Vaults>, input: OfVault) -> Result<Shown> {
    let missing = || not_found(format!("No vault lock policy is set for: {}", super::arn(cx.scope, &input.vault_name)));
    let lock = find(cx, &input.account_id, &input.vault_name)?.lock.as_ref().ok_or_else(missing)?;
    Ok(Shown {
        policy: lock.policy.clone(),
        state: if lock.expires.is_some() { "InProgress" } else { "Locked" },
        expiration_date: lock.expires.map(Timestamp::to_iso_millis),
        creation_date: lock.created.to_iso_millis(),
    })
}
