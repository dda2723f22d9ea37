//! Deployments: what an API was at a time, kept for stages to serve.

use serde::Deserialize;

use super::page::{Page, page};
use super::part::{Listing, PART_ID, api, bad_request, changed, new_id, not_found};
use super::state::{Deployed, Deployment};
use super::{Apis, arn};
use crate::Result;
use crate::cloud::{At, Cx, Service, Target};

/// What AWS writes on deployments that a stage with `AutoDeploy` makes.
const AUTOMATIC: &str = "Automatic deployment triggered by changes to the Api configuration";

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Apis>) -> Service<Apis> {
    service
        .op("CreateDeployment", |at, i: &Create| all(at, "POST", &i.api_id), create)
        .op("GetDeployments", |at, i: &Listing| all(at, "GET", &i.api_id), list)
        .op("GetDeployment", |at, i: &OfDeployment| one(at, "GET", i), get)
        .op("UpdateDeployment", |at, i: &Deployment| all(at, "PATCH", i.api_id.as_deref().unwrap_or_default()), update)
        .op("DeleteDeployment", |at, i: &OfDeployment| one(at, "DELETE", i), delete)
}

fn all(at: &At<Apis>, method: &str, api: &str) -> Target {
    arn::on(at, method, format_args!("apis/{api}/deployments"))
}

fn one(at: &At<Apis>, method: &str, of: &OfDeployment) -> Target {
    arn::on(at, method, format_args!("apis/{}/deployments/{}", of.api_id, of.deployment_id))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Create {
    api_id: String,
    description: Option<String>,
    stage_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfDeployment {
    api_id: String,
    deployment_id: String,
}

fn create(cx: &mut Cx<Apis>, input: Create) -> Result<Deployment> {
    let there = api(cx, &input.api_id)?;
    if there.routes.is_empty() {
        return Err(bad_request("At least one route is required before deploying the Api."));
    }
    if let Some(name) = &input.stage_name {
        let stage = there.stages.get(name).ok_or_else(super::stages::not_found)?;
        if stage.auto_deploy == Some(true) {
            return Err(bad_request("Deployment ID cannot be set on stages with AutoDeploy enabled"));
        }
    }
    let deployment = make(cx, &input.api_id, false, input.description)?;
    let now = cx.now;
    let there = api(cx, &input.api_id)?;
    if let Some(stage) = input.stage_name.as_ref().and_then(|name| there.stages.get_mut(name)) {
        stage.deployment_id.clone_from(&deployment.deployment_id);
        stage.last_updated_date = Some(now);
    }
    Ok(deployment)
}

fn make(cx: &mut Cx<Apis>, api_id: &str, automatic: bool, description: Option<String>) -> Result<Deployment> {
    let now = cx.now;
    let taken = api(cx, api_id)?.deployments.clone();
    let id = new_id(cx.ids(), PART_ID, &taken);
    let deployment = Deployment {
        api_id: None,
        auto_deployed: Some(automatic),
        created_date: Some(now),
        deployment_id: Some(id.clone()),
        deployment_status: Some("DEPLOYED".to_owned()),
        description,
    };
    let api = api(cx, api_id)?;
    let served = api.as_served();
    api.deployments.insert(id, Deployed { deployment: deployment.clone(), served });
    Ok(deployment)
}

/// Deploys an API that was changed on those of its stages that deploy by themselves. The automatic deployment before is
/// forgotten, so that changes alone do not make the API grow.
pub(super) fn automatic(cx: &mut Cx<Apis>, api_id: &str) -> Result<()> {
    let stages: Vec<String> = {
        let stages = &api(cx, api_id)?.stages;
        stages.iter().filter(|(_, stage)| stage.auto_deploy == Some(true)).map(|(name, _)| name.clone()).collect()
    };
    if stages.is_empty() {
        return Ok(());
    }
    let deployment = make(cx, api_id, true, Some(AUTOMATIC.to_owned()))?;
    let now = cx.now;
    let api = api(cx, api_id)?;
    for name in stages {
        let Some(stage) = api.stages.get_mut(&name) else { continue };
        let before = std::mem::replace(&mut stage.deployment_id, deployment.deployment_id.clone());
        stage.last_updated_date = Some(now);
        stage.last_deployment_status_message = deployment
            .deployment_id
            .as_ref()
            .map(|id| format!("Successfully deployed stage with deployment ID '{id}'"));
        if let Some(before) = before {
            let is_used = api.stages.values().any(|stage| stage.deployment_id.as_ref() == Some(&before));
            let was_automatic =
                api.deployments.get(&before).is_some_and(|old| old.deployment.auto_deployed == Some(true));
            if was_automatic && !is_used {
                api.deployments.remove(&before);
            }
        }
    }
    Ok(())
}

fn list(cx: &mut Cx<Apis>, input: Listing) -> Result<Page<Deployment>> {
    page(&api(cx, &input.api_id)?.deployments, input.asked(), |_, deployed| Some(deployed.deployment.clone()))
}

fn get(cx: &mut Cx<Apis>, input: OfDeployment) -> Result<Deployment> {
    let found = api(cx, &input.api_id)?.deployments.get(&input.deployment_id);
    found.map(|deployed| deployed.deployment.clone()).ok_or_else(|| not_found("Deployment", &input.deployment_id))
}

fn update(cx: &mut Cx<Apis>, mut input: Deployment) -> Result<Deployment> {
    let api_id = input.api_id.take().unwrap_or_default();
    let id = input.deployment_id.clone().unwrap_or_default();
    let found = api(cx, &api_id)?.deployments.get_mut(&id).ok_or_else(|| not_found("Deployment", &id))?;
    found.deployment = changed(&found.deployment, &input)?;
    Ok(found.deployment.clone())
}

fn delete(cx: &mut Cx<Apis>, input: OfDeployment) -> Result<()> {
    let api = api(cx, &input.api_id)?;
    if !api.deployments.contains_key(&input.deployment_id) {
        return Err(not_found("Deployment", &input.deployment_id));
    }
    if api.stages.values().any(|stage| stage.deployment_id.as_ref() == Some(&input.deployment_id)) {
        return Err(bad_request("Active stages pointing to this deployment must be moved or deleted"));
    }
    api.deployments.remove(&input.deployment_id);
    Ok(())
}
