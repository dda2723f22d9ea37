//! `AWS::CloudFormation::Stack`: a stack within a stack.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-stack.html>

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{Made, ResourceType, Task, may_change};
use crate::{Error, Result};

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::CloudFormation::Stack",
    properties: &[
        may_change("Parameters"),
        may_change("Tags"),
        may_change("TemplateURL").required(),
        may_change("TimeoutInMinutes"),
    ],
    name_property: None,
    create: |task| Box::pin(create(task)),
    update: |task| Box::pin(update(task)),
    delete: |task| Box::pin(delete(task)),
};

/// The longest name of a stack.
const NAME_LIMIT: usize = 128;
/// How long to wait before looking again at a stack that is still at work when its call has answered.
const AGAIN: Duration = Duration::from_secs(1);

async fn create(task: &Task<'_>) -> Result<Made> {
    let mut input = shared(task);
    input["StackName"] = task.generated(NAME_LIMIT).into();
    input["TimeoutInMinutes"] = task.get("TimeoutInMinutes");
    let made = task.door.call("cloudformation", "CreateStack", input).await?;
    let id = made["StackId"].as_str().unwrap_or_default();
    task.begun(id);
    finished(task, id, "CREATE_COMPLETE", "created").await
}

async fn update(task: &Task<'_>) -> Result<Made> {
    let id = task.physical_id;
    let mut input = shared(task);
    input["StackName"] = id.into();
    match task.door.call("cloudformation", "UpdateStack", input).await {
        Err(error) if error.message() == "No updates are to be performed." => {
            let stack = at_rest(task, id).await?;
            return Ok(made(id, &stack));
        }
        outcome => outcome?,
    };
    finished(task, id, "UPDATE_COMPLETE", "updated").await
}

async fn delete(task: &Task<'_>) -> Result<()> {
    let id = task.physical_id;
    task.door.call("cloudformation", "DeleteStack", json!({ "StackName": id })).await?;
    finished(task, id, "DELETE_COMPLETE", "deleted").await.map(drop)
}

/// What making and changing have in common. The capabilities are those that were given for the stack around it.
fn shared(task: &Task<'_>) -> Value {
    let parameters = task.get("Parameters");
    let parameter = |(name, value): (&String, &Value)| {
        // A list becomes its items, with commas.
        let value = match value {
            Value::Array(items) => Value::from(items.iter().map(text).collect::<Vec<_>>().join(",")),
            other => text(other).into(),
        };
        json!({ "ParameterKey": name, "ParameterValue": value })
    };
    let parameters: Vec<Value> = parameters.as_object().into_iter().flatten().map(parameter).collect();
    json!({
        "TemplateURL": task.get("TemplateURL"),
        "Parameters": parameters,
        "Tags": task.items("Tags"),
        "Capabilities": task.capabilities,
    })
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Waits until the stack is at rest, and says what has become of it.
async fn finished(task: &Task<'_>, id: &str, wanted: &str, verb: &str) -> Result<Made> {
    let stack = at_rest(task, id).await?;
    if stack["StackStatus"] == wanted {
        return Ok(made(id, &stack));
    }
    let reason = first_reason(task, id).await?;
    Err(Error::client("ValidationError", format!("Embedded stack {id} was not successfully {verb}: {reason}")))
}

async fn at_rest(task: &Task<'_>, id: &str) -> Result<Value> {
    let cloud = &task.door.cloud.0;
    loop {
        let described = task.door.call("cloudformation", "DescribeStacks", json!({ "StackName": id })).await?;
        let stack = &described["Stacks"][0];
        if !stack["StackStatus"].as_str().unwrap_or_default().ends_with("_IN_PROGRESS") {
            return Ok(stack.clone());
        }
        let (_, hold) = cloud.wait(Some(cloud.clock.now() + AGAIN)).await?;
        drop(hold);
    }
}

/// The reason with which the stack itself failed: `The following resource(s) failed to create: [X]. `
async fn first_reason(task: &Task<'_>, id: &str) -> Result<String> {
    let events = task.door.call("cloudformation", "DescribeStackEvents", json!({ "StackName": id })).await?;
    let events = events["StackEvents"].as_array().cloned().unwrap_or_default();
    // Newest first: the last operation is what counts.
    let of_stack = events.iter().filter(|event| event["PhysicalResourceId"] == id);
    let failed = |status: &str| status.ends_with("_FAILED") || status.ends_with("ROLLBACK_IN_PROGRESS");
    let mut reasons =
        of_stack.filter(|event| failed(event["ResourceStatus"].as_str().unwrap_or_default())).map(|event| {
            let reason = event["ResourceStatusReason"].as_str().unwrap_or_default();
            reason.trim_end_matches("Rollback requested by user.").to_owned()
        });
    Ok(reasons.next().unwrap_or_default())
}

/// `Ref` gives the stack's id, `Fn::GetAtt` its outputs under `Outputs.KEY`.
fn made(id: &str, stack: &Value) -> Made {
    let outputs = stack["Outputs"].as_array().into_iter().flatten();
    let attribute =
        |output: &Value| Some((format!("Outputs.{}", output["OutputKey"].as_str()?), output["OutputValue"].clone()));
    let attributes: Map<String, Value> = outputs.filter_map(attribute).collect();
    Made { physical_id: id.to_owned(), attributes, no_echo: false }
}
