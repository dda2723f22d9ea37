//! Functions: their configuration and its life cycle.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Functions, PRINCIPAL, on};
use crate::cloud::{Cx, Service, Target};
use crate::{Error, Result, Timestamp};

/// A function without a time-out has this one, in seconds.
/// <https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html>
const DEFAULT_TIMEOUT: u32 = 3;
/// The longest time-out, in seconds: 15 minutes.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const MAX_TIMEOUT: u32 = 900;
/// A function without a memory size has this one, in MiB.
const DEFAULT_MEMORY: u32 = 128;
/// The environment variables of a function may take this much, in bytes, as JSON.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const ENVIRONMENT_LIMIT: usize = 4096;
/// `ListFunctions` answers at most this many.
const PAGE: usize = 50;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Functions>) -> Service<Functions> {
    service
        .op("CreateFunction", |at, i: &CreateFunction| on(at, &i.function_name), create)
        .op("GetFunction", |at, i: &Named| on(at, &i.function_name), get)
        .op("GetFunctionConfiguration", |at, i: &Named| on(at, &i.function_name), get_configuration)
        .op(
            "UpdateFunctionConfiguration",
            |at, i: &UpdateFunctionConfiguration| on(at, &i.function_name),
            update_configuration,
        )
        .op("UpdateFunctionCode", |at, i: &UpdateFunctionCode| on(at, &i.function_name), update_code)
        .op("DeleteFunction", |at, i: &Named| on(at, &i.function_name), delete)
        .op("ListFunctions", |_, _: &ListFunctions| Target::any(), list)
}

/// A function as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Function {
    pub configuration: Configuration,
    pub tags: OrdMap<String, String>,
    pub code: StoredCode,
    #[serde(default)]
    pub policy: super::policy::FunctionPolicy,
    /// How often it was started.
    pub attempts: u32,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct StoredCode {
    bucket: Option<String>,
    key: Option<String>,
}

/// `FunctionConfiguration` of the Lambda API.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Configuration {
    pub function_name: String,
    pub function_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime: Option<String>,
    pub role: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handler: Option<String>,
    pub code_size: u64,
    pub description: String,
    pub timeout: u32,
    pub memory_size: u32,
    pub last_modified: String,
    pub code_sha256: String,
    pub version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
    pub tracing_config: TracingConfig,
    pub revision_id: String,
    pub state: String,
    pub last_update_status: String,
    pub package_type: String,
    pub architectures: Vec<String>,
    pub ephemeral_storage: EphemeralStorage,
    pub snap_start: SnapStart,
    pub runtime_version_config: Option<serde_json::Value>,
    pub logging_config: LoggingConfig,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Environment {
    #[serde(default)]
    pub variables: OrdMap<String, String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TracingConfig {
    mode: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct EphemeralStorage {
    size: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SnapStart {
    apply_on: String,
    optimization_status: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct LoggingConfig {
    log_format: String,
    pub log_group: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateFunction {
    pub function_name: String,
    runtime: Option<String>,
    role: String,
    handler: Option<String>,
    code: Code,
    #[serde(default)]
    description: String,
    timeout: Option<u32>,
    memory_size: Option<u32>,
    environment: Option<Environment>,
    #[serde(default)]
    tags: OrdMap<String, String>,
    package_type: Option<String>,
    architectures: Option<Vec<String>>,
    publish: Option<bool>,
}

/// Where the code comes from. In this process a function's code is registered by name, so only its digest is kept.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Code {
    zip_file: Option<String>,
    s3_bucket: Option<String>,
    s3_key: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    pub function_name: String,
    qualifier: Option<String>,
}

fn create(cx: &mut Cx<Functions>, input: CreateFunction) -> Result<Configuration> {
    let name = bare_name(&input.function_name).to_owned();
    if cx.state.functions.contains_key(&name) {
        return Err(Error::new(409, "ResourceConflictException", format!("Function already exist: {name}"))
            .with("Type", "User"));
    }
    if input.package_type.as_deref().is_some_and(|kind| kind != "Zip") {
        return Err(Error::not_implemented("container images as the code of a Lambda function (PackageType=Image)"));
    }
    if input.publish == Some(true) {
        return Err(Error::not_implemented("versions of Lambda functions (Publish=true)"));
    }
    let runtime =
        input.runtime.ok_or_else(|| invalid("Runtime is mandatory for functions created with deployment packages."))?;
    let handler =
        input.handler.ok_or_else(|| invalid("Handler is mandatory for functions created with deployment packages."))?;
    check_timeout(input.timeout)?;
    check_environment(input.environment.as_ref())?;
    if !cx.access().may_assume(&input.role, PRINCIPAL) {
        return Err(invalid("The role defined for the function cannot be assumed by Lambda."));
    }
    let (code_sha256, code_size) = digest(&input.code)?;
    let configuration = Configuration {
        function_arn: cx.scope.arn("lambda", format_args!("function:{name}")),
        runtime: Some(runtime),
        role: input.role,
        handler: Some(handler),
        code_size,
        description: input.description,
        timeout: input.timeout.unwrap_or(DEFAULT_TIMEOUT),
        memory_size: input.memory_size.unwrap_or(DEFAULT_MEMORY),
        last_modified: last_modified(cx.now),
        code_sha256,
        version: "$LATEST".to_owned(),
        environment: input.environment,
        tracing_config: TracingConfig { mode: "PassThrough".to_owned() },
        revision_id: cx.ids().uuid(),
        state: "Active".to_owned(),
        last_update_status: "Successful".to_owned(),
        package_type: "Zip".to_owned(),
        architectures: input.architectures.unwrap_or_else(|| vec!["x86_64".to_owned()]),
        ephemeral_storage: EphemeralStorage { size: 512 },
        snap_start: SnapStart { apply_on: "None".to_owned(), optimization_status: "Off".to_owned() },
        runtime_version_config: None,
        logging_config: LoggingConfig { log_format: "Text".to_owned(), log_group: format!("/aws/lambda/{name}") },
        function_name: name.clone(),
    };
    let code = StoredCode { bucket: input.code.s3_bucket, key: input.code.s3_key };
    let function = Function {
        configuration: configuration.clone(),
        tags: input.tags,
        code,
        policy: Default::default(),
        attempts: 0,
    };
    cx.state.functions.insert(name, function);
    Ok(configuration)
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GetFunctionOutput {
    configuration: Configuration,
    code: CodeLocation,
    #[serde(skip_serializing_if = "OrdMap::is_empty")]
    tags: OrdMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CodeLocation {
    repository_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
}

fn get(cx: &mut Cx<Functions>, input: Named) -> Result<GetFunctionOutput> {
    let function = latest(cx, &input)?;
    let location = function.code.bucket.as_ref().zip(function.code.key.as_ref()).map(|(b, k)| format!("s3://{b}/{k}"));
    Ok(GetFunctionOutput {
        configuration: function.configuration.clone(),
        code: CodeLocation { repository_type: "S3".to_owned(), location },
        tags: function.tags.clone(),
    })
}

fn get_configuration(cx: &mut Cx<Functions>, input: Named) -> Result<Configuration> {
    latest(cx, &input).map(|function| function.configuration.clone())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateFunctionConfiguration {
    pub function_name: String,
    role: Option<String>,
    handler: Option<String>,
    description: Option<String>,
    timeout: Option<u32>,
    memory_size: Option<u32>,
    environment: Option<Environment>,
    runtime: Option<String>,
    revision_id: Option<String>,
}

fn update_configuration(cx: &mut Cx<Functions>, input: UpdateFunctionConfiguration) -> Result<Configuration> {
    check_timeout(input.timeout)?;
    check_environment(input.environment.as_ref())?;
    let revision_id = cx.ids().uuid();
    let now = cx.now;
    let function = find_mut(cx, &input.function_name)?;
    let configuration = &mut function.configuration;
    check_revision(input.revision_id.as_ref(), configuration)?;
    configuration.role = input.role.unwrap_or_else(|| configuration.role.clone());
    configuration.handler = input.handler.or_else(|| configuration.handler.clone());
    configuration.runtime = input.runtime.or_else(|| configuration.runtime.clone());
    configuration.description = input.description.unwrap_or_else(|| configuration.description.clone());
    configuration.timeout = input.timeout.unwrap_or(configuration.timeout);
    configuration.memory_size = input.memory_size.unwrap_or(configuration.memory_size);
    configuration.environment = input.environment.or_else(|| configuration.environment.clone());
    configuration.last_modified = last_modified(now);
    configuration.revision_id = revision_id;
    Ok(configuration.clone())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateFunctionCode {
    pub function_name: String,
    zip_file: Option<String>,
    s3_bucket: Option<String>,
    s3_key: Option<String>,
    revision_id: Option<String>,
    architectures: Option<Vec<String>>,
}

fn update_code(cx: &mut Cx<Functions>, input: UpdateFunctionCode) -> Result<Configuration> {
    let code = Code { zip_file: input.zip_file, s3_bucket: input.s3_bucket, s3_key: input.s3_key };
    let (code_sha256, code_size) = digest(&code)?;
    let revision_id = cx.ids().uuid();
    let now = cx.now;
    let function = find_mut(cx, &input.function_name)?;
    check_revision(input.revision_id.as_ref(), &function.configuration)?;
    function.code = StoredCode { bucket: code.s3_bucket, key: code.s3_key };
    let configuration = &mut function.configuration;
    configuration.architectures = input.architectures.unwrap_or_else(|| configuration.architectures.clone());
    configuration.code_sha256 = code_sha256;
    configuration.code_size = code_size;
    configuration.last_modified = last_modified(now);
    configuration.revision_id = revision_id;
    Ok(configuration.clone())
}

fn delete(cx: &mut Cx<Functions>, input: Named) -> Result<()> {
    let name = latest(cx, &input)?.configuration.function_name.clone();
    cx.state.functions.remove(&name);
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListFunctions {
    marker: Option<String>,
    max_items: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListFunctionsOutput {
    functions: Vec<Configuration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
}

fn list(cx: &mut Cx<Functions>, input: ListFunctions) -> Result<ListFunctionsOutput> {
    let size = input.max_items.unwrap_or(PAGE).min(PAGE);
    let after = input.marker.unwrap_or_default();
    let mut functions: Vec<Configuration> = cx
        .state
        .functions
        .range(after.clone()..)
        .filter(|(name, _)| after.is_empty() || **name != after)
        .take(size + 1)
        .map(|(_, function)| function.configuration.clone())
        .collect();
    let more = functions.len() > size;
    functions.truncate(size);
    let next_marker = functions.last().filter(|_| more).map(|last| last.function_name.clone());
    Ok(ListFunctionsOutput { functions, next_marker })
}

/// The function's name, from a name, a partial ARN (`account:function:name`) or a whole one.
pub(super) fn bare_name(name: &str) -> &str {
    match name.split_once("function:") {
        Some((_, rest)) => rest.split(':').next().unwrap_or(rest),
        None => name.split(':').next().unwrap_or(name),
    }
}

pub(super) fn find_mut<'a>(cx: &'a mut Cx<Functions>, name: &str) -> Result<&'a mut Function> {
    let name = bare_name(name);
    let missing = not_found(&cx.scope.arn("lambda", format_args!("function:{name}")));
    cx.state.functions.get_mut(name).ok_or(missing)
}

fn latest<'a>(cx: &'a mut Cx<Functions>, input: &Named) -> Result<&'a Function> {
    refuse_qualifier(input.qualifier.as_deref())?;
    find_mut(cx, &input.function_name).map(|function| &*function)
}

/// Versions and aliases do not exist yet; `$LATEST` does.
pub(super) fn refuse_qualifier(qualifier: Option<&str>) -> Result<()> {
    match qualifier {
        None | Some("$LATEST") => Ok(()),
        Some(other) => {
            Err(Error::not_implemented(format!("versions and aliases of Lambda functions (Qualifier={other})")))
        }
    }
}

pub(super) fn not_found(arn: &str) -> Error {
    Error::new(404, "ResourceNotFoundException", format!("Function not found: {arn}")).with("Type", "User")
}

fn invalid(message: impl Into<String>) -> Error {
    Error::client("InvalidParameterValueException", message).with("Type", "User")
}

fn check_revision(wanted: Option<&String>, configuration: &Configuration) -> Result<()> {
    match wanted {
        Some(revision) if *revision != configuration.revision_id => Err(Error::new(
            412,
            "PreconditionFailedException",
            "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve \
             the latest Revision Id",
        )
        .with("Type", "User")),
        _ => Ok(()),
    }
}

/// The model has no maximum for it; Lambda does, and words it as if the model had.
fn check_timeout(timeout: Option<u32>) -> Result<()> {
    match timeout {
        Some(seconds) if seconds > MAX_TIMEOUT => Err(Error::client(
            "ValidationException",
            format!(
                "1 validation error detected: Value '{seconds}' at 'timeout' failed to satisfy constraint: Member must have \
                 value less than or equal to {MAX_TIMEOUT}"
            ),
        )),
        _ => Ok(()),
    }
}

fn check_environment(environment: Option<&Environment>) -> Result<()> {
    let Some(environment) = environment else { return Ok(()) };
    let size = serde_json::to_string(&environment.variables)?.len();
    if size > ENVIRONMENT_LIMIT {
        return Err(invalid(format!(
            "Lambda was unable to configure your environment variables because the environment variables you have provided \
             exceeded the 4KB limit. String measured: {}",
            serde_json::to_string(&environment.variables)?
        )));
    }
    Ok(())
}

fn digest(code: &Code) -> Result<(String, u64)> {
    let bytes = match (&code.zip_file, &code.s3_bucket, &code.s3_key) {
        (Some(zip), None, None) => STANDARD.decode(zip).map_err(|_| invalid("Could not unzip uploaded file."))?,
        // The object is not read: a function's code in this process is registered by the function's name.
        (None, Some(bucket), Some(key)) => format!("s3://{bucket}/{key}").into_bytes(),
        _ => return Err(invalid("Please provide either a ZipFile, or S3Bucket and S3Key.")),
    };
    Ok((STANDARD.encode(Sha256::digest(&bytes)), bytes.len() as u64))
}

/// `2026-03-02T12:00:00.000+0000`.
fn last_modified(now: Timestamp) -> String {
    now.to_iso_millis().replace('Z', "+0000")
}
