//! `cargo xtask conformance`: public test suites that we did not write, run against `garoa serve`.
//!
//! `xtask/conformance/` holds what is ours: the runner, the lists of tests, and the baselines, which name the tests that
//! fail. A test that fails and is not in its list's baseline is a regression. Why each of them fails is told in
//! `emulator/CONFORMANCE.md`. The suites themselves are fetched at the commits that the lists were made from.

mod plan;
mod suites;
mod table;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::run::{Outcome, release, text};
use crate::server::Server;
use plan::{Plan, PlannedList};

/// Which lists are run, and against what.
#[derive(clap::Args)]
pub struct Arguments {
    /// Lists to run, `localstack-sqs`, or suites or services, `moto`, `dynamodb`; all that have a baseline when left out
    lists: Vec<String>,
    /// Write what fails now into the baselines
    #[arg(long)]
    bless: bool,
    /// An endpoint that is up already, such as a peer's; the baselines are then not looked at
    #[arg(long, conflicts_with = "bless")]
    endpoint: Option<String>,
    /// Where the suites are, each in the folder that suites.json names
    #[arg(long, default_value = "target/conformance/suites")]
    suites: PathBuf,
    /// Seconds for one list
    #[arg(long, default_value_t = 1800)]
    seconds: u32,
}

/// What the runner prints of one list.
#[derive(Clone, Debug, Deserialize)]
struct Figures {
    total: u32,
    passed: u32,
    skipped: u32,
    seconds: f64,
}

/// One list, run.
struct Ran<'a> {
    list: &'a PlannedList,
    figures: Figures,
    /// Tests that fail and did not in the baseline.
    broken: Vec<String>,
    /// Tests of the baseline that pass now.
    mended: usize,
}

/// Runs the lists, prints the table, and fails if something fails that did not.
pub fn run(arguments: &Arguments) -> Outcome {
    let plan = Plan::read()?;
    let chosen = plan.choose(&arguments.lists)?;
    if arguments.endpoint.is_none() {
        release()?;
    }
    let suites = crate::root().join(&arguments.suites);
    let mut ran = Vec::new();
    for list in chosen {
        suites::prepare(&plan, list, &suites)?;
        println!("── {}", list.name());
        ran.push(run_list(arguments, list, &suites)?);
    }
    print!("{}", table::render(&ran));
    let broken: usize = ran.iter().map(|ran| ran.broken.len()).sum();
    if broken == 0 {
        return Ok(());
    }
    for (list, test) in ran.iter().flat_map(|ran| ran.broken.iter().map(|test| (ran.list.name(), test))) {
        println!("broken: {list}: {test}");
    }
    Err(format!("{broken} tests fail that did not (see target/conformance/results; --bless accepts them)"))
}

fn run_list<'a>(arguments: &Arguments, list: &'a PlannedList, suites: &Path) -> Result<Ran<'a>, String> {
    // A server for each list: none starts in what another left.
    let server = match &arguments.endpoint {
        Some(_) => None,
        // Suites ask for versions of Python and Node.js of their own.
        None => Some(Server::start_as(
            &crate::root().join("target/release/garoa"),
            &["serve", "--listen", "127.0.0.1:0", "--interpreters", "nearest"],
        )?),
    };
    let endpoint = arguments.endpoint.as_deref().or(server.as_ref().map(|server| &*server.url));
    let endpoint = endpoint.ok_or("no endpoint")?;
    let results = crate::root().join("target/conformance/results").join(list.name());
    let figures = figures(arguments, list, suites, endpoint, &results)?;
    let failing = failing(&results)?;
    let baseline = list.baseline()?;
    let broken = match &baseline {
        Some(baseline) if arguments.endpoint.is_none() => failing.difference(baseline).cloned().collect(),
        _ => Vec::new(),
    };
    let mended = baseline.as_ref().map_or(0, |baseline| baseline.difference(&failing).count());
    if arguments.bless {
        list.bless(&failing)?;
        return Ok(Ran { list, figures, broken: Vec::new(), mended });
    }
    Ok(Ran { list, figures, broken, mended })
}

/// Runs one list with the runner in Python.
fn figures(
    arguments: &Arguments,
    list: &PlannedList,
    suites: &Path,
    endpoint: &str,
    results: &Path,
) -> Result<Figures, String> {
    let output = Command::new("python3")
        .arg(plan::folder().join("run.py"))
        .args(["--suite", list.suite(), "--service", list.service(), "--endpoint", endpoint])
        .args(["--list", text(&list.path())?, "--suites-dir", text(suites)?])
        .args(["--venvs-dir", text(&suites::venvs())?, "--out", text(results)?])
        .args(["--max-seconds", &arguments.seconds.to_string()])
        .args(arguments.endpoint.is_none().then(|| format!("--reset-url={endpoint}/_garoa/reset")))
        .output()
        .map_err(|error| format!("python3: {error}"))?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let figures = printed.lines().next_back().and_then(|line| serde_json::from_str(line).ok());
    figures.ok_or_else(|| format!("{}: {printed}{}", list.name(), String::from_utf8_lossy(&output.stderr)))
}

/// The tests that failed, as the runner has written them: id, tab, reason.
fn failing(results: &Path) -> Result<BTreeSet<String>, String> {
    // The runner adds its own ending, and the lists' names have no dot of their own.
    let file = results.with_extension("fail.txt");
    let written = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(written.lines().filter_map(|line| line.split('\t').next()).map(str::to_owned).collect())
}
