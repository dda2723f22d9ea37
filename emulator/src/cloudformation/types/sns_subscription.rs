//! `AWS::SNS::Subscription` and `AWS::SNS::TopicPolicy`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sns-subscription.html>

use serde_json::{Map, Value, json};

use super::task::document;
use super::{Made, ResourceType, Task, may_change, replaces};
use crate::{Error, Result};

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::SNS::Subscription",
    properties: &[
        replaces("Endpoint"),
        replaces("Protocol").required(),
        replaces("TopicArn").required(),
        may_change("DeliveryPolicy"),
        may_change("FilterPolicy"),
        may_change("FilterPolicyScope"),
        may_change("RawMessageDelivery"),
        may_change("RedrivePolicy"),
        may_change("Region"),
        may_change("SubscriptionRoleArn"),
    ],
    name_property: None,
    create: |task| Box::pin(create(task)),
    update: |task| Box::pin(update(task)),
    delete: |task| Box::pin(delete(task)),
};

pub(super) const TOPIC_POLICY: ResourceType = ResourceType {
    name: "AWS::SNS::TopicPolicy",
    properties: &[may_change("PolicyDocument").required(), may_change("Topics").required()],
    name_property: None,
    create: |task| Box::pin(create_policy(task)),
    update: |task| Box::pin(update_policy(task)),
    delete: |task| Box::pin(delete_policy(task)),
};

/// The attributes, and what one that a template no longer has goes back to; the scope of a filter policy before the policy.
const ATTRIBUTES: [(&str, &str); 6] = [
    ("FilterPolicyScope", "MessageAttributes"),
    ("FilterPolicy", ""),
    ("DeliveryPolicy", ""),
    ("RawMessageDelivery", "false"),
    ("RedrivePolicy", ""),
    ("SubscriptionRoleArn", ""),
];
/// The longest physical id of a policy.
const ID_LIMIT: usize = 128;

async fn create(task: &Task<'_>) -> Result<Made> {
    check_region(task)?;
    let mut attributes = Map::new();
    for (property, _) in ATTRIBUTES {
        if let Some(value) = task.properties.get(property) {
            attributes.insert(property.to_owned(), document(value)?.into());
        }
    }
    let mut input = task.pick(&["TopicArn", "Protocol", "Endpoint"]);
    input.insert("Attributes".to_owned(), attributes.into());
    input.insert("ReturnSubscriptionArn".to_owned(), true.into());
    let made = task.door.call("sns", "Subscribe", Value::Object(input)).await?;
    let arn = made["SubscriptionArn"].as_str().unwrap_or_default();
    task.begun(arn);
    Ok(Made::new(arn, [("Arn", arn.into())]))
}

async fn update(task: &Task<'_>) -> Result<Made> {
    check_region(task)?;
    let arn = task.physical_id;
    for (property, default) in ATTRIBUTES {
        if task.changes(&[property]) {
            let value = task.properties.get(property).map(document).transpose()?;
            let value = value.unwrap_or_else(|| default.to_owned());
            let input = json!({ "SubscriptionArn": arn, "AttributeName": property, "AttributeValue": value });
            task.door.call("sns", "SetSubscriptionAttributes", input).await?;
        }
    }
    Ok(Made::new(arn, [("Arn", arn.into())]))
}

/// A topic of another region would have to be called there.
fn check_region(task: &Task<'_>) -> Result<()> {
    match task.get("Region").as_str() {
        Some(region) if region != &*task.door.scope.region => {
            Err(Error::not_implemented("a Region of AWS::SNS::Subscription that is not the stack's"))
        }
        _ => Ok(()),
    }
}

async fn delete(task: &Task<'_>) -> Result<()> {
    task.door.call("sns", "Unsubscribe", json!({ "SubscriptionArn": task.physical_id })).await.map(drop)
}

/// The subscription of a topic that has this protocol and endpoint.
pub(super) async fn find(task: &Task<'_>, topic: &str, protocol: &Value, endpoint: &Value) -> Result<Option<Value>> {
    let mut token = Value::Null;
    loop {
        let input = json!({ "TopicArn": topic, "NextToken": token });
        let page = task.door.call("sns", "ListSubscriptionsByTopic", input).await?;
        let mut listed = page["Subscriptions"].as_array().into_iter().flatten();
        let same = |it: &&Value| it["Protocol"] == *protocol && it["Endpoint"] == *endpoint;
        if let Some(found) = listed.find(same) {
            // One that is not confirmed tells no ARN: it cannot be taken back, and expires.
            let is_arn = found["SubscriptionArn"].as_str().is_some_and(|arn| arn.starts_with("arn:"));
            return Ok(is_arn.then(|| found["SubscriptionArn"].clone()));
        }
        token = page["NextToken"].clone();
        if token.is_null() {
            return Ok(None);
        }
    }
}

async fn create_policy(task: &Task<'_>) -> Result<Made> {
    let id = task.generated(ID_LIMIT);
    task.begun(&id);
    put(task, &task.items("Topics"), &task.document("PolicyDocument")?).await?;
    Ok(Made::new(&id, [("Id", id.as_str().into())]))
}

async fn update_policy(task: &Task<'_>) -> Result<Made> {
    let kept = task.items("Topics");
    let left: Vec<Value> = task.old_items("Topics").into_iter().filter(|topic| !kept.contains(topic)).collect();
    put(task, &kept, &task.document("PolicyDocument")?).await?;
    put(task, &left, "").await?;
    Ok(Made::new(task.physical_id, [("Id", task.physical_id.into())]))
}

async fn delete_policy(task: &Task<'_>) -> Result<()> {
    put(task, &task.items("Topics"), "").await
}

/// Gives topics a policy; an empty one gives them back their first.
async fn put(task: &Task<'_>, topics: &[Value], policy: &str) -> Result<()> {
    for topic in topics {
        let input = json!({ "TopicArn": topic, "AttributeName": "Policy", "AttributeValue": policy });
        task.door.call("sns", "SetTopicAttributes", input).await?;
    }
    Ok(())
}
