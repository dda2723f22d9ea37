//! The Lambda functions as tower services.

use aws_types::SdkConfig;
use lambda_runtime::LambdaEvent;
use serde_json::Value;

use super::error::Error;
use super::request::Origin;
use super::run::{self, Books};
use super::sender::Sender;
use super::settings::{self, TableNames};
use super::tables::Tables;
use super::token::Tokens;
use crate::env::{Lookup, SettingsError};
use crate::function::{Function, Handle};

/// One of the functions `ws-authorizer`, `ws-connect`, `ws-disconnect` and `ws-message`.
pub type Realtime = Function<Role>;

/// What a function is for, and what it needs.
#[derive(Debug)]
pub enum Role {
    /// `ws-authorizer`: who may connect.
    Authorizer(Tokens),
    /// `ws-connect`: the tables.
    Connect(Books),
    /// `ws-disconnect`: the tables.
    Disconnect(Books),
    /// `ws-message`: the tables, and the configuration of a client for whichever API the event comes from.
    Message(Books, Box<SdkConfig>),
}

/// `ws-authorizer`: lets in who has a token.
///
/// # Errors
/// A setting that is missing or wrong.
pub fn authorizer(_: &SdkConfig, env: Lookup<'_>) -> Result<Realtime, SettingsError> {
    Ok(Function::new(Role::Authorizer(settings::tokens(env)?)))
}

/// `ws-connect`: keeps who has connected.
///
/// # Errors
/// A setting that is missing or wrong.
pub fn connect(config: &SdkConfig, env: Lookup<'_>) -> Result<Realtime, SettingsError> {
    Ok(Function::new(Role::Connect(books(config, env)?)))
}

/// `ws-disconnect`: forgets who has left.
///
/// # Errors
/// A setting that is missing or wrong.
pub fn disconnect(config: &SdkConfig, env: Lookup<'_>) -> Result<Realtime, SettingsError> {
    Ok(Function::new(Role::Disconnect(books(config, env)?)))
}

/// `ws-message`: passes messages on.
///
/// # Errors
/// A setting that is missing or wrong.
pub fn message(config: &SdkConfig, env: Lookup<'_>) -> Result<Realtime, SettingsError> {
    Ok(Function::new(Role::Message(books(config, env)?, Box::new(config.clone()))))
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

impl Handle for Role {
    type Error = Error;

    async fn handle(&self, event: LambdaEvent<Value>) -> Result<Value, Error> {
        self.run(&event.payload).await.inspect_err(|error| {
            tracing::error!(error_type = error.error_type(), %error, "the event was not handled");
        })
    }
}
