//! Request validators: what is checked of a request.

use serde::Deserialize;

use super::errors::{bad, conflict, not_found};
use super::page::{Page, page};
use super::patch::{Kind, PatchOperation, Rule, Wording, patched, rule};
use super::state::RequestValidator;
use super::{RestApis, on};
use crate::Result;
use crate::cloud::{At, Cx, Service, Target};

/// Adds the operations of this file.
pub(super) fn operations(service: Service<RestApis>) -> Service<RestApis> {
    service
        .op("CreateRequestValidator", |at, i: &Create| all(at, "POST", &i.rest_api_id), create)
        .op("GetRequestValidator", |at, i: &OfOne| one(at, "GET", &i.rest_api_id, &i.request_validator_id), get)
        .op("GetRequestValidators", |at, i: &List| all(at, "GET", &i.rest_api_id), list)
        .op(
            "UpdateRequestValidator",
            |at, i: &Update| one(at, "PATCH", &i.rest_api_id, &i.request_validator_id),
            update,
        )
        .op(
            "DeleteRequestValidator",
            |at, i: &OfOne| one(at, "DELETE", &i.rest_api_id, &i.request_validator_id),
            delete,
        )
}

fn all(at: &At<RestApis>, verb: &'static str, api: &str) -> Target {
    on(at, verb, format_args!("/restapis/{api}/requestvalidators"))
}

fn one(at: &At<RestApis>, verb: &'static str, api: &str, id: &str) -> Target {
    on(at, verb, format_args!("/restapis/{api}/requestvalidators/{id}"))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Create {
    rest_api_id: String,
    name: Option<String>,
    #[serde(default)]
    validate_request_body: bool,
    #[serde(default)]
    validate_request_parameters: bool,
}

fn create(cx: &mut Cx<RestApis>, input: Create) -> Result<RequestValidator> {
    let id = cx.ids().lower(6);
    let api = cx.state.apis.get_mut(&input.rest_api_id);
    let api = api.ok_or_else(|| bad("Invalid REST API identifier specified"))?;
    let validator = RequestValidator {
        id: id.clone(),
        name: input.name,
        validate_request_body: input.validate_request_body,
        validate_request_parameters: input.validate_request_parameters,
    };
    api.content.validators.insert(id, validator.clone());
    Ok(validator)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfOne {
    rest_api_id: String,
    request_validator_id: String,
}

fn missing() -> crate::Error {
    not_found("Invalid Request Validator identifier specified")
}

fn get(cx: &mut Cx<RestApis>, input: OfOne) -> Result<RequestValidator> {
    // An API that does not exist has no validators: AWS names the validator.
    let api = cx.state.apis.get(&input.rest_api_id).ok_or_else(missing)?;
    api.content.validators.get(&input.request_validator_id).cloned().ok_or_else(missing)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct List {
    rest_api_id: String,
    position: Option<String>,
    limit: Option<i64>,
}

fn list(cx: &mut Cx<RestApis>, input: List) -> Result<Page<RequestValidator>> {
    let validators = &cx.state.api(cx.scope, &input.rest_api_id)?.content.validators;
    Ok(page(validators, input.position.as_ref(), input.limit, |validator| Some(validator.clone())))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Update {
    rest_api_id: String,
    request_validator_id: String,
    #[serde(default)]
    patch_operations: Vec<PatchOperation>,
}

const RULES: &[Rule] = &[
    rule("/name", "replace", Kind::Text),
    rule("/validateRequestParameters", "replace", Kind::Bool),
    rule("/validateRequestBody", "replace", Kind::Bool),
];

fn update(cx: &mut Cx<RestApis>, input: Update) -> Result<RequestValidator> {
    let api = cx.state.apis.get_mut(&input.rest_api_id).ok_or_else(missing)?;
    let validator = api.content.validators.get_mut(&input.request_validator_id).ok_or_else(missing)?;
    let new: RequestValidator = patched(validator, &input.patch_operations, RULES, Wording::Listed)?;
    if new.name.as_deref().unwrap_or_default().is_empty() && input.patch_operations.iter().any(|o| o.path() == "/name")
    {
        return Err(bad("Request Validator name cannot be blank"));
    }
    *validator = new;
    Ok(validator.clone())
}

fn delete(cx: &mut Cx<RestApis>, input: OfOne) -> Result<()> {
    let api = cx.state.apis.get_mut(&input.rest_api_id).ok_or_else(missing)?;
    let id = &input.request_validator_id;
    if !api.content.validators.contains_key(id) {
        return Err(missing());
    }
    let mut methods = api.content.resources.values().flat_map(|resource| resource.methods.values());
    if methods.any(|method| method.request_validator_id.as_ref() == Some(id)) {
        return Err(conflict(format!("Cannot delete validator '{id}', is referenced in method request")));
    }
    api.content.validators.remove(id);
    Ok(())
}
