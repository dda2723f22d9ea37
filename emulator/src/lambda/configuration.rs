//! `FunctionConfiguration`: what a function is, and what AWS checks of it.
//! <https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html>

use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::functions::invalid;
use super::layers::FunctionLayer;
use super::network::{Network, VpcConfig};
use crate::{Error, Result, Timestamp};

/// A function without a time-out has this one, in seconds.
/// <https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html>
pub(super) const DEFAULT_TIMEOUT: u32 = 3;
/// The longest time-out, in seconds: 15 minutes.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const MAX_TIMEOUT: u32 = 900;
/// A function without a memory size has this one, in MiB.
pub(super) const DEFAULT_MEMORY: u32 = 128;
/// The most memory, in MiB.
const MAX_MEMORY: u32 = 10_240;
/// The ephemeral storage of a function that asks for none, and the most there is, in MiB.
const DEFAULT_STORAGE: u32 = 512;
const MAX_STORAGE: u32 = 10_240;
/// The environment variables of a function may take this much, in bytes, as JSON.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const ENVIRONMENT_LIMIT: usize = 4096;
/// The runtimes that no function may be made with any more.
/// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html#runtimes-deprecated>
const RETIRED: [&str; 20] = [
    "dotnetcore1.0",
    "dotnetcore2.0",
    "dotnetcore2.1",
    "dotnetcore3.1",
    "go1.x",
    "java8",
    "nodejs",
    "nodejs10.x",
    "nodejs12.x",
    "nodejs14.x",
    "nodejs4.3",
    "nodejs4.3-edge",
    "nodejs6.10",
    "nodejs8.10",
    "provided",
    "python2.7",
    "python3.6",
    "python3.7",
    "ruby2.5",
    "ruby2.7",
];
/// Variables that Lambda sets itself.
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime>
const RESERVED_VARIABLES: [&str; 19] = [
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_LAMBDA_RUNTIME_API",
    "LAMBDA_TASK_ROOT",
    "LAMBDA_RUNTIME_DIR",
    "AWS_LAMBDA_MAX_CONCURRENCY",
];

/// `FunctionConfiguration` of the Lambda API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    pub dead_letter_config: Option<DeadLetterConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
    /// What encrypts the variables. It is recorded: nothing is encrypted here.
    #[serde(rename = "KMSKeyArn", default, skip_serializing_if = "Option::is_none")]
    kms_key_arn: Option<String>,
    pub tracing_config: TracingConfig,
    pub revision_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_reason_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_update_status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_update_status_reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_update_status_reason_code: Option<String>,
    pub package_type: String,
    pub architectures: Vec<String>,
    pub ephemeral_storage: EphemeralStorage,
    pub snap_start: SnapStart,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<FunctionLayer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    runtime_version_config: Option<RuntimeVersionConfig>,
    pub logging_config: LoggingConfig,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    vpc_config: Option<Network>,
}

/// Which build of its runtime a function has. There is but one of each here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RuntimeVersionConfig {
    runtime_version_arn: String,
}

/// Environment variables.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Environment {
    #[serde(default)]
    pub variables: OrdMap<String, String>,
}

/// Where the events go that a function could not handle: a queue or a topic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DeadLetterConfig {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_arn: Option<String>,
}

/// Whether requests are sampled. It is recorded; there is no AWS X-Ray here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TracingConfig {
    pub mode: String,
}

/// The size of `/tmp`, in MiB. It is recorded, and not enforced.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct EphemeralStorage {
    pub size: u32,
}

/// Whether published versions start from a snapshot. It is recorded: an environment starts here as it does without one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SnapStart {
    pub apply_on: String,
    pub optimization_status: String,
}

/// Where a function's lines go.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct LoggingConfig {
    pub log_format: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application_log_level: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_log_level: Option<String>,
    pub log_group: String,
}

/// What logs in JSON leave out, if the function does not say.
const DEFAULT_LEVEL: &str = "INFO";

impl LoggingConfig {
    /// Whether lines are JSON.
    pub fn is_json(&self) -> bool {
        self.log_format == "JSON"
    }

    /// Takes what is wanted. Levels are of JSON only.
    fn apply(&mut self, wanted: WantedLogging) {
        self.log_format = wanted.log_format.unwrap_or_else(|| std::mem::take(&mut self.log_format));
        self.log_group = wanted.log_group.unwrap_or_else(|| std::mem::take(&mut self.log_group));
        let is_json = self.is_json();
        let level = |wanted: Option<String>, there: Option<String>| {
            is_json.then(|| wanted.or(there).unwrap_or_else(|| DEFAULT_LEVEL.to_owned()))
        };
        self.application_log_level = level(wanted.application_log_level, self.application_log_level.take());
        self.system_log_level = level(wanted.system_log_level, self.system_log_level.take());
    }
}

/// The input of `CreateFunction` and of `UpdateFunctionConfiguration`, of which the model lets through what each of them has.
/// A setting of which nothing is said keeps what is, or is the default.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Settings {
    pub function_name: String,
    pub runtime: Option<String>,
    pub role: Option<String>,
    pub handler: Option<String>,
    pub description: Option<String>,
    pub timeout: Option<u32>,
    pub memory_size: Option<u32>,
    pub environment: Option<Environment>,
    pub dead_letter_config: Option<DeadLetterConfig>,
    #[serde(rename = "KMSKeyArn")]
    kms_key_arn: Option<String>,
    pub tracing_config: Option<TracingConfig>,
    pub ephemeral_storage: Option<EphemeralStorage>,
    pub logging_config: Option<WantedLogging>,
    pub layers: Option<Vec<String>>,
    pub vpc_config: Option<VpcConfig>,
    pub snap_start: Option<WantedSnapStart>,
    /// Of `CreateFunction` alone.
    pub code_signing_config_arn: Option<String>,
    #[serde(default)]
    pub code: super::code::Source,
    #[serde(default)]
    pub tags: OrdMap<String, String>,
    pub package_type: Option<String>,
    pub architectures: Option<Vec<String>>,
    #[serde(default)]
    pub publish: bool,
    /// Of `UpdateFunctionConfiguration` alone.
    pub revision_id: Option<String>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WantedLogging {
    log_format: Option<String>,
    application_log_level: Option<String>,
    system_log_level: Option<String>,
    log_group: Option<String>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WantedSnapStart {
    apply_on: Option<String>,
}

impl Settings {
    /// Whether AWS takes them, and Garoa can honour them.
    pub fn check(&self) -> Result<()> {
        at_most(self.timeout, "timeout", MAX_TIMEOUT)?;
        at_most(self.memory_size, "memorySize", MAX_MEMORY)?;
        at_most(self.ephemeral_storage.as_ref().map(|storage| storage.size), "ephemeralStorage.size", MAX_STORAGE)?;
        check_environment(self.environment.as_ref())?;
        if let Some(runtime) = self.runtime.as_deref().filter(|runtime| RETIRED.contains(runtime)) {
            return Err(invalid(format!(
                "The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda functions. We \
                 recommend you use a supported runtime while creating or updating functions."
            )));
        }
        super::destinations::check_dead_letters(self.dead_letter_config.as_ref())
    }
}

impl Configuration {
    /// The configuration of a new function without code.
    pub fn new(name: &str, arn: String, role: String) -> Self {
        Self {
            function_name: name.to_owned(),
            function_arn: arn,
            runtime: None,
            role,
            handler: None,
            code_size: 0,
            description: String::new(),
            timeout: DEFAULT_TIMEOUT,
            memory_size: DEFAULT_MEMORY,
            last_modified: String::new(),
            code_sha256: String::new(),
            version: super::qualifier::LATEST.to_owned(),
            dead_letter_config: None,
            environment: None,
            kms_key_arn: None,
            tracing_config: TracingConfig { mode: "PassThrough".to_owned() },
            revision_id: String::new(),
            state: Some("Active".to_owned()),
            state_reason: None,
            state_reason_code: None,
            last_update_status: Some("Successful".to_owned()),
            last_update_status_reason: None,
            last_update_status_reason_code: None,
            package_type: "Zip".to_owned(),
            architectures: vec!["x86_64".to_owned()],
            ephemeral_storage: EphemeralStorage { size: DEFAULT_STORAGE },
            snap_start: SnapStart { apply_on: "None".to_owned(), optimization_status: "Off".to_owned() },
            layers: Vec::new(),
            runtime_version_config: None,
            logging_config: LoggingConfig {
                log_format: "Text".to_owned(),
                application_log_level: None,
                system_log_level: None,
                log_group: format!("/aws/lambda/{name}"),
            },
            vpc_config: None,
        }
    }

    /// Takes what the settings say; they were checked.
    pub fn apply(&mut self, settings: Settings) {
        fn set<T>(place: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *place = value;
            }
        }
        set(&mut self.role, settings.role);
        set(&mut self.description, settings.description);
        set(&mut self.timeout, settings.timeout);
        set(&mut self.memory_size, settings.memory_size);
        set(&mut self.tracing_config, settings.tracing_config);
        set(&mut self.ephemeral_storage, settings.ephemeral_storage);
        set(&mut self.snap_start.apply_on, settings.snap_start.and_then(|snap| snap.apply_on));
        if let Some(logging) = settings.logging_config {
            self.logging_config.apply(logging);
        }
        self.runtime = settings.runtime.or_else(|| self.runtime.take());
        self.runtime_version_config = self.runtime.as_deref().map(|runtime| {
            let region = self.function_arn.split(':').nth(3).unwrap_or_default();
            let digest = hex::encode(Sha256::digest(runtime));
            RuntimeVersionConfig { runtime_version_arn: format!("arn:aws:lambda:{region}::runtime:{digest}") }
        });
        self.handler = settings.handler.or_else(|| self.handler.take());
        self.environment = settings.environment.or_else(|| self.environment.take());
        if let Some(key) = settings.kms_key_arn {
            // An empty one is AWS's own key.
            self.kms_key_arn = (!key.is_empty()).then_some(key);
        }
        if let Some(dead) = settings.dead_letter_config {
            // An empty target takes it away.
            self.dead_letter_config = dead.target_arn.as_ref().is_some_and(|arn| !arn.is_empty()).then_some(dead);
        }
    }

    /// Takes the network that Amazon EC2 answered for. One that was never there is not told of; one that is gone is, as empty.
    pub fn connect(&mut self, network: Option<Network>) {
        if let Some(network) = network.filter(|network| !network.is_empty() || self.vpc_config.is_some()) {
            self.vpc_config = Some(network);
        }
    }

    /// Which build of its runtime it has.
    pub fn runtime_version(&self) -> Option<&str> {
        self.runtime_version_config.as_ref().map(|config| config.runtime_version_arn.as_str())
    }

    /// As `CreateFunction` answers it. A function is active as soon as that is answered.
    /// <https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html>
    pub fn pending(mut self) -> Self {
        self.state = Some("Pending".to_owned());
        (self.state_reason, self.state_reason_code) = creating();
        self.last_update_status = None;
        self
    }

    /// As an update answers it, which likewise is done by then.
    pub fn in_progress(mut self) -> Self {
        self.last_update_status = Some("InProgress".to_owned());
        (self.last_update_status_reason, self.last_update_status_reason_code) = creating();
        self
    }

    /// As lists have it: without what may change by itself.
    /// <https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html>
    pub fn listed(mut self) -> Self {
        (self.state, self.last_update_status, self.runtime_version_config) = (None, None, None);
        self
    }

    /// A change at this time.
    pub fn stamp(&mut self, now: Timestamp, revision: String) {
        self.last_modified = last_modified(now);
        self.revision_id = revision;
    }
}

/// Reason and its code of what is under way.
fn creating() -> (Option<String>, Option<String>) {
    (Some("The function is being created.".to_owned()), Some("Creating".to_owned()))
}

/// Some members have no maximum in the model, or a greater one; Lambda words its own as if the model had it.
fn at_most(value: Option<u32>, member: &str, limit: u32) -> Result<()> {
    match value {
        Some(value) if value > limit => Err(Error::client(
            "ValidationException",
            format!(
                "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must have \
                 value less than or equal to {limit}"
            ),
        )),
        _ => Ok(()),
    }
}

fn check_environment(environment: Option<&Environment>) -> Result<()> {
    let Some(environment) = environment else { return Ok(()) };
    let text = serde_json::to_string(&environment.variables)?;
    if text.len() > ENVIRONMENT_LIMIT {
        return Err(invalid(format!(
            "Lambda was unable to configure your environment variables because the environment variables you have provided \
             exceeded the 4KB limit. String measured: {text}"
        )));
    }
    let reserved: Vec<&str> =
        RESERVED_VARIABLES.into_iter().filter(|name| environment.variables.contains_key(*name)).collect();
    if !reserved.is_empty() {
        return Err(invalid(format!(
            "Lambda was unable to configure your environment variables because the environment variables you have provided \
             contains reserved keys that are currently not supported for modification. Reserved keys used in this request: {}",
            reserved.join(", ")
        )));
    }
    Ok(())
}

/// As Lambda writes times: `2026-03-02T12:00:00.000+0000`.
pub(super) fn last_modified(now: Timestamp) -> String {
    now.to_iso_millis().replace('Z', "+0000")
}
