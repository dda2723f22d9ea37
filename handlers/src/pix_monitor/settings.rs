//! The settings, read from environment variables and checked all at once when the function starts.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use http::Uri;

pub use crate::env::SettingsError;
use crate::env::{invalid, optional, required};

/// Minutes that a run reads at least, unless `SEARCH_RANGE_MINUTES` says otherwise.
pub const DEFAULT_SEARCH_RANGE_MINUTES: u32 = 5;

/// The most that `SEARCH_RANGE_MINUTES` may say: a day. Every run reads the range, so more is a slip of the keyboard.
pub const MAX_SEARCH_RANGE_MINUTES: u32 = 24 * 60;

/// The longest name of a log group: CloudWatch Logs' `logGroupName`, length and pattern from its service model.
const MAX_LOG_GROUP_NAME: usize = 512;

/// What the function is told by its environment.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `WATCHED_ACCOUNTS`: the accounts whose cash-outs count, separated by commas.
    pub watched_accounts: BTreeSet<String>,
    /// `LOG_GROUPS`: names of the log groups to read, separated by commas. Each once, in the order given.
    pub log_groups: Vec<String>,
    /// `SEARCH_RANGE_MINUTES`: see [`DEFAULT_SEARCH_RANGE_MINUTES`].
    pub search_range_minutes: u32,
    /// `SLACK_WEBHOOK`: the address of the incoming webhook.
    pub slack_webhook: Webhook,
    /// `STATE_BUCKET`: the bucket that holds the cursor.
    pub state_bucket: String,
    /// `CURSOR_ORDER`: see [`CursorOrder`].
    pub cursor_order: CursorOrder,
}

/// When the cursor is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CursorOrder {
    /// `after-notify`: when Slack has taken the message. A crash in between repeats an alert.
    #[default]
    AfterNotify,
    /// `before-notify`: before Slack is called. A crash in between loses an alert; kept to show just that.
    BeforeNotify,
}

/// The address of a Slack incoming webhook. It is a secret: who has it can post. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook {
    origin: String,
    path_and_query: String,
}

impl Webhook {
    /// Scheme, host and port: `https://hooks.slack.com`.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The secret part: path and query.
    pub fn path_and_query(&self) -> &str {
        &self.path_and_query
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Webhook({}/…)", self.origin)
    }
}

impl FromStr for Webhook {
    type Err = &'static str;

    /// An absolute `https` or `http` address without user name and password.
    fn from_str(text: &str) -> Result<Self, &'static str> {
        let uri: Uri = text.parse().map_err(|_| "not an address")?;
        let parts = uri.into_parts();
        let scheme = parts.scheme.ok_or("not an absolute address")?;
        if scheme != http::uri::Scheme::HTTPS && scheme != http::uri::Scheme::HTTP {
            return Err("neither https nor http");
        }
        let authority = parts.authority.ok_or("has no host")?;
        if authority.as_str().contains('@') {
            return Err("holds a user name");
        }
        let path_and_query = parts.path_and_query.map_or_else(|| "/".to_owned(), |path| path.as_str().to_owned());
        Ok(Self { origin: format!("{scheme}://{authority}"), path_and_query })
    }
}

impl Settings {
    /// Reads every setting through `env`, which answers like `std::env::var(name).ok()`.
    ///
    /// A lookup function rather than the process's environment: several functions may live in one process.
    pub fn read(env: &dyn Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        Ok(Self {
            watched_accounts: list(env, "WATCHED_ACCOUNTS")?.into_iter().collect(),
            log_groups: log_groups(env)?,
            search_range_minutes: search_range(env)?,
            slack_webhook: required(env, "SLACK_WEBHOOK")?
                .parse()
                .map_err(|reason: &str| invalid("SLACK_WEBHOOK", reason))?,
            state_bucket: required(env, "STATE_BUCKET")?,
            cursor_order: cursor_order(env)?,
        })
    }
}

/// A list separated by commas, each entry once and at least one of them.
fn list(env: &dyn Fn(&str) -> Option<String>, name: &'static str) -> Result<Vec<String>, SettingsError> {
    let mut entries: Vec<String> = Vec::new();
    for entry in required(env, name)?.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        if !entries.iter().any(|known| known == entry) {
            entries.push(entry.to_owned());
        }
    }
    if entries.is_empty() { Err(invalid(name, "names nothing")) } else { Ok(entries) }
}

fn log_groups(env: &dyn Fn(&str) -> Option<String>) -> Result<Vec<String>, SettingsError> {
    const NAME: &str = "LOG_GROUPS";
    let groups = list(env, NAME)?;
    let fits = |name: &str| {
        name.len() <= MAX_LOG_GROUP_NAME && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-/#".contains(c))
    };
    match groups.iter().find(|group| !fits(group)) {
        Some(group) => Err(invalid(NAME, format!("{group:?} is not the name of a log group"))),
        None => Ok(groups),
    }
}

fn search_range(env: &dyn Fn(&str) -> Option<String>) -> Result<u32, SettingsError> {
    const NAME: &str = "SEARCH_RANGE_MINUTES";
    let Some(text) = optional(env, NAME) else { return Ok(DEFAULT_SEARCH_RANGE_MINUTES) };
    let minutes = text.parse().ok().filter(|minutes| (1..=MAX_SEARCH_RANGE_MINUTES).contains(minutes));
    let reason = || invalid(NAME, format!("{text:?} is not a number of minutes from 1 to {MAX_SEARCH_RANGE_MINUTES}"));
    minutes.ok_or_else(reason)
}

fn cursor_order(env: &dyn Fn(&str) -> Option<String>) -> Result<CursorOrder, SettingsError> {
    const NAME: &str = "CURSOR_ORDER";
    match optional(env, NAME).as_deref() {
        None | Some("after-notify") => Ok(CursorOrder::AfterNotify),
        Some("before-notify") => Ok(CursorOrder::BeforeNotify),
        Some(other) => Err(invalid(NAME, format!("{other:?} is neither after-notify nor before-notify"))),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn read(changes: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        let defaults = [
            ("WATCHED_ACCOUNTS", "1, 2,,2"),
            ("LOG_GROUPS", "/aws/lambda/pix-api, other,/aws/lambda/pix-api"),
            ("SLACK_WEBHOOK", "https://hooks.slack.com/services/T0/B0/secret"),
            ("STATE_BUCKET", "pix-state"),
        ];
        Settings::read(&|name| {
            let last = defaults.iter().chain(changes).rev().find(|(key, _)| *key == name);
            last.map(|(_, value)| (*value).to_owned())
        })
    }

    fn refused(name: &str, value: &str) -> String {
        read(&[(name, value)]).unwrap_err().to_string()
    }

    #[test]
    fn defaults_and_lists() {
        let settings = read(&[]).unwrap();
        assert_eq!(settings.watched_accounts, BTreeSet::from(["1".to_owned(), "2".to_owned()]));
        assert_eq!(settings.log_groups, ["/aws/lambda/pix-api", "other"]);
        assert_eq!(settings.search_range_minutes, 5);
        assert_eq!(settings.cursor_order, CursorOrder::AfterNotify);
        assert_eq!(settings.slack_webhook.origin(), "https://hooks.slack.com");
        assert_eq!(settings.slack_webhook.path_and_query(), "/services/T0/B0/secret");
    }

    #[test]
    fn everything_can_be_said() {
        let settings = read(&[("SEARCH_RANGE_MINUTES", "30"), ("CURSOR_ORDER", "before-notify")]).unwrap();
        assert_eq!(settings.search_range_minutes, 30);
        assert_eq!(settings.cursor_order, CursorOrder::BeforeNotify);
        assert_eq!(read(&[("CURSOR_ORDER", "")]).unwrap().cursor_order, CursorOrder::AfterNotify);
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        for name in ["WATCHED_ACCOUNTS", "LOG_GROUPS", "SLACK_WEBHOOK", "STATE_BUCKET"] {
            assert_eq!(refused(name, " "), format!("environment variable {name} is not set"));
        }
        assert_eq!(refused("WATCHED_ACCOUNTS", ","), "environment variable WATCHED_ACCOUNTS: names nothing");
        assert!(refused("LOG_GROUPS", "a b").contains("LOG_GROUPS: \"a b\""));
        for text in ["0", "-1", "1441", "5m", "1.5", "99999999999"] {
            assert!(refused("SEARCH_RANGE_MINUTES", text).contains(text));
        }
        assert!(refused("CURSOR_ORDER", "after").contains("\"after\""));
    }

    #[test]
    fn the_webhook_stays_secret() {
        for text in ["secret", "/services/secret", "ftp://host/secret", "https://user:secret@host/", "https:// secret"]
        {
            let refusal = refused("SLACK_WEBHOOK", text);
            assert!(
                refusal.starts_with("environment variable SLACK_WEBHOOK: ") && !refusal.contains("secret"),
                "{refusal}"
            );
        }
        assert!(!format!("{:?}", read(&[]).unwrap()).contains("secret"));
    }
}
