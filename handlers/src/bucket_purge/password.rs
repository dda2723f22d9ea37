//! Whether a password is the right one.

use argon2::Argon2;
use argon2::password_hash::{PasswordHash, PasswordVerifier as _};
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::ProvideErrorMetadata;

use crate::failure::reason;

/// The longest password that is hashed, in bytes; ours, so that nobody keeps the function busy.
const MAX_PASSWORD: usize = 1024;

/// What became of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the right one.
    Right,
    /// It is not, or there is no hash that any password could be right by.
    Refused,
    /// The hash could not be asked for.
    Unknown(String),
}

/// Asks for the hash anew each time, so that a changed password counts at once, and compares.
pub async fn check(client: &Client, secret: &str, password: &str) -> Verdict {
    if password.is_empty() || password.len() > MAX_PASSWORD {
        return Verdict::Refused;
    }
    match client.get_secret_value().secret_id(secret).send().await {
        Ok(found) => match found.secret_string() {
            Some(hash) => compare(hash, password),
            None => no_hash("the secret holds no text"),
        },
        Err(error) if error.code() == Some("ResourceNotFoundException") => no_hash("there is no such secret"),
        Err(error) => Verdict::Unknown(reason(&error)),
    }
}

/// A hash in PHC form decides, in time that does not depend on the password (`argon2` compares in constant time).
pub fn compare(hash: &str, password: &str) -> Verdict {
    let Ok(hash) = PasswordHash::new(hash.trim()) else {
        return no_hash("the secret is no Argon2 hash in PHC form");
    };
    match Argon2::default().verify_password(password.as_bytes(), &hash) {
        Ok(()) => Verdict::Right,
        Err(_) => Verdict::Refused,
    }
}

fn no_hash(why: &'static str) -> Verdict {
    tracing::error!(why, "every request is refused");
    Verdict::Refused
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use aws_sdk_secretsmanager::operation::get_secret_value::{GetSecretValueError, GetSecretValueOutput};
    use aws_sdk_secretsmanager::types::error::ResourceNotFoundException;
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use aws_smithy_types::error::ErrorMetadata;
    use proptest::prelude::*;

    use super::super::tests::HASH;
    use super::*;

    async fn checked(rule: Rule, password: &str) -> Verdict {
        let client = mock_client!(aws_sdk_secretsmanager, RuleMode::MatchAny, &[&rule]);
        check(&client, "purge", password).await
    }

    fn secret(text: &'static str) -> Rule {
        mock!(Client::get_secret_value).then_output(move || GetSecretValueOutput::builder().secret_string(text).build())
    }

    fn code(code: &str) -> ErrorMetadata {
        ErrorMetadata::builder().code(code).message("why").build()
    }

    #[tokio::test]
    async fn only_the_right_password_is_right() {
        assert_eq!(checked(secret(HASH), "senha").await, Verdict::Right);
        for wrong in ["", "Senha", "senha ", "senh"] {
            assert_eq!(checked(secret(HASH), wrong).await, Verdict::Refused, "{wrong:?}");
        }
        assert_eq!(checked(secret(HASH), &"x".repeat(MAX_PASSWORD + 1)).await, Verdict::Refused);
    }

    #[tokio::test]
    async fn without_a_hash_every_password_is_refused() {
        for text in ["", "senha", "$argon2id$broken"] {
            assert_eq!(checked(secret(text), "senha").await, Verdict::Refused, "{text:?}");
        }
        let empty = mock!(Client::get_secret_value).then_output(|| GetSecretValueOutput::builder().build());
        assert_eq!(checked(empty, "senha").await, Verdict::Refused);
        let missing = mock!(Client::get_secret_value).then_error(|| {
            let error = ResourceNotFoundException::builder().meta(code("ResourceNotFoundException")).build();
            GetSecretValueError::ResourceNotFoundException(error)
        });
        assert_eq!(checked(missing, "senha").await, Verdict::Refused);
    }

    #[tokio::test]
    async fn a_service_that_fails_is_no_verdict() {
        let denied =
            mock!(Client::get_secret_value).then_error(|| GetSecretValueError::generic(code("AccessDeniedException")));
        assert_eq!(checked(denied, "senha").await, Verdict::Unknown("AccessDeniedException: why".to_owned()));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn no_other_password_is_right(password in ".{0,12}") {
            prop_assume!(password != "senha");
            prop_assert_eq!(compare(HASH, &password), Verdict::Refused);
        }
    }
}
