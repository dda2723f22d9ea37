//! What tables have to do with other services: imports, exports, and Kinesis streams that hold their changes.

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};

use super::{Dynamo, n, s};
use crate::cloud::{Call, Caller};

impl Dynamo {
    async fn s3(&self, operation: &str, input: Value, body: &[u8]) -> (Value, Bytes) {
        let caller = Caller::root(&self.scope.account);
        let call = Call::new("s3", operation, caller, self.scope.clone(), input).with_body(body.to_vec());
        let reply = self.cloud.call(call).await.unwrap_or_else(|e| panic!("{operation}: {e}"));
        (reply.output, reply.body.unwrap_or_default())
    }

    async fn import(&self, more: Value) -> Value {
        let mut input = json!({
            "S3BucketSource": {"S3Bucket": "moves"}, "InputFormat": "DYNAMODB_JSON",
            "TableCreationParameters": {
                "TableName": "t", "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "N"}],
                "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}],
            },
        });
        for (name, value) in more.as_object().unwrap() {
            input[name] = value.clone();
        }
        let arn = self.ok("ImportTable", input).await["ImportTableDescription"]["ImportArn"].clone();
        self.cloud.settle().await.unwrap();
        self.ok("DescribeImport", json!({"ImportArn": arn})).await["ImportTableDescription"].clone()
    }

    async fn count(&self) -> Value {
        self.ok("Scan", json!({"TableName": "t"})).await["Count"].clone()
    }
}

#[tokio::test]
async fn an_import_reads_the_objects_of_a_prefix() {
    let dynamo = Dynamo::new();
    dynamo.s3("CreateBucket", json!({"Bucket": "moves"}), b"").await;
    let lines: String = (0..1200).map(|id| format!("{{\"Item\":{}}}\n", json!({"p": n(id)}))).collect();
    dynamo.s3("PutObject", json!({"Bucket": "moves", "Key": "in/1"}), lines.as_bytes()).await;
    dynamo.s3("PutObject", json!({"Bucket": "moves", "Key": "other"}), b"no item").await;
    let source = json!({"S3BucketSource": {"S3Bucket": "moves", "S3KeyPrefix": "in/"}, "ClientToken": "once"});
    let done = dynamo.import(source.clone()).await;
    assert_eq!((&done["ImportStatus"], &done["ErrorCount"]), (&json!("COMPLETED"), &json!(0)));
    assert_eq!((&done["ImportedItemCount"], &done["ProcessedSizeBytes"]), (&json!(1200), &json!(lines.len())));
    assert_eq!(dynamo.count().await, 1200);
    // The same request is the same import.
    assert_eq!(dynamo.import(source).await["ImportArn"], done["ImportArn"]);
    let listed = dynamo.ok("ListImports", json!({"TableArn": done["TableArn"]})).await;
    assert_eq!(listed["ImportSummaryList"][0]["ImportStatus"], "COMPLETED");
}

#[tokio::test]
async fn what_is_no_item_of_the_table_fails_an_import_and_the_rest_is_there() {
    let dynamo = Dynamo::new();
    dynamo.s3("CreateBucket", json!({"Bucket": "moves"}), b"").await;
    let csv = b"p|q\n1|one\nx|no number\n2|two\n3|more|than|names\n";
    dynamo.s3("PutObject", json!({"Bucket": "moves", "Key": "k"}), csv).await;
    let options = json!({"InputFormat": "CSV", "InputFormatOptions": {"Csv": {"Delimiter": "|"}}});
    let done = dynamo.import(options).await;
    assert_eq!((&done["ImportStatus"], &done["FailureCode"]), (&json!("FAILED"), &json!("ItemValidationError")));
    let counts = ["ProcessedItemCount", "ImportedItemCount", "ErrorCount"].map(|name| done[name].clone());
    assert_eq!(counts, [json!(4), json!(2), json!(2)]);
    assert_eq!(dynamo.get(json!({"p": n(2)})).await.unwrap()["q"], s("two"));
}

#[tokio::test]
async fn an_import_without_its_bucket_leaves_no_table() {
    let dynamo = Dynamo::new();
    let done = dynamo.import(json!({})).await;
    assert_eq!(done["FailureCode"], "S3NoSuchBucket");
    assert!(done["FailureMessage"].as_str().unwrap().starts_with("The specified bucket does not exist"));
    assert_eq!(dynamo.ok("ListTables", json!({})).await["TableNames"], json!([]));
    for (member, value) in [("InputFormat", "ION"), ("InputCompressionType", "ZSTD")] {
        let mut input = json!({
            "S3BucketSource": {"S3Bucket": "moves"}, "InputFormat": "CSV",
            "TableCreationParameters": {"TableName": "t", "AttributeDefinitions": [], "KeySchema": []},
        });
        input[member] = json!(value);
        input["TableCreationParameters"]["KeySchema"] = json!([{"AttributeName": "p", "KeyType": "HASH"}]);
        let refused = dynamo.err("ImportTable", input).await;
        assert_eq!(refused.status(), 501);
        assert!(refused.message().contains(value));
    }
}

#[tokio::test]
async fn an_export_holds_the_items_as_they_were() {
    let dynamo = Dynamo::with_table(None).await;
    dynamo.s3("CreateBucket", json!({"Bucket": "moves"}), b"").await;
    dynamo.put(json!({"p": s("a"), "q": {"B": "AQI="}})).await;
    let arn = dynamo.describe("t").await["TableArn"].clone();
    let input = json!({"TableArn": arn, "S3Bucket": "moves", "S3Prefix": "out"});
    let refused = dynamo.err("ExportTableToPointInTime", input.clone()).await;
    assert_eq!(refused.code(), "PointInTimeRecoveryUnavailableException");
    let on = json!({"TableName": "t", "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": true}});
    dynamo.ok("UpdateContinuousBackups", on).await;
    let begun = dynamo.ok("ExportTableToPointInTime", input).await["ExportDescription"].clone();
    assert_eq!(begun["ExportStatus"], "IN_PROGRESS");
    dynamo.put(json!({"p": s("later")})).await;
    dynamo.cloud.settle().await.unwrap();
    let done = dynamo.ok("DescribeExport", json!({"ExportArn": begun["ExportArn"]})).await["ExportDescription"].clone();
    assert_eq!((&done["ExportStatus"], &done["ItemCount"]), (&json!("COMPLETED"), &json!(1)));
    let object = |key: &Value| json!({"Bucket": "moves", "Key": key});
    let summary = dynamo.s3("GetObject", object(&done["ExportManifest"]), b"").await.1;
    let summary: Value = serde_json::from_slice(&summary).unwrap();
    let files = dynamo.s3("GetObject", object(&summary["manifestFilesS3Key"]), b"").await.1;
    let file: Value = serde_json::from_slice(&files).unwrap();
    let data = dynamo.s3("GetObject", object(&file["dataFileS3Key"]), b"").await.1;
    let mut text = String::new();
    flate2::read::GzDecoder::new(&*data).read_to_string(&mut text).unwrap();
    let line: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(line, json!({"Item": {"p": s("a"), "q": {"B": "AQI="}}}));
    let listed = dynamo.ok("ListExports", json!({"TableArn": arn})).await;
    assert_eq!(listed["ExportSummaries"][0]["ExportStatus"], "COMPLETED");
}

#[tokio::test]
async fn an_export_to_a_bucket_that_is_not_there_fails() {
    let dynamo = Dynamo::with_table(None).await;
    let on = json!({"TableName": "t", "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": true}});
    dynamo.ok("UpdateContinuousBackups", on).await;
    let arn = dynamo.describe("t").await["TableArn"].clone();
    let begun = dynamo.ok("ExportTableToPointInTime", json!({"TableArn": arn, "S3Bucket": "none"})).await;
    dynamo.cloud.settle().await.unwrap();
    let of = json!({"ExportArn": begun["ExportDescription"]["ExportArn"]});
    let done = dynamo.ok("DescribeExport", of).await["ExportDescription"].clone();
    assert_eq!((&done["ExportStatus"], &done["FailureCode"]), (&json!("FAILED"), &json!("S3NoSuchBucket")));
}

impl Dynamo {
    async fn kinesis(&self, operation: &str, input: Value) -> Value {
        self.call("kinesis", operation, input).await.unwrap_or_else(|e| panic!("{operation}: {e}"))
    }

    /// All records of the stream `k`.
    async fn sent(&self) -> Vec<Value> {
        self.cloud.settle().await.unwrap();
        let of = json!({"StreamName": "k", "ShardId": "shardId-000000000000", "ShardIteratorType": "TRIM_HORIZON"});
        let iterator = self.kinesis("GetShardIterator", of).await["ShardIterator"].clone();
        let page = self.kinesis("GetRecords", json!({"ShardIterator": iterator})).await;
        let read = |record: &Value| {
            serde_json::from_slice(&STANDARD.decode(record["Data"].as_str().unwrap()).unwrap()).unwrap()
        };
        page["Records"].as_array().unwrap().iter().map(read).collect()
    }
}

#[tokio::test]
async fn changes_of_a_table_go_to_its_kinesis_stream() {
    let dynamo = Dynamo::with_table(None).await;
    let arn = dynamo.scope.arn("kinesis", "stream/k");
    let of = json!({"TableName": "t", "StreamArn": arn});
    dynamo.ok("EnableKinesisStreamingDestination", of.clone()).await;
    dynamo.cloud.settle().await.unwrap();
    let shown = dynamo.ok("DescribeKinesisStreamingDestination", json!({"TableName": "t"})).await;
    assert_eq!(shown["KinesisDataStreamDestinations"][0]["DestinationStatus"], "ENABLE_FAILED");

    dynamo.kinesis("CreateStream", json!({"StreamName": "k", "ShardCount": 1})).await;
    dynamo.ok("EnableKinesisStreamingDestination", of.clone()).await;
    dynamo.cloud.settle().await.unwrap();
    let again = dynamo.err("EnableKinesisStreamingDestination", of.clone()).await;
    assert!(again.message().contains("must be DISABLED or ENABLE_FAILED"));
    dynamo.put(json!({"p": s("a"), "q": n(1)})).await;
    dynamo.put(json!({"p": s("a"), "q": n(1)})).await;
    let mut finer = of.clone();
    finer["UpdateKinesisStreamingConfiguration"] = json!({"ApproximateCreationDateTimePrecision": "MICROSECOND"});
    dynamo.ok("UpdateKinesisStreamingDestination", finer).await;
    dynamo.ok("DeleteItem", json!({"TableName": "t", "Key": {"p": s("a")}})).await;
    dynamo.ok("DisableKinesisStreamingDestination", of).await;
    dynamo.put(json!({"p": s("b")})).await;

    let sent = dynamo.sent().await;
    let names: Vec<&Value> = sent.iter().map(|record| &record["eventName"]).collect();
    assert_eq!(names, ["INSERT", "REMOVE"]);
    assert_eq!(sent[0]["dynamodb"]["NewImage"], json!({"p": s("a"), "q": n(1)}));
    assert_eq!(sent[1]["dynamodb"]["OldImage"], json!({"p": s("a"), "q": n(1)}));
    assert_eq!((&sent[0]["tableName"], &sent[0]["userIdentity"]), (&json!("t"), &Value::Null));
    let at = |record: &Value| record["dynamodb"]["ApproximateCreationDateTime"].as_i64().unwrap();
    assert_eq!(at(&sent[0]) * 1000, at(&sent[1]));
    assert_eq!(sent[1]["dynamodb"]["ApproximateCreationDateTimePrecision"], "MICROSECOND");
}
