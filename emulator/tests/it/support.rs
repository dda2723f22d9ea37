//! What the tests share: functions made of closures, and calls as the account's root user.

use std::convert::Infallible;
use std::future::Future;

use aws_smithy_async::rt::sleep::SharedAsyncSleep;
use aws_types::SdkConfig;
use garoa::cloud::{Call, Caller, Cloud, Reply};
use garoa::lambda::{FunctionFactory, handler};
use lambda_runtime::{Diagnostic, LambdaEvent};
use serde_json::{Value, json};
use tower::service_fn;

pub const ROLE: &str = "arn:aws:iam::123456789012:role/any";

/// A function from an async closure over the SDK configuration and the event.
pub fn function<F, R>(run: F) -> FunctionFactory
where
    F: Fn(SdkConfig, Value) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Result<Value, Diagnostic>> + Send + 'static,
{
    handler(move |sdk, _| {
        let (sdk, run) = (sdk.clone(), run.clone());
        Ok::<_, Infallible>(service_fn(move |event: LambdaEvent<Value>| run(sdk.clone(), event.payload)))
    })
}

pub fn sleep(sdk: &SdkConfig) -> SharedAsyncSleep {
    sdk.sleep_impl().unwrap()
}

pub async fn call(cloud: &Cloud, service: &'static str, operation: &str, input: Value) -> garoa::Result<Reply> {
    cloud.call(Call::new(service, operation, Caller::root("123456789012"), cloud.scope().clone(), input)).await
}

pub async fn create_function(cloud: &Cloud, name: &str, timeout: u32) {
    let input = json!({
        "FunctionName": name, "Role": ROLE, "Runtime": "provided.al2023", "Handler": "bootstrap",
        "Timeout": timeout, "Code": { "S3Bucket": "garoa-local-code", "S3Key": name },
    });
    call(cloud, "lambda", "CreateFunction", input).await.unwrap();
}

/// Invokes a function and waits for its answer: the payload, and the kind of error.
pub async fn invoke(cloud: &Cloud, name: &str, event: Value) -> (Value, Value) {
    let call = Call::new(
        "lambda",
        "Invoke",
        Caller::root("123456789012"),
        cloud.scope().clone(),
        json!({ "FunctionName": name }),
    );
    let reply = cloud.call(call.with_body(event.to_string())).await.unwrap();
    let payload = serde_json::from_slice(&reply.body.unwrap()).unwrap();
    (payload, reply.output["FunctionError"].clone())
}
