//! `DescribeTable`, `ListTables`, `DescribeLimits`, `DescribeEndpoints`, and tables as answers describe them.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html>

use std::ops::Bound;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::definition::{AttributeDefinition, KeySchemaElement, Projection, SseSpecification, WarmThroughput};
use super::index::Index;
use super::settings::{Billing, Throughput};
use super::table::Table;
use super::{Tables, target};
use crate::cloud::{Cx, Service, Target};
use crate::kms::managed_key;
use crate::{Error, Result, Timestamp};

/// `ListTables` answers at most so many names.
const PAGE: usize = 100;
/// What a new account may provision for all tables, and for one, in units.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html>
const ACCOUNT_UNITS: i64 = 80_000;
const TABLE_UNITS: i64 = 40_000;
/// The warm throughput of a table that is paid for by request.
pub(super) const WARM_READS: i64 = 12_000;
pub(super) const WARM_WRITES: i64 = 4_000;
/// An endpoint's address may be kept for so many minutes.
const ENDPOINT_MINUTES: i64 = 1440;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Tables>) -> Service<Tables> {
    service
        .op("DescribeTable", |at, i: &DescribeTable| target::table(at, &i.table_name), describe_table)
        .op("ListTables", |_, _: &ListTables| Target::any(), list)
        .op("DescribeLimits", |_, _: &Nothing| Target::any(), limits)
        .op("DescribeEndpoints", |_, _: &Nothing| Target::any(), endpoints)
}

/// What an answer says of a table's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Creating,
    Active,
    Updating,
    Deleting,
}

impl Status {
    fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "CREATING",
            Self::Active => "ACTIVE",
            Self::Updating => "UPDATING",
            Self::Deleting => "DELETING",
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DescribeTable {
    table_name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DescribeOutput {
    table: Value,
}

fn describe_table(cx: &mut Cx<Tables>, input: DescribeTable) -> Result<DescribeOutput> {
    Ok(DescribeOutput { table: describe(cx, cx.state.known(&input.table_name)?, Status::Active)? })
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Description {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attribute_definitions: Vec<AttributeDefinition>,
    table_name: Arc<str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    key_schema: Vec<KeySchemaElement>,
    table_status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    creation_date_time: Option<Timestamp>,
    provisioned_throughput: Value,
    table_size_bytes: u64,
    item_count: usize,
    table_arn: Arc<str>,
    table_id: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    local_secondary_indexes: Vec<IndexDescription>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    global_secondary_indexes: Vec<IndexDescription>,
    #[serde(flatten)]
    settings: Map<String, Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct IndexDescription {
    index_name: Arc<str>,
    key_schema: Vec<KeySchemaElement>,
    projection: Projection,
    index_size_bytes: u64,
    item_count: usize,
    index_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    index_status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provisioned_throughput: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    on_demand_throughput: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    warm_throughput: Option<Value>,
}

/// A table as answers describe it. One that is being deleted is only named.
pub(super) fn describe<S>(cx: &Cx<S>, table: &Table, status: Status) -> Result<Value> {
    let Table { definition, items, size, indexes, .. } = table;
    let is_whole = status != Status::Deleting;
    let attribute_definitions = definition.attributes.iter().filter(|_| is_whole).map(|(name, kind)| {
        AttributeDefinition { attribute_name: name.to_string(), attribute_type: kind.as_str().to_owned() }
    });
    let of = |local: bool| -> Vec<IndexDescription> {
        let wanted = indexes.iter().filter(|index| is_whole && index.local == local);
        wanted.map(|index| describe_index(cx, table, index, status)).collect()
    };
    let description = Description {
        attribute_definitions: attribute_definitions.collect(),
        table_name: definition.name.clone(),
        key_schema: if is_whole { Table::key_schema(&definition.key) } else { Vec::new() },
        table_status: status.as_str(),
        creation_date_time: is_whole.then_some(definition.created),
        provisioned_throughput: throughput(&definition.settings.throughput, definition.settings.billing, cx.now),
        table_size_bytes: *size,
        item_count: items.len(),
        table_arn: definition.arn.clone(),
        table_id: definition.id.clone(),
        local_secondary_indexes: of(true),
        global_secondary_indexes: of(false),
        settings: settings(cx, table, status)?,
    };
    serde_json::to_value(description).map_err(Error::internal)
}

fn describe_index<S>(cx: &Cx<S>, table: &Table, index: &Index, status: Status) -> IndexDescription {
    let billing = table.definition.settings.billing;
    let global = !index.local;
    IndexDescription {
        index_name: index.name.clone(),
        key_schema: Table::key_schema(&index.key),
        projection: index.projection.clone(),
        index_size_bytes: index.size,
        item_count: index.entries.len(),
        index_arn: format!("{}/index/{}", table.definition.arn, index.name),
        index_status: global.then_some(if status == Status::Creating { "CREATING" } else { "ACTIVE" }),
        provisioned_throughput: global.then(|| throughput(&index.throughput, billing, cx.now)),
        on_demand_throughput: index.throughput.on_demand.filter(|_| global).map(|on_demand| json!(on_demand)),
        warm_throughput: index
            .throughput
            .warm
            .filter(|_| global)
            .map(|warm| shown_warm(Some(warm), billing, &index.throughput, status)),
    }
}

fn throughput(throughput: &Throughput, billing: Billing, now: Timestamp) -> Value {
    let units = match billing {
        Billing::Provisioned => throughput.provisioned,
        Billing::PayPerRequest => Default::default(),
    };
    let mut shown = json!({
        "NumberOfDecreasesToday": throughput.decreases_today(now),
        "ReadCapacityUnits": units.read_capacity_units,
        "WriteCapacityUnits": units.write_capacity_units,
    });
    let times =
        [("LastIncreaseDateTime", throughput.last_increase), ("LastDecreaseDateTime", throughput.last_decrease)];
    for (name, time) in times.into_iter().filter_map(|(name, time)| Some((name, time?))) {
        shown[name] = json!(time);
    }
    shown
}

fn shown_warm(warm: Option<WarmThroughput>, billing: Billing, throughput: &Throughput, status: Status) -> Value {
    let (reads, writes) = match billing {
        Billing::PayPerRequest => (WARM_READS, WARM_WRITES),
        Billing::Provisioned => {
            (throughput.provisioned.read_capacity_units, throughput.provisioned.write_capacity_units)
        }
    };
    json!({
        "ReadUnitsPerSecond": warm.and_then(|warm| warm.read_units_per_second).unwrap_or(reads),
        "WriteUnitsPerSecond": warm.and_then(|warm| warm.write_units_per_second).unwrap_or(writes),
        "Status": if status == Status::Active { "ACTIVE" } else { "UPDATING" },
    })
}

/// The members that depend on what has been set.
fn settings<S>(cx: &Cx<S>, table: &Table, status: Status) -> Result<Map<String, Value>> {
    let (definition, settings) = (&table.definition, &table.definition.settings);
    let mut shown = Map::new();
    let mut put = |name: &str, value: Value| shown.insert(name.to_owned(), value);
    put("DeletionProtectionEnabled", json!(settings.deletion_protection));
    if let Some(since) = settings.by_request_since {
        let mut summary = json!({ "BillingMode": settings.billing.as_str() });
        if status != Status::Creating {
            summary["LastUpdateToPayPerRequestDateTime"] = json!(since);
        }
        put("BillingModeSummary", summary);
    }
    if let Some(stream) = &settings.stream {
        put("StreamSpecification", json!(stream));
    }
    if let Some(arn) = &definition.stream {
        put("LatestStreamArn", json!(arn));
        put("LatestStreamLabel", json!(arn.rsplit("/stream/").next()));
    }
    if let Some(sse) = &settings.sse {
        put("SSEDescription", sse_description(cx, sse));
    }
    if let Some((class, changed)) = &settings.class {
        put("TableClassSummary", json!({ "TableClass": class, "LastUpdateDateTime": changed }));
    }
    if let Some(on_demand) = settings.throughput.on_demand {
        put("OnDemandThroughput", json!(on_demand));
    }
    if let Some(restored) = &settings.restored {
        put(
            "RestoreSummary",
            json!({
                "SourceBackupArn": restored.backup,
                "SourceTableArn": restored.table,
                "RestoreDateTime": restored.at,
                "RestoreInProgress": false,
            }),
        );
    }
    if settings.throughput.warm.is_some() || status == Status::Active {
        put("WarmThroughput", shown_warm(settings.throughput.warm, settings.billing, &settings.throughput, status));
    }
    Ok(shown)
}

/// How a table is encrypted: with the key that AWS manages, if it names none.
pub(super) fn sse_description<S>(cx: &Cx<S>, sse: &SseSpecification) -> Value {
    if sse.enabled == Some(false) {
        return Value::Null;
    }
    let key = match sse.kms_master_key_id.as_deref() {
        Some(arn) if arn.starts_with("arn:") => arn.to_owned(),
        Some(alias) if alias.starts_with("alias/") => cx.scope.arn("kms", alias),
        Some(key) => cx.scope.arn("kms", format_args!("key/{key}")),
        None => cx.scope.arn("kms", format_args!("key/{}", managed_key(cx.scope, "dynamodb"))),
    };
    json!({
        "Status": "ENABLED",
        "SSEType": sse.sse_type.as_deref().unwrap_or("KMS"),
        "KMSMasterKeyArn": key,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListTables {
    exclusive_start_table_name: Option<String>,
    limit: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListOutput {
    table_names: Vec<Arc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_evaluated_table_name: Option<Arc<str>>,
}

fn list(cx: &mut Cx<Tables>, input: ListTables) -> Result<ListOutput> {
    let size = input.limit.unwrap_or(PAGE).min(PAGE);
    let start = input.exclusive_start_table_name.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
    let range = cx.state.tables.range::<_, str>((start, Bound::Unbounded));
    let mut table_names: Vec<Arc<str>> = range.take(size + 1).map(|(name, _)| name.clone()).collect();
    let more = table_names.len() > size;
    table_names.truncate(size);
    let last_evaluated_table_name = table_names.last().filter(|_| more).cloned();
    Ok(ListOutput { table_names, last_evaluated_table_name })
}

#[derive(Deserialize)]
struct Nothing {}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct LimitsOutput {
    account_max_read_capacity_units: i64,
    account_max_write_capacity_units: i64,
    table_max_read_capacity_units: i64,
    table_max_write_capacity_units: i64,
}

fn limits(_: &mut Cx<Tables>, _: Nothing) -> Result<LimitsOutput> {
    Ok(LimitsOutput {
        account_max_read_capacity_units: ACCOUNT_UNITS,
        account_max_write_capacity_units: ACCOUNT_UNITS,
        table_max_read_capacity_units: TABLE_UNITS,
        table_max_write_capacity_units: TABLE_UNITS,
    })
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct EndpointsOutput {
    endpoints: Vec<Value>,
}

fn endpoints(cx: &mut Cx<Tables>, _: Nothing) -> Result<EndpointsOutput> {
    let address = format!("dynamodb.{}.amazonaws.com", cx.scope.region);
    Ok(EndpointsOutput { endpoints: vec![json!({ "Address": address, "CachePeriodInMinutes": ENDPOINT_MINUTES })] })
}
