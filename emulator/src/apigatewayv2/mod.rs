//! Amazon API Gateway's second version: WebSocket APIs and HTTP APIs, and the API that manages connections.
//!
//! The control plane has a file for each kind of resource, all of them on `state.rs`; `part.rs` is what they share. The data
//! plane is code beside the state: `websocket/` and `http_api/`.

mod apis;
mod arn;
mod authorizers;
mod deployments;
mod domains;
mod function;
mod import;
mod integrations;
mod models;
mod page;
mod part;
mod routes;
mod stages;
mod state;
mod tags;
#[cfg(test)]
mod tests;
mod vpc_links;

pub use state::Apis;

use crate::cloud::Service;

/// Who invokes functions and assumes roles for APIs.
pub(crate) const PRINCIPAL: &str = "apigateway.amazonaws.com";

/// The service and its operations.
pub fn service() -> Service<Apis> {
    Service::new("apigatewayv2")
        .also("apigatewaymanagementapi")
        .with(apis::operations)
        .with(authorizers::operations)
        .with(deployments::operations)
        .with(domains::operations)
        .with(import::operations)
        .with(integrations::operations)
        .with(models::operations)
        .with(routes::operations)
        .with(stages::operations)
        .with(tags::operations)
        .with(vpc_links::operations)
}
