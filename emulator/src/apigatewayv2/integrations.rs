//! Integrations: where routes lead, and what becomes of the answers.

use serde::Deserialize;

use super::part::{Listing, api, bad_request, changed, conflict, get, keep, list, new_part_id, remove};
use super::state::{Integration, IntegrationResponse};
use super::{Apis, arn};
use crate::cloud::{At, Cx, Service, Target};
use crate::{Error, Result};

/// How long an integration of an HTTP API may take unless said otherwise, in milliseconds.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>
pub(super) const HTTP_TIMEOUT: u64 = 30_000;
/// The same for a WebSocket API.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html>
pub(super) const WEBSOCKET_TIMEOUT: u64 = 29_000;
/// Integrations of an API at most, same pages.
const INTEGRATION_LIMIT: usize = 300;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Apis>) -> Service<Apis> {
    service
        .op("CreateIntegration", |at, i: &Integration| all(at, "POST", i.api_id.as_deref()), create)
        .op(
            "GetIntegrations",
            |at, i: &Listing| all(at, "GET", Some(&i.api_id)),
            |cx, i| list::<Integration>(cx, "", &i),
        )
        .op(
            "GetIntegration",
            |at, i: &OfIntegration| one(at, "GET", i),
            |cx, i| get::<Integration>(cx, &i.api_id, "", &i.integration_id),
        )
        .op("UpdateIntegration", |at, i: &Integration| all(at, "PATCH", i.api_id.as_deref()), update)
        .op("DeleteIntegration", |at, i: &OfIntegration| one(at, "DELETE", i), delete)
        .op(
            "CreateIntegrationResponse",
            |at, i: &IntegrationResponse| all(at, "POST", i.api_id.as_deref()),
            create_response,
        )
        .op(
            "GetIntegrationResponses",
            |at, i: &Listing| all(at, "GET", Some(&i.api_id)),
            |cx, i| list::<IntegrationResponse>(cx, i.integration_id.as_deref().unwrap_or_default(), &i),
        )
        .op(
            "GetIntegrationResponse",
            |at, i: &OfResponse| all(at, "GET", Some(&i.api_id)),
            |cx, i| get::<IntegrationResponse>(cx, &i.api_id, &i.integration_id, &i.integration_response_id),
        )
        .op(
            "UpdateIntegrationResponse",
            |at, i: &IntegrationResponse| all(at, "PATCH", i.api_id.as_deref()),
            update_response,
        )
        .op(
            "DeleteIntegrationResponse",
            |at, i: &OfResponse| all(at, "DELETE", Some(&i.api_id)),
            |cx, i| remove::<IntegrationResponse>(cx, &i.api_id, &i.integration_id, &i.integration_response_id),
        )
}

fn all(at: &At<Apis>, method: &str, api: Option<&str>) -> Target {
    arn::on(at, method, format_args!("apis/{}/integrations", api.unwrap_or_default()))
}

fn one(at: &At<Apis>, method: &str, of: &OfIntegration) -> Target {
    arn::on(at, method, format_args!("apis/{}/integrations/{}", of.api_id, of.integration_id))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfIntegration {
    api_id: String,
    integration_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfResponse {
    api_id: String,
    integration_id: String,
    integration_response_id: String,
}

fn create(cx: &mut Cx<Apis>, mut input: Integration) -> Result<Integration> {
    let api_id = input.api_id.take().unwrap_or_default();
    let there = api(cx, &api_id)?;
    if there.integrations.len() >= INTEGRATION_LIMIT {
        return Err(conflict("Integration limit exceeded"));
    }
    let is_websocket = there.is_websocket();
    check(&input, is_websocket)?;
    let id = new_part_id::<Integration>(cx, &api_id)?;
    let kind = input.integration_type.clone().unwrap_or_default();
    let proxy = matches!(&*kind, "AWS_PROXY" | "HTTP_PROXY");
    let expression = "${integration.response.statuscode}".to_owned();
    let mut integration = Integration {
        integration_id: Some(id.clone()),
        connection_type: input.connection_type.or_else(|| Some("INTERNET".to_owned())),
        integration_response_selection_expression: (is_websocket || !proxy).then_some(expression),
        passthrough_behavior: input.passthrough_behavior.or_else(|| is_websocket.then(|| "WHEN_NO_MATCH".to_owned())),
        payload_format_version: input.payload_format_version.or_else(|| Some("1.0".to_owned())),
        timeout_in_millis: input.timeout_in_millis.or(Some(if is_websocket {
            WEBSOCKET_TIMEOUT
        } else {
            HTTP_TIMEOUT
        })),
        ..input
    };
    drop_empty(&mut integration);
    keep(cx, &api_id, &id, integration)
}

/// What cannot be served is refused here, and not when the first client comes.
fn check(integration: &Integration, is_websocket: bool) -> Result<()> {
    let kind = integration.integration_type.as_deref().unwrap_or_default();
    let uri = integration.integration_uri.as_deref();
    if is_websocket && matches!(kind, "AWS" | "HTTP") {
        return Err(Error::not_implemented(format_args!("the integration type {kind} of WebSocket APIs")));
    }
    if is_websocket && integration.connection_type.as_deref() == Some("VPC_LINK") {
        return Err(Error::not_implemented("the connection type VPC_LINK of WebSocket APIs"));
    }
    if kind == "AWS_PROXY" && integration.integration_subtype.is_some() {
        let subtype = integration.integration_subtype.as_deref().unwrap_or_default();
        return Err(Error::not_implemented(format_args!("the integration subtype {subtype}")));
    }
    if kind == "AWS_PROXY" && uri.and_then(super::function::arn_of).is_none() {
        return Err(match uri {
            None => bad_request("AWS_PROXY integration must have an integration URI"),
            Some(uri) => bad_request(format!("Integration uri should be a valid lambda function ARN: {uri}")),
        });
    }
    if kind == "HTTP_PROXY" && !is_websocket && uri.is_none() {
        return Err(bad_request("HTTP_PROXY integration must have an integration URI"));
    }
    let method = integration.integration_method.as_deref();
    if is_websocket && kind == "AWS_PROXY" && !matches!(method, None | Some("POST" | "ANY")) {
        return Err(bad_request("Integration method for Lambda proxy must be POST"));
    }
    Ok(())
}

/// A parameter that is mapped to nothing is taken away; `''` is an empty text.
fn drop_empty(integration: &mut Integration) {
    if let Some(parameters) = &mut integration.request_parameters {
        *parameters =
            parameters.iter().filter(|(_, value)| !value.is_empty()).map(|(k, v)| (k.clone(), v.clone())).collect();
    }
}

fn update(cx: &mut Cx<Apis>, mut input: Integration) -> Result<Integration> {
    let api_id = input.api_id.take().unwrap_or_default();
    let id = input.integration_id.clone().unwrap_or_default();
    let old = get::<Integration>(cx, &api_id, "", &id)?;
    let mut merged = changed(&old, &input)?;
    // These maps are changed entry by entry.
    if let (Some(new), Some(old)) = (&input.request_parameters, old.request_parameters) {
        merged.request_parameters = Some(new.clone().union(old));
    }
    if let (Some(new), Some(old)) = (&input.response_parameters, old.response_parameters) {
        merged.response_parameters = Some(new.clone().union(old));
    }
    drop_empty(&mut merged);
    let is_websocket = api(cx, &api_id)?.is_websocket();
    if input.integration_type.is_some() || input.integration_uri.is_some() {
        check(&merged, is_websocket)?;
    }
    keep(cx, &api_id, &id, merged)
}

fn delete(cx: &mut Cx<Apis>, input: OfIntegration) -> Result<()> {
    let (api_id, id) = (&input.api_id, &input.integration_id);
    get::<Integration>(cx, api_id, "", id)?;
    let there = api(cx, api_id)?;
    let target = format!("integrations/{id}");
    if let Some(route) = there.routes.values().find(|route| route.target.as_ref() == Some(&target)) {
        let route = route.route_id.as_deref().unwrap_or_default();
        return Err(conflict(format!("Cannot delete Integration '{id}', there is a Route '{route}' which targets it")));
    }
    let responses = there.integration_responses.iter().filter(|(_, r)| r.integration_id.as_ref() != Some(id));
    there.integration_responses = responses.map(|(id, response)| (id.clone(), response.clone())).collect();
    remove::<Integration>(cx, api_id, "", id)
}

fn create_response(cx: &mut Cx<Apis>, mut input: IntegrationResponse) -> Result<IntegrationResponse> {
    let api_id = input.api_id.take().unwrap_or_default();
    let owner = input.integration_id.clone().unwrap_or_default();
    get::<Integration>(cx, &api_id, "", &owner)?;
    let id = new_part_id::<IntegrationResponse>(cx, &api_id)?;
    keep(cx, &api_id, &id, IntegrationResponse { integration_response_id: Some(id.clone()), ..input })
}

fn update_response(cx: &mut Cx<Apis>, mut input: IntegrationResponse) -> Result<IntegrationResponse> {
    let api_id = input.api_id.take().unwrap_or_default();
    let owner = input.integration_id.clone().unwrap_or_default();
    let id = input.integration_response_id.clone().unwrap_or_default();
    let merged = changed(&get::<IntegrationResponse>(cx, &api_id, &owner, &id)?, &input)?;
    keep(cx, &api_id, &id, merged)
}
