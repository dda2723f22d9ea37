//! Schedule groups and their tags.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::schedules::not_found;
use super::{DEFAULT_GROUP, Schedules, on_group};
use crate::cloud::{Cx, Service, Target};
use crate::{Error, Result, Timestamp};

/// `ListScheduleGroups` answers at most this many.
const PAGE: usize = 100;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Schedules>) -> Service<Schedules> {
    service
        .op("CreateScheduleGroup", |at, i: &CreateGroup| on_group(at, &i.name), create)
        .op("GetScheduleGroup", |at, i: &Named| on_group(at, &i.name), get)
        .op("DeleteScheduleGroup", |at, i: &Named| on_group(at, &i.name), delete)
        .op("ListScheduleGroups", |_, _: &ListGroups| Target::any(), list)
        .op("TagResource", |_, i: &TagResource| Target::on(&i.resource_arn), tag)
        .op("UntagResource", |_, i: &UntagResource| Target::on(&i.resource_arn), untag)
        .op("ListTagsForResource", |_, i: &OfResource| Target::on(&i.resource_arn), tags)
}

/// A schedule group as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Group {
    created: Timestamp,
    tags: OrdMap<String, String>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateGroup {
    pub name: String,
    #[serde(default)]
    tags: Vec<Tag>,
    #[serde(rename = "ClientToken")]
    _client_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GroupArn {
    schedule_group_arn: String,
}

fn create(cx: &mut Cx<Schedules>, input: CreateGroup) -> Result<GroupArn> {
    if input.name == DEFAULT_GROUP || cx.state.groups.contains_key(&input.name) {
        let message = format!("Schedule group {} already exists.", input.name);
        return Err(Error::new(409, "ConflictException", message));
    }
    let tags = input.tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
    cx.state.groups.insert(input.name.clone(), Group { created: cx.now, tags });
    Ok(GroupArn { schedule_group_arn: arn(cx, &input.name) })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    pub name: String,
    #[serde(rename = "ClientToken")]
    _client_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GroupOutput {
    arn: String,
    name: String,
    state: String,
    creation_date: Timestamp,
    last_modification_date: Timestamp,
}

fn get(cx: &mut Cx<Schedules>, input: Named) -> Result<GroupOutput> {
    let created = created(cx, &input.name)?;
    Ok(output(cx, input.name, created))
}

fn output(cx: &Cx<Schedules>, name: String, created: Timestamp) -> GroupOutput {
    GroupOutput {
        arn: arn(cx, &name),
        name,
        state: "ACTIVE".to_owned(),
        creation_date: created,
        last_modification_date: created,
    }
}

/// Deletes a group and its schedules. AWS takes a while and shows the state DELETING; here it is done at once.
fn delete(cx: &mut Cx<Schedules>, input: Named) -> Result<()> {
    if input.name == DEFAULT_GROUP {
        return Err(Error::client("ValidationException", "The default schedule group cannot be deleted."));
    }
    created(cx, &input.name)?;
    let prefix = format!("{}/", input.name);
    let keys: Vec<String> = cx
        .state
        .schedules
        .range(prefix.clone()..)
        .map(|(key, _)| key.clone())
        .take_while(|key| key.starts_with(&prefix))
        .collect();
    for key in keys {
        cx.state.schedules.remove(&key);
        cx.cancel_timer("Fire", key);
    }
    cx.state.groups.remove(&input.name);
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListGroups {
    name_prefix: Option<String>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListGroupsOutput {
    schedule_groups: Vec<GroupOutput>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

fn list(cx: &mut Cx<Schedules>, input: ListGroups) -> Result<ListGroupsOutput> {
    let size = input.max_results.unwrap_or(PAGE).min(PAGE);
    let (after, prefix) = (input.next_token.unwrap_or_default(), input.name_prefix.unwrap_or_default());
    let mut names: Vec<(String, Timestamp)> =
        cx.state.groups.iter().map(|(name, group)| (name.clone(), group.created)).collect();
    // The default group has always been there.
    names.push((DEFAULT_GROUP.to_owned(), Timestamp::default()));
    names.sort();
    names.retain(|(name, _)| *name > after && name.starts_with(&prefix));
    let more = names.len() > size;
    names.truncate(size);
    let next_token = names.last().filter(|_| more).map(|(name, _)| name.clone());
    let schedule_groups = names.into_iter().map(|(name, created)| output(cx, name, created)).collect();
    Ok(ListGroupsOutput { schedule_groups, next_token })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TagResource {
    pub resource_arn: String,
    tags: Vec<Tag>,
}

fn tag(cx: &mut Cx<Schedules>, input: TagResource) -> Result<()> {
    let group = tagged(cx, &input.resource_arn)?;
    group.tags.extend(input.tags.into_iter().map(|tag| (tag.key, tag.value)));
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UntagResource {
    pub resource_arn: String,
    tag_keys: Vec<String>,
}

fn untag(cx: &mut Cx<Schedules>, input: UntagResource) -> Result<()> {
    let group = tagged(cx, &input.resource_arn)?;
    for key in &input.tag_keys {
        group.tags.remove(key);
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfResource {
    pub resource_arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TagsOutput {
    tags: Vec<Tag>,
}

fn tags(cx: &mut Cx<Schedules>, input: OfResource) -> Result<TagsOutput> {
    let tags = &tagged(cx, &input.resource_arn)?.tags;
    Ok(TagsOutput { tags: tags.iter().map(|(key, value)| Tag { key: key.clone(), value: value.clone() }).collect() })
}

fn tagged<'a>(cx: &'a mut Cx<Schedules>, resource: &str) -> Result<&'a mut Group> {
    let name = resource.rsplit("schedule-group/").next().unwrap_or(resource).to_owned();
    cx.state.groups.get_mut(&name).ok_or_else(|| not_found(format!("Schedule group {name} does not exist.")))
}

fn created(cx: &Cx<Schedules>, name: &str) -> Result<Timestamp> {
    match cx.state.groups.get(name) {
        Some(group) => Ok(group.created),
        None if name == DEFAULT_GROUP => Ok(Timestamp::default()),
        None => Err(not_found(format!("Schedule group {name} does not exist."))),
    }
}

fn arn(cx: &Cx<Schedules>, name: &str) -> String {
    cx.scope.arn("scheduler", format_args!("schedule-group/{name}"))
}
