//! Models: JSON schemas of bodies.

use imbl::OrdMap;
use serde::Deserialize;
use serde_json::Value;

use super::errors::{bad, conflict, not_found};
use super::page::{Page, page};
use super::patch::{Kind, PatchOperation, Rule, Wording, patched, rule};
use super::state::{Content, Model};
use super::{RestApis, model_forms, on};
use crate::Result;
use crate::cloud::{At, Cx, Service, Target};

const EMPTY: &str = "{\n  \"$schema\": \"http://json-schema.org/draft-04/schema#\",\n  \"title\" : \"Empty Schema\",\n  \
                     \"type\" : \"object\"\n}";
const ERROR: &str = "{\n  \"$schema\" : \"http://json-schema.org/draft-04/schema#\",\n  \"title\" : \"Error Schema\",\n  \
                     \"type\" : \"object\",\n  \"properties\" : {\n    \"message\" : { \"type\" : \"string\" }\n  }\n}";

/// Adds the operations of this file.
pub(super) fn operations(service: Service<RestApis>) -> Service<RestApis> {
    service
        .op("CreateModel", |at, i: &CreateModel| all(at, "POST", &i.rest_api_id), create)
        .op("GetModel", |at, i: &GetModel| one(at, "GET", &i.rest_api_id, &i.model_name), get)
        .op("GetModels", |at, i: &GetModels| all(at, "GET", &i.rest_api_id), list)
        .op("UpdateModel", |at, i: &UpdateModel| one(at, "PATCH", &i.rest_api_id, &i.model_name), update)
        .op("DeleteModel", |at, i: &OfModel| one(at, "DELETE", &i.rest_api_id, &i.model_name), delete)
}

fn all(at: &At<RestApis>, verb: &'static str, api: &str) -> Target {
    on(at, verb, format_args!("/restapis/{api}/models"))
}

fn one(at: &At<RestApis>, verb: &'static str, api: &str, name: &str) -> Target {
    on(at, verb, format_args!("/restapis/{api}/models/{name}"))
}

/// The models that every API has.
pub(super) fn defaults(cx: &mut Cx<RestApis>) -> OrdMap<String, Model> {
    let texts = [
        ("Empty", "This is a default empty schema model", EMPTY),
        ("Error", "This is a default error schema model", ERROR),
    ];
    let made = texts.map(|(name, description, schema)| Model {
        id: cx.ids().lower(6),
        name: name.to_owned(),
        description: Some(description.to_owned()),
        schema: Some(schema.to_owned()),
        content_type: "application/json".to_owned(),
    });
    made.into_iter().map(|model| (model.name.clone(), model)).collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateModel {
    rest_api_id: String,
    name: String,
    description: Option<String>,
    schema: Option<String>,
    content_type: String,
}

fn create(cx: &mut Cx<RestApis>, input: CreateModel) -> Result<Model> {
    let id = cx.ids().lower(6);
    let api = cx.state.apis.get_mut(&input.rest_api_id);
    if input.name.is_empty() {
        return Err(bad("Model name must be non-empty"));
    }
    if api.as_ref().is_some_and(|api| api.content.models.contains_key(&input.name)) {
        return Err(conflict("Model name already exists for this REST API"));
    }
    if !input.name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(bad("Model name must be alphanumeric: ".to_owned() + &input.name));
    }
    check_schema(input.schema.as_deref())?;
    let scope = cx.scope;
    let api = cx.state.api_mut(scope, &input.rest_api_id)?;
    let model = Model {
        id,
        name: input.name.clone(),
        description: input.description.filter(|text| !text.is_empty()),
        schema: input.schema,
        content_type: input.content_type,
    };
    api.content.models.insert(input.name, model.clone());
    Ok(model)
}

fn check_schema(schema: Option<&str>) -> Result<()> {
    let text = schema.unwrap_or_default();
    if text.is_empty() {
        return Err(bad("Model schema must have at least 1 property or array items defined"));
    }
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(_)) => Ok(()),
        _ => Err(bad("Invalid model schema specified. Unsupported keyword(s) or not a JSON schema")),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfModel {
    rest_api_id: String,
    model_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GetModel {
    rest_api_id: String,
    model_name: String,
    flatten: Option<bool>,
}

pub(super) fn missing(name: &str) -> crate::Error {
    not_found(format!("Invalid model name specified: {name}"))
}

fn get(cx: &mut Cx<RestApis>, input: GetModel) -> Result<Model> {
    let api = cx.state.apis.get(&input.rest_api_id).ok_or_else(|| missing(&input.model_name))?;
    let model = api.content.models.get(&input.model_name).ok_or_else(|| missing(&input.model_name))?;
    if input.flatten == Some(true) { model_forms::flat(&api.content, model) } else { Ok(model.clone()) }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GetModels {
    rest_api_id: String,
    position: Option<String>,
    limit: Option<i64>,
}

fn list(cx: &mut Cx<RestApis>, input: GetModels) -> Result<Page<Model>> {
    let models = &cx.state.api(cx.scope, &input.rest_api_id)?.content.models;
    Ok(page(models, input.position.as_ref(), input.limit, |model| Some(model.clone())))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UpdateModel {
    rest_api_id: String,
    model_name: String,
    #[serde(default)]
    patch_operations: Vec<PatchOperation>,
}

const RULES: &[Rule] = &[rule("/description", "replace", Kind::Text), rule("/schema", "replace", Kind::Text)];

fn update(cx: &mut Cx<RestApis>, input: UpdateModel) -> Result<Model> {
    // An API that does not exist has no models: AWS names the model, here and in what follows.
    let api = cx.state.apis.get_mut(&input.rest_api_id).ok_or_else(|| missing(&input.model_name))?;
    let model = api.content.models.get_mut(&input.model_name).ok_or_else(|| missing(&input.model_name))?;
    let mut new: Model = patched(model, &input.patch_operations, RULES, Wording::Listed)?;
    check_schema(new.schema.as_deref())?;
    new.description = new.description.filter(|text| !text.is_empty());
    *model = new;
    Ok(model.clone())
}

fn delete(cx: &mut Cx<RestApis>, input: OfModel) -> Result<()> {
    let name = &input.model_name;
    let content = &mut cx.state.apis.get_mut(&input.rest_api_id).ok_or_else(|| missing(name))?.content;
    if !content.models.contains_key(name) {
        return Err(missing(name));
    }
    if let Some(place) = used(content, name) {
        return Err(conflict(format!("Cannot delete model '{name}', is referenced in {place}")));
    }
    content.models.remove(name);
    Ok(())
}

/// Where a model is used. The root is shown as AWS does: `//ANY`.
fn used(content: &Content, name: &String) -> Option<String> {
    // The longest path first, as AWS names the resource that was made last.
    let mut resources: Vec<_> = content.resources.values().collect();
    resources.sort_by(|a, b| b.path.cmp(&a.path));
    for resource in resources {
        for (verb, method) in &resource.methods {
            if method.request_models.iter().flat_map(|models| models.values()).any(|model| model == name) {
                return Some(format!("method request: {}/{verb}", resource.path));
            }
            let responses = method.method_responses.values();
            let mut models = responses.flat_map(|r| r.response_models.iter().flat_map(|models| models.values()));
            if models.any(|model| model == name) {
                return Some(format!("method response: {}/{verb}", resource.path));
            }
        }
    }
    None
}
