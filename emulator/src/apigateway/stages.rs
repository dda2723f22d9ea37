//! Stages: the names under which deployments are reached, with their variables and settings.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::deployments::CanarySettings;
use super::errors::{bad, conflict, not_found};
use super::patch::{Kind, PatchOperation, Rule, Wording, patched, rule};
use super::state::{Api, Canary, MethodSetting, Stage};
use super::{RestApis, on};
use crate::cloud::{At, Cx, Service, Target};
use crate::{Error, Result, Timestamp};

/// Adds the operations of this file.
pub(super) fn operations(service: Service<RestApis>) -> Service<RestApis> {
    service
        .op("CreateStage", |at, i: &CreateStage| all(at, "POST", &i.rest_api_id), create)
        .op("GetStage", |at, i: &OfStage| one(at, "GET", &i.rest_api_id, &i.stage_name), get)
        .op("GetStages", |at, i: &GetStages| all(at, "GET", &i.rest_api_id), list)
        .op("UpdateStage", |at, i: &UpdateStage| one(at, "PATCH", &i.rest_api_id, &i.stage_name), update)
        .op("DeleteStage", |at, i: &OfStage| one(at, "DELETE", &i.rest_api_id, &i.stage_name), delete)
        .op(
            "FlushStageAuthorizersCache",
            |at, i: &OfStage| one(at, "DELETE", &i.rest_api_id, &i.stage_name),
            flush_authorizers,
        )
}

fn all(at: &At<RestApis>, verb: &'static str, api: &str) -> Target {
    on(at, verb, format_args!("/restapis/{api}/stages"))
}

fn one(at: &At<RestApis>, verb: &'static str, api: &str, stage: &str) -> Target {
    on(at, verb, format_args!("/restapis/{api}/stages/{stage}"))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateStage {
    rest_api_id: String,
    stage_name: String,
    deployment_id: String,
    description: Option<String>,
    cache_cluster_enabled: Option<bool>,
    cache_cluster_size: Option<String>,
    variables: Option<OrdMap<String, String>>,
    documentation_version: Option<String>,
    canary_settings: Option<Canary>,
    tracing_enabled: Option<bool>,
    #[serde(default)]
    tags: OrdMap<String, String>,
}

/// A stage as an operation makes it.
pub(super) struct NewStage {
    pub name: String,
    pub deployment: String,
    pub description: Option<String>,
    pub cache_cluster_enabled: Option<bool>,
    pub cache_cluster_size: Option<String>,
    pub variables: Option<OrdMap<String, String>>,
    pub tracing_enabled: Option<bool>,
    pub now: Timestamp,
}

/// A stage may be called by letters, digits, hyphens and underscores.
fn check_name(name: &str) -> Result<()> {
    if !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
        return Ok(());
    }
    Err(bad("Stage name only allows a-zA-Z0-9_"))
}

fn made(new: NewStage) -> Result<Stage> {
    check_name(&new.name)?;
    let mut stage = Stage {
        deployment_id: new.deployment,
        stage_name: new.name,
        description: new.description,
        variables: new.variables,
        tracing_enabled: new.tracing_enabled.unwrap_or(false),
        created_date: new.now,
        last_updated_date: new.now,
        cache_cluster_size: new.cache_cluster_size,
        ..Stage::default()
    };
    set_cluster(&mut stage, new.cache_cluster_enabled.unwrap_or(false));
    Ok(stage)
}

/// The cache itself is not there, only its settings: an API answers as if nothing were in it yet.
fn set_cluster(stage: &mut Stage, enabled: bool) {
    stage.cache_cluster_enabled = enabled;
    stage.cache_cluster_status = if enabled { "AVAILABLE" } else { "NOT_AVAILABLE" }.to_owned();
    if enabled {
        stage.cache_cluster_size.get_or_insert_with(|| "0.5".to_owned());
    }
}

/// A deployment to a stage: it is made if it is not there, else moved.
pub(super) fn set_stage(api: &mut Api, new: NewStage) -> Result<()> {
    let stage = match api.stages.get(&new.name) {
        None => made(new)?,
        Some(old) => Stage {
            deployment_id: new.deployment,
            description: new.description.or_else(|| old.description.clone()),
            variables: new.variables.or_else(|| old.variables.clone()),
            tracing_enabled: new.tracing_enabled.unwrap_or(old.tracing_enabled),
            last_updated_date: new.now,
            ..old.clone()
        },
    };
    api.stages.insert(stage.stage_name.clone(), stage);
    Ok(())
}

/// A deployment as the canary of a stage that is there.
pub(super) fn set_canary(api: &mut Api, new: NewStage, settings: CanarySettings) -> Result<()> {
    let stage = api.stages.get_mut(&new.name).ok_or_else(no_stage)?;
    stage.canary_settings = Some(Canary {
        percent_traffic: settings.percent_traffic.unwrap_or_default(),
        deployment_id: new.deployment,
        stage_variable_overrides: settings.stage_variable_overrides,
        use_stage_cache: settings.use_stage_cache.unwrap_or(false),
    });
    Ok(())
}

fn no_stage() -> Error {
    not_found("Invalid stage identifier specified")
}

fn create(cx: &mut Cx<RestApis>, input: CreateStage) -> Result<Stage> {
    let now = super::seconds(cx.now);
    let api = cx.state.api_mut(cx.scope, &input.rest_api_id)?;
    if !api.deployments.contains_key(&input.deployment_id) {
        return Err(not_found("Invalid Deployment identifier specified"));
    }
    if api.stages.contains_key(&input.stage_name) {
        return Err(conflict("Stage already exists"));
    }
    if input.canary_settings.as_ref().is_some_and(|canary| !api.deployments.contains_key(&canary.deployment_id)) {
        return Err(bad("Deployment id does not exist"));
    }
    let mut stage = made(NewStage {
        name: input.stage_name,
        deployment: input.deployment_id,
        description: input.description,
        cache_cluster_enabled: input.cache_cluster_enabled,
        cache_cluster_size: input.cache_cluster_size,
        variables: input.variables,
        tracing_enabled: input.tracing_enabled,
        now,
    })?;
    stage.documentation_version = input.documentation_version;
    stage.canary_settings = input.canary_settings;
    stage.tags = input.tags;
    api.stages.insert(stage.stage_name.clone(), stage.clone());
    Ok(stage)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfStage {
    rest_api_id: String,
    stage_name: String,
}

fn get(cx: &mut Cx<RestApis>, input: OfStage) -> Result<Stage> {
    cx.state.api(cx.scope, &input.rest_api_id)?.stages.get(&input.stage_name).cloned().ok_or_else(no_stage)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GetStages {
    rest_api_id: String,
    deployment_id: Option<String>,
}

#[derive(Serialize)]
struct Stages {
    item: Vec<Stage>,
}

fn list(cx: &mut Cx<RestApis>, input: GetStages) -> Result<Stages> {
    let stages = &cx.state.api(cx.scope, &input.rest_api_id)?.stages;
    let wanted = |stage: &&Stage| input.deployment_id.as_ref().is_none_or(|id| *id == stage.deployment_id);
    Ok(Stages { item: stages.values().filter(wanted).cloned().collect() })
}

fn delete(cx: &mut Cx<RestApis>, input: OfStage) -> Result<()> {
    let api = cx.state.api_mut(cx.scope, &input.rest_api_id)?;
    api.stages.remove(&input.stage_name).map(|_| ()).ok_or_else(no_stage)
}

fn flush_authorizers(cx: &mut Cx<RestApis>, input: OfStage) -> Result<()> {
    let of = format!("{}/{}/", input.rest_api_id, input.stage_name);
    if !cx.state.api(cx.scope, &input.rest_api_id)?.stages.contains_key(&input.stage_name) {
        return Err(no_stage());
    }
    cx.state.forget_verdicts(&of);
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UpdateStage {
    rest_api_id: String,
    stage_name: String,
    #[serde(default)]
    patch_operations: Vec<PatchOperation>,
}

const RULES: &[Rule] = &[
    rule("/deploymentId", "replace", Kind::Text),
    rule("/description", "replace", Kind::Text),
    rule("/cacheClusterEnabled", "replace", Kind::Bool),
    rule("/cacheClusterSize", "replace", Kind::Text),
    rule("/clientCertificateId", "replace", Kind::Text),
    rule("/documentationVersion", "replace remove", Kind::Text),
    rule("/tracingEnabled", "replace", Kind::Bool),
    rule("/accessLogSettings", "remove", Kind::Text),
    rule("/accessLogSettings/destinationArn", "add replace", Kind::Text),
    rule("/accessLogSettings/format", "add replace", Kind::Text),
    rule("/variables/*", "add remove replace", Kind::Text),
    rule("/canarySettings", "remove", Kind::Text),
    rule("/canarySettings/percentTraffic", "replace", Kind::Float),
    rule("/canarySettings/deploymentId", "replace", Kind::Text),
    rule("/canarySettings/useStageCache", "replace", Kind::Bool),
    rule("/canarySettings/stageVariableOverrides/*", "replace remove", Kind::Text),
];

/// What AWS says is possible; the list is AWS's own, and not quite what is.
const PATHS: &str = "[/deploymentId, /description, /cacheClusterEnabled, /cacheClusterSize, /clientCertificateId, \
    /accessLogSettings, /accessLogSettings/destinationArn, /accessLogSettings/format, \
    /{resourcePath}/{httpMethod}/metrics/enabled, /{resourcePath}/{httpMethod}/logging/dataTrace, \
    /{resourcePath}/{httpMethod}/logging/loglevel, \
    /{resourcePath}/{httpMethod}/throttling/burstLimit/{resourcePath}/{httpMethod}/throttling/rateLimit/{resourcePath}/\
    {httpMethod}/caching/ttlInSeconds, /{resourcePath}/{httpMethod}/caching/enabled, \
    /{resourcePath}/{httpMethod}/caching/dataEncrypted, \
    /{resourcePath}/{httpMethod}/caching/requireAuthorizationForCacheControl, \
    /{resourcePath}/{httpMethod}/caching/unauthorizedCacheControlHeaderStrategy, /*/*/metrics/enabled, \
    /*/*/logging/dataTrace, /*/*/logging/loglevel, /*/*/throttling/burstLimit /*/*/throttling/rateLimit \
    /*/*/caching/ttlInSeconds, /*/*/caching/enabled, /*/*/caching/dataEncrypted, \
    /*/*/caching/requireAuthorizationForCacheControl, /*/*/caching/unauthorizedCacheControlHeaderStrategy, \
    /variables/{variable_name}, /tracingEnabled]";

fn update(cx: &mut Cx<RestApis>, input: UpdateStage) -> Result<Stage> {
    let now = super::seconds(cx.now);
    let certificates = cx.state.certificates.clone();
    let api = cx.state.api_mut(cx.scope, &input.rest_api_id)?;
    let mut stage = api.stages.get(&input.stage_name).cloned().ok_or_else(no_stage)?;
    for operation in &input.patch_operations {
        stage = changed(&stage, operation)?;
        // A canary that a setting makes is of the stage's own deployment, and may be promoted by the next operation.
        if let Some(canary) = stage.canary_settings.as_mut().filter(|canary| canary.deployment_id.is_empty()) {
            canary.deployment_id.clone_from(&stage.deployment_id);
        }
    }
    let deployments = [Some(&stage.deployment_id), stage.canary_settings.as_ref().map(|canary| &canary.deployment_id)];
    if deployments.into_iter().flatten().any(|id| !id.is_empty() && !api.deployments.contains_key(id)) {
        return Err(bad("Deployment id does not exist"));
    }
    stage.client_certificate_id = stage.client_certificate_id.filter(|id| !id.is_empty());
    if stage.client_certificate_id.as_ref().is_some_and(|id| !certificates.contains_key(id)) {
        return Err(bad("Invalid Client Certificate identifier specified"));
    }
    let enabled = stage.cache_cluster_enabled;
    set_cluster(&mut stage, enabled);
    stage.last_updated_date = now;
    api.stages.insert(input.stage_name, stage.clone());
    Ok(stage)
}

fn changed(stage: &Stage, operation: &PatchOperation) -> Result<Stage> {
    let path = operation.segments();
    match operation.op() {
        "copy" => return copied(stage, operation),
        op if op == "add" && path.first().is_some_and(|first| first == "canarySettings") => {
            return Err(bad(format!("Invalid add operation with path: {}", operation.path())));
        }
        _ => {}
    }
    let parts: Vec<&str> = path.iter().map(String::as_str).collect();
    if let ["accessLogSettings", setting @ ..] = &parts[..]
        && operation.op() != "remove"
    {
        if !matches!(setting, ["destinationArn" | "format"]) {
            return Err(bad(
                "Invalid accessLogSettings path. Must be one of : [/accessLogSettings/destinationArn, /accessLogSettings/format]",
            ));
        }
        if operation.value.as_deref().unwrap_or_default().is_empty() {
            return Err(bad("Access Log value must not be empty"));
        }
    }
    let ours = ["variables", "accessLogSettings", "canarySettings"];
    match parts[..] {
        [resource, method, group, name] if !ours.contains(&resource) => {
            let key = format!("{}/{method}", resource.trim_start_matches('/'));
            with_setting(stage, operation, &key, &format!("/{group}/{name}"))
        }
        _ => patched(stage, std::slice::from_ref(operation), RULES, Wording::Plain).map_err(|error| {
            if operation.op() == "remove" {
                return not_removable(&parts, error);
            }
            let unknown = error.message().starts_with("Invalid patch");
            if !unknown {
                return error;
            }
            bad(format!("Invalid method setting path: {}. Must be one of: {PATHS}", operation.path()))
        }),
    }
    .or_else(|error| removed_setting(stage, operation, &parts).ok_or(error))
}

/// `remove` of `/{resourcePath}/{httpMethod}` takes back all settings of a method.
fn removed_setting(stage: &Stage, operation: &PatchOperation, parts: &[&str]) -> Option<Stage> {
    let [resource, method] = parts else { return None };
    let key = format!("{}/{method}", resource.trim_start_matches('/'));
    if operation.op() != "remove" || !stage.method_settings.contains_key(&key) {
        return None;
    }
    Some(Stage { method_settings: stage.method_settings.without(&key), ..stage.clone() })
}

fn not_removable(parts: &[&str], error: Error) -> Error {
    if parts.len() < 2 {
        return error;
    }
    bad(format!("Cannot remove method setting {} because there is no method setting for this method ", parts.join("/")))
}

const SETTINGS: &[(&str, &str, Kind)] = &[
    ("/metrics/enabled", "metricsEnabled", Kind::Bool),
    ("/logging/loglevel", "loggingLevel", Kind::Text),
    ("/logging/dataTrace", "dataTraceEnabled", Kind::Bool),
    ("/throttling/burstLimit", "throttlingBurstLimit", Kind::Int),
    ("/throttling/rateLimit", "throttlingRateLimit", Kind::Float),
    ("/caching/enabled", "cachingEnabled", Kind::Bool),
    ("/caching/ttlInSeconds", "cacheTtlInSeconds", Kind::Int),
    ("/caching/dataEncrypted", "cacheDataEncrypted", Kind::Bool),
    ("/caching/requireAuthorizationForCacheControl", "requireAuthorizationForCacheControl", Kind::Bool),
    ("/caching/unauthorizedCacheControlHeaderStrategy", "unauthorizedCacheControlHeaderStrategy", Kind::Text),
];

fn with_setting(stage: &Stage, operation: &PatchOperation, key: &str, setting: &str) -> Result<Stage> {
    let unknown = || bad(format!("Invalid method setting path: {}. Must be one of: {PATHS}", operation.path()));
    let (_, member, kind) = SETTINGS.iter().find(|(path, ..)| *path == setting).ok_or_else(unknown)?;
    if operation.op() != "replace" && operation.op() != "add" {
        return Err(unknown());
    }
    // What is not said for a method holds as it does for all.
    let base = stage.method_settings.get(key).or_else(|| stage.method_settings.get("*/*"));
    let base: MethodSetting = base.cloned().unwrap_or_default();
    let rules = [Rule { path: "/*", ops: "replace add", kind: *kind, missing: "" }];
    let renamed = PatchOperation { path: Some(format!("/{member}")), ..operation.clone() };
    let new: MethodSetting = patched(&base, &[renamed], &rules, Wording::Plain)?;
    Ok(Stage { method_settings: stage.method_settings.update(key.to_owned(), new), ..stage.clone() })
}

/// The promotion of a canary.
fn copied(stage: &Stage, operation: &PatchOperation) -> Result<Stage> {
    let from = operation.from.as_deref().unwrap_or_default();
    let deployment = (operation.path(), from) == ("/deploymentId", "/canarySettings/deploymentId");
    if !deployment && (operation.path(), from) != ("/variables", "/canarySettings/stageVariableOverrides") {
        return Err(bad(format!(
            "Invalid copy operation with path: {} and from {from}. Valid copy:path are [/deploymentId, /variables] and valid \
             copy:from are [/canarySettings/deploymentId, /canarySettings/stageVariableOverrides]",
            operation.path()
        )));
    }
    let Some(canary) = &stage.canary_settings else {
        return Err(bad("Promotion not available. Canary does not exist."));
    };
    let mut new = stage.clone();
    if deployment {
        new.deployment_id.clone_from(&canary.deployment_id);
    } else {
        let overrides = canary.stage_variable_overrides.clone().unwrap_or_default();
        new.variables = Some(overrides.union(stage.variables.clone().unwrap_or_default()));
    }
    Ok(new)
}
