//! The Lambda function `ws-message`.

use handlers::{bootstrap, realtime};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    bootstrap::init_logs();
    let config = bootstrap::sdk_config().await;
    let service = realtime::message(&config, &|name| std::env::var(name).ok())
        .inspect_err(|error| tracing::error!(%error, "the function cannot start"))?;
    lambda_runtime::run(service).await
}
