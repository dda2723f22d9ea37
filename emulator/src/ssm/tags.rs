//! Tags of parameters.
//!
//! <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_AddTagsToResource.html>

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::names::Name;
use super::{Parameters, on};
use crate::cloud::{At, Cx, Service, Target};
use crate::{Error, Result};

/// A parameter has at most so many tags.
const LIMIT: usize = 50;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Parameters>) -> Service<Parameters> {
    service
        .op(
            "AddTagsToResource",
            |at, i: &AddTags| requested(tagged(at, &i.resource_type, &i.resource_id), &i.tags),
            add_tags,
        )
        .op("RemoveTagsFromResource", |at, i: &RemoveTags| tagged(at, &i.resource_type, &i.resource_id), remove_tags)
        .op("ListTagsForResource", |at, i: &ListTags| tagged(at, &i.resource_type, &i.resource_id), list_tags)
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    pub key: String,
    pub value: String,
}

fn tagged(at: &At<Parameters>, kind: &str, id: &str) -> Target {
    if kind == "Parameter" { on(at, id) } else { Target::any() }
}

/// The keys of a request's tags, as policies read them.
pub(super) fn requested(target: Target, tags: &[Tag]) -> Target {
    tags.iter()
        .fold(target, |target, Tag { key, value }| target.context(format!("aws:RequestTag/{key}"), value.clone()))
}

/// Adds tags to those that there are.
pub(super) fn add(tags: &mut OrdMap<String, String>, added: &[Tag]) -> Result<()> {
    if let Some(tag) = added.iter().find(|tag| tag.key.to_ascii_lowercase().starts_with("aws:")) {
        let text = format!("The tag key {} is not valid: aws: prefixed tag key names are not allowed.", tag.key);
        return Err(super::validation(text));
    }
    for Tag { key, value } in added {
        tags.insert(key.clone(), value.clone());
    }
    if tags.len() > LIMIT {
        return Err(Error::client(
            "TooManyTagsError",
            "The Targets parameter includes too many tags. Remove one or more tags and try the command again.",
        ));
    }
    Ok(())
}

/// The parameter of a request for tags. Nothing else that Systems Manager tags is here.
fn resource(cx: &Cx<Parameters>, kind: &str, id: &str) -> Result<Name> {
    if kind != "Parameter" {
        return Err(Error::not_implemented(format!("tags of Systems Manager's resource type {kind}")));
    }
    let name = Name::of(id);
    if cx.state.parameters.contains_key(&name.key) {
        return Ok(name);
    }
    Err(Error::client(
        "InvalidResourceId",
        "The resource ID is not valid. Verify that you entered the correct ID and try again.",
    ))
}

fn tags_of<'a>(cx: &'a mut Cx<Parameters>, kind: &str, id: &str) -> Result<&'a mut OrdMap<String, String>> {
    let name = resource(cx, kind, id)?;
    let parameter = cx.state.parameters.get_mut(&name.key);
    parameter.map(|parameter| &mut parameter.tags).ok_or_else(|| Error::internal("a parameter that was found is gone"))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AddTags {
    resource_type: String,
    resource_id: String,
    tags: Vec<Tag>,
}

fn add_tags(cx: &mut Cx<Parameters>, input: AddTags) -> Result<()> {
    let there = tags_of(cx, &input.resource_type, &input.resource_id)?;
    let mut tags = there.clone();
    add(&mut tags, &input.tags)?;
    *there = tags;
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RemoveTags {
    resource_type: String,
    resource_id: String,
    tag_keys: Vec<String>,
}

fn remove_tags(cx: &mut Cx<Parameters>, input: RemoveTags) -> Result<()> {
    let there = tags_of(cx, &input.resource_type, &input.resource_id)?;
    for key in &input.tag_keys {
        there.remove(key);
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListTags {
    resource_type: String,
    resource_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    tag_list: Vec<Tag>,
}

fn list_tags(cx: &mut Cx<Parameters>, input: ListTags) -> Result<Listed> {
    let there = tags_of(cx, &input.resource_type, &input.resource_id)?;
    let tag_list = there.iter().map(|(key, value)| Tag { key: key.clone(), value: value.clone() }).collect();
    Ok(Listed { tag_list })
}
