//! REST APIs.

use imbl::OrdMap;
use serde::Deserialize;
use serde_json::{Value, json};

use super::errors::bad;
use super::page::{Page, page};
use super::patch::{Kind, PatchOperation, Rule, Wording, patched, rule};
use super::state::{Api, EndpointConfiguration, Resource, RestApi};
use super::{RestApis, models, on};
use crate::cloud::{Cx, Service};
use crate::{Error, Result};

/// The largest minimum size for compression, in bytes.
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_CreateRestApi.html>
const MAX_COMPRESSION_SIZE: i64 = 10 * 1024 * 1024;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<RestApis>) -> Service<RestApis> {
    service
        .op("CreateRestApi", |at, _: &CreateRestApi| on(at, "POST", "/restapis"), create)
        .op("GetRestApi", |at, i: &OfApi| on(at, "GET", format_args!("/restapis/{}", i.rest_api_id)), get)
        .op("GetRestApis", |at, _: &GetRestApis| on(at, "GET", "/restapis"), list)
        .op(
            "UpdateRestApi",
            |at, i: &UpdateRestApi| on(at, "PATCH", format_args!("/restapis/{}", i.rest_api_id)),
            update,
        )
        .op("DeleteRestApi", |at, i: &OfApi| on(at, "DELETE", format_args!("/restapis/{}", i.rest_api_id)), delete)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OfApi {
    pub rest_api_id: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateRestApi {
    name: String,
    description: Option<String>,
    version: Option<String>,
    binary_media_types: Option<Vec<String>>,
    minimum_compression_size: Option<i64>,
    api_key_source: Option<String>,
    endpoint_configuration: Option<GivenEndpoint>,
    policy: Option<String>,
    #[serde(default)]
    tags: OrdMap<String, String>,
    disable_execute_api_endpoint: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GivenEndpoint {
    types: Option<Vec<String>>,
    ip_address_type: Option<String>,
    vpc_endpoint_ids: Option<Vec<String>>,
}

fn create(cx: &mut Cx<RestApis>, input: CreateRestApi) -> Result<Value> {
    if input.description.as_deref() == Some("") {
        return Err(bad("Description cannot be an empty string"));
    }
    check_compression(input.minimum_compression_size)?;
    let endpoint_configuration = endpoint(input.endpoint_configuration)?;
    let mut api = empty(cx, input.name);
    let rest = &mut api.rest;
    rest.description = input.description;
    rest.version = input.version;
    rest.binary_media_types = input.binary_media_types.filter(|types| !types.is_empty());
    rest.minimum_compression_size = input.minimum_compression_size;
    rest.api_key_source = input.api_key_source.unwrap_or_else(|| "HEADER".to_owned());
    rest.endpoint_configuration = endpoint_configuration;
    rest.policy = input.policy.filter(|policy| !policy.is_empty());
    rest.tags = input.tags;
    rest.disable_execute_api_endpoint = input.disable_execute_api_endpoint.unwrap_or(false);
    let shown = json!(api.rest);
    cx.state.apis.insert(api.rest.id.clone(), api);
    Ok(shown)
}

/// An API with a root resource and the two models that every API has.
pub(super) fn empty(cx: &mut Cx<RestApis>, name: String) -> Api {
    let (id, root) = (cx.ids().lower(10), cx.ids().lower(10));
    let rest = RestApi {
        id,
        name,
        created_date: super::seconds(cx.now),
        api_key_source: "HEADER".to_owned(),
        root_resource_id: root.clone(),
        ..RestApi::default()
    };
    let mut api = Api { rest, ..Api::default() };
    api.content.resources.insert(root.clone(), Resource { id: root, path: "/".to_owned(), ..Resource::default() });
    api.content.models = models::defaults(cx);
    api
}

fn endpoint(given: Option<GivenEndpoint>) -> Result<EndpointConfiguration> {
    let mut endpoint = EndpointConfiguration { types: vec!["EDGE".to_owned()], ..EndpointConfiguration::default() };
    if let Some(given) = given {
        endpoint.ip_address_type = given.ip_address_type;
        endpoint.vpc_endpoint_ids = given.vpc_endpoint_ids.unwrap_or_default();
        if let Some(types) = given.types {
            endpoint.types = types;
        }
    }
    if endpoint.types.len() > 1 {
        return Err(bad("Cannot create an api with multiple Endpoint Types."));
    }
    if endpoint.types.is_empty() {
        return Err(bad("REGIONAL Configuration and EDGE Configuration cannot be both DISABLED."));
    }
    check_address_type(&endpoint)?;
    let usual = if is_private(&endpoint) { "dualstack" } else { "ipv4" };
    endpoint.ip_address_type.get_or_insert_with(|| usual.to_owned());
    Ok(endpoint)
}

fn is_private(endpoint: &EndpointConfiguration) -> bool {
    endpoint.types.iter().any(|kind| kind == "PRIVATE")
}

fn check_address_type(endpoint: &EndpointConfiguration) -> Result<()> {
    if is_private(endpoint) && endpoint.ip_address_type.as_deref() == Some("ipv4") {
        return Err(bad("Only dualstack ipAddressType is supported for Private APIs."));
    }
    match endpoint.ip_address_type.as_deref() {
        None | Some("ipv4" | "dualstack") => Ok(()),
        Some(_) => Err(bad("ipAddressType must be either ipv4 or dualstack.")),
    }
}

fn check_compression(size: Option<i64>) -> Result<()> {
    match size {
        Some(size) if !(0..=MAX_COMPRESSION_SIZE).contains(&size) => {
            Err(bad(format!("Invalid minimum compression size, must be between 0 and {MAX_COMPRESSION_SIZE}")))
        }
        _ => Ok(()),
    }
}

/// An API as it is shown by itself: with its tags, even if it has none.
pub(super) fn shown(rest: &RestApi) -> Result<Value> {
    let mut value = serde_json::to_value(rest).map_err(Error::internal)?;
    if let Some(members) = value.as_object_mut() {
        members.entry("tags").or_insert_with(|| json!({}));
    }
    Ok(value)
}

fn get(cx: &mut Cx<RestApis>, input: OfApi) -> Result<Value> {
    shown(&cx.state.api(cx.scope, &input.rest_api_id)?.rest)
}

#[derive(Deserialize)]
struct GetRestApis {
    position: Option<String>,
    limit: Option<i64>,
}

fn list(cx: &mut Cx<RestApis>, input: GetRestApis) -> Result<Page<RestApi>> {
    Ok(page(&cx.state.apis, input.position.as_ref(), input.limit, |api| Some(api.rest.clone())))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UpdateRestApi {
    rest_api_id: String,
    #[serde(default)]
    patch_operations: Vec<PatchOperation>,
}

const RULES: &[Rule] = &[
    rule("/name", "replace", Kind::Text),
    rule("/description", "replace remove", Kind::Text),
    rule("/policy", "replace", Kind::Text),
    rule("/apiKeySource", "replace", Kind::Text),
    rule("/minimumCompressionSize", "replace", Kind::Int),
    rule("/disableExecuteApiEndpoint", "replace", Kind::Bool),
    rule("/binaryMediaTypes/*", "add remove replace", Kind::Element),
    rule("/endpointConfiguration/types/*", "replace", Kind::Element),
    rule("/endpointConfiguration/ipAddressType", "replace", Kind::Text),
    rule("/endpointConfiguration/vpcEndpointIds/*", "add remove", Kind::Element),
];

fn update(cx: &mut Cx<RestApis>, input: UpdateRestApi) -> Result<Value> {
    let api = cx.state.api_mut(cx.scope, &input.rest_api_id)?;
    for operation in &input.patch_operations {
        let number = operation.value.as_deref().unwrap_or_default();
        if operation.path() == "/minimumCompressionSize" && !number.is_empty() {
            let size = number.parse().unwrap_or(-1);
            check_compression(Some(size))?;
        }
        // What is said to be possible is not quite what is.
        if operation.path().starts_with("/endpointConfiguration/types/") && operation.op() != "replace" {
            return Err(bad("Invalid patch operation specified. Must be 'add'|'remove'|'replace'"));
        }
    }
    let mut rest: RestApi = patched(&api.rest, &input.patch_operations, RULES, Wording::Plain)?;
    if rest.endpoint_configuration != api.rest.endpoint_configuration {
        let known = ["REGIONAL", "EDGE", "PRIVATE"];
        if rest.endpoint_configuration.types.iter().any(|kind| !known.contains(&kind.as_str())) {
            return Err(bad("Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE"));
        }
        // An API that becomes private gets the only type of addresses that such have.
        let named = |operation: &PatchOperation| operation.path() == "/endpointConfiguration/ipAddressType";
        let became = is_private(&rest.endpoint_configuration) && !is_private(&api.rest.endpoint_configuration);
        if became && !input.patch_operations.iter().any(named) {
            rest.endpoint_configuration.ip_address_type = Some("dualstack".to_owned());
        }
        check_address_type(&rest.endpoint_configuration)?;
    }
    if !matches!(rest.api_key_source.as_str(), "HEADER" | "AUTHORIZER") {
        return Err(bad("Invalid API key source specified. Valid options are HEADER,AUTHORIZER"));
    }
    rest.policy = rest.policy.filter(|policy| !policy.is_empty());
    rest.binary_media_types = rest.binary_media_types.filter(|types| !types.is_empty());
    api.rest = rest;
    shown(&api.rest)
}

fn delete(cx: &mut Cx<RestApis>, input: OfApi) -> Result<()> {
    cx.state.api(cx.scope, &input.rest_api_id)?;
    cx.state.apis.remove(&input.rest_api_id);
    super::plans::change_all(cx.state, |plan| plan.api_stages.retain(|stage| stage.api_id != input.rest_api_id));
    cx.state.forget_verdicts(&format!("{}/", input.rest_api_id));
    Ok(())
}
