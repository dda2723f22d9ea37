//! APIs from OpenAPI documents, version 2 and 3, with API Gateway's extensions, in JSON or YAML.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions.html>

mod document;
mod operation;
mod security;

use imbl::OrdMap;
use serde::Deserialize;
use serde_json::{Value, json};

use super::documentation::{self, Location};
use super::errors::bad;
use super::state::Api;
use super::{RestApis, apis, on};
use crate::cloud::{Cx, Ids, Service};
use crate::cloudformation::template::yaml;
use crate::{Error, Result};

/// Adds the operations of this file.
pub(super) fn operations(service: Service<RestApis>) -> Service<RestApis> {
    service.op("ImportRestApi", |at, _: &ImportRestApi| on(at, "POST", "/restapis"), import).op(
        "PutRestApi",
        |at, i: &PutRestApi| on(at, "PUT", format_args!("/restapis/{}", i.rest_api_id)),
        put,
    )
}

/// Reads a document.
///
/// # Errors
/// `BadRequestException` for what is neither JSON nor YAML.
pub(super) fn read(body: &[u8]) -> Result<Value> {
    let text = std::str::from_utf8(body).map_err(|_| bad("Invalid OpenAPI input."))?;
    let document = yaml::read(text).map_err(|_| bad("Invalid OpenAPI input."))?;
    if document.is_object() { Ok(document) } else { Err(bad("Invalid OpenAPI input.")) }
}

/// The parts of `x-amazon-apigateway-documentation`: what each is for, and its text.
pub(super) fn documentation_parts(document: &Value) -> Vec<(Location, String)> {
    let parts = document.pointer("/x-amazon-apigateway-documentation/documentationParts").and_then(Value::as_array);
    let part = |part: &Value| {
        let mut location: Location = serde_json::from_value(part.get("location")?.clone()).ok()?;
        // What stands at a path stands at the root if nothing is said.
        if !matches!(location.kind.as_str(), "API" | "AUTHORIZER" | "MODEL") {
            location.path.get_or_insert_with(|| "/".to_owned());
        }
        Some((location, part.get("properties")?.to_string()))
    };
    parts.into_iter().flatten().filter_map(part).collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ImportRestApi {
    fail_on_warnings: Option<bool>,
    #[serde(default)]
    parameters: OrdMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PutRestApi {
    rest_api_id: String,
    mode: Option<String>,
    fail_on_warnings: Option<bool>,
    #[serde(default)]
    parameters: OrdMap<String, String>,
}

/// What a document is to become part of, with what was odd about it.
struct Importer<'a> {
    document: &'a Value,
    api: Api,
    ids: &'a mut Ids,
    /// What the paths begin with.
    base: String,
    region: String,
    account: String,
    warnings: Vec<String>,
}

fn import(cx: &mut Cx<RestApis>, input: ImportRestApi) -> Result<Value> {
    let document = read(&cx.body)?;
    check(&document)?;
    let mut api = apis::empty(cx, String::new());
    api.content.models = OrdMap::new();
    api.rest.endpoint_configuration.types = vec!["EDGE".to_owned()];
    api.rest.endpoint_configuration.ip_address_type = Some("ipv4".to_owned());
    if let Some(kind) = input.parameters.get("endpointConfigurationTypes") {
        api.rest.endpoint_configuration.types = vec![kind.clone()];
    }
    let (api, warnings) = imported(cx, &document, api, &input.parameters)?;
    refuse_warnings(input.fail_on_warnings, &warnings)?;
    let mut shown = serde_json::to_value(&api.rest).map_err(Error::internal)?;
    warn(&mut shown, warnings);
    cx.state.apis.insert(api.rest.id.clone(), api);
    Ok(shown)
}

fn put(cx: &mut Cx<RestApis>, input: PutRestApi) -> Result<Value> {
    let document = read(&cx.body)?;
    check(&document)?;
    let mut api = cx.state.api(cx.scope, &input.rest_api_id)?.clone();
    if input.mode.as_deref() == Some("overwrite") {
        let root = api.content.by_path("/").cloned();
        api.content = Default::default();
        api.parts = OrdMap::new();
        if let Some(mut root) = root {
            root.methods = OrdMap::new();
            api.content.resources.insert(root.id.clone(), root);
        }
        api.rest.binary_media_types = None;
        api.rest.policy = None;
        api.rest.description = None;
        api.rest.minimum_compression_size = None;
    }
    let (api, warnings) = imported(cx, &document, api, &input.parameters)?;
    refuse_warnings(input.fail_on_warnings, &warnings)?;
    let mut shown = apis::shown(&api.rest)?;
    warn(&mut shown, warnings);
    cx.state.apis.insert(api.rest.id.clone(), api);
    Ok(shown)
}

fn check(document: &Value) -> Result<()> {
    let version = |member: &str| document.get(member).map(|version| version.to_string().replace('"', ""));
    let known = version("swagger").is_some_and(|v| v.starts_with("2"))
        || version("openapi").is_some_and(|v| v.starts_with("3."));
    if known { Ok(()) } else { Err(bad("Invalid OpenAPI input.")) }
}

fn refuse_warnings(fail: Option<bool>, warnings: &[String]) -> Result<()> {
    if fail == Some(true) && !warnings.is_empty() {
        return Err(bad(format!("Warnings found during import:\n\t{}", warnings.join("\n\t"))));
    }
    Ok(())
}

fn warn(shown: &mut Value, warnings: Vec<String>) {
    if let Some(members) = shown.as_object_mut()
        && !warnings.is_empty()
    {
        members.insert("warnings".to_owned(), json!(warnings));
    }
}

fn imported(
    cx: &mut Cx<RestApis>,
    document: &Value,
    api: Api,
    parameters: &OrdMap<String, String>,
) -> Result<(Api, Vec<String>)> {
    let base = document::base_path(document, parameters.get("basepath").map_or("ignore", String::as_str));
    let (region, account) = (cx.scope.region.to_string(), cx.scope.account.to_string());
    let mut importer = Importer { document, api, ids: cx.ids(), base, region, account, warnings: Vec::new() };
    importer.settings()?;
    importer.models();
    importer.validators();
    importer.authorizers()?;
    importer.gateway_responses();
    importer.paths()?;
    for (location, properties) in documentation_parts(document) {
        let id = importer.ids.lower(6);
        documentation::add(&mut importer.api, id, location, properties);
    }
    Ok((importer.api, importer.warnings))
}
