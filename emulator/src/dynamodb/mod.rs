//! Amazon DynamoDB and DynamoDB Streams: tables, their items, and what changed in them.

use serde::{Deserialize, Serialize};

use crate::cloud::Service;

/// The tables of an account in a region.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Tables {}

/// The service and its operations.
pub fn service() -> Service<Tables> {
    Service::new("dynamodb").also("dynamodbstreams")
}
