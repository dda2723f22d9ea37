//! Keys are made, described, listed, enabled, disabled, and deleted after a while.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::time::Duration;

use imbl::{OrdMap, Vector};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::blob::Blob;
use super::chance::Chance;
use super::keys::{Deletion, Key, Material, invalid_state};
use super::spec::{Spec, Usage};
use super::tags::{self, Tag};
use super::target::on_described;
use super::{Keys, OfKey, find, find_mut, making, managed, on_key, page, policies, rotation};
use crate::cloud::{Cx, Service, Step, Target};
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
        .waiting_op("CreateKey", new, create)
        .op("DescribeKey", |at, i: &DescribeKey| on_described(at, &i.key_id), describe)
        .op("ListKeys", |_, _: &ListKeys| Target::any(), list)
        .op("EnableKey", |at, i: &OfKey| on_key(at, &i.key_id), |cx, i| switch(cx, &i.key_id, true))
        .op("DisableKey", |at, i: &OfKey| on_key(at, &i.key_id), |cx, i| switch(cx, &i.key_id, false))
        .op("UpdateKeyDescription", |at, i: &Described| on_key(at, &i.key_id), describe_anew)
        .op("ScheduleKeyDeletion", |at, i: &ScheduleDeletion| on_key(at, &i.key_id), schedule_deletion)
        .op("CancelKeyDeletion", |at, i: &OfKey| on_key(at, &i.key_id), cancel_deletion)
        .event(DELETE, delete)
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
    #[serde(default)]
    bypass_policy_lockout_safety_check: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct KeyOutput {
    key_metadata: Value,
}

fn new(_: &crate::cloud::At<Keys>, input: &CreateKey) -> Target {
    let mut target = Target::any().context("kms:MultiRegion", input.multi_region.to_string());
    let told = [
        ("kms:KeySpec", &input.key_spec, "SYMMETRIC_DEFAULT"),
        ("kms:KeyUsage", &input.key_usage, "ENCRYPT_DECRYPT"),
        ("kms:KeyOrigin", &input.origin, "AWS_KMS"),
    ];
    for (key, given, standard) in told {
        target = target.context(key, given.as_deref().unwrap_or(standard));
    }
    target
}

/// The spec and the usage of a new key.
fn kind(input: &CreateKey) -> Result<(Spec, Usage)> {
    let spec = match (&input.key_spec, &input.customer_master_key_spec) {
        (Some(_), Some(_)) => {
            let message = "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. \
                           CustomerMasterKeySpec is deprecated.";
            return Err(Error::client("ValidationException", message));
        }
        (Some(name), None) | (None, Some(name)) => Spec::read(name)?,
        (None, None) => Spec::Symmetric,
    };
    let usage = match &input.key_usage {
        Some(name) => Usage::read(name)?,
        None if spec == Spec::Symmetric => Usage::Encrypt,
        None => {
            let message = "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.";
            return Err(Error::client("ValidationException", message));
        }
    };
    if !spec.usages().contains(&usage) {
        let message = format!("KeyUsage {} is not compatible with KeySpec {}", usage.name(), spec.name());
        return Err(Error::client("ValidationException", message));
    }
    Ok((spec, usage))
}

fn create(cx: &mut Cx<Keys>, input: &CreateKey) -> Result<Step<KeyOutput>> {
    let (spec, usage) = kind(input)?;
    let external = match input.origin.as_deref() {
        None | Some("AWS_KMS") => false,
        Some("EXTERNAL") => true,
        Some(other) => return Err(Error::not_implemented(format!("the Origin {other} of kms:CreateKey"))),
    };
    let policy = policies::of_new(cx, cx.scope, input.policy.as_deref(), input.bypass_policy_lockout_safety_check)?;
    let mut set = OrdMap::new();
    tags::add(&mut set, input.tags.clone())?;
    if !set.is_empty() {
        cx.access().require("kms:TagResource", &Target::any())?;
    }
    let secret = match spec.bytes() {
        _ if external => None,
        Some((length, _)) => Some(random(cx, length)),
        None => match making::pair(cx, spec)? {
            Step::Done(private) => Some(private),
            Step::Later(later) => return Ok(Step::Later(later)),
        },
    };
    let id = match input.multi_region {
        true => format!("mrk-{}", cx.ids().hex(32)),
        false => cx.ids().uuid(),
    };
    let material = cx.ids().hex(64);
    let key = Key {
        managed: false,
        policy,
        tags: set,
        spec,
        usage,
        external,
        materials: secret.map_or_else(Vector::new, |secret| Vector::unit(Material::new(material, secret))),
        primary: input.multi_region.then(|| cx.scope.region.clone()),
        ..Key::managed(cx, id, input.description.clone().unwrap_or_default(), String::new())
    };
    let arn = key.arn();
    cx.state.keys.insert(arn.clone(), key);
    Ok(Step::Done(KeyOutput { key_metadata: metadata_of(cx.state, &arn)? }))
}

/// So many bytes of the service's chance.
fn random(cx: &mut Cx<Keys>, length: usize) -> Blob {
    Chance::new(cx.ids().bytes()).bytes(length).into()
}

/// `KeyMetadata` of a key.
pub(super) fn metadata_of(state: &Keys, arn: &str) -> Result<Value> {
    let key = state.keys.get(arn).ok_or_else(|| Error::internal("a key that was found is gone"))?;
    let mut regions = Vec::new();
    if key.is_multi_region() {
        let kin = state.keys.iter().filter(|(_, other)| other.is_kin(key));
        regions = kin.map(|(arn, other)| (!other.is_replica(), arn.clone(), other.scope.clone())).collect();
    }
    Ok(key.metadata(&regions))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DescribeKey {
    key_id: String,
    /// A grant is good as soon as it is made, so that there is nothing that a token could add.
    #[serde(rename = "GrantTokens")]
    _grant_tokens: Option<Vec<String>>,
}

fn describe(cx: &mut Cx<Keys>, input: DescribeKey) -> Result<KeyOutput> {
    managed::make(cx, &input.key_id)?;
    let (arn, _) = find(cx, &input.key_id)?;
    Ok(KeyOutput { key_metadata: metadata_of(cx.state, &arn)? })
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
    let found = found.filter(|(_, key)| key.scope == *cx.scope);
    let (found, next_marker) = page(found, input.limit, PAGE);
    let entry = |arn: &String, key: &Key| BTreeMap::from([("KeyId", key.id.clone()), ("KeyArn", arn.clone())]);
    let keys = found.into_iter().map(|(arn, key)| entry(arn, key)).collect();
    Ok(ListOutput { keys, truncated: next_marker.is_some(), next_marker })
}

fn switch(cx: &mut Cx<Keys>, name: &str, on: bool) -> Result<()> {
    let arn = cx.state.find_key(cx.scope, name)?;
    let key = find_mut(cx, &arn)?;
    key.check_deletion(&arn)?;
    if key.state() == "PendingImport" {
        return Err(invalid_state(format!("{arn} is pending import.")));
    }
    key.enabled = on;
    if on {
        rotation::resume(cx, &arn);
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    key_id: String,
    description: String,
}

fn describe_anew(cx: &mut Cx<Keys>, input: Described) -> Result<()> {
    let arn = cx.state.find_key(cx.scope, &input.key_id)?;
    let key = find_mut(cx, &arn)?;
    key.check_deletion(&arn)?;
    key.description = input.description;
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
    let arn = cx.state.find_key(cx.scope, &input.key_id)?;
    let key = find_mut(cx, &arn)?;
    key.check_deletion(&arn)?;
    key.deletion = Some(Deletion { at: None, days });
    let at = schedule(cx, &arn);
    let key_state = cx.state.keys.get(&arn).map(Key::state);
    Ok(DeletionOutput { key_id: arn, deletion_date: at, key_state, pending_window_in_days: Some(days) })
}

/// Sets the time of a key's deletion, unless it has replicas to wait for.
pub(super) fn schedule(cx: &mut Cx<Keys>, arn: &str) -> Option<Timestamp> {
    let (id, days, waits) = {
        let key = cx.state.keys.get(arn)?;
        let has_replicas = || cx.state.keys.values().any(|other| other.is_kin(key) && other.is_replica());
        let waits = key.is_multi_region() && !key.is_replica() && has_replicas();
        (key.arn(), key.deletion?.days, waits)
    };
    if waits {
        return None;
    }
    let at = cx.now + DAY * u32::try_from(days).unwrap_or_default();
    cx.state.keys.get_mut(arn)?.deletion = Some(Deletion { at: Some(at), days });
    cx.set_timer(DELETE, id, at);
    Some(at)
}

fn cancel_deletion(cx: &mut Cx<Keys>, input: OfKey) -> Result<DeletionOutput> {
    let arn = cx.state.find_key(cx.scope, &input.key_id)?;
    let key = find_mut(cx, &arn)?;
    if key.deletion.take().is_none() {
        return Err(invalid_state(format!("{arn} is not pending deletion.")));
    }
    // A key that was saved from deletion is disabled.
    key.enabled = false;
    cx.cancel_timer(DELETE, arn.as_str());
    Ok(DeletionOutput { key_id: arn, deletion_date: None, key_state: None, pending_window_in_days: None })
}

/// Deletes a key, its aliases and its grants. A primary key that waited for its last replica has its days from now.
fn delete(cx: &mut Cx<Keys>, arn: &str) -> Result<()> {
    let Some(gone) = cx.state.keys.remove(arn) else { return Ok(()) };
    let aliases = cx.state.aliases.iter().filter(|(_, alias)| alias.key != arn);
    cx.state.aliases = aliases.map(|(name, alias)| (name.clone(), alias.clone())).collect();
    let grants = cx.state.grants.iter().filter(|(_, grant)| grant.key != arn);
    cx.state.grants = grants.map(|(id, grant)| (id.clone(), grant.clone())).collect();
    let waiting = |key: &&Key| key.is_kin(&gone) && !key.is_replica();
    let primary = cx.state.keys.values().find(waiting).filter(|key| key.state() == "PendingReplicaDeletion");
    if let Some(primary) = primary.map(Key::arn) {
        schedule(cx, &primary);
    }
    Ok(())
}
