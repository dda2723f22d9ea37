//! Tags of log groups, by ARN and, as it was before 2022, by name.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::groups::Named;
use super::names::{group_arn, tagged_group};
use super::store::LogGroups;
use crate::cloud::{Cx, Scope};
use crate::{Error, Result};

/// A group has at most this many tags.
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_TagResource.html>
const LIMIT: usize = 50;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TagResource {
    pub resource_arn: String,
    tags: OrdMap<String, String>,
}

pub(super) fn tag_resource(cx: &mut Cx<LogGroups>, input: TagResource) -> Result<()> {
    let name = tagged_group(cx.scope, &input.resource_arn)?;
    tag(cx, name, input.tags)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UntagResource {
    pub resource_arn: String,
    tag_keys: Vec<String>,
}

pub(super) fn untag_resource(cx: &mut Cx<LogGroups>, input: UntagResource) -> Result<()> {
    let name = tagged_group(cx.scope, &input.resource_arn)?;
    untag(cx, name, &input.tag_keys)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListTagsForResource {
    pub resource_arn: String,
}

#[derive(Serialize)]
pub(super) struct Tags {
    tags: OrdMap<String, String>,
}

pub(super) fn list_tags_for_resource(cx: &mut Cx<LogGroups>, input: ListTagsForResource) -> Result<Tags> {
    let name = tagged_group(cx.scope, &input.resource_arn)?;
    Ok(Tags { tags: cx.state.group(name)?.tags.clone() })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TagLogGroup {
    pub log_group_name: String,
    tags: OrdMap<String, String>,
}

pub(super) fn tag_log_group(cx: &mut Cx<LogGroups>, input: TagLogGroup) -> Result<()> {
    tag(cx, &input.log_group_name, input.tags)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UntagLogGroup {
    pub log_group_name: String,
    tags: Vec<String>,
}

pub(super) fn untag_log_group(cx: &mut Cx<LogGroups>, input: UntagLogGroup) -> Result<()> {
    untag(cx, &input.log_group_name, &input.tags)
}

pub(super) fn list_tags_log_group(cx: &mut Cx<LogGroups>, input: Named) -> Result<Tags> {
    Ok(Tags { tags: cx.state.group(&input.log_group_name)?.tags.clone() })
}

fn tag(cx: &mut Cx<LogGroups>, name: &str, tags: OrdMap<String, String>) -> Result<()> {
    let scope = cx.scope;
    let group = cx.state.group_mut(name)?;
    let all = tags.union(group.tags.clone());
    check_count(scope, name, &all)?;
    group.tags = all;
    Ok(())
}

fn untag(cx: &mut Cx<LogGroups>, name: &str, keys: &[String]) -> Result<()> {
    let group = cx.state.group_mut(name)?;
    for key in keys {
        group.tags.remove(key);
    }
    Ok(())
}

pub(super) fn check_count(scope: &Scope, name: &str, tags: &OrdMap<String, String>) -> Result<()> {
    if tags.len() <= LIMIT {
        return Ok(());
    }
    Err(Error::client("TooManyTagsException", format!("A resource can have no more than {LIMIT} tags."))
        .with("resourceName", group_arn(scope, name)))
}

/// Creating a group with tags takes the permission to tag it as well.
/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html>
pub(super) fn may_tag(cx: &Cx<LogGroups>, name: &str) -> Result<()> {
    let arn = group_arn(cx.scope, name);
    let may = |action| cx.access().may(action, &arn);
    if may("logs:TagResource") || may("logs:TagLogGroup") {
        return Ok(());
    }
    let who = cx.caller.principal.arn();
    Err(Error::client(
        "AccessDeniedException",
        format!("User: {who} is not authorized to perform: logs:TagResource on resource: {arn}"),
    ))
}
