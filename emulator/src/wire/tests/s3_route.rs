//! S3's routing: sub-resources, required parameters, and keys that other servers damage.

use super::*;
use crate::wire::Protocol;

fn route(method: &str, uri: &str, headers: &[(&str, &str)]) -> Result<(&'static str, String, String), Error> {
    let (parts, body) = request(method, uri, headers, "");
    let detected = detect(&parts, &body)?;
    assert_eq!((detected.service, detected.protocol), ("s3", Protocol::RestXml));
    let label = |name: &str| detected.labels.iter().find(|(label, _)| *label == name).map(|(_, value)| value.clone());
    Ok((detected.operation.name, label("Bucket").unwrap_or_default(), label("Key").unwrap_or_default()))
}

#[test]
fn operations() {
    let copy = [("x-amz-copy-source", "/b/k")];
    for (method, uri, headers, name) in [
        ("GET", "/", &[][..], "ListBuckets"),
        ("GET", "/?x-id=ListBuckets", &[], "ListBuckets"),
        ("PUT", "/b", &[], "CreateBucket"),
        ("PUT", "/b/", &[], "CreateBucket"),
        ("HEAD", "/b", &[], "HeadBucket"),
        ("DELETE", "/b", &[], "DeleteBucket"),
        ("GET", "/b", &[], "ListObjects"),
        ("GET", "/b?list-type=2&prefix=a", &[], "ListObjectsV2"),
        ("GET", "/b?list-type=1", &[], "ListObjects"),
        ("GET", "/b?location", &[], "GetBucketLocation"),
        ("GET", "/b?location=", &[], "GetBucketLocation"),
        ("GET", "/b?uploads", &[], "ListMultipartUploads"),
        ("GET", "/b?versions", &[], "ListObjectVersions"),
        ("GET", "/b?lifecycle", &[], "GetBucketLifecycleConfiguration"),
        ("PUT", "/b?lifecycle", &[], "PutBucketLifecycleConfiguration"),
        ("GET", "/b?notification", &[], "GetBucketNotificationConfiguration"),
        ("PUT", "/b?notification", &[], "PutBucketNotificationConfiguration"),
        ("GET", "/b?analytics", &[], "ListBucketAnalyticsConfigurations"),
        ("GET", "/b?analytics&id=x", &[], "GetBucketAnalyticsConfiguration"),
        ("POST", "/b?delete", &[], "DeleteObjects"),
        ("PUT", "/b/k", &[], "PutObject"),
        ("PUT", "/b/k?x-id=PutObject", &[], "PutObject"),
        ("PUT", "/b/k", &copy, "CopyObject"),
        ("PUT", "/b/k?partNumber=1&uploadId=u", &[], "UploadPart"),
        ("PUT", "/b/k?partNumber=1&uploadId=u", &copy, "UploadPartCopy"),
        ("POST", "/b/k?uploads", &[], "CreateMultipartUpload"),
        ("POST", "/b/k?uploadId=u", &[], "CompleteMultipartUpload"),
        ("DELETE", "/b/k?uploadId=u", &[], "AbortMultipartUpload"),
        ("DELETE", "/b/k?versionId=v", &[], "DeleteObject"),
        ("GET", "/b/k?uploadId=u", &[], "ListParts"),
        ("GET", "/b/k?versionId=v&response-content-type=x", &[], "GetObject"),
        ("GET", "/b/k?attributes", &[], "GetObjectAttributes"),
        ("GET", "/b/k?tagging", &[], "GetObjectTagging"),
        ("GET", "/b?tagging", &[], "GetBucketTagging"),
        ("POST", "/b/k?select&select-type=2", &[], "SelectObjectContent"),
    ] {
        assert_eq!(route(method, uri, headers).map(|found| found.0), Ok(name), "{method} {uri}");
    }
}

#[test]
fn what_is_no_operation_is_not_allowed() {
    for (method, uri) in
        [("POST", "/b/k?x"), ("PUT", "/b/k?uploads"), ("DELETE", "/b/k?acl"), ("PATCH", "/b"), ("POST", "/b?x")]
    {
        let error = route(method, uri, &[]).unwrap_err();
        assert_eq!((error.code(), error.status()), ("MethodNotAllowed", 405), "{method} {uri}");
    }
    for (method, uri, code) in [
        ("GET", "/b/%ff", "InvalidURI"),
        ("GET", "/b?prefix=%ff", "MalformedQueryString"),
        ("PUT", "/b/k?uploadId=u", "InvalidArgument"),
        ("PUT", "/b/k?partNumber=1", "InvalidArgument"),
        ("OPTIONS", "/b/k", "MethodNotAllowed"),
        ("POST", "/b", "PreconditionFailed"),
    ] {
        assert_eq!(route(method, uri, &[]).unwrap_err().code(), code, "{method} {uri}");
    }
    assert_eq!(route("GET", "/b/k?partNumber=1", &[]).unwrap().0, "GetObject");
}

#[test]
fn keys_survive_undamaged() {
    for (raw, key) in [
        ("a/b//c", "a/b//c"),
        ("/a", "/a"),
        ("//a", "//a"),
        (".", "."),
        ("..", ".."),
        ("../x/./y", "../x/./y"),
        ("a+b", "a+b"),
        ("a%20b%2Bc%2Fd", "a b+c/d"),
        ("%E3%81%82%F0%9F%92%9C", "あ💜"),
        ("dir/", "dir/"),
        ("/", "/"),
        ("a%3Fb%23c%25", "a?b#c%"),
    ] {
        let style = [format!("/b/{raw}"), format!("https://b.s3.us-east-1.amazonaws.com/{raw}")];
        for uri in style {
            let (name, bucket, found) = route("GET", &uri, &[]).unwrap();
            assert_eq!((name, bucket.as_str(), found.as_str()), ("GetObject", "b", key), "{uri}");
        }
    }
}

#[test]
fn buckets_come_from_hosts() {
    let auth = signed("s3");
    for host in ["b.s3.amazonaws.com", "b.s3.localhost:4566", "b.localhost:4566"] {
        let headers = [("host", host), ("authorization", auth.as_str())];
        assert_eq!(route("GET", "/k", &headers), Ok(("GetObject", "b".into(), "k".into())), "{host}");
        assert_eq!(route("GET", "/?list-type=2", &headers), Ok(("ListObjectsV2", "b".into(), String::new())), "{host}");
    }
    let headers = [("host", "localhost:4566"), ("authorization", auth.as_str())];
    assert_eq!(route("GET", "/b/k", &headers), Ok(("GetObject", "b".into(), "k".into())));
}
