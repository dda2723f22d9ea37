//! The project's commands: `cargo xtask …`.

mod bench;
mod clients;
mod conformance;
mod models;
mod run;
mod server;
mod test;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use run::{Outcome, command};

/// The project's commands.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run a scenario, or list them: `scenario pix-dedup`, `scenario --all`, `scenario NAME --bless`
    #[command(disable_help_flag = true)]
    Scenario {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
    },
    /// Run a scenario once for each fault at each call its function makes: `explore pix-dedup`
    #[command(disable_help_flag = true)]
    Explore {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
    },
    /// Check everything: format, lints, house rules, tests, scenarios, real clients
    Test,
    /// Check the house rules
    Tidy,
    /// Only the tests with real clients against `garoa serve`
    Clients,
    /// Measure Garoa beside a bare hyper server and installed peers
    Bench(bench::Arguments),
    /// Public test suites against `garoa serve`, held against what passed before: `conformance`, `conformance sqs`
    Conformance(conformance::Arguments),
    /// Distil AWS's service models from botocore into emulator/models
    Models(models::Arguments),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Task::Scenario { rest } => scenarios("scenario", &rest),
        Task::Explore { rest } => scenarios("explore", &rest),
        Task::Test => test::everything(),
        Task::Tidy => tidy::check(),
        Task::Clients => clients::run().map(|skipped| skipped.iter().for_each(|what| println!("skipped: {what}"))),
        Task::Bench(arguments) => bench::run(&arguments),
        Task::Conformance(arguments) => conformance::run(&arguments),
        Task::Models(arguments) => models::run(&arguments).map_err(|e| e.to_string()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Scenarios live in a program of their own, because they link the functions they run. To build it for the first time takes
/// minutes, in which cargo shows what it does.
fn scenarios(verb: &str, rest: &[String]) -> Outcome {
    let program = format!("target/debug/scenarios{}", std::env::consts::EXE_SUFFIX);
    let quiet: &[&str] = if root().join(program).exists() { &["--quiet"] } else { &[] };
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    command("cargo", &[&["run"], quiet, &["--package", "scenarios", "--", verb], &rest].concat())
}

/// The workspace's folder.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(PathBuf::new, Path::to_path_buf)
}
