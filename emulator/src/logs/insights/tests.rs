//! What queries find, over a few events.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::parse::parse;
use super::row::{Row, Source};
use super::run::run;
use crate::Timestamp;
use crate::logs::id::EventKey;

const GROUP: &str = "/aws/lambda/pay";
/// From the oldest to the newest, a minute apart, from 2026-01-01T00:00:00Z on.
const MESSAGES: [&str; 6] = [
    r#"{"level":"INFO","took":10,"user":{"id":7,"roles":["a","b"]},"ok":true}"#,
    r#"{"level":"ERROR","took":30,"user":{"id":8},"ok":false}"#,
    r#"INFO pay {"level":"INFO","took":"20","user":{"id":7}}"#,
    "plain user=frank, method:GET, latency := 12",
    "START RequestId: 0f0f0f0f-1111-2222-3333-444444444444 Version: $LATEST",
    "REPORT RequestId: 0f0f0f0f-1111-2222-3333-444444444444\tDuration: 12.34 ms\tBilled Duration: 13 ms\tMemory Size: 128 MB\tMax Memory Used: 64 MB\t",
];
const FIRST: i64 = 1_767_225_600_000;

fn rows() -> Vec<(Row<'static>, usize)> {
    let row = |(place, message): (usize, &&'static str)| {
        let source = Source {
            group: GROUP,
            log: format!("1:{GROUP}"),
            stream: if place < 3 { "one" } else { "two" },
            message,
            ingested: FIRST,
            key: EventKey(Timestamp::from_millis(FIRST + place as i64 * 60_000), 1),
        };
        (Row::of(source), message.len())
    };
    MESSAGES.iter().enumerate().map(row).rev().collect()
}

/// The lines of an answer: its values without the pointers, as `name=value`.
fn ask(query: &str) -> Vec<String> {
    let commands = parse(query).unwrap_or_else(|error| panic!("{query}: {error}"));
    let found = run(&commands, rows().into_iter(), 10_000, FIRST + 600_000);
    let field = |(name, value): &(String, String)| format!("{name}={value}");
    let line = |line: &Vec<(String, String)>| {
        line.iter().filter(|(name, _)| name != "@ptr").map(field).collect::<Vec<_>>().join(" ")
    };
    found.lines.iter().map(line).collect()
}

fn refused(query: &str) -> String {
    let error = parse(query).unwrap_err();
    assert_eq!(error.code(), "MalformedQueryException");
    error.message().to_owned()
}

#[test]
fn fields_are_shown_with_the_newest_event_first() {
    assert_eq!(
        ask("fields level, user.id as who | filter ispresent(level)"),
        ["level=INFO who=7", "level=ERROR who=8", "level=INFO who=7"]
    );
    assert_eq!(
        ask("fields @timestamp, @logStream, @log | limit 1"),
        ["@timestamp=2026-01-01 00:05:00.000 @logStream=two @log=1:/aws/lambda/pay"]
    );
    assert_eq!(
        ask("filter @message like /^plain/"),
        ["@timestamp=2026-01-01 00:03:00.000 @message=plain user=frank, method:GET, latency := 12"]
    );
    assert_eq!(ask("fields user.roles.1, ok | filter took = 10"), ["user.roles.1=b ok=1"]);
}

#[test]
fn filters_compare_numbers_texts_patterns_and_lists() {
    let took = |condition: &str| ask(&format!("fields took | filter {condition} | sort took")).join(" ");
    assert_eq!(took("took > 10"), "took=20 took=30");
    assert_eq!(took("took >= 10 and not level = 'ERROR'"), "took=10 took=20");
    assert_eq!(took("took = 10 or took = 30"), "took=10 took=30");
    assert_eq!(took("level != \"INFO\""), "took=30");
    assert_eq!(took("level in [\"ERROR\", \"WARN\"]"), "took=30");
    assert_eq!(took("level not in [\"ERROR\"] and ispresent(took)"), "took=10 took=20");
    assert_eq!(took("@message like 'ERR'"), "took=30");
    assert_eq!(took("@message not like /ERR|START|REPORT|plain/"), "took=10 took=20");
    assert_eq!(took("level =~ /(?i)err/"), "took=30");
    assert_eq!(took("(took + 10) * 2 = 40 and took % 3 = 1"), "took=10");
    assert_eq!(took("ok = 1"), "took=10");
    assert_eq!(took("`user.id` = 8 # a comment"), "took=30");
}

#[test]
fn statistics_are_made_of_groups() {
    assert_eq!(
        ask("stats count(*), sum(took), avg(took), min(took), max(took)"),
        ["count(*)=6 sum(took)=60 avg(took)=20 min(took)=10 max(took)=30"]
    );
    assert_eq!(
        ask("filter ispresent(level) | stats count(*) as n, pct(took, 50) as p by level | sort n desc"),
        ["level=INFO n=2 p=15", "level=ERROR n=1 p=30"]
    );
    assert_eq!(
        ask("stats count(*) by bin(2m)"),
        [
            "bin(2m)=2026-01-01 00:00:00.000 count(*)=2",
            "bin(2m)=2026-01-01 00:02:00.000 count(*)=2",
            "bin(2m)=2026-01-01 00:04:00.000 count(*)=2"
        ]
    );
    assert_eq!(
        ask("stats count_distinct(user.id) as users, earliest(level) as first, latest(level) as last"),
        ["users=2 first=INFO last=INFO"]
    );
    assert_eq!(ask("filter level = 'none' | stats count(*) as n"), ["n=0"]);
    assert_eq!(ask("stats sum(took) / count(took) as mean, stddev(took) as s"), ["mean=20 s=8.165"]);
}

#[test]
fn lines_of_lambda_have_fields() {
    assert_eq!(
        ask("filter @type = \"REPORT\" | fields @requestId, @duration, @billedDuration, @memorySize, @maxMemoryUsed"),
        ["@requestId=0f0f0f0f-1111-2222-3333-444444444444 @duration=12.34 @billedDuration=13 @memorySize=128000000 \
         @maxMemoryUsed=64000000"]
    );
    assert_eq!(ask("stats max(@memorySize / 1000 / 1000) as mb"), ["mb=128"]);
}

#[test]
fn texts_are_taken_apart() {
    assert_eq!(
        ask(
            r#"parse @message "user=*, method:*, latency := *" as @user, @method, @latency | filter ispresent(@user) | display @user, @method, @latency"#
        ),
        ["@user=frank @method=GET @latency=12"]
    );
    assert_eq!(
        ask(r"parse @message /user=(?<user>\w+), method:(?<method>\w+)/ | filter method = 'GET' | display user"),
        ["user=frank"]
    );
}

#[test]
fn functions_of_texts_numbers_and_times() {
    let value = |expression: &str| ask(&format!("filter took = 10 | display {expression} as v")).join("");
    for (expression, expected) in [
        ("concat(level, '-', took)", "INFO-10"),
        ("tolower(level)", "info"),
        ("substr(level, 1, 2)", "NF"),
        ("strlen(level)", "4"),
        ("replace(level, 'IN', 'X')", "XFO"),
        ("trim('  a ')", "a"),
        ("coalesce(none, level)", "INFO"),
        ("greatest(1, took, 3)", "10"),
        ("ceil(took / 3)", "4"),
        ("2 ^ 3 + 1", "9"),
        ("abs(-5)", "5"),
        ("datefloor(@timestamp, 1h)", "2026-01-01 00:00:00.000"),
        ("toMillis(@timestamp)", "1767225600000"),
        ("fromMillis(0)", "1970-01-01 00:00:00.000"),
        ("now()", "1767226200"),
        ("isIpv4InSubnet('10.1.2.3', '10.1.0.0/16')", "1"),
    ] {
        assert_eq!(value(expression), format!("v={expected}"), "{expression}");
    }
}

#[test]
fn duplicates_go_and_limits_hold() {
    assert_eq!(ask("fields level | filter ispresent(level) | dedup level"), ["level=INFO", "level=ERROR"]);
    assert_eq!(ask("fields took | sort took desc | limit 1"), ["took=30"]);
}

#[test]
fn what_is_not_known_is_named() {
    assert!(refused("pattern @message").contains("command pattern"));
    assert!(refused("fields jsonParse(@message)").contains("function jsonParse"));
    assert!(refused("fields @message | filter").contains("unexpected end"));
    assert!(refused("fields @message limit 5").contains("unexpected symbol found limit"));
    assert!(refused("stats level by took").contains("no aggregation"));
    assert!(refused("limit 0").contains("limit takes"));
    assert!(refused("filter a = \"x").contains("not closed"));
    assert!(refused("dedup level | sort level").contains("only limit"));
    assert!(refused(&format!("filter {}1", "(".repeat(5000))).contains("too deeply"));
    assert!(refused(&format!("filter {}1", "not ".repeat(5000))).contains("too deeply"));
    refused("");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn no_query_panics(query in r#"(fields|filter|stats|parse|sort| [a-z@]{1,3}| [0-9]{1,3}[a-z]?| "[a*é]{0,3}"| /[a(?<>.]{0,4}/|[|,()\[\]=<>!+*/%^-]| by| as| in| not| like| bin\(5m\)| count\(\*\)){0,12}"#) {
        if let Ok(commands) = parse(&query) {
            run(&commands, rows().into_iter(), 10, FIRST);
        }
    }
}

#[test]
fn texts_are_sorted_naturally_and_before_numbers() {
    // The order of AWS's example; comparing numbers with numbers and all else as texts would run in circles.
    let sorted =
        ["!:", "#", "*%04", "0#", "5A", "111A", "2345_", "@", "@_", "A", "A9876fghj", "a12345hfh", "0", "1", "2", "3"];
    let value = |text: &str| super::value::Value::Text(text.to_owned());
    for (place, one) in sorted.iter().enumerate() {
        for (other_place, other) in sorted.iter().enumerate() {
            assert_eq!(value(one).order(&value(other)), place.cmp(&other_place), "{one} {other}");
        }
    }
}

#[test]
fn a_query_that_makes_text_without_end_is_cut_off() {
    let grown =
        (0..9).fold("@message".to_owned(), |inner, _| format!("replace({inner}, \"a\", \"aaaaaaaaaaaaaaaaaaaa\")"));
    for query in [format!("fields {grown} as z"), format!("stats count(*) by {grown}")] {
        assert!(run(&parse(&query).unwrap(), rows().into_iter(), 10, FIRST).spent);
    }
}
