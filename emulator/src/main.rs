//! The `garoa` command.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;
use std::sync::Arc;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use garoa::Timestamp;
use garoa::clock::ClockMode;
use garoa::cloud::{Cloud, IamMode, TraceDepth};
use garoa::s3::ObjectOwnership;
use garoa::sinks::smtp::{self, Credentials, MailServer, SmtpOptions, Tls};
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
    Serve(Serve),
}

/// What is served, and how.
#[derive(Args)]
struct Serve {
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
    /// Who owns the objects of S3's buckets that are made without saying so
    #[arg(long, value_enum, default_value_t = Ownership::BucketOwnerEnforced)]
    s3_object_ownership: Ownership,
    /// Whether S3's new buckets begin with all of Block Public Access
    #[arg(long, default_value_t = true, action = ArgAction::Set)]
    s3_block_public_access: bool,
    /// What all chance comes from
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// A server outside, HOST or HOST:PORT, that HTTP integrations of APIs and subscriptions of topics may reach; may be given more than once
    #[arg(long)]
    reach: Vec<String>,
    #[command(flatten)]
    mail: Mail,
}

/// A mail server beside the cloud.
#[derive(Args)]
struct Mail {
    /// Take mail on this address as well; what is accepted is at /_garoa/mails
    #[arg(long)]
    smtp: Option<SocketAddr>,
    /// Where to write the certificate of the authority that vouches for the mail server, as PEM
    #[arg(long, requires = "smtp")]
    smtp_certificate: Option<PathBuf>,
    /// Refuse clients that do not use STARTTLS
    #[arg(long, requires = "smtp")]
    smtp_tls_required: bool,
    /// Who may send; without it anybody
    #[arg(long, requires_all = ["smtp", "smtp_password"])]
    smtp_user: Option<String>,
    /// The user's password
    #[arg(long, requires = "smtp_user")]
    smtp_password: Option<String>,
    /// The largest message, in bytes
    #[arg(long, default_value_t = smtp::DEFAULT_MAX_SIZE)]
    smtp_max_size: usize,
}

impl Mail {
    /// Starts the server, if one is wanted.
    async fn start(self, cloud: &Cloud) -> std::io::Result<()> {
        let Some(listen) = self.smtp else { return Ok(()) };
        let options = SmtpOptions {
            tls: if self.smtp_tls_required { Tls::Required } else { Tls::Optional },
            credentials: self.smtp_user.zip(self.smtp_password).map(|(user, password)| Credentials { user, password }),
            max_size: self.smtp_max_size,
        };
        let hosts = ["localhost", "127.0.0.1", "::1", "smtp.sink.localhost"].map(str::to_owned).to_vec();
        let server = Arc::new(MailServer::new(hosts, options).map_err(std::io::Error::other)?);
        if let Some(file) = self.smtp_certificate {
            std::fs::write(&file, server.certificate())?;
        }
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        tracing::info!(%address, "mail is taken on smtp://{address}");
        tokio::spawn(smtp::serve(cloud.clone(), listener, server));
        Ok(())
    }
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
    /// The nearest version that is installed, which a warning says
    Nearest,
}

#[derive(Clone, Copy, ValueEnum)]
enum Ownership {
    /// The bucket's owner; access control lists are off
    #[value(name = "BucketOwnerEnforced")]
    BucketOwnerEnforced,
    /// Who writes them, unless they are written for the bucket's owner
    #[value(name = "BucketOwnerPreferred")]
    BucketOwnerPreferred,
    /// Who writes them
    #[value(name = "ObjectWriter")]
    ObjectWriter,
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
    let Arguments { command: Command::Serve(wanted) } = Arguments::parse();
    let outcome = garoa::serve::runtime().and_then(|runtime| runtime.block_on(serve(wanted)));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(wanted: Serve) -> std::io::Result<()> {
    let Serve { listen, clock, iam, interpreters, s3_object_ownership, s3_block_public_access, seed, reach, mail } =
        wanted;
    let iam = match iam {
        Iam::Off => IamMode::Off,
        Iam::Audit => IamMode::Audit,
        Iam::Enforce => IamMode::Enforce,
    };
    let interpreters = match interpreters {
        Interpreters::Exact => garoa::lambda::Interpreters::Exact,
        Interpreters::Nearest => garoa::lambda::Interpreters::Nearest,
    };
    let ownership = match s3_object_ownership {
        Ownership::BucketOwnerEnforced => ObjectOwnership::BucketOwnerEnforced,
        Ownership::BucketOwnerPreferred => ObjectOwnership::BucketOwnerPreferred,
        Ownership::ObjectWriter => ObjectOwnership::ObjectWriter,
    };
    let mut builder = Cloud::builder()
        .clock(clock.mode)
        .iam(iam)
        .seed(seed)
        .interpreters(interpreters)
        .s3_object_ownership(ownership)
        .s3_block_public_access(s3_block_public_access)
        .trace(TraceDepth::Nothing);
    if let Some(start) = clock.start {
        builder = builder.start(start);
    }
    for address in &reach {
        builder = builder.reach(address);
    }
    let cloud = builder.build();
    mail.start(&cloud).await?;
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
