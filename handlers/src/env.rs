//! Environment variables as settings: read through a lookup, since several functions may live in one process.

/// Why a function cannot start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// A variable that has no default is not set, or empty.
    #[error("environment variable {0} is not set")]
    Missing(&'static str),
    /// A variable cannot be used. The text never holds the value of a secret.
    #[error("environment variable {name}: {reason}")]
    Invalid {
        /// The variable.
        name: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The SDK configuration lacks a part that the function takes from it.
    #[error("the SDK configuration has no {0}")]
    SdkConfig(&'static str),
}

/// A lookup that answers like `std::env::var(name).ok()`.
pub(crate) type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

pub(crate) fn invalid(name: &'static str, reason: impl Into<String>) -> SettingsError {
    SettingsError::Invalid { name, reason: reason.into() }
}

/// A variable without the spaces around it. An empty one counts as not set: templates cannot leave one out.
pub(crate) fn optional(env: Lookup<'_>, name: &str) -> Option<String> {
    env(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

pub(crate) fn required(env: Lookup<'_>, name: &'static str) -> Result<String, SettingsError> {
    optional(env, name).ok_or(SettingsError::Missing(name))
}
