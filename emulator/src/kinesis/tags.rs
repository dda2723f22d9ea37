//! Tags of streams.
//!
//! <https://docs.aws.amazon.com/streams/latest/dev/tagging.html>

use std::ops::Bound;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::{Streams, find, find_mut, invalid, named, on};
use crate::Result;
use crate::cloud::{Cx, Service};

/// A stream has at most so many tags, and `ListTagsForStream` answers at most so many.
const MAX_TAGS: usize = 50;

named! { AddTags, RemoveTags, ListTags }

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Streams>) -> Service<Streams> {
    service
        .op("AddTagsToStream", |at, i: &AddTags| on(at, i.name()), add)
        .op("RemoveTagsFromStream", |at, i: &RemoveTags| on(at, i.name()), remove)
        .op("ListTagsForStream", |at, i: &ListTags| on(at, i.name()), list)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AddTags {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    tags: OrdMap<String, String>,
}

fn add(cx: &mut Cx<Streams>, input: AddTags) -> Result<()> {
    let name = input.name().to_owned();
    let stream = find_mut(cx, &name)?;
    let tags = input.tags.union(stream.tags.clone());
    if tags.len() > MAX_TAGS {
        return Err(invalid(format!(
            "Failed to add tags to stream {name} because it would have more than {MAX_TAGS} tags."
        )));
    }
    stream.tags = tags;
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RemoveTags {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    tag_keys: Vec<String>,
}

fn remove(cx: &mut Cx<Streams>, input: RemoveTags) -> Result<()> {
    let stream = find_mut(cx, input.name())?;
    for name in &input.tag_keys {
        stream.tags.remove(name);
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListTags {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    exclusive_start_tag_key: Option<String>,
    limit: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: String,
    value: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TagsOutput {
    tags: Vec<Tag>,
    has_more_tags: bool,
}

fn list(cx: &mut Cx<Streams>, input: ListTags) -> Result<TagsOutput> {
    let stream = find(cx, input.name())?;
    let start = input.exclusive_start_tag_key.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
    let mut left = stream.tags.range::<_, str>((start, Bound::Unbounded));
    let page = left.by_ref().take(input.limit.unwrap_or(MAX_TAGS));
    let tags = page.map(|(key, value)| Tag { key: key.clone(), value: value.clone() }).collect();
    Ok(TagsOutput { tags, has_more_tags: left.next().is_some() })
}
