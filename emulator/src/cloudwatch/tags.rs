//! Tags of alarms.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_TagResource.html>

use serde::{Deserialize, Serialize};

use super::alarms::{self, Alarm};
use super::{Empty, Metrics, invalid_value};
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

/// Whether a resource may have so many tags.
pub(super) fn check_count(tags: usize) -> Result<()> {
    if tags > LIMIT { Err(invalid_value(format!("A resource has at most {LIMIT} tags."))) } else { Ok(()) }
}

/// The alarm that an ARN means.
fn alarm<'a>(cx: &'a mut Cx<Metrics>, arn: &str) -> Result<&'a mut Alarm> {
    let name = arn.strip_prefix(&alarms::arn(cx.scope, ""));
    name.and_then(|name| cx.state.alarms.get_mut(name)).ok_or_else(|| {
        Error::new(404, "ResourceNotFoundException", "Unknown").with("ResourceType", "alarm").with("ResourceId", arn)
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TagResource {
    #[serde(rename = "ResourceARN")]
    resource_arn: String,
    tags: Vec<Tag>,
}

fn tag(cx: &mut Cx<Metrics>, input: TagResource) -> Result<Empty> {
    let alarm = alarm(cx, &input.resource_arn)?;
    let mut tags = alarm.tags.clone();
    tags.extend(input.tags.into_iter().map(|tag| (tag.key, tag.value)));
    check_count(tags.len())?;
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
    let alarm = alarm(cx, &input.resource_arn)?;
    input.tag_keys.iter().for_each(|key| drop(alarm.tags.remove(key)));
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
    let alarm = alarm(cx, &input.resource_arn).ok();
    let tag = |(key, value): (&String, &String)| Tag { key: key.clone(), value: value.clone() };
    Ok(Tags { tags: alarm.iter().flat_map(|alarm| alarm.tags.iter()).map(tag).collect() })
}
