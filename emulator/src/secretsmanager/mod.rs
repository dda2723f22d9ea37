//! AWS Secrets Manager: secrets and their versions.

use serde::{Deserialize, Serialize};

use crate::cloud::Service;

/// The secrets of an account in a region.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Secrets {}

/// The service and its operations.
pub fn service() -> Service<Secrets> {
    Service::new("secretsmanager")
}
