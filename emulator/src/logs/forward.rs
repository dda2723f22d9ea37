//! Bringing a batch of events to the destination of a subscription, and trying whether it can be brought.
//!
//! The batch is a JSON document, compressed with gzip. Kinesis gets the bytes, a function gets them in base64.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html>

use std::io::Write;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::PRINCIPAL;
use super::store::LogGroups;
use super::subscriptions::Checked;
use crate::cloud::{Call, Caller, Cloud, Cx, JobFuture, Scope, Service, job_input};
use crate::{Error, Result, Timestamp};

/// The job that brings a batch.
pub(super) const JOB: &str = "Forward";
/// What fails for a while is tried again for so long.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html>
const RETRIED: Duration = Duration::from_secs(24 * 3_600);
/// Retries wait twice as long each time, from this on and up to that: AWS tells no figures, these are ours.
const FIRST_BACKOFF: Duration = Duration::from_secs(1);
const LAST_BACKOFF: Duration = Duration::from_secs(900);

/// Adds the jobs and the events of this file.
pub(super) fn jobs(service: Service<LogGroups>) -> Service<LogGroups> {
    service
        .job(JOB, deliver)
        .job("CheckDestination", check)
        .event("ForwardAgain", |cx, delivery| cx.start(JOB, &serde_json::from_str::<Delivery>(delivery)?))
        .event("NotForwarded", not_forwarded)
}

/// A batch on its way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Delivery {
    pub arn: String,
    /// As which it is brought to a stream.
    pub role: Option<String>,
    /// The log group: the condition key `aws:SourceArn`.
    pub source_arn: String,
    pub partition_key: String,
    pub document: Value,
    /// When it was first tried.
    pub due: Timestamp,
    pub attempt: u32,
}

/// A destination that is tried for a call that waits.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Check {
    pub id: String,
    pub delivery: Delivery,
}

/// The partition key of a stream: its events stay in order, in one shard.
pub(super) fn digest(stream: &str) -> String {
    hex::encode(md5_many::md5(stream.as_bytes()))
}

fn deliver(cloud: Cloud, scope: Scope, delivery: Value) -> JobFuture {
    Box::pin(async move {
        let Some(delivery) = job_input::<Delivery>(delivery) else { return };
        let Err(error) = delivery.bring(&cloud, &scope).await else { return };
        let lasting = matches!(error.status(), 403 | 404)
            || matches!(error.code(), "AccessDeniedException" | "ResourceNotFoundException");
        if lasting {
            tracing::warn!(destination = delivery.arn, %error, "log events were not forwarded");
            return;
        }
        cloud.report("logs", &scope, "NotForwarded", &delivery);
    })
}

/// A batch could not be brought: it is tried again as long as it is worth it.
fn not_forwarded(cx: &mut Cx<LogGroups>, delivery: &str) -> Result<()> {
    let mut delivery: Delivery = serde_json::from_str(delivery)?;
    let backoff = FIRST_BACKOFF.saturating_mul(1 << (delivery.attempt - 1).min(16)).min(LAST_BACKOFF);
    let again = cx.now + backoff;
    if again.since(delivery.due) <= RETRIED {
        delivery.attempt += 1;
        cx.set_timer("ForwardAgain", serde_json::to_string(&delivery)?, again);
    }
    Ok(())
}

/// A function is asked whether it could be invoked; a stream gets a control message.
fn check(cloud: Cloud, scope: Scope, input: Value) -> JobFuture {
    Box::pin(async move {
        let Ok(Check { id, mut delivery }) = serde_json::from_value::<Check>(input) else { return };
        delivery.document = json!({
            "messageType": "CONTROL_MESSAGE",
            "owner": "CloudwatchLogs",
            "logGroup": "",
            "logStream": "",
            "subscriptionFilters": [],
            "logEvents": [{
                "id": "",
                "timestamp": delivery.due,
                "message": "CWL CONTROL MESSAGE: Checking health of destination Kinesis stream.",
            }],
        });
        let outcome = if delivery.is_function() {
            delivery.invoke(&cloud, &scope, "DryRun", String::new()).await
        } else {
            delivery.bring(&cloud, &scope).await
        };
        let problem = outcome.err().map(|error| {
            tracing::warn!(destination = delivery.arn, %error, "a destination of log events was refused");
            if delivery.is_function() {
                "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your \
                 function."
            } else {
                "Could not deliver test message to specified Kinesis stream. Check if the given kinesis stream is in ACTIVE \
                 state. "
            }
            .to_owned()
        });
        cloud.report("logs", &scope, "Checked", &Checked { id, problem });
    })
}

impl Delivery {
    fn is_function(&self) -> bool {
        self.arn.starts_with("arn:aws:lambda:")
    }

    async fn bring(&self, cloud: &Cloud, scope: &Scope) -> Result<()> {
        let data = STANDARD.encode(compress(&self.document)?);
        if self.is_function() {
            let payload = json!({ "awslogs": { "data": data } }).to_string();
            return self.invoke(cloud, scope, "Event", payload).await;
        }
        let role = self.role.as_deref().unwrap_or_default();
        let caller = cloud.0.access(&Caller::service(PRINCIPAL)).role_session(role, "CloudWatchLogs", PRINCIPAL);
        let caller = caller.ok_or_else(|| {
            Error::new(403, "AccessDeniedException", format!("{PRINCIPAL} may not assume the role {role}"))
        })?;
        let input = json!({ "StreamARN": self.arn, "Data": data, "PartitionKey": self.partition_key });
        cloud.call(Call::new("kinesis", "PutRecord", caller, scope.clone(), input)).await.map(drop)
    }

    async fn invoke(&self, cloud: &Cloud, scope: &Scope, kind: &str, payload: String) -> Result<()> {
        let mut caller = Caller::service(PRINCIPAL);
        caller.source_arn = Some(self.source_arn.clone());
        let input = json!({ "FunctionName": self.arn, "InvocationType": kind });
        cloud.call(Call::new("lambda", "Invoke", caller, scope.clone(), input).with_body(payload)).await.map(drop)
    }
}

fn compress(document: &Value) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(document.to_string().as_bytes()).map_err(Error::internal)?;
    encoder.finish().map_err(Error::internal)
}
