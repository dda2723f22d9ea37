//! Tags of keys.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/tagging-keys.html>

use std::collections::BTreeSet;
use std::ops::Bound;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::{Keys, find_key, find_mut, on_key, page};
use crate::cloud::{Cx, Service};
use crate::{Error, Result};

/// A key has at most so many tags.
const MAX_TAGS: usize = 50;
/// `ListResourceTags` answers so many, if the request does not say.
const PAGE: usize = 50;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Keys>) -> Service<Keys> {
    service
        .op("TagResource", |at, i: &TagResource| on_key(at, &i.key_id), tag)
        .op("UntagResource", |at, i: &UntagResource| on_key(at, &i.key_id), untag)
        .op("ListResourceTags", |at, i: &ListTags| on_key(at, &i.key_id), list)
}

/// A tag.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    tag_key: String,
    tag_value: String,
}

/// Adds tags to those that there are.
pub(super) fn add(tags: &mut OrdMap<String, String>, more: Vec<Tag>) -> Result<()> {
    if more.iter().any(|tag| tag.tag_key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:"))) {
        return Err(Error::client("TagException", "Tags beginning with aws: are reserved"));
    }
    let names: BTreeSet<&str> = more.iter().map(|tag| tag.tag_key.as_str()).collect();
    if names.len() < more.len() {
        return Err(Error::client("TagException", "Duplicate tag keys"));
    }
    tags.extend(more.into_iter().map(|tag| (tag.tag_key, tag.tag_value)));
    if tags.len() > MAX_TAGS {
        return Err(Error::client("TagException", "Too many tags"));
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TagResource {
    key_id: String,
    tags: Vec<Tag>,
}

fn tag(cx: &mut Cx<Keys>, input: TagResource) -> Result<()> {
    let key = find_mut(cx, &input.key_id)?;
    let mut tags = key.tags.clone();
    add(&mut tags, input.tags)?;
    key.tags = tags;
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UntagResource {
    key_id: String,
    tag_keys: Vec<String>,
}

fn untag(cx: &mut Cx<Keys>, input: UntagResource) -> Result<()> {
    let key = find_mut(cx, &input.key_id)?;
    for name in &input.tag_keys {
        key.tags.remove(name);
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListTags {
    key_id: String,
    limit: Option<usize>,
    marker: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TagsOutput {
    tags: Vec<Tag>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
    truncated: bool,
}

fn list(cx: &mut Cx<Keys>, input: ListTags) -> Result<TagsOutput> {
    let (_, key) = find_key(cx, &input.key_id)?;
    let start = input.marker.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
    let (found, next_marker) = page(key.tags.range::<_, str>((start, Bound::Unbounded)), input.limit, PAGE);
    let tags = found.into_iter().map(|(key, value)| Tag { tag_key: key.clone(), tag_value: value.clone() }).collect();
    Ok(TagsOutput { tags, truncated: next_marker.is_some(), next_marker })
}
