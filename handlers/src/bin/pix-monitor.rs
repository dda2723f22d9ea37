//! The Lambda function `pix-monitor`.

use handlers::{bootstrap, pix_monitor};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    bootstrap::init_logs();
    let config = bootstrap::sdk_config().await;
    let service = pix_monitor::service(&config, &|name| std::env::var(name).ok())
        .inspect_err(|error| tracing::error!(%error, "the function cannot start"))?;
    lambda_runtime::run(service).await
}
