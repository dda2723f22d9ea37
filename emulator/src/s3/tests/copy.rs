//! Copies.

use serde_json::json;

use super::*;

#[tokio::test]
async fn a_copy_takes_the_sources_word_or_the_requests() {
    let s3 = S3::new().await;
    let input = with(json!({"Key": "a b/ç", "ContentType": "text/plain", "Metadata": {"x": "1"}, "Tagging": "t=1"}));
    s3.call("PutObject", input, b"hello").await.unwrap();
    let copy = json!({"Key": "copy", "CopySource": "/bkt/a%20b/%C3%A7"});
    let output = s3.ok("CopyObject", with(copy)).await;
    assert_eq!(output["CopyObjectResult"]["ETag"], "\"5d41402abc4b2a76b9719d911017c592\"");
    assert_eq!(output["CopyObjectResult"]["LastModified"], 1_767_225_600_000_i64);
    let head = s3.ok("HeadObject", with(json!({"Key": "copy"}))).await;
    assert_eq!((&head["ContentType"], &head["Metadata"]["x"]), (&json!("text/plain"), &json!("1")));
    assert_eq!(s3.ok("GetObjectTagging", with(json!({"Key": "copy"}))).await["TagSet"][0]["Key"], "t");
    let replace = json!({
        "Key": "new", "CopySource": "bkt/copy", "MetadataDirective": "REPLACE", "TaggingDirective": "REPLACE",
        "Metadata": {"y": "2"}, "Tagging": "u=2"
    });
    s3.ok("CopyObject", with(replace)).await;
    let head = s3.ok("HeadObject", with(json!({"Key": "new"}))).await;
    assert_eq!((&head["ContentType"], &head["Metadata"]), (&json!("binary/octet-stream"), &json!({"y": "2"})));
    assert_eq!(s3.ok("GetObjectTagging", with(json!({"Key": "new"}))).await["TagSet"][0]["Key"], "u");
    assert_eq!(s3.get("new").await.unwrap(), "hello");
}

#[tokio::test]
async fn a_copy_onto_itself_must_change_something() {
    let s3 = S3::new().await;
    s3.put("k", "v").await;
    let same = s3.err("CopyObject", with(json!({"Key": "k", "CopySource": "bkt/k"}))).await;
    is(&same, 400, "InvalidRequest");
    assert!(
        same.message().starts_with("This copy request is illegal because it is trying to copy an object to itself")
    );
    let replace = json!({"Key": "k", "CopySource": "bkt/k", "MetadataDirective": "REPLACE", "Metadata": {"a": "b"}});
    s3.ok("CopyObject", with(replace)).await;
    assert_eq!(s3.ok("HeadObject", with(json!({"Key": "k"}))).await["Metadata"]["a"], "b");
}

#[tokio::test]
async fn a_copy_may_be_conditional_at_both_ends() {
    let s3 = S3::new().await;
    let etag = s3.put("k", "v").await["ETag"].clone();
    let copy = |condition: Value| {
        let mut input = with(json!({"Key": "copy", "CopySource": "bkt/k"}));
        for (name, value) in condition.as_object().unwrap() {
            input[name] = value.clone();
        }
        input
    };
    let failed = s3.err("CopyObject", copy(json!({"CopySourceIfMatch": "\"x\""}))).await;
    is(&failed, 412, "PreconditionFailed");
    assert_eq!(failed.members()["Condition"], "x-amz-copy-source-If-Match");
    is(&s3.err("CopyObject", copy(json!({"CopySourceIfNoneMatch": etag}))).await, 412, "PreconditionFailed");
    s3.ok("CopyObject", copy(json!({"CopySourceIfMatch": etag, "IfNoneMatch": "*"}))).await;
    is(&s3.err("CopyObject", copy(json!({"IfNoneMatch": "*"}))).await, 412, "PreconditionFailed");
    is(&s3.err("CopyObject", with(json!({"Key": "c", "CopySource": "bkt/none"}))).await, 404, "NoSuchKey");
    is(&s3.err("CopyObject", with(json!({"Key": "c", "CopySource": "none/k"}))).await, 404, "NoSuchBucket");
    is(&s3.err("CopyObject", with(json!({"Key": "c", "CopySource": "k"}))).await, 400, "InvalidArgument");
}
