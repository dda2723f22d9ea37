//! Resources: the tree of an API's paths.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::errors::{bad, conflict};
use super::page::{Page, page};
use super::patch::{Kind, PatchOperation, Rule, Wording, patched, rule};
use super::state::{Content, Resource};
use super::{RestApis, on};
use crate::cloud::{At, Cx, Service, Target};
use crate::{Error, Result};

/// An API has at most this many resources (the default quota).
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>
const MAX_RESOURCES: usize = 300;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<RestApis>) -> Service<RestApis> {
    service
        .op("CreateResource", |at, i: &CreateResource| target(at, "POST", &i.rest_api_id, &i.parent_id), create)
        .op("GetResource", |at, i: &GetResource| target(at, "GET", &i.rest_api_id, &i.resource_id), get)
        .op(
            "GetResources",
            |at, i: &GetResources| on(at, "GET", format_args!("/restapis/{}/resources", i.rest_api_id)),
            list,
        )
        .op("UpdateResource", |at, i: &UpdateResource| target(at, "PATCH", &i.rest_api_id, &i.resource_id), update)
        .op("DeleteResource", |at, i: &OfResource| target(at, "DELETE", &i.rest_api_id, &i.resource_id), delete)
}

fn target(at: &At<RestApis>, verb: &'static str, api: &str, resource: &str) -> Target {
    on(at, verb, format_args!("/restapis/{api}/resources/{resource}"))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path_part: Option<String>,
    path: String,
    #[serde(skip_serializing_if = "Map::is_empty")]
    resource_methods: Map<String, Value>,
}

/// A resource as it is shown: its methods by name alone, unless they are asked for.
fn shown(resource: &Resource, embed: &[String]) -> Result<Shown> {
    let whole = embed.iter().any(|what| what == "methods");
    let mut methods = Map::new();
    for (name, method) in &resource.methods {
        let method = if whole { serde_json::to_value(method).map_err(Error::internal)? } else { json!({}) };
        methods.insert(name.clone(), method);
    }
    Ok(Shown {
        id: resource.id.clone(),
        parent_id: resource.parent_id.clone(),
        path_part: resource.path_part.clone(),
        path: resource.path.clone(),
        resource_methods: methods,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateResource {
    rest_api_id: String,
    parent_id: String,
    path_part: String,
}

fn create(cx: &mut Cx<RestApis>, input: CreateResource) -> Result<Shown> {
    let id = cx.ids().lower(6);
    let content = &mut cx.state.api_mut(cx.scope, &input.rest_api_id)?.content;
    let resource = make(content, id, &input.parent_id, &input.path_part)?;
    shown(&resource, &[])
}

/// Makes a resource below another.
pub(super) fn make(content: &mut Content, id: String, parent: &str, part: &str) -> Result<Resource> {
    let parent = content.resource(parent)?;
    check_part(part)?;
    check_place(content, parent, part, None)?;
    if content.resources.len() >= MAX_RESOURCES {
        return Err(Error::new(
            429,
            "LimitExceededException",
            "Maximum number of resources for this API has been reached",
        ));
    }
    let resource = Resource {
        id: id.clone(),
        parent_id: Some(parent.id.clone()),
        path_part: Some(part.to_owned()),
        path: below(&parent.path, part),
        methods: Default::default(),
    };
    content.resources.insert(id, resource.clone());
    Ok(resource)
}

fn below(parent: &str, part: &str) -> String {
    format!("{}/{part}", parent.trim_end_matches('/'))
}

/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-develop.html>
fn check_part(part: &str) -> Result<()> {
    let inner = match part.strip_prefix('{').map(|rest| rest.strip_suffix('}')) {
        Some(Some(name)) => name.strip_suffix('+').unwrap_or(name),
        Some(None) => "{",
        None => part,
    };
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-:,$".contains(c);
    if inner.is_empty() || !inner.chars().all(fits) {
        return Err(bad(
            "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the beginning and \
             the end.",
        ));
    }
    Ok(())
}

fn is_variable(part: Option<&str>) -> bool {
    part.is_some_and(|part| part.starts_with('{'))
}

/// Whether a resource may have this name below this parent. `itself` is the resource that is moved or renamed.
fn check_place(content: &Content, parent: &Resource, part: &str, itself: Option<&str>) -> Result<()> {
    if let Some(greedy) = parent.path_part.as_deref().filter(|part| part.ends_with("+}")) {
        return Err(bad(format!("Cannot create a child of a resource with a greedy path variable: {greedy}")));
    }
    let siblings = content
        .resources
        .values()
        .filter(|sibling| sibling.parent_id.as_deref() == Some(&parent.id) && Some(&*sibling.id) != itself);
    for sibling in siblings {
        let name = sibling.path_part.as_deref();
        if name == Some(part) {
            return Err(conflict(format!("Another resource with the same parent already has this name: {part}")));
        }
        if is_variable(Some(part)) && is_variable(name) {
            return Err(bad(format!(
                "A sibling ({}) of this resource already has a variable path part -- only one is allowed",
                name.unwrap_or_default()
            )));
        }
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfResource {
    rest_api_id: String,
    resource_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GetResource {
    rest_api_id: String,
    resource_id: String,
    #[serde(default)]
    embed: Vec<String>,
}

fn get(cx: &mut Cx<RestApis>, input: GetResource) -> Result<Shown> {
    shown(cx.state.api(cx.scope, &input.rest_api_id)?.content.resource(&input.resource_id)?, &input.embed)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GetResources {
    rest_api_id: String,
    position: Option<String>,
    limit: Option<i64>,
    #[serde(default)]
    embed: Vec<String>,
}

fn list(cx: &mut Cx<RestApis>, input: GetResources) -> Result<Page<Shown>> {
    let resources = &cx.state.api(cx.scope, &input.rest_api_id)?.content.resources;
    // The root comes first: `/` is less than any letter or digit of an id. An API has few enough resources to put in order.
    let place = |resource: &Resource| resource.parent_id.as_ref().map_or("/", |_| &resource.id).to_owned();
    let ordered: OrdMap<String, &Resource> = resources.values().map(|resource| (place(resource), resource)).collect();
    let Page { items, position } =
        page(&ordered, input.position.as_ref(), input.limit, |resource| Some(shown(resource, &input.embed)));
    Ok(Page { items: items.into_iter().collect::<Result<_>>()?, position })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UpdateResource {
    rest_api_id: String,
    resource_id: String,
    #[serde(default)]
    patch_operations: Vec<PatchOperation>,
}

const RULES: &[Rule] = &[rule("/parentId", "replace", Kind::Text), rule("/pathPart", "replace", Kind::Text)];

fn update(cx: &mut Cx<RestApis>, input: UpdateResource) -> Result<Shown> {
    let content = &mut cx.state.api_mut(cx.scope, &input.rest_api_id)?.content;
    let old = content.resource(&input.resource_id)?;
    let new: Resource = patched(old, &input.patch_operations, RULES, Wording::Listed)?;
    if old.parent_id.is_none() {
        let changed =
            input.patch_operations.first().map_or("pathPart", |operation| operation.path().trim_start_matches('/'));
        return Err(bad(format!("Root resource cannot update its {changed}.")));
    }
    let (parent, part) = (new.parent_id.clone().unwrap_or_default(), new.path_part.clone().unwrap_or_default());
    let parent = content.resource(&parent)?.clone();
    if within(content, &parent, &input.resource_id) {
        return Err(bad("Resources cannot be cyclical."));
    }
    check_part(&part)?;
    check_place(content, &parent, &part, Some(&input.resource_id))?;
    let path = below(&parent.path, &part);
    content.resources.insert(input.resource_id.clone(), Resource { path, ..new });
    rename(content, &input.resource_id);
    shown(content.resource(&input.resource_id)?, &[])
}

/// Whether a resource is, or is below, the one of this id.
fn within(content: &Content, resource: &Resource, id: &str) -> bool {
    let mut at = Some(resource);
    while let Some(resource) = at {
        if resource.id == id {
            return true;
        }
        at = resource.parent_id.as_ref().and_then(|parent| content.resources.get(parent));
    }
    false
}

/// Gives all that is below a resource its new path.
fn rename(content: &mut Content, id: &str) {
    let mut open = vec![id.to_owned()];
    while let Some(id) = open.pop() {
        let Some(path) = content.resources.get(&id).map(|resource| resource.path.clone()) else { continue };
        let children: Vec<String> = children(content, &id);
        for child in children {
            if let Some(resource) = content.resources.get_mut(&child) {
                resource.path = below(&path, resource.path_part.as_deref().unwrap_or_default());
            }
            open.push(child);
        }
    }
}

fn children(content: &Content, id: &str) -> Vec<String> {
    let below = content.resources.values().filter(|resource| resource.parent_id.as_deref() == Some(id));
    below.map(|resource| resource.id.clone()).collect()
}

/// Deletes a resource and all below it.
fn delete(cx: &mut Cx<RestApis>, input: OfResource) -> Result<()> {
    let api = cx.state.api_mut(cx.scope, &input.rest_api_id)?;
    api.content.resource(&input.resource_id)?;
    if api.rest.root_resource_id == input.resource_id {
        return Err(bad("Cannot delete root resource"));
    }
    let mut open = vec![input.resource_id];
    while let Some(id) = open.pop() {
        open.extend(children(&api.content, &id));
        api.content.resources.remove(&id);
    }
    Ok(())
}
