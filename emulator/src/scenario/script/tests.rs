//! The language as a whole: what parses, what is refused and how that reads.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::scenario::expect::{Check, Subject};

const HEADER: &str = "+++\ntitle = \"A test\"\nstack = \"template.yaml\"\nstart = \"2026-03-02T12:00:00Z\"\n[sinks.slack]\nanswers = [\"429 retry-after=3\", \"200\"]\n+++\n";

fn script(body: &str) -> Script {
    parse("test.scn", &format!("{HEADER}{body}")).unwrap()
}

fn refusal(body: &str) -> String {
    parse("test.scn", &format!("{HEADER}{body}")).unwrap_err().to_string()
}

#[test]
fn queues_and_invocations_parse() {
    let script = script(
        r#"queue mail duplicate, reorder
queue mail normal
invoke mailer {"a": 1}
{"ok":true}

invoke mailer
=> answer
expect queue mail dead count 1
"#,
    );
    let StepKind::Queue { name, quirks } = &script.steps[0].kind else { panic!("another step") };
    assert_eq!((name.as_str(), quirks.duplicate, quirks.reorder), ("mail", true, true));
    let StepKind::Invoke(invoke) = &script.steps[2].kind else { panic!("another step") };
    assert_eq!((invoke.function.as_str(), invoke.event.as_literal()), ("mailer", Some(r#"{"a": 1}"#)));
    assert!(invoke.expected.is_some());
    let StepKind::Invoke(invoke) = &script.steps[3].kind else { panic!("another step") };
    assert_eq!((invoke.event.as_literal(), invoke.capture.as_deref()), (Some("{}"), Some("answer")));
    for (body, says) in [
        ("queue mail\n", "what the queue shall do is missing"),
        ("queue mail duplicat\n", "did you mean `duplicate`"),
        ("queue mail duplicate, normal\n", "`normal` stands alone"),
        ("invoke mailer {a}\n", "the event is not JSON"),
        ("expect queue mail visibel count 1\n", "did you mean `visible`"),
        ("expect queue mail\n", "what is expected of it is missing"),
    ] {
        let told = refusal(body);
        assert!(told.contains(says), "{body}: {told}");
    }
}

#[test]
fn the_proposal_parses() {
    let script = script(
        r#"# \t is a tab; amounts are centavos
log /aws/lambda/pix-api main
  2026-03-02T12:00:01Z\tr-1\tINFO\t{"Session":{"a":"\"x\""}}
  no time here

advance 3m
expect slack count 1   # a comment
expect slack[0].blocks[1].text.text contains "R$ 1.234,56"
$ aws logs filter-log-events --log-group-name /aws/lambda/pix-api --query "events[1].eventId" --output text
=> last
expect last matches /^[0-9]{56}$/
$ aws s3 cp s3://pix-state/lastId.txt -
{{last}}

advance to 2026-03-02T13:00:00Z
settle
mark
sink slack answers 500, delay 5s 200
fault s3:PutObject#1 crash-before
expect invocations pix-monitor count 2
expect calls s3:Delete* since mark count 0
snapshot

always  no-alert-lost, cursor-never-ahead-of-slack
once    alert-announced  except between slack:POST and s3:PutObject
explore pix-monitor  crash, lost-reply, throttle  settle 30m
"#,
    );
    assert_eq!(script.steps.len(), 15);
    assert_eq!(script.endings.len(), 3);
    let StepKind::Log(log) = &script.steps[0].kind else { panic!("another step") };
    assert_eq!(log.lines[0].timestamp, Some("2026-03-02T12:00:01Z".parse().unwrap()));
    assert_eq!(
        log.lines[0].message.as_literal(),
        Some("2026-03-02T12:00:01Z\tr-1\tINFO\t{\"Session\":{\"a\":\"\\\"x\\\"\"}}")
    );
    assert_eq!(log.lines[1].timestamp, None);
    assert_eq!(script.steps[1].kind, StepKind::Advance(Advance::By(Duration::from_secs(180))));
    let StepKind::Aws(capture) = &script.steps[4].kind else { panic!("another step") };
    assert_eq!((capture.capture.as_deref(), &capture.expected), (Some("last"), &None));
    let StepKind::Aws(compared) = &script.steps[6].kind else { panic!("another step") };
    assert_eq!(compared.expected.as_ref().unwrap().text.as_written(), "{{last}}");
    assert_eq!(script.steps[6].line, 19);
    let StepKind::Expect(expectation) = &script.steps[12].kind else { panic!("another step") };
    assert!(matches!(&expectation.subject, Subject::Invocations(_)));
    assert_eq!(expectation.check, Check::Count(2));
    assert_eq!(
        script.invariants().map(|named| named.name.as_str()).collect::<Vec<_>>(),
        ["no-alert-lost", "cursor-never-ahead-of-slack", "alert-announced"]
    );
    let unknown = script.check_invariants(&["no-alert-lost", "alert-announced"]).unwrap_err();
    assert_eq!(unknown.line_column(), (31, 24));
}

#[test]
fn output_may_hold_anything_with_a_backslash_in_front() {
    let script = script("$ aws x y\n{\n    \"a\": 1\n}\n\\\n\\expect this\n\\\\t\nmark\n");
    let StepKind::Aws(aws) = &script.steps[0].kind else { panic!("another step") };
    assert_eq!(aws.expected.as_ref().unwrap().text.as_literal(), Some("{\n    \"a\": 1\n}\n\nexpect this\n\\t"));
    assert_eq!(script.steps[1].kind, StepKind::Mark);
}

#[test]
fn a_command_may_go_on_in_the_next_line() {
    let script = script("$ aws s3api put-object --bucket b \\\n    --key 'a b'\nexpect slack count 0\n");
    let StepKind::Aws(aws) = &script.steps[0].kind else { panic!("another step") };
    assert_eq!(aws.words.len(), 6);
    assert_eq!(aws.words[5].text.as_literal(), Some("a b"));
}

#[test]
fn a_log_block_repeats() {
    let script = script("log g s repeat 10001\n  2026-03-02T12:00:01Z\\tr-{{n}}\nexpect slack count 0\n");
    let StepKind::Log(log) = &script.steps[0].kind else { panic!("another step") };
    assert_eq!(log.repeat, 10_001);
    assert_eq!(log.lines[0].message.render(&|_| Some("7".to_owned())).unwrap(), "2026-03-02T12:00:01Z\tr-7");
}

#[test]
fn steps_that_are_not_understood_are_drawn() {
    let refusals = [
        "exepct slack count 1\n",
        "expect slak count 1\n",
        "expect slack cuont 1\n",
        "expect slack == hello\n",
        "expect slack matches /[/\n",
        "expect calls s3PutObject count 1\n",
        "expect calls s3:PutObject\n",
        "expect last == 1\n$ aws sts get-caller-identity\n=> last\n",
        "log g\n  x\n",
        "log g s\n\n",
        "log g s\n x\n",
        "log g s\n  2026-13-02T12:00:01Z x\n",
        "log g s\n  r-{{n}}\n",
        "  indented\n",
        "advance 3min\n",
        "advance to tomorrow\n",
        "sink slak answers 200\n",
        "sink slack answers ok\n",
        "fault s3:PutObject crash-befor\n",
        "POST http://x\n",
        "ws alice connect x\n",
        "$ ls\n",
        "repeat 2 mark\n",
        "repeat 0 $ aws s3 ls\n",
        "repeat 2 $ aws s3 ls\noutput\n",
        "$ aws s3 ls | grep x\n",
        "$ aws x y {{sinks.slak}}\n",
        "$ aws x y\n=> slack\n",
        "settle now\n",
        "snapshot a/b\n",
        "mark\n",
        "explore f crash settle 30m\n",
        "always a\nmark\n",
        "once a except between s3:PutObject\n",
    ];
    insta::assert_snapshot!(refusals.map(refusal).join("\n\n"));
}

#[test]
fn headers_that_are_not_understood_are_drawn() {
    let good = "title = \"t\"\nstack = \"s\"\nstart = \"2026-03-02T12:00:00Z\"\n";
    let refusals = [
        "mark\n".to_owned(),
        "+++\ntitle = \"t\"\n".to_owned(),
        "+++\ntitle = \"t\"\n+++\nmark\n".to_owned(),
        format!("+++\n{good}sede = 3\n+++\n"),
        format!("+++\n{good}seed = -3\n+++\n"),
        format!("+++\n{good}seed = \n+++\n"),
        "+++\ntitle = 1\n+++\n".to_owned(),
        "+++\ntitle = \"t\"\nstack = \"s\"\nstart = \"noon\"\n+++\n".to_owned(),
        format!("+++\n{good}[parameters]\nA = [1]\n+++\n"),
        format!("+++\n{good}[parameters]\nA = \"{{{{sinks.slak}}}}\"\n[sinks.slack]\nanswers = [\"200\"]\n+++\n"),
        format!("+++\n{good}[parameters]\nA = \"{{{{stack.outputs.X}}}}\"\n+++\n"),
        format!("+++\n{good}[sinks.slack]\nanswer = [\"200\"]\n+++\n"),
        format!("+++\n{good}[sinks.slack]\nanswers = [\"200\", \"maybe\"]\n+++\n"),
        format!("+++\n{good}[sinks.slack]\nanswers = []\n+++\n"),
        format!("+++\n{good}[sinks.calls]\nanswers = [\"200\"]\n+++\n"),
    ];
    let drawn: Vec<String> = refusals.iter().map(|text| parse("test.scn", text).unwrap_err().to_string()).collect();
    insta::assert_snapshot!(drawn.join("\n\n"));
}

#[test]
fn a_header_gives_everything() {
    let text = "+++\ntitle = \"t\"\nstack = \"s\"\nstart = 2026-03-02T12:00:00Z\nseed = 0x10\n[parameters]\nA = 5\nB = true\nC = \"{{sinks.slack}}/x\"\n[sinks]\nslack = { answers = [\"timeout\"] }\n+++\nexpect slack count 0\n";
    let header = parse("test.scn", text).unwrap().header;
    assert_eq!(header.start.to_iso_secs(), "2026-03-02T12:00:00Z");
    assert_eq!(header.seed, Some(16));
    let written: Vec<String> = header.parameters.values().map(Template::as_written).collect();
    assert_eq!(written, ["5", "true", "{{sinks.slack}}/x"]);
    assert_eq!(header.sinks["slack"].answers[0].outcome, Outcome::Timeout);
}

#[test]
fn windows_line_ends_are_read() {
    let text = format!("{HEADER}expect slack count 0\r\n").replace('\n', "\r\n").replace("\r\r", "\r");
    assert!(parse("test.scn", &text).is_ok());
}

#[test]
fn a_script_that_is_too_long_is_refused() {
    let text = format!("{HEADER}{}", "# x\n".repeat(SCRIPT_MAX / 4));
    assert!(parse("test.scn", &text).unwrap_err().message().contains("bytes"));
}

fn noise() -> impl Strategy<Value = String> {
    let words = "(log|\\$ aws|expect|advance|fault|sink|once|explore|=>|slack|calls|s3:Put|#1|count|==|matches|/a/|\\{\\{|\\}\\}|'|\"|`|,|\\\\|é|[a-z\\[\\]().&!@]| |\n|  ){0,30}";
    proptest::string::string_regex(words).unwrap()
}

proptest! {
    #[test]
    fn never_panics_on_a_body(body in noise()) {
        if let Err(diagnostic) = parse("test.scn", &format!("{HEADER}{body}")) {
            prop_assert!(!diagnostic.to_string().is_empty());
        }
    }

    #[test]
    fn never_panics_on_anything(text in "\\PC{0,80}", header in "(\\+\\+\\+|\n|[a-z]| = |\"|\\[|\\]|\\.|é){0,30}") {
        let _ = parse("test.scn", &text).map_err(|diagnostic| diagnostic.to_string());
        let _ = parse("test.scn", &format!("+++\n{header}\n+++\n{text}")).map_err(|diagnostic| diagnostic.to_string());
    }
}
