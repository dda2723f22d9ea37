//! The settings, read from environment variables and checked when a function starts.

use super::token::Tokens;
use crate::env::{Lookup, SettingsError, invalid, required};

/// The names of the tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableNames {
    /// `CONNECTIONS_TABLE`: who is connected.
    pub connections: String,
    /// `AUDIT_TABLE`: what happened.
    pub audit: String,
}

impl TableNames {
    /// Reads both names.
    ///
    /// # Errors
    /// A variable that is not set.
    pub fn read(env: Lookup<'_>) -> Result<Self, SettingsError> {
        Ok(Self { connections: required(env, "CONNECTIONS_TABLE")?, audit: required(env, "AUDIT_TABLE")? })
    }
}

/// Reads `AUTH_TOKENS`: who may connect, as `name=token` separated by commas.
///
/// # Errors
/// No token, or one that is too short to be a secret. The text never holds a token.
pub fn tokens(env: Lookup<'_>) -> Result<Tokens, SettingsError> {
    const NAME: &str = "AUTH_TOKENS";
    required(env, NAME)?.parse().map_err(|reason: &str| invalid(NAME, reason))
}
