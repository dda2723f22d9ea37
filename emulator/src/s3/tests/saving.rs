//! A saved world brings everything back.

use serde_json::json;

use super::*;
use crate::s3::ObjectOwnership;

#[tokio::test]
async fn a_world_that_was_saved_and_loaded_is_the_same() {
    let s3 = S3::new().await;
    s3.call("PutObject", with(json!({"Key": "k"})), &[0, 159, 146, 150]).await.unwrap();
    s3.versioning("Enabled").await;
    s3.put("k", "two").await;
    s3.ok("DeleteObject", with(json!({"Key": "gone"}))).await;
    let upload = s3.ok("CreateMultipartUpload", with(json!({"Key": "up", "ChecksumAlgorithm": "CRC32"}))).await;
    let part = json!({"Key": "up", "UploadId": upload["UploadId"], "PartNumber": 1, "ChecksumAlgorithm": "CRC32"});
    s3.call("UploadPart", with(part), b"part").await.unwrap();
    let policy = json!({"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::bkt/x"}});
    s3.ok("PutBucketPolicy", with(json!({"Policy": policy.to_string()}))).await;
    let rules = json!([{"Status": "Enabled", "Filter": {"Prefix": "k"}, "Expiration": {"Days": 1}}]);
    s3.ok("PutBucketLifecycleConfiguration", with(json!({"LifecycleConfiguration": {"Rules": rules}}))).await;

    let saved = serde_json::to_string(&s3.cloud.save().unwrap()).unwrap();
    let other = S3 { cloud: Cloud::builder().build(), scope: s3.scope.clone() };
    other.cloud.load(serde_json::from_str(&saved).unwrap()).unwrap();

    for (operation, input) in [
        ("ListObjectVersions", json!({})),
        ("ListMultipartUploads", json!({})),
        ("ListParts", json!({"Key": "up", "UploadId": upload["UploadId"]})),
        ("GetBucketPolicy", json!({})),
        ("GetBucketLifecycleConfiguration", json!({})),
        ("HeadObject", json!({"Key": "k", "ChecksumMode": "ENABLED"})),
    ] {
        assert_eq!(other.ok(operation, with(input.clone())).await, s3.ok(operation, with(input)).await, "{operation}");
    }
    let old = with(json!({"Key": "k", "VersionId": "null"}));
    let body = other.call("GetObject", old, b"").await.unwrap().body.unwrap();
    assert_eq!(&*body, [0, 159, 146, 150]);
    // Ids go on where they were, so the two stay the same.
    assert_eq!(other.put("k", "three").await, s3.put("k", "three").await);
}

#[tokio::test]
async fn a_fork_goes_its_own_way() {
    let s3 = S3::new().await;
    s3.put("k", "one").await;
    let fork = S3 { cloud: s3.cloud.fork(), scope: s3.scope.clone() };
    s3.put("k", "two").await;
    fork.ok("DeleteObject", with(json!({"Key": "k"}))).await;
    assert_eq!(s3.get("k").await.unwrap(), "two");
    assert!(fork.get("k").await.is_err());
}

#[tokio::test]
async fn a_saved_world_keeps_owners_and_a_cloud_what_buckets_begin_with() {
    let cloud =
        Cloud::builder().s3_object_ownership(ObjectOwnership::ObjectWriter).s3_block_public_access(false).build();
    let scope = cloud.scope().clone();
    let s3 = S3 { cloud, scope };
    s3.ok("CreateBucket", json!({"Bucket": "bkt", "ACL": "public-read-write"})).await;
    let other = s3.at("210987654321", "us-east-1");
    other.ok("PutObject", json!({"Bucket": "bkt", "Key": "theirs"})).await;
    let theirs = json!({"Bucket": "bkt", "Key": "theirs"});
    let owner = other.ok("GetObjectAcl", theirs.clone()).await["Owner"].clone();

    let saved = serde_json::to_string(&s3.cloud.save().unwrap()).unwrap();
    s3.cloud.reset();
    s3.ok("CreateBucket", json!({"Bucket": "bkt"})).await;
    assert_eq!(s3.err("GetPublicAccessBlock", json!({"Bucket": "bkt"})).await.status(), 404);
    s3.cloud.load(serde_json::from_str(&saved).unwrap()).unwrap();
    let fork = S3 { cloud: s3.cloud.fork(), scope: s3.scope.clone() };
    for world in [&s3, &fork] {
        is(&world.err("GetObject", theirs.clone()).await, 403, "AccessDenied");
        let there = world.at("210987654321", "us-east-1");
        assert_eq!(there.ok("GetObjectAcl", theirs.clone()).await["Owner"], owner);
        world.ok("CreateBucket", json!({"Bucket": "new"})).await;
        let rules = world.ok("GetBucketOwnershipControls", json!({"Bucket": "new"})).await;
        assert_eq!(rules["OwnershipControls"]["Rules"][0]["ObjectOwnership"], "ObjectWriter");
    }
}
