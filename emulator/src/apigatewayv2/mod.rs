//! Amazon API Gateway's second version: WebSocket APIs and HTTP APIs, and the API that manages connections.
//!
//! The control plane has a file for each kind of resource, all of them on `state.rs`; `part.rs` is what they share. The data
//! plane is code beside the state: `websocket/` and `http_api/`.

mod address;
mod apis;
mod arn;
mod authorize;
mod authorizers;
mod deployments;
mod domains;
mod function;
mod http_api;
mod import;
mod integrations;
mod invoke;
mod models;
mod page;
mod parameters;
mod part;
mod routes;
mod stages;
mod state;
mod tags;
#[cfg(test)]
pub(crate) mod tests;
mod vpc_links;
pub(crate) mod websocket;

pub use state::Apis;

pub(crate) use address::owner;
use bytes::Bytes;
use http::Response;
pub(crate) use http_api::{Told, answer, is_preflight, of_function, preflight, stamp};
pub(crate) use parameters::headers as headers_of;
pub(crate) use state::Cors;

use crate::cloud::{Halt, Inner, Service};
use crate::execute_api::{Incoming, forbidden};

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
        .with(websocket::connections::operations)
        .with(http_api::issuer::operations)
        .asks()
}

/// Answers a request to a WebSocket API that is no handshake: the management of its connections.
pub(crate) async fn manage(inner: &Inner, incoming: &Incoming<'_>) -> Result<Response<Bytes>, Halt> {
    let open = inner.running::<Apis>("apigatewayv2").and_then(|apis| {
        apis.find(|_, apis| Some(!address::is_closed(apis.apis.get(&incoming.address.api)?, &incoming.address)))
    });
    if open == Some(false) {
        return Ok(forbidden(incoming.request_id));
    }
    let (stage, path) = incoming.address.staged();
    let about = [("ApiId", incoming.address.api.clone()), ("Stage", stage)];
    inner.manage(incoming, &path, &about).await
}
