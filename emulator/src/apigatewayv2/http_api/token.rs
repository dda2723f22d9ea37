//! JSON Web Tokens (RFC 7519) in their compact form (RFC 7515): read, their signature and their claims checked.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RsaParameters,
    RsaPublicKeyComponents,
};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::Timestamp;

/// A token that was read, and not checked.
pub(super) struct Token<'a> {
    header: Header,
    claims: Map<String, Value>,
    /// What is signed: header and claims as they were sent.
    signed: &'a str,
    signature: Vec<u8>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    /// Extensions that must be understood, of which none is.
    crit: Option<Value>,
}

impl<'a> Token<'a> {
    /// Reads a token.
    ///
    /// # Errors
    /// What is wrong with its form.
    pub fn read(text: &'a str) -> Result<Self, String> {
        let segments = || "token contains an invalid number of segments".to_owned();
        let (signed, signature) = text.rsplit_once('.').ok_or_else(segments)?;
        let (header, claims) =
            signed.split_once('.').filter(|(_, claims)| !claims.contains('.')).ok_or_else(segments)?;
        let header: Header = part(header).ok_or("the token's header cannot be read")?;
        let claims = part(claims).ok_or("the token's claims cannot be read")?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| "the token's signature cannot be read")?;
        if header.crit.is_some() {
            return Err("the token has extensions that are not understood".to_owned());
        }
        Ok(Self { header, claims, signed, signature })
    }

    /// The id of the key that signed the token.
    ///
    /// # Errors
    /// It is not said, or the algorithm is none of those that API Gateway takes, which are RSA's.
    pub fn key_id(&self) -> Result<&str, String> {
        let alg = &self.header.alg;
        algorithm(alg).ok_or_else(|| format!("signing method {alg} is invalid"))?;
        self.header.kid.as_deref().ok_or_else(|| "the token does not say its key: kid".to_owned())
    }

    /// Whether this key, a JSON Web Key (RFC 7517), signed the token.
    pub fn is_signed_by(&self, key: &Value) -> bool {
        let number = |name: &str| key[name].as_str().and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        let is_other = |name: &str, own: &str| key[name].as_str().is_some_and(|said| said != own);
        let (Some(algorithm), Some(n), Some(e)) = (algorithm(&self.header.alg), number("n"), number("e")) else {
            return false;
        };
        if key["kty"] != "RSA" || is_other("alg", &self.header.alg) || is_other("use", "sig") {
            return false;
        }
        let key = RsaPublicKeyComponents { n, e };
        key.verify(algorithm, self.signed.as_bytes(), &self.signature).is_ok()
    }

    /// Checks who issued the token, for whom and for which time, in AWS's order.
    /// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html>
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(&self, issuer: &str, audience: &[String], now: Timestamp) -> Result<(), &'static str> {
        if self.claims.get("iss").and_then(Value::as_str) != Some(issuer) {
            return Err("issuer does not match");
        }
        // Tokens of Amazon Cognito that are for access have the one and not the other.
        let meant = self.claims.get("aud").or_else(|| self.claims.get("client_id"));
        if !texts(meant).any(|meant| audience.iter().any(|own| own == meant)) {
            return Err("the token does not have a valid audience");
        }
        let time = |name: &str| self.claims.get(name).map(|time| time.as_f64().unwrap_or(f64::NAN));
        // Of a time that is no number nothing is true.
        let now = now.millis() as f64 / 1000.0;
        if !time("exp").is_some_and(|exp| exp > now) {
            return Err("the token has expired");
        }
        if !time("nbf").is_none_or(|nbf| nbf <= now) {
            return Err("the token is not valid yet");
        }
        if !time("iat").is_none_or(|iat| iat <= now) {
            return Err("the token was issued in the future");
        }
        Ok(())
    }

    /// The scopes: a list of them, or a text with spaces between.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        let said = ["scope", "scp"].into_iter().flat_map(|name| texts(self.claims.get(name)));
        said.flat_map(str::split_whitespace)
    }

    /// The claims as events tell them: each as a text, lists as Go prints them, and none that is null. AWS does not document it;
    /// events that users published show it.
    pub fn told(&self) -> Map<String, Value> {
        let told = self.claims.iter().filter(|(_, value)| !value.is_null());
        told.map(|(name, value)| (name.clone(), printed(value).into())).collect()
    }
}

fn part<T: for<'de> Deserialize<'de>>(text: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

fn algorithm(name: &str) -> Option<&'static RsaParameters> {
    match name {
        "RS256" => Some(&RSA_PKCS1_2048_8192_SHA256),
        "RS384" => Some(&RSA_PKCS1_2048_8192_SHA384),
        "RS512" => Some(&RSA_PKCS1_2048_8192_SHA512),
        _ => None,
    }
}

/// A text, or the texts of a list.
fn texts(value: Option<&Value>) -> impl Iterator<Item = &str> {
    let one = value.and_then(Value::as_str);
    let many = value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    one.into_iter().chain(many)
}

fn printed(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => {
            let mut list = "[".to_owned();
            for (place, value) in values.iter().enumerate() {
                let _ = write!(list, "{}{}", if place == 0 { "" } else { " " }, printed(value));
            }
            list + "]"
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn written(header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.{}", part(header), part(claims), URL_SAFE_NO_PAD.encode("signature"))
    }

    fn checked(claims: Value) -> Result<(), &'static str> {
        let text = written(&json!({ "alg": "RS256", "kid": "1" }), &claims);
        Token::read(&text).unwrap().check("https://issuer", &["app".to_owned()], Timestamp::from_secs(1000))
    }

    #[test]
    fn the_claims_that_aws_names_are_checked() {
        let good = json!({ "iss": "https://issuer", "aud": ["other", "app"], "exp": 1001, "nbf": 1000, "iat": 999.5 });
        assert_eq!(checked(good.clone()), Ok(()));
        for (name, value, why) in [
            ("iss", json!("https://issuer/"), "issuer does not match"),
            ("aud", json!("other"), "the token does not have a valid audience"),
            ("aud", json!(7), "the token does not have a valid audience"),
            ("exp", json!(1000), "the token has expired"),
            ("exp", json!("2000"), "the token has expired"),
            ("nbf", json!(1001), "the token is not valid yet"),
            ("iat", json!(1001), "the token was issued in the future"),
        ] {
            let mut claims = good.clone();
            claims[name] = value;
            assert_eq!(checked(claims), Err(why), "{name}");
        }
        let access = json!({ "iss": "https://issuer", "client_id": "app", "exp": 1001 });
        assert_eq!(checked(access.clone()), Ok(()));
        let mut both = access;
        both["aud"] = "other".into();
        assert!(checked(both).is_err());
    }

    #[test]
    fn what_is_no_token_of_rsa_is_told_apart() {
        let of = |header: Value| Token::read(&written(&header, &json!({}))).and_then(|t| t.key_id().map(str::to_owned));
        assert_eq!(of(json!({ "alg": "RS512", "kid": "k" })).unwrap(), "k");
        for alg in ["none", "HS256", "ES256", "PS256"] {
            assert_eq!(of(json!({ "alg": alg, "kid": "k" })).unwrap_err(), format!("signing method {alg} is invalid"));
        }
        assert!(of(json!({ "alg": "RS256" })).is_err());
        assert!(of(json!({ "alg": "RS256", "kid": "k", "crit": ["b64"] })).is_err());
        for text in ["", "a", "a.b", "a.b.c", "a.b.c.d", "e30.e30.e30"] {
            assert!(Token::read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn claims_are_told_as_texts() {
        let claims = json!({
            "s": "x", "n": 1_700_000_000, "b": true, "l": ["a b", 1, true], "z": null, "o": { "a": [1] },
            "scope": "read  write", "scp": ["more"],
        });
        let text = written(&json!({ "alg": "RS256", "kid": "1" }), &claims);
        let token = Token::read(&text).unwrap();
        let told = json!({
            "s": "x", "n": "1700000000", "b": "true", "l": "[a b 1 true]", "o": "{\"a\":[1]}", "scope": "read  write",
            "scp": "[more]",
        });
        assert_eq!(Value::Object(token.told()), told);
        assert_eq!(token.scopes().collect::<Vec<_>>(), ["read", "write", "more"]);
    }
}
