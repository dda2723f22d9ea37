//! What a sink answers, attempt by attempt: `200`, `429 retry-after=3`, `delay 30s 200`, `timeout`, `refused`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::diagnostic::Problem;
use super::duration;
use super::lexer::Words;
pub use crate::sinks::{Answer, Outcome};

impl Answer {
    pub(crate) fn parse(words: &mut Words<'_>) -> Result<Self, Problem> {
        let mut delay = Duration::ZERO;
        if words.accept("delay") {
            let word = words.expect("the delay")?;
            delay = duration::parse(word.text).map_err(|why| Problem::new(word.span, why))?;
        }
        let word = words.expect("a status, `timeout` or `refused`")?;
        let outcome = match word.text {
            "timeout" => Outcome::Timeout,
            "refused" => Outcome::Refused,
            text => {
                let status = text.parse().ok().filter(|status| (200..600).contains(status));
                let wrong = || {
                    Problem::new(word.span, format!("`{text}` is not an answer")).help(
                        "an answer is a status (200 to 599), `timeout` or `refused`, after `delay 30s` if it is late",
                    )
                };
                Outcome::Status { status: status.ok_or_else(wrong)?, retry_after: retry_after(words)? }
            }
        };
        words.end()?;
        Ok(Self { delay, outcome })
    }
}

fn retry_after(words: &mut Words<'_>) -> Result<Option<u64>, Problem> {
    let Some(word) = words.next() else { return Ok(None) };
    let seconds = word.text.strip_prefix("retry-after=").and_then(|seconds| seconds.parse().ok());
    seconds.map(Some).ok_or_else(|| {
        Problem::new(word.span, format!("`{}` says nothing about an answer", word.text))
            .help("write it like retry-after=3")
    })
}

impl FromStr for Answer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::parse(&mut Words::new(text, 0)).map_err(|problem| match problem.help {
            Some(help) => format!("{}; {help}", problem.message),
            None => problem.message,
        })
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.delay.is_zero() {
            write!(f, "delay {} ", duration::display(self.delay))?;
        }
        match &self.outcome {
            Outcome::Timeout => f.write_str("timeout"),
            Outcome::Refused => f.write_str("refused"),
            Outcome::Status { status, retry_after } => {
                write!(f, "{status}")?;
                retry_after.map_or(Ok(()), |seconds| write!(f, " retry-after={seconds}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn each_form_reads_back() {
        for text in ["200", "429 retry-after=3", "delay 30s 200", "timeout", "delay 5s refused"] {
            assert_eq!(Answer::parse(&mut Words::new(text, 0)).unwrap().to_string(), text);
        }
    }

    #[test]
    fn the_rest_is_refused() {
        for wrong in [
            "",
            "ok",
            "99",
            "600",
            "200 retry-after",
            "200 Retry-After=3",
            "429 retry-after=x",
            "429 retry-after=3 200",
            "delay 200",
            "delay 3s",
            "timeout 200",
        ] {
            assert!(Answer::parse(&mut Words::new(wrong, 0)).is_err(), "{wrong}");
        }
    }
}
