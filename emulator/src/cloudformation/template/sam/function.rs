//! `AWS::Serverless::Function` as `AWS::Lambda::Function`, its role, and the resources of its events.

use serde_json::{Map, Value, json};

use super::alias::{self, Invoked};
use super::rename::Renamed;
use super::{
    Package, ResourceDef, arn_of, check_properties, events, generated, invalid, is_intrinsic, role, tag_list, url,
};
use crate::{Error, Result};

const KIND: &str = "AWS::Serverless::Function";

/// Passed on as they are.
const PASSED_ON: [&str; 21] = [
    "FunctionName",
    "Handler",
    "Runtime",
    "Description",
    "MemorySize",
    "Timeout",
    "VpcConfig",
    "Environment",
    "KmsKeyArn",
    "ReservedConcurrentExecutions",
    "Layers",
    "FileSystemConfigs",
    "ImageConfig",
    "PackageType",
    "Architectures",
    "EphemeralStorage",
    "CodeSigningConfigArn",
    "LoggingConfig",
    "RuntimeManagementConfig",
    "RecursiveLoop",
    "SnapStart",
];

/// Turned into something else.
const TRANSFORMED: [&str; 21] = [
    "AssumeRolePolicyDocument",
    "AutoPublishAlias",
    "AutoPublishAliasAllProperties",
    "AutoPublishCodeSha256",
    "CodeUri",
    "DeadLetterQueue",
    "EventInvokeConfig",
    "Events",
    "FunctionUrlConfig",
    "ImageUri",
    "InlineCode",
    "PermissionsBoundary",
    "Policies",
    "PropagateTags",
    "ProvisionedConcurrencyConfig",
    "Role",
    "RolePath",
    "Tags",
    "Tracing",
    "VersionDeletionPolicy",
    "VersionDescription",
];

/// SAM knows them, Garoa does not.
const REFUSED: [&str; 7] = [
    "CapacityProviderConfig",
    "DeploymentPreference",
    "DurableConfig",
    "FunctionScalingConfig",
    "PublishToLatestPublished",
    "SourceKMSKeyArn",
    "TenancyConfig",
];

pub(super) fn expand(
    invoked: &Invoked,
    resource: &ResourceDef,
    package: &Package<'_>,
    renamed: &mut Renamed,
) -> Result<Vec<(String, ResourceDef)>> {
    let id = &*invoked.function;
    let properties = &resource.properties;
    let known: Vec<&str> = PASSED_ON.iter().chain(&TRANSFORMED).copied().collect();
    check_properties(id, KIND, properties, &known, &REFUSED)?;
    let is_text = |value: &Value| value.is_string() || is_intrinsic(value);
    let fits = |name: &str, fit: &dyn Fn(&Value) -> bool| properties.get(name).is_none_or(fit);
    if !fits("Role", &is_text) {
        return Err(invalid(id, "Property 'Role' should be a string."));
    }
    if !fits("Layers", &Value::is_array) && !fits("Layers", &is_intrinsic) {
        return Err(invalid(id, "Type of property 'Layers' is invalid."));
    }
    let code = code(id, properties, package)?;
    let propagate = match properties.get("PropagateTags") {
        None => false,
        Some(Value::Bool(flag)) => *flag,
        Some(_) => return Err(invalid(id, "Type of property 'PropagateTags' is invalid.")),
    };
    let own_tags = tag_list(id, properties.get("Tags"))?;
    let mut tags = vec![json!({"Key": "lambda:createdBy", "Value": "SAM"})];
    tags.extend(own_tags.iter().cloned());

    let invoke = invoke_config(invoked, resource)?;
    let invoke_policies = invoke.as_ref().map(|(_, policies)| policies.clone()).unwrap_or_default();
    let mut role = role::Role::of_function(id, properties, tags.clone(), invoke_policies)?;
    let published = alias::expand(invoked, resource, &code, renamed)?;
    let mut lambda = Map::from_iter([("Code".to_owned(), code)]);
    for name in PASSED_ON {
        if let Some(value) = properties.get(name) {
            lambda.insert(name.to_owned(), value.clone());
        }
    }
    let generate_role = !properties.contains_key("Role");
    lambda.insert("Role".to_owned(), own_role(id, properties)?);
    if let Some(queue) = properties.get("DeadLetterQueue") {
        lambda.insert("DeadLetterConfig".to_owned(), json!({"TargetArn": queue.get("TargetArn")}));
    }
    if let Some(mode) = properties.get("Tracing").filter(|mode| mode.as_str() != Some("Disabled")) {
        lambda.insert("TracingConfig".to_owned(), json!({"Mode": mode}));
    }
    lambda.insert("Tags".to_owned(), Value::Array(tags));
    let mut function = generated(resource, "AWS::Lambda::Function", Value::Object(lambda));
    function.depends_on.clone_from(&resource.depends_on);
    function.attributes.clone_from(&resource.attributes);

    let mut from_events = events::expand(invoked, resource, &mut role)?;
    if propagate {
        for (_, def) in &mut from_events {
            propagate_tags(def, &own_tags);
        }
    }
    let mut all = vec![(id.to_owned(), function)];
    all.extend(published);
    all.extend(invoke.into_iter().map(|(config, _)| (format!("{id}EventInvokeConfig"), config)));
    if generate_role {
        all.push((format!("{id}Role"), generated(resource, "AWS::IAM::Role", role.into_properties())));
    }
    all.extend(from_events);
    all.extend(url::expand(invoked, resource)?);
    Ok(all)
}

/// The role that the author names, or the generated one.
fn own_role(id: &str, properties: &Map<String, Value>) -> Result<Value> {
    let Some(role) = properties.get("Role") else { return Ok(arn_of(&format!("{id}Role"))) };
    // SAM then generates a role under a condition.
    if role.get("Fn::If").is_some_and(|branches| branches.to_string().contains("\"AWS::NoValue\"")) {
        return Err(Error::not_implemented(format_args!("a Role that may be AWS::NoValue (resource {id})")));
    }
    Ok(role.clone())
}

/// The tags of a function on what its events generate, where that type takes them.
fn propagate_tags(def: &mut ResourceDef, tags: &[Value]) {
    let takes_tags = ["AWS::IAM::Role", "AWS::SQS::Queue", "AWS::Lambda::EventSourceMapping", "AWS::Events::Rule"];
    if takes_tags.contains(&def.kind.as_str()) && !tags.is_empty() {
        def.properties.insert("Tags".to_owned(), Value::Array(tags.to_vec()));
    }
}

fn code(id: &str, properties: &Map<String, Value>, package: &Package<'_>) -> Result<Value> {
    let (runtime, handler) = (properties.get("Runtime"), properties.get("Handler"));
    match properties.get("PackageType").and_then(Value::as_str).unwrap_or("Zip") {
        "Zip" if runtime.is_none() || handler.is_none() => {
            Err(invalid(id, "Runtime and Handler needs to be present when PackageType is of type `Zip`"))
        }
        "Zip" if properties.contains_key("ImageUri") || properties.contains_key("ImageConfig") => {
            Err(invalid(id, "ImageUri or ImageConfig cannot be present when PackageType is of type `Zip`"))
        }
        "Zip" => zip_code(id, properties, package),
        "Image" if runtime.is_some() || handler.is_some() || properties.contains_key("Layers") => {
            Err(invalid(id, "Runtime, Handler, Layers cannot be present when PackageType is of type `Image`"))
        }
        "Image" => match properties.get("ImageUri") {
            Some(uri) => Ok(json!({"ImageUri": uri})),
            None => Err(invalid(id, "'ImageUri' must be set.")),
        },
        _ => Err(invalid(id, "PackageType needs to be `Zip` or `Image`")),
    }
}

fn zip_code(id: &str, properties: &Map<String, Value>, package: &Package<'_>) -> Result<Value> {
    // Where both are given, SAM takes the inline code.
    if let Some(code) = properties.get("InlineCode") {
        return Ok(json!({"ZipFile": code}));
    }
    match properties.get("CodeUri") {
        None => Err(invalid(id, "Either 'InlineCode' or 'CodeUri' must be set.")),
        uri => code_at(id, "CodeUri", uri, package),
    }
}

/// Where an archive is: `s3://bucket/key`, a path that is packaged, or an object with bucket and key.
pub(super) fn code_at(id: &str, property: &str, uri: Option<&Value>, package: &Package<'_>) -> Result<Value> {
    let bad = || bad_uri(id, property);
    match uri {
        Some(Value::String(uri)) if uri.starts_with("s3://") => s3_code(uri).ok_or_else(bad),
        Some(Value::String(path)) => package(id, path).ok_or_else(bad),
        Some(uri) => match (uri.get("Bucket"), uri.get("Key")) {
            (Some(bucket), Some(key)) => {
                let mut code = json!({"S3Bucket": bucket, "S3Key": key});
                if let (Some(version), Some(code)) = (uri.get("Version"), code.as_object_mut()) {
                    code.insert("S3ObjectVersion".to_owned(), version.clone());
                }
                Ok(code)
            }
            _ => Err(invalid(id, format_args!("'{property}' requires Bucket and Key properties to be specified."))),
        },
        None => Err(invalid(id, format_args!("Missing required property '{property}'."))),
    }
}

/// `s3://bucket/key`, with an optional `?versionId=…`.
fn s3_code(uri: &str) -> Option<Value> {
    let (path, query) = uri.split_once('?').map_or((uri, None), |(path, query)| (path, Some(query)));
    let (bucket, key) = path.strip_prefix("s3://")?.split_once('/')?;
    if bucket.is_empty() || key.is_empty() {
        return None;
    }
    let mut code = Map::from_iter([("S3Bucket".to_owned(), bucket.into()), ("S3Key".to_owned(), key.into())]);
    if let Some(query) = query {
        code.insert("S3ObjectVersion".to_owned(), query.strip_prefix("versionId=")?.into());
    }
    Some(Value::Object(code))
}

fn bad_uri(id: &str, property: &str) -> Error {
    let text = "is not a valid S3 Uri of the form 's3://bucket/key' with optional versionId query parameter.";
    invalid(id, format_args!("'{property}' {text}"))
}

/// `AWS::Lambda::EventInvokeConfig` and the policies that its destinations need.
fn invoke_config(invoked: &Invoked, resource: &ResourceDef) -> Result<Option<(ResourceDef, Vec<Value>)>> {
    let id = &*invoked.function;
    let Some(config) = resource.properties.get("EventInvokeConfig") else { return Ok(None) };
    let Some(members) = config.as_object() else {
        return Err(invalid(id, "Type of property 'EventInvokeConfig' is invalid."));
    };
    let known = ["DestinationConfig", "MaximumEventAgeInSeconds", "MaximumRetryAttempts"];
    check_properties(id, KIND, members, &known, &[])?;
    let mut policies = Vec::new();
    let mut destinations = Map::new();
    for (event, destination) in config.get("DestinationConfig").and_then(Value::as_object).into_iter().flatten() {
        if event != "OnSuccess" && event != "OnFailure" {
            return Err(invalid(id, format_args!("property {event} not defined for DestinationConfig")));
        }
        let kind = destination.get("Type").and_then(Value::as_str).unwrap_or_default();
        let Some(arn) = destination.get("Destination").filter(|arn| arn.get("Fn::If").is_none()) else {
            // SAM would generate a queue or topic, perhaps under a condition.
            let what = format_args!("an EventInvokeConfig without a plain Destination (resource {id})");
            return Err(Error::not_implemented(what));
        };
        policies.push(role::destination_policy(&format!("{id}EventInvokeConfig{event}"), kind, arn).ok_or_else(
            || {
                let kinds = "['SQS', 'SNS', 'EventBridge', 'Lambda', 'S3Bucket']";
                invalid(id, format_args!("'Type: {kind}' must be one of {kinds}"))
            },
        )?);
        destinations.insert(event.clone(), json!({"Destination": arn}));
    }
    let properties = json!({
        "FunctionName": {"Ref": id},
        "Qualifier": invoked.alias.as_deref().unwrap_or("$LATEST"),
        "DestinationConfig": destinations,
        "MaximumEventAgeInSeconds": config.get("MaximumEventAgeInSeconds"),
        "MaximumRetryAttempts": config.get("MaximumRetryAttempts"),
    });
    Ok(Some((generated(resource, "AWS::Lambda::EventInvokeConfig", properties), policies)))
}
