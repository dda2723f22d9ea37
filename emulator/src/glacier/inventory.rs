//! Inventories: what a vault holds, written down once a day if anything changed.
//!
//! <https://docs.aws.amazon.com/amazonglacier/latest/dev/vault-inventory.html>

use std::sync::Arc;
use std::time::Duration;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::archives::Archive;
use super::vaults::Vault;
use super::{Vaults, arn, invalid};
use crate::cloud::{Cx, Scope};
use crate::{Result, Timestamp};

/// The event by which one is taken; its key is the vault's name.
pub(super) const EVENT: &str = "Inventory";
const DAY: Duration = Duration::from_secs(24 * 3600);
/// What an archive takes in a vault besides its bytes.
/// <https://aws.amazon.com/s3/faqs/#S3_Glacier_storage_classes>: 32 KB for its index and metadata
const OVERHEAD: u64 = 32 * 1024;

/// An inventory.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Inventory {
    pub taken: Timestamp,
    pub archives: OrdMap<Arc<str>, Archive>,
}

impl Inventory {
    /// What the vault says it holds.
    pub fn size(&self) -> u64 {
        self.archives.values().map(|archive| archive.size + OVERHEAD).sum()
    }
}

/// Notes that archives came or went: the next inventory, at the hour at which the vault was made, will tell.
pub(super) fn changed(cx: &mut Cx<Vaults>, name: &str) {
    let now = cx.now;
    let Some(vault) = cx.state.vaults.get_mut(name) else { return };
    if vault.changed {
        return;
    }
    vault.changed = true;
    let days = now.since(vault.created).as_secs() / DAY.as_secs() + 1;
    let next = vault.created + Duration::from_secs(days * DAY.as_secs());
    cx.set_timer(EVENT, name, next);
}

/// Takes one.
pub(super) fn take(cx: &mut Cx<Vaults>, name: &str) -> Result<()> {
    let now = cx.now;
    if let Some(vault) = cx.state.vaults.get_mut(name) {
        vault.changed = false;
        vault.inventory = Some(Inventory { taken: now, archives: vault.archives.clone() });
    }
    Ok(())
}

/// Which part of an inventory a job is to tell.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Range {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}

impl Range {
    /// # Errors
    /// `InvalidParameterValueException` for what is no date or number.
    pub fn check(&self) -> Result<()> {
        for text in [&self.start_date, &self.end_date].into_iter().flatten() {
            text.parse::<Timestamp>().map_err(|_| invalid(format!("Invalid date: {text}")))?;
        }
        match self.limit.as_deref().map(|text| (text, text.parse::<usize>())) {
            Some((text, Err(_) | Ok(0))) => Err(invalid(format!("Invalid limit: {text}"))),
            _ => Ok(()),
        }
    }
}

/// An inventory as it is downloaded, and where the next part of it begins. Archives are in the order in which they came.
pub(super) fn written(scope: &Scope, vault: &Vault, csv: bool, range: &Range) -> Option<(String, Option<String>)> {
    let found = vault.inventory.as_ref()?;
    let date = |text: &Option<String>| text.as_ref().and_then(|text| text.parse::<Timestamp>().ok());
    let (start, end) = (date(&range.start_date), date(&range.end_date));
    let within = |archive: &Archive| {
        start.is_none_or(|start| archive.created >= start) && end.is_none_or(|end| archive.created < end)
    };
    let mut all: Vec<(&Arc<str>, &Archive)> = found.archives.iter().filter(|(_, archive)| within(archive)).collect();
    all.sort_by_key(|(_, archive)| archive.number);
    let begins = range.marker.as_ref().and_then(|marker| all.iter().position(|(id, _)| ***id == **marker));
    let limit = range.limit.as_ref().and_then(|limit| limit.parse().ok()).unwrap_or(usize::MAX);
    let mut rest = all.into_iter().skip(begins.unwrap_or_default());
    let shown: Vec<(&Arc<str>, &Archive)> = rest.by_ref().take(limit).collect();
    let next = rest.next().map(|(id, _)| id.to_string());
    let text = if csv { as_csv(&shown) } else { as_json(scope, vault, found, &shown) };
    Some((text, next))
}

fn as_json(scope: &Scope, vault: &Vault, found: &Inventory, shown: &[(&Arc<str>, &Archive)]) -> String {
    let entry = |(id, archive): &(&Arc<str>, &Archive)| {
        json!({
            "ArchiveId": id,
            "ArchiveDescription": archive.description.as_deref().unwrap_or_default(),
            "CreationDate": archive.created.to_iso_secs(),
            "Size": archive.size,
            "SHA256TreeHash": hex::encode(archive.hash),
        })
    };
    let list: Vec<Value> = shown.iter().map(entry).collect();
    let inventory = json!({
        "VaultARN": arn(scope, &vault.name), "InventoryDate": found.taken.to_iso_secs(), "ArchiveList": list,
    });
    inventory.to_string()
}

fn as_csv(shown: &[(&Arc<str>, &Archive)]) -> String {
    let mut text = "ArchiveId,ArchiveDescription,CreationDate,Size,SHA256TreeHash\n".to_owned();
    for (id, archive) in shown {
        let description = archive.description.as_deref().unwrap_or_default().replace('"', "\"\"");
        let (created, size) = (archive.created.to_iso_secs(), archive.size);
        let hash = hex::encode(archive.hash);
        text.push_str(&format!("{id},\"{description}\",{created},{size},{hash}\n"));
    }
    text
}
