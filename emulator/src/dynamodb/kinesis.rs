//! Kinesis streams that hold what changes in a table.
//!
//! A destination is active once a job has seen that its stream is there; from then on each change becomes a call of
//! `PutRecord`. <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/kds.html>

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dynamodb_expressions::item_size;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::errors::{limit, validation};
use super::shown;
use super::streams::Change;
use super::write::Writer;
use super::{Tables, target};
use crate::Result;
use crate::cloud::{Call, Caller, Cloud, Cx, JobFuture, Scope, Service, job_input};

/// Who writes to the streams.
const PRINCIPAL: &str = "kinesisreplication.dynamodb.amazonaws.com";
/// A table has at most so many active destinations.
const MAX_ACTIVE: usize = 2;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Tables>) -> Service<Tables> {
    service
        .op("EnableKinesisStreamingDestination", |at, i: &Enable| target::table(at, &i.table_name), enable)
        .op("DisableKinesisStreamingDestination", |at, i: &Disable| target::table(at, &i.table_name), disable)
        .op("UpdateKinesisStreamingDestination", |at, i: &Update| target::table(at, &i.table_name), update)
        .op("DescribeKinesisStreamingDestination", |at, i: &Describe| target::table(at, &i.table_name), describe)
        .job("CheckDestination", check)
        .event("Destination", checked)
}

/// A stream that holds a table's changes, or held them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Destination {
    stream: String,
    status: Status,
    /// Why it could not be enabled.
    #[serde(default)]
    failure: Option<String>,
    precision: Option<String>,
}

/// Where a destination stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Status {
    Enabling,
    Active,
    Disabled,
    EnableFailed,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Configuration {
    #[serde(skip_serializing_if = "Option::is_none")]
    approximate_creation_date_time_precision: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Enable {
    table_name: String,
    stream_arn: String,
    enable_kinesis_streaming_configuration: Option<Configuration>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Disable {
    table_name: String,
    stream_arn: String,
    /// What it says is of no use for a destination that is to be disabled, and AWS only checks that it is one.
    #[serde(rename = "EnableKinesisStreamingConfiguration")]
    _configuration: Option<Configuration>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Output {
    table_name: String,
    stream_arn: String,
    destination_status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    enable_kinesis_streaming_configuration: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    update_kinesis_streaming_configuration: Option<Configuration>,
}

impl Output {
    fn new(table: &str, stream_arn: String, destination_status: &'static str) -> Self {
        Self {
            table_name: target::table_name(table).to_owned(),
            stream_arn,
            destination_status,
            enable_kinesis_streaming_configuration: None,
            update_kinesis_streaming_configuration: None,
        }
    }
}

/// What the job is told, and reports.
#[derive(Serialize, Deserialize)]
struct Check {
    table: String,
    stream: String,
    caller: Option<Caller>,
    failure: Option<String>,
}

fn enable(cx: &mut Cx<Tables>, input: Enable) -> Result<Output> {
    let destinations = &mut cx.state.known_mut(&input.table_name)?.definition.destinations;
    let is_on = |one: &Destination| matches!(one.status, Status::Active | Status::Enabling);
    if destinations.iter().any(|one| one.stream == input.stream_arn && is_on(one)) {
        return Err(validation(
            "Table is not in a valid state to enable Kinesis Streaming Destination: EnableKinesisStreamingDestination must \
             be DISABLED or ENABLE_FAILED to perform ENABLE operation.",
        ));
    }
    if destinations.iter().filter(|one| is_on(one)).count() >= MAX_ACTIVE {
        return Err(limit(format!("A table can have at most {MAX_ACTIVE} active Kinesis streaming destinations")));
    }
    let precision = input
        .enable_kinesis_streaming_configuration
        .and_then(|configuration| configuration.approximate_creation_date_time_precision);
    let shown = match &precision {
        Some(precision) => json!({ "ApproximateCreationDateTimePrecision": precision }),
        None => json!({}),
    };
    destinations.retain(|one| one.stream != input.stream_arn);
    let stream = input.stream_arn.clone();
    destinations.push(Destination { stream, status: Status::Enabling, failure: None, precision });
    let check = Check {
        table: target::table_name(&input.table_name).to_owned(),
        stream: input.stream_arn.clone(),
        caller: Some(Caller { invocation: None, ..cx.caller.clone() }),
        failure: None,
    };
    cx.start("CheckDestination", &check)?;
    let mut output = Output::new(&input.table_name, input.stream_arn, "ENABLING");
    output.enable_kinesis_streaming_configuration = Some(shown);
    Ok(output)
}

/// The job: looks for the stream, as whoever wants it for a destination.
fn check(cloud: Cloud, scope: Scope, order: Value) -> JobFuture {
    Box::pin(async move {
        let Some(mut check) = job_input::<Check>(order) else { return };
        let caller = check.caller.take().unwrap_or_else(|| Caller::service(PRINCIPAL));
        let input = json!({ "StreamARN": check.stream });
        let call = Call::new("kinesis", "DescribeStreamSummary", caller, scope.clone(), input);
        check.failure = cloud.call(call).await.err().map(|error| error.message().to_owned());
        cloud.report("dynamodb", &scope, "Destination", &check);
    })
}

/// The event: the stream is there, or is not.
fn checked(cx: &mut Cx<Tables>, report: &str) -> Result<()> {
    let Check { table, stream, failure, .. } = serde_json::from_str(report)?;
    // The table may have been deleted meanwhile, and the destination disabled.
    let Ok(table) = cx.state.table_mut(&table) else { return Ok(()) };
    let mut destinations = table.definition.destinations.iter_mut();
    if let Some(found) = destinations.find(|one| one.stream == stream && one.status == Status::Enabling) {
        found.status = if failure.is_some() { Status::EnableFailed } else { Status::Active };
        found.failure = failure;
    }
    Ok(())
}

fn disable(cx: &mut Cx<Tables>, input: Disable) -> Result<Output> {
    let destinations = &mut cx.state.known_mut(&input.table_name)?.definition.destinations;
    let found = destinations.iter_mut().find(|one| one.stream == input.stream_arn && one.status == Status::Active);
    let found = found.ok_or_else(|| {
        validation(
            "Table is not in a valid state to disable Kinesis Streaming Destination: DisableKinesisStreamingDestination \
             must be ACTIVE to perform DISABLE operation.",
        )
    })?;
    found.status = Status::Disabled;
    Ok(Output::new(&input.table_name, input.stream_arn, "DISABLING"))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Update {
    table_name: String,
    stream_arn: String,
    update_kinesis_streaming_configuration: Option<Configuration>,
}

fn update(cx: &mut Cx<Tables>, input: Update) -> Result<Output> {
    let configuration = input.update_kinesis_streaming_configuration;
    let wanted = configuration.as_ref().and_then(|one| one.approximate_creation_date_time_precision.clone());
    let Some(precision) = wanted else {
        return Err(validation(
            "Streaming destination cannot be updated with given parameters: UpdateKinesisStreamingConfiguration cannot be \
             null or contain only null values",
        ));
    };
    let definition = &mut cx.state.known_mut(&input.table_name)?.definition;
    let (table, id, stream) = (definition.name.clone(), definition.id.clone(), &input.stream_arn);
    let active = definition.destinations.iter_mut().find(|one| one.stream == *stream && one.status == Status::Active);
    let found = active.ok_or_else(|| {
        validation(format!(
            "Table is not in a valid state to enable Kinesis Streaming Destination: No streaming destination with streamArn: \
             {stream} found for table with tableName: {table}"
        ))
    })?;
    if found.precision.as_deref() == Some(&*precision) {
        return Err(validation(format!(
            "Invalid Request: Precision is already set to the desired value of {precision} for tableId: {id}, kdsArn: \
             {stream}"
        )));
    }
    found.precision = Some(precision);
    let mut output = Output::new(&input.table_name, input.stream_arn, "UPDATING");
    output.update_kinesis_streaming_configuration = configuration;
    Ok(output)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Describe {
    table_name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct DescribeOutput {
    table_name: Arc<str>,
    kinesis_data_stream_destinations: Vec<Value>,
}

fn describe(cx: &mut Cx<Tables>, input: Describe) -> Result<DescribeOutput> {
    let definition = &cx.state.known(&input.table_name)?.definition;
    let shown = |one: &Destination| {
        let mut shown = json!({ "StreamArn": one.stream, "DestinationStatus": one.status });
        if let Some(failure) = &one.failure {
            shown["DestinationStatusDescription"] = json!(failure);
        }
        if let Some(precision) = &one.precision {
            shown["ApproximateCreationDateTimePrecision"] = json!(precision);
        }
        shown
    };
    Ok(DescribeOutput {
        table_name: definition.name.clone(),
        kinesis_data_stream_destinations: definition.destinations.iter().map(shown).collect(),
    })
}

/// Sends a change of an item to the streams of its table.
pub(super) fn send(cx: &mut Cx<Tables>, table: &str, destinations: &[Destination], change: &Change) {
    for destination in destinations.iter().filter(|one| one.status == Status::Active) {
        let record = record(cx, table, destination, change);
        // All changes of an item go to one shard.
        let key = hex::encode(md5_many::md5(shown::to_json(&change.keys).to_string().as_bytes()));
        let input = json!({
            "StreamARN": destination.stream,
            "PartitionKey": key,
            "Data": STANDARD.encode(record.to_string()),
        });
        cx.emit(Call::new("kinesis", "PutRecord", Caller::service(PRINCIPAL), cx.scope.clone(), input));
    }
}

fn record(cx: &mut Cx<Tables>, table: &str, destination: &Destination, change: &Change) -> Value {
    let Change { keys, old, new, writer } = change;
    let event_name = match (old, new) {
        (None, _) => "INSERT",
        (Some(_), Some(_)) => "MODIFY",
        (Some(_), None) => "REMOVE",
    };
    let size = item_size(keys) + old.iter().chain(new).map(|image| image.size).sum::<usize>();
    let micros = destination.precision.as_deref() == Some("MICROSECOND");
    let mut inside = json!({
        "ApproximateCreationDateTime": if micros { cx.now.millis() * 1000 } else { cx.now.millis() },
        "Keys": shown::to_json(keys),
        "SizeBytes": size,
    });
    for (name, image) in [("NewImage", new), ("OldImage", old)] {
        if let Some(image) = image {
            inside[name] = shown::to_json(&image.item);
        }
    }
    if let Some(precision) = &destination.precision {
        inside["ApproximateCreationDateTimePrecision"] = json!(precision);
    }
    let expired = *writer == Writer::Expiry;
    json!({
        "awsRegion": cx.scope.region,
        "eventID": cx.ids().uuid(),
        "eventName": event_name,
        "userIdentity": expired.then(|| json!({ "type": "Service", "principalId": "dynamodb.amazonaws.com" })),
        "recordFormat": "application/json",
        "tableName": table,
        "dynamodb": inside,
        "eventSource": "aws:dynamodb",
    })
}
