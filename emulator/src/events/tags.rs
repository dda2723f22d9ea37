//! The tags of buses and rules.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::bus::{self, Buses, invalid};
use super::rule::{self, key_of_arn};
use crate::Result;
use crate::cloud::{Cx, Service, Target};

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Buses>) -> Service<Buses> {
    service
        .op("TagResource", |_, i: &TagResource| Target::on(&i.arn), tag)
        .op("UntagResource", |_, i: &UntagResource| Target::on(&i.arn), untag)
        .op("ListTagsForResource", |_, i: &OfResource| Target::on(&i.arn), list)
}

/// A tag on the wire.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    key: String,
    value: String,
}

/// Tags as they are kept.
pub(super) fn read(tags: Vec<Tag>) -> OrdMap<String, String> {
    tags.into_iter().map(|tag| (tag.key, tag.value)).collect()
}

fn tagged<'a>(cx: &'a mut Cx<Buses>, arn: &str) -> Result<&'a mut OrdMap<String, String>> {
    if arn.contains(":event-bus/") {
        return Ok(&mut bus::change(cx, arn)?.tags);
    }
    let key = key_of_arn(arn).ok_or_else(|| invalid("Parameter ResourceARN is not valid."))?;
    let (bus, name) = key.split_once('|').unwrap_or((&key, ""));
    cx.state.rules.get_mut(&key).map(|rule| &mut rule.tags).ok_or_else(|| rule::missing(bus, name))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TagResource {
    #[serde(rename = "ResourceARN")]
    arn: String,
    tags: Vec<Tag>,
}

#[derive(Serialize)]
struct Nothing {}

fn tag(cx: &mut Cx<Buses>, input: TagResource) -> Result<Nothing> {
    tagged(cx, &input.arn)?.extend(input.tags.into_iter().map(|tag| (tag.key, tag.value)));
    Ok(Nothing {})
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UntagResource {
    #[serde(rename = "ResourceARN")]
    arn: String,
    tag_keys: Vec<String>,
}

fn untag(cx: &mut Cx<Buses>, input: UntagResource) -> Result<Nothing> {
    let tags = tagged(cx, &input.arn)?;
    for key in &input.tag_keys {
        tags.remove(key);
    }
    Ok(Nothing {})
}

#[derive(Deserialize)]
struct OfResource {
    #[serde(rename = "ResourceARN")]
    arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tags {
    tags: Vec<Tag>,
}

fn list(cx: &mut Cx<Buses>, input: OfResource) -> Result<Tags> {
    let tags = tagged(cx, &input.arn)?.clone();
    Ok(Tags { tags: tags.into_iter().map(|(key, value)| Tag { key, value }).collect() })
}
