//! Routes.
//!
//! <https://docs.aws.amazon.com/vpc/latest/userguide/RouteTables.html#route-table-routes>

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::action::{Action, act};
use super::cidr::{Block, six};
use super::gateways::Gateway;
use super::interfaces::Interface;
use super::kind::{find, not_found};
use super::nat::Nat;
use super::peering::Peering;
use super::tables::Table;
use super::{Network, View, invalid};
use crate::cloud::{Cx, Service};
use crate::{Error, Result};

/// A table has at most so many routes.
const MAX_ROUTES: usize = 1000;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Network>) -> Service<Network> {
    service.with(act::<Put<false>>).with(act::<Put<true>>).with(act::<DeleteRoute>)
}

/// A route.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Route {
    /// A block of IPv4 or of IPv6 addresses.
    pub destination: String,
    /// The member by which the model names the target, and its id.
    member: String,
    target: String,
    origin: String,
}

impl Route {
    pub fn to(destination: &str, member: &str, target: &str) -> Self {
        Self {
            destination: destination.to_owned(),
            member: member.to_owned(),
            target: target.to_owned(),
            origin: "CreateRoute".to_owned(),
        }
    }

    /// The way within the VPC, which every table has.
    pub fn local(block: &str) -> Self {
        Self { origin: "CreateRouteTable".to_owned(), ..Self::to(block, "GatewayId", "local") }
    }

    /// A route to what is gone leads nowhere.
    fn state(&self, view: &View) -> &'static str {
        let (net, id) = (view.net, &self.target);
        let is_there = match &*self.member {
            "NatGatewayId" => net.nats.get(id).is_some_and(|nat| nat.is_there()),
            "VpcPeeringConnectionId" => net.peerings.get(id).is_some_and(|peering| peering.is_active()),
            "NetworkInterfaceId" => net.interfaces.contains_key(id),
            _ => id == "local" || net.gateways.get(id).is_some_and(|gateway| gateway.attached.is_some()),
        };
        if is_there { "active" } else { "blackhole" }
    }

    pub fn show(&self, view: &View) -> Value {
        let destination =
            if self.destination.contains(':') { "DestinationIpv6CidrBlock" } else { "DestinationCidrBlock" };
        json!({
            destination: self.destination,
            &*self.member: self.target,
            "Origin": self.origin,
            "State": self.state(view),
        })
    }
}

/// Where a route leads, by one of two blocks.
fn destination(four: Option<&str>, of_six: Option<&str>) -> Result<String> {
    let bad = |text: &str, parameter: &str| {
        invalid(format!("Value ({text}) for parameter {parameter} is invalid. This is not a valid CIDR block."))
    };
    match (four, of_six) {
        (Some(text), None) => {
            Block::parse(text).map(|block| block.to_string()).ok_or_else(|| bad(text, "destinationCidrBlock"))
        }
        (None, Some(text)) => six(text).ok_or_else(|| bad(text, "destinationIpv6CidrBlock")),
        _ => {
            let text = "The request must contain exactly one of destinationCidrBlock, destinationIpv6CidrBlock, destinationPrefixListId";
            Err(Error::client("InvalidParameterCombination", text))
        }
    }
}

/// `CreateRoute`, and with `OLD` `ReplaceRoute`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Put<const OLD: bool> {
    route_table_id: String,
    destination_cidr_block: Option<String>,
    destination_ipv6_cidr_block: Option<String>,
    gateway_id: Option<String>,
    nat_gateway_id: Option<String>,
    network_interface_id: Option<String>,
    vpc_peering_connection_id: Option<String>,
}

impl<const OLD: bool> Put<OLD> {
    /// The target: its member, and its id, which is looked for.
    fn target<'a>(&'a self, cx: &Cx<Network>, vpc: &str) -> Result<(&'static str, &'a str)> {
        let targets = [
            ("GatewayId", &self.gateway_id),
            ("NatGatewayId", &self.nat_gateway_id),
            ("NetworkInterfaceId", &self.network_interface_id),
            ("VpcPeeringConnectionId", &self.vpc_peering_connection_id),
        ];
        let mut given = targets.iter().filter_map(|(member, id)| Some((*member, id.as_deref()?)));
        let (Some((member, id)), None) = (given.next(), given.next()) else {
            let text = "The request must contain exactly one of gatewayId, natGatewayId, networkInterfaceId, \
                        vpcPeeringConnectionId, egressOnlyInternetGatewayId, transitGatewayId, localGatewayId or instanceId";
            return Err(Error::client("InvalidParameterCombination", text));
        };
        let net = &*cx.state;
        match member {
            "GatewayId" if id == "local" => {}
            "GatewayId" if id.starts_with("vgw-") => {
                return Err(Error::not_implemented(format!("routes to virtual private gateways (GatewayId={id})")));
            }
            "GatewayId" => {
                if find::<Gateway>(net, id)?.vpc().map(String::as_str) != Some(vpc) {
                    let table = &self.route_table_id;
                    return Err(invalid(format!(
                        "route table {table} and network gateway {id} belong to different networks"
                    )));
                }
            }
            "NatGatewayId" => {
                let nat = find::<Nat>(net, id)?;
                if !nat.is_there() {
                    return Err(not_found::<Nat>(id));
                }
            }
            "NetworkInterfaceId" => {
                find::<Interface>(net, id)?;
            }
            _ => {
                find::<Peering>(net, id)?;
            }
        }
        Ok((member, id))
    }
}

impl<const OLD: bool> Action for Put<OLD> {
    const NAME: &'static str = if OLD { "ReplaceRoute" } else { "CreateRoute" };

    fn on(&self) -> Option<(&'static str, Option<&str>)> {
        Some(("route-table", Some(&self.route_table_id)))
    }

    fn run(self, cx: &mut Cx<Network>) -> Result<Value> {
        let id = &self.route_table_id;
        let table = find::<Table>(cx.state, id)?;
        let destination =
            destination(self.destination_cidr_block.as_deref(), self.destination_ipv6_cidr_block.as_deref())?;
        let (member, target) = self.target(cx, &table.vpc)?;
        let route = Route::to(&destination, member, target);
        let place = table.routes.iter().position(|known| known.destination == destination);
        let is_local = |place: usize| table.routes.get(place).is_some_and(|known| known.target == "local");
        let is_same = |place: usize| {
            table.routes.get(place).is_some_and(|known| known.target == route.target && known.member == route.member)
        };
        match place {
            // The same route again is taken for the one that there is.
            Some(place) if !OLD && is_same(place) => return Ok(json!({ "Return": true })),
            Some(_) if !OLD => {
                let text = format!("The route identified by {destination} already exists.");
                return Err(Error::client("RouteAlreadyExists", text));
            }
            Some(place) if is_local(place) => {
                return Err(Error::not_implemented("another target of a table's local route (ec2:ReplaceRoute)"));
            }
            None if OLD => {
                let text = format!(
                    "There is no route defined for '{destination}' in the route table. Use CreateRoute instead."
                );
                return Err(Error::client("InvalidParameterValue", text));
            }
            None if table.routes.len() >= MAX_ROUTES => {
                let text = "The maximum number of routes has been reached.";
                return Err(Error::client("RouteLimitExceeded", text));
            }
            _ => {}
        }
        let table = cx.state.tables.get_mut(id).ok_or_else(|| not_found::<Table>(id))?;
        match place {
            Some(place) => {
                table.routes.set(place, route);
            }
            None => table.routes.push_back(route),
        }
        Ok(if OLD { Value::Null } else { json!({ "Return": true }) })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeleteRoute {
    route_table_id: String,
    destination_cidr_block: Option<String>,
    destination_ipv6_cidr_block: Option<String>,
}

impl Action for DeleteRoute {
    const NAME: &'static str = "DeleteRoute";

    fn on(&self) -> Option<(&'static str, Option<&str>)> {
        Some(("route-table", Some(&self.route_table_id)))
    }

    fn run(self, cx: &mut Cx<Network>) -> Result<Value> {
        let id = &self.route_table_id;
        let destination =
            destination(self.destination_cidr_block.as_deref(), self.destination_ipv6_cidr_block.as_deref())?;
        let table = cx.state.tables.get_mut(id).ok_or_else(|| not_found::<Table>(id))?;
        let place = table.routes.iter().position(|route| route.destination == destination).ok_or_else(|| {
            let text = format!("no route with destination-cidr-block {destination} in route table {id}");
            Error::client("InvalidRoute.NotFound", text)
        })?;
        if table.routes.get(place).is_some_and(|route| route.target == "local") {
            return Err(invalid(format!("cannot remove local route {destination} in route table {id}")));
        }
        table.routes.remove(place);
        Ok(Value::Null)
    }
}
