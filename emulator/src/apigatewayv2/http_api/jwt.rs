//! JWT authorizers: whether a request has a token that lets it in.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html>

use bytes::Bytes;
use http::header::WWW_AUTHENTICATE;
use http::{HeaderValue, Response};
use serde_json::{Value, json};

use super::super::authorize::Sources;
use super::super::parameters;
use super::super::state::{Authorizer, JwtConfiguration};
use super::token::Token;
use super::{Routed, issuer, response};

/// Where tokens are, if nothing else is said.
const SOURCE: &str = "$request.header.Authorization";
/// What may stand before one.
const BEARER: &str = "bearer";

/// Why a request is not let in.
pub(super) enum Refused {
    /// It has no token.
    Unknown,
    /// Its token is not good, for this reason.
    Invalid(String),
    /// Its token has none of the route's scopes.
    Scope,
}

impl Routed<'_> {
    /// The answer to a request that is not let in. Of the descriptions AWS documents the one of audiences; others are known from
    /// what users saw, and some are our own.
    /// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-jwt.html>
    pub(super) fn challenge(&self, refused: &Refused) -> Response<Bytes> {
        let scopes = self.route.authorization_scopes.as_deref().unwrap_or_default().join(" ");
        let (mut answer, challenge) = match refused {
            Refused::Unknown => (response::message(401, "Unauthorized"), "Bearer".to_owned()),
            Refused::Invalid(why) => {
                // A text in quotes ends at the next one.
                let why = why.replace(['"', '\\'], "'");
                let challenge = format!(r#"Bearer scope="{scopes}" error="invalid_token" error_description="{why}""#);
                (response::message(401, "Unauthorized"), challenge)
            }
            Refused::Scope => {
                let challenge = format!(r#"Bearer scope="{scopes}" error="insufficient_scope""#);
                (response::message(403, "Forbidden"), challenge)
            }
        };
        if let Ok(challenge) = HeaderValue::from_str(&challenge) {
            answer.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        answer
    }

    /// What the request's token says, if it lets the request in: claims and scopes.
    pub(super) async fn token(&self, authorizer: &Authorizer) -> Result<Value, Refused> {
        let text = self.token_text(authorizer).ok_or(Refused::Unknown)?;
        let none = JwtConfiguration::default();
        let wanted = authorizer.jwt_configuration.as_ref().unwrap_or(&none);
        let said_issuer = wanted.issuer.as_deref().unwrap_or_default();
        let token = Token::read(&text).map_err(Refused::Invalid)?;
        let id = token.key_id().map_err(Refused::Invalid)?;
        let key = issuer::key(self.inner, self.scope, said_issuer, id).await;
        let key = key.map_err(|why| Refused::Invalid(why.to_owned()))?;
        if !token.is_signed_by(&key) {
            return Err(Refused::Invalid("the token's signature is not valid".to_owned()));
        }
        let audience = wanted.audience.as_deref().unwrap_or_default();
        let checked = token.check(said_issuer, audience, self.inner.clock.now());
        checked.map_err(|why| Refused::Invalid(why.to_owned()))?;
        let scopes = match self.route.authorization_scopes.as_deref().filter(|scopes| !scopes.is_empty()) {
            None => Value::Null,
            Some(wanted) => {
                let own: Vec<&str> = token.scopes().filter(|scope| wanted.iter().any(|one| one == scope)).collect();
                if own.is_empty() {
                    return Err(Refused::Scope);
                }
                json!(own)
            }
        };
        Ok(json!({ "claims": token.told(), "scopes": scopes }))
    }

    fn token_text(&self, authorizer: &Authorizer) -> Option<String> {
        let query = parameters::query(self.incoming.head.uri.query().unwrap_or_default());
        let variables = self.stage.stage_variables.as_ref();
        let sources = Sources { headers: &self.headers, query: &query, variables };
        let source = authorizer.identity_source.as_deref().and_then(<[String]>::first);
        let source = source.filter(|source| !source.is_empty()).cloned().unwrap_or_else(|| SOURCE.to_owned());
        let text = sources.identities(&[source])?.pop()?;
        let text = text.trim();
        let bare = match text.split_at_checked(BEARER.len()) {
            Some((word, rest)) if word.eq_ignore_ascii_case(BEARER) && rest.starts_with(' ') => rest.trim_start(),
            _ => text,
        };
        Some(bare.to_owned()).filter(|token| !token.is_empty())
    }
}
