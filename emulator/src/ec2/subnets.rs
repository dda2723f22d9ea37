//! Subnets.
//!
//! <https://docs.aws.amazon.com/vpc/latest/userguide/configure-subnets.html>

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::acls;
use super::action::{Action, act};
use super::cidr::Block;
use super::kind::{Facts, Kind, describe_one, find, listed, new_id, not_found};
use super::tags::{Specification, keep, of_new};
use super::vpcs::{Flag, Vpc, read_block, set};
use super::{Network, View, arn, in_use, missing, tables, zones};
use crate::cloud::{Cx, Service};
use crate::{Error, Result};

/// AWS keeps the first four addresses of a subnet and the last.
/// <https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html>
const RESERVED: u64 = 5;
/// A VPC has at most so many subnets.
const MAX_SUBNETS: usize = 200;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Network>) -> Service<Network> {
    service
        .with(listed::<Subnet>)
        .with(act::<CreateSubnet>)
        .with(act::<DeleteSubnet>)
        .with(act::<ModifySubnetAttribute>)
}

/// A subnet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Subnet {
    pub vpc: String,
    pub block: Block,
    pub zone: String,
    pub is_default: bool,
    pub gives_public: bool,
    gives_six: bool,
    dns64: bool,
    hostnames: String,
    has_a_record: bool,
    has_aaaa_record: bool,
}

impl Subnet {
    pub fn new(vpc: &str, block: Block, zone: String) -> Self {
        Self {
            vpc: vpc.to_owned(),
            block,
            zone,
            is_default: false,
            gives_public: false,
            gives_six: false,
            dns64: false,
            hostnames: "ip-name".to_owned(),
            has_a_record: false,
            has_aaaa_record: false,
        }
    }

    /// Keeps a new subnet, which has the network ACL of its VPC.
    pub fn insert(cx: &mut Cx<Network>, id: &str, subnet: Self) {
        let association = new_id(cx.ids(), "aclassoc");
        acls::associate(cx.state, &subnet.vpc, association, id);
        cx.state.subnets.insert(id.to_owned(), subnet);
    }

    /// An address of it that nothing has.
    pub fn free_address(&self, net: &Network, id: &str) -> Result<Ipv4Addr> {
        let taken: Vec<Ipv4Addr> =
            net.interfaces.values().filter(|interface| interface.subnet == id).map(|one| one.address).collect();
        let last = u32::try_from(self.block.size() - 1).unwrap_or(u32::MAX);
        let mut all = (4..last).map(|number| self.block.address(number));
        all.find(|address| !taken.contains(address)).ok_or_else(|| {
            let text = format!("The specified subnet does not have enough free addresses: {id}");
            Error::client("InsufficientFreeAddressesInSubnet", text)
        })
    }
}

impl Kind for Subnet {
    const FACTS: Facts = Facts {
        operation: "DescribeSubnets",
        code: "InvalidSubnetID.NotFound",
        text: "The subnet ID '{}' does not exist",
        members: ("SubnetIds", "Subnets"),
        filters: &[
            ("availability-zone", "AvailabilityZone"),
            ("availabilityZone", "AvailabilityZone"),
            ("availability-zone-id", "AvailabilityZoneId"),
            ("availabilityZoneId", "AvailabilityZoneId"),
            ("available-ip-address-count", "AvailableIpAddressCount"),
            ("cidr", "CidrBlock"),
            ("cidr-block", "CidrBlock"),
            ("cidrBlock", "CidrBlock"),
            ("customer-owned-ipv4-pool", "CustomerOwnedIpv4Pool"),
            ("default-for-az", "DefaultForAz"),
            ("defaultForAz", "DefaultForAz"),
            ("enable-dns64", "EnableDns64"),
            ("enable-lni-at-device-index", "EnableLniAtDeviceIndex"),
            ("ipv6-cidr-block-association.ipv6-cidr-block", "Ipv6CidrBlockAssociationSet.Ipv6CidrBlock"),
            ("ipv6-cidr-block-association.association-id", "Ipv6CidrBlockAssociationSet.AssociationId"),
            ("ipv6-cidr-block-association.state", "Ipv6CidrBlockAssociationSet.Ipv6CidrBlockState.State"),
            ("ipv6-native", "Ipv6Native"),
            ("map-customer-owned-ip-on-launch", "MapCustomerOwnedIpOnLaunch"),
            ("map-public-ip-on-launch", "MapPublicIpOnLaunch"),
            ("outpost-arn", "OutpostArn"),
            ("owner-id", "OwnerId"),
            ("private-dns-name-options-on-launch.hostname-type", "PrivateDnsNameOptionsOnLaunch.HostnameType"),
            (
                "private-dns-name-options-on-launch.enable-resource-name-dns-a-record",
                "PrivateDnsNameOptionsOnLaunch.EnableResourceNameDnsARecord",
            ),
            (
                "private-dns-name-options-on-launch.enable-resource-name-dns-aaaa-record",
                "PrivateDnsNameOptionsOnLaunch.EnableResourceNameDnsAAAARecord",
            ),
            ("state", "State"),
            ("subnet-arn", "SubnetArn"),
            ("subnet-id", "SubnetId"),
            ("vpc-id", "VpcId"),
        ],
    };

    fn all(net: &Network) -> &imbl::OrdMap<String, Self> {
        &net.subnets
    }

    fn show(&self, id: &str, view: &View) -> Option<Value> {
        let taken = view.net.interfaces.values().filter(|interface| interface.subnet == id).count() as u64;
        Some(json!({
            "SubnetId": id,
            "SubnetArn": arn(view.scope, "subnet", id),
            "VpcId": self.vpc,
            "OwnerId": &*view.scope.account,
            "State": "available",
            "CidrBlock": self.block,
            "AvailabilityZone": self.zone,
            "AvailabilityZoneId": zones::id_of(&view.scope.region, &self.zone),
            "AvailableIpAddressCount": (self.block.size() - RESERVED).saturating_sub(taken),
            "DefaultForAz": self.is_default,
            "MapPublicIpOnLaunch": self.gives_public,
            "MapCustomerOwnedIpOnLaunch": false,
            "AssignIpv6AddressOnCreation": self.gives_six,
            "Ipv6CidrBlockAssociationSet": [],
            "EnableDns64": self.dns64,
            "Ipv6Native": false,
            "PrivateDnsNameOptionsOnLaunch": {
                "HostnameType": self.hostnames,
                "EnableResourceNameDnsARecord": self.has_a_record,
                "EnableResourceNameDnsAAAARecord": self.has_aaaa_record,
            },
            "BlockPublicAccessStates": { "InternetGatewayBlockMode": "off" },
        }))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateSubnet {
    vpc_id: String,
    cidr_block: Option<String>,
    availability_zone: Option<String>,
    availability_zone_id: Option<String>,
    #[serde(default)]
    tag_specifications: Vec<Specification>,
}

impl Action for CreateSubnet {
    const NAME: &'static str = "CreateSubnet";

    fn on(&self) -> Option<(&'static str, Option<&str>)> {
        Some(("subnet", None))
    }

    fn tags(&self) -> &[Specification] {
        &self.tag_specifications
    }

    fn run(self, cx: &mut Cx<Network>) -> Result<Value> {
        let tags = of_new(&self.tag_specifications, "subnet")?;
        let text = self.cidr_block.ok_or_else(|| missing("cidrBlock"))?;
        let vpc = find::<Vpc>(cx.state, &self.vpc_id)?;
        let block = read_block(&text)?;
        if !(16..=28).contains(&block.bits) || !vpc.block.contains(block) {
            return Err(Error::client("InvalidSubnet.Range", format!("The CIDR '{text}' is invalid.")));
        }
        let beside = || cx.state.subnets.values().filter(|subnet| subnet.vpc == self.vpc_id);
        if beside().any(|subnet| subnet.block.overlaps(block)) {
            let text = format!("The CIDR '{text}' conflicts with another subnet");
            return Err(Error::client("InvalidSubnet.Conflict", text));
        }
        if beside().count() >= MAX_SUBNETS {
            let text = "The maximum number of subnets has been reached.";
            return Err(Error::client("SubnetLimitExceeded", text));
        }
        let (name, zone) = (self.availability_zone.as_deref(), self.availability_zone_id.as_deref());
        let chosen = zones::choose(&cx.scope.region, name, zone)?;
        let first = || zones::zones_of(&cx.scope.region).swap_remove(0);
        let subnet = Subnet::new(&self.vpc_id, block, chosen.unwrap_or_else(first));
        let id = new_id(cx.ids(), "subnet");
        Subnet::insert(cx, &id, subnet);
        keep(cx.state, &id, tags);
        Ok(json!({ "Subnet": describe_one::<Subnet>(cx, &id)? }))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeleteSubnet {
    subnet_id: String,
}

impl Action for DeleteSubnet {
    const NAME: &'static str = "DeleteSubnet";

    fn on(&self) -> Option<(&'static str, Option<&str>)> {
        Some(("subnet", Some(&self.subnet_id)))
    }

    fn run(self, cx: &mut Cx<Network>) -> Result<Value> {
        let id = self.subnet_id;
        find::<Subnet>(cx.state, &id)?;
        let net = &mut *cx.state;
        let is_needed = net.interfaces.values().any(|interface| interface.subnet == id)
            || net.nats.values().any(|nat| nat.subnet == id && nat.is_there());
        if is_needed {
            return Err(in_use(format!("The subnet '{id}' has dependencies and cannot be deleted.")));
        }
        tables::dissociate(net, &id);
        acls::dissociate(net, &id);
        net.subnets.remove(&id);
        net.tags.remove(&id);
        Ok(Value::Null)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ModifySubnetAttribute {
    subnet_id: String,
    map_public_ip_on_launch: Option<Flag>,
    enable_dns64: Option<Flag>,
    private_dns_hostname_type_on_launch: Option<String>,
    enable_resource_name_dns_a_record_on_launch: Option<Flag>,
    #[serde(rename = "EnableResourceNameDnsAAAARecordOnLaunch")]
    enable_resource_name_dns_aaaa_record_on_launch: Option<Flag>,
    assign_ipv6_address_on_creation: Option<Flag>,
}

impl Action for ModifySubnetAttribute {
    const NAME: &'static str = "ModifySubnetAttribute";

    fn on(&self) -> Option<(&'static str, Option<&str>)> {
        Some(("subnet", Some(&self.subnet_id)))
    }

    fn run(self, cx: &mut Cx<Network>) -> Result<Value> {
        let subnet = cx.state.subnets.get_mut(&self.subnet_id).ok_or_else(|| not_found::<Subnet>(&self.subnet_id))?;
        let asks_six = |flag: Option<Flag>| flag.and_then(|flag| flag.value) == Some(true);
        if asks_six(self.assign_ipv6_address_on_creation) || asks_six(self.enable_dns64) {
            let text = format!("Invalid attribute for subnet {} without an IPv6 CIDR block.", self.subnet_id);
            return Err(Error::client("InvalidParameterValue", text));
        }
        set(&mut subnet.gives_public, self.map_public_ip_on_launch);
        set(&mut subnet.gives_six, self.assign_ipv6_address_on_creation);
        set(&mut subnet.dns64, self.enable_dns64);
        set(&mut subnet.has_a_record, self.enable_resource_name_dns_a_record_on_launch);
        set(&mut subnet.has_aaaa_record, self.enable_resource_name_dns_aaaa_record_on_launch);
        subnet.hostnames = self.private_dns_hostname_type_on_launch.unwrap_or_else(|| subnet.hostnames.clone());
        Ok(Value::Null)
    }
}
