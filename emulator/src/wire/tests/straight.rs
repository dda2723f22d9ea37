//! Inputs that are read from their text in one go, beside the long way.

use std::fmt::Debug;

use proptest::prelude::*;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::operation;
use crate::wire::{json, straight, validate};

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
struct Filter {
    log_group_name: Option<String>,
    log_stream_names: Option<Vec<String>>,
    start_time: Option<i64>,
    limit: Option<i32>,
    interleaved: Option<bool>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
struct Put {
    log_group_name: String,
    log_stream_name: String,
    log_events: Vec<Event>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
struct Event {
    timestamp: i64,
    message: String,
}

fn read<I: DeserializeOwned>(name: &str, text: &str) -> Option<I> {
    straight::of_json(operation("logs", name), text.as_bytes())
}

/// The long way; `None` where that refuses.
fn read_as_values<I: DeserializeOwned>(name: &str, text: &str) -> Option<I> {
    let operation = operation("logs", name);
    let members = json::parse(operation.model(), operation.input_shape()?, text.as_bytes(), &mut Vec::new()).ok()?;
    let input = serde_json::Value::Object(members);
    validate(operation, &input).ok()?;
    let mut ignored = false;
    let input = serde_ignored::deserialize(input, |_| ignored = true).ok()?;
    (!ignored).then_some(input)
}

fn same<I: DeserializeOwned + Debug + PartialEq>(name: &str, text: &str) -> Result<(), TestCaseError> {
    if let Some(read) = read::<I>(name, text) {
        prop_assert_eq!(Some(read), read_as_values(name, text), "{}", text);
    }
    Ok(())
}

#[test]
fn ordinary_inputs_are_read() {
    let filter: Filter = read(
        "FilterLogEvents",
        r#" {"logGroupName":"g","logStreamNames":["a","b\u00e9"],"startTime":5,"limit":3,"interleaved":true} "#,
    )
    .unwrap();
    let expected = Filter {
        log_group_name: Some("g".to_owned()),
        log_stream_names: Some(vec!["a".to_owned(), "bé".to_owned()]),
        start_time: Some(5),
        limit: Some(3),
        interleaved: Some(true),
    };
    assert_eq!(filter, expected);
    let put: Put = read(
        "PutLogEvents",
        r#"{"logEvents":[{"message":"m\n","timestamp":7}],"logStreamName":"s","logGroupName":"g"}"#,
    )
    .unwrap();
    assert_eq!(put.log_events, [Event { timestamp: 7, message: "m\n".to_owned() }]);
}

/// What is wrong, or only unusual, is for the long way.
#[test]
fn everything_else_is_not() {
    let whole = r#"{"logGroupName":"g","logStreamName":"s","logEvents":[{"timestamp":1,"message":"m"}]}"#;
    assert!(read::<Put>("PutLogEvents", whole).is_some());
    for (was, is) in [
        (r#""g""#, r#""a b""#),
        (r#""g""#, "null"),
        (r#""g""#, r#""g","sequenceToken":"t""#),
        (r#""g""#, r#""g","logGroupName":"h""#),
        (r#""s""#, r#""""#),
        (r#""m""#, r#""""#),
        (r#""m""#, "5"),
        (r#":1"#, ":1.5"),
        (r#":1"#, ":-1"),
        (r#""timestamp":1,"#, ""),
        (r#"[{"#, r#"[null,{"#),
        (r#"{"timestamp":1,"message":"m"}"#, ""),
        (r#"}]}"#, r#"}]} x"#),
        (r#"}]}"#, r#"}]"#),
    ] {
        let text = whole.replacen(was, is, 1);
        assert!(read::<Put>("PutLogEvents", &text).is_none(), "{text}");
    }
}

/// Members, right and wrong, with values, right and wrong.
fn text() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "logGroupName",
        "logStreamName",
        "logStreamNames",
        "logEvents",
        "startTime",
        "limit",
        "interleaved",
        "sequenceToken",
        "__type",
        "nothing",
    ]);
    let value = prop::sample::select(vec![
        r#""g""#,
        r#""a b""#,
        r#""""#,
        r#""\u00e9""#,
        r#""\ud800""#,
        "null",
        "1",
        "0",
        "-1",
        "1.0",
        "1e3",
        "10001",
        "99999999999",
        "18446744073709551615",
        "true",
        "[]",
        r#"["s"]"#,
        r#"["s",null]"#,
        r#"["a:b"]"#,
        "[1]",
        "{}",
        r#"[{"timestamp":1,"message":"m"}]"#,
        r#"[{"timestamp":1,"message":"m"},{"timestamp":2,"message":"é"}]"#,
        r#"[{"message":"m"}]"#,
        r#"[{"timestamp":-1,"message":"m"}]"#,
        r#"[{"timestamp":1,"message":""}]"#,
        r#"[{"timestamp":1,"message":"m","more":1}]"#,
        r#"[[1,"m"]]"#,
    ]);
    let members = prop::collection::vec((name, value), 0..5);
    (members, prop::sample::select(vec!["", " ", "x", "}"])).prop_map(|(members, rest)| {
        let members: Vec<_> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        format!("{{{}}}{rest}", members.join(","))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    /// What is read in one go is what the long way reads.
    #[test]
    fn nothing_else_is_read(text in text(), put in prop::collection::vec(any::<u8>(), 3)) {
        same::<Filter>("FilterLogEvents", &text)?;
        same::<Put>("PutLogEvents", &text)?;
        // Nearly right ones, which chance seldom makes.
        let more = text.trim_matches(['{', '}', 'x', ' ']);
        let (comma, stamp) = (if more.is_empty() { "" } else { "," }, i64::from(put[0]) - 3);
        let near = format!(
            r#"{{"logGroupName":"g{}","logStreamName":"s{}","logEvents":[{{"timestamp":{stamp},"message":"m"}}]{comma}{more}}}"#,
            char::from(put[1] % 96 + 32), char::from(put[2] % 96 + 32),
        );
        same::<Put>("PutLogEvents", &near)?;
    }
}
