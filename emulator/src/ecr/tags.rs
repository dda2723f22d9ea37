//! Tags of repositories.
//!
//! <https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-using-tags.html>

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::{Registry, find, find_mut, invalid, on};
use crate::cloud::{At, Cx, Scope, Service, Target};
use crate::{Error, Result};

/// A repository has at most so many tags.
const MAX_TAGS: usize = 50;
/// The longest key of a tag.
const MAX_KEY: usize = 128;
/// The longest value of a tag.
const MAX_VALUE: usize = 256;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Registry>) -> Service<Registry> {
    service
        .op(
            "TagResource",
            |at, i: &TagResource| {
                let target = of_arn(at, &i.resource_arn);
                i.tags.iter().fold(target, |target, tag| target.context(tag.requested(), tag.value.clone()))
            },
            tag,
        )
        .op("UntagResource", |at, i: &UntagResource| of_arn(at, &i.resource_arn), untag)
        .op("ListTagsForResource", |at, i: &OfResource| of_arn(at, &i.resource_arn), list)
}

/// A tag.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    pub key: String,
    pub value: String,
}

impl Tag {
    /// The key that policies ask by for tags of the request.
    pub fn requested(&self) -> String {
        format!("aws:RequestTag/{}", self.key)
    }
}

/// Adds tags to those that there are.
pub(super) fn add(tags: &mut OrdMap<String, String>, more: Vec<Tag>) -> Result<()> {
    let bad = |text: &str| Err(Error::client("InvalidTagParameterException", text));
    for tag in &more {
        if tag.key.to_ascii_lowercase().starts_with("aws:") {
            return bad("Tag keys that begin with 'aws:' are reserved for AWS");
        }
        if !(1..=MAX_KEY).contains(&tag.key.chars().count()) {
            return bad("A tag key has between 1 and 128 characters");
        }
        if tag.value.chars().count() > MAX_VALUE {
            return bad("A tag value has at most 256 characters");
        }
    }
    tags.extend(more.into_iter().map(|tag| (tag.key, tag.value)));
    if tags.len() > MAX_TAGS {
        return Err(Error::client("TooManyTagsException", format!("A repository has at most {MAX_TAGS} tags")));
    }
    Ok(())
}

/// The name in the ARN of a repository of this account and region.
fn name<'a>(scope: &Scope, arn: &'a str) -> Option<&'a str> {
    arn.strip_prefix(&super::arn(scope, "")).filter(|name| !name.is_empty())
}

fn of_arn(at: &At<Registry>, arn: &str) -> Target {
    name(at.scope, arn).map_or_else(|| Target::on(arn), |name| on(at, name))
}

fn named<'a>(scope: &Scope, arn: &'a str) -> Result<&'a str> {
    name(scope, arn).ok_or_else(|| invalid("resourceArn", "Invalid ARN"))
}

#[derive(Serialize)]
struct Empty {}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TagResource {
    resource_arn: String,
    tags: Vec<Tag>,
}

fn tag(cx: &mut Cx<Registry>, input: TagResource) -> Result<Empty> {
    let name = named(cx.scope, &input.resource_arn)?;
    let repository = find_mut(cx, None, name)?;
    let mut tags = repository.tags.clone();
    add(&mut tags, input.tags)?;
    repository.tags = tags;
    Ok(Empty {})
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UntagResource {
    resource_arn: String,
    tag_keys: Vec<String>,
}

fn untag(cx: &mut Cx<Registry>, input: UntagResource) -> Result<Empty> {
    let name = named(cx.scope, &input.resource_arn)?;
    let repository = find_mut(cx, None, name)?;
    for key in &input.tag_keys {
        repository.tags.remove(key);
    }
    Ok(Empty {})
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfResource {
    resource_arn: String,
}

#[derive(Serialize)]
struct TagsOutput {
    tags: Vec<Tag>,
}

fn list(cx: &mut Cx<Registry>, input: OfResource) -> Result<TagsOutput> {
    let repository = find(cx, None, named(cx.scope, &input.resource_arn)?)?;
    let tag = |(key, value): (&String, &String)| Tag { key: key.clone(), value: value.clone() };
    Ok(TagsOutput { tags: repository.tags.iter().map(tag).collect() })
}
