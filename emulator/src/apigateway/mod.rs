//! Amazon API Gateway: REST APIs.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use crate::cloud::Service;

/// The REST APIs of an account in a region, with what is keyed by the account: API keys, usage plans.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct RestApis {
    apis: OrdMap<String, serde_json::Value>,
}

impl RestApis {
    /// Whether there is an API of this id.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.apis.contains_key(id)
    }
}

/// The service and its operations.
pub fn service() -> Service<RestApis> {
    Service::new("apigateway")
}
