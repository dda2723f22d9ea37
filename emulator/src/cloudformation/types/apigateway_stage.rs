//! `AWS::ApiGateway::Deployment` and `AWS::ApiGateway::Stage`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-deployment.html>,
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-stage.html>

use serde_json::{Map, Value, json};

use super::apigateway_parts::call;
use super::apigateway_rest_api::{TAGS, lower, patch, renamed, replace, scalar, text};
use super::{Made, ResourceType, Task, may_change, replaces};
use crate::Result;

const SERVICE: &str = "apigateway";

pub(super) const DEPLOYMENT: ResourceType = ResourceType {
    name: "AWS::ApiGateway::Deployment",
    properties: &[may_change("Description"), replaces("RestApiId").required(), may_change("StageName")],
    name_property: None,
    create: |task| {
        Box::pin(async move {
            let names = [("RestApiId", "restApiId"), ("Description", "description"), ("StageName", "stageName")];
            let made = call(task, "CreateDeployment", renamed(task, &names)).await?;
            let id = text(&made, "id")?;
            task.begun(&id);
            Ok(Made::new(&*id, [("DeploymentId", id.as_str().into())]))
        })
    },
    update: |task| {
        Box::pin(async move {
            let of = json!({"restApiId": task.get("RestApiId"), "deploymentId": task.physical_id});
            patch(task, "UpdateDeployment", of, vec![replace("/description", &task.get("Description"))]).await?;
            Ok(Made::new(task.physical_id, [("DeploymentId", task.physical_id.into())]))
        })
    },
    delete: |task| Box::pin(delete_deployment(task)),
};

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
    patch(task, "UpdateStage", of, settings(task)).await?;
    Ok(Made::new(name, []))
}

async fn update_stage(task: &Task<'_>) -> Result<Made> {
    let mut operations = Vec::new();
    for (property, member) in SCALARS {
        if task.changes(&[property]) {
            operations.push(replace(&format!("/{member}"), &task.get(property)));
        }
    }
    let variables = |properties: &Map<String, Value>| properties.get("Variables").and_then(Value::as_object).cloned();
    let (old, new) = (variables(task.old).unwrap_or_default(), variables(task.properties).unwrap_or_default());
    let removed = old.keys().filter(|name| !new.contains_key(*name));
    operations.extend(removed.map(|name| json!({"op": "remove", "path": format!("/variables/{name}")})));
    let set = new.iter().filter(|(name, value)| old.get(*name) != Some(value));
    operations.extend(set.map(|(name, value)| replace(&format!("/variables/{name}"), value)));
    if task.changes(&["AccessLogSetting", "MethodSettings"]) {
        operations.extend(settings(task));
    }
    let of = json!({"restApiId": task.get("RestApiId"), "stageName": task.physical_id});
    patch(task, "UpdateStage", of, operations).await?;
    let (region, api) = (&task.door.scope.region, scalar(&task.get("RestApiId")));
    let arn = format!("arn:aws:apigateway:{region}::/restapis/{api}/stages/{}", task.physical_id);
    task.retag(SERVICE, &arn, TAGS).await?;
    Ok(Made::new(task.physical_id, []))
}

/// What a stage takes by patches alone.
fn settings(task: &Task<'_>) -> Vec<Value> {
    let mut operations = Vec::new();
    let log = task.get("AccessLogSetting");
    for (property, member) in [("DestinationArn", "destinationArn"), ("Format", "format")] {
        if let Some(value) = log.get(property) {
            operations.push(replace(&format!("/accessLogSettings/{member}"), value));
        }
    }
    for setting in task.items("MethodSettings") {
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
