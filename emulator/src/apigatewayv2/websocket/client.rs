//! A client without a socket: a scenario's.

use http::Request;
use http::header::HOST;

use super::super::address::owner;
use super::super::{Apis, state::Close};
use super::connections::{Closed, FRAME_LIMIT, Taken, tell};
use super::{message, open};
use crate::cloud::{Cloud, Scope};
use crate::execute_api;

/// A client that is connected, and what it has not read yet.
pub(crate) struct VirtualClient {
    scope: Scope,
    id: String,
}

/// Why a client was not let in.
#[derive(Debug)]
pub(crate) enum NotConnected {
    /// The URL leads to no API.
    NoApi(String),
    /// The API answered with this status and body.
    Refused(u16, String),
}

impl VirtualClient {
    /// Connects, as a browser does: `ws://` or `wss://`, no headers of its own.
    pub async fn connect(cloud: &Cloud, url: &str) -> Result<Self, NotConnected> {
        let no_api = |why: &str| NotConnected::NoApi(format!("{url}: {why}"));
        let rest = url.split_once("://").filter(|(scheme, _)| matches!(*scheme, "ws" | "wss")).map(|(_, rest)| rest);
        let rest = rest.ok_or_else(|| no_api("a WebSocket URL begins with ws:// or wss://"))?;
        let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        let request = Request::get(path)
            .header(HOST, host)
            .header("sec-websocket-key", "Z2Fyb2Egc2NlbmFyaW8gIQ==")
            .header("sec-websocket-version", "13")
            .header("user-agent", "garoa-scenario")
            .body(())
            .map_err(|error| no_api(&error.to_string()))?;
        let head = request.into_parts().0;
        let address = execute_api::address(&cloud.0, &head).ok_or_else(|| no_api("this is no API's address"))?;
        let (scope, is_websocket) = owner(&cloud.0, &address).ok_or_else(|| no_api("there is no such API"))?;
        if !is_websocket {
            return Err(no_api("this is no WebSocket API"));
        }
        match open::open(&cloud.0, &scope, &address, &head, None).await {
            Ok(opened) => Ok(Self { scope: opened.scope, id: opened.id }),
            Err(refused) => Err(NotConnected::Refused(refused.status.as_u16(), refused.body)),
        }
    }

    /// Sends a message in one frame, and waits until its integration has answered.
    pub async fn send(&self, cloud: &Cloud, text: &str) {
        if text.len() > FRAME_LIMIT {
            self.end(cloud, Close { code: 1009, reason: "Frame is too large".to_owned() });
            return;
        }
        message::handle(&cloud.0, &self.scope, &self.id, text.to_owned().into()).await;
    }

    /// The next message that was sent to the client, if there is one.
    pub fn receive(&self, cloud: &Cloud) -> Option<String> {
        let apis = cloud.0.state_of::<Apis>("apigatewayv2", &self.scope)?;
        let outbox = apis.outboxes.get(&self.id)?;
        let frame = outbox.frames.front()?;
        tell(&cloud.0, &self.scope, "Taken", &Taken { id: self.id.clone(), taken: outbox.taken + 1 });
        Some(String::from_utf8_lossy(frame).into_owned())
    }

    /// How the API closed the connection, if it has.
    pub fn closed(&self, cloud: &Cloud) -> Option<Close> {
        let apis = cloud.0.state_of::<Apis>("apigatewayv2", &self.scope)?;
        apis.outboxes.get(&self.id)?.close.clone()
    }

    /// Since when the client is connected; none if it is no more.
    #[cfg(test)]
    pub fn connected_at(&self, cloud: &Cloud) -> Option<crate::Timestamp> {
        let apis = cloud.0.state_of::<Apis>("apigatewayv2", &self.scope)?;
        apis.connections.get(&self.id).map(|connection| connection.connected_at)
    }

    /// Is gone without a word.
    pub fn vanish(self, cloud: &Cloud) {
        tell(&cloud.0, &self.scope, "Vanished", &self.id);
    }

    /// Closes the connection, as a browser's `close()` does.
    pub fn close(self, cloud: &Cloud) {
        self.end(cloud, Close { code: 1005, reason: "Client-side close frame status not set".to_owned() });
    }

    fn end(&self, cloud: &Cloud, close: Close) {
        tell(&cloud.0, &self.scope, "Closed", &Closed { id: self.id.clone(), close });
    }
}
