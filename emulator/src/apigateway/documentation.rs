//! Documentation parts and versions of an API.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::errors::{bad, conflict, not_found};
use super::page::{Page, page};
use super::patch::{Kind, PatchOperation, Rule, Wording, patched, rule};
use super::state::Api;
use super::{RestApis, on};
use crate::cloud::{At, Cx, Service, Target};
use crate::{Error, Result, Timestamp};

/// Adds the operations of this file.
pub(super) fn operations(service: Service<RestApis>) -> Service<RestApis> {
    service
        .op("CreateDocumentationPart", |at, i: &CreatePart| parts(at, "POST", &i.rest_api_id), create)
        .op("GetDocumentationPart", |at, i: &OfPart| parts(at, "GET", &i.rest_api_id), get)
        .op("GetDocumentationParts", |at, i: &GetParts| parts(at, "GET", &i.rest_api_id), list)
        .op("UpdateDocumentationPart", |at, i: &UpdatePart| parts(at, "PATCH", &i.rest_api_id), update)
        .op("DeleteDocumentationPart", |at, i: &OfPart| parts(at, "DELETE", &i.rest_api_id), delete)
        .op("ImportDocumentationParts", |at, i: &ImportParts| parts(at, "PUT", &i.rest_api_id), import)
        .op("CreateDocumentationVersion", |at, i: &CreateVersion| versions(at, "POST", &i.rest_api_id), create_version)
        .op("GetDocumentationVersion", |at, i: &OfVersion| versions(at, "GET", &i.rest_api_id), get_version)
        .op("GetDocumentationVersions", |at, i: &GetVersions| versions(at, "GET", &i.rest_api_id), list_versions)
        .op("UpdateDocumentationVersion", |at, i: &UpdateVersion| versions(at, "PATCH", &i.rest_api_id), update_version)
        .op("DeleteDocumentationVersion", |at, i: &OfVersion| versions(at, "DELETE", &i.rest_api_id), delete_version)
}

fn parts(at: &At<RestApis>, verb: &'static str, api: &str) -> Target {
    on(at, verb, format_args!("/restapis/{api}/documentation/parts"))
}

fn versions(at: &At<RestApis>, verb: &'static str, api: &str) -> Target {
    on(at, verb, format_args!("/restapis/{api}/documentation/versions"))
}

/// `DocumentationPart` of the API Gateway API.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Part {
    pub id: String,
    /// The how-manieth part of its API it is: lists are in this order. The model does not know it, so that no client sees it.
    number: u64,
    pub location: Location,
    pub properties: String,
}

/// What a part documents.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Location {
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// `DocumentationVersion` of the API Gateway API.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Version {
    version: String,
    created_date: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreatePart {
    rest_api_id: String,
    location: Location,
    properties: String,
}

fn create(cx: &mut Cx<RestApis>, input: CreatePart) -> Result<Part> {
    let id = cx.ids().lower(6);
    let api = cx.state.api_mut(cx.scope, &input.rest_api_id)?;
    if input.properties.is_empty() {
        return Err(bad("Documentation part properties must be non-empty"));
    }
    if serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&input.properties).is_err() {
        return Err(bad("Documentation part properties must be a valid JSON object"));
    }
    if api.parts.values().any(|part| part.location == input.location) {
        return Err(conflict("Documentation part already exists for the specified location"));
    }
    Ok(add(api, id, input.location, input.properties))
}

/// Adds a part to an API.
pub(super) fn add(api: &mut Api, id: String, location: Location, properties: String) -> Part {
    api.parts_made += 1;
    let part = Part { id: id.clone(), number: api.parts_made, location, properties };
    api.parts.insert(id, part.clone());
    part
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfPart {
    rest_api_id: String,
    documentation_part_id: String,
}

fn missing() -> Error {
    not_found("Invalid Documentation part identifier specified")
}

/// An API that does not exist has no parts: AWS names the part.
fn part_mut<'a>(cx: &'a mut Cx<RestApis>, api: &str, part: &str) -> Result<&'a mut Part> {
    cx.state.apis.get_mut(api).and_then(|api| api.parts.get_mut(part)).ok_or_else(missing)
}

fn get(cx: &mut Cx<RestApis>, input: OfPart) -> Result<Part> {
    part_mut(cx, &input.rest_api_id, &input.documentation_part_id).cloned()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GetParts {
    rest_api_id: String,
    r#type: Option<String>,
    name_query: Option<String>,
    path: Option<String>,
    position: Option<String>,
    limit: Option<i64>,
    location_status: Option<String>,
}

fn list(cx: &mut Cx<RestApis>, input: GetParts) -> Result<Page<Part>> {
    let api = cx.state.api(cx.scope, &input.rest_api_id)?;
    let wanted = |part: &Part| {
        let location = &part.location;
        let named = |query: &String| location.name.as_ref().is_some_and(|name| name.contains(query));
        input.r#type.as_ref().is_none_or(|kind| *kind == location.kind)
            && input.path.as_ref().is_none_or(|path| Some(path) == location.path.as_ref())
            && input.name_query.as_ref().is_none_or(named)
            && input.location_status.as_deref() != Some("UNDOCUMENTED")
    };
    // An API has 2,000 parts at most, so that they can be put in order for each list.
    let ordered: OrdMap<String, &Part> =
        api.parts.values().map(|part| (format!("{:020}", part.number), part)).collect();
    Ok(page(&ordered, input.position.as_ref(), input.limit, |part| wanted(part).then(|| (*part).clone())))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UpdatePart {
    rest_api_id: String,
    documentation_part_id: String,
    #[serde(default)]
    patch_operations: Vec<PatchOperation>,
}

const RULES: &[Rule] = &[rule("/properties", "replace", Kind::Text)];

fn update(cx: &mut Cx<RestApis>, input: UpdatePart) -> Result<Part> {
    let part = part_mut(cx, &input.rest_api_id, &input.documentation_part_id)?;
    *part = patched(part, &input.patch_operations, RULES, Wording::Listed)?;
    Ok(part.clone())
}

fn delete(cx: &mut Cx<RestApis>, input: OfPart) -> Result<()> {
    cx.state.api(cx.scope, &input.rest_api_id)?;
    part_mut(cx, &input.rest_api_id, &input.documentation_part_id)?;
    if let Some(api) = cx.state.apis.get_mut(&input.rest_api_id) {
        api.parts.remove(&input.documentation_part_id);
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ImportParts {
    rest_api_id: String,
    mode: Option<String>,
    #[serde(rename = "failOnWarnings")]
    _fail_on_warnings: Option<bool>,
}

#[derive(Serialize)]
struct Imported {
    ids: Vec<String>,
}

/// The parts of an OpenAPI document's `x-amazon-apigateway-documentation`.
fn import(cx: &mut Cx<RestApis>, input: ImportParts) -> Result<Imported> {
    let unreadable = |_| bad("Unable to build importer with provided input.");
    let document = super::import::read(&cx.body).map_err(unreadable)?;
    let found = super::import::documentation_parts(&document);
    let ids: Vec<String> = found.iter().map(|_| cx.ids().lower(6)).collect();
    let api = cx.state.api_mut(cx.scope, &input.rest_api_id)?;
    if input.mode.as_deref() == Some("overwrite") {
        api.parts = OrdMap::new();
    }
    for (id, (location, properties)) in ids.iter().zip(found) {
        let same = api.parts.iter().find(|(_, part)| part.location == location).map(|(id, _)| id.clone());
        if let Some(old) = same {
            api.parts.remove(&old);
        }
        add(api, id.clone(), location, properties);
    }
    Ok(Imported { ids })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateVersion {
    rest_api_id: String,
    documentation_version: String,
    stage_name: Option<String>,
    description: Option<String>,
}

fn create_version(cx: &mut Cx<RestApis>, input: CreateVersion) -> Result<Version> {
    let now = super::seconds(cx.now);
    let api = cx.state.api_mut(cx.scope, &input.rest_api_id)?;
    let name = input.documentation_version;
    if api.versions.contains_key(&name) {
        return Err(conflict("Documentation version already exists"));
    }
    if let Some(stage) = &input.stage_name {
        let stage = api.stages.get_mut(stage).ok_or_else(|| not_found("Invalid stage identifier specified"))?;
        stage.documentation_version = Some(name.clone());
    }
    let version = Version { version: name.clone(), created_date: now, description: input.description };
    api.versions.insert(name, version.clone());
    Ok(version)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfVersion {
    rest_api_id: String,
    documentation_version: String,
}

fn no_version() -> Error {
    not_found("Invalid Documentation version specified")
}

fn get_version(cx: &mut Cx<RestApis>, input: OfVersion) -> Result<Version> {
    let api = cx.state.api(cx.scope, &input.rest_api_id)?;
    api.versions.get(&input.documentation_version).cloned().ok_or_else(no_version)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GetVersions {
    rest_api_id: String,
    position: Option<String>,
    limit: Option<i64>,
}

fn list_versions(cx: &mut Cx<RestApis>, input: GetVersions) -> Result<Page<Version>> {
    let api = cx.state.api(cx.scope, &input.rest_api_id)?;
    Ok(page(&api.versions, input.position.as_ref(), input.limit, |version| Some(version.clone())))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UpdateVersion {
    rest_api_id: String,
    documentation_version: String,
    #[serde(default)]
    patch_operations: Vec<PatchOperation>,
}

const VERSION_RULES: &[Rule] = &[rule("/description", "replace", Kind::Text)];

fn update_version(cx: &mut Cx<RestApis>, input: UpdateVersion) -> Result<Version> {
    let api = cx.state.api_mut(cx.scope, &input.rest_api_id)?;
    let version = api.versions.get_mut(&input.documentation_version).ok_or_else(no_version)?;
    *version = patched(version, &input.patch_operations, VERSION_RULES, Wording::Listed)?;
    Ok(version.clone())
}

fn delete_version(cx: &mut Cx<RestApis>, input: OfVersion) -> Result<()> {
    let api = cx.state.api_mut(cx.scope, &input.rest_api_id)?;
    api.versions.remove(&input.documentation_version).map(|_| ()).ok_or_else(no_version)
}
