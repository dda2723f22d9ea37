//! `cargo xtask bench`: Garoa beside a bare hyper server (the ceiling) and beside peers, all in one run.
//!
//! Peers come from PyPI and npm into `target/bench`; one that cannot be installed or started is left out and named.

use std::path::Path;

use crate::run::{Outcome, answers, command, text};
use crate::server::Server;

/// A peer: its name, and the versions that are measured.
const MOTO: &str = "moto[server]==5.2.3";
const DYNALITE: &str = "dynalite@4";
const FAUXQS: &str = "fauxqs@2";

/// What is measured.
#[derive(clap::Args)]
pub struct Arguments {
    /// Measure only Garoa and the bare hyper server
    #[arg(long)]
    without_peers: bool,
    /// Seconds for each measurement of a round
    #[arg(long, default_value_t = 2)]
    seconds: u32,
    /// How often each is measured; the median counts
    #[arg(long, default_value_t = 5)]
    rounds: u32,
}

/// Starts everything, lets the load run, and fails if a goal is missed.
pub fn run(arguments: &Arguments) -> Outcome {
    let root = crate::root();
    command("cargo", &["build", "--quiet", "--release", "--package", "garoa", "--package", "bench", "--bins"])?;
    let bench = root.join("target/release/bench");
    let mut servers = vec![
        ("hello", Server::start_as(&bench, &["hello"])?),
        ("garoa", Server::start(&root.join("target/release/garoa"))?),
    ];
    for (name, server) in &servers {
        println!("{name}: up in {:.1} ms, {}", server.started_in.as_secs_f64() * 1e3, memory(server.id()));
    }
    if !arguments.without_peers {
        for (name, start) in [("moto", moto as fn(&Path) -> _), ("dynalite", dynalite), ("fauxqs", fauxqs)] {
            match start(&root.join("target/bench")) {
                Ok(server) => servers.push((name, server)),
                Err(reason) => println!("skipped: {name}: {reason}"),
            }
        }
    }
    let (seconds, rounds) = (arguments.seconds.to_string(), arguments.rounds.to_string());
    let mut load = vec!["load".to_owned(), "--seconds".to_owned(), seconds, "--rounds".to_owned(), rounds];
    for (name, server) in &servers {
        load.push(format!("--server={name}={}", server.url.trim_start_matches("http://")));
    }
    let load: Vec<&str> = load.iter().map(String::as_str).collect();
    command(text(&bench)?, &load)
}

fn moto(folder: &Path) -> Result<Server, String> {
    let venv = folder.join("moto");
    if !venv.join("bin/moto_server").exists() {
        command("python3", &["-m", "venv", "--clear", text(&venv)?])?;
        command(text(&venv.join("bin/pip"))?, &["install", "--quiet", "--disable-pip-version-check", MOTO])?;
    }
    Server::start_peer(&venv.join("bin/moto_server"), |command, port| {
        command.args(["-p", &port]);
    })
}

fn dynalite(folder: &Path) -> Result<Server, String> {
    npm(folder, DYNALITE)?;
    let program = folder.join("node/node_modules/.bin/dynalite");
    Server::start_peer(&program, |command, port| {
        command.args(["--port", &port, "--createTableMs", "0"]);
    })
}

fn fauxqs(folder: &Path) -> Result<Server, String> {
    npm(folder, FAUXQS)?;
    Server::start_peer(&folder.join("node/node_modules/.bin/fauxqs"), |command, port| {
        command.env("FAUXQS_PORT", port);
    })
}

fn npm(folder: &Path, package: &str) -> Outcome {
    let folder = folder.join("node");
    let (name, _) = package.split_once('@').unwrap_or((package, ""));
    if folder.join("node_modules").join(name).exists() {
        return Ok(());
    }
    if !answers("npm", &["--version"]) {
        return Err("npm is not installed".into());
    }
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    command("npm", &["install", "--silent", "--no-audit", "--no-fund", "--prefix", text(&folder)?, package])
}

/// The resident memory of a process, where the system tells it.
fn memory(process: u32) -> String {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: Option<f64> = resident.and_then(|text| text.split_whitespace().next()?.parse().ok());
    kib.map_or_else(|| "memory unknown".to_owned(), |kib| format!("{:.1} MiB", kib / 1024.0))
}
