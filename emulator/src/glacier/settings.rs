//! What is said of a vault: who is told of its jobs, who may do what, and its tags.
//!
//! <https://docs.aws.amazon.com/amazonglacier/latest/dev/configuring-notifications.html>

use std::sync::Arc;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::jobs::{Job, Task};
use super::{OfVault, Vaults, find, find_mut, invalid, not_found, on, required};
use crate::cloud::{Call, Caller, Cx, Scope, Service};
use crate::iam::policy::Policy;
use crate::{Error, Result};

/// Who publishes.
const PRINCIPAL: &str = "glacier.amazonaws.com";
/// What may be told of.
const EVENTS: [&str; 2] = ["ArchiveRetrievalCompleted", "InventoryRetrievalCompleted"];
/// A vault has so many tags, whose keys and values have so many characters.
/// <https://docs.aws.amazon.com/amazonglacier/latest/dev/tagging-vaults.html>
const MAX_TAGS: usize = 50;
const TAG_KEY: usize = 128;
const TAG_VALUE: usize = 256;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Vaults>) -> Service<Vaults> {
    service
        .op("SetVaultNotifications", |at, i: &SetNotifications| on(at, &i.vault_name), set_notifications)
        .op("GetVaultNotifications", |at, i: &OfVault| on(at, &i.vault_name), get_notifications)
        .op("DeleteVaultNotifications", |at, i: &OfVault| on(at, &i.vault_name), delete_notifications)
        .op("SetVaultAccessPolicy", |at, i: &SetPolicy| on(at, &i.vault_name), set_policy)
        .op("GetVaultAccessPolicy", |at, i: &OfVault| on(at, &i.vault_name), get_policy)
        .op("DeleteVaultAccessPolicy", |at, i: &OfVault| on(at, &i.vault_name), delete_policy)
        .op("AddTagsToVault", |at, i: &AddTags| on(at, &i.vault_name), add_tags)
        .op("RemoveTagsFromVault", |at, i: &RemoveTags| on(at, &i.vault_name), remove_tags)
        .op("ListTagsForVault", |at, i: &OfVault| on(at, &i.vault_name), list_tags)
}

/// `VaultNotificationConfig` of the API.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Notifications {
    #[serde(rename = "SNSTopic")]
    topic: Option<String>,
    #[serde(default)]
    events: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SetNotifications {
    account_id: String,
    vault_name: String,
    vault_notification_config: Option<Notifications>,
}

fn set_notifications(cx: &mut Cx<Vaults>, input: SetNotifications) -> Result<()> {
    let vault = find_mut(cx, &input.account_id, &input.vault_name)?;
    let wanted = input.vault_notification_config.ok_or_else(|| required("vaultNotificationConfig"))?;
    let topic = wanted.topic.as_deref().ok_or_else(|| required("SNSTopic"))?;
    if !topic.starts_with("arn:aws:sns:") || topic.split(':').count() != 6 {
        return Err(invalid(format!("Invalid SNS topic ARN: {topic}")));
    }
    if wanted.events.is_empty() {
        return Err(required("Events"));
    }
    if let Some(other) = wanted.events.iter().find(|event| !EVENTS.contains(&&***event)) {
        return Err(invalid(format!("Invalid event: {other}")));
    }
    vault.notifications = Some(wanted);
    Ok(())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NotificationsOutput {
    vault_notification_config: Notifications,
}

fn get_notifications(cx: &mut Cx<Vaults>, input: OfVault) -> Result<NotificationsOutput> {
    let found = find(cx, &input.account_id, &input.vault_name)?.notifications.clone();
    let missing = || not_found(format!("No notification configuration is set for vault: {}", input.vault_name));
    Ok(NotificationsOutput { vault_notification_config: found.ok_or_else(missing)? })
}

fn delete_notifications(cx: &mut Cx<Vaults>, input: OfVault) -> Result<()> {
    find_mut(cx, &input.account_id, &input.vault_name)?.notifications = None;
    Ok(())
}

/// Tells the topics of a job and of its vault that the job is done.
pub(super) fn tell(cx: &mut Cx<Vaults>, name: &str, id: &str, job: &Job) {
    let event = match job.task {
        Task::Archive { .. } => EVENTS[0],
        Task::Inventory { .. } => EVENTS[1],
    };
    let of_vault = cx.state.vaults.get(name).and_then(|vault| vault.notifications.as_ref());
    let of_vault = of_vault.filter(|told| told.events.iter().any(|one| one == event));
    let of_vault = of_vault.and_then(|told| told.topic.clone());
    let topics = job.topic.iter().cloned().chain(of_vault.filter(|topic| job.topic.as_ref() != Some(topic)));
    let message = job.shown(cx.scope, name, id).to_string();
    let topics: Vec<String> = topics.collect();
    for topic in topics {
        let arn = super::arn(cx.scope, name);
        let caller = Caller { source_arn: Some(arn), ..Caller::service(PRINCIPAL) };
        let input = json!({ "TopicArn": topic, "Message": message });
        cx.emit(Call::new("sns", "Publish", caller, Scope::of_arn(&topic), input));
    }
}

/// `VaultAccessPolicy` and `VaultLockPolicy` of the API.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PolicyText {
    pub policy: Option<String>,
}

/// A policy as it is kept.
///
/// # Errors
/// `InvalidParameterValueException` for one that cannot be read.
pub(super) fn check_policy(given: Option<PolicyText>) -> Result<Arc<str>> {
    let text = given.and_then(|given| given.policy).ok_or_else(|| required("Policy"))?;
    match Policy::read(&text) {
        Ok(_) => Ok(text.into()),
        Err(error) => Err(invalid(format!("Invalid policy: {}", error.message()))),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SetPolicy {
    account_id: String,
    vault_name: String,
    policy: Option<PolicyText>,
}

fn set_policy(cx: &mut Cx<Vaults>, input: SetPolicy) -> Result<()> {
    let vault = find_mut(cx, &input.account_id, &input.vault_name)?;
    vault.policy = Some(check_policy(input.policy)?);
    Ok(())
}

#[derive(Serialize)]
struct PolicyOutput {
    policy: PolicyText,
}

fn get_policy(cx: &mut Cx<Vaults>, input: OfVault) -> Result<PolicyOutput> {
    let found = find(cx, &input.account_id, &input.vault_name)?.policy.as_deref().map(str::to_owned);
    let missing =
        || not_found(format!("No vault access policy is set for: {}", super::arn(cx.scope, &input.vault_name)));
    Ok(PolicyOutput { policy: PolicyText { policy: Some(found.ok_or_else(missing)?) } })
}

fn delete_policy(cx: &mut Cx<Vaults>, input: OfVault) -> Result<()> {
    find_mut(cx, &input.account_id, &input.vault_name)?.policy = None;
    Ok(())
}

#[derive(Deserialize)]
struct AddTags {
    #[serde(rename = "accountId")]
    account_id: String,
    #[serde(rename = "vaultName")]
    vault_name: String,
    #[serde(rename = "Tags", default)]
    tags: OrdMap<String, String>,
}

fn add_tags(cx: &mut Cx<Vaults>, input: AddTags) -> Result<()> {
    let vault = find_mut(cx, &input.account_id, &input.vault_name)?;
    for (key, value) in &input.tags {
        if key.is_empty() || key.chars().count() > TAG_KEY || key.starts_with("aws:") {
            return Err(invalid(format!("Invalid tag key: {key}")));
        }
        if value.chars().count() > TAG_VALUE {
            return Err(invalid(format!("Invalid tag value: {value}")));
        }
    }
    let tags = input.tags.union(vault.tags.clone());
    if tags.len() > MAX_TAGS {
        return Err(Error::client("LimitExceededException", format!("A vault has at most {MAX_TAGS} tags")));
    }
    vault.tags = tags;
    Ok(())
}

#[derive(Deserialize)]
struct RemoveTags {
    #[serde(rename = "accountId")]
    account_id: String,
    #[serde(rename = "vaultName")]
    vault_name: String,
    #[serde(rename = "TagKeys", default)]
    tag_keys: Vec<String>,
}

fn remove_tags(cx: &mut Cx<Vaults>, input: RemoveTags) -> Result<()> {
    let vault = find_mut(cx, &input.account_id, &input.vault_name)?;
    for key in &input.tag_keys {
        vault.tags.remove(key);
    }
    Ok(())
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tags {
    tags: OrdMap<String, String>,
}

fn list_tags(cx: &mut Cx<Vaults>, input: OfVault) -> Result<Tags> {
    Ok(Tags { tags: find(cx, &input.account_id, &input.vault_name)?.tags.clone() })
}
