//! `AWS::CloudFormation::WaitConditionHandle`, a URL at which signals are taken, and `AWS::CloudFormation::WaitCondition`,
//! which exists once enough of them have come.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-waitcondition.html>

use std::collections::BTreeMap;
use std::time::Duration;

use imbl::Vector;
use serde::Deserialize;

use super::{Made, ResourceType, Task, may_change};
use crate::cloudformation::responses::{Bucket, owner, owner_of};
use crate::execute_api::scalar;
use crate::{Error, Result};

pub(super) const HANDLE: ResourceType = ResourceType {
    name: "AWS::CloudFormation::WaitConditionHandle",
    properties: &[],
    name_property: None,
    create: |task| Box::pin(async { open(task) }),
    update: |task| Box::pin(async { Ok(Made::new(task.physical_id, [])) }),
    delete: |task| Box::pin(async { close(task) }),
};

pub(super) const CONDITION: ResourceType = ResourceType {
    name: "AWS::CloudFormation::WaitCondition",
    properties: &[may_change("Count"), may_change("Handle").required(), may_change("Timeout").required()],
    name_property: None,
    create: |task| Box::pin(wait(task)),
    update: |_| {
        Box::pin(async { Err(invalid("Update to resource type AWS::CloudFormation::WaitCondition is not supported.")) })
    },
    delete: |_| Box::pin(async { Ok(()) }),
};

/// The longest wait, in seconds (reference page of the type).
const MAX_TIMEOUT: u64 = 43_200;

/// What a signal says.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Signal {
    status: String,
    unique_id: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    data: String,
}

fn open(task: &Task<'_>) -> Result<Made> {
    let invitation = task.door.open(Bucket::WaitConditions, &owner(task.stack_id, task.logical_id))?;
    Ok(Made::new(invitation.url, []))
}

fn close(task: &Task<'_>) -> Result<()> {
    owner_of(task.physical_id).map_or(Ok(()), |owner| task.door.close(&owner))
}

async fn wait(task: &Task<'_>) -> Result<Made> {
    let number = |name: &str| task.properties.get(name).and_then(scalar).and_then(|text| text.parse::<u64>().ok());
    let count = task.properties.get("Count").map_or(Some(1), |_| number("Count"));
    let (Some(count), Some(seconds)) = (count, number("Timeout").filter(|seconds| *seconds <= MAX_TIMEOUT)) else {
        return Err(invalid(&format!("Timeout is a number of at most {MAX_TIMEOUT} seconds, and Count a number")));
    };
    let handle = task.get("Handle");
    let Some(owner) = handle.as_str().and_then(owner_of) else {
        return Err(invalid("Handle is what Ref of a WaitConditionHandle gives"));
    };
    let physical_id = format!("{}/{}", task.stack_id, task.logical_id);
    task.begun(&physical_id);
    let until = task.door.cloud.0.clock.now() + Duration::from_secs(seconds);
    let is_enough = |texts: &Vector<String>| failure(texts).is_some() || successes(texts).len() as u64 >= count;
    let texts = task.door.told(&owner, until, is_enough).await?;
    if let Some(Signal { reason, unique_id, .. }) = failure(&texts) {
        return Err(invalid(&format!("WaitCondition received failed message: '{reason}' for uniqueId: {unique_id}")));
    }
    let successes = successes(&texts);
    if (successes.len() as u64) < count {
        let received = successes.len();
        let text = format!("WaitCondition timed out. Received {received} conditions when expecting {count}");
        return Err(invalid(&text));
    }
    let data = serde_json::to_string(&successes)?;
    Ok(Made::new(physical_id, [("Data", data.into())]))
}

fn signals(texts: &Vector<String>) -> impl Iterator<Item = Signal> + '_ {
    texts.iter().filter_map(|text| serde_json::from_str(text).ok())
}

/// The data of each that has succeeded. A signal that is sent again counts once.
fn successes(texts: &Vector<String>) -> BTreeMap<String, String> {
    signals(texts).filter(|signal| signal.status == "SUCCESS").map(|signal| (signal.unique_id, signal.data)).collect()
}

fn failure(texts: &Vector<String>) -> Option<Signal> {
    signals(texts).find(|signal| signal.status == "FAILURE")
}

fn invalid(text: &str) -> Error {
    Error::client("ValidationError", text)
}
