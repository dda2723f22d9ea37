//! `AWS::SQS::QueuePolicy`, a policy of several queues, and `AWS::SQS::QueueInlinePolicy`, of one.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_SQS.html>

use serde_json::{Value, json};

use super::{Made, ResourceType, Task, may_change, replaces};
use crate::Result;

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::SQS::QueuePolicy",
    properties: &[may_change("PolicyDocument").required(), may_change("Queues").required()],
    name_property: None,
    create: |task| Box::pin(create(task)),
    update: |task| Box::pin(update(task)),
    delete: |task| Box::pin(delete(task)),
};

pub(super) const INLINE: ResourceType = ResourceType {
    name: "AWS::SQS::QueueInlinePolicy",
    properties: &[may_change("PolicyDocument").required(), replaces("Queue").required()],
    name_property: None,
    create: |task| Box::pin(put_inline(task)),
    update: |task| Box::pin(put_inline(task)),
    delete: |task| Box::pin(async move { put(task, &[task.get("Queue")], "").await }),
};

/// The physical id is the queue's URL.
async fn put_inline(task: &Task<'_>) -> Result<Made> {
    let queue = task.get("Queue");
    put(task, std::slice::from_ref(&queue), &task.document("PolicyDocument")?).await?;
    let id = queue.as_str().unwrap_or_default();
    task.begun(id);
    Ok(Made::new(id, []))
}

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
