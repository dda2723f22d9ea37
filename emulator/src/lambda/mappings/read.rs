//! The calls of a mapping of a stream: read, as the function's role, and invoke.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::filter::Filters;
use super::mapping::{Mapping, Source, is_kinesis};
use super::poll::{Problem, is_denied};
use super::stream::Place;
use super::{response, role_session};
use crate::cloud::{Call, Caller, Cloud, JobFuture, Scope, job_input};
use crate::lambda::PRINCIPAL;
use crate::{Error, Result, Timestamp};

/// `GetRecords` gives at most this many records.
const READ_MOST: u32 = 1000;

/// A read: the input of its job.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Read {
    uuid: String,
    pub number: u64,
    mapping_arn: String,
    role: String,
    function: String,
    stream: String,
    start: String,
    start_at: Option<Timestamp>,
    most: u32,
    filters: Vec<String>,
    place: Place,
}

/// What a read brought.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ReadUp {
    pub uuid: String,
    pub number: u64,
    /// How many records there were.
    pub count: usize,
    /// Those of them that pass the filters.
    pub records: Vec<Value>,
    pub place: Place,
    /// Where the stream's other shards are read, when they are seen first.
    pub others: Vec<Place>,
    pub problem: Option<Problem>,
}

/// Records on their way to the function: the input of their job.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Process {
    uuid: String,
    number: u64,
    function_arn: String,
    stream: String,
    partial: bool,
    records: Vec<Value>,
}

/// What became of them.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Processed {
    pub uuid: String,
    pub number: u64,
    pub request_id: Option<String>,
    /// The kind of error that the function was answered with.
    pub function_error: Option<String>,
    /// The place of the first record that failed; none if none did.
    pub failed_at: Option<usize>,
}

impl Read {
    /// The next read of a mapping of a stream.
    pub fn new(mapping: &Mapping, (number, place): (u64, Place), mapping_arn: &str, role: &str) -> Option<Self> {
        let (Source::Stream { arn }, Some(settings)) = (&mapping.source, &mapping.settings.stream) else { return None };
        Some(Self {
            uuid: mapping.uuid.clone(),
            number,
            mapping_arn: mapping_arn.to_owned(),
            role: role.to_owned(),
            function: mapping.function.clone(),
            stream: arn.clone(),
            start: settings.start.clone(),
            start_at: settings.start_at,
            most: mapping.settings.batch_size.min(READ_MOST),
            filters: mapping.settings.filters.clone(),
            place,
        })
    }
}

impl Process {
    pub fn new(mapping: &Mapping, number: u64, records: Vec<Value>) -> Self {
        Self {
            uuid: mapping.uuid.clone(),
            number,
            function_arn: mapping.function_arn.clone(),
            stream: mapping.source.arn().to_owned(),
            partial: mapping.settings.partial,
            records,
        }
    }
}

/// The job of a read.
pub(super) fn read_stream(cloud: Cloud, scope: Scope, input: Value) -> JobFuture {
    Box::pin(async move {
        let Some(input) = job_input::<Read>(input) else { return };
        let Read { uuid, number, .. } = &input;
        let (uuid, number, place) = (uuid.clone(), *number, input.place.clone());
        let read_up = match records(&cloud, &scope, &input).await {
            Ok(Found { count, records, place, others }) => {
                ReadUp { uuid, number, count, records, place, others, problem: None }
            }
            Err(error) => {
                let problem = Some(problem(&input.stream, &error));
                ReadUp { uuid, number, count: 0, records: Vec::new(), place, others: Vec::new(), problem }
            }
        };
        cloud.report("lambda", &scope, "MappingRead", &read_up);
    })
}

/// What was found in a shard.
struct Found {
    count: usize,
    records: Vec<Value>,
    place: Place,
    others: Vec<Place>,
}

/// The way to a stream for one read.
struct Stream<'a> {
    cloud: &'a Cloud,
    scope: &'a Scope,
    caller: Caller,
    input: &'a Read,
}

impl Stream<'_> {
    /// Kinesis's API and that of DynamoDB's streams differ in their names.
    async fn call(&self, operation: &str, mut input: Value) -> Result<Value> {
        let (api, arn) =
            if is_kinesis(&self.input.stream) { ("kinesis", "StreamARN") } else { ("dynamodbstreams", "StreamArn") };
        if operation != "GetRecords" {
            input[arn] = json!(self.input.stream);
        }
        let call = Call::new(api, operation, self.caller.clone(), self.scope.clone(), input);
        self.cloud.call(call).await.map(|reply| reply.output)
    }

    async fn iterator(&self, shard: &str, mut position: Value) -> Result<Value> {
        position["ShardId"] = json!(shard);
        self.call("GetShardIterator", position).await.map(|answer| answer["ShardIterator"].clone())
    }

    /// Where a shard is read first.
    async fn start(&self, shard: &str) -> Result<Value> {
        let mut position = json!({ "ShardIteratorType": self.input.start });
        if let Some(at) = self.input.start_at {
            position["Timestamp"] = json!(at);
        }
        self.iterator(shard, position).await
    }

    async fn after(&self, shard: &str, sequence: &str) -> Result<Value> {
        let number = if is_kinesis(&self.input.stream) { "StartingSequenceNumber" } else { "SequenceNumber" };
        let position = json!({ "ShardIteratorType": "AFTER_SEQUENCE_NUMBER", (number): sequence });
        match self.iterator(shard, position).await {
            // The record is older than a stream keeps them: what is left comes after it.
            Err(error) if error.code() == "TrimmedDataAccessException" => {
                self.iterator(shard, json!({ "ShardIteratorType": "TRIM_HORIZON" })).await
            }
            other => other,
        }
    }

    /// The shards of the stream: the first, and where the others begin. Those that are made later are not read.
    async fn shards(&self) -> Result<(Option<String>, Vec<Place>)> {
        let mut ids: Vec<String> = Vec::new();
        loop {
            let asked = ids.last().map_or_else(|| json!({}), |last| json!({ "ExclusiveStartShardId": last }));
            let described = self.call("DescribeStream", asked).await?;
            let page = &described["StreamDescription"];
            let shards = page["Shards"].as_array().into_iter().flatten();
            ids.extend(shards.filter_map(|shard| shard["ShardId"].as_str().map(str::to_owned)));
            if !is_kinesis(&self.input.stream) || page["HasMoreShards"] != true {
                break;
            }
        }
        let mut ids = ids.into_iter();
        let first = ids.next();
        let mut others = Vec::new();
        for shard in ids.filter(|_| is_kinesis(&self.input.stream)) {
            let iterator = self.start(&shard).await?.as_str().map(str::to_owned);
            others.push(Place { shard: Some(shard), iterator, ..Place::default() });
        }
        Ok((first, others))
    }
}

async fn records(cloud: &Cloud, scope: &Scope, input: &Read) -> Result<Found> {
    let caller = role_session(cloud, &input.role, &input.function, &input.mapping_arn)?;
    let stream = Stream { cloud, scope, caller, input };
    let (mut place, mut others) = (input.place.clone(), Vec::new());
    if place.shard.is_none() {
        (place.shard, others) = stream.shards().await?;
    }
    let shard = place.shard.clone().unwrap_or_default();
    let iterator = match (&place.after, &place.iterator) {
        (Some(after), _) => stream.after(&shard, after).await?,
        (None, Some(iterator)) => json!(iterator),
        (None, None) => stream.start(&shard).await?,
    };
    let found = stream.call("GetRecords", json!({ "ShardIterator": iterator, "Limit": input.most })).await?;
    let records: Vec<Value> = found["Records"].as_array().cloned().unwrap_or_default();
    place.iterator = found["NextShardIterator"].as_str().map(str::to_owned);
    place.is_over = place.iterator.is_none();
    let count = records.len();
    let records: Vec<Value> = if is_kinesis(&input.stream) {
        records.into_iter().map(|record| kinesis_record(&record, &shard, scope, input)).collect()
    } else {
        records.into_iter().map(|record| event_record(record, &input.stream)).collect()
    };
    if let Some(last) = records.last() {
        place.after = Some(sequence(last));
    }
    let passing = match Filters::new(&input.filters) {
        None => records,
        Some(filters) => records.into_iter().filter(|record| passes(&filters, record)).collect(),
    };
    Ok(Found { count, records: passing, place, others })
}

/// Filters see a record of DynamoDB whole, and of one of Kinesis its data, decoded, and what goes with them.
fn passes(filters: &Filters, record: &Value) -> bool {
    let Some(kinesis) = record.get("kinesis") else { return filters.pass_whole(record) };
    let data = STANDARD.decode(kinesis["data"].as_str().unwrap_or_default()).unwrap_or_default();
    let mut seen = kinesis.clone();
    seen["data"] = String::from_utf8_lossy(&data).into();
    filters.pass(&seen, "data")
}

/// The sequence number of a record as the function sees it.
pub(super) fn sequence(record: &Value) -> String {
    let (table, kinesis) = (&record["dynamodb"]["SequenceNumber"], &record["kinesis"]["sequenceNumber"]);
    table.as_str().or_else(|| kinesis.as_str()).unwrap_or_default().to_owned()
}

/// A record of Kinesis as the function sees it.
/// <https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html#services-kinesis-event-example>
fn kinesis_record(record: &Value, shard: &str, scope: &Scope, input: &Read) -> Value {
    let sequence = record["SequenceNumber"].as_str().unwrap_or_default();
    let at = record["ApproximateArrivalTimestamp"].as_i64().unwrap_or_default();
    json!({
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": record["PartitionKey"],
            "sequenceNumber": sequence,
            "data": record["Data"],
            "approximateArrivalTimestamp": at as f64 / 1000.0,
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": format!("{shard}:{sequence}"),
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": input.role,
        "awsRegion": scope.region,
        "eventSourceARN": input.stream,
    })
}

/// A record of the stream as the function sees it: times in seconds, its source's ARN, and names that begin in lower case.
fn event_record(mut record: Value, stream: &str) -> Value {
    if let Some(at) = record["dynamodb"]["ApproximateCreationDateTime"].as_i64() {
        // A double in AWS's events: whole seconds have a decimal point.
        record["dynamodb"]["ApproximateCreationDateTime"] = json!((at / 1000) as f64);
    }
    let identity = record.as_object_mut().and_then(|members| members.shift_remove("userIdentity"));
    if let Some(identity) = identity {
        record["userIdentity"] = json!({ "principalId": identity["PrincipalId"], "type": identity["Type"] });
    }
    record["eventSourceARN"] = json!(stream);
    record
}

fn problem(stream: &str, error: &Error) -> Problem {
    let text = if is_denied(error) { no_access(stream) } else { error.message().to_owned() };
    let may_pass = error.status() >= 500 || error.code().contains("Throttl");
    Problem { text, may_pass }
}

/// What AWS says where the role cannot read a stream.
pub(super) fn no_access(stream: &str) -> String {
    let shards = if is_kinesis(stream) { "ListShards, " } else { "" };
    format!(
        "Cannot access stream {stream}. Please ensure the role can perform the GetRecords, GetShardIterator, DescribeStream, \
         {shards}and ListStreams Actions on your stream in IAM."
    )
}

/// The job of a piece.
pub(super) fn process(cloud: Cloud, scope: Scope, input: Value) -> JobFuture {
    Box::pin(async move {
        let Some(input) = job_input::<Process>(input) else { return };
        let processed = invoke(&cloud, &scope, input).await;
        cloud.report("lambda", &scope, "MappingProcessed", &processed);
    })
}

async fn invoke(cloud: &Cloud, scope: &Scope, input: Process) -> Processed {
    let Process { uuid, number, function_arn, stream, partial, records } = input;
    let mut lambda = Caller::service(PRINCIPAL);
    lambda.source_arn = Some(stream);
    let asked = json!({ "FunctionName": function_arn, "InvocationType": "RequestResponse" });
    let event = json!({ "Records": records }).to_string();
    let call = Call::new("lambda", "Invoke", lambda, scope.clone(), asked).with_body(event);
    let failed = |function_error, request_id| Processed {
        uuid: uuid.clone(),
        number,
        request_id,
        function_error,
        failed_at: Some(0),
    };
    let reply = match cloud.call(call).await {
        Ok(reply) => reply,
        Err(error) => {
            tracing::debug!(function_arn, %error, "a batch of a stream was not taken");
            return failed(None, None);
        }
    };
    let request_id = reply.headers.get("x-amzn-requestid").and_then(|id| id.to_str().ok()).map(str::to_owned);
    if let Some(kind) = reply.output["FunctionError"].as_str() {
        return failed(Some(kind.to_owned()), request_id);
    }
    let mut failed_at = None;
    if partial {
        let ids: Vec<String> = records.iter().map(sequence).collect();
        let sent: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
        // The first one that failed counts: the order is kept, and what follows is processed again.
        failed_at = match response::failed(&reply.body.unwrap_or_default(), &sent) {
            None => Some(0),
            Some(failed) => ids.iter().position(|id| failed.contains(id)),
        };
    }
    Processed { uuid, number, request_id, function_error: None, failed_at }
}
