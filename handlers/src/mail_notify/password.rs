//! The SMTP password: from the environment, or from Secrets Manager, where it is fetched once for each environment.

use std::fmt;

use aws_sdk_secretsmanager::Client;
use tokio::sync::Mutex;

use super::error::Error;
use super::settings::PasswordSource;
use crate::failure::reason;

/// A password. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(pub(super) String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// The password, and what was fetched of it.
#[derive(Debug)]
pub struct Passwords {
    client: Client,
    source: PasswordSource,
    fetched: Mutex<Option<Password>>,
}

impl Passwords {
    /// The password from this source.
    pub fn new(client: Client, source: PasswordSource) -> Self {
        Self { client, source, fetched: Mutex::new(None) }
    }

    /// The password.
    ///
    /// # Errors
    /// [`Error::PasswordUnavailable`].
    pub async fn get(&self) -> Result<Password, Error> {
        let arn = match &self.source {
            PasswordSource::Plain(password) => return Ok(Password(password.clone())),
            PasswordSource::Secret { arn } => arn,
        };
        let mut fetched = self.fetched.lock().await;
        if let Some(password) = &*fetched {
            return Ok(password.clone());
        }
        let answer = self.client.get_secret_value().secret_id(arn).send().await;
        let answer = answer.map_err(|error| Error::PasswordUnavailable(reason(&error)))?;
        let text = answer.secret_string().filter(|text| !text.is_empty());
        let text = text.ok_or_else(|| Error::PasswordUnavailable("the secret holds no text".to_owned()))?;
        let password = Password(text.to_owned());
        *fetched = Some(password.clone());
        Ok(password)
    }

    /// Forgets what was fetched: the server refused it, so it has probably been changed.
    pub async fn forget(&self) {
        *self.fetched.lock().await = None;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueOutput;
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};

    use super::super::testing::Quick;
    use super::*;

    fn passwords(rules: &[&Rule]) -> Passwords {
        let client = mock_client!(aws_sdk_secretsmanager, RuleMode::Sequential, rules, |conf| conf.sleep_impl(Quick));
        Passwords::new(client, PasswordSource::Secret { arn: "arn:x".to_owned() })
    }

    fn secret(text: &'static str) -> Rule {
        mock!(Client::get_secret_value)
            .match_requests(|get| get.secret_id() == Some("arn:x"))
            .then_output(move || GetSecretValueOutput::builder().secret_string(text).build())
    }

    #[tokio::test]
    async fn it_is_fetched_once_and_again_when_it_was_forgotten() {
        let (first, second) = (secret("hush"), secret("new"));
        let passwords = passwords(&[&first, &second]);
        for _ in 0..3 {
            assert_eq!(passwords.get().await, Ok(Password("hush".to_owned())));
        }
        assert_eq!(first.num_calls(), 1);
        passwords.forget().await;
        assert_eq!(passwords.get().await, Ok(Password("new".to_owned())));
        assert!(!format!("{passwords:?}").contains("new"));
    }

    #[tokio::test]
    async fn without_it_nothing_is_sent() {
        let body =
            r#"{"__type":"ResourceNotFoundException","Message":"Secrets Manager can't find the specified secret."}"#;
        let rule = mock!(Client::get_secret_value).sequence().http_status(400, Some(body.to_owned())).build();
        let error = passwords(&[&rule]).get().await.unwrap_err();
        assert!(matches!(&error, Error::PasswordUnavailable(why) if why.contains("ResourceNotFound")), "{error}");
        assert!(matches!(passwords(&[&secret("")]).get().await, Err(Error::PasswordUnavailable(_))));
    }
}
