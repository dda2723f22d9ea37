//! Messages to clients, by the management API of the WebSocket API that the event came from.

use aws_sdk_apigatewaymanagement::Client;
use aws_sdk_apigatewaymanagement::config::Builder;
use aws_sdk_apigatewaymanagement::primitives::Blob;
use aws_types::SdkConfig;

use crate::failure::reason;

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// API Gateway has taken it.
    Delivered,
    /// There is no such connection any more.
    Gone,
    /// Neither: what API Gateway said.
    Failed(String),
}

/// A way to clients.
#[derive(Clone, Debug)]
pub struct Sender(Client);

impl Sender {
    /// The way through the management API at this base address.
    pub fn new(config: &SdkConfig, endpoint: &str) -> Self {
        Self(Client::from_conf(Builder::from(config).endpoint_url(endpoint).build()))
    }

    /// The way through a client that is there already.
    pub fn with(client: Client) -> Self {
        Self(client)
    }

    /// Sends a text to a connection.
    pub async fn send(&self, connection_id: &str, text: &str) -> Sent {
        let post = self.0.post_to_connection().connection_id(connection_id).data(Blob::new(text));
        match post.send().await {
            Ok(_) => Sent::Delivered,
            Err(error) if error.as_service_error().is_some_and(|error| error.is_gone_exception()) => Sent::Gone,
            Err(error) => Sent::Failed(reason(&error)),
        }
    }
}
