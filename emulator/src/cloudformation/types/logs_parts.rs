//! What belongs to a log group, and queries: `AWS::Logs::LogStream`, `MetricFilter`, `SubscriptionFilter`, `ResourcePolicy`
//! and `QueryDefinition`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Logs.html>

use serde_json::{Map, Value, json};

use super::{Doing, Made, ResourceType, Task, may_change, replaces};
use crate::{Error, Result};

pub(super) const LOG_STREAM: ResourceType = ResourceType {
    name: "AWS::Logs::LogStream",
    properties: &[replaces("LogGroupName").required(), replaces("LogStreamName")],
    name_property: Some("LogStreamName"),
    create: |task| Box::pin(create_stream(task)),
    update: |task| Box::pin(async move { Ok(Made::new(task.physical_id, [])) }),
    delete: |task| delete(task, "DeleteLogStream", "logStreamName"),
};

pub(super) const METRIC_FILTER: ResourceType = ResourceType {
    name: "AWS::Logs::MetricFilter",
    properties: &[
        replaces("FilterName"),
        may_change("FilterPattern").required(),
        replaces("LogGroupName").required(),
        may_change("MetricTransformations").required(),
    ],
    name_property: Some("FilterName"),
    create: |task| Box::pin(create(task, "FilterName", put_metric_filter)),
    update: |task| Box::pin(update(task, put_metric_filter)),
    delete: |task| delete(task, "DeleteMetricFilter", "filterName"),
};

pub(super) const SUBSCRIPTION_FILTER: ResourceType = ResourceType {
    name: "AWS::Logs::SubscriptionFilter",
    properties: &[
        may_change("DestinationArn").required(),
        may_change("Distribution"),
        replaces("FilterName"),
        may_change("FilterPattern").required(),
        replaces("LogGroupName").required(),
        may_change("RoleArn"),
    ],
    name_property: Some("FilterName"),
    create: |task| Box::pin(create(task, "FilterName", put_subscription)),
    update: |task| Box::pin(update(task, put_subscription)),
    delete: |task| delete(task, "DeleteSubscriptionFilter", "filterName"),
};

pub(super) const RESOURCE_POLICY: ResourceType = ResourceType {
    name: "AWS::Logs::ResourcePolicy",
    properties: &[may_change("PolicyDocument").required(), replaces("PolicyName").required()],
    name_property: Some("PolicyName"),
    create: |task| Box::pin(create(task, "PolicyName", put_policy)),
    update: |task| Box::pin(update(task, put_policy)),
    delete: |task| delete(task, "DeleteResourcePolicy", "policyName"),
};

pub(super) const QUERY_DEFINITION: ResourceType = ResourceType {
    name: "AWS::Logs::QueryDefinition",
    properties: &[may_change("LogGroupNames"), may_change("Name").required(), may_change("QueryString").required()],
    name_property: None,
    create: |task| Box::pin(put_definition(task, Value::Null)),
    update: |task| Box::pin(put_definition(task, task.physical_id.into())),
    delete: |task| delete(task, "DeleteQueryDefinition", "queryDefinitionId"),
};

/// The longest name of any.
const NAME_LIMIT: usize = 512;

/// Puts a resource of this name.
type Put = for<'a> fn(&'a Task<'a>, &'a str) -> Doing<'a, ()>;

async fn create(task: &Task<'_>, name: &str, put: Put) -> Result<Made> {
    let name = task.name(name, NAME_LIMIT);
    put(task, &name).await?;
    task.begun(&name);
    Ok(Made::new(name, []))
}

async fn update(task: &Task<'_>, put: Put) -> Result<Made> {
    put(task, task.physical_id).await?;
    Ok(Made::new(task.physical_id, []))
}

/// The operations of what is in a group name the group as well.
fn delete<'a>(task: &'a Task<'a>, operation: &'static str, name: &'static str) -> Doing<'a, ()> {
    Box::pin(async move {
        let mut input = Map::from_iter([(name.to_owned(), task.physical_id.into())]);
        if let Some(group) = task.properties.get("LogGroupName") {
            input.insert("logGroupName".to_owned(), group.clone());
        }
        task.door.call("logs", operation, Value::Object(input)).await.map(drop)
    })
}

async fn create_stream(task: &Task<'_>) -> Result<Made> {
    let name = task.name("LogStreamName", NAME_LIMIT);
    let input = json!({ "logGroupName": task.get("LogGroupName"), "logStreamName": name });
    task.door.call("logs", "CreateLogStream", input).await?;
    task.begun(&name);
    Ok(Made::new(name, []))
}

fn put_metric_filter<'a>(task: &'a Task<'a>, name: &'a str) -> Doing<'a, ()> {
    Box::pin(async move {
        let transformations: Vec<Value> =
            task.items("MetricTransformations").iter().map(transformation).collect::<Result<_>>()?;
        let input = json!({
            "logGroupName": task.get("LogGroupName"),
            "filterName": name,
            "filterPattern": task.get("FilterPattern"),
            "metricTransformations": transformations,
        });
        task.door.call("logs", "PutMetricFilter", input).await.map(drop)
    })
}

/// A template has the dimensions as a list of keys and values, the API as a map.
fn transformation(property: &Value) -> Result<Value> {
    let wrong = |text: String| {
        Error::client("InvalidRequest", format!("Model validation failed (#/MetricTransformations: {text})"))
    };
    let members = property.as_object().ok_or_else(|| wrong("expected type: JSONObject".to_owned()))?;
    let mut input = Map::new();
    for (name, value) in members {
        let (member, value) = match name.as_str() {
            "DefaultValue" => ("defaultValue", value.clone()),
            "MetricName" => ("metricName", value.clone()),
            "MetricNamespace" => ("metricNamespace", value.clone()),
            "MetricValue" => ("metricValue", value.clone()),
            "Unit" => ("unit", value.clone()),
            "Dimensions" => {
                let pair = |one: &Value| Some((one.get("Key")?.as_str()?.to_owned(), one.get("Value")?.clone()));
                let pairs = value.as_array().and_then(|all| all.iter().map(pair).collect::<Option<Map<_, _>>>());
                (
                    "dimensions",
                    Value::Object(pairs.ok_or_else(|| wrong("a dimension has a Key and a Value".to_owned()))?),
                )
            }
            _ => return Err(wrong(format!("extraneous key [{name}] is not permitted"))),
        };
        input.insert(member.to_owned(), value);
    }
    Ok(Value::Object(input))
}

fn put_subscription<'a>(task: &'a Task<'a>, name: &'a str) -> Doing<'a, ()> {
    Box::pin(async move {
        let input = json!({
            "logGroupName": task.get("LogGroupName"),
            "filterName": name,
            "filterPattern": task.get("FilterPattern"),
            "destinationArn": task.get("DestinationArn"),
            "roleArn": task.get("RoleArn"),
            "distribution": task.get("Distribution"),
        });
        task.door.call("logs", "PutSubscriptionFilter", input).await.map(drop)
    })
}

fn put_policy<'a>(task: &'a Task<'a>, name: &'a str) -> Doing<'a, ()> {
    Box::pin(async move {
        let input = json!({ "policyName": name, "policyDocument": task.document("PolicyDocument")? });
        task.door.call("logs", "PutResourcePolicy", input).await.map(drop)
    })
}

async fn put_definition(task: &Task<'_>, id: Value) -> Result<Made> {
    let input = json!({
        "queryDefinitionId": id,
        "name": task.get("Name"),
        "queryString": task.get("QueryString"),
        "logGroupNames": task.get("LogGroupNames"),
    });
    let answer = task.door.call("logs", "PutQueryDefinition", input).await?;
    let id = answer["queryDefinitionId"].as_str().unwrap_or_default();
    task.begun(id);
    Ok(Made::new(id, [("QueryDefinitionId", id.into())]))
}
