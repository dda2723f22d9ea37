//! Cross-origin resource sharing: the rules of a bucket, and what browsers are told by them.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html>

use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde::{Deserialize, Serialize};

use super::bucket::OnBucket;
use super::errors;
use super::input::input;
use super::lookup::{bucket, bucket_mut};
use super::state::Buckets;
use crate::cloud::Cx;
use crate::{Error, Result};

/// A CORS configuration has at most this many rules.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ManageCorsUsing.html>
const CORS_RULES: usize = 100;
/// What answers depend on.
const VARY: HeaderValue =
    HeaderValue::from_static("Origin, Access-Control-Request-Headers, Access-Control-Request-Method");

/// `CORSConfiguration` of the model.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Cors {
    #[serde(rename = "CORSRules")]
    rules: Vec<CorsRule>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CorsRule {
    #[serde(rename = "ID", skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed_headers: Option<Vec<String>>,
    allowed_methods: Vec<String>,
    allowed_origins: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expose_headers: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_age_seconds: Option<i64>,
}

input! { guard configures; struct PutCors { #[serde(rename = "CORSConfiguration")] cors: Cors, } }

pub(super) fn put(cx: &mut Cx<Buckets>, input: PutCors) -> Result<()> {
    bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    if input.cors.rules.is_empty() || input.cors.rules.len() > CORS_RULES {
        return Err(errors::malformed_xml());
    }
    for method in input.cors.rules.iter().flat_map(|rule| &rule.allowed_methods) {
        if !["GET", "PUT", "POST", "DELETE", "HEAD"].contains(&&**method) {
            let text = format!("Found unsupported HTTP method in CORS config. Unsupported method is {method}");
            return Err(errors::invalid_request(text));
        }
    }
    for rule in &input.cors.rules {
        let lists = [("AllowedOrigin", Some(&rule.allowed_origins)), ("AllowedHeader", rule.allowed_headers.as_ref())];
        for (name, list) in lists {
            if let Some(value) = list.into_iter().flatten().find(|value| value.matches('*').count() > 1) {
                let text = format!("{name} \"{value}\" can not have more than one wildcard.");
                return Err(errors::invalid_request(text));
            }
        }
    }
    bucket_mut(cx, &input.bucket)?.configuration.cors = Some(input.cors);
    Ok(())
}

pub(super) fn get(cx: &mut Cx<Buckets>, input: OnBucket) -> Result<Cors> {
    let bucket = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    bucket.configuration.cors.clone().ok_or_else(|| {
        Error::new(404, "NoSuchCORSConfiguration", "The CORS configuration does not exist")
            .with("BucketName", &*bucket.name)
    })
}

pub(super) fn delete(cx: &mut Cx<Buckets>, input: OnBucket) -> Result<()> {
    bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    bucket_mut(cx, &input.bucket)?.configuration.cors = None;
    Ok(())
}

/// Whether a pattern with at most one `*` means a text.
fn means(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, tail)) => text.len() >= head.len() + tail.len() && text.starts_with(head) && text.ends_with(tail),
    }
}

impl CorsRule {
    fn allows(&self, origin: &str, method: &str, headers: &[String]) -> bool {
        let allowed = |header: &String| {
            let patterns = self.allowed_headers.iter().flatten();
            patterns.map(|pattern| pattern.to_ascii_lowercase()).any(|pattern| means(&pattern, header))
        };
        self.allowed_origins.iter().any(|pattern| means(pattern, origin))
            && self.allowed_methods.iter().any(|one| one == method)
            && headers.iter().all(allowed)
    }
}

impl Cors {
    /// The headers that let a browser's script at `origin` see an answer; none where no rule does. `headers` are those that
    /// a preflight request asks for, in lower case.
    pub fn answer(&self, origin: &str, method: &str, headers: &[String]) -> Option<HeaderMap> {
        let rule = self.rules.iter().find(|rule| rule.allows(origin, method, headers))?;
        let everyone = rule.allowed_origins.iter().any(|pattern| pattern == "*");
        let mut answer = HeaderMap::new();
        let mut put = |name: HeaderName, text: String| {
            if let Ok(value) = HeaderValue::from_str(&text) {
                answer.insert(name, value);
            }
        };
        put(header::ACCESS_CONTROL_ALLOW_ORIGIN, if everyone { "*".to_owned() } else { origin.to_owned() });
        put(header::ACCESS_CONTROL_ALLOW_METHODS, rule.allowed_methods.join(", "));
        if !everyone {
            put(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true".to_owned());
        }
        if !headers.is_empty() {
            put(header::ACCESS_CONTROL_ALLOW_HEADERS, headers.join(", "));
        }
        if let Some(exposed) = rule.expose_headers.as_ref().filter(|list| !list.is_empty()) {
            put(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed.join(", "));
        }
        if let Some(age) = rule.max_age_seconds {
            put(header::ACCESS_CONTROL_MAX_AGE, age.to_string());
        }
        answer.insert(header::VARY, VARY);
        Some(answer)
    }
}
