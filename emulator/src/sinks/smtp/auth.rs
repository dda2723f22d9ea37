//! AUTH PLAIN (RFC 4616) and LOGIN: what clients send, and whether it is right.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq;

/// The user and the password that the server asks for.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user.
    pub user: String,
    /// The password.
    pub password: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credentials({})", self.user)
    }
}

impl Credentials {
    /// Compares in a time that tells nothing of the password.
    pub(super) fn are(&self, user: &[u8], password: &[u8]) -> bool {
        let same = self.user.as_bytes().ct_eq(user) & self.password.as_bytes().ct_eq(password);
        same.into()
    }

    /// Whether an answer to PLAIN gives them: `authorization NUL user NUL password`.
    pub(super) fn are_plain(&self, answer: &[u8]) -> bool {
        let mut parts = answer.split(|byte| *byte == 0);
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(as_whom), Some(user), Some(password), None) => {
                // To act as somebody else is nobody's right here.
                (as_whom.is_empty() || as_whom == user) && self.are(user, password)
            }
            _ => false,
        }
    }
}

/// A client's answer to a challenge.
pub(super) enum Answer {
    Given(Vec<u8>),
    /// `*`: the client gives up.
    Cancelled,
    NotBase64,
}

impl Answer {
    pub fn read(line: &[u8]) -> Self {
        match line.trim_ascii() {
            b"*" => Self::Cancelled,
            // How an empty initial response is written.
            b"=" => Self::Given(Vec::new()),
            text => STANDARD.decode(text).map_or(Self::NotBase64, Self::Given),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_is_three_parts_and_all_must_be_right() {
        let right = Credentials { user: "ana".to_owned(), password: "s3cret".to_owned() };
        for (answer, given) in [
            (&b"\0ana\0s3cret"[..], true),
            (b"ana\0ana\0s3cret", true),
            (b"root\0ana\0s3cret", false),
            (b"\0ana\0s3cre", false),
            (b"\0ana\0", false),
            (b"ana\0s3cret", false),
            (b"\0ana\0s3cret\0", false),
            (b"", false),
        ] {
            assert_eq!(right.are_plain(answer), given, "{answer:?}");
        }
        assert!(!format!("{right:?}").contains("s3cret"));
    }
}
