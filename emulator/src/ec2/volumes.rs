//! EBS volumes and snapshots, as records: no byte is in them.
//!
//! <https://docs.aws.amazon.com/ebs/latest/userguide/ebs-volumes.html>

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::action::{Action, act};
use super::kind::{Chosen, Facts, Kind, describe_one, find, listed, new_id};
use super::tags::{Specification, keep, of_new};
use super::{Network, View, invalid, missing, zones};
use crate::cloud::{Cx, Service};
use crate::{Error, Result, Timestamp};

/// How long one is being made. AWS names no time.
const MAKING: Duration = Duration::from_secs(5);
/// A region has at most so many of each.
const MAX_RECORDS: usize = 5000;

/// The types: least and greatest size in GiB, what IOPS it has, or the least and most that can be asked for.
/// <https://docs.aws.amazon.com/ebs/latest/userguide/ebs-volume-types.html>
const TYPES: [Type; 7] = [
    Type { name: "gp2", size: (1, 16_384), iops: None },
    Type { name: "gp3", size: (1, 65_536), iops: Some((3000, 80_000)) },
    Type { name: "io1", size: (4, 16_384), iops: Some((100, 64_000)) },
    Type { name: "io2", size: (4, 65_536), iops: Some((100, 256_000)) },
    Type { name: "st1", size: (125, 16_384), iops: None },
    Type { name: "sc1", size: (125, 16_384), iops: None },
    Type { name: "standard", size: (1, 1024), iops: None },
];

struct Type {
    name: &'static str,
    size: (i64, i64),
    iops: Option<(i64, i64)>,
}

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Network>) -> Service<Network> {
    service
        .with(listed::<Volume>)
        .with(act::<CreateVolume>)
        .with(act::<DeleteVolume>)
        .with(listed::<Snapshot>)
        .with(act::<CreateSnapshot>)
        .with(act::<DeleteSnapshot>)
}

/// A volume.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Volume {
    zone: String,
    size: i64,
    kind: String,
    iops: Option<i64>,
    throughput: Option<i64>,
    snapshot: Option<String>,
    created: Timestamp,
    token: Option<String>,
}

impl Kind for Volume {
    const FACTS: Facts = Facts {
        operation: "DescribeVolumes",
        code: "InvalidVolume.NotFound",
        text: "The volume '{}' does not exist.",
        members: ("VolumeIds", "Volumes"),
        filters: &[
            ("attachment.attach-time", "Attachments.AttachTime"),
            ("attachment.delete-on-termination", "Attachments.DeleteOnTermination"),
            ("attachment.device", "Attachments.Device"),
            ("attachment.instance-id", "Attachments.InstanceId"),
            ("attachment.status", "Attachments.State"),
            ("availability-zone", "AvailabilityZone"),
            ("availability-zone-id", "AvailabilityZoneId"),
            ("create-time", "CreateTime"),
            ("encrypted", "Encrypted"),
            ("fast-restored", "FastRestored"),
            ("multi-attach-enabled", "MultiAttachEnabled"),
            ("size", "Size"),
            ("snapshot-id", "SnapshotId"),
            ("status", "State"),
            ("volume-id", "VolumeId"),
            ("volume-type", "VolumeType"),
        ],
    };

    fn all(net: &Network) -> &imbl::OrdMap<String, Self> {
        &net.volumes
    }

    fn show(&self, id: &str, view: &View) -> Option<Value> {
        let is_made = view.now.since(self.created) >= MAKING;
        Some(json!({
            "VolumeId": id,
            "AvailabilityZone": self.zone,
            "AvailabilityZoneId": zones::id_of(&view.scope.region, &self.zone),
            "Size": self.size,
            "VolumeType": self.kind,
            "Iops": self.iops,
            "Throughput": self.throughput,
            "SnapshotId": self.snapshot.as_deref().unwrap_or(""),
            "State": if is_made { "available" } else { "creating" },
            "CreateTime": self.created,
            "Attachments": [],
            "Encrypted": false,
            "MultiAttachEnabled": false,
        }))
    }

    fn chosen(member: &str, _value: &Value, _view: &View) -> Result<Chosen> {
        Ok(if member == "IncludeManagedResources" { Chosen::All } else { Chosen::Unknown })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateVolume {
    availability_zone: Option<String>,
    availability_zone_id: Option<String>,
    size: Option<i64>,
    snapshot_id: Option<String>,
    volume_type: Option<String>,
    iops: Option<i64>,
    throughput: Option<i64>,
    encrypted: Option<bool>,
    client_token: Option<String>,
    #[serde(default)]
    tag_specifications: Vec<Specification>,
}

impl Action for CreateVolume {
    const NAME: &'static str = "CreateVolume";

    fn on(&self) -> Option<(&'static str, Option<&str>)> {
        Some(("volume", None))
    }

    fn tags(&self) -> &[Specification] {
        &self.tag_specifications
    }

    fn run(self, cx: &mut Cx<Network>) -> Result<Value> {
        let tags = of_new(&self.tag_specifications, "volume")?;
        let again = cx.state.volumes.iter().find(|(_, one)| one.token.is_some() && one.token == self.client_token);
        if let Some(id) = again.map(|(id, _)| id.clone()) {
            return describe_one::<Volume>(cx, &id);
        }
        if self.encrypted == Some(true) {
            return Err(Error::not_implemented("encrypted volumes (Encrypted of ec2:CreateVolume)"));
        }
        let (name, zone) = (self.availability_zone.as_deref(), self.availability_zone_id.as_deref());
        let zone = zones::choose(&cx.scope.region, name, zone)
            .map_err(|_| {
                let given = name.or(zone).unwrap_or_default();
                Error::client("InvalidZone.NotFound", format!("The zone '{given}' does not exist."))
            })?
            .ok_or_else(|| missing("AvailabilityZone"))?;
        let of_snapshot = match &self.snapshot_id {
            Some(id) => Some(find::<Snapshot>(cx.state, id)?.size),
            None => None,
        };
        let size = self.size.or(of_snapshot).ok_or_else(|| missing("size/snapshot"))?;
        if of_snapshot.is_some_and(|least| size < least) {
            return Err(invalid("The size of a volume cannot be smaller than the size of its snapshot"));
        }
        let kind = self.volume_type.unwrap_or_else(|| "gp2".to_owned());
        let facts = TYPES.iter().find(|facts| facts.name == kind);
        let facts = facts.ok_or_else(|| invalid(format!("Value ({kind}) for parameter volumeType is invalid.")))?;
        if !(facts.size.0..=facts.size.1).contains(&size) {
            let bound = if size < facts.size.0 { "at least" } else { "at most" };
            let limit = if size < facts.size.0 { facts.size.0 } else { facts.size.1 };
            return Err(invalid(format!(
                "Volume of {size}GiB is invalid for volume type {kind}; it must be {bound} {limit}GiB."
            )));
        }
        let (iops, throughput) = performance(facts, size, self.iops, self.throughput)?;
        if cx.state.volumes.len() >= MAX_RECORDS {
            return Err(Error::client("VolumeLimitExceeded", "The maximum number of volumes has been reached."));
        }
        let id = new_id(cx.ids(), "vol");
        let (snapshot, created, token) = (self.snapshot_id, cx.now, self.client_token);
        cx.state.volumes.insert(id.clone(), Volume { zone, size, kind, iops, throughput, snapshot, created, token });
        keep(cx.state, &id, tags);
        describe_one::<Volume>(cx, &id)
    }
}

/// IOPS and throughput that a volume has.
fn performance(
    facts: &Type,
    size: i64,
    iops: Option<i64>,
    throughput: Option<i64>,
) -> Result<(Option<i64>, Option<i64>)> {
    let wrong = |text: String| Err(Error::client("InvalidParameterCombination", text));
    if throughput.is_some() && facts.name != "gp3" {
        return wrong(format!("The parameter throughput is not supported for {} volumes", facts.name));
    }
    if throughput.is_some_and(|throughput| !(125..=2000).contains(&throughput)) {
        return Err(invalid("Throughput of a gp3 volume is from 125 to 2000 MiB/s."));
    }
    let iops = match (facts.iops, iops) {
        (None, Some(_)) => return wrong(format!("The parameter iops is not supported for {} volumes.", facts.name)),
        (Some((least, most)), Some(iops)) if !(least..=most).contains(&iops) => {
            let name = facts.name;
            return Err(invalid(format!("Volume iops of {iops} is invalid for {name}; it must be {least} to {most}.")));
        }
        (Some(_), None) if facts.name != "gp3" => {
            return Err(Error::client(
                "MissingParameter",
                format!("The parameter iops must be specified for {} volumes.", facts.name),
            ));
        }
        (Some((least, _)), None) => Some(least),
        (Some(_), given) => given,
        // Three for each GiB.
        (None, None) if facts.name == "gp2" => Some((size * 3).clamp(100, 16_000)),
        (None, None) => None,
    };
    Ok((iops, throughput.or((facts.name == "gp3").then_some(125))))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeleteVolume {
    volume_id: String,
}

impl Action for DeleteVolume {
    const NAME: &'static str = "DeleteVolume";

    fn on(&self) -> Option<(&'static str, Option<&str>)> {
        Some(("volume", Some(&self.volume_id)))
    }

    fn run(self, cx: &mut Cx<Network>) -> Result<Value> {
        find::<Volume>(cx.state, &self.volume_id)?;
        cx.state.volumes.remove(&self.volume_id);
        cx.state.tags.remove(&self.volume_id);
        Ok(Value::Null)
    }
}

/// A snapshot.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Snapshot {
    volume: String,
    size: i64,
    description: String,
    started: Timestamp,
}

impl Kind for Snapshot {
    const FACTS: Facts = Facts {
        operation: "DescribeSnapshots",
        code: "InvalidSnapshot.NotFound",
        text: "The snapshot '{}' does not exist.",
        members: ("SnapshotIds", "Snapshots"),
        filters: &[
            ("description", "Description"),
            ("encrypted", "Encrypted"),
            ("owner-alias", "OwnerAlias"),
            ("owner-id", "OwnerId"),
            ("progress", "Progress"),
            ("snapshot-id", "SnapshotId"),
            ("start-time", "StartTime"),
            ("status", "State"),
            ("storage-tier", "StorageTier"),
            ("volume-id", "VolumeId"),
            ("volume-size", "VolumeSize"),
        ],
    };

    fn all(net: &Network) -> &imbl::OrdMap<String, Self> {
        &net.snapshots
    }

    fn show(&self, id: &str, view: &View) -> Option<Value> {
        let is_made = view.now.since(self.started) >= MAKING;
        let done = Timestamp::from_millis(self.started.millis().saturating_add(MAKING.as_millis() as i64));
        Some(json!({
            "SnapshotId": id,
            "VolumeId": self.volume,
            "VolumeSize": self.size,
            "Description": self.description,
            "StartTime": self.started,
            "CompletionTime": is_made.then_some(done),
            "State": if is_made { "completed" } else { "pending" },
            "Progress": if is_made { "100%" } else { "0%" },
            "OwnerId": &*view.scope.account,
            "Encrypted": false,
            "StorageTier": "standard",
        }))
    }

    /// All snapshots are the account's own, and nobody else's are seen.
    fn chosen(member: &str, value: &Value, view: &View) -> Result<Chosen> {
        if !matches!(member, "OwnerIds" | "RestorableByUserIds") {
            return Ok(Chosen::Unknown);
        }
        let names: Vec<String> = serde_json::from_value(value.clone())?;
        let is_own = |name: &String| name == "self" || **name == *view.scope.account;
        let all = || view.net.snapshots.keys().cloned().collect();
        Ok(match names.iter().any(is_own) {
            _ if names.is_empty() => Chosen::All,
            true => Chosen::Only(all()),
            false => Chosen::Only(Vec::new()),
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateSnapshot {
    volume_id: String,
    description: Option<String>,
    #[serde(default)]
    tag_specifications: Vec<Specification>,
}

impl Action for CreateSnapshot {
    const NAME: &'static str = "CreateSnapshot";

    fn on(&self) -> Option<(&'static str, Option<&str>)> {
        Some(("snapshot", None))
    }

    fn tags(&self) -> &[Specification] {
        &self.tag_specifications
    }

    fn run(self, cx: &mut Cx<Network>) -> Result<Value> {
        let tags = of_new(&self.tag_specifications, "snapshot")?;
        let size = find::<Volume>(cx.state, &self.volume_id)?.size;
        if cx.state.snapshots.len() >= MAX_RECORDS {
            return Err(Error::client("SnapshotLimitExceeded", "The maximum number of snapshots has been reached."));
        }
        let id = new_id(cx.ids(), "snap");
        let (description, started) = (self.description.unwrap_or_default(), cx.now);
        cx.state.snapshots.insert(id.clone(), Snapshot { volume: self.volume_id, size, description, started });
        keep(cx.state, &id, tags);
        describe_one::<Snapshot>(cx, &id)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeleteSnapshot {
    snapshot_id: String,
}

impl Action for DeleteSnapshot {
    const NAME: &'static str = "DeleteSnapshot";

    fn on(&self) -> Option<(&'static str, Option<&str>)> {
        Some(("snapshot", Some(&self.snapshot_id)))
    }

    fn run(self, cx: &mut Cx<Network>) -> Result<Value> {
        find::<Snapshot>(cx.state, &self.snapshot_id)?;
        cx.state.snapshots.remove(&self.snapshot_id);
        cx.state.tags.remove(&self.snapshot_id);
        Ok(Value::Null)
    }
}
