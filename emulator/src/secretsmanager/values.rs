//! Values: `CreateSecret`, `PutSecretValue`, `UpdateSecret`, `GetSecretValue`, `BatchGetSecretValue`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::filter::{Filter, Matcher};
use super::keys::Sealed;
use super::list::{Order, page};
use super::replicate::{ReplicaRegion, replicate};
use super::store::{
    CURRENT, MAX_STAGES, Replica, Secret, SecretValue, Secrets, Tag, check_name, invalid_parameter, invalid_request,
    key,
};
use super::{keys, on, tags};
use crate::cloud::{Cx, Service, Target};
use crate::{Error, Result, Timestamp};

/// A page of `BatchGetSecretValue` holds this many.
/// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_BatchGetSecretValue.html>
const BATCH: usize = 20;

pub(super) fn operations(service: Service<Secrets>) -> Service<Secrets> {
    service
        .asking_op(
            "CreateSecret",
            |at, i: &CreateSecret| {
                Target::on(at.scope.arn("secretsmanager", format_args!("secret:{}-??????", i.name)))
                    .context("secretsmanager:Name", i.name.clone())
            },
            keys::create,
            create,
        )
        .asking_op("PutSecretValue", |at, i: &PutSecretValue| on(at, &i.secret_id), keys::put, put)
        .asking_op("UpdateSecret", |at, i: &UpdateSecret| on(at, &i.secret_id), keys::update, update)
        .asking_op("GetSecretValue", |at, i: &GetSecretValue| on(at, &i.secret_id), keys::get, get)
        .asking_op("BatchGetSecretValue", |_, _: &BatchGetSecretValue| Target::any(), keys::batch, batch)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateSecret {
    pub name: String,
    pub client_request_token: Option<String>,
    description: Option<Arc<str>>,
    pub kms_key_id: Option<Arc<str>>,
    pub secret_binary: Option<Arc<str>>,
    pub secret_string: Option<Arc<str>>,
    /// The end of its ARN, and what KMS made: see `keys.rs`.
    #[serde(skip)]
    pub suffix: Option<String>,
    #[serde(skip)]
    pub sealed: Option<Sealed>,
    #[serde(default)]
    tags: Vec<Tag>,
    #[serde(default)]
    add_replica_regions: Vec<ReplicaRegion>,
    #[serde(default)]
    force_overwrite_replica_secret: bool,
    r#type: Option<Arc<str>>,
}

/// The answer of everything that makes a version.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Written {
    #[serde(rename = "ARN")]
    arn: Arc<str>,
    name: Arc<str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_id: Option<Arc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_stages: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    replication_status: Vec<Replica>,
}

fn written(secret: &Secret, version: Option<&str>) -> Written {
    Written {
        arn: secret.arn.clone(),
        name: secret.name.clone(),
        version_id: version.map(Arc::from),
        version_stages: None,
        replication_status: Vec::new(),
    }
}

fn value(text: Option<Arc<str>>, binary: Option<Arc<str>>) -> Result<Option<SecretValue>> {
    match (text, binary) {
        (Some(_), Some(_)) => Err(invalid_parameter(
            "You can't specify both a binary secret value and a string secret value in the same secret.",
        )),
        (Some(text), None) => Ok(Some(SecretValue::Text(text))),
        (None, Some(binary)) => Ok(Some(SecretValue::Binary(binary))),
        (None, None) => Ok(None),
    }
}

/// SDKs make the token up; AWS does not.
fn token(token: Option<String>) -> Result<Arc<str>> {
    token
        .map(Arc::from)
        .ok_or_else(|| invalid_request("You must provide a ClientRequestToken value. We recommend a UUID-type value."))
}

fn token_in_use(secret: &Secret, token: &str) -> Error {
    Error::client(
        "ResourceExistsException",
        format!(
            "You can't use ClientRequestToken {token} because that value is already in use for a version of secret {}.",
            secret.arn
        ),
    )
}

fn create(cx: &mut Cx<Secrets>, input: CreateSecret) -> Result<Written> {
    check_name(&input.name)?;
    let token = token(input.client_request_token)?;
    let value = value(input.secret_string, input.secret_binary)?;
    tags::check(&input.tags)?;
    let name: Arc<str> = input.name.into();
    if let Some(old) = cx.state.secrets.get(&key(&cx.scope.account, &cx.scope.region, &name)) {
        if old.deletion.is_some() {
            return Err(invalid_request(
                "You can't create this secret because a secret with this name is already scheduled for deletion.",
            ));
        }
        return match old.version(&token) {
            Some(version) if version.value == value => Ok(written(old, Some(&token))),
            Some(_) => Err(token_in_use(old, &token)),
            None => Err(Error::client(
                "ResourceExistsException",
                format!("The operation failed because the secret {name} already exists."),
            )),
        };
    }
    let suffix = input.suffix.unwrap_or_else(|| cx.ids().mixed(6));
    let mut secret = Secret {
        number: cx.state.created,
        arn: cx.scope.arn("secretsmanager", format_args!("secret:{name}-{suffix}")).into(),
        name,
        account: cx.scope.account.clone(),
        region: cx.scope.region.clone(),
        description: input.description.filter(|description| !description.is_empty()),
        kms_key_id: input.kms_key_id.filter(|key| !key.is_empty()),
        kind: input.r#type,
        created: cx.now,
        changed: cx.now,
        accessed: None,
        deletion: None,
        tags: Some(input.tags).filter(|tags| !tags.is_empty()),
        policy: None,
        versions: Vec::new(),
        rotation: None,
        rotated: None,
        replicas: Vec::new(),
        primary_region: None,
    };
    let version = value.map(|value| {
        secret.add_version(token.clone(), Some(value), cx.now);
        secret.seal(&token, input.sealed);
        secret.stage(CURRENT, Some(&token));
        &*token
    });
    replicate(cx.state, &mut secret, &input.add_replica_regions, input.force_overwrite_replica_secret)?;
    let answer = Written { replication_status: secret.replicas.clone(), ..written(&secret, version) };
    cx.state.created += 1;
    cx.state.save(secret);
    Ok(answer)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PutSecretValue {
    pub secret_id: String,
    pub client_request_token: Option<String>,
    #[serde(skip)]
    pub sealed: Option<Sealed>,
    secret_binary: Option<Arc<str>>,
    secret_string: Option<Arc<str>>,
    version_stages: Option<Vec<String>>,
    rotation_token: Option<String>,
}

fn put(cx: &mut Cx<Secrets>, input: PutSecretValue) -> Result<Written> {
    check_id(&input.secret_id)?;
    // The token of a rotation proves who rotates; every caller that may call is trusted here.
    drop(input.rotation_token);
    let token = token(input.client_request_token)?;
    let value = value(input.secret_string, input.secret_binary)?
        .ok_or_else(|| invalid_request("You must provide either SecretString or SecretBinary."))?;
    let mut secret = cx.state.to_change(cx.scope, &input.secret_id)?;
    secret.check_account(cx.scope)?;
    let mut stages = input.version_stages.unwrap_or_else(|| vec![CURRENT.to_owned()]);
    if secret.staged(CURRENT).is_none() && !stages.iter().any(|stage| stage == CURRENT) {
        stages.push(CURRENT.to_owned());
    }
    if stages.len() > MAX_STAGES {
        return Err(Error::client(
            "LimitExceededException",
            format!("You can't attach more than {MAX_STAGES} staging labels to a version of a secret."),
        ));
    }
    write(&mut secret, &token, value, &stages, cx.now)?;
    secret.seal(&token, input.sealed);
    let answer = Written { version_stages: Some(stages), ..written(&secret, Some(&token)) };
    cx.state.save(secret);
    Ok(answer)
}

/// Makes a version, or gives one that a rotation has begun its value. A request that is made again changes nothing.
fn write(secret: &mut Secret, id: &Arc<str>, value: SecretValue, stages: &[String], now: Timestamp) -> Result<()> {
    match secret.versions.iter_mut().find(|version| version.id == *id) {
        None => secret.add_version(id.clone(), Some(value), now),
        Some(version) => match &version.value {
            None => version.value = Some(value),
            Some(old) if *old == value => {}
            Some(_) => return Err(token_in_use(secret, id)),
        },
    }
    for stage in stages {
        secret.stage(stage, Some(id));
    }
    secret.changed = now;
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UpdateSecret {
    pub secret_id: String,
    pub client_request_token: Option<String>,
    description: Option<Arc<str>>,
    pub kms_key_id: Option<Arc<str>>,
    pub secret_binary: Option<Arc<str>>,
    pub secret_string: Option<Arc<str>>,
    #[serde(skip)]
    pub sealed: Vec<Sealed>,
    r#type: Option<Arc<str>>,
}

fn update(cx: &mut Cx<Secrets>, input: UpdateSecret) -> Result<Written> {
    check_id(&input.secret_id)?;
    let value = value(input.secret_string, input.secret_binary)?;
    let version = match value {
        Some(value) => Some((token(input.client_request_token)?, value)),
        None => None,
    };
    let mut secret = cx.state.to_change(cx.scope, &input.secret_id)?;
    let sealed = keys::reseal(&mut secret, input.kms_key_id.as_ref(), input.sealed);
    let id = match version {
        Some((token, value)) => {
            secret.check_account(cx.scope)?;
            let done = secret.version(&token).is_some_and(|old| old.value.as_ref() == Some(&value));
            if !done {
                write(&mut secret, &token, value, &[CURRENT.to_owned()], cx.now)?;
                secret.seal(&token, sealed);
            }
            Some(token)
        }
        None => None,
    };
    secret.description = input.description.or(secret.description);
    secret.kms_key_id = input.kms_key_id.or(secret.kms_key_id).filter(|key| !key.is_empty());
    secret.kind = input.r#type.or(secret.kind);
    secret.changed = cx.now;
    let answer = written(&secret, id.as_deref());
    cx.state.save(secret);
    Ok(answer)
}

/// The id could be that of a secret. Bad names are told before anything else.
fn check_id(id: &str) -> Result<()> {
    if id.starts_with("arn:") { Ok(()) } else { check_name(id) }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetSecretValue {
    pub secret_id: String,
    pub version_id: Option<String>,
    pub version_stage: Option<String>,
}

/// `GetSecretValueResponse` and `SecretValueEntry` of the API.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Read {
    #[serde(rename = "ARN")]
    arn: Arc<str>,
    name: Arc<str>,
    version_id: Arc<str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_binary: Option<Arc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_string: Option<Arc<str>>,
    version_stages: Vec<String>,
    created_date: Timestamp,
}

fn get(cx: &mut Cx<Secrets>, input: GetSecretValue) -> Result<Read> {
    read(cx, &input)
}

fn read(cx: &mut Cx<Secrets>, input: &GetSecretValue) -> Result<Read> {
    let key = cx.state.find(cx.scope, &input.secret_id)?;
    let secret = cx.state.get(cx.scope, &input.secret_id)?;
    secret.check_kept()?;
    secret.check_account(cx.scope)?;
    let no_value = |of: &str, what: &str| {
        Error::client(
            "ResourceNotFoundException",
            format!("Secrets Manager can't find the specified secret value for {of}: {what}"),
        )
    };
    let stage = input.version_stage.as_deref();
    let version = match &input.version_id {
        Some(id) => {
            let version = secret.version(id).ok_or_else(|| no_value("VersionId", id))?;
            if stage.is_some_and(|stage| !version.stages.iter().any(|one| one == stage)) {
                return Err(invalid_request(
                    "You provided a VersionStage that is not associated to the provided VersionId.",
                ));
            }
            version
        }
        None => {
            let stage = stage.unwrap_or(CURRENT);
            secret.staged(stage).ok_or_else(|| no_value("staging label", stage))?
        }
    };
    let (text, binary) = match &version.value {
        Some(SecretValue::Text(text)) => (Some(text.clone()), None),
        Some(SecretValue::Binary(binary)) => (None, Some(binary.clone())),
        None => return Err(no_value("VersionId", &version.id)),
    };
    let answer = Read {
        arn: secret.arn.clone(),
        name: secret.name.clone(),
        version_id: version.id.clone(),
        secret_binary: binary,
        secret_string: text,
        version_stages: version.sorted_stages(),
        created_date: version.created,
    };
    // AWS tells the day alone.
    let day = Timestamp::from_secs(cx.now.secs().div_euclid(86_400) * 86_400);
    if let Some(secret) = cx.state.secrets.get_mut(&key) {
        secret.accessed = Some(day);
        if let Some(version) = secret.versions.iter_mut().find(|version| version.id == answer.version_id) {
            version.accessed = Some(day);
        }
    }
    Ok(answer)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct BatchGetSecretValue {
    secret_id_list: Option<Vec<String>>,
    filters: Option<Vec<Filter>>,
    max_results: Option<usize>,
    next_token: Option<String>,
    /// Whose data keys KMS did not open: see `keys.rs`.
    #[serde(skip)]
    pub refused: Vec<(String, Error)>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Batch {
    secret_values: Vec<Read>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
    errors: Vec<BatchError>,
}

/// `APIErrorType` of the API.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct BatchError {
    secret_id: String,
    error_code: String,
    message: String,
}

/// The secrets that a batch is for, and where the next one begins.
pub(super) fn chosen(cx: &Cx<Secrets>, input: &BatchGetSecretValue) -> Result<(Vec<String>, Option<String>)> {
    Ok(match (&input.secret_id_list, &input.filters) {
        (Some(_), None) if input.max_results.is_some() => {
            return Err(invalid_parameter(
                "'Filters' not specified. 'Filters' must also be specified when 'MaxResults' is provided.",
            ));
        }
        (Some(ids), None) => (ids.clone(), None),
        (None, Some(filters)) => {
            let matcher = Matcher::new(filters)?;
            let size = input.max_results.unwrap_or(BATCH).min(BATCH);
            let found = cx.state.of(cx.scope).filter(|secret| matcher.matches(secret) && secret.deletion.is_none());
            let (page, next_token) = page(found, Order::default(), size, input.next_token.clone())?;
            (page.into_iter().map(|secret| secret.arn.to_string()).collect(), next_token)
        }
        _ => {
            return Err(invalid_parameter("Either 'SecretIdList' or 'Filters' must be provided, but not both."));
        }
    })
}

fn batch(cx: &mut Cx<Secrets>, input: BatchGetSecretValue) -> Result<Batch> {
    let (ids, next_token) = chosen(cx, &input)?;
    let mut answer = Batch { secret_values: Vec::new(), next_token, errors: Vec::new() };
    for secret_id in ids {
        let resource = cx.state.get(cx.scope, &secret_id).map_or_else(|_| secret_id.clone(), |one| one.arn.to_string());
        if !may_read(cx, &secret_id) {
            let message = format!("You are not authorized to perform secretsmanager:GetSecretValue on {resource}.");
            answer.errors.push(BatchError { secret_id, error_code: "AccessDeniedException".to_owned(), message });
            continue;
        }
        let refused = input.refused.iter().find(|(id, _)| *id == secret_id).map(|(_, error)| error.clone());
        let wanted = GetSecretValue { secret_id, version_id: None, version_stage: None };
        match refused.map_or_else(|| read(cx, &wanted), Err) {
            Ok(value) => answer.secret_values.push(value),
            Err(error) => answer.errors.push(BatchError {
                secret_id: wanted.secret_id,
                error_code: error.code().to_owned(),
                message: error.message().to_owned(),
            }),
        }
    }
    Ok(answer)
}

/// Whether the caller may read a secret that is one of a batch.
pub(super) fn may_read(cx: &Cx<Secrets>, id: &str) -> bool {
    let resource = cx.state.get(cx.scope, id).map_or_else(|_| id.to_owned(), |one| one.arn.to_string());
    cx.access().may("secretsmanager:GetSecretValue", &resource)
}
