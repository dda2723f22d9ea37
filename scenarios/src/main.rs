//! `cargo xtask scenario` and `cargo xtask explore`: runs the scenarios of this folder and tells what happened.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::{Parser, Subcommand};
use garoa::scenario::fault::PointSpec;
use garoa::scenario::report::{html, mermaid};
use garoa::scenario::run::{Options, Outcome, Stage, explore};
use garoa::scenario::script::Script;

/// Runs scenarios against an in-process cloud.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Runs a scenario, or all; without a name it lists them
    Scenario(Scenario),
    /// Runs a scenario once for each fault at each call that its function makes
    Explore {
        /// The scenario
        name: String,
        /// What ids and chance come from
        #[arg(long)]
        seed: Option<u64>,
    },
}

#[derive(clap::Args)]
struct Scenario {
    /// The scenario
    name: Option<String>,
    /// Run all of them
    #[arg(long, conflicts_with_all = ["name", "at", "trace", "html", "mermaid", "repeat"])]
    all: bool,
    /// Accept what was printed as what is expected, in the script and its snapshots
    #[arg(long)]
    bless: bool,
    /// What ids and chance come from
    #[arg(long)]
    seed: Option<u64>,
    /// Break a call of the explored function, such as 1.2:crash-after: the second call of the first invocation
    #[arg(long, conflicts_with = "bless", requires = "name")]
    at: Option<PointSpec>,
    /// Write the trace to this file, one record a line, as JSON
    #[arg(long, requires = "name")]
    trace: Option<PathBuf>,
    /// Write all reports to this file, as one page of HTML
    #[arg(long, requires = "name")]
    html: Option<PathBuf>,
    /// Print the sequence diagram as Mermaid, and nothing else
    #[arg(long, requires = "name")]
    mermaid: bool,
    /// Run it so many times in this process and print how long that took
    #[arg(long, requires = "name", conflicts_with_all = ["bless", "at", "trace", "html", "mermaid"])]
    repeat: Option<u32>,
}

fn main() -> ExitCode {
    let passed = match Arguments::parse().verb {
        Verb::Scenario(arguments) => scenario(&arguments),
        Verb::Explore { name, seed } => explored(&name, seed),
    };
    match passed {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn scenario(arguments: &Scenario) -> Result<bool, String> {
    let stage = scenarios::stage();
    match &arguments.name {
        _ if arguments.all => all(&stage, arguments),
        None => list().map(|()| true),
        Some(name) => match arguments.repeat {
            Some(times) => repeat(&stage, name, arguments.seed, times),
            None => one(&stage, name, arguments),
        },
    }
}

/// The scenarios, a line each.
fn list() -> Result<(), String> {
    let names = scenarios::names()?;
    let width = names.iter().map(String::len).max().unwrap_or(0);
    for name in names {
        println!("{name:<width$}  {}", scenarios::load(&name)?.header.title);
    }
    println!(
        "\nrun one:     cargo xtask scenario NAME\nrun all:     cargo xtask scenario --all\nexplore one: cargo xtask explore NAME"
    );
    Ok(())
}

fn one(stage: &Stage, name: &str, arguments: &Scenario) -> Result<bool, String> {
    let script = scenarios::load(name)?;
    let (outcome, took) = timed(|| run(stage, name, &script, arguments))?;
    if let Some(file) = &arguments.trace {
        fs::write(file, outcome.trace_lines()).map_err(|why| format!("{}: {why}", file.display()))?;
    }
    if let Some(file) = &arguments.html {
        let page = html::html(&outcome.view, &outcome.declared, &outcome.supported);
        fs::write(file, page).map_err(|why| format!("{}: {why}", file.display()))?;
    }
    if arguments.mermaid {
        print!("{}", mermaid::mermaid(&outcome.drawn()));
        return Ok(outcome.passed());
    }
    let virtual_time = outcome.view.end.since(outcome.view.start);
    let word = if outcome.passed() { "passed" } else { "FAILED" };
    println!("{}\n{name} {word}: {virtual_time:?} of virtual time in {took:.2} s", outcome.report());
    Ok(outcome.passed())
}

/// Runs a script, and writes what was accepted into it.
fn run(stage: &Stage, name: &str, script: &Script, arguments: &Scenario) -> Result<Outcome, String> {
    let options = Options { seed: arguments.seed, at: arguments.at, bless: arguments.bless };
    let outcome = stage.run(script, &options)?;
    if let Some(text) = &outcome.blessed {
        let file = scenarios::path(name);
        fs::write(&file, text).map_err(|why| format!("{}: {why}", file.display()))?;
    }
    Ok(outcome)
}

fn all(stage: &Stage, arguments: &Scenario) -> Result<bool, String> {
    let names = scenarios::names()?;
    let width = names.iter().map(String::len).max().unwrap_or(0);
    let mut failed = Vec::new();
    let ((), took) = timed(|| {
        for name in &names {
            let script = scenarios::load(name)?;
            let (outcome, took) = timed(|| run(stage, name, &script, arguments))?;
            let mark = if outcome.passed() { "✓" } else { "✗" };
            println!("{mark} {name:<width$}  {}  {took:.2} s", script.header.title);
            if !outcome.passed() {
                println!("\n{}", outcome.report());
                failed.push(name.clone());
            }
        }
        Ok(())
    })?;
    let passed = names.len() - failed.len();
    println!("{passed} of {} scenarios passed in {took:.2} s", names.len());
    Ok(failed.is_empty())
}

fn repeat(stage: &Stage, name: &str, seed: Option<u64>, times: u32) -> Result<bool, String> {
    let script = scenarios::load(name)?;
    let options = Options { seed, ..Options::default() };
    let (passed, took) = timed(|| {
        let mut passed = true;
        for _ in 0..times {
            passed &= stage.run(&script, &options)?.passed();
        }
        Ok(passed)
    })?;
    let word = if passed { "all passed" } else { "not all passed" };
    println!("{name}: {times} runs in {took:.2} s, {:.1} ms each, {word}", took * 1000.0 / f64::from(times.max(1)));
    Ok(passed)
}

fn explored(name: &str, seed: Option<u64>) -> Result<bool, String> {
    let script = scenarios::load(name)?;
    let (explorations, took) = timed(|| explore::explore(&scenarios::stage(), &script, seed))?;
    for exploration in &explorations {
        print!("{}", exploration.table());
    }
    println!("explored in {took:.2} s");
    Ok(explorations.iter().all(garoa::scenario::report::exploration::Exploration::passed))
}

/// How long something took, in seconds of real time: what a user waits is the one time here that is not virtual.
#[allow(clippy::disallowed_methods)]
fn timed<T>(run: impl FnOnce() -> Result<T, String>) -> Result<(T, f64), String> {
    let begun = Instant::now();
    let done = run()?;
    Ok((done, begun.elapsed().as_secs_f64()))
}
