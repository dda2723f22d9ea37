//! Partial batch responses: which records of a batch a function says that it could not process.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting>

use std::collections::BTreeSet;

use serde_json::Value;

/// The identifiers of the records that failed, of those that were sent; `None` if the whole batch did, as it does after an
/// answer that AWS cannot make sense of.
///
/// Nothing at all, `null`, `{}`, `[]`, an empty text, and `batchItemFailures` that are empty or `null` say that all went well.
pub(super) fn failed(answer: &[u8], sent: &BTreeSet<&str>) -> Option<BTreeSet<String>> {
    let none = Some(BTreeSet::new());
    if answer.is_empty() {
        return none;
    }
    let items = match serde_json::from_slice(answer).ok()? {
        Value::Null => return none,
        Value::String(text) if text.is_empty() => return none,
        Value::Array(items) if items.is_empty() => return none,
        Value::Object(mut members) => members.remove("batchItemFailures").unwrap_or_default(),
        _ => return None,
    };
    match items {
        Value::Null => none,
        Value::Array(items) => items
            .iter()
            .map(|item| item.get("itemIdentifier")?.as_str().filter(|id| sent.contains(id)).map(str::to_owned))
            .collect(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(answer: &str) -> Option<Vec<String>> {
        failed(answer.as_bytes(), &BTreeSet::from(["a", "b"])).map(|ids| ids.into_iter().collect())
    }

    #[test]
    fn what_means_success() {
        for answer in [
            "",
            "null",
            "{}",
            "[]",
            "\"\"",
            r#"{"batchItemFailures":[]}"#,
            r#"{"batchItemFailures":null}"#,
            r#"{"x":1}"#,
        ] {
            assert_eq!(of(answer), Some(vec![]), "{answer}");
        }
    }

    #[test]
    fn the_records_that_are_named() {
        assert_eq!(of(r#"{"batchItemFailures":[{"itemIdentifier":"b"}]}"#), Some(vec!["b".to_owned()]));
    }

    #[test]
    fn what_fails_the_whole_batch() {
        for answer in [
            "{",
            "5",
            "\"text\"",
            "[1]",
            r#"{"batchItemFailures":{}}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":"unknown"}]}"#,
            r#"{"batchItemFailures":[{"foo":"a"}]}"#,
            r#"{"batchItemFailures":["a"]}"#,
        ] {
            assert_eq!(of(answer), None, "{answer}");
        }
    }
}
