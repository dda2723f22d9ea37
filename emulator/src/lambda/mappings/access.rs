//! Whether the function's role can read the source: asked before a mapping is made, as AWS does.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::mapping::Source;
use super::poll::{is_denied, problem};
use super::read::no_access;
use super::role_session;
use crate::cloud::{Call, Cloud, Cx, JobFuture, Scope, Target, job_input};
use crate::lambda::Functions;
use crate::sqs::url_of_arn;
use crate::{Error, Result};

/// What must be allowed, in the order in which AWS names what is not.
const QUEUE_ACTIONS: [&str; 2] = ["ReceiveMessage", "DeleteMessage"];
const STREAM_ACTIONS: [&str; 2] = ["GetRecords", "GetShardIterator"];

/// The question: the input of the job.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Check {
    /// What the answer goes by.
    pub uuid: String,
    pub mapping_arn: String,
    pub role: String,
    pub function: String,
    pub source: Source,
    /// Where a stream's records go that are given up.
    pub on_failure: Option<String>,
}

/// The answer.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Checked {
    uuid: String,
    /// Why the source cannot be read.
    pub problem: Option<String>,
    /// A queue's `VisibilityTimeout`, in seconds.
    pub visibility: Option<u32>,
}

/// The signal of the answer.
pub(super) fn signal(uuid: &str) -> String {
    format!("lambda/mapping/{uuid}")
}

/// Notes the answer.
pub(super) fn checked(cx: &mut Cx<Functions>, report: &str) -> Result<()> {
    let checked: Checked = serde_json::from_str(report)?;
    cx.signal(signal(&checked.uuid));
    cx.state.mappings.checked.insert(checked.uuid.clone(), checked);
    Ok(())
}

/// The job.
pub(super) fn job(cloud: Cloud, scope: Scope, input: Value) -> JobFuture {
    Box::pin(async move {
        let Some(check) = job_input::<Check>(input) else { return };
        let uuid = check.uuid.clone();
        let outcome = match &check.source {
            Source::Queue { arn, .. } => of_queue(&cloud, &scope, &check, arn).await,
            Source::Stream { arn } => of_stream(&cloud, &scope, &check, arn).await,
        };
        let checked = match outcome {
            Ok(checked) => Checked { uuid, ..checked },
            Err(text) => Checked { uuid, problem: Some(text), visibility: None },
        };
        cloud.report("lambda", &scope, "MappingChecked", &checked);
    })
}

/// Nothing is received for the question's sake: whether that would be allowed, the policies tell.
async fn of_queue(cloud: &Cloud, scope: &Scope, check: &Check, arn: &str) -> Result<Checked, String> {
    let caller = role_session(cloud, &check.role, &check.function, &check.mapping_arn);
    let caller = caller.map_err(|error| error.message().to_owned())?;
    let access = cloud.0.access(&caller);
    let first_denied = |policy: Option<&str>| {
        let target = Target::on(arn).policy(policy.map(Into::into));
        QUEUE_ACTIONS.into_iter().find(|action| !access.may_on(&format!("sqs:{action}"), &target))
    };
    let denied = |operation: &str| problem(operation, &Error::new(403, "AccessDenied", "")).text;
    let input = json!({ "QueueUrl": url_of_arn(arn), "AttributeNames": ["All"] });
    let call = Call::new("sqs", "GetQueueAttributes", caller.clone(), scope.clone(), input);
    let attributes = match cloud.call(call).await {
        Ok(reply) => reply.output["Attributes"].clone(),
        Err(error) if is_denied(&error) => return Err(denied(first_denied(None).unwrap_or("GetQueueAttributes"))),
        Err(error) => return Err(problem("ReceiveMessage", &error).text),
    };
    if let Some(operation) = first_denied(attributes["Policy"].as_str()) {
        return Err(denied(operation));
    }
    let visibility = attributes["VisibilityTimeout"].as_str().and_then(|text| text.parse().ok());
    Ok(Checked { visibility, ..Checked::default() })
}

async fn of_stream(cloud: &Cloud, scope: &Scope, check: &Check, arn: &str) -> Result<Checked, String> {
    let caller = role_session(cloud, &check.role, &check.function, &check.mapping_arn);
    let caller = caller.map_err(|error| error.message().to_owned())?;
    let access = cloud.0.access(&caller);
    let kinesis = check.source.is_kinesis();
    let (prefix, service, member) =
        if kinesis { ("kinesis", "kinesis", "StreamARN") } else { ("dynamodb", "dynamodbstreams", "StreamArn") };
    let may = |action: &str, resource: &str| access.may(&format!("{prefix}:{action}"), resource);
    if !STREAM_ACTIONS.iter().all(|action| may(action, arn)) || !may("ListStreams", "*") {
        return Err(no_access(arn));
    }
    let call = Call::new(service, "DescribeStream", caller.clone(), scope.clone(), json!({ (member): arn }));
    match cloud.call(call).await {
        Ok(_) => {}
        Err(error) if is_denied(&error) => return Err(no_access(arn)),
        Err(error) if error.code() == "ResourceNotFoundException" => return Err(format!("Stream not found: {arn}")),
        Err(error) => return Err(error.message().to_owned()),
    }
    let Some(destination) = &check.on_failure else { return Ok(Checked::default()) };
    let (service, operation, name) = match destination.split(':').nth(2) {
        Some("sns") => ("sns", "Publish", "SNS"),
        _ => ("sqs", "SendMessage", "SQS"),
    };
    if access.may(&format!("{service}:{operation}"), destination) {
        return Ok(Checked::default());
    }
    Err(format!("The provided execution role does not have permissions to call {operation} on {name}"))
}
