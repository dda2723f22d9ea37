//! For the tests of this module: lines as the Pix API writes them, and an HTTP client that plays three servers.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{AsyncSleep, Sleep};
use aws_smithy_async::time::TimeSource;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::date_time::{DateTime, Format};
use aws_types::SdkConfig;
use aws_types::region::Region;
use aws_types::sdk_config::RequestChecksumCalculation;
use serde_json::{Value, json};

/// Events on a page, so that a handful of events already takes several.
const PAGE: usize = 2;

pub fn watched(accounts: &[&str]) -> BTreeSet<String> {
    accounts.iter().map(|account| (*account).to_owned()).collect()
}

pub fn cash_out_line(account: &str, centavos: i64) -> String {
    line(account, &json!({"transactionId": "t", "amount": centavos, "description": "aluguel"}))
}

pub fn cash_in_line(account: &str, centavos: i64) -> String {
    line(account, &json!({"endToEndId": "e", "transactionId": "t", "amount": centavos}))
}

fn line(account: &str, body: &Value) -> String {
    let document = json!({"Session": {"accountName": account, "sessionId": "s"}, "Payload": {"body": body}});
    format!("2026-11-22T03:00:00.000Z\t5f6e1d2c-8a4b-4f0e-9f3a-000000000000\tINFO\t{document}\n")
}

/// How Slack answers one attempt.
#[derive(Clone, Debug)]
pub enum Answer {
    Reply { status: u16, retry_after: Option<&'static str> },
    Hang,
    Refused,
}

impl Answer {
    pub fn status(status: u16) -> Self {
        Self::Reply { status, retry_after: None }
    }

    pub fn retry_after(status: u16, retry_after: &'static str) -> Self {
        Self::Reply { status, retry_after: Some(retry_after) }
    }
}

pub struct Post {
    pub uri: String,
    pub content_type: String,
    pub signed: bool,
    pub message: Value,
}

#[derive(Default)]
pub struct State {
    now: Duration,
    events: Vec<(i64, String, String)>,
    cursor: Option<(String, u64, Duration)>,
    calls: Vec<&'static str>,
    pub slack: VecDeque<Answer>,
    pub posts: Vec<Post>,
    pub slept: Vec<Duration>,
    /// Another run writes `99` just before the next PutObject arrives.
    pub steal_cursor: bool,
}

/// CloudWatch Logs, S3 and Slack behind one `HttpClient`, and the time.
#[derive(Clone)]
pub struct Fake(Arc<Mutex<State>>);

impl std::fmt::Debug for Fake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fake")
    }
}

impl Fake {
    pub fn new(now: i64) -> Self {
        let now = Duration::from_millis(now.try_into().unwrap());
        Self(Arc::new(Mutex::new(State { now, ..State::default() })))
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub fn log(&self, timestamp: i64, id: &str, message: &str) {
        self.state().events.push((timestamp, id.to_owned(), message.to_owned()));
    }

    pub fn advance(&self, millis: i64) {
        self.state().now += Duration::from_millis(millis.try_into().unwrap());
    }

    pub fn set_cursor(&self, body: &str) {
        self.state().put(body.to_owned());
    }

    pub fn cursor(&self) -> Option<String> {
        self.state().cursor.as_ref().map(|(body, ..)| body.clone())
    }

    /// The calls since it was last asked.
    pub fn calls(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.state().calls)
    }

    pub fn sdk_config(&self) -> SdkConfig {
        let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
        SdkConfig::builder()
            .behavior_version(aws_config::BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            // Without it S3 bodies come in the aws-chunked encoding, which the fake does not read.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            // Its watch over a body's speed sleeps beside the reading, and sleeping here takes time at once.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .http_client(self.clone())
            .sleep_impl(self.clone())
            .time_source(self.clone())
            .build()
    }
}

impl TimeSource for Fake {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + self.state().now
    }
}

impl AsyncSleep for Fake {
    /// Time passes when the sleep is first polled: a time-out that nothing waits for takes none.
    fn sleep(&self, duration: Duration) -> Sleep {
        let fake = self.clone();
        Sleep::new(async move {
            let mut state = fake.state();
            state.slept.push(duration);
            state.now += duration;
        })
    }
}

impl HttpClient for Fake {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Fake {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut state = self.state();
        let uri = request.uri().to_owned();
        let body = request.body().bytes().map(<[u8]>::to_vec).unwrap_or_default();
        if uri.starts_with("https://logs.") {
            state.calls.push("FilterLogEvents");
            HttpConnectorFuture::ready(Ok(state.filter(&serde_json::from_slice(&body).unwrap())))
        } else if uri.starts_with("https://pix-state.s3.") && uri.contains("/lastId.txt") {
            HttpConnectorFuture::ready(Ok(state.object(&request, String::from_utf8(body).unwrap())))
        } else if uri.starts_with("https://hooks.slack.test/") {
            state.post(&request, &body)
        } else {
            panic!("a call to {uri}")
        }
    }
}

impl State {
    fn put(&mut self, body: String) {
        let version = self.cursor.as_ref().map_or(1, |(_, version, _)| version + 1);
        self.cursor = Some((body, version, self.now));
    }

    fn filter(&self, input: &Value) -> HttpResponse {
        let (start, end) = (input["startTime"].as_i64().unwrap(), input["endTime"].as_i64().unwrap());
        let skip = input["nextToken"].as_str().map_or(0, |token| token.parse().unwrap());
        let found: Vec<_> = self.events.iter().filter(|(time, ..)| (start..=end).contains(time)).collect();
        let events: Vec<_> = found.iter().skip(skip).take(PAGE).collect();
        let events: Vec<Value> = events
            .iter()
            .map(|(timestamp, id, message)| json!({"timestamp": timestamp, "eventId": id, "message": message}))
            .collect();
        let mut output = json!({ "events": events });
        if skip + PAGE < found.len() {
            output["nextToken"] = json!((skip + PAGE).to_string());
        }
        reply(200, output.to_string(), &[("content-type", "application/x-amz-json-1.1")])
    }

    fn object(&mut self, request: &HttpRequest, body: String) -> HttpResponse {
        if request.method() == "GET" {
            self.calls.push("GetObject");
            let Some((body, version, written)) = self.cursor.clone() else { return s3_error(404, "NoSuchKey") };
            let written = DateTime::from_secs(written.as_secs().try_into().unwrap()).fmt(Format::HttpDate).unwrap();
            let etag = format!("\"{version}\"");
            let length = body.len().to_string();
            return reply(200, body, &[("etag", &etag), ("last-modified", &written), ("content-length", &length)]);
        }
        assert_eq!(request.method(), "PUT");
        self.calls.push("PutObject");
        if std::mem::take(&mut self.steal_cursor) {
            self.put("99".to_owned());
        }
        let current = self.cursor.as_ref().map(|(_, version, _)| format!("\"{version}\""));
        let holds = match (request.headers().get("if-match"), request.headers().get("if-none-match")) {
            (Some(etag), None) => current.as_deref() == Some(etag),
            (None, Some("*")) => current.is_none(),
            other => panic!("an unconditional write: {other:?}"),
        };
        if !holds {
            return s3_error(412, "PreconditionFailed");
        }
        self.put(body);
        reply(200, "", &[])
    }

    fn post(&mut self, request: &HttpRequest, body: &[u8]) -> HttpConnectorFuture {
        self.calls.push("Slack");
        self.posts.push(Post {
            uri: request.uri().to_owned(),
            content_type: request.headers().get("content-type").unwrap_or_default().to_owned(),
            signed: request.headers().get("authorization").is_some(),
            message: serde_json::from_slice(body).unwrap(),
        });
        match self.slack.pop_front().unwrap_or(Answer::status(200)) {
            Answer::Reply { status, retry_after } => {
                let headers: Vec<_> = retry_after.iter().map(|value| ("retry-after", *value)).collect();
                HttpConnectorFuture::ready(Ok(reply(status, "scripted", &headers)))
            }
            Answer::Hang => HttpConnectorFuture::new(std::future::pending()),
            Answer::Refused => HttpConnectorFuture::ready(Err(ConnectorError::io("connection refused".into()))),
        }
    }
}

fn s3_error(status: u16, code: &str) -> HttpResponse {
    reply(status, format!("<Error><Code>{code}</Code><Message>{code}</Message></Error>"), &[])
}

fn reply(status: u16, body: impl Into<SdkBody>, headers: &[(&'static str, &str)]) -> HttpResponse {
    let mut response = HttpResponse::new(status.try_into().unwrap(), body.into());
    for (name, value) in headers {
        response.headers_mut().insert(*name, (*value).to_owned());
    }
    response
}
