//! What every binary does before it serves: JSON logs on standard output, and the SDK configuration.
//!
//! This is the one place that chooses the TLS stack and the time-outs of calls to AWS. It is used by the binaries only:
//! a function itself takes its configuration as an argument.

use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use tracing_subscriber::EnvFilter;

/// How long a connection may take. A Lambda function reaches AWS within milliseconds: longer means a dead route.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How long one attempt of a call to AWS may take before the SDK retries it.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);

/// Sends `tracing` events to standard output as JSON lines, which CloudWatch Logs can query field by field.
///
/// The level is `RUST_LOG`, else Lambda's own `AWS_LAMBDA_LOG_LEVEL` (see "Configuring advanced logging controls" in
/// the Lambda developer guide), else `info`.
pub fn init_logs() {
    let directives = ["RUST_LOG", "AWS_LAMBDA_LOG_LEVEL"].into_iter().find_map(|name| std::env::var(name).ok());
    let filter = EnvFilter::new(directives.unwrap_or_else(|| "info".to_owned()).to_lowercase());
    tracing_subscriber::fmt().json().with_env_filter(filter).with_target(false).init();
}

/// The SDK configuration of a deployed function: region and credentials from the environment that Lambda sets, and one
/// HTTPS client (rustls with ring) for every call.
pub async fn sdk_config() -> SdkConfig {
    let https = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let timeouts =
        TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).operation_attempt_timeout(ATTEMPT_TIMEOUT).build();
    aws_config::defaults(BehaviorVersion::latest()).http_client(https).timeout_config(timeouts).load().await
}
