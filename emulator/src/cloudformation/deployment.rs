//! `DeploymentConfig`: how far CloudFormation follows what it makes.
//!
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeploymentConfig.html>

use serde::Deserialize;

use crate::{Error, Result};

/// What a request says of it. The standard way is the only one here.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DeploymentConfig {
    mode: Option<String>,
}

impl DeploymentConfig {
    /// Refuses what differs from the standard way.
    pub(super) fn check(config: Option<&Self>) -> Result<()> {
        match config.and_then(|config| config.mode.as_deref()) {
            None | Some("STANDARD") => Ok(()),
            Some(mode) => Err(Error::not_implemented(format_args!("deployments of stacks in the mode {mode}"))),
        }
    }
}
