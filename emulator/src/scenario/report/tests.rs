//! Reports of a run that is made up.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use serde_json::json;

use super::exploration::{Exploration, ExploredRun, Verdict};
use super::*;
use crate::scenario::fault::PointKind;

fn call(
    seconds: i64,
    number: u32,
    call: u32,
    what: (&str, &str, &str),
    status: Option<u16>,
    code: Option<&str>,
) -> Record {
    let (service, operation, resource) = what;
    Record {
        at: Timestamp::from_secs(1_772_452_800 + seconds),
        step: Some(1),
        invocation: Some(Invocation { function: "pix-monitor".to_owned(), number }),
        point: Some(Point { invocation: number, call }),
        role: Some("pix-monitor-role".to_owned()),
        service: service.to_owned(),
        operation: operation.to_owned(),
        resource: Some(resource.to_owned()),
        arn: (service != "slack").then(|| format!("arn:aws:{service}:::{resource}")),
        action: (service != "slack").then(|| format!("{service}:{operation}")),
        status,
        code: code.map(str::to_owned),
        ..Record::default()
    }
}

fn trace() -> TraceView {
    let mut records = Vec::new();
    for number in 1..=4 {
        let at = i64::from(number) * 180;
        records.push(Record {
            at: Timestamp::from_secs(1_772_452_800 + at),
            step: Some(1),
            caller: "scheduler".to_owned(),
            service: "lambda".to_owned(),
            operation: "Invoke".to_owned(),
            resource: Some("function:pix-monitor".to_owned()),
            status: Some(202),
            ..Record::default()
        });
        let get = if number == 1 { (Some(404), Some("NoSuchKey")) } else { (Some(200), None) };
        records.push(call(at, number, 1, ("s3", "GetObject", "pix-state/lastId.txt"), get.0, get.1));
        records.push(call(at, number, 2, ("logs", "FilterLogEvents", "/aws/lambda/pix-api"), Some(200), None));
    }
    records.push(call(900, 5, 1, ("slack", "POST", "/services/T000"), Some(200), None));
    let mut lost = call(900, 5, 2, ("s3", "PutObject", "pix-state/lastId.txt"), None, None);
    lost.fault = Some("s3:PutObject#1 crash-before".to_owned());
    records.push(lost);
    records.push(call(901, 5, 3, ("s3", "ListBucket", "pix-state"), Some(403), Some("AccessDenied")));
    let at = |seconds: i64| Timestamp::from_secs(1_772_452_800 + seconds);
    let step = |line, text: &str, seconds, outcome| {
        let queues = Vec::new();
        StepView { line, text: text.to_owned(), at: at(seconds), outcome, queues }
    };
    TraceView {
        title: "A <Pix> is announced & once".to_owned(),
        name: "pix-dedup".to_owned(),
        start: at(0),
        end: at(86_400),
        steps: vec![
            step(9, "log /aws/lambda/pix-api main", 0, StepOutcome::Passed),
            step(12, "advance 15m", 0, StepOutcome::Passed),
            step(13, "expect slack count 2", 900, StepOutcome::Failed("slack\n- count 2\n+ count 1".to_owned())),
            step(14, "snapshot", 900, StepOutcome::Skipped),
        ],
        records,
    }
}

#[test]
fn timeline_reads_step_by_step() {
    insta::assert_snapshot!(timeline::timeline(&trace()));
}

#[test]
fn each_step_tells_what_the_queues_hold_until_they_are_empty() {
    let mut trace = trace();
    let queue =
        |name: &str, visible, dead| QueueState { name: name.to_owned(), visible, dead, ..QueueState::default() };
    trace.steps[1].queues = vec![queue("empty", 0, None), queue("mail", 2, Some(1))];
    trace.steps[2].queues = vec![queue("empty", 0, None), queue("mail", 0, Some(0))];
    trace.steps[3].queues = trace.steps[2].queues.clone();
    let text = timeline::steps(&trace);
    let told: Vec<&str> = text.lines().filter(|line| line.contains("visible")).map(str::trim).collect();
    assert_eq!(
        told,
        ["mail: 2 visible, 0 in flight, 0 delayed, 1 dead", "mail: 0 visible, 0 in flight, 0 delayed, 0 dead"]
    );
    let html = html::html(&trace, &BTreeMap::new(), &BTreeMap::new());
    assert!(html.contains("<small>mail: 2 visible, 0 in flight, 0 delayed, 1 dead</small>"));
}

#[test]
fn sequence_draws_columns() {
    insta::assert_snapshot!(sequence::sequence(&trace()));
}

#[test]
fn mermaid_is_escaped() {
    insta::assert_snapshot!(mermaid::mermaid(&trace()));
}

#[test]
fn text_reports_stay_within_a_hundred_columns() {
    for participants in [1, 3, 9, 10, 11, 40] {
        let mut trace = trace();
        for number in 0..participants {
            let mut record = call(1000, 9, number, ("s3", "PutObject", &"x".repeat(200)), Some(200), None);
            record.service = format!("a-service-with-a-long-name-{number}\n");
            trace.records.push(record);
        }
        for text in [sequence::sequence(&trace), timeline::timeline(&trace)] {
            for line in text.lines() {
                assert!(line.chars().count() <= 100, "{participants}: {line}");
            }
        }
    }
}

#[test]
fn an_empty_run_has_reports() {
    let empty = TraceView::default();
    assert_eq!(sequence::sequence(&empty), "no calls\n");
    assert_eq!(mermaid::mermaid(&empty), "sequenceDiagram\n");
    assert!(html::html(&empty, &BTreeMap::new(), &BTreeMap::new()).contains("0 calls"));
}

#[test]
fn policies_hold_what_was_used_and_tell_what_was_not() {
    let declared = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], "Resource": "arn:aws:s3:::pix-state/*"},
        {"Effect": "Allow", "Action": "logs:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "s3:*", "Resource": "*"},
    ]});
    let declared = BTreeMap::from([("pix-monitor-role".to_owned(), vec![declared])]);
    insta::assert_snapshot!(policy::policies(&trace().records, &declared));
}

#[test]
fn coverage_counts_operations_and_answers() {
    let supported = BTreeMap::from([(
        "s3".to_owned(),
        vec!["GetObject".to_owned(), "PutObject".to_owned(), "ListBucket".to_owned(), "CopyObject".to_owned()],
    )]);
    insta::assert_snapshot!(coverage::coverage(&trace().records, &supported));
}

#[test]
fn html_holds_everything_escaped() {
    let html = html::html(&trace(), &BTreeMap::new(), &BTreeMap::new());
    assert!(html.contains("<h1>A &lt;Pix&gt; is announced &amp; once</h1>"));
    assert!(
        !html.contains("<Pix>") && !html.contains("<script") && !html.contains("http://") && !html.contains("https://")
    );
    for heading in ["Sequence", "Timeline", "Least privilege", "Operations"] {
        assert!(html.contains(&format!("<h2>{heading}</h2>")), "{heading}");
    }
    assert_eq!(html, html::html(&trace(), &BTreeMap::new(), &BTreeMap::new()));
}

fn exploration(verdict: impl Fn(u32) -> Verdict) -> Exploration {
    let run = |number: u32| ExploredRun {
        at: PointSpec {
            point: Point { invocation: number / 4 + 1, call: number % 4 + 1 },
            kind: PointKind::CrashAfter,
        },
        verdicts: vec![Verdict::Held, verdict(number)],
    };
    Exploration {
        scenario: "pix-dedup".to_owned(),
        seed: None,
        violated: None,
        function: "pix-monitor".to_owned(),
        invariants: vec!["no-alert-lost".to_owned(), "alert-announced once".to_owned()],
        runs: (0..40).map(run).collect(),
    }
}

#[test]
fn an_exploration_is_a_table() {
    let good = exploration(|number| if number < 4 { Verdict::InWindow("twice".to_owned()) } else { Verdict::Held });
    assert!(good.passed());
    let bad =
        exploration(|number| if number < 12 { Verdict::Broken("announced 0 times".to_owned()) } else { Verdict::Held });
    assert!(!bad.passed());
    let all_held = exploration(|_| Verdict::Held);
    let caught = Exploration { violated: Some(1), ..bad.clone() };
    assert!(caught.passed() && caught.table().contains("BROKEN as the script expects"), "{}", caught.table());
    let missed = Exploration { violated: Some(1), ..all_held.clone() };
    assert!(!missed.passed() && missed.table().contains("expects it BROKEN"), "{}", missed.table());
    let another = Exploration { violated: Some(0), ..bad.clone() };
    assert!(!another.passed());
    insta::assert_snapshot!([good.table(), bad.table(), all_held.table()].join("\n"));
}
