//! `AWS::DynamoDB::GlobalTable`, with a replica in the stack's own region and no other: a table like any other, written otherwise.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-globaltable.html>

use std::sync::OnceLock;

use serde_json::{Map, Value, json};

use super::dynamodb_table;
use super::{Made, ResourceType, Task, may_change, replaces};
use crate::{Error, Result};

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::DynamoDB::GlobalTable",
    properties: &[
        replaces("KeySchema").required(),
        replaces("LocalSecondaryIndexes"),
        replaces("TableName"),
        may_change("AttributeDefinitions").required(),
        may_change("BillingMode"),
        may_change("GlobalSecondaryIndexes"),
        may_change("Replicas").required(),
        may_change("SSESpecification"),
        may_change("StreamSpecification"),
        may_change("TimeToLiveSpecification"),
        may_change("WarmThroughput"),
        may_change("WriteOnDemandThroughputSettings"),
    ],
    name_property: Some("TableName"),
    create: |task| Box::pin(create(task)),
    update: |task| Box::pin(update(task)),
    delete: |task| Box::pin(dynamodb_table::delete(task)),
};

/// What both types write alike.
const ALIKE: [&str; 8] = [
    "AttributeDefinitions",
    "BillingMode",
    "KeySchema",
    "LocalSecondaryIndexes",
    "StreamSpecification",
    "TableName",
    "TimeToLiveSpecification",
    "WarmThroughput",
];
/// What a replica says and a table of its own says alike.
const OF_REPLICA: [&str; 5] =
    ["DeletionProtectionEnabled", "PointInTimeRecoverySpecification", "ResourcePolicy", "TableClass", "Tags"];
/// What else a replica may say here.
const READ: [&str; 4] = ["Region", "GlobalSecondaryIndexes", "ReadOnDemandThroughputSettings", "SSESpecification"];
/// What an index may say here.
const OF_INDEX: [&str; 5] =
    ["IndexName", "KeySchema", "Projection", "WarmThroughput", "WriteOnDemandThroughputSettings"];

async fn create(task: &Task<'_>) -> Result<Made> {
    let (properties, old) = (as_table(task, task.properties)?, Map::new());
    let table = of_table(task, &properties, &old);
    let made = dynamodb_table::create(&table).await;
    if let Some(name) = table.exists.get() {
        task.begun(name);
    }
    with_id(task, made?).await
}

async fn update(task: &Task<'_>) -> Result<Made> {
    let (properties, old) = (as_table(task, task.properties)?, as_table(task, task.old)?);
    with_id(task, dynamodb_table::update(&of_table(task, &properties, &old)).await?).await
}

/// The same work on the table that the properties mean.
fn of_table<'a>(task: &Task<'a>, properties: &'a Map<String, Value>, old: &'a Map<String, Value>) -> Task<'a> {
    Task { properties, old, exists: OnceLock::new(), ..*task }
}

async fn with_id(task: &Task<'_>, mut made: Made) -> Result<Made> {
    let found = task.door.call("dynamodb", "DescribeTable", json!({ "TableName": made.physical_id })).await?;
    made.attributes.insert("TableId".to_owned(), found["Table"]["TableId"].clone());
    Ok(made)
}

/// The properties of the table in this region.
fn as_table(task: &Task<'_>, properties: &Map<String, Value>) -> Result<Map<String, Value>> {
    let region = &*task.door.scope.region;
    let elsewhere =
        || Error::not_implemented("replicas of a table in other regions (Replicas of AWS::DynamoDB::GlobalTable)");
    let replica = match properties.get("Replicas").and_then(Value::as_array).map(Vec::as_slice) {
        Some([Value::Object(one)]) if one.get("Region").is_some_and(|own| own == region) => one,
        _ => return Err(elsewhere()),
    };
    only(replica, &[&OF_REPLICA[..], &READ[..]].concat(), "Replicas")?;
    let mut table = picked(properties, &ALIKE);
    table.extend(picked(replica, &OF_REPLICA));
    if let Some(encryption) = properties.get("SSESpecification") {
        let mut encryption = encryption.clone();
        if let Some(key) = replica.get("SSESpecification").and_then(|own| own.get("KMSMasterKeyId")) {
            encryption["KMSMasterKeyId"] = key.clone();
        }
        table.insert("SSESpecification".to_owned(), encryption);
    }
    if let Some(limits) = on_demand(properties, replica) {
        table.insert("OnDemandThroughput".to_owned(), limits);
    }
    if let Some(indexes) = properties.get("GlobalSecondaryIndexes").and_then(Value::as_array) {
        let of_replica = replica.get("GlobalSecondaryIndexes").and_then(Value::as_array);
        let indexes: Vec<Value> = indexes
            .iter()
            .map(|index| as_index(index, of_replica.map_or(&[], Vec::as_slice)))
            .collect::<Result<_>>()?;
        table.insert("GlobalSecondaryIndexes".to_owned(), indexes.into());
    }
    Ok(table)
}

/// An index, with what the replica says of it.
fn as_index(index: &Value, of_replica: &[Value]) -> Result<Value> {
    let nothing = Map::new();
    let index = index.as_object().unwrap_or(&nothing);
    let own = of_replica.iter().find(|own| own.get("IndexName") == index.get("IndexName")).and_then(Value::as_object);
    let own = own.unwrap_or(&nothing);
    only(index, &OF_INDEX, "GlobalSecondaryIndexes")?;
    only(own, &["IndexName", "ReadOnDemandThroughputSettings"], "Replicas.GlobalSecondaryIndexes")?;
    let mut made = picked(index, &["IndexName", "KeySchema", "Projection", "WarmThroughput"]);
    if let Some(limits) = on_demand(index, own) {
        made.insert("OnDemandThroughput".to_owned(), limits);
    }
    Ok(made.into())
}

/// The most that may be asked for, of which writes stand at the table and reads at the replica.
fn on_demand(writes: &Map<String, Value>, reads: &Map<String, Value>) -> Option<Value> {
    let mut limits = Map::new();
    for (settings, name) in [
        (writes.get("WriteOnDemandThroughputSettings"), "MaxWriteRequestUnits"),
        (reads.get("ReadOnDemandThroughputSettings"), "MaxReadRequestUnits"),
    ] {
        if let Some(limit) = settings.and_then(|settings| settings.get(name)) {
            limits.insert(name.to_owned(), limit.clone());
        }
    }
    (!limits.is_empty()).then_some(limits.into())
}

fn picked(from: &Map<String, Value>, names: &[&str]) -> Map<String, Value> {
    names.iter().filter_map(|name| Some(((*name).to_owned(), from.get(*name)?.clone()))).collect()
}

/// Refuses what is not honoured. What is switched off may be said.
fn only(members: &Map<String, Value>, known: &[&str], of: &str) -> Result<()> {
    let off = |value: &Value| value.get("Enabled").is_some_and(|enabled| !enabled.to_string().contains("true"));
    match members.iter().find(|(name, value)| !known.contains(&name.as_str()) && !off(value)) {
        None => Ok(()),
        Some((name, _)) => Err(Error::not_implemented(format!("{of}.{name} of AWS::DynamoDB::GlobalTable"))),
    }
}
