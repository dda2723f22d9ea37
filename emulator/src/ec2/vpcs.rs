//! VPCs: what is made with one, its attributes, and its end.
//!
//! <https://docs.aws.amazon.com/vpc/latest/userguide/configure-your-vpc.html>

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::acls::Acl;
use super::action::{Action, act};
use super::cidr::Block;
use super::groups::Group;
use super::kind::{Facts, Kind, describe_one, find, listed, new_id, not_found};
use super::tables::{Association, Table};
use super::tags::{Specification, keep, of_new};
use super::{Network, View, in_use, invalid, missing, permissions};
use crate::cloud::{Cx, Service};
use crate::{Error, Result};

/// A region has at most so many VPCs: the quota may be raised so far.
/// <https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html>
const MAX_VPCS: usize = 1000;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Network>) -> Service<Network> {
    service
        .with(listed::<Vpc>)
        .with(act::<CreateVpc>)
        .with(act::<DeleteVpc>)
        .with(act::<ModifyVpcAttribute>)
        .with(act::<DescribeVpcAttribute>)
}

/// A VPC.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Vpc {
    pub block: Block,
    association: String,
    /// The id of its DHCP options, or `default`.
    pub dhcp: String,
    tenancy: String,
    pub is_default: bool,
    pub dns_hostnames: bool,
    dns_support: bool,
    usage_metrics: bool,
}

impl Vpc {
    pub fn new(block: Block, association: String) -> Self {
        Self {
            block,
            association,
            dhcp: "default".to_owned(),
            tenancy: "default".to_owned(),
            is_default: false,
            dns_hostnames: false,
            dns_support: true,
            usage_metrics: false,
        }
    }
}

impl Kind for Vpc {
    const FACTS: Facts = Facts {
        operation: "DescribeVpcs",
        code: "InvalidVpcID.NotFound",
        text: "The vpc ID '{}' does not exist",
        members: ("VpcIds", "Vpcs"),
        filters: &[
            ("cidr", "CidrBlock"),
            ("cidr-block-association.cidr-block", "CidrBlockAssociationSet.CidrBlock"),
            ("cidr-block-association.association-id", "CidrBlockAssociationSet.AssociationId"),
            ("cidr-block-association.state", "CidrBlockAssociationSet.CidrBlockState.State"),
            ("dhcp-options-id", "DhcpOptionsId"),
            ("ipv6-cidr-block-association.ipv6-cidr-block", "Ipv6CidrBlockAssociationSet.Ipv6CidrBlock"),
            ("ipv6-cidr-block-association.ipv6-pool", "Ipv6CidrBlockAssociationSet.Ipv6Pool"),
            ("ipv6-cidr-block-association.association-id", "Ipv6CidrBlockAssociationSet.AssociationId"),
            ("ipv6-cidr-block-association.state", "Ipv6CidrBlockAssociationSet.Ipv6CidrBlockState.State"),
            ("is-default", "IsDefault"),
            ("isDefault", "IsDefault"),
            ("owner-id", "OwnerId"),
            ("state", "State"),
            ("vpc-id", "VpcId"),
        ],
    };

    fn all(net: &Network) -> &imbl::OrdMap<String, Self> {
        &net.vpcs
    }

    fn show(&self, id: &str, view: &View) -> Option<Value> {
        Some(json!({
            "VpcId": id,
            "OwnerId": &*view.scope.account,
            "State": "available",
            "CidrBlock": self.block,
            "CidrBlockAssociationSet": [{
                "AssociationId": self.association,
                "CidrBlock": self.block,
                "CidrBlockState": { "State": "associated" },
            }],
            "DhcpOptionsId": self.dhcp,
            "InstanceTenancy": self.tenancy,
            "IsDefault": self.is_default,
            "BlockPublicAccessStates": { "InternetGatewayBlockMode": "off" },
        }))
    }
}

/// Gives a new VPC what each has: a main route table, whose id is the answer, a network ACL and a security group.
pub(super) fn furnish(cx: &mut Cx<Network>, vpc: &str) -> String {
    let (table, association) = (new_id(cx.ids(), "rtb"), new_id(cx.ids(), "rtbassoc"));
    let block = cx.state.vpcs.get(vpc).map(|vpc| vpc.block);
    let mut made = Table::new(vpc, block);
    made.associations.push_back(Association { id: association, is_main: true, subnet: None });
    cx.state.tables.insert(table.clone(), made);
    let acl = new_id(cx.ids(), "acl");
    cx.state.acls.insert(acl, Acl::default_of(vpc));
    let group = new_id(cx.ids(), "sg");
    let made =
        Group { vpc: vpc.to_owned(), name: "default".to_owned(), description: "default VPC security group".to_owned() };
    cx.state.groups.insert(group.clone(), made);
    permissions::allow_own(cx, &group);
    permissions::allow_out(cx, &group);
    table
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateVpc {
    cidr_block: Option<String>,
    instance_tenancy: Option<String>,
    #[serde(default)]
    tag_specifications: Vec<Specification>,
    amazon_provided_ipv6_cidr_block: Option<bool>,
}

impl Action for CreateVpc {
    const NAME: &'static str = "CreateVpc";

    fn on(&self) -> Option<(&'static str, Option<&str>)> {
        Some(("vpc", None))
    }

    fn tags(&self) -> &[Specification] {
        &self.tag_specifications
    }

    fn run(self, cx: &mut Cx<Network>) -> Result<Value> {
        let tags = of_new(&self.tag_specifications, "vpc")?;
        let text = self.cidr_block.ok_or_else(|| missing("cidrBlock"))?;
        if self.amazon_provided_ipv6_cidr_block == Some(true) {
            return Err(Error::not_implemented("IPv6 blocks of VPCs (AmazonProvidedIpv6CidrBlock of ec2:CreateVpc)"));
        }
        let block = read_block(&text)?;
        if !(16..=28).contains(&block.bits) {
            return Err(Error::client("InvalidVpc.Range", format!("The CIDR '{text}' is invalid.")));
        }
        if cx.state.vpcs.len() >= MAX_VPCS {
            return Err(Error::client("VpcLimitExceeded", "The maximum number of VPCs has been reached."));
        }
        let (id, association) = (new_id(cx.ids(), "vpc"), new_id(cx.ids(), "vpc-cidr-assoc"));
        let mut vpc = Vpc::new(block, association);
        vpc.tenancy = self.instance_tenancy.unwrap_or(vpc.tenancy);
        // A new VPC has the options that Amazon gives the region.
        let first = cx.state.dhcp.iter().find(|(_, options)| options.is_of_amazon);
        if let Some((options, _)) = first {
            vpc.dhcp.clone_from(options);
        }
        cx.state.vpcs.insert(id.clone(), vpc);
        furnish(cx, &id);
        keep(cx.state, &id, tags);
        let mut vpc = describe_one::<Vpc>(cx, &id)?;
        vpc["State"] = "pending".into();
        Ok(json!({ "Vpc": vpc }))
    }
}

/// A block that a caller names.
pub(super) fn read_block(text: &str) -> Result<Block> {
    Block::parse(text).ok_or_else(|| {
        invalid(format!("Value ({text}) for parameter cidrBlock is invalid. This is not a valid CIDR block."))
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeleteVpc {
    vpc_id: String,
}

impl Action for DeleteVpc {
    const NAME: &'static str = "DeleteVpc";

    fn on(&self) -> Option<(&'static str, Option<&str>)> {
        Some(("vpc", Some(&self.vpc_id)))
    }

    fn run(self, cx: &mut Cx<Network>) -> Result<Value> {
        let id = &self.vpc_id;
        find::<Vpc>(cx.state, id)?;
        let (net, now) = (&mut *cx.state, cx.now);
        let is_needed = net.subnets.values().any(|subnet| subnet.vpc == *id)
            || net.groups.values().any(|group| group.vpc == *id && group.name != "default")
            || net.tables.values().any(|table| table.vpc == *id && !table.is_main())
            || net.gateways.values().any(|gateway| gateway.vpc() == Some(id))
            || net.endpoints.values().any(|endpoint| endpoint.vpc == *id)
            || net.nats.values().any(|nat| nat.vpc == *id && nat.is_there())
            || net.peerings.values().any(|peering| peering.binds(id, now));
        if is_needed {
            return Err(in_use(format!("The vpc '{id}' has dependencies and cannot be deleted.")));
        }
        let groups: Vec<_> =
            net.groups.iter().filter(|(_, group)| group.vpc == *id).map(|(id, _)| id.clone()).collect();
        for group in groups {
            permissions::forget_group(net, &group);
        }
        let of_table = |table: &Table| table.vpc == *id;
        let gone: Vec<_> = (net.tables.iter().filter(|(_, table)| of_table(table)).map(|(id, _)| id))
            .chain(net.acls.iter().filter(|(_, acl)| acl.vpc == *id).map(|(id, _)| id))
            .cloned()
            .collect();
        for id in gone {
            net.tables.remove(&id);
            net.acls.remove(&id);
            net.tags.remove(&id);
        }
        net.vpcs.remove(id);
        net.tags.remove(id);
        Ok(Value::Null)
    }
}

/// `AttributeBooleanValue` of the model.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Flag {
    pub value: Option<bool>,
}

/// The value of an attribute that is given.
pub(super) fn set(place: &mut bool, flag: Option<Flag>) {
    if let Some(value) = flag.and_then(|flag| flag.value) {
        *place = value;
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ModifyVpcAttribute {
    vpc_id: String,
    enable_dns_hostnames: Option<Flag>,
    enable_dns_support: Option<Flag>,
    enable_network_address_usage_metrics: Option<Flag>,
}

impl Action for ModifyVpcAttribute {
    const NAME: &'static str = "ModifyVpcAttribute";

    fn on(&self) -> Option<(&'static str, Option<&str>)> {
        Some(("vpc", Some(&self.vpc_id)))
    }

    fn run(self, cx: &mut Cx<Network>) -> Result<Value> {
        let given = [self.enable_dns_hostnames, self.enable_dns_support, self.enable_network_address_usage_metrics];
        match given.iter().flatten().count() {
            0 => return Err(Error::client("MissingParameter", "No attributes specified.")),
            1 => {}
            _ => {
                let text = "Fields for multiple attribute types specified: enableDnsHostnames, enableDnsSupport";
                return Err(Error::client("InvalidParameterCombination", text));
            }
        }
        let vpc = cx.state.vpcs.get_mut(&self.vpc_id).ok_or_else(|| not_found::<Vpc>(&self.vpc_id))?;
        set(&mut vpc.dns_hostnames, self.enable_dns_hostnames);
        set(&mut vpc.dns_support, self.enable_dns_support);
        set(&mut vpc.usage_metrics, self.enable_network_address_usage_metrics);
        Ok(Value::Null)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DescribeVpcAttribute {
    vpc_id: String,
    attribute: String,
}

impl Action for DescribeVpcAttribute {
    const NAME: &'static str = "DescribeVpcAttribute";

    fn on(&self) -> Option<(&'static str, Option<&str>)> {
        Some(("vpc", Some(&self.vpc_id)))
    }

    fn run(self, cx: &mut Cx<Network>) -> Result<Value> {
        let vpc = find::<Vpc>(cx.state, &self.vpc_id)?;
        let (member, value) = match &*self.attribute {
            "enableDnsHostnames" => ("EnableDnsHostnames", vpc.dns_hostnames),
            "enableDnsSupport" => ("EnableDnsSupport", vpc.dns_support),
            _ => ("EnableNetworkAddressUsageMetrics", vpc.usage_metrics),
        };
        Ok(json!({ "VpcId": self.vpc_id, member: { "Value": value } }))
    }
}
