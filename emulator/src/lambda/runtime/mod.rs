//! Functions as processes: code that was uploaded runs here.
//!
//! `unzip.rs` and `folder.rs` keep the code, `runtimes.rs` finds what runs it, `process.rs` and `sandbox.rs` run it, `server.rs`
//! and `api.rs` are what it polls, `output.rs` is what it logs. `bootstrap.py` and `bootstrap.mjs` run handlers.
//!
//! A sandbox is a plain process. It has its own variables, group and writable directory; it does not keep the code from
//! the machine's files, network or other processes.

mod api;
mod folder;
mod output;
mod process;
mod runtimes;
mod sandbox;
mod server;
mod unzip;

pub use runtimes::Interpreters;
pub(in crate::lambda) use sandbox::Sandbox;
pub(crate) use unzip::archive_of;
pub(in crate::lambda) use unzip::{Archive, Flaw, UNZIPPED_LIMIT};

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::invoke::{Attempt, Executable};
use super::layers::LayerCode;
use super::lines::Lines;
use crate::cloud::{Cloud, Scope};
use folder::{Code, Folder};
use process::Leader;
use runtimes::{Installed, Program};
use sandbox::Start;
use server::Server;

/// How many processes there are at most, idle ones among them; further invocations wait for one. AWS has no such limit, but
/// a machine has.
const PROCESS_LIMIT: usize = 128;
/// Garoa's clients for handlers: file and text.
const PYTHON_CLIENT: (&str, &str) = ("bootstrap.py", include_str!("bootstrap.py"));
const NODE_CLIENT: (&str, &str) = ("bootstrap.mjs", include_str!("bootstrap.mjs"));

/// What processes need: folder, listeners, interpreters, and a place.
pub(in crate::lambda) struct Sandboxes {
    folder: Mutex<Option<Arc<Folder>>>,
    server: Mutex<Option<Server>>,
    /// Where the cloud is served, if it is.
    served: Mutex<Option<SocketAddr>>,
    installed: Arc<Installed>,
    interpreters: Interpreters,
    slots: Arc<Semaphore>,
    waiting: AtomicUsize,
    next: AtomicU64,
    /// The processes that run.
    live: Mutex<Vec<Weak<Leader>>>,
}

/// Counts who waits for a slot, for as long as it does.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Sandboxes {
    pub fn new(interpreters: Interpreters) -> Self {
        Self {
            folder: Mutex::default(),
            server: Mutex::default(),
            served: Mutex::default(),
            installed: Arc::default(),
            interpreters,
            slots: Arc::new(Semaphore::new(PROCESS_LIMIT)),
            waiting: AtomicUsize::new(0),
            next: AtomicU64::new(0),
            live: Mutex::default(),
        }
    }

    /// The same machine, and processes of their own.
    pub fn fork(&self) -> Self {
        Self { installed: Arc::clone(&self.installed), ..Self::new(self.interpreters) }
    }

    /// The cloud is served at this address.
    pub fn serve_at(&self, address: SocketAddr) {
        let ip = match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        *self.served.lock() = Some(SocketAddr::new(ip, address.port()));
    }

    /// Whether somebody waits for a process to end, so that another may start.
    pub fn is_full(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    /// Waits until there may be one process more. `make_room` ends an idle one, if there is one.
    pub async fn slot(&self, make_room: impl Fn()) -> Result<OwnedSemaphorePermit, Value> {
        if let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() {
            return Ok(slot);
        }
        let _waiting = Waiting::new(&self.waiting);
        make_room();
        let slot = Arc::clone(&self.slots).acquire_owned().await;
        slot.map_err(|closed| init_error(closed.to_string()))
    }

    /// Starts a process for a function, on the Tokio runtime that will run its invocations.
    ///
    /// # Errors
    /// An error document.
    pub fn start(
        &self,
        cloud: &Cloud,
        scope: &Scope,
        attempt: &Attempt,
        executable: &Executable,
        mut variables: BTreeMap<String, String>,
        (lines, slot): (Lines, OwnedSemaphorePermit),
    ) -> Result<Sandbox, Value> {
        let zip = super::code::stored(cloud, scope, &attempt.function, &attempt.version);
        let zip = zip.ok_or_else(|| no_code(&attempt.function))?;
        let runtime = &executable.runtime;
        let (program, note) = self
            .installed
            .program(runtime, self.interpreters)
            .map_err(|missing| json!({ "errorType": "Runtime.InvalidRuntime", "errorMessage": missing }))?;
        if let Some(note) = note {
            // Not in the function's own log, where its readers would take it for the function's.
            tracing::warn!(function = attempt.function, "{note}");
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (folder, line, endpoint) = self.surroundings(cloud).map_err(|error| init_error(error.to_string()))?;
        let code = folder.code(&executable.hash, [&*zip]);
        let code = code.map_err(|flaw| init_error(format!("the function's code: {flaw}")))?;
        let layers = super::layers::of_function(cloud, scope, &attempt.function, &attempt.version);
        let layers = unpacked(&folder, &layers)?;
        let client = match &program {
            Program::Bootstrap => None,
            Program::Python { .. } => Some(PYTHON_CLIENT),
            Program::Node { .. } => Some(NODE_CLIENT),
        };
        let client = client.map(|(name, text)| folder.own(name, text)).transpose();
        let client = client.map_err(|error| init_error(error.to_string()))?;
        let scratch = folder.scratch(number).map_err(|error| init_error(error.to_string()))?;
        variables.insert("AWS_ENDPOINT_URL".to_owned(), format!("http://{endpoint}"));
        let clock = Arc::clone(&cloud.0.clock);
        let sandbox = Sandbox::start(Start {
            program,
            client,
            code,
            layers,
            runtime: runtime.clone(),
            scratch,
            line,
            slot,
            variables,
            lines,
            clock,
        })?;
        let mut live = self.live.lock();
        live.retain(|leader| leader.strong_count() > 0);
        live.push(sandbox.leader());
        Ok(sandbox)
    }

    fn surroundings(&self, cloud: &Cloud) -> std::io::Result<(Arc<Folder>, server::Line, SocketAddr)> {
        let mut folder = self.folder.lock();
        let folder = match &*folder {
            Some(folder) => Arc::clone(folder),
            None => Arc::clone(folder.insert(Folder::new()?)),
        };
        let mut server = self.server.lock();
        let server = match &mut *server {
            Some(server) => server,
            none => none.insert(Server::start(Arc::downgrade(&cloud.0))?),
        };
        let line = server.line()?;
        let endpoint = self.served.lock().unwrap_or(line.address);
        Ok((folder, line, endpoint))
    }

    /// Kills all processes, at once, and removes what they have on disk.
    pub fn close(&self) {
        for leader in self.live.lock().drain(..) {
            if let Some(leader) = leader.upgrade() {
                leader.kill();
            }
        }
        if let Some(folder) = self.folder.lock().take() {
            folder.remove();
        }
    }
}

/// The layers of a function in one folder, as AWS has them below `/opt`.
fn unpacked(folder: &Arc<Folder>, layers: &[LayerCode]) -> Result<Option<Arc<Code>>, Value> {
    if layers.is_empty() {
        return Ok(None);
    }
    let name: Vec<&str> = layers.iter().map(|layer| &*layer.hash).collect();
    // Names of folders are shorter than five digests.
    let name = format!("layers-{}", hex::encode(Sha256::digest(name.join(" "))));
    let code = folder.code(&name, layers.iter().map(|layer| &*layer.zip));
    code.map(Some).map_err(|flaw| init_error(format!("the function's layers: {flaw}")))
}

fn init_error(message: String) -> Value {
    json!({ "errorType": "Runtime.InitError", "errorMessage": message })
}

/// There is a function of which only the name is known: its template was deployed with code on this machine.
fn no_code(function: &str) -> Value {
    let text = format!(
        "Garoa has no code for the function {function}: register it with CloudBuilder::function, or upload an archive"
    );
    json!({ "errorType": "Runtime.InvalidEntrypoint", "errorMessage": text })
}
