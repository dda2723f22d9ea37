//! Gateway responses: how the gateway itself answers, by the kind of error.

use imbl::OrdMap;
use serde::Deserialize;

use super::errors::{bad, not_found};
use super::page::Page;
use super::patch::{Kind, PatchOperation, Rule, Wording, patched, rule};
use super::state::{Content, GatewayResponse};
use super::{RestApis, on};
use crate::Result;
use crate::cloud::{At, Cx, Service, Target};

/// What the gateway answers if nothing else is said.
const TEMPLATE: &str = "{\"message\":$context.error.messageString}";

/// The kinds of answers, with their statuses; the two defaults have none of their own.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html>
pub(crate) const TYPES: &[(&str, Option<u16>)] = &[
    ("ACCESS_DENIED", Some(403)),
    ("API_CONFIGURATION_ERROR", Some(500)),
    ("AUTHORIZER_CONFIGURATION_ERROR", Some(500)),
    ("AUTHORIZER_FAILURE", Some(500)),
    ("BAD_REQUEST_BODY", Some(400)),
    ("BAD_REQUEST_PARAMETERS", Some(400)),
    ("DEFAULT_4XX", None),
    ("DEFAULT_5XX", None),
    ("EXPIRED_TOKEN", Some(403)),
    ("INTEGRATION_FAILURE", Some(504)),
    ("INTEGRATION_TIMEOUT", Some(504)),
    ("INVALID_API_KEY", Some(403)),
    ("INVALID_SIGNATURE", Some(403)),
    ("MISSING_AUTHENTICATION_TOKEN", Some(403)),
    ("QUOTA_EXCEEDED", Some(429)),
    ("REQUEST_TOO_LARGE", Some(413)),
    ("RESOURCE_NOT_FOUND", Some(404)),
    ("THROTTLED", Some(429)),
    ("UNAUTHORIZED", Some(401)),
    ("UNSUPPORTED_MEDIA_TYPE", Some(415)),
    ("WAF_FILTERED", Some(403)),
];

/// Adds the operations of this file.
pub(super) fn operations(service: Service<RestApis>) -> Service<RestApis> {
    service
        .op("PutGatewayResponse", |at, i: &Put| one(at, "PUT", &i.rest_api_id, &i.response_type), put)
        .op("GetGatewayResponse", |at, i: &OfOne| one(at, "GET", &i.rest_api_id, &i.response_type), get)
        .op(
            "GetGatewayResponses",
            |at, i: &List| on(at, "GET", format_args!("/restapis/{}/gatewayresponses", i.rest_api_id)),
            list,
        )
        .op("UpdateGatewayResponse", |at, i: &Update| one(at, "PATCH", &i.rest_api_id, &i.response_type), update)
        .op("DeleteGatewayResponse", |at, i: &OfOne| one(at, "DELETE", &i.rest_api_id, &i.response_type), delete)
}

fn one(at: &At<RestApis>, verb: &'static str, api: &str, kind: &str) -> Target {
    on(at, verb, format_args!("/restapis/{api}/gatewayresponses/{kind}"))
}

/// The answer of a kind, as it was set or as it is if nothing was: a kind without an answer of its own has the one of its class.
pub(crate) fn response(content: &Content, kind: &str) -> GatewayResponse {
    if let Some(set) = content.responses.get(kind) {
        return set.clone();
    }
    let own = usual_status(kind);
    let class = own.as_ref().map(|status| if status.starts_with('4') { "DEFAULT_4XX" } else { "DEFAULT_5XX" });
    let general = class.and_then(|class| content.responses.get(class)).cloned();
    match general {
        Some(general) => GatewayResponse {
            response_type: kind.to_owned(),
            status_code: general.status_code.or(own),
            default_response: true,
            ..general
        },
        None => GatewayResponse {
            response_type: kind.to_owned(),
            status_code: own,
            response_parameters: OrdMap::new(),
            response_templates: OrdMap::unit("application/json".to_owned(), TEMPLATE.to_owned()),
            default_response: true,
        },
    }
}

/// The status of a kind of which no other is set.
pub(crate) fn usual_status(kind: &str) -> Option<String> {
    let (_, status) = TYPES.iter().find(|(name, _)| *name == kind)?;
    status.map(|status| status.to_string())
}

/// An answer as it is shown: always with its status, be it set or not.
fn shown(mut response: GatewayResponse) -> GatewayResponse {
    response.status_code = response.status_code.or_else(|| usual_status(&response.response_type));
    response
}

fn known(kind: &str) -> Result<()> {
    if TYPES.iter().any(|(name, _)| *name == kind) {
        return Ok(());
    }
    Err(not_found("Gateway response type not defined on api"))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Put {
    rest_api_id: String,
    response_type: String,
    status_code: Option<String>,
    response_parameters: Option<OrdMap<String, String>>,
    response_templates: Option<OrdMap<String, Option<String>>>,
}

fn put(cx: &mut Cx<RestApis>, input: Put) -> Result<GatewayResponse> {
    let content = &mut cx.state.api_mut(cx.scope, &input.rest_api_id)?.content;
    known(&input.response_type)?;
    let templates = input.response_templates.unwrap_or_default();
    let templates: OrdMap<String, String> =
        templates.into_iter().filter_map(|(kind, text)| Some((kind, text?))).collect();
    let set = GatewayResponse {
        response_type: input.response_type.clone(),
        status_code: input.status_code,
        response_parameters: input.response_parameters.unwrap_or_default(),
        response_templates: if templates.is_empty() {
            OrdMap::unit("application/json".to_owned(), TEMPLATE.to_owned())
        } else {
            templates
        },
        default_response: false,
    };
    content.responses.insert(input.response_type, set.clone());
    Ok(shown(set))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfOne {
    rest_api_id: String,
    response_type: String,
}

fn get(cx: &mut Cx<RestApis>, input: OfOne) -> Result<GatewayResponse> {
    let content = &cx.state.api(cx.scope, &input.rest_api_id)?.content;
    known(&input.response_type)?;
    Ok(shown(response(content, &input.response_type)))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct List {
    rest_api_id: String,
    position: Option<String>,
    limit: Option<i64>,
}

/// All kinds, set or not. They are few, so that there is one page unless a smaller one is asked for.
fn list(cx: &mut Cx<RestApis>, input: List) -> Result<Page<GatewayResponse>> {
    let content = &cx.state.api(cx.scope, &input.rest_api_id)?.content;
    let limit = usize::try_from(input.limit.unwrap_or(i64::MAX).max(1)).unwrap_or(usize::MAX);
    let after = |name: &str| input.position.as_deref().is_none_or(|position| name > position);
    let mut rest = TYPES.iter().map(|(name, _)| *name).filter(|name| after(name));
    let items: Vec<GatewayResponse> = rest.by_ref().take(limit).map(|kind| shown(response(content, kind))).collect();
    let position = rest.next().and_then(|_| items.last()).map(|last| last.response_type.clone());
    Ok(Page { items, position })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Update {
    rest_api_id: String,
    response_type: String,
    #[serde(default)]
    patch_operations: Vec<PatchOperation>,
}

const RULES: &[Rule] = &[
    rule("/statusCode", "replace", Kind::Text),
    rule("/responseParameters/*", "add remove replace", Kind::Text).or("Invalid parameter name specified"),
    rule("/responseTemplates/*", "add remove replace", Kind::Text).or("Content-Type specified was not found"),
];

fn update(cx: &mut Cx<RestApis>, input: Update) -> Result<GatewayResponse> {
    let content = &mut cx.state.api_mut(cx.scope, &input.rest_api_id)?.content;
    known(&input.response_type)?;
    for operation in &input.patch_operations {
        let path = operation.segments();
        let map = path.first().map(String::as_str).unwrap_or_default();
        if map == "statusCode" && operation.op() != "replace" {
            return Err(bad("Invalid patch path /statusCode"));
        }
        if operation.op() != "remove" && operation.value.as_deref().unwrap_or_default().is_empty() && path.len() == 2 {
            return Err(bad(format!("Invalid null or empty value in {map}")));
        }
    }
    let mut old = response(content, &input.response_type);
    if old.default_response {
        old.status_code = None;
    }
    let mut new: GatewayResponse = patched(&old, &input.patch_operations, RULES, Wording::Plain)?;
    new.default_response = false;
    content.responses.insert(input.response_type, new.clone());
    Ok(shown(new))
}

fn delete(cx: &mut Cx<RestApis>, input: OfOne) -> Result<()> {
    let content = &mut cx.state.api_mut(cx.scope, &input.rest_api_id)?.content;
    let removed = content.responses.remove(&input.response_type);
    removed.map(|_| ()).ok_or_else(|| not_found("Gateway response type not defined on api"))
}
