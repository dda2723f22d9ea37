//! Tags of APIs, stages, domain names and VPC links.

use serde::{Deserialize, Serialize};

use super::part::{bad_request, not_found};
use super::state::Texts;
use super::{Apis, arn};
use crate::Result;
use crate::cloud::{Cx, Service};

/// A resource has at most this many tags.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-tagging.html>
const TAG_LIMIT: usize = 50;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Apis>) -> Service<Apis> {
    service
        .op("GetTags", |at, _: &OfResource| arn::on(at, "GET", "tags"), get)
        .op("TagResource", |at, _: &TagResource| arn::on(at, "POST", "tags"), tag)
        .op("UntagResource", |at, _: &UntagResource| arn::on(at, "DELETE", "tags"), untag)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfResource {
    resource_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TagResource {
    resource_arn: String,
    tags: Option<Texts>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UntagResource {
    resource_arn: String,
    tag_keys: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tags {
    tags: Texts,
}

/// Refuses more tags than a resource may have.
pub(super) fn check(tags: Option<&Texts>) -> Result<()> {
    match tags {
        Some(tags) if tags.len() > TAG_LIMIT => Err(bad_request(format!("The maximum number of tags is {TAG_LIMIT}"))),
        _ => Ok(()),
    }
}

/// The tags of the resource of an ARN.
fn of<'a>(cx: &'a mut Cx<Apis>, arn: &str) -> Result<&'a mut Option<Texts>> {
    let path = arn.strip_prefix("arn:aws:apigateway:").and_then(|rest| rest.split_once("::/"));
    let Some((_, path)) = path.filter(|(region, _)| *region == &*cx.scope.region) else {
        return Err(bad_request(format!("Invalid ARN specified in the request: {arn}")));
    };
    let parts: Vec<&str> = path.split('/').collect();
    let state = &mut cx.state;
    let found = match parts.as_slice() {
        ["apis", id] => state.apis.get_mut(*id).map(|api| &mut api.definition.tags),
        ["apis", id, "stages", name] => {
            let stage = state.apis.get_mut(*id).and_then(|api| api.stages.get_mut(*name));
            stage.map(|stage| &mut stage.tags)
        }
        ["domainnames", name] => state.domains.get_mut(*name).map(|domain| &mut domain.name.tags),
        ["vpclinks", id] => state.vpc_links.get_mut(*id).map(|link| &mut link.tags),
        _ => None,
    };
    found.ok_or_else(|| not_found("resource", arn))
}

fn get(cx: &mut Cx<Apis>, input: OfResource) -> Result<Tags> {
    Ok(Tags { tags: of(cx, &input.resource_arn)?.clone().unwrap_or_default() })
}

fn tag(cx: &mut Cx<Apis>, input: TagResource) -> Result<()> {
    let tags = of(cx, &input.resource_arn)?;
    // The given tags win over those that are there.
    let merged = input.tags.unwrap_or_default().union(tags.clone().unwrap_or_default());
    check(Some(&merged))?;
    *tags = Some(merged);
    Ok(())
}

fn untag(cx: &mut Cx<Apis>, input: UntagResource) -> Result<()> {
    if let Some(tags) = of(cx, &input.resource_arn)? {
        for key in &input.tag_keys {
            tags.remove(key);
        }
    }
    Ok(())
}
