//! The tags of topics.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::errors::invalid;
use super::topic::{Topic, Topics, on};
use crate::cloud::{Cx, Service};
use crate::{Error, Result};

/// A topic has at most this many tags.
/// <https://docs.aws.amazon.com/sns/latest/dg/sns-tags.html>
const MAX_TAGS: usize = 50;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Topics>) -> Service<Topics> {
    service
        .op("TagResource", |at, i: &TagResource| on(at, &i.resource_arn), tag)
        .op("UntagResource", |at, i: &UntagResource| on(at, &i.resource_arn), untag)
        .op("ListTagsForResource", |at, i: &OfResource| on(at, &i.resource_arn), list)
}

/// A tag on the wire.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    key: String,
    value: String,
}

/// Tags as they are kept.
pub(super) fn read(tags: Vec<Tag>) -> Result<OrdMap<String, String>> {
    let count = tags.len();
    let read: OrdMap<String, String> = tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
    if read.len() < count {
        return Err(invalid("Duplicated keys are not allowed."));
    }
    check_count(&read)?;
    Ok(read)
}

fn check_count(tags: &OrdMap<String, String>) -> Result<()> {
    if tags.len() > MAX_TAGS {
        let message = "Could not complete request: tag quota of per resource exceeded";
        return Err(Error::client("TagLimitExceeded", message));
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TagResource {
    resource_arn: String,
    tags: Vec<Tag>,
}

fn tag(cx: &mut Cx<Topics>, input: TagResource) -> Result<()> {
    let topic = tagged(cx, &input.resource_arn)?;
    // The given tags win over those that are there.
    let tags = read(input.tags)?.union(topic.tags.clone());
    check_count(&tags)?;
    topic.tags = tags;
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UntagResource {
    resource_arn: String,
    tag_keys: Vec<String>,
}

fn untag(cx: &mut Cx<Topics>, input: UntagResource) -> Result<()> {
    let topic = tagged(cx, &input.resource_arn)?;
    for key in &input.tag_keys {
        topic.tags.remove(key);
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfResource {
    resource_arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tags {
    tags: Vec<Tag>,
}

fn list(cx: &mut Cx<Topics>, input: OfResource) -> Result<Tags> {
    let tags = &tagged(cx, &input.resource_arn)?.tags;
    Ok(Tags { tags: tags.iter().map(|(key, value)| Tag { key: key.clone(), value: value.clone() }).collect() })
}

fn tagged<'a>(cx: &'a mut Cx<Topics>, arn: &str) -> Result<&'a mut Topic> {
    let missing = || Error::new(404, "ResourceNotFound", "Resource does not exist");
    cx.state.topics.get_mut(arn).ok_or_else(missing)
}
