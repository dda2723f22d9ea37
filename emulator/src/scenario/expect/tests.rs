//! Expectations evaluated over a run that is made up.

#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::*;
use crate::scenario::report::Invocation;
use crate::scenario::script::Name;

struct Run {
    records: Vec<Record>,
    marked: usize,
}

fn record(service: &str, operation: &str, status: u16, code: Option<&str>, function: Option<&str>) -> Record {
    Record {
        service: service.to_owned(),
        operation: operation.to_owned(),
        status: Some(status),
        code: code.map(str::to_owned),
        invocation: function.map(|function| Invocation { function: function.to_owned(), number: 1 }),
        ..Record::default()
    }
}

impl RunView for Run {
    fn sink(&self, name: &str) -> Option<Vec<SinkRequest>> {
        let request = |body, status| SinkRequest { body, status };
        (name == "slack").then(|| {
            vec![
                request(json!({"text": "R$ 1,00", "n": 1}), Some(500)),
                request(json!({"text": "R$ 1,00", "n": 1}), Some(200)),
            ]
        })
    }

    fn variable(&self, name: &str) -> Option<String> {
        (name == "last").then(|| "0042".to_owned())
    }

    fn stack_outputs(&self) -> Vec<(String, String)> {
        vec![("Url".to_owned(), "http://x/".to_owned())]
    }

    fn records(&self) -> &[Record] {
        &self.records
    }

    fn marked(&self) -> usize {
        self.marked
    }

    fn invocations(&self, function: &str) -> Option<Vec<InvocationView>> {
        let view = |number, records_before, failed| InvocationView { number, records_before, failed, error: None };
        let lost = InvocationView { error: Some("F.Lost: the race".to_owned()), ..view(1, 0, Some(true)) };
        (function == "f").then(|| vec![lost, view(2, 3, Some(false)), view(3, 4, None)])
    }

    fn queue(&self, name: &str) -> Option<QueueState> {
        (name == "mail").then(|| QueueState {
            name: name.to_owned(),
            visible: 2,
            in_flight: 1,
            delayed: 0,
            dead: Some(3),
        })
    }

    fn logs(&self, group: &str) -> Option<Vec<String>> {
        (group == "/aws/lambda/f").then(|| vec!["START".to_owned(), "skipped 2 lines".to_owned()])
    }

    fn name(&self, name: &Name) -> Option<String> {
        match name {
            Name::Variable(variable) => self.variable(variable),
            _ => None,
        }
    }
}

fn run() -> Run {
    let records = vec![
        record("s3", "GetObject", 404, Some("NoSuchKey"), Some("f")),
        record("slack", "POST", 200, None, Some("f")),
        record("s3", "PutObject", 200, None, Some("f")),
        record("s3", "GetObject", 200, None, None),
    ];
    Run { records, marked: 3 }
}

fn outcome(text: &str) -> Result<(), Mismatch> {
    Expectation::parse(text, 0).unwrap().evaluate(&run())
}

#[test]
fn what_is_so_holds() {
    for text in [
        "slack count 2",
        "slack accepted 1",
        "slack[-1].text == \"R$ 1,00\"",
        "slack[0].n == 1.0",
        "slack[0] == {\"n\": 1, \"text\": \"R$ 1,00\"}",
        "slack[0].n < 2",
        "slack[0].n >= 1",
        "slack[0].text != \"x\"",
        "slack[].text contains \"1,00\"",
        "slack[].n contains 1",
        "slack[?n == `1`] count 2",
        "(length(slack) == `2` && last == '0042')",
        "last matches /^[0-9]{4}$/",
        "last == \"{{last}}\"",
        "stack.outputs.Url == \"http://x/\"",
        "calls s3:* count 3",
        "calls s3:GetObject by f count 1",
        "calls s3:* answered 404 count 1",
        "calls s3:* answered NoSuchKey count 1",
        "calls s3:* since mark count 1",
        "calls s3:Delete* count 0",
        "calls s3:GetObject contains \"404 NoSuchKey\"",
        "invocations f count 3",
        "invocations f failed count 1",
        "invocations f failed contains \"F.Lost\"",
        "invocations f succeeded since mark count 1",
        "logs /aws/lambda/f contains \"skipped 2\"",
        "logs /aws/lambda/f count 2",
        "queue mail count 3",
        "queue mail visible count 2",
        "queue mail in-flight count 1",
        "queue mail delayed count 0",
        "queue mail dead count 3",
        "queue mail contains \"in-flight\"",
    ] {
        assert_eq!(outcome(text), Ok(()), "{text}");
    }
}

#[test]
fn what_is_not_so_is_a_mismatch() {
    let failures = [
        "slack count 3",
        "slack accepted 2",
        "slack[0]",
        "slack[0].text",
        "slack[0] == {\"n\": 1, \"text\": \"R$ 2,00\"}",
        "slack[0].n > 1",
        "slack[0].n < \"x\"",
        "slack[0].n contains 1",
        "slack[0].absent matches /x/",
        "slack[0].n count 1",
        "last == \"{{nobody}}\"",
        "sum(slack) == 1",
        "calls s3:* count 0",
        "invocations g count 0",
        "logs /none count 0",
        "queue mail visible count 1",
        "queue none count 0",
        "nobody == null",
    ];
    let shown: Vec<String> = failures.iter().map(|text| outcome(text).unwrap_err().to_string()).collect();
    insta::assert_snapshot!(shown.join("\n\n"));
}

#[test]
fn a_long_diff_is_cut() {
    let numbered = |skip: usize| {
        (0..500).filter(|number| number % 7 != skip).map(|number| format!("line {number}\n")).collect::<String>()
    };
    let text = Mismatch::new("x", numbered(1), numbered(2)).to_string();
    assert!(text.ends_with("… and more"));
    assert!(text.lines().count() < 70);
}

#[test]
fn operators_inside_brackets_and_quotes_are_not_operators() {
    let parsed = Expectation::parse("slack[?a == 'x < y'] == [\" count 2\"]", 0).unwrap();
    assert_eq!(parsed.subject, Subject::Path("slack[?a == 'x < y']".to_owned()));
    assert_eq!(parsed.check, Check::Equals(json!([" count 2"])));
    let holds = Expectation::parse("contains(slack[0].text, 'x')", 0).unwrap();
    assert_eq!(holds.check, Check::Holds);
}

#[test]
fn large_whole_numbers_are_compared_exactly() {
    let check = Check::Equals(Value::from(9_007_199_254_740_993_u64));
    assert_ne!(check, Check::Equals(Value::from(9_007_199_254_740_992_u64)));
}
