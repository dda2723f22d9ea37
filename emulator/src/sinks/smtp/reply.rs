//! Replies of the server: RFC 5321 codes with the enhanced status codes of RFC 3463.

use std::borrow::Cow;

/// One reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    /// The reply code.
    pub code: u16,
    /// The enhanced code and the text. A reply of several lines has them here one by one.
    lines: Vec<Cow<'static, str>>,
}

impl Reply {
    pub fn new(code: u16, text: impl Into<Cow<'static, str>>) -> Self {
        Self { code, lines: vec![text.into()] }
    }

    pub fn lines(code: u16, lines: Vec<Cow<'static, str>>) -> Self {
        Self { code, lines }
    }

    /// What a script's code stands for: RFC 5321 section 4.2.3, RFC 4954 section 6.
    pub fn scripted(code: u16) -> Self {
        let text = match code {
            250 => "2.0.0 OK",
            421 => "4.3.2 Service not available, closing transmission channel",
            450 => "4.2.1 Mailbox unavailable",
            451 => "4.3.0 Requested action aborted: local error in processing",
            452 => "4.3.1 Requested action not taken: insufficient system storage",
            454 => "4.7.0 Temporary authentication failure",
            530 => "5.7.0 Authentication required",
            534 => "5.7.9 Authentication mechanism is too weak",
            535 => "5.7.8 Authentication credentials invalid",
            550 => "5.1.1 Requested action not taken: mailbox unavailable",
            551 => "5.1.6 User not local",
            552 => "5.3.4 Message size exceeds fixed maximum message size",
            553 => "5.1.3 Requested action not taken: mailbox name not allowed",
            554 => "5.0.0 Transaction failed",
            400..=499 => "4.0.0 Scripted answer",
            _ => "5.0.0 Scripted answer",
        };
        Self::new(code, text)
    }

    /// As it is sent.
    pub fn bytes(&self) -> Vec<u8> {
        let last = self.lines.len().saturating_sub(1);
        let line = |(at, text): (usize, &Cow<'_, str>)| {
            format!("{}{}{text}\r\n", self.code, if at == last { ' ' } else { '-' })
        };
        self.lines.iter().enumerate().map(line).collect::<String>().into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_lines_but_the_last_say_that_more_follow() {
        let reply = Reply::lines(250, vec!["host".into(), "SIZE 1".into(), "PIPELINING".into()]);
        assert_eq!(reply.bytes(), b"250-host\r\n250-SIZE 1\r\n250 PIPELINING\r\n");
        assert_eq!(Reply::scripted(421).bytes(), b"421 4.3.2 Service not available, closing transmission channel\r\n");
    }
}
