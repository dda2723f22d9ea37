//! API keys.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::errors::{bad, conflict, not_found};
use super::page::{Page, page};
use super::patch::{Kind, PatchOperation, Rule, Wording, patched, rule};
use super::{RestApis, on};
use crate::cloud::{Cx, Service};
use crate::{Error, Result, Timestamp};

/// The length of a key's value.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-setup-api-key-with-console.html>
const VALUE_LENGTH: std::ops::RangeInclusive<usize> = 20..=128;
/// The longest name of a key.
const MAX_NAME: usize = 1024;
/// The longest description of a key.
const MAX_DESCRIPTION: usize = 125_000;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<RestApis>) -> Service<RestApis> {
    service
        .op("CreateApiKey", |at, _: &CreateApiKey| on(at, "POST", "/apikeys"), create)
        .op("GetApiKey", |at, i: &GetApiKey| on(at, "GET", format_args!("/apikeys/{}", i.api_key)), get)
        .op("GetApiKeys", |at, _: &GetApiKeys| on(at, "GET", "/apikeys"), list)
        .op("UpdateApiKey", |at, i: &UpdateApiKey| on(at, "PATCH", format_args!("/apikeys/{}", i.api_key)), update)
        .op("DeleteApiKey", |at, i: &OfKey| on(at, "DELETE", format_args!("/apikeys/{}", i.api_key)), delete)
}

/// `ApiKey` of the API Gateway API.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ApiKey {
    pub id: String,
    /// The how-manieth key it is: lists show the newest first. The model does not know it, so that no client sees it.
    number: u64,
    pub value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub enabled: bool,
    pub created_date: Timestamp,
    pub last_updated_date: Timestamp,
    pub stage_keys: Vec<String>,
    #[serde(skip_serializing_if = "OrdMap::is_empty")]
    pub tags: OrdMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StageKey {
    rest_api_id: Option<String>,
    stage_name: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreateApiKey {
    name: Option<String>,
    description: Option<String>,
    #[serde(default)]
    enabled: bool,
    #[serde(rename = "generateDistinctId")]
    _generate_distinct_id: Option<bool>,
    value: Option<String>,
    stage_keys: Option<Vec<StageKey>>,
    customer_id: Option<String>,
    #[serde(default)]
    tags: OrdMap<String, String>,
}

impl CreateApiKey {
    /// What a line of a file says.
    pub fn of(name: String, value: String, description: Option<String>, enabled: bool) -> Self {
        Self { name: Some(name), value: Some(value), description, enabled, ..Self::default() }
    }
}

pub(super) fn create(cx: &mut Cx<RestApis>, input: CreateApiKey) -> Result<ApiKey> {
    let (id, made) = (cx.ids().lower(10), cx.ids().mixed(40));
    let value = input.value.filter(|value| !value.is_empty()).unwrap_or(made);
    if value.len() < *VALUE_LENGTH.start() {
        return Err(bad(format!("API Key value should be at least {} characters", VALUE_LENGTH.start())));
    }
    if value.len() > *VALUE_LENGTH.end() {
        return Err(bad(format!("API Key value exceeds maximum size of {} characters", VALUE_LENGTH.end())));
    }
    if cx.state.keys.values().any(|key| key.value == value) {
        return Err(conflict("API Key already exists"));
    }
    let description = input.description.filter(|text| !text.is_empty());
    check_texts(input.name.as_deref(), description.as_deref())?;
    cx.state.keys_made += 1;
    let stage_key =
        |key: StageKey| format!("{}/{}", key.rest_api_id.unwrap_or_default(), key.stage_name.unwrap_or_default());
    let now = super::seconds(cx.now);
    let key = ApiKey {
        id: id.clone(),
        value,
        name: input.name.filter(|name| !name.is_empty()),
        number: cx.state.keys_made,
        customer_id: input.customer_id,
        description,
        enabled: input.enabled,
        created_date: now,
        last_updated_date: now,
        stage_keys: input.stage_keys.unwrap_or_default().into_iter().map(stage_key).collect(),
        tags: input.tags,
    };
    cx.state.keys.insert(id, key.clone());
    Ok(key)
}

fn check_texts(name: Option<&str>, description: Option<&str>) -> Result<()> {
    if name.is_some_and(|name| name.chars().count() > MAX_NAME) {
        return Err(bad(format!("Invalid API Key name, can be at most {MAX_NAME} characters.")));
    }
    if description.is_some_and(|text| text.chars().count() > MAX_DESCRIPTION) {
        return Err(bad("Invalid API Key description specified."));
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfKey {
    api_key: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GetApiKey {
    api_key: String,
    include_value: Option<bool>,
}

pub(super) fn missing() -> Error {
    not_found("Invalid API Key identifier specified")
}

/// A key as it is shown: its value only to those who ask for it.
fn shown(key: &ApiKey, value: bool, tags: bool) -> Result<Value> {
    let mut shown = serde_json::to_value(key).map_err(Error::internal)?;
    if let Some(members) = shown.as_object_mut() {
        if !value {
            members.shift_remove("value");
        }
        if tags {
            members.entry("tags").or_insert_with(|| json!({}));
        }
    }
    Ok(shown)
}

fn get(cx: &mut Cx<RestApis>, input: GetApiKey) -> Result<Value> {
    let key = cx.state.keys.get(&input.api_key).ok_or_else(missing)?;
    shown(key, input.include_value == Some(true), true)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GetApiKeys {
    position: Option<String>,
    limit: Option<i64>,
    name_query: Option<String>,
    customer_id: Option<String>,
    include_values: Option<bool>,
}

/// Where a key stands in lists, which begin with the newest.
pub(super) fn place(key: &ApiKey) -> String {
    format!("{:020}", u64::MAX - key.number)
}

fn list(cx: &mut Cx<RestApis>, input: GetApiKeys) -> Result<Page<Value>> {
    let named = |key: &ApiKey| {
        input.name_query.as_ref().is_none_or(|query| key.name.as_ref().is_some_and(|name| name.starts_with(query)))
    };
    let of = |key: &ApiKey| input.customer_id.is_none() || input.customer_id == key.customer_id;
    let values = input.include_values == Some(true);
    // An account has 10,000 keys at most, so that they can be put in order for each list.
    let ordered: OrdMap<String, &ApiKey> = cx.state.keys.values().map(|key| (place(key), key)).collect();
    let Page { items, position } = page(&ordered, input.position.as_ref(), input.limit, |key| {
        (named(key) && of(key)).then(|| shown(key, values, false))
    });
    Ok(Page { items: items.into_iter().collect::<Result<_>>()?, position })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UpdateApiKey {
    api_key: String,
    #[serde(default)]
    patch_operations: Vec<PatchOperation>,
}

const RULES: &[Rule] = &[
    rule("/description", "replace", Kind::Text),
    rule("/enabled", "replace", Kind::Bool),
    rule("/name", "replace", Kind::Text),
    rule("/customerId", "replace", Kind::Text),
];

fn update(cx: &mut Cx<RestApis>, input: UpdateApiKey) -> Result<Value> {
    let now = super::seconds(cx.now);
    let key = cx.state.keys.get_mut(&input.api_key).ok_or_else(missing)?;
    let mut new: ApiKey = patched(key, &input.patch_operations, RULES, Wording::Listed)?;
    check_texts(new.name.as_deref(), new.description.as_deref())?;
    new.last_updated_date = now;
    *key = new;
    shown(key, false, true)
}

fn delete(cx: &mut Cx<RestApis>, input: OfKey) -> Result<()> {
    cx.state.keys.remove(&input.api_key).ok_or_else(missing)?;
    super::plans::change_all(cx.state, |plan| {
        plan.keys.remove(&input.api_key);
    });
    Ok(())
}
