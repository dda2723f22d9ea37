//! Object Lock, customers' keys, lists of who may, and events, where time or order matters.

use std::time::Duration;

use serde_json::json;

use super::*;

const DAY: u64 = 86_400;

/// A bucket with Object Lock, `safe`.
async fn safe() -> S3 {
    let s3 = S3::new().await;
    s3.ok("CreateBucket", json!({"Bucket": "safe", "ObjectLockEnabledForBucket": true})).await;
    s3
}

#[tokio::test]
async fn a_retention_ends_with_time() {
    let s3 = safe().await;
    let rule = json!({"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 2}});
    let input = json!({"Bucket": "safe", "ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled", "Rule": rule}});
    s3.ok("PutObjectLockConfiguration", input).await;
    let version = s3.ok("PutObject", json!({"Bucket": "safe", "Key": "k"})).await["VersionId"].clone();
    let delete = json!({"Bucket": "safe", "Key": "k", "VersionId": version, "BypassGovernanceRetention": true});
    is(&s3.err("DeleteObject", delete.clone()).await, 403, "AccessDenied");
    s3.cloud.advance(Duration::from_secs(2 * DAY)).await.unwrap();
    s3.ok("DeleteObject", delete).await;
}

#[tokio::test]
async fn lifecycle_leaves_locked_versions_alone() {
    let s3 = safe().await;
    let until = s3.cloud.now().millis() + i64::try_from(10 * DAY * 1000).unwrap();
    let put = json!({"Bucket": "safe", "Key": "k", "ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": until});
    s3.ok("PutObject", put).await;
    s3.ok("DeleteObject", json!({"Bucket": "safe", "Key": "k"})).await;
    let rule = json!({"Status": "Enabled", "Filter": {}, "NoncurrentVersionExpiration": {"NoncurrentDays": 1}});
    let input = json!({"Bucket": "safe", "LifecycleConfiguration": {"Rules": [rule]}});
    s3.ok("PutBucketLifecycleConfiguration", input).await;
    let versions = || async { s3.ok("ListObjectVersions", json!({"Bucket": "safe"})).await["Versions"].clone() };
    s3.cloud.advance(Duration::from_secs(5 * DAY)).await.unwrap();
    assert_eq!(versions().await.as_array().unwrap().len(), 1);
    s3.cloud.advance(Duration::from_secs(7 * DAY)).await.unwrap();
    assert_eq!(versions().await, json!(null));
}

#[tokio::test]
async fn a_transition_archives_and_a_restore_ends() {
    let s3 = S3::new().await;
    let big = "b".repeat(128 * 1024);
    s3.put("big", &big).await;
    s3.put("small", "s").await;
    let rule = json!({"Status": "Enabled", "Filter": {}, "Transitions": [{"Days": 1, "StorageClass": "GLACIER"}]});
    s3.ok("PutBucketLifecycleConfiguration", with(json!({"LifecycleConfiguration": {"Rules": [rule]}}))).await;
    s3.cloud.advance(Duration::from_secs(3 * DAY)).await.unwrap();
    is(&s3.get("big").await.unwrap_err(), 403, "InvalidObjectState");
    assert_eq!(s3.get("small").await.unwrap(), "s");
    s3.ok("RestoreObject", with(json!({"Key": "big", "RestoreRequest": {"Days": 1}}))).await;
    assert_eq!(s3.get("big").await.unwrap(), big);
    s3.cloud.advance(Duration::from_secs(3 * DAY)).await.unwrap();
    is(&s3.get("big").await.unwrap_err(), 403, "InvalidObjectState");
}

#[tokio::test]
async fn an_older_version_stays_where_its_last_transition_moved_it() {
    let s3 = S3::new().await;
    s3.versioning("Enabled").await;
    s3.put("k", &"b".repeat(128 * 1024)).await;
    s3.put("k", "new").await;
    let moves =
        json!([{"NoncurrentDays": 1, "StorageClass": "STANDARD_IA"}, {"NoncurrentDays": 2, "StorageClass": "GLACIER"}]);
    let rule = json!({"Status": "Enabled", "Filter": {}, "NoncurrentVersionTransitions": moves});
    s3.ok("PutBucketLifecycleConfiguration", with(json!({"LifecycleConfiguration": {"Rules": [rule]}}))).await;
    for days in [4, 1, 1] {
        s3.cloud.advance(Duration::from_secs(days * DAY)).await.unwrap();
        let versions = s3.ok("ListObjectVersions", with(json!({}))).await["Versions"].clone();
        assert_eq!((&versions[1]["IsLatest"], &versions[1]["StorageClass"]), (&json!(false), &json!("GLACIER")));
    }
}

#[tokio::test]
async fn what_expires_is_told_to_a_queue() {
    let s3 = S3::new().await;
    let sqs = |operation: &'static str, input: Value| {
        let call = Call::new("sqs", operation, Caller::root(ACCOUNT), s3.scope.clone(), input);
        async { s3.cloud.call(call).await.unwrap().output }
    };
    let arn = format!("arn:aws:sqs:us-east-1:{ACCOUNT}:told");
    let policy = json!({"Statement": {
        "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn,
    }});
    let queue = json!({"QueueName": "told", "Attributes": {"Policy": policy.to_string()}});
    let url = sqs("CreateQueue", queue).await["QueueUrl"].clone();
    let queue = json!({"QueueArn": arn, "Events": ["s3:LifecycleExpiration:*"], "Id": "q"});
    let input = with(json!({"NotificationConfiguration": {"QueueConfigurations": [queue]}}));
    s3.ok("PutBucketNotificationConfiguration", input).await;
    let rule = json!({"Status": "Enabled", "Filter": {}, "Expiration": {"Days": 1}});
    s3.ok("PutBucketLifecycleConfiguration", with(json!({"LifecycleConfiguration": {"Rules": [rule]}}))).await;
    s3.put("k", "v").await;
    s3.cloud.advance(Duration::from_secs(3 * DAY)).await.unwrap();
    let input = json!({"QueueUrl": url, "MaxNumberOfMessages": 10});
    let messages = sqs("ReceiveMessage", input).await["Messages"].as_array().unwrap().clone();
    let bodies: Vec<Value> =
        messages.iter().map(|one| serde_json::from_str(one["Body"].as_str().unwrap()).unwrap()).collect();
    let told: Vec<&str> = bodies.iter().filter_map(|body| body["Records"][0]["eventName"].as_str()).collect();
    assert_eq!(told, ["LifecycleExpiration:Delete"]);
    assert!(bodies.iter().any(|body| body["Event"] == "s3:TestEvent"));
}
