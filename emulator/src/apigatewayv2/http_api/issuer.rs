//! Issuers of tokens: their keys, fetched from where HTTP integrations may reach, and kept.
//!
//! <https://openid.net/specs/openid-connect-discovery-1_0.html>, section 4

use std::time::Duration;

use bytes::Bytes;
use http::{Request, header};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::Apis;
use super::super::state::IssuerKeys;
use crate::cloud::{Cx, Inner, Scope, Service};
use crate::execute_api::outside;
use crate::{Error, Result};

/// How long keys are kept.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html>
const KEPT: Duration = Duration::from_secs(2 * 3600);
/// How long an issuer has to answer each of the two questions, and how much it may say.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>
const TIME: Duration = Duration::from_millis(1500);
const SIZE: usize = 150_000;

/// Why there is no key, as AWS tells the client.
const NO_DISCOVERY: &str = "OIDC discovery endpoint communication error";
const NO_KEYS: &str = "JWKS communication error";

/// Adds the event of this file.
pub(crate) fn operations(service: Service<Apis>) -> Service<Apis> {
    service.event("KeysFetched", fetched)
}

#[derive(Serialize, Deserialize)]
struct Fetched {
    issuer: String,
    keys: Value,
}

/// The keys that have run out make room.
fn fetched(cx: &mut Cx<Apis>, report: &str) -> Result<()> {
    let Fetched { issuer, keys } = serde_json::from_str(report)?;
    let (now, until) = (cx.now, cx.now + KEPT);
    let there = cx.state.issuers.iter().filter(|(_, there)| there.until > now);
    cx.state.issuers = there.map(|(name, there)| (name.clone(), there.clone())).collect();
    cx.state.issuers.insert(issuer, IssuerKeys { keys, until });
    Ok(())
}

/// The key of an issuer with this id, as a JSON Web Key. One that is not among those that are kept is looked for at the issuer.
pub(super) async fn key(inner: &Inner, scope: &Scope, issuer: &str, id: &str) -> Result<Value, &'static str> {
    if let Some(found) = kept(inner, scope, issuer).and_then(|keys| of(&keys, id)) {
        return Ok(found);
    }
    let keys = fetch(inner, issuer).await?;
    let found = of(&keys, id);
    let told = serde_json::to_string(&Fetched { issuer: issuer.to_owned(), keys }).map_err(Error::from);
    if let Err(error) = told.and_then(|report| inner.event("apigatewayv2", scope, "KeysFetched", &report)) {
        tracing::error!(%error, "the keys of an issuer could not be kept");
    }
    found.ok_or("the issuer has no key with the token's kid")
}

fn kept(inner: &Inner, scope: &Scope, issuer: &str) -> Option<Value> {
    let now = inner.clock.now();
    let apis = inner.running::<Apis>("apigatewayv2")?;
    apis.find(|place, apis| {
        let there = apis.issuers.get(issuer).filter(|there| place == scope && there.until > now)?;
        Some(there.keys.clone())
    })
}

fn of(keys: &Value, id: &str) -> Option<Value> {
    keys["keys"].as_array()?.iter().find(|key| key["kid"] == id).cloned()
}

async fn fetch(inner: &Inner, issuer: &str) -> Result<Value, &'static str> {
    let discovery = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let configuration = get(inner, &discovery).await.ok_or(NO_DISCOVERY)?;
    let Some(uri) = configuration["jwks_uri"].as_str() else {
        tracing::warn!(discovery, "an issuer does not say where its keys are: jwks_uri");
        return Err(NO_DISCOVERY);
    };
    get(inner, uri).await.ok_or(NO_KEYS)
}

/// The JSON at a URI.
async fn get(inner: &Inner, uri: &str) -> Option<Value> {
    let request = Request::get(uri).header(header::ACCEPT, "application/json").body(Bytes::new()).ok();
    let Some(request) = request else {
        tracing::warn!(uri, "an issuer's address is no URL");
        return None;
    };
    let answer = match inner.within(TIME, Box::pin(outside::send(inner, request))).await {
        Some(Ok(answer)) => answer,
        Some(Err(halt)) => {
            tracing::warn!(uri, ?halt, "the issuer of a JWT authorizer could not be asked");
            return None;
        }
        None => {
            tracing::warn!(uri, limit = ?TIME, "the issuer of a JWT authorizer did not answer in time");
            return None;
        }
    };
    let body = answer.body();
    let read =
        (answer.status().is_success() && body.len() <= SIZE).then(|| serde_json::from_slice(body).ok()).flatten();
    if read.is_none() {
        tracing::warn!(uri, status = %answer.status(), "the issuer of a JWT authorizer answered no JSON that can be used");
    }
    read
}
