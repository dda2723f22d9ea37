//! Methods of resources, and the responses that they declare.

use imbl::OrdMap;
use serde::Deserialize;

use super::errors::{bad, conflict, not_found};
use super::patch::{Kind, PatchOperation, Rule, Wording, patched, rule};
use super::state::{Content, Method, MethodResponse, Resource};
use super::{RestApis, on};
use crate::Result;
use crate::cloud::{At, Cx, Service, Target};

/// What a method may be called.
const METHODS: &[&str] = &["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "HEAD", "ANY"];

/// Adds the operations of this file.
pub(super) fn operations(service: Service<RestApis>) -> Service<RestApis> {
    service
        .op("PutMethod", |at, i: &PutMethod| target(at, "PUT", &i.rest_api_id, &i.resource_id, &i.http_method), put)
        .op("GetMethod", |at, i: &OfMethod| on_method(at, "GET", i), get)
        .op("DeleteMethod", |at, i: &OfMethod| on_method(at, "DELETE", i), delete)
        .op(
            "UpdateMethod",
            |at, i: &UpdateMethod| target(at, "PATCH", &i.rest_api_id, &i.resource_id, &i.http_method),
            update,
        )
        .op(
            "PutMethodResponse",
            |at, i: &PutMethodResponse| target(at, "PUT", &i.rest_api_id, &i.resource_id, &i.http_method),
            put_response,
        )
        .op("GetMethodResponse", |at, i: &OfResponse| on_response(at, "GET", i), get_response)
        .op("DeleteMethodResponse", |at, i: &OfResponse| on_response(at, "DELETE", i), delete_response)
        .op(
            "UpdateMethodResponse",
            |at, i: &UpdateResponse| target(at, "PATCH", &i.rest_api_id, &i.resource_id, &i.http_method),
            update_response,
        )
}

pub(super) fn target(at: &At<RestApis>, verb: &'static str, api: &str, resource: &str, method: &str) -> Target {
    on(at, verb, format_args!("/restapis/{api}/resources/{resource}/methods/{method}"))
}

fn on_method(at: &At<RestApis>, verb: &'static str, of: &OfMethod) -> Target {
    target(at, verb, &of.rest_api_id, &of.resource_id, &of.http_method)
}

fn on_response(at: &At<RestApis>, verb: &'static str, of: &OfResponse) -> Target {
    target(at, verb, &of.rest_api_id, &of.resource_id, &of.http_method)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OfMethod {
    pub rest_api_id: String,
    pub resource_id: String,
    pub http_method: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OfResponse {
    pub rest_api_id: String,
    pub resource_id: String,
    pub http_method: String,
    pub status_code: String,
}

/// The content of an API, for what is addressed by a resource: an API that does not exist has none.
pub(super) fn content<'a>(cx: &'a mut Cx<RestApis>, api: &str) -> Result<&'a mut Content> {
    let api = cx.state.apis.get_mut(api).ok_or_else(|| not_found("Invalid Resource identifier specified"))?;
    Ok(&mut api.content)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PutMethod {
    rest_api_id: String,
    resource_id: String,
    http_method: String,
    authorization_type: String,
    authorizer_id: Option<String>,
    #[serde(default)]
    api_key_required: bool,
    operation_name: Option<String>,
    request_parameters: Option<OrdMap<String, bool>>,
    request_models: Option<OrdMap<String, String>>,
    request_validator_id: Option<String>,
    authorization_scopes: Option<Vec<String>>,
}

fn put(cx: &mut Cx<RestApis>, input: PutMethod) -> Result<Method> {
    let content = content(cx, &input.rest_api_id)?;
    let resource = content.resource(&input.resource_id)?;
    if !METHODS.contains(&input.http_method.as_str()) {
        return Err(bad(format!("Invalid HttpMethod specified. Valid options are {}", METHODS.join(","))));
    }
    if resource.methods.contains_key(&input.http_method) {
        return Err(conflict("Method already exists for this resource"));
    }
    // AWS takes the types of authorization in any case, and shows them in capitals.
    let authorization_type = input.authorization_type.to_ascii_uppercase();
    let method = Method {
        http_method: input.http_method.clone(),
        authorizer_id: input.authorizer_id.filter(|_| has_authorizer(&authorization_type)),
        authorization_type,
        api_key_required: input.api_key_required,
        request_validator_id: input.request_validator_id,
        operation_name: input.operation_name,
        request_parameters: input.request_parameters,
        request_models: input.request_models,
        authorization_scopes: input.authorization_scopes,
        ..Method::default()
    };
    check(content, &method)?;
    let resource = content.resource_mut(&input.resource_id)?;
    resource.methods.insert(input.http_method, method.clone());
    Ok(method)
}

/// Whether methods of this type of authorization have an authorizer: that of others is not kept.
fn has_authorizer(authorization_type: &str) -> bool {
    matches!(authorization_type, "CUSTOM" | "COGNITO_USER_POOLS")
}

/// What a method refers to must be there.
fn check(content: &Content, method: &Method) -> Result<()> {
    let custom = has_authorizer(&method.authorization_type);
    if !custom && !matches!(method.authorization_type.as_str(), "NONE" | "AWS_IAM") {
        return Err(bad(
            "Invalid authorization type specified. Valid options are NONE, AWS_IAM, CUSTOM, COGNITO_USER_POOLS",
        ));
    }
    if custom && !method.authorizer_id.as_ref().is_some_and(|id| content.authorizers.contains_key(id)) {
        return Err(bad(
            "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires a valid \
             authorizer.",
        ));
    }
    if method.request_validator_id.as_ref().is_some_and(|id| !content.validators.contains_key(id)) {
        return Err(bad("Invalid Request Validator identifier specified"));
    }
    if let Some(unknown) =
        method.request_models.iter().flat_map(|m| m.values()).find(|m| !content.models.contains_key(*m))
    {
        return Err(bad(format!("Invalid model identifier specified: {unknown}")));
    }
    let mut names = std::collections::BTreeSet::new();
    for parameter in method.request_parameters.iter().flat_map(|parameters| parameters.keys()) {
        let mut parts = parameter.splitn(4, '.');
        let (place, name) = (parts.nth(2), parts.next());
        if !parameter.starts_with("method.request.") || !matches!(place, Some("header" | "querystring" | "path")) {
            return Err(bad(format!("Invalid mapping expression specified: {parameter}")));
        }
        if !names.insert(name.unwrap_or_default().to_owned()) {
            return Err(bad("Parameter names must be unique across querystring, header and path"));
        }
    }
    Ok(())
}

fn get(cx: &mut Cx<RestApis>, input: OfMethod) -> Result<Method> {
    content(cx, &input.rest_api_id)?.resource(&input.resource_id)?.method(&input.http_method).cloned()
}

fn delete(cx: &mut Cx<RestApis>, input: OfMethod) -> Result<()> {
    let resource = content(cx, &input.rest_api_id)?.resource_mut(&input.resource_id)?;
    resource.method(&input.http_method)?;
    resource.methods.remove(&input.http_method);
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UpdateMethod {
    rest_api_id: String,
    resource_id: String,
    http_method: String,
    #[serde(default)]
    patch_operations: Vec<PatchOperation>,
}

const RULES: &[Rule] = &[
    rule("/authorizationType", "replace", Kind::Text),
    rule("/authorizerId", "replace", Kind::Text),
    rule("/apiKeyRequired", "replace", Kind::Bool),
    rule("/operationName", "replace", Kind::Text),
    rule("/requestValidatorId", "replace", Kind::Text),
    rule("/requestParameters/*", "add remove replace", Kind::Bool).or("Invalid parameter name specified"),
    rule("/requestModels/*", "add remove replace", Kind::Text).or("Content-Type specified was not found"),
    rule("/authorizationScopes/*", "add remove", Kind::Element),
    rule("/authorizationScopes", "add remove", Kind::List),
];

fn update(cx: &mut Cx<RestApis>, input: UpdateMethod) -> Result<Method> {
    let content = content(cx, &input.rest_api_id)?;
    let old = content.resource(&input.resource_id)?.method(&input.http_method)?;
    let mut new: Method = patched(old, &input.patch_operations, RULES, Wording::Plain)?;
    new.request_parameters = new.request_parameters.filter(|map| !map.is_empty());
    new.request_models = new.request_models.filter(|map| !map.is_empty());
    new.request_validator_id = new.request_validator_id.filter(|id| !id.is_empty());
    new.authorization_type.make_ascii_uppercase();
    new.authorizer_id = new.authorizer_id.filter(|_| has_authorizer(&new.authorization_type));
    check(content, &new)?;
    *content.resource_mut(&input.resource_id)?.method_mut(&input.http_method)? = new.clone();
    Ok(new)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PutMethodResponse {
    rest_api_id: String,
    resource_id: String,
    http_method: String,
    status_code: String,
    response_parameters: Option<OrdMap<String, bool>>,
    response_models: Option<OrdMap<String, String>>,
}

fn method_mut<'a>(cx: &'a mut Cx<RestApis>, api: &str, resource: &str, method: &str) -> Result<&'a mut Method> {
    content(cx, api)?.resource_mut(resource).and_then(|resource: &mut Resource| resource.method_mut(method))
}

fn put_response(cx: &mut Cx<RestApis>, input: PutMethodResponse) -> Result<MethodResponse> {
    let method = method_mut(cx, &input.rest_api_id, &input.resource_id, &input.http_method)?;
    if method.method_responses.contains_key(&input.status_code) {
        return Err(conflict("Response already exists for this resource"));
    }
    let response = MethodResponse {
        status_code: input.status_code.clone(),
        response_parameters: input.response_parameters,
        response_models: input.response_models,
    };
    method.method_responses.insert(input.status_code, response.clone());
    Ok(response)
}

fn response<'a>(method: &'a mut Method, status: &str) -> Result<&'a mut MethodResponse> {
    method.method_responses.get_mut(status).ok_or_else(|| not_found("Invalid Response status code specified"))
}

fn get_response(cx: &mut Cx<RestApis>, input: OfResponse) -> Result<MethodResponse> {
    let method = method_mut(cx, &input.rest_api_id, &input.resource_id, &input.http_method)?;
    response(method, &input.status_code).cloned()
}

fn delete_response(cx: &mut Cx<RestApis>, input: OfResponse) -> Result<()> {
    let method = method_mut(cx, &input.rest_api_id, &input.resource_id, &input.http_method)?;
    response(method, &input.status_code)?;
    method.method_responses.remove(&input.status_code);
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UpdateResponse {
    rest_api_id: String,
    resource_id: String,
    http_method: String,
    status_code: String,
    #[serde(default)]
    patch_operations: Vec<PatchOperation>,
}

const RESPONSE_RULES: &[Rule] = &[
    rule("/responseParameters/*", "add remove replace", Kind::Bool).or("Invalid parameter name specified"),
    rule("/responseModels/*", "add remove replace", Kind::Text).or("Content-Type specified was not found"),
];

fn update_response(cx: &mut Cx<RestApis>, input: UpdateResponse) -> Result<MethodResponse> {
    let method = method_mut(cx, &input.rest_api_id, &input.resource_id, &input.http_method)?;
    let response = response(method, &input.status_code)?;
    let mut new: MethodResponse = patched(response, &input.patch_operations, RESPONSE_RULES, Wording::Plain)?;
    new.response_parameters = new.response_parameters.filter(|map| !map.is_empty());
    new.response_models = new.response_models.filter(|map| !map.is_empty());
    *response = new;
    Ok(response.clone())
}
