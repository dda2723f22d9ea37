//! Usage plans: which keys may call which stages, how fast and how often.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::errors::{bad, conflict, not_found};
use super::keys;
use super::page::{Page, page};
use super::patch::{Kind, PatchOperation, Rule, Wording, patched, rule};
use super::{RestApis, on, usage};
use crate::cloud::{Cx, Service};
use crate::{Error, Result, Timestamp};

/// Adds the operations of this file.
pub(super) fn operations(service: Service<RestApis>) -> Service<RestApis> {
    service
        .op("CreateUsagePlan", |at, _: &CreateUsagePlan| on(at, "POST", "/usageplans"), create)
        .op("GetUsagePlan", |at, i: &OfPlan| on(at, "GET", format_args!("/usageplans/{}", i.usage_plan_id)), get)
        .op("GetUsagePlans", |at, _: &GetUsagePlans| on(at, "GET", "/usageplans"), list)
        .op(
            "UpdateUsagePlan",
            |at, i: &UpdateUsagePlan| on(at, "PATCH", format_args!("/usageplans/{}", i.usage_plan_id)),
            update,
        )
        .op(
            "DeleteUsagePlan",
            |at, i: &OfPlan| on(at, "DELETE", format_args!("/usageplans/{}", i.usage_plan_id)),
            delete,
        )
        .op(
            "CreateUsagePlanKey",
            |at, i: &CreateKey| on(at, "POST", format_args!("/usageplans/{}/keys", i.usage_plan_id)),
            create_key,
        )
        .op(
            "GetUsagePlanKey",
            |at, i: &OfKey| on(at, "GET", format_args!("/usageplans/{}/keys/{}", i.usage_plan_id, i.key_id)),
            get_key,
        )
        .op(
            "GetUsagePlanKeys",
            |at, i: &GetKeys| on(at, "GET", format_args!("/usageplans/{}/keys", i.usage_plan_id)),
            list_keys,
        )
        .op(
            "DeleteUsagePlanKey",
            |at, i: &OfKey| on(at, "DELETE", format_args!("/usageplans/{}/keys/{}", i.usage_plan_id, i.key_id)),
            delete_key,
        )
        .event("KeyUsed", used)
}

/// `UsagePlan` of the API Gateway API, with its keys and what they used.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct UsagePlan {
    pub id: String,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub api_stages: Vec<ApiStage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throttle: Option<Throttle>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota: Option<Quota>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product_code: Option<String>,
    #[serde(skip_serializing_if = "OrdMap::is_empty")]
    pub tags: OrdMap<String, String>,
    /// The ids of its keys, with what each used.
    pub keys: OrdMap<String, Usage>,
}

/// A stage that a plan is for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ApiStage {
    pub api_id: String,
    pub stage: String,
    /// By `{path}/{method}`.
    #[serde(skip_serializing_if = "OrdMap::is_empty")]
    pub throttle: OrdMap<String, Throttle>,
}

/// A token bucket: `rate_limit` requests a second, `burst_limit` at once.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Throttle {
    pub burst_limit: i64,
    pub rate_limit: f64,
}

/// So many requests in a period; in the first one `offset` fewer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Quota {
    pub limit: i64,
    pub offset: i64,
    pub period: String,
}

/// What a key used of a plan.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Usage {
    /// The period that is counted: its first day.
    pub period: String,
    /// Requests in it.
    pub used: i64,
    /// The bucket's level, in requests, and when it was that, in epoch milliseconds.
    pub level: f64,
    pub at: i64,
    /// Whether there was a request at all: the bucket begins full.
    pub begun: bool,
    /// Of each day what was used of the quota, and what was left at its end.
    pub days: OrdMap<String, [i64; 2]>,
}

/// Changes all plans.
pub(super) fn change_all(state: &mut RestApis, change: impl Fn(&mut UsagePlan)) {
    let ids: Vec<String> = state.plans.keys().cloned().collect();
    for id in ids {
        if let Some(plan) = state.plans.get_mut(&id) {
            change(plan);
        }
    }
}

/// A plan as it is shown.
fn shown(plan: &UsagePlan, tags: bool) -> Result<Value> {
    let mut value = serde_json::to_value(plan).map_err(Error::internal)?;
    if let Some(members) = value.as_object_mut() {
        members.shift_remove("keys");
        if tags {
            members.entry("tags").or_insert_with(|| json!({}));
        }
    }
    Ok(value)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateUsagePlan {
    name: String,
    description: Option<String>,
    api_stages: Option<Vec<ApiStage>>,
    throttle: Option<Throttle>,
    quota: Option<Quota>,
    #[serde(default)]
    tags: OrdMap<String, String>,
}

fn create(cx: &mut Cx<RestApis>, input: CreateUsagePlan) -> Result<Value> {
    let plan = UsagePlan {
        id: cx.ids().lower(6),
        name: input.name,
        description: input.description,
        api_stages: input.api_stages.unwrap_or_default(),
        throttle: input.throttle,
        quota: input.quota,
        tags: input.tags,
        ..UsagePlan::default()
    };
    check(cx.state, &plan)?;
    let answer = shown(&plan, false)?;
    cx.state.plans.insert(plan.id.clone(), plan);
    Ok(answer)
}

fn check(state: &RestApis, plan: &UsagePlan) -> Result<()> {
    for stage in &plan.api_stages {
        let there = state.apis.get(&stage.api_id).is_some_and(|api| api.stages.contains_key(&stage.stage));
        if !there {
            return Err(not_found(format!(
                "Invalid API Stage {{api: {}, stage: {}}} specified for usageplan {}",
                stage.api_id, stage.stage, plan.id
            )));
        }
    }
    if let Some(quota) = &plan.quota {
        if !matches!(quota.period.as_str(), "DAY" | "WEEK" | "MONTH") {
            return Err(bad("Usage plan quota must have a valid period: DAY, WEEK or MONTH"));
        }
        if quota.limit < 1 {
            return Err(bad("Usage Plan quota limit must be greater than 0"));
        }
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfPlan {
    usage_plan_id: String,
}

pub(super) fn missing() -> Error {
    not_found("Invalid Usage Plan ID specified")
}

fn get(cx: &mut Cx<RestApis>, input: OfPlan) -> Result<Value> {
    shown(cx.state.plans.get(&input.usage_plan_id).ok_or_else(missing)?, true)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GetUsagePlans {
    position: Option<String>,
    key_id: Option<String>,
    limit: Option<i64>,
}

fn list(cx: &mut Cx<RestApis>, input: GetUsagePlans) -> Result<Page<Value>> {
    let Page { items, position } = page(&cx.state.plans, input.position.as_ref(), input.limit, |plan| {
        input.key_id.as_ref().is_none_or(|key| plan.keys.contains_key(key)).then(|| shown(plan, false))
    });
    Ok(Page { items: items.into_iter().collect::<Result<_>>()?, position })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UpdateUsagePlan {
    usage_plan_id: String,
    #[serde(default)]
    patch_operations: Vec<PatchOperation>,
}

const RULES: &[Rule] = &[
    rule("/name", "replace", Kind::Text),
    rule("/description", "replace", Kind::Text),
    rule("/productCode", "add replace remove", Kind::Text),
    rule("/throttle", "remove", Kind::Text),
    rule("/throttle/rateLimit", "add replace", Kind::Float),
    rule("/throttle/burstLimit", "add replace", Kind::Int),
    rule("/quota", "remove", Kind::Text),
    rule("/quota/limit", "add replace", Kind::Int),
    rule("/quota/offset", "add replace", Kind::Int),
    rule("/quota/period", "add replace", Kind::Text),
];

fn update(cx: &mut Cx<RestApis>, input: UpdateUsagePlan) -> Result<Value> {
    let old = cx.state.plans.get(&input.usage_plan_id).ok_or_else(missing)?;
    let mut new = old.clone();
    for operation in &input.patch_operations {
        new = match operation.segments().first().map(String::as_str) {
            Some("apiStages") => with_stage(&new, operation)?,
            _ => patched(&new, std::slice::from_ref(operation), RULES, Wording::Plain)?,
        };
    }
    check(cx.state, &new)?;
    let answer = shown(&new, true)?;
    cx.state.plans.insert(new.id.clone(), new);
    Ok(answer)
}

/// `/apiStages` with `api:stage` as the value; `/apiStages/{api:stage}/throttle/{path}/{method}/rateLimit`.
fn with_stage(plan: &UsagePlan, operation: &PatchOperation) -> Result<UsagePlan> {
    let mut new = plan.clone();
    let path = operation.segments();
    let named = |name: &str| {
        let (api, stage) = name.split_once(':').ok_or_else(|| bad("Invalid API Stage specified"))?;
        Ok::<_, Error>(ApiStage { api_id: api.to_owned(), stage: stage.to_owned(), ..ApiStage::default() })
    };
    let parts: Vec<&str> = path.iter().map(String::as_str).collect();
    match (parts.as_slice(), operation.op()) {
        (["apiStages"], "add") => {
            let stage = named(operation.value.as_deref().unwrap_or_default())?;
            if !new.api_stages.iter().any(|other| (&other.api_id, &other.stage) == (&stage.api_id, &stage.stage)) {
                new.api_stages.push(stage);
            }
        }
        (["apiStages"], "remove") => {
            let stage = named(operation.value.as_deref().unwrap_or_default())?;
            let before = new.api_stages.len();
            new.api_stages.retain(|other| (&other.api_id, &other.stage) != (&stage.api_id, &stage.stage));
            if new.api_stages.len() == before {
                return Err(bad("Invalid API Stage specified"));
            }
        }
        (["apiStages", name, "throttle", rest @ ..], op) if !rest.is_empty() => {
            let wanted = named(name)?;
            let stage = new.api_stages.iter_mut().find(|o| (&o.api_id, &o.stage) == (&wanted.api_id, &wanted.stage));
            let stage = stage.ok_or_else(|| bad("Invalid API Stage specified"))?;
            let rules =
                [rule("/*/*/rateLimit", "add replace", Kind::Float), rule("/*/*/burstLimit", "add replace", Kind::Int)];
            let ([resource, method] | [resource, method, _]) = rest else {
                return Err(bad(format!("Invalid patch path {}", operation.path())));
            };
            let key = format!("{resource}/{method}");
            if op == "remove" {
                stage.throttle.remove(&key);
            } else {
                let member = rest.last().copied().unwrap_or_default();
                let renamed = PatchOperation { path: Some(format!("/a/b/{member}")), ..operation.clone() };
                let nested = json!({"a": {"b": stage.throttle.get(&key).cloned().unwrap_or_default()}});
                let nested: Value = patched(&nested, &[renamed], &rules, Wording::Plain)?;
                let throttle = nested.pointer("/a/b").cloned().unwrap_or_default();
                stage.throttle.insert(key, serde_json::from_value(throttle).map_err(Error::internal)?);
            }
        }
        _ => return Err(bad(format!("Invalid patch path {}", operation.path()))),
    }
    Ok(new)
}

fn delete(cx: &mut Cx<RestApis>, input: OfPlan) -> Result<()> {
    let plan = cx.state.plans.get(&input.usage_plan_id).ok_or_else(missing)?;
    if !plan.api_stages.is_empty() {
        return Err(bad(format!(
            "Cannot delete usage plan {} because there are API stages associated with it",
            input.usage_plan_id
        )));
    }
    cx.state.plans.remove(&input.usage_plan_id);
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateKey {
    usage_plan_id: String,
    key_id: String,
    key_type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfKey {
    usage_plan_id: String,
    key_id: String,
}

fn key(state: &RestApis, id: &str) -> Result<Value> {
    let key = state.keys.get(id).ok_or_else(keys::missing)?;
    Ok(json!({"id": key.id, "type": "API_KEY", "name": key.name, "value": key.value}))
}

fn create_key(cx: &mut Cx<RestApis>, input: CreateKey) -> Result<Value> {
    if input.key_type != "API_KEY" {
        return Err(bad(format!("Invalid key type specified: {}", input.key_type)));
    }
    let shown = key(cx.state, &input.key_id)?;
    let plan = cx.state.plans.get_mut(&input.usage_plan_id).ok_or_else(missing)?;
    if plan.keys.contains_key(&input.key_id) {
        return Err(conflict("Usage Plan Key already exists"));
    }
    plan.keys.insert(input.key_id, Usage::default());
    Ok(shown)
}

fn get_key(cx: &mut Cx<RestApis>, input: OfKey) -> Result<Value> {
    let plan = cx.state.plans.get(&input.usage_plan_id).ok_or_else(missing)?;
    if !plan.keys.contains_key(&input.key_id) {
        // A key that is there, and is not of this plan.
        return Err(if cx.state.keys.contains_key(&input.key_id) { missing() } else { keys::missing() });
    }
    let mut shown = key(cx.state, &input.key_id)?;
    if let Some(members) = shown.as_object_mut() {
        members.shift_remove("value");
    }
    Ok(shown)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GetKeys {
    usage_plan_id: String,
    position: Option<String>,
    limit: Option<i64>,
    name_query: Option<String>,
}

fn list_keys(cx: &mut Cx<RestApis>, input: GetKeys) -> Result<Page<Value>> {
    // The keys that are both of the plan and there; a plan that does not exist has none. The newest come first.
    let plan = cx.state.plans.get(&input.usage_plan_id);
    let ids = plan.into_iter().flat_map(|plan| plan.keys.keys());
    let keys: OrdMap<String, String> =
        ids.filter_map(|id| Some((keys::place(cx.state.keys.get(id)?), id.clone()))).collect();
    let named = |shown: &Value| {
        let name = shown.get("name").and_then(Value::as_str).unwrap_or_default();
        input.name_query.as_deref().is_none_or(|query| name.starts_with(query))
    };
    Ok(page(&keys, input.position.as_ref(), input.limit, |id| key(cx.state, id).ok().filter(named)))
}

fn delete_key(cx: &mut Cx<RestApis>, input: OfKey) -> Result<()> {
    let plan = cx.state.plans.get_mut(&input.usage_plan_id).ok_or_else(missing)?;
    plan.keys.remove(&input.key_id).map(|_| ()).ok_or_else(keys::missing)
}

/// The code of the error by which the event `KeyUsed` says that a request comes too fast.
pub(crate) const THROTTLED: &str = "Throttled";
/// The same of a request beyond the quota.
pub(crate) const QUOTA: &str = "Quota";

/// What a key has used of a plan after one request more.
fn spend(plan: &UsagePlan, key: &str, now: Timestamp) -> Result<Usage> {
    let mut usage = plan.keys.get(key).cloned().unwrap_or_default();
    if let Some(throttle) = &plan.throttle {
        let burst = throttle.burst_limit as f64;
        let since = (now.millis() - usage.at).max(0) as f64 / 1000.0;
        let level = if usage.begun { (usage.level + since * throttle.rate_limit).min(burst) } else { burst };
        if level < 1.0 {
            return Err(Error::new(429, THROTTLED, "the key is used too fast"));
        }
        (usage.level, usage.at) = (level - 1.0, now.millis());
    }
    if let Some(quota) = &plan.quota {
        let period = period(&quota.period, usage::today(now)).to_string();
        if usage.period != period {
            // The offset shortens the first period alone.
            usage.used = if usage.period.is_empty() { quota.offset } else { 0 };
            usage.period = period;
        }
        if usage.used >= quota.limit {
            return Err(Error::new(429, QUOTA, "the key's quota is used up"));
        }
        usage.used += 1;
        usage::note(&mut usage, quota, 1, now);
    }
    usage.begun = true;
    Ok(usage)
}

/// The first day of the period that a day is in; weeks begin on Sunday.
pub(super) fn period(kind: &str, day: jiff::civil::Date) -> jiff::civil::Date {
    match kind {
        "DAY" => day,
        "WEEK" => {
            let days = i64::from(day.weekday().to_sunday_zero_offset());
            day.saturating_sub(jiff::Span::new().days(days))
        }
        _ => day.first_of_month(),
    }
}

/// A key is used, if its plan lets it: the event that requests bring about. To look and to count is one step.
fn used(cx: &mut Cx<RestApis>, event: &str) -> Result<()> {
    #[derive(Deserialize)]
    struct Used {
        plan: String,
        key: String,
    }
    let used: Used = serde_json::from_str(event).map_err(Error::internal)?;
    let now = cx.now;
    if let Some(plan) = cx.state.plans.get_mut(&used.plan) {
        let usage = spend(plan, &used.key, now)?;
        plan.keys.insert(used.key, usage);
    }
    Ok(())
}
