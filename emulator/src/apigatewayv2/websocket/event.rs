//! The events that functions of a WebSocket API receive.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-proxy-integrations.html> and
//! the variables of
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-mapping-template-reference.html>

use http::HeaderMap;
use serde_json::{Map, Value, json};

use super::super::parameters::{self, Pairs};
use super::super::state::{Close, Connection, Stage};
use crate::Timestamp;

/// What an event is about.
pub(super) enum Kind<'a> {
    /// A client wants to connect.
    Connect(&'a Handshake),
    /// A client sent something.
    Message { id: &'a str, body: &'a [u8] },
    /// A connection has ended.
    Disconnect(&'a Close),
}

/// What a client's handshake brought.
pub(super) struct Handshake {
    pub headers: Pairs,
    pub query: Pairs,
}

impl Handshake {
    pub fn read(headers: &HeaderMap, query: Option<&str>, added: &[(&str, String)]) -> Self {
        let mut headers = parameters::headers(headers);
        // They are the connection's, not the message's.
        headers.retain(|(name, _)| !matches!(name.as_str(), "Connection" | "Upgrade"));
        headers.extend(added.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        headers.sort();
        Self { headers, query: parameters::query(query.unwrap_or_default()) }
    }
}

/// The circumstances of an event.
pub(super) struct Circumstances<'a> {
    pub connection_id: &'a str,
    pub connection: &'a Connection,
    pub stage: &'a Stage,
    pub route_key: &'a str,
    pub request_id: &'a str,
    pub now: Timestamp,
}

/// The event of a proxy integration.
pub(super) fn proxy(at: &Circumstances<'_>, kind: &Kind<'_>) -> Value {
    let mut event = Map::new();
    match kind {
        Kind::Connect(handshake) => {
            event.insert("headers".into(), parameters::last(&handshake.headers));
            event.insert("multiValueHeaders".into(), parameters::all(&handshake.headers));
            if !handshake.query.is_empty() {
                event.insert("queryStringParameters".into(), parameters::last(&handshake.query));
                event.insert("multiValueQueryStringParameters".into(), parameters::all(&handshake.query));
            }
        }
        Kind::Disconnect(_) => {
            let host = &at.connection.domain;
            event.insert(
                "headers".into(),
                json!({ "Host": host, "x-api-key": "", "X-Forwarded-For": "", "x-restapi": "" }),
            );
            event.insert(
                "multiValueHeaders".into(),
                json!({ "Host": [host], "x-api-key": [""], "X-Forwarded-For": [""], "x-restapi": [""] }),
            );
        }
        Kind::Message { .. } => {}
    }
    add_variables(&mut event, at.stage);
    event.insert("requestContext".into(), context(at, kind));
    let mut encoded = false;
    if let Kind::Message { body, .. } = kind {
        let (text, is_encoded) = parameters::text_or_base64(body);
        encoded = is_encoded;
        event.insert("body".into(), text.into());
    }
    event.insert("isBase64Encoded".into(), encoded.into());
    Value::Object(event)
}

/// The event of a REQUEST authorizer.
pub(super) fn authorization(at: &Circumstances<'_>, handshake: &Handshake, method_arn: &str) -> Value {
    json!({
        "type": "REQUEST",
        "methodArn": method_arn,
        "headers": parameters::last(&handshake.headers),
        "multiValueHeaders": parameters::all(&handshake.headers),
        "queryStringParameters": parameters::last(&handshake.query),
        "multiValueQueryStringParameters": parameters::all(&handshake.query),
        "stageVariables": at.stage.stage_variables.clone().unwrap_or_default(),
        "requestContext": context(at, &Kind::Connect(handshake)),
    })
}

fn add_variables(event: &mut Map<String, Value>, stage: &Stage) {
    if let Some(variables) = stage.stage_variables.as_ref().filter(|variables| !variables.is_empty()) {
        event.insert("stageVariables".into(), json!(variables));
    }
}

fn context(at: &Circumstances<'_>, kind: &Kind<'_>) -> Value {
    let connection = at.connection;
    let mut context = Map::new();
    let mut put = |name: &str, value: Value| context.insert(name.to_owned(), value);
    put("routeKey", at.route_key.into());
    if let Some(authorizer) = &connection.authorizer {
        put("authorizer", authorizer.clone());
    }
    if let Kind::Message { id, .. } = kind {
        put("messageId", (*id).into());
    }
    if let Kind::Disconnect(close) = kind {
        put("disconnectStatusCode", close.code.into());
        put("disconnectReason", close.reason.clone().into());
    }
    let event_type = match kind {
        Kind::Connect(_) => "CONNECT",
        Kind::Message { .. } => "MESSAGE",
        Kind::Disconnect(_) => "DISCONNECT",
    };
    put("eventType", event_type.into());
    put("extendedRequestId", at.request_id.into());
    put("requestTime", at.now.to_log_time().into());
    put("messageDirection", "IN".into());
    put("stage", connection.stage.clone().into());
    put("connectedAt", connection.connected_at.millis().into());
    put("requestTimeEpoch", at.now.millis().into());
    let mut identity = json!({ "sourceIp": connection.source_ip });
    if !connection.user_agent.is_empty() {
        identity["userAgent"] = connection.user_agent.clone().into();
    }
    put("identity", identity);
    put("requestId", at.request_id.into());
    put("domainName", connection.domain.clone().into());
    put("connectionId", at.connection_id.into());
    put("apiId", connection.api_id.clone().into());
    Value::Object(context)
}
