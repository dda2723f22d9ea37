//! Static websites: the configuration, and which object answers a path.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/WebsiteHosting.html>

use serde::{Deserialize, Serialize};

use super::bucket::OnBucket;
use super::errors;
use super::input::input;
use super::lookup::{bucket, bucket_mut};
use super::state::Buckets;
use crate::cloud::Cx;
use crate::{Error, Result};

/// A website has at most this many routing rules.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/how-to-page-redirect.html>
const RULES: usize = 50;

/// `WebsiteConfiguration` of the model.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Website {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_document: Option<ErrorDocument>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index_document: Option<IndexDocument>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_all_requests_to: Option<RedirectAll>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub routing_rules: Option<Vec<RoutingRule>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ErrorDocument {
    pub key: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct IndexDocument {
    pub suffix: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RedirectAll {
    pub host_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RoutingRule {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<Condition>,
    pub redirect: Redirect,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Condition {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_error_code_returned_equals: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_prefix_equals: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Redirect {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_redirect_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replace_key_prefix_with: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replace_key_with: Option<String>,
}

impl Website {
    /// The key that a path means: what ends in a slash, or is empty, means the index document there.
    pub fn key(&self, path: &str) -> String {
        match &self.index_document {
            Some(IndexDocument { suffix }) if path.is_empty() || path.ends_with('/') => format!("{path}{suffix}"),
            _ => path.to_owned(),
        }
    }

    /// The first rule for a key, before it is looked for (no status) or after that failed with one.
    pub fn rule(&self, key: &str, status: Option<u16>) -> Option<&RoutingRule> {
        self.routing_rules.iter().flatten().find(|rule| {
            let Some(condition) = &rule.condition else { return true };
            let prefix = condition.key_prefix_equals.as_deref().is_none_or(|prefix| key.starts_with(prefix));
            let code = match (&condition.http_error_code_returned_equals, status) {
                (None, _) => true,
                (Some(_), None) => false,
                (Some(code), Some(status)) => *code == status.to_string(),
            };
            prefix && code
        })
    }

    fn check(&self) -> Result<()> {
        if let Some(redirect) = &self.redirect_all_requests_to {
            if self.index_document.is_some() || self.error_document.is_some() || self.routing_rules.is_some() {
                let text = "RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules.";
                return Err(errors::invalid_argument("RedirectAllRequestsTo", "not null", text));
            }
            return check_protocol(redirect.protocol.as_deref());
        }
        let Some(IndexDocument { suffix }) = &self.index_document else {
            let text = "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty";
            return Err(errors::invalid_argument("IndexDocument", "null", text));
        };
        if suffix.is_empty() || suffix.contains('/') {
            return Err(errors::invalid_argument(
                "IndexDocument",
                suffix.as_str(),
                "The IndexDocument Suffix is not well formed",
            ));
        }
        if self.error_document.as_ref().is_some_and(|document| document.key.is_empty()) {
            return Err(errors::malformed_xml());
        }
        if self.routing_rules.as_ref().is_some_and(Vec::is_empty) {
            return Err(errors::malformed_xml());
        }
        let rules = self.routing_rules.as_deref().unwrap_or_default();
        if rules.len() > RULES {
            return Err(errors::invalid_request(format!(
                "{} routing rules provided, the number of routing rules in a website configuration is limited to {RULES}.",
                rules.len()
            )));
        }
        rules.iter().try_for_each(RoutingRule::check)
    }
}

impl RoutingRule {
    /// The prefix of the keys that it is for.
    pub fn prefix(&self) -> &str {
        self.condition.as_ref().and_then(|condition| condition.key_prefix_equals.as_deref()).unwrap_or_default()
    }

    fn check(&self) -> Result<()> {
        if let Some(condition) = &self.condition
            && condition.key_prefix_equals.is_none()
            && condition.http_error_code_returned_equals.is_none()
        {
            let text = "Condition cannot be empty. To redirect all requests without a condition, the condition element \
                        shouldn't be present.";
            return Err(errors::invalid_request(text));
        }
        let redirect = &self.redirect;
        check_protocol(redirect.protocol.as_deref())?;
        if redirect.replace_key_prefix_with.is_some() && redirect.replace_key_with.is_some() {
            return Err(errors::invalid_request("You can only define ReplaceKeyPrefix or ReplaceKey but not both."));
        }
        let says_nothing = redirect.host_name.is_none()
            && redirect.http_redirect_code.is_none()
            && redirect.protocol.is_none()
            && redirect.replace_key_prefix_with.is_none()
            && redirect.replace_key_with.is_none();
        let is_code =
            |code: &String| code.len() == 3 && code.starts_with('3') && code.bytes().all(|b| b.is_ascii_digit());
        if says_nothing {
            return Err(errors::malformed_xml());
        }
        if redirect.http_redirect_code.as_ref().is_some_and(|code| !is_code(code)) {
            let text = "The provided HTTP redirect code is not valid. Valid codes are 3XX except 300.";
            return Err(errors::invalid_request(text));
        }
        Ok(())
    }
}

fn check_protocol(protocol: Option<&str>) -> Result<()> {
    match protocol {
        None | Some("http" | "https") => Ok(()),
        Some(_) => Err(errors::invalid_request(
            "Invalid protocol, protocol can be http or https. If not defined the protocol will be selected automatically.",
        )),
    }
}

input! { guard configures; struct PutWebsite { website_configuration: Website, } }

pub(super) fn put(cx: &mut Cx<Buckets>, input: PutWebsite) -> Result<()> {
    bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    input.website_configuration.check()?;
    bucket_mut(cx, &input.bucket)?.configuration.website = Some(input.website_configuration);
    Ok(())
}

/// What answers where there is no website.
pub(super) fn missing(bucket: &str) -> Error {
    let text = "The specified bucket does not have a website configuration";
    Error::new(404, "NoSuchWebsiteConfiguration", text).with("BucketName", bucket)
}

pub(super) fn get(cx: &mut Cx<Buckets>, input: OnBucket) -> Result<Website> {
    let bucket = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    bucket.configuration.website.clone().ok_or_else(|| missing(&bucket.name))
}

pub(super) fn delete(cx: &mut Cx<Buckets>, input: OnBucket) -> Result<()> {
    bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    bucket_mut(cx, &input.bucket)?.configuration.website = None;
    Ok(())
}
