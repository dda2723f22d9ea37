//! `ImportTable`, `DescribeImport`, `ListImports`.
//!
//! The table is there at once, as every new table is, and fills as the job reads. If nothing could be read at all, it is
//! taken away again.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataImport.HowItWorks.html>

use std::sync::Arc;

use dynamodb_expressions::item_from_json;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::source::{Bucket, CsvOptions, Format, Records, S3BucketSource, check_readable};
use super::{Failure, Status, describe_end, id, page, repeated, requester};
use crate::cloud::{Caller, Cloud, Cx, JobFuture, Scope, Service, Target};
use crate::dynamodb::create_table::{self, CreateTable};
use crate::dynamodb::definition::{
    AttributeDefinition, IndexDefinition, KeySchemaElement, OnDemandThroughput, ProvisionedThroughput, SseSpecification,
};
use crate::dynamodb::put_item::check_item_size;
use crate::dynamodb::table::Stored;
use crate::dynamodb::write::{Writer, commit};
use crate::dynamodb::{Tables, target};
use crate::{Error, Result, Timestamp};

/// `ListImports` answers at most so many.
const PAGE: usize = 25;
/// So many items are put in one step.
const BATCH: usize = 500;

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Tables>) -> Service<Tables> {
    service
        .op("ImportTable", |at, i: &ImportTable| Target::on(target::table_arn(at.scope, i.table())), import)
        .op("DescribeImport", |_, i: &OfImport| Target::on(&i.import_arn), describe_import)
        .op("ListImports", |_, _: &ListImports| Target::any(), list)
        .job("ReadImport", read_import)
        .event("Import", report)
}

/// An import.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::dynamodb) struct Import {
    table: Arc<str>,
    table_arn: String,
    table_id: String,
    /// The request, as answers repeat it.
    request: Value,
    status: Status,
    started: Timestamp,
    ended: Option<Timestamp>,
    failure: Option<Failure>,
    errors: u64,
    processed: u64,
    imported: u64,
    bytes: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ImportTable {
    #[serde(skip_serializing_if = "Option::is_none")]
    client_token: Option<String>,
    s3_bucket_source: S3BucketSource,
    input_format: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    input_format_options: Option<InputFormatOptions>,
    #[serde(default = "uncompressed")]
    input_compression_type: String,
    table_creation_parameters: TableCreationParameters,
}

fn uncompressed() -> String {
    "NONE".to_owned()
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InputFormatOptions {
    #[serde(skip_serializing_if = "Option::is_none")]
    csv: Option<CsvOptions>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TableCreationParameters {
    table_name: String,
    attribute_definitions: Vec<AttributeDefinition>,
    key_schema: Vec<KeySchemaElement>,
    #[serde(skip_serializing_if = "Option::is_none")]
    billing_mode: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provisioned_throughput: Option<ProvisionedThroughput>,
    #[serde(skip_serializing_if = "Option::is_none")]
    on_demand_throughput: Option<OnDemandThroughput>,
    #[serde(rename = "SSESpecification", skip_serializing_if = "Option::is_none")]
    sse_specification: Option<SseSpecification>,
    #[serde(skip_serializing_if = "Option::is_none")]
    global_secondary_indexes: Option<Vec<IndexDefinition>>,
}

impl From<TableCreationParameters> for CreateTable {
    fn from(parameters: TableCreationParameters) -> Self {
        Self {
            table_name: parameters.table_name,
            attribute_definitions: parameters.attribute_definitions,
            key_schema: parameters.key_schema,
            billing_mode: parameters.billing_mode,
            provisioned_throughput: parameters.provisioned_throughput,
            on_demand_throughput: parameters.on_demand_throughput,
            sse_specification: parameters.sse_specification,
            global_secondary_indexes: parameters.global_secondary_indexes,
            ..Self::default()
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ImportOutput {
    import_table_description: Value,
}

/// What the job is told.
#[derive(Serialize, Deserialize)]
struct Order {
    import: Arc<str>,
    caller: Caller,
    source: S3BucketSource,
    gzip: bool,
    format: Format,
}

/// What the job reports.
#[derive(Serialize, Deserialize)]
struct Report {
    import: Arc<str>,
    news: News,
}

#[derive(Serialize, Deserialize)]
enum News {
    /// Items in their wire form, pieces that are none, and the bytes of both.
    Read {
        items: Vec<Value>,
        errors: u64,
        bytes: u64,
    },
    End(Option<Failure>),
}

impl ImportTable {
    fn table(&self) -> &str {
        &self.table_creation_parameters.table_name
    }

    fn format(&self) -> Format {
        if self.input_format != "CSV" {
            return Format::DynamoDbJson;
        }
        let options = self.input_format_options.as_ref().and_then(|options| options.csv.clone());
        let definitions = self.table_creation_parameters.attribute_definitions.iter();
        let types = definitions.map(|one| (one.attribute_name.clone(), one.attribute_type.clone())).collect();
        Format::Csv(options.unwrap_or_default(), types)
    }
}

fn import(cx: &mut Cx<Tables>, input: ImportTable) -> Result<ImportOutput> {
    let request = serde_json::to_value(&input).map_err(Error::internal)?;
    if let Some(arn) = repeated(cx, input.client_token.as_deref(), &request, "ImportConflictException")? {
        return output(cx, &arn);
    }
    check_readable(&input.input_format, &input.input_compression_type)?;
    let table = create_table::create(cx, input.table_creation_parameters.clone().into())?.table_description;
    let text = |member: &str| table[member].as_str().unwrap_or_default().to_owned();
    let (table_arn, table_id) = (text("TableArn"), text("TableId"));
    let arn: Arc<str> = format!("{table_arn}/import/{}", id(cx)).into();
    let order = Order {
        import: arn.clone(),
        caller: requester(cx),
        source: input.s3_bucket_source.clone(),
        gzip: input.input_compression_type == "GZIP",
        format: input.format(),
    };
    cx.start("ReadImport", &order)?;
    if let Some(token) = input.client_token.clone() {
        cx.state.transfer_tokens.insert(token, (request.clone(), arn.clone()));
    }
    let import = Import {
        table: input.table().into(),
        table_arn,
        table_id,
        request,
        status: Status::InProgress,
        started: cx.now,
        ended: None,
        failure: None,
        errors: 0,
        processed: 0,
        imported: 0,
        bytes: 0,
    };
    cx.state.imports.insert(arn.clone(), import);
    output(cx, &arn)
}

fn output(cx: &Cx<Tables>, arn: &str) -> Result<ImportOutput> {
    let missing = || Error::client("ImportNotFoundException", format!("Import not found: {arn}"));
    let import = cx.state.imports.get(arn).ok_or_else(missing)?;
    Ok(ImportOutput { import_table_description: describe(arn, import) })
}

fn describe(arn: &str, import: &Import) -> Value {
    let mut shown = import.request.clone();
    shown["ImportArn"] = json!(arn);
    shown["ImportStatus"] = json!(import.status);
    shown["TableArn"] = json!(import.table_arn);
    shown["TableId"] = json!(import.table_id);
    describe_end(&mut shown, import.started, import.ended, import.failure.as_ref());
    if import.status != Status::InProgress {
        shown["ErrorCount"] = json!(import.errors);
        shown["ProcessedItemCount"] = json!(import.processed);
        shown["ImportedItemCount"] = json!(import.imported);
        shown["ProcessedSizeBytes"] = json!(import.bytes);
    }
    shown
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfImport {
    import_arn: String,
}

fn describe_import(cx: &mut Cx<Tables>, input: OfImport) -> Result<ImportOutput> {
    output(cx, &input.import_arn)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListImports {
    table_arn: Option<String>,
    page_size: Option<usize>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ListOutput {
    import_summary_list: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

fn list(cx: &mut Cx<Tables>, input: ListImports) -> Result<ListOutput> {
    let size = input.page_size.unwrap_or(PAGE).min(PAGE);
    let (page, next_token) = page(&cx.state.imports, input.table_arn.as_deref(), input.next_token.as_deref(), size)?;
    let wanted = ["ImportArn", "ImportStatus", "TableArn", "S3BucketSource", "InputFormat", "StartTime", "EndTime"];
    let summary = |(arn, import): &(&Arc<str>, &Import)| {
        let mut shown = describe(arn, import);
        if let Some(members) = shown.as_object_mut() {
            members.retain(|name, _| wanted.contains(&name.as_str()));
        }
        shown
    };
    Ok(ListOutput { import_summary_list: page.iter().map(summary).collect(), next_token })
}

/// The job: reads all objects, one after another, and reports what is in them.
fn read_import(cloud: Cloud, scope: Scope, order: Value) -> JobFuture {
    Box::pin(async move {
        let done = match serde_json::from_value::<Order>(order) {
            Ok(order) => {
                let end = read_all(&cloud, &scope, &order).await.err();
                tell(&cloud, &scope, &order, News::End(end))
            }
            Err(error) => Err(error.into()),
        };
        if let Err(error) = done {
            tracing::error!(%error, "the end of an import was not noted");
        }
    })
}

async fn read_all(cloud: &Cloud, scope: &Scope, order: &Order) -> std::result::Result<(), Failure> {
    let bucket = Bucket { cloud, scope, caller: &order.caller, source: &order.source };
    for key in bucket.keys().await? {
        let Records { items, mut errors, mut bytes } = bucket.read(&key, order.gzip, &order.format).await?;
        let mut items = items.into_iter();
        loop {
            let batch: Vec<Value> = items.by_ref().take(BATCH).collect();
            if batch.is_empty() && errors == 0 && bytes == 0 {
                break;
            }
            tell(cloud, scope, order, News::Read { items: batch, errors, bytes })?;
            (errors, bytes) = (0, 0);
        }
    }
    Ok(())
}

fn tell(cloud: &Cloud, scope: &Scope, order: &Order, news: News) -> Result<()> {
    let report = serde_json::to_string(&Report { import: order.import.clone(), news })?;
    cloud.0.event("dynamodb", scope, "Import", &report)
}

/// The event: items were read, or the import is over.
fn report(cx: &mut Cx<Tables>, report: &str) -> Result<()> {
    let Report { import: arn, news } = serde_json::from_str(report)?;
    let Some(mut import) = cx.state.imports.get(&arn).cloned() else { return Ok(()) };
    let is_there = cx.state.table(&import.table).is_ok_and(|table| table.definition.id == import.table_id);
    match news {
        News::Read { items, errors, bytes } => {
            import.processed += items.len() as u64 + errors;
            import.errors += errors;
            import.bytes += bytes;
            for item in items {
                match is_there && put(cx, &import.table, &item).is_ok() {
                    true => import.imported += 1,
                    false => import.errors += 1,
                }
            }
        }
        News::End(failure) => {
            if failure.is_some() && import.processed == 0 && is_there {
                cx.state.tables.remove(&import.table);
            }
            let invalid = || Failure {
                code: "ItemValidationError".to_owned(),
                message:
                    "Some of the items failed validation checks and were not imported. Please check CloudWatch error \
                          logs for more details."
                        .to_owned(),
            };
            import.failure = failure.or_else(|| (import.errors > 0).then(invalid));
            import.status = if import.failure.is_some() { Status::Failed } else { Status::Completed };
            import.ended = Some(cx.now);
        }
    }
    cx.state.imports.insert(arn, import);
    Ok(())
}

/// Puts an item, if the table can have it.
fn put(cx: &mut Cx<Tables>, name: &str, item: &Value) -> Result<()> {
    let json = item.as_object().ok_or_else(|| Error::internal("an item that is none"))?;
    let new = Arc::new(Stored::new(item_from_json(json)?));
    check_item_size(&new)?;
    let table = cx.state.table(name)?;
    let place = table.definition.key.place_of_item(&new.item)?;
    table.check_index_keys(&new.item)?;
    commit(cx, name, &place, Some(&new), Writer::Caller).map(drop)
}
