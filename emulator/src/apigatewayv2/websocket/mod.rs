//! The data plane of WebSocket APIs.
//!
//! ```text
//! handshake ─ open.rs: stage, authorizer, $connect ─▶ a connection in the state, with an outbox
//! message   ─ message.rs: route, integration ─▶ a route response into the outbox
//! outbox    ─ a real socket (socket.rs) or a scenario's client (client.rs) empties it
//! end       ─ connections.rs: a timer, a management call, or the client ─▶ disconnect.rs: $disconnect
//! ```
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api.html>

mod client;
pub(super) mod connections;
mod disconnect;
mod event;
mod message;
mod open;
mod select;
pub(crate) mod socket;
#[cfg(test)]
mod tests;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
pub(crate) use client::{NotConnected, VirtualClient};

use super::state::{Integration, Route, Served};
use crate::cloud::Ids;

/// An id as API Gateway gives to connections, messages and requests: 16 characters, the last of them `=`.
fn event_id(ids: &mut Ids) -> String {
    URL_SAFE.encode(ids.bytes::<11>())
}

/// The integration of a route.
fn integration_of<'a>(served: &'a Served, route: &Route) -> Option<&'a Integration> {
    served.integrations.get(route.target.as_deref()?.strip_prefix("integrations/")?)
}

/// Whether a route lets nobody in without an API key. Keys belong to REST APIs here, whose usage plans know no other APIs: who
/// has one cannot be told, and so nobody gets in.
fn wants_key(route: &Route) -> bool {
    let wants = route.api_key_required == Some(true);
    if wants {
        tracing::warn!(
            route = route.route_key,
            "API keys of WebSocket APIs are not there: a route that requires one is closed"
        );
    }
    wants
}
