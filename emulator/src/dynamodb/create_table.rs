//! `CreateTable` and `DeleteTable`.
//!
//! At AWS both take a while. Here a table is there, or gone, when the answer comes; the answer says `CREATING` or `DELETING`
//! as AWS's does, and whoever describes the table then sees the outcome.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateTable.html>

use std::sync::Arc;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::definition::{
    AttributeDefinition, IndexDefinition, KeySchemaElement, OnDemandThroughput, ProvisionedThroughput,
    SseSpecification, StreamSpecification, Tag, WarmThroughput,
};
use super::describe::{Status, WARM_READS, WARM_WRITES, describe};
use super::errors::{in_use, parameter, validation};
use super::key_schema::Attributes;
use super::schema::KeySchema;
use super::settings::{Billing, Settings, Throughput};
use super::table::{Definition, Table};
use super::{Tables, policy, streams, tags, target, ttl};
use crate::Result;
use crate::cloud::{Call, Caller, Cx, Service, Target};

/// The most units of provisioned throughput that a request may ask for.
pub(super) const MAX_UNITS: i64 = 1_000_000_000_000;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Tables>) -> Service<Tables> {
    service.op("CreateTable", |at, i: &CreateTable| Target::on(target::table_arn(at.scope, &i.table_name)), create).op(
        "DeleteTable",
        |at, i: &DeleteTable| target::table(at, &i.table_name),
        delete,
    )
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateTable {
    pub table_name: String,
    #[serde(default)]
    pub attribute_definitions: Vec<AttributeDefinition>,
    #[serde(default)]
    pub key_schema: Vec<KeySchemaElement>,
    pub local_secondary_indexes: Option<Vec<IndexDefinition>>,
    pub global_secondary_indexes: Option<Vec<IndexDefinition>>,
    pub billing_mode: Option<String>,
    pub provisioned_throughput: Option<ProvisionedThroughput>,
    pub stream_specification: Option<StreamSpecification>,
    #[serde(rename = "SSESpecification")]
    pub sse_specification: Option<SseSpecification>,
    #[serde(default)]
    pub tags: Vec<Tag>,
    pub table_class: Option<String>,
    #[serde(default)]
    pub deletion_protection_enabled: bool,
    pub warm_throughput: Option<WarmThroughput>,
    pub resource_policy: Option<String>,
    pub on_demand_throughput: Option<OnDemandThroughput>,
}

/// The answer of an operation that changes a table.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TableOutput {
    pub table_description: Value,
}

/// Creates a table.
pub(super) fn create(cx: &mut Cx<Tables>, input: CreateTable) -> Result<TableOutput> {
    let billing = Billing::from_name(input.billing_mode.as_deref().unwrap_or_default());
    check_throughput(billing, input.provisioned_throughput)?;
    check_warm(billing, input.provisioned_throughput, input.warm_throughput)?;
    let attributes = Attributes::read(&input.attribute_definitions)?;
    let key = attributes.table_key(&input.key_schema)?;
    let mut indexes = Vec::new();
    if input.local_secondary_indexes.is_none() && input.global_secondary_indexes.is_none() {
        attributes.check_used(&key, &indexes)?;
    }
    if let Some(local) = &input.local_secondary_indexes {
        attributes.local_indexes(local, &key, &mut indexes)?;
    }
    if let Some(global) = &input.global_secondary_indexes {
        attributes.global_indexes(global, &key, billing, &mut indexes)?;
    }
    attributes.check_used(&key, &indexes)?;
    let stream = enabled_stream(input.stream_specification.as_ref())?;
    let policy = input.resource_policy.as_deref().map(|text| policy::read(cx, text)).transpose()?;
    let tags = tags::read(&input.tags)?;
    let name = input.table_name.as_str();
    if cx.state.tables.contains_key(name) {
        return Err(in_use(format!("Table already exists: {name}")));
    }
    let settings = Settings {
        billing,
        by_request_since: (billing == Billing::PayPerRequest).then_some(cx.now),
        throughput: Throughput::new(input.provisioned_throughput, input.on_demand_throughput, input.warm_throughput),
        sse: input.sse_specification.clone(),
        class: input.table_class.clone().map(|class| (class, None)),
        deletion_protection: input.deletion_protection_enabled,
        stream: stream.clone(),
        ..Settings::default()
    };
    let mut definition = definition(cx, name, attributes, key);
    (definition.settings, definition.tags, definition.policy) = (settings, tags, policy);
    let mut table = Table::new(definition, indexes);
    if let Some(view) = stream.and_then(|stream| stream.stream_view_type) {
        table.definition.stream = Some(streams::start(cx, &table, &view));
    }
    let table_description = describe(cx, &table, Status::Creating)?;
    use_key(cx, input.sse_specification.as_ref());
    cx.state.tables.insert(table.definition.name.clone(), Arc::new(table));
    Ok(TableOutput { table_description })
}

/// A table's definition with nothing but its name and keys.
pub(super) fn definition(cx: &mut Cx<Tables>, name: &str, attributes: Attributes, key: KeySchema) -> Definition {
    Definition {
        name: name.into(),
        arn: target::table_arn(cx.scope, name).into(),
        id: cx.ids().uuid(),
        created: cx.now,
        attributes: attributes.0,
        key,
        settings: Settings::default(),
        tags: OrdMap::new(),
        policy: None,
        ttl: ttl::Setting::default(),
        stream: None,
        destinations: Vec::new(),
    }
}

/// Has the key made that AWS manages for DynamoDB, if a table is encrypted with it.
pub(super) fn use_key(cx: &mut Cx<Tables>, sse: Option<&SseSpecification>) {
    if sse.is_some_and(|sse| sse.enabled != Some(false) && sse.kms_master_key_id.is_none()) {
        let caller = Caller::service("dynamodb.amazonaws.com");
        let input = json!({ "KeyId": "alias/aws/dynamodb" });
        cx.emit(Call::new("kms", "DescribeKey", caller, cx.scope.clone(), input));
    }
}

fn check_throughput(billing: Billing, provisioned: Option<ProvisionedThroughput>) -> Result<()> {
    match (billing, provisioned) {
        (Billing::PayPerRequest, None) => Ok(()),
        (Billing::PayPerRequest, Some(_)) => Err(neither()),
        (Billing::Provisioned, None) => Err(parameter(
            "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED",
        )),
        (Billing::Provisioned, Some(units)) => check_units(units),
    }
}

/// Warm throughput can only be more than what a table begins with.
fn check_warm(
    billing: Billing,
    provisioned: Option<ProvisionedThroughput>,
    warm: Option<WarmThroughput>,
) -> Result<()> {
    let Some(warm) = warm else { return Ok(()) };
    let (reads, writes, mode) = match billing {
        Billing::PayPerRequest => (WARM_READS, WARM_WRITES, "OnDemand"),
        Billing::Provisioned => {
            let units = provisioned.unwrap_or_default();
            (units.read_capacity_units, units.write_capacity_units, "Provisioned")
        }
    };
    let wanted = [
        ("ReadUnitsPerSecond", warm.read_units_per_second, reads),
        ("WriteUnitsPerSecond", warm.write_units_per_second, writes),
    ];
    match wanted.into_iter().find(|(_, wanted, least)| wanted.is_some_and(|wanted| wanted < *least)) {
        None => Ok(()),
        Some((name, _, _)) => Err(parameter(format_args!(
            "Requested {name} for WarmThroughput for table is lower than initial throughput for {mode}"
        ))),
    }
}

/// Who pays by request provisions nothing.
pub(super) fn neither() -> crate::Error {
    parameter("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST")
}

/// Refuses more units than can be asked for.
pub(super) fn check_units(units: ProvisionedThroughput) -> Result<()> {
    let pairs = [("ReadCapacityUnits", units.read_capacity_units), ("WriteCapacityUnits", units.write_capacity_units)];
    match pairs.into_iter().find(|(_, units)| *units > MAX_UNITS) {
        Some((name, units)) => Err(validation(format!("Given value {units} for {name} is out of bounds"))),
        None => Ok(()),
    }
}

/// The stream that a request turns on, if it does.
pub(super) fn enabled_stream(stream: Option<&StreamSpecification>) -> Result<Option<StreamSpecification>> {
    match stream {
        Some(stream) if stream.stream_enabled && stream.stream_view_type.is_none() => {
            Err(parameter("StreamViewType is required when StreamEnabled is true"))
        }
        Some(stream) if !stream.stream_enabled && stream.stream_view_type.is_some() => {
            Err(parameter("StreamViewType must not be specified when StreamEnabled is false"))
        }
        stream => Ok(stream.filter(|stream| stream.stream_enabled).cloned()),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeleteTable {
    table_name: String,
}

fn delete(cx: &mut Cx<Tables>, input: DeleteTable) -> Result<TableOutput> {
    let table = cx.state.known(&input.table_name)?;
    if table.definition.settings.deletion_protection {
        let name = &table.definition.name;
        return Err(validation(format!(
            "1 validation error detected: Table '{name}' can't be deleted while DeletionProtectionEnabled is set to True"
        )));
    }
    let name = table.definition.name.clone();
    let Some(table) = cx.state.tables.remove(&name) else { return Err(super::errors::no_table(&name)) };
    let table_description = describe(cx, &table, Status::Deleting)?;
    ttl::set_timer(cx, &name, None);
    if let Some(arn) = table.definition.stream.as_ref().filter(|_| table.definition.settings.stream.is_some()) {
        streams::stop(cx, arn);
    }
    Ok(TableOutput { table_description })
}
