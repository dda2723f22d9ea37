//! Messages of clients: which route they take, and what the client is answered.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

use super::super::invoke::{self, Function, Outcome};
use super::super::state::{Integration, Served, Stage};
use super::super::{Apis, function, integrations, parameters};
use super::connections::{Answered, tell};
use super::event::{Circumstances, Kind, proxy};
use super::{event_id, integration_of, select, wants_key};
use crate::cloud::{Inner, Scope};

/// What an integration answered.
pub(super) struct Answer {
    pub status: u16,
    pub body: Option<String>,
    /// The sub-protocol that the answer to `$connect` chooses.
    pub protocol: Option<String>,
}

/// Handles a message. A connection that has ended meanwhile is passed over.
pub(super) async fn handle(inner: &Inner, scope: &Scope, id: &str, body: Bytes) {
    tell(inner, scope, "Active", &id);
    let Some(apis) = inner.state_of::<Apis>("apigatewayv2", scope) else { return };
    let Some(connection) = apis.connections.get(id) else { return };
    let (request_id, message_id) = {
        let mut ids = inner.request_ids.lock();
        (event_id(&mut ids), event_id(&mut ids))
    };
    let refuse = |message: &str| {
        let text = json!({ "message": message, "connectionId": id, "requestId": request_id }).to_string();
        tell(inner, scope, "RouteAnswered", &Answered { id: id.to_owned(), text });
    };
    let api = apis.apis.get(&connection.api_id);
    let place = api.and_then(|api| {
        let stage = api.stages.get(&connection.stage)?;
        Some((stage, api.served(stage)?))
    });
    let Some((stage, served)) = place else { return refuse("Forbidden") };
    let route = select::select(served, &body).filter(|route| !wants_key(route));
    let Some(route) = route else { return refuse("Forbidden") };
    let key = route.route_key.as_deref().unwrap_or_default();
    let Some(integration) = integration_of(served, route) else { return refuse("Internal server error") };
    let at = Circumstances {
        connection_id: id,
        connection,
        stage,
        route_key: key,
        request_id: &request_id,
        now: inner.clock.now(),
    };
    let event = proxy(&at, &Kind::Message { id: &message_id, body: &body });
    let source_arn = scope.arn("execute-api", format_args!("{}/{}/{key}", connection.api_id, connection.stage));
    let call = Integrated { served, stage, integration, event: &event, body, source_arn };
    match call.run(inner, scope).await {
        Outcome::TimedOut => refuse("Endpoint request timed out"),
        Outcome::Failed => refuse("Internal server error"),
        // Without a route response the route is one-way: what it answers is for nobody.
        Outcome::Answered(answer) if answers(served, route.route_id.as_deref()) => {
            if let Some(text) = answer.body.filter(|_| route.route_response_selection_expression.is_some()) {
                tell(inner, scope, "RouteAnswered", &Answered { id: id.to_owned(), text });
            }
        }
        Outcome::Answered(_) => {}
    }
}

/// Whether a route has a response.
fn answers(served: &Served, route: Option<&str>) -> bool {
    served.route_responses.values().any(|response| response.route_id.as_deref() == route)
}

/// A call of an integration.
pub(super) struct Integrated<'a> {
    pub served: &'a Served,
    pub stage: &'a Stage,
    pub integration: &'a Integration,
    pub event: &'a Value,
    /// What the client sent.
    pub body: Bytes,
    pub source_arn: String,
}

impl Integrated<'_> {
    pub async fn run(&self, inner: &Inner, scope: &Scope) -> Outcome<Answer> {
        let variables = self.stage.stage_variables.as_ref();
        match self.integration.integration_type.as_deref() {
            Some("AWS_PROXY") => {
                let uri = self.integration.integration_uri.as_deref().unwrap_or_default();
                let uri = function::with_variables(uri, variables);
                let Some(arn) = function::arn_of(&uri) else { return Outcome::Failed };
                let role = self.integration.credentials_arn.as_deref().filter(|role| !role.is_empty());
                let called = Function { arn, role, source_arn: self.source_arn.clone() };
                match invoke::function(inner, scope, &called, self.event, time(self.integration)).await {
                    Outcome::Answered(answer) => read(&answer).map_or(Outcome::Failed, Outcome::Answered),
                    Outcome::Failed => Outcome::Failed,
                    Outcome::TimedOut => Outcome::TimedOut,
                }
            }
            Some("HTTP_PROXY") => http(inner, self.integration, self.body.clone(), variables).await,
            Some("MOCK") => self.mock(),
            _ => Outcome::Failed,
        }
    }

    /// A mock answers what its templates say. Only templates without a variable are served: there is nothing to compute.
    fn mock(&self) -> Outcome<Answer> {
        let template = self.integration.request_templates.as_ref().and_then(|all| all.values().next());
        let asked: Option<Value> = template.and_then(|text| serde_json::from_str(text).ok());
        let Some(status) = asked.and_then(|asked| status_of(&asked["statusCode"])) else { return Outcome::Failed };
        let id = self.integration.integration_id.as_deref();
        let mut responses =
            self.served.integration_responses.values().filter(|one| one.integration_id.as_deref() == id);
        let body = responses.find_map(|one| one.response_templates.as_ref()?.values().next().cloned());
        if body.as_deref().is_some_and(|body| body.contains('$') || body.contains('#')) {
            tracing::warn!("a mock integration's template has variables, which are not computed here");
            return Outcome::Failed;
        }
        Outcome::Answered(Answer { status, body, protocol: None })
    }
}

fn time(integration: &Integration) -> Duration {
    Duration::from_millis(integration.timeout_in_millis.unwrap_or(integrations::WEBSOCKET_TIMEOUT))
}

fn status_of(value: &Value) -> Option<u16> {
    let status = match value {
        Value::String(text) => text.parse().ok()?,
        other => other.as_u64()?,
    };
    u16::try_from(status).ok().filter(|status| (100..=599).contains(status))
}

/// The answer of a function: a status at least, and a body.
fn read(answer: &Value) -> Option<Answer> {
    let status = status_of(&answer["statusCode"])?;
    let body = match &answer["body"] {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    let headers = answer["headers"].as_object();
    let protocol = headers.and_then(|headers| {
        let (_, value) = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-protocol"))?;
        parameters::scalar(value)
    });
    Some(Answer { status, body, protocol })
}

/// Sends what the client sent to an HTTP service.
pub(super) async fn http(
    inner: &Inner,
    integration: &Integration,
    body: Bytes,
    variables: Option<&super::super::state::Texts>,
) -> Outcome<Answer> {
    let uri = function::with_variables(integration.integration_uri.as_deref().unwrap_or_default(), variables);
    let method = integration.integration_method.as_deref().filter(|method| *method != "ANY").unwrap_or("POST");
    let request = Request::builder().method(method).uri(uri).header("content-type", "application/json").body(body);
    let Ok(request) = request else { return Outcome::Failed };
    match invoke::http(inner, request, time(integration)).await {
        Outcome::Answered(response) => {
            let (head, body) = response.into_parts();
            let body = Some(String::from_utf8_lossy(&body).into_owned()).filter(|body| !body.is_empty());
            Outcome::Answered(Answer { status: head.status.as_u16(), body, protocol: None })
        }
        Outcome::Failed => Outcome::Failed,
        Outcome::TimedOut => Outcome::TimedOut,
    }
}
