//! A function's code in this process: a tower service, as `lambda_runtime` takes it.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use aws_types::SdkConfig;
use lambda_runtime::{Diagnostic, LambdaEvent};
use serde_json::Value;
use tower::{Service, ServiceExt};

use crate::sinks::Network;

/// What a function's code finds when its execution environment starts.
pub struct FunctionEnv {
    /// The SDK's configuration: the role's credentials, the cloud's clock, and this process instead of the network.
    pub sdk: SdkConfig,
    /// The environment variables, Lambda's own among them.
    pub vars: BTreeMap<String, String>,
    /// What the code reaches if it opens connections of its own.
    pub network: Network,
}

/// Starts a function's code in a fresh execution environment.
pub type FunctionFactory = Arc<dyn Fn(&FunctionEnv) -> Result<Box<dyn Handler>, Diagnostic> + Send + Sync>;

/// A function's code, ready to be invoked.
pub trait Handler: Send {
    /// Runs it once.
    fn call(&mut self, event: LambdaEvent<Value>) -> HandlerFuture;
}

/// What an invocation gives: the answer, or the error that Lambda reports.
pub type HandlerFuture = Pin<Box<dyn Future<Output = Result<Value, Diagnostic>> + Send>>;

/// Wraps a handler for [`crate::cloud::CloudBuilder::function`].
///
/// `build` is what the function's `main` does before it calls `lambda_runtime::run`: it makes the service from the SDK
/// configuration and the environment variables. It runs once for each execution environment, as a cold start does; its
/// error is an init error of the function.
pub fn handler<B, S, E>(build: B) -> FunctionFactory
where
    B: Fn(&SdkConfig, &dyn Fn(&str) -> Option<String>) -> Result<S, E> + Send + Sync + 'static,
    S: Service<LambdaEvent<Value>, Response = Value> + Clone + Send + 'static,
    S::Error: Into<Diagnostic> + Send,
    S::Future: Send,
    E: Display,
{
    networked_handler(move |sdk, env, _| build(sdk, env))
}

/// The same for code that opens connections of its own, to a mail server, say: it does so through the [`Network`].
pub fn networked_handler<B, S, E>(build: B) -> FunctionFactory
where
    B: Fn(&SdkConfig, &dyn Fn(&str) -> Option<String>, &Network) -> Result<S, E> + Send + Sync + 'static,
    S: Service<LambdaEvent<Value>, Response = Value> + Clone + Send + 'static,
    S::Error: Into<Diagnostic> + Send,
    S::Future: Send,
    E: Display,
{
    Arc::new(move |env| {
        let built = build(&env.sdk, &|name| env.vars.get(name).cloned(), &env.network);
        let service = built.map_err(|error| Diagnostic {
            error_type: "Runtime.InitError".to_owned(),
            error_message: error.to_string(),
        })?;
        Ok(Box::new(Tower(service)))
    })
}

struct Tower<S>(S);

impl<S> Handler for Tower<S>
where
    S: Service<LambdaEvent<Value>, Response = Value> + Clone + Send + 'static,
    S::Error: Into<Diagnostic> + Send,
    S::Future: Send,
{
    fn call(&mut self, event: LambdaEvent<Value>) -> HandlerFuture {
        let service = self.0.clone();
        Box::pin(async move { service.oneshot(event).await.map_err(Into::into) })
    }
}
