//! What a bucket keeps and answers and does not act on: server access logging, acceleration, who pays, replication, and the
//! configurations of analytics, inventories, metrics and tiering. Nobody bills and nothing is far away here; logs and
//! inventories are not written, and nothing is copied elsewhere.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::bucket::OnBucket;
use super::errors;
use super::input::input;
use super::lookup::{bucket, bucket_mut};
use super::state::{Bucket, Buckets, Versioning};
use super::token;
use crate::cloud::Cx;
use crate::{Error, Result};

/// A page of configurations has at most this many.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBucketMetricsConfigurations.html>
const PAGE: usize = 100;
/// A bucket has at most this many configurations of one kind.
const CONFIGURATIONS: usize = 1000;

/// What an inventory may tell of an object besides its bucket and key.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_InventoryConfiguration.html>
const INVENTORY_FIELDS: [&str; 19] = [
    "Size",
    "LastModifiedDate",
    "StorageClass",
    "ETag",
    "IsMultipartUploaded",
    "ReplicationStatus",
    "EncryptionStatus",
    "ObjectLockRetainUntilDate",
    "ObjectLockMode",
    "ObjectLockLegalHoldStatus",
    "ObjectLockEventHoldStatus",
    "ObjectLockEventHoldDuration",
    "IntelligentTieringAccessTier",
    "BucketKeyStatus",
    "ChecksumAlgorithm",
    "ObjectAccessControlList",
    "ObjectOwner",
    "LifecycleExpirationDate",
    "IntelligentTieringReferenceDate",
];

const LOGGING: &str = "Logging";
const ACCELERATE: &str = "Accelerate";
const PAYMENT: &str = "RequestPayment";
const REPLICATION: &str = "Replication";

/// What is kept under a name.
fn kept(cx: &Cx<Buckets>, input: &OnBucket, name: &str) -> Result<Option<Value>> {
    let bucket = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    Ok(bucket.configuration.kept.get(name).cloned())
}

fn keep(cx: &mut Cx<Buckets>, name: &str, key: impl Into<String>, value: Value) -> Result<()> {
    bucket_mut(cx, name)?.configuration.kept.insert(key.into(), value);
    Ok(())
}

fn empty() -> Value {
    Value::Object(Map::new())
}

input! { guard configures; struct PutLogging { bucket_logging_status: Value, } }

pub(super) fn put_logging(cx: &mut Cx<Buckets>, input: PutLogging) -> Result<()> {
    let source = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    let Some(enabled) = input.bucket_logging_status.get("LoggingEnabled") else {
        bucket_mut(cx, &input.bucket)?.configuration.kept.remove(LOGGING);
        return Ok(());
    };
    let name = enabled.get("TargetBucket").and_then(Value::as_str).unwrap_or_default();
    let target = cx.state.buckets.get(name).filter(|target| target.owner == source.owner);
    let Some(target) = target else {
        let text = "The target bucket for logging does not exist";
        return Err(Error::new(400, "InvalidTargetBucketForLogging", text).with("TargetBucket", name));
    };
    if target.region != source.region {
        let text = "Cross S3 location logging not allowed. ";
        let error =
            Error::new(403, "CrossLocationLoggingProhibitted", text).with("TargetBucketLocation", &*target.region);
        // Home of old: S3 leaves it out where it is the source's.
        let home = &*source.region == "us-east-1";
        return Err(if home { error } else { error.with("SourceBucketLocation", &*source.region) });
    }
    keep(cx, &input.bucket, LOGGING, input.bucket_logging_status)
}

pub(super) fn get_logging(cx: &mut Cx<Buckets>, input: OnBucket) -> Result<Value> {
    Ok(kept(cx, &input, LOGGING)?.unwrap_or_else(empty))
}

input! { guard; struct PutAccelerate { accelerate_configuration: Value, _checksum_algorithm: Option<String>, } }

pub(super) fn put_accelerate(cx: &mut Cx<Buckets>, input: PutAccelerate) -> Result<()> {
    let found = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    if input.bucket.contains('.') {
        let text = "S3 Transfer Acceleration is not supported for buckets with periods (.) in their names";
        return Err(errors::invalid_request(text));
    }
    let status = input.accelerate_configuration.get("Status").and_then(Value::as_str);
    match status {
        Some("Enabled" | "Suspended") => {}
        _ => return Err(errors::malformed_xml()),
    }
    // What was never accelerated cannot be suspended.
    if status == Some("Suspended") && !found.configuration.kept.contains_key(ACCELERATE) {
        return Ok(());
    }
    keep(cx, &input.bucket, ACCELERATE, input.accelerate_configuration)
}

pub(super) fn get_accelerate(cx: &mut Cx<Buckets>, input: OnBucket) -> Result<Value> {
    Ok(kept(cx, &input, ACCELERATE)?.unwrap_or_else(empty))
}

input! { guard configures; struct PutPayment { request_payment_configuration: Value, } }

pub(super) fn put_payment(cx: &mut Cx<Buckets>, input: PutPayment) -> Result<()> {
    bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    match input.request_payment_configuration.get("Payer").and_then(Value::as_str) {
        Some("Requester" | "BucketOwner") => keep(cx, &input.bucket, PAYMENT, input.request_payment_configuration),
        _ => Err(errors::malformed_xml()),
    }
}

pub(super) fn get_payment(cx: &mut Cx<Buckets>, input: OnBucket) -> Result<Value> {
    Ok(kept(cx, &input, PAYMENT)?.unwrap_or_else(|| json!({ "Payer": "BucketOwner" })))
}

input! { guard configures; struct PutReplication { replication_configuration: Value, _token: Option<String>, } }

pub(super) fn put_replication(cx: &mut Cx<Buckets>, mut input: PutReplication) -> Result<()> {
    let source = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    if source.versioning != Versioning::Enabled {
        let text = "Versioning must be 'Enabled' on the bucket to apply a replication configuration";
        return Err(errors::invalid_request(text));
    }
    let rules = input.replication_configuration.get("Rules").and_then(Value::as_array).cloned().unwrap_or_default();
    if rules.is_empty() || rules.len() > CONFIGURATIONS {
        return Err(errors::malformed_xml());
    }
    let mut named = Vec::with_capacity(rules.len());
    for mut rule in rules {
        let arn = rule.pointer("/Destination/Bucket").and_then(Value::as_str).unwrap_or_default();
        let target = arn.strip_prefix("arn:aws:s3:::").and_then(|name| cx.state.buckets.get(name));
        if target.is_none_or(|target| target.versioning != Versioning::Enabled) {
            return Err(errors::invalid_request("Destination bucket must have versioning enabled."));
        }
        if rule.get("ID").and_then(Value::as_str).is_none_or(str::is_empty) {
            rule["ID"] = cx.ids.uuid().into();
        }
        named.push(rule);
    }
    input.replication_configuration["Rules"] = Value::Array(named);
    keep(cx, &input.bucket, REPLICATION, input.replication_configuration)
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ReplicationOutput {
    replication_configuration: Value,
}

pub(super) fn get_replication(cx: &mut Cx<Buckets>, input: OnBucket) -> Result<ReplicationOutput> {
    let replication_configuration = kept(cx, &input, REPLICATION)?.ok_or_else(|| {
        let text = "The replication configuration was not found";
        Error::new(404, "ReplicationConfigurationNotFoundError", text).with("BucketName", input.bucket)
    })?;
    Ok(ReplicationOutput { replication_configuration })
}

pub(super) fn delete_replication(cx: &mut Cx<Buckets>, input: OnBucket) -> Result<()> {
    bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    bucket_mut(cx, &input.bucket)?.configuration.kept.remove(REPLICATION);
    Ok(())
}

input! { guard; struct OfId { id: String, } }
input! { guard; struct Listed { continuation_token: Option<String>, } }

fn missing() -> Error {
    Error::new(404, "NoSuchConfiguration", "The specified configuration does not exist.")
}

/// Keeps a configuration that has an id of its own.
fn put_named(cx: &mut Cx<Buckets>, name: &str, owner: Option<&str>, kind: &str, id: &str, value: Value) -> Result<()> {
    let found = bucket(cx, name, owner)?;
    if value.get("Id").and_then(Value::as_str) != Some(id) {
        // Only some kinds have an error of their own for it.
        if kind == "Analytics" || kind == "IntelligentTiering" {
            return Err(errors::malformed_xml());
        }
        let text = "Document ID does not match the specified configuration ID.";
        return Err(Error::new(400, "IdMismatch", text));
    }
    check_destination(kind, &value)?;
    let prefix = format!("{kind}/");
    let key = format!("{prefix}{id}");
    let others = found.configuration.kept.keys().filter(|other| other.starts_with(&prefix) && **other != key).count();
    if others >= CONFIGURATIONS {
        let text = "You have attempted to create more configurations than allowed";
        return Err(Error::new(400, "TooManyConfigurations", text));
    }
    keep(cx, name, key, value)
}

/// An inventory goes to a bucket, which its ARN names.
fn check_destination(kind: &str, value: &Value) -> Result<()> {
    if kind != "Inventory" {
        return Ok(());
    }
    let arn = value.pointer("/Destination/S3BucketDestination/Bucket").and_then(Value::as_str).unwrap_or_default();
    if !arn.starts_with("arn:aws:s3:::") {
        return Err(Error::new(400, "InvalidS3DestinationBucket", "Invalid bucket ARN."));
    }
    let is = |pointer: &str, known: &[&str]| {
        value.pointer(pointer).and_then(Value::as_str).is_none_or(|text| known.contains(&text))
    };
    let fields = value.get("OptionalFields").and_then(Value::as_array).into_iter().flatten();
    let known = is("/Destination/S3BucketDestination/Format", &["CSV", "ORC", "Parquet"])
        && is("/Schedule/Frequency", &["Daily", "Weekly"])
        && is("/IncludedObjectVersions", &["All", "Current"])
        && fields.into_iter().all(|field| field.as_str().is_some_and(|field| INVENTORY_FIELDS.contains(&field)));
    if known { Ok(()) } else { Err(errors::malformed_xml()) }
}

fn get_named(cx: &Cx<Buckets>, input: &OfId, kind: &str) -> Result<Value> {
    let bucket = bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    bucket.configuration.kept.get(&format!("{kind}/{}", input.id)).cloned().ok_or_else(missing)
}

fn delete_named(cx: &mut Cx<Buckets>, input: &OfId, kind: &str) -> Result<()> {
    bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    let kept = &mut bucket_mut(cx, &input.bucket)?.configuration.kept;
    kept.remove(&format!("{kind}/{}", input.id)).map(drop).ok_or_else(missing)
}

/// A page of the configurations of a kind: the member that holds the list is named as the kind.
fn list_named(bucket: &Bucket, kind: &str, given: Option<String>) -> Result<Value> {
    let after = given.as_deref().map(token::read).transpose()?.unwrap_or_default();
    let prefix = format!("{kind}/");
    let all = bucket.configuration.kept.iter().filter(|(key, _)| key.starts_with(&prefix) && **key > after);
    let mut page: Vec<_> = all.take(PAGE + 1).collect();
    let truncated = page.len() > PAGE;
    page.truncate(PAGE);
    let mut output = json!({ "IsTruncated": truncated });
    if let (true, Some((last, _))) = (truncated, page.last()) {
        output["NextContinuationToken"] = token::write(last).into();
    }
    if let Some(given) = given {
        output["ContinuationToken"] = given.into();
    }
    if !page.is_empty() {
        output[format!("{kind}ConfigurationList")] = page.into_iter().map(|(_, value)| value.clone()).collect();
    }
    Ok(output)
}

/// The four operations on configurations of a kind.
macro_rules! named {
    ($kind:literal, $member:ident, $input:ident, $put:ident, $get:ident, $delete:ident, $list:ident) => {
        input! { guard; struct $input { id: String, $member: Value, } }

        pub(super) fn $put(cx: &mut Cx<Buckets>, input: $input) -> Result<()> {
            put_named(cx, &input.bucket, input.expected_bucket_owner.as_deref(), $kind, &input.id, input.$member)?;
            cx.answer_status(204);
            Ok(())
        }

        pub(super) fn $get(cx: &mut Cx<Buckets>, input: OfId) -> Result<Value> {
            let value = get_named(cx, &input, $kind)?;
            Ok(json!({ concat!($kind, "Configuration"): value }))
        }

        pub(super) fn $delete(cx: &mut Cx<Buckets>, input: OfId) -> Result<()> {
            delete_named(cx, &input, $kind)
        }

        pub(super) fn $list(cx: &mut Cx<Buckets>, input: Listed) -> Result<Value> {
            list_named(bucket(cx, &input.bucket, input.expected_bucket_owner.as_deref())?, $kind, input.continuation_token)
        }
    };
}

named!(
    "Analytics",
    analytics_configuration,
    PutAnalytics,
    put_analytics,
    get_analytics,
    delete_analytics,
    list_analytics
);
named!(
    "Inventory",
    inventory_configuration,
    PutInventory,
    put_inventory,
    get_inventory,
    delete_inventory,
    list_inventory
);
named!("Metrics", metrics_configuration, PutMetrics, put_metrics, get_metrics, delete_metrics, list_metrics);
named!(
    "IntelligentTiering",
    intelligent_tiering_configuration,
    PutTiering,
    put_tiering,
    get_tiering,
    delete_tiering,
    list_tiering
);
