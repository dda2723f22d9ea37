//! Integrations: what methods do with requests, and how answers come back.

use imbl::OrdMap;
use serde::Deserialize;

use super::errors::{bad, not_found};
use super::methods::{OfMethod, OfResponse, content, target};
use super::patch::{Kind, PatchOperation, Rule, Wording, patched, rule};
use super::state::{Integration, IntegrationResponse, Method, TlsConfig};
use super::{RestApis, on};
use crate::cloud::{At, Cx, Service, Target};
use crate::{Error, Result};

/// The longest that an integration may take, in milliseconds, if nothing else is said; and the shortest that may be said.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>
pub(super) const DEFAULT_TIMEOUT: i64 = 29_000;
const MIN_TIMEOUT: i64 = 50;
/// What Lambda's integrations begin with, after the region.
const LAMBDA_PATH: &str = "lambda:path/2015-03-31/functions/";

/// Adds the operations of this file.
pub(super) fn operations(service: Service<RestApis>) -> Service<RestApis> {
    service
        .op(
            "PutIntegration",
            |at, i: &PutIntegration| of(at, "PUT", &i.rest_api_id, &i.resource_id, &i.http_method),
            put,
        )
        .op("GetIntegration", |at, i: &OfMethod| of(at, "GET", &i.rest_api_id, &i.resource_id, &i.http_method), get)
        .op(
            "DeleteIntegration",
            |at, i: &OfMethod| of(at, "DELETE", &i.rest_api_id, &i.resource_id, &i.http_method),
            delete,
        )
        .op(
            "UpdateIntegration",
            |at, i: &UpdateIntegration| of(at, "PATCH", &i.rest_api_id, &i.resource_id, &i.http_method),
            update,
        )
        .op(
            "PutIntegrationResponse",
            |at, i: &PutResponse| target(at, "PUT", &i.rest_api_id, &i.resource_id, &i.http_method),
            put_response,
        )
        .op("GetIntegrationResponse", |at, i: &OfResponse| on_response(at, "GET", i), get_response)
        .op("DeleteIntegrationResponse", |at, i: &OfResponse| on_response(at, "DELETE", i), delete_response)
        .op(
            "UpdateIntegrationResponse",
            |at, i: &UpdateResponse| target(at, "PATCH", &i.rest_api_id, &i.resource_id, &i.http_method),
            update_response,
        )
}

fn of(at: &At<RestApis>, verb: &'static str, api: &str, resource: &str, method: &str) -> Target {
    on(at, verb, format_args!("/restapis/{api}/resources/{resource}/methods/{method}/integration"))
}

fn on_response(at: &At<RestApis>, verb: &'static str, of: &OfResponse) -> Target {
    target(at, verb, &of.rest_api_id, &of.resource_id, &of.http_method)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PutIntegration {
    rest_api_id: String,
    resource_id: String,
    http_method: String,
    r#type: String,
    integration_http_method: Option<String>,
    uri: Option<String>,
    connection_type: Option<String>,
    connection_id: Option<String>,
    credentials: Option<String>,
    request_parameters: Option<OrdMap<String, String>>,
    request_templates: Option<OrdMap<String, Option<String>>>,
    passthrough_behavior: Option<String>,
    cache_namespace: Option<String>,
    cache_key_parameters: Option<Vec<String>>,
    content_handling: Option<String>,
    timeout_in_millis: Option<i64>,
    tls_config: Option<TlsConfig>,
}

fn put(cx: &mut Cx<RestApis>, input: PutIntegration) -> Result<Integration> {
    let resource_id = input.resource_id.clone();
    let account = cx.scope.account.to_string();
    let content = content(cx, &input.rest_api_id)?;
    let method = content.resource_mut(&input.resource_id)?.method_mut(&input.http_method)?;
    let http = input.r#type.starts_with("HTTP");
    let integration = Integration {
        http_method: input.integration_http_method.filter(|_| input.r#type != "MOCK"),
        uri: input.uri.filter(|_| input.r#type != "MOCK"),
        connection_type: input.connection_type.or_else(|| http.then(|| "INTERNET".to_owned())),
        connection_id: input.connection_id,
        credentials: input.credentials,
        request_parameters: input.request_parameters,
        request_templates: input.request_templates,
        passthrough_behavior: input.passthrough_behavior.unwrap_or_else(|| "WHEN_NO_MATCH".to_owned()),
        content_handling: input.content_handling,
        timeout_in_millis: input.timeout_in_millis.unwrap_or(DEFAULT_TIMEOUT),
        cache_namespace: input.cache_namespace.unwrap_or(resource_id),
        cache_key_parameters: input.cache_key_parameters.unwrap_or_default(),
        integration_responses: OrdMap::new(),
        tls_config: input.tls_config,
        kind: input.r#type,
    };
    let owner = integration.credentials.as_deref().and_then(|role| role.split(':').nth(4)).unwrap_or_default();
    if owner.parse::<u64>().is_ok() && owner != account {
        return Err(Error::new(403, "AccessDeniedException", "Cross-account pass role is not allowed."));
    }
    check(&integration)?;
    // Only a function has a policy that could let API Gateway itself call it.
    let function = integration.uri.as_deref().unwrap_or_default().contains(":lambda:");
    let role = integration.credentials.as_deref().is_some_and(|role| !role.is_empty());
    if integration.kind == "AWS" && !function && !role {
        return Err(bad("Role ARN must be specified for AWS integrations"));
    }
    method.method_integration = Some(integration.clone());
    Ok(integration)
}

/// Whether an integration is one.
pub(super) fn check(integration: &Integration) -> Result<()> {
    let kind = integration.kind.as_str();
    if kind != "MOCK" && integration.http_method.as_deref().unwrap_or_default().is_empty() {
        return Err(bad("Enumeration value for HttpMethod must be non-empty"));
    }
    let uri = integration.uri.as_deref().unwrap_or_default();
    match kind {
        "HTTP" | "HTTP_PROXY" if integration.connection_type.as_deref() != Some("VPC_LINK") => {
            let variable = uri.contains("${");
            if !variable && !uri.starts_with("http://") && !uri.starts_with("https://") {
                return Err(bad("Invalid HTTP endpoint specified for URI"));
            }
        }
        "AWS" | "AWS_PROXY" => check_arn(kind, uri)?,
        _ => {}
    }
    if integration.timeout_in_millis < MIN_TIMEOUT {
        return Err(bad(format!("Timeout should be between {MIN_TIMEOUT} ms and {DEFAULT_TIMEOUT} ms")));
    }
    for (to, expression) in integration.request_parameters.iter().flatten() {
        if !to.starts_with("integration.request.") || !mapping(expression) {
            return Err(bad(format!(
                "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression \
                 specified: {}]",
                if mapping(expression) { to } else { expression }
            )));
        }
    }
    Ok(())
}

/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-parameter-mapping.html>
fn mapping(expression: &str) -> bool {
    let constant = expression.len() >= 2 && expression.starts_with('\'') && expression.ends_with('\'');
    constant || ["method.request.", "context.", "stageVariables."].iter().any(|from| expression.starts_with(from))
}

/// `arn:aws:apigateway:{region}:{service}:path/…` or `…:action/…`.
fn check_arn(kind: &str, uri: &str) -> Result<()> {
    let parts: Vec<&str> = uri.splitn(6, ':').collect();
    let [arn, _, _, _, service, rest] = parts[..] else {
        return Err(bad(if uri.starts_with("arn:") {
            "AWS ARN for integration must contain path or action"
        } else {
            "Invalid ARN specified in the request"
        }));
    };
    if arn != "arn" {
        return Err(bad("Invalid ARN specified in the request"));
    }
    if !rest.starts_with("path/") && !rest.starts_with("action/") {
        return Err(bad("AWS ARN for integration must contain path or action"));
    }
    let lambda = uri.contains(LAMBDA_PATH) || uri.contains("${");
    let firehose = service == "firehose" && rest.starts_with("action/");
    if kind == "AWS_PROXY" && !lambda && !firehose {
        return Err(bad(
            "Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream invocations.",
        ));
    }
    if kind == "AWS_PROXY" && firehose {
        return Err(Error::not_implemented("Firehose as an AWS_PROXY integration of API Gateway"));
    }
    Ok(())
}

fn method_mut<'a>(cx: &'a mut Cx<RestApis>, api: &str, resource: &str, method: &str) -> Result<&'a mut Method> {
    content(cx, api)?.resource_mut(resource)?.method_mut(method)
}

fn get(cx: &mut Cx<RestApis>, input: OfMethod) -> Result<Integration> {
    method_mut(cx, &input.rest_api_id, &input.resource_id, &input.http_method)?.integration().cloned()
}

fn delete(cx: &mut Cx<RestApis>, input: OfMethod) -> Result<()> {
    let method = method_mut(cx, &input.rest_api_id, &input.resource_id, &input.http_method)?;
    method.integration()?;
    method.method_integration = None;
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UpdateIntegration {
    rest_api_id: String,
    resource_id: String,
    http_method: String,
    #[serde(default)]
    patch_operations: Vec<PatchOperation>,
}

const RULES: &[Rule] = &[
    rule("/type", "replace", Kind::Text),
    rule("/uri", "replace", Kind::Text),
    rule("/httpMethod", "replace", Kind::Text),
    rule("/credentials", "replace", Kind::Text),
    rule("/passthroughBehavior", "replace", Kind::Text),
    rule("/contentHandling", "replace", Kind::Text),
    rule("/timeoutInMillis", "replace", Kind::Int),
    rule("/connectionType", "replace", Kind::Text),
    rule("/connectionId", "replace", Kind::Text),
    rule("/cacheNamespace", "replace", Kind::Text),
    rule("/cacheKeyParameters/*", "add remove replace", Kind::Element),
    rule("/tlsConfig/insecureSkipVerification", "replace", Kind::Bool),
    rule("/requestParameters/*", "add remove replace", Kind::Text).or("Invalid parameter name specified"),
    rule("/requestTemplates/*", "add remove replace", Kind::Text),
];

fn update(cx: &mut Cx<RestApis>, input: UpdateIntegration) -> Result<Integration> {
    let method = method_mut(cx, &input.rest_api_id, &input.resource_id, &input.http_method)?;
    let new: Integration = patched(method.integration()?, &input.patch_operations, RULES, Wording::Plain)?;
    check(&new)?;
    method.method_integration = Some(new.clone());
    Ok(new)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PutResponse {
    rest_api_id: String,
    resource_id: String,
    http_method: String,
    status_code: String,
    selection_pattern: Option<String>,
    response_parameters: Option<OrdMap<String, String>>,
    response_templates: Option<OrdMap<String, Option<String>>>,
    content_handling: Option<String>,
}

fn put_response(cx: &mut Cx<RestApis>, input: PutResponse) -> Result<IntegrationResponse> {
    let method = method_mut(cx, &input.rest_api_id, &input.resource_id, &input.http_method)?;
    let declared = method.method_responses.get(&input.status_code).cloned();
    let integration = method.integration_mut()?;
    for to in input.response_parameters.iter().flat_map(|parameters| parameters.keys()) {
        let parameters = declared.as_ref().and_then(|declared| declared.response_parameters.as_ref());
        if !parameters.is_some_and(|parameters| parameters.contains_key(to)) {
            return Err(bad(format!("Invalid mapping expression parameter specified: {to}")));
        }
    }
    for content_type in input.response_templates.iter().flat_map(|templates| templates.keys()) {
        if !content_type.contains('/') && content_type != "$default" {
            return Err(bad(format!(
                "Validation Result: warnings : [], errors : [Invalid content type specified: {content_type}]"
            )));
        }
    }
    let response = IntegrationResponse {
        status_code: input.status_code.clone(),
        selection_pattern: input.selection_pattern,
        response_parameters: input.response_parameters,
        // A template without a text passes what comes.
        response_templates: input.response_templates.map(|templates| {
            templates.into_iter().map(|(kind, text)| (kind, text.filter(|text| !text.is_empty()))).collect()
        }),
        content_handling: input.content_handling,
    };
    integration.integration_responses.insert(input.status_code, response.clone());
    Ok(response)
}

fn response<'a>(cx: &'a mut Cx<RestApis>, of: &OfResponse) -> Result<&'a mut IntegrationResponse> {
    let method = method_mut(cx, &of.rest_api_id, &of.resource_id, &of.http_method)?;
    let found = method.integration_mut()?.integration_responses.get_mut(&of.status_code);
    found.ok_or_else(|| not_found("Invalid Response status code specified"))
}

fn get_response(cx: &mut Cx<RestApis>, input: OfResponse) -> Result<IntegrationResponse> {
    response(cx, &input).cloned()
}

fn delete_response(cx: &mut Cx<RestApis>, input: OfResponse) -> Result<()> {
    // A method that does not exist has no integration.
    let resource = content(cx, &input.rest_api_id)?.resource(&input.resource_id)?;
    if !resource.methods.contains_key(&input.http_method) {
        return Err(not_found("Invalid Integration identifier specified"));
    }
    response(cx, &input)?;
    let method = method_mut(cx, &input.rest_api_id, &input.resource_id, &input.http_method)?;
    method.integration_mut()?.integration_responses.remove(&input.status_code);
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UpdateResponse {
    rest_api_id: String,
    resource_id: String,
    http_method: String,
    status_code: String,
    #[serde(default)]
    patch_operations: Vec<PatchOperation>,
}

const RESPONSE_RULES: &[Rule] = &[
    rule("/selectionPattern", "replace", Kind::Text),
    rule("/contentHandling", "replace", Kind::Text),
    rule("/responseParameters/*", "add remove replace", Kind::Text).or("Invalid parameter name specified"),
    rule("/responseTemplates/*", "add remove replace", Kind::Text),
];

fn update_response(cx: &mut Cx<RestApis>, input: UpdateResponse) -> Result<IntegrationResponse> {
    let of = OfResponse {
        rest_api_id: input.rest_api_id,
        resource_id: input.resource_id,
        http_method: input.http_method,
        status_code: input.status_code,
    };
    let response = response(cx, &of)?;
    *response = patched(response, &input.patch_operations, RESPONSE_RULES, Wording::Plain)?;
    Ok(response.clone())
}
