//! `cargo xtask test`: everything, in the order in which it fails fastest.

use crate::run::{Outcome, answers, command, programs, text};
use crate::{clients, tidy};

/// Runs every check. What cannot run here is said at the end, with the reason.
pub fn everything() -> Outcome {
    let mut skipped = Vec::new();
    step("format", || command("cargo", &["fmt", "--all", "--check"]))?;
    step("house rules", tidy::check)?;
    step("lints", || {
        command("cargo", &["clippy", "--quiet", "--workspace", "--all-targets", "--", "--deny", "warnings"])
    })?;
    if answers("cargo", &["deny", "--version"]) {
        step("dependencies", || command("cargo", &["deny", "--offline", "check", "licenses", "bans", "sources"]))?;
    } else {
        skipped.push("cargo deny: it is not installed (`cargo install --locked cargo-deny`)".to_owned());
    }
    if answers("cargo", &["nextest", "--version"]) {
        step("tests", || command("cargo", &["nextest", "run", "--workspace", "--no-fail-fast"]))?;
    } else {
        step("tests", || command("cargo", &["test", "--workspace", "--lib", "--bins", "--tests"]))?;
    }
    step("examples in the documentation", || command("cargo", &["test", "--workspace", "--doc", "--quiet"]))?;
    step("scenarios", || {
        programs()?;
        command(text(&crate::root().join("target/debug/scenarios"))?, &["scenario", "--all"])
    })?;
    step("real clients", || clients::run().map(|missing| skipped.extend(missing)))?;
    if !answers("docker", &["info"]) {
        skipped.push("tests in containers: no Docker engine answers".to_owned());
    }
    for what in skipped {
        println!("skipped: {what}");
    }
    println!("all checks passed");
    Ok(())
}

fn step(name: &str, run: impl FnOnce() -> Outcome) -> Outcome {
    println!("── {name}");
    run()
}
