//! Elastic IP addresses.
//!
//! <https://docs.aws.amazon.com/vpc/latest/userguide/vpc-eips.html>

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::action::{Action, act};
use super::kind::{Chosen, Facts, Kind, find, listed, new_id};
use super::tags::{Specification, keep, of_new};
use super::{Network, View, missing};
use crate::cloud::{Cx, Service};
use crate::{Error, Result};

/// A region has at most so many: the quota may be raised so far.
const MAX_ADDRESSES: usize = 1000;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Network>) -> Service<Network> {
    service.with(listed::<Address>).with(act::<AllocateAddress>).with(act::<ReleaseAddress>)
}

/// An address.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Address {
    pub ip: String,
    /// The association's id and the network interface, where it has one.
    pub bound: Option<(String, String)>,
}

impl Kind for Address {
    const FACTS: Facts = Facts {
        operation: "DescribeAddresses",
        code: "InvalidAllocationID.NotFound",
        text: "The allocation ID '{}' does not exist",
        members: ("AllocationIds", "Addresses"),
        filters: &[
            ("allocation-id", "AllocationId"),
            ("association-id", "AssociationId"),
            ("domain", "Domain"),
            ("instance-id", "InstanceId"),
            ("network-border-group", "NetworkBorderGroup"),
            ("network-interface-id", "NetworkInterfaceId"),
            ("network-interface-owner-id", "NetworkInterfaceOwnerId"),
            ("private-ip-address", "PrivateIpAddress"),
            ("public-ip", "PublicIp"),
        ],
    };

    fn all(net: &Network) -> &imbl::OrdMap<String, Self> {
        &net.addresses
    }

    fn show(&self, id: &str, view: &View) -> Option<Value> {
        let mut shown = json!({
            "AllocationId": id,
            "PublicIp": self.ip,
            "Domain": "vpc",
            "PublicIpv4Pool": "amazon",
            "NetworkBorderGroup": &*view.scope.region,
        });
        if let Some((association, interface)) = &self.bound {
            shown["AssociationId"] = association.as_str().into();
            shown["NetworkInterfaceId"] = interface.as_str().into();
            shown["NetworkInterfaceOwnerId"] = (&*view.scope.account).into();
            let private = view.net.interfaces.get(interface).map(|interface| interface.address.to_string());
            shown["PrivateIpAddress"] = private.into();
        }
        Some(shown)
    }

    fn chosen(member: &str, value: &Value, view: &View) -> Result<Chosen> {
        if member != "PublicIps" {
            return Ok(Chosen::Unknown);
        }
        let ips: Vec<String> = serde_json::from_value(value.clone())?;
        ips.iter().map(|ip| by_ip(view.net, ip)).collect::<Result<_>>().map(Chosen::These)
    }
}

/// The id of the allocation that has this address.
fn by_ip(net: &Network, ip: &str) -> Result<String> {
    let found = net.addresses.iter().find(|(_, address)| address.ip == ip);
    let none = || Error::client("InvalidAddress.NotFound", format!("Address '{ip}' not found."));
    found.map(|(id, _)| id.clone()).ok_or_else(none)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AllocateAddress {
    domain: Option<String>,
    #[serde(default)]
    tag_specifications: Vec<Specification>,
}

impl Action for AllocateAddress {
    const NAME: &'static str = "AllocateAddress";

    fn on(&self) -> Option<(&'static str, Option<&str>)> {
        Some(("elastic-ip", None))
    }

    fn tags(&self) -> &[Specification] {
        &self.tag_specifications
    }

    fn run(self, cx: &mut Cx<Network>) -> Result<Value> {
        let tags = of_new(&self.tag_specifications, "elastic-ip")?;
        if self.domain.as_deref() == Some("standard") {
            let text = "The domain 'standard' (EC2-Classic) is no longer supported.";
            return Err(Error::client("UnsupportedOperation", text));
        }
        if cx.state.addresses.len() >= MAX_ADDRESSES {
            let text = "The maximum number of addresses has been reached.";
            return Err(Error::client("AddressLimitExceeded", text));
        }
        let id = new_id(cx.ids(), "eipalloc");
        let ip = loop {
            let ids = cx.ids();
            // One of Amazon's own blocks, 52.0.0.0/10.
            let ip = format!("52.{}.{}.{}", ids.below(64), ids.below(256), ids.below(256));
            if by_ip(cx.state, &ip).is_err() {
                break ip;
            }
        };
        cx.state.addresses.insert(id.clone(), Address { ip: ip.clone(), bound: None });
        keep(cx.state, &id, tags);
        Ok(json!({
            "AllocationId": id,
            "PublicIp": ip,
            "Domain": "vpc",
            "PublicIpv4Pool": "amazon",
            "NetworkBorderGroup": &*cx.scope.region,
        }))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ReleaseAddress {
    allocation_id: Option<String>,
    public_ip: Option<String>,
}

impl Action for ReleaseAddress {
    const NAME: &'static str = "ReleaseAddress";

    fn on(&self) -> Option<(&'static str, Option<&str>)> {
        Some(("elastic-ip", self.allocation_id.as_deref()))
    }

    fn run(self, cx: &mut Cx<Network>) -> Result<Value> {
        let id = match (self.allocation_id, self.public_ip) {
            (Some(id), _) => id,
            (None, Some(ip)) => by_ip(cx.state, &ip)?,
            (None, None) => return Err(missing("allocationId or publicIp")),
        };
        let address = find::<Address>(cx.state, &id)?;
        if address.bound.is_some() {
            let text = format!("Address {} is in use.", address.ip);
            return Err(Error::client("InvalidIPAddress.InUse", text));
        }
        cx.state.addresses.remove(&id);
        cx.state.tags.remove(&id);
        Ok(Value::Null)
    }
}
