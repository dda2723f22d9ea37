//! The function's settings, from its environment.

use crate::env::{Lookup, SettingsError, required};

/// The settings of bucket-purge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `PURGE_SECRET_ID`: name or ARN of the secret that holds the password's Argon2 hash.
    pub secret: String,
}

impl Settings {
    /// Reads every setting through `env`, which answers like `std::env::var(name).ok()`.
    pub fn read(env: Lookup<'_>) -> Result<Self, SettingsError> {
        Ok(Self { secret: required(env, "PURGE_SECRET_ID")? })
    }
}
