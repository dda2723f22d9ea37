//! Tells Slack: one POST to an incoming webhook, with retries that end.
//!
//! The POST goes through the SDK configuration's own HTTP client, by way of the SDK's orchestrator, and not through a
//! second HTTP library: one TLS stack in the binary, one pool of connections, one place that decides about time-outs,
//! and time that is the configuration's. The orchestrator's own retries are off: it does not know `Retry-After`.

use std::convert::Infallible;
use std::time::Duration;

use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep};
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::date_time::{DateTime, Format};
use aws_smithy_types::timeout::TimeoutConfig;
use serde_json::Value;

use super::error::{Error, chain};
use super::settings::Webhook;

/// How often one message is sent at most.
pub const MAX_ATTEMPTS: u32 = 4;

/// How long one attempt may take, from connecting to the last byte of the answer.
pub const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);

/// The wait before the first retry; it doubles with each. No jitter: one schedule is no thundering herd.
pub const FIRST_WAIT: Duration = Duration::from_secs(1);

/// How long all waits together may be. With four attempts of 5 s this makes at most 50 s of the function's 60 s. Slack
/// that asks for more is told by the next scheduled run instead.
pub const WAIT_BUDGET: Duration = Duration::from_secs(30);

/// How much of Slack's answer is kept for the error.
const MAX_BODY_SHOWN: usize = 200;

/// A Slack incoming webhook.
#[derive(Clone, Debug)]
pub struct Slack {
    post: Operation<String, Reply, Infallible>,
    sleep: SharedAsyncSleep,
    time: SharedTimeSource,
}

/// An HTTP answer, whatever its status.
#[derive(Clone, Debug)]
struct Reply {
    status: u16,
    retry_after: Option<String>,
    body: String,
}

/// What to do after an attempt.
enum Verdict {
    Delivered,
    Refused { status: u16, body: String },
    Again { wait: Option<Duration>, reason: String },
    Broken { reason: String },
}

impl Slack {
    /// A client for `webhook` that shares the HTTP client, sleep and time of the AWS clients.
    pub fn new(webhook: Webhook, http: SharedHttpClient, sleep: SharedAsyncSleep, time: SharedTimeSource) -> Self {
        let origin = webhook.origin().to_owned();
        let post = Operation::builder()
            .service_name("Slack")
            .operation_name("IncomingWebhook")
            .behavior_version(BehaviorVersion::latest())
            .http_client(http)
            .sleep_impl(sleep.clone())
            .time_source(time.clone())
            // Only the origin: the SDK logs endpoints, and the path is the secret.
            .endpoint_url(&origin)
            .no_auth()
            .no_retry()
            .timeout_config(TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT_TIMEOUT).build())
            // The attempt's time-out already ends a stalled answer.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .serializer(move |message: String| {
                let mut request = HttpRequest::new(SdkBody::from(message));
                request.set_method("POST")?;
                request.set_uri(webhook.path_and_query())?;
                request.headers_mut().insert("content-type", "application/json; charset=utf-8");
                Ok(request)
            })
            .deserializer::<Reply, Infallible>(|response| Ok(Reply::read(response)))
            .build();
        Self { post, sleep, time }
    }

    /// Sends the message until Slack takes it, and answers after how many attempts.
    ///
    /// Tried again are 429 and 5xx (after `Retry-After` if there is one), time-outs and broken connections. Such an
    /// attempt may have reached Slack all the same: the channel can see a message twice.
    pub async fn send(&self, message: &Value) -> Result<u32, Error> {
        let message = message.to_string();
        let mut waited = Duration::ZERO;
        let mut attempts = 1;
        loop {
            let (asked, reason) = match self.attempt(&message).await {
                Verdict::Delivered => return Ok(attempts),
                Verdict::Refused { status, body } => return Err(Error::SlackRejected { status, body }),
                Verdict::Broken { reason } => return Err(Error::SlackUnavailable { attempts, reason }),
                Verdict::Again { wait, reason } => (wait, reason),
            };
            tracing::warn!(attempts, reason, "Slack did not take the message");
            if attempts == MAX_ATTEMPTS {
                return Err(Error::SlackUnavailable { attempts, reason });
            }
            // Never at once, not even if Slack says so: a `Retry-After: 0` must not use up the attempts in a moment.
            let wait = asked.map_or_else(|| backoff(attempts), |asked| asked.max(FIRST_WAIT));
            waited = waited.saturating_add(wait);
            if waited > WAIT_BUDGET {
                let reason = format!("{reason}; waiting {} s more is beyond this run", wait.as_secs());
                return Err(Error::SlackUnavailable { attempts, reason });
            }
            self.sleep.sleep(wait).await;
            attempts += 1;
        }
    }

    async fn attempt(&self, message: &str) -> Verdict {
        match self.post.invoke(message.to_owned()).await {
            Ok(reply) => self.judge(reply),
            Err(error) => {
                let reason = chain(&error);
                match &error {
                    SdkError::ConstructionFailure(_) => Verdict::Broken { reason },
                    SdkError::DispatchFailure(failure) if failure.is_user() => Verdict::Broken { reason },
                    _ => Verdict::Again { wait: None, reason },
                }
            }
        }
    }

    fn judge(&self, reply: Reply) -> Verdict {
        match reply.status {
            200..=299 => Verdict::Delivered,
            429 | 500..=599 => Verdict::Again {
                wait: reply.retry_after.and_then(|text| retry_after(&text, self.time.now().into())),
                reason: format!("status {}: {}", reply.status, reply.body),
            },
            status => Verdict::Refused { status, body: reply.body },
        }
    }
}

impl Reply {
    fn read(response: &HttpResponse) -> Self {
        let body = String::from_utf8_lossy(response.body().bytes().unwrap_or_default());
        Self {
            status: response.status().as_u16(),
            retry_after: response.headers().get("retry-after").map(str::to_owned),
            body: body.chars().take(MAX_BODY_SHOWN).collect(),
        }
    }
}

/// The wait before the retry that follows the given number of attempts: 1, 2, 4 s.
fn backoff(attempts: u32) -> Duration {
    FIRST_WAIT * 2_u32.saturating_pow(attempts.saturating_sub(1))
}

/// `Retry-After`, RFC 9110 section 10.2.3: a number of seconds, or a date. A text that is neither counts as none.
fn retry_after(text: &str, now: DateTime) -> Option<Duration> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        // More digits than u64 has still mean "long", not "no header".
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let date = DateTime::from_str(text, Format::HttpDate).ok()?;
    let seconds = date.secs().saturating_sub(now.secs());
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::super::testing::{Answer, Fake};
    use super::*;

    const START: i64 = 1_795_317_600_000;

    fn seconds(list: &[u64]) -> Vec<Duration> {
        list.iter().copied().map(Duration::from_secs).collect()
    }

    /// Sends one message against scripted answers: the result, and every time that was waited.
    async fn send(script: &[Answer]) -> (Result<u32, Error>, Vec<Duration>, usize) {
        let fake = Fake::new(START);
        fake.state().slack.extend(script.iter().cloned());
        let config = fake.sdk_config();
        let webhook = "https://hooks.slack.test/services/T0/hush?x=y".parse().unwrap();
        let (http, sleep, time) = (config.http_client(), config.sleep_impl(), config.time_source());
        let slack = Slack::new(webhook, http.unwrap(), sleep.unwrap(), time.unwrap());
        let result = slack.send(&json!({"text": "olá"})).await;
        let state = fake.state();
        for post in &state.posts {
            assert_eq!(post.uri, "https://hooks.slack.test/services/T0/hush?x=y");
            assert_eq!(post.content_type, "application/json; charset=utf-8");
            assert!(!post.signed, "the webhook gets no AWS signature");
            assert_eq!(post.message, json!({"text": "olá"}));
        }
        (result, state.slept.clone(), state.posts.len())
    }

    #[tokio::test]
    async fn taken_at_once() {
        assert_eq!(send(&[Answer::status(200)]).await, (Ok(1), vec![], 1));
    }

    #[tokio::test]
    async fn server_errors_are_retried_with_growing_waits() {
        let script = [Answer::status(500), Answer::status(503), Answer::Refused, Answer::status(200)];
        assert_eq!(send(&script).await, (Ok(4), seconds(&[1, 2, 4]), 4));
    }

    #[tokio::test]
    async fn a_timeout_takes_the_virtual_time_of_an_attempt() {
        assert_eq!(send(&[Answer::Hang, Answer::status(200)]).await, (Ok(2), seconds(&[5, 1]), 2));
    }

    #[tokio::test]
    async fn hanging_for_ever_ends() {
        let (result, slept, posts) = send(&[Answer::Hang, Answer::Hang, Answer::Hang, Answer::Hang]).await;
        let Err(Error::SlackUnavailable { attempts: 4, reason }) = result else { panic!("{result:?}") };
        assert!(reason.contains("timeout"), "{reason}");
        assert_eq!((slept, posts), (seconds(&[5, 1, 5, 2, 5, 4, 5]), 4));
    }

    #[tokio::test]
    async fn retry_after_is_obeyed_as_seconds_and_as_date() {
        let script = [Answer::retry_after(429, "7"), Answer::status(200)];
        assert_eq!(send(&script).await, (Ok(2), seconds(&[7]), 2));
        let script = [Answer::retry_after(429, "Sun, 22 Nov 2026 03:20:09 GMT"), Answer::status(200)];
        assert_eq!(send(&script).await, (Ok(2), seconds(&[9]), 2));
        let script = [Answer::retry_after(503, "0"), Answer::retry_after(503, "soon"), Answer::status(200)];
        assert_eq!(send(&script).await, (Ok(3), seconds(&[1, 2]), 3));
    }

    #[tokio::test]
    async fn waits_beyond_the_budget_are_not_begun() {
        let (result, slept, posts) = send(&[Answer::retry_after(429, "31")]).await;
        let Err(Error::SlackUnavailable { attempts: 1, reason }) = result else { panic!("{result:?}") };
        assert!(reason.contains("429") && reason.contains("31 s"), "{reason}");
        assert_eq!((slept, posts), (vec![], 1));
        let script = [Answer::retry_after(429, "20"), Answer::retry_after(429, "11")];
        let (result, slept, posts) = send(&script).await;
        assert!(matches!(result, Err(Error::SlackUnavailable { attempts: 2, .. })));
        assert_eq!((slept, posts), (seconds(&[20]), 2));
        assert!(send(&[Answer::retry_after(429, "99999999999999999999999")]).await.0.is_err());
    }

    #[tokio::test]
    async fn a_refusal_is_final() {
        for status in [301, 400, 403, 404, 410] {
            let (result, slept, posts) = send(&[Answer::status(status)]).await;
            assert_eq!(result, Err(Error::SlackRejected { status, body: "scripted".to_owned() }));
            assert_eq!((slept, posts), (vec![], 1));
        }
    }

    #[tokio::test]
    async fn no_error_holds_the_secret() {
        for answer in [Answer::Hang, Answer::Refused, Answer::status(500), Answer::status(404)] {
            let error = send(&vec![answer; 4]).await.0.unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hush"), "{error:?}");
        }
    }

    #[test]
    fn the_limits_fit_the_functions_timeout() {
        assert!(ATTEMPT_TIMEOUT * MAX_ATTEMPTS + WAIT_BUDGET <= Duration::from_secs(50));
    }
}
