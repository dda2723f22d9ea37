//! Tags of alarms.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_TagResource.html>

use serde::{Deserialize, Serialize};

use super::Metrics;
use crate::cloud::{Cx, Service, Target};
use crate::{Error, Result};

/// A resource has at most so many tags.
const LIMIT: usize = 50;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Metrics>) -> Service<Metrics> {
    service
        .op("TagResource", |_, i: &TagResource| Target::on(&i.resource_arn), tag)
        .op("UntagResource", |_, i: &Untag| Target::on(&i.resource_arn), untag)
        .op("ListTagsForResource", |_, i: &ListTags| Target::on(&i.resource_arn), list)
}

/// `Tag` of the API.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    pub key: String,
    pub value: String,
}

/// What a request may tag with.
pub(super) fn check_tags(tags: &[Tag]) -> Result<()> {
    if tags.len() > LIMIT {
        return Err(Error::client("InvalidParameterValue", format!("A resource has at most {LIMIT} tags.")));
    }
    Ok(())
}

/// The name of the alarm that an ARN means.
fn name<'a>(cx: &Cx<Metrics>, arn: &'a str) -> Option<&'a str> {
    arn.strip_prefix(&cx.scope.arn("cloudwatch", "alarm:")).filter(|name| cx.state.alarms.contains_key(*name))
}

fn not_found(arn: &str) -> Error {
    Error::new(404, "ResourceNotFoundException", "Unknown").with("ResourceType", "alarm").with("ResourceId", arn)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TagResource {
    #[serde(rename = "ResourceARN")]
    resource_arn: String,
    tags: Vec<Tag>,
}

/// Nothing.
#[derive(Serialize)]
struct Empty {}

fn tag(cx: &mut Cx<Metrics>, input: TagResource) -> Result<Empty> {
    let name = name(cx, &input.resource_arn).ok_or_else(|| not_found(&input.resource_arn))?;
    let Some(alarm) = cx.state.alarms.get_mut(name) else { return Err(not_found(&input.resource_arn)) };
    let mut tags = alarm.tags.clone();
    tags.extend(input.tags.into_iter().map(|tag| (tag.key, tag.value)));
    if tags.len() > LIMIT {
        return Err(Error::client("InvalidParameterValue", format!("A resource has at most {LIMIT} tags.")));
    }
    alarm.tags = tags;
    Ok(Empty {})
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Untag {
    #[serde(rename = "ResourceARN")]
    resource_arn: String,
    tag_keys: Vec<String>,
}

fn untag(cx: &mut Cx<Metrics>, input: Untag) -> Result<Empty> {
    let name = name(cx, &input.resource_arn).ok_or_else(|| not_found(&input.resource_arn))?;
    if let Some(alarm) = cx.state.alarms.get_mut(name) {
        input.tag_keys.iter().for_each(|key| drop(alarm.tags.remove(key)));
    }
    Ok(Empty {})
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListTags {
    #[serde(rename = "ResourceARN")]
    resource_arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tags {
    tags: Vec<Tag>,
}

/// Of what does not exist there are none (seen at AWS, after an alarm was deleted).
fn list(cx: &mut Cx<Metrics>, input: ListTags) -> Result<Tags> {
    let alarm = name(cx, &input.resource_arn).and_then(|name| cx.state.alarms.get(name));
    let tag = |(key, value): (&String, &String)| Tag { key: key.clone(), value: value.clone() };
    Ok(Tags { tags: alarm.iter().flat_map(|alarm| alarm.tags.iter()).map(tag).collect() })
}
