//! Deployments: pictures of an API.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::errors::{bad, not_found};
use super::page::{Page, page};
use super::patch::{Kind, PatchOperation, Rule, Wording, patched, rule};
use super::stages::{NewStage, set_canary, set_stage};
use super::state::{Api, Deployment};
use super::{RestApis, on};
use crate::cloud::{At, Cx, Service, Target};
use crate::{Result, Timestamp};

/// Adds the operations of this file.
pub(super) fn operations(service: Service<RestApis>) -> Service<RestApis> {
    service
        .op("CreateDeployment", |at, i: &CreateDeployment| all(at, "POST", &i.rest_api_id), create)
        .op("GetDeployment", |at, i: &GetDeployment| one(at, "GET", &i.rest_api_id, &i.deployment_id), get)
        .op("GetDeployments", |at, i: &GetDeployments| all(at, "GET", &i.rest_api_id), list)
        .op("UpdateDeployment", |at, i: &UpdateDeployment| one(at, "PATCH", &i.rest_api_id, &i.deployment_id), update)
        .op("DeleteDeployment", |at, i: &OfDeployment| one(at, "DELETE", &i.rest_api_id, &i.deployment_id), delete)
}

fn all(at: &At<RestApis>, verb: &'static str, api: &str) -> Target {
    on(at, verb, format_args!("/restapis/{api}/deployments"))
}

fn one(at: &At<RestApis>, verb: &'static str, api: &str, id: &str) -> Target {
    on(at, verb, format_args!("/restapis/{api}/deployments/{id}"))
}

/// A deployment as it is shown: without what it is a picture of.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    created_date: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_summary: Option<Value>,
}

impl Shown {
    fn of(deployment: &Deployment) -> Self {
        Self {
            id: deployment.id.clone(),
            description: deployment.description.clone(),
            created_date: deployment.created_date,
            api_summary: None,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateDeployment {
    rest_api_id: String,
    stage_name: Option<String>,
    stage_description: Option<String>,
    description: Option<String>,
    cache_cluster_enabled: Option<bool>,
    cache_cluster_size: Option<String>,
    variables: Option<OrdMap<String, String>>,
    canary_settings: Option<CanarySettings>,
    tracing_enabled: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CanarySettings {
    pub percent_traffic: Option<f64>,
    pub stage_variable_overrides: Option<OrdMap<String, String>>,
    pub use_stage_cache: Option<bool>,
}

fn create(cx: &mut Cx<RestApis>, input: CreateDeployment) -> Result<Shown> {
    let (id, now) = (cx.ids().lower(6), super::seconds(cx.now));
    let api = cx.state.api_mut(cx.scope, &input.rest_api_id)?;
    check(api)?;
    let given = input.stage_name.clone().unwrap_or_else(|| "null".to_owned());
    let stage = input.stage_name.filter(|name| !name.is_empty());
    let canary = input.canary_settings;
    if canary.is_some() {
        let Some(stage) = &stage else {
            return Err(bad(format!(
                "Invalid deployment content specified.Non null and non empty stageName must be provided for canary deployment. \
                 Provided value is {given}"
            )));
        };
        if !api.stages.contains_key(stage) {
            return Err(bad(format!(
                "Invalid deployment content specified.Stage {stage} must already be created before making a canary release \
                 deployment"
            )));
        }
    }
    let deployment = Deployment {
        id: id.clone(),
        description: input.description,
        created_date: now,
        rest: api.rest.clone(),
        content: api.content.clone(),
    };
    let shown = Shown::of(&deployment);
    if let Some(stage) = stage {
        let new = NewStage {
            name: stage,
            deployment: id.clone(),
            description: input.stage_description,
            cache_cluster_enabled: input.cache_cluster_enabled,
            cache_cluster_size: input.cache_cluster_size,
            variables: input.variables,
            tracing_enabled: input.tracing_enabled,
            now,
        };
        match canary {
            Some(canary) => set_canary(api, new, canary)?,
            None => set_stage(api, new)?,
        }
    }
    api.deployments.insert(id, deployment);
    Ok(shown)
}

/// An API can be deployed when it has methods, and all of them integrations.
fn check(api: &Api) -> Result<()> {
    let mut methods = api.content.resources.values().flat_map(|resource| resource.methods.values()).peekable();
    if methods.peek().is_none() {
        return Err(bad("The REST API doesn't contain any methods"));
    }
    if methods.any(|method| method.method_integration.is_none()) {
        return Err(bad("No integration defined for method"));
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfDeployment {
    rest_api_id: String,
    deployment_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GetDeployment {
    rest_api_id: String,
    deployment_id: String,
    #[serde(default)]
    embed: Vec<String>,
}

fn find<'a>(api: &'a mut Api, id: &str) -> Result<&'a mut Deployment> {
    api.deployments.get_mut(id).ok_or_else(|| not_found("Invalid Deployment identifier specified"))
}

fn get(cx: &mut Cx<RestApis>, input: GetDeployment) -> Result<Shown> {
    let deployment = find(cx.state.api_mut(cx.scope, &input.rest_api_id)?, &input.deployment_id)?;
    let mut shown = Shown::of(deployment);
    if input.embed.iter().any(|what| what == "apisummary") {
        shown.api_summary = Some(summary(deployment));
    }
    Ok(shown)
}

/// `{path: {method: {authorizationType, apiKeyRequired}}}`.
fn summary(deployment: &Deployment) -> Value {
    let mut summary = serde_json::Map::new();
    for resource in deployment.content.resources.values().filter(|resource| !resource.methods.is_empty()) {
        let methods: serde_json::Map<String, Value> = resource
            .methods
            .iter()
            .map(|(name, method)| {
                let shown = json!({
                    "authorizationType": method.authorization_type, "apiKeyRequired": method.api_key_required
                });
                (name.clone(), shown)
            })
            .collect();
        summary.insert(resource.path.clone(), Value::Object(methods));
    }
    Value::Object(summary)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GetDeployments {
    rest_api_id: String,
    position: Option<String>,
    limit: Option<i64>,
}

fn list(cx: &mut Cx<RestApis>, input: GetDeployments) -> Result<Page<Shown>> {
    let deployments = &cx.state.api(cx.scope, &input.rest_api_id)?.deployments;
    Ok(page(deployments, input.position.as_ref(), input.limit, |deployment| Some(Shown::of(deployment))))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UpdateDeployment {
    rest_api_id: String,
    deployment_id: String,
    #[serde(default)]
    patch_operations: Vec<PatchOperation>,
}

const RULES: &[Rule] = &[rule("/description", "replace", Kind::Text)];

fn update(cx: &mut Cx<RestApis>, input: UpdateDeployment) -> Result<Shown> {
    let deployment = find(cx.state.api_mut(cx.scope, &input.rest_api_id)?, &input.deployment_id)?;
    #[derive(Serialize, Deserialize)]
    struct Described {
        description: Option<String>,
    }
    let described = Described { description: deployment.description.clone() };
    deployment.description = patched(&described, &input.patch_operations, RULES, Wording::Listed)?.description;
    Ok(Shown::of(deployment))
}

fn delete(cx: &mut Cx<RestApis>, input: OfDeployment) -> Result<()> {
    let api = cx.state.api_mut(cx.scope, &input.rest_api_id)?;
    find(api, &input.deployment_id)?;
    if api.stages.values().any(|stage| stage.deployment_id == input.deployment_id) {
        return Err(bad("Active stages pointing to this deployment must be moved or deleted"));
    }
    api.deployments.remove(&input.deployment_id);
    Ok(())
}
