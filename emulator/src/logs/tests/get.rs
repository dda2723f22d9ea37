//! `GetLogEvents`.

use super::*;

async fn with_numbers(count: i64) -> Logs {
    let logs = Logs::with_stream().await;
    let numbers: Vec<String> = (0..count).map(|number| number.to_string()).collect();
    let events: Vec<_> = (0..count).zip(numbers.iter().map(String::as_str)).collect();
    logs.put("s", &events).await;
    logs
}

async fn get(logs: &Logs, more: Value) -> Value {
    let mut input = json!({"logGroupName": "g", "logStreamName": "s"});
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    logs.ok("GetLogEvents", input).await
}

fn numbers(range: std::ops::Range<i64>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

#[tokio::test]
async fn an_event_has_time_message_and_time_of_ingestion() {
    let logs = Logs::with_stream().await;
    logs.advance(MINUTE).await;
    logs.put("s", &[(7, "hé\t\n")]).await;
    let events = json!([{"timestamp": START + 7, "message": "hé\t\n", "ingestionTime": START + MINUTE}]);
    assert_eq!(get(&logs, json!({})).await["events"], events);
}

#[tokio::test]
async fn the_latest_events_come_without_start_from_head_and_in_order() {
    let logs = with_numbers(20).await;
    assert_eq!(messages(&get(&logs, json!({"limit": 8})).await), numbers(12..20));
    assert_eq!(messages(&get(&logs, json!({"limit": 8, "startFromHead": true})).await), numbers(0..8));
    let first = get(&logs, json!({"limit": 8})).await;
    let second = get(&logs, json!({"limit": 8, "nextToken": first["nextBackwardToken"]})).await;
    assert_eq!(messages(&second), numbers(4..12));
    let third = get(&logs, json!({"limit": 8, "nextToken": second["nextBackwardToken"]})).await;
    assert_eq!(messages(&third), numbers(0..4));
    let back = get(&logs, json!({"limit": 8, "nextToken": third["nextForwardToken"]})).await;
    assert_eq!(messages(&back), numbers(4..12), "and forward again");
}

#[tokio::test]
async fn at_either_end_the_token_stays_the_same() {
    let logs = with_numbers(5).await;
    for (head, direction) in [(true, "nextForwardToken"), (false, "nextBackwardToken")] {
        let mut page = get(&logs, json!({"limit": 2, "startFromHead": head})).await;
        let mut all = messages(&page);
        loop {
            let next = get(&logs, json!({"limit": 2, "nextToken": page[direction]})).await;
            if next[direction] == page[direction] {
                assert!(messages(&next).is_empty());
                break;
            }
            all.extend(messages(&next));
            page = next;
        }
        all.sort();
        assert_eq!(all, numbers(0..5));
    }
}

#[tokio::test]
async fn who_waits_at_the_end_sees_what_arrives() {
    let logs = Logs::with_stream().await;
    let empty = get(&logs, json!({"startFromHead": true})).await;
    assert_eq!(empty["events"], json!([]));
    let form = |token: &Value, sign: &str| {
        let token = token.as_str().unwrap();
        let digits = token.strip_prefix(sign).unwrap().strip_suffix("/s").unwrap();
        assert!(digits.len() == 56 && digits.bytes().all(|b| b.is_ascii_digit()), "{token}");
    };
    form(&empty["nextForwardToken"], "f/");
    form(&empty["nextBackwardToken"], "b/");
    logs.put("s", &[(-14 * DAY, "a"), (-14 * DAY + 3, "b")]).await;
    let first = get(&logs, json!({"nextToken": empty["nextForwardToken"]})).await;
    assert_eq!(messages(&first), ["a", "b"]);
    logs.put("s", &[(-14 * DAY + 3, "c")]).await;
    let second = get(&logs, json!({"nextToken": first["nextForwardToken"]})).await;
    assert_eq!(messages(&second), ["c"]);
}

#[tokio::test]
async fn the_start_of_the_range_belongs_to_it_and_the_end_does_not() {
    let logs = with_numbers(10).await;
    let range = json!({"startTime": START + 3, "endTime": START + 6});
    assert_eq!(messages(&get(&logs, range).await), numbers(3..6));
    assert!(messages(&get(&logs, json!({"startTime": START + 3, "endTime": START + 3})).await).is_empty());
    assert!(messages(&get(&logs, json!({"startTime": START + 6, "endTime": START + 3})).await).is_empty());
    let first =
        get(&logs, json!({"startTime": START + 3, "endTime": START + 6, "limit": 2, "startFromHead": true})).await;
    let token = &first["nextForwardToken"];
    let second = get(&logs, json!({"startTime": START + 3, "endTime": START + 6, "nextToken": token})).await;
    assert_eq!(messages(&second), ["5"]);
}

#[tokio::test]
async fn a_page_has_a_mebibyte_at_most() {
    let logs = Logs::with_stream().await;
    let third = "x".repeat(400_000);
    for at in 0..5 {
        logs.put("s", &[(at, &third)]).await;
    }
    let first = get(&logs, json!({"startFromHead": true})).await;
    assert_eq!(messages(&first).len(), 2);
    let second = get(&logs, json!({"nextToken": first["nextForwardToken"]})).await;
    assert_eq!(second["events"][0]["timestamp"], json!(START + 2));
    let whole = "x".repeat(1_048_576 - 26);
    logs.put("s", &[(9, &whole)]).await;
    assert_eq!(messages(&get(&logs, json!({})).await), [whole], "the largest event fits a page");
}

#[tokio::test]
async fn streams_of_a_group_are_apart_and_an_arn_names_the_group() {
    let logs = with_numbers(2).await;
    logs.ok("CreateLogStream", json!({"logGroupName": "g", "logStreamName": "t"})).await;
    logs.put("t", &[(0, "x")]).await;
    let arn = "arn:aws:logs:us-east-1:123456789012:log-group:g";
    let output = logs.ok("GetLogEvents", json!({"logGroupIdentifier": arn, "logStreamName": "t"})).await;
    assert_eq!(messages(&output), ["x"]);
    assert_eq!(messages(&get(&logs, json!({"unmask": false})).await), ["0", "1"]);
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let logs = with_numbers(2).await;
    let get = |group: &str, stream: &str, token: &str| {
        let mut input = json!({"logGroupName": group, "logStreamName": stream});
        if !token.is_empty() {
            input["nextToken"] = json!(token);
        }
        input
    };
    assert_eq!(logs.error("GetLogEvents", get("x", "s", "")).await, no_group());
    assert_eq!(logs.error("GetLogEvents", get("g", "x", "")).await, no_stream());
    let digits = "0".repeat(56);
    for token in ["x", "f/", "f/12", "é", &format!("n/{digits}"), &format!("f/{digits}/t"), &format!("f/{digits}0")] {
        assert_eq!(logs.error("GetLogEvents", get("g", "s", token)).await, invalid_token(), "{token}");
    }
    let highest = logs.ok("GetLogEvents", get("g", "s", &format!("b/{}", "9".repeat(56)))).await;
    assert_eq!(messages(&highest), ["0", "1"]);
    let mut unmask = get("g", "s", "");
    unmask["unmask"] = json!(true);
    assert_eq!(logs.error("GetLogEvents", unmask).await.0, "NotImplemented");
    let other = json!({"logGroupIdentifier": "arn:aws:logs:eu-west-1:123456789012:log-group:g", "logStreamName": "s"});
    assert_eq!(logs.error("GetLogEvents", other).await, no_group());
}
