//! Amazon EC2's networking, and its volumes and snapshots as records: what is made is kept, described and refused as at AWS. No
//! machine runs here and no packet goes anywhere: a function in a VPC is called as any other.
//!
//! Each region of an account begins with the default VPC that AWS makes (`defaults.rs`), once somebody asks. Operations that are not
//! offered, `RunInstances` above all, are refused by name: `xtask/src/models.rs` lists those that are.
//! <https://docs.aws.amazon.com/vpc/latest/userguide/what-is-amazon-vpc.html>

mod absent;
mod acls;
mod action;
mod addresses;
mod cidr;
mod defaults;
mod dhcp;
mod endpoints;
mod filters;
mod gateways;
mod groups;
mod interfaces;
mod keys;
mod kind;
mod nat;
mod peering;
mod permissions;
mod routes;
mod subnets;
mod tables;
mod tags;
mod volumes;
mod vpcs;
mod zones;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use crate::cloud::{Scope, Service};
use crate::{Error, Timestamp};

pub(crate) use zones::zones_of;

/// The network of an account in a region. Everything is found by its id.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Network {
    /// Whether the default VPC was made; it may be deleted since.
    is_made: bool,
    vpcs: OrdMap<String, vpcs::Vpc>,
    subnets: OrdMap<String, subnets::Subnet>,
    groups: OrdMap<String, groups::Group>,
    rules: OrdMap<String, permissions::Rule>,
    tables: OrdMap<String, tables::Table>,
    gateways: OrdMap<String, gateways::Gateway>,
    acls: OrdMap<String, acls::Acl>,
    dhcp: OrdMap<String, dhcp::Options>,
    addresses: OrdMap<String, addresses::Address>,
    nats: OrdMap<String, nat::Nat>,
    interfaces: OrdMap<String, interfaces::Interface>,
    endpoints: OrdMap<String, endpoints::Endpoint>,
    peerings: OrdMap<String, peering::Peering>,
    volumes: OrdMap<String, volumes::Volume>,
    snapshots: OrdMap<String, volumes::Snapshot>,
    keys: OrdMap<String, keys::Key>,
    instances: OrdMap<String, absent::Instance>,
    placements: OrdMap<String, absent::Placement>,
    /// The tags of everything, by its id.
    tags: OrdMap<String, OrdMap<String, String>>,
}

/// The service and its operations.
pub fn service() -> Service<Network> {
    Service::new("ec2")
        .with(zones::operations)
        .with(vpcs::operations)
        .with(subnets::operations)
        .with(groups::operations)
        .with(permissions::operations)
        .with(tables::operations)
        .with(routes::operations)
        .with(gateways::operations)
        .with(acls::operations)
        .with(dhcp::operations)
        .with(addresses::operations)
        .with(nat::operations)
        .with(interfaces::operations)
        .with(endpoints::operations)
        .with(peering::operations)
        .with(volumes::operations)
        .with(keys::operations)
        .with(absent::operations)
        .with(tags::operations)
}

/// What a description is made from.
#[derive(Clone, Copy)]
struct View<'a> {
    net: &'a Network,
    scope: &'a Scope,
    now: Timestamp,
}

/// The ARN of something, by its type and id.
fn arn(scope: &Scope, kind: &str, id: &str) -> String {
    scope.arn("ec2", format_args!("{kind}/{id}"))
}

/// A value of a parameter is not one that it may have.
fn invalid(text: impl Into<String>) -> Error {
    Error::client("InvalidParameterValue", text)
}

/// Something is needed by something else.
fn in_use(text: impl Into<String>) -> Error {
    Error::client("DependencyViolation", text)
}

/// A parameter that must be given is not.
fn missing(parameter: &str) -> Error {
    Error::client("MissingParameter", format!("The request must contain the parameter {parameter}"))
}
