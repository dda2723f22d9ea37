//! The Lambda function `mail-notify`.

use handlers::{bootstrap, mail_notify};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    bootstrap::init_logs();
    let config = bootstrap::sdk_config().await;
    let service = mail_notify::service(&config, &|name| std::env::var(name).ok())
        .inspect_err(|error| tracing::error!(%error, "the function cannot start"))?;
    lambda_runtime::run(service).await
}
