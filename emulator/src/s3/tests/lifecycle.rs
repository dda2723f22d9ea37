//! Lifecycle rules under virtual time.

use std::time::Duration;

use serde_json::json;

use super::*;

const DAY: Duration = Duration::from_secs(86_400);

async fn rule(s3: &S3, rule: Value) {
    let input = with(json!({"LifecycleConfiguration": {"Rules": [rule]}}));
    s3.ok("PutBucketLifecycleConfiguration", input).await;
}

#[tokio::test]
async fn objects_expire_at_the_midnight_after_so_many_days() {
    let s3 = S3::new().await;
    s3.cloud.advance(Duration::from_secs(3600)).await.unwrap();
    let filter = json!({"And": {"Prefix": "tmp/", "Tags": [{"Key": "t", "Value": "1"}], "ObjectSizeGreaterThan": 1}});
    rule(&s3, json!({"ID": "short", "Status": "Enabled", "Filter": filter, "Expiration": {"Days": 2}})).await;
    for (key, tagging) in [("tmp/a", "t=1"), ("tmp/b", ""), ("keep", "t=1")] {
        s3.call("PutObject", with(json!({"Key": key, "Tagging": tagging})), b"hello").await.unwrap();
    }
    let head = s3.ok("HeadObject", with(json!({"Key": "tmp/a"}))).await;
    // Made at 01:00 on January 1st: two days later is 01:00 on the 3rd, and the midnight after that is the 4th's.
    assert_eq!(head["Expiration"], "expiry-date=\"Sun, 04 Jan 2026 00:00:00 GMT\", rule-id=\"short\"");
    s3.cloud.advance(2 * DAY).await.unwrap();
    assert!(s3.get("tmp/a").await.is_ok());
    s3.cloud.advance(DAY).await.unwrap();
    is(&s3.err("HeadObject", with(json!({"Key": "tmp/a"}))).await, 404, "NoSuchKey");
    assert!(s3.get("tmp/b").await.is_ok());
    assert!(s3.get("keep").await.is_ok());
    s3.ok("DeleteBucketLifecycle", with(json!({}))).await;
    s3.cloud.advance(10 * DAY).await.unwrap();
    assert!(s3.get("keep").await.is_ok());
}

#[tokio::test]
async fn versions_markers_and_uploads_expire() {
    let s3 = S3::new().await;
    s3.versioning("Enabled").await;
    for body in ["1", "2", "3", "4"] {
        s3.put("k", body).await;
    }
    s3.put("gone", "x").await;
    s3.ok("CreateMultipartUpload", with(json!({"Key": "up"}))).await;
    let noncurrent = json!({"NoncurrentDays": 1, "NewerNoncurrentVersions": 1});
    let rules = json!([
        {"Status": "Enabled", "Filter": {}, "NoncurrentVersionExpiration": noncurrent,
         "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}},
        {"Status": "Disabled", "Filter": {"Prefix": "k"}, "Expiration": {"Days": 1}},
        {"Status": "Enabled", "Filter": {"Prefix": "gone"}, "Expiration": {"Days": 1},
         "NoncurrentVersionExpiration": {"NoncurrentDays": 1}}
    ]);
    s3.ok("PutBucketLifecycleConfiguration", with(json!({"LifecycleConfiguration": {"Rules": rules}}))).await;
    s3.cloud.advance(DAY).await.unwrap();
    let list = s3.ok("ListObjectVersions", with(json!({"Prefix": "k"}))).await;
    assert_eq!(list["Versions"].as_array().unwrap().len(), 2);
    assert_eq!(s3.get("k").await.unwrap(), "4");
    assert_eq!(s3.ok("ListMultipartUploads", with(json!({}))).await["Uploads"], json!([]));
    // First a marker hides the object, then the object goes as noncurrent, then the marker is alone and goes.
    let list = s3.ok("ListObjectVersions", with(json!({"Prefix": "gone"}))).await;
    assert_eq!((list["Versions"].as_array().unwrap().len(), list["DeleteMarkers"].as_array().unwrap().len()), (1, 1));
    s3.cloud.advance(2 * DAY).await.unwrap();
    let list = s3.ok("ListObjectVersions", with(json!({"Prefix": "gone"}))).await;
    assert_eq!((&list["Versions"], &list["DeleteMarkers"]), (&json!(null), &json!(null)));
}

#[tokio::test]
async fn rules_are_checked_and_get_an_id() {
    let s3 = S3::new().await;
    rule(&s3, json!({"Status": "Enabled", "Prefix": "", "Expiration": {"Days": 1}})).await;
    let kept = s3.ok("GetBucketLifecycleConfiguration", with(json!({}))).await;
    assert_eq!(kept["Rules"][0]["ID"].as_str().unwrap().len(), 36);
    for (bad, status) in [
        (json!({"Status": "Enabled", "Filter": {}}), 400),
        (json!({"Status": "Enabled", "Expiration": {"Days": 1}}), 400),
        (json!({"Status": "Enabled", "Filter": {}, "Expiration": {"Days": 0}}), 400),
        (json!({"Status": "Enabled", "Filter": {}, "Expiration": {"Days": 1, "Date": 0}}), 400),
        (json!({"Status": "Enabled", "Filter": {}, "Expiration": {"Date": 1}}), 400),
        (json!({"Status": "Enabled", "Filter": {}, "Transitions": [{"Days": 1, "StorageClass": "MOON"}]}), 400),
        (json!({"Status": "Enabled", "Filter": {}, "Transitions": [{"Date": 1, "StorageClass": "GLACIER"}]}), 400),
        (json!({"Status": "enabled", "Filter": {}, "Expiration": {"Days": 1}}), 400),
        (json!({"ID": "i".repeat(256), "Status": "Enabled", "Filter": {}, "Expiration": {"Days": 1}}), 400),
    ] {
        let input = with(json!({"LifecycleConfiguration": {"Rules": [bad]}}));
        assert_eq!(s3.err("PutBucketLifecycleConfiguration", input).await.status(), status, "{bad}");
    }
}
