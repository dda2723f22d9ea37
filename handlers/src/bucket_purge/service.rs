//! The Lambda function as a tower service.

use std::convert::Infallible;

use aws_types::SdkConfig;
use lambda_runtime::LambdaEvent;
use serde_json::Value;

use super::answer::Answer;
use super::password::{self, Verdict};
use super::purge::purge;
use super::request::Request;
use super::settings::Settings;
use crate::env::{Lookup, SettingsError};
use crate::function::{Function, Handle};

/// The function `bucket-purge`. Whatever happens is an answer: an error of the function would be a 502 without a reason.
pub type BucketPurge = Function<Purge>;

/// What a purge needs.
#[derive(Clone, Debug)]
pub struct Purge {
    /// The settings.
    pub settings: Settings,
    /// S3.
    pub s3: aws_sdk_s3::Client,
    /// Secrets Manager.
    pub secrets: aws_sdk_secretsmanager::Client,
}

/// The function, made from one SDK configuration and a lookup of environment variables (`std::env::var(name).ok()`).
pub fn service(config: &SdkConfig, env: Lookup<'_>) -> Result<BucketPurge, SettingsError> {
    let settings = Settings::read(env)?;
    let (s3, secrets) = (aws_sdk_s3::Client::new(config), aws_sdk_secretsmanager::Client::new(config));
    Ok(Function::new(Purge { settings, s3, secrets }))
}

impl Purge {
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

impl Handle for Purge {
    type Error = Infallible;

    async fn handle(&self, event: LambdaEvent<Value>) -> Result<Value, Infallible> {
        Ok(self.answer(&event.payload).await.document())
    }
}
