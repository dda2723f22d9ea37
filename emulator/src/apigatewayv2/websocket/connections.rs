//! Connections as data: the management API's operations, what the data plane reports, and the timers that end them.

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::super::Apis;
use super::super::state::{Close, Connection, Outbox};
use super::disconnect::{self, Ended};
use crate::cloud::{At, Cx, Inner, Scope, Service, Target};
use crate::{Error, Result, Timestamp};

/// The largest message, in bytes, either way.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html>
pub(crate) const MESSAGE_LIMIT: usize = 128 * 1024;
/// The largest frame, in bytes, same page.
pub(crate) const FRAME_LIMIT: usize = 32 * 1024;
/// A connection on which nothing is said for this long is closed, same page.
const IDLE: Duration = Duration::from_secs(10 * 60);
/// A connection lasts this long at most, same page.
const LIFETIME: Duration = Duration::from_secs(2 * 3600);
/// What may wait for a client that reads slowly: AWS names no figures. Beyond it the sender is told to slow down.
const OUTBOX_FRAMES: usize = 1024;
const OUTBOX_BYTES: usize = 1024 * 1024;
/// What IAM calls the management of connections.
const MANAGE: &str = "execute-api:ManageConnections";

/// Close codes: RFC 6455, section 7.4.1.
pub(super) const GOING_AWAY: u16 = 1001;
pub(super) const ABNORMAL: u16 = 1006;

/// Adds the operations, events and timers of this file.
pub(crate) fn operations(service: Service<Apis>) -> Service<Apis> {
    service
        .op("PostToConnection", |at, i: &OfConnection| on(at, "POST", i), post)
        .op("GetConnection", |at, i: &OfConnection| on(at, "GET", i), get)
        .op("DeleteConnection", |at, i: &OfConnection| on(at, "DELETE", i), delete)
        .event("Connected", connected)
        .event("Active", active)
        .event("RouteAnswered", answered)
        .event("Taken", taken)
        .event("Vanished", vanished)
        .event("Closed", closed)
        .event("LetGo", let_go)
        .event("Idle", idle)
        .event("Lifetime", |cx, id| end(cx, id, going_away()))
        .job("Disconnect", disconnect::job)
}

/// What the operations take. API and stage are those of the address that the call went to, where it went to one: they are in
/// the host name and the path, not among the model's members.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfConnection {
    connection_id: String,
    api_id: Option<String>,
    stage: Option<String>,
}

fn on(at: &At<Apis>, method: &str, of: &OfConnection) -> Target {
    let known = at.state.connections.get(&of.connection_id);
    let api = of.api_id.as_deref().or(known.map(|connection| &*connection.api_id)).unwrap_or("*");
    let stage = of.stage.as_deref().or(known.map(|connection| &*connection.stage)).unwrap_or("*");
    let resource = format!("{api}/{stage}/{method}/@connections/{}", of.connection_id);
    Target::on(at.scope.arn("execute-api", resource)).action(MANAGE)
}

/// What wakes those who wait for a connection's outbox.
pub(super) fn signal(id: &str) -> String {
    format!("websocket/{id}")
}

/// Reports to the state.
pub(super) fn tell(inner: &Inner, scope: &Scope, event: &'static str, what: &impl Serialize) {
    let told = serde_json::to_string(what).map_err(Error::from);
    if let Err(error) = told.and_then(|key| inner.event("apigatewayv2", scope, event, &key)) {
        tracing::error!(event, %error, "a connection's state was not changed");
    }
}

fn gone() -> Error {
    Error::new(410, "GoneException", "")
}

fn find<'a>(cx: &'a mut Cx<Apis>, of: &OfConnection) -> Result<&'a mut Connection> {
    let here = |connection: &Connection| {
        of.api_id.as_ref().is_none_or(|api| *api == connection.api_id)
            && of.stage.as_ref().is_none_or(|stage| *stage == connection.stage)
    };
    cx.state.connections.get_mut(&of.connection_id).filter(|connection| here(connection)).ok_or_else(gone)
}

fn post(cx: &mut Cx<Apis>, input: OfConnection) -> Result<()> {
    let data = cx.body.clone();
    if data.len() > MESSAGE_LIMIT {
        return Err(Error::new(
            413,
            "PayloadTooLargeException",
            format!("Message is larger than {MESSAGE_LIMIT} bytes"),
        ));
    }
    // What is written to a client that is gone comes back.
    if find(cx, &input)?.vanished {
        return Err(gone());
    }
    push(cx, &input.connection_id, data)?;
    touch(cx, &input.connection_id);
    Ok(())
}

fn push(cx: &mut Cx<Apis>, id: &str, data: Bytes) -> Result<()> {
    let outbox = cx.state.outboxes.get_mut(id).ok_or_else(gone)?;
    if outbox.frames.len() >= OUTBOX_FRAMES || outbox.bytes + data.len() > OUTBOX_BYTES {
        return Err(Error::new(429, "LimitExceededException", "The client does not read what was sent before"));
    }
    outbox.bytes += data.len();
    outbox.frames.push_back(data);
    cx.signal(signal(id));
    Ok(())
}

fn touch(cx: &mut Cx<Apis>, id: &str) {
    let now = cx.now;
    if let Some(connection) = cx.state.connections.get_mut(id) {
        connection.last_active_at = now;
        cx.set_timer("Idle", id, now + IDLE);
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    connected_at: Timestamp,
    identity: Identity,
    last_active_at: Timestamp,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Identity {
    source_ip: String,
    user_agent: String,
}

fn get(cx: &mut Cx<Apis>, input: OfConnection) -> Result<Described> {
    let found = find(cx, &input)?.clone();
    Ok(Described {
        connected_at: found.connected_at,
        identity: Identity { source_ip: found.source_ip, user_agent: found.user_agent },
        last_active_at: found.last_active_at,
    })
}

fn delete(cx: &mut Cx<Apis>, input: OfConnection) -> Result<()> {
    find(cx, &input)?;
    end(cx, &input.connection_id, Close { code: 1000, reason: "Connection Closed Normally".to_owned() })
}

/// A client that was let in.
#[derive(Serialize, Deserialize)]
pub(super) struct Connected {
    pub id: String,
    pub connection: Connection,
}

fn connected(cx: &mut Cx<Apis>, report: &str) -> Result<()> {
    let Connected { id, connection } = serde_json::from_str(report)?;
    let now = cx.now;
    cx.set_timer("Idle", id.as_str(), now + IDLE);
    cx.set_timer("Lifetime", id.as_str(), connection.connected_at + LIFETIME);
    cx.state.outboxes.insert(id.clone(), Outbox::default());
    cx.state.connections.insert(id, connection);
    Ok(())
}

fn active(cx: &mut Cx<Apis>, report: &str) -> Result<()> {
    let id: String = serde_json::from_str(report)?;
    touch(cx, &id);
    Ok(())
}

/// What a route answers its client.
#[derive(Serialize, Deserialize)]
pub(super) struct Answered {
    pub id: String,
    pub text: String,
}

fn answered(cx: &mut Cx<Apis>, report: &str) -> Result<()> {
    let Answered { id, text } = serde_json::from_str(report)?;
    // A client that is gone, or does not read, does not get it.
    if push(cx, &id, Bytes::from(text)).is_ok() {
        touch(cx, &id);
    }
    Ok(())
}

/// How many frames the client's side has taken, of all there ever were.
#[derive(Serialize, Deserialize)]
pub(super) struct Taken {
    pub id: String,
    pub taken: u64,
}

fn taken(cx: &mut Cx<Apis>, report: &str) -> Result<()> {
    let report: Taken = serde_json::from_str(report)?;
    let Some(outbox) = cx.state.outboxes.get_mut(&report.id) else { return Ok(()) };
    while outbox.taken < report.taken {
        let Some(frame) = outbox.frames.pop_front() else { break };
        outbox.bytes -= frame.len();
        outbox.taken += 1;
    }
    Ok(())
}

fn vanished(cx: &mut Cx<Apis>, report: &str) -> Result<()> {
    let id: String = serde_json::from_str(report)?;
    cx.state.outboxes.remove(&id);
    if let Some(connection) = cx.state.connections.get_mut(&id) {
        connection.vanished = true;
    }
    Ok(())
}

/// That the client, or its socket, has ended the connection.
#[derive(Serialize, Deserialize)]
pub(super) struct Closed {
    pub id: String,
    pub close: Close,
}

fn closed(cx: &mut Cx<Apis>, report: &str) -> Result<()> {
    let Closed { id, close } = serde_json::from_str(report)?;
    end(cx, &id, close)?;
    cx.state.outboxes.remove(&id);
    Ok(())
}

fn let_go(cx: &mut Cx<Apis>, report: &str) -> Result<()> {
    let id: String = serde_json::from_str(report)?;
    cx.state.outboxes.remove(&id);
    Ok(())
}

pub(super) fn going_away() -> Close {
    Close { code: GOING_AWAY, reason: "Going away".to_owned() }
}

pub(super) fn abnormal() -> Close {
    Close { code: ABNORMAL, reason: "Connection Closed Abnormally".to_owned() }
}

fn idle(cx: &mut Cx<Apis>, id: &str) -> Result<()> {
    // That a client vanished shows when it does not answer the close.
    let vanished = cx.state.connections.get(id).is_some_and(|connection| connection.vanished);
    end(cx, id, if vanished { abnormal() } else { going_away() })
}

/// Ends a connection: the client is told, and `$disconnect` runs. One that has ended already is passed over.
fn end(cx: &mut Cx<Apis>, id: &str, close: Close) -> Result<()> {
    let Some(connection) = cx.state.connections.remove(id) else { return Ok(()) };
    cx.cancel_timer("Idle", id);
    cx.cancel_timer("Lifetime", id);
    if let Some(outbox) = cx.state.outboxes.get_mut(id) {
        outbox.close = Some(close.clone());
    }
    cx.signal(signal(id));
    let api = cx.state.apis.get(&connection.api_id);
    if api.is_none_or(|api| disconnect::route(api, &connection).is_none()) {
        return Ok(());
    }
    let request_id = super::event_id(cx.ids());
    cx.start("Disconnect", &Ended { id: id.to_owned(), connection, close, request_id })
}
