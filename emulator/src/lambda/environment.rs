//! Execution environments: where a function's code lives from a cold start until it is dropped or crashes.

use std::collections::BTreeMap;
use std::sync::Arc;

use lambda_runtime::{Context, Diagnostic, LambdaEvent};
use parking_lot::Mutex;
use serde_json::Value;

use super::handler::{FunctionEnv, FunctionFactory, Handler};
use super::invoke::{Attempt, AttemptEnd, Completed};
use crate::clock::{Activity, End, Worker};
use crate::cloud::{Cloud, Ids, InvocationRef, JobRun, Scope};
use crate::sdk;
use crate::{Error, Result, Timestamp};

/// The functions whose code is in this process, and their environments.
pub(crate) struct Environments {
    factories: Arc<BTreeMap<String, FunctionFactory>>,
    /// Environments that wait for an invocation, by function and revision; the one that was used last is used next.
    warm: Mutex<BTreeMap<(String, String), Vec<Environment>>>,
}

/// One environment: a thread, a runtime, and the code that was started there.
struct Environment {
    worker: Arc<Worker>,
    code: Code,
    lines: Lines,
    log_stream: String,
}

type Code = Arc<tokio::sync::Mutex<Option<Box<dyn Handler>>>>;
type Lines = Arc<Mutex<Vec<(Timestamp, String)>>>;

impl Environments {
    pub fn new(factories: BTreeMap<String, FunctionFactory>) -> Self {
        Self { factories: Arc::new(factories), warm: Mutex::default() }
    }

    /// The same functions, in environments of their own.
    pub fn fork(&self) -> Self {
        Self { factories: Arc::clone(&self.factories), warm: Mutex::default() }
    }

    /// Runs an attempt; its end is reported by the event `Completed`.
    pub fn run(&self, cloud: &Cloud, job: &JobRun) -> Result<()> {
        let attempt: Attempt = serde_json::from_value(job.input.clone())?;
        let Some(factory) = self.factories.get(&attempt.function) else {
            let end = AttemptEnd::Failed(
                "Runtime.InvalidEntrypoint".to_owned(),
                format!(
                    "Garoa has no code for the function {}: register it with CloudBuilder::function (running uploaded code is \
                     not implemented)",
                    attempt.function
                ),
            );
            let report = Completed { attempt, log_stream: "none".to_owned(), cold: true, lines: Vec::new(), end };
            return cloud.0.event("lambda", &job.scope, "Completed", &serde_json::to_string(&report)?);
        };
        let key = (attempt.arn.clone(), attempt.revision.clone());
        let waiting = self.warm.lock().get_mut(&key).and_then(Vec::pop);
        let cold = waiting.is_none();
        let environment = match waiting {
            Some(environment) => environment,
            None => Environment::start(&attempt, cloud)?,
        };
        environment.run(cloud, job.scope.clone(), attempt, cold, Arc::clone(factory));
        Ok(())
    }

    fn keep(&self, attempt: &Attempt, environment: Environment) {
        let key = (attempt.arn.clone(), attempt.revision.clone());
        self.warm.lock().entry(key).or_default().push(environment);
    }
}

impl Environment {
    fn start(attempt: &Attempt, cloud: &Cloud) -> Result<Self> {
        let worker = Arc::new(Worker::start(&attempt.function).map_err(Error::internal)?);
        let date = cloud.now().to_jiff().strftime("%Y/%m/%d").to_string();
        let log_stream = format!("{date}/[$LATEST]{}", cloud.0.next_request_id().replace('-', ""));
        Ok(Self { worker, code: Arc::default(), lines: Arc::default(), log_stream })
    }

    fn run(self, cloud: &Cloud, scope: Scope, attempt: Attempt, cold: bool, factory: FunctionFactory) {
        let invocation = InvocationRef { function: attempt.function.as_str().into(), number: attempt.number };
        let activity = Activity::start(&cloud.0.clock, Some(invocation.clone()));
        cloud.0.running.lock().insert(invocation.clone(), Arc::clone(&activity));

        let answer: Arc<Mutex<Option<Result<Value, Diagnostic>>>> = Arc::default();
        let task = {
            let (answer, code, lines) = (Arc::clone(&answer), Arc::clone(&self.code), Arc::clone(&self.lines));
            let (cloud, attempt, stream) = (Arc::downgrade(&cloud.0), attempt.clone(), self.log_stream.clone());
            Box::pin(async move {
                let Some(cloud) = cloud.upgrade().map(Cloud) else { return };
                let _logging = super::lines::capture(lines, &cloud);
                // The SDK's retries draw their jitter from this thread's generator.
                fastrand::seed(Ids::new(cloud.0.seed, &attempt.request_id).below(u64::MAX));
                let given = invoke(&cloud, &attempt, &stream, &code, &factory);
                drop(cloud);
                *answer.lock() = Some(given.await);
            })
        };
        let inner = Arc::downgrade(&cloud.0);
        let worker = Arc::clone(&self.worker);
        let ended = Box::new(move |end: End| {
            let Some(cloud) = inner.upgrade().map(Cloud) else { return };
            cloud.0.running.lock().remove(&invocation);
            let end = match (end, answer.lock().take()) {
                (End::Finished, Some(Ok(value))) => AttemptEnd::Answered(value),
                (End::Finished, Some(Err(error))) => AttemptEnd::Failed(error.error_type, error.error_message),
                _ => AttemptEnd::Died,
            };
            let lines = std::mem::take(&mut *self.lines.lock());
            let log_stream = self.log_stream.clone();
            if !matches!(end, AttemptEnd::Died) {
                cloud.0.environments.keep(&attempt, self);
            }
            let report = Completed { attempt, log_stream, cold, lines, end };
            let told = serde_json::to_string(&report).map_err(Error::from);
            if let Err(error) = told.and_then(|report| cloud.0.event("lambda", &scope, "Completed", &report)) {
                tracing::error!(%error, "the end of an invocation was not noted");
            }
        });
        worker.run(activity, task, ended);
    }
}

/// Starts the code if it is not running yet, and invokes it.
fn invoke(
    cloud: &Cloud,
    attempt: &Attempt,
    log_stream: &str,
    code: &Code,
    factory: &FunctionFactory,
) -> impl Future<Output = Result<Value, Diagnostic>> + Send + use<> {
    let env = function_env(cloud, attempt, log_stream);
    let event = event(attempt, log_stream);
    let (code, factory) = (Arc::clone(code), Arc::clone(factory));
    async move {
        let mut code = code.lock().await;
        if code.is_none() {
            *code = Some(factory(&env?)?);
        }
        match &mut *code {
            Some(handler) => handler.call(event?).await,
            None => Err(diagnostic("Runtime.InitError", "the function's code did not start")),
        }
    }
}

fn event(attempt: &Attempt, log_stream: &str) -> Result<LambdaEvent<Value>, Diagnostic> {
    let payload = serde_json::from_str(&attempt.payload).map_err(|e| diagnostic("Runtime.InvalidEvent", e))?;
    let mut context = Context::default();
    context.request_id.clone_from(&attempt.request_id);
    context.deadline = u64::try_from(attempt.deadline.millis()).unwrap_or(0);
    context.invoked_function_arn.clone_from(&attempt.arn);
    context.env_config = Arc::new(lambda_runtime::Config {
        function_name: attempt.function.clone(),
        memory: i32::try_from(attempt.memory).unwrap_or(i32::MAX),
        version: "$LATEST".to_owned(),
        log_stream: log_stream.to_owned(),
        log_group: attempt.log_group.clone(),
    });
    Ok(LambdaEvent::new(payload, context))
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime>
fn function_env(cloud: &Cloud, attempt: &Attempt, log_stream: &str) -> Result<FunctionEnv, Diagnostic> {
    let (sdk, credentials) =
        sdk::for_function(cloud, &attempt.role, &attempt.function).map_err(|e| diagnostic("Runtime.InitError", e))?;
    let mut vars: BTreeMap<String, String> =
        attempt.variables.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    let region = cloud.scope().region.to_string();
    for (name, value) in [
        ("AWS_LAMBDA_FUNCTION_NAME", attempt.function.clone()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", attempt.memory.to_string()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", attempt.log_group.clone()),
        ("AWS_LAMBDA_LOG_STREAM_NAME", log_stream.to_owned()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
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

fn diagnostic(kind: &str, message: impl std::fmt::Display) -> Diagnostic {
    Diagnostic { error_type: kind.to_owned(), error_message: message.to_string() }
}
