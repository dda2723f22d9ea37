//! The AWS SDK for Rust at the other end: what it sends is understood, what we answer it understands.

use std::sync::{Arc, Mutex};

use aws_credential_types::Credentials;
use aws_sdk_s3::config::{BehaviorVersion, Region};
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt as _;
use serde_json::json;

use super::*;
use crate::wire::{encode, encode_error, validate};

/// Answers every request with one reply or error, and keeps what it read.
#[derive(Clone, Debug)]
struct Peer {
    answer: Result<Reply, Error>,
    seen: Arc<Mutex<Vec<(String, Decoded)>>>,
}

impl Peer {
    fn new(answer: Result<Reply, Error>) -> Self {
        Self { answer, seen: Arc::default() }
    }

    fn seen(&self) -> (String, Decoded) {
        self.seen.lock().unwrap().pop().unwrap()
    }

    fn s3(&self) -> aws_sdk_s3::Client {
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("AKIDEXAMPLE", "secret", None, None, "test"))
            .retry_config(aws_sdk_s3::config::retry::RetryConfig::disabled())
            .http_client(self.clone());
        aws_sdk_s3::Client::from_conf(config.build())
    }

    fn logs(&self) -> aws_sdk_cloudwatchlogs::Client {
        let config = aws_sdk_cloudwatchlogs::Config::builder()
            .behavior_version(aws_sdk_cloudwatchlogs::config::BehaviorVersion::latest())
            .region(aws_sdk_cloudwatchlogs::config::Region::new("us-east-1"))
            .credentials_provider(Credentials::new("AKIDEXAMPLE", "secret", None, None, "test"))
            .retry_config(aws_sdk_cloudwatchlogs::config::retry::RetryConfig::disabled())
            .http_client(self.clone());
        aws_sdk_cloudwatchlogs::Client::from_conf(config.build())
    }
}

impl HttpClient for Peer {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Peer {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let peer = self.clone();
        HttpConnectorFuture::new(async move {
            let (parts, body) = request.try_into_http1x().unwrap().into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let (detected, decoded) = read(&(parts, body)).unwrap();
            assert!(decoded.unknown.is_empty(), "{:?}", decoded.unknown);
            validate(detected.operation, &decoded.input).unwrap();
            peer.seen.lock().unwrap().push((detected.operation.name.to_owned(), decoded));
            let response = match &peer.answer {
                Ok(reply) => encode(detected.protocol, detected.operation, reply, "id-1"),
                Err(error) => {
                    encode_error(detected.protocol, detected.service, Some(detected.operation), error, "id-1")
                }
            };
            Ok(response.map(SdkBody::from).try_into().unwrap())
        })
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

#[test]
fn s3_objects() {
    let peer = Peer::new(Ok(reply(json!({"ETag": "\"e\"", "ChecksumCRC32": "DUoRhQ=="}))));
    let put = peer.s3().put_object().bucket("b").key("/a/../ü+ %2F//").metadata("k", "v").content_type("text/plain");
    let put = block_on(put.body(ByteStream::from_static(b"hello world")).send()).unwrap();
    assert_eq!((put.e_tag(), put.checksum_crc32()), (Some("\"e\""), Some("DUoRhQ==")));
    let (name, decoded) = peer.seen();
    assert_eq!((name.as_str(), decoded.body.as_ref()), ("PutObject", &b"hello world"[..]));
    assert_eq!(decoded.input["Key"], "/a/../ü+ %2F//");
    assert_eq!(decoded.input["Metadata"], json!({"k": "v"}));
    assert_eq!(decoded.input["ChecksumCRC32"], "DUoRhQ==");

    let output = json!({"ContentType": "image/png", "LastModified": 1_772_452_800_000_i64, "Metadata": {"k": "v"}});
    let peer = Peer::new(Ok(Reply { body: Some(Bytes::from_static(b"abc")), ..reply(output) }));
    let got = block_on(async {
        let got = peer.s3().get_object().bucket("b").key("k").range("bytes=0-2").send().await.unwrap();
        assert_eq!((got.content_length(), got.last_modified().unwrap().secs()), (Some(3), 1_772_452_800));
        assert_eq!(got.metadata().unwrap()["k"], "v");
        got.body.collect().await.unwrap().to_vec()
    });
    assert_eq!(got, b"abc");
    assert_eq!(peer.seen().1.input["Range"], "bytes=0-2");
}

#[test]
fn s3_documents() {
    let contents = json!([{"Key": "a&b", "Size": 3, "LastModified": 1_772_452_800_500_i64, "ETag": "\"e\""}]);
    let output = json!({"Name": "b", "IsTruncated": true, "NextContinuationToken": "t", "Contents": contents, "CommonPrefixes": [{"Prefix": "p/"}]});
    let peer = Peer::new(Ok(reply(output)));
    let list = block_on(peer.s3().list_objects_v2().bucket("b").prefix("x +&").send()).unwrap();
    assert_eq!((list.contents()[0].key(), list.contents()[0].size()), (Some("a&b"), Some(3)));
    assert_eq!(list.contents()[0].last_modified().unwrap().to_millis().unwrap(), 1_772_452_800_500);
    assert_eq!((list.common_prefixes()[0].prefix(), list.next_continuation_token()), (Some("p/"), Some("t")));
    assert_eq!(peer.seen().1.input["Prefix"], "x +&");

    let peer =
        Peer::new(Ok(reply(json!({"Deleted": [{"Key": "k"}], "Errors": [{"Key": "l", "Code": "AccessDenied"}]}))));
    let object = |key: &str| aws_sdk_s3::types::ObjectIdentifier::builder().key(key).build().unwrap();
    let delete = aws_sdk_s3::types::Delete::builder().objects(object("k")).objects(object("<l>")).build().unwrap();
    let deleted = block_on(peer.s3().delete_objects().bucket("b").delete(delete).send()).unwrap();
    assert_eq!((deleted.deleted()[0].key(), deleted.errors()[0].code()), (Some("k"), Some("AccessDenied")));
    assert_eq!(peer.seen().1.input["Delete"]["Objects"], json!([{"Key": "k"}, {"Key": "<l>"}]));

    let peer = Peer::new(Ok(reply(json!({"LocationConstraint": "eu-west-1"}))));
    let location = block_on(peer.s3().get_bucket_location().bucket("b").send()).unwrap();
    assert_eq!(location.location_constraint().unwrap().as_str(), "eu-west-1");

    let peer = Peer::new(Err(Error::new(404, "NoSuchKey", "The specified key does not exist.").with("Key", "k")));
    let error = block_on(peer.s3().get_object().bucket("b").key("k").send()).unwrap_err().into_service_error();
    assert!(error.is_no_such_key());
    assert_eq!(error.meta().message(), Some("The specified key does not exist."));
}

#[test]
fn logs_calls_and_errors() {
    let peer = Peer::new(Ok(reply(json!({"events": [{"timestamp": 5, "message": "m"}], "nextToken": "t"}))));
    let request =
        peer.logs().filter_log_events().log_group_name("/aws/lambda/f").filter_pattern("{ $.a = 1 }").limit(5);
    let found = block_on(request.send()).unwrap();
    assert_eq!((found.events()[0].message(), found.next_token()), (Some("m"), Some("t")));
    let (name, decoded) = peer.seen();
    assert_eq!(name, "FilterLogEvents");
    assert_eq!(decoded.input, json!({"logGroupName": "/aws/lambda/f", "filterPattern": "{ $.a = 1 }", "limit": 5}));

    let peer = Peer::new(Err(Error::client("ResourceNotFoundException", "The specified log group does not exist.")));
    let error = block_on(peer.logs().delete_log_group().log_group_name("g").send()).unwrap_err().into_service_error();
    assert!(error.is_resource_not_found_exception());
    assert_eq!(error.meta().message(), Some("The specified log group does not exist."));
}
