//! VPC links: recorded. There are no networks here, so that an integration through one is refused when it is called.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::errors::{bad, not_found};
use super::page::{Page, page};
use super::patch::{Kind, PatchOperation, Rule, Wording, patched, rule};
use super::{RestApis, on};
use crate::cloud::{Cx, Service};
use crate::{Error, Result};

/// Adds the operations of this file.
pub(super) fn operations(service: Service<RestApis>) -> Service<RestApis> {
    service
        .op("CreateVpcLink", |at, _: &CreateVpcLink| on(at, "POST", "/vpclinks"), create)
        .op("GetVpcLink", |at, i: &OfLink| on(at, "GET", format_args!("/vpclinks/{}", i.vpc_link_id)), get)
        .op("GetVpcLinks", |at, _: &GetVpcLinks| on(at, "GET", "/vpclinks"), list)
        .op(
            "UpdateVpcLink",
            |at, i: &UpdateVpcLink| on(at, "PATCH", format_args!("/vpclinks/{}", i.vpc_link_id)),
            update,
        )
        .op("DeleteVpcLink", |at, i: &OfLink| on(at, "DELETE", format_args!("/vpclinks/{}", i.vpc_link_id)), delete)
}

/// `VpcLink` of the API Gateway API.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct VpcLink {
    id: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    target_arns: Vec<String>,
    status: String,
    status_message: String,
    pub tags: OrdMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateVpcLink {
    name: String,
    description: Option<String>,
    target_arns: Vec<String>,
    #[serde(default)]
    tags: OrdMap<String, String>,
}

/// A link is ready at once.
fn create(cx: &mut Cx<RestApis>, input: CreateVpcLink) -> Result<VpcLink> {
    if input.name.is_empty() {
        return Err(bad("Name cannot be empty"));
    }
    if let Some(arn) = input.target_arns.iter().find(|arn| !arn.contains(':')) {
        return Err(bad(format!("Invalid ARN. ARN is not well formed {arn}")));
    }
    let link = VpcLink {
        id: cx.ids().lower(6),
        name: input.name,
        description: input.description,
        target_arns: input.target_arns,
        status: "AVAILABLE".to_owned(),
        status_message: "Your vpc link is ready for use".to_owned(),
        tags: input.tags,
    };
    cx.state.vpc_links.insert(link.id.clone(), link.clone());
    Ok(link)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfLink {
    vpc_link_id: String,
}

fn missing() -> Error {
    not_found("Invalid Vpc Link identifier specified")
}

fn get(cx: &mut Cx<RestApis>, input: OfLink) -> Result<VpcLink> {
    cx.state.vpc_links.get(&input.vpc_link_id).cloned().ok_or_else(missing)
}

#[derive(Deserialize)]
struct GetVpcLinks {
    position: Option<String>,
    limit: Option<i64>,
}

fn list(cx: &mut Cx<RestApis>, input: GetVpcLinks) -> Result<Page<VpcLink>> {
    Ok(page(&cx.state.vpc_links, input.position.as_ref(), input.limit, |link| Some(link.clone())))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UpdateVpcLink {
    vpc_link_id: String,
    #[serde(default)]
    patch_operations: Vec<PatchOperation>,
}

const RULES: &[Rule] = &[rule("/name", "replace", Kind::Text), rule("/description", "replace", Kind::Text)];

fn update(cx: &mut Cx<RestApis>, input: UpdateVpcLink) -> Result<VpcLink> {
    let link = cx.state.vpc_links.get_mut(&input.vpc_link_id).ok_or_else(missing)?;
    *link = patched(link, &input.patch_operations, RULES, Wording::Listed)?;
    Ok(link.clone())
}

fn delete(cx: &mut Cx<RestApis>, input: OfLink) -> Result<()> {
    cx.state.vpc_links.remove(&input.vpc_link_id).map(|_| ()).ok_or_else(missing)
}
