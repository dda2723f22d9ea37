//! `UpdateTable`.
//!
//! What it changes is changed when the answer comes; the answer shows the throughput as it was and says `UPDATING`, as AWS's
//! does. <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTable.html>

use std::collections::BTreeSet;

use serde::Deserialize;

use super::create_table::{MAX_UNITS, TableOutput, check_units, enabled_stream, neither, use_key};
use super::definition::{
    AttributeDefinition, IndexDefinition, OnDemandThroughput, ProvisionedThroughput, SseSpecification,
    StreamSpecification, WarmThroughput,
};
use super::describe::{Status, describe, sse_description};
use super::errors::{limit, parameter, validation};
use super::index::Index;
use super::key_schema::{Attributes, MAX_GLOBAL};
use super::settings::Billing;
use super::table::Table;
use super::{Tables, streams, target};
use crate::cloud::{Cx, Service};
use crate::{Error, Result, Timestamp};

/// Adds the operation of this file.
pub(super) fn operations(service: Service<Tables>) -> Service<Tables> {
    service.op("UpdateTable", |at, i: &UpdateTable| target::table(at, &i.table_name), update)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateTable {
    table_name: String,
    attribute_definitions: Option<Vec<AttributeDefinition>>,
    billing_mode: Option<String>,
    provisioned_throughput: Option<ProvisionedThroughput>,
    #[serde(default)]
    global_secondary_index_updates: Vec<IndexUpdate>,
    stream_specification: Option<StreamSpecification>,
    #[serde(rename = "SSESpecification")]
    sse_specification: Option<SseSpecification>,
    table_class: Option<String>,
    deletion_protection_enabled: Option<bool>,
    on_demand_throughput: Option<OnDemandThroughput>,
    warm_throughput: Option<WarmThroughput>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct IndexUpdate {
    update: Option<IndexThroughput>,
    create: Option<IndexDefinition>,
    delete: Option<IndexName>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct IndexThroughput {
    index_name: String,
    provisioned_throughput: Option<ProvisionedThroughput>,
    on_demand_throughput: Option<OnDemandThroughput>,
    warm_throughput: Option<WarmThroughput>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct IndexName {
    index_name: String,
}

impl IndexUpdate {
    fn name(&self) -> Option<&str> {
        let update = self.update.as_ref().map(|update| &update.index_name);
        let create = || self.create.as_ref().map(|create| &create.index_name);
        let delete = || self.delete.as_ref().map(|delete| &delete.index_name);
        update.or_else(create).or_else(delete).map(String::as_str)
    }
}

fn update(cx: &mut Cx<Tables>, input: UpdateTable) -> Result<TableOutput> {
    check(&input)?;
    let mut table = cx.state.known(&input.table_name)?.clone();
    let sse = table.definition.settings.sse.as_ref().filter(|sse| sse.enabled != Some(false));
    let sse_was = sse.map(|sse| sse_description(cx, sse));
    let billing_was = table.definition.settings.billing;
    let billing = input.billing_mode.as_deref().map_or(billing_was, Billing::from_name);
    if input.provisioned_throughput.is_some() && billing == Billing::PayPerRequest {
        return Err(neither());
    }
    let shown_before = (input.provisioned_throughput.is_some() && billing == billing_was)
        .then_some(table.definition.settings.throughput.provisioned);
    set_throughput(&mut table, &input, cx.now)?;
    set_billing(&mut table, billing, &input, cx.now)?;
    update_indexes(&mut table, &input, billing, cx.now)?;
    set_settings(&mut table, &input, cx.now);
    change_stream(cx, &mut table, input.stream_specification.as_ref())?;

    let mut table_description = describe(cx, &table, Status::Updating)?;
    if let (Some(was), Some(false)) = (sse_was, input.sse_specification.as_ref().and_then(|sse| sse.enabled)) {
        table_description["SSEDescription"] = was;
        table_description["SSEDescription"]["Status"] = "UPDATING".into();
    }
    use_key(cx, input.sse_specification.as_ref());
    if let Some(before) = shown_before {
        table_description["ProvisionedThroughput"]["ReadCapacityUnits"] = before.read_capacity_units.into();
        table_description["ProvisionedThroughput"]["WriteCapacityUnits"] = before.write_capacity_units.into();
    }
    mark_new_indexes(&mut table_description, &input);
    *cx.state.known_mut(&input.table_name)? = table;
    Ok(TableOutput { table_description })
}

/// What is checked before the table is looked for.
fn check(input: &UpdateTable) -> Result<()> {
    let changes = [
        input.provisioned_throughput.is_some(),
        input.billing_mode.is_some(),
        !input.global_secondary_index_updates.is_empty(),
        input.stream_specification.is_some(),
        input.sse_specification.is_some(),
        input.table_class.is_some(),
        input.deletion_protection_enabled.is_some(),
        input.on_demand_throughput.is_some(),
        input.warm_throughput.is_some(),
    ];
    if !changes.contains(&true) {
        return Err(validation(
            "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or \
             SSESpecification or ReplicaUpdates is required",
        ));
    }
    if input.billing_mode.as_deref() == Some("PROVISIONED") && input.provisioned_throughput.is_none() {
        return Err(parameter("ProvisionedThroughput must be specified when BillingMode is PROVISIONED"));
    }
    input.provisioned_throughput.map_or(Ok(()), check_units)?;
    let mut names = BTreeSet::new();
    for update in &input.global_secondary_index_updates {
        let name = update.name().ok_or_else(|| {
            parameter(
                "One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, \
                 GlobalSecondaryIndexUpdate.Delete must not be null",
            )
        })?;
        if !names.insert(name) {
            return Err(parameter(format_args!(
                "Only one global secondary index update per index is allowed simultaneously. Index: {name}"
            )));
        }
    }
    Ok(())
}

fn set_throughput(table: &mut Table, input: &UpdateTable, now: Timestamp) -> Result<()> {
    let throughput = &mut table.definition.settings.throughput;
    if let Some(wanted) = input.provisioned_throughput {
        let current = throughput.provisioned;
        if wanted == current && input.global_secondary_index_updates.is_empty() {
            return Err(unchanged(current));
        }
        throughput.set(wanted, now);
    }
    throughput.on_demand = input.on_demand_throughput.or(throughput.on_demand);
    throughput.warm = input.warm_throughput.or(throughput.warm);
    Ok(())
}

fn unchanged(current: ProvisionedThroughput) -> Error {
    let (reads, writes) = (current.read_capacity_units, current.write_capacity_units);
    validation(format!(
        "The provisioned throughput for the table will not change. The requested value equals the current value. Current \
         ReadCapacityUnits provisioned for the table: {reads}. Requested ReadCapacityUnits: {reads}. Current \
         WriteCapacityUnits provisioned for the table: {writes}. Requested WriteCapacityUnits: {writes}. Refer to the \
         Amazon DynamoDB Developer Guide for current limits and how to request higher limits."
    ))
}

fn set_billing(table: &mut Table, to: Billing, input: &UpdateTable, now: Timestamp) -> Result<()> {
    let settings = &mut table.definition.settings;
    if to == settings.billing {
        return Ok(());
    }
    if to == Billing::PayPerRequest {
        settings.by_request_since = Some(now);
        settings.throughput.set(ProvisionedThroughput::default(), now);
    } else {
        let given: BTreeSet<&str> = input.global_secondary_index_updates.iter().filter_map(IndexUpdate::name).collect();
        let global = table.indexes.iter().filter(|index| !index.local).map(|index| &*index.name);
        let missing: Vec<&str> = global.filter(|name| !given.contains(name)).collect();
        if !missing.is_empty() {
            let missing = missing.join(",");
            return Err(parameter(format_args!("ProvisionedThroughput must be specified for index: {missing}")));
        }
    }
    settings.billing = to;
    Ok(())
}

fn update_indexes(table: &mut Table, input: &UpdateTable, billing: Billing, now: Timestamp) -> Result<()> {
    let updates = &input.global_secondary_index_updates;
    if updates.iter().filter(|update| update.update.is_none()).count() > 1 {
        return Err(limit(
            "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table",
        ));
    }
    for update in updates {
        if let Some(change) = &update.update {
            change_index(table, change, billing, now)?;
        } else if let Some(definition) = &update.create {
            create_index(table, definition, input.attribute_definitions.as_deref(), billing)?;
        } else if let Some(IndexName { index_name }) = &update.delete {
            let found = table.indexes.iter().position(|index| !index.local && *index.name == **index_name);
            let place = found.ok_or_else(super::errors::not_found)?;
            table.indexes.remove(place);
        }
    }
    if !updates.is_empty() {
        let Table { definition, indexes, .. } = table;
        let is_used = |name: &str| definition.key.has(name) || indexes.iter().any(|index| index.key.has(name));
        definition.attributes.retain(|(name, _)| is_used(name));
    }
    Ok(())
}

fn change_index(table: &mut Table, change: &IndexThroughput, billing: Billing, now: Timestamp) -> Result<()> {
    let found = table.indexes.iter_mut().find(|index| !index.local && *index.name == *change.index_name);
    let units = change.provisioned_throughput;
    let too_many = units.is_some_and(|units| units.read_capacity_units.max(units.write_capacity_units) > MAX_UNITS);
    let Some(index) = found.filter(|_| !too_many) else {
        return Err(validation(
            "This operation cannot be performed with given input values. Please contact DynamoDB service team for more \
             info: Action Blocked: IndexUpdate",
        ));
    };
    if let Some(units) = units {
        if billing == Billing::PayPerRequest {
            return Err(neither());
        }
        index.throughput.set(units, now);
    }
    index.throughput.on_demand = change.on_demand_throughput.or(index.throughput.on_demand);
    index.throughput.warm = change.warm_throughput.or(index.throughput.warm);
    Ok(())
}

fn create_index(
    table: &mut Table,
    index: &IndexDefinition,
    attributes: Option<&[AttributeDefinition]>,
    billing: Billing,
) -> Result<()> {
    if table.indexes.iter().any(|known| *known.name == *index.index_name) {
        let name = &index.index_name;
        return Err(parameter(format_args!("Index with name {name} already exists")));
    }
    let Some(attributes) = attributes else {
        return Err(parameter("AttributeDefinitions must be specified when creating a global secondary index"));
    };
    let mut made: Vec<Index> = Vec::new();
    let attributes = Attributes::read(attributes)?;
    attributes.global_index(index, &table.definition.key, billing, &mut made)?;
    let global = table.indexes.iter().filter(|index| !index.local).count();
    if global >= MAX_GLOBAL {
        return Err(limit(format!("GlobalSecondaryIndex count exceeds the per-table limit of {MAX_GLOBAL}")));
    }
    for (name, kind) in attributes.0 {
        if !table.definition.attributes.iter().any(|(known, _)| *known == name) {
            table.definition.attributes.push((name, kind));
        }
    }
    for index in &mut made {
        index.fill(&table.items);
    }
    table.indexes.append(&mut made);
    Ok(())
}

fn set_settings(table: &mut Table, input: &UpdateTable, now: Timestamp) {
    let settings = &mut table.definition.settings;
    if let Some(sse) = &input.sse_specification {
        settings.sse = Some(sse.clone());
    }
    if let Some(class) = &input.table_class {
        settings.class = Some((class.clone(), Some(now)));
    }
    if let Some(protected) = input.deletion_protection_enabled {
        settings.deletion_protection = protected;
    }
}

fn change_stream(cx: &mut Cx<Tables>, table: &mut Table, wanted: Option<&StreamSpecification>) -> Result<()> {
    let Some(wanted) = wanted else { return Ok(()) };
    match (enabled_stream(Some(wanted))?, &table.definition.settings.stream) {
        (Some(_), Some(_)) => {
            Err(validation(format!("Table already has an enabled stream: TableName: {}", table.definition.name)))
        }
        (None, None) => Err(validation("Table does not have an enabled stream to disable")),
        (Some(stream), None) => {
            let view = stream.stream_view_type.clone().unwrap_or_default();
            table.definition.stream = Some(streams::start(cx, table, &view));
            table.definition.settings.stream = Some(stream);
            Ok(())
        }
        (None, Some(_)) => {
            if let Some(arn) = &table.definition.stream {
                streams::stop(cx, arn);
            }
            table.definition.settings.stream = None;
            Ok(())
        }
    }
}

/// Indexes that the request makes are shown as AWS shows them while it fills them, those that it deletes are gone here.
fn mark_new_indexes(description: &mut serde_json::Value, input: &UpdateTable) {
    let made: Vec<&str> = input
        .global_secondary_index_updates
        .iter()
        .filter_map(|update| update.create.as_ref())
        .map(|create| create.index_name.as_str())
        .collect();
    let Some(indexes) = description.get_mut("GlobalSecondaryIndexes").and_then(|indexes| indexes.as_array_mut()) else {
        return;
    };
    for index in indexes.iter_mut().filter(|index| made.iter().any(|name| index["IndexName"] == **name)) {
        index["IndexStatus"] = "CREATING".into();
        index["Backfilling"] = false.into();
    }
}
