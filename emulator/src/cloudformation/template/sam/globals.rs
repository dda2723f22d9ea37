//! SAM's `Globals` section and its merge into resources.
//!
//! Rules ("Globals section of the AWS SAM template"): maps merge member by member, lists are joined, global items first, and
//! anything else, functions included, is the resource's own if it has one.

use serde_json::{Map, Value};

use super::{is_intrinsic, validation_error};
use crate::{Error, Result};

/// What may stand in `Globals: Function:`; role, policies, name and events may not.
const FUNCTION: [&str; 39] = [
    "Handler",
    "Runtime",
    "CodeUri",
    "DeadLetterQueue",
    "Description",
    "MemorySize",
    "Timeout",
    "VpcConfig",
    "Environment",
    "Tags",
    "PropagateTags",
    "Tracing",
    "KmsKeyArn",
    "AutoPublishAlias",
    "AutoPublishAliasAllProperties",
    "Layers",
    "DeploymentPreference",
    "RolePath",
    "PermissionsBoundary",
    "ReservedConcurrentExecutions",
    "ProvisionedConcurrencyConfig",
    "AssumeRolePolicyDocument",
    "EventInvokeConfig",
    "FileSystemConfigs",
    "CodeSigningConfigArn",
    "Architectures",
    "SnapStart",
    "EphemeralStorage",
    "FunctionUrlConfig",
    "RuntimeManagementConfig",
    "LoggingConfig",
    "RecursiveLoop",
    "SourceKMSKeyArn",
    "TenancyConfig",
    "DurableConfig",
    "CapacityProviderConfig",
    "FunctionScalingConfig",
    "PublishToLatestPublished",
    "VersionDeletionPolicy",
];
/// What may stand in `Globals: Api:`.
const API: [&str; 22] = [
    "AccessLogSetting",
    "AlwaysDeploy",
    "ApiKeySourceType",
    "Auth",
    "BinaryMediaTypes",
    "CacheClusterEnabled",
    "CacheClusterSize",
    "CanarySetting",
    "Cors",
    "DefinitionUri",
    "Domain",
    "EndpointConfiguration",
    "GatewayResponses",
    "MergeDefinitions",
    "MethodSettings",
    "MinimumCompressionSize",
    "Name",
    "OpenApiVersion",
    "PropagateTags",
    "Tags",
    "TracingEnabled",
    "Variables",
];
/// What may stand in `Globals: HttpApi:`.
const HTTP_API: [&str; 11] = [
    "AccessLogSettings",
    "Auth",
    "CorsConfiguration",
    "DefaultRouteSettings",
    "DisableExecuteApiEndpoint",
    "Domain",
    "FailOnWarnings",
    "PropagateTags",
    "RouteSettings",
    "StageVariables",
    "Tags",
];
const SIMPLE_TABLE: [&str; 1] = ["SSESpecification"];
/// Sections that SAM knows and Garoa has no resources for.
const OTHER: [&str; 4] = ["CapacityProvider", "LayerVersion", "StateMachine", "WebSocketApi"];

/// The section's properties by the resource type's last name.
#[derive(Default)]
pub(super) struct Globals(Map<String, Value>);

pub(super) fn read(section: Option<&Value>) -> Result<Globals> {
    let Some(section) = section else { return Ok(Globals::default()) };
    let wrong = |text: String| validation_error(format!("'Globals' section is invalid. {text}"));
    let Value::Object(sections) = section else {
        return Err(wrong("It must be a non-empty dictionary".to_owned()));
    };
    for (name, properties) in sections {
        let supported: &[&str] = match name.as_str() {
            "Api" => &API,
            "Function" => &FUNCTION,
            "HttpApi" => &HTTP_API,
            "SimpleTable" => &SIMPLE_TABLE,
            other if OTHER.contains(&other) => {
                return Err(Error::not_implemented(format_args!("section {other} of SAM's Globals")));
            }
            other => return Err(wrong(format!("'{other}' is not supported."))),
        };
        let Value::Object(properties) = properties else {
            return Err(wrong(format!("Value of {name} must be a dictionary")));
        };
        if let Some(property) = properties.keys().find(|property| !supported.contains(&property.as_str())) {
            return Err(wrong(format!("'{property}' is not a supported property of '{name}'.")));
        }
    }
    Ok(Globals(sections.clone()))
}

impl Globals {
    /// The properties of a resource with the globals of its type merged in.
    pub fn merge(&self, kind: &str, properties: &Map<String, Value>) -> Map<String, Value> {
        match self.0.get(kind) {
            Some(Value::Object(globals)) => merge_maps(globals, properties),
            _ => properties.clone(),
        }
    }
}

fn merge_maps(global: &Map<String, Value>, own: &Map<String, Value>) -> Map<String, Value> {
    let mut merged = global.clone();
    for (name, value) in own {
        let value = match global.get(name) {
            Some(global) => merge(global, value),
            None => value.clone(),
        };
        merged.insert(name.clone(), value);
    }
    merged
}

fn merge(global: &Value, own: &Value) -> Value {
    match (global, own) {
        _ if is_intrinsic(global) || is_intrinsic(own) => own.clone(),
        (Value::Object(global), Value::Object(own)) => Value::Object(merge_maps(global, own)),
        (Value::Array(global), Value::Array(own)) => global.iter().chain(own).cloned().collect(),
        _ => own.clone(),
    }
}
