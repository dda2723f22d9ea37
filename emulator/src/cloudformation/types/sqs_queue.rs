//! `AWS::SQS::Queue`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sqs-queue.html>

use serde_json::{Map, Value, json};

use super::task::document;
use super::{Made, ResourceType, Task, may_change, replaces};
use crate::{Error, Result};

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::SQS::Queue",
    properties: &[
        replaces("FifoQueue"),
        replaces("QueueName"),
        may_change("ContentBasedDeduplication"),
        may_change("DeduplicationScope"),
        may_change("DelaySeconds"),
        may_change("FifoThroughputLimit"),
        may_change("KmsDataKeyReusePeriodSeconds"),
        may_change("KmsMasterKeyId"),
        may_change("MaximumMessageSize"),
        may_change("MessageRetentionPeriod"),
        may_change("ReceiveMessageWaitTimeSeconds"),
        may_change("RedriveAllowPolicy"),
        may_change("RedrivePolicy"),
        may_change("SqsManagedSseEnabled"),
        may_change("Tags"),
        may_change("VisibilityTimeout"),
    ],
    name_property: Some("QueueName"),
    create: |task| Box::pin(create(task)),
    update: |task| Box::pin(update(task)),
    delete: |task| Box::pin(delete(task)),
};

/// The longest name of a queue, and what the name of a FIFO queue ends with.
const NAME_LIMIT: usize = 80;
const FIFO: &str = ".fifo";

/// The attributes that a template can change, and what one that it no longer has goes back to; none where it stays as it is. What
/// AWS does here was recorded (LocalStack's tests of this type): the largest message is not what a new queue has.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html>
const ATTRIBUTES: [(&str, Option<&str>); 13] = [
    ("ContentBasedDeduplication", Some("false")),
    ("DeduplicationScope", None),
    ("DelaySeconds", Some("0")),
    ("FifoThroughputLimit", None),
    ("KmsDataKeyReusePeriodSeconds", Some("300")),
    ("KmsMasterKeyId", Some("")),
    ("MaximumMessageSize", Some("262144")),
    ("MessageRetentionPeriod", Some("345600")),
    ("ReceiveMessageWaitTimeSeconds", Some("0")),
    ("RedriveAllowPolicy", Some("")),
    ("RedrivePolicy", Some("")),
    ("SqsManagedSseEnabled", None),
    ("VisibilityTimeout", Some("30")),
];

async fn create(task: &Task<'_>) -> Result<Made> {
    let is_fifo = is_true(&task.get("FifoQueue"));
    let name = match task.get("QueueName") {
        Value::Null if is_fifo => task.generated(NAME_LIMIT - FIFO.len()) + FIFO,
        _ => task.name("QueueName", NAME_LIMIT),
    };
    // SQS takes the making of a queue that is there, with these attributes, for done already.
    if task.properties.contains_key("QueueName")
        && task.door.call("sqs", "GetQueueUrl", json!({ "QueueName": name })).await.is_ok()
    {
        return Err(Error::new(409, "ResourceAlreadyExists", format!("{name} already exists")));
    }
    let mut attributes = Map::new();
    for (property, _) in ATTRIBUTES {
        if let Some(value) = task.properties.get(property) {
            attributes.insert(property.to_owned(), document(value)?.into());
        }
    }
    // SQS takes no `FifoQueue` of false.
    if is_fifo {
        attributes.insert("FifoQueue".to_owned(), "true".into());
    }
    let input = json!({ "QueueName": name, "Attributes": attributes, "tags": task.tag_map()? });
    let made = task.door.call("sqs", "CreateQueue", input).await?;
    let url = made["QueueUrl"].as_str().unwrap_or_default();
    task.begun(url);
    Ok(attributes_of(task, url))
}

async fn update(task: &Task<'_>) -> Result<Made> {
    let url = task.physical_id;
    let mut attributes = Map::new();
    for (property, default) in ATTRIBUTES {
        if task.changes(&[property]) {
            let value = task.properties.get(property).map(document).transpose()?;
            let value = value.or_else(|| default.map(str::to_owned));
            attributes.extend(value.map(|value| (property.to_owned(), value.into())));
        }
    }
    if !attributes.is_empty() {
        task.door.call("sqs", "SetQueueAttributes", json!({ "QueueUrl": url, "Attributes": attributes })).await?;
    }
    if task.changes(&["Tags"]) {
        let removed = task.removed_tags();
        if !removed.is_empty() {
            task.door.call("sqs", "UntagQueue", json!({ "QueueUrl": url, "TagKeys": removed })).await?;
        }
        let tags = task.tag_map()?;
        if !tags.is_null() {
            task.door.call("sqs", "TagQueue", json!({ "QueueUrl": url, "Tags": tags })).await?;
        }
    }
    Ok(attributes_of(task, url))
}

async fn delete(task: &Task<'_>) -> Result<()> {
    task.door.call("sqs", "DeleteQueue", json!({ "QueueUrl": task.physical_id })).await.map(drop)
}

fn attributes_of(task: &Task<'_>, url: &str) -> Made {
    let name = url.rsplit('/').next().unwrap_or(url);
    let arn = task.door.scope.arn("sqs", name);
    Made::new(url, [("Arn", arn.into()), ("QueueName", name.into()), ("QueueUrl", url.into())])
}

/// Templates write flags as text, too.
pub(super) fn is_true(value: &Value) -> bool {
    matches!(value, Value::Bool(true)) || value.as_str().is_some_and(|text| text.eq_ignore_ascii_case("true"))
}
