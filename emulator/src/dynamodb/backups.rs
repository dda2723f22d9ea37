//! Backups, restored tables, and continuous backups.
//!
//! A backup shares the items of its table, so it costs nothing until they change. Point-in-time recovery is a setting that
//! is kept and shown; a table can be restored to its latest state, and not to an earlier second.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Backup-and-Restore.html>

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::create_table::{TableOutput, check_units};
use super::definition::{IndexDefinition, OnDemandThroughput, ProvisionedThroughput, SseSpecification};
use super::describe::{Status, describe, sse_description};
use super::errors::{self, validation};
use super::settings::{Billing, Restored, Throughput};
use super::table::{Definition, Table};
use super::{Tables, target};
use crate::cloud::{Cx, Service, Target};
use crate::{Error, Result, Timestamp};

/// `ListBackups` answers at most so many.
const PAGE: usize = 100;
/// How many days back a table can be restored, where the request does not say.
const RECOVERY_DAYS: i64 = 35;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Tables>) -> Service<Tables> {
    service
        .op("CreateBackup", |at, i: &CreateBackup| target::table(at, &i.table_name), create)
        .op("DescribeBackup", |_, i: &OfBackup| Target::on(&i.backup_arn), describe_backup)
        .op("DeleteBackup", |_, i: &OfBackup| Target::on(&i.backup_arn), delete)
        .op("ListBackups", |_, _: &ListBackups| Target::any(), list)
        .op("RestoreTableFromBackup", |_, i: &Restore| Target::on(i.backup()), restore)
        .op("RestoreTableToPointInTime", |at, i: &Restore| target::table(at, i.source()), restore_latest)
        .op("DescribeContinuousBackups", |at, i: &OfTable| target::table(at, &i.table_name), describe_continuous)
        .op("UpdateContinuousBackups", |at, i: &UpdateContinuous| target::table(at, &i.table_name), update_continuous)
}

/// A backup.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Backup {
    arn: Arc<str>,
    name: String,
    at: Timestamp,
    table: Table,
}

/// Point-in-time recovery of a table.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Recovery {
    since: Timestamp,
    days: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateBackup {
    table_name: String,
    backup_name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DetailsOutput {
    backup_details: Value,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct BackupOutput {
    backup_description: Value,
}

fn create(cx: &mut Cx<Tables>, input: CreateBackup) -> Result<DetailsOutput> {
    let missing = |_| {
        let name = target::table_name(&input.table_name);
        Error::client("TableNotFoundException", format!("Table not found: {name}"))
    };
    let table = cx.state.table(&input.table_name).map_err(missing)?.clone();
    let id = format!("{:014}-{}", cx.now.millis(), cx.ids().hex(8));
    let arn: Arc<str> = format!("{}/backup/{id}", table.definition.arn).into();
    let backup = Backup { arn: arn.clone(), name: input.backup_name, at: cx.now, table };
    let backup_details = details(&backup, "AVAILABLE");
    cx.state.backups.insert(arn, Arc::new(backup));
    Ok(DetailsOutput { backup_details })
}

fn details(backup: &Backup, status: &str) -> Value {
    json!({
        "BackupArn": backup.arn,
        "BackupName": backup.name,
        "BackupSizeBytes": backup.table.size,
        "BackupStatus": status,
        "BackupType": "USER",
        "BackupCreationDateTime": backup.at,
    })
}

/// A backup with what it holds.
fn description(cx: &Cx<Tables>, backup: &Backup, status: &str) -> Result<Value> {
    let table = &backup.table;
    let Definition { name, arn, id, created, key, settings, .. } = &table.definition;
    let whole = describe(cx, table, Status::Active)?;
    let mut features = json!({
        "StreamDescription": settings.stream,
        "SSEDescription": settings.sse.as_ref().map(|sse| sse_description(cx, sse)),
    });
    for member in ["LocalSecondaryIndexes", "GlobalSecondaryIndexes"] {
        features[member] = whole.get(member).cloned().unwrap_or(Value::Null);
    }
    Ok(json!({
        "BackupDetails": details(backup, status),
        "SourceTableDetails": {
            "TableName": name,
            "TableId": id,
            "TableArn": arn,
            "TableSizeBytes": table.size,
            "KeySchema": Table::key_schema(key),
            "TableCreationDateTime": created,
            "ProvisionedThroughput": settings.throughput.provisioned,
            "ItemCount": table.items.len(),
            "BillingMode": settings.billing.as_str(),
        },
        "SourceTableFeatureDetails": features,
    }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfBackup {
    backup_arn: String,
}

fn describe_backup(cx: &mut Cx<Tables>, input: OfBackup) -> Result<BackupOutput> {
    let backup = known(cx, &input.backup_arn)?;
    Ok(BackupOutput { backup_description: description(cx, &backup, "AVAILABLE")? })
}

fn known(cx: &Cx<Tables>, arn: &str) -> Result<Arc<Backup>> {
    let missing = || Error::client("BackupNotFoundException", format!("Backup not found: {arn}"));
    cx.state.backups.get(arn).cloned().ok_or_else(missing)
}

fn delete(cx: &mut Cx<Tables>, input: OfBackup) -> Result<BackupOutput> {
    let backup = known(cx, &input.backup_arn)?;
    let backup_description = description(cx, &backup, "DELETED")?;
    cx.state.backups.remove(&backup.arn);
    Ok(BackupOutput { backup_description })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListBackups {
    table_name: Option<String>,
    limit: Option<usize>,
    time_range_lower_bound: Option<Timestamp>,
    time_range_upper_bound: Option<Timestamp>,
    exclusive_start_backup_arn: Option<String>,
    backup_type: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListOutput {
    backup_summaries: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_evaluated_backup_arn: Option<Arc<str>>,
}

fn list(cx: &mut Cx<Tables>, input: ListBackups) -> Result<ListOutput> {
    let size = input.limit.unwrap_or(PAGE).min(PAGE);
    let name = input.table_name.as_deref().map(target::table_name);
    let is_users = matches!(input.backup_type.as_deref(), None | Some("USER" | "ALL"));
    let wanted = cx.state.backups.values().filter(|backup| {
        is_users
            && name.is_none_or(|name| *backup.table.definition.name == *name)
            && input.time_range_lower_bound.is_none_or(|from| backup.at >= from)
            && input.time_range_upper_bound.is_none_or(|to| backup.at < to)
            && input.exclusive_start_backup_arn.as_deref().is_none_or(|after| *backup.arn > *after)
    });
    let mut found: Vec<&Arc<Backup>> = wanted.take(size + 1).collect();
    let more = found.len() > size;
    found.truncate(size);
    let last_evaluated_backup_arn = found.last().filter(|_| more).map(|last| last.arn.clone());
    Ok(ListOutput {
        backup_summaries: found.into_iter().map(|backup| summary(backup)).collect(),
        last_evaluated_backup_arn,
    })
}

fn summary(backup: &Backup) -> Value {
    let mut summary = details(backup, "AVAILABLE");
    let definition = &backup.table.definition;
    summary["TableName"] = json!(definition.name);
    summary["TableId"] = json!(definition.id);
    summary["TableArn"] = json!(definition.arn);
    summary
}

/// The input of both operations that restore a table. What a restored table does not take over from its source stands in
/// the overrides.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Restore {
    target_table_name: String,
    backup_arn: Option<String>,
    source_table_arn: Option<String>,
    source_table_name: Option<String>,
    #[serde(default)]
    use_latest_restorable_time: bool,
    restore_date_time: Option<Timestamp>,
    billing_mode_override: Option<String>,
    provisioned_throughput_override: Option<ProvisionedThroughput>,
    on_demand_throughput_override: Option<OnDemandThroughput>,
    global_secondary_index_override: Option<Vec<IndexDefinition>>,
    local_secondary_index_override: Option<Vec<IndexDefinition>>,
    #[serde(rename = "SSESpecificationOverride")]
    sse_specification_override: Option<SseSpecification>,
}

impl Restore {
    fn backup(&self) -> &str {
        self.backup_arn.as_deref().unwrap_or_default()
    }

    fn source(&self) -> &str {
        self.source_table_name.as_deref().or(self.source_table_arn.as_deref()).unwrap_or_default()
    }
}

fn restore(cx: &mut Cx<Tables>, input: Restore) -> Result<TableOutput> {
    let backup = known(cx, input.backup())?;
    let from =
        Restored { backup: Some(backup.arn.to_string()), table: backup.table.definition.arn.to_string(), at: cx.now };
    make(cx, backup.table.clone(), input, from)
}

/// Makes a table from another one: its keys, indexes and items, without its stream, tags, policy and time to live.
fn make(cx: &mut Cx<Tables>, mut table: Table, overrides: Restore, from: Restored) -> Result<TableOutput> {
    let name = overrides.target_table_name.as_str();
    if cx.state.tables.contains_key(name) {
        return Err(Error::client("TableAlreadyExistsException", format!("Table already exists: {name}")));
    }
    overrides.provisioned_throughput_override.map_or(Ok(()), check_units)?;
    let (local, global) = (&overrides.local_secondary_index_override, &overrides.global_secondary_index_override);
    table.indexes.retain(|index| {
        let wanted = if index.local { local } else { global };
        wanted.as_ref().is_none_or(|wanted| wanted.iter().any(|kept| *kept.index_name == *index.name))
    });
    let mut definition = super::create_table::definition(
        cx,
        name,
        super::key_schema::Attributes(table.definition.attributes.clone()),
        table.definition.key.clone(),
    );
    let source = &table.definition.settings;
    let settings = &mut definition.settings;
    settings.billing = overrides.billing_mode_override.as_deref().map_or(source.billing, Billing::from_name);
    settings.by_request_since = (settings.billing == Billing::PayPerRequest).then_some(cx.now);
    let provisioned = overrides.provisioned_throughput_override.unwrap_or(source.throughput.provisioned);
    let on_demand = overrides.on_demand_throughput_override.or(source.throughput.on_demand);
    settings.throughput = Throughput::new(Some(provisioned), on_demand, None);
    settings.sse = overrides.sse_specification_override.clone().or_else(|| source.sse.clone());
    settings.restored = Some(from);
    table.definition = definition;
    table.schedule_expiry();
    let table_description = describe(cx, &table, Status::Creating)?;
    cx.state.tables.insert(name.into(), Arc::new(table));
    Ok(TableOutput { table_description })
}

fn restore_latest(cx: &mut Cx<Tables>, input: Restore) -> Result<TableOutput> {
    let source = target::table_name(input.source());
    let missing = |_| Error::client("TableNotFoundException", format!("Source table not found: {source}"));
    let table = cx.state.table(source).map_err(missing)?.clone();
    let Some(recovery) = table.definition.settings.recovery else {
        let message = format!("Point in time recovery is not enabled for table '{source}'");
        return Err(Error::client("PointInTimeRecoveryUnavailableException", message));
    };
    match input.restore_date_time {
        Some(at) if at < recovery.since || at > cx.now => {
            let message = "The specified RestoreDateTime is outside the restorable window";
            return Err(Error::client("InvalidRestoreTimeException", message));
        }
        Some(_) => {
            return Err(Error::not_implemented("the restoring of a table to a point in time but the latest one"));
        }
        None if !input.use_latest_restorable_time => {
            return Err(validation("Either UseLatestRestorableTime or RestoreDateTime must be specified"));
        }
        None => {}
    }
    let from = Restored { backup: None, table: table.definition.arn.to_string(), at: cx.now };
    make(cx, table, input, from)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfTable {
    table_name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ContinuousOutput {
    continuous_backups_description: Value,
}

fn describe_continuous(cx: &mut Cx<Tables>, input: OfTable) -> Result<ContinuousOutput> {
    let recovery = backed_up(cx, &input.table_name)?.definition.settings.recovery;
    Ok(continuous(recovery, Timestamp::from_secs(cx.now.secs())))
}

fn backed_up<'a>(cx: &'a mut Cx<'_, Tables>, name: &str) -> Result<&'a mut Table> {
    let missing = |_: Error| {
        let name = target::table_name(name);
        Error::client("TableNotFoundException", format!("Table not found: {name}"))
    };
    cx.state.table_mut(name).map_err(missing)
}

fn continuous(recovery: Option<Recovery>, now: Timestamp) -> ContinuousOutput {
    let point_in_time = match recovery {
        None => json!({ "PointInTimeRecoveryStatus": "DISABLED" }),
        Some(Recovery { since, days }) => json!({
            "PointInTimeRecoveryStatus": "ENABLED",
            "RecoveryPeriodInDays": days,
            "EarliestRestorableDateTime": since,
            "LatestRestorableDateTime": now,
        }),
    };
    let description = json!({ "ContinuousBackupsStatus": "ENABLED", "PointInTimeRecoveryDescription": point_in_time });
    ContinuousOutput { continuous_backups_description: description }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateContinuous {
    table_name: String,
    point_in_time_recovery_specification: RecoverySpecification,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RecoverySpecification {
    point_in_time_recovery_enabled: bool,
    recovery_period_in_days: Option<i64>,
}

fn update_continuous(cx: &mut Cx<Tables>, input: UpdateContinuous) -> Result<ContinuousOutput> {
    // A table can be restored to any second, so that the edges of the time to which it can be are seconds, too.
    let now = Timestamp::from_secs(cx.now.secs());
    let wanted = input.point_in_time_recovery_specification;
    if !wanted.point_in_time_recovery_enabled && wanted.recovery_period_in_days.is_some() {
        return Err(errors::parameter(
            "RecoveryPeriodInDays cannot be specified when point in time recovery is disabled",
        ));
    }
    let recovery = &mut backed_up(cx, &input.table_name)?.definition.settings.recovery;
    *recovery = wanted.point_in_time_recovery_enabled.then(|| Recovery {
        since: recovery.map_or(now, |recovery| recovery.since),
        days: wanted.recovery_period_in_days.or(recovery.map(|recovery| recovery.days)).unwrap_or(RECOVERY_DAYS),
    });
    Ok(continuous(*recovery, now))
}
