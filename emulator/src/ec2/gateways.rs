//! Internet gateways.
//!
//! <https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Internet_Gateway.html>

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::action::{Action, act};
use super::kind::{Facts, Kind, describe_one, find, listed, new_id, not_found};
use super::tags::{Specification, keep, of_new};
use super::vpcs::Vpc;
use super::{Network, View, in_use};
use crate::cloud::{Cx, Service};
use crate::{Error, Result};

/// A region has at most so many, as it has VPCs.
const MAX_GATEWAYS: usize = 1000;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Network>) -> Service<Network> {
    service
        .with(listed::<Gateway>)
        .with(act::<CreateInternetGateway>)
        .with(act::<DeleteInternetGateway>)
        .with(act::<AttachInternetGateway>)
        .with(act::<DetachInternetGateway>)
}

/// An internet gateway.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Gateway {
    pub attached: Option<Attachment>,
}

/// The VPC that it is attached to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Attachment {
    pub vpc: String,
}

impl Gateway {
    pub fn vpc(&self) -> Option<&String> {
        self.attached.as_ref().map(|attachment| &attachment.vpc)
    }
}

impl Kind for Gateway {
    const FACTS: Facts = Facts {
        operation: "DescribeInternetGateways",
        code: "InvalidInternetGatewayID.NotFound",
        text: "The internetGateway ID '{}' does not exist",
        members: ("InternetGatewayIds", "InternetGateways"),
        filters: &[
            ("attachment.state", "Attachments.State"),
            ("attachment.vpc-id", "Attachments.VpcId"),
            ("internet-gateway-id", "InternetGatewayId"),
            ("owner-id", "OwnerId"),
        ],
    };

    fn all(net: &Network) -> &imbl::OrdMap<String, Self> {
        &net.gateways
    }

    fn show(&self, id: &str, view: &View) -> Option<Value> {
        let attachments: Vec<_> =
            self.vpc().map(|vpc| json!({ "State": "available", "VpcId": vpc })).into_iter().collect();
        Some(json!({ "InternetGatewayId": id, "OwnerId": &*view.scope.account, "Attachments": attachments }))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateInternetGateway {
    #[serde(default)]
    tag_specifications: Vec<Specification>,
}

impl Action for CreateInternetGateway {
    const NAME: &'static str = "CreateInternetGateway";

    fn on(&self) -> Option<(&'static str, Option<&str>)> {
        Some(("internet-gateway", None))
    }

    fn tags(&self) -> &[Specification] {
        &self.tag_specifications
    }

    fn run(self, cx: &mut Cx<Network>) -> Result<Value> {
        let tags = of_new(&self.tag_specifications, "internet-gateway")?;
        if cx.state.gateways.len() >= MAX_GATEWAYS {
            let text = "The maximum number of internet gateways has been reached.";
            return Err(Error::client("InternetGatewayLimitExceeded", text));
        }
        let id = new_id(cx.ids(), "igw");
        cx.state.gateways.insert(id.clone(), Gateway::default());
        keep(cx.state, &id, tags);
        Ok(json!({ "InternetGateway": describe_one::<Gateway>(cx, &id)? }))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeleteInternetGateway {
    internet_gateway_id: String,
}

impl Action for DeleteInternetGateway {
    const NAME: &'static str = "DeleteInternetGateway";

    fn on(&self) -> Option<(&'static str, Option<&str>)> {
        Some(("internet-gateway", Some(&self.internet_gateway_id)))
    }

    fn run(self, cx: &mut Cx<Network>) -> Result<Value> {
        let id = self.internet_gateway_id;
        if find::<Gateway>(cx.state, &id)?.attached.is_some() {
            return Err(in_use(format!("The internetGateway '{id}' has dependencies and cannot be deleted.")));
        }
        cx.state.gateways.remove(&id);
        cx.state.tags.remove(&id);
        Ok(Value::Null)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AttachInternetGateway {
    internet_gateway_id: String,
    vpc_id: String,
}

impl Action for AttachInternetGateway {
    const NAME: &'static str = "AttachInternetGateway";

    fn on(&self) -> Option<(&'static str, Option<&str>)> {
        Some(("internet-gateway", Some(&self.internet_gateway_id)))
    }

    fn run(self, cx: &mut Cx<Network>) -> Result<Value> {
        let (id, vpc) = (self.internet_gateway_id, self.vpc_id);
        let gateway = find::<Gateway>(cx.state, &id)?;
        find::<Vpc>(cx.state, &vpc)?;
        if let Some(known) = gateway.vpc() {
            let text = format!("resource {id} is already attached to network {known}");
            return Err(Error::client("Resource.AlreadyAssociated", text));
        }
        if let Some((known, _)) = cx.state.gateways.iter().find(|(_, gateway)| gateway.vpc() == Some(&vpc)) {
            let text = format!("Network {vpc} already has an internet gateway attached: {known}");
            return Err(Error::client("InvalidParameterValue", text));
        }
        cx.state.gateways.insert(id, Gateway { attached: Some(Attachment { vpc }) });
        Ok(Value::Null)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DetachInternetGateway {
    internet_gateway_id: String,
    vpc_id: String,
}

impl Action for DetachInternetGateway {
    const NAME: &'static str = "DetachInternetGateway";

    fn on(&self) -> Option<(&'static str, Option<&str>)> {
        Some(("internet-gateway", Some(&self.internet_gateway_id)))
    }

    fn run(self, cx: &mut Cx<Network>) -> Result<Value> {
        let (id, vpc) = (self.internet_gateway_id, self.vpc_id);
        find::<Vpc>(cx.state, &vpc)?;
        // A public NAT gateway has an address that leads through it.
        let is_used = cx.state.nats.values().any(|nat| nat.vpc == vpc && nat.is_public() && nat.is_there());
        let gateway = cx.state.gateways.get_mut(&id).ok_or_else(|| not_found::<Gateway>(&id))?;
        if gateway.vpc() != Some(&vpc) {
            let text = format!("resource {id} is not attached to network {vpc}");
            return Err(Error::client("Gateway.NotAttached", text));
        }
        if is_used {
            let text = format!(
                "Network {vpc} has some mapped public address(es). Please unmap those public address(es) before detaching the gateway."
            );
            return Err(in_use(text));
        }
        gateway.attached = None;
        Ok(Value::Null)
    }
}
