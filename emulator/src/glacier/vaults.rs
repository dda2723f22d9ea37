//! Vaults: `CreateVault`, `DescribeVault`, `ListVaults`, `DeleteVault`.
//!
//! <https://docs.aws.amazon.com/amazonglacier/latest/dev/working-with-vaults.html>

use std::sync::Arc;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::archives::Archive;
use super::inventory::Inventory;
use super::jobs::Job;
use super::locks::Lock;
use super::settings::Notifications;
use super::uploads::Upload;
use super::{OfVault, Vaults, arn, check_account, find, invalid, on, page};
use crate::cloud::{Cx, Scope, Service, Target};
use crate::{Error, Result, Timestamp};

/// An account has so many in a region, and a name so many characters.
/// <https://docs.aws.amazon.com/amazonglacier/latest/dev/creating-vaults.html>
const MAX_VAULTS: usize = 1000;
const NAME: usize = 255;
/// A page of vaults.
/// <https://docs.aws.amazon.com/amazonglacier/latest/dev/api-vaults-get.html>
const PAGE: usize = 10;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Vaults>) -> Service<Vaults> {
    service
        .op("CreateVault", |at, i: &OfVault| on(at, &i.vault_name), create)
        .op("DescribeVault", |at, i: &OfVault| on(at, &i.vault_name), describe)
        .op("ListVaults", |at, _: &ListVaults| Target::on(arn(at.scope, "*")), list)
        .op("DeleteVault", |at, i: &OfVault| on(at, &i.vault_name), delete)
}

/// A vault.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Vault {
    pub name: Arc<str>,
    pub created: Timestamp,
    /// By their ids.
    pub archives: OrdMap<Arc<str>, Archive>,
    /// What is under way, by its id, and the same for jobs.
    pub uploads: OrdMap<String, Upload>,
    pub jobs: OrdMap<String, Job>,
    /// The last one.
    pub inventory: Option<Inventory>,
    /// Whether archives came or went since then.
    pub changed: bool,
    pub notifications: Option<Notifications>,
    pub policy: Option<Arc<str>>,
    pub lock: Option<Lock>,
    pub tags: OrdMap<String, String>,
}

/// `DescribeVaultOutput` of the API.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shape {
    #[serde(rename = "VaultARN")]
    vault_arn: String,
    vault_name: Arc<str>,
    creation_date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_inventory_date: Option<String>,
    number_of_archives: usize,
    size_in_bytes: u64,
}

fn shape(scope: &Scope, vault: &Vault) -> Shape {
    let found = vault.inventory.as_ref();
    Shape {
        vault_arn: arn(scope, &vault.name),
        vault_name: vault.name.clone(),
        creation_date: vault.created.to_iso_millis(),
        last_inventory_date: found.map(|found| found.taken.to_iso_millis()),
        number_of_archives: found.map_or(0, |found| found.archives.len()),
        size_in_bytes: found.map_or(0, Inventory::size),
    }
}

#[derive(Serialize)]
struct Created {
    location: String,
}

/// To create one that is there changes nothing.
fn create(cx: &mut Cx<Vaults>, input: OfVault) -> Result<Created> {
    check_account(cx.scope, &input.account_id)?;
    let name = &input.vault_name;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    if name.is_empty() || name.len() > NAME || !name.bytes().all(fits) {
        return Err(invalid(format!("Invalid vaultName: {name}")));
    }
    if !cx.state.vaults.contains_key(&**name) {
        if cx.state.vaults.len() >= MAX_VAULTS {
            return Err(Error::client("LimitExceededException", format!("Vault limit of {MAX_VAULTS} reached")));
        }
        let name: Arc<str> = name.as_str().into();
        let vault = Vault {
            name: name.clone(),
            created: cx.now,
            archives: OrdMap::new(),
            uploads: OrdMap::new(),
            jobs: OrdMap::new(),
            inventory: None,
            changed: false,
            notifications: None,
            policy: None,
            lock: None,
            tags: OrdMap::new(),
        };
        cx.state.vaults.insert(name, vault);
    }
    Ok(Created { location: location(cx.scope, name, "") })
}

/// Where something in a vault is.
pub(super) fn location(scope: &Scope, vault: &str, rest: impl std::fmt::Display) -> String {
    format!("/{}/vaults/{vault}{rest}", scope.account)
}

fn describe(cx: &mut Cx<Vaults>, input: OfVault) -> Result<Shape> {
    let vault = find(cx, &input.account_id, &input.vault_name)?;
    Ok(shape(cx.scope, vault))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListVaults {
    account_id: String,
    marker: Option<String>,
    limit: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    vault_list: Vec<Shape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

fn list(cx: &mut Cx<Vaults>, input: ListVaults) -> Result<Listed> {
    check_account(cx.scope, &input.account_id)?;
    // The marker is the ARN of the next vault.
    let all = cx.state.vaults.values().map(|vault| (arn(cx.scope, &vault.name), shape(cx.scope, vault)));
    let (vault_list, marker) = page(all, input.marker.as_deref(), input.limit.as_deref(), PAGE)?;
    Ok(Listed { vault_list, marker })
}

/// A vault goes if its last inventory found nothing and nothing was written since. One that is gone stays so.
/// <https://docs.aws.amazon.com/amazonglacier/latest/dev/api-vault-delete.html>
fn delete(cx: &mut Cx<Vaults>, input: OfVault) -> Result<()> {
    check_account(cx.scope, &input.account_id)?;
    let Some(vault) = cx.state.vaults.get(&*input.vault_name) else { return Ok(()) };
    let holds = vault.inventory.as_ref().is_some_and(|found| !found.archives.is_empty());
    if holds || vault.changed {
        let arn = arn(cx.scope, &vault.name);
        return Err(invalid(format!("Vault not empty or recently written to: {arn}")));
    }
    let ids: Vec<String> = vault.jobs.keys().cloned().collect();
    let uploads: Vec<String> = vault.uploads.keys().cloned().collect();
    for id in ids {
        cx.cancel_timer(super::jobs::DONE, format!("{}/{id}", input.vault_name));
        cx.cancel_timer(super::jobs::GONE, format!("{}/{id}", input.vault_name));
    }
    for id in uploads {
        cx.cancel_timer(super::uploads::GONE, format!("{}/{id}", input.vault_name));
    }
    cx.cancel_timer(super::locks::GONE, input.vault_name.as_str());
    cx.state.vaults.remove(&*input.vault_name);
    Ok(())
}
