//! Execution environments: where a function's code lives from a cold start until it is dropped or crashes.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use lambda_runtime::{Context, Diagnostic};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tracing::dispatcher::Dispatch;

use super::handler::{FunctionEnv, FunctionFactory, Handler};
use super::invoke::{Attempt, AttemptEnd, Completed, Executable};
use super::lines::Lines;
use super::runtime::{Interpreters, Sandbox, Sandboxes};
use crate::clock::{Activity, End, Worker};
use crate::cloud::{Cloud, Ids, InvocationRef, Scope};
use crate::sdk;
use crate::sigv4::hmac_sha256;
use crate::{Error, Result, Timestamp};

/// How long an environment is used, at most: AWS ends them every few hours, and their credentials are good for twelve.
const LIFE: Duration = Duration::from_secs(11 * 3600);

/// How many processes may wait for an invocation: the one that waits longest ends when there are more.
const IDLE_LIMIT: usize = 32;

/// The code of functions, in this process and as processes, and the environments that it lives in.
pub(crate) struct Environments {
    factories: Arc<BTreeMap<String, FunctionFactory>>,
    sandboxes: Sandboxes,
    /// What the URLs of code are proven with.
    key: [u8; 32],
    warm: Mutex<Warm>,
    /// The activity of each process that runs an invocation, by the access key that it calls with.
    callers: Mutex<BTreeMap<String, Arc<Activity>>>,
    /// Attempts that have just ended, by request id: handed to the event `Completed`, whose key is but a text.
    ended: Mutex<BTreeMap<String, Completed>>,
}

/// Environments that wait for an invocation.
#[derive(Default)]
struct Warm {
    /// By function and revision; the one that was used last is used next.
    idle: BTreeMap<Revision, Vec<Environment>>,
    /// Counts the uses of environments.
    uses: u64,
    /// Counts the times that all were dropped: what ran meanwhile does not come back.
    generation: u64,
}

impl Warm {
    /// The processes that wait, and their places.
    fn processes(&self) -> impl Iterator<Item = (&Environment, &Revision, usize)> {
        let waiting = self.idle.iter().flat_map(|(key, environments)| {
            environments.iter().enumerate().map(move |(place, environment)| (environment, key, place))
        });
        waiting.filter(|(environment, ..)| matches!(environment.code, Code::Process(..)))
    }

    /// Takes out the process that has waited longest.
    fn longest_idle_process(&mut self) -> Option<Environment> {
        let longest = self.processes().min_by_key(|(environment, ..)| environment.used);
        let (key, place) = longest.map(|(_, key, place)| (key.clone(), place))?;
        let environments = self.idle.get_mut(&key)?;
        let environment = environments.remove(place);
        if environments.is_empty() {
            self.idle.remove(&key);
        }
        Some(environment)
    }
}

/// The ARN of a version, and what tells that it changed.
type Revision = (String, String);

/// One environment: a thread, a runtime, and the code that was started there.
struct Environment {
    worker: Arc<Worker>,
    code: Code,
    lines: Lines,
    log_stream: String,
    started: Timestamp,
    generation: u64,
    used: u64,
}

/// A function's code, once it runs.
#[derive(Clone)]
enum Code {
    /// In this process; with what takes its logging.
    Here(Arc<tokio::sync::Mutex<Option<Box<dyn Handler>>>>, FunctionFactory, Dispatch),
    Process(Arc<tokio::sync::Mutex<Option<Sandbox>>>, Executable),
}

/// What is known of an attempt when it ends.
#[derive(Default)]
struct Told {
    end: Option<AttemptEnd>,
    init: Option<Duration>,
    memory: Option<u32>,
    /// Whether the environment cannot be used again.
    spent: bool,
}

impl Environments {
    pub fn new(factories: BTreeMap<String, FunctionFactory>, interpreters: Interpreters, key: [u8; 32]) -> Self {
        Self {
            factories: Arc::new(factories),
            sandboxes: Sandboxes::new(interpreters),
            key,
            warm: Mutex::default(),
            callers: Mutex::default(),
            ended: Mutex::default(),
        }
    }

    /// The same functions, in environments of their own.
    pub fn fork(&self) -> Self {
        Self {
            factories: Arc::clone(&self.factories),
            sandboxes: self.sandboxes.fork(),
            key: self.key,
            warm: Mutex::default(),
            callers: Mutex::default(),
            ended: Mutex::default(),
        }
    }

    /// Whether the code of the function of this name is in this process.
    pub fn has_code_for(&self, function: &str) -> bool {
        self.factories.contains_key(function)
    }

    /// The cloud is served at this address: processes call it there.
    pub fn serve_at(&self, address: SocketAddr) {
        self.sandboxes.serve_at(address);
    }

    /// Drops all environments that wait, and those that run once they are done.
    pub fn clear(&self) {
        let mut warm = self.warm.lock();
        warm.generation += 1;
        let idle = std::mem::take(&mut warm.idle);
        drop(warm);
        drop(idle);
    }

    /// Drops the environments that wait for a function that is deleted, or for a version of it. Those that run are not used again:
    /// a function of that name has other builds.
    pub fn forget(&self, function: &str, version: Option<&str>) {
        let mut warm = self.warm.lock();
        let from = format!("{function}:{}", version.unwrap_or_default());
        let is_meant = |arn: &str| match version {
            Some(_) => arn.strip_suffix(PROVISIONED).unwrap_or(arn) == from,
            None => arn.starts_with(&from),
        };
        let range = warm.idle.range((from.clone(), String::new())..).take_while(|((arn, _), _)| is_meant(arn));
        let keys: Vec<Revision> = range.map(|(key, _)| key.clone()).collect();
        let dropped: Vec<_> = keys.iter().filter_map(|key| warm.idle.remove(key)).collect();
        drop(warm);
        drop(dropped);
    }

    /// Ends all environments that wait, and what processes need.
    pub fn close(&self) {
        self.clear();
        self.sandboxes.close();
    }

    /// What runs in the process that calls with this access key, if one does.
    pub fn caller(&self, access_key: &str) -> Option<Arc<Activity>> {
        self.callers.lock().get(access_key).cloned()
    }

    /// Where the code of a version can be downloaded: a path of `garoa serve`.
    pub fn code_path(&self, scope: &Scope, function: &str, version: &str, sha256: &str) -> String {
        let hash = super::hash_of(sha256);
        let proof = self.code_proof(scope, function, version, &hash);
        let Scope { account, region } = scope;
        let version = version.replace('$', "%24");
        format!("/_garoa/code/{account}/{region}/{function}/{version}/{hash}/{proof}")
    }

    /// Proves that a URL of code was given out.
    pub fn code_proof(&self, scope: &Scope, function: &str, version: &str, hash: &str) -> String {
        let what = format!("{}\0{version}\0{hash}", scope.arn("lambda", format_args!("function:{function}")));
        hex::encode(hmac_sha256(&self.key, what.as_bytes()))
    }

    /// Runs an attempt; its end is reported by the event `Completed`.
    pub fn run(&self, cloud: &Cloud, scope: Scope, attempt: Arc<Attempt>) -> Result<()> {
        if let Some(environment) = self.take(&attempt, cloud.now()) {
            environment.run(cloud, scope, attempt, false);
            return Ok(());
        }
        match self.start(&attempt, cloud) {
            Ok(environment) => environment.run(cloud, scope, attempt, true),
            Err(error) => {
                let end = AttemptEnd::Failed(init_error(&error));
                let completed = Completed {
                    attempt,
                    log_stream: "none".to_owned(),
                    cold: true,
                    init_millis: None,
                    memory_used: None,
                    lines: Vec::new(),
                    end,
                };
                return self.tell(cloud, &scope, completed);
            }
        }
        Ok(())
    }

    /// Tells the books that an attempt has ended.
    fn tell(&self, cloud: &Cloud, scope: &Scope, completed: Completed) -> Result<()> {
        let request_id = completed.attempt.request_id.clone();
        self.ended.lock().insert(request_id.clone(), completed);
        let told = cloud.0.event("lambda", scope, "Completed", &request_id);
        self.ended.lock().remove(&request_id);
        told
    }

    /// The attempt that the event `Completed` is about.
    pub(super) fn ended(&self, request_id: &str) -> Option<Completed> {
        self.ended.lock().remove(request_id)
    }

    /// A warm environment for an attempt. Those of the version as it was before are dropped.
    fn take(&self, attempt: &Attempt, now: Timestamp) -> Option<Environment> {
        let (arn, revision) = revision(attempt);
        let mut warm = self.warm.lock();
        let outdated: Vec<Revision> = warm
            .idle
            .range((arn.clone(), String::new())..)
            .take_while(|((other, _), _)| *other == arn)
            .map(|(key, _)| key)
            .filter(|(_, other)| *other != revision)
            .cloned()
            .collect();
        let mut dropped: Vec<Environment> = outdated.iter().filter_map(|key| warm.idle.remove(key)).flatten().collect();
        let waiting = warm.idle.get_mut(&(arn, revision));
        let mut found = None;
        if let Some(waiting) = waiting {
            while let Some(environment) = waiting.pop() {
                if environment.is_usable(now) {
                    found = Some(environment);
                    break;
                }
                dropped.push(environment);
            }
        }
        drop(warm);
        drop(dropped);
        found
    }

    fn keep(&self, attempt: &Attempt, mut environment: Environment) {
        let mut warm = self.warm.lock();
        let is_wanted = environment.generation == warm.generation
            && !(matches!(environment.code, Code::Process(..)) && self.sandboxes.is_full());
        if is_wanted {
            warm.uses += 1;
            environment.used = warm.uses;
            warm.idle.entry(revision(attempt)).or_default().push(environment);
        }
        let dropped = if warm.processes().count() > IDLE_LIMIT { warm.longest_idle_process() } else { None };
        drop(warm);
        drop(dropped);
    }

    /// Drops the process that has waited longest.
    fn make_room(&self) {
        let dropped = self.warm.lock().longest_idle_process();
        drop(dropped);
    }

    fn start(&self, attempt: &Attempt, cloud: &Cloud) -> Result<Environment> {
        let worker = Arc::new(Worker::start(&attempt.function).map_err(Error::internal)?);
        let date = cloud.now().to_jiff().strftime("%Y/%m/%d").to_string();
        let log_stream = format!("{date}/[{}]{}", attempt.version, cloud.0.next_request_id().replace('-', ""));
        let lines = Lines::default();
        let code = match (self.factories.get(&attempt.function), &attempt.executable) {
            (Some(factory), _) => Code::Here(
                Arc::default(),
                Arc::clone(factory),
                super::lines::logger(lines.clone(), cloud, &attempt.logging),
            ),
            (None, Some(executable)) => Code::Process(Arc::default(), executable.clone()),
            (None, None) => return Err(Error::internal("the function has no code")),
        };
        let generation = self.warm.lock().generation;
        Ok(Environment { worker, code, lines, log_stream, started: cloud.now(), generation, used: 0 })
    }
}

/// Marks the environments that were provisioned.
const PROVISIONED: &str = " provisioned";

fn revision(attempt: &Attempt) -> Revision {
    let hash = attempt.executable.as_ref().map_or("", |executable| &executable.hash);
    // What was provisioned waits for itself: an environment tells its code which it is.
    let kind = if attempt.provisioned { PROVISIONED } else { "" };
    (format!("{}:{}{kind}", attempt.arn, attempt.version), format!("{} {hash}", attempt.build))
}

impl Environment {
    fn is_usable(&self, now: Timestamp) -> bool {
        let is_alive = match &self.code {
            Code::Here(..) => true,
            // Nobody else uses it: it waits.
            Code::Process(sandbox, _) => {
                sandbox.try_lock().is_ok_and(|sandbox| sandbox.as_ref().is_some_and(Sandbox::is_alive))
            }
        };
        is_alive && now < self.started + LIFE
    }

    fn run(self, cloud: &Cloud, scope: Scope, attempt: Arc<Attempt>, cold: bool) {
        let invocation = InvocationRef { function: attempt.function.as_str().into(), number: attempt.number };
        let activity = Activity::start(&cloud.0.clock, Some(invocation.clone()));
        cloud.0.running.lock().insert(invocation.clone(), Arc::clone(&activity));

        let told: Arc<Mutex<Told>> = Arc::default();
        let task = {
            let (told, code, lines) = (Arc::clone(&told), self.code.clone(), self.lines.clone());
            let (inner, scope, attempt) = (Arc::downgrade(&cloud.0), scope.clone(), Arc::clone(&attempt));
            let stream = self.log_stream.clone();
            Box::pin(async move {
                let Some(cloud) = inner.upgrade().map(Cloud) else { return };
                match code {
                    Code::Here(code, factory, logger) => {
                        let _logging = tracing::dispatcher::set_default(&logger);
                        // The SDK's retries draw their jitter from this thread's generator.
                        fastrand::seed(Ids::new(cloud.0.seed, &attempt.request_id).below(u64::MAX));
                        let given = invoke(&cloud, &attempt, &stream, &code, &factory);
                        drop(cloud);
                        let end = match given.await {
                            Ok(answer) => AttemptEnd::Answered(answer.into()),
                            Err(diagnostic) => failed(diagnostic),
                        };
                        told.lock().end = Some(end);
                    }
                    Code::Process(sandbox, executable) => {
                        let mut sandbox = sandbox.lock().await;
                        let process = Process { cloud, scope, attempt: &attempt, stream: &stream, told: &told };
                        process.run(&mut sandbox, &executable, lines).await;
                    }
                }
            })
        };
        let inner = Arc::downgrade(&cloud.0);
        let worker = Arc::clone(&self.worker);
        let ended = Box::new(move |end: End| {
            let Some(cloud) = inner.upgrade().map(Cloud) else { return };
            cloud.0.running.lock().remove(&invocation);
            let told = std::mem::take(&mut *told.lock());
            self.report(&cloud, &scope, attempt, cold, end, told);
        });
        worker.run(activity, task, ended);
    }

    fn report(self, cloud: &Cloud, scope: &Scope, attempt: Arc<Attempt>, cold: bool, end: End, told: Told) {
        let end = match (end, told.end) {
            (End::Finished, Some(end)) => end,
            _ => AttemptEnd::Died(Some("signal: killed".to_owned())),
        };
        let completed = Completed {
            log_stream: self.log_stream.clone(),
            cold,
            init_millis: told.init.map(|init| init.as_secs_f64() * 1000.0),
            memory_used: told.memory,
            lines: self.lines.take(cloud.now()),
            attempt,
            end,
        };
        if matches!(completed.end, AttemptEnd::Answered(_) | AttemptEnd::Failed(_)) && !told.spent {
            cloud.0.environments.keep(&completed.attempt, self);
        } else {
            // A process ends before its end is told.
            drop(self);
        }
        if let Err(error) = cloud.0.environments.tell(cloud, scope, completed) {
            tracing::error!(%error, "the end of an invocation was not noted");
        }
    }
}

/// An attempt at running a process.
struct Process<'a> {
    cloud: Cloud,
    scope: Scope,
    attempt: &'a Attempt,
    stream: &'a str,
    told: &'a Mutex<Told>,
}

impl Process<'_> {
    async fn run(self, sandbox: &mut Option<Sandbox>, executable: &Executable, lines: Lines) {
        let activity = Activity::current();
        let _process = activity.as_ref().map(Activity::process);
        let (end, spent) = match self.perform(sandbox, executable, lines).await {
            Ok(end) => {
                let spent = !matches!(end, AttemptEnd::Answered(_) | AttemptEnd::Failed(_));
                (end, spent)
            }
            Err(end) => (end, true),
        };
        let mut told = self.told.lock();
        told.memory = sandbox.as_ref().and_then(Sandbox::peak_memory);
        told.end = Some(end);
        told.spent = spent;
    }

    /// Starts the process if it does not run, and invokes it. An error spends it.
    async fn perform(
        &self,
        sandbox: &mut Option<Sandbox>,
        executable: &Executable,
        lines: Lines,
    ) -> Result<AttemptEnd, AttemptEnd> {
        let environments = &self.cloud.0.environments;
        let sandbox = match sandbox {
            Some(sandbox) => {
                let _calls = self.calls(sandbox.access_key());
                self.begin();
                return Ok(sandbox.invoke(self.attempt).await);
            }
            none => none,
        };
        let slot = environments.sandboxes.slot(|| environments.make_room()).await.map_err(AttemptEnd::Failed)?;
        let mut vars = function_env(&self.cloud, self.attempt, self.stream).map_err(failed)?.vars;
        vars.insert("_HANDLER".to_owned(), executable.handler.clone());
        vars.insert("AWS_EXECUTION_ENV".to_owned(), format!("AWS_Lambda_{}", executable.runtime));
        vars.entry("TZ".to_owned()).or_insert_with(|| ":UTC".to_owned());
        let _calls = self.calls(vars.get("AWS_ACCESS_KEY_ID").map_or("", String::as_str));
        let started =
            environments.sandboxes.start(&self.cloud, &self.scope, self.attempt, executable, vars, (lines, slot));
        let sandbox = sandbox.insert(started.map_err(AttemptEnd::Failed)?);
        let ready = sandbox.ready(self.attempt).await;
        self.told.lock().init = Some(sandbox.age());
        ready?;
        self.begin();
        Ok(sandbox.invoke(self.attempt).await)
    }

    /// For as long as the guard lives, calls with this key are the invocation's.
    fn calls(&self, access_key: &str) -> Option<Calls> {
        let activity = Activity::current()?;
        self.cloud.0.environments.callers.lock().insert(access_key.to_owned(), activity);
        Some(Calls { cloud: self.cloud.clone(), access_key: access_key.to_owned() })
    }

    /// The function's time begins.
    fn begin(&self) {
        let key = json!([self.attempt.request_id, self.attempt.timeout]).to_string();
        if let Err(error) = self.cloud.0.event("lambda", &self.scope, "Began", &key) {
            tracing::error!(%error, "the beginning of an invocation was not noted");
        }
    }
}

/// See [`Process::calls`].
struct Calls {
    cloud: Cloud,
    access_key: String,
}

impl Drop for Calls {
    fn drop(&mut self) {
        self.cloud.0.environments.callers.lock().remove(&self.access_key);
    }
}

/// Starts the code if it is not running yet, and invokes it.
fn invoke(
    cloud: &Cloud,
    attempt: &Attempt,
    log_stream: &str,
    code: &Arc<tokio::sync::Mutex<Option<Box<dyn Handler>>>>,
    factory: &FunctionFactory,
) -> impl Future<Output = Result<String, Diagnostic>> + Send + use<> {
    // Only code that is yet to start needs it. Nobody else has the lock: an environment runs one attempt at a time.
    let is_new = code.try_lock().is_ok_and(|code| code.is_none());
    let env = is_new.then(|| function_env(cloud, attempt, log_stream));
    let (event, context) = (Arc::clone(&attempt.payload), context(attempt, log_stream));
    let (code, factory) = (Arc::clone(code), Arc::clone(factory));
    async move {
        let mut code = code.lock().await;
        if let Some(env) = env {
            *code = Some(factory(&env?)?);
        }
        match &mut *code {
            Some(handler) => handler.call(&event, context).await,
            None => Err(diagnostic("Runtime.InitError", "the function's code did not start")),
        }
    }
}

fn context(attempt: &Attempt, log_stream: &str) -> Context {
    let mut context = Context::default();
    context.request_id.clone_from(&attempt.request_id);
    context.deadline = u64::try_from(attempt.deadline.millis()).unwrap_or(0);
    context.invoked_function_arn.clone_from(&attempt.invoked_arn);
    context.env_config = Arc::new(lambda_runtime::Config {
        function_name: attempt.function.clone(),
        memory: i32::try_from(attempt.memory).unwrap_or(i32::MAX),
        version: attempt.version.clone(),
        log_stream: log_stream.to_owned(),
        log_group: attempt.logging.log_group.clone(),
    });
    context
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime>
fn function_env(cloud: &Cloud, attempt: &Attempt, log_stream: &str) -> Result<FunctionEnv, Diagnostic> {
    let (sdk, credentials) = sdk::for_function(cloud, &attempt.role, &session_name(&attempt.function))
        .map_err(|e| diagnostic("Runtime.InitError", e))?;
    let mut vars: BTreeMap<String, String> =
        attempt.variables.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    let region = attempt.arn.split(':').nth(3).unwrap_or_default().to_owned();
    let initialization = if attempt.provisioned { "provisioned-concurrency" } else { "on-demand" };
    if let Some(level) = &attempt.logging.application_log_level {
        vars.insert("AWS_LAMBDA_LOG_LEVEL".to_owned(), level.clone());
    }
    for (name, value) in [
        ("AWS_LAMBDA_FUNCTION_NAME", attempt.function.clone()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", attempt.memory.to_string()),
        ("AWS_LAMBDA_FUNCTION_VERSION", attempt.version.clone()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", attempt.logging.log_group.clone()),
        ("AWS_LAMBDA_LOG_STREAM_NAME", log_stream.to_owned()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", initialization.to_owned()),
        ("AWS_LAMBDA_LOG_FORMAT", attempt.logging.log_format.clone()),
        ("AWS_REGION", region.clone()),
        ("AWS_DEFAULT_REGION", region),
        ("AWS_ACCESS_KEY_ID", credentials.access_key_id),
        ("AWS_SECRET_ACCESS_KEY", credentials.secret_access_key),
        ("AWS_SESSION_TOKEN", credentials.session_token),
    ] {
        vars.insert(name.to_owned(), value);
    }
    Ok(FunctionEnv { sdk, vars, network: cloud.network() })
}

/// The name of the session in which a function's code calls: the function's, which may be too short for one.
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
fn session_name(function: &str) -> String {
    if function.len() < 2 { format!("{function}@lambda_function") } else { function.to_owned() }
}

/// The end of an attempt whose code did not start, or answered an error.
fn failed(Diagnostic { error_type, error_message }: Diagnostic) -> AttemptEnd {
    AttemptEnd::Failed(json!({ "errorType": error_type, "errorMessage": error_message }))
}

fn init_error(error: &Error) -> Value {
    json!({ "errorType": "Runtime.InitError", "errorMessage": error.to_string() })
}

pub(super) fn diagnostic(kind: &str, message: impl std::fmt::Display) -> Diagnostic {
    Diagnostic { error_type: kind.to_owned(), error_message: message.to_string() }
}
