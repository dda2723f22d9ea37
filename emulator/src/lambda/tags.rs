//! The tags of functions, of event source mappings and of code signing configurations.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::functions::{find_mut, invalid};
use super::qualifier::qualifier;
use super::{Functions, mappings, signing};
use crate::Result;
use crate::cloud::{Cx, Service, Target};

/// A function has at most this many tags.
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-tags.html>
const TAG_LIMIT: usize = 50;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Functions>) -> Service<Functions> {
    service
        .op("ListTags", |_, i: &OfFunction| Target::on(&i.resource), list)
        .op("TagResource", |_, i: &TagResource| Target::on(&i.resource), tag)
        .op("UntagResource", |_, i: &UntagResource| Target::on(&i.resource), untag)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfFunction {
    resource: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tags {
    tags: OrdMap<String, String>,
}

fn list(cx: &mut Cx<Functions>, input: OfFunction) -> Result<Tags> {
    Ok(Tags { tags: tags_mut(cx, &input.resource)?.clone() })
}

/// The tags of what an ARN names.
fn tags_mut<'a>(cx: &'a mut Cx<Functions>, arn: &str) -> Result<&'a mut OrdMap<String, String>> {
    if mappings::is_mapping(arn) {
        return mappings::tags(cx, arn);
    }
    if signing::is_config(arn) {
        return Ok(&mut signing::find(cx, arn)?.tags);
    }
    if qualifier(arn, None)?.is_some() {
        return Err(invalid("Tags on function aliases and versions are not supported. Please specify a function ARN."));
    }
    Ok(&mut find_mut(cx, arn)?.tags)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TagResource {
    resource: String,
    tags: OrdMap<String, String>,
}

fn tag(cx: &mut Cx<Functions>, input: TagResource) -> Result<()> {
    if input.tags.is_empty() {
        return Err(invalid("An error occurred and the request cannot be processed."));
    }
    let there = tags_mut(cx, &input.resource)?;
    // The given tags win over those that are there.
    let tags = input.tags.union(there.clone());
    check_number(&tags)?;
    *there = tags;
    revise(cx, &input.resource)
}

/// A function whose tags were changed has another revision.
fn revise(cx: &mut Cx<Functions>, arn: &str) -> Result<()> {
    if !mappings::is_mapping(arn) && !signing::is_config(arn) {
        let revision = cx.ids().uuid();
        find_mut(cx, arn)?.configuration.revision_id = revision;
    }
    Ok(())
}

/// Whether a function may have these tags.
pub(super) fn check_number(tags: &OrdMap<String, String>) -> Result<()> {
    if tags.len() > TAG_LIMIT { Err(invalid("Number of tags exceeds resource tag limit.")) } else { Ok(()) }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UntagResource {
    resource: String,
    tag_keys: Vec<String>,
}

fn untag(cx: &mut Cx<Functions>, input: UntagResource) -> Result<()> {
    let tags = tags_mut(cx, &input.resource)?;
    for key in &input.tag_keys {
        tags.remove(key);
    }
    revise(cx, &input.resource)
}
