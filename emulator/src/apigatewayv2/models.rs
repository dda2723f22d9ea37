//! Models: the forms of messages.

use serde::{Deserialize, Serialize};

use super::part::{Listing, api, changed, conflict, get, keep, list, new_part_id, remove};
use super::state::Model;
use super::{Apis, arn};
use crate::Result;
use crate::cloud::{At, Cx, Service, Target};

/// Models of an API at most, as for REST APIs.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html>
const MODEL_LIMIT: usize = 300;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Apis>) -> Service<Apis> {
    service
        .op("CreateModel", |at, i: &Model| all(at, "POST", i.api_id.as_deref()), create)
        .op("GetModels", |at, i: &Listing| all(at, "GET", Some(&i.api_id)), |cx, i| list::<Model>(cx, "", &i))
        .op("GetModel", |at, i: &OfModel| one(at, "GET", i), |cx, i| get::<Model>(cx, &i.api_id, "", &i.model_id))
        .op("GetModelTemplate", |at, i: &OfModel| one(at, "GET", i), template)
        .op("UpdateModel", |at, i: &Model| all(at, "PATCH", i.api_id.as_deref()), update)
        .op(
            "DeleteModel",
            |at, i: &OfModel| one(at, "DELETE", i),
            |cx, i| remove::<Model>(cx, &i.api_id, "", &i.model_id),
        )
}

fn all(at: &At<Apis>, method: &str, api: Option<&str>) -> Target {
    arn::on(at, method, format_args!("apis/{}/models", api.unwrap_or_default()))
}

fn one(at: &At<Apis>, method: &str, of: &OfModel) -> Target {
    arn::on(at, method, format_args!("apis/{}/models/{}", of.api_id, of.model_id))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfModel {
    api_id: String,
    model_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Template {
    value: String,
}

fn create(cx: &mut Cx<Apis>, mut input: Model) -> Result<Model> {
    let api_id = input.api_id.take().unwrap_or_default();
    let there = api(cx, &api_id)?;
    if there.models.len() >= MODEL_LIMIT {
        return Err(conflict("Model limit exceeded"));
    }
    if there.models.values().any(|other| other.name == input.name) {
        return Err(conflict("Model name already exists"));
    }
    let id = new_part_id::<Model>(cx, &api_id)?;
    let content_type = input.content_type.or_else(|| Some("application/json".to_owned()));
    keep(cx, &api_id, &id, Model { model_id: Some(id.clone()), content_type, ..input })
}

fn update(cx: &mut Cx<Apis>, mut input: Model) -> Result<Model> {
    let api_id = input.api_id.take().unwrap_or_default();
    let id = input.model_id.clone().unwrap_or_default();
    let merged = changed(&get::<Model>(cx, &api_id, "", &id)?, &input)?;
    keep(cx, &api_id, &id, merged)
}

/// The mapping template that passes on what came in.
fn template(cx: &mut Cx<Apis>, input: OfModel) -> Result<Template> {
    get::<Model>(cx, &input.api_id, "", &input.model_id)?;
    Ok(Template { value: "#set($inputRoot = $input.path('$'))\n{ }".to_owned() })
}
