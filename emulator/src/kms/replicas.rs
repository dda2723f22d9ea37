//! Keys of several regions: replicas have the same id and material, and read each other's ciphertexts.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-overview.html>

use std::sync::Arc;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::key_operations::metadata_of;
use super::keys::Key;
use super::tags::{self, Tag};
use super::{Keys, find_key, on_key, policies};
use crate::cloud::{Cx, Scope, Service};
use crate::{Error, Result};

/// The event after which a replica can be used.
const READY: &str = "ReplicaReady";

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Keys>) -> Service<Keys> {
    service
        .op(
            "ReplicateKey",
            |at, i: &Replicate| on_key(at, &i.key_id).context("kms:ReplicaRegion", i.replica_region.as_str()),
            replicate,
        )
        .op(
            "UpdatePrimaryRegion",
            |at, i: &Update| on_key(at, &i.key_id).context("kms:PrimaryRegion", i.primary_region.as_str()),
            update,
        )
        .event(READY, ready)
}

/// Gives the replicas of a primary key its material and its rotation.
pub(super) fn follow(state: &mut Keys, arn: &str) {
    let Some(primary) = state.keys.get(arn).filter(|key| key.is_multi_region()).cloned() else { return };
    let kin: Vec<String> =
        state.keys.iter().filter(|(_, key)| key.is_kin(&primary)).map(|(arn, _)| arn.clone()).collect();
    for arn in kin {
        if let Some(key) = state.keys.get_mut(&arn) {
            (key.materials, key.rotation) = (primary.materials.clone(), primary.rotation);
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Replicate {
    key_id: String,
    replica_region: String,
    policy: Option<String>,
    description: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
    #[serde(default)]
    bypass_policy_lockout_safety_check: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Replicated {
    replica_key_metadata: Value,
    replica_policy: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    replica_tags: Vec<Tag>,
}

/// The key of a request, if it is the primary one.
fn primary<'a>(cx: &'a Cx<Keys>, name: &str) -> Result<(String, &'a Key)> {
    let (arn, key) = find_key(cx, name)?;
    if !key.is_multi_region() || key.is_replica() {
        let message = format!("{arn} is not a multi-region primary key.");
        return Err(Error::client("UnsupportedOperationException", message));
    }
    key.check_enabled(&arn)?;
    Ok((arn, key))
}

fn replicate(cx: &mut Cx<Keys>, input: Replicate) -> Result<Replicated> {
    let (_, key) = primary(cx, &input.key_id)?;
    if key.external {
        return Err(Error::not_implemented("kms:ReplicateKey for keys with imported material"));
    }
    let scope = Scope::new(key.scope.account.clone(), input.replica_region.as_str());
    let policy = policies::of_new(cx, &scope, input.policy.as_deref(), input.bypass_policy_lockout_safety_check)?;
    let mut set = OrdMap::new();
    tags::add(&mut set, input.tags.clone())?;
    let replica = Key {
        scope,
        description: input.description.unwrap_or_default(),
        policy: policy.clone(),
        tags: set,
        created: cx.now,
        creating: true,
        ..key.clone()
    };
    let arn = replica.arn();
    if cx.state.keys.contains_key(&arn) {
        return Err(Error::client("AlreadyExistsException", format!("{arn} already exists.")));
    }
    cx.state.keys.insert(arn.clone(), replica);
    cx.set_timer(READY, arn.as_str(), cx.now);
    let replica_key_metadata = metadata_of(cx.state, &arn)?;
    Ok(Replicated { replica_key_metadata, replica_policy: policy, replica_tags: input.tags })
}

fn ready(cx: &mut Cx<Keys>, arn: &str) -> Result<()> {
    if let Some(key) = cx.state.keys.get_mut(arn) {
        key.creating = false;
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Update {
    key_id: String,
    primary_region: String,
}

/// Makes a replica the primary key, and the primary key a replica.
fn update(cx: &mut Cx<Keys>, input: Update) -> Result<()> {
    let (_, key) = primary(cx, &input.key_id)?;
    let there = Scope::new(key.scope.account.clone(), input.primary_region.as_str());
    let replica = super::arn(&there, &key.id);
    if !cx.state.keys.contains_key(&replica) {
        return Err(super::not_found(format!("Key '{replica}' does not exist")));
    }
    let (old, region): (Key, Arc<str>) = (key.clone(), input.primary_region.into());
    let kin: Vec<String> =
        cx.state.keys.iter().filter(|(_, key)| key.is_kin(&old)).map(|(arn, _)| arn.clone()).collect();
    for arn in kin {
        if let Some(key) = cx.state.keys.get_mut(&arn) {
            key.primary = Some(region.clone());
        }
    }
    super::rotation::hand_over(cx, &old.arn(), &replica);
    Ok(())
}
