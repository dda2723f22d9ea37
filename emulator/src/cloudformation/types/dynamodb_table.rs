//! `AWS::DynamoDB::Table`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html>

use serde_json::{Map, Value, json};

use super::task::{TagNames, document};
use super::{Made, ResourceType, Task, may_change, replaces};
use crate::Result;

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::DynamoDB::Table",
    properties: &[
        replaces("KeySchema").required(),
        replaces("LocalSecondaryIndexes"),
        replaces("TableName"),
        may_change("AttributeDefinitions"),
        may_change("BillingMode"),
        may_change("DeletionProtectionEnabled"),
        may_change("GlobalSecondaryIndexes"),
        may_change("KinesisStreamSpecification"),
        may_change("OnDemandThroughput"),
        may_change("PointInTimeRecoverySpecification"),
        may_change("ProvisionedThroughput"),
        may_change("ResourcePolicy"),
        may_change("SSESpecification"),
        may_change("StreamSpecification"),
        may_change("TableClass"),
        may_change("Tags"),
        may_change("TimeToLiveSpecification"),
        may_change("WarmThroughput"),
    ],
    name_property: Some("TableName"),
    create: |task| Box::pin(create(task)),
    update: |task| Box::pin(update(task)),
    delete: |task| Box::pin(delete(task)),
};

/// The longest name of a table.
const NAME_LIMIT: usize = 255;
/// What `CreateTable` takes as the template has it.
const PASSED_ON: [&str; 10] = [
    "AttributeDefinitions",
    "BillingMode",
    "DeletionProtectionEnabled",
    "GlobalSecondaryIndexes",
    "KeySchema",
    "LocalSecondaryIndexes",
    "OnDemandThroughput",
    "ProvisionedThroughput",
    "TableClass",
    "WarmThroughput",
];
/// `UpdateTable` changes one of these at a time.
const CAPACITY: [&str; 4] = ["BillingMode", "OnDemandThroughput", "ProvisionedThroughput", "WarmThroughput"];

pub(super) async fn create(task: &Task<'_>) -> Result<Made> {
    let name = task.name("TableName", NAME_LIMIT);
    let mut input = task.pick(&PASSED_ON);
    input.insert("TableName".to_owned(), name.as_str().into());
    input.insert("StreamSpecification".to_owned(), stream(&task.get("StreamSpecification")));
    input.insert("SSESpecification".to_owned(), encryption(&task.get("SSESpecification")));
    input.insert("Tags".to_owned(), task.tag_list());
    if let Some(policy) = task.properties.get("ResourcePolicy") {
        input.insert("ResourcePolicy".to_owned(), document(&policy["PolicyDocument"])?.into());
    }
    task.door.call("dynamodb", "CreateTable", Value::Object(input)).await?;
    task.begun(&name);
    configure(task, &name).await?;
    described(task, &name).await
}

pub(super) async fn update(task: &Task<'_>) -> Result<Made> {
    let name = task.physical_id;
    let change = async |members: Map<String, Value>| {
        let mut input = members;
        input.insert("TableName".to_owned(), name.into());
        task.door.call("dynamodb", "UpdateTable", Value::Object(input)).await.map(drop)
    };
    if task.changes(&CAPACITY) {
        change(task.pick(&CAPACITY)).await?;
    }
    for index in index_updates(task) {
        let mut input = task.pick(&["AttributeDefinitions"]);
        input.insert("GlobalSecondaryIndexUpdates".to_owned(), json!([index]));
        change(input).await?;
    }
    if task.changes(&["StreamSpecification"]) {
        let wanted = stream(&task.get("StreamSpecification"));
        // Another view is another stream.
        if task.old.contains_key("StreamSpecification") {
            change(Map::from_iter([("StreamSpecification".to_owned(), json!({ "StreamEnabled": false }))])).await?;
        }
        if !wanted.is_null() {
            change(Map::from_iter([("StreamSpecification".to_owned(), wanted)])).await?;
        }
    }
    if task.changes(&["SSESpecification"]) {
        let wanted = encryption(&task.get("SSESpecification"));
        let wanted = if wanted.is_null() { json!({ "Enabled": false }) } else { wanted };
        change(Map::from_iter([("SSESpecification".to_owned(), wanted)])).await?;
    }
    for (property, default) in [("TableClass", json!("STANDARD")), ("DeletionProtectionEnabled", json!(false))] {
        if task.changes(&[property]) {
            let wanted = task.properties.get(property).cloned().unwrap_or(default);
            change(Map::from_iter([(property.to_owned(), wanted)])).await?;
        }
    }
    let arn = task.door.scope.arn("dynamodb", format_args!("table/{name}"));
    if task.changes(&["ResourcePolicy"]) {
        match task.get("ResourcePolicy") {
            Value::Null => {
                task.door.call("dynamodb", "DeleteResourcePolicy", json!({ "ResourceArn": arn })).await?;
            }
            policy => {
                let input = json!({ "ResourceArn": arn, "Policy": document(&policy["PolicyDocument"])? });
                task.door.call("dynamodb", "PutResourcePolicy", input).await?;
            }
        }
    }
    configure(task, name).await?;
    let names = TagNames { arn: "ResourceArn", tags: "Tags", keys: "TagKeys", as_map: false };
    task.retag("dynamodb", &arn, names).await?;
    described(task, name).await
}

pub(super) async fn delete(task: &Task<'_>) -> Result<()> {
    task.door.call("dynamodb", "DeleteTable", json!({ "TableName": task.physical_id })).await.map(drop)
}

/// What has operations of its own. A new table has neither.
async fn configure(task: &Task<'_>, table: &str) -> Result<()> {
    if task.changes(&["TimeToLiveSpecification"]) {
        let wanted = task.get("TimeToLiveSpecification");
        let old = task.old.get("TimeToLiveSpecification");
        let put = async |specification: Value| {
            let input = json!({ "TableName": table, "TimeToLiveSpecification": specification });
            task.door.call("dynamodb", "UpdateTimeToLive", input).await.map(drop)
        };
        let is_on = |specification: &Value| specification["Enabled"].to_string().contains("true");
        // Only what is on can be turned off, and it is turned off under its own name.
        let name = old.filter(|old| is_on(old)).map(|old| old["AttributeName"].clone());
        if let Some(name) = name.filter(|name| !is_on(&wanted) || wanted["AttributeName"] != *name) {
            put(json!({ "AttributeName": name, "Enabled": false })).await?;
        }
        if is_on(&wanted) {
            put(wanted).await?;
        }
    }
    if task.changes(&["PointInTimeRecoverySpecification"]) {
        let wanted = match task.get("PointInTimeRecoverySpecification") {
            Value::Null => json!({ "PointInTimeRecoveryEnabled": false }),
            wanted => wanted,
        };
        let input = json!({ "TableName": table, "PointInTimeRecoverySpecification": wanted });
        task.door.call("dynamodb", "UpdateContinuousBackups", input).await?;
    }
    stream_to_kinesis(task, table).await
}

/// Which stream of Kinesis gets what changes: the old one no longer, where it is another.
async fn stream_to_kinesis(task: &Task<'_>, table: &str) -> Result<()> {
    if !task.changes(&["KinesisStreamSpecification"]) {
        return Ok(());
    }
    let none = Value::Null;
    let (old, new) =
        (task.old.get("KinesisStreamSpecification").unwrap_or(&none), task.get("KinesisStreamSpecification"));
    let is_same = old["StreamArn"] == new["StreamArn"];
    let precision = json!({
        "ApproximateCreationDateTimePrecision": new["ApproximateCreationDateTimePrecision"],
    });
    if !old.is_null() && !is_same {
        let input = json!({ "TableName": table, "StreamArn": old["StreamArn"] });
        task.door.call("dynamodb", "DisableKinesisStreamingDestination", input).await?;
    }
    if new.is_null() {
        return Ok(());
    }
    let (operation, member) = match is_same {
        true => ("UpdateKinesisStreamingDestination", "UpdateKinesisStreamingConfiguration"),
        false => ("EnableKinesisStreamingDestination", "EnableKinesisStreamingConfiguration"),
    };
    let mut input = json!({ "TableName": table, "StreamArn": new["StreamArn"] });
    if !new["ApproximateCreationDateTimePrecision"].is_null() || is_same {
        input[member] = precision;
    }
    task.door.call("dynamodb", operation, input).await.map(drop)
}

/// The changes of global secondary indexes, each for a request of its own.
fn index_updates(task: &Task<'_>) -> Vec<Value> {
    let (old, new) = (task.old_items("GlobalSecondaryIndexes"), task.items("GlobalSecondaryIndexes"));
    let find = |indexes: &[Value], name: &Value| indexes.iter().find(|index| index["IndexName"] == *name).cloned();
    let same = |a: &Value, b: &Value| a["KeySchema"] == b["KeySchema"] && a["Projection"] == b["Projection"];
    let mut updates = Vec::new();
    for index in &old {
        // Another key or projection is another index.
        if find(&new, &index["IndexName"]).is_none_or(|new| !same(&new, index)) {
            updates.push(json!({ "Delete": { "IndexName": index["IndexName"] } }));
        }
    }
    for index in &new {
        match find(&old, &index["IndexName"]) {
            Some(old) if same(&old, index) => {
                let mut change = Map::from_iter([("IndexName".to_owned(), index["IndexName"].clone())]);
                for name in ["ProvisionedThroughput", "OnDemandThroughput", "WarmThroughput"] {
                    if let Some(value) = index.get(name).filter(|value| old.get(name) != Some(value)) {
                        change.insert(name.to_owned(), value.clone());
                    }
                }
                if change.len() > 1 {
                    updates.push(json!({ "Update": change }));
                }
            }
            _ => updates.push(json!({ "Create": index })),
        }
    }
    updates
}

/// CloudFormation leaves it to the presence of a view whether there is a stream.
fn stream(property: &Value) -> Value {
    match property.get("StreamViewType") {
        Some(view) => json!({ "StreamEnabled": true, "StreamViewType": view }),
        None => Value::Null,
    }
}

/// CloudFormation's `SSEEnabled` is DynamoDB's `Enabled`.
fn encryption(property: &Value) -> Value {
    if property.is_null() {
        return Value::Null;
    }
    json!({
        "Enabled": property["SSEEnabled"],
        "SSEType": property["SSEType"],
        "KMSMasterKeyId": property["KMSMasterKeyId"],
    })
}

async fn described(task: &Task<'_>, table: &str) -> Result<Made> {
    let found = task.door.call("dynamodb", "DescribeTable", json!({ "TableName": table })).await?;
    let found = &found["Table"];
    let mut made = Made::new(table, [("Arn", found["TableArn"].clone())]);
    if let Some(arn) = found.get("LatestStreamArn").filter(|arn| !arn.is_null()) {
        made.attributes.insert("StreamArn".to_owned(), arn.clone());
    }
    Ok(made)
}
