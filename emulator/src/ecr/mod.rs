//! Amazon ECR: repositories and what is said of them. There are no images.
//!
//! A repository takes its policies, tags and settings and is as empty as a new one: the operations that bring layers and
//! images, and those that look into them, are refused by name. So is `GetAuthorizationToken`, for a token opens a registry
//! of Docker's protocol, and there is none here: `docker login` would carry it to AWS.
//! <https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html>

mod images;
mod lifecycle;
mod policies;
mod repositories;
mod settings;
mod tags;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use crate::cloud::{Asks, At, Cx, Inquiries, Scope, Service, Target};
use crate::{Error, Result};
use repositories::Repository;

/// The repositories of an account in a region.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Registry {
    /// By their names.
    repositories: OrdMap<String, Repository>,
    /// What KMS is asked.
    inquiries: Inquiries,
}

impl Asks for Registry {
    fn inquiries(&mut self) -> &mut Inquiries {
        &mut self.inquiries
    }
}

/// The service and its operations.
pub fn service() -> Service<Registry> {
    Service::new("ecr")
        .asks()
        .with(repositories::operations)
        .with(settings::operations)
        .with(policies::operations)
        .with(lifecycle::operations)
        .with(images::operations)
        .with(tags::operations)
        .op("DescribeRegistry", |_, _: &Nothing| Target::any(), describe)
}

/// The input of operations that only name a repository.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfRepository {
    registry_id: Option<String>,
    repository_name: String,
}

/// The ARN of a repository.
fn arn(scope: &Scope, name: &str) -> String {
    scope.arn("ecr", format_args!("repository/{name}"))
}

/// A repository as the target of an operation, with its policy and tags.
fn on(at: &At<Registry>, name: &str) -> Target {
    let target = Target::on(arn(at.scope, name));
    let Some(repository) = at.state.repositories.get(name) else { return target };
    let target = target.policy(repository.policy.clone());
    repository.tags.iter().fold(target, |target, (key, value)| {
        target
            .context(format!("ecr:ResourceTag/{key}"), value.clone())
            .context(format!("aws:ResourceTag/{key}"), value.clone())
    })
}

/// The repository of this name.
///
/// # Errors
/// `RepositoryNotFoundException`.
fn find<'a>(cx: &'a Cx<'_, Registry>, registry: Option<&str>, name: &str) -> Result<&'a Repository> {
    check_registry(cx.scope, registry)?;
    cx.state.repositories.get(name).ok_or_else(|| no_repository(cx.scope, name))
}

/// The same to change it.
fn find_mut<'a>(cx: &'a mut Cx<'_, Registry>, registry: Option<&str>, name: &str) -> Result<&'a mut Repository> {
    check_registry(cx.scope, registry)?;
    let missing = || no_repository(cx.scope, name);
    cx.state.repositories.get_mut(name).ok_or_else(missing)
}

/// Each account has one registry in a region; those of others are out of reach.
fn check_registry(scope: &Scope, registry: Option<&str>) -> Result<()> {
    match registry {
        Some(id) if id != &*scope.account => {
            Err(Error::not_implemented(format_args!("ECR registries of other accounts (registryId={id})")))
        }
        _ => Ok(()),
    }
}

fn no_repository(scope: &Scope, name: &str) -> Error {
    let text = format!("The repository with name '{name}' does not exist in the registry with id '{}'", scope.account);
    Error::client("RepositoryNotFoundException", text)
}

/// A parameter is not as it should be, in the words of ECR's validation.
fn invalid(parameter: &str, constraint: &str) -> Error {
    let text = format!("Invalid parameter at '{parameter}' failed to satisfy constraint: '{constraint}'");
    Error::client("InvalidParameterException", text)
}

#[derive(Deserialize)]
struct Nothing {}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    registry_id: String,
    replication_configuration: Replication,
}

/// No rules: what would set them is refused.
#[derive(Serialize)]
struct Replication {
    rules: [&'static str; 0],
}

fn describe(cx: &mut Cx<Registry>, _input: Nothing) -> Result<Described> {
    Ok(Described { registry_id: cx.scope.account.to_string(), replication_configuration: Replication { rules: [] } })
}
