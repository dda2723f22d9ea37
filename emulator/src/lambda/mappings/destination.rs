//! `DestinationConfig.OnFailure` of a stream's mapping: what becomes of records that are given up.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html#services-dynamodb-errors-destinations>

use serde_json::{Value, json};

use super::mapping::Source;
use super::read::sequence;
use super::stream::arrival;
use crate::Timestamp;
use crate::cloud::{Call, Cx};
use crate::lambda::destinations::{bucket_of, object};
use crate::lambda::{Functions, PRINCIPAL};
use crate::sqs::url_of_arn;

/// Records that are given up, and why.
pub(super) struct Given<'a> {
    pub condition: &'static str,
    pub shard: Option<String>,
    pub records: &'a [Value],
    pub invocations: u32,
    /// The last invocation; none if there was none.
    pub request_id: Option<String>,
    /// The kind of its error, if it was answered with one; none if there was no invocation.
    pub response: Option<Option<String>>,
}

/// Sends the document to the destination, if there is one, as the function's role. What cannot be sent is lost, as at AWS.
pub(super) fn send(cx: &mut Cx<Functions>, uuid: &str, given: &Given<'_>) {
    let Some(mapping) = cx.state.mappings.by_uuid.get(uuid) else { return };
    let Some(stream) = &mapping.settings.stream else { return };
    let Source::Stream { arn } = &mapping.source else { return };
    let Some(destination) = stream.on_failure.clone() else { return };
    let Some(function) = cx.state.functions.get(&mapping.function) else { return };
    let info = if mapping.source.is_kinesis() { "KinesisBatchInfo" } else { "DDBStreamBatchInfo" };
    // Streams of tables have whole seconds.
    let iso = if mapping.source.is_kinesis() { Timestamp::to_iso_millis } else { Timestamp::to_iso_secs };
    let arrived = |record: Option<&Value>| record.map(|record| iso(arrival(record)));
    let (first, last) = (given.records.first(), given.records.last());
    let (request_id, now) = (given.request_id.clone().unwrap_or_default(), cx.now.to_iso_millis());
    let mut document = json!({
        "requestContext": {
            "requestId": request_id,
            "functionArn": mapping.function_arn,
            "condition": given.condition,
            "approximateInvokeCount": given.invocations,
        },
        "responseContext": null,
        "version": "1.0",
        "timestamp": now,
        (info): {
            "shardId": given.shard,
            "startSequenceNumber": first.map(sequence),
            "endSequenceNumber": last.map(sequence),
            "approximateArrivalOfFirstRecord": arrived(first),
            "approximateArrivalOfLastRecord": arrived(last),
            "batchSize": given.records.len(),
            "streamArn": arn,
        },
    });
    if let Some(error) = &given.response {
        document["responseContext"] =
            json!({ "statusCode": 200, "executedVersion": "$LATEST", "functionError": error });
    }
    let (role, mapping_arn) = (function.configuration.role.clone(), mapping.arn(cx.scope));
    let Some(mut caller) = cx.access().role_session(&role, &mapping.function, PRINCIPAL) else {
        tracing::warn!(role, "no such role: records that were given up are lost");
        return;
    };
    caller.source_arn = Some(mapping_arn);
    if let Some(bucket) = bucket_of(&destination) {
        // A bucket has room for what the function was invoked with.
        document["payload"] = json!({ "Records": given.records });
        let folder = format!("{uuid}/{}", given.shard.as_deref().unwrap_or_default());
        let call = object(cx, caller, bucket, &folder, document.to_string());
        cx.emit(call);
        return;
    }
    let text = document.to_string();
    let call = if destination.contains(":sns:") {
        Call::new("sns", "Publish", caller, cx.scope.clone(), json!({ "TopicArn": destination, "Message": text }))
    } else {
        let input = json!({ "QueueUrl": url_of_arn(&destination), "MessageBody": text });
        Call::new("sqs", "SendMessage", caller, cx.scope.clone(), input)
    };
    cx.emit(call);
}
