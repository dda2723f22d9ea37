//! A Lambda function as a tower service: the one place that knows what `lambda_runtime::run` asks of it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use lambda_runtime::LambdaEvent;
use serde_json::Value;
use tower::Service;

/// What a function does with an event.
pub trait Handle: Send + Sync + 'static {
    /// How it can fail: Lambda is told by `lambda_runtime::Diagnostic`.
    type Error: Send + 'static;

    /// Does it. The answer is the function's result.
    fn handle(&self, event: LambdaEvent<Value>) -> impl Future<Output = Result<Value, Self::Error>> + Send;
}

/// A function that `lambda_runtime::run` runs, or a host in the same process. Its clones share their clients.
#[derive(Debug)]
pub struct Function<H>(Arc<H>);

impl<H> Function<H> {
    pub(crate) fn new(handler: H) -> Self {
        Self(Arc::new(handler))
    }
}

impl<H> Clone for Function<H> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<H: Handle> Service<LambdaEvent<Value>> for Function<H> {
    type Response = Value;
    type Error = H::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Value, H::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), H::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, event: LambdaEvent<Value>) -> Self::Future {
        let handler = Arc::clone(&self.0);
        Box::pin(async move { handler.handle(event).await })
    }
}
