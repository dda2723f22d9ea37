//! NAT gateways.
//!
//! <https://docs.aws.amazon.com/vpc/latest/userguide/vpc-nat-gateway.html>

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::action::{Action, act};
use super::addresses::Address;
use super::interfaces::Interface;
use super::kind::{Facts, Kind, describe_one, find, listed, new_id, not_found};
use super::subnets::Subnet;
use super::tags::{Specification, keep, of_new};
use super::{Network, View, missing};
use crate::cloud::{Cx, Service};
use crate::{Error, Result, Timestamp};

/// How long one is being made, and being deleted. AWS names no time.
const MAKING: Duration = Duration::from_secs(5);
/// A deleted one is seen for about an hour.
/// <https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-working-with.html#nat-gateway-deleting>
const SEEN: Duration = Duration::from_secs(3600);
/// A zone has at most so many.
const MAX_NATS: usize = 1000;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Network>) -> Service<Network> {
    service.with(listed::<Nat>).with(act::<CreateNatGateway>).with(act::<DeleteNatGateway>)
}

/// A NAT gateway.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Nat {
    pub vpc: String,
    pub subnet: String,
    created: Timestamp,
    deleted: Option<Timestamp>,
    /// The allocation of its address, and the address: none for a private one.
    allocation: Option<(String, String)>,
    interface: String,
    private: String,
    token: Option<String>,
}

impl Nat {
    /// Whether it binds its subnet and VPC: not while it is being deleted, for its interface goes first.
    pub fn is_there(&self) -> bool {
        self.deleted.is_none()
    }

    pub fn is_public(&self) -> bool {
        self.allocation.is_some()
    }
}

impl Kind for Nat {
    const FACTS: Facts = Facts {
        operation: "DescribeNatGateways",
        code: "NatGatewayNotFound",
        text: "The Nat Gateway {} was not found",
        members: ("NatGatewayIds", "NatGateways"),
        filters: &[
            ("nat-gateway-id", "NatGatewayId"),
            ("state", "State"),
            ("subnet-id", "SubnetId"),
            ("vpc-id", "VpcId"),
        ],
    };

    fn all(net: &Network) -> &imbl::OrdMap<String, Self> {
        &net.nats
    }

    fn show(&self, id: &str, view: &View) -> Option<Value> {
        let state = match self.deleted {
            Some(at) if view.now.since(at) >= SEEN => return None,
            Some(at) if view.now.since(at) < MAKING => "deleting",
            Some(_) => "deleted",
            None if view.now.since(self.created) < MAKING => "pending",
            None => "available",
        };
        let mut address = json!({
            "NetworkInterfaceId": self.interface,
            "PrivateIp": self.private,
            "IsPrimary": true,
            "Status": "succeeded",
        });
        if let Some((allocation, ip)) = &self.allocation {
            address["AllocationId"] = allocation.as_str().into();
            address["PublicIp"] = ip.as_str().into();
            let bound = view.net.addresses.get(allocation).and_then(|address| address.bound.as_ref());
            if let Some((association, _)) = bound {
                address["AssociationId"] = association.as_str().into();
            }
        }
        Some(json!({
            "NatGatewayId": id,
            "VpcId": self.vpc,
            "SubnetId": self.subnet,
            "State": state,
            "CreateTime": self.created,
            "DeleteTime": self.deleted,
            "ConnectivityType": if self.is_public() { "public" } else { "private" },
            "AvailabilityMode": "zonal",
            "NatGatewayAddresses": [address],
        }))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateNatGateway {
    allocation_id: Option<String>,
    subnet_id: Option<String>,
    connectivity_type: Option<String>,
    client_token: Option<String>,
    #[serde(default)]
    tag_specifications: Vec<Specification>,
}

impl Action for CreateNatGateway {
    const NAME: &'static str = "CreateNatGateway";

    fn on(&self) -> Option<(&'static str, Option<&str>)> {
        Some(("natgateway", None))
    }

    fn tags(&self) -> &[Specification] {
        &self.tag_specifications
    }

    fn run(self, cx: &mut Cx<Network>) -> Result<Value> {
        let tags = of_new(&self.tag_specifications, "natgateway")?;
        // A call that is repeated with its token is the call that was made.
        let again = cx.state.nats.iter().find(|(_, nat)| nat.token.is_some() && nat.token == self.client_token);
        if let Some(id) = again.map(|(id, _)| id.clone()) {
            return Ok(json!({ "NatGateway": describe_one::<Nat>(cx, &id)?, "ClientToken": self.client_token }));
        }
        let subnet = self.subnet_id.ok_or_else(|| missing("subnetId"))?;
        let vpc = find::<Subnet>(cx.state, &subnet)?.vpc.clone();
        let allocation = match (self.connectivity_type.as_deref(), self.allocation_id) {
            (Some("private"), None) => None,
            (Some("private"), Some(_)) => {
                let text = "AllocationId is not supported for private NAT gateways";
                return Err(Error::client("InvalidParameterCombination", text));
            }
            (_, None) => return Err(missing("allocationId")),
            (_, Some(id)) => {
                let address = find::<Address>(cx.state, &id)?;
                if address.bound.is_some() {
                    let text = format!("Elastic IP address [{id}] is already associated");
                    return Err(Error::client("InvalidElasticIpID.InUse", text));
                }
                if !cx.state.gateways.values().any(|gateway| gateway.vpc() == Some(&vpc)) {
                    let text = format!("Network {vpc} has no Internet gateway attached");
                    return Err(Error::client("Gateway.NotAttached", text));
                }
                Some((id, address.ip.clone()))
            }
        };
        let now = cx.now;
        if cx.state.nats.values().filter(|nat| nat.is_there()).count() >= MAX_NATS {
            let text = "The maximum number of NAT gateways has been reached.";
            return Err(Error::client("NatGatewayLimitExceeded", text));
        }
        let id = new_id(cx.ids(), "nat");
        let description = format!("Interface for NAT Gateway {id}");
        let interface = Interface::make(cx, &subnet, "nat_gateway", description, Vec::new())?;
        let private = find::<Interface>(cx.state, &interface)?.address.to_string();
        let association = new_id(cx.ids(), "eipassoc");
        if let Some(address) = allocation.as_ref().and_then(|(id, _)| cx.state.addresses.get_mut(id)) {
            address.bound = Some((association, interface.clone()));
        }
        let token = self.client_token.clone();
        forget_old(cx);
        let nat = Nat { vpc, subnet, created: now, deleted: None, allocation, interface, private, token };
        cx.state.nats.insert(id.clone(), nat);
        keep(cx.state, &id, tags);
        Ok(json!({ "NatGateway": describe_one::<Nat>(cx, &id)?, "ClientToken": self.client_token }))
    }
}

/// Those that are seen no more are kept no more.
fn forget_old(cx: &mut Cx<Network>) {
    let is_over = |nat: &Nat| nat.deleted.is_some_and(|at| cx.now.since(at) >= SEEN);
    let gone: Vec<_> = cx.state.nats.iter().filter(|(_, nat)| is_over(nat)).map(|(id, _)| id.clone()).collect();
    for id in gone {
        cx.state.nats.remove(&id);
        cx.state.tags.remove(&id);
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeleteNatGateway {
    nat_gateway_id: String,
}

impl Action for DeleteNatGateway {
    const NAME: &'static str = "DeleteNatGateway";

    fn on(&self) -> Option<(&'static str, Option<&str>)> {
        Some(("natgateway", Some(&self.nat_gateway_id)))
    }

    fn run(self, cx: &mut Cx<Network>) -> Result<Value> {
        let (id, now) = (self.nat_gateway_id, cx.now);
        let nat = cx.state.nats.get_mut(&id).ok_or_else(|| not_found::<Nat>(&id))?;
        if nat.deleted.is_none() {
            nat.deleted = Some(now);
            let (interface, allocation) = (nat.interface.clone(), nat.allocation.clone());
            cx.state.interfaces.remove(&interface);
            if let Some(address) = allocation.and_then(|(id, _)| cx.state.addresses.get_mut(&id)) {
                address.bound = None;
            }
        }
        Ok(json!({ "NatGatewayId": id }))
    }
}
