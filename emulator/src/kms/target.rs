//! What an operation acts on: its key, with the key's policy and grants, and the condition keys of KMS.
//!
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html>

use std::sync::Arc;

use super::cipher::{Context, Header};
use super::keys::Key;
use super::{Keys, arn, grants, policies};
use crate::cloud::{At, Scope, Target};

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

/// A key that has to be named by its id or ARN.
pub(super) fn on_key(at: &At<Keys>, name: &str) -> Target {
    match at.state.find_key(at.scope, name) {
        Ok(arn) => of(at, &arn),
        Err(_) => missing(at.scope, name),
    }
}

fn missing(scope: &Scope, name: &str) -> Target {
    let named = if name.starts_with("arn:") { name.to_owned() } else { arn(scope, name) };
    let target = Target::on(named).policy(Some(policies::standard(scope).into()));
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
