//! One run, from the cursor to the cursor.

use aws_sdk_cloudwatchlogs::Client as LogsClient;
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_types::date_time::{DateTime, Format};
use serde::Serialize;

use super::cursor::{Cursor, Store};
use super::error::Error;
use super::event_id::EventId;
use super::select::Selection;
use super::settings::{CursorOrder, Settings};
use super::slack::Slack;
use super::window::{Window, refresh_due};
use super::{logs, message};

/// What a run needs: settings, and the clients made from one SDK configuration.
#[derive(Clone, Debug)]
pub struct Monitor {
    /// The settings.
    pub settings: Settings,
    /// CloudWatch Logs.
    pub logs: LogsClient,
    /// The cursor in S3.
    pub store: Store,
    /// Slack.
    pub slack: Slack,
    /// The time.
    pub time: SharedTimeSource,
}

/// What a run that succeeded reports, as the function's result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// Whether there was no cursor before.
    pub first_run: bool,
    /// The first moment that was read, RFC 3339.
    pub window_start: String,
    /// The last moment that was read, RFC 3339.
    pub window_end: String,
    /// Pages of `FilterLogEvents`, over all groups.
    pub pages_read: u64,
    /// Log events in the window.
    pub events_read: u64,
    /// Lines in the window that are not the Pix API's.
    pub skipped_lines: u64,
    /// Cash-outs in the window, of any account, announced before or not.
    pub cash_outs: u64,
    /// New cash-outs of watched accounts: what this run announced.
    pub new_cash_outs: u64,
    /// Accounts that have new cash-outs.
    pub accounts: Vec<String>,
    /// The sum of the new cash-outs in centavos. A text: JSON numbers are exact up to 2^53 only.
    pub sum_centavos: String,
    /// The same sum as `R$ 1.234,56`.
    pub sum: String,
    /// Attempts that Slack took; 0 if there was nothing to tell.
    pub slack_attempts: u32,
    /// The cursor after this run; null if there is none yet.
    pub cursor: Option<String>,
    /// Whether this run wrote the cursor: moved it, or refreshed it after a long quiet time.
    pub cursor_written: bool,
}

impl Monitor {
    /// Reads the window, announces what is new, moves the cursor.
    pub async fn run(&self) -> Result<Outcome, Error> {
        let cursor = self.store.read().await?;
        let now = self.now();
        let window = Window::new(now, self.settings.search_range_minutes, cursor.as_ref().map(|cursor| cursor.written));
        let known = cursor.as_ref().map(|cursor| cursor.id.clone());
        let mut selection = Selection::new(known.clone(), &self.settings.watched_accounts);
        let pages = logs::read(&self.logs, &self.settings.log_groups, window, &mut selection).await?;
        let (slack_attempts, cursor_written) = match selection.greatest() {
            Some(next) => (self.announce(&selection, window, next, cursor.as_ref()).await?, true),
            None => (0, self.refresh(now, cursor.as_ref()).await?),
        };
        if !selection.skipped().is_empty() {
            let reasons = selection.skipped().iter().map(|(reason, count)| format!("{reason}: {count}"));
            tracing::warn!(reasons = reasons.collect::<Vec<_>>().join(", "), "lines skipped");
        }
        let outcome = Outcome {
            first_run: cursor.is_none(),
            window_start: timestamp(window.start),
            window_end: timestamp(window.end),
            pages_read: pages,
            events_read: selection.events_read(),
            skipped_lines: selection.skipped().values().sum(),
            cash_outs: selection.cash_outs(),
            new_cash_outs: selection.new_cash_outs().len() as u64,
            accounts: selection.accounts().into_iter().map(str::to_owned).collect(),
            sum_centavos: selection.sum().0.to_string(),
            sum: selection.sum().to_string(),
            slack_attempts,
            cursor: selection.greatest().or(known.as_ref()).map(ToString::to_string),
            cursor_written,
        };
        tracing::info!(
            new_cash_outs = outcome.new_cash_outs,
            events_read = outcome.events_read,
            skipped_lines = outcome.skipped_lines,
            cursor = outcome.cursor,
            "run finished"
        );
        Ok(outcome)
    }

    /// Tells Slack and moves the cursor, in the order that the settings ask for.
    async fn announce(
        &self,
        selection: &Selection<'_>,
        window: Window,
        next: &EventId,
        previous: Option<&Cursor>,
    ) -> Result<u32, Error> {
        let message = message::build(selection, window);
        match self.settings.cursor_order {
            // A crash between the two repeats the alert at the next run: safe.
            CursorOrder::AfterNotify => {
                let attempts = self.slack.send(&message).await?;
                self.store.write(next, previous).await?;
                Ok(attempts)
            }
            // A crash between the two, or a Slack that is down, loses the alert: the order of the first version.
            CursorOrder::BeforeNotify => {
                self.store.write(next, previous).await?;
                self.slack.send(&message).await
            }
        }
    }

    /// Writes an old cursor again, unchanged, so that the window does not grow without end in quiet times.
    async fn refresh(&self, now: i64, cursor: Option<&Cursor>) -> Result<bool, Error> {
        let Some(cursor) = cursor.filter(|cursor| refresh_due(now, cursor.written)) else { return Ok(false) };
        match self.store.write(&cursor.id, Some(cursor)).await {
            Ok(()) => Ok(true),
            // Another run has just written it, which is all that was wanted. Nothing was announced.
            Err(Error::LostRace { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Epoch milliseconds. A clock before 1970 reads as 1970, the earliest time that CloudWatch Logs knows.
    fn now(&self) -> i64 {
        DateTime::from(self.time.now()).to_millis().unwrap_or(0).max(0)
    }
}

/// RFC 3339; what that cannot express (beyond the year 9999) as the number of milliseconds.
fn timestamp(millis: i64) -> String {
    DateTime::from_millis(millis).fmt(Format::DateTime).unwrap_or_else(|_| millis.to_string())
}
