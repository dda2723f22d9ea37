//! `AWS::SQS::QueuePolicy`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sqs-queuepolicy.html>

use serde_json::{Value, json};

use super::{Made, ResourceType, Task, may_change};
use crate::Result;

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::SQS::QueuePolicy",
    properties: &[may_change("PolicyDocument").required(), may_change("Queues").required()],
    name_property: None,
    create: |task| Box::pin(create(task)),
    update: |task| Box::pin(update(task)),
    delete: |task| Box::pin(delete(task)),
};

/// The longest physical id.
const ID_LIMIT: usize = 128;

async fn create(task: &Task<'_>) -> Result<Made> {
    let id = task.generated(ID_LIMIT);
    task.begun(&id);
    put(task, &task.items("Queues"), &task.document("PolicyDocument")?).await?;
    Ok(Made::new(&id, [("Id", id.as_str().into())]))
}

async fn update(task: &Task<'_>) -> Result<Made> {
    let kept = task.items("Queues");
    let left: Vec<Value> = task.old_items("Queues").into_iter().filter(|queue| !kept.contains(queue)).collect();
    put(task, &kept, &task.document("PolicyDocument")?).await?;
    put(task, &left, "").await?;
    Ok(Made::new(task.physical_id, [("Id", task.physical_id.into())]))
}

async fn delete(task: &Task<'_>) -> Result<()> {
    put(task, &task.items("Queues"), "").await
}

/// Gives queues a policy; an empty one takes it away.
async fn put(task: &Task<'_>, queues: &[Value], policy: &str) -> Result<()> {
    for queue in queues {
        let input = json!({ "QueueUrl": queue, "Attributes": { "Policy": policy } });
        task.door.call("sqs", "SetQueueAttributes", input).await?;
    }
    Ok(())
}
