//! `AWS::Lambda::Version`, `AWS::Lambda::Alias` and `AWS::Lambda::EventInvokeConfig`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Lambda.html>

use serde_json::{Map, Value, json};

use super::{Made, ResourceType, Task, may_change, replaces};
use crate::Result;

pub(super) const VERSION: ResourceType = ResourceType {
    name: "AWS::Lambda::Version",
    properties: &[
        replaces("CodeSha256"),
        replaces("Description"),
        replaces("FunctionName").required(),
        may_change("ProvisionedConcurrencyConfig"),
    ],
    name_property: None,
    create: |task| Box::pin(publish(task)),
    update: |task| Box::pin(update_version(task)),
    delete: |task| Box::pin(delete_version(task)),
};

pub(super) const ALIAS: ResourceType = ResourceType {
    name: "AWS::Lambda::Alias",
    properties: &[
        replaces("FunctionName").required(),
        replaces("Name").required(),
        may_change("Description"),
        may_change("FunctionVersion").required(),
        may_change("ProvisionedConcurrencyConfig"),
        may_change("RoutingConfig"),
    ],
    name_property: None,
    create: |task| Box::pin(create_alias(task)),
    update: |task| Box::pin(update_alias(task)),
    delete: |task| Box::pin(delete_alias(task)),
};

pub(super) const EVENT_INVOKE_CONFIG: ResourceType = ResourceType {
    name: "AWS::Lambda::EventInvokeConfig",
    properties: &[
        replaces("FunctionName").required(),
        replaces("Qualifier").required(),
        may_change("DestinationConfig"),
        may_change("MaximumEventAgeInSeconds"),
        may_change("MaximumRetryAttempts"),
    ],
    name_property: None,
    create: |task| Box::pin(configure(task)),
    update: |task| Box::pin(configure(task)),
    delete: |task| Box::pin(forget(task)),
};

/// The longest physical id of a configuration.
const ID_LIMIT: usize = 128;

async fn publish(task: &Task<'_>) -> Result<Made> {
    let input = task.pick(&["CodeSha256", "Description", "FunctionName"]);
    let made = task.door.call("lambda", "PublishVersion", Value::Object(input)).await?;
    let arn = made["FunctionArn"].as_str().unwrap_or_default();
    task.begun(arn);
    provision(task, arn).await?;
    Ok(version(arn))
}

async fn update_version(task: &Task<'_>) -> Result<Made> {
    provision(task, task.physical_id).await?;
    Ok(version(task.physical_id))
}

/// Asks for the concurrency that the template says; gives back what it no longer says.
async fn provision(task: &Task<'_>, arn: &str) -> Result<()> {
    if !task.changes(&["ProvisionedConcurrencyConfig"]) {
        return Ok(());
    }
    let (function, place) = arn.rsplit_once(':').unwrap_or((arn, ""));
    let of = json!({ "FunctionName": function, "Qualifier": place });
    let wanted = task.get("ProvisionedConcurrencyConfig");
    if wanted.is_null() {
        return task.door.call("lambda", "DeleteProvisionedConcurrencyConfig", of).await.map(drop);
    }
    let mut input = of;
    input["ProvisionedConcurrentExecutions"] = wanted["ProvisionedConcurrentExecutions"].clone();
    task.door.call("lambda", "PutProvisionedConcurrencyConfig", input).await.map(drop)
}

/// The physical id is the version's ARN, which ends with its number.
fn version(arn: &str) -> Made {
    let number = arn.rsplit(':').next().unwrap_or_default();
    Made::new(arn, [("FunctionArn", arn.into()), ("Version", number.into())])
}

async fn delete_version(task: &Task<'_>) -> Result<()> {
    task.door.call("lambda", "DeleteFunction", json!({ "FunctionName": task.physical_id })).await.map(drop)
}

async fn create_alias(task: &Task<'_>) -> Result<Made> {
    let made = task.door.call("lambda", "CreateAlias", alias_input(task)).await?;
    let arn = made["AliasArn"].as_str().unwrap_or_default();
    task.begun(arn);
    provision(task, arn).await?;
    Ok(alias(arn))
}

async fn update_alias(task: &Task<'_>) -> Result<Made> {
    let mut input = alias_input(task);
    if task.old.contains_key("RoutingConfig") && input["RoutingConfig"].is_null() {
        input["RoutingConfig"] = json!({ "AdditionalVersionWeights": {} });
    }
    if task.old.contains_key("Description") && input["Description"].is_null() {
        input["Description"] = "".into();
    }
    task.door.call("lambda", "UpdateAlias", input).await?;
    provision(task, task.physical_id).await?;
    Ok(alias(task.physical_id))
}

/// Templates have the weights of versions as a list, the API as a map.
fn alias_input(task: &Task<'_>) -> Value {
    let routing = task.get("RoutingConfig");
    let weights = routing["AdditionalVersionWeights"].as_array().into_iter().flatten();
    let weight =
        |weight: &Value| Some((weight["FunctionVersion"].as_str()?.to_owned(), weight["FunctionWeight"].clone()));
    let weights: Map<String, Value> = weights.filter_map(weight).collect();
    let mut input = task.pick(&["FunctionName", "Name", "Description", "FunctionVersion"]);
    if !routing.is_null() {
        input.insert("RoutingConfig".to_owned(), json!({ "AdditionalVersionWeights": weights }));
    }
    Value::Object(input)
}

fn alias(arn: &str) -> Made {
    Made::new(arn, [("AliasArn", arn.into())])
}

async fn delete_alias(task: &Task<'_>) -> Result<()> {
    let input = task.pick(&["FunctionName", "Name"]);
    task.door.call("lambda", "DeleteAlias", Value::Object(input)).await.map(drop)
}

async fn configure(task: &Task<'_>) -> Result<Made> {
    let id = if task.physical_id.is_empty() { task.generated(ID_LIMIT) } else { task.physical_id.to_owned() };
    let input = task.pick(&[
        "FunctionName",
        "Qualifier",
        "DestinationConfig",
        "MaximumEventAgeInSeconds",
        "MaximumRetryAttempts",
    ]);
    task.door.call("lambda", "PutFunctionEventInvokeConfig", Value::Object(input)).await?;
    task.begun(&id);
    Ok(Made::new(id, []))
}

async fn forget(task: &Task<'_>) -> Result<()> {
    let input = task.pick(&["FunctionName", "Qualifier"]);
    task.door.call("lambda", "DeleteFunctionEventInvokeConfig", Value::Object(input)).await.map(drop)
}
