//! `AWS::Lambda::Url`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-url.html>

use serde_json::{Value, json};

use super::{Made, ResourceType, Task, may_change, replaces};
use crate::Result;

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::Lambda::Url",
    properties: &[
        may_change("AuthType").required(),
        may_change("Cors"),
        may_change("InvokeMode"),
        replaces("Qualifier"),
        replaces("TargetFunctionArn").required(),
    ],
    name_property: None,
    create: |task| Box::pin(create(task)),
    update: |task| Box::pin(update(task)),
    delete: |task| Box::pin(delete(task)),
};

async fn create(task: &Task<'_>) -> Result<Made> {
    let made = task.door.call("lambda", "CreateFunctionUrlConfig", input(task)).await?;
    let arn = made["FunctionArn"].as_str().unwrap_or_default();
    task.begun(arn);
    Ok(shown(&made))
}

async fn update(task: &Task<'_>) -> Result<Made> {
    let made = task.door.call("lambda", "UpdateFunctionUrlConfig", input(task)).await?;
    Ok(shown(&made))
}

async fn delete(task: &Task<'_>) -> Result<()> {
    let input = json!({ "FunctionName": task.get("TargetFunctionArn"), "Qualifier": task.get("Qualifier") });
    task.door.call("lambda", "DeleteFunctionUrlConfig", input).await.map(drop)
}

/// The physical id is the ARN of the function or the alias.
fn input(task: &Task<'_>) -> Value {
    let mut input = task.pick(&["AuthType", "Cors", "InvokeMode", "Qualifier"]);
    input.insert("FunctionName".to_owned(), task.get("TargetFunctionArn"));
    Value::Object(input)
}

fn shown(url: &Value) -> Made {
    let arn = url["FunctionArn"].clone();
    Made::new(
        arn.as_str().unwrap_or_default(),
        [("FunctionArn", arn.clone()), ("FunctionUrl", url["FunctionUrl"].clone())],
    )
}
