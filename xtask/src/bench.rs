//! `cargo xtask bench`: Garoa beside a bare hyper server (the ceiling) and beside peers, all in one run.
//!
//! Peers come from PyPI and npm into `target/bench`; one that cannot be installed or started is left out and named.

use std::path::{Path, PathBuf};

use crate::run::{Outcome, answers, command, programs, release, text};
use crate::server::Server;

/// A peer: its name, and the versions that are measured.
const MOTO: &str = "moto[server]==5.2.3";
const DYNALITE: &str = "dynalite@4";
const FAUXQS: &str = "fauxqs@2";

/// Garoa may take so many times as long as the bare server until it answers, and so much memory before it is asked for anything.
const START_GOAL: f64 = 5.0;
const IDLE_GOAL: f64 = 20.0;
/// How often the start is measured; the fastest counts, for all else is the machine's.
const STARTS: usize = 5;

/// What is measured.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(subcommand)]
    what: Option<What>,
    /// Measure only Garoa and the bare hyper server
    #[arg(long)]
    without_peers: bool,
    /// Seconds for each measurement of a round
    #[arg(long, default_value_t = 2)]
    seconds: u32,
    /// How often each is measured; the median counts
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Measure only what has this in its title, such as `PutObject`; with it, the goals of the rest do not count
    #[arg(long)]
    only: Option<String>,
}

#[derive(clap::Subcommand)]
enum What {
    /// A broadcast each second to many WebSocket connections of Garoa: what is lost, and the memory it takes
    Websocket {
        /// How many connections are open at once
        #[arg(long, default_value_t = 1000)]
        connections: u32,
        /// For how many seconds
        #[arg(long, default_value_t = 60)]
        seconds: u32,
        /// Measure the debug build: faster to build, slower to run
        #[arg(long)]
        debug: bool,
    },
}

/// Starts everything, lets the load run, and fails if a goal is missed.
pub fn run(arguments: &Arguments) -> Outcome {
    if let Some(What::Websocket { connections, seconds, debug }) = arguments.what {
        return websocket(connections, seconds, debug);
    }
    let (bench, garoa) = build(false)?;
    let mut servers = vec![
        ("hello", Server::start_as(&bench, &["hello"])?),
        ("garoa", Server::start(&garoa)?),
        ("garoa-function", Server::start_as(&bench.with_file_name("function"), &[])?),
    ];
    let ready = start(&bench, &garoa, &servers[1].1)?;
    if !arguments.without_peers {
        for (name, start) in [("moto", moto as fn(&Path) -> _), ("dynalite", dynalite), ("fauxqs", fauxqs)] {
            match start(&crate::root().join("target/bench")) {
                Ok(server) => servers.push((name, server)),
                Err(reason) => println!("skipped: {name}: {reason}"),
            }
        }
    }
    let (seconds, rounds) = (arguments.seconds.to_string(), arguments.rounds.to_string());
    let mut load = vec!["load".to_owned(), "--seconds".to_owned(), seconds, "--rounds".to_owned(), rounds];
    load.extend(arguments.only.iter().map(|only| format!("--only={only}")));
    for (name, server) in &servers {
        load.push(format!("--server={name}={}", server.url.trim_start_matches("http://")));
    }
    let load: Vec<&str> = load.iter().map(String::as_str).collect();
    command(text(&bench)?, &load)?;
    if ready { Ok(()) } else { Err("the start or the idle memory misses its goal".into()) }
}

/// Measures the start and the idle memory, and says whether both reach their goals.
fn start(bench: &Path, garoa: &Path, idle: &Server) -> Result<bool, String> {
    let (mut hello, mut ours) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..STARTS {
        hello = hello.min(Server::start_as(bench, &["hello"])?.started_in.as_secs_f64() * 1e3);
        ours = ours.min(Server::start(garoa)?.started_in.as_secs_f64() * 1e3);
    }
    let verdict = |reached: bool| if reached { "reached" } else { "MISSED" };
    let times = ours / hello;
    let fast = times <= START_GOAL;
    println!("start: hello {hello:.1} ms, garoa {ours:.1} ms, {times:.1} times  goal {START_GOAL} {}", verdict(fast));
    let Some(memory) = mebibytes(idle.id()) else {
        println!("idle: memory unknown, for this system does not tell it");
        return Ok(fast);
    };
    let small = memory <= IDLE_GOAL;
    println!("idle: garoa {memory:.1} MiB  goal {IDLE_GOAL} {}", verdict(small));
    Ok(fast && small)
}

/// Builds the load and Garoa, and gives their programs.
fn build(debug: bool) -> Result<(PathBuf, PathBuf), String> {
    if debug {
        programs()?
    } else {
        release()?
    }
    let folder = crate::root().join(if debug { "target/debug" } else { "target/release" });
    Ok((folder.join("bench"), folder.join("garoa")))
}

/// Many WebSocket connections. Each is a file on both sides: `ulimit -n` must allow as many and some more.
fn websocket(connections: u32, seconds: u32, debug: bool) -> Outcome {
    let (bench, garoa) = build(debug)?;
    let server = Server::start(&garoa)?;
    let load = [
        "websocket".to_owned(),
        format!("--server={}", server.url.trim_start_matches("http://")),
        format!("--process={}", server.id()),
        format!("--connections={connections}"),
        format!("--seconds={seconds}"),
    ];
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

/// The resident memory of a process in MiB, where the system tells it.
fn mebibytes(process: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = resident.split_whitespace().next()?.parse().ok()?;
    Some(kib / 1024.0)
}
