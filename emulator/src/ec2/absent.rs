//! What is not here, and of which there is therefore nothing to list: no machine runs, so there are no instances, and no groups to
//! place them in. `RunInstances` and `CreatePlacementGroup` are refused by name.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::kind::{Chosen, Facts, Kind, listed};
use super::{Network, View};
use crate::Result;
use crate::cloud::Service;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Network>) -> Service<Network> {
    service.with(listed::<Instance>).with(listed::<Placement>)
}

/// An instance, of which there can be none.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Instance {}

/// A placement group, of which there can be none.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Placement {}

impl Kind for Placement {
    const FACTS: Facts = Facts {
        operation: "DescribePlacementGroups",
        code: "InvalidPlacementGroupId.NotFound",
        text: "The placement group ID '{}' does not exist",
        members: ("GroupIds", "PlacementGroups"),
        filters: &[
            ("group-arn", "GroupArn"),
            ("group-name", "GroupName"),
            ("spread-level", "SpreadLevel"),
            ("state", "State"),
            ("strategy", "Strategy"),
        ],
    };

    fn all(net: &Network) -> &OrdMap<String, Self> {
        &net.placements
    }

    fn show(&self, _id: &str, _view: &View) -> Option<Value> {
        match *self {}
    }

    fn chosen(member: &str, value: &Value, _view: &View) -> Result<Chosen> {
        match (member, value[0].as_str()) {
            ("GroupNames", Some(name)) => {
                let text = format!("The Placement Group '{name}' is unknown.");
                Err(crate::Error::client("InvalidPlacementGroup.Unknown", text))
            }
            ("GroupNames", None) => Ok(Chosen::All),
            _ => Ok(Chosen::Unknown),
        }
    }
}

impl Kind for Instance {
    const FACTS: Facts = Facts {
        operation: "DescribeInstances",
        code: "InvalidInstanceID.NotFound",
        text: "The instance ID '{}' does not exist",
        members: ("InstanceIds", "Reservations"),
        filters: &[
            ("architecture", ""),
            ("availability-zone", ""),
            ("availability-zone-id", ""),
            ("block-device-mapping.attach-time", ""),
            ("block-device-mapping.delete-on-termination", ""),
            ("block-device-mapping.device-name", ""),
            ("block-device-mapping.status", ""),
            ("block-device-mapping.volume-id", ""),
            ("client-token", ""),
            ("dns-name", ""),
            ("hypervisor", ""),
            ("iam-instance-profile.arn", ""),
            ("iam-instance-profile.id", ""),
            ("image-id", ""),
            ("instance-id", ""),
            ("instance-lifecycle", ""),
            ("instance-state-code", ""),
            ("instance-state-name", ""),
            ("instance-type", ""),
            ("instance.group-id", ""),
            ("instance.group-name", ""),
            ("ip-address", ""),
            ("key-name", ""),
            ("launch-index", ""),
            ("launch-time", ""),
            ("monitoring-state", ""),
            ("network-interface.group-id", ""),
            ("network-interface.network-interface-id", ""),
            ("network-interface.subnet-id", ""),
            ("network-interface.vpc-id", ""),
            ("owner-id", ""),
            ("placement-group-name", ""),
            ("platform", ""),
            ("platform-details", ""),
            ("private-dns-name", ""),
            ("private-ip-address", ""),
            ("product-code", ""),
            ("reason", ""),
            ("requester-id", ""),
            ("reservation-id", ""),
            ("root-device-name", ""),
            ("root-device-type", ""),
            ("source-dest-check", ""),
            ("state-reason-code", ""),
            ("subnet-id", ""),
            ("tenancy", ""),
            ("virtualization-type", ""),
            ("vpc-id", ""),
        ],
    };

    fn all(net: &Network) -> &OrdMap<String, Self> {
        &net.instances
    }

    fn show(&self, _id: &str, _view: &View) -> Option<Value> {
        match *self {}
    }

    fn chosen(member: &str, _value: &Value, _view: &View) -> Result<Chosen> {
        Ok(if member == "IncludeManagedResources" { Chosen::All } else { Chosen::Unknown })
    }
}
