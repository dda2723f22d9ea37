//! The Lambda functions as tower services.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use aws_types::SdkConfig;
use lambda_runtime::LambdaEvent;
use serde_json::Value;
use tower::Service;

use super::error::Error;
use super::request::Origin;
use super::run::{self, Books};
use super::sender::Sender;
use super::settings::{self, TableNames};
use super::tables::Tables;
use super::token::Tokens;
use crate::env::{Lookup, SettingsError};

/// One of the functions `ws-authorizer`, `ws-connect`, `ws-disconnect` and `ws-message`.
#[derive(Clone, Debug)]
pub struct Realtime(Arc<Role>);

#[derive(Debug)]
enum Role {
    Authorizer(Tokens),
    Connect(Books),
    Disconnect(Books),
    Message(Books, SdkConfig),
}

/// `ws-authorizer`: lets in who has a token.
///
/// # Errors
/// A setting that is missing or wrong.
pub fn authorizer(_: &SdkConfig, env: Lookup<'_>) -> Result<Realtime, SettingsError> {
    Ok(Realtime(Arc::new(Role::Authorizer(settings::tokens(env)?))))
}

/// `ws-connect`: keeps who has connected.
///
/// # Errors
/// A setting that is missing or wrong.
pub fn connect(config: &SdkConfig, env: Lookup<'_>) -> Result<Realtime, SettingsError> {
    Ok(Realtime(Arc::new(Role::Connect(books(config, env)?))))
}

/// `ws-disconnect`: forgets who has left.
///
/// # Errors
/// A setting that is missing or wrong.
pub fn disconnect(config: &SdkConfig, env: Lookup<'_>) -> Result<Realtime, SettingsError> {
    Ok(Realtime(Arc::new(Role::Disconnect(books(config, env)?))))
}

/// `ws-message`: passes messages on.
///
/// # Errors
/// A setting that is missing or wrong.
pub fn message(config: &SdkConfig, env: Lookup<'_>) -> Result<Realtime, SettingsError> {
    Ok(Realtime(Arc::new(Role::Message(books(config, env)?, config.clone()))))
}

fn books(config: &SdkConfig, env: Lookup<'_>) -> Result<Books, SettingsError> {
    let names = TableNames::read(env)?;
    let time = config.time_source().ok_or(SettingsError::SdkConfig("time source"))?;
    Ok(Books { tables: Tables::new(aws_sdk_dynamodb::Client::new(config), names), time })
}

impl Role {
    async fn run(&self, event: &Value) -> Result<Value, Error> {
        match self {
            Self::Authorizer(tokens) => Ok(tokens.answer(event)),
            Self::Connect(books) => run::connect(books, event).await,
            Self::Disconnect(books) => run::disconnect(books, event).await,
            Self::Message(books, config) => {
                let sender = Sender::new(config, &Origin::read(event)?.endpoint);
                run::message(books, &sender, event).await
            }
        }
    }
}

impl Service<LambdaEvent<Value>> for Realtime {
    type Response = Value;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Value, Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, event: LambdaEvent<Value>) -> Self::Future {
        let role = Arc::clone(&self.0);
        Box::pin(async move {
            role.run(&event.payload).await.inspect_err(|error| {
                tracing::error!(error_type = error.error_type(), %error, "the event was not handled");
            })
        })
    }
}
