//! Amazon SQS: queues and their messages.

use serde::{Deserialize, Serialize};

use crate::cloud::Service;

/// The queues of an account in a region.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Queues {}

/// The service and its operations.
pub fn service() -> Service<Queues> {
    Service::new("sqs")
}
