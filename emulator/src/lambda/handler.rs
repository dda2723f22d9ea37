//! A function's code in this process: a tower service, as `lambda_runtime` takes it.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use aws_types::SdkConfig;
use lambda_runtime::{Context, Diagnostic, LambdaEvent};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tower::{Service, ServiceExt};

use super::environment::diagnostic;
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
    /// Runs it once, with the event as it was sent.
    fn call(&mut self, event: &str, context: Context) -> HandlerFuture;
}

/// What an invocation gives: the answer as JSON, or the error that Lambda reports.
pub type HandlerFuture = Pin<Box<dyn Future<Output = Result<String, Diagnostic>> + Send>>;

/// Wraps a handler for [`crate::cloud::CloudBuilder::function`].
///
/// `build` is what the function's `main` does before it calls `lambda_runtime::run`: it makes the service from the SDK
/// configuration and the environment variables. It runs once for each execution environment, as a cold start does; its
/// error is an init error of the function. An event that is not of the service's type fails as it does in `lambda_runtime`.
pub fn handler<B, S, T, E>(build: B) -> FunctionFactory
where
    B: Fn(&SdkConfig, &dyn Fn(&str) -> Option<String>) -> Result<S, E> + Send + Sync + 'static,
    S: Service<LambdaEvent<T>, Response: Serialize, Error: Into<Diagnostic> + Send, Future: Send>,
    S: Clone + Send + 'static,
    T: DeserializeOwned + Send + 'static,
    E: Display,
{
    networked_handler(move |sdk, env, _| build(sdk, env))
}

/// The same for code that opens connections of its own, to a mail server, say: it does so through the [`Network`].
pub fn networked_handler<B, S, T, E>(build: B) -> FunctionFactory
where
    B: Fn(&SdkConfig, &dyn Fn(&str) -> Option<String>, &Network) -> Result<S, E> + Send + Sync + 'static,
    S: Service<LambdaEvent<T>, Response: Serialize, Error: Into<Diagnostic> + Send, Future: Send>,
    S: Clone + Send + 'static,
    T: DeserializeOwned + Send + 'static,
    E: Display,
{
    Arc::new(move |env| {
        let built = build(&env.sdk, &|name| env.vars.get(name).cloned(), &env.network);
        let service = built.map_err(|error| Diagnostic {
            error_type: "Runtime.InitError".to_owned(),
            error_message: error.to_string(),
        })?;
        Ok(Box::new(Tower(service, PhantomData)))
    })
}

struct Tower<S, T>(S, PhantomData<fn(T)>);

impl<S, T> Handler for Tower<S, T>
where
    S: Service<LambdaEvent<T>, Response: Serialize, Error: Into<Diagnostic> + Send, Future: Send>,
    S: Clone + Send + 'static,
    T: DeserializeOwned + Send + 'static,
{
    fn call(&mut self, event: &str, context: Context) -> HandlerFuture {
        let event = match serde_json::from_str(event) {
            Ok(event) => LambdaEvent::new(event, context),
            Err(error) => return Box::pin(std::future::ready(Err(mistyped(&error)))),
        };
        let service = self.0.clone();
        Box::pin(async move {
            let answer = service.oneshot(event).await.map_err(Into::into)?;
            serde_json::to_string(&answer).map_err(|error| diagnostic("serde_json::error::Error", error))
        })
    }
}

/// What `lambda_runtime` reports of an event that is not of the handler's type.
fn mistyped(error: &serde_json::Error) -> Diagnostic {
    let text = format!("failed to deserialize the incoming data into the function's payload type: {error}\n");
    diagnostic("lambda_runtime::deserializer::DeserializeError", text)
}
