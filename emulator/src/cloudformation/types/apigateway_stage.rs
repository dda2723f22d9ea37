//! `AWS::ApiGateway::Deployment` and `AWS::ApiGateway::Stage`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-deployment.html>,
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-stage.html>

use serde_json::{Map, Value, json};

use super::apigateway_parts::call;
use super::apigateway_rest_api::{TAGS, lower, patch, renamed, replace, scalar, text};
use super::{Made, ResourceType, Task, may_change, replaces};
use crate::{Error, Result};

const SERVICE: &str = "apigateway";

pub(super) const DEPLOYMENT: ResourceType = ResourceType {
    name: "AWS::ApiGateway::Deployment",
    properties: &[
        replaces("DeploymentCanarySettings"),
        may_change("Description"),
        replaces("RestApiId").required(),
        may_change("StageDescription"),
        may_change("StageName"),
    ],
    name_property: None,
    create: |task| {
        Box::pin(async move {
            let names = [("RestApiId", "restApiId"), ("Description", "description"), ("StageName", "stageName")];
            let mut input = renamed(task, &names);
            input.insert("canarySettings".to_owned(), lower(&task.get("DeploymentCanarySettings")));
            let stage = task.get("StageDescription");
            check_described(task, &stage)?;
            input.extend(
                DESCRIBED
                    .iter()
                    .filter_map(|(property, member)| Some(((*member).to_owned(), stage.get(*property)?.clone()))),
            );
            let made = call(task, "CreateDeployment", input).await?;
            let id = text(&made, "id")?;
            task.begun(&id);
            describe_stage(task, &stage).await?;
            Ok(Made::new(&*id, [("DeploymentId", id.as_str().into())]))
        })
    },
    update: |task| {
        Box::pin(async move {
            let of = json!({"restApiId": task.get("RestApiId"), "deploymentId": task.physical_id});
            patch(task, "UpdateDeployment", of, vec![replace("/description", &task.get("Description"))]).await?;
            if task.changes(&["StageDescription"]) {
                let stage = task.get("StageDescription");
                check_described(task, &stage)?;
                describe_stage(task, &stage).await?;
            }
            Ok(Made::new(task.physical_id, [("DeploymentId", task.physical_id.into())]))
        })
    },
    delete: |task| Box::pin(delete_deployment(task)),
};

/// What a deployment's `StageDescription` says of the stage that comes with it, as `CreateDeployment` takes it.
const DESCRIBED: [(&str, &str); 5] = [
    ("CacheClusterEnabled", "cacheClusterEnabled"),
    ("CacheClusterSize", "cacheClusterSize"),
    ("Description", "stageDescription"),
    ("TracingEnabled", "tracingEnabled"),
    ("Variables", "variables"),
];

/// Refuses what a `StageDescription` says that is not honoured.
fn check_described(task: &Task<'_>, stage: &Value) -> Result<()> {
    let known = |name: &str| {
        let mut settings = SETTINGS.iter().chain(&DESCRIBED).map(|(property, _)| *property);
        settings.any(|property| property == name) || matches!(name, "AccessLogSetting" | "MethodSettings")
    };
    match stage.as_object().into_iter().flat_map(Map::keys).find(|name| !known(name)) {
        None => Ok(()),
        Some(name) => Err(Error::not_implemented(format_args!(
            "property StageDescription.{name} of AWS::ApiGateway::Deployment (resource {})",
            task.logical_id
        ))),
    }
}

/// What a `StageDescription` says that stages take by patches alone. Settings of its own are those of all methods.
async fn describe_stage(task: &Task<'_>, stage: &Value) -> Result<()> {
    let mut of_methods = stage.get("MethodSettings").and_then(Value::as_array).cloned().unwrap_or_default();
    if SETTINGS.iter().any(|(property, _)| stage.get(*property).is_some()) {
        of_methods.insert(0, stage.clone());
    }
    let log = stage.get("AccessLogSetting").cloned().unwrap_or_default();
    let of = json!({"restApiId": task.get("RestApiId"), "stageName": task.get("StageName")});
    patch(task, "UpdateStage", of, settings(&log, &of_methods)).await
}

/// A stage that the deployment itself made goes with it.
async fn delete_deployment(task: &Task<'_>) -> Result<()> {
    let api = task.get("RestApiId");
    if let Some(stage) = task.properties.get("StageName") {
        let of = json!({"restApiId": api, "stageName": stage});
        let found = task.door.call(SERVICE, "GetStage", of.clone()).await;
        if found.is_ok_and(|found| found.get("deploymentId").and_then(Value::as_str) == Some(task.physical_id)) {
            task.door.call(SERVICE, "DeleteStage", of).await?;
        }
    }
    let input = json!({"restApiId": api, "deploymentId": task.physical_id});
    task.door.call(SERVICE, "DeleteDeployment", input).await.map(drop)
}

pub(super) const STAGE: ResourceType = ResourceType {
    name: "AWS::ApiGateway::Stage",
    properties: &[
        may_change("AccessLogSetting"),
        may_change("CacheClusterEnabled"),
        may_change("CacheClusterSize"),
        may_change("CanarySetting"),
        may_change("ClientCertificateId"),
        may_change("DeploymentId"),
        may_change("Description"),
        may_change("DocumentationVersion"),
        may_change("MethodSettings"),
        replaces("RestApiId").required(),
        replaces("StageName"),
        may_change("Tags"),
        may_change("TracingEnabled"),
        may_change("Variables"),
    ],
    name_property: Some("StageName"),
    create: |task| Box::pin(create_stage(task)),
    update: |task| Box::pin(update_stage(task)),
    delete: |task| {
        Box::pin(async move {
            let input = json!({"restApiId": task.get("RestApiId"), "stageName": task.physical_id});
            task.door.call(SERVICE, "DeleteStage", input).await.map(drop)
        })
    },
};

const SCALARS: [(&str, &str); 6] = [
    ("CacheClusterEnabled", "cacheClusterEnabled"),
    ("CacheClusterSize", "cacheClusterSize"),
    ("DeploymentId", "deploymentId"),
    ("Description", "description"),
    ("DocumentationVersion", "documentationVersion"),
    ("TracingEnabled", "tracingEnabled"),
];
/// The settings of methods, and their paths.
const SETTINGS: [(&str, &str); 8] = [
    ("CacheDataEncrypted", "caching/dataEncrypted"),
    ("CacheTtlInSeconds", "caching/ttlInSeconds"),
    ("CachingEnabled", "caching/enabled"),
    ("DataTraceEnabled", "logging/dataTrace"),
    ("LoggingLevel", "logging/loglevel"),
    ("MetricsEnabled", "metrics/enabled"),
    ("ThrottlingBurstLimit", "throttling/burstLimit"),
    ("ThrottlingRateLimit", "throttling/rateLimit"),
];

async fn create_stage(task: &Task<'_>) -> Result<Made> {
    let name = task.name("StageName", 128);
    // Stages know no hyphens in generated names.
    let name = if task.properties.contains_key("StageName") { name } else { name.replace('-', "_") };
    let mut input: Map<String, Value> = renamed(task, &SCALARS);
    input.extend(renamed(task, &[("RestApiId", "restApiId"), ("Variables", "variables")]));
    input.insert("stageName".to_owned(), name.as_str().into());
    input.insert("canarySettings".to_owned(), lower(&task.get("CanarySetting")));
    input.insert("tags".to_owned(), task.tag_map()?);
    call(task, "CreateStage", input).await?;
    task.begun(&name);
    let of = json!({"restApiId": task.get("RestApiId"), "stageName": name});
    let mut operations = settings(&task.get("AccessLogSetting"), &task.items("MethodSettings"));
    if task.properties.contains_key("ClientCertificateId") {
        operations.push(replace("/clientCertificateId", &task.get("ClientCertificateId")));
    }
    patch(task, "UpdateStage", of, operations).await?;
    Ok(Made::new(name, []))
}

async fn update_stage(task: &Task<'_>) -> Result<Made> {
    let mut operations = Vec::new();
    for (property, member) in SCALARS {
        if task.changes(&[property]) {
            operations.push(replace(&format!("/{member}"), &task.get(property)));
        }
    }
    if task.changes(&["ClientCertificateId"]) {
        operations.push(replace("/clientCertificateId", &task.get("ClientCertificateId")));
    }
    let variables = |properties: &Map<String, Value>| properties.get("Variables").and_then(Value::as_object).cloned();
    let (old, new) = (variables(task.old).unwrap_or_default(), variables(task.properties).unwrap_or_default());
    let removed = old.keys().filter(|name| !new.contains_key(*name));
    operations.extend(removed.map(|name| json!({"op": "remove", "path": format!("/variables/{name}")})));
    let set = new.iter().filter(|(name, value)| old.get(*name) != Some(value));
    operations.extend(set.map(|(name, value)| replace(&format!("/variables/{name}"), value)));
    if task.changes(&["AccessLogSetting", "MethodSettings"]) {
        operations.extend(settings(&task.get("AccessLogSetting"), &task.items("MethodSettings")));
    }
    let of = json!({"restApiId": task.get("RestApiId"), "stageName": task.physical_id});
    patch(task, "UpdateStage", of, operations).await?;
    let (region, api) = (&task.door.scope.region, scalar(&task.get("RestApiId")));
    let arn = format!("arn:aws:apigateway:{region}::/restapis/{api}/stages/{}", task.physical_id);
    task.retag(SERVICE, &arn, TAGS).await?;
    Ok(Made::new(task.physical_id, []))
}

/// What a stage takes by patches alone.
fn settings(log: &Value, of_methods: &[Value]) -> Vec<Value> {
    let mut operations = Vec::new();
    for (property, member) in [("DestinationArn", "destinationArn"), ("Format", "format")] {
        if let Some(value) = log.get(property) {
            operations.push(replace(&format!("/accessLogSettings/{member}"), value));
        }
    }
    for setting in of_methods {
        let part = |name: &str| scalar(setting.get(name).unwrap_or(&"*".into()));
        // A path of the template may have its slashes escaped already.
        let path = part("ResourcePath").replace("~1", "/");
        let path = if path == "/*" { "*".to_owned() } else { path.replace('/', "~1") };
        for (property, member) in SETTINGS {
            if let Some(value) = setting.get(property) {
                operations.push(replace(&format!("/{path}/{}/{member}", part("HttpMethod")), value));
            }
        }
    }
    operations
}
