//! What an operation acts on: its key, with the key's policy and grants, and the condition keys of KMS.
//!
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html>

use std::sync::Arc;

use serde_json::json;

use super::cipher::{Context, Header};
use super::keys::Key;
use super::{Keys, arn, grants, managed, policies};
use crate::cloud::{At, Scope, Target};

/// The services that look at keys.
const LOOKING: [&str; 3] = ["dynamodb.amazonaws.com", "ecr.amazonaws.com", "ssm.amazonaws.com"];

/// A key that any of its names may stand for, as the target of an operation.
pub(super) fn on(at: &At<Keys>, name: &str) -> Target {
    let found = at.state.find(at.scope, name);
    let target = match found {
        Ok(arn) => of(at, &arn),
        // Whether there is such a key is told to whom IAM's policies let ask.
        Err(_) => missing(at.scope, name),
    };
    if name.contains("alias/") {
        let alias = name.rsplit_once(":alias/").map_or(name.to_owned(), |(_, rest)| format!("alias/{rest}"));
        return target.context("kms:RequestAlias", alias);
    }
    target
}

/// The same to be looked at: services see whether a key is there before they take its name. At AWS they do so for their caller.
pub(super) fn on_described(at: &At<Keys>, name: &str) -> Target {
    let target = on(at, name);
    let statement = json!({
        "Effect": "Allow", "Principal": { "Service": LOOKING }, "Action": "kms:DescribeKey", "Resource": "*",
    });
    let policy = target.policy.as_deref().map(|policy| policies::with_statements(policy, vec![statement]).into());
    target.policy(policy)
}

/// A key that has to be named by its id or ARN.
pub(super) fn on_key(at: &At<Keys>, name: &str) -> Target {
    match at.state.find_key(at.scope, name) {
        Ok(arn) => of(at, &arn),
        Err(_) => missing(at.scope, name),
    }
}

fn missing(scope: &Scope, name: &str) -> Target {
    let named = if name.starts_with("arn:") { name.to_owned() } else { arn(scope, name) };
    let policy = managed::policy(scope, name).unwrap_or_else(|| policies::standard(scope));
    let target = Target::on(named).policy(Some(policy.into()));
    target.context("kms:CallerAccount", &*scope.account)
}

fn of(at: &At<Keys>, arn: &str) -> Target {
    let Some(key) = at.state.keys.get(arn) else { return missing(at.scope, arn) };
    let mut target = Target::on(arn)
        .policy(Some(policy(at.state, arn, key)))
        .owner(&*key.scope.account)
        .context("kms:CallerAccount", &*at.scope.account)
        .context("kms:KeySpec", key.spec.name())
        .context("kms:KeyUsage", key.usage.name())
        .context("kms:KeyOrigin", key.origin())
        .context("kms:MultiRegion", key.is_multi_region().to_string());
    let names = at.state.aliases.iter().filter(|(_, alias)| alias.key == arn);
    let names: Vec<String> = names.map(|(_, alias)| alias.name.clone()).collect();
    if !names.is_empty() {
        target.context.push(("kms:ResourceAliases".into(), names));
    }
    key.tags.iter().fold(target, |target, (name, value)| target.context(format!("aws:ResourceTag/{name}"), value))
}

/// The key's policy, and its grants as further statements: both allow by themselves, and neither overrides a denial.
fn policy(state: &Keys, arn: &str, key: &Key) -> Arc<str> {
    let granted: Vec<_> = grants::of_key(state, arn).flat_map(|(_, grant)| grant.statements()).collect();
    if granted.is_empty() {
        return key.policy.as_str().into();
    }
    policies::with_statements(&key.policy, granted).into()
}

/// The key of a ciphertext that says which it is for.
pub(super) fn on_ciphertext(at: &At<Keys>, name: Option<&str>, ciphertext: &[u8]) -> Target {
    match (name, Header::read(ciphertext)) {
        (Some(name), _) => on(at, name),
        (None, Some((header, _))) => on_key(at, &of_header(at.scope, &header)),
        (None, None) => missing(at.scope, "*"),
    }
}

/// The ARN of the key that a ciphertext names, in the region of the request: replicas read each other's.
pub(super) fn of_header(scope: &Scope, header: &Header) -> String {
    arn(&Scope::new(header.account.as_str(), scope.region.clone()), &header.key)
}

/// Adds the condition keys of an encryption context.
pub(super) fn with_context(mut target: Target, context: &Context) -> Target {
    if context.is_empty() {
        return target;
    }
    target.context.push(("kms:EncryptionContextKeys".into(), context.keys().cloned().collect()));
    context.iter().fold(target, |target, (name, value)| target.context(format!("kms:EncryptionContext:{name}"), value))
}

/// A key as a service that uses it for its caller sees it: with the context that the service binds. KMS is not asked, so that IAM's
/// policies decide as under a key's first policy.
pub fn through(arn: &str, service: &str, context: (&str, &str)) -> Target {
    let scope = Scope::of_arn(arn);
    let via = format!("{service}.{}.amazonaws.com", scope.region);
    let context = Context::from([(context.0.to_owned(), context.1.to_owned())]);
    let target = Target::on(arn).policy(Some(policies::standard(&scope).into())).owner(&*scope.account);
    with_context(target.context("kms:CallerAccount", &*scope.account).context("kms:ViaService", via), &context)
}
