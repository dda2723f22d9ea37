//! A process and whatever it starts: one group, which ends together.

use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tokio::sync::watch;

/// A running process. Dropping it kills its group.
pub(super) struct Process {
    leader: Arc<Leader>,
    /// How it ended, once it has.
    pub ended: watch::Receiver<Option<Exit>>,
}

/// The process that leads the group, until it is waited for: as long as it is not, its number is nobody else's.
pub(super) struct Leader {
    id: Pid,
    child: Mutex<Option<Child>>,
}

/// How a process ended, in the words of AWS's logs: `exit status 1`, `signal: killed`; none for success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Exit(pub Option<String>);

impl Process {
    /// Starts a command in a group of its own; its standard output and error streams come back.
    ///
    /// # Errors
    /// If the system does not start it.
    pub fn start(mut command: Command) -> std::io::Result<(Self, OwnedFd, OwnedFd)> {
        command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let streams = child.stdout.take().zip(child.stderr.take());
        let id = Pid::from_child(&child);
        let leader = Arc::new(Leader { id, child: Mutex::new(Some(child)) });
        let (told, ended) = watch::channel(None);
        let process = Self { leader: Arc::clone(&leader), ended };
        std::thread::Builder::new().name("lambda-wait".to_owned()).spawn(move || leader.wait(&told))?;
        let (stdout, stderr) = streams.ok_or_else(|| std::io::Error::other("the process has no output streams"))?;
        Ok((process, stdout.into(), stderr.into()))
    }

    /// What kills it from elsewhere.
    pub fn leader(&self) -> Weak<Leader> {
        Arc::downgrade(&self.leader)
    }

    /// Whether it has not ended yet.
    pub fn is_alive(&self) -> bool {
        self.ended.borrow().is_none()
    }

    /// The memory that it has, and the most that it has had, in MiB; none where the system does not tell, or it has ended.
    pub fn memory(&self) -> Option<(u32, u32)> {
        self.leader.memory()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.leader.kill();
    }
}

impl Leader {
    /// See [`Process::memory`].
    pub fn memory(&self) -> Option<(u32, u32)> {
        // Not the memory of whoever has its number after it.
        let child = self.child.lock();
        child.as_ref()?;
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id.as_raw_nonzero())).ok()?;
        let mib = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            let kib: u32 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
            Some(kib.div_ceil(1024))
        };
        mib("VmRSS:").zip(mib("VmHWM:"))
    }

    /// Kills the group, unless its leader has ended.
    pub fn kill(&self) {
        if self.child.lock().is_some() {
            self.kill_group();
        }
    }

    fn kill_group(&self) {
        if let Err(error) = kill_process_group(self.id, Signal::KILL) {
            tracing::debug!(%error, "a function's process group was gone already");
        }
    }

    fn wait(&self, told: &watch::Sender<Option<Exit>>) {
        // Without taking its number from it yet: what it has started dies with it, found by that number.
        while waitid(WaitId::Pid(self.id), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)
            .is_err_and(|error| error == rustix::io::Errno::INTR)
        {}
        let mut child = self.child.lock();
        self.kill_group();
        let status = child.take().map(|mut child| child.wait());
        drop(child);
        let exit = match status {
            Some(Ok(status)) => exit(status),
            Some(Err(error)) => Exit(Some(error.to_string())),
            None => Exit(None),
        };
        told.send_replace(Some(exit));
    }
}

fn exit(status: ExitStatus) -> Exit {
    Exit(match (status.code(), status.signal()) {
        (Some(0), _) => None,
        (Some(code), _) => Some(format!("exit status {code}")),
        (None, Some(signal)) => Some(format!("signal: {}", signal_name(signal))),
        (None, None) => Some(status.to_string()),
    })
}

/// As Go's runtime, which Lambda's logs show, names them.
fn signal_name(signal: i32) -> String {
    match signal {
        4 => "illegal instruction".to_owned(),
        6 => "aborted".to_owned(),
        7 => "bus error".to_owned(),
        8 => "floating point exception".to_owned(),
        9 => "killed".to_owned(),
        11 => "segmentation fault".to_owned(),
        13 => "broken pipe".to_owned(),
        15 => "terminated".to_owned(),
        other => format!("signal {other}"),
    }
}
