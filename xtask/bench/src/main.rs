//! What `cargo xtask bench` runs: load on servers that are up, in turn, and figures beside a bare hyper server's.

mod client;
mod hello;
mod jobs;
mod logs;
mod measure;
mod memory;
mod report;
mod websocket;

use std::net::SocketAddr;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The error of a program that ends at the first one.
type Failure = Box<dyn std::error::Error + Send + Sync>;

#[derive(Parser)]
#[command(name = "bench")]
struct Arguments {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// The ceiling: a hyper server that reads each request and answers a constant
    Hello {
        #[arg(long, default_value = "127.0.0.1:0")]
        listen: SocketAddr,
    },
    /// Measure servers that are up
    Load(Load),
    /// Broadcast to many WebSocket connections of a Garoa that is up
    Websocket(websocket::Arguments),
}

/// What is measured.
#[derive(clap::Args)]
struct Load {
    /// `NAME=HOST:PORT`; `hello` is the ceiling, `garoa` and `garoa-function` are held to the goals
    #[arg(long = "server", value_parser = server)]
    servers: Vec<Server>,
    /// Seconds for each measurement of a round
    #[arg(long, default_value_t = 2)]
    seconds: u64,
    /// How often each is measured; the median counts
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Measure only what has this in its title, such as `PutObject`
    #[arg(long)]
    only: Option<String>,
}

impl Load {
    /// Whether what has this title is measured.
    fn wants(&self, title: &str) -> bool {
        self.only.as_deref().is_none_or(|only| title.contains(only))
    }
}

/// A server that is up.
#[derive(Clone)]
struct Server {
    name: String,
    address: SocketAddr,
}

fn server(text: &str) -> Result<Server, String> {
    let (name, address) = text.split_once('=').ok_or("NAME=HOST:PORT")?;
    Ok(Server { name: name.to_owned(), address: address.parse().map_err(|error| format!("{address}: {error}"))? })
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Task::Hello { listen } => hello::serve(listen).map(|()| true),
        Task::Load(load) => measure::all(&load).map(|figures| {
            print!("{}{}", report::render(&figures), logs::render(&figures.logs));
            report::goals_met(&figures) && logs::goals_met(&figures.logs)
        }),
        Task::Websocket(arguments) => websocket::run(&arguments),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}
