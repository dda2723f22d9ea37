//! The account's settings, and tags.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::errors::{bad, not_found};
use super::patch::PatchOperation;
use super::{RestApis, on};
use crate::Result;
use crate::cloud::{Cx, Service, Target};

/// Adds the operations of this file.
pub(super) fn operations(service: Service<RestApis>) -> Service<RestApis> {
    service
        .op("GetAccount", |at, _: &Nothing| on(at, "GET", "/account"), get)
        .op("UpdateAccount", |at, _: &UpdateAccount| on(at, "PATCH", "/account"), update)
        .op("GetTags", |_, i: &GetTags| Target::on(&i.resource_arn).action("apigateway:GET"), tags)
        .op("TagResource", |_, i: &TagResource| Target::on(&i.resource_arn).action("apigateway:PUT"), tag)
        .op("UntagResource", |_, i: &UntagResource| Target::on(&i.resource_arn).action("apigateway:DELETE"), untag)
}

/// The feature that cannot be taken back.
const USAGE_PLANS: &str = "UsagePlans";

/// What can be set for an account.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Account {
    role: Option<String>,
    features: Vec<String>,
}

impl Default for Account {
    /// Usage plans are there for every account that is made today.
    /// <https://docs.aws.amazon.com/apigateway/latest/api/API_GetAccount.html>
    fn default() -> Self {
        Self { role: None, features: vec![USAGE_PLANS.to_owned()] }
    }
}

#[derive(Deserialize)]
struct Nothing {}

/// The limits of an account: <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>
fn shown(account: &Account) -> Value {
    let mut shown = json!({"throttleSettings": {"burstLimit": 5000, "rateLimit": 10000.0}, "apiKeyVersion": "1"});
    if let Some(role) = &account.role {
        shown["cloudwatchRoleArn"] = json!(role);
    }
    if !account.features.is_empty() {
        shown["features"] = json!(account.features);
    }
    shown
}

fn get(cx: &mut Cx<RestApis>, _: Nothing) -> Result<Value> {
    Ok(shown(&cx.state.account))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UpdateAccount {
    #[serde(default)]
    patch_operations: Vec<PatchOperation>,
}

fn update(cx: &mut Cx<RestApis>, input: UpdateAccount) -> Result<Value> {
    let mut account = cx.state.account.clone();
    for operation in &input.patch_operations {
        let value = operation.value.clone().filter(|value| !value.is_empty());
        match (operation.op(), operation.path()) {
            ("replace", "/cloudwatchRoleArn") => account.role = value,
            ("add", "/features" | "/features/-") => {
                account.features.extend(value.filter(|feature| !account.features.contains(feature)));
            }
            ("remove", "/features") if value.as_deref() == Some(USAGE_PLANS) => {
                return Err(bad("Usage Plans cannot be disabled once enabled"));
            }
            ("remove", "/features") => account.features.retain(|feature| Some(feature) != value.as_ref()),
            (_, path) => return Err(bad(format!("Invalid patch path {path}"))),
        }
    }
    cx.state.account = account;
    Ok(shown(&cx.state.account))
}

/// The tags of what an ARN names.
fn tags_of<'a>(state: &'a mut RestApis, arn: &str) -> Result<&'a mut OrdMap<String, String>> {
    let missing = || not_found("Invalid resource ARN specified: ".to_owned() + arn);
    let path = arn.splitn(6, ':').nth(5).unwrap_or_default();
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let found = match parts[..] {
        ["restapis", api] => state.apis.get_mut(api).map(|api| &mut api.rest.tags),
        ["restapis", api, "stages", stage] => {
            state.apis.get_mut(api).and_then(|api| api.stages.get_mut(stage)).map(|stage| &mut stage.tags)
        }
        ["apikeys", key] => state.keys.get_mut(key).map(|key| &mut key.tags),
        ["usageplans", plan] => state.plans.get_mut(plan).map(|plan| &mut plan.tags),
        ["domainnames", name] => state.domains.get_mut(name).map(|domain| &mut domain.tags),
        ["clientcertificates", id] => state.certificates.get_mut(id).map(|certificate| &mut certificate.tags),
        ["vpclinks", link] => state.vpc_links.get_mut(link).map(|link| &mut link.tags),
        _ => None,
    };
    found.ok_or_else(missing)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GetTags {
    resource_arn: String,
}

#[derive(Serialize)]
struct Tags {
    tags: OrdMap<String, String>,
}

fn tags(cx: &mut Cx<RestApis>, input: GetTags) -> Result<Tags> {
    Ok(Tags { tags: tags_of(cx.state, &input.resource_arn)?.clone() })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TagResource {
    resource_arn: String,
    tags: OrdMap<String, String>,
}

fn tag(cx: &mut Cx<RestApis>, input: TagResource) -> Result<()> {
    tags_of(cx.state, &input.resource_arn)?.extend(input.tags);
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UntagResource {
    resource_arn: String,
    tag_keys: Vec<String>,
}

fn untag(cx: &mut Cx<RestApis>, input: UntagResource) -> Result<()> {
    let tags = tags_of(cx.state, &input.resource_arn)?;
    for key in &input.tag_keys {
        tags.remove(key);
    }
    Ok(())
}
