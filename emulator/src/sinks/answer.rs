//! What a sink answers to one attempt, and the script of its answers. How scripts write it: `scenario::script::answer`.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use wiremock::ResponseTemplate;

/// The answer to one attempt: `200`, `429 retry-after=3`, `delay 30s 200`, `timeout`, `refused`; of a mail server `250`,
/// `421`, `greylist`, `drop-before-data`, `drop-after-data` as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// How long, in virtual time, the request takes before it reaches the server; of a mail server, how long it takes
    /// before it answers.
    pub delay: Duration,
    /// What becomes of it.
    pub outcome: Outcome,
}

/// What becomes of a request to a sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is answered.
    Status {
        /// The HTTP status, 200 to 599; of a mail server its reply code.
        status: u16,
        /// The header `Retry-After`, in seconds.
        retry_after: Option<u64>,
    },
    /// It is never answered; the caller's own time limit ends it.
    Timeout,
    /// The connection is refused; the sink never sees the request.
    Refused,
    /// A mail server refuses the recipient for now, because it has never seen the sender.
    Greylist,
    /// A mail server breaks the connection when it is about to be given the mail.
    DropBeforeData,
    /// A mail server breaks the connection when it has been given the mail, and does not keep it.
    DropAfterData,
}

impl Outcome {
    /// Whether a sink of this kind can do it.
    pub(crate) fn fits(&self, mail: bool) -> bool {
        match self {
            Self::Status { status, retry_after } if mail => {
                retry_after.is_none() && (*status == 250 || (400..600).contains(status))
            }
            Self::Status { .. } | Self::Timeout | Self::Refused => true,
            Self::Greylist | Self::DropBeforeData | Self::DropAfterData => mail,
        }
    }
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

/// The answers of a sink, attempt by attempt.
#[derive(Debug, Default)]
pub(super) struct Script {
    answers: Mutex<Vec<Answer>>,
    attempts: AtomicUsize,
}

impl Script {
    pub fn new(answers: Vec<Answer>) -> Self {
        Self { answers: Mutex::new(answers), attempts: AtomicUsize::new(0) }
    }

    /// Counts attempts anew, and answers so from now on: one for each, the last for all that follow.
    pub fn set(&self, answers: Vec<Answer>) {
        *self.answers.lock() = answers;
        self.attempts.store(0, Ordering::SeqCst);
    }

    /// The place of this attempt in the script, and what is scripted for it.
    pub fn next(&self) -> (usize, Option<Answer>) {
        let attempt = self.attempts.fetch_add(1, Ordering::SeqCst);
        (attempt, self.at(attempt))
    }

    pub fn at(&self, attempt: usize) -> Option<Answer> {
        let answers = self.answers.lock();
        answers.get(attempt).or(answers.last()).cloned()
    }
}
