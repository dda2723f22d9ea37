//! The Lambda function `ws-authorizer`.

use handlers::{bootstrap, realtime};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    bootstrap::init_logs();
    let config = bootstrap::sdk_config().await;
    let service = realtime::authorizer(&config, &|name| std::env::var(name).ok())
        .inspect_err(|error| tracing::error!(%error, "the function cannot start"))?;
    lambda_runtime::run(service).await
}
