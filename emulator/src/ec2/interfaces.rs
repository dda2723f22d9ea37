//! Network interfaces: those that AWS makes for NAT gateways and interface endpoints.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/requester-managed-eni.html>

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::kind::{Chosen, Facts, Kind, find, listed, new_id};
use super::subnets::Subnet;
use super::{Network, View, zones};
use crate::Result;
use crate::cloud::{Cx, Service};

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Network>) -> Service<Network> {
    service.with(listed::<Interface>)
}

/// A network interface.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Interface {
    pub subnet: String,
    pub address: Ipv4Addr,
    pub groups: Vec<String>,
    description: String,
    /// `nat_gateway` or `vpc_endpoint`.
    kind: String,
    attachment: String,
    mac: String,
}

impl Interface {
    /// Makes one in a subnet; the answer is its id.
    pub fn make(
        cx: &mut Cx<Network>,
        subnet: &str,
        kind: &str,
        description: String,
        groups: Vec<String>,
    ) -> Result<String> {
        let address = find::<Subnet>(cx.state, subnet)?.free_address(cx.state, subnet)?;
        let (id, attachment) = (new_id(cx.ids(), "eni"), new_id(cx.ids(), "ela-attach"));
        let digits = cx.ids().hex(10);
        let pairs: Vec<&str> = (0..5).filter_map(|pair| digits.get(pair * 2..pair * 2 + 2)).collect();
        let mac = format!("0e:{}", pairs.join(":"));
        let (subnet, kind) = (subnet.to_owned(), kind.to_owned());
        cx.state.interfaces.insert(id.clone(), Self { subnet, address, groups, description, kind, attachment, mac });
        Ok(id)
    }
}

impl Kind for Interface {
    const FACTS: Facts = Facts {
        operation: "DescribeNetworkInterfaces",
        code: "InvalidNetworkInterfaceID.NotFound",
        text: "The networkInterface ID '{}' does not exist",
        members: ("NetworkInterfaceIds", "NetworkInterfaces"),
        filters: &[
            ("addresses.association.owner-id", "PrivateIpAddresses.Association.IpOwnerId"),
            ("addresses.association.public-ip", "PrivateIpAddresses.Association.PublicIp"),
            ("addresses.primary", "PrivateIpAddresses.Primary"),
            ("addresses.private-ip-address", "PrivateIpAddresses.PrivateIpAddress"),
            ("association.allocation-id", "Association.AllocationId"),
            ("association.association-id", "Association.AssociationId"),
            ("association.ip-owner-id", "Association.IpOwnerId"),
            ("association.public-dns-name", "Association.PublicDnsName"),
            ("association.public-ip", "Association.PublicIp"),
            ("attachment.attach-time", "Attachment.AttachTime"),
            ("attachment.attachment-id", "Attachment.AttachmentId"),
            ("attachment.delete-on-termination", "Attachment.DeleteOnTermination"),
            ("attachment.device-index", "Attachment.DeviceIndex"),
            ("attachment.instance-id", "Attachment.InstanceId"),
            ("attachment.instance-owner-id", "Attachment.InstanceOwnerId"),
            ("attachment.status", "Attachment.Status"),
            ("availability-zone", "AvailabilityZone"),
            ("availability-zone-id", "AvailabilityZoneId"),
            ("description", "Description"),
            ("group-id", "Groups.GroupId"),
            ("group-name", "Groups.GroupName"),
            ("interface-type", "InterfaceType"),
            ("ipv6-addresses.ipv6-address", "Ipv6Addresses.Ipv6Address"),
            ("mac-address", "MacAddress"),
            ("network-interface-id", "NetworkInterfaceId"),
            ("owner-id", "OwnerId"),
            ("private-dns-name", "PrivateDnsName"),
            ("private-ip-address", "PrivateIpAddress"),
            ("requester-id", "RequesterId"),
            ("requester-managed", "RequesterManaged"),
            ("source-dest-check", "SourceDestCheck"),
            ("status", "Status"),
            ("subnet-id", "SubnetId"),
            ("vpc-id", "VpcId"),
        ],
    };

    fn all(net: &Network) -> &imbl::OrdMap<String, Self> {
        &net.interfaces
    }

    fn show(&self, id: &str, view: &View) -> Option<Value> {
        let subnet = view.net.subnets.get(&self.subnet)?;
        let account = &*view.scope.account;
        let bound = view.net.addresses.iter().find_map(|(allocation, address)| {
            let (association, _) = address.bound.as_ref().filter(|(_, interface)| interface == id)?;
            let (allocation, association) = (allocation.as_str(), association.as_str());
            Some(json!({
                "AllocationId": allocation,
                "AssociationId": association,
                "IpOwnerId": account,
                "PublicIp": address.ip,
            }))
        });
        let group = |id: &String| {
            let name = view.net.groups.get(id).map(|group| &group.name);
            json!({ "GroupId": id, "GroupName": name })
        };
        let mut one = json!({ "Primary": true, "PrivateIpAddress": self.address.to_string() });
        if let Some(bound) = &bound {
            one["Association"] = bound.clone();
        }
        Some(json!({
            "NetworkInterfaceId": id,
            "SubnetId": self.subnet,
            "VpcId": subnet.vpc,
            "AvailabilityZone": subnet.zone,
            "AvailabilityZoneId": zones::id_of(&view.scope.region, &subnet.zone),
            "Association": bound,
            "Attachment": {
                "AttachmentId": self.attachment,
                "DeleteOnTermination": false,
                "DeviceIndex": 1,
                "InstanceOwnerId": "amazon-aws",
                "Status": "attached",
            },
            "Description": self.description,
            "Groups": self.groups.iter().map(group).collect::<Vec<_>>(),
            "InterfaceType": self.kind,
            "Ipv6Addresses": [],
            "MacAddress": self.mac,
            "OwnerId": account,
            "PrivateIpAddress": self.address.to_string(),
            "PrivateIpAddresses": [one],
            "RequesterManaged": true,
            "SourceDestCheck": self.kind != "nat_gateway",
            "Status": "in-use",
        }))
    }

    fn chosen(member: &str, _value: &Value, _view: &View) -> Result<Chosen> {
        Ok(if member == "IncludeManagedResources" { Chosen::All } else { Chosen::Unknown })
    }
}
