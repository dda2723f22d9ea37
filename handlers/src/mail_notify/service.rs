//! The Lambda function as a tower service.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use aws_types::SdkConfig;
use lambda_runtime::LambdaEvent;
use serde_json::Value;
use tower::Service;

use super::compose::Composer;
use super::dedup::Table;
use super::error::Error;
use super::password::Passwords;
use super::request::Batch;
use super::run::{Invocation, Notifier};
use super::settings::{Settings, SettingsError};
use super::smtp::{Connect, Server, tcp};
use crate::env::{Lookup, invalid};

/// The function `mail-notify`. Its event is a batch of SQS messages; it answers which of them failed.
#[derive(Clone, Debug)]
pub struct MailNotify(Arc<Notifier>);

/// The function, made from one SDK configuration and a lookup of environment variables (`std::env::var(name).ok()`).
///
/// # Errors
/// The setting, or the part of the configuration, that is missing or wrong.
pub fn service(config: &SdkConfig, env: Lookup<'_>) -> Result<MailNotify, SettingsError> {
    service_over(config, env, tcp())
}

/// The same over another network than the machine's.
///
/// # Errors
/// As [`service`].
pub fn service_over(config: &SdkConfig, env: Lookup<'_>, connect: Connect) -> Result<MailNotify, SettingsError> {
    let settings = Settings::read(env)?;
    let sleep = config.sleep_impl().ok_or(SettingsError::SdkConfig("sleep implementation"))?;
    let time = config.time_source().ok_or(SettingsError::SdkConfig("time source"))?;
    Ok(MailNotify(Arc::new(Notifier {
        s3: aws_sdk_s3::Client::new(config),
        table: Table::new(aws_sdk_dynamodb::Client::new(config), settings.table.clone()),
        passwords: Passwords::new(aws_sdk_secretsmanager::Client::new(config), settings.password.clone()),
        composer: Composer::new(settings.from.clone()).map_err(|error| invalid("EMAIL_FROM", error.to_string()))?,
        server: Server::new(&settings, connect, sleep.clone())?,
        time,
        sleep,
    })))
}

impl Service<LambdaEvent<Value>> for MailNotify {
    type Response = Value;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Value, Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, event: LambdaEvent<Value>) -> Self::Future {
        let notifier = Arc::clone(&self.0);
        Box::pin(async move {
            let batch = Batch::read(event.payload)?;
            let deadline = i64::try_from(event.context.deadline).unwrap_or(i64::MAX);
            let invocation = Invocation { request_id: &event.context.request_id, deadline };
            let answer = notifier.run(batch, invocation).await;
            serde_json::to_value(answer).map_err(|error| Error::BadEvent(error.to_string()))
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use lambda_runtime::Context as LambdaContext;
    use serde_json::json;

    use super::super::testing::{config, env};
    use super::*;

    #[tokio::test]
    async fn what_cannot_be_mailed_fails_alone_and_without_a_call() {
        let mut service = service(&config(), &env(&[])).unwrap();
        let message = |id: &str, body: &str| json!({"messageId": id, "body": body});
        let event = json!({"Records": [message("1", "{"), message("2", r#"{"video_id":"1","recipient_email":"x",
            "recipient_name":"","s3_bucket":"b","s3_key":"k"}"#)]});
        let answer = service.call(LambdaEvent::new(event, LambdaContext::default())).await.unwrap();
        assert_eq!(answer, json!({"batchItemFailures": [{"itemIdentifier": "1"}, {"itemIdentifier": "2"}]}));
        let failed = service.call(LambdaEvent::new(json!({}), LambdaContext::default())).await;
        assert!(matches!(failed, Err(Error::BadEvent(_))));
    }

    #[tokio::test]
    async fn without_time_nothing_is_begun() {
        let mut service = service(&config(), &env(&[])).unwrap();
        let body = r#"{"video_id":"1","recipient_email":"a@b.com","recipient_name":"","s3_bucket":"b","s3_key":"k"}"#;
        let event = json!({"Records": [{"messageId": "1", "body": body}]});
        // A deadline of 0: the configuration's client would panic at any call.
        let answer = service.call(LambdaEvent::new(event, LambdaContext::default())).await.unwrap();
        assert_eq!(answer, json!({"batchItemFailures": [{"itemIdentifier": "1"}]}));
    }

    #[test]
    fn what_the_configuration_lacks_is_named() {
        let mut builder = config().into_builder();
        builder.set_time_source(None);
        let error = service(&builder.build(), &env(&[])).unwrap_err();
        assert_eq!(error, SettingsError::SdkConfig("time source"));
    }

    /// What `lambda_runtime::run` and a host in the same process ask of a function.
    #[test]
    fn the_service_can_be_hosted() {
        fn hosted<S>(_: S)
        where
            S: Service<LambdaEvent<Value>, Response = Value> + Clone + Send + 'static,
            S::Future: Send + 'static,
            S::Error: Into<lambda_runtime::Diagnostic> + std::fmt::Debug,
        {
        }
        hosted(service(&config(), &env(&[])).unwrap());
    }
}
