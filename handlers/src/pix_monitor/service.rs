//! The Lambda function as a tower service.

use aws_types::SdkConfig;
use lambda_runtime::LambdaEvent;
use serde_json::Value;

use super::cursor::Store;
use super::error::Error;
use super::run::Monitor;
use super::settings::{Settings, SettingsError};
use super::slack::Slack;
use crate::function::{Function, Handle};

/// The function `pix-monitor`. Its event is ignored: what is due follows from the cursor and the time.
pub type PixMonitor = Function<Monitor>;

/// The function, made from one SDK configuration and a lookup of environment variables (`std::env::var(name).ok()`).
///
/// HTTP client, time and sleep are the configuration's as well; it fails if one of them, or a setting, is missing.
pub fn service(config: &SdkConfig, env: &dyn Fn(&str) -> Option<String>) -> Result<PixMonitor, SettingsError> {
    let settings = Settings::read(env)?;
    let http = config.http_client().ok_or(SettingsError::SdkConfig("HTTP client"))?;
    let sleep = config.sleep_impl().ok_or(SettingsError::SdkConfig("sleep implementation"))?;
    let time = config.time_source().ok_or(SettingsError::SdkConfig("time source"))?;
    Ok(Function::new(Monitor {
        logs: aws_sdk_cloudwatchlogs::Client::new(config),
        store: Store::new(aws_sdk_s3::Client::new(config), settings.state_bucket.clone()),
        slack: Slack::new(settings.slack_webhook.clone(), http, sleep, time.clone()),
        time,
        settings,
    }))
}

impl Handle for Monitor {
    type Error = Error;

    async fn handle(&self, _: LambdaEvent<Value>) -> Result<Value, Error> {
        let outcome = self.run().await.inspect_err(|error| {
            tracing::error!(error_type = error.error_type(), %error, "run failed");
        })?;
        Ok(serde_json::json!(outcome))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;
    use tower::{Service, ServiceExt};

    use super::super::testing::{Answer, Fake, cash_in_line, cash_out_line};
    use super::*;

    const START: i64 = 1_795_317_600_000;
    const MINUTE: i64 = 60_000;

    fn env(order: &'static str) -> impl Fn(&str) -> Option<String> {
        move |name| {
            let value = match name {
                "WATCHED_ACCOUNTS" => "1,2",
                "LOG_GROUPS" => "/aws/lambda/pix-api",
                "SLACK_WEBHOOK" => "https://hooks.slack.test/services/T0/hush",
                "STATE_BUCKET" => "pix-state",
                "CURSOR_ORDER" => order,
                _ => return None,
            };
            Some(value.to_owned())
        }
    }

    async fn invoke_with(fake: &Fake, order: &'static str) -> Result<Value, Error> {
        let service = service(&fake.sdk_config(), &env(order)).unwrap();
        service.oneshot(LambdaEvent::new(json!({}), lambda_runtime::Context::default())).await
    }

    async fn invoke(fake: &Fake) -> Result<Value, Error> {
        invoke_with(fake, "after-notify").await
    }

    #[tokio::test]
    async fn first_run_quiet_run_and_news() {
        let fake = Fake::new(START);
        fake.log(START - 4 * MINUTE, "7", &cash_out_line("1", 123_456));
        fake.log(START - 3 * MINUTE, "9", &cash_out_line("2", -56));
        fake.log(START - 2 * MINUTE, "8", &cash_out_line("3", 1));
        fake.log(START - 2 * MINUTE, "10", &cash_in_line("1", 1));
        fake.log(START - MINUTE, "11", "START RequestId: x\n");
        fake.log(START - 6 * MINUTE, "6", &cash_out_line("1", 5));
        let expected = json!({
            "firstRun": true, "windowStart": "2026-11-22T03:15:00Z", "windowEnd": "2026-11-22T03:20:00Z",
            "pagesRead": 3, "eventsRead": 5, "skippedLines": 1, "cashOuts": 3, "newCashOuts": 2, "accounts": ["1", "2"],
            "sumCentavos": "123400", "sum": "R$ 1.234,00", "slackAttempts": 1, "cursor": "9", "cursorWritten": true,
        });
        assert_eq!(invoke(&fake).await, Ok(expected));
        assert_eq!(fake.cursor().as_deref(), Some("9"));
        assert_eq!(
            fake.calls(),
            ["GetObject", "FilterLogEvents", "FilterLogEvents", "FilterLogEvents", "Slack", "PutObject"]
        );

        fake.advance(3 * MINUTE);
        let quiet = invoke(&fake).await.unwrap();
        assert_eq!(quiet["newCashOuts"], 0);
        assert_eq!(quiet["cursor"], "9");
        assert_eq!(quiet["cursorWritten"], false);
        assert!(
            !fake.calls().iter().any(|call| *call == "Slack" || *call == "PutObject"),
            "no news, no word, no write"
        );

        fake.log(START + 3 * MINUTE, "12", &cash_out_line("1", 1));
        assert_eq!(invoke(&fake).await.unwrap()["sum"], "R$ 0,01");
        assert_eq!(fake.cursor().as_deref(), Some("12"));
        assert_eq!(fake.state().posts.len(), 2);
    }

    #[tokio::test]
    async fn nothing_is_missed_after_an_outage() {
        let fake = Fake::new(START);
        fake.set_cursor("5");
        fake.advance(MINUTE);
        fake.log(START + MINUTE, "6", &cash_out_line("1", 100));
        fake.advance(300 * MINUTE);
        let outcome = invoke(&fake).await.unwrap();
        assert_eq!(outcome["newCashOuts"], 1);
        assert_eq!(outcome["windowStart"], "2026-11-22T03:15:00Z");
    }

    #[tokio::test]
    async fn an_old_cursor_is_refreshed_and_unchanged() {
        let fake = Fake::new(START);
        fake.set_cursor("0005");
        fake.advance(61 * MINUTE);
        assert_eq!(invoke(&fake).await.unwrap()["cursorWritten"], true);
        assert_eq!(fake.cursor().as_deref(), Some("0005"));
        assert_eq!(invoke(&fake).await.unwrap()["windowStart"], "2026-11-22T04:16:00Z");
        assert!(fake.state().posts.is_empty());
        fake.advance(61 * MINUTE);
        fake.state().steal_cursor = true;
        assert_eq!(invoke(&fake).await.unwrap()["cursorWritten"], false, "a lost refresh is no failure");
    }

    #[tokio::test]
    async fn slack_down_leaves_the_cursor_and_the_next_run_tells() {
        let fake = Fake::new(START);
        fake.set_cursor("5");
        fake.log(START, "6", &cash_out_line("1", 100));
        fake.state().slack.extend(vec![Answer::status(500); 4]);
        assert_eq!(invoke(&fake).await.unwrap_err().error_type(), "PixMonitor.SlackUnavailable");
        assert_eq!(fake.cursor().as_deref(), Some("5"));
        assert_eq!(invoke(&fake).await.unwrap()["newCashOuts"], 1);
        assert_eq!(fake.cursor().as_deref(), Some("6"));
    }

    #[tokio::test]
    async fn of_two_overlapping_runs_one_loses_cleanly() {
        for (cursor, order, posts) in
            [(None, "after-notify", 1), (Some("5"), "after-notify", 1), (None, "before-notify", 0)]
        {
            let fake = Fake::new(START);
            cursor.into_iter().for_each(|cursor| fake.set_cursor(cursor));
            fake.log(START, "6", &cash_out_line("1", 100));
            fake.state().steal_cursor = true;
            assert_eq!(invoke_with(&fake, order).await.unwrap_err().error_type(), "PixMonitor.LostRace");
            assert_eq!(fake.cursor().as_deref(), Some("99"), "the winner's cursor stands");
            assert_eq!(fake.state().posts.len(), posts);
        }
    }

    #[tokio::test]
    async fn before_notify_loses_the_alert_when_slack_fails() {
        let fake = Fake::new(START);
        fake.log(START, "6", &cash_out_line("1", 100));
        fake.state().slack.push_back(Answer::status(404));
        assert_eq!(invoke_with(&fake, "before-notify").await.unwrap_err().error_type(), "PixMonitor.SlackRejected");
        assert_eq!(fake.cursor().as_deref(), Some("6"));
        assert_eq!(invoke_with(&fake, "before-notify").await.unwrap()["newCashOuts"], 0);
    }

    #[tokio::test]
    async fn a_corrupt_cursor_stops_everything() {
        let fake = Fake::new(START);
        fake.set_cursor("oops");
        fake.log(START, "6", &cash_out_line("1", 100));
        assert_eq!(invoke(&fake).await.unwrap_err().error_type(), "PixMonitor.CursorCorrupt");
        assert_eq!(fake.cursor().as_deref(), Some("oops"));
        assert_eq!(fake.calls(), ["GetObject"]);
    }

    #[test]
    fn what_the_configuration_lacks_is_named() {
        let fake = Fake::new(START);
        let mut builder = fake.sdk_config().into_builder();
        builder.set_http_client(None);
        let error = service(&builder.build(), &env("")).unwrap_err();
        assert_eq!(error, SettingsError::SdkConfig("HTTP client"));
        assert!(!format!("{:?}", service(&fake.sdk_config(), &env("")).unwrap()).contains("hush"));
    }

    /// What `lambda_runtime::run` and a host in the same process ask of a function.
    #[test]
    fn the_service_can_be_hosted() {
        fn hosted<S>(_: S)
        where
            S: Service<LambdaEvent<Value>, Response = Value> + Clone + Send + 'static,
            S::Future: Send + 'static,
            S::Error: Into<lambda_runtime::Diagnostic> + std::fmt::Debug,
        {
        }
        hosted(service(&Fake::new(START).sdk_config(), &env("")).unwrap());
    }
}
