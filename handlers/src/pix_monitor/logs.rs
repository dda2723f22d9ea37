//! Reads the log groups: every page of `FilterLogEvents`.

use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_cloudwatchlogs::operation::filter_log_events::FilterLogEventsError;

use super::error::{Error, reason};
use super::select::{LogEvent, Selection};
use super::window::Window;

/// The most pages that one run reads of one group. A page holds up to 10,000 events or 1 MiB, and `FilterLogEvents`
/// allows 5 to 25 requests a second (CloudWatch Logs quotas), so a function of 60 s never gets this far: the bound is
/// there so that reading ends whatever the service answers.
pub const MAX_PAGES: u64 = 2_000;

/// Adds every event of `groups` within `window` to `selection`, and answers how many pages that took.
///
/// One group that cannot be read fails the whole run. There is one cursor for all groups: moved on without that
/// group, it would pass over the group's events.
pub async fn read(
    client: &Client,
    groups: &[String],
    window: Window,
    selection: &mut Selection<'_>,
) -> Result<u64, Error> {
    let mut pages = 0;
    for (position, group) in groups.iter().enumerate() {
        pages += read_group(client, position, group, window, selection).await?;
    }
    Ok(pages)
}

async fn read_group(
    client: &Client,
    position: usize,
    group: &str,
    window: Window,
    selection: &mut Selection<'_>,
) -> Result<u64, Error> {
    let mut token: Option<String> = None;
    for pages in 1..=MAX_PAGES {
        let request = client.filter_log_events().log_group_name(group).set_next_token(token.clone());
        let page = request.start_time(window.start).end_time(window.end).send().await;
        let page = page.map_err(|error| failure(group, &error))?;
        for event in page.events() {
            let (id, message) = (event.event_id().unwrap_or_default(), event.message().unwrap_or_default());
            selection.add(LogEvent { group: position, id, message });
        }
        // An empty page with a token is not the end: the service stops searching after a while and asks to go on.
        match page.next_token {
            None => return Ok(pages),
            Some(next) if token.as_ref() == Some(&next) => {
                return Err(Error::LogsTokenLoop { group: group.to_owned(), pages });
            }
            Some(next) => token = Some(next),
        }
    }
    Err(Error::LogsTooManyPages { group: group.to_owned(), limit: MAX_PAGES })
}

fn failure<R: std::fmt::Debug>(group: &str, error: &SdkError<FilterLogEventsError, R>) -> Error {
    let (group, reason) = (group.to_owned(), reason(error));
    match error.code() {
        Some("ResourceNotFoundException") => Error::LogGroupMissing { group },
        Some("AccessDeniedException") => Error::LogsAccessDenied { group, reason },
        _ => Error::LogsUnavailable { group, reason },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use aws_sdk_cloudwatchlogs::operation::filter_log_events::FilterLogEventsOutput;
    use aws_sdk_cloudwatchlogs::types::FilteredLogEvent;
    use aws_sdk_cloudwatchlogs::types::error::ResourceNotFoundException;
    use aws_smithy_mocks::{RuleMode, mock, mock_client};

    use super::super::testing::{Fake, cash_out_line, watched};
    use super::*;

    const WINDOW: Window = Window { start: 1_000, end: 2_000 };
    const THROTTLED: &str = r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#;

    fn page(ids: &[&str], token: Option<&str>) -> FilterLogEventsOutput {
        let events =
            ids.iter().map(|id| FilteredLogEvent::builder().event_id(*id).message(cash_out_line("1", 1)).build());
        FilterLogEventsOutput::builder()
            .set_events(Some(events.collect()))
            .set_next_token(token.map(str::to_owned))
            .build()
    }

    /// The SDK's waits between retries, without the waiting.
    fn no_waiting(config: aws_sdk_cloudwatchlogs::config::Builder) -> aws_sdk_cloudwatchlogs::config::Builder {
        config.sleep_impl(Fake::new(0))
    }

    async fn read_all(client: &Client, groups: &[&str]) -> Result<(u64, Vec<String>), Error> {
        let (groups, watched) = (groups.iter().map(|group| (*group).to_owned()).collect::<Vec<_>>(), watched(&["1"]));
        let mut selection = Selection::new(None, &watched);
        let pages = read(client, &groups, WINDOW, &mut selection).await?;
        Ok((pages, selection.new_cash_outs().map(|(id, _)| id.to_string()).collect()))
    }

    #[tokio::test]
    async fn every_page_is_read_empty_ones_too() {
        let rule = |sent: Option<&'static str>, ids: &'static [&'static str], next: Option<&'static str>| {
            mock!(Client::filter_log_events)
                .match_requests(move |request| {
                    request.next_token() == sent
                        && request.log_group_name() == Some("g")
                        && (request.start_time(), request.end_time()) == (Some(1_000), Some(2_000))
                })
                .then_output(move || page(ids, next))
        };
        let rules = [
            rule(None, &["3", "1"], Some("a")),
            rule(Some("a"), &[], Some("b")),
            rule(Some("b"), &[], Some("c")),
            rule(Some("c"), &["2"], None),
        ];
        let client = mock_client!(aws_sdk_cloudwatchlogs, RuleMode::MatchAny, &rules);
        let ids = ["1", "2", "3"].map(str::to_owned).to_vec();
        assert_eq!(read_all(&client, &["g"]).await, Ok((4, ids)));
        assert!(rules.iter().all(|rule| rule.num_calls() == 1));
    }

    #[tokio::test]
    async fn every_group_is_read() {
        let rule = |group: &'static str, id: &'static str| {
            mock!(Client::filter_log_events)
                .match_requests(move |request| {
                    request.log_group_name() == Some(group) && request.next_token().is_none()
                })
                .then_output(move || page(&[id], None))
        };
        let client = mock_client!(aws_sdk_cloudwatchlogs, RuleMode::MatchAny, &[rule("g", "7"), rule("h", "6")]);
        assert_eq!(read_all(&client, &["g", "h"]).await, Ok((2, vec!["6".to_owned(), "7".to_owned()])));
    }

    #[tokio::test]
    async fn a_repeated_token_ends_the_reading() {
        let rule = mock!(Client::filter_log_events).then_output(|| page(&[], Some("a")));
        let client = mock_client!(aws_sdk_cloudwatchlogs, RuleMode::MatchAny, &[&rule]);
        let error = Error::LogsTokenLoop { group: "g".to_owned(), pages: 2 };
        assert_eq!(read_all(&client, &["g"]).await, Err(error));
        assert_eq!(rule.num_calls(), 2);
    }

    #[tokio::test]
    async fn alternating_tokens_end_at_the_limit() {
        let rule = mock!(Client::filter_log_events)
            .then_compute_output(|request| page(&[], Some(if request.next_token() == Some("a") { "b" } else { "a" })));
        let client = mock_client!(aws_sdk_cloudwatchlogs, RuleMode::MatchAny, &[&rule]);
        let error = Error::LogsTooManyPages { group: "g".to_owned(), limit: MAX_PAGES };
        assert_eq!(read_all(&client, &["g"]).await, Err(error));
    }

    #[tokio::test]
    async fn the_sdk_retries_a_throttled_page() {
        let rule = mock!(Client::filter_log_events)
            .sequence()
            .http_status(400, Some(THROTTLED.to_owned()))
            .times(2)
            .output(|| page(&["1"], None))
            .build();
        let client = mock_client!(aws_sdk_cloudwatchlogs, RuleMode::Sequential, &[&rule], no_waiting);
        assert_eq!(read_all(&client, &["g"]).await, Ok((1, vec!["1".to_owned()])));
        assert_eq!(rule.num_calls(), 3);
    }

    #[tokio::test]
    async fn throttled_for_good_fails_with_the_reason() {
        let rule =
            mock!(Client::filter_log_events).sequence().http_status(400, Some(THROTTLED.to_owned())).times(9).build();
        let client = mock_client!(aws_sdk_cloudwatchlogs, RuleMode::Sequential, &[&rule], no_waiting);
        let Err(Error::LogsUnavailable { group, reason }) = read_all(&client, &["g"]).await else { panic!() };
        assert_eq!(group, "g");
        assert!(reason.contains("ThrottlingException") && reason.contains("Rate exceeded"), "{reason}");
        assert_eq!(rule.num_calls(), 3);
    }

    #[tokio::test]
    async fn a_missing_group_and_a_forbidden_one_are_told_apart() {
        let missing = mock!(Client::filter_log_events).then_error(|| {
            let meta = aws_smithy_types::error::ErrorMetadata::builder().code("ResourceNotFoundException").build();
            FilterLogEventsError::ResourceNotFoundException(ResourceNotFoundException::builder().meta(meta).build())
        });
        let client = mock_client!(aws_sdk_cloudwatchlogs, RuleMode::Sequential, &[&missing]);
        assert_eq!(read_all(&client, &["g"]).await, Err(Error::LogGroupMissing { group: "g".to_owned() }));
        let body = r#"{"__type":"AccessDeniedException","Message":"not authorized"}"#;
        let denied = mock!(Client::filter_log_events).sequence().http_status(400, Some(body.to_owned())).build();
        let client = mock_client!(aws_sdk_cloudwatchlogs, RuleMode::Sequential, &[&denied]);
        assert!(matches!(read_all(&client, &["g"]).await, Err(Error::LogsAccessDenied { .. })));
    }
}
