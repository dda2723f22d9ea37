//! The AWS SDK for Rust, in this process and over TCP: the same calls have the same answers.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_cloudwatchlogs::types::InputLogEvent;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_async::time::{SharedTimeSource, SystemTimeSource, TimeSource as _};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_types::SdkConfig;
use aws_types::region::Region;
use garoa::clock::ClockMode;
use garoa::cloud::{Cloud, IamMode};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A cloud behind a port of this machine.
struct Served {
    config: SdkConfig,
    stop: oneshot::Sender<()>,
    served: JoinHandle<std::io::Result<()>>,
}

impl Served {
    async fn start() -> Self {
        let cloud = Cloud::builder().clock(ClockMode::Real).iam(IamMode::Off).build();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(garoa::serve::serve(cloud, listener, async move {
            let _ = stopped.await;
        }));
        let keys = Credentials::new("123456789012", "test", None, None, "test");
        let config = SdkConfig::builder()
            .behavior_version(aws_sdk_s3::config::BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(keys))
            .endpoint_url(url)
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .time_source(SharedTimeSource::new(SystemTimeSource::new()))
            .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
            .build();
        Self { config, stop, served }
    }

    async fn end(self) {
        self.stop.send(()).unwrap();
        drop(self.config);
        self.served.await.unwrap().unwrap();
    }
}

/// An SDK error as code, text and HTTP status.
fn told<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> (&str, &str, u16) {
    let status = error.raw_response().unwrap().status().as_u16();
    (error.code().unwrap(), error.message().unwrap(), status)
}

async fn objects(config: &SdkConfig) {
    let s3 = aws_sdk_s3::Client::new(config);
    s3.create_bucket().bucket("things").send().await.unwrap();
    for key in ["a b/../ü+%2F", "plain"] {
        let body = ByteStream::from_static(b"hello");
        let put = s3.put_object().bucket("things").key(key).body(body).metadata("who", "me");
        let put = put.checksum_algorithm(ChecksumAlgorithm::Sha256).send().await.unwrap();
        let got = s3.get_object().bucket("things").key(key).range("bytes=1-3").send().await.unwrap();
        assert_eq!(got.e_tag(), put.e_tag());
        assert_eq!(got.metadata().unwrap()["who"], "me");
        assert_eq!(got.body.collect().await.unwrap().to_vec(), b"ell");
    }
    let mut pages = s3.list_objects_v2().bucket("things").into_paginator().page_size(1).send();
    let mut keys = Vec::new();
    while let Some(page) = pages.next().await {
        keys.extend(page.unwrap().contents().iter().map(|found| found.key().unwrap().to_owned()));
    }
    assert_eq!(keys, ["a b/../ü+%2F", "plain"]);
    let again = s3.put_object().bucket("things").key("plain").if_none_match("*").send().await.unwrap_err();
    let text = "At least one of the pre-conditions you specified did not hold";
    assert_eq!(told(&again), ("PreconditionFailed", text, 412));
    let missing = s3.get_object().bucket("things").key("none").send().await.unwrap_err();
    assert_eq!(told(&missing), ("NoSuchKey", "The specified key does not exist.", 404));
    assert!(missing.into_service_error().is_no_such_key());
    assert!(
        s3.head_object().bucket("things").key("none").send().await.unwrap_err().into_service_error().is_not_found()
    );
}

async fn parts(config: &SdkConfig) {
    let s3 = aws_sdk_s3::Client::new(config);
    let upload = s3.create_multipart_upload().bucket("things").key("large").send().await.unwrap();
    let id = upload.upload_id().unwrap();
    let mut done = CompletedMultipartUpload::builder();
    for (number, size) in [(1, 5 << 20), (2, 3)] {
        let part = s3.upload_part().bucket("things").key("large").upload_id(id).part_number(number);
        let part = part.body(ByteStream::from(vec![b'x'; size])).send().await.unwrap();
        done = done.parts(CompletedPart::builder().part_number(number).e_tag(part.e_tag().unwrap()).build());
    }
    let complete = s3.complete_multipart_upload().bucket("things").key("large").upload_id(id);
    let complete = complete.multipart_upload(done.build()).send().await.unwrap();
    assert!(complete.e_tag().unwrap().ends_with("-2\""));
    let head = s3.head_object().bucket("things").key("large").send().await.unwrap();
    assert_eq!(head.content_length(), Some((5 << 20) + 3));
}

async fn events(config: &SdkConfig, now: i64) {
    let logs = aws_sdk_cloudwatchlogs::Client::new(config);
    logs.create_log_group().log_group_name("g").send().await.unwrap();
    logs.create_log_stream().log_group_name("g").log_stream_name("s").send().await.unwrap();
    let event = |n: i64| {
        let message = format!("{{\"n\":{n}}}");
        InputLogEvent::builder().timestamp(now - 100 + n).message(message).build().unwrap()
    };
    let events = (0..5).map(event).collect();
    logs.put_log_events().log_group_name("g").log_stream_name("s").set_log_events(Some(events)).send().await.unwrap();
    let filter = logs.filter_log_events().log_group_name("g").filter_pattern("{ $.n >= 2 }");
    let mut pages = filter.into_paginator().page_size(2).send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        found.extend(page.unwrap().events().iter().map(|event| event.message().unwrap().to_owned()));
    }
    assert_eq!(found, ["{\"n\":2}", "{\"n\":3}", "{\"n\":4}"]);
    let missing = logs.filter_log_events().log_group_name("none").send().await.unwrap_err();
    assert_eq!(told(&missing), ("ResourceNotFoundException", "The specified log group does not exist.", 400));
}

#[tokio::test]
async fn in_this_process() {
    let cloud = Cloud::builder().iam(IamMode::Off).build();
    let config = cloud.sdk_config();
    objects(&config).await;
    parts(&config).await;
    events(&config, cloud.now().millis()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tcp() {
    let served = Served::start().await;
    objects(&served.config).await;
    parts(&served.config).await;
    events(&served.config, millis(&SystemTimeSource::new())).await;
    // Real time: a server that does not end must fail the test, not hang it.
    #[allow(clippy::disallowed_methods)]
    let ended = tokio::time::timeout(Duration::from_secs(10), served.end()).await;
    ended.unwrap();
}

fn millis(clock: &SystemTimeSource) -> i64 {
    let since = clock.now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}
