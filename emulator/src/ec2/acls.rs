//! Network ACLs: the one that each VPC has, which lets everything through.
//!
//! <https://docs.aws.amazon.com/vpc/latest/userguide/default-network-acl.html>

use imbl::{OrdMap, Vector};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::kind::{Facts, Kind, listed};
use super::{Network, View};
use crate::cloud::Service;

/// The last rule, which denies what no other says something of.
const LAST_RULE: u32 = 32_767;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Network>) -> Service<Network> {
    service.with(listed::<Acl>)
}

/// A network ACL.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Acl {
    pub vpc: String,
    /// Its subnets: the ids of the association and of the subnet.
    associations: Vector<(String, String)>,
}

impl Acl {
    pub fn default_of(vpc: &str) -> Self {
        Self { vpc: vpc.to_owned(), associations: Vector::new() }
    }
}

/// A new subnet has the ACL of its VPC.
pub(super) fn associate(net: &mut Network, vpc: &str, association: String, subnet: &str) {
    let id = net.acls.iter().find(|(_, acl)| acl.vpc == vpc).map(|(id, _)| id.clone());
    if let Some(acl) = id.and_then(|id| net.acls.get_mut(&id)) {
        acl.associations.push_back((association, subnet.to_owned()));
    }
}

/// A subnet is gone.
pub(super) fn dissociate(net: &mut Network, subnet: &str) {
    let is_it = |(_, known): &(String, String)| known == subnet;
    let found = net.acls.iter().find(|(_, acl)| acl.associations.iter().any(is_it)).map(|(id, _)| id.clone());
    if let Some(acl) = found.and_then(|id| net.acls.get_mut(&id)) {
        acl.associations.retain(|association| !is_it(association));
    }
}

impl Kind for Acl {
    const FACTS: Facts = Facts {
        operation: "DescribeNetworkAcls",
        code: "InvalidNetworkAclID.NotFound",
        text: "The networkAcl ID '{}' does not exist",
        members: ("NetworkAclIds", "NetworkAcls"),
        filters: &[
            ("association.association-id", "Associations.NetworkAclAssociationId"),
            ("association.network-acl-id", "Associations.NetworkAclId"),
            ("association.subnet-id", "Associations.SubnetId"),
            ("default", "IsDefault"),
            ("entry.cidr", "Entries.CidrBlock"),
            ("entry.egress", "Entries.Egress"),
            ("entry.icmp.code", "Entries.IcmpTypeCode.Code"),
            ("entry.icmp.type", "Entries.IcmpTypeCode.Type"),
            ("entry.ipv6-cidr", "Entries.Ipv6CidrBlock"),
            ("entry.port-range.from", "Entries.PortRange.From"),
            ("entry.port-range.to", "Entries.PortRange.To"),
            ("entry.protocol", "Entries.Protocol"),
            ("entry.rule-action", "Entries.RuleAction"),
            ("entry.rule-number", "Entries.RuleNumber"),
            ("network-acl-id", "NetworkAclId"),
            ("owner-id", "OwnerId"),
            ("vpc-id", "VpcId"),
        ],
    };

    fn all(net: &Network) -> &OrdMap<String, Self> {
        &net.acls
    }

    fn show(&self, id: &str, view: &View) -> Option<Value> {
        let entry = |number: u32, is_out: bool, action: &str| {
            json!({
                "CidrBlock": "0.0.0.0/0",
                "Egress": is_out,
                "Protocol": "-1",
                "RuleAction": action,
                "RuleNumber": number,
            })
        };
        let entries = [true, false].map(|out| [entry(100, out, "allow"), entry(LAST_RULE, out, "deny")]).concat();
        let association = |(association, subnet): &(String, String)| json!({ "NetworkAclAssociationId": association, "NetworkAclId": id, "SubnetId": subnet });
        Some(json!({
            "NetworkAclId": id,
            "VpcId": self.vpc,
            "OwnerId": &*view.scope.account,
            "IsDefault": true,
            "Associations": self.associations.iter().map(association).collect::<Vec<_>>(),
            "Entries": entries,
        }))
    }
}
