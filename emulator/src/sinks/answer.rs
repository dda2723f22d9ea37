//! What a sink answers to one attempt. How scripts write it: `scenario::script::answer`.

use std::time::Duration;

use wiremock::ResponseTemplate;

/// The answer to one attempt: `200`, `429 retry-after=3`, `delay 30s 200`, `timeout`, `refused`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// How long, in virtual time, the request takes before it reaches the server.
    pub delay: Duration,
    /// What becomes of it.
    pub outcome: Outcome,
}

/// What becomes of a request to a sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is answered.
    Status {
        /// The HTTP status, 200 to 599.
        status: u16,
        /// The header `Retry-After`, in seconds.
        retry_after: Option<u64>,
    },
    /// It is never answered; the caller's own time limit ends it.
    Timeout,
    /// The connection is refused; the sink never sees the request.
    Refused,
}

impl Default for Answer {
    fn default() -> Self {
        Self { delay: Duration::ZERO, outcome: Outcome::Status { status: 200, retry_after: None } }
    }
}

impl Answer {
    /// The answer as wiremock sends it.
    pub(super) fn template(&self) -> ResponseTemplate {
        let Outcome::Status { status, retry_after } = self.outcome else { return ResponseTemplate::new(500) };
        // Slack's incoming webhooks answer a plain `ok`.
        let body = if status < 300 { "ok" } else { "" };
        let template = ResponseTemplate::new(status).set_body_string(body);
        match retry_after {
            Some(seconds) => template.insert_header("retry-after", seconds.to_string()),
            None => template,
        }
    }
}
