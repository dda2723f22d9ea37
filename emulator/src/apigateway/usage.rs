//! `GetUsage` and `UpdateUsage`: what keys used of a plan's quota, day by day.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/api/API_GetUsage.html>

use imbl::OrdMap;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::errors::{bad, not_found};
use super::page::{Page, page};
use super::patch::PatchOperation;
use super::plans::{Quota, Usage, UsagePlan, missing, period};
use super::{RestApis, keys, on};
use crate::cloud::{Cx, Service};
use crate::{Error, Result, Timestamp};

/// The days of which is told at most.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-create-usage-plans.html>
const DAYS: usize = 90;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<RestApis>) -> Service<RestApis> {
    service
        .op("GetUsage", |at, i: &GetUsage| on(at, "GET", format_args!("/usageplans/{}/usage", i.usage_plan_id)), get)
        .op(
            "UpdateUsage",
            |at, i: &UpdateUsage| {
                on(at, "PATCH", format_args!("/usageplans/{}/keys/{}/usage", i.usage_plan_id, i.key_id))
            },
            update,
        )
}

/// `Usage` of the API Gateway API: for each key a list of days, each what was used and what was left.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    usage_plan_id: String,
    start_date: String,
    end_date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<String>,
    items: OrdMap<String, Vec<[i64; 2]>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GetUsage {
    usage_plan_id: String,
    key_id: Option<String>,
    start_date: String,
    end_date: String,
    position: Option<String>,
    limit: Option<i64>,
}

fn get(cx: &mut Cx<RestApis>, input: GetUsage) -> Result<Told> {
    let plan = cx.state.plans.get(&input.usage_plan_id).ok_or_else(missing)?;
    let quota = quota(plan)?;
    let day = |text: &str| text.parse::<Date>().map_err(|_| bad(format!("Invalid date specified: {text}")));
    let (start, end) = (day(&input.start_date)?, day(&input.end_date)?);
    if end < start {
        return Err(bad("The end date must not be before the start date"));
    }
    let length = usize::try_from(start.duration_until(end).as_hours() / 24).unwrap_or(usize::MAX);
    if length >= DAYS {
        return Err(bad(format!("Usage can be told of {DAYS} days at most")));
    }
    if input.key_id.as_ref().is_some_and(|key| !plan.keys.contains_key(key)) {
        return Err(keys::missing());
    }
    let wanted = plan.keys.iter().filter(|(id, _)| input.key_id.as_ref().is_none_or(|key| key == *id));
    let wanted: OrdMap<String, (String, Usage)> =
        wanted.map(|(id, usage)| (id.clone(), (id.clone(), usage.clone()))).collect();
    let Page { items, position } = page(&wanted, input.position.as_ref(), input.limit, |(id, usage)| {
        let days = start.series(jiff::Span::new().days(1)).take(length + 1);
        Some((id.clone(), days.map(|day| on_day(usage, quota, day)).collect::<Vec<_>>()))
    });
    Ok(Told {
        usage_plan_id: input.usage_plan_id,
        start_date: input.start_date,
        end_date: input.end_date,
        position,
        items: items.into_iter().collect(),
    })
}

fn quota(plan: &UsagePlan) -> Result<&Quota> {
    plan.quota.as_ref().ok_or_else(|| Error::not_implemented("the usage of a plan that has no quota"))
}

/// What a key used on a day, and what was left then: of the period's quota, if it had used nothing in it before.
fn on_day(usage: &Usage, quota: &Quota, day: Date) -> [i64; 2] {
    let text = day.to_string();
    if let Some(day) = usage.days.get(&text) {
        return *day;
    }
    let before = usage.days.range(..text).next_back();
    let same = before.filter(|(known, _)| {
        known.parse::<Date>().is_ok_and(|known| period(&quota.period, known) == period(&quota.period, day))
    });
    [0, same.map_or(quota.limit, |(_, [_, left])| *left)]
}

/// Notes one request more, or none, on the day of this time, and what is left now.
pub(super) fn note(usage: &mut Usage, quota: &Quota, requests: i64, now: Timestamp) {
    let today = today(now).to_string();
    let used = usage.days.get(&today).map_or(0, |[used, _]| *used);
    usage.days.insert(today, [used + requests, (quota.limit - usage.used).max(0)]);
    while usage.days.len() > DAYS {
        let Some(oldest) = usage.days.get_min().map(|(day, _)| day.clone()) else { break };
        usage.days.remove(&oldest);
    }
}

/// The day of a time.
pub(super) fn today(now: Timestamp) -> Date {
    now.to_jiff().to_zoned(jiff::tz::TimeZone::UTC).date()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UpdateUsage {
    usage_plan_id: String,
    key_id: String,
    #[serde(default)]
    patch_operations: Vec<PatchOperation>,
}

/// Sets what is left to a key in the period.
fn update(cx: &mut Cx<RestApis>, input: UpdateUsage) -> Result<Told> {
    let now = cx.now;
    let plan = cx.state.plans.get_mut(&input.usage_plan_id).ok_or_else(missing)?;
    let quota = quota(plan)?.clone();
    let usage = plan.keys.get_mut(&input.key_id).ok_or_else(|| not_found("Usage Plan Key not found"))?;
    for operation in &input.patch_operations {
        if (operation.op(), operation.path()) != ("replace", "/remaining") {
            return Err(bad(format!("Invalid patch path {}", operation.path())));
        }
        let left = operation.value.as_deref().and_then(|value| value.parse::<i64>().ok()).filter(|left| *left >= 0);
        let left = left.ok_or_else(|| bad("Invalid value for remaining: it must be a number of requests"))?;
        usage.period = period(&quota.period, today(now)).to_string();
        usage.used = quota.limit - left;
        note(usage, &quota, 0, now);
    }
    let today = today(now);
    let items = OrdMap::unit(input.key_id, vec![on_day(usage, &quota, today)]);
    let (start_date, end_date) = (today.to_string(), today.to_string());
    Ok(Told { usage_plan_id: input.usage_plan_id, start_date, end_date, position: None, items })
}
