//! The calls of a mapping of a queue: receive, invoke, delete. As the function's role, through the front door, each once.
//!
//! A call that fails is not repeated here, whatever AWS's pollers may do: what was not deleted is received again once it is
//! visible, which is how a queue delivers twice.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::filter::Filters;
use super::mapping::Mapping;
use super::record::record;
use super::{response, role_session};
use crate::cloud::{Call, Caller, Cloud, JobFuture, Scope, job_input};
use crate::lambda::PRINCIPAL;
use crate::sqs::url_of_arn;
use crate::{Error, Result};

/// `DeleteMessageBatch` takes at most this many messages.
const DELETE_MOST: usize = 10;

/// A receive: the input of its job.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Receive {
    reader: Reader,
    most: usize,
    windowed: bool,
    filters: Vec<String>,
}

/// A batch on its way to the function: the input of its job.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Deliver {
    reader: Reader,
    function_arn: String,
    partial: bool,
    records: Vec<Value>,
}

/// Who reads what.
#[derive(Debug, Serialize, Deserialize)]
struct Reader {
    uuid: String,
    number: u64,
    mapping_arn: String,
    role: String,
    function: String,
    queue: String,
}

/// What a receive brought.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Received {
    pub uuid: String,
    pub number: u64,
    /// How many messages there were.
    pub count: usize,
    /// Those of them that pass the filters.
    pub records: Vec<Value>,
    pub problem: Option<Problem>,
}

/// Why nothing could be received.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Problem {
    pub text: String,
    /// Whether it may pass by itself.
    pub may_pass: bool,
}

/// A batch is done with.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Delivered {
    pub uuid: String,
    pub number: u64,
}

impl Reader {
    fn new(mapping: &Mapping, number: u64, mapping_arn: &str, role: &str) -> Self {
        Self {
            uuid: mapping.uuid.clone(),
            number,
            mapping_arn: mapping_arn.to_owned(),
            role: role.to_owned(),
            function: mapping.function.clone(),
            queue: mapping.source.arn().to_owned(),
        }
    }

    fn caller(&self, cloud: &Cloud) -> Result<Caller> {
        role_session(cloud, &self.role, &self.function, &self.mapping_arn)
    }
}

impl Receive {
    pub fn new(mapping: &Mapping, number: u64, mapping_arn: &str, role: &str, most: usize) -> Self {
        let settings = &mapping.settings;
        let reader = Reader::new(mapping, number, mapping_arn, role);
        Self { reader, most, windowed: settings.window > 0, filters: settings.filters.clone() }
    }
}

impl Deliver {
    pub fn new(mapping: &Mapping, number: u64, mapping_arn: &str, role: &str, records: Vec<Value>) -> Self {
        let reader = Reader::new(mapping, number, mapping_arn, role);
        Self { reader, function_arn: mapping.function_arn.clone(), partial: mapping.settings.partial, records }
    }
}

/// The job of a receive.
pub(super) fn receive(cloud: Cloud, scope: Scope, input: Value) -> JobFuture {
    Box::pin(async move {
        let Some(receive) = job_input::<Receive>(input) else { return };
        let (count, records, problem) = match messages(&cloud, &scope, &receive).await {
            Ok((count, records)) => (count, records, None),
            Err(error) => (0, Vec::new(), Some(problem("ReceiveMessage", &error))),
        };
        let Reader { uuid, number, .. } = receive.reader;
        cloud.report("lambda", &scope, "MappingReceived", &Received { uuid, number, count, records, problem });
    })
}

/// The messages that there are, and the records of those that pass. The others are deleted.
async fn messages(cloud: &Cloud, scope: &Scope, receive: &Receive) -> Result<(usize, Vec<Value>)> {
    let Receive { reader, most, windowed, filters } = receive;
    let caller = reader.caller(cloud)?;
    let input = json!({
        "QueueUrl": url_of_arn(&reader.queue),
        "MaxNumberOfMessages": most,
        "MessageSystemAttributeNames": ["All"],
        "MessageAttributeNames": ["All"],
        // The mapping was told that there is something: there is nothing to wait for.
        "WaitTimeSeconds": 0,
    });
    let call = Call::new("sqs", "ReceiveMessage", caller.clone(), scope.clone(), input);
    let output = cloud.call(call).await?.output;
    let messages = output["Messages"].as_array().cloned().unwrap_or_default();
    let records = messages.iter().map(|message| record(message, &reader.queue, &scope.region, *windowed));
    let (passing, others): (Vec<Value>, Vec<Value>) = match Filters::new(filters) {
        None => (records.collect(), Vec::new()),
        Some(filters) => records.partition(|record| filters.pass(record, "body")),
    };
    delete(cloud, scope, &caller, reader, &others).await;
    Ok((messages.len(), passing))
}

/// The job of a delivery.
pub(super) fn deliver(cloud: Cloud, scope: Scope, input: Value) -> JobFuture {
    Box::pin(async move {
        let Some(deliver) = job_input::<Deliver>(input) else { return };
        if let Err(error) = process(&cloud, &scope, &deliver).await {
            tracing::debug!(function = deliver.reader.function, %error, "a batch was not processed");
        }
        let Reader { uuid, number, .. } = deliver.reader;
        cloud.report("lambda", &scope, "MappingDelivered", &Delivered { uuid, number });
    })
}

/// Invokes the function, and deletes what it has processed.
async fn process(cloud: &Cloud, scope: &Scope, deliver: &Deliver) -> Result<()> {
    let Deliver { reader, function_arn, partial, records } = deliver;
    let mut lambda = Caller::service(PRINCIPAL);
    lambda.source_arn = Some(reader.queue.clone());
    let input = json!({ "FunctionName": function_arn, "InvocationType": "RequestResponse" });
    let event = json!({ "Records": records }).to_string();
    let call = Call::new("lambda", "Invoke", lambda, scope.clone(), input).with_body(event);
    let answered = cloud.call(call).await?;
    if !answered.output["FunctionError"].is_null() {
        return Ok(());
    }
    let attempt = answered.output["Attempt"].as_u64().and_then(|number| u32::try_from(number).ok()).unwrap_or(0);
    // A fault may have a message delivered again, as if its deletion had been lost.
    let is_left = |place: usize| {
        let place = u32::try_from(place).unwrap_or(u32::MAX).saturating_add(1);
        cloud.0.faults.lock().duplicates(&reader.function, attempt, place)
    };
    let kept = records.iter().enumerate().filter(|(place, _)| !is_left(*place));
    let mut processed: Vec<&Value> = kept.map(|(_, record)| record).collect();
    if *partial {
        let sent: BTreeSet<&str> = records.iter().filter_map(|record| record["messageId"].as_str()).collect();
        let Some(failed) = response::failed(&answered.body.unwrap_or_default(), &sent) else { return Ok(()) };
        processed.retain(|record| record["messageId"].as_str().is_none_or(|id| !failed.contains(id)));
    }
    delete(cloud, scope, &reader.caller(cloud)?, reader, &processed).await;
    Ok(())
}

async fn delete<R: std::borrow::Borrow<Value>>(
    cloud: &Cloud,
    scope: &Scope,
    caller: &Caller,
    reader: &Reader,
    records: &[R],
) {
    for batch in records.chunks(DELETE_MOST) {
        let entry = |(id, record): (usize, &R)| json!({ "Id": id.to_string(), "ReceiptHandle": record.borrow()["receiptHandle"] });
        let entries: Vec<Value> = batch.iter().enumerate().map(entry).collect();
        let input = json!({ "QueueUrl": url_of_arn(&reader.queue), "Entries": entries });
        let call = Call::new("sqs", "DeleteMessageBatch", caller.clone(), scope.clone(), input);
        match cloud.call(call).await.map(|reply| reply.output["Failed"].clone()) {
            Ok(Value::Array(failed)) if !failed.is_empty() => {
                tracing::debug!(queue = reader.queue, ?failed, "messages were not deleted");
            }
            Ok(_) => {}
            Err(error) => tracing::debug!(queue = reader.queue, %error, "messages were not deleted"),
        }
    }
}

/// An error of SQS as Lambda words it.
pub(super) fn problem(operation: &str, error: &Error) -> Problem {
    let text = if is_denied(error) {
        format!("The provided execution role does not have permissions to call {operation} on SQS")
    } else {
        // The name that the error has in the query protocol.
        let code = match error.code() {
            "QueueDoesNotExist" => "AWS.SimpleQueueService.NonExistentQueue",
            other => other,
        };
        format!("Error occurred while {operation}. SQS Error Code: {code}. SQS Error Message: {}", error.message())
    };
    let may_pass = error.status() >= 500 || error.status() == 429 || error.code().contains("Throttl");
    Problem { text, may_pass }
}

/// Whether an error says that the caller may not.
pub(super) fn is_denied(error: &Error) -> bool {
    error.status() == 403 || error.code().starts_with("AccessDenied")
}
