//! Patterns and the events that they match.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::json;

use super::*;

#[track_caller]
fn check(pattern: Value, matching: &[Value], others: &[Value]) {
    let read = EventPattern::parse(&pattern.to_string()).unwrap();
    matching.iter().for_each(|event| assert!(read.matches(event), "{pattern} should match {event}"));
    others.iter().for_each(|event| assert!(!read.matches(event), "{pattern} should not match {event}"));
}

#[test]
fn values_are_equal_as_they_are() {
    check(
        json!({"a": ["x", 5, null, true]}),
        &[json!({"a": "x"}), json!({"a": 5.0}), json!({"a": null}), json!({"a": true}), json!({"a": "x", "b": 1})],
        &[json!({"a": "X"}), json!({"a": "5"}), json!({"a": false}), json!({"b": "x"}), json!("x"), json!({"a": ""})],
    );
    check(json!({"a": [""]}), &[json!({"a": ""})], &[json!({}), json!({"a": null})]);
}

#[test]
fn all_fields_must_match_and_one_value_of_each_list() {
    check(
        json!({"a": {"b": ["x", "y"], "c": [1]}}),
        &[json!({"a": {"b": "y", "c": 1}})],
        &[json!({"a": {"b": "y"}}), json!({"a": {"b": "z", "c": 1}}), json!({"a": "y"})],
    );
}

#[test]
fn lists_of_the_event_match_by_one_element_as_a_whole() {
    check(json!({"a": [1]}), &[json!({"a": [2, 1]}), json!({"a": [[1]]})], &[json!({"a": []}), json!({"a": [2]})]);
    check(
        json!({"a": {"b": [1], "c": [2]}}),
        &[json!({"a": [{"b": 0}, {"b": 1, "c": 2}]})],
        &[json!({"a": [{"b": 1}, {"c": 2}]})],
    );
}

#[test]
fn names_with_dots_are_paths_on_either_side() {
    let (nested, dotted, halved) =
        (json!({"a": {"b": {"c": "x"}}}), json!({"a.b.c": "x"}), json!({"a.b": {"c": "x"}, "a": {"d": 1}}));
    let all = [nested, dotted, halved, json!({"a": [{"b.c": "x"}]}), json!({"a": "x", "a.b.c": "x"})];
    let others = [json!({"a": {"b": "x"}}), json!({"a.b.c": "y"}), json!({"a.b.c.c": "x"}), json!({"b.c": "x"})];
    for pattern in [json!({"a.b.c": ["x"]}), json!({"a": {"b.c": ["x"]}}), json!({"a": {"b": {"c": ["x"]}}})] {
        check(pattern, &all, &others);
    }
    check(json!({"a.b": [{"exists": false}]}), &[json!({"a": {"c": 1}}), json!({})], &[json!({"a": {"b": 1}})]);
    // Nobody nests without end by a name of dots alone.
    let many = ".".repeat(100_000);
    check(json!({&many: ["x"]}), &[json!({&many: "x"})], &[json!({"": "x"})]);
}

#[test]
fn texts_by_their_shape() {
    check(json!({"a": [{"prefix": "us-"}]}), &[json!({"a": "us-1"})], &[json!({"a": "eu-us-"}), json!({"a": 5})]);
    check(json!({"a": [{"suffix": ".png"}]}), &[json!({"a": "x.png"})], &[json!({"a": "x.pngx"})]);
    check(json!({"a": [{"equals-ignore-case": "Alice"}]}), &[json!({"a": "aLICE"})], &[json!({"a": "Alic"})]);
    check(
        json!({"a": [{"prefix": {"equals-ignore-case": "EventB"}}]}),
        &[json!({"a": "eventbus"})],
        &[json!({"a": "even"})],
    );
    check(
        json!({"a": [{"suffix": {"equals-ignore-case": ".PNG"}}]}),
        &[json!({"a": "x.pnG"})],
        &[json!({"a": "x.jpg"})],
    );
}

#[test]
fn wildcards_stand_for_any_text_and_can_be_escaped() {
    check(
        json!({"a": [{"wildcard": "dir/*.png"}]}),
        &[json!({"a": "dir/.png"}), json!({"a": "dir/x/y.png"}), json!({"a": "dir/.png.png"})],
        &[json!({"a": "dir/x.jpg"}), json!({"a": "xdir/y.png"})],
    );
    check(
        json!({"a": [{"wildcard": "a*b*a"}]}),
        &[json!({"a": "aba"}), json!({"a": "axbxa"})],
        &[json!({"a": "ab"}), json!({"a": "a"})],
    );
    check(json!({"a": [{"wildcard": "\\*\\\\"}]}), &[json!({"a": "*\\"})], &[json!({"a": "x\\"})]);
    check(json!({"a": [{"wildcard": "*"}]}), &[json!({"a": ""}), json!({"a": "x"})], &[json!({"a": 1})]);
}

#[test]
fn numbers_within_bounds() {
    check(
        json!({"a": [{"numeric": [">", 0, "<=", 5]}]}),
        &[json!({"a": 5}), json!({"a": 0.5})],
        &[json!({"a": 0}), json!({"a": "3"})],
    );
    check(json!({"a": [{"numeric": ["=", 3.018e2]}]}), &[json!({"a": 301.8})], &[json!({"a": 301})]);
    check(json!({"a": [{"numeric": ["<", -1]}]}), &[json!({"a": -2})], &[json!({"a": -1})]);
}

#[test]
fn addresses_in_a_block() {
    check(
        json!({"a": [{"cidr": "10.0.0.0/24"}]}),
        &[json!({"a": "10.0.0.255"})],
        &[json!({"a": "10.0.1.0"}), json!({"a": "::a00:0"})],
    );
    check(json!({"a": [{"cidr": "2001:db8::/32"}]}), &[json!({"a": "2001:db8::1"})], &[json!({"a": "2001:db9::"})]);
    check(json!({"a": [{"cidr": "0.0.0.0/0"}]}), &[json!({"a": "255.1.2.3"})], &[json!({"a": "x"})]);
}

#[test]
fn only_leaves_exist() {
    check(
        json!({"a": {"b": [{"exists": true}]}}),
        &[json!({"a": {"b": null}})],
        &[json!({}), json!({"a": {"b": {}}}), json!({"a": {"b": []}})],
    );
    check(
        json!({"a": {"b": [{"exists": false}]}}),
        &[json!({}), json!({"a": 1}), json!({"a": {"b": {"c": 1}}})],
        &[json!({"a": {"b": 0}})],
    );
    check(json!({"a": ["x", {"exists": false}]}), &[json!({}), json!({"a": "x"})], &[json!({"a": "y"})]);
}

#[test]
fn anything_but_wants_something_else() {
    check(
        json!({"a": [{"anything-but": "x"}]}),
        &[json!({"a": "y"}), json!({"a": 1})],
        &[json!({"a": "x"}), json!({})],
    );
    check(json!({"a": [{"anything-but": [1, 2]}]}), &[json!({"a": 3}), json!({"a": "1"})], &[json!({"a": 2.0})]);
    check(json!({"a": [{"anything-but": {"prefix": "x"}}]}), &[json!({"a": "ax"})], &[json!({"a": "xa"})]);
    check(
        json!({"a": [{"anything-but": {"suffix": [".txt", ".md"]}}]}),
        &[json!({"a": "x.rs"})],
        &[json!({"a": "x.md"})],
    );
    check(
        json!({"a": [{"anything-but": {"equals-ignore-case": ["a", "B"]}}]}),
        &[json!({"a": "c"})],
        &[json!({"a": "b"})],
    );
    check(
        json!({"a": [{"anything-but": {"wildcard": "*/lib/*"}}]}),
        &[json!({"a": "/usr"})],
        &[json!({"a": "/lib/x"})],
    );
}

#[test]
fn one_of_several_fields() {
    check(
        json!({"s": ["m"], "$or": [{"a": [1]}, {"b": [{"numeric": [">", 5]}], "c": ["x"]}]}),
        &[json!({"s": "m", "a": 1}), json!({"s": "m", "b": 6, "c": "x"})],
        &[json!({"s": "m", "b": 6}), json!({"a": 1}), json!({"s": "m"})],
    );
}

#[test]
fn what_aws_refuses_is_refused() {
    for (pattern, why) in [
        ("", "Filter is not an object"),
        ("[]", "Filter is not an object"),
        ("\"x\"", "Filter is not an object"),
        ("{}", "Empty objects are not allowed"),
        (r#"{"a": "x"}"#, "\"a\" must be an object or an array"),
        (r#"{"a": []}"#, "Empty arrays are not allowed"),
        (r#"{"a": {}}"#, "Empty objects are not allowed"),
        (r#"{"a": [["x"]]}"#, "Match value must be String, number, true, false, or null"),
        (r#"{"a": [{}]}"#, "Match expression name not found"),
        (r#"{"a": [{"prefix": "x", "suffix": "y"}]}"#, "Only one key allowed in match expression"),
        (r#"{"a": [{"like": "x"}]}"#, "Unrecognized match type like"),
        (r#"{"a": [{"prefix": 5}]}"#, "prefix match pattern must be a string"),
        (r#"{"a": [{"exists": "yes"}]}"#, "exists match pattern must be either true or false."),
        (r#"{"a": [{"numeric": 5}]}"#, "Value of numeric must be an array."),
        (r#"{"a": [{"numeric": ["~", 5]}]}"#, "Unrecognized numeric range operator: ~"),
        (r#"{"a": [{"numeric": ["<", "5"]}]}"#, "Value of < must be numeric"),
        (r#"{"a": [{"numeric": ["=", 1, "<", 5]}]}"#, "Too many elements in numeric expression"),
        (r#"{"a": [{"numeric": [">", 5, "<", 5]}]}"#, "Bottom must be less than top"),
        (r#"{"a": [{"numeric": [">", 1, ">", 5]}]}"#, "Bad numeric range operator: >"),
        (r#"{"a": [{"cidr": "10.0.0.0"}]}"#, "Malformed CIDR, one '/' required"),
        (r#"{"a": [{"numeric": [">", 1, 5]}]}"#, "Bad value in numeric range: 5"),
        (r#"{"a": [{"numeric": [5, ">"]}]}"#, "Invalid member in numeric match: 5"),
        (r#"{"a": [{"cidr": "10.0.x/8"}]}"#, "Nonstandard IP address: 10.0.x"),
        (r#"{"a": [{"cidr": "10.0.0.0/33"}]}"#, "Mask bits must be between 0 and 32"),
        (r#"{"a": [{"wildcard": "a**"}]}"#, "Consecutive wildcard characters at pos 1"),
        (r#"{"a": [{"wildcard": "a\\b"}]}"#, "Invalid escape character at pos 1"),
        (r#"{"a": [{"anything-but": null}]}"#, "Value of anything-but must be an array or single string/number value."),
        (r#"{"a": [{"anything-but": {"prefix": 5}}]}"#, "prefix/suffix match pattern must be a string"),
        (
            r#"{"a": [{"anything-but": ["x", 1]}]}"#,
            "Inside anything but list, either all values are number or string, mixed type is not supported",
        ),
        (r#"{"a": [{"anything-but": {"numeric": [">", 1]}}]}"#, "Unsupported anything-but pattern: numeric"),
        (r#"{"$or": [{"a": [1]}]}"#, "There must have at least 2 Objects in $or relationship."),
    ] {
        assert_eq!(EventPattern::parse(pattern).unwrap_err().to_string(), why, "{pattern}");
    }
}

#[test]
fn filter_policies_know_less() {
    let read = |policy: &str| EventPattern::read_filter_policy(&serde_json::from_str(policy).unwrap());
    for (policy, why) in [
        (r#"{"a": [{"anything-but": {"suffix": "x"}}]}"#, "Unsupported anything-but pattern: suffix"),
        (r#"{"a": [{"wildcard": "x*"}]}"#, "Unrecognized match type wildcard"),
        (r#"{"a": [{"prefix": {"equals-ignore-case": "x"}}]}"#, "prefix match pattern must be a string"),
        (r#"{"a": [{"numeric": ["=", 2000000000]}]}"#, "Value must be between -1.0E9 and 1.0E9, inclusive"),
    ] {
        assert_eq!(read(policy).unwrap_err().to_string(), why, "{policy}");
    }
    let combinations = |policy: &str| read(policy).unwrap().combinations();
    assert_eq!(combinations(r#"{"a": {"b": {"c": [1, 2, 3, 4]}}, "d": {"e": [1, 2, 3]}, "f": [1, 2, 3]}"#), 216);
    assert_eq!(combinations(r#"{"a": [1, 2], "$or": [{"b": [1, 2, 3]}, {"c": [1], "d": [1, 2]}]}"#), 10);
}

#[test]
fn it_is_told_whether_a_member_shall_be_an_object() {
    let pattern = |text: &str| EventPattern::parse(text).unwrap();
    assert_eq!(pattern(r#"{"body": {"a": [1]}}"#).wants_object("body"), Some(true));
    assert_eq!(pattern(r#"{"body": ["a"]}"#).wants_object("body"), Some(false));
    assert_eq!(pattern(r#"{"other": ["a"]}"#).wants_object("body"), None);
    assert_eq!(pattern(r#"{"$or": [{"x": [1]}, {"body": {"a": [1]}}]}"#).wants_object("body"), Some(true));
}

proptest! {
    #[test]
    fn never_panics(text in "\\PC{0,60}", nested in 0_usize..300) {
        let _ = EventPattern::parse(&text);
        let deep = format!("{}[1]{}", r#"{"a":"#.repeat(nested), "}".repeat(nested));
        let _ = EventPattern::parse(&deep);
    }

    #[test]
    fn a_wildcard_agrees_with_a_regular_expression(pattern in "[ab]{0,3}(\\*[ab]{1,2}){0,3}\\*?", text in "[ab]{0,8}") {
        let read = EventPattern::parse(&json!({"a": [{"wildcard": pattern}]}).to_string()).unwrap();
        let regex = regex::Regex::new(&format!("^{}$", pattern.replace('*', ".*"))).unwrap();
        prop_assert_eq!(read.matches(&json!({"a": text})), regex.is_match(&text));
    }
}
