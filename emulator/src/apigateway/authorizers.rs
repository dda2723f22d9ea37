//! Authorizers: who decides who may call a method.

use serde::Deserialize;

use super::errors::{bad, conflict, not_found};
use super::page::{Page, page};
use super::patch::{Kind, PatchOperation, Rule, Wording, patched, rule};
use super::state::{Authorizer, Verdict};
use super::{RestApis, on};
use crate::Result;
use crate::cloud::{At, Cx, Service, Target};

/// The longest that an authorizer's answer may be used again, in seconds; the default is 300.
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_CreateAuthorizer.html>
const MAX_TTL: i64 = 3600;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<RestApis>) -> Service<RestApis> {
    service
        .op("CreateAuthorizer", |at, i: &CreateAuthorizer| all(at, "POST", &i.rest_api_id), create)
        .op("GetAuthorizer", |at, i: &OfAuthorizer| one(at, "GET", &i.rest_api_id, &i.authorizer_id), get)
        .op("GetAuthorizers", |at, i: &GetAuthorizers| all(at, "GET", &i.rest_api_id), list)
        .op("UpdateAuthorizer", |at, i: &UpdateAuthorizer| one(at, "PATCH", &i.rest_api_id, &i.authorizer_id), update)
        .op("DeleteAuthorizer", |at, i: &OfAuthorizer| one(at, "DELETE", &i.rest_api_id, &i.authorizer_id), delete)
        .event("Authorized", authorized)
        .event("VerdictOver", verdict_over)
}

fn all(at: &At<RestApis>, verb: &'static str, api: &str) -> Target {
    on(at, verb, format_args!("/restapis/{api}/authorizers"))
}

fn one(at: &At<RestApis>, verb: &'static str, api: &str, id: &str) -> Target {
    on(at, verb, format_args!("/restapis/{api}/authorizers/{id}"))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateAuthorizer {
    rest_api_id: String,
    name: String,
    r#type: String,
    #[serde(rename = "providerARNs")]
    provider_arns: Option<Vec<String>>,
    auth_type: Option<String>,
    authorizer_uri: Option<String>,
    authorizer_credentials: Option<String>,
    identity_source: Option<String>,
    identity_validation_expression: Option<String>,
    authorizer_result_ttl_in_seconds: Option<i64>,
}

fn create(cx: &mut Cx<RestApis>, input: CreateAuthorizer) -> Result<Authorizer> {
    let id = cx.ids().lower(6);
    let busy = "Unable to complete operation due to concurrent modification. Please try again later.";
    let api = cx.state.apis.get_mut(&input.rest_api_id).ok_or_else(|| conflict(busy))?;
    if api.content.authorizers.values().any(|other| other.name == input.name) {
        return Err(bad("Authorizer name must be unique"));
    }
    let lambda = input.r#type != "COGNITO_USER_POOLS";
    let authorizer = Authorizer {
        id: id.clone(),
        name: input.name,
        auth_type: input.auth_type.or_else(|| Some(if lambda { "custom" } else { "cognito_user_pools" }.to_owned())),
        kind: input.r#type,
        provider_arns: input.provider_arns,
        authorizer_uri: input.authorizer_uri,
        authorizer_credentials: input.authorizer_credentials,
        identity_source: input.identity_source,
        identity_validation_expression: input.identity_validation_expression,
        authorizer_result_ttl_in_seconds: input.authorizer_result_ttl_in_seconds.or_else(|| lambda.then_some(300)),
    };
    check(&authorizer)?;
    api.content.authorizers.insert(id, authorizer.clone());
    Ok(authorizer)
}

/// Whether an authorizer is one.
pub(super) fn check(authorizer: &Authorizer) -> Result<()> {
    let ttl = authorizer.authorizer_result_ttl_in_seconds.unwrap_or_default();
    if !(0..=MAX_TTL).contains(&ttl) {
        return Err(bad(format!("Authorizer result TTL must be between 0 and {MAX_TTL} seconds")));
    }
    match authorizer.kind.as_str() {
        "TOKEN" | "REQUEST" => {
            let uri = authorizer.authorizer_uri.as_deref().unwrap_or_default();
            if uri.is_empty() {
                return Err(bad("Invalid authorizer URI specified: URI must not be empty"));
            }
            if authorizer.kind == "REQUEST"
                && ttl > 0
                && authorizer.identity_source.as_deref().unwrap_or_default().is_empty()
            {
                return Err(bad(
                    "Identity source must be specified for authorizers of type REQUEST whose results are cached",
                ));
            }
            Ok(())
        }
        "COGNITO_USER_POOLS" => Ok(()),
        other => Err(bad(format!("Invalid authorizer type specified: {other}"))),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfAuthorizer {
    rest_api_id: String,
    authorizer_id: String,
}

pub(super) fn missing() -> crate::Error {
    not_found("Invalid Authorizer identifier specified")
}

fn get(cx: &mut Cx<RestApis>, input: OfAuthorizer) -> Result<Authorizer> {
    let authorizers = &cx.state.api(cx.scope, &input.rest_api_id)?.content.authorizers;
    authorizers.get(&input.authorizer_id).cloned().ok_or_else(missing)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GetAuthorizers {
    rest_api_id: String,
    position: Option<String>,
    limit: Option<i64>,
}

fn list(cx: &mut Cx<RestApis>, input: GetAuthorizers) -> Result<Page<Authorizer>> {
    let authorizers = &cx.state.api(cx.scope, &input.rest_api_id)?.content.authorizers;
    Ok(page(authorizers, input.position.as_ref(), input.limit, |authorizer| Some(authorizer.clone())))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UpdateAuthorizer {
    rest_api_id: String,
    authorizer_id: String,
    #[serde(default)]
    patch_operations: Vec<PatchOperation>,
}

const RULES: &[Rule] = &[
    rule("/name", "replace", Kind::Text),
    rule("/type", "replace", Kind::Text),
    rule("/authType", "replace", Kind::Text),
    rule("/authorizerUri", "replace", Kind::Text),
    rule("/authorizerCredentials", "replace", Kind::Text),
    rule("/identitySource", "replace", Kind::Text),
    rule("/identityValidationExpression", "replace", Kind::Text),
    rule("/authorizerResultTtlInSeconds", "replace", Kind::Int),
    rule("/providerARNs", "add remove", Kind::List),
    rule("/providerARNs/*", "add remove", Kind::Element),
];

fn update(cx: &mut Cx<RestApis>, input: UpdateAuthorizer) -> Result<Authorizer> {
    let api = cx.state.api_mut(cx.scope, &input.rest_api_id)?;
    let authorizer = api.content.authorizers.get_mut(&input.authorizer_id).ok_or_else(missing)?;
    let new: Authorizer = patched(authorizer, &input.patch_operations, RULES, Wording::Plain)?;
    check(&new)?;
    *authorizer = new;
    Ok(authorizer.clone())
}

fn delete(cx: &mut Cx<RestApis>, input: OfAuthorizer) -> Result<()> {
    let content = &mut cx.state.api_mut(cx.scope, &input.rest_api_id)?.content;
    let id = &input.authorizer_id;
    if !content.authorizers.contains_key(id) {
        return Err(missing());
    }
    let mut methods = content.resources.values().flat_map(|resource| resource.methods.values());
    if methods.any(|method| method.authorizer_id.as_ref() == Some(id)) {
        return Err(conflict(format!("Cannot delete authorizer '{id}', is referenced in method")));
    }
    content.authorizers.remove(id);
    Ok(())
}

/// An authorizer answered: the event that requests bring about.
fn authorized(cx: &mut Cx<RestApis>, event: &str) -> Result<()> {
    #[derive(Deserialize)]
    struct Authorized {
        key: String,
        answer: serde_json::Value,
        ttl: i64,
    }
    let authorized: Authorized = serde_json::from_str(event).map_err(crate::Error::internal)?;
    let until = cx.now + std::time::Duration::from_secs(u64::try_from(authorized.ttl).unwrap_or_default());
    cx.set_timer("VerdictOver", authorized.key.as_str(), until);
    cx.state.verdicts.insert(authorized.key, Verdict { answer: authorized.answer, until });
    Ok(())
}

/// An answer may not be used again: the event of its timer.
fn verdict_over(cx: &mut Cx<RestApis>, key: &str) -> Result<()> {
    if cx.state.verdicts.get(key).is_some_and(|verdict| verdict.until <= cx.now) {
        cx.state.verdicts.remove(key);
    }
    Ok(())
}
