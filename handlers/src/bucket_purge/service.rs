//! The Lambda function as a tower service.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use aws_types::SdkConfig;
use lambda_runtime::LambdaEvent;
use serde_json::Value;
use tower::Service;

use super::answer::Answer;
use super::password::{self, Verdict};
use super::purge::purge;
use super::request::Request;
use super::settings::Settings;
use crate::env::{Lookup, SettingsError};

/// The function `bucket-purge`. Whatever happens is an answer: an error of the function would be a 502 without a reason.
#[derive(Clone, Debug)]
pub struct BucketPurge(Arc<Clients>);

#[derive(Debug)]
pub(super) struct Clients {
    pub settings: Settings,
    pub s3: aws_sdk_s3::Client,
    pub secrets: aws_sdk_secretsmanager::Client,
}

/// The function, made from one SDK configuration and a lookup of environment variables (`std::env::var(name).ok()`).
pub fn service(config: &SdkConfig, env: Lookup<'_>) -> Result<BucketPurge, SettingsError> {
    let settings = Settings::read(env)?;
    let (s3, secrets) = (aws_sdk_s3::Client::new(config), aws_sdk_secretsmanager::Client::new(config));
    Ok(BucketPurge(Arc::new(Clients { settings, s3, secrets })))
}

impl Clients {
    pub(super) async fn answer(&self, event: &Value) -> Answer {
        let request = match Request::read(event) {
            Ok(request) => request,
            Err(unreadable) => return Answer::BadRequest(unreadable.to_string()),
        };
        let bucket = request.bucket;
        match password::check(&self.secrets, &self.settings.secret, &request.password).await {
            Verdict::Right => {}
            Verdict::Refused => {
                tracing::warn!(bucket, "refused");
                return Answer::Unauthorized;
            }
            Verdict::Unknown(why) => {
                tracing::error!(bucket, why, "the password cannot be checked");
                return Answer::Failed { reason: format!("the password cannot be checked: {why}"), keys: Vec::new() };
            }
        }
        match purge(&self.s3, &bucket).await {
            Ok(deleted) => {
                tracing::info!(bucket, deleted, "purged");
                Answer::Purged { bucket }
            }
            Err(failure) => {
                tracing::error!(bucket, reason = failure.reason, keys = failure.keys.len(), "not purged");
                Answer::Failed { reason: failure.reason, keys: failure.keys }
            }
        }
    }
}

impl Service<LambdaEvent<Value>> for BucketPurge {
    type Response = Value;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Value, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, event: LambdaEvent<Value>) -> Self::Future {
        let clients = Arc::clone(&self.0);
        Box::pin(async move { Ok(clients.answer(&event.payload).await.document()) })
    }
}
