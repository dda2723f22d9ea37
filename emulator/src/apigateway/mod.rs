//! Amazon API Gateway: REST APIs.

use serde::{Deserialize, Serialize};

use crate::cloud::Service;

/// The REST APIs of an account in a region, with what is keyed by the account: API keys, usage plans.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct RestApis {}

/// The service and its operations.
pub fn service() -> Service<RestApis> {
    Service::new("apigateway")
}
