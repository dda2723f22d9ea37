//! `AssumeRoleWithWebIdentity`: a role for whom an OpenID Connect provider vouches for. A token's claims count as they stand in
//! it; its signature is not verified, for the provider's keys are in the internet.
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html>

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Tokens;
use super::assume::{AssumeRoleAnswer, account_of_role};
use super::session::{PolicyArn, Tag};
use super::vouched::{Vouched, begin};
use crate::cloud::{At, Cx, Target};
use crate::{Error, Result};

/// Providers that need not be made in an account.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>
const KNOWN: [&str; 2] = ["accounts.google.com", "cognito-identity.amazonaws.com"];
/// The claims that hold tags of the session, and who began it.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html>
const TAGS: &str = "https://aws.amazon.com/tags";
const SOURCE: &str = "https://aws.amazon.com/source_identity";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AssumeWithWebIdentity {
    role_arn: String,
    role_session_name: String,
    web_identity_token: String,
    provider_id: Option<String>,
    #[serde(default)]
    policy_arns: Vec<PolicyArn>,
    policy: Option<String>,
    duration_seconds: Option<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WebIdentityAnswer {
    #[serde(flatten)]
    begun: AssumeRoleAnswer,
    subject_from_web_identity_token: String,
    provider: String,
    audience: String,
}

/// The role. The operation decides by itself, for the trust policy is IAM's and not STS's.
pub(super) fn target(_: &At<Tokens>, input: &AssumeWithWebIdentity) -> Target {
    Target { open: true, ..Target::on(&*input.role_arn) }
}

fn invalid(message: impl Into<String>) -> Error {
    Error::client("InvalidIdentityToken", message)
}

/// What a token claims. One that is no JWT is for Amazon or Facebook, who would have to be asked.
fn claims(token: &str) -> Result<Value> {
    let parts: Vec<&str> = token.split('.').collect();
    let read = |part: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).ok()?).ok();
    let found = match parts.as_slice() {
        [head, claims, _] => read(head).and_then(|_| read(claims)).filter(Value::is_object),
        _ => None,
    };
    found.ok_or_else(|| {
        invalid("The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")
    })
}

/// A claim that is a text, or a list of texts.
fn texts(claim: &Value) -> Vec<String> {
    match claim {
        Value::String(one) => vec![one.clone()],
        Value::Array(many) => many.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

fn claim<'a>(claims: &'a Value, name: &str) -> Result<&'a str> {
    claims[name].as_str().ok_or_else(|| invalid(format!("Missing a required claim: {name}")))
}

pub(super) fn assume(cx: &mut Cx<Tokens>, input: AssumeWithWebIdentity) -> Result<WebIdentityAnswer> {
    if let Some(provider) = &input.provider_id {
        return Err(Error::not_implemented(format!("access tokens of {provider}")));
    }
    let account = account_of_role(&input.role_arn)?;
    let claims = claims(&input.web_identity_token)?;
    let (issuer, subject) = (claim(&claims, "iss")?, claim(&claims, "sub")?.to_owned());
    let audiences = texts(&claims["aud"]);
    let name = issuer.strip_prefix("https://").or_else(|| issuer.strip_prefix("http://")).unwrap_or(issuer);
    let name = name.trim_end_matches('/');
    let (provider, audience) = provider(cx, &account, issuer, name, &audiences)?;
    expires(cx, &claims)?;
    let mut keys =
        vec![(format!("{name}:aud"), vec![audience.clone()]), (format!("{name}:sub"), vec![subject.clone()])];
    let amr = texts(&claims["amr"]);
    if !amr.is_empty() {
        keys.push((format!("{name}:amr"), amr));
    }
    let vouched = Vouched {
        operation: "AssumeRoleWithWebIdentity",
        role_arn: input.role_arn,
        session_name: input.role_session_name,
        provider: provider.clone(),
        keys,
        policy: input.policy,
        policy_arns: input.policy_arns,
        duration: input.duration_seconds,
        tags: tags(&claims[TAGS]["principal_tags"]),
        transitive: texts(&claims[TAGS]["transitive_tag_keys"]),
        source_identity: claims[SOURCE].as_str().map(str::to_owned),
    };
    let begun = begin(cx, &account, vouched)?;
    Ok(WebIdentityAnswer { begun, subject_from_web_identity_token: subject, provider, audience })
}

/// The provider as policies name it, and whom the token is for.
fn provider(
    cx: &Cx<Tokens>,
    account: &str,
    issuer: &str,
    name: &str,
    audiences: &[String],
) -> Result<(String, String)> {
    let wrong_audience = || invalid("Incorrect token audience");
    if KNOWN.contains(&name) {
        return Ok((name.to_owned(), audiences.first().cloned().ok_or_else(wrong_audience)?));
    }
    let found = cx.access().directory().oidc_provider(account, issuer);
    let (arn, clients) =
        found.ok_or_else(|| invalid(format!("No OpenIDConnect provider found in your account for {issuer}")))?;
    let audience = audiences.iter().find(|audience| clients.contains(audience)).cloned();
    Ok((arn, audience.ok_or_else(wrong_audience)?))
}

fn expires(cx: &Cx<Tokens>, claims: &Value) -> Result<()> {
    let end = claims["exp"].as_i64().ok_or_else(|| invalid("Missing a required claim: exp"))?;
    let now = cx.now.secs();
    if now < end {
        return Ok(());
    }
    let text = format!("Token expired: current date/time {now} must be before the expiration date/time {end}");
    Err(Error::client("ExpiredTokenException", text))
}

/// Each tag is a list of one value.
fn tags(claim: &Value) -> Vec<Tag> {
    let pairs = claim.as_object().into_iter().flatten();
    let tag = |(key, values): (&String, &Value)| {
        texts(values).first().map(|value| Tag { key: key.clone(), value: value.clone() })
    };
    pairs.filter_map(tag).collect()
}
