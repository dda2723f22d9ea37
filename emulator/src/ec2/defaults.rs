//! What a region of an account begins with: the default VPC, with a subnet in each zone and a way to the internet.
//!
//! <https://docs.aws.amazon.com/vpc/latest/userguide/default-vpc-components.html>

use std::net::Ipv4Addr;

use super::cidr::Block;
use super::gateways::{Attachment, Gateway};
use super::kind::new_id;
use super::routes::Route;
use super::subnets::Subnet;
use super::vpcs::{Vpc, furnish};
use super::{Network, dhcp, zones};
use crate::cloud::Cx;

const BLOCK: Block = Block::new(Ipv4Addr::new(172, 31, 0, 0), 16);
/// The prefix of a default subnet.
const SUBNET_BITS: u32 = 20;

/// Makes the default VPC, once.
pub(super) fn make(cx: &mut Cx<Network>) {
    if cx.state.is_made {
        return;
    }
    cx.state.is_made = true;
    let options = new_id(cx.ids(), "dopt");
    let region = cx.scope.region.clone();
    cx.state.dhcp.insert(options.clone(), dhcp::of_amazon(&region));
    let id = new_id(cx.ids(), "vpc");
    let mut vpc = Vpc::new(BLOCK, new_id(cx.ids(), "vpc-cidr-assoc"));
    (vpc.dhcp, vpc.is_default, vpc.dns_hostnames) = (options, true, true);
    cx.state.vpcs.insert(id.clone(), vpc);
    let table = furnish(cx, &id);
    let gateway = new_id(cx.ids(), "igw");
    cx.state.gateways.insert(gateway.clone(), Gateway { attached: Some(Attachment { vpc: id.clone() }) });
    if let Some(table) = cx.state.tables.get_mut(&table) {
        table.routes.push_back(Route::to("0.0.0.0/0", "GatewayId", &gateway));
    }
    for (number, zone) in zones::zones_of(&region).into_iter().enumerate() {
        let block = Block::new(BLOCK.address((number as u32) << (32 - SUBNET_BITS)), SUBNET_BITS);
        let subnet = new_id(cx.ids(), "subnet");
        let mut made = Subnet::new(&id, block, zone);
        (made.is_default, made.gives_public) = (true, true);
        Subnet::insert(cx, &subnet, made);
    }
}
