//! The same through the AWS SDK for Rust: members, tokens and errors on the wire.

use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::error::ProvideErrorMetadata;
use aws_sdk_cloudwatchlogs::types::InputLogEvent;

use super::*;

#[tokio::test]
async fn the_sdk_writes_searches_and_pages() {
    let logs = Logs::with_stream().await;
    let client = Client::new(&logs.0.sdk_config());
    let events = (0..7).map(|number| {
        InputLogEvent::builder().timestamp(START + number).message(format!("number {number}")).build().unwrap()
    });
    client
        .put_log_events()
        .log_group_name("g")
        .log_stream_name("s")
        .set_log_events(Some(events.collect()))
        .send()
        .await
        .unwrap();
    let mut pages = client.filter_log_events().log_group_name("g").limit(3).into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        found.extend(page.unwrap().events().iter().map(|event| event.message().unwrap().to_owned()));
    }
    assert_eq!(found, (0..7).map(|number| format!("number {number}")).collect::<Vec<_>>());
    let mut pages = client
        .get_log_events()
        .log_group_name("g")
        .log_stream_name("s")
        .start_from_head(true)
        .limit(3)
        .into_paginator()
        .send();
    let mut count = 0;
    while let Some(page) = pages.next().await {
        count += page.unwrap().events().len();
    }
    assert_eq!(count, 7, "the SDK stops where the token stays the same");
    let streams = client.describe_log_streams().log_group_name("g").send().await.unwrap();
    assert_eq!(streams.log_streams()[0].last_event_timestamp(), Some(START + 6));
    let error = client.filter_log_events().log_group_name("none").send().await.unwrap_err();
    assert_eq!(error.code(), Some("ResourceNotFoundException"));
    assert_eq!(error.message(), Some("The specified log group does not exist."));
    let error = client.filter_log_events().log_group_name("g").limit(10_001).send().await.unwrap_err();
    assert_eq!(
        error.message(),
        Some(
            "1 validation error detected: Value '10001' at 'limit' failed to satisfy constraint: Member must have value less \
             than or equal to 10000"
        )
    );
}
