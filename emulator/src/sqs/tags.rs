//! The tags of queues.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::Queues;
use super::errors::{invalid, missing};
use super::queue::{find, on_own};
use crate::Result;
use crate::cloud::{Cx, Service};

/// A queue has at most this many tags.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-queue-tags.html>
const MAX_TAGS: usize = 50;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Queues>) -> Service<Queues> {
    service
        .op("ListQueueTags", |at, i: &ListQueueTags| on_own(at, &i.queue_url), list)
        .op("TagQueue", |at, i: &TagQueue| on_own(at, &i.queue_url), tag)
        .op("UntagQueue", |at, i: &UntagQueue| on_own(at, &i.queue_url), untag)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListQueueTags {
    queue_url: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tags {
    #[serde(skip_serializing_if = "OrdMap::is_empty")]
    tags: OrdMap<String, String>,
}

fn list(cx: &mut Cx<Queues>, input: ListQueueTags) -> Result<Tags> {
    Ok(Tags { tags: find(cx, &input.queue_url)?.tags.clone() })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TagQueue {
    queue_url: String,
    #[serde(default)]
    tags: OrdMap<String, String>,
}

fn tag(cx: &mut Cx<Queues>, input: TagQueue) -> Result<()> {
    let queue = find(cx, &input.queue_url)?;
    if input.tags.is_empty() {
        return Err(missing("Tags"));
    }
    // The given tags win over those that are there.
    let tags = input.tags.union(queue.tags.clone());
    check(&queue.name, &tags)?;
    queue.tags = tags;
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UntagQueue {
    queue_url: String,
    #[serde(default)]
    tag_keys: Vec<String>,
}

fn untag(cx: &mut Cx<Queues>, input: UntagQueue) -> Result<()> {
    let queue = find(cx, &input.queue_url)?;
    if input.tag_keys.is_empty() {
        return Err(invalid("Tag keys must be between 1 and 128 characters in length."));
    }
    for key in &input.tag_keys {
        queue.tags.remove(key);
    }
    Ok(())
}

/// Checks how many tags a queue of this name would have.
pub(super) fn check(name: &str, tags: &OrdMap<String, String>) -> Result<()> {
    if tags.len() > MAX_TAGS {
        return Err(invalid(format!("Too many tags added for queue {name}.")));
    }
    Ok(())
}
