//! The calls of a mapping of a stream: read, as the function's role, and invoke.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::filter::Filters;
use super::mapping::{Mapping, Source};
use super::poll::{Problem, is_denied};
use super::stream::Place;
use super::{response, role_session};
use crate::cloud::{Call, Caller, Cloud, JobFuture, Scope, job_input};
use crate::lambda::PRINCIPAL;
use crate::{Error, Result};

/// The API of streams.
const API: &str = "dynamodbstreams";
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
    pub fn new(mapping: &Mapping, number: u64, mapping_arn: &str, role: &str) -> Option<Self> {
        let (Source::Stream { arn }, Some(settings)) = (&mapping.source, &mapping.settings.stream) else { return None };
        let super::mapping::Books::Stream(books) = &mapping.books else { return None };
        Some(Self {
            uuid: mapping.uuid.clone(),
            number,
            mapping_arn: mapping_arn.to_owned(),
            role: role.to_owned(),
            function: mapping.function.clone(),
            stream: arn.clone(),
            start: settings.start.clone(),
            most: mapping.settings.batch_size.min(READ_MOST),
            filters: mapping.settings.filters.clone(),
            place: books.place.clone(),
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
            Ok((count, records, place)) => ReadUp { uuid, number, count, records, place, problem: None },
            Err(error) => {
                let problem = Some(problem(&input.stream, &error));
                ReadUp { uuid, number, count: 0, records: Vec::new(), place, problem }
            }
        };
        cloud.report("lambda", &scope, "MappingRead", &read_up);
    })
}

async fn records(cloud: &Cloud, scope: &Scope, input: &Read) -> Result<(usize, Vec<Value>, Place)> {
    let caller = role_session(cloud, &input.role, &input.function, &input.mapping_arn)?;
    let call = async |operation: &str, input: Value| {
        let call = Call::new(API, operation, caller.clone(), scope.clone(), input);
        cloud.call(call).await.map(|reply| reply.output)
    };
    let mut place = input.place.clone();
    if place.shard.is_none() {
        let described = call("DescribeStream", json!({ "StreamArn": input.stream })).await?;
        let shard = &described["StreamDescription"]["Shards"][0]["ShardId"];
        place.shard = shard.as_str().map(str::to_owned);
    }
    let from = async |position: Value| {
        let mut asked = position;
        (asked["StreamArn"], asked["ShardId"]) = (json!(input.stream), json!(place.shard));
        call("GetShardIterator", asked).await.map(|answer| answer["ShardIterator"].clone())
    };
    let iterator = match (&place.after, &place.iterator) {
        (Some(after), _) => {
            let position = json!({ "ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": after });
            match from(position).await {
                // The record is older than a stream keeps them: what is left comes after it.
                Err(error) if error.code() == "TrimmedDataAccessException" => {
                    from(json!({ "ShardIteratorType": "TRIM_HORIZON" })).await?
                }
                other => other?,
            }
        }
        (None, Some(iterator)) => json!(iterator),
        (None, None) => from(json!({ "ShardIteratorType": input.start })).await?,
    };
    let found = call("GetRecords", json!({ "ShardIterator": iterator, "Limit": input.most })).await?;
    let records: Vec<Value> = found["Records"].as_array().cloned().unwrap_or_default();
    place.iterator = found["NextShardIterator"].as_str().map(str::to_owned);
    place.is_over = place.iterator.is_none();
    if let Some(last) = records.last().and_then(|record| record["dynamodb"]["SequenceNumber"].as_str()) {
        place.after = Some(last.to_owned());
    }
    let count = records.len();
    let records = records.into_iter().map(|record| event_record(record, &input.stream));
    let passing = match Filters::new(&input.filters) {
        None => records.collect(),
        Some(filters) => records.filter(|record| filters.pass_whole(record)).collect(),
    };
    Ok((count, passing, place))
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
    format!(
        "Cannot access stream {stream}. Please ensure the role can perform the GetRecords, GetShardIterator, DescribeStream, \
         and ListStreams Actions on your stream in IAM."
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
        let id = |record: &Value| record["dynamodb"]["SequenceNumber"].as_str().unwrap_or_default().to_owned();
        let ids: Vec<String> = records.iter().map(id).collect();
        let sent: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
        // The first one that failed counts: the order is kept, and what follows is processed again.
        failed_at = match response::failed(&reply.body.unwrap_or_default(), &sent) {
            None => Some(0),
            Some(failed) => ids.iter().position(|id| failed.contains(id)),
        };
    }
    Processed { uuid, number, request_id, function_error: None, failed_at }
}
