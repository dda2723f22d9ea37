//! APIs: their making, quick creation included, their change and their end.

use serde::Deserialize;

use super::Apis;
use super::page::{Asked, Page, page};
use super::part::{API_ID, PART_ID, api, bad_request, changed, new_id, not_found};
use super::state::{Api, Cors, Definition, Integration, Route, Stage, Texts};
use super::{arn, deployments, stages, tags};
use crate::Result;
use crate::cloud::{Cx, Scope, Service};

/// The key of the route that takes what no other takes.
pub(super) const DEFAULT_ROUTE: &str = "$default";
/// The stage that stands in no path.
pub(super) const DEFAULT_STAGE: &str = "$default";
/// APIs in an account and region at most.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>
pub(super) const API_LIMIT: usize = 600;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Apis>) -> Service<Apis> {
    service
        .op("CreateApi", |at, _: &ApiInput| arn::on(at, "POST", "apis"), create)
        .op("GetApi", |at, i: &OfApi| arn::on(at, "GET", format_args!("apis/{}", i.api_id)), get)
        .op("GetApis", |at, _: &GetApis| arn::on(at, "GET", "apis"), list)
        .op(
            "UpdateApi",
            |at, i: &ApiInput| arn::on(at, "PATCH", format_args!("apis/{}", i.api_id.as_deref().unwrap_or_default())),
            update,
        )
        .op("DeleteApi", |at, i: &OfApi| arn::on(at, "DELETE", format_args!("apis/{}", i.api_id)), delete)
        .op(
            "DeleteCorsConfiguration",
            |at, i: &OfApi| arn::on(at, "DELETE", format_args!("apis/{}/cors", i.api_id)),
            delete_cors,
        )
}

/// What `CreateApi` and `UpdateApi` take.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ApiInput {
    api_id: Option<String>,
    api_key_selection_expression: Option<String>,
    cors_configuration: Option<Cors>,
    credentials_arn: Option<String>,
    description: Option<String>,
    disable_execute_api_endpoint: Option<bool>,
    disable_schema_validation: Option<bool>,
    ip_address_type: Option<String>,
    name: Option<String>,
    protocol_type: Option<String>,
    route_key: Option<String>,
    route_selection_expression: Option<String>,
    tags: Option<Texts>,
    target: Option<String>,
    version: Option<String>,
}

impl ApiInput {
    fn definition(&self) -> Definition {
        Definition {
            api_key_selection_expression: self.api_key_selection_expression.clone(),
            cors_configuration: self.cors_configuration.clone(),
            description: self.description.clone(),
            disable_execute_api_endpoint: self.disable_execute_api_endpoint,
            disable_schema_validation: self.disable_schema_validation,
            ip_address_type: self.ip_address_type.clone(),
            name: self.name.clone(),
            protocol_type: self.protocol_type.clone(),
            route_selection_expression: self.route_selection_expression.clone(),
            tags: self.tags.clone(),
            version: self.version.clone(),
            ..Definition::default()
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OfApi {
    pub api_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetApis {
    max_results: Option<String>,
    next_token: Option<String>,
}

fn create(cx: &mut Cx<Apis>, input: ApiInput) -> Result<Definition> {
    let protocol = input.protocol_type.as_deref().unwrap_or_default();
    if !matches!(protocol, "HTTP" | "WEBSOCKET") {
        return Err(bad_request("Invalid protocol specified. Must be one of [HTTP, WEBSOCKET]"));
    }
    if protocol == "WEBSOCKET" && input.cors_configuration.is_some() {
        return Err(bad_request("CORS configuration is only supported for HTTP APIs"));
    }
    if protocol == "WEBSOCKET" && (input.target.is_some() || input.route_key.is_some()) {
        return Err(bad_request("Quick create is only supported for HTTP APIs"));
    }
    tags::check(input.tags.as_ref())?;
    let definition = made(cx, input.definition())?;
    if let (Some(id), Some(target)) = (&definition.api_id, &input.target) {
        quick_create(cx, id, target, &input)?;
    }
    Ok(definition)
}

/// Makes an API of a definition, with an id and what is not said filled in.
pub(super) fn made(cx: &mut Cx<Apis>, definition: Definition) -> Result<Definition> {
    if cx.state.apis.len() >= API_LIMIT {
        return Err(super::part::conflict("API limit exceeded"));
    }
    let taken = cx.state.apis.clone();
    let id = new_id(cx.ids(), API_ID, &taken);
    let definition = Definition {
        api_endpoint: Some(endpoint(cx.scope, &id, definition.protocol_type.as_deref())),
        api_key_selection_expression: definition
            .api_key_selection_expression
            .or_else(|| Some("$request.header.x-api-key".to_owned())),
        created_date: Some(cx.now),
        disable_execute_api_endpoint: definition.disable_execute_api_endpoint.or(Some(false)),
        ip_address_type: definition.ip_address_type.or_else(|| Some("ipv4".to_owned())),
        route_selection_expression: definition
            .route_selection_expression
            .or_else(|| Some("$request.method $request.path".to_owned())),
        tags: definition.tags.or_else(|| Some(Texts::new())),
        api_id: Some(id.clone()),
        ..definition
    };
    cx.state.apis.insert(id, Api { definition: definition.clone(), ..Api::default() });
    Ok(definition)
}

fn endpoint(scope: &Scope, id: &str, protocol: Option<&str>) -> String {
    let scheme = if protocol == Some("WEBSOCKET") { "wss" } else { "https" };
    format!("{scheme}://{id}.execute-api.{}.amazonaws.com", scope.region)
}

/// Route, integration and stage of an API that is made of nothing but a target.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop.html>
fn quick_create(cx: &mut Cx<Apis>, id: &str, target: &str, input: &ApiInput) -> Result<()> {
    let now = cx.now;
    let (integration_id, route_id) = (cx.ids().lower(PART_ID), cx.ids().lower(PART_ID));
    let is_function = target.starts_with("arn:");
    let integration = Integration {
        integration_id: Some(integration_id.clone()),
        api_gateway_managed: Some(true),
        connection_type: Some("INTERNET".to_owned()),
        credentials_arn: input.credentials_arn.clone(),
        integration_method: (!is_function).then(|| "ANY".to_owned()),
        integration_type: Some(if is_function { "AWS_PROXY" } else { "HTTP_PROXY" }.to_owned()),
        integration_uri: Some(target.to_owned()),
        payload_format_version: Some(if is_function { "2.0" } else { "1.0" }.to_owned()),
        timeout_in_millis: Some(super::integrations::HTTP_TIMEOUT),
        ..Integration::default()
    };
    let route = Route {
        route_id: Some(route_id.clone()),
        api_gateway_managed: Some(true),
        api_key_required: Some(false),
        authorization_type: Some("NONE".to_owned()),
        route_key: Some(input.route_key.clone().unwrap_or_else(|| DEFAULT_ROUTE.to_owned())),
        target: Some(format!("integrations/{integration_id}")),
        ..Route::default()
    };
    let stage = Stage {
        api_gateway_managed: Some(true),
        auto_deploy: Some(true),
        stage_name: Some(DEFAULT_STAGE.to_owned()),
        ..Stage::default()
    };
    let api = api(cx, id)?;
    api.integrations.insert(integration_id, integration);
    api.routes.insert(route_id, route);
    let stage = stages::filled(stage, now, false);
    api.stages.insert(DEFAULT_STAGE.to_owned(), stage);
    deployments::automatic(cx, id)
}

fn get(cx: &mut Cx<Apis>, input: OfApi) -> Result<Definition> {
    Ok(api(cx, &input.api_id)?.definition.clone())
}

fn list(cx: &mut Cx<Apis>, input: GetApis) -> Result<Page<Definition>> {
    let asked = Asked { max_results: input.max_results.as_deref(), next_token: input.next_token.as_deref() };
    page(&cx.state.apis, asked, |_, api| Some(api.definition.clone()))
}

fn update(cx: &mut Cx<Apis>, input: ApiInput) -> Result<Definition> {
    let id = input.api_id.clone().unwrap_or_default();
    let there = api(cx, &id)?;
    if there.is_websocket() && input.cors_configuration.is_some() {
        return Err(bad_request("CORS configuration is only supported for HTTP APIs"));
    }
    let definition = changed(&there.definition, &input.definition())?;
    update_quick(there, &input);
    there.definition = definition.clone();
    deployments::automatic(cx, &id)?;
    Ok(definition)
}

/// `Target`, `RouteKey` and `CredentialsArn` change what quick creation made; without that they mean nothing.
fn update_quick(api: &mut Api, input: &ApiInput) {
    let managed = api.routes.iter().find(|(_, route)| route.api_gateway_managed == Some(true));
    let Some((route_id, mut route)) = managed.map(|(id, route)| (id.clone(), route.clone())) else { return };
    let target = route.target.as_deref().and_then(|target| target.strip_prefix("integrations/"));
    if let Some(integration) = target.and_then(|id| api.integrations.get_mut(id)) {
        if let Some(target) = &input.target {
            integration.integration_uri = Some(target.clone());
        }
        if let Some(role) = &input.credentials_arn {
            integration.credentials_arn = Some(role.clone()).filter(|role| !role.is_empty());
        }
    }
    if let Some(key) = &input.route_key {
        route.route_key = Some(key.clone());
        api.routes.insert(route_id, route);
    }
}

fn delete(cx: &mut Cx<Apis>, input: OfApi) -> Result<()> {
    cx.state.apis.remove(&input.api_id).map(drop).ok_or_else(|| not_found("API", &input.api_id))
}

fn delete_cors(cx: &mut Cx<Apis>, input: OfApi) -> Result<()> {
    api(cx, &input.api_id)?.definition.cors_configuration = None;
    deployments::automatic(cx, &input.api_id)
}
