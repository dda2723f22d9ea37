//! What a sink answers to one attempt, and how scripts write it.

use std::str::FromStr;
use std::time::Duration;

use wiremock::ResponseTemplate;

/// The answer to one attempt: `200`, `429 retry-after=3`, `delay 30s 200`, `timeout`, `refused`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// How long, in virtual time, the request takes before it reaches the server.
    pub delay: Duration,
    /// What becomes of it.
    pub kind: AnswerKind,
}

/// What becomes of a request to a sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnswerKind {
    /// It is answered.
    Status {
        /// The HTTP status.
        status: u16,
        /// The header `Retry-After`, in seconds.
        retry_after: Option<u64>,
    },
    /// It is never answered.
    Timeout,
    /// The connection is refused.
    Refused,
}

impl Default for Answer {
    fn default() -> Self {
        Self { delay: Duration::ZERO, kind: AnswerKind::Status { status: 200, retry_after: None } }
    }
}

impl Answer {
    /// The answer as wiremock sends it.
    pub(super) fn template(&self) -> ResponseTemplate {
        let AnswerKind::Status { status, retry_after } = self.kind else { return ResponseTemplate::new(500) };
        // Slack's incoming webhooks answer a plain `ok`.
        let body = if status < 300 { "ok" } else { "" };
        let template = ResponseTemplate::new(status).set_body_string(body);
        match retry_after {
            Some(seconds) => template.insert_header("retry-after", seconds.to_string()),
            None => template,
        }
    }
}

/// A text that is no answer.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` is not an answer of a sink; there are STATUS, STATUS retry-after=SECONDS, timeout and refused, each after an optional `delay TIME` such as 30s, 5m or 1h"
)]
pub struct BadAnswer(String);

impl FromStr for Answer {
    type Err = BadAnswer;

    fn from_str(text: &str) -> Result<Self, BadAnswer> {
        let bad = || BadAnswer(text.to_owned());
        let mut words = text.split_whitespace().peekable();
        let mut delay = Duration::ZERO;
        if words.next_if_eq(&"delay").is_some() {
            delay = words.next().and_then(duration).ok_or_else(bad)?;
        }
        let kind = match words.next() {
            Some("timeout") => AnswerKind::Timeout,
            Some("refused") => AnswerKind::Refused,
            Some(status) => {
                let status = status.parse().ok().filter(|s| (200..600).contains(s)).ok_or_else(bad)?;
                let retry_after = match words.next() {
                    None => None,
                    Some(word) => Some(word.strip_prefix("retry-after=").and_then(|s| s.parse().ok()).ok_or_else(bad)?),
                };
                AnswerKind::Status { status, retry_after }
            }
            None => return Err(bad()),
        };
        if words.next().is_some() { Err(bad()) } else { Ok(Self { delay, kind }) }
    }
}

fn duration(word: &str) -> Option<Duration> {
    let (number, unit) = word.split_at_checked(word.find(|c: char| !c.is_ascii_digit())?)?;
    let number: u64 = number.parse().ok()?;
    let seconds = match unit {
        "ms" => return Some(Duration::from_millis(number)),
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return None,
    };
    number.checked_mul(seconds).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_write_answers_as_words() {
        let status = |status, retry_after| AnswerKind::Status { status, retry_after };
        for (text, delay, kind) in [
            ("200", 0, status(200, None)),
            ("429 retry-after=3", 0, status(429, Some(3))),
            ("delay 4m 200", 240, status(200, None)),
            ("timeout", 0, AnswerKind::Timeout),
            ("delay 1s refused", 1, AnswerKind::Refused),
        ] {
            let answer = Answer { delay: Duration::from_secs(delay), kind };
            assert_eq!(text.parse::<Answer>().ok(), Some(answer), "{text}");
        }
        for text in ["", "99", "6000", "delay 200", "delay 3 200", "200 x", "timeout 200", "429 retry-after=x"] {
            assert!(text.parse::<Answer>().is_err(), "{text}");
        }
    }
}
