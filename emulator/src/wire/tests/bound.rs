//! What REST requests bind, read in one go, beside the long way.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Request;
use http::request::Parts;
use proptest::prelude::*;
use serde::Deserialize;

use crate::wire::straight::{self, Unread};
use crate::wire::{decode, detect, validate};

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "PascalCase")]
struct Put {
    bucket: String,
    key: String,
    cache_control: Option<String>,
    content_type: Option<String>,
    content_length: Option<u64>,
    bucket_key_enabled: Option<bool>,
    if_none_match: Option<String>,
    metadata: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "PascalCase")]
struct Get {
    bucket: String,
    key: String,
    part_number: Option<u32>,
    range: Option<String>,
    version_id: Option<String>,
}

fn head(method: &str, path: &str, headers: &[(&str, &[u8])]) -> Option<Parts> {
    let scope = "AWS4-HMAC-SHA256 Credential=123456789012/20260302/us-east-1/s3/aws4_request";
    let mut request = Request::builder().method(method).uri(path).header("authorization", scope);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Some(request.body(()).ok()?.into_parts().0)
}

fn read<I: serde::de::DeserializeOwned>(head: &Parts) -> Option<I> {
    let body = Bytes::new();
    straight::read(&Unread { detected: &detect(head, &body).ok()?, head, body: &body })
}

/// The long way; `None` where that refuses.
fn read_as_values<I: serde::de::DeserializeOwned>(head: &Parts) -> Option<I> {
    let body = Bytes::new();
    let detected = detect(head, &body).ok()?;
    let decoded = decode(&detected, head, &body).ok()?;
    validate(detected.operation, &decoded.input).ok()?;
    let mut ignored = false;
    let input = serde_ignored::deserialize(decoded.input, |_| ignored = true).ok()?;
    (!ignored).then_some(input)
}

#[test]
fn ordinary_requests_are_read() {
    let headers: [(&str, &[u8]); 4] =
        [("content-type", b"text/plain"), ("content-length", b"7"), ("if-none-match", b"*"), ("x-amz-unknown", b"1")];
    let put: Put = read(&head("PUT", "/bucket/a%20b/c%C3%A9+", &headers).unwrap()).unwrap();
    let expected = Put {
        bucket: "bucket".to_owned(),
        key: "a b/cé+".to_owned(),
        cache_control: None,
        content_type: Some("text/plain".to_owned()),
        content_length: Some(7),
        bucket_key_enabled: None,
        if_none_match: Some("*".to_owned()),
        metadata: None,
    };
    assert_eq!(put, expected);
    let get: Get =
        read(&head("GET", "/bucket/key?partNumber=3&x-id=GetObject", &[("range", b"bytes=0-1")]).unwrap()).unwrap();
    assert_eq!((get.part_number, get.range.as_deref()), (Some(3), Some("bytes=0-1")));
}

#[test]
fn everything_else_is_not() {
    let cases: [(&str, &[u8]); 8] = [
        ("x-amz-meta-one", b"1"),
        ("x-amz-content-sha256", b"STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
        ("content-type", b"caf\xc3\xa9"),
        ("content-length", b"+7 "),
        ("x-amz-server-side-encryption-bucket-key-enabled", b"True"),
        // A member that the operation does not honour.
        ("x-amz-storage-class", b"GLACIER"),
        ("content-length", b"99999999999999999999"),
        ("expires", b"Mon, 02 Mar 2026 12:00:00 GMT"),
    ];
    for (name, value) in cases {
        let head = head("PUT", "/bucket/key", &[(name, value)]).unwrap();
        assert_eq!(read::<Put>(&head), None, "{name}: {}", String::from_utf8_lossy(value));
    }
    let twice = head("PUT", "/bucket/key", &[("cache-control", b"a"), ("cache-control", b"b")]).unwrap();
    assert_eq!(read::<Put>(&twice), None);
    assert_eq!(read::<Get>(&head("GET", "/bucket/key?partNumber=x", &[]).unwrap()), None);
    assert_eq!(
        read::<Get>(&head("GET", "/bucket/key?X-Amz-Signature=1&X-Amz-Credential=a/b/c/s3/d", &[]).unwrap()),
        None
    );
}

proptest! {
    #[test]
    fn nothing_is_read_otherwise(
        key in "[a-z%2+ é]{1,8}",
        query in prop::option::of("(versionId|partNumber|x-id|acl|a)=[0-9a-z%]{0,3}"),
        headers in prop::collection::vec((
            prop::sample::select(vec![
                "cache-control", "content-type", "content-length", "if-none-match", "range", "x-amz-meta-a", "expires",
                "x-amz-server-side-encryption-bucket-key-enabled", "x-amz-decoded-content-length", "content-encoding",
            ]),
            prop_oneof!["[0-9]{0,3}", "(true|false|aws-chunked)", "[ -~é]{0,6}"],
        ), 0..4),
    ) {
        let path = match query {
            Some(query) => format!("/bucket/{}?{query}", key.replace(' ', "%20")),
            None => format!("/bucket/{}", key.replace(' ', "%20")),
        };
        let headers: Vec<(&str, &[u8])> = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        if let Some(put) = head("PUT", &path, &headers)
            && let Some(read) = read::<Put>(&put)
        {
            prop_assert_eq!(Some(read), read_as_values(&put), "{:?}", put);
        }
        if let Some(get) = head("GET", &path, &headers)
            && let Some(read) = read::<Get>(&get)
        {
            prop_assert_eq!(Some(read), read_as_values(&get), "{:?}", get);
        }
    }
}
