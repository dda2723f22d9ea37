//! Policies of repositories: `SetRepositoryPolicy`, `GetRepositoryPolicy`, `DeleteRepositoryPolicy`.
//!
//! <https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policies.html>

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{OfRepository, Registry, find_mut, invalid, on};
use crate::cloud::{Cx, Scope, Service};
use crate::iam::policy::Policy;
use crate::{Error, Result};

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Registry>) -> Service<Registry> {
    service
        .op("SetRepositoryPolicy", |at, i: &SetPolicy| on(at, &i.repository_name), set)
        .op("GetRepositoryPolicy", |at, i: &OfRepository| on(at, &i.repository_name), get)
        .op("DeleteRepositoryPolicy", |at, i: &OfRepository| on(at, &i.repository_name), delete)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SetPolicy {
    registry_id: Option<String>,
    repository_name: String,
    policy_text: String,
    /// Sets also a policy that keeps its setter from setting another. Garoa does not look whether one does.
    #[serde(rename = "force")]
    _force: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PolicyOutput {
    registry_id: String,
    repository_name: String,
    policy_text: Arc<str>,
}

impl PolicyOutput {
    fn new(scope: &Scope, repository_name: String, policy_text: Arc<str>) -> Self {
        Self { registry_id: scope.account.to_string(), repository_name, policy_text }
    }
}

fn set(cx: &mut Cx<Registry>, input: SetPolicy) -> Result<PolicyOutput> {
    let repository = find_mut(cx, input.registry_id.as_deref(), &input.repository_name)?;
    if !is_policy(&input.policy_text) {
        return Err(invalid("PolicyText", "Invalid repository policy provided"));
    }
    let text: Arc<str> = input.policy_text.into();
    repository.policy = Some(text.clone());
    Ok(PolicyOutput::new(cx.scope, input.repository_name, text))
}

/// The policy of a repository says who may do what; it is about that repository, and names none.
fn is_policy(text: &str) -> bool {
    let Ok(policy) = Policy::read(text) else { return false };
    let mut statements = policy.document().statements.iter();
    statements.all(|statement| statement.principal.is_some() && statement.action.is_some())
}

fn get(cx: &mut Cx<Registry>, input: OfRepository) -> Result<PolicyOutput> {
    let policy = input.find(cx)?.policy.clone();
    let text = policy.ok_or_else(|| no_policy(cx.scope, &input.repository_name))?;
    Ok(PolicyOutput::new(cx.scope, input.repository_name, text))
}

fn delete(cx: &mut Cx<Registry>, input: OfRepository) -> Result<PolicyOutput> {
    let policy = find_mut(cx, input.registry_id.as_deref(), &input.repository_name)?.policy.take();
    let text = policy.ok_or_else(|| no_policy(cx.scope, &input.repository_name))?;
    Ok(PolicyOutput::new(cx.scope, input.repository_name, text))
}

fn no_policy(scope: &Scope, name: &str) -> Error {
    let text = format!(
        "Repository policy does not exist for the repository with name '{name}' in the registry with id '{}'",
        scope.account
    );
    Error::client("RepositoryPolicyNotFoundException", text)
}
