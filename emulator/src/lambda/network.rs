//! `VpcConfig`: the subnets and security groups of a function, which Amazon EC2 is asked for. They are recorded: a function in a VPC
//! is called as any other.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html>

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Functions;
use super::functions::invalid;
use crate::cloud::{Cx, Later, Question};
use crate::{Error, Result};

/// What the token of a call begins with that waits for Amazon EC2.
pub(super) const WAITS: &str = "network ";

/// `VpcConfig` of the model.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct VpcConfig {
    subnet_ids: Option<Vec<String>>,
    security_group_ids: Option<Vec<String>>,
    ipv6_allowed_for_dual_stack: Option<bool>,
}

/// `VpcConfigResponse` of the model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Network {
    subnet_ids: Vec<String>,
    security_group_ids: Vec<String>,
    vpc_id: String,
    ipv6_allowed_for_dual_stack: bool,
}

/// What is known of the network that a call wants.
pub(super) enum Known {
    /// Nothing is wanted, or a network, perhaps an empty one.
    Network(Option<Network>),
    /// Amazon EC2 is asked.
    Later(Later),
}

impl Network {
    /// What the token of a call begins with that waits for something else: so it need not ask for the network again.
    pub fn prefix(&self) -> String {
        if self.vpc_id.is_empty() { String::new() } else { format!("{} ", self.vpc_id) }
    }

    /// Whether it is none.
    pub fn is_empty(&self) -> bool {
        self.vpc_id.is_empty()
    }
}

/// The network that a call wants, once Amazon EC2 has answered for its parts.
pub(super) fn obtain(cx: &mut Cx<Functions>, wanted: Option<&VpcConfig>) -> Result<Known> {
    let Some(wanted) = wanted else { return Ok(Known::Network(None)) };
    let subnet_ids = wanted.subnet_ids.clone().unwrap_or_default();
    let security_group_ids = wanted.security_group_ids.clone().unwrap_or_default();
    if subnet_ids.is_empty() != security_group_ids.is_empty() {
        return Err(invalid("SubnetIds and SecurityIds must coexist or be both empty list."));
    }
    let mut network = Network { subnet_ids, security_group_ids, ..Network::default() };
    if network.subnet_ids.is_empty() {
        return Ok(Known::Network(Some(network)));
    }
    if wanted.ipv6_allowed_for_dual_stack == Some(true) {
        return Err(Error::not_implemented("dual-stack subnets of functions (Ipv6AllowedForDualStack of VpcConfig)"));
    }
    let token = cx.resumed().map(|resumed| resumed.token.clone());
    match token.as_deref().and_then(|token| token.split_once(' ')) {
        Some((vpc, _)) if !token.as_deref().is_some_and(|token| token.starts_with(WAITS)) => {
            vpc.clone_into(&mut network.vpc_id);
            Ok(Known::Network(Some(network)))
        }
        Some(_) => {
            network.vpc_id = answered(cx)?;
            Ok(Known::Network(Some(network)))
        }
        None => {
            let asked = [("DescribeSubnets", json!({ "SubnetIds": network.subnet_ids }))].into_iter();
            let asked = asked.chain([("DescribeSecurityGroups", json!({ "GroupIds": network.security_group_ids }))]);
            // The caller needs the permission for this. <https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html>
            let caller = cx.caller.for_job();
            let question = |(operation, input): (&str, Value)| {
                let (service, operation) = ("ec2".to_owned(), operation.to_owned());
                Question { service, operation, input, caller: caller.clone(), scope: None }
            };
            let later = cx.ask(asked.map(question).collect())?;
            Ok(Known::Later(Later { token: format!("{WAITS}{}", later.token), ..later }))
        }
    }
}

/// The VPC that all of the subnets and security groups are of.
fn answered(cx: &mut Cx<Functions>) -> Result<String> {
    let answers = cx.answers()?.unwrap_or_default();
    let mut vpcs: Vec<String> = Vec::new();
    for (answer, (operation, list)) in
        answers.into_iter().zip([("DescribeSubnets", "Subnets"), ("DescribeSecurityGroups", "SecurityGroups")])
    {
        let output = answer.into_result().map_err(|error| {
            invalid(format!(
                "Error occurred while {operation}. EC2 Error Code: {}. EC2 Error Message: {}",
                error.code(),
                error.message()
            ))
        })?;
        let found = output[list].as_array().into_iter().flatten();
        vpcs.extend(found.filter_map(|one| one["VpcId"].as_str().map(str::to_owned)));
    }
    let first = vpcs.first().cloned().ok_or_else(|| Error::internal("subnets without a VPC"))?;
    if vpcs.iter().any(|vpc| *vpc != first) {
        return Err(invalid("Security Groups are required to be in the same VPC."));
    }
    Ok(first)
}
