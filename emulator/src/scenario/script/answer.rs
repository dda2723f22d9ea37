//! What a sink answers, attempt by attempt: `200`, `429 retry-after=3`, `delay 30s 200`, `timeout`, `refused`; a mail server
//! `250`, `421`, `greylist`, `drop-before-data`, `drop-after-data` as well.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::diagnostic::{Problem, Span};
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
            "greylist" => Outcome::Greylist,
            "drop-before-data" => Outcome::DropBeforeData,
            "drop-after-data" => Outcome::DropAfterData,
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

    /// Reads the answer of a mail server, or of an HTTP sink, that stands at byte `offset` of the script.
    pub(crate) fn parse_for(mail: bool, text: &str, offset: usize) -> Result<Self, Problem> {
        let answer = Self::parse(&mut Words::new(text, offset))?;
        if answer.outcome.fits(mail) {
            return Ok(answer);
        }
        let span = Span::of(text, offset);
        let (kind, help) = if mail {
            (
                "a mail server",
                "250, a reply code from 400 to 599, greylist, drop-before-data, drop-after-data, timeout, refused",
            )
        } else {
            ("an HTTP sink", "a status from 200 to 599, timeout, refused")
        };
        Err(Problem::new(span, format!("{kind} does not answer `{text}`")).help(help))
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
            Outcome::Greylist => f.write_str("greylist"),
            Outcome::DropBeforeData => f.write_str("drop-before-data"),
            Outcome::DropAfterData => f.write_str("drop-after-data"),
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
        let mail = ["greylist", "drop-before-data", "delay 1m drop-after-data"];
        for text in ["200", "429 retry-after=3", "delay 30s 200", "timeout", "delay 5s refused"].into_iter().chain(mail)
        {
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

    #[test]
    fn each_kind_of_sink_has_its_own_answers() {
        for (text, http, mail) in [
            ("200", true, false),
            ("250", true, true),
            ("421", true, true),
            ("delay 3s 250", true, true),
            ("429 retry-after=3", true, false),
            ("302", true, false),
            ("greylist", false, true),
            ("drop-after-data", false, true),
            ("timeout", true, true),
        ] {
            assert_eq!(Answer::parse_for(false, text, 0).is_ok(), http, "{text}");
            assert_eq!(Answer::parse_for(true, text, 0).is_ok(), mail, "{text}");
        }
    }
}
