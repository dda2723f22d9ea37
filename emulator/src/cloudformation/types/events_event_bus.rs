//! `AWS::Events::EventBus` and `AWS::Events::EventBusPolicy`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-eventbus.html>

use serde_json::{Value, json};

use super::task::TagNames;
use super::{Made, ResourceType, Task, may_change, replaces};
use crate::Result;

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::Events::EventBus",
    properties: &[replaces("Name").required(), may_change("Description"), may_change("Policy"), may_change("Tags")],
    name_property: Some("Name"),
    create: |task| Box::pin(create(task)),
    update: |task| Box::pin(update(task)),
    delete: |task| Box::pin(delete(task)),
};

pub(super) const POLICY: ResourceType = ResourceType {
    name: "AWS::Events::EventBusPolicy",
    properties: &[
        replaces("EventBusName"),
        replaces("StatementId").required(),
        may_change("Action"),
        may_change("Condition"),
        may_change("Principal"),
        may_change("Statement"),
    ],
    name_property: None,
    create: |task| Box::pin(put_statement(task)),
    update: |task| Box::pin(put_statement(task)),
    delete: |task| Box::pin(remove_statement(task)),
};

/// The longest name of a bus.
const NAME_LIMIT: usize = 256;
const TAGS: TagNames = TagNames { arn: "ResourceARN", tags: "Tags", keys: "TagKeys", as_map: false };

async fn create(task: &Task<'_>) -> Result<Made> {
    let name = task.name("Name", NAME_LIMIT);
    let input = json!({ "Name": name, "Description": task.get("Description"), "Tags": task.tag_list() });
    let made = task.door.call("events", "CreateEventBus", input).await?;
    task.begun(&name);
    put_policy(task, &name).await?;
    Ok(of(&name, made["EventBusArn"].clone()))
}

async fn update(task: &Task<'_>) -> Result<Made> {
    let name = task.physical_id;
    let input = json!({ "Name": name, "Description": task.get("Description") });
    let arn = task.door.call("events", "UpdateEventBus", input).await?["Arn"].clone();
    if task.changes(&["Policy"]) {
        put_policy(task, name).await?;
    }
    task.retag("events", arn.as_str().unwrap_or_default(), TAGS).await?;
    Ok(of(name, arn))
}

async fn put_policy(task: &Task<'_>, name: &str) -> Result<()> {
    let input = match task.properties.get("Policy") {
        Some(_) => json!({ "EventBusName": name, "Policy": task.document("Policy")? }),
        None if task.old.contains_key("Policy") => {
            let input = json!({ "EventBusName": name, "RemoveAllPermissions": true });
            return task.door.call("events", "RemovePermission", input).await.map(drop);
        }
        None => return Ok(()),
    };
    task.door.call("events", "PutPermission", input).await.map(drop)
}

async fn delete(task: &Task<'_>) -> Result<()> {
    task.door.call("events", "DeleteEventBus", json!({ "Name": task.physical_id })).await.map(drop)
}

fn of(name: &str, arn: Value) -> Made {
    Made::new(name, [("Arn", arn), ("Name", name.into())])
}

/// A statement comes whole, or in the parts that `PutPermission` takes.
async fn put_statement(task: &Task<'_>) -> Result<Made> {
    let bus = task.get("EventBusName");
    let id = task.get("StatementId");
    let input = match task.properties.get("Statement") {
        Some(Value::Object(statement)) => {
            let mut statement = statement.clone();
            statement.insert("Sid".to_owned(), id.clone());
            let name = bus.as_str().unwrap_or("default");
            let there = task.door.call("events", "DescribeEventBus", json!({ "Name": name })).await?;
            let policy = there["Policy"].as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
            let mut policy = policy.unwrap_or_else(|| json!({ "Version": "2012-10-17", "Statement": [] }));
            let mut statements = match policy["Statement"].take() {
                Value::Array(statements) => statements,
                one => vec![one],
            };
            statements.retain(|other| other["Sid"] != id);
            statements.push(Value::Object(statement));
            policy["Statement"] = statements.into();
            json!({ "EventBusName": bus, "Policy": policy.to_string() })
        }
        _ => {
            let mut input = task.pick(&["EventBusName", "StatementId", "Action", "Principal", "Condition"]);
            input.entry("Action").or_insert_with(|| "events:PutEvents".into());
            Value::Object(input)
        }
    };
    task.door.call("events", "PutPermission", input).await?;
    let id = id.as_str().unwrap_or_default();
    task.begun(id);
    Ok(Made::new(id, []))
}

async fn remove_statement(task: &Task<'_>) -> Result<()> {
    let input = json!({ "EventBusName": task.get("EventBusName"), "StatementId": task.get("StatementId") });
    task.door.call("events", "RemovePermission", input).await.map(drop)
}
