//! A client behind a real socket: reads its messages, empties its outbox, and tells the state of both.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, header};
use tokio::task::JoinHandle;

use super::super::Apis;
use super::super::address::owner;
use super::super::state::{Close, Outbox};
use super::connections::{Closed, FRAME_LIMIT, MESSAGE_LIMIT, Taken, abnormal, going_away, signal, tell};
use super::{message, open};
use crate::clock::{Wait, real_limit};
use crate::cloud::{Cloud, Inner, Scope};
use crate::execute_api::{self, Address};

/// Messages of one client that are read ahead while one of them is handled; then its socket is read no more until there is
/// room again. AWS names no figure.
const READ_AHEAD: usize = 16;
/// What is read of a socket at once, in bytes: each connection has a buffer of this size all the time. The library's own default
/// is 128 KiB, and a thousand connections took 170 MiB.
const READ_BUFFER: usize = 4 * 1024;
/// How long a client that does not read is given to take the close frame, by the machine's clock.
const CLOSE_TIME: Duration = Duration::from_secs(5);
/// Close codes: RFC 6455, section 7.4.1.
const NO_STATUS: u16 = 1005;
const TOO_BIG: u16 = 1009;
const PROTOCOL_ERROR: u16 = 1002;

/// The WebSocket API that a request wants to speak with, if it does.
pub(crate) fn wanted(cloud: &Cloud, head: &Parts) -> Option<(Address, Scope)> {
    let upgrade = head.headers.get(header::UPGRADE)?;
    if !upgrade.as_bytes().eq_ignore_ascii_case(b"websocket") {
        return None;
    }
    let address = execute_api::address(&cloud.0, head)?;
    let (scope, is_websocket) = owner(&cloud.0, &address)?;
    is_websocket.then_some((address, scope))
}

/// Answers a handshake; then the connection lives by itself.
pub(crate) async fn answer(cloud: Cloud, to: (Address, Scope), mut head: Parts, ip: IpAddr) -> Response {
    let (address, scope) = to;
    let upgrade = match WebSocketUpgrade::from_request_parts(&mut head, &()).await {
        Ok(upgrade) => upgrade,
        Err(rejected) => return rejected.into_response(),
    };
    match open::open(&cloud.0, &scope, &address, &head, Some(ip)).await {
        Ok(opened) => {
            let upgrade = upgrade.max_message_size(MESSAGE_LIMIT).max_frame_size(FRAME_LIMIT);
            let upgrade = upgrade.read_buffer_size(READ_BUFFER).write_buffer_size(0).protocols(opened.protocol);
            // A client that is gone before its socket is there.
            let peer = Peer { era: cloud.0.clock.era(), cloud, scope: opened.scope, id: opened.id };
            let lost = peer.clone();
            let failed = move |error: axum::Error| {
                tracing::debug!(%error, "a WebSocket was not established");
                lost.closed(abnormal());
            };
            upgrade.on_failed_upgrade(failed).on_upgrade(move |socket| peer.run(socket))
        }
        Err(refused) => {
            let mut response = Response::new(Body::from(refused.body));
            *response.status_mut() = refused.status;
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response
        }
    }
}

/// The client's side of a connection.
#[derive(Clone)]
struct Peer {
    cloud: Cloud,
    /// The world that the connection was made in: see `Clock::era`.
    era: u64,
    scope: Scope,
    id: String,
}

/// What happens next to a socket.
enum Next {
    /// Something may be in the outbox.
    Look,
    Received(Option<Result<Message, axum::Error>>),
    Handled,
}

impl Peer {
    fn inner(&self) -> &Inner {
        &self.cloud.0
    }

    fn closed(&self, close: Close) {
        if self.is_of_this_world() {
            tell(self.inner(), &self.scope, "Closed", &Closed { id: self.id.clone(), close });
        }
    }

    fn is_of_this_world(&self) -> bool {
        self.inner().clock.era() == self.era
    }

    /// None once the cloud was reset.
    fn outbox(&self) -> Option<Outbox> {
        if !self.is_of_this_world() {
            return None;
        }
        self.inner().state_of::<Apis>("apigatewayv2", &self.scope)?.outboxes.get(&self.id).cloned()
    }

    fn wait(&self, signals: u64) -> Wait {
        Wait::new(&self.inner().clock, Some(signal(&self.id).into()), None).since(signals)
    }

    async fn run(self, mut socket: WebSocket) {
        let mut pending: VecDeque<Bytes> = VecDeque::new();
        let mut handling: Option<JoinHandle<()>> = None;
        let ended = loop {
            // What happens from here on may be the very signal that is waited for below.
            let signals = self.inner().clock.signals();
            match self.deliver(&mut socket).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(_) => break abnormal(),
            }
            if handling.is_none()
                && let Some(body) = pending.pop_front()
            {
                let (cloud, scope, id) = (self.cloud.clone(), self.scope.clone(), self.id.clone());
                handling = Some(tokio::spawn(async move { message::handle(&cloud.0, &scope, &id, body).await }));
            }
            let next = tokio::select! {
                _ = self.wait(signals) => Next::Look,
                received = socket.recv(), if pending.len() < READ_AHEAD => Next::Received(received),
                () = finished(&mut handling) => Next::Handled,
            };
            match next {
                Next::Look => {}
                Next::Handled => handling = None,
                Next::Received(Some(Ok(Message::Text(text)))) => pending.push_back(text.into()),
                Next::Received(Some(Ok(Message::Binary(data)))) => pending.push_back(data),
                Next::Received(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => {
                    tell(self.inner(), &self.scope, "Active", &self.id);
                }
                Next::Received(Some(Ok(Message::Close(frame)))) => break Self::close_of(&mut socket, frame).await,
                Next::Received(Some(Err(error))) => break Self::broken(&mut socket, &error).await,
                Next::Received(None) => break abnormal(),
            }
        };
        drop(socket);
        // What the client said before it left is heard.
        if handling.is_some() {
            finished(&mut handling).await;
        }
        for body in pending {
            message::handle(self.inner(), &self.scope, &self.id, body).await;
        }
        self.closed(ended);
    }

    /// Sends what waits; `false` once the connection was closed from this side.
    async fn deliver(&self, socket: &mut WebSocket) -> Result<bool, axum::Error> {
        loop {
            let Some(outbox) = self.outbox() else {
                Self::send_close(socket, &going_away()).await;
                return Ok(false);
            };
            let Some(frame) = outbox.frames.front() else {
                return match outbox.close {
                    None => Ok(true),
                    Some(close) => {
                        Self::send_close(socket, &close).await;
                        tell(self.inner(), &self.scope, "LetGo", &self.id);
                        Ok(false)
                    }
                };
            };
            let message = match std::str::from_utf8(frame) {
                Ok(text) => Message::Text(text.into()),
                Err(_) => Message::Binary(frame.clone()),
            };
            let taken = outbox.taken + 1;
            // Shared with the state as long as it is held, which would then copy what it changes.
            drop(outbox);
            // A client that does not read holds up nobody but itself, and no longer than its connection lasts.
            let sent = tokio::select! {
                sent = socket.send(message) => Some(sent),
                () = self.is_over() => None,
            };
            match sent {
                Some(sent) => sent?,
                None => {
                    tell(self.inner(), &self.scope, "LetGo", &self.id);
                    return Ok(false);
                }
            }
            tell(self.inner(), &self.scope, "Taken", &Taken { id: self.id.clone(), taken });
        }
    }

    /// Waits until the connection was closed from this side.
    async fn is_over(&self) {
        loop {
            let signals = self.inner().clock.signals();
            if self.outbox().is_none_or(|outbox| outbox.close.is_some()) {
                // What is being written may still get through.
                drop(real_limit(CLOSE_TIME, std::future::pending::<std::io::Result<()>>()).await);
                return;
            }
            drop(self.wait(signals).await);
        }
    }

    async fn send_close(socket: &mut WebSocket, close: &Close) {
        let frame = CloseFrame { code: close.code, reason: close.reason.as_str().into() };
        let closing = async {
            socket.send(Message::Close(Some(frame))).await.map_err(std::io::Error::other)?;
            drain(socket).await;
            Ok(())
        };
        if let Err(error) = real_limit(CLOSE_TIME, closing).await {
            tracing::debug!(%error, "a connection was not closed in an orderly way");
        }
    }

    /// The client has closed. Its close frame is answered by reading on.
    async fn close_of(socket: &mut WebSocket, frame: Option<CloseFrame>) -> Close {
        let drained = async {
            drain(socket).await;
            Ok(())
        };
        drop(real_limit(CLOSE_TIME, drained).await);
        match frame {
            Some(frame) if frame.code != NO_STATUS => Close { code: frame.code, reason: frame.reason.to_string() },
            _ => Close { code: NO_STATUS, reason: "Client-side close frame status not set".to_owned() },
        }
    }

    /// The client broke the protocol or a limit, or the connection broke.
    async fn broken(socket: &mut WebSocket, error: &axum::Error) -> Close {
        let text = error.to_string();
        // The library tells by its texts: its error type is not ours to name.
        let close = if text.contains("Space limit exceeded") {
            Close { code: TOO_BIG, reason: "Message is too large".to_owned() }
        } else if text.contains("without closing handshake") || text.contains("IO error") {
            return abnormal();
        } else {
            Close { code: PROTOCOL_ERROR, reason: "Protocol error".to_owned() }
        };
        Self::send_close(socket, &close).await;
        close
    }
}

/// Reads until the other side has closed as well.
async fn drain(socket: &mut WebSocket) {
    while let Some(Ok(_)) = socket.recv().await {}
}

/// Waits for what runs; for ever if nothing does.
async fn finished(handling: &mut Option<JoinHandle<()>>) {
    match handling {
        Some(task) => {
            if let Err(error) = task.await {
                tracing::error!(%error, "the handling of a message panicked");
            }
        }
        None => std::future::pending().await,
    }
}
