//! The Lambda function as a tower service.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use aws_types::SdkConfig;
use lambda_runtime::LambdaEvent;
use serde_json::Value;
use tower::Service;

use super::error::Error;
use super::run::Refresh;
use super::settings::Settings;
use crate::env::SettingsError;

/// The function `data-refresh`. Its event is ignored: the day follows from the time.
#[derive(Clone, Debug)]
pub struct DataRefresh(Arc<Refresh>);

/// The function, made from one SDK configuration and a lookup of environment variables (`std::env::var(name).ok()`).
pub fn service(config: &SdkConfig, env: &dyn Fn(&str) -> Option<String>) -> Result<DataRefresh, SettingsError> {
    let settings = Settings::read(env)?;
    let time = config.time_source().ok_or(SettingsError::SdkConfig("time source"))?;
    Ok(DataRefresh(Arc::new(Refresh { settings, s3: aws_sdk_s3::Client::new(config), time })))
}

impl Service<LambdaEvent<Value>> for DataRefresh {
    type Response = Value;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Value, Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: LambdaEvent<Value>) -> Self::Future {
        let refresh = Arc::clone(&self.0);
        Box::pin(async move { Ok(serde_json::json!(refresh.run().await?)) })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::{Duration, UNIX_EPOCH};

    use aws_sdk_s3::operation::get_object::{GetObjectError, GetObjectOutput};
    use aws_sdk_s3::operation::put_object::{PutObjectError, PutObjectOutput};
    use aws_sdk_s3::types::error::NoSuchKey;
    use aws_smithy_async::time::StaticTimeSource;
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use aws_smithy_types::byte_stream::ByteStream;
    use aws_smithy_types::error::ErrorMetadata;

    use super::*;

    /// 2026-03-02T00:00:00Z.
    const NOW: u64 = 1_772_409_600;

    fn found(key: &'static str, content: &'static [u8]) -> Rule {
        mock!(aws_sdk_s3::Client::get_object).match_requests(move |request| request.key() == Some(key)).then_output(
            move || {
                let length = content.len() as i64;
                GetObjectOutput::builder().content_length(length).body(ByteStream::from_static(content)).build()
            },
        )
    }

    fn missing() -> Rule {
        mock!(aws_sdk_s3::Client::get_object)
            .then_error(|| GetObjectError::NoSuchKey(NoSuchKey::builder().meta(code("NoSuchKey")).build()))
    }

    fn code(code: &str) -> ErrorMetadata {
        ErrorMetadata::builder().code(code).message("why").build()
    }

    async fn refreshed(rules: &[&Rule]) -> Result<super::super::run::Outcome, Error> {
        let s3 = mock_client!(aws_sdk_s3, RuleMode::MatchAny, rules);
        let settings = Settings::read(&|name| (name != "TABLES").then(|| name.to_lowercase())).unwrap();
        let time = StaticTimeSource::new(UNIX_EPOCH + Duration::from_secs(NOW));
        Refresh { settings, s3, time: time.into() }.run().await
    }

    #[tokio::test]
    async fn what_is_missing_or_malformed_is_told_and_the_others_go_on() {
        let (category, sale) = (found("category/2026-03-01.csv", b"id\n1\n"), found("sale/2026-03-01.csv", b"id,x\n1\n"));
        let written = mock!(aws_sdk_s3::Client::put_object)
            .match_requests(|request| request.key() == Some("dados_category.csv"))
            .then_output(|| PutObjectOutput::builder().build());
        let outcome = refreshed(&[&category, &sale, &missing(), &written]).await.unwrap();
        let told = serde_json::to_value(&outcome).unwrap();
        assert_eq!(told["date"], "2026-03-01");
        assert_eq!(told["tables"][0], serde_json::json!({"table": "category", "status": "refreshed", "rows": 1}));
        assert_eq!(told["tables"][1], serde_json::json!({"table": "establishment", "status": "missing"}));
        assert_eq!(told["tables"][2]["status"], "malformed");
        assert_eq!(written.num_calls(), 1);
    }

    #[tokio::test]
    async fn a_refused_write_fails_the_invocation_after_all_tables_had_their_turn() {
        let category = found("category/2026-03-01.csv", b"id\n1\n");
        let sale = found("sale/2026-03-01.csv", b"id\n1\n");
        let refused = mock!(aws_sdk_s3::Client::put_object)
            .match_requests(|request| request.key() == Some("dados_category.csv"))
            .then_error(|| PutObjectError::generic(code("AccessDenied")));
        let written = mock!(aws_sdk_s3::Client::put_object)
            .match_requests(|request| request.key() == Some("dados_sale.csv"))
            .then_output(|| PutObjectOutput::builder().build());
        let error = refreshed(&[&category, &sale, &missing(), &refused, &written]).await.unwrap_err();
        assert_eq!(error.to_string(), "1 of 3 tables could not be refreshed: category: AccessDenied: why");
        assert_eq!(written.num_calls(), 1);
    }
}
