//! Bucket policies: kept here, handed to IAM with every target, and looked at for being public.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use super::bucket::OnBucket;
use super::input::input;
use super::lookup::{bucket, bucket_mut};
use super::state::{Bucket, Buckets};
use crate::cloud::Cx;
use crate::{Error, Result};

/// The size of a bucket policy, in bytes.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html>
const SIZE_LIMIT: usize = 20 * 1024;
/// Condition keys that name who or where: a statement with a fixed value of one is not public.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status>
const NARROWING: [&str; 12] = [
    "aws:sourcearn",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:sourceowner",
    "aws:sourceaccount",
    "aws:sourceip",
    "aws:principalorgid",
    "aws:principalarn",
    "aws:principalaccount",
    "aws:userid",
    "s3:dataaccesspointarn",
    "s3:dataaccesspointaccount",
];

input! { guard configures;
    struct PutBucketPolicy {
        policy: Option<String>,
        // Only its sender could be locked out, and the account's root user never is.
        _confirm_remove_self_bucket_access: Option<bool>,
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PolicyOutput {
    policy: String,
}

pub(super) fn put(cx: &mut Cx<Buckets>, input: PutBucketPolicy) -> Result<()> {
    let found = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    let policy = input.policy.unwrap_or_default();
    check(&policy, found)?;
    if found.configuration.blocked(cx).block_public_policy && is_public(&policy) {
        let text = format!(
            "User: {} is not authorized to perform: s3:PutBucketPolicy on resource: \"{}\" because public policies are \
             prevented by the BlockPublicPolicy setting in S3 Block Public Access.",
            cx.caller.principal.arn(),
            found.arn()
        );
        return Err(Error::new(403, "AccessDenied", text));
    }
    bucket_mut(cx, &input.bucket)?.configuration.policy = Some(Arc::from(policy));
    cx.answer_status(204);
    Ok(())
}

pub(super) fn get(cx: &mut Cx<Buckets>, input: OnBucket) -> Result<PolicyOutput> {
    let bucket = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    let policy = bucket.configuration.policy.as_deref().ok_or_else(|| missing(bucket))?;
    Ok(PolicyOutput { policy: policy.to_owned() })
}

pub(super) fn delete(cx: &mut Cx<Buckets>, input: OnBucket) -> Result<()> {
    bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    bucket_mut(cx, &input.bucket)?.configuration.policy = None;
    Ok(())
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PolicyStatusOutput {
    policy_status: PolicyStatus,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyStatus {
    is_public: bool,
}

pub(super) fn status(cx: &mut Cx<Buckets>, input: OnBucket) -> Result<PolicyStatusOutput> {
    let bucket = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    let policy = bucket.configuration.policy.as_deref().ok_or_else(|| missing(bucket))?;
    Ok(PolicyStatusOutput { policy_status: PolicyStatus { is_public: is_public(policy) } })
}

fn missing(bucket: &Bucket) -> Error {
    let text = "The bucket policy does not exist";
    Error::new(404, "NoSuchBucketPolicy", text).with("BucketName", &*bucket.name)
}

/// # Errors
/// `MalformedPolicy`.
fn check(policy: &str, bucket: &Bucket) -> Result<()> {
    let malformed = |text: &str| Err(Error::new(400, "MalformedPolicy", text));
    if policy.len() > SIZE_LIMIT {
        return malformed("The policy document is larger than 20 KB");
    }
    let Ok(Value::Object(document)) = serde_json::from_str::<Value>(policy) else {
        return malformed("Policies must be valid JSON and the first byte must be '{'");
    };
    if let Some(version) = document.get("Version")
        && version != "2012-10-17"
        && version != "2008-10-17"
    {
        return malformed("The policy must contain a valid version string");
    }
    let statements = each(document.get("Statement"));
    if statements.is_empty() {
        return malformed("Missing required field Statement");
    }
    let arn = bucket.arn();
    for statement in statements {
        for [field, negated] in
            [["Effect", ""], ["Principal", "NotPrincipal"], ["Action", "NotAction"], ["Resource", "NotResource"]]
        {
            if statement.get(field).is_none() && statement.get(negated).is_none() {
                return malformed(&format!("Missing required field {field}"));
            }
        }
        // <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html>
        if statement.get("NotPrincipal").is_some() && statement.get("Effect").is_some_and(|effect| effect == "Allow") {
            return malformed("Allow with NotPrincipal is not allowed.");
        }
        for resource in each(statement.get("Resource").or(statement.get("NotResource"))) {
            let named = resource.as_str().unwrap_or_default();
            let inside = named == arn || named.strip_prefix(&*arn).is_some_and(|rest| rest.starts_with('/'));
            if !inside && named.split_once('*').is_none_or(|(head, _)| !arn.starts_with(head)) {
                return malformed("Policy has invalid resource");
            }
        }
        for action in each(statement.get("Action")) {
            if !action.as_str().is_some_and(|action| action == "*" || action.to_ascii_lowercase().starts_with("s3:")) {
                return malformed("Policy has invalid action");
            }
        }
    }
    Ok(())
}

/// Whether a policy grants anything to everybody.
pub(super) fn is_public(policy: &str) -> bool {
    let Ok(document) = serde_json::from_str::<Value>(policy) else { return false };
    each(document.get("Statement")).into_iter().any(|statement| {
        let everybody = match statement.get("Principal") {
            Some(Value::Object(kinds)) => {
                kinds.get("AWS").is_some_and(|aws| each(Some(aws)).iter().any(|one| *one == "*"))
            }
            Some(principal) => principal == "*",
            None => false,
        };
        statement.get("Effect").is_some_and(|effect| effect == "Allow") && everybody && !narrowed(statement)
    })
}

/// Whether a condition fixes who or where.
fn narrowed(statement: &Value) -> bool {
    let operators = statement.get("Condition").and_then(Value::as_object).into_iter().flatten();
    operators.filter(|(operator, _)| !operator.contains("Not")).any(|(_, keys)| {
        keys.as_object().into_iter().flatten().any(|(key, values)| {
            let fixed =
                |value: &&Value| value.as_str().is_some_and(|text| !text.contains(['*', '?']) && text != "0.0.0.0/0");
            NARROWING.contains(&&*key.to_ascii_lowercase()) && each(Some(values)).iter().all(fixed)
        })
    })
}

/// An element that may be one value or a list of them.
fn each(value: Option<&Value>) -> Vec<&Value> {
    match value {
        None => Vec::new(),
        Some(Value::Array(list)) => list.iter().collect(),
        Some(one) => vec![one],
    }
}
