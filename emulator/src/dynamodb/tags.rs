//! Tags of tables.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Tagging.html>

use std::ops::Bound;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::definition::Tag;
use super::errors::{self, validation};
use super::{Tables, target};
use crate::cloud::{At, Cx, Service, Target};
use crate::{Error, Result};

/// A table has at most so many tags.
const MAX_TAGS: usize = 50;

/// `ListTagsOfResource` answers at most so many.
const PAGE: usize = 10;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Tables>) -> Service<Tables> {
    service
        .op("TagResource", |at, i: &TagResource| on(at, &i.resource_arn), tag)
        .op("UntagResource", |at, i: &UntagResource| on(at, &i.resource_arn), untag)
        .op("ListTagsOfResource", |at, i: &ListTags| on(at, &i.resource_arn), list)
}

fn on(at: &At<Tables>, arn: &str) -> Target {
    target::table(at, arn)
}

/// Reads the tags of a new table.
pub(super) fn read(tags: &[Tag]) -> Result<OrdMap<String, String>> {
    let mut read = OrdMap::new();
    add(&mut read, tags)?;
    Ok(read)
}

fn add(tags: &mut OrdMap<String, String>, more: &[Tag]) -> Result<()> {
    for Tag { key, value } in more {
        if key.starts_with("aws:") {
            return Err(validation("Tag keys starting with 'aws:' are reserved for system use"));
        }
        tags.insert(key.clone(), value.clone());
    }
    if tags.len() > MAX_TAGS {
        return Err(validation(format!(
            "One or more parameter values were invalid: Too many tags, at most {MAX_TAGS}"
        )));
    }
    Ok(())
}

/// Checks an ARN as the service does: what is no ARN at all is denied, what is another resource's is invalid.
fn check(cx: &Cx<Tables>, operation: &str, arn: &str) -> Result<()> {
    let is_arn = arn.splitn(6, ':').filter(|part| !part.is_empty()).count() == 6;
    let has_resource = arn
        .rsplit(':')
        .next()
        .and_then(|last| last.split_once('/'))
        .is_some_and(|(a, b)| !a.is_empty() && !b.is_empty());
    if !is_arn || !has_resource {
        let who = cx.caller.principal.arn();
        let resource = if arn.is_empty() { "*" } else { arn };
        let message = format!("User: {who} is not authorized to perform: dynamodb:{operation} on resource: {resource}");
        return Err(Error::client("AccessDeniedException", message));
    }
    let name = arn.strip_prefix("arn:aws:dynamodb:").and_then(|rest| rest.split_once(":table/")).map(|(_, name)| name);
    if name.is_none_or(|name| name.len() < 3 || name.contains('/')) {
        return Err(validation(format!("Invalid TableArn: Invalid ResourceArn provided as input {arn}")));
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TagResource {
    resource_arn: String,
    #[serde(default)]
    tags: Vec<Tag>,
}

fn tag(cx: &mut Cx<Tables>, input: TagResource) -> Result<()> {
    check(cx, "TagResource", &input.resource_arn)?;
    if input.tags.is_empty() {
        return Err(validation("Atleast one Tag needs to be provided as Input."));
    }
    let mut tags = tagged(cx, &input.resource_arn)?.clone();
    add(&mut tags, &input.tags)?;
    *tagged(cx, &input.resource_arn)? = tags;
    Ok(())
}

fn tagged<'a>(cx: &'a mut Cx<'_, Tables>, arn: &str) -> Result<&'a mut OrdMap<String, String>> {
    let table = cx.state.table_mut(arn).map_err(|_| errors::no_resource(arn))?;
    Ok(&mut table.definition.tags)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UntagResource {
    resource_arn: String,
    #[serde(default)]
    tag_keys: Vec<String>,
}

fn untag(cx: &mut Cx<Tables>, input: UntagResource) -> Result<()> {
    check(cx, "UntagResource", &input.resource_arn)?;
    if input.tag_keys.is_empty() {
        return Err(validation("Atleast one Tag Key needs to be provided as Input."));
    }
    let tags = tagged(cx, &input.resource_arn).map_err(|_| errors::not_found())?;
    for key in &input.tag_keys {
        tags.remove(key);
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListTags {
    resource_arn: String,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TagsOutput {
    tags: Vec<Tag>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

fn list(cx: &mut Cx<Tables>, input: ListTags) -> Result<TagsOutput> {
    check(cx, "ListTagsOfResource", &input.resource_arn)?;
    // A token is the key of the last tag that was answered.
    let after = input.next_token.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
    let range = tagged(cx, &input.resource_arn)?.range::<_, str>((after, Bound::Unbounded));
    let mut tags: Vec<Tag> =
        range.take(PAGE + 1).map(|(key, value)| Tag { key: key.clone(), value: value.clone() }).collect();
    let more = tags.len() > PAGE;
    tags.truncate(PAGE);
    let next_token = tags.last().filter(|_| more).map(|tag| tag.key.clone());
    Ok(TagsOutput { tags, next_token })
}
