//! Buckets.

use serde_json::json;

use super::*;

#[tokio::test]
async fn a_bucket_is_made_found_listed_and_deleted() {
    let s3 = S3::new().await;
    let made = s3.ok("CreateBucket", json!({"Bucket": "other"})).await;
    assert_eq!(made, json!({"Location": "/other", "BucketArn": "arn:aws:s3:::other"}));
    let head = s3.ok("HeadBucket", json!({"Bucket": "other"})).await;
    assert_eq!(
        head,
        json!({"BucketArn": "arn:aws:s3:::other", "BucketRegion": "us-east-1", "AccessPointAlias": false})
    );
    let list = s3.ok("ListBuckets", json!({})).await;
    assert_eq!(column(&list["Buckets"], "Name"), ["bkt", "other"]);
    assert_eq!(list["Buckets"][0]["CreationDate"], 1_767_225_600_000_i64);
    assert_eq!(list["Owner"]["ID"].as_str().unwrap().len(), 64);
    let page = s3.ok("ListBuckets", json!({"MaxBuckets": 1})).await;
    assert_eq!(column(&page["Buckets"], "Name"), ["bkt"]);
    let page = s3.ok("ListBuckets", json!({"ContinuationToken": page["ContinuationToken"]})).await;
    assert_eq!(column(&page["Buckets"], "Name"), ["other"]);
    assert_eq!(page.get("ContinuationToken"), None);
    s3.ok("DeleteBucket", json!({"Bucket": "other"})).await;
    let gone = s3.err("HeadBucket", json!({"Bucket": "other"})).await;
    is(&gone, 404, "NoSuchBucket");
    assert_eq!(gone.message(), "The specified bucket does not exist");
    assert_eq!(gone.members()["BucketName"], "other");
}

#[tokio::test]
async fn a_taken_name_answers_by_owner_and_region() {
    let s3 = S3::new().await;
    // The owner may create it again in us-east-1, and nothing is lost.
    s3.put("k", "v").await;
    s3.ok("CreateBucket", json!({"Bucket": "bkt"})).await;
    assert_eq!(s3.get("k").await.unwrap(), "v");
    let foreign = s3.at("999999999999", "us-east-1").err("CreateBucket", json!({"Bucket": "bkt"})).await;
    is(&foreign, 409, "BucketAlreadyExists");
    let west = s3.at(ACCOUNT, "us-west-2");
    let there = json!({"Bucket": "west", "CreateBucketConfiguration": {"LocationConstraint": "us-west-2"}});
    let made = west.ok("CreateBucket", there.clone()).await;
    assert_eq!(made["Location"], "http://west.s3.amazonaws.com/");
    is(&west.err("CreateBucket", there).await, 409, "BucketAlreadyOwnedByYou");
    is(&west.err("CreateBucket", json!({"Bucket": "none"})).await, 400, "IllegalLocationConstraintException");
    is(&s3.err("CreateBucket", json!({"Bucket": "Bad_Name"})).await, 400, "InvalidBucketName");
    // Buckets of others are not listed.
    assert_eq!(s3.at("999999999999", "us-east-1").ok("ListBuckets", json!({})).await["Buckets"], json!([]));
}

#[tokio::test]
async fn a_bucket_answers_in_its_region_and_says_from_everywhere_which_that_is() {
    let s3 = S3::new().await;
    let input = json!({"Bucket": "west", "CreateBucketConfiguration": {"LocationConstraint": "us-west-2"}});
    s3.ok("CreateBucket", input).await;
    let moved = s3.err("ListObjectsV2", json!({"Bucket": "west"})).await;
    is(&moved, 301, "PermanentRedirect");
    assert_eq!(moved.members()["x-amz-bucket-region"], "us-west-2");
    assert_eq!(s3.ok("GetBucketLocation", json!({"Bucket": "west"})).await, json!({"LocationConstraint": "us-west-2"}));
    assert_eq!(s3.ok("GetBucketLocation", json!({"Bucket": "bkt"})).await, json!({}));
    assert_eq!(s3.at(ACCOUNT, "us-west-2").ok("ListObjectsV2", json!({"Bucket": "west"})).await["KeyCount"], 0);
}

#[tokio::test]
async fn a_bucket_with_something_in_it_stays() {
    let s3 = S3::new().await;
    s3.put("k", "v").await;
    let kept = s3.err("DeleteBucket", with(json!({}))).await;
    is(&kept, 409, "BucketNotEmpty");
    assert_eq!(kept.message(), "The bucket you tried to delete is not empty");
    s3.versioning("Enabled").await;
    s3.ok("DeleteObject", with(json!({"Key": "k"}))).await;
    let kept = s3.err("DeleteBucket", with(json!({}))).await;
    assert_eq!(
        kept.message(),
        "The bucket you tried to delete is not empty. You must delete all versions in the bucket."
    );
}

#[tokio::test]
async fn the_expected_owner_is_checked() {
    let s3 = S3::new().await;
    let input = with(json!({"ExpectedBucketOwner": "999999999999"}));
    for operation in ["HeadBucket", "ListObjectsV2", "GetBucketLocation", "DeleteBucket", "GetBucketVersioning"] {
        let denied = s3.err(operation, input.clone()).await;
        is(&denied, 403, "AccessDenied");
        assert_eq!(denied.message(), "Access Denied");
    }
    s3.ok("HeadBucket", with(json!({"ExpectedBucketOwner": ACCOUNT}))).await;
}

#[tokio::test]
async fn what_is_not_honoured_is_refused_by_name() {
    let s3 = S3::new().await;
    let append = s3.err("PutObject", with(json!({"Key": "k", "WriteOffsetBytes": 1}))).await;
    assert!(append.message().contains("WriteOffsetBytes"), "{append}");
    let sha512 = s3.err("PutObject", with(json!({"Key": "k", "ChecksumSHA512": "x"}))).await;
    assert!(sha512.message().contains("ChecksumSHA512"), "{sha512}");
    is(&s3.err("GetObjectTorrent", with(json!({"Key": "k"}))).await, 501, "NotImplemented");
}
