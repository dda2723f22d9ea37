//! The tricky parts by themselves.
#![allow(clippy::unwrap_used)]

use imbl::OrdMap;
use serde_json::{Value, json};

use super::input::{self, at_path, is_path};
use super::rule::{Rule, RuleTarget, arn, key, key_of_arn};
use crate::Timestamp;

fn rule() -> Rule {
    Rule {
        name: "r".to_owned(),
        bus: "arn:aws:events:us-east-1:111111111111:event-bus/b".to_owned(),
        pattern: None,
        schedule: None,
        state: "ENABLED".to_owned(),
        description: None,
        role: None,
        tags: OrdMap::new(),
        targets: OrdMap::new(),
        since: Timestamp::default(),
    }
}

fn filled(template: &str, event: &Value) -> Option<String> {
    let paths =
        json!({ "user": "$.detail.id", "payload": "$.detail.payload", "list": "$.detail.list", "none": "$.no" });
    let target: RuleTarget = serde_json::from_value(json!({
        "Id": "t", "Arn": "a", "InputTransformer": { "InputPathsMap": paths, "InputTemplate": template },
    }))
    .unwrap();
    input::of(&rule(), &target, event, Timestamp::default())
}

#[test]
fn templates_are_filled_in_as_aws_does() {
    let event = json!({
        "detail-type": "t",
        "detail": { "id": "i-1", "payload": { "a": "b", "c": 1 }, "list": ["X", "Y"] },
    });
    for (template, expected) in [
        (r#""<user> and <payload> and <list> and <none>.""#, Some(r#""i-1 and {a:b,c:1} and [X,Y] and .""#)),
        (
            r#"{"id": <user>, "path": "u/<user>", "body": <payload>}"#,
            Some(r#"{"id": "i-1", "path": "u/i-1", "body": {"a":"b","c":1}}"#),
        ),
        (r#"{"none": <none>, "list": <list>}"#, Some(r#"{"none": "", "list": ["X","Y"]}"#)),
        (r#"{"rule": "<aws.events.rule-arn>"}"#, Some(r#"{"rule": "arn:aws:events:us-east-1:111111111111:rule/b/r"}"#)),
        (r#"{"event": <aws.events.event>}"#, Some(r#"{"event": {"detailType":"t"}}"#)),
        ("\"<user> one\"\n\"<user> two\"", Some("\"i-1 one\"\n\"i-1 two\"")),
        // What gives no JSON is not delivered.
        (r#"{"list": "<list>"}"#, None),
        ("<list> of them", None),
    ] {
        assert_eq!(filled(template, &event).as_deref(), expected, "{template}");
    }
}

#[test]
fn paths_lead_into_events() {
    let event = json!({ "detail": { "items": [{ "name": "n" }], "a b": 1 } });
    assert_eq!(at_path(&event, "$.detail.items[0].name"), Some(&json!("n")));
    assert_eq!(at_path(&event, "$['detail']['a b']"), Some(&json!(1)));
    assert_eq!(at_path(&event, "$"), Some(&event));
    assert_eq!(at_path(&event, "$.detail.items[1]"), None);
    for wrong in ["detail", "$..a", "$.a[", "$.a[x]", ""] {
        assert!(!is_path(wrong), "{wrong}");
    }
}

#[test]
fn a_rules_arn_tells_its_bus() {
    for bus in ["default", "b", "aws.partner/x/y"] {
        let bus = format!("arn:aws:events:us-east-1:111111111111:event-bus/{bus}");
        assert_eq!(key_of_arn(&arn(&bus, "r")), Some(key(&bus, "r")));
    }
}
