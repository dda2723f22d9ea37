//! `FilterLogEvents` and `TestMetricFilter`.

use proptest::prelude::*;

use super::super::filter::SCAN_BUDGET;
use super::*;

async fn filter(logs: &Logs, more: Value) -> Value {
    let mut input = json!({"logGroupName": "g"});
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    logs.ok("FilterLogEvents", input).await
}

/// Every page of a search.
async fn pages(logs: &Logs, more: Value) -> Vec<Value> {
    let mut pages = vec![filter(logs, more.clone()).await];
    while let Some(token) = pages.last().and_then(|page| page.get("nextToken")).cloned() {
        let mut input = more.clone();
        input["nextToken"] = token;
        pages.push(filter(logs, input).await);
    }
    pages
}

async fn all(logs: &Logs, more: Value) -> Vec<String> {
    pages(logs, more).await.iter().flat_map(messages).collect()
}

async fn with_streams(streams: &[&str]) -> Logs {
    let logs = Logs::new();
    logs.ok("CreateLogGroup", json!({"logGroupName": "g"})).await;
    for stream in streams {
        logs.ok("CreateLogStream", json!({"logGroupName": "g", "logStreamName": stream})).await;
    }
    logs
}

/// Three streams with interleaved events, some of them late.
async fn interleaved() -> Logs {
    let logs = with_streams(&["a1", "a2", "b"]).await;
    logs.put("a1", &[(0, "0"), (4, "4")]).await;
    logs.put("b", &[(3, "3"), (4, "4 again"), (6, "6")]).await;
    logs.put("a2", &[(1, "1"), (5, "5")]).await;
    logs.put("a1", &[(2, "2"), (4, "4 once more")]).await;
    logs
}

#[tokio::test]
async fn an_event_has_all_of_its_members() {
    let logs = Logs::with_stream().await;
    logs.advance(MINUTE).await;
    logs.put("s", &[(7, "x")]).await;
    let output = filter(&logs, json!({"interleaved": false, "unmask": false})).await;
    let id = output["events"][0]["eventId"].as_str().unwrap().to_owned();
    assert!(id.len() == 56 && id.bytes().all(|b| b.is_ascii_digit()), "{id}");
    let event = json!({"logStreamName": "s", "timestamp": START + 7, "message": "x", "ingestionTime": START + MINUTE,
        "eventId": id});
    assert_eq!(output, json!({"events": [event], "searchedLogStreams": []}));
}

#[tokio::test]
async fn streams_are_interleaved_by_time_then_ingestion_and_ids_grow() {
    let logs = interleaved().await;
    let ascending = ["0", "1", "2", "3", "4", "4 again", "4 once more", "5", "6"];
    let output = filter(&logs, json!({})).await;
    assert_eq!(messages(&output), ascending);
    let ids = members(&output["events"], "eventId");
    assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
    let descending: Vec<_> = ascending.iter().rev().copied().collect();
    for limit in 1..=10 {
        assert_eq!(all(&logs, json!({"limit": limit})).await, ascending);
        assert_eq!(all(&logs, json!({"limit": limit, "startFromHead": false})).await, descending);
    }
}

#[tokio::test]
async fn streams_are_chosen_by_name_or_prefix() {
    let logs = interleaved().await;
    for limit in [1, 2, 100] {
        let names = json!({"logStreamNames": ["b", "a2", "b"], "limit": limit});
        assert_eq!(all(&logs, names).await, ["1", "3", "4 again", "5", "6"]);
        let backward = json!({"logStreamNames": ["b", "a2"], "limit": limit, "startFromHead": false});
        assert_eq!(all(&logs, backward).await, ["6", "5", "4 again", "3", "1"]);
        let prefix = json!({"logStreamNamePrefix": "a", "limit": limit});
        assert_eq!(all(&logs, prefix).await, ["0", "1", "2", "4", "4 once more", "5"]);
    }
    assert!(all(&logs, json!({"logStreamNamePrefix": "c"})).await.is_empty());
    let (code, _) = logs
        .error("FilterLogEvents", json!({"logGroupName": "g", "logStreamNames": ["b"], "logStreamNamePrefix": "b"}))
        .await;
    assert_eq!(code, "InvalidParameterException");
    let missing = json!({"logGroupName": "g", "logStreamNames": ["b", "c"]});
    assert_eq!(logs.error("FilterLogEvents", missing).await, no_stream());
}

#[tokio::test]
async fn both_ends_of_the_range_belong_to_it() {
    let logs = interleaved().await;
    let range = json!({"startTime": START + 2, "endTime": START + 4});
    assert_eq!(all(&logs, range).await, ["2", "3", "4", "4 again", "4 once more"]);
    assert_eq!(all(&logs, json!({"startTime": START + 6})).await, ["6"]);
    assert_eq!(all(&logs, json!({"endTime": START})).await, ["0"]);
    assert!(all(&logs, json!({"startTime": START + 4, "endTime": START + 3})).await.is_empty());
}

#[tokio::test]
async fn a_pattern_selects_and_a_wrong_one_is_refused() {
    let logs = interleaved().await;
    assert_eq!(all(&logs, json!({"filterPattern": "4 again"})).await, ["4 again"]);
    assert_eq!(all(&logs, json!({"filterPattern": ""})).await.len(), 9);
    let wrong = json!({"logGroupName": "g", "filterPattern": "{ $.a == 1 }"});
    assert_eq!(logs.error("FilterLogEvents", wrong).await, pair("InvalidParameterException", "Invalid filter pattern"));
}

#[tokio::test]
async fn a_page_ends_when_its_budget_is_used_up_empty_or_not() {
    let logs = Logs::with_stream().await;
    let dull = vec![(0, "dull"); SCAN_BUDGET];
    logs.put("s", &dull).await;
    logs.put("s", &dull).await;
    logs.put("s", &[(1, "bright")]).await;
    let found = pages(&logs, json!({"filterPattern": "bright"})).await;
    let sizes: Vec<_> = found.iter().map(|page| messages(page).len()).collect();
    assert_eq!(sizes, [0, 0, 1], "pages may be empty and have a token");
    let sizes: Vec<_> = pages(&logs, json!({})).await.iter().map(|page| messages(page).len()).collect();
    assert_eq!(sizes, [SCAN_BUDGET, SCAN_BUDGET, 1]);
    let exactly = pages(&logs, json!({"endTime": START})).await;
    assert_eq!(exactly.len(), 2, "no token where nothing is left");
}

#[tokio::test]
async fn a_page_has_a_mebibyte_at_most() {
    let logs = Logs::with_stream().await;
    let third = "x".repeat(400_000);
    for at in 0..5 {
        logs.put("s", &[(at, &third)]).await;
        logs.put("s", &[(at, "y")]).await;
    }
    let sizes: Vec<_> =
        pages(&logs, json!({"filterPattern": "x"})).await.iter().map(|page| messages(page).len()).collect();
    assert_eq!(sizes, [2, 2, 1]);
    assert_eq!(all(&logs, json!({})).await.len(), 10);
}

#[tokio::test]
async fn a_token_is_good_for_a_day_in_its_group_and_direction() {
    let logs = interleaved().await;
    let first = filter(&logs, json!({"limit": 2, "startFromHead": false})).await;
    let token = &first["nextToken"];
    let second = filter(&logs, json!({"limit": 2, "startFromHead": true, "nextToken": token})).await;
    assert_eq!(messages(&second), ["4 once more", "4 again"]);
    logs.ok("CreateLogGroup", json!({"logGroupName": "h"})).await;
    let elsewhere = json!({"logGroupName": "h", "nextToken": token});
    assert_eq!(logs.error("FilterLogEvents", elsewhere).await, invalid_token());
    logs.advance(DAY).await;
    assert_eq!(messages(&filter(&logs, json!({"limit": 1, "nextToken": token})).await), ["4 once more"]);
    logs.advance(1).await;
    for token in [token, &json!("x"), &json!("invalid-token"), &json!("bnVsbA")] {
        let input = json!({"logGroupName": "g", "nextToken": token});
        assert_eq!(logs.error("FilterLogEvents", input).await, invalid_token());
    }
}

#[tokio::test]
async fn the_newest_come_first_only_since_2024() {
    let logs = interleaved().await;
    let early = json!({"logGroupName": "g", "startFromHead": false, "startTime": 1_704_067_199_999_i64});
    assert_eq!(logs.error("FilterLogEvents", early).await.0, "InvalidParameterException");
    let late = json!({"startFromHead": false, "startTime": 1_704_067_200_000_i64});
    assert_eq!(all(&logs, late).await.len(), 9);
}

#[tokio::test]
async fn groups_are_named_one_way() {
    let logs = interleaved().await;
    let arn = "arn:aws:logs:us-east-1:123456789012:log-group:g";
    for identifier in [arn, "g"] {
        let output = logs.ok("FilterLogEvents", json!({"logGroupIdentifier": identifier})).await;
        assert_eq!(messages(&output).len(), 9);
    }
    let both = json!({"logGroupName": "g", "logGroupIdentifier": "g"});
    assert_eq!(logs.error("FilterLogEvents", both).await.0, "ValidationException");
    assert_eq!(logs.error("FilterLogEvents", json!({})).await.0, "InvalidParameterException");
    assert_eq!(logs.error("FilterLogEvents", json!({"logGroupName": "x"})).await, no_group());
}

#[tokio::test]
async fn a_search_whose_rest_expires_between_two_pages_ends() {
    let logs = Logs::with_stream().await;
    logs.put("s", &[(-20 * HOUR, "a"), (-20 * HOUR + 1, "b"), (0, "c")]).await;
    logs.ok("PutRetentionPolicy", json!({"logGroupName": "g", "retentionInDays": 1})).await;
    let first = filter(&logs, json!({"limit": 1})).await;
    logs.advance(10 * HOUR).await;
    let second = filter(&logs, json!({"limit": 1, "nextToken": first["nextToken"]})).await;
    assert_eq!(messages(&second), ["c"]);
    assert_eq!(second.get("nextToken"), None);
}

#[tokio::test]
async fn a_pattern_is_tried_on_messages() {
    let logs = Logs::new();
    let input = json!({"filterPattern": "[level=ERROR, text]", "logEventMessages": ["INFO a", "ERROR a b"]});
    let found = json!({"eventNumber": 2, "eventMessage": "ERROR a b",
        "extractedValues": {"$level": "ERROR", "$text": "a b"}});
    assert_eq!(logs.ok("TestMetricFilter", input).await, json!({"matches": [found]}));
    let input = json!({"filterPattern": "{ $.a = 1 }", "logEventMessages": ["{\"a\":1}"]});
    let found = json!({"eventNumber": 1, "eventMessage": "{\"a\":1}", "extractedValues": {}});
    assert_eq!(logs.ok("TestMetricFilter", input).await, json!({"matches": [found]}));
    let input = json!({"filterPattern": "{ $.a EXISTS }", "logEventMessages": ["x"]});
    let expected = pair("InvalidParameterException", "Invalid metric filter pattern");
    assert_eq!(logs.error("TestMetricFilter", input).await, expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// For any arrival order, page size, range and choice: exactly what a naive search finds, in its order.
    #[test]
    fn paging_finds_what_a_naive_search_finds(
        batches in prop::collection::vec((0..3_usize, prop::collection::vec(0..30_i64, 1..8)), 0..12),
        limit in 1..9_usize,
        range in (prop::option::of(-2..32_i64), prop::option::of(-2..32_i64)),
        chosen in prop::option::of(prop::collection::btree_set(0..3_usize, 1..3)),
        odd in any::<bool>(),
        forward in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let names = ["a", "b", "c"];
            let logs = with_streams(&names).await;
            let mut naive: Vec<(i64, usize, usize, String)> = Vec::new();
            for (stream, mut times) in batches {
                times.sort_unstable();
                let numbered: Vec<_> = times.iter().enumerate().map(|(i, at)| (*at, naive.len() + i)).collect();
                let texts: Vec<_> = numbered.iter().map(|(_, n)| format!("{{\"n\":{n},\"odd\":{}}}", n % 2)).collect();
                let events: Vec<_> = numbered.iter().zip(&texts).map(|((at, _), text)| (*at, text.as_str())).collect();
                logs.put(names[stream], &events).await;
                naive.extend(numbered.into_iter().zip(texts).map(|((at, n), text)| (at, n, stream, text)));
            }
            naive.sort_unstable();
            if !forward {
                naive.reverse();
            }
            let expected: Vec<_> = naive
                .into_iter()
                .filter(|(at, n, stream, _)| {
                    range.0.is_none_or(|start| *at >= start)
                        && range.1.is_none_or(|end| *at <= end)
                        && chosen.as_ref().is_none_or(|chosen| chosen.contains(stream))
                        && (!odd || n % 2 == 1)
                })
                .map(|(_, _, _, text)| text)
                .collect();
            let mut input = json!({"limit": limit, "startFromHead": forward});
            if let Some(start) = range.0 {
                input["startTime"] = json!(START + start);
            }
            if let Some(end) = range.1 {
                input["endTime"] = json!(START + end);
            }
            if let Some(chosen) = &chosen {
                input["logStreamNames"] = chosen.iter().map(|stream| names[*stream]).collect();
            }
            if odd {
                input["filterPattern"] = json!("{ $.odd = 1 }");
            }
            let pages = pages(&logs, input).await;
            assert!(pages.iter().all(|page| messages(page).len() <= limit));
            assert_eq!(pages.iter().flat_map(messages).collect::<Vec<_>>(), expected);
        });
    }
}
