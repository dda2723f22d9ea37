//! Keys: made, described, listed, enabled, disabled, and deleted after a while.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html>

use std::collections::BTreeMap;
use std::ops::Bound;
use std::time::Duration;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::tags::Tag;
use super::{Keys, OfKey, arn, find, find_mut, managed, no_key, on, page, policies, tags};
use crate::cloud::{Cx, Service, Target};
use crate::{Error, Result, Timestamp};

/// `ListKeys` answers so many, if the request does not say.
const PAGE: usize = 100;
/// A key is deleted after so many days, and at the most and least after so many.
/// <https://docs.aws.amazon.com/kms/latest/APIReference/API_ScheduleKeyDeletion.html>
const WINDOW: i64 = 30;
const LEAST_WINDOW: i64 = 7;
const DAY: Duration = Duration::from_secs(86_400);
/// The event that deletes a key.
const DELETE: &str = "DeleteKey";

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Keys>) -> Service<Keys> {
    service
        .op("CreateKey", |_, _: &CreateKey| Target::any(), create)
        .op("DescribeKey", |at, i: &DescribeKey| on(at, &i.key_id), describe)
        .op("ListKeys", |_, _: &ListKeys| Target::any(), list)
        .op("EnableKey", |at, i: &OfKey| on(at, &i.key_id), |cx, i| switch(cx, &i.key_id, true))
        .op("DisableKey", |at, i: &OfKey| on(at, &i.key_id), |cx, i| switch(cx, &i.key_id, false))
        .op("ScheduleKeyDeletion", |at, i: &ScheduleDeletion| on(at, &i.key_id), schedule_deletion)
        .op("CancelKeyDeletion", |at, i: &OfKey| on(at, &i.key_id), cancel_deletion)
        .event(DELETE, delete)
}

/// A key. All are symmetric.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Key {
    description: String,
    /// Whether AWS manages it.
    pub managed: bool,
    created: Timestamp,
    enabled: bool,
    /// When it is deleted, if it is to be, and the days that it was given.
    deletion: Option<(Timestamp, i64)>,
    pub policy: String,
    pub tags: OrdMap<String, String>,
    /// The id of its material.
    material: String,
}

impl Key {
    /// A key that AWS manages.
    pub fn managed(cx: &mut Cx<Keys>, description: String) -> Self {
        let policy = policies::standard(cx.scope);
        let (created, material) = (cx.now, cx.ids().hex(64));
        Self {
            description,
            managed: true,
            created,
            enabled: true,
            deletion: None,
            policy,
            tags: OrdMap::new(),
            material,
        }
    }

    fn state(&self) -> &'static str {
        match (self.deletion, self.enabled) {
            (Some(_), _) => "PendingDeletion",
            (None, true) => "Enabled",
            (None, false) => "Disabled",
        }
    }

    /// Refuses to change a key that is to be deleted.
    pub fn check_state(&self, arn: &str) -> Result<()> {
        if self.deletion.is_none() {
            return Ok(());
        }
        Err(Error::client("KMSInvalidStateException", format!("{arn} is pending deletion.")))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateKey {
    policy: Option<String>,
    description: Option<String>,
    key_usage: Option<String>,
    key_spec: Option<String>,
    customer_master_key_spec: Option<String>,
    origin: Option<String>,
    #[serde(default)]
    multi_region: bool,
    #[serde(default)]
    tags: Vec<Tag>,
    #[serde(rename = "BypassPolicyLockoutSafetyCheck")]
    _bypass: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct KeyOutput {
    key_metadata: Value,
}

fn create(cx: &mut Cx<Keys>, input: CreateKey) -> Result<KeyOutput> {
    let only = [
        ("KeyUsage", &input.key_usage, "ENCRYPT_DECRYPT"),
        ("KeySpec", &input.key_spec, "SYMMETRIC_DEFAULT"),
        ("CustomerMasterKeySpec", &input.customer_master_key_spec, "SYMMETRIC_DEFAULT"),
        ("Origin", &input.origin, "AWS_KMS"),
    ];
    for (member, given, served) in only {
        if let Some(other) = given.as_deref().filter(|given| *given != served) {
            return Err(Error::not_implemented(format!("the {member} {other} of kms:CreateKey")));
        }
    }
    if input.multi_region {
        return Err(Error::not_implemented("keys of several regions"));
    }
    let policy = input.policy.as_deref().map(policies::check).transpose()?;
    let mut set = OrdMap::new();
    tags::add(&mut set, input.tags)?;
    let id = cx.ids().uuid();
    let key = Key {
        description: input.description.unwrap_or_default(),
        managed: false,
        policy: policy.unwrap_or_else(|| policies::standard(cx.scope)),
        tags: set,
        ..Key::managed(cx, String::new())
    };
    cx.state.keys.insert(id.clone(), key);
    metadata(cx, &id)
}

fn metadata(cx: &Cx<Keys>, id: &str) -> Result<KeyOutput> {
    let key = cx.state.keys.get(id).ok_or_else(|| no_key(cx.scope, id))?;
    let mut key_metadata = json!({
        "AWSAccountId": cx.scope.account,
        "KeyId": id,
        "Arn": arn(cx.scope, id),
        "CreationDate": key.created,
        "Enabled": key.state() == "Enabled",
        "Description": key.description,
        "KeyUsage": "ENCRYPT_DECRYPT",
        "KeyState": key.state(),
        "Origin": "AWS_KMS",
        "KeyManager": if key.managed { "AWS" } else { "CUSTOMER" },
        "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
        "MultiRegion": false,
    });
    match key.deletion {
        Some((at, _)) => key_metadata["DeletionDate"] = json!(at),
        None => key_metadata["CurrentKeyMaterialId"] = json!(key.material),
    }
    Ok(KeyOutput { key_metadata })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DescribeKey {
    key_id: String,
    /// Grants are not there, so that there is nothing that a token could add.
    #[serde(rename = "GrantTokens")]
    _grant_tokens: Option<Vec<String>>,
}

fn describe(cx: &mut Cx<Keys>, input: DescribeKey) -> Result<KeyOutput> {
    managed::make(cx, &input.key_id)?;
    let id = find(cx, &input.key_id)?;
    metadata(cx, &id)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListKeys {
    limit: Option<usize>,
    marker: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListOutput {
    keys: Vec<BTreeMap<&'static str, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
    truncated: bool,
}

fn list(cx: &mut Cx<Keys>, input: ListKeys) -> Result<ListOutput> {
    let start = input.marker.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
    let found = cx.state.keys.range::<_, str>((start, Bound::Unbounded));
    let (found, next_marker) = page(found, input.limit, PAGE);
    let entry = |id: &String| BTreeMap::from([("KeyId", id.clone()), ("KeyArn", arn(cx.scope, id))]);
    let keys = found.into_iter().map(|(id, _)| entry(id)).collect();
    Ok(ListOutput { keys, truncated: next_marker.is_some(), next_marker })
}

fn switch(cx: &mut Cx<Keys>, name: &str, on: bool) -> Result<()> {
    let arn = arn(cx.scope, &find(cx, name)?);
    let key = find_mut(cx, name)?;
    key.check_state(&arn)?;
    key.enabled = on;
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ScheduleDeletion {
    key_id: String,
    pending_window_in_days: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DeletionOutput {
    key_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    deletion_date: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pending_window_in_days: Option<i64>,
}

fn schedule_deletion(cx: &mut Cx<Keys>, input: ScheduleDeletion) -> Result<DeletionOutput> {
    let days = input.pending_window_in_days.unwrap_or(WINDOW);
    if !(LEAST_WINDOW..=WINDOW).contains(&days) {
        return Err(Error::client("ValidationException", format!("{days} is not a valid PendingWindowInDays")));
    }
    let id = find(cx, &input.key_id)?;
    let arn = arn(cx.scope, &id);
    let at = cx.now + DAY * u32::try_from(days).unwrap_or_default();
    let key = find_mut(cx, &id)?;
    key.check_state(&arn)?;
    key.deletion = Some((at, days));
    cx.set_timer(DELETE, id.as_str(), at);
    Ok(DeletionOutput {
        key_id: arn,
        deletion_date: Some(at),
        key_state: Some("PendingDeletion"),
        pending_window_in_days: Some(days),
    })
}

fn cancel_deletion(cx: &mut Cx<Keys>, input: OfKey) -> Result<DeletionOutput> {
    let id = find(cx, &input.key_id)?;
    let arn = arn(cx.scope, &id);
    let key = find_mut(cx, &id)?;
    if key.deletion.take().is_none() {
        return Err(Error::client("KMSInvalidStateException", format!("{arn} is not pending deletion.")));
    }
    // A key that was saved from deletion is disabled.
    key.enabled = false;
    cx.cancel_timer(DELETE, id.as_str());
    Ok(DeletionOutput { key_id: arn, deletion_date: None, key_state: None, pending_window_in_days: None })
}

/// Deletes a key, and its aliases.
fn delete(cx: &mut Cx<Keys>, id: &str) -> Result<()> {
    cx.state.keys.remove(id);
    let aliases: Vec<String> =
        cx.state.aliases.iter().filter(|(_, alias)| alias.key == id).map(|(name, _)| name.clone()).collect();
    for name in aliases {
        cx.state.aliases.remove(&name);
    }
    Ok(())
}
