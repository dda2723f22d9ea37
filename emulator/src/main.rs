//! The `garoa` command.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::str::FromStr;

use clap::{Parser, Subcommand, ValueEnum};
use garoa::Timestamp;
use garoa::clock::ClockMode;
use garoa::cloud::{Cloud, IamMode, TraceDepth};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A small cloud on your own machine.
#[derive(Parser)]
#[command(name = "garoa", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the cloud on one port, for boto3, the AWS CLI and any SDK
    Serve {
        /// The address to listen on; port 0 takes a free one
        #[arg(long, default_value = "127.0.0.1:4566")]
        listen: SocketAddr,
        /// How time passes: real, auto, frozen, or frozen=2026-03-02T12:00:00Z
        #[arg(long, default_value = "real")]
        clock: Clock,
        /// Whether permissions are checked
        #[arg(long, value_enum, default_value_t = Iam::Off)]
        iam: Iam,
        /// Which interpreters may run uploaded Python and Node.js handlers
        #[arg(long, value_enum, default_value_t = Interpreters::Exact)]
        interpreters: Interpreters,
        /// What all chance comes from
        #[arg(long, default_value_t = 0)]
        seed: u64,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Iam {
    /// They are not
    Off,
    /// What would be denied is logged, and allowed
    Audit,
    /// As at AWS; key pairs that Garoa did not issue are refused
    Enforce,
}

#[derive(Clone, Copy, ValueEnum)]
enum Interpreters {
    /// The version that the function's runtime names, and no other
    Exact,
    /// The nearest version that is installed, which the function's log says
    Nearest,
}

#[derive(Clone, Copy)]
struct Clock {
    mode: ClockMode,
    start: Option<Timestamp>,
}

impl FromStr for Clock {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (mode, start) = match text.split_once('=') {
            None => (text, None),
            Some((mode, time)) => (mode, Some(time.parse().map_err(|e| format!("{time}: {e}"))?)),
        };
        let mode = match mode {
            "real" if start.is_none() => ClockMode::Real,
            "auto" => ClockMode::Auto,
            "frozen" => ClockMode::Frozen,
            _ => return Err("say real, auto[=TIME] or frozen[=TIME]".to_owned()),
        };
        Ok(Self { mode, start })
    }
}

fn main() -> ExitCode {
    let filter = EnvFilter::try_from_env("GAROA_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let Arguments { command: Command::Serve { listen, clock, iam, interpreters, seed } } = Arguments::parse();
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .and_then(|runtime| runtime.block_on(serve(listen, clock, iam, interpreters, seed)));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(
    listen: SocketAddr,
    clock: Clock,
    iam: Iam,
    interpreters: Interpreters,
    seed: u64,
) -> std::io::Result<()> {
    let iam = match iam {
        Iam::Off => IamMode::Off,
        Iam::Audit => IamMode::Audit,
        Iam::Enforce => IamMode::Enforce,
    };
    let interpreters = match interpreters {
        Interpreters::Exact => garoa::lambda::Interpreters::Exact,
        Interpreters::Nearest => garoa::lambda::Interpreters::Nearest,
    };
    let mut builder =
        Cloud::builder().clock(clock.mode).iam(iam).seed(seed).interpreters(interpreters).trace(TraceDepth::Nothing);
    if let Some(start) = clock.start {
        builder = builder.start(start);
    }
    let cloud = builder.build();
    let listener = TcpListener::bind(listen).await?;
    let address = listener.local_addr()?;
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tracing::info!(%address, "garoa serves on http://{address}");
    let stop = async move {
        tokio::select! {
            _ = interrupt.recv() => tracing::info!("interrupted"),
            _ = terminate.recv() => tracing::info!("asked to end"),
        }
    };
    garoa::serve::serve(cloud, listener, stop).await?;
    tracing::info!("ended");
    Ok(())
}
