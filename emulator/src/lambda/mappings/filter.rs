//! `FilterCriteria`: which records reach the function.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html> and, for queues,
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs-filtering.html>

use serde_json::Value;

use crate::event_pattern::EventPattern;

/// The filters of a mapping, read.
pub(super) struct Filters(Vec<EventPattern>);

impl Filters {
    /// Reads patterns that were checked when they were accepted; one that cannot be read matches nothing.
    pub fn new(patterns: &[String]) -> Option<Self> {
        if patterns.is_empty() {
            return None;
        }
        Some(Self(patterns.iter().filter_map(|pattern| EventPattern::parse(pattern).ok()).collect()))
    }

    /// Whether a record passes one of the filters as it is.
    pub fn pass_whole(&self, record: &Value) -> bool {
        self.0.iter().any(|filter| filter.matches(record))
    }

    /// Whether a record whose data are the member `data`, a text, passes one of the filters.
    ///
    /// A filter that asks for an object in it wants JSON there, one that asks for values a plain text: a record of the
    /// other kind does not pass.
    pub fn pass(&self, record: &Value, data: &str) -> bool {
        let parsed = record.get(data).and_then(Value::as_str).and_then(|text| serde_json::from_str::<Value>(text).ok());
        let parsed = parsed.filter(|value| value.is_object() || value.is_array());
        let with_parsed = parsed.map(|value| {
            let mut copy = record.clone();
            if let Some(members) = copy.as_object_mut() {
                members.insert(data.to_owned(), value);
            }
            copy
        });
        self.0.iter().any(|filter| match (filter.wants_object(data), &with_parsed) {
            (Some(true), Some(parsed)) => filter.matches(parsed),
            (Some(true), None) | (Some(false), Some(_)) => false,
            _ => filter.matches(record),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn passes(pattern: &Value, body: &str) -> bool {
        Filters::new(&[pattern.to_string()]).unwrap().pass(&json!({ "messageId": "m", "body": body }), "body")
    }

    #[test]
    fn data_are_json_or_text_as_the_filter_asks() {
        let object = json!({ "body": { "kind": ["a"] } });
        assert!(passes(&object, r#"{"kind": "a"}"#));
        assert!(!passes(&object, r#"{"kind": "b"}"#));
        assert!(!passes(&object, "a plain text"));
        let text = json!({ "body": [{ "prefix": "a" }] });
        assert!(passes(&text, "a plain text"));
        assert!(!passes(&text, r#"["a"]"#), "JSON where a text was asked for");
        assert!(passes(&json!({ "messageId": ["m"] }), "whatever"));
    }

    #[test]
    fn one_of_several_filters_is_enough() {
        let patterns = [json!({ "body": ["x"] }).to_string(), json!({ "body": { "a": [1] } }).to_string()];
        let filters = Filters::new(&patterns).unwrap();
        for (body, pass) in [("x", true), (r#"{"a":1}"#, true), ("y", false), (r#"{"a":2}"#, false)] {
            assert_eq!(filters.pass(&json!({ "body": body }), "body"), pass, "{body}");
        }
        assert!(Filters::new(&[]).is_none());
    }
}
