//! Routes, and the responses by which they answer.

use serde::Deserialize;

use super::part::{Listing, api, bad_request, changed, conflict, get, keep, list, new_part_id, remove};
use super::state::{Api, Route, RouteResponse};
use super::{Apis, arn};
use crate::Result;
use crate::cloud::{At, Cx, Service, Target};

/// Routes of an API at most.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>
const ROUTE_LIMIT: usize = 300;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Apis>) -> Service<Apis> {
    service
        .op("CreateRoute", |at, i: &Route| all(at, "POST", i.api_id.as_deref()), create)
        .op("GetRoutes", |at, i: &Listing| all(at, "GET", Some(&i.api_id)), |cx, i| list::<Route>(cx, "", &i))
        .op("GetRoute", |at, i: &OfRoute| one(at, "GET", i), |cx, i| get::<Route>(cx, &i.api_id, "", &i.route_id))
        .op("UpdateRoute", |at, i: &Route| all(at, "PATCH", i.api_id.as_deref()), update)
        .op("DeleteRoute", |at, i: &OfRoute| one(at, "DELETE", i), delete)
        .op(
            "DeleteRouteRequestParameter",
            |at, i: &OfParameter| all(at, "DELETE", Some(&i.api_id)),
            delete_request_parameter,
        )
        .op("CreateRouteResponse", |at, i: &RouteResponse| all(at, "POST", i.api_id.as_deref()), create_response)
        .op(
            "GetRouteResponses",
            |at, i: &Listing| all(at, "GET", Some(&i.api_id)),
            |cx, i| list::<RouteResponse>(cx, i.route_id.as_deref().unwrap_or_default(), &i),
        )
        .op(
            "GetRouteResponse",
            |at, i: &OfResponse| all(at, "GET", Some(&i.api_id)),
            |cx, i| get::<RouteResponse>(cx, &i.api_id, &i.route_id, &i.route_response_id),
        )
        .op("UpdateRouteResponse", |at, i: &RouteResponse| all(at, "PATCH", i.api_id.as_deref()), update_response)
        .op(
            "DeleteRouteResponse",
            |at, i: &OfResponse| all(at, "DELETE", Some(&i.api_id)),
            |cx, i| remove::<RouteResponse>(cx, &i.api_id, &i.route_id, &i.route_response_id),
        )
}

fn all(at: &At<Apis>, method: &str, api: Option<&str>) -> Target {
    arn::on(at, method, format_args!("apis/{}/routes", api.unwrap_or_default()))
}

fn one(at: &At<Apis>, method: &str, of: &OfRoute) -> Target {
    arn::on(at, method, format_args!("apis/{}/routes/{}", of.api_id, of.route_id))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfRoute {
    api_id: String,
    route_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfParameter {
    api_id: String,
    route_id: String,
    request_parameter_key: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfResponse {
    api_id: String,
    route_id: String,
    route_response_id: String,
}

fn create(cx: &mut Cx<Apis>, mut input: Route) -> Result<Route> {
    let api_id = input.api_id.take().unwrap_or_default();
    let there = api(cx, &api_id)?;
    if there.routes.len() >= ROUTE_LIMIT {
        return Err(conflict("Route limit exceeded"));
    }
    check(there, &input, None)?;
    let id = new_part_id::<Route>(cx, &api_id)?;
    let route = Route {
        api_key_required: input.api_key_required.or(Some(false)),
        authorization_type: input.authorization_type.or_else(|| Some("NONE".to_owned())),
        route_id: Some(id.clone()),
        ..input
    };
    keep(cx, &api_id, &id, route)
}

/// One route for each key, and for an HTTP API keys of its form: `METHOD /path` or `$default`.
fn check(api: &Api, route: &Route, own: Option<&str>) -> Result<()> {
    let key = route.route_key.as_deref().unwrap_or_default();
    if !api.is_websocket() && key != super::apis::DEFAULT_ROUTE && !is_http_key(key) {
        return Err(bad_request(
            "The provided route key is not formatted properly for HTTP protocol. Format should be \"<HTTP METHOD> \
             /<RESOURCE PATH>\" or \"$default\"",
        ));
    }
    let taken = api.routes.iter().any(|(id, other)| own != Some(id) && other.route_key == route.route_key);
    if taken {
        return Err(conflict(format!("Route with key {key} already exists for this API")));
    }
    Ok(())
}

fn is_http_key(key: &str) -> bool {
    const METHODS: [&str; 8] = ["ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];
    key.split_once(' ').is_some_and(|(method, path)| METHODS.contains(&method) && path.starts_with('/'))
}

fn update(cx: &mut Cx<Apis>, mut input: Route) -> Result<Route> {
    let api_id = input.api_id.take().unwrap_or_default();
    let id = input.route_id.clone().unwrap_or_default();
    let merged = changed(&get::<Route>(cx, &api_id, "", &id)?, &input)?;
    if input.route_key.is_some() {
        check(api(cx, &api_id)?, &merged, Some(&id))?;
    }
    keep(cx, &api_id, &id, merged)
}

fn delete(cx: &mut Cx<Apis>, input: OfRoute) -> Result<()> {
    remove::<Route>(cx, &input.api_id, "", &input.route_id)?;
    let api = api(cx, &input.api_id)?;
    let responses = api.route_responses.iter().filter(|(_, r)| r.route_id.as_ref() != Some(&input.route_id));
    api.route_responses = responses.map(|(id, response)| (id.clone(), response.clone())).collect();
    Ok(())
}

fn delete_request_parameter(cx: &mut Cx<Apis>, input: OfParameter) -> Result<()> {
    let mut route = get::<Route>(cx, &input.api_id, "", &input.route_id)?;
    if let Some(parameters) = &mut route.request_parameters {
        parameters.remove(&input.request_parameter_key);
    }
    keep(cx, &input.api_id, &input.route_id, route).map(drop)
}

fn create_response(cx: &mut Cx<Apis>, mut input: RouteResponse) -> Result<RouteResponse> {
    let api_id = input.api_id.take().unwrap_or_default();
    let route_id = input.route_id.clone().unwrap_or_default();
    get::<Route>(cx, &api_id, "", &route_id)?;
    let there = api(cx, &api_id)?;
    let taken = there.route_responses.values().any(|other| {
        other.route_id.as_deref() == Some(&route_id) && other.route_response_key == input.route_response_key
    });
    if taken {
        return Err(conflict("Route response already exists for this route"));
    }
    let id = new_part_id::<RouteResponse>(cx, &api_id)?;
    keep(cx, &api_id, &id, RouteResponse { route_response_id: Some(id.clone()), ..input })
}

fn update_response(cx: &mut Cx<Apis>, mut input: RouteResponse) -> Result<RouteResponse> {
    let api_id = input.api_id.take().unwrap_or_default();
    let route_id = input.route_id.clone().unwrap_or_default();
    let id = input.route_response_id.clone().unwrap_or_default();
    let merged = changed(&get::<RouteResponse>(cx, &api_id, &route_id, &id)?, &input)?;
    keep(cx, &api_id, &id, merged)
}
