//! The settings, read from environment variables and checked all at once when the function starts.

use std::fmt;

use lettre::message::Mailbox;
use lettre::transport::smtp::client::Certificate;

pub use crate::env::SettingsError;
use crate::env::{Lookup, invalid, optional, required};

/// The port unless `SMTP_PORT` says otherwise: message submission (RFC 6409).
pub const DEFAULT_PORT: u16 = 587;

/// What the function is told by its environment.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `SMTP_SERVER`: the mail server's host name, which its certificate must show.
    pub server: String,
    /// `SMTP_PORT`: see [`DEFAULT_PORT`].
    pub port: u16,
    /// `SMTP_USER`.
    pub user: String,
    /// `SMTP_PASSWORD`: the password, or the ARN of the secret that holds it.
    pub password: PasswordSource,
    /// `EMAIL_FROM`: the sender, such as `Seu Serviço <no-reply@example.com>`.
    pub from: Mailbox,
    /// `DEDUP_TABLE`: the table of what was mailed.
    pub table: String,
    /// `SMTP_CA_PEM`: the only authority that may vouch for the mail server; without it those that browsers trust.
    pub authority: Option<Certificate>,
}

/// Where the password comes from.
#[derive(Clone, PartialEq, Eq)]
pub enum PasswordSource {
    /// The setting itself.
    Plain(String),
    /// A secret of AWS Secrets Manager.
    Secret {
        /// Its ARN.
        arn: String,
    },
}

impl fmt::Debug for PasswordSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(_) => f.write_str("Plain(…)"),
            Self::Secret { arn } => write!(f, "Secret({arn})"),
        }
    }
}

impl PasswordSource {
    fn read(text: String) -> Self {
        // `arn:aws:secretsmanager:…`, in whatever partition.
        let mut parts = text.split(':');
        if (parts.next(), parts.nth(1)) == (Some("arn"), Some("secretsmanager")) {
            Self::Secret { arn: text }
        } else {
            Self::Plain(text)
        }
    }
}

impl Settings {
    /// Reads every setting through `env`, which answers like `std::env::var(name).ok()`.
    ///
    /// # Errors
    /// Names the first variable that is missing or wrong.
    pub fn read(env: Lookup<'_>) -> Result<Self, SettingsError> {
        let from = required(env, "EMAIL_FROM")?;
        Ok(Self {
            server: required(env, "SMTP_SERVER")?,
            port: port(env)?,
            user: required(env, "SMTP_USER")?,
            password: PasswordSource::read(required(env, "SMTP_PASSWORD")?),
            from: from.parse().map_err(|error| invalid("EMAIL_FROM", format!("{from:?} is no address: {error}")))?,
            table: required(env, "DEDUP_TABLE")?,
            authority: authority(env)?,
        })
    }
}

fn port(env: Lookup<'_>) -> Result<u16, SettingsError> {
    const NAME: &str = "SMTP_PORT";
    let Some(text) = optional(env, NAME) else { return Ok(DEFAULT_PORT) };
    let port = text.parse().ok().filter(|port| *port > 0);
    port.ok_or_else(|| invalid(NAME, format!("{text:?} is no port: 1 to 65535")))
}

fn authority(env: Lookup<'_>) -> Result<Option<Certificate>, SettingsError> {
    const NAME: &str = "SMTP_CA_PEM";
    let Some(text) = optional(env, NAME) else { return Ok(None) };
    // A text without a certificate in it would leave no authority at all.
    let certificate = Certificate::from_pem(text.as_bytes()).ok().filter(|_| text.contains("BEGIN CERTIFICATE"));
    certificate.map(Some).ok_or_else(|| invalid(NAME, "not a certificate in PEM"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::testing::env;
    use super::*;

    fn read(changes: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        Settings::read(&env(changes))
    }

    #[test]
    fn defaults_and_what_can_be_said() {
        let settings = read(&[]).unwrap();
        assert_eq!((&*settings.server, settings.port), ("smtp.example.com", 587));
        assert_eq!(settings.from.email.to_string(), "no-reply@example.com");
        assert_eq!(read(&[("SMTP_PORT", "2525")]).unwrap().port, 2525);
        let arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:smtp-AbCdEf";
        let secret = read(&[("SMTP_PASSWORD", arn)]).unwrap().password;
        assert_eq!(secret, PasswordSource::Secret { arn: arn.to_owned() });
        let plain = read(&[("SMTP_PASSWORD", "arn:is:my password")]).unwrap().password;
        assert_eq!(plain, PasswordSource::Plain("arn:is:my password".to_owned()));
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        for name in ["SMTP_SERVER", "SMTP_USER", "SMTP_PASSWORD", "EMAIL_FROM", "DEDUP_TABLE"] {
            assert_eq!(read(&[(name, " ")]).unwrap_err(), SettingsError::Missing(name));
        }
        for (name, value) in [
            ("SMTP_PORT", "0"),
            ("SMTP_PORT", "65536"),
            ("SMTP_PORT", "smtp"),
            ("EMAIL_FROM", "nobody"),
            ("EMAIL_FROM", "a@b\r\nBcc: c@d"),
            ("SMTP_CA_PEM", "hello"),
            ("SMTP_CA_PEM", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----"),
        ] {
            let error = read(&[(name, value)]).unwrap_err().to_string();
            assert!(error.starts_with(&format!("environment variable {name}: ")), "{error}");
        }
    }

    #[test]
    fn the_password_stays_secret() {
        assert!(!format!("{:?}", read(&[("SMTP_PASSWORD", "hush")]).unwrap()).contains("hush"));
    }
}
