//! `CreateRepository`, `DescribeRepositories`, `DeleteRepository`.
//!
//! <https://docs.aws.amazon.com/AmazonECR/latest/userguide/Repositories.html>

use std::ops::Bound;
use std::sync::Arc;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::settings::{Filter, check_mutability};
use super::tags::{Tag, add};
use super::{OfRepository, Registry, arn, check_registry, find, invalid, no_repository, on};
use crate::cloud::{Caller, Cx, Later, Question, Scope, Service, Step, Target};
use crate::kms::managed_key;
use crate::{Error, Result, Timestamp, token};

/// A registry has at most so many repositories (Amazon ECR service quotas).
const MAX_REPOSITORIES: usize = 100_000;
/// `DescribeRepositories` answers so many, if the request does not say.
const PAGE: usize = 100;
/// How layers are encrypted if nobody says.
const AES: &str = "AES256";

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Registry>) -> Service<Registry> {
    service
        .waiting_op(
            "CreateRepository",
            |at, i: &CreateRepository| {
                let target = Target::on(arn(at.scope, &i.repository_name));
                i.tags.iter().flatten().fold(target, |target, tag| target.context(tag.requested(), tag.value.clone()))
            },
            create,
        )
        .op("DescribeRepositories", |_, _: &DescribeRepositories| Target::any(), describe)
        .op("DeleteRepository", |at, i: &DeleteRepository| on(at, &i.repository_name), delete)
}

/// A repository.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Repository {
    pub created: Timestamp,
    pub mutability: String,
    pub exclusions: Option<Vec<Filter>>,
    pub scanning: Scanning,
    pub encryption: Encryption,
    pub policy: Option<Arc<str>>,
    pub lifecycle: Option<String>,
    pub tags: OrdMap<String, String>,
}

/// `ImageScanningConfiguration` of the model.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Scanning {
    #[serde(default)]
    pub scan_on_push: bool,
}

/// `EncryptionConfiguration` of the model. Nothing is there that would be encrypted.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Encryption {
    encryption_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kms_key: Option<String>,
}

/// `Repository` of the model.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    repository_arn: String,
    registry_id: String,
    repository_name: String,
    repository_uri: String,
    created_at: Timestamp,
    image_tag_mutability: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_tag_mutability_exclusion_filters: Option<Vec<Filter>>,
    image_scanning_configuration: Scanning,
    encryption_configuration: Encryption,
}

impl Repository {
    fn shown(&self, scope: &Scope, name: &str) -> Shown {
        Shown {
            repository_arn: arn(scope, name),
            registry_id: scope.account.to_string(),
            repository_name: name.to_owned(),
            repository_uri: format!("{}.dkr.ecr.{}.amazonaws.com/{name}", scope.account, scope.region),
            created_at: self.created,
            image_tag_mutability: self.mutability.clone(),
            image_tag_mutability_exclusion_filters: self.exclusions.clone(),
            image_scanning_configuration: self.scanning.clone(),
            encryption_configuration: self.encryption.clone(),
        }
    }
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreateRepository {
    registry_id: Option<String>,
    repository_name: String,
    tags: Option<Vec<Tag>>,
    image_tag_mutability: Option<String>,
    image_tag_mutability_exclusion_filters: Option<Vec<Filter>>,
    image_scanning_configuration: Option<Scanning>,
    encryption_configuration: Option<Encryption>,
}

#[derive(Serialize)]
struct One {
    repository: Shown,
}

fn create(cx: &mut Cx<Registry>, input: &CreateRepository) -> Result<Step<One>> {
    let input = input.clone();
    check_registry(cx.scope, input.registry_id.as_deref())?;
    let (name, mutability) = (input.repository_name, input.image_tag_mutability.unwrap_or_else(|| "MUTABLE".into()));
    check_mutability(&mutability, input.image_tag_mutability_exclusion_filters.as_deref())?;
    let mut tags = OrdMap::new();
    add(&mut tags, input.tags.unwrap_or_default())?;
    if cx.state.repositories.contains_key(&name) {
        let text =
            format!("The repository with name '{name}' already exists in the registry with id '{}'", cx.scope.account);
        return Err(Error::client("RepositoryAlreadyExistsException", text));
    }
    if cx.state.repositories.len() >= MAX_REPOSITORIES {
        let text = format!(
            "The registry with id '{}' has reached the limit of {MAX_REPOSITORIES} repositories",
            cx.scope.account
        );
        return Err(Error::client("LimitExceededException", text));
    }
    let mut encryption =
        input.encryption_configuration.unwrap_or_else(|| Encryption { encryption_type: AES.into(), kms_key: None });
    if let Some(later) = find_key(cx, &mut encryption)? {
        return Ok(Step::Later(later));
    }
    let repository = Repository {
        created: cx.now,
        mutability,
        exclusions: input.image_tag_mutability_exclusion_filters,
        scanning: input.image_scanning_configuration.unwrap_or_default(),
        encryption,
        policy: None,
        lifecycle: None,
        tags,
    };
    let shown = repository.shown(cx.scope, &name);
    cx.state.repositories.insert(name, repository);
    Ok(Step::Done(One { repository: shown }))
}

/// Names the key by its ARN: one of the caller's own, which KMS is asked for, or the one that AWS manages for ECR.
/// <https://docs.aws.amazon.com/AmazonECR/latest/userguide/encryption-at-rest.html>
fn find_key(cx: &mut Cx<Registry>, encryption: &mut Encryption) -> Result<Option<Later>> {
    if encryption.encryption_type == AES {
        return match encryption.kms_key {
            Some(_) => {
                Err(invalid("encryptionConfiguration", "kmsKey is only valid with encryptionType KMS or KMS_DSSE"))
            }
            None => Ok(None),
        };
    }
    let Some(key) = &encryption.kms_key else {
        let id = managed_key(cx.scope, "ecr");
        encryption.kms_key = Some(cx.scope.arn("kms", format_args!("key/{id}")));
        return Ok(None);
    };
    let Some(answers) = cx.answers()? else {
        let caller = Caller::service("ecr.amazonaws.com");
        let (service, operation) = ("kms".into(), "DescribeKey".into());
        let question = Question { service, operation, input: json!({ "KeyId": key }), caller, scope: None };
        return cx.ask(vec![question]).map(Some);
    };
    for answer in answers {
        let described = answer
            .into_result()
            .map_err(|error| Error::client("KmsException", error.message()).with("kmsError", error.code()))?;
        encryption.kms_key = described["KeyMetadata"]["Arn"].as_str().map(str::to_owned);
    }
    Ok(None)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DescribeRepositories {
    registry_id: Option<String>,
    repository_names: Option<Vec<String>>,
    next_token: Option<String>,
    max_results: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Many {
    repositories: Vec<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

fn describe(cx: &mut Cx<Registry>, input: DescribeRepositories) -> Result<Many> {
    check_registry(cx.scope, input.registry_id.as_deref())?;
    if let Some(names) = input.repository_names {
        for (given, parameter) in
            [(input.max_results.is_some(), "maxResults"), (input.next_token.is_some(), "nextToken")]
        {
            if given {
                return Err(invalid(parameter, "cannot be used with repositoryNames"));
            }
        }
        let one = |name: &String| Ok(find(cx, None, name)?.shown(cx.scope, name));
        return Ok(Many { repositories: names.iter().map(one).collect::<Result<_>>()?, next_token: None });
    }
    let after = match &input.next_token {
        Some(text) => Some(token::text(text).ok_or_else(|| invalid("nextToken", "Invalid token"))?),
        None => None,
    };
    let start = after.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
    let mut all = cx.state.repositories.range::<_, str>((start, Bound::Unbounded));
    let page: Vec<_> = all.by_ref().take(input.max_results.unwrap_or(PAGE)).collect();
    let next_token = all.next().and(page.last()).map(|(name, _)| token::of_text(name));
    let repositories = page.into_iter().map(|(name, repository)| repository.shown(cx.scope, name)).collect();
    Ok(Many { repositories, next_token })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DeleteRepository {
    registry_id: Option<String>,
    repository_name: String,
    /// Deletes the images as well, of which there are none.
    #[serde(rename = "force")]
    _force: Option<bool>,
}

fn delete(cx: &mut Cx<Registry>, input: DeleteRepository) -> Result<One> {
    check_registry(cx.scope, input.registry_id.as_deref())?;
    let name = input.repository_name;
    let gone = cx.state.repositories.remove(&name).ok_or_else(|| no_repository(cx.scope, &name))?;
    Ok(One { repository: gone.shown(cx.scope, &name) })
}

impl OfRepository {
    /// The repository that is named.
    pub(super) fn find<'a>(&self, cx: &'a Cx<'_, Registry>) -> Result<&'a Repository> {
        find(cx, self.registry_id.as_deref(), &self.repository_name)
    }
}
