//! Export tasks: events of a group as compressed objects in a bucket.
//!
//! A task is done by the time that its creation is answered. <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/S3Export.html>

use std::collections::BTreeMap;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::PRINCIPAL;
use super::groups::PAGE;
use super::names::{group_arn, invalid, missing, on_group};
use super::store::LogGroups;
use super::token;
use crate::cloud::{Call, Caller, Cloud, Cx, JobFuture, Later, Scope, Service, Step, Target};
use crate::{Error, Result, Timestamp};

/// Where objects go whose task does not say.
const DEFAULT_PREFIX: &str = "exportedlogs";
/// The object by which AWS tries whether it may write.
const TRIAL: (&str, &str) = ("aws-logs-write-test", "Permission Check Successful");

/// Adds the operations of this file.
pub(super) fn operations(service: Service<LogGroups>) -> Service<LogGroups> {
    service
        .waiting_op("CreateExportTask", |at, i: &Create| on_group(at, Some(&i.log_group_name), None), create)
        .op("DescribeExportTasks", |_, _: &Describe| Target::any(), describe)
        .op("CancelExportTask", |_, _: &Cancel| Target::any(), cancel)
        .job("Export", export)
        .event("Exported", exported)
}

/// A task as it is kept and, without its number, told: `ExportTask` of the API.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Export {
    /// In the order in which they were made.
    number: u64,
    task_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_name: Option<String>,
    log_group_name: String,
    from: i64,
    to: i64,
    destination: String,
    destination_prefix: String,
    /// None as long as it is under way.
    status: Option<Status>,
    execution_info: Times,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Status {
    code: String,
    message: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Times {
    creation_time: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    completion_time: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Create {
    task_name: Option<String>,
    log_group_name: String,
    log_stream_name_prefix: Option<String>,
    from: i64,
    to: i64,
    destination: String,
    destination_prefix: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Created {
    task_id: String,
}

/// What the job is told.
#[derive(Serialize, Deserialize)]
struct Work {
    task: Export,
    stream_prefix: Option<String>,
}

/// What it reports: why the bucket cannot be used, or why the export failed.
#[derive(Serialize, Deserialize)]
struct Report {
    id: String,
    refused: Option<String>,
    failed: Option<String>,
}

fn create(cx: &mut Cx<LogGroups>, input: &Create) -> Result<Step<Created>> {
    if let Some(resumed) = cx.resumed() {
        let id = resumed.token.clone();
        let status = cx.state.exports.get(&id).map(|task| task.status.clone());
        return match status {
            Some(None) => Ok(Step::Later(wait(id))),
            Some(Some(status)) if status.code == REFUSED => {
                cx.state.exports.remove(&id);
                Err(invalid(status.message))
            }
            Some(Some(_)) => Ok(Step::Done(Created { task_id: id })),
            None => Err(Error::internal("an export task was lost")),
        };
    }
    cx.state.group(&input.log_group_name)?;
    let id = cx.ids().uuid();
    let task = Export {
        number: cx.state.exports.values().map(|task| task.number).max().unwrap_or_default() + 1,
        task_id: id.clone(),
        task_name: input.task_name.clone(),
        log_group_name: input.log_group_name.clone(),
        from: input.from,
        to: input.to,
        destination: input.destination.clone(),
        destination_prefix: input.destination_prefix.clone().unwrap_or_else(|| DEFAULT_PREFIX.to_owned()),
        status: None,
        execution_info: Times { creation_time: cx.now, completion_time: None },
    };
    cx.start("Export", &Work { task: task.clone(), stream_prefix: input.log_stream_name_prefix.clone() })?;
    cx.state.exports.insert(id.clone(), task);
    Ok(Step::Later(wait(id)))
}

/// The status of a task that nobody will see: its bucket was refused.
const REFUSED: &str = "REFUSED";

fn signal(id: &str) -> String {
    format!("logs/export/{id}")
}

fn wait(id: String) -> Later {
    Later { signal: signal(&id), until: None, token: id }
}

fn exported(cx: &mut Cx<LogGroups>, report: &str) -> Result<()> {
    let Report { id, refused, failed } = serde_json::from_str(report)?;
    let now = cx.now;
    if let Some(task) = cx.state.exports.get_mut(&id) {
        let (code, message) = match (refused, failed) {
            (Some(refused), _) => (REFUSED, refused),
            (None, Some(failed)) => ("FAILED", failed),
            (None, None) => ("COMPLETED", "Completed successfully".to_owned()),
        };
        task.status = Some(Status { code: code.to_owned(), message });
        task.execution_info.completion_time = Some(now);
    }
    cx.signal(signal(&id));
    Ok(())
}

fn export(cloud: Cloud, scope: Scope, work: Value) -> JobFuture {
    Box::pin(async move {
        let Ok(Work { task, stream_prefix }) = serde_json::from_value::<Work>(work) else { return };
        let refused = task.put(&cloud, &scope, TRIAL.0.to_owned(), TRIAL.1.into()).await.err().map(|error| {
            if error.code() == "NoSuchBucket" {
                "The given bucket does not exist. Please make sure the bucket is valid.".to_owned()
            } else {
                "PutObject call on the given bucket failed. Please check if CloudWatch Logs has been granted permission to \
                 perform this operation."
                    .to_owned()
            }
        });
        let failed = match &refused {
            Some(_) => None,
            None => task.write(&cloud, &scope, stream_prefix).await.err().map(|error| error.to_string()),
        };
        cloud.report("logs", &scope, "Exported", &Report { id: task.task_id, refused, failed });
    })
}

impl Export {
    fn caller(&self, scope: &Scope) -> Caller {
        let mut caller = Caller::service(PRINCIPAL);
        caller.source_arn = Some(format!("{}:*", group_arn(scope, &self.log_group_name)));
        caller
    }

    async fn put(&self, cloud: &Cloud, scope: &Scope, key: String, body: Vec<u8>) -> Result<()> {
        let input = json!({ "Bucket": self.destination, "Key": key, "ACL": "bucket-owner-full-control" });
        let call = Call::new("s3", "PutObject", self.caller(scope), scope.clone(), input).with_body(body);
        cloud.call(call).await.map(drop)
    }

    /// An object for each stream: lines with the time and the message. Slashes in a stream's name become dashes.
    async fn write(&self, cloud: &Cloud, scope: &Scope, stream_prefix: Option<String>) -> Result<()> {
        let mut streams: BTreeMap<String, GzEncoder<Vec<u8>>> = BTreeMap::new();
        let mut input = json!({ "logGroupName": self.log_group_name, "startTime": self.from, "endTime": self.to });
        if let Some(prefix) = stream_prefix {
            input["logStreamNamePrefix"] = json!(prefix);
        }
        loop {
            let call = Call::new("logs", "FilterLogEvents", self.caller(scope), scope.clone(), input.clone());
            let page = cloud.call(call).await?.output;
            for event in page["events"].as_array().into_iter().flatten() {
                let stream = event["logStreamName"].as_str().unwrap_or_default();
                let time = Timestamp::from_millis(event["timestamp"].as_i64().unwrap_or_default()).to_iso_millis();
                let new = || GzEncoder::new(Vec::new(), Compression::default());
                let object = streams.entry(stream.replace('/', "-")).or_insert_with(new);
                let message = event["message"].as_str().unwrap_or_default();
                writeln!(object, "{time} {message}").map_err(Error::internal)?;
            }
            if page["nextToken"].is_null() {
                break;
            }
            input["nextToken"] = page["nextToken"].clone();
        }
        for (stream, object) in streams {
            let key = format!("{}/{}/{stream}/000000.gz", self.destination_prefix, self.task_id);
            self.put(cloud, scope, key, object.finish().map_err(Error::internal)?).await?;
        }
        Ok(())
    }

    fn code(&self) -> &str {
        self.status.as_ref().map_or("RUNNING", |status| status.code.as_str())
    }

    fn show(&self) -> Value {
        let mut shown = json!(self);
        if let Some(members) = shown.as_object_mut() {
            members.remove("number");
        }
        if self.status.is_none() {
            shown["status"] = json!({ "code": self.code() });
        }
        shown
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Describe {
    task_id: Option<String>,
    status_code: Option<String>,
    next_token: Option<String>,
    limit: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    export_tasks: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// The newest first.
fn describe(cx: &mut Cx<LogGroups>, input: Describe) -> Result<Described> {
    let before = input.next_token.as_deref().map(token::decode::<u64>).transpose()?;
    let size = input.limit.unwrap_or(PAGE).min(PAGE);
    let wanted = |task: &&Export| {
        task.code() != REFUSED
            && before.is_none_or(|before| task.number < before)
            && input.task_id.as_ref().is_none_or(|id| *id == task.task_id)
            && input.status_code.as_ref().is_none_or(|wanted| wanted == task.code())
    };
    let mut found: Vec<&Export> = cx.state.exports.values().filter(wanted).collect();
    found.sort_by_key(|task| std::cmp::Reverse(task.number));
    let more = found.len() > size;
    found.truncate(size);
    let last = found.last().filter(|_| more).map(|task| task.number);
    let next_token = last.map(|number| token::encode(&number)).transpose()?;
    Ok(Described { export_tasks: found.into_iter().map(Export::show).collect(), next_token })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cancel {
    task_id: String,
}

fn cancel(cx: &mut Cx<LogGroups>, input: Cancel) -> Result<()> {
    match cx.state.exports.get(&input.task_id) {
        None => Err(missing("The specified export task does not exist.")),
        Some(_) => Err(Error::client("InvalidOperationException", "The specified export task has already finished")),
    }
}
