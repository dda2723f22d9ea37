//! Replicas in other regions: `ReplicateSecretToRegions`, `RemoveRegionsFromReplication`, `StopReplicationToReplica`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::store::{Replica, Secret, Secrets, invalid_parameter, invalid_request, key};
use super::{Named, on};
use crate::Result;
use crate::cloud::{Cx, Service};

pub(super) fn operations(service: Service<Secrets>) -> Service<Secrets> {
    service
        .op("ReplicateSecretToRegions", |at, i: &ReplicateSecretToRegions| on(at, &i.secret_id), add)
        .op("RemoveRegionsFromReplication", |at, i: &RemoveRegionsFromReplication| on(at, &i.secret_id), remove)
        .op("StopReplicationToReplica", |at, i: &Named| on(at, &i.secret_id), stop)
}

/// A region that is to have a replica: `ReplicaRegionType` of the API.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ReplicaRegion {
    region: Option<String>,
    kms_key_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ReplicateSecretToRegions {
    secret_id: String,
    add_replica_regions: Vec<ReplicaRegion>,
    #[serde(default)]
    force_overwrite_replica_secret: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RemoveRegionsFromReplication {
    secret_id: String,
    remove_replica_regions: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Replicated {
    #[serde(rename = "ARN")]
    arn: Arc<str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replication_status: Option<Vec<Replica>>,
}

/// Adds replicas to a secret; saving it makes them.
pub(super) fn replicate(
    state: &Secrets,
    secret: &mut Secret,
    regions: &[ReplicaRegion],
    overwrite: bool,
) -> Result<()> {
    let wanted: Option<Vec<&str>> = regions.iter().map(|wanted| wanted.region.as_deref()).collect();
    let Some(wanted) = wanted.filter(|wanted| !wanted.contains(&&*secret.region)) else {
        return Err(invalid_parameter("Invalid replica region."));
    };
    for (region, wanted) in wanted.into_iter().zip(regions) {
        let there = state.secrets.get(&key(&secret.account, region, &secret.name));
        let is_ours = there.is_some_and(|there| there.primary_region.as_ref() == Some(&secret.region));
        let taken = there.is_some() && !is_ours && !overwrite;
        let (status, status_message) = if taken {
            let message = format!("Replication failed: Secret name {} already exists in region {region}.", secret.name);
            ("Failed", Some(message))
        } else {
            ("InSync", None)
        };
        secret.replicas.retain(|replica| &*replica.region != region);
        secret.replicas.push(Replica {
            region: region.into(),
            kms_key_id: wanted.kms_key_id.clone(),
            status: status.to_owned(),
            status_message,
        });
    }
    if !secret.replicas.is_empty() {
        secret.primary_region = Some(secret.region.clone());
    }
    Ok(())
}

fn add(cx: &mut Cx<Secrets>, input: ReplicateSecretToRegions) -> Result<Replicated> {
    let mut secret = cx.state.to_change(cx.scope, &input.secret_id)?;
    replicate(cx.state, &mut secret, &input.add_replica_regions, input.force_overwrite_replica_secret)?;
    let answer = Replicated { arn: secret.arn.clone(), replication_status: Some(secret.replicas.clone()) };
    cx.state.save(secret);
    Ok(answer)
}

fn remove(cx: &mut Cx<Secrets>, input: RemoveRegionsFromReplication) -> Result<Replicated> {
    let mut secret = cx.state.to_change(cx.scope, &input.secret_id)?;
    let (gone, kept) = secret.replicas.into_iter().partition::<Vec<Replica>, _>(|replica| {
        input.remove_replica_regions.iter().any(|one| **one == *replica.region)
    });
    secret.replicas = kept;
    for replica in gone.iter().filter(|replica| replica.status == "InSync") {
        cx.state.secrets.remove(&key(&secret.account, &replica.region, &secret.name));
    }
    if secret.replicas.is_empty() {
        secret.primary_region = None;
    }
    let answer = Replicated { arn: secret.arn.clone(), replication_status: Some(secret.replicas.clone()) };
    cx.state.save(secret);
    Ok(answer)
}

/// The replica becomes a secret of its own.
fn stop(cx: &mut Cx<Secrets>, input: Named) -> Result<Replicated> {
    let mut secret = cx.state.get(cx.scope, &input.secret_id)?.clone();
    let Some(primary) = secret.primary_region.take().filter(|primary| *primary != secret.region) else {
        return Err(invalid_request("Operation only permitted on a replica secret."));
    };
    if let Some(primary) = cx.state.secrets.get_mut(&key(&secret.account, &primary, &secret.name)) {
        primary.replicas.retain(|replica| replica.region != secret.region);
        if primary.replicas.is_empty() {
            primary.primary_region = None;
        }
    }
    let arn = secret.arn.clone();
    cx.state.save(secret);
    Ok(Replicated { arn, replication_status: None })
}
