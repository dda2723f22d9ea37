//! A mail server: SMTP with STARTTLS, AUTH, pipelining and size limits, on which the script and faults play as on
//! HTTP sinks.
//!
//! ```text
//! code in the cloud ─ clock/pipe.rs ─┐
//!                                    ├─▶ session.rs ─▶ attempt.rs (script, faults, trace) ─▶ mail.rs ─▶ wiremock, or
//! garoa serve --smtp ─── listen.rs ──┘       wire.rs, reply.rs, auth.rs, certificate.rs                  mailbox.rs
//! ```
//! RFC 5321 (SMTP), 1870 (SIZE), 2034 and 3463 (enhanced codes), 2920 (PIPELINING), 3207 (STARTTLS), 4954 (AUTH),
//! 6152 (8BITMIME), 6531 (SMTPUTF8). Everything that comes from a client has a limit, a constant where it is looked
//! at.

mod attempt;
mod auth;
mod certificate;
mod listen;
mod mail;
mod mailbox;
mod reply;
mod session;
mod wire;

#[cfg(test)]
mod tests;

pub use auth::Credentials;
pub(crate) use certificate::key_pair;
pub use listen::serve;
pub(crate) use mailbox::Mailbox;

use std::io;
use std::sync::Arc;

use super::{Sink, host};
use crate::Result;
use crate::clock::{Activity, PipeEnd, pipe};
use crate::cloud::{Cloud, delivering};
use attempt::{Delivery, Desk};
use certificate::{Identity, Keys};
use session::Session;

/// The port of mail servers in a cloud: message submission (RFC 6409).
pub const PORT: u16 = 587;

/// The largest message, in bytes, unless the options say otherwise: what Gmail and many others take.
pub const DEFAULT_MAX_SIZE: usize = 25 * 1024 * 1024;

/// Whether a client must use TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tls {
    /// There is no STARTTLS.
    Off,
    /// STARTTLS is offered.
    #[default]
    Optional,
    /// Without STARTTLS nothing goes.
    Required,
}

/// What a mail server asks of its clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmtpOptions {
    /// Whether TLS is required.
    pub tls: Tls,
    /// Who may send; without it anybody, and AUTH is not offered.
    pub credentials: Option<Credentials>,
    /// The largest message, in bytes.
    pub max_size: usize,
}

impl Default for SmtpOptions {
    fn default() -> Self {
        Self { tls: Tls::default(), credentials: None, max_size: DEFAULT_MAX_SIZE }
    }
}

/// A mail server: its options and its certificate.
pub struct MailServer {
    host: String,
    options: SmtpOptions,
    identity: Identity,
}

impl MailServer {
    /// A server with keys that nobody else has, for these host names and addresses; the first is what it calls itself.
    ///
    /// # Errors
    /// If no certificate can be made for them.
    pub fn new(hosts: Vec<String>, options: SmtpOptions) -> Result<Self> {
        let host = hosts.first().cloned().unwrap_or_default();
        Ok(Self { host, options, identity: Identity::make(hosts, Keys::Random)? })
    }

    /// A server whose certificate is the same whenever host and seed are.
    pub(super) fn seeded(host: &str, options: SmtpOptions, seed: u64) -> Result<Self> {
        let identity = Identity::make(vec![host.to_owned()], Keys::Seeded(seed))?;
        Ok(Self { host: host.to_owned(), options, identity })
    }

    /// The certificate of the authority that vouches for the server, as PEM.
    pub fn certificate(&self) -> &str {
        &self.identity.authority
    }
}

/// The URL of a mail server in a cloud.
pub fn url(name: &str) -> String {
    format!("smtp://{}:{PORT}/", host(name))
}

/// Connects code in the cloud to a sink's server.
pub(super) async fn connect(cloud: &Cloud, name: &str, sink: &Sink) -> io::Result<PipeEnd> {
    let server = sink.mail.clone().ok_or(io::ErrorKind::ConnectionRefused)?;
    let activity = Activity::current();
    let invocation = activity.as_ref().and_then(|activity| activity.invocation().cloned());
    let delivery = Delivery::Mock { client: sink.client.clone(), url: sink.server.uri() };
    let desk = Desk::new(cloud, name, Arc::clone(&sink.script), delivery, invocation);
    let first = desk.begin()?;
    if let Some(end) = desk.before_connection(&first) {
        return end.await;
    }
    let (near, far) = pipe(&cloud.0.clock);
    let work = far.work();
    let session = Session::new(server, desk, first, far, Some(work)).run();
    // A function's code is driven already; whoever connects from elsewhere has the session drive the clock.
    match activity {
        Some(_) => sink.runtime.spawn(delivering(session)),
        None => sink.runtime.spawn(session),
    };
    Ok(near)
}
