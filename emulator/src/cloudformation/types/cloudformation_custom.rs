//! `AWS::CloudFormation::CustomResource` and `Custom::…`: resources that a function makes, or whoever reads a topic.
//!
//! It is told what to do, with a URL to which it puts what has come of it (`responses.rs`).
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html>

use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{ANY, Made, ResourceType, Task, may_change};
use crate::cloudformation::changes::texts;
use crate::cloudformation::responses::{Bucket, owner};
use crate::{Error, Result};

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::CloudFormation::CustomResource",
    properties: &[may_change("ServiceToken").required(), may_change(ANY)],
    name_property: None,
    create: |task| Box::pin(create(task)),
    update: |task| Box::pin(update(task)),
    delete: |task| Box::pin(delete(task)),
};

/// What the names of types begin with that templates make up.
pub(super) const PREFIX: &str = "Custom::";
/// The longest generated id.
const ID_LIMIT: usize = 128;
/// The longest answer, in bytes (`crpg-ref-responses`).
const ANSWER_LIMIT: usize = 4096;
/// The longest physical id, in bytes (`crpg-ref-responses`).
const PHYSICAL_LIMIT: usize = 1024;
/// How long to wait for the answer where `ServiceTimeout` says nothing, in seconds; nor does it say more.
const PATIENCE: u64 = 3600;
/// What SNS writes above the request.
const SUBJECT: &str = "AWS CloudFormation custom resource request";

/// What has come of it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    status: String,
    reason: Option<String>,
    physical_resource_id: Option<String>,
    #[serde(default)]
    no_echo: bool,
    data: Option<Map<String, Value>>,
}

/// An answer that failed, or none.
struct Failed {
    /// The id of what may have been made all the same.
    physical_id: Option<String>,
    error: Error,
}

async fn create(task: &Task<'_>) -> Result<Made> {
    made(task, "Create").await.map_err(|failed| {
        // It may exist: a rollback has it deleted.
        if let Some(id) = &failed.physical_id {
            task.begun(id);
        }
        failed.error
    })
}

async fn update(task: &Task<'_>) -> Result<Made> {
    if task.changes(&["ServiceToken"]) {
        return Err(Error::client("ValidationError", "Modifying service token is not allowed."));
    }
    made(task, "Update").await.map_err(|failed| failed.error)
}

async fn delete(task: &Task<'_>) -> Result<()> {
    asked(task, "Delete").await.map(drop).map_err(|failed| failed.error)
}

async fn made(task: &Task<'_>, what: &str) -> Result<Made, Failed> {
    let answer = asked(task, what).await?;
    let id = answer.physical_resource_id.filter(|id| !id.is_empty() && id.len() <= PHYSICAL_LIMIT);
    let Some(physical_id) = id else {
        return Err(failed(task, None, "Invalid PhysicalResourceId".to_owned()));
    };
    task.begun(&physical_id);
    Ok(Made { physical_id, attributes: answer.data.unwrap_or_default(), no_echo: answer.no_echo })
}

fn failed(task: &Task<'_>, physical_id: Option<String>, text: String) -> Failed {
    let physical_id = Some(physical_id.unwrap_or_else(|| task.generated(ID_LIMIT)));
    Failed { physical_id, error: Error::client("GeneralServiceException", text) }
}

/// Tells what to do, and waits for the answer.
async fn asked(task: &Task<'_>, what: &str) -> Result<Answer, Failed> {
    let unsent = |error| Failed { physical_id: None, error };
    let owner = owner(task.stack_id, task.logical_id);
    let invitation = task.door.open(Bucket::CustomResources, &owner).map_err(unsent)?;
    let request = request(task, what, &invitation.request, &invitation.url);
    if let Err(error) = send(task, &request).await {
        task.door.close(&owner).map_err(unsent)?;
        return Err(unsent(error));
    }
    let inner = &task.door.cloud.0;
    let given = task.get("ServiceTimeout");
    let seconds = given.as_u64().or_else(|| given.as_str()?.parse().ok()).unwrap_or(PATIENCE).min(PATIENCE);
    let until = inner.clock.now() + Duration::from_secs(seconds);
    let texts = task.door.told(&owner, until, |texts| !texts.is_empty()).await.map_err(unsent)?;
    task.door.close(&owner).map_err(unsent)?;
    let id = invitation.request;
    let Some(text) = texts.front() else {
        let text = format!(
            "CloudFormation did not receive a response from your Custom Resource. Please check your logs for requestId [{id}]. \
             If you are using the Python cfn-response module, you may need to update your Lambda function code so that \
             CloudFormation can attach the updated version."
        );
        return Err(failed(task, None, text));
    };
    if text.len() > ANSWER_LIMIT {
        return Err(failed(task, None, "Response object is too long.".to_owned()));
    }
    let answer: Answer = serde_json::from_str(text)
        .map_err(|error| failed(task, None, format!("Failed to parse the response of the custom resource: {error}")))?;
    if answer.status == "SUCCESS" {
        return Ok(answer);
    }
    let reason = answer.reason.unwrap_or_default();
    let text = format!(
        "Received response status [{}] from custom resource. Message returned: {reason} (RequestId: {id})",
        answer.status
    );
    Err(failed(task, answer.physical_resource_id, text))
}

fn request(task: &Task<'_>, what: &str, id: &str, url: &str) -> Value {
    let mut request = json!({
        "RequestType": what,
        "ServiceToken": task.get("ServiceToken"),
        "ResponseURL": url,
        "StackId": task.stack_id,
        "RequestId": id,
        "LogicalResourceId": task.logical_id,
    });
    if what != "Create" {
        request["PhysicalResourceId"] = task.physical_id.into();
    }
    request["ResourceType"] = task.kind.into();
    // Scalars are texts here, whatever the template says.
    request["ResourceProperties"] = texts(&Value::Object(task.properties.clone()), 0);
    if what == "Update" {
        request["OldResourceProperties"] = texts(&Value::Object(task.old.clone()), 0);
    }
    request
}

async fn send(task: &Task<'_>, request: &Value) -> Result<()> {
    let token = task.get("ServiceToken");
    let token = token.as_str().unwrap_or_default();
    match token.split(':').nth(2) {
        Some("lambda") => {
            let input = json!({ "FunctionName": token, "InvocationType": "Event" });
            task.door.send("lambda", "Invoke", input, Bytes::from(request.to_string())).await?;
        }
        Some("sns") => {
            let input = json!({ "TopicArn": token, "Subject": SUBJECT, "Message": request.to_string() });
            task.door.call("sns", "Publish", input).await?;
        }
        _ => return Err(Error::client("ValidationError", format!("Invalid service token: {token}"))),
    }
    Ok(())
}
