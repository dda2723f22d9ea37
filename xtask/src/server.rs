//! A `garoa serve` that lasts as long as its handle.
// What is measured here is the machine's time.
#![allow(clippy::disallowed_methods)]

use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a peer may take to start.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server; it is ended when dropped.
pub struct Server {
    process: Child,
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    /// From the start of the process to the line that tells the address.
    pub started_in: Duration,
}

impl Server {
    /// Starts `garoa serve` on a port that is free.
    pub fn start(garoa: &Path) -> Result<Self, String> {
        Self::start_as(garoa, &["serve", "--listen", "127.0.0.1:0"])
    }

    /// Starts a program that says where it serves, in words like Garoa's.
    pub fn start_as(program: &Path, arguments: &[&str]) -> Result<Self, String> {
        let begun = Instant::now();
        let mut process = Command::new(program)
            .args(arguments)
            .env("GAROA_LOG", "garoa=info")
            .env("NO_COLOR", "1")
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", program.display()))?;
        let lines = process.stderr.take().ok_or("the server has no standard error")?;
        let mut lines = BufReader::new(lines).lines();
        let url = lines.find_map(|line| {
            let line = line.ok()?;
            Some(line.split_once("serves on ")?.1.split_whitespace().next()?.to_owned())
        });
        let started_in = begun.elapsed();
        // What else it says must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        match url {
            Some(url) => Ok(Self { process, url, started_in }),
            None => Err(format!("{} ended without serving: {:?}", program.display(), process.wait())),
        }
    }

    /// Starts a program of others that is told its port, and waits until it takes connections.
    pub fn start_peer(program: &Path, on_port: impl FnOnce(&mut Command, String)) -> Result<Self, String> {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let address = free.map_err(|error| format!("no free port: {error}"))?;
        let begun = Instant::now();
        let mut command = Command::new(program);
        on_port(&mut command, address.port().to_string());
        let mut process = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("{}: {error}", program.display()))?;
        while TcpStream::connect(address).is_err() {
            if let Ok(Some(status)) = process.try_wait() {
                return Err(format!("{} ended: {status}", program.display()));
            }
            if begun.elapsed() > PATIENCE {
                let _ = process.kill();
                return Err(format!("{} takes no connections", program.display()));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(Self { process, url: format!("http://{address}"), started_in: begun.elapsed() })
    }

    /// The process, to read its memory by.
    pub fn id(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
