//! `$disconnect`: what runs once a connection has ended. Nobody waits for what it answers, and nobody tries again.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-keys-connect-disconnect.html>

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::Apis;
use super::super::invoke::Outcome;
use super::super::state::{Api, Close, Connection, Integration, Served, Stage};
use super::event::{Circumstances, Kind, proxy};
use super::message::Integrated;
use super::{integration_of, select};
use crate::cloud::{Cloud, JobFuture, Scope};

/// The route of connections that have ended.
const DISCONNECT: &str = "$disconnect";

/// A connection that has ended.
#[derive(Serialize, Deserialize)]
pub(super) struct Ended {
    pub id: String,
    pub connection: Connection,
    pub close: Close,
    pub request_id: String,
}

/// Where the route leads, if there is one.
pub(super) fn route<'a>(api: &'a Api, connection: &Connection) -> Option<(&'a Stage, &'a Served, &'a Integration)> {
    let stage = api.stages.get(&connection.stage)?;
    let served = api.served(stage)?;
    let route = select::route(served, DISCONNECT)?;
    Some((stage, served, integration_of(served, route)?))
}

/// The job that calls the integration.
pub(super) fn job(cloud: Cloud, scope: Scope, input: Value) -> JobFuture {
    Box::pin(async move {
        match serde_json::from_value(input) {
            Ok(ended) => run(&cloud, &scope, &ended).await,
            Err(error) => tracing::error!(%error, "an ended connection that cannot be read"),
        }
    })
}

async fn run(cloud: &Cloud, scope: &Scope, ended: &Ended) {
    let Some(apis) = cloud.0.state_of::<Apis>("apigatewayv2", scope) else { return };
    let Ended { id, connection, close, request_id } = ended;
    let place = apis.apis.get(&connection.api_id).and_then(|api| route(api, connection));
    // The API may be gone since.
    let Some((stage, served, integration)) = place else { return };
    let at = Circumstances {
        connection_id: id,
        connection,
        stage,
        route_key: DISCONNECT,
        request_id,
        now: cloud.0.clock.now(),
    };
    let event = proxy(&at, &Kind::Disconnect(close));
    let source_arn = scope.arn("execute-api", format_args!("{}/{}/{DISCONNECT}", connection.api_id, connection.stage));
    // There is no message: an HTTP service is sent the event.
    let body = Bytes::from(event.to_string());
    let call = Integrated { served, stage, integration, event: &event, body, source_arn };
    match call.run(&cloud.0, scope).await {
        Outcome::Answered(_) => {}
        outcome => {
            tracing::info!(connection = id, failed = matches!(outcome, Outcome::Failed), "$disconnect did not succeed")
        }
    }
}
