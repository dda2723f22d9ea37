//! Stages: which deployment is served under which name, with which variables and settings.

use serde::Deserialize;

use super::page::{Page, page};
use super::part::{Listing, api, bad_request, changed, conflict};
use super::state::{AccessLogSettings, RouteSettings, Stage, Texts};
use super::{Apis, arn, deployments, tags};
use crate::cloud::{At, Cx, Service, Target};
use crate::{Error, Result, Timestamp};

/// Stages of an API at most.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html>
const STAGE_LIMIT: usize = 10;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Apis>) -> Service<Apis> {
    service
        .op("CreateStage", |at, i: &Stage| all(at, "POST", i.api_id.as_deref().unwrap_or_default()), create)
        .op("GetStages", |at, i: &Listing| all(at, "GET", &i.api_id), list)
        .op("GetStage", |at, i: &OfStage| one(at, "GET", i), get)
        .op("UpdateStage", |at, i: &Stage| all(at, "PATCH", i.api_id.as_deref().unwrap_or_default()), update)
        .op("DeleteStage", |at, i: &OfStage| one(at, "DELETE", i), delete)
        .op("DeleteAccessLogSettings", |at, i: &OfStage| one(at, "DELETE", i), delete_access_log_settings)
        .op("DeleteRouteSettings", |at, i: &OfSettings| all(at, "DELETE", &i.api_id), delete_route_settings)
        .op("ResetAuthorizersCache", |at, i: &OfStage| one(at, "DELETE", i), reset_authorizers_cache)
}

fn all(at: &At<Apis>, method: &str, api: &str) -> Target {
    arn::on(at, method, format_args!("apis/{api}/stages"))
}

fn one(at: &At<Apis>, method: &str, of: &OfStage) -> Target {
    arn::on(at, method, format_args!("apis/{}/stages/{}", of.api_id, of.stage_name))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfStage {
    api_id: String,
    stage_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfSettings {
    api_id: String,
    stage_name: String,
    route_key: String,
}

pub(super) fn not_found() -> Error {
    Error::new(404, "NotFoundException", "Invalid stage identifier specified")
}

fn stage<'a>(cx: &'a mut Cx<Apis>, api_id: &str, name: &str) -> Result<&'a mut Stage> {
    api(cx, api_id)?.stages.get_mut(name).ok_or_else(not_found)
}

/// A stage with what AWS fills in.
pub(super) fn filled(stage: Stage, now: Timestamp, is_websocket: bool) -> Stage {
    let settings = RouteSettings {
        data_trace_enabled: is_websocket.then_some(false),
        detailed_metrics_enabled: Some(false),
        logging_level: is_websocket.then(|| "OFF".to_owned()),
        ..RouteSettings::default()
    };
    Stage {
        api_id: None,
        created_date: Some(now),
        last_updated_date: Some(now),
        default_route_settings: stage.default_route_settings.or(Some(settings)),
        route_settings: stage.route_settings.or_else(|| Some(Default::default())),
        stage_variables: stage.stage_variables.or_else(|| Some(Texts::new())),
        tags: stage.tags.or_else(|| Some(Texts::new())),
        ..stage
    }
}

fn create(cx: &mut Cx<Apis>, mut input: Stage) -> Result<Stage> {
    let api_id = input.api_id.take().unwrap_or_default();
    let name = input.stage_name.clone().unwrap_or_default();
    let now = cx.now;
    tags::check(input.tags.as_ref())?;
    let api = api(cx, &api_id)?;
    let is_websocket = api.is_websocket();
    check_name(&name, is_websocket)?;
    if api.stages.contains_key(&name) {
        return Err(conflict("Stage already exists"));
    }
    if api.stages.len() >= STAGE_LIMIT {
        return Err(conflict("Stage limit exceeded"));
    }
    check_deployment(api, &input)?;
    api.stages.insert(name.clone(), filled(input, now, is_websocket));
    deployments::automatic(cx, &api_id)?;
    Ok(stage(cx, &api_id, &name)?.clone())
}

fn check_name(name: &str, is_websocket: bool) -> Result<()> {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if (plain && !name.is_empty()) || (name == super::apis::DEFAULT_STAGE && !is_websocket) {
        return Ok(());
    }
    Err(bad_request("Stage name only allows a-zA-Z0-9_- or $default"))
}

fn check_deployment(api: &super::state::Api, stage: &Stage) -> Result<()> {
    let Some(id) = &stage.deployment_id else { return Ok(()) };
    if stage.auto_deploy == Some(true) {
        return Err(bad_request("Deployment ID cannot be set on stages with AutoDeploy enabled"));
    }
    if api.deployments.contains_key(id) {
        return Ok(());
    }
    Err(Error::new(404, "NotFoundException", "Deployment ID does not exist"))
}

fn list(cx: &mut Cx<Apis>, input: Listing) -> Result<Page<Stage>> {
    page(&api(cx, &input.api_id)?.stages, input.asked(), |_, stage| Some(stage.clone()))
}

fn get(cx: &mut Cx<Apis>, input: OfStage) -> Result<Stage> {
    stage(cx, &input.api_id, &input.stage_name).cloned()
}

fn update(cx: &mut Cx<Apis>, mut input: Stage) -> Result<Stage> {
    let api_id = input.api_id.take().unwrap_or_default();
    let name = input.stage_name.clone().unwrap_or_default();
    let now = cx.now;
    let deploys = input.auto_deploy == Some(true);
    let api = api(cx, &api_id)?;
    let old = api.stages.get(&name).ok_or_else(not_found)?;
    let merged = Stage { last_updated_date: Some(now), ..changed(old, &input)? };
    if input.deployment_id.is_some() {
        check_deployment(api, &merged)?;
    }
    api.stages.insert(name.clone(), merged);
    if deploys {
        deployments::automatic(cx, &api_id)?;
    }
    Ok(stage(cx, &api_id, &name)?.clone())
}

fn delete(cx: &mut Cx<Apis>, input: OfStage) -> Result<()> {
    api(cx, &input.api_id)?.stages.remove(&input.stage_name).map(drop).ok_or_else(not_found)
}

fn delete_access_log_settings(cx: &mut Cx<Apis>, input: OfStage) -> Result<()> {
    stage(cx, &input.api_id, &input.stage_name)?.access_log_settings = None::<AccessLogSettings>;
    Ok(())
}

fn delete_route_settings(cx: &mut Cx<Apis>, input: OfSettings) -> Result<()> {
    let stage = stage(cx, &input.api_id, &input.stage_name)?;
    if let Some(settings) = &mut stage.route_settings {
        settings.remove(&input.route_key);
    }
    Ok(())
}

/// Answers of authorizers are not kept, so there is nothing to forget.
fn reset_authorizers_cache(cx: &mut Cx<Apis>, input: OfStage) -> Result<()> {
    stage(cx, &input.api_id, &input.stage_name).map(drop)
}
