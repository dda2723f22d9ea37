//! What sessions are limited by and carry: session policies and session tags.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html>

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Tokens;
use crate::cloud::{Cx, Target};
use crate::iam::policy::{Policy, Purpose};
use crate::{Error, Result};

/// The characters of an inline session policy and of the ARNs of managed ones, and how many of those.
const MAX_POLICY: usize = 2_048;
const MAX_POLICY_ARNS: usize = 10;
/// A session has so many tags.
const MAX_TAGS: usize = 50;

/// `PolicyDescriptorType`, whose one member is written small.
#[derive(Deserialize)]
pub(super) struct PolicyArn {
    arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    pub key: String,
    pub value: String,
}

/// What a session is begun with.
#[derive(Default)]
pub(super) struct Passed {
    /// The texts of the session policies.
    pub policies: Vec<String>,
    pub tags: BTreeMap<String, String>,
    /// The keys of the tags that further sessions inherit, in lower case.
    pub transitive: Vec<String>,
    /// How much of the room for policies and tags is taken, in per cent.
    pub packed: Option<usize>,
}

/// Reads what a request passes. Tags that the caller's own session hands on are among the tags.
pub(super) fn passed(
    cx: &Cx<Tokens>,
    policy: Option<&String>,
    arns: &[PolicyArn],
    tags: &[Tag],
    transitive: &[String],
) -> Result<Passed> {
    let mut passed = Passed { tags: check_tags(tags)?, ..Passed::default() };
    let lower = |key: &String| key.to_lowercase();
    let own: Vec<String> = passed.tags.keys().map(lower).collect();
    if transitive.iter().any(|key| !own.contains(&lower(key))) {
        return Err(invalid_parameter("The specified transitive tag key must be included in the requested tags."));
    }
    passed.transitive = transitive.iter().map(lower).collect();
    if let Some(session) = cx.caller.session.as_ref().filter(|session| !session.transitive.is_empty()) {
        if own.iter().any(|key| session.transitive.contains(key)) {
            return Err(invalid_parameter(
                "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from \
                 the calling session.",
            ));
        }
        let inherited = session.tags.iter().filter(|(key, _)| session.transitive.contains(&lower(key)));
        passed.tags.extend(inherited.map(|(key, value)| (key.clone(), value.clone())));
        passed.transitive.extend(session.transitive.iter().cloned());
    }
    passed.policies = policies(cx, policy, arns)?;
    if policy.is_some() || !arns.is_empty() || !tags.is_empty() {
        passed.packed = Some(packed(policy, arns, tags)?);
    }
    Ok(passed)
}

fn check_tags(tags: &[Tag]) -> Result<BTreeMap<String, String>> {
    if tags.len() > MAX_TAGS {
        return Err(validation(format!("A session can have at most {MAX_TAGS} tags.")));
    }
    let mut keys: Vec<String> = tags.iter().map(|tag| tag.key.to_lowercase()).collect();
    keys.sort();
    keys.dedup();
    if keys.len() < tags.len() {
        return Err(invalid_parameter("Duplicate tag keys found. Please note that Tag keys are case insensitive."));
    }
    Ok(tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect())
}

fn policies(cx: &Cx<Tokens>, policy: Option<&String>, arns: &[PolicyArn]) -> Result<Vec<String>> {
    if arns.len() > MAX_POLICY_ARNS {
        return Err(validation(format!(
            "PolicyArns: at most {MAX_POLICY_ARNS} managed session policies can be passed."
        )));
    }
    let mut texts = Vec::new();
    if let Some(text) = policy {
        Policy::parse(text, Purpose::Session)?;
        texts.push(text.clone());
    }
    for PolicyArn { arn } in arns {
        let missing = || Error::client("MalformedPolicyDocument", format!("Policy {arn} does not exist."));
        texts.push(cx.access().directory().managed_policy(arn).ok_or_else(missing)?.text().to_owned());
    }
    Ok(texts)
}

/// How much of their room policies and tags take, in per cent. AWS packs them before it measures, in a way that is not
/// published; here the limit is that of the plain text.
fn packed(policy: Option<&String>, arns: &[PolicyArn], tags: &[Tag]) -> Result<usize> {
    let characters = |text: &str| text.chars().count();
    let arns: usize = arns.iter().map(|one| characters(&one.arn)).sum();
    let tags: usize = tags.iter().map(|tag| characters(&tag.key) + characters(&tag.value)).sum();
    let plain = arns + policy.map_or(0, |text| characters(text));
    let percent = (plain * 100).div_ceil(MAX_POLICY).max((tags * 100).div_ceil(2 * MAX_POLICY));
    if percent > 100 {
        let message = format!("Packed policy consumes {percent}% of allotted space, please use smaller policy.");
        return Err(Error::client("PackedPolicyTooLarge", message));
    }
    Ok(percent)
}

/// The keys of a request's tags, as policies read them.
pub(super) fn with_tags(target: Target, tags: &[Tag], transitive: &[String]) -> Target {
    let mut target = tags
        .iter()
        .fold(target, |target, tag| target.context(format!("aws:RequestTag/{}", tag.key), tag.value.clone()));
    let mut put = |key: &'static str, values: Vec<String>| {
        if !values.is_empty() {
            target.context.push((key.into(), values));
        }
    };
    put("aws:TagKeys", tags.iter().map(|tag| tag.key.clone()).collect());
    put("sts:TransitiveTagKeys", transitive.to_vec());
    target
}

pub(super) fn validation(message: impl Into<String>) -> Error {
    Error::client("ValidationError", message)
}

fn invalid_parameter(message: impl Into<String>) -> Error {
    Error::client("InvalidParameterValue", message)
}
