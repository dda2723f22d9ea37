//! Tags of log groups, by ARN and, as it was before 2022, by name.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::deliveries::Delivery;
use super::delivery_destinations::DeliveryDestination;
use super::delivery_sources::DeliverySource;
use super::destinations;
use super::groups::Named;
use super::names::{group_arn, tagged_group};
use super::store::LogGroups;
use super::vended::{self, Vended};
use crate::cloud::Cx;
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
    let arn = input.resource_arn;
    let all = input.tags.union(tags_of(cx, &arn)?.clone());
    check_count(&arn, &all)?;
    *tags_of(cx, &arn)? = all;
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UntagResource {
    pub resource_arn: String,
    tag_keys: Vec<String>,
}

pub(super) fn untag_resource(cx: &mut Cx<LogGroups>, input: UntagResource) -> Result<()> {
    let tags = tags_of(cx, &input.resource_arn)?;
    for key in &input.tag_keys {
        tags.remove(key);
    }
    Ok(())
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
    Ok(Tags { tags: tags_of(cx, &input.resource_arn)?.clone() })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TagLogGroup {
    pub log_group_name: String,
    tags: OrdMap<String, String>,
}

pub(super) fn tag_log_group(cx: &mut Cx<LogGroups>, input: TagLogGroup) -> Result<()> {
    let group = cx.state.group(&input.log_group_name)?;
    let all = input.tags.union(group.tags.clone());
    check_count(&group_arn(cx.scope, &input.log_group_name), &all)?;
    cx.state.group_mut(&input.log_group_name)?.tags = all;
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UntagLogGroup {
    pub log_group_name: String,
    tags: Vec<String>,
}

pub(super) fn untag_log_group(cx: &mut Cx<LogGroups>, input: UntagLogGroup) -> Result<()> {
    let group = cx.state.group_mut(&input.log_group_name)?;
    for key in &input.tags {
        group.tags.remove(key);
    }
    Ok(())
}

pub(super) fn list_tags_log_group(cx: &mut Cx<LogGroups>, input: Named) -> Result<Tags> {
    Ok(Tags { tags: cx.state.group(&input.log_group_name)?.tags.clone() })
}

/// The tags of what an ARN names: a group, a destination, or what belongs to deliveries.
fn tags_of<'a>(cx: &'a mut Cx<LogGroups>, arn: &str) -> Result<&'a mut OrdMap<String, String>> {
    let scope = cx.scope;
    let named = |kind: &str| arn.strip_prefix(&scope.arn("logs", format_args!("{kind}:")));
    if let Some(name) = named("destination") {
        let found = cx.state.destinations.get_mut(name).map(|destination| &mut destination.tags);
        return found.ok_or_else(destinations::not_found);
    }
    if let Some(name) = named(DeliveryDestination::KIND) {
        return vended::tags_of::<DeliveryDestination>(cx.state, name);
    }
    if let Some(name) = named(DeliverySource::KIND) {
        return vended::tags_of::<DeliverySource>(cx.state, name);
    }
    if let Some(id) = named(Delivery::KIND) {
        return vended::tags_of::<Delivery>(cx.state, id);
    }
    let name = tagged_group(scope, arn)?;
    Ok(&mut cx.state.group_mut(name)?.tags)
}

pub(super) fn check_count(arn: &str, tags: &OrdMap<String, String>) -> Result<()> {
    if tags.len() <= LIMIT {
        return Ok(());
    }
    Err(Error::client("TooManyTagsException", format!("A resource can have no more than {LIMIT} tags."))
        .with("resourceName", arn))
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
