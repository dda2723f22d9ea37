//! Route tables and what is associated with them.
//!
//! <https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Route_Tables.html>

use imbl::Vector;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::action::{Action, act};
use super::cidr::Block;
use super::endpoints::Endpoint;
use super::groups::other_network;
use super::kind::{Facts, Kind, describe_one, find, listed, new_id, not_found};
use super::routes::Route;
use super::subnets::Subnet;
use super::tags::{Specification, keep, of_new};
use super::vpcs::Vpc;
use super::{Network, View, in_use, invalid, missing};
use crate::cloud::{Cx, Service};
use crate::{Error, Result};

/// A VPC has at most so many route tables.
const MAX_TABLES: usize = 500;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Network>) -> Service<Network> {
    service
        .with(listed::<Table>)
        .with(act::<CreateRouteTable>)
        .with(act::<DeleteRouteTable>)
        .with(act::<AssociateRouteTable>)
        .with(act::<DisassociateRouteTable>)
        .with(act::<ReplaceRouteTableAssociation>)
}

/// A route table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Table {
    pub vpc: String,
    pub routes: Vector<Route>,
    pub associations: Vector<Association>,
}

/// That a table is the main one of its VPC, or a subnet's.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Association {
    pub id: String,
    pub is_main: bool,
    pub subnet: Option<String>,
}

impl Table {
    /// A new one has the way within the VPC.
    pub fn new(vpc: &str, block: Option<Block>) -> Self {
        let local = block.map(|block| Route::local(&block.to_string()));
        Self { vpc: vpc.to_owned(), routes: local.into_iter().collect(), associations: Vector::new() }
    }

    pub fn is_main(&self) -> bool {
        self.associations.iter().any(|association| association.is_main)
    }
}

impl Kind for Table {
    const FACTS: Facts = Facts {
        operation: "DescribeRouteTables",
        code: "InvalidRouteTableID.NotFound",
        text: "The routeTable ID '{}' does not exist",
        members: ("RouteTableIds", "RouteTables"),
        filters: &[
            ("association.gateway-id", "Associations.GatewayId"),
            ("association.main", "Associations.Main"),
            ("association.route-table-association-id", "Associations.RouteTableAssociationId"),
            ("association.route-table-id", "Associations.RouteTableId"),
            ("association.subnet-id", "Associations.SubnetId"),
            ("owner-id", "OwnerId"),
            ("route-table-id", "RouteTableId"),
            ("route.destination-cidr-block", "Routes.DestinationCidrBlock"),
            ("route.destination-ipv6-cidr-block", "Routes.DestinationIpv6CidrBlock"),
            ("route.destination-prefix-list-id", "Routes.DestinationPrefixListId"),
            ("route.egress-only-internet-gateway-id", "Routes.EgressOnlyInternetGatewayId"),
            ("route.gateway-id", "Routes.GatewayId"),
            ("route.instance-id", "Routes.InstanceId"),
            ("route.nat-gateway-id", "Routes.NatGatewayId"),
            ("route.transit-gateway-id", "Routes.TransitGatewayId"),
            ("route.origin", "Routes.Origin"),
            ("route.state", "Routes.State"),
            ("route.vpc-peering-connection-id", "Routes.VpcPeeringConnectionId"),
            ("vpc-id", "VpcId"),
        ],
    };

    fn all(net: &Network) -> &imbl::OrdMap<String, Self> {
        &net.tables
    }

    fn show(&self, id: &str, view: &View) -> Option<Value> {
        let association = |one: &Association| {
            let mut shown = json!({
                "Main": one.is_main,
                "RouteTableAssociationId": one.id,
                "RouteTableId": id,
                "AssociationState": { "State": "associated" },
            });
            if let Some(subnet) = &one.subnet {
                shown["SubnetId"] = subnet.as_str().into();
            }
            shown
        };
        let by_endpoints = view.net.endpoints.iter().flat_map(|(endpoint, it)| it.route_in(endpoint, id, view));
        let routes = self.routes.iter().map(|route| route.show(view)).chain(by_endpoints);
        Some(json!({
            "RouteTableId": id,
            "VpcId": self.vpc,
            "OwnerId": &*view.scope.account,
            "Associations": self.associations.iter().map(association).collect::<Vec<_>>(),
            "PropagatingVgws": [],
            "Routes": routes.collect::<Vec<_>>(),
        }))
    }
}

/// A subnet is gone.
pub(super) fn dissociate(net: &mut Network, subnet: &str) {
    let is_it = |association: &Association| association.subnet.as_deref() == Some(subnet);
    let found = net.tables.iter().find(|(_, table)| table.associations.iter().any(is_it)).map(|(id, _)| id.clone());
    if let Some(table) = found.and_then(|id| net.tables.get_mut(&id)) {
        table.associations.retain(|association| !is_it(association));
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateRouteTable {
    vpc_id: String,
    /// Made anew at each call: a call of the same token is not looked for.
    client_token: Option<String>,
    #[serde(default)]
    tag_specifications: Vec<Specification>,
}

impl Action for CreateRouteTable {
    const NAME: &'static str = "CreateRouteTable";

    fn on(&self) -> Option<(&'static str, Option<&str>)> {
        Some(("route-table", None))
    }

    fn tags(&self) -> &[Specification] {
        &self.tag_specifications
    }

    fn run(self, cx: &mut Cx<Network>) -> Result<Value> {
        let tags = of_new(&self.tag_specifications, "route-table")?;
        let block = find::<Vpc>(cx.state, &self.vpc_id)?.block;
        if cx.state.tables.values().filter(|table| table.vpc == self.vpc_id).count() >= MAX_TABLES {
            let text = "The maximum number of route tables has been reached.";
            return Err(Error::client("RouteTableLimitExceeded", text));
        }
        let id = new_id(cx.ids(), "rtb");
        cx.state.tables.insert(id.clone(), Table::new(&self.vpc_id, Some(block)));
        keep(cx.state, &id, tags);
        Ok(json!({ "RouteTable": describe_one::<Table>(cx, &id)?, "ClientToken": self.client_token }))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeleteRouteTable {
    route_table_id: String,
}

impl Action for DeleteRouteTable {
    const NAME: &'static str = "DeleteRouteTable";

    fn on(&self) -> Option<(&'static str, Option<&str>)> {
        Some(("route-table", Some(&self.route_table_id)))
    }

    fn run(self, cx: &mut Cx<Network>) -> Result<Value> {
        let id = self.route_table_id;
        if !find::<Table>(cx.state, &id)?.associations.is_empty() {
            return Err(in_use(format!("The routeTable '{id}' has dependencies and cannot be deleted.")));
        }
        cx.state.tables.remove(&id);
        cx.state.tags.remove(&id);
        let of_endpoint = |endpoint: &Endpoint| endpoint.tables.contains(&id);
        let found = cx.state.endpoints.iter().filter(|(_, endpoint)| of_endpoint(endpoint));
        let found: Vec<_> = found.map(|(id, _)| id.clone()).collect();
        for endpoint in found {
            if let Some(endpoint) = cx.state.endpoints.get_mut(&endpoint) {
                endpoint.tables.retain(|table| *table != id);
            }
        }
        Ok(Value::Null)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AssociateRouteTable {
    route_table_id: String,
    subnet_id: Option<String>,
}

impl Action for AssociateRouteTable {
    const NAME: &'static str = "AssociateRouteTable";

    fn on(&self) -> Option<(&'static str, Option<&str>)> {
        Some(("route-table", Some(&self.route_table_id)))
    }

    fn run(self, cx: &mut Cx<Network>) -> Result<Value> {
        let table = find::<Table>(cx.state, &self.route_table_id)?;
        let subnet = self.subnet_id.ok_or_else(|| missing("subnetId or gatewayId"))?;
        if find::<Subnet>(cx.state, &subnet)?.vpc != table.vpc {
            return Err(invalid(format!(
                "Route table {} and network {subnet} belong to different networks",
                self.route_table_id
            )));
        }
        let of_subnet = |one: &&Association| one.subnet.as_ref() == Some(&subnet);
        for (id, table) in &cx.state.tables {
            let Some(known) = table.associations.iter().find(of_subnet) else { continue };
            if *id == self.route_table_id {
                return Ok(associated("AssociationId", &known.id));
            }
            let text = format!(
                "the specified association for route table {} conflicts with an existing association",
                self.route_table_id
            );
            return Err(Error::client("Resource.AlreadyAssociated", text));
        }
        let id = new_id(cx.ids(), "rtbassoc");
        if let Some(table) = cx.state.tables.get_mut(&self.route_table_id) {
            table.associations.push_back(Association { id: id.clone(), is_main: false, subnet: Some(subnet) });
        }
        Ok(associated("AssociationId", &id))
    }
}

fn associated(member: &str, id: &str) -> Value {
    json!({ member: id, "AssociationState": { "State": "associated" } })
}

/// The table that has this association, and it.
fn association(net: &Network, id: &str) -> Result<(String, Association)> {
    let found = net.tables.iter().find_map(|(table, it)| {
        let one = it.associations.iter().find(|one| one.id == id)?;
        Some((table.clone(), one.clone()))
    });
    found.ok_or_else(|| {
        let text = format!("The association ID '{id}' does not exist");
        Error::client("InvalidAssociationID.NotFound", text)
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DisassociateRouteTable {
    association_id: String,
}

impl Action for DisassociateRouteTable {
    const NAME: &'static str = "DisassociateRouteTable";

    fn run(self, cx: &mut Cx<Network>) -> Result<Value> {
        let (table, found) = association(cx.state, &self.association_id)?;
        if found.is_main {
            let text = "cannot disassociate the main route table association ".to_owned() + &found.id;
            return Err(invalid(text));
        }
        if let Some(table) = cx.state.tables.get_mut(&table) {
            table.associations.retain(|one| one.id != found.id);
        }
        Ok(Value::Null)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ReplaceRouteTableAssociation {
    association_id: String,
    route_table_id: String,
}

impl Action for ReplaceRouteTableAssociation {
    const NAME: &'static str = "ReplaceRouteTableAssociation";

    fn on(&self) -> Option<(&'static str, Option<&str>)> {
        Some(("route-table", Some(&self.route_table_id)))
    }

    fn run(self, cx: &mut Cx<Network>) -> Result<Value> {
        let (old, found) = association(cx.state, &self.association_id)?;
        let vpc = find::<Table>(cx.state, &self.route_table_id)?.vpc.clone();
        if find::<Table>(cx.state, &old)?.vpc != vpc {
            return Err(other_network());
        }
        let id = new_id(cx.ids(), "rtbassoc");
        if let Some(table) = cx.state.tables.get_mut(&old) {
            table.associations.retain(|one| one.id != found.id);
        }
        let missing = || not_found::<Table>(&self.route_table_id);
        let table = cx.state.tables.get_mut(&self.route_table_id).ok_or_else(missing)?;
        table.associations.push_back(Association { id: id.clone(), ..found });
        Ok(associated("NewAssociationId", &id))
    }
}
