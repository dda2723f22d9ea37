//! `AWS::SNS::Topic`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sns-topic.html>

use serde_json::{Map, Value, json};

use super::sns_subscription::find;
use super::sqs_queue::is_true;
use super::task::{TagNames, document};
use super::{Made, ResourceType, Task, may_change, replaces};
use crate::{Error, Result};

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::SNS::Topic",
    properties: &[
        replaces("FifoTopic"),
        replaces("TopicName"),
        may_change("ContentBasedDeduplication"),
        may_change("DisplayName"),
        may_change("FifoThroughputScope"),
        may_change("KmsMasterKeyId"),
        may_change("SignatureVersion"),
        may_change("Subscription"),
        may_change("Tags"),
        may_change("TracingConfig"),
    ],
    name_property: Some("TopicName"),
    create: |task| Box::pin(create(task)),
    update: |task| Box::pin(update(task)),
    delete: |task| Box::pin(delete(task)),
};

/// The longest name of a topic, and what the name of a FIFO topic ends with.
const NAME_LIMIT: usize = 256;
const FIFO: &str = ".fifo";

/// The attributes that a template can change, and what one that it no longer has goes back to.
const ATTRIBUTES: [(&str, &str); 6] = [
    ("ContentBasedDeduplication", "false"),
    ("DisplayName", ""),
    ("FifoThroughputScope", "Topic"),
    ("KmsMasterKeyId", ""),
    ("SignatureVersion", "1"),
    ("TracingConfig", "PassThrough"),
];
const TAGS: TagNames = TagNames { arn: "ResourceArn", tags: "Tags", keys: "TagKeys", as_map: false };

async fn create(task: &Task<'_>) -> Result<Made> {
    let is_fifo = is_true(&task.get("FifoTopic"));
    let name = match task.get("TopicName") {
        Value::Null if is_fifo => task.generated(NAME_LIMIT - FIFO.len()) + FIFO,
        _ => task.name("TopicName", NAME_LIMIT),
    };
    let arn = task.door.scope.arn("sns", &name);
    // SNS takes the making of a topic that is there for done already.
    if task.properties.contains_key("TopicName")
        && task.door.call("sns", "GetTopicAttributes", json!({ "TopicArn": arn })).await.is_ok()
    {
        return Err(Error::new(409, "ResourceAlreadyExists", format!("{name} already exists")));
    }
    let mut attributes = Map::new();
    for (property, _) in ATTRIBUTES {
        if let Some(value) = task.properties.get(property) {
            attributes.insert(property.to_owned(), document(value)?.into());
        }
    }
    if is_fifo {
        attributes.insert("FifoTopic".to_owned(), "true".into());
    }
    let input = json!({ "Name": name, "Attributes": attributes, "Tags": task.tag_list() });
    task.door.call("sns", "CreateTopic", input).await?;
    task.begun(&arn);
    for subscription in task.items("Subscription") {
        subscribe(task, &arn, &subscription).await?;
    }
    Ok(made(task, &arn))
}

async fn update(task: &Task<'_>) -> Result<Made> {
    let arn = task.physical_id;
    for (property, default) in ATTRIBUTES {
        if task.changes(&[property]) {
            let value = task.properties.get(property).map(document).transpose()?;
            let value = value.unwrap_or_else(|| default.to_owned());
            let input = json!({ "TopicArn": arn, "AttributeName": property, "AttributeValue": value });
            task.door.call("sns", "SetTopicAttributes", input).await?;
        }
    }
    task.retag("sns", arn, TAGS).await?;
    let (old, new) = (task.old_items("Subscription"), task.items("Subscription"));
    for gone in old.iter().filter(|subscription| !new.contains(subscription)) {
        if let Some(found) = find(task, arn, &gone["Protocol"], &gone["Endpoint"]).await? {
            task.door.call("sns", "Unsubscribe", json!({ "SubscriptionArn": found })).await?;
        }
    }
    for added in new.iter().filter(|subscription| !old.contains(subscription)) {
        subscribe(task, arn, added).await?;
    }
    Ok(made(task, arn))
}

async fn delete(task: &Task<'_>) -> Result<()> {
    task.door.call("sns", "DeleteTopic", json!({ "TopicArn": task.physical_id })).await.map(drop)
}

async fn subscribe(task: &Task<'_>, arn: &str, subscription: &Value) -> Result<()> {
    let input = json!({
        "TopicArn": arn,
        "Protocol": subscription["Protocol"],
        "Endpoint": subscription["Endpoint"],
    });
    task.door.call("sns", "Subscribe", input).await.map(drop)
}

fn made(task: &Task<'_>, arn: &str) -> Made {
    let name = arn.rsplit(':').next().unwrap_or_default();
    let shown = task.get("DisplayName");
    Made::new(arn, [("DisplayName", shown), ("TopicArn", arn.into()), ("TopicName", name.into())])
}
