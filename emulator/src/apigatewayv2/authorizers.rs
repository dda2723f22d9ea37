//! Authorizers: who may call.

use serde::Deserialize;

use super::part::{Listing, api, bad_request, changed, conflict, get, keep, list, new_part_id, remove};
use super::state::Authorizer;
use super::{Apis, arn};
use crate::Result;
use crate::cloud::{At, Cx, Service, Target};

/// Authorizers of an API at most.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>
const AUTHORIZER_LIMIT: usize = 10;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Apis>) -> Service<Apis> {
    service
        .op("CreateAuthorizer", |at, i: &Authorizer| all(at, "POST", i.api_id.as_deref()), create)
        .op("GetAuthorizers", |at, i: &Listing| all(at, "GET", Some(&i.api_id)), |cx, i| list::<Authorizer>(cx, "", &i))
        .op(
            "GetAuthorizer",
            |at, i: &OfAuthorizer| one(at, "GET", i),
            |cx, i| get::<Authorizer>(cx, &i.api_id, "", &i.authorizer_id),
        )
        .op("UpdateAuthorizer", |at, i: &Authorizer| all(at, "PATCH", i.api_id.as_deref()), update)
        .op("DeleteAuthorizer", |at, i: &OfAuthorizer| one(at, "DELETE", i), delete)
}

fn all(at: &At<Apis>, method: &str, api: Option<&str>) -> Target {
    arn::on(at, method, format_args!("apis/{}/authorizers", api.unwrap_or_default()))
}

fn one(at: &At<Apis>, method: &str, of: &OfAuthorizer) -> Target {
    arn::on(at, method, format_args!("apis/{}/authorizers/{}", of.api_id, of.authorizer_id))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfAuthorizer {
    api_id: String,
    authorizer_id: String,
}

fn create(cx: &mut Cx<Apis>, mut input: Authorizer) -> Result<Authorizer> {
    let api_id = input.api_id.take().unwrap_or_default();
    let there = api(cx, &api_id)?;
    let kind = input.authorizer_type.as_deref().unwrap_or_default();
    if there.is_websocket() && kind != "REQUEST" {
        return Err(bad_request("Only REQUEST authorizers are supported for WEBSOCKET APIs"));
    }
    if !there.is_websocket() && kind == "REQUEST" && input.authorizer_payload_format_version.is_none() {
        return Err(bad_request("AuthorizerPayloadFormatVersion is a required parameter for REQUEST authorizer"));
    }
    if kind == "JWT" && input.jwt_configuration.is_none() {
        return Err(bad_request("JWT authorizer requires JWT configuration to be specified."));
    }
    if there.authorizers.len() >= AUTHORIZER_LIMIT {
        return Err(conflict("Authorizer limit exceeded"));
    }
    if there.authorizers.values().any(|other| other.name == input.name) {
        return Err(conflict("Authorizer name already exists"));
    }
    let id = new_part_id::<Authorizer>(cx, &api_id)?;
    keep(cx, &api_id, &id, Authorizer { authorizer_id: Some(id.clone()), ..input })
}

fn update(cx: &mut Cx<Apis>, mut input: Authorizer) -> Result<Authorizer> {
    let api_id = input.api_id.take().unwrap_or_default();
    let id = input.authorizer_id.clone().unwrap_or_default();
    let merged = changed(&get::<Authorizer>(cx, &api_id, "", &id)?, &input)?;
    keep(cx, &api_id, &id, merged)
}

fn delete(cx: &mut Cx<Apis>, input: OfAuthorizer) -> Result<()> {
    let there = api(cx, &input.api_id)?;
    if there.routes.values().any(|route| route.authorizer_id.as_ref() == Some(&input.authorizer_id)) {
        return Err(conflict(format!("Cannot delete authorizer '{}', is referenced in route", input.authorizer_id)));
    }
    remove::<Authorizer>(cx, &input.api_id, "", &input.authorizer_id)
}
