//! `ExportTableToPointInTime`, `DescribeExport`, `ListExports`.
//!
//! An export holds the items as they were when it was asked for; they go to S3 file by file, then the manifests.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html>

use std::io::Write;
use std::ops::Bound;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Failure, Status, call_s3, describe_end, id, page, repeated, requester};
use crate::cloud::{Call, Caller, Cloud, Cx, JobFuture, Scope, Service, Target, job_input, pairs};
use crate::dynamodb::errors::{parameter, validation};
use crate::dynamodb::place::Place;
use crate::dynamodb::shown::Attributes;
use crate::dynamodb::table::Stored;
use crate::dynamodb::{Tables, target};
use crate::{Error, Result, Timestamp};

/// `ListExports` answers at most so many.
const PAGE: usize = 25;
/// A data file has at most so many items, and no more once it has so many bytes. The service's own figures are not known.
const FILE_ITEMS: usize = 10_000;
const FILE_BYTES: usize = 16 << 20;
/// The version of the manifests.
const MANIFEST_VERSION: &str = "2020-06-30";

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Tables>) -> Service<Tables> {
    service
        .op("ExportTableToPointInTime", |at, i: &ExportTable| target::table(at, &i.table_arn), export)
        .op("DescribeExport", |_, i: &OfExport| Target::on(&i.export_arn), describe_export)
        .op("ListExports", |_, _: &ListExports| Target::any(), list)
        .job("WriteExport", write_export)
        .event("Export", report)
}

/// An export.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::dynamodb) struct Export {
    table_arn: Arc<str>,
    table_id: String,
    /// The request, as answers repeat it.
    request: ExportTable,
    /// The folder that it writes to.
    folder: String,
    caller: Caller,
    /// The items, until all are written.
    #[serde(with = "pairs")]
    items: OrdMap<Place, Arc<Stored>>,
    /// The place of the last item that was written.
    after: Option<Place>,
    files: Vec<DataFile>,
    phase: Phase,
    status: Status,
    time: Timestamp,
    started: Timestamp,
    ended: Option<Timestamp>,
    failure: Option<Failure>,
    billed: u64,
    count: usize,
}

/// What is being written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Phase {
    /// A file that shows that files can be written.
    Probe,
    Data,
    Manifests,
}

/// A data file as the manifest lists it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct DataFile {
    item_count: usize,
    md5_checksum: String,
    etag: String,
    data_file_s3_key: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ExportTable {
    table_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    export_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_token: Option<String>,
    s3_bucket: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    s3_bucket_owner: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    s3_prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    s3_sse_algorithm: Option<String>,
    #[serde(default = "dynamodb_json")]
    export_format: String,
    #[serde(default = "full")]
    export_type: String,
}

fn dynamodb_json() -> String {
    "DYNAMODB_JSON".to_owned()
}

fn full() -> String {
    "FULL_EXPORT".to_owned()
}

impl ExportTable {
    /// Refuses what Garoa does not write.
    fn check(&self, now: Timestamp) -> Result<()> {
        let refused = |what: &str| Err(Error::not_implemented(format!("{what} of dynamodb:ExportTableToPointInTime")));
        if self.export_format != "DYNAMODB_JSON" {
            return refused("the export format ION");
        }
        if self.export_type != "FULL_EXPORT" {
            return refused("the export type INCREMENTAL_EXPORT");
        }
        if self.s3_sse_algorithm.as_deref() == Some("KMS") {
            return refused("the S3SseAlgorithm KMS");
        }
        match self.export_time {
            Some(time) if time > now => {
                Err(Error::client("InvalidExportTimeException", "The specified ExportTime is in the future"))
            }
            Some(time) if time.secs() < now.secs() => refused("an ExportTime in the past"),
            _ => Ok(()),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ExportOutput {
    export_description: Value,
}

/// What the job is told: objects to write, their bodies in base64.
#[derive(Serialize, Deserialize)]
struct Order {
    export: Arc<str>,
    caller: Caller,
    bucket: String,
    owner: Option<String>,
    objects: Vec<(String, String)>,
}

/// What the job reports: the entity tags of the objects, or why there are none.
#[derive(Serialize, Deserialize)]
struct Report {
    export: Arc<str>,
    written: std::result::Result<Vec<String>, Failure>,
}

fn export(cx: &mut Cx<Tables>, input: ExportTable) -> Result<ExportOutput> {
    let request = serde_json::to_value(&input).map_err(Error::internal)?;
    if let Some(arn) = repeated(cx, input.client_token.as_deref(), &request, "ExportConflictException")? {
        return output(cx, &arn);
    }
    input.check(cx.now)?;
    if !input.table_arn.starts_with("arn:") {
        return Err(validation(format!("Invalid TableArn: {}", input.table_arn)));
    }
    let missing = |_| Error::client("TableNotFoundException", format!("Table not found: {}", input.table_arn));
    let table = cx.state.table(&input.table_arn).map_err(missing)?.clone();
    let definition = &table.definition;
    if definition.settings.recovery.is_none() {
        let message = format!("Point in time recovery is not enabled for table '{}'", definition.name);
        return Err(Error::client("PointInTimeRecoveryUnavailableException", message));
    }
    let id = id(cx);
    let arn: Arc<str> = format!("{}/export/{id}", definition.arn).into();
    let prefix = input.s3_prefix.as_deref().filter(|prefix| !prefix.is_empty());
    let export = Export {
        table_arn: definition.arn.clone(),
        table_id: definition.id.clone(),
        folder: prefix.map_or_else(String::new, |prefix| format!("{}/", prefix.trim_end_matches('/')))
            + &format!("AWSDynamoDB/{id}"),
        caller: requester(cx),
        items: table.items.clone(),
        after: None,
        files: Vec::new(),
        phase: Phase::Probe,
        status: Status::InProgress,
        time: input.export_time.unwrap_or(cx.now),
        started: cx.now,
        ended: None,
        failure: None,
        billed: table.size,
        count: table.items.len(),
        request: input,
    };
    write(cx, &arn, &export, vec![(format!("{}/_started", export.folder), Vec::new())])?;
    if let Some(token) = export.request.client_token.clone() {
        cx.state.transfer_tokens.insert(token, (request, arn.clone()));
    }
    cx.state.exports.insert(arn.clone(), export);
    output(cx, &arn)
}

/// Has the job write objects.
fn write(cx: &mut Cx<Tables>, arn: &Arc<str>, export: &Export, objects: Vec<(String, Vec<u8>)>) -> Result<()> {
    let order = Order {
        export: arn.clone(),
        caller: export.caller.clone(),
        bucket: export.request.s3_bucket.clone(),
        owner: export.request.s3_bucket_owner.clone(),
        objects: objects.into_iter().map(|(key, body)| (key, STANDARD.encode(body))).collect(),
    };
    cx.start("WriteExport", &order)
}

fn output(cx: &Cx<Tables>, arn: &str) -> Result<ExportOutput> {
    let missing = || Error::client("ExportNotFoundException", format!("Export not found: {arn}"));
    let export = cx.state.exports.get(arn).ok_or_else(missing)?;
    let mut shown = serde_json::to_value(&export.request).map_err(Error::internal)?;
    shown["ExportArn"] = json!(arn);
    shown["ExportStatus"] = json!(export.status);
    shown["TableArn"] = json!(export.table_arn);
    shown["TableId"] = json!(export.table_id);
    shown["ExportTime"] = json!(export.time);
    shown["S3SseAlgorithm"] = json!(export.request.s3_sse_algorithm.as_deref().unwrap_or("AES256"));
    describe_end(&mut shown, export.started, export.ended, export.failure.as_ref());
    if export.status == Status::Completed {
        shown["ExportManifest"] = json!(format!("{}/manifest-summary.json", export.folder));
        shown["BilledSizeBytes"] = json!(export.billed);
        shown["ItemCount"] = json!(export.count);
    }
    Ok(ExportOutput { export_description: shown })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfExport {
    export_arn: String,
}

fn describe_export(cx: &mut Cx<Tables>, input: OfExport) -> Result<ExportOutput> {
    output(cx, &input.export_arn)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListExports {
    table_arn: Option<String>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListOutput {
    export_summaries: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

fn list(cx: &mut Cx<Tables>, input: ListExports) -> Result<ListOutput> {
    let size = match input.max_results {
        Some(0) => return Err(parameter("MaxResults must be at least 1")),
        size => size.unwrap_or(PAGE).min(PAGE),
    };
    let (page, next_token) = page(&cx.state.exports, input.table_arn.as_deref(), input.next_token.as_deref(), size)?;
    let summary = |(arn, export): &(&Arc<str>, &Export)| json!({ "ExportArn": arn, "ExportStatus": export.status, "ExportType": export.request.export_type });
    Ok(ListOutput { export_summaries: page.iter().map(summary).collect(), next_token })
}

/// The job: writes objects and reports.
fn write_export(cloud: Cloud, scope: Scope, order: Value) -> JobFuture {
    Box::pin(async move {
        let Some(order) = job_input::<Order>(order) else { return };
        let written = put_all(&cloud, &scope, &order).await.map_err(Failure::from);
        cloud.report("dynamodb", &scope, "Export", &Report { export: order.export, written });
    })
}

async fn put_all(cloud: &Cloud, scope: &Scope, order: &Order) -> Result<Vec<String>> {
    let mut tags = Vec::new();
    for (key, body) in &order.objects {
        let mut input = json!({ "Bucket": order.bucket, "Key": key });
        if let Some(owner) = &order.owner {
            input["ExpectedBucketOwner"] = json!(owner);
        }
        let body = STANDARD.decode(body).map_err(Error::internal)?;
        let call = Call::new("s3", "PutObject", order.caller.clone(), scope.clone(), input).with_body(body);
        let reply = call_s3(cloud, call).await?;
        tags.push(reply.output["ETag"].as_str().unwrap_or_default().trim_matches('"').to_owned());
    }
    Ok(tags)
}

/// The event: objects were written, and it is time for the next ones.
fn report(cx: &mut Cx<Tables>, report: &str) -> Result<()> {
    let Report { export: arn, written } = serde_json::from_str(report)?;
    let Some(mut export) = cx.state.exports.get(&arn).cloned() else { return Ok(()) };
    match (written, export.phase) {
        (Err(failure), _) => export.end(cx.now, Some(failure)),
        (Ok(_), Phase::Manifests) => export.end(cx.now, None),
        (Ok(tags), _) => {
            if let (Some(file), Some(tag)) = (export.files.last_mut(), tags.into_iter().next()) {
                file.etag = tag;
            }
            let objects = match export.next_file(cx)? {
                Some(file) => vec![file],
                None => export.manifests(&arn)?,
            };
            write(cx, &arn, &export, objects)?;
        }
    }
    cx.state.exports.insert(arn, export);
    Ok(())
}

impl Export {
    fn end(&mut self, now: Timestamp, failure: Option<Failure>) {
        self.status = if failure.is_some() { Status::Failed } else { Status::Completed };
        (self.failure, self.ended, self.items) = (failure, Some(now), OrdMap::new());
    }

    /// The next data file, if items are left. There is one at least.
    fn next_file(&mut self, cx: &mut Cx<Tables>) -> Result<Option<(String, Vec<u8>)>> {
        let start = self.after.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        let mut lines = Vec::new();
        let (mut count, mut last) = (0, None);
        for (place, stored) in self.items.range::<_, Place>((start, Bound::Unbounded)).take(FILE_ITEMS) {
            serde_json::to_writer(&mut lines, &Line { item: Attributes(&stored.item) })?;
            lines.push(b'\n');
            (count, last) = (count + 1, Some(place.clone()));
            if lines.len() >= FILE_BYTES {
                break;
            }
        }
        if count == 0 && !self.files.is_empty() {
            return Ok(None);
        }
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(&lines).map_err(Error::internal)?;
        let body = gzip.finish().map_err(Error::internal)?;
        let key = format!("{}/data/{}.json.gz", self.folder, cx.ids().lower(26));
        self.files.push(DataFile {
            item_count: count,
            md5_checksum: checksum(&body),
            etag: String::new(),
            data_file_s3_key: key.clone(),
        });
        self.after = last.or(self.after.take());
        self.phase = Phase::Data;
        Ok(Some((key, body)))
    }

    /// The files that say what was written.
    fn manifests(&mut self, arn: &str) -> Result<Vec<(String, Vec<u8>)>> {
        self.phase = Phase::Manifests;
        let key = |name: &str| format!("{}/{name}", self.folder);
        let mut files = Vec::new();
        for file in &self.files {
            serde_json::to_writer(&mut files, file)?;
            files.push(b'\n');
        }
        let summary = json!({
            "version": MANIFEST_VERSION,
            "exportArn": arn,
            "startTime": self.started.to_iso_millis(),
            "endTime": self.started.to_iso_millis(),
            "tableArn": self.table_arn,
            "tableId": self.table_id,
            "exportTime": self.time.to_iso_millis(),
            "s3Bucket": self.request.s3_bucket,
            "s3Prefix": self.request.s3_prefix,
            "s3SseAlgorithm": "AES256",
            "s3SseKmsKeyId": null,
            "manifestFilesS3Key": key("manifest-files.json"),
            "billedSizeBytes": self.billed,
            "itemCount": self.count,
            "outputFormat": self.request.export_format,
            "exportType": self.request.export_type,
        });
        let summary = serde_json::to_vec(&summary)?;
        let sums = (checksum(&files).into_bytes(), checksum(&summary).into_bytes());
        Ok(vec![
            (key("manifest-files.json"), files),
            (key("manifest-files.md5"), sums.0),
            (key("manifest-summary.json"), summary),
            (key("manifest-summary.md5"), sums.1),
        ])
    }
}

/// A line of a data file.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Line<'a> {
    item: Attributes<'a>,
}

fn checksum(bytes: &[u8]) -> String {
    STANDARD.encode(md5_many::md5(bytes))
}
