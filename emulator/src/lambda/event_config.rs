//! What becomes of asynchronous invocations: how often they are retried, how long, and who is told of the end.
//! <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-configuring.html>

use serde::{Deserialize, Serialize};

use super::destinations::{Destinations, check_destinations};
use super::functions::{Function, ListOfFunction, find_mut};
use super::qualifier::{LATEST, absent, bare_name, not_found, qualifier, reachable};
use super::versions::PAGE;
use super::{Functions, on};
use crate::cloud::{Cx, Service};
use crate::{Error, Result, Timestamp};

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Functions>) -> Service<Functions> {
    service
        .op("PutFunctionEventInvokeConfig", |at, i: &Settings| on(at, &i.function_name), put)
        .op("UpdateFunctionEventInvokeConfig", |at, i: &Settings| on(at, &i.function_name), update)
        .op("GetFunctionEventInvokeConfig", |at, i: &Named| on(at, &i.function_name), get)
        .op("DeleteFunctionEventInvokeConfig", |at, i: &Named| on(at, &i.function_name), delete)
        .op("ListFunctionEventInvokeConfigs", |at, i: &ListOfFunction| on(at, &i.function_name), list)
}

/// `FunctionEventInvokeConfig`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct EventConfig {
    last_modified: Timestamp,
    function_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum_retry_attempts: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum_event_age_in_seconds: Option<u32>,
    pub destination_config: Destinations,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Settings {
    function_name: String,
    qualifier: Option<String>,
    maximum_retry_attempts: Option<u32>,
    maximum_event_age_in_seconds: Option<u32>,
    destination_config: Option<Destinations>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    function_name: String,
    qualifier: Option<String>,
}

/// The function, and the qualifier under which its configuration is kept.
fn find<'a>(cx: &'a mut Cx<Functions>, name: &str, given: Option<&str>) -> Result<(&'a mut Function, String)> {
    let place = qualifier(name, given)?.unwrap_or(LATEST).to_owned();
    let arn = cx.scope.arn("lambda", format_args!("function:{}:{place}", bare_name(name)));
    let function = find_mut(cx, name).map_err(|_| unknown())?;
    if !function.has(&place) {
        return Err(if place == LATEST { not_found(&arn) } else { unknown() });
    }
    Ok((function, place))
}

fn put(cx: &mut Cx<Functions>, input: Settings) -> Result<EventConfig> {
    save(cx, input, false)
}

fn update(cx: &mut Cx<Functions>, input: Settings) -> Result<EventConfig> {
    save(cx, input, true)
}

fn save(cx: &mut Cx<Functions>, input: Settings, keeps: bool) -> Result<EventConfig> {
    let now = cx.now;
    let nothing = input.maximum_retry_attempts.is_none()
        && input.maximum_event_age_in_seconds.is_none()
        && input.destination_config.is_none();
    if nothing {
        return Err(super::functions::invalid(
            "You must specify at least one of error handling or destination setting.",
        ));
    }
    let there = |arn: &str| cx.state.functions.contains_key(bare_name(arn));
    if !there(&input.function_name) {
        return Err(unknown());
    }
    if let Some(destinations) = &input.destination_config {
        let own = cx.scope.arn("lambda", format_args!("function:{}", bare_name(&input.function_name)));
        // Of functions elsewhere nothing is known.
        let here = own.trim_end_matches(bare_name(&own));
        check_destinations(destinations, &own, |arn| !arn.starts_with(here) || there(arn))?;
    }
    let place = qualifier(&input.function_name, input.qualifier.as_deref())?.unwrap_or(LATEST);
    let none = missing(cx, &input.function_name, place);
    let (function, place) = find(cx, &input.function_name, input.qualifier.as_deref())?;
    let there = if keeps { Some(function.event_configs.get(&place).cloned().ok_or(none)?) } else { None };
    let config = EventConfig {
        last_modified: now,
        function_arn: format!("{}:{place}", function.configuration.function_arn),
        maximum_retry_attempts: input
            .maximum_retry_attempts
            .or_else(|| there.as_ref().and_then(|there| there.maximum_retry_attempts)),
        maximum_event_age_in_seconds: input
            .maximum_event_age_in_seconds
            .or_else(|| there.as_ref().and_then(|there| there.maximum_event_age_in_seconds)),
        destination_config: match input.destination_config {
            Some(destinations) => destinations.given(),
            None => there.map(|there| there.destination_config).unwrap_or_default(),
        },
    };
    function.event_configs.insert(place, config.clone());
    Ok(config)
}

fn get(cx: &mut Cx<Functions>, input: Named) -> Result<EventConfig> {
    reachable(cx.scope, &input.function_name)?;
    let place = qualifier(&input.function_name, input.qualifier.as_deref())?.unwrap_or(LATEST).to_owned();
    let missing = missing(cx, &input.function_name, &place);
    let function = cx.state.functions.get(bare_name(&input.function_name));
    function.and_then(|function| function.event_configs.get(&place).cloned()).ok_or(missing)
}

fn delete(cx: &mut Cx<Functions>, input: Named) -> Result<()> {
    reachable(cx.scope, &input.function_name)?;
    let place = qualifier(&input.function_name, input.qualifier.as_deref())?.unwrap_or(LATEST).to_owned();
    let missing = missing(cx, &input.function_name, &place);
    let function = cx.state.functions.get_mut(bare_name(&input.function_name));
    function.and_then(|function| function.event_configs.remove(&place)).map(drop).ok_or(missing)
}

/// AWS says so of functions that do not exist, too.
fn missing(cx: &Cx<Functions>, function: &str, place: &str) -> Error {
    let arn = cx.scope.arn("lambda", format_args!("function:{}:{place}", bare_name(function)));
    absent(format!("The function {arn} doesn't have an EventInvokeConfig"))
}

fn unknown() -> Error {
    absent("The function doesn't exist.")
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Configs {
    function_event_invoke_configs: Vec<EventConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
}

fn list(cx: &mut Cx<Functions>, input: ListOfFunction) -> Result<Configs> {
    let function = find_mut(cx, &input.function_name).map_err(|_| unknown())?;
    let size = input.max_items.unwrap_or(PAGE).min(PAGE);
    let mut found = function.event_configs.range(input.marker.unwrap_or_default()..);
    let configs = found.by_ref().take(size).map(|(_, config)| config.clone()).collect();
    let next_marker = found.next().map(|(place, _)| place.clone());
    Ok(Configs { function_event_invoke_configs: configs, next_marker })
}
