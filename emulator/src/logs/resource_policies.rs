//! Resource policies of an account: which AWS services may write to its log groups.
//!
//! They are kept and told. What they allow here is what services do anyway: no service of Garoa writes to log groups by
//! such a policy. <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutResourcePolicy.html>

use serde::{Deserialize, Serialize};

use super::groups::PAGE;
use super::names::{after, invalid, limit_exceeded, missing};
use super::store::LogGroups;
use super::token::{self, Behind};
use crate::cloud::{Cx, Service, Target};
use crate::iam::policy::Policy;
use crate::{Error, Result, Timestamp};

/// An account has at most so many in a region.
const LIMIT: usize = 10;
/// The one scope that there is here: those of resources are refused.
const ACCOUNT: &str = "ACCOUNT";

/// Adds the operations of this file.
pub(super) fn operations(service: Service<LogGroups>) -> Service<LogGroups> {
    service
        .op("PutResourcePolicy", |_, _: &Put| Target::any(), put)
        .op("DescribeResourcePolicies", |_, _: &Describe| Target::any(), describe)
        .op("DeleteResourcePolicy", |_, _: &Delete| Target::any(), delete)
}

/// A policy; its name is the key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ResourcePolicy {
    document: String,
    updated: Timestamp,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Put {
    policy_name: Option<String>,
    policy_document: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PutOutput {
    resource_policy: Shown,
}

/// `ResourcePolicy` of the API.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    policy_name: String,
    policy_document: String,
    last_updated_time: Timestamp,
    policy_scope: &'static str,
}

fn show(name: &str, policy: &ResourcePolicy) -> Shown {
    Shown {
        policy_name: name.to_owned(),
        policy_document: policy.document.clone(),
        last_updated_time: policy.updated,
        policy_scope: ACCOUNT,
    }
}

fn put(cx: &mut Cx<LogGroups>, input: Put) -> Result<PutOutput> {
    let (Some(name), Some(document)) = (input.policy_name, input.policy_document) else {
        return Err(invalid("Policy name and policy document must be specified."));
    };
    Policy::read(&document).map_err(|error| invalid(error.message()))?;
    if cx.state.resource_policies.len() >= LIMIT && !cx.state.resource_policies.contains_key(&name) {
        return Err(limit_exceeded());
    }
    let policy = ResourcePolicy { document, updated: cx.now };
    let shown = show(&name, &policy);
    cx.state.resource_policies.insert(name, policy);
    Ok(PutOutput { resource_policy: shown })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Describe {
    next_token: Option<String>,
    limit: Option<usize>,
    policy_scope: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DescribeOutput {
    resource_policies: Vec<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

fn describe(cx: &mut Cx<LogGroups>, input: Describe) -> Result<DescribeOutput> {
    if input.policy_scope.as_deref().is_some_and(|scope| scope != ACCOUNT) {
        return Err(Error::not_implemented("resource policies of single log groups (policyScope)"));
    }
    let size = input.limit.unwrap_or(PAGE).min(PAGE);
    let last = input.next_token.as_deref().map(token::decode::<Behind>).transpose()?;
    let found = after(&cx.state.resource_policies, last.as_ref().map(|behind| &*behind.name));
    let (page, next_token) = token::page(found, size, "")?;
    let resource_policies = page.into_iter().map(|(name, policy)| show(name, policy)).collect();
    Ok(DescribeOutput { resource_policies, next_token })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Delete {
    policy_name: Option<String>,
}

fn delete(cx: &mut Cx<LogGroups>, input: Delete) -> Result<()> {
    let name = input.policy_name.ok_or_else(|| invalid("Policy name must be specified."))?;
    match cx.state.resource_policies.remove(&name) {
        Some(_) => Ok(()),
        None => Err(missing(format!("Policy with name [{name}] does not exist."))),
    }
}
