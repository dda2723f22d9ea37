//! One execution environment as a process: its variables, its start, its invocations.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Weak};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::api::{Answer, Phase};
use super::folder::{Code, Scratch};
use super::output::Output;
use super::process::{Exit, Leader, Process};
use super::runtimes::Program;
use super::server::Line;
use crate::clock::{self, Clock, ClockMode};
use crate::lambda::invoke::{Attempt, AttemptEnd};
use crate::lambda::lines::Lines;

/// How long the code may take before it asks for its first invocation; then Lambda starts it again, within the function's
/// own time. Here that time is added instead.
/// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib>
const INIT_LIMIT: Duration = Duration::from_secs(10);
/// How often it is looked at whether a process has more memory than its function.
const MEMORY_WATCH: Duration = Duration::from_millis(100);
/// Where AWS has a function's code. What an interpreter tells of its files is told so, and a wrapper is looked for so.
const TASK_ROOT: &str = "/var/task";
/// Where AWS has what is in a function's layers. A wrapper is looked for so.
const LAYERS_ROOT: &str = "/opt";
/// Names a program of the function's that starts the interpreter.
/// <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html#runtime-wrapper>
const WRAPPER: &str = "AWS_LAMBDA_EXEC_WRAPPER";

/// A process that runs a function's code. Dropping it kills it, and removes what it wrote.
pub(in crate::lambda) struct Sandbox {
    process: Process,
    output: Output,
    line: Line,
    clock: Arc<Clock>,
    started: crate::Timestamp,
    access_key: String,
    _scratch: Scratch,
    _code: Arc<Code>,
    _layers: Option<Arc<Code>>,
    _slot: OwnedSemaphorePermit,
}

/// What a process is started with.
pub(super) struct Start {
    pub program: Program,
    /// Garoa's own client, for programs that need one.
    pub client: Option<PathBuf>,
    pub code: Arc<Code>,
    /// What AWS has below `/opt`.
    pub layers: Option<Arc<Code>>,
    /// The runtime's identifier.
    pub runtime: String,
    pub scratch: Scratch,
    pub line: Line,
    pub slot: OwnedSemaphorePermit,
    /// The function's and Lambda's own.
    pub variables: BTreeMap<String, String>,
    pub lines: Lines,
    pub clock: Arc<Clock>,
}

impl Sandbox {
    /// Starts a process. Needs the Tokio runtime that will run its invocations.
    ///
    /// # Errors
    /// An error document.
    pub(super) fn start(start: Start) -> Result<Self, Value> {
        let Start { program, client, code, layers, runtime, scratch, line, slot, variables, lines, clock } = start;
        let opt = layers.as_ref().map(|layers| layers.path());
        let mut command = match (&program, variables.get(WRAPPER)) {
            (Program::Bootstrap, _) => Command::new(bootstrap(code.path(), opt)),
            (Program::Python { interpreter: path, .. } | Program::Node { interpreter: path, .. }, None) => {
                Command::new(path)
            }
            (Program::Python { interpreter: path, .. } | Program::Node { interpreter: path, .. }, Some(wrapper)) => {
                let mut command = Command::new(here(wrapper, code.path(), opt));
                command.arg(path);
                command
            }
        };
        command.args(client).current_dir(code.path()).env_clear();
        if let Program::Python { sdk, .. } = &program {
            // What the client of Python adds to the places of modules.
            command.arg(sdk.as_deref().unwrap_or(Path::new("")));
            command.args(opt).args(opt.map(|_| &runtime));
        }
        // Nothing else of this process's environment: at AWS there is nothing else either.
        for name in ["PATH", "LANG"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        if let Some(opt) = opt {
            command.envs(of_layers(opt, code.path()));
        }
        if let Program::Node { sdk, .. } = &program {
            command.env("NODE_PATH", packages(opt, &runtime, sdk.as_deref()));
        }
        let access_key = variables.get("AWS_ACCESS_KEY_ID").cloned().unwrap_or_default();
        for name in ["HOME", "TMPDIR"] {
            command.env(name, scratch.path());
        }
        command.envs(variables);
        command.env("LAMBDA_TASK_ROOT", code.path()).env("AWS_LAMBDA_RUNTIME_API", line.address.to_string());
        let failed = |error: std::io::Error| entrypoint_error(&program, &error);
        let started = clock::real_now();
        let (process, stdout, stderr) = Process::start(command).map_err(failed)?;
        let output = Output::new(stdout, stderr, lines, Arc::clone(&clock)).map_err(failed)?;
        Ok(Self {
            process,
            output,
            line,
            clock,
            started,
            access_key,
            _scratch: scratch,
            _code: code,
            _layers: layers,
            _slot: slot,
        })
    }

    /// What kills it from elsewhere.
    pub(super) fn leader(&self) -> Weak<Leader> {
        self.process.leader()
    }

    /// Whether it can run another invocation.
    pub fn is_alive(&self) -> bool {
        self.process.is_alive()
    }

    /// The access key that its code calls with.
    pub fn access_key(&self) -> &str {
        &self.access_key
    }

    /// The most memory that it has had, in MiB.
    pub fn peak_memory(&self) -> Option<u32> {
        self.process.memory().map(|(_, peak)| peak)
    }

    /// How long ago it was started.
    pub fn age(&self) -> Duration {
        clock::real_now().since(self.started)
    }

    /// Waits until the code is ready.
    ///
    /// # Errors
    /// How the invocation ends that it was started for.
    pub async fn ready(&mut self, attempt: &Attempt) -> Result<(), AttemptEnd> {
        let (mut phase, mut ended) = (self.line.channel.phase.subscribe(), self.process.ended.clone());
        let limit = INIT_LIMIT + Duration::from_secs(attempt.timeout.into());
        let ready = self.output.during(async {
            tokio::select! {
                biased;
                phase = phase.wait_for(|phase| *phase != Phase::Starting) => match phase.as_deref() {
                    Ok(Phase::Failed(document)) => Err(AttemptEnd::Failed(document.clone())),
                    _ => Ok(()),
                },
                exit = exit(&mut ended) => Err(AttemptEnd::Died(exit.0)),
                () = outgrown(&self.process, attempt.memory) => {
                    Err(AttemptEnd::Died(Some("signal: killed".to_owned())))
                }
                () = clock::real_sleep(limit) => Err(AttemptEnd::TimedOut),
            }
        });
        let ready = ready.await;
        if matches!(ready, Err(AttemptEnd::Failed(_))) {
            // It ends by itself, and may have something to say before.
            let ending = async {
                tokio::select! {
                    _ = exit(&mut ended) => {}
                    () = clock::real_sleep(Duration::from_millis(500)) => {}
                }
            };
            self.output.during(ending).await;
        }
        ready
    }

    /// Runs an invocation.
    pub async fn invoke(&mut self, attempt: &Attempt) -> AttemptEnd {
        let time = Duration::from_secs(attempt.timeout.into());
        let deadline = (clock::real_now() + time).millis();
        let answered = self.line.channel.order(attempt, deadline);
        let mut ended = self.process.ended.clone();
        // Under real time the deadline is a timer of the service. Virtual time stands while the process runs.
        let is_virtual = self.clock.mode() != ClockMode::Real;
        let run = async {
            tokio::select! {
                biased;
                answer = answered => match answer {
                    Ok(Answer::Response(payload)) => AttemptEnd::Answered(String::from_utf8_lossy(&payload).into()),
                    Ok(Answer::Error(document)) => AttemptEnd::Failed(document),
                    Err(_) => AttemptEnd::Died(None),
                },
                exit = exit(&mut ended) => AttemptEnd::Died(exit.0),
                () = outgrown(&self.process, attempt.memory) => AttemptEnd::Died(Some("signal: killed".to_owned())),
                () = clock::real_sleep(time), if is_virtual => AttemptEnd::TimedOut,
            }
        };
        self.output.during(run).await
    }
}

/// A path below [`TASK_ROOT`] or [`LAYERS_ROOT`], where it is here.
fn here(path: &str, code: &Path, layers: Option<&Path>) -> PathBuf {
    let path = Path::new(path);
    match (path.strip_prefix(TASK_ROOT), path.strip_prefix(LAYERS_ROOT), layers) {
        (Ok(inside), _, _) => code.join(inside),
        (_, Ok(inside), Some(layers)) => layers.join(inside),
        _ => path.to_owned(),
    }
}

/// The program of a custom runtime: the function's own, or that of a layer.
/// <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html>
fn bootstrap(code: &Path, layers: Option<&Path>) -> PathBuf {
    let own = code.join("bootstrap");
    match layers.map(|layers| layers.join("bootstrap")) {
        Some(of_layer) if !own.exists() && of_layer.exists() => of_layer,
        _ => own,
    }
}

/// The variables by which programs, libraries and modules of layers are found. A function's own go before them, as at AWS.
/// <https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html#packaging-layers-paths>
fn of_layers(opt: &Path, code: &Path) -> Vec<(&'static str, OsString)> {
    let mut path = opt.join("bin").into_os_string();
    if let Some(rest) = std::env::var_os("PATH") {
        path.push(":");
        path.push(rest);
    }
    let mut variables = vec![("PATH", path)];
    let lib = opt.join("lib");
    if lib.exists() {
        variables.push(("LD_LIBRARY_PATH", join(&[code.to_owned(), code.join("lib"), lib])));
    }
    variables
}

/// Where a Node.js handler finds packages besides its own: those of layers, and AWS's SDK, which AWS's runtimes bring along.
fn packages(opt: Option<&Path>, runtime: &str, sdk: Option<&Path>) -> OsString {
    let mut places = Vec::new();
    if let Some(opt) = opt {
        let version = runtime.strip_prefix("nodejs").and_then(|rest| rest.strip_suffix(".x")).unwrap_or_default();
        places.push(opt.join(format!("nodejs/node{version}/node_modules")));
        places.push(opt.join("nodejs/node_modules"));
    }
    places.extend(sdk.map(Path::to_owned));
    join(&places)
}

/// Paths as a variable lists them.
fn join(places: &[PathBuf]) -> OsString {
    let mut all = OsString::new();
    for place in places {
        if !all.is_empty() {
            all.push(":");
        }
        all.push(place);
    }
    all
}

/// Waits until a process has more memory than its function; AWS kills it then.
async fn outgrown(process: &Process, memory: u32) {
    while process.memory().is_none_or(|(now, _)| now <= memory) {
        clock::real_sleep(MEMORY_WATCH).await;
    }
}

async fn exit(ended: &mut watch::Receiver<Option<Exit>>) -> Exit {
    match ended.wait_for(Option::is_some).await {
        Ok(exit) => exit.clone().unwrap_or(Exit(None)),
        Err(_) => Exit(None),
    }
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html>
fn entrypoint_error(program: &Program, error: &std::io::Error) -> Value {
    let message = match (program, error.kind()) {
        (Program::Bootstrap, std::io::ErrorKind::NotFound) => {
            "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]".to_owned()
        }
        (Program::Bootstrap, std::io::ErrorKind::PermissionDenied) => {
            "fork/exec /var/task/bootstrap: permission denied".to_owned()
        }
        (Program::Bootstrap, std::io::ErrorKind::ExecutableFileBusy) => {
            "fork/exec /var/task/bootstrap: busy".to_owned()
        }
        (Program::Bootstrap, _) => format!("fork/exec /var/task/bootstrap: {error} (built for another architecture?)"),
        (Program::Python { interpreter: path, .. } | Program::Node { interpreter: path, .. }, _) => {
            format!("fork/exec {}: {error}", path.display())
        }
    };
    json!({ "errorType": "Runtime.InvalidEntrypoint", "errorMessage": message })
}
