//! Rotation: new material under the same key, each year or on demand. What was encrypted before still decrypts.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html>

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::keys::{Key, Material, Place, Rotation, invalid_state};
use super::{KeyName, Keys, OfKey, find_key, find_mut, on_key, replicas};
use crate::cloud::{At, Cx, Service, Target};
use crate::{Error, Result, Timestamp};

/// Days from one rotation to the next, if the request does not say.
const PERIOD: u32 = 365;
const DAY: Duration = Duration::from_secs(86_400);
/// A key is rotated on demand so often.
/// <https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html>
const ON_DEMAND: usize = 25;
/// `ListKeyRotations` answers so many, if the request does not say.
const PAGE: usize = 100;
/// The event that rotates a key.
const ROTATE: &str = "RotateKey";

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Keys>) -> Service<Keys> {
    service
        .op("EnableKeyRotation", to_enable, enable)
        .op("DisableKeyRotation", |at, i: &OfKey| on_key(at, &i.key_id), disable)
        .op("GetKeyRotationStatus", |at, i: &OfKey| on_key(at, &i.key_id), status)
        .op("RotateKeyOnDemand", |at, i: &OfKey| on_key(at, &i.key_id), rotate)
        .op("ListKeyRotations", |at, i: &List| on_key(at, &i.key_id), list)
        .event(ROTATE, due)
}

fn to_enable(at: &At<Keys>, input: &Enable) -> Target {
    let days = input.rotation_period_in_days.unwrap_or(PERIOD);
    on_key(at, &input.key_id).context("kms:RotationPeriodInDays", days.to_string())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Enable {
    key_id: String,
    rotation_period_in_days: Option<u32>,
}

/// Refuses keys that are not rotated: those that are not symmetric, and replicas, which follow their primary.
fn check(key: &Key, arn: &str) -> Result<()> {
    key.check_enabled(arn)?;
    if !key.is_symmetric() {
        return Err(Error::client("UnsupportedOperationException", ""));
    }
    if key.is_replica() {
        let message = format!("{arn} is not a multi-region primary key.");
        return Err(Error::client("UnsupportedOperationException", message));
    }
    Ok(())
}

/// The same for automatic rotation, which imported material has none of.
fn check_automatic(key: &Key, arn: &str) -> Result<()> {
    check(key, arn)?;
    if key.external {
        let message = format!("{arn} origin is EXTERNAL which is not valid for this operation.");
        return Err(Error::client("UnsupportedOperationException", message));
    }
    Ok(())
}

fn enable(cx: &mut Cx<Keys>, input: Enable) -> Result<()> {
    let days = input.rotation_period_in_days.unwrap_or(PERIOD);
    let next = cx.now + DAY * days;
    let arn = cx.state.find_key(cx.scope, &input.key_id)?;
    let key = find_mut(cx, &arn)?;
    check_automatic(key, &arn)?;
    key.rotation = Some(Rotation { days, next });
    cx.set_timer(ROTATE, arn.as_str(), next);
    replicas::follow(cx.state, &arn);
    Ok(())
}

fn disable(cx: &mut Cx<Keys>, input: OfKey) -> Result<()> {
    let arn = cx.state.find_key(cx.scope, &input.key_id)?;
    let key = find_mut(cx, &arn)?;
    check_automatic(key, &arn)?;
    key.rotation = None;
    cx.cancel_timer(ROTATE, arn.as_str());
    replicas::follow(cx.state, &arn);
    Ok(())
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Status {
    key_rotation_enabled: bool,
    key_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rotation_period_in_days: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_rotation_date: Option<Timestamp>,
}

fn status(cx: &mut Cx<Keys>, input: OfKey) -> Result<Status> {
    let (arn, key) = find_key(cx, &input.key_id)?;
    if !key.is_symmetric() {
        return Err(Error::client("UnsupportedOperationException", ""));
    }
    let rotation = key.rotation;
    Ok(Status {
        key_rotation_enabled: rotation.is_some(),
        key_id: arn,
        rotation_period_in_days: rotation.map(|rotation| rotation.days),
        next_rotation_date: rotation.map(|rotation| rotation.next),
    })
}

/// Makes other material the current one: what is waiting for it, or new.
fn turn(key: &mut Key, now: Timestamp, by: &str, id: String, secret: [u8; 32]) {
    for material in key.materials.iter_mut().filter(|material| material.place == Place::Current) {
        material.place = Place::Former;
    }
    let rotated = Some((now, by.to_owned()));
    match key.materials.iter_mut().find(|material| material.place == Place::Pending) {
        Some(waiting) => (waiting.place, waiting.rotated) = (Place::Current, rotated),
        None => key.materials.push_back(Material { rotated, ..Material::new(id, secret.to_vec().into()) }),
    }
}

/// At AWS it takes a while, during which the old material is used; here it is done at once.
fn rotate(cx: &mut Cx<Keys>, input: OfKey) -> Result<KeyName> {
    let (now, id, secret) = (cx.now, cx.ids().hex(64), cx.ids().bytes());
    let arn = cx.state.find_key(cx.scope, &input.key_id)?;
    let key = find_mut(cx, &arn)?;
    check(key, &arn)?;
    if key.external && !key.materials.iter().any(|material| material.place == Place::Pending) {
        return Err(invalid_state(format!("No available key material pending rotation for the key: {arn}.")));
    }
    let demanded = |material: &&Material| material.rotated.as_ref().is_some_and(|(_, by)| by == "ON_DEMAND");
    if key.materials.iter().filter(demanded).count() >= ON_DEMAND {
        let message = format!(
            "The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be \
             performed for this key: {arn}"
        );
        return Err(Error::client("LimitExceededException", message));
    }
    turn(key, now, "ON_DEMAND", id, secret);
    replicas::follow(cx.state, &arn);
    Ok(KeyName { key_id: arn })
}

/// The time of a rotation has come. A key that is not enabled is rotated when it is enabled again.
fn due(cx: &mut Cx<Keys>, arn: &str) -> Result<()> {
    let (now, id, secret) = (cx.now, cx.ids().hex(64), cx.ids().bytes());
    let Some(key) = cx.state.keys.get_mut(arn) else { return Ok(()) };
    let Some(rotation) = key.rotation.filter(|_| key.state() == "Enabled") else { return Ok(()) };
    let next = now + DAY * rotation.days;
    key.rotation = Some(Rotation { next, ..rotation });
    turn(key, now, "AUTOMATIC", id, secret);
    cx.set_timer(ROTATE, arn, next);
    replicas::follow(cx.state, arn);
    Ok(())
}

/// Rotates a key that was enabled again, if its time came meanwhile.
pub(super) fn resume(cx: &mut Cx<Keys>, arn: &str) {
    let now = cx.now;
    if cx.state.keys.get(arn).and_then(|key| key.rotation).is_some_and(|rotation| rotation.next <= now) {
        cx.set_timer(ROTATE, arn, now);
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct List {
    key_id: String,
    include_key_material: Option<String>,
    limit: Option<usize>,
    marker: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    rotations: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
    truncated: bool,
}

fn list(cx: &mut Cx<Keys>, input: List) -> Result<Listed> {
    let (arn, key) = find_key(cx, &input.key_id)?;
    if !key.is_symmetric() {
        return Err(Error::client("UnsupportedOperationException", ""));
    }
    let all = input.include_key_material.as_deref() == Some("ALL_KEY_MATERIAL");
    let start = match &input.marker {
        Some(marker) => {
            let unreadable = || Error::client("InvalidMarkerException", "The marker is not valid.");
            marker.parse::<usize>().map_err(|_| unreadable())?
        }
        None => 0,
    };
    let shown: Vec<&Material> = key.materials.iter().filter(|one| all || one.rotated.is_some()).collect();
    let end = start.saturating_add(input.limit.unwrap_or(PAGE)).min(shown.len());
    let rotations = shown.get(start..end).unwrap_or_default().iter();
    let rotations = rotations.map(|material| entry(&arn, key, material)).collect();
    let next_marker = (end < shown.len()).then(|| end.to_string());
    Ok(Listed { rotations, truncated: next_marker.is_some(), next_marker })
}

/// `RotationsListEntry`.
fn entry(arn: &str, key: &Key, material: &Material) -> Value {
    let mut told = json!({ "KeyId": arn, "KeyMaterialId": material.id, "KeyMaterialState": material.place });
    if let Some((at, by)) = &material.rotated {
        told["RotationDate"] = json!(at);
        told["RotationType"] = json!(by);
    }
    if key.external {
        told["ImportState"] = if material.secret.is_some() { "IMPORTED" } else { "PENDING_IMPORT" }.into();
        told["ExpirationModel"] = match material.valid_to {
            Some(_) => "KEY_MATERIAL_EXPIRES",
            None => "KEY_MATERIAL_DOES_NOT_EXPIRE",
        }
        .into();
        if let Some(at) = material.valid_to {
            told["ValidTo"] = json!(at);
        }
        if let Some(description) = &material.description {
            told["KeyMaterialDescription"] = json!(description);
        }
    }
    told
}

/// Has another key rotated instead of this one: a replica that became the primary key.
pub(super) fn hand_over(cx: &mut Cx<Keys>, from: &str, to: &str) {
    cx.cancel_timer(ROTATE, from);
    if let Some(rotation) = cx.state.keys.get(to).and_then(|key| key.rotation) {
        cx.set_timer(ROTATE, to, rotation.next);
    }
}
