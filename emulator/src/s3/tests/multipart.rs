//! Multipart uploads.

use serde_json::json;

use super::*;

const MIB: usize = 1024 * 1024;

async fn start(s3: &S3, members: Value) -> String {
    let mut input = with(members);
    input["Key"] = json!("big");
    s3.ok("CreateMultipartUpload", input).await["UploadId"].as_str().unwrap().to_owned()
}

async fn part(s3: &S3, upload: &str, number: u32, body: &[u8]) -> String {
    let input = with(json!({"Key": "big", "UploadId": upload, "PartNumber": number}));
    s3.call("UploadPart", input, body).await.unwrap().output["ETag"].as_str().unwrap().to_owned()
}

fn completion(upload: &str, parts: Value) -> Value {
    with(json!({"Key": "big", "UploadId": upload, "MultipartUpload": {"Parts": parts}}))
}

#[tokio::test]
async fn parts_become_one_object() {
    let s3 = S3::new().await;
    let upload = start(&s3, json!({"ContentType": "application/zip", "Metadata": {"a": "b"}})).await;
    let one = part(&s3, &upload, 1, &vec![b'a'; 5 * MIB]).await;
    part(&s3, &upload, 3, b"replaced").await;
    let three = part(&s3, &upload, 3, b"end").await;
    s3.cloud.advance(std::time::Duration::from_secs(60)).await.unwrap();
    let parts = json!([{"PartNumber": 1, "ETag": one}, {"PartNumber": 3, "ETag": three.trim_matches('"')}]);
    let done = s3.ok("CompleteMultipartUpload", completion(&upload, parts.clone())).await;
    // The MD5 of the two parts' MD5s, as computed elsewhere.
    assert_eq!(done["ETag"], "\"cc8f6f16b44b75adde6349ab98aee432-2\"");
    assert_eq!(done["ChecksumType"], "FULL_OBJECT");
    assert_eq!(done["Location"], "https://bkt.s3.us-east-1.amazonaws.com/big");
    let got = s3.call("GetObject", with(json!({"Key": "big"})), b"").await.unwrap();
    assert_eq!(got.body.unwrap().len(), 5 * MIB + 3);
    assert_eq!((&got.output["ContentType"], &got.output["Metadata"]), (&json!("application/zip"), &json!({"a": "b"})));
    // It is as old as its upload.
    assert_eq!(got.output["LastModified"], 1_767_225_600_000_i64);
    let second = s3.call("GetObject", with(json!({"Key": "big", "PartNumber": 2})), b"").await.unwrap();
    assert_eq!((second.status, second.body.unwrap()), (Some(206), Bytes::from("end")));
    assert_eq!(second.output["PartsCount"], 2);
    is(&s3.err("GetObject", with(json!({"Key": "big", "PartNumber": 3}))).await, 416, "InvalidPartNumber");
    // A client that did not get the answer may ask again; what is done is done.
    let again = s3.ok("CompleteMultipartUpload", completion(&upload, parts)).await;
    assert_eq!(again["ETag"], done["ETag"]);
    // Once more is as good as never: the upload is over.
    s3.ok("AbortMultipartUpload", with(json!({"Key": "big", "UploadId": upload}))).await;
    let copied = s3.ok("CopyObject", with(json!({"Key": "copy", "CopySource": "bkt/big"}))).await;
    assert!(!copied["CopyObjectResult"]["ETag"].as_str().unwrap().contains('-'));
}

#[tokio::test]
async fn a_completion_is_checked_part_by_part() {
    let s3 = S3::new().await;
    let upload = start(&s3, json!({})).await;
    let one = part(&s3, &upload, 1, b"small").await;
    let two = part(&s3, &upload, 2, b"end").await;
    let (first, second) = (json!({"PartNumber": 1, "ETag": one}), json!({"PartNumber": 2, "ETag": two}));
    let small = s3.err("CompleteMultipartUpload", completion(&upload, json!([first, second]))).await;
    is(&small, 400, "EntityTooSmall");
    assert_eq!(small.members()["MinSizeAllowed"], "5242880");
    let order = s3.err("CompleteMultipartUpload", completion(&upload, json!([second, second]))).await;
    is(&order, 400, "InvalidPartOrder");
    let wrong = json!([{"PartNumber": 2, "ETag": one}]);
    is(&s3.err("CompleteMultipartUpload", completion(&upload, wrong)).await, 400, "InvalidPart");
    let missing = json!([{"PartNumber": 9, "ETag": one}]);
    is(&s3.err("CompleteMultipartUpload", completion(&upload, missing)).await, 400, "InvalidPart");
    is(&s3.err("CompleteMultipartUpload", completion(&upload, json!([]))).await, 400, "InvalidRequest");
    let mut size = completion(&upload, json!([second]));
    size["MpuObjectSize"] = json!(4);
    is(&s3.err("CompleteMultipartUpload", size).await, 400, "InvalidRequest");
    is(&s3.err("CompleteMultipartUpload", completion("nope", json!([second]))).await, 404, "NoSuchUpload");
    s3.put("big", "there").await;
    let mut exclusive = completion(&upload, json!([second]));
    exclusive["IfNoneMatch"] = json!("*");
    is(&s3.err("CompleteMultipartUpload", exclusive).await, 412, "PreconditionFailed");
    // Nothing of this changed anything.
    s3.ok("CompleteMultipartUpload", completion(&upload, json!([second]))).await;
    assert_eq!(s3.get("big").await.unwrap(), "end");
    let zero = with(json!({"Key": "big", "UploadId": upload, "PartNumber": 0}));
    is(&s3.err("UploadPart", zero).await, 400, "InvalidArgument");
}

#[tokio::test]
async fn checksums_of_parts_make_one_of_the_object() {
    let s3 = S3::new().await;
    let upload = start(&s3, json!({"ChecksumAlgorithm": "CRC32"})).await;
    let bare = with(json!({"Key": "big", "UploadId": upload, "PartNumber": 1}));
    let mismatch = s3.call("UploadPart", bare, b"hello").await.unwrap_err();
    assert_eq!(
        mismatch.message(),
        "Checksum Type mismatch occurred, expected checksum Type: crc32, actual checksum Type: null"
    );
    let input = with(json!({"Key": "big", "UploadId": upload, "PartNumber": 1, "ChecksumCRC32": "NhCmhg=="}));
    let etag = s3.call("UploadPart", input, b"hello").await.unwrap().output["ETag"].clone();
    let without = json!([{"PartNumber": 1, "ETag": etag}]);
    let missing = s3.err("CompleteMultipartUpload", completion(&upload, without)).await;
    assert!(missing.message().contains("It was missing for part 1"), "{missing}");
    let wrong = json!([{"PartNumber": 1, "ETag": etag, "ChecksumCRC32": "AAAAAA=="}]);
    is(&s3.err("CompleteMultipartUpload", completion(&upload, wrong)).await, 400, "InvalidPart");
    let right = json!([{"PartNumber": 1, "ETag": etag, "ChecksumCRC32": "NhCmhg=="}]);
    let done = s3.ok("CompleteMultipartUpload", completion(&upload, right)).await;
    // The CRC32 of the four bytes 36 10 a6 86.
    assert_eq!(done["ChecksumCRC32"], "FKTmaw==-1");
    assert_eq!(done["ChecksumType"], "COMPOSITE");
    let asked =
        json!({"Key": "big", "ObjectAttributes": ["Checksum,ObjectParts", "ETag", "ObjectSize", "StorageClass"]});
    let attributes = s3.ok("GetObjectAttributes", with(asked)).await;
    assert_eq!(attributes["ObjectParts"]["TotalPartsCount"], 1);
    assert_eq!(attributes["ObjectParts"]["Parts"][0]["ChecksumCRC32"], "NhCmhg==");
    assert_eq!((&attributes["ObjectSize"], &attributes["StorageClass"]), (&json!(5), &json!("STANDARD")));
    assert!(attributes["ETag"].as_str().unwrap().ends_with("-1"));

    let upload = start(&s3, json!({"ChecksumAlgorithm": "CRC32", "ChecksumType": "FULL_OBJECT"})).await;
    let etag = part(&s3, &upload, 1, b"hello").await;
    let mut input = completion(&upload, json!([{"PartNumber": 1, "ETag": etag}]));
    input["ChecksumCRC32"] = json!("AAAAAA==");
    is(&s3.err("CompleteMultipartUpload", input.clone()).await, 400, "BadDigest");
    input["ChecksumCRC32"] = json!("NhCmhg==");
    input["ChecksumType"] = json!("COMPOSITE");
    is(&s3.err("CompleteMultipartUpload", input.clone()).await, 400, "InvalidRequest");
    input["ChecksumType"] = json!("FULL_OBJECT");
    assert_eq!(s3.ok("CompleteMultipartUpload", input).await["ChecksumCRC32"], "NhCmhg==");
    let impossible = with(json!({"Key": "big", "ChecksumAlgorithm": "SHA256", "ChecksumType": "FULL_OBJECT"}));
    is(&s3.err("CreateMultipartUpload", impossible).await, 400, "InvalidRequest");
}

#[tokio::test]
async fn a_part_may_be_copied_from_an_object() {
    let s3 = S3::new().await;
    s3.put("source", "0123456789").await;
    let upload = start(&s3, json!({})).await;
    let copy = |range: &str| {
        with(json!({
            "Key": "big", "UploadId": upload, "PartNumber": 1, "CopySource": "bkt/source", "CopySourceRange": range
        }))
    };
    let result = s3.ok("UploadPartCopy", copy("bytes=2-5")).await;
    let etag = &result["CopyPartResult"]["ETag"];
    for bad in ["bytes=2-10", "bytes=2-", "bytes=-2", "2-5"] {
        is(&s3.err("UploadPartCopy", copy(bad)).await, 400, "InvalidArgument");
    }
    s3.ok("CompleteMultipartUpload", completion(&upload, json!([{"PartNumber": 1, "ETag": etag}]))).await;
    assert_eq!(s3.get("big").await.unwrap(), "2345");
}

#[tokio::test]
async fn uploads_and_their_parts_are_listed_page_by_page() {
    let s3 = S3::new().await;
    let upload = start(&s3, json!({"StorageClass": "STANDARD_IA"})).await;
    let later = start(&s3, json!({})).await;
    for number in [1, 2, 5] {
        part(&s3, &upload, number, b"x").await;
    }
    let page = s3.ok("ListParts", with(json!({"Key": "big", "UploadId": upload, "MaxParts": 2}))).await;
    assert_eq!((&page["IsTruncated"], &page["NextPartNumberMarker"]), (&json!(true), &json!(2)));
    assert_eq!(page["StorageClass"], "STANDARD_IA");
    let rest = with(json!({"Key": "big", "UploadId": upload, "PartNumberMarker": 2}));
    let page = s3.ok("ListParts", rest).await;
    assert_eq!((&page["IsTruncated"], &page["Parts"][0]["PartNumber"]), (&json!(false), &json!(5)));
    s3.ok("CreateMultipartUpload", with(json!({"Key": "dir/x"}))).await;
    s3.ok("CreateMultipartUpload", with(json!({"Key": "dir/y"}))).await;
    let mut seen = Vec::new();
    let mut input = with(json!({"MaxUploads": 1, "Delimiter": "/"}));
    loop {
        let page = s3.ok("ListMultipartUploads", input.clone()).await;
        seen.extend(column(&page["Uploads"], "UploadId"));
        seen.extend(column(&page["CommonPrefixes"], "Prefix"));
        if page["IsTruncated"] == false {
            break;
        }
        input["KeyMarker"] = page["NextKeyMarker"].clone();
        input["UploadIdMarker"] = page["NextUploadIdMarker"].clone();
    }
    assert_eq!(seen, [upload.clone(), later.clone(), "dir/".to_owned()]);
    // What ends with a common prefix tells nothing to go on from, though more follows; the prefix itself will do.
    s3.ok("CreateMultipartUpload", with(json!({"Key": "last"}))).await;
    let from = json!({"MaxUploads": 1, "Delimiter": "/", "KeyMarker": "big", "UploadIdMarker": later});
    let page = s3.ok("ListMultipartUploads", with(from)).await;
    assert_eq!((&page["IsTruncated"], &page["CommonPrefixes"][0]["Prefix"]), (&json!(true), &json!("dir/")));
    assert_eq!((&page["NextKeyMarker"], &page["NextUploadIdMarker"]), (&json!(""), &json!("")));
    let page =
        s3.ok("ListMultipartUploads", with(json!({"MaxUploads": 1, "Delimiter": "/", "KeyMarker": "dir/"}))).await;
    assert_eq!((&page["Uploads"][0]["Key"], &page["IsTruncated"]), (&json!("last"), &json!(false)));
    // Without a key, an upload is no marker.
    let page = s3.ok("ListMultipartUploads", with(json!({"UploadIdMarker": later}))).await;
    assert_eq!(page["UploadIdMarker"], "");
    s3.ok("AbortMultipartUpload", with(json!({"Key": "big", "UploadId": upload}))).await;
    is(&s3.err("ListParts", with(json!({"Key": "big", "UploadId": upload}))).await, 404, "NoSuchUpload");
    // Uploads do not keep a bucket.
    s3.ok("DeleteBucket", with(json!({}))).await;
}
