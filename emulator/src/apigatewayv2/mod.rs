//! Amazon API Gateway's second version: WebSocket APIs and HTTP APIs, and the API that manages connections.

use serde::{Deserialize, Serialize};

use crate::cloud::Service;

/// The WebSocket and HTTP APIs of an account in a region.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Apis {}

/// The service and its operations.
pub fn service() -> Service<Apis> {
    Service::new("apigatewayv2").also("apigatewaymanagementapi")
}
