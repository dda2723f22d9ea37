//! The scenarios, run as `cargo xtask scenario` and `explore` run them.
#![allow(clippy::unwrap_used)]

use garoa::scenario::fault::PointSpec;
use garoa::scenario::report::exploration::Verdict;
use garoa::scenario::run::explore::explore;
use garoa::scenario::run::{Options, Outcome};
use garoa::scenario::script;

fn run(name: &str, seed: Option<u64>) -> Outcome {
    scenarios::stage().run(&scenarios::load(name).unwrap(), &Options { seed, ..Options::default() }).unwrap()
}

/// A scenario's script, changed.
fn changed(name: &str, from: &str, to: &str, at: Option<PointSpec>) -> Result<Outcome, String> {
    let text = std::fs::read_to_string(scenarios::path(name)).unwrap();
    assert!(text.contains(from), "{name} does not hold {from}");
    let script = script::parse(&format!("scenarios/{name}.scn"), &text.replace(from, to)).unwrap();
    scenarios::stage().run(&script, &Options { at, ..Options::default() })
}

/// Compares two traces, and shows the first record that differs.
fn same(name: &str, first: &str, second: &str) {
    for (a, b) in first.lines().zip(second.lines()) {
        assert!(a == b, "{name}\n{a}\n{b}");
    }
    assert_eq!(first.len(), second.len(), "{name}");
}

#[test]
fn every_scenario_passes() {
    let names = scenarios::names().unwrap();
    assert!(names.len() >= 11, "{names:?}");
    let failed: Vec<String> =
        names.iter().map(|name| run(name, None)).filter(|o| !o.passed()).map(|o| o.report()).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

#[test]
fn a_seed_repeats_to_the_byte_and_another_gives_other_ids() {
    for name in ["pix-dedup", "pix-slack-down", "pix-overlapping-runs"] {
        let first = run(name, Some(7)).trace_lines();
        same(name, &first, &run(name, Some(7)).trace_lines());
        let other = run(name, Some(8)).trace_lines();
        assert_eq!(first.lines().count(), other.lines().count(), "{name}");
        assert!(first != other, "{name}");
    }
}

#[test]
fn broken_runs_repeat_to_the_byte_as_well() {
    let script = scenarios::load("pix-dedup").unwrap();
    let options = Options { at: Some("2.1:lost-reply".parse().unwrap()), ..Options::default() };
    let run = || scenarios::stage().run(&script, &options).unwrap();
    let first = run();
    assert!(first.passed(), "{}", first.report());
    same("a broken run", &first.trace_lines(), &run().trace_lines());
}

#[test]
fn the_default_order_loses_no_alert_wherever_it_is_broken() {
    let found = explore(&scenarios::stage(), &scenarios::load("pix-dedup").unwrap(), None).unwrap();
    assert!(found[0].passed(), "{}", found[0].table());
    let twice = found[0].runs.iter().filter(|run| matches!(run.verdicts[2], Verdict::InWindow(_))).count();
    assert!(twice > 0, "a crash between Slack and the cursor tells twice\n{}", found[0].table());
}

#[test]
fn the_order_of_the_flowchart_is_caught_losing_an_alert() {
    let found = explore(&scenarios::stage(), &scenarios::load("pix-cursor-first").unwrap(), None).unwrap();
    assert!(found[0].passed(), "{}", found[0].table());
    assert!(found[0].table().contains("BROKEN as the script expects"), "{}", found[0].table());
    let broken = found[0].runs.iter().find(|run| matches!(run.verdicts[0], Verdict::Broken(_))).unwrap();
    let options = Options { at: Some(broken.at), ..Options::default() };
    let replayed = scenarios::stage().run(&scenarios::load("pix-cursor-first").unwrap(), &options).unwrap();
    assert_eq!(replayed.verdicts[0].1, broken.verdicts[0], "the replay finds what the exploration found");
    assert!(!replayed.passed());
}

#[test]
fn a_check_that_fails_tells_where_when_what_and_how_to_replay() {
    let outcome = changed("pix-dedup", "expect slack count 1\nexpect", "expect slack count 2\nexpect", None).unwrap();
    assert!(!outcome.passed());
    let told = outcome.failure.unwrap().to_string();
    for part in [
        "scenarios/pix-dedup.scn:",
        "expect slack count 2",
        "2026-03-02T12:03:00.000Z",
        "- count 2",
        "+ count 1",
        "cargo xtask scenario pix-dedup --seed 0",
    ] {
        assert!(told.contains(part), "{part} is not in\n{told}");
    }
}

#[test]
fn an_unexpected_answer_of_a_command_is_shown_with_its_call() {
    let outcome = changed("pix-dedup", "\n{{last}}\n", "\nsomething else\n", None).unwrap();
    let told = outcome.failure.unwrap().to_string();
    assert!(told.contains("s3:GetObject pix-state/lastId.txt → 200") && told.contains("- something else"), "{told}");
}

#[test]
fn what_cannot_be_run_is_refused() {
    let unknown = changed("pix-dedup", "no-alert-lost", "no-alert-lots", None).unwrap_err();
    assert!(unknown.contains("did you mean `no-alert-lost`"), "{unknown}");
    let wrong_kind = changed("pix-dedup", "always  no-alert-lost", "always  alert-announced", None).unwrap_err();
    assert!(wrong_kind.contains("for `always`"), "{wrong_kind}");
    let no_template = changed("pix-dedup", "pix-monitor/template.yaml", "pix-monitor/none.yaml", None).unwrap_err();
    assert!(no_template.contains("none.yaml"), "{no_template}");
    assert!(scenarios::load("pix-dedupe").unwrap_err().contains("pix-dedup"));
}

/// `cargo test -p scenarios --release -- --ignored`
#[test]
#[ignore = "a measurement, for release builds on a quiet machine"]
#[allow(clippy::disallowed_methods)]
fn a_hundred_runs_take_less_than_two_seconds() {
    let (stage, script) = (scenarios::stage(), scenarios::load("pix-dedup").unwrap());
    let begun = std::time::Instant::now();
    for _ in 0..100 {
        assert!(stage.run(&script, &Options::default()).unwrap().passed());
    }
    assert!(begun.elapsed().as_secs_f64() < 2.0, "{:?}", begun.elapsed());
}
