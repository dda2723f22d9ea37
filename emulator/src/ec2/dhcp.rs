//! DHCP options.
//!
//! <https://docs.aws.amazon.com/vpc/latest/userguide/VPC_DHCP_Options.html>

use imbl::{OrdMap, Vector};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::action::{Action, act};
use super::kind::{Facts, Kind, describe_one, find, listed, new_id, not_found};
use super::tags::{Specification, keep, of_new};
use super::vpcs::Vpc;
use super::{Network, View, in_use, invalid};
use crate::cloud::{Cx, Service};
use crate::{Error, Result};

/// The options that there are.
const KEYS: [&str; 6] = [
    "domain-name-servers",
    "domain-name",
    "ntp-servers",
    "netbios-name-servers",
    "netbios-node-type",
    "ipv6-address-preferred-lease-time",
];
/// A region has at most so many sets of options.
const MAX_OPTIONS: usize = 1000;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Network>) -> Service<Network> {
    service
        .with(listed::<Options>)
        .with(act::<CreateDhcpOptions>)
        .with(act::<AssociateDhcpOptions>)
        .with(act::<DeleteDhcpOptions>)
}

/// A set of options.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Options {
    values: Vector<(String, Vec<String>)>,
    pub is_of_amazon: bool,
}

/// The options that a region's default VPC has.
pub(super) fn of_amazon(region: &str) -> Options {
    let domain = if region == "us-east-1" { "ec2.internal".to_owned() } else { format!("{region}.compute.internal") };
    let values = [
        ("domain-name".to_owned(), vec![domain]),
        ("domain-name-servers".to_owned(), vec!["AmazonProvidedDNS".to_owned()]),
    ];
    Options { values: values.into_iter().collect(), is_of_amazon: true }
}

impl Kind for Options {
    const FACTS: Facts = Facts {
        operation: "DescribeDhcpOptions",
        code: "InvalidDhcpOptionID.NotFound",
        text: "The dhcpOption ID '{}' does not exist",
        members: ("DhcpOptionsIds", "DhcpOptions"),
        filters: &[
            ("dhcp-options-id", "DhcpOptionsId"),
            ("key", "DhcpConfigurations.Key"),
            ("owner-id", "OwnerId"),
            ("value", "DhcpConfigurations.Values.Value"),
        ],
    };

    fn all(net: &Network) -> &OrdMap<String, Self> {
        &net.dhcp
    }

    fn show(&self, id: &str, view: &View) -> Option<Value> {
        let one = |(key, values): &(String, Vec<String>)| {
            let values: Vec<_> = values.iter().map(|value| json!({ "Value": value })).collect();
            json!({ "Key": key, "Values": values })
        };
        Some(json!({
            "DhcpOptionsId": id,
            "OwnerId": &*view.scope.account,
            "DhcpConfigurations": self.values.iter().map(one).collect::<Vec<_>>(),
        }))
    }
}

/// `NewDhcpConfiguration` of the model.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Configuration {
    key: Option<String>,
    #[serde(default)]
    values: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateDhcpOptions {
    dhcp_configurations: Vec<Configuration>,
    #[serde(default)]
    tag_specifications: Vec<Specification>,
}

impl Action for CreateDhcpOptions {
    const NAME: &'static str = "CreateDhcpOptions";

    fn on(&self) -> Option<(&'static str, Option<&str>)> {
        Some(("dhcp-options", None))
    }

    fn tags(&self) -> &[Specification] {
        &self.tag_specifications
    }

    fn run(self, cx: &mut Cx<Network>) -> Result<Value> {
        let tags = of_new(&self.tag_specifications, "dhcp-options")?;
        let mut values = Vector::new();
        for one in self.dhcp_configurations {
            let key = one.key.unwrap_or_default();
            if !KEYS.contains(&&*key) || one.values.is_empty() {
                let shown = one.values.join(", ");
                return Err(invalid(format!("Value ({shown}) for parameter {key} is invalid.")));
            }
            let is_node_type = |value: &String| ["1", "2", "4", "8"].contains(&&**value);
            if key == "netbios-node-type" && !(one.values.len() == 1 && one.values.iter().all(is_node_type)) {
                let shown = one.values.join(", ");
                return Err(invalid(format!("Value ({shown}) for parameter netbios-node-type is invalid.")));
            }
            values.push_back((key, one.values));
        }
        if cx.state.dhcp.len() >= MAX_OPTIONS {
            let text = "The maximum number of sets of DHCP options has been reached.";
            return Err(Error::client("DhcpOptionsLimitExceeded", text));
        }
        let id = new_id(cx.ids(), "dopt");
        cx.state.dhcp.insert(id.clone(), Options { values, is_of_amazon: false });
        keep(cx.state, &id, tags);
        Ok(json!({ "DhcpOptions": describe_one::<Options>(cx, &id)? }))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AssociateDhcpOptions {
    dhcp_options_id: String,
    vpc_id: String,
}

impl Action for AssociateDhcpOptions {
    const NAME: &'static str = "AssociateDhcpOptions";

    fn on(&self) -> Option<(&'static str, Option<&str>)> {
        Some(("dhcp-options", Some(&self.dhcp_options_id)))
    }

    fn run(self, cx: &mut Cx<Network>) -> Result<Value> {
        // `default` stands for none at all.
        if self.dhcp_options_id != "default" {
            find::<Options>(cx.state, &self.dhcp_options_id)?;
        }
        let vpc = cx.state.vpcs.get_mut(&self.vpc_id).ok_or_else(|| not_found::<Vpc>(&self.vpc_id))?;
        vpc.dhcp = self.dhcp_options_id;
        Ok(Value::Null)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeleteDhcpOptions {
    dhcp_options_id: String,
}

impl Action for DeleteDhcpOptions {
    const NAME: &'static str = "DeleteDhcpOptions";

    fn on(&self) -> Option<(&'static str, Option<&str>)> {
        Some(("dhcp-options", Some(&self.dhcp_options_id)))
    }

    fn run(self, cx: &mut Cx<Network>) -> Result<Value> {
        let id = self.dhcp_options_id;
        find::<Options>(cx.state, &id)?;
        if cx.state.vpcs.values().any(|vpc| vpc.dhcp == id) {
            return Err(in_use(format!("The dhcpOptions '{id}' has dependencies and cannot be deleted.")));
        }
        cx.state.dhcp.remove(&id);
        cx.state.tags.remove(&id);
        Ok(Value::Null)
    }
}
