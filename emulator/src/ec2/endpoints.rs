//! VPC endpoints: gateways, which are routes to Amazon S3 and DynamoDB, and interfaces.
//!
//! <https://docs.aws.amazon.com/vpc/latest/privatelink/concepts.html>

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::action::{Action, act};
use super::groups;
use super::interfaces::Interface;
use super::kind::{Facts, Kind, describe_one, find, listed, new_id, not_found};
use super::subnets::Subnet;
use super::tables::Table;
use super::tags::{Specification, keep, of_new};
use super::vpcs::Vpc;
use super::{Network, View, missing};
use crate::cloud::{Cx, Service};
use crate::{Error, Result, Timestamp};

/// How long one with interfaces is being made. AWS names no time.
const MAKING: Duration = Duration::from_secs(5);
/// The services that gateways lead to.
const BY_GATEWAY: [&str; 2] = ["s3", "dynamodb"];
/// The policy of which nothing is said.
/// <https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html>
const FULL_ACCESS: &str =
    r#"{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}"#;
/// The longest policy.
const MAX_POLICY: usize = 20_480;
/// A VPC has at most so many endpoints.
const MAX_ENDPOINTS: usize = 1000;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Network>) -> Service<Network> {
    service
        .with(listed::<Endpoint>)
        .with(act::<CreateVpcEndpoint>)
        .with(act::<ModifyVpcEndpoint>)
        .with(act::<DeleteVpcEndpoints>)
}

/// An endpoint.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Endpoint {
    pub vpc: String,
    service: String,
    is_gateway: bool,
    created: Timestamp,
    policy: String,
    /// The route tables of a gateway.
    pub tables: Vec<String>,
    /// The subnets of interfaces, with the interfaces.
    places: Vec<(String, String)>,
    pub groups: Vec<String>,
    private_dns: bool,
    token: Option<String>,
}

impl Endpoint {
    /// The route that a gateway has in a table.
    pub fn route_in(&self, id: &str, table: &str, view: &View) -> Option<Value> {
        let is_there = self.is_gateway && self.tables.iter().any(|known| known == table);
        let list = prefix_list(&view.scope.region, &self.service);
        is_there.then(
            || json!({ "DestinationPrefixListId": list, "GatewayId": id, "Origin": "CreateRoute", "State": "active" }),
        )
    }
}

/// The id of the list of a service's addresses in a region. AWS's lists have ids of their own, which are nowhere documented.
fn prefix_list(region: &str, service: &str) -> String {
    format!("pl-{}", hex::encode(&Sha256::digest(format!("{region}/{service}"))[..4]))
}

impl Kind for Endpoint {
    const FACTS: Facts = Facts {
        operation: "DescribeVpcEndpoints",
        code: "InvalidVpcEndpointId.NotFound",
        text: "The Vpc Endpoint Id '{}' does not exist",
        members: ("VpcEndpointIds", "VpcEndpoints"),
        filters: &[
            ("ip-address-type", "IpAddressType"),
            ("service-name", "ServiceName"),
            ("service-region", "ServiceRegion"),
            ("vpc-endpoint-id", "VpcEndpointId"),
            ("vpc-endpoint-state", "State"),
            ("vpc-endpoint-type", "VpcEndpointType"),
            ("vpc-id", "VpcId"),
        ],
    };

    fn all(net: &Network) -> &imbl::OrdMap<String, Self> {
        &net.endpoints
    }

    fn show(&self, id: &str, view: &View) -> Option<Value> {
        let is_made = self.is_gateway || view.now.since(self.created) >= MAKING;
        let group =
            |id: &String| json!({ "GroupId": id, "GroupName": view.net.groups.get(id).map(|group| &group.name) });
        let mut shown = json!({
            "VpcEndpointId": id,
            "VpcEndpointType": if self.is_gateway { "Gateway" } else { "Interface" },
            "VpcId": self.vpc,
            "ServiceName": self.service,
            "ServiceRegion": &*view.scope.region,
            "State": if is_made { "available" } else { "pending" },
            "PolicyDocument": self.policy,
            "RouteTableIds": self.tables,
            "SubnetIds": self.places.iter().map(|(subnet, _)| subnet).collect::<Vec<_>>(),
            "NetworkInterfaceIds": self.places.iter().map(|(_, interface)| interface).collect::<Vec<_>>(),
            "Groups": self.groups.iter().map(group).collect::<Vec<_>>(),
            "PrivateDnsEnabled": self.private_dns,
            "RequesterManaged": false,
            "CreationTimestamp": self.created,
            "OwnerId": &*view.scope.account,
        });
        if !self.is_gateway {
            shown["IpAddressType"] = "ipv4".into();
            shown["DnsOptions"] = json!({ "DnsRecordIpType": "ipv4" });
        }
        Some(shown)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateVpcEndpoint {
    vpc_id: String,
    vpc_endpoint_type: Option<String>,
    service_name: Option<String>,
    policy_document: Option<String>,
    #[serde(default)]
    route_table_ids: Vec<String>,
    #[serde(default)]
    subnet_ids: Vec<String>,
    #[serde(default)]
    security_group_ids: Vec<String>,
    private_dns_enabled: Option<bool>,
    client_token: Option<String>,
    #[serde(default)]
    tag_specifications: Vec<Specification>,
}

impl Action for CreateVpcEndpoint {
    const NAME: &'static str = "CreateVpcEndpoint";

    fn on(&self) -> Option<(&'static str, Option<&str>)> {
        Some(("vpc-endpoint", None))
    }

    fn tags(&self) -> &[Specification] {
        &self.tag_specifications
    }

    fn run(self, cx: &mut Cx<Network>) -> Result<Value> {
        let tags = of_new(&self.tag_specifications, "vpc-endpoint")?;
        let again = cx.state.endpoints.iter().find(|(_, one)| one.token.is_some() && one.token == self.client_token);
        if let Some(id) = again.map(|(id, _)| id.clone()) {
            return Ok(json!({ "VpcEndpoint": describe_one::<Endpoint>(cx, &id)?, "ClientToken": self.client_token }));
        }
        let is_gateway = match self.vpc_endpoint_type.as_deref() {
            None | Some("Gateway") => true,
            Some("Interface") => false,
            Some(kind) => {
                let text = format!("VPC endpoints of this type (VpcEndpointType={kind} of ec2:CreateVpcEndpoint)");
                return Err(Error::not_implemented(text));
            }
        };
        find::<Vpc>(cx.state, &self.vpc_id)?;
        let service = self.service_name.clone().ok_or_else(|| missing("serviceName"))?;
        self.check_service(&cx.scope.region, &service, is_gateway)?;
        let policy = read_policy(self.policy_document)?.unwrap_or_else(|| FULL_ACCESS.to_owned());
        if cx.state.endpoints.values().filter(|one| one.vpc == self.vpc_id).count() >= MAX_ENDPOINTS {
            let text = "The maximum number of VPC endpoints has been reached.";
            return Err(Error::client("VpcEndpointLimitExceeded", text));
        }
        let mut endpoint = Endpoint {
            vpc: self.vpc_id,
            service,
            is_gateway,
            created: cx.now,
            policy,
            tables: Vec::new(),
            places: Vec::new(),
            groups: Vec::new(),
            private_dns: !is_gateway && self.private_dns_enabled != Some(false),
            token: self.client_token.clone(),
        };
        add_tables(cx.state, &mut endpoint, self.route_table_ids)?;
        if !is_gateway {
            endpoint.groups = groups::of_vpc(cx.state, &endpoint.vpc, self.security_group_ids)?;
        }
        check_subnets(cx.state, &endpoint, &self.subnet_ids)?;
        let id = new_id(cx.ids(), "vpce");
        add_subnets(cx, &id, &mut endpoint, self.subnet_ids)?;
        cx.state.endpoints.insert(id.clone(), endpoint);
        keep(cx.state, &id, tags);
        Ok(json!({ "VpcEndpoint": describe_one::<Endpoint>(cx, &id)?, "ClientToken": self.client_token }))
    }
}

impl CreateVpcEndpoint {
    /// Whether the service is one of AWS's in the region, and what is given fits the endpoint's type.
    fn check_service(&self, region: &str, service: &str, is_gateway: bool) -> Result<()> {
        let name = service.strip_prefix("com.amazonaws.").and_then(|rest| rest.strip_prefix(region)?.strip_prefix('.'));
        let is_known = name.is_some_and(|name| !name.is_empty() && (!is_gateway || BY_GATEWAY.contains(&name)));
        if !is_known {
            let text = format!("The Vpc Endpoint Service '{service}' does not exist");
            return Err(Error::client("InvalidServiceName", text));
        }
        let stranger = match is_gateway {
            true if !self.subnet_ids.is_empty() => "Subnet IDs are only supported for Interface type VPC Endpoints.",
            true if !self.security_group_ids.is_empty() => {
                "Security group IDs are only supported for Interface type VPC Endpoints."
            }
            true if self.private_dns_enabled == Some(true) => {
                "Private DNS is only supported for Interface type VPC Endpoints."
            }
            false if !self.route_table_ids.is_empty() => {
                "Route table IDs are only supported for Gateway type VPC Endpoint."
            }
            _ => return Ok(()),
        };
        Err(Error::client("InvalidParameter", stranger))
    }
}

fn read_policy(text: Option<String>) -> Result<Option<String>> {
    let Some(text) = text else { return Ok(None) };
    let is_object = serde_json::from_str::<Value>(&text).is_ok_and(|value| value.is_object());
    if !is_object || text.len() > MAX_POLICY {
        return Err(Error::client("InvalidPolicyDocument", "Policy document must be valid JSON of a policy."));
    }
    Ok(Some(text))
}

/// More route tables of a gateway, each of its VPC and with no other way to the service.
fn add_tables(net: &Network, endpoint: &mut Endpoint, tables: Vec<String>) -> Result<()> {
    for id in tables {
        if find::<Table>(net, &id)?.vpc != endpoint.vpc {
            return Err(groups::other_network());
        }
        let is_routed = |one: &Endpoint| one.is_gateway && one.service == endpoint.service && one.tables.contains(&id);
        if endpoint.tables.contains(&id) || net.endpoints.values().any(is_routed) {
            let text = format!("route table {id} already has a route with destination-prefix-list-id of this service");
            return Err(Error::client("RouteAlreadyExists", text));
        }
        endpoint.tables.push(id);
    }
    Ok(())
}

/// Subnets are of the endpoint's VPC, and one in each zone.
fn check_subnets(net: &Network, endpoint: &Endpoint, subnets: &[String]) -> Result<()> {
    let zone = |id: &String| net.subnets.get(id).map(|subnet| subnet.zone.clone());
    let mut zones: Vec<_> = endpoint.places.iter().filter_map(|(subnet, _)| zone(subnet)).collect();
    for id in subnets {
        let subnet = find::<Subnet>(net, id)?;
        if subnet.vpc != endpoint.vpc {
            return Err(groups::other_network());
        }
        subnet.free_address(net, id)?;
        if zones.contains(&subnet.zone) {
            let text = format!("Found another VPC endpoint subnet in the availability zone of {id}");
            return Err(Error::client("DuplicateSubnetsInSameZone", text));
        }
        zones.push(subnet.zone.clone());
    }
    Ok(())
}

fn add_subnets(cx: &mut Cx<Network>, id: &str, endpoint: &mut Endpoint, subnets: Vec<String>) -> Result<()> {
    for subnet in subnets {
        let description = format!("VPC Endpoint Interface {id}");
        let interface = Interface::make(cx, &subnet, "vpc_endpoint", description, endpoint.groups.clone())?;
        endpoint.places.push((subnet, interface));
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ModifyVpcEndpoint {
    vpc_endpoint_id: String,
    reset_policy: Option<bool>,
    policy_document: Option<String>,
    #[serde(default)]
    add_route_table_ids: Vec<String>,
    #[serde(default)]
    remove_route_table_ids: Vec<String>,
    #[serde(default)]
    add_subnet_ids: Vec<String>,
    #[serde(default)]
    remove_subnet_ids: Vec<String>,
    #[serde(default)]
    add_security_group_ids: Vec<String>,
    #[serde(default)]
    remove_security_group_ids: Vec<String>,
    private_dns_enabled: Option<bool>,
}

impl Action for ModifyVpcEndpoint {
    const NAME: &'static str = "ModifyVpcEndpoint";

    fn on(&self) -> Option<(&'static str, Option<&str>)> {
        Some(("vpc-endpoint", Some(&self.vpc_endpoint_id)))
    }

    fn run(self, cx: &mut Cx<Network>) -> Result<Value> {
        let id = &self.vpc_endpoint_id;
        let mut endpoint = find::<Endpoint>(cx.state, id)?.clone();
        let has_places = !self.add_subnet_ids.is_empty() || !self.add_security_group_ids.is_empty();
        if (endpoint.is_gateway && has_places) || (!endpoint.is_gateway && !self.add_route_table_ids.is_empty()) {
            let text = "The parameters do not fit the type of the VPC endpoint.";
            return Err(Error::client("InvalidParameter", text));
        }
        if self.reset_policy == Some(true) {
            endpoint.policy = FULL_ACCESS.to_owned();
        } else if let Some(policy) = read_policy(self.policy_document)? {
            endpoint.policy = policy;
        }
        endpoint.tables.retain(|table| !self.remove_route_table_ids.contains(table));
        add_tables(cx.state, &mut endpoint, self.add_route_table_ids)?;
        for group in self.add_security_group_ids {
            groups::of_vpc(cx.state, &endpoint.vpc, vec![group.clone()])?;
            if !endpoint.groups.contains(&group) {
                endpoint.groups.push(group);
            }
        }
        endpoint.groups.retain(|group| !self.remove_security_group_ids.contains(group));
        let (gone, kept): (Vec<_>, _) =
            endpoint.places.into_iter().partition(|(subnet, _)| self.remove_subnet_ids.contains(subnet));
        endpoint.places = kept;
        endpoint.private_dns = self.private_dns_enabled.unwrap_or(endpoint.private_dns);
        check_subnets(cx.state, &endpoint, &self.add_subnet_ids)?;
        for (_, interface) in gone {
            cx.state.interfaces.remove(&interface);
        }
        for (_, interface) in &endpoint.places {
            if let Some(interface) = cx.state.interfaces.get_mut(interface) {
                interface.groups.clone_from(&endpoint.groups);
            }
        }
        add_subnets(cx, id, &mut endpoint, self.add_subnet_ids)?;
        cx.state.endpoints.insert(id.clone(), endpoint);
        Ok(json!({ "Return": true }))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeleteVpcEndpoints {
    vpc_endpoint_ids: Vec<String>,
}

impl Action for DeleteVpcEndpoints {
    const NAME: &'static str = "DeleteVpcEndpoints";

    fn on(&self) -> Option<(&'static str, Option<&str>)> {
        Some(("vpc-endpoint", self.vpc_endpoint_ids.first().map(String::as_str)))
    }

    fn run(self, cx: &mut Cx<Network>) -> Result<Value> {
        let mut failed = Vec::new();
        for id in self.vpc_endpoint_ids {
            let Some(endpoint) = cx.state.endpoints.remove(&id) else {
                let error = not_found::<Endpoint>(&id);
                let error = json!({ "Code": error.code(), "Message": error.message() });
                failed.push(json!({ "ResourceId": id, "Error": error }));
                continue;
            };
            cx.state.tags.remove(&id);
            for (_, interface) in endpoint.places {
                cx.state.interfaces.remove(&interface);
            }
        }
        Ok(json!({ "Unsuccessful": failed }))
    }
}
