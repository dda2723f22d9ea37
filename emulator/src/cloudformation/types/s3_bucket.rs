//! `AWS::S3::Bucket`.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucket.html>

use serde_json::{Map, Value, json};

use super::s3_bucket_shapes as shapes;
use super::{Made, ResourceType, Task, may_change, replaces};
use crate::{Error, Result};

pub(super) const TYPE: ResourceType = ResourceType {
    name: "AWS::S3::Bucket",
    properties: &[
        replaces("BucketName"),
        may_change("AccelerateConfiguration"),
        may_change("AccessControl"),
        may_change("BucketEncryption"),
        may_change("CorsConfiguration"),
        may_change("LifecycleConfiguration"),
        may_change("LoggingConfiguration"),
        may_change("NotificationConfiguration"),
        may_change("ObjectLockConfiguration"),
        replaces("ObjectLockEnabled"),
        may_change("OwnershipControls"),
        may_change("PublicAccessBlockConfiguration"),
        may_change("Tags"),
        may_change("VersioningConfiguration"),
        may_change("WebsiteConfiguration"),
    ],
    name_property: Some("BucketName"),
    create: |task| Box::pin(create(task)),
    update: |task| Box::pin(update(task)),
    delete: |task| Box::pin(delete(task)),
};

/// The longest name of a bucket.
const NAME_LIMIT: usize = 63;
/// The region whose buckets have no location constraint.
const CLASSIC_REGION: &str = "us-east-1";

async fn create(task: &Task<'_>) -> Result<Made> {
    // Names of buckets have no upper case.
    let name = match task.get("BucketName") {
        Value::Null => task.generated(NAME_LIMIT).to_lowercase(),
        _ => task.name("BucketName", NAME_LIMIT),
    };
    let region = &*task.door.scope.region;
    // Here, and nowhere else, S3 takes the making of one's own bucket for done already.
    let is_taken = region == CLASSIC_REGION
        && task.properties.contains_key("BucketName")
        && task.door.call("s3", "HeadBucket", json!({ "Bucket": name })).await.is_ok();
    if is_taken {
        return Err(Error::new(409, "BucketAlreadyExists", format!("{name} already exists")));
    }
    let location = (region != CLASSIC_REGION).then(|| json!({ "LocationConstraint": region }));
    let mut input = json!({ "Bucket": name, "CreateBucketConfiguration": location });
    if !task.get("ObjectLockEnabled").is_null() {
        input["ObjectLockEnabledForBucket"] = task.get("ObjectLockEnabled");
    }
    task.door.call("s3", "CreateBucket", input).await?;
    task.begun(&name);
    configure(task, &name).await?;
    Ok(made(task, &name))
}

async fn update(task: &Task<'_>) -> Result<Made> {
    configure(task, task.physical_id).await?;
    Ok(made(task, task.physical_id))
}

async fn delete(task: &Task<'_>) -> Result<()> {
    task.door.call("s3", "DeleteBucket", json!({ "Bucket": task.physical_id })).await.map(drop)
}

/// Brings every configuration that differs from what there is up to date. A new bucket has none.
async fn configure(task: &Task<'_>, bucket: &str) -> Result<()> {
    if task.changes(&["VersioningConfiguration"]) {
        // Versioning is never taken away again, only suspended.
        let wanted = task.get("VersioningConfiguration");
        let wanted = if wanted.is_null() { json!({ "Status": "Suspended" }) } else { wanted };
        let input = json!({ "Bucket": bucket, "VersioningConfiguration": wanted });
        task.door.call("s3", "PutBucketVersioning", input).await?;
    }
    let public = task.get("PublicAccessBlockConfiguration");
    put(task, bucket, "PublicAccessBlockConfiguration", "PublicAccessBlock", public).await?;
    put(task, bucket, "OwnershipControls", "BucketOwnershipControls", task.get("OwnershipControls")).await?;
    let encryption = encryption(&task.get("BucketEncryption"))?;
    let names =
        ("BucketEncryption", "ServerSideEncryptionConfiguration", "PutBucketEncryption", "DeleteBucketEncryption");
    put_as(task, bucket, names, encryption).await?;
    let tags = task.items("Tags");
    let tags = if tags.is_empty() { Value::Null } else { json!({ "TagSet": tags }) };
    put_as(task, bucket, ("Tags", "Tagging", "PutBucketTagging", "DeleteBucketTagging"), tags).await?;
    let rules = lifecycle(task)?;
    let names = (
        "LifecycleConfiguration",
        "LifecycleConfiguration",
        "PutBucketLifecycleConfiguration",
        "DeleteBucketLifecycle",
    );
    put_as(task, bucket, names, rules).await?;
    let cors = shapes::cors(&task.get("CorsConfiguration"));
    let names = ("CorsConfiguration", "CORSConfiguration", "PutBucketCors", "DeleteBucketCors");
    put_as(task, bucket, names, cors).await?;
    let website = shapes::website(&task.get("WebsiteConfiguration"));
    let names = ("WebsiteConfiguration", "WebsiteConfiguration", "PutBucketWebsite", "DeleteBucketWebsite");
    put_as(task, bucket, names, website).await?;
    configure_more(task, bucket).await
}

/// The configurations that are only put, never deleted.
async fn configure_more(task: &Task<'_>, bucket: &str) -> Result<()> {
    let only_put = |(property, operation, member): (&'static str, &'static str, &'static str), value: Value| async move {
        if !task.changes(&[property]) {
            return Ok(());
        }
        task.door.call("s3", operation, json!({ "Bucket": bucket, member: value })).await.map(drop)
    };
    let logging = shapes::logging(&task.get("LoggingConfiguration"), bucket);
    only_put(("LoggingConfiguration", "PutBucketLogging", "BucketLoggingStatus"), logging).await?;
    let accelerate = shapes::renamed(&task.get("AccelerateConfiguration"), &[("AccelerationStatus", "Status")]);
    let accelerate = if accelerate.get("Status").is_some() { accelerate } else { json!({ "Status": "Suspended" }) };
    let names = ("AccelerateConfiguration", "PutBucketAccelerateConfiguration", "AccelerateConfiguration");
    only_put(names, accelerate).await?;
    let access = task.get("AccessControl");
    let canned = if access.is_null() { "private" } else { shapes::canned(&access)? };
    match only_put(("AccessControl", "PutBucketAcl", "ACL"), canned.into()).await {
        // A bucket without lists is as private as can be.
        Err(error) if canned == "private" && error.code() == "AccessControlListNotSupported" => {}
        outcome => outcome?,
    }
    let lock = task.get("ObjectLockConfiguration");
    if !lock.is_null() {
        let names = ("ObjectLockConfiguration", "PutObjectLockConfiguration", "ObjectLockConfiguration");
        only_put(names, lock).await?;
    }
    let notifications = shapes::notifications(&task.get("NotificationConfiguration"))?;
    let names = ("NotificationConfiguration", "PutBucketNotificationConfiguration", "NotificationConfiguration");
    only_put(names, notifications).await
}

/// A configuration whose operations are `Put…` and `Delete…` of one name.
async fn put(task: &Task<'_>, bucket: &str, property: &str, operation: &str, value: Value) -> Result<()> {
    let (put, delete) = (format!("Put{operation}"), format!("Delete{operation}"));
    put_as(task, bucket, (property, property, &put, &delete), value).await
}

/// Puts or deletes a configuration: property, member, and the two operations.
async fn put_as(task: &Task<'_>, bucket: &str, names: (&str, &str, &str, &str), value: Value) -> Result<()> {
    let (property, member, put, delete) = names;
    if !task.changes(&[property]) {
        return Ok(());
    }
    if value.is_null() {
        return task.door.call("s3", delete, json!({ "Bucket": bucket })).await.map(drop);
    }
    task.door.call("s3", put, json!({ "Bucket": bucket, member: value })).await.map(drop)
}

/// CloudFormation leaves `Apply` out of the member's name.
fn encryption(property: &Value) -> Result<Value> {
    if property.is_null() {
        return Ok(Value::Null);
    }
    let rules = property.get("ServerSideEncryptionConfiguration").and_then(Value::as_array);
    let rules = rules.ok_or_else(|| lacks("BucketEncryption", "ServerSideEncryptionConfiguration"))?;
    let names = [("ServerSideEncryptionByDefault", "ApplyServerSideEncryptionByDefault")];
    let rules: Value = rules.iter().map(|rule| shapes::renamed(rule, &names)).collect();
    Ok(json!({ "Rules": rules }))
}

fn lifecycle(task: &Task<'_>) -> Result<Value> {
    let property = task.get("LifecycleConfiguration");
    if property.is_null() {
        return Ok(Value::Null);
    }
    let rules = property.get("Rules").and_then(Value::as_array);
    let rules = rules.ok_or_else(|| lacks("LifecycleConfiguration", "Rules"))?;
    let rules = rules.iter().map(|rule| lifecycle_rule(task, rule)).collect::<Result<Vec<_>>>()?;
    Ok(json!({ "Rules": rules }))
}

/// CloudFormation's rules are flatter than S3's, which has a filter.
fn lifecycle_rule(task: &Task<'_>, rule: &Value) -> Result<Value> {
    let (mut made, mut expiration, mut filter, mut tags) = (Map::new(), Map::new(), Map::new(), Vec::new());
    for (name, value) in rule.as_object().into_iter().flatten() {
        let value = value.clone();
        match name.as_str() {
            "Id" => made.insert("ID".to_owned(), value),
            "Status" | "AbortIncompleteMultipartUpload" | "NoncurrentVersionExpiration" => {
                made.insert(name.clone(), value)
            }
            "NoncurrentVersionExpirationInDays" => {
                made.insert("NoncurrentVersionExpiration".to_owned(), json!({ "NoncurrentDays": value }))
            }
            "Transition" | "Transitions" => {
                let names = [("TransitionInDays", "Days"), ("TransitionDate", "Date")];
                made.insert("Transitions".to_owned(), shapes::transitions(&value, &names))
            }
            "NoncurrentVersionTransition" | "NoncurrentVersionTransitions" => {
                let names = [("TransitionInDays", "NoncurrentDays")];
                made.insert("NoncurrentVersionTransitions".to_owned(), shapes::transitions(&value, &names))
            }
            "ExpirationInDays" => expiration.insert("Days".to_owned(), value),
            "ExpirationDate" => expiration.insert("Date".to_owned(), value),
            "ExpiredObjectDeleteMarker" => expiration.insert(name.clone(), value),
            "Prefix" | "ObjectSizeGreaterThan" | "ObjectSizeLessThan" => filter.insert(name.clone(), value),
            "TagFilters" => {
                tags = value.as_array().cloned().unwrap_or_default();
                None
            }
            _ => {
                let what = format!(
                    "property LifecycleConfiguration.Rules.{name} of AWS::S3::Bucket (resource {})",
                    task.logical_id
                );
                return Err(Error::not_implemented(what));
            }
        };
    }
    let filter = match (filter.len(), tags.as_slice()) {
        (0, []) => json!({ "Prefix": "" }),
        (1, []) => Value::Object(filter),
        (0, [tag]) => json!({ "Tag": tag }),
        _ => {
            filter.insert("Tags".to_owned(), Value::Array(tags));
            json!({ "And": filter })
        }
    };
    made.insert("Filter".to_owned(), filter);
    if !expiration.is_empty() {
        made.insert("Expiration".to_owned(), Value::Object(expiration));
    }
    Ok(Value::Object(made))
}

fn lacks(property: &str, member: &str) -> Error {
    Error::client(
        "InvalidRequest",
        format!("Model validation failed (#/{property}: required key [{member}] not found)"),
    )
}

fn made(task: &Task<'_>, name: &str) -> Made {
    let region = &task.door.scope.region;
    Made::new(
        name,
        [
            ("Arn", format!("arn:aws:s3:::{name}").into()),
            ("DomainName", format!("{name}.s3.amazonaws.com").into()),
            ("RegionalDomainName", format!("{name}.s3.{region}.amazonaws.com").into()),
            ("DualStackDomainName", format!("{name}.s3.dualstack.{region}.amazonaws.com").into()),
            ("WebsiteURL", format!("http://{name}.s3-website-{region}.amazonaws.com").into()),
        ],
    )
}
