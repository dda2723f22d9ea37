//! Writing, reading and deleting objects.

use std::time::Duration;

use serde_json::json;

use super::*;

const HELLO_ETAG: &str = "\"5d41402abc4b2a76b9719d911017c592\"";

#[tokio::test]
async fn an_object_is_stored_and_read_with_all_that_was_said_about_it() {
    let s3 = S3::new().await;
    let input = with(json!({
        "Key": "a/b", "ContentType": "text/plain", "ContentEncoding": "gzip,aws-chunked", "CacheControl": "no-store",
        "Expires": "Thu, 01 Dec 1994 16:00:00 GMT", "Metadata": {"Name": "x"}, "StorageClass": "STANDARD_IA",
        "Tagging": "a=1&b=c+d%40", "RequestPayer": "requester", "ContentLength": 5
    }));
    let put = s3.call("PutObject", input, b"hello").await.unwrap().output;
    assert_eq!(put["ETag"], HELLO_ETAG);
    assert_eq!(put["ChecksumCRC64NVME"], "M3eFcAZSQlc=");
    assert_eq!(put["ChecksumType"], "FULL_OBJECT");
    assert_eq!(put["ServerSideEncryption"], "AES256");
    assert_eq!(put.get("VersionId"), None);
    s3.cloud.advance(Duration::from_millis(2500)).await.unwrap();
    let input = with(json!({"Key": "a/b", "ChecksumMode": "ENABLED"}));
    let got = s3.call("GetObject", input.clone(), b"").await.unwrap();
    assert_eq!(got.body.unwrap(), "hello");
    assert_eq!(got.status, None);
    let expected = json!({
        "AcceptRanges": "bytes", "LastModified": 1_767_225_600_000_i64, "ContentLength": 5, "ETag": HELLO_ETAG,
        "ChecksumCRC64NVME": "M3eFcAZSQlc=", "ChecksumType": "FULL_OBJECT", "ContentType": "text/plain",
        "ContentEncoding": "gzip", "CacheControl": "no-store", "Expires": "Thu, 01 Dec 1994 16:00:00 GMT",
        "Metadata": {"name": "x"}, "ServerSideEncryption": "AES256", "StorageClass": "STANDARD_IA", "TagCount": 2
    });
    assert_eq!(got.output, expected);
    let head = s3.call("HeadObject", input, b"").await.unwrap();
    assert_eq!((head.output, head.body), (expected, None));
    let tags = s3.ok("GetObjectTagging", with(json!({"Key": "a/b"}))).await;
    assert_eq!(tags, json!({"TagSet": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "c d@"}]}));
}

#[tokio::test]
async fn a_missing_key_is_not_found_by_who_may_list() {
    let s3 = S3::new().await;
    for operation in ["GetObject", "HeadObject"] {
        let missing = s3.err(operation, with(json!({"Key": "nope"}))).await;
        is(&missing, 404, "NoSuchKey");
        assert_eq!(missing.message(), "The specified key does not exist.");
        assert_eq!(missing.members()["Key"], "nope");
    }
    is(&s3.err("GetObject", json!({"Bucket": "none", "Key": "k"})).await, 404, "NoSuchBucket");
}

#[tokio::test]
async fn conditional_writes_let_one_of_two_win() {
    let s3 = S3::new().await;
    let create = with(json!({"Key": "lastId.txt", "IfNoneMatch": "*"}));
    s3.call("PutObject", create.clone(), b"hello").await.unwrap();
    let second = s3.err("PutObject", create).await;
    is(&second, 412, "PreconditionFailed");
    assert_eq!(second.message(), "At least one of the pre-conditions you specified did not hold");
    assert_eq!(second.members()["Condition"], "If-None-Match");
    let replace = with(json!({"Key": "lastId.txt", "IfMatch": HELLO_ETAG}));
    s3.call("PutObject", replace.clone(), b"next").await.unwrap();
    let late = s3.call("PutObject", replace, b"late").await.unwrap_err();
    is(&late, 412, "PreconditionFailed");
    assert_eq!(late.members()["Condition"], "If-Match");
    assert_eq!(s3.get("lastId.txt").await.unwrap(), "next");
    is(&s3.err("PutObject", with(json!({"Key": "none", "IfMatch": HELLO_ETAG}))).await, 404, "NoSuchKey");
    is(&s3.err("PutObject", with(json!({"Key": "none", "IfNoneMatch": "\"x\""}))).await, 501, "NotImplemented");
    let both = with(json!({"Key": "none", "IfNoneMatch": "*", "IfMatch": "\"x\""}));
    is(&s3.err("PutObject", both).await, 501, "NotImplemented");
    assert!(s3.get("none").await.is_err());
}

#[tokio::test]
async fn digests_are_verified_and_a_wrong_one_stores_nothing() {
    let s3 = S3::new().await;
    for (member, value, code) in [
        ("ContentMD5", "XUFAKrxLKna5cZ2REBfFkA==", "BadDigest"),
        ("ContentMD5", "short", "InvalidDigest"),
        ("ChecksumCRC32", "AAAAAA==", "BadDigest"),
        ("ChecksumCRC32", "AAAA", "InvalidRequest"),
        ("ChecksumSHA256", "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCU=", "BadDigest"),
    ] {
        let wrong = s3.call("PutObject", with(json!({"Key": "k", member: value})), b"hello").await.unwrap_err();
        is(&wrong, 400, code);
    }
    let two = with(json!({"Key": "k", "ChecksumCRC32": "NhCmhg==", "ChecksumCRC32C": "mnG7TA=="}));
    is(&s3.call("PutObject", two, b"hello").await.unwrap_err(), 400, "InvalidRequest");
    assert!(s3.get("k").await.is_err());
    for (member, value) in [
        ("ChecksumCRC32", "NhCmhg=="),
        ("ChecksumCRC32C", "mnG7TA=="),
        ("ChecksumSHA1", "qvTGHdzF6KLavt4PO0gs2a6pQ00="),
        ("ChecksumSHA256", "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="),
        ("ContentMD5", "XUFAKrxLKna5cZ2REBfFkg=="),
    ] {
        let put = s3.call("PutObject", with(json!({"Key": "k", member: value})), b"hello").await.unwrap().output;
        assert!(member == "ContentMD5" || put[member] == value, "{put}");
    }
    let announced = with(json!({"Key": "k", "ChecksumAlgorithm": "SHA1"}));
    let put = s3.call("PutObject", announced, b"hello").await.unwrap().output;
    assert_eq!(put["ChecksumSHA1"], "qvTGHdzF6KLavt4PO0gs2a6pQ00=");
}

#[tokio::test]
async fn too_much_is_refused() {
    let s3 = S3::new().await;
    is(&s3.err("PutObject", with(json!({"Key": "k".repeat(1025)}))).await, 400, "KeyTooLongError");
    let metadata = json!({"Key": "k", "Metadata": {"a": "x".repeat(2048)}});
    is(&s3.err("PutObject", with(metadata)).await, 400, "MetadataTooLarge");
    let tags = (0..11).map(|n| format!("k{n}=v")).collect::<Vec<_>>().join("&");
    is(&s3.err("PutObject", with(json!({"Key": "k", "Tagging": tags}))).await, 400, "BadRequest");
    is(&s3.err("PutObject", with(json!({"Key": "k", "Tagging": "a=1&a=2"}))).await, 400, "InvalidArgument");
}

#[tokio::test]
async fn a_small_object_does_not_keep_the_buffer_that_it_came_in() {
    let s3 = S3::new().await;
    for (length, is_copied) in [(1024, true), (1 << 20, false)] {
        let buffer = Bytes::from(vec![b'x'; length + 8]);
        let sent = buffer.slice(8..);
        let call = Call::new("s3", "PutObject", Caller::root(ACCOUNT), s3.scope.clone(), with(json!({"Key": "k"})));
        s3.cloud.call(call.with_body(sent.clone())).await.unwrap();
        let stored = s3.call("GetObject", with(json!({"Key": "k"})), b"").await.unwrap().body.unwrap();
        assert_eq!(stored, sent);
        assert_eq!(stored.as_ptr() != sent.as_ptr(), is_copied, "{length} bytes");
    }
}

#[tokio::test]
async fn ranges_answer_a_slice_of_the_same_bytes() {
    let s3 = S3::new().await;
    s3.put("k", "0123456789").await;
    let whole = s3.call("GetObject", with(json!({"Key": "k"})), b"").await.unwrap().body.unwrap();
    let input = with(json!({"Key": "k", "Range": "bytes=2-4", "ChecksumMode": "ENABLED"}));
    let part = s3.call("GetObject", input, b"").await.unwrap();
    assert_eq!(part.status, Some(206));
    assert_eq!(part.output["ContentRange"], "bytes 2-4/10");
    assert_eq!(part.output["ContentLength"], 3);
    assert_eq!(part.output.get("ChecksumCRC64NVME"), None);
    let part = part.body.unwrap();
    assert_eq!(part, "234");
    assert_eq!(part.as_ptr(), whole[2..].as_ptr(), "the body was copied");
    let beyond = s3.err("GetObject", with(json!({"Key": "k", "Range": "bytes=10-20"}))).await;
    is(&beyond, 416, "InvalidRange");
    assert_eq!(beyond.members()["RangeRequested"], "bytes=10-20");
    assert_eq!(beyond.members()["ActualObjectSize"], "10");
}

#[tokio::test]
async fn conditional_reads_follow_rfc_9110() {
    let s3 = S3::new().await;
    let etag = s3.put("k", "hello").await["ETag"].as_str().unwrap().to_owned();
    let at = 1_767_225_600_000_i64;
    let fine = [
        json!({"IfMatch": etag}),
        json!({"IfMatch": "5d41402abc4b2a76b9719d911017c592"}),
        json!({"IfMatch": "*", "IfUnmodifiedSince": at - 1000}),
        json!({"IfNoneMatch": "\"other\"", "IfModifiedSince": at}),
        json!({"IfModifiedSince": at - 1000}),
        json!({"IfUnmodifiedSince": at}),
    ];
    for mut condition in fine {
        condition["Key"] = json!("k");
        s3.ok("GetObject", with(condition)).await;
    }
    let failing = [
        (json!({"IfMatch": "\"other\""}), 412, "PreconditionFailed"),
        (json!({"IfUnmodifiedSince": at - 1000}), 412, "PreconditionFailed"),
        (json!({"IfNoneMatch": etag}), 304, "NotModified"),
        (json!({"IfModifiedSince": at}), 304, "NotModified"),
        (json!({"IfNoneMatch": etag, "IfModifiedSince": at - 1000}), 304, "NotModified"),
    ];
    for (mut condition, status, code) in failing {
        condition["Key"] = json!("k");
        is(&s3.err("HeadObject", with(condition.clone())).await, status, code);
        is(&s3.err("GetObject", with(condition)).await, status, code);
    }
    let fresh = s3.err("GetObject", with(json!({"Key": "k", "IfNoneMatch": etag}))).await;
    assert_eq!(fresh.members()["etag"], json!(etag));
}

#[tokio::test]
async fn a_request_may_ask_for_other_headers() {
    let s3 = S3::new().await;
    s3.put("k", "v").await;
    let got =
        s3.ok("GetObject", with(json!({"Key": "k", "ResponseContentType": "text/csv", "ResponseExpires": 0}))).await;
    assert_eq!(got["ContentType"], "text/csv");
    assert_eq!(got["Expires"], "Thu, 01 Jan 1970 00:00:00 GMT");
    assert_eq!(s3.ok("GetObject", with(json!({"Key": "k"}))).await["ContentType"], "binary/octet-stream");
}

#[tokio::test]
async fn deleting_succeeds_whether_there_was_something_or_not() {
    let s3 = S3::new().await;
    s3.put("k", "hello").await;
    is(&s3.err("DeleteObject", with(json!({"Key": "k", "IfMatch": "\"other\""}))).await, 412, "PreconditionFailed");
    is(&s3.err("DeleteObject", with(json!({"Key": "none", "IfMatch": "*"}))).await, 412, "PreconditionFailed");
    is(&s3.err("DeleteObject", with(json!({"Key": "none", "IfMatch": "\"x\""}))).await, 404, "NoSuchKey");
    assert_eq!(s3.ok("DeleteObject", with(json!({"Key": "k", "IfMatch": HELLO_ETAG}))).await, json!({}));
    assert_eq!(s3.ok("DeleteObject", with(json!({"Key": "k"}))).await, json!({}));
    assert!(s3.get("k").await.is_err());
}

#[tokio::test]
async fn a_batch_deletes_a_thousand_keys_at_most() {
    let s3 = S3::new().await;
    s3.put("a", "1").await;
    s3.put("b", "2").await;
    let keys = json!([{"Key": "a"}, {"Key": "none"}, {"Key": "b", "ETag": "\"other\""}]);
    let output = s3.ok("DeleteObjects", with(json!({"Delete": {"Objects": keys}}))).await;
    assert_eq!(output["Deleted"], json!([{"Key": "a"}, {"Key": "none"}]));
    assert_eq!(output["Errors"][0]["Code"], "PreconditionFailed");
    assert_eq!(output["Errors"][0]["Key"], "b");
    let quiet = s3.ok("DeleteObjects", with(json!({"Delete": {"Objects": [{"Key": "b"}], "Quiet": true}}))).await;
    assert_eq!(quiet, json!({}));
    assert!(s3.get("b").await.is_err());
    let many: Vec<_> = (0..1001).map(|n| json!({"Key": n.to_string()})).collect();
    is(&s3.err("DeleteObjects", with(json!({"Delete": {"Objects": many}}))).await, 400, "MalformedXML");
    is(&s3.err("DeleteObjects", with(json!({"Delete": {"Objects": []}}))).await, 400, "MalformedXML");
}

#[tokio::test]
async fn tags_are_written_and_removed_in_place() {
    let s3 = S3::new().await;
    s3.put("k", "v").await;
    let tags = json!([{"Key": "a", "Value": "1"}]);
    s3.ok("PutObjectTagging", with(json!({"Key": "k", "Tagging": {"TagSet": tags}}))).await;
    assert_eq!(s3.ok("GetObjectTagging", with(json!({"Key": "k"}))).await, json!({"TagSet": tags}));
    s3.ok("DeleteObjectTagging", with(json!({"Key": "k"}))).await;
    assert_eq!(s3.ok("GetObjectTagging", with(json!({"Key": "k"}))).await, json!({"TagSet": []}));
    let twice = json!([{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]);
    let error = s3.err("PutObjectTagging", with(json!({"Key": "k", "Tagging": {"TagSet": twice}}))).await;
    is(&error, 400, "InvalidTag");
    assert_eq!(error.message(), "Cannot provide multiple Tags with the same key");
    is(&s3.err("GetObjectTagging", with(json!({"Key": "none"}))).await, 404, "NoSuchKey");
}
