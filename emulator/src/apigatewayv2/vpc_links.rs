//! VPC links, as records: there is no network behind them.

use serde::Deserialize;

use super::page::{Asked, Page, page};
use super::part::{API_ID, bad_request, changed, conflict, new_id, not_found};
use super::state::{Texts, VpcLink};
use super::{Apis, arn, tags};
use crate::Result;
use crate::cloud::{At, Cx, Service, Target};

/// VPC links in an account and region at most.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>
const LINK_LIMIT: usize = 10;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Apis>) -> Service<Apis> {
    service
        .op("CreateVpcLink", |at, _: &VpcLink| arn::on(at, "POST", "vpclinks"), create)
        .op("GetVpcLinks", |at, _: &GetVpcLinks| arn::on(at, "GET", "vpclinks"), list)
        .op("GetVpcLink", |at, i: &OfLink| one(at, "GET", &i.vpc_link_id), get)
        .op("UpdateVpcLink", |at, i: &VpcLink| one(at, "PATCH", i.vpc_link_id.as_deref().unwrap_or_default()), update)
        .op("DeleteVpcLink", |at, i: &OfLink| one(at, "DELETE", &i.vpc_link_id), delete)
}

fn one(at: &At<Apis>, method: &str, id: &str) -> Target {
    arn::on(at, method, format_args!("vpclinks/{id}"))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfLink {
    vpc_link_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetVpcLinks {
    max_results: Option<String>,
    next_token: Option<String>,
}

fn create(cx: &mut Cx<Apis>, input: VpcLink) -> Result<VpcLink> {
    tags::check(input.tags.as_ref())?;
    if input.subnet_ids.as_ref().is_none_or(Vec::is_empty) {
        return Err(bad_request("At least one subnet is required"));
    }
    if cx.state.vpc_links.len() >= LINK_LIMIT {
        return Err(conflict("VPC link limit exceeded"));
    }
    let taken = cx.state.vpc_links.clone();
    let id = new_id(cx.ids(), API_ID, &taken);
    let link = VpcLink {
        created_date: Some(cx.now),
        security_group_ids: input.security_group_ids.or_else(|| Some(Vec::new())),
        tags: input.tags.or_else(|| Some(Texts::new())),
        vpc_link_id: Some(id.clone()),
        vpc_link_status: Some("AVAILABLE".to_owned()),
        vpc_link_version: Some("V2".to_owned()),
        ..input
    };
    cx.state.vpc_links.insert(id, link.clone());
    Ok(link)
}

fn list(cx: &mut Cx<Apis>, input: GetVpcLinks) -> Result<Page<VpcLink>> {
    let asked = Asked { max_results: input.max_results.as_deref(), next_token: input.next_token.as_deref() };
    page(&cx.state.vpc_links, asked, |_, link| Some(link.clone()))
}

fn get(cx: &mut Cx<Apis>, input: OfLink) -> Result<VpcLink> {
    cx.state.vpc_links.get(&input.vpc_link_id).cloned().ok_or_else(|| not_found("VpcLink", &input.vpc_link_id))
}

fn update(cx: &mut Cx<Apis>, input: VpcLink) -> Result<VpcLink> {
    let id = input.vpc_link_id.clone().unwrap_or_default();
    let link = cx.state.vpc_links.get_mut(&id).ok_or_else(|| not_found("VpcLink", &id))?;
    *link = changed(link, &input)?;
    Ok(link.clone())
}

fn delete(cx: &mut Cx<Apis>, input: OfLink) -> Result<()> {
    let id = &input.vpc_link_id;
    cx.state.vpc_links.remove(id).map(drop).ok_or_else(|| not_found("VpcLink", id))
}
