//! The handshake: stage, authorizer, `$connect`.

use std::net::IpAddr;

use bytes::Bytes;
use http::request::Parts;
use http::{StatusCode, header};
use serde_json::json;

use super::super::authorize::{self, Asked, Sources, Verdict};
use super::super::invoke::Outcome;
use super::super::state::{Connection, Route, Served, Stage};
use super::super::{Apis, address};
use super::connections::{Connected, tell};
use super::event::{Circumstances, Handshake, Kind, authorization, proxy};
use super::message::Integrated;
use super::{event_id, integration_of, select, wants_key};
use crate::cloud::{Inner, Scope};
use crate::execute_api::Address;

/// The route of handshakes.
const CONNECT: &str = "$connect";

/// A client that was let in.
pub(crate) struct Opened {
    /// Where the API is.
    pub scope: Scope,
    /// The connection's id.
    pub id: String,
    /// The sub-protocol that the integration chose.
    pub protocol: Option<String>,
}

/// A client that was not.
#[derive(Debug)]
pub(crate) struct Refused {
    /// The HTTP status.
    pub status: StatusCode,
    /// The body, as JSON.
    pub body: String,
}

/// A handshake on its way.
struct Opening<'a> {
    inner: &'a Inner,
    scope: &'a Scope,
    stage: &'a Stage,
    served: &'a Served,
    handshake: Handshake,
    head: &'a Parts,
    id: String,
    request_id: String,
    connection: Connection,
}

/// Lets a client in, or not. The connection exists once the integration of `$connect` has agreed.
pub(crate) async fn open(
    inner: &Inner,
    scope: &Scope,
    to: &Address,
    head: &Parts,
    ip: Option<IpAddr>,
) -> Result<Opened, Refused> {
    let (id, request_id) = {
        let mut ids = inner.request_ids.lock();
        (event_id(&mut ids), event_id(&mut ids))
    };
    let apis = inner.state_of::<Apis>("apigatewayv2", scope).unwrap_or_default();
    let (stage, _) = to.staged();
    let place = apis.apis.get(&to.api).filter(|api| !address::is_closed(api, to)).and_then(|api| {
        let stage = api.stages.get(&stage)?;
        Some((stage, api.served(stage)?))
    });
    let Some((stage, served)) = place else { return Err(refused(403, "Forbidden", &id, &request_id)) };
    let now = inner.clock.now();
    let source_ip = ip.map_or_else(|| "127.0.0.1".to_owned(), |ip| ip.to_string());
    let text = |name| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let added = [
        ("X-Forwarded-For", source_ip.clone()),
        ("X-Forwarded-Port", "443".to_owned()),
        ("X-Forwarded-Proto", "https".to_owned()),
    ];
    let opening = Opening {
        inner,
        scope,
        stage,
        served,
        handshake: Handshake::read(&head.headers, head.uri.query(), &added),
        head,
        connection: Connection {
            api_id: to.api.clone(),
            stage: stage.stage_name.clone().unwrap_or_default(),
            connected_at: now,
            last_active_at: now,
            source_ip,
            user_agent: text(header::USER_AGENT),
            domain: address::domain_name(to, head),
            authorizer: None,
            vanished: false,
        },
        id,
        request_id,
    };
    opening.run().await
}

impl Opening<'_> {
    async fn run(mut self) -> Result<Opened, Refused> {
        let mut protocol = None;
        if let Some(route) = select::route(self.served, CONNECT) {
            if wants_key(route) {
                return Err(self.refuse(403, "Forbidden"));
            }
            self.authorize(route).await?;
            protocol = self.connect(route).await?;
        }
        let Self { inner, scope, id, connection, .. } = self;
        tell(inner, scope, "Connected", &Connected { id: id.clone(), connection });
        Ok(Opened { scope: scope.clone(), id, protocol })
    }

    fn refuse(&self, status: u16, message: &str) -> Refused {
        refused(status, message, &self.id, &self.request_id)
    }

    fn arn(&self) -> String {
        let Connection { api_id, stage, .. } = &self.connection;
        self.scope.arn("execute-api", format_args!("{api_id}/{stage}/{CONNECT}"))
    }

    fn circumstances(&self) -> Circumstances<'_> {
        Circumstances {
            connection_id: &self.id,
            connection: &self.connection,
            stage: self.stage,
            route_key: CONNECT,
            request_id: &self.request_id,
            now: self.connection.connected_at,
        }
    }

    async fn authorize(&mut self, route: &Route) -> Result<(), Refused> {
        let verdict = match route.authorization_type.as_deref().unwrap_or("NONE") {
            "NONE" => Verdict::Allowed(None),
            "AWS_IAM" => address::signed(self.inner, self.scope, (self.head, &Bytes::new()), &self.arn()),
            "CUSTOM" => self.ask(route).await,
            other => {
                tracing::warn!(kind = other, "a WebSocket API has no such authorization");
                Verdict::Failed
            }
        };
        match verdict {
            Verdict::Allowed(said) => {
                self.connection.authorizer = said;
                Ok(())
            }
            Verdict::Unauthorized => Err(self.refuse(401, "Unauthorized")),
            Verdict::Forbidden => Err(self.refuse(403, "Forbidden")),
            Verdict::Failed => Err(self.refuse(500, "Internal server error")),
        }
    }

    async fn ask(&self, route: &Route) -> Verdict {
        let authorizer = route.authorizer_id.as_ref().and_then(|id| self.served.authorizers.get(id));
        let Some(authorizer) = authorizer else { return Verdict::Failed };
        let variables = self.stage.stage_variables.as_ref();
        let sources = Sources { headers: &self.handshake.headers, query: &self.handshake.query, variables };
        if sources.identities(authorizer.identity_source.as_deref().unwrap_or_default()).is_none() {
            return Verdict::Unauthorized;
        }
        let arn = self.arn();
        let event = authorization(&self.circumstances(), &self.handshake, &arn);
        let asked =
            Asked { api_id: &self.connection.api_id, variables, resource: &arn, time: authorize::WEBSOCKET_TIME };
        authorize::ask(self.inner, self.scope, authorizer, &asked, &event).await
    }

    /// Runs the integration of `$connect`; the sub-protocol that it chose.
    async fn connect(&self, route: &Route) -> Result<Option<String>, Refused> {
        let Some(integration) = integration_of(self.served, route) else {
            return Err(self.refuse(500, "Internal server error"));
        };
        let event = proxy(&self.circumstances(), &Kind::Connect(&self.handshake));
        let call = Integrated {
            served: self.served,
            stage: self.stage,
            integration,
            event: &event,
            body: Bytes::new(),
            source_arn: self.arn(),
        };
        match call.run(self.inner, self.scope).await {
            Outcome::Answered(answer) if (200..300).contains(&answer.status) => Ok(answer.protocol),
            Outcome::Answered(answer) => {
                let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_GATEWAY);
                Err(self.refuse(status.as_u16(), status.canonical_reason().unwrap_or("Refused")))
            }
            Outcome::Failed => Err(self.refuse(502, "Internal server error")),
            Outcome::TimedOut => Err(self.refuse(504, "Endpoint request timed out")),
        }
    }
}

fn refused(status: u16, message: &str, connection_id: &str, request_id: &str) -> Refused {
    let body = json!({ "message": message, "connectionId": connection_id, "requestId": request_id }).to_string();
    Refused { status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), body }
}
