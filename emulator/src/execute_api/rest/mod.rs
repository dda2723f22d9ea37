//! Requests to REST APIs: from the stage that is addressed to the answer.
//!
//! The order of what happens to a request is API Gateway's own: stage, resource and method, who may, API key, what is required,
//! integration. Whatever of it fails is answered by the gateway itself (`refusal.rs`).

mod authorize;
mod aws;
mod binary;
mod context;
mod http;
mod integration;
mod json_path;
mod keys;
mod lambda;
mod lambda_proxy;
mod mock;
mod refusal;
mod request;
mod route;
mod schema;
mod template;
#[cfg(test)]
mod tests;
mod trial;
mod validate;

use std::sync::LazyLock;

use ::http::{HeaderName, HeaderValue, Response};
use bytes::Bytes;
use imbl::OrdMap;

use super::{Form, Incoming, forbidden};
use crate::Timestamp;
use crate::apigateway::RestApis;
use crate::apigateway::state::{Deployment, Integration, Method, Resource, Stage};
use crate::cloud::{Caller, Halt, Inner, Scope};
use context::Learned;
use refusal::Refusal;
use request::Request;
pub(super) use trial::test;

/// The largest body that API Gateway takes and gives, in bytes.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>
const PAYLOAD_LIMIT: usize = 10 * 1024 * 1024;

/// A request to a stage of a REST API, with all that is known of it.
struct Exchange<'a> {
    inner: &'a Inner,
    incoming: &'a Incoming<'a>,
    scope: &'a Scope,
    api: String,
    stage: &'a Stage,
    /// The stage's variables, with those of a canary.
    variables: OrdMap<String, String>,
    deployment: &'a Deployment,
    request: Request,
    /// What it is for, once that is known.
    resource: &'a Resource,
    method: &'a Method,
    path_parameters: Vec<(String, String)>,
    learned: Learned,
    /// Who signed the request, for a method that asks.
    signer: Option<Caller>,
    began: Timestamp,
    /// What happens, line by line, for a method that is only tried out.
    log: Option<parking_lot::Mutex<Vec<String>>>,
}

/// What a request is for as long as that is not known.
static NOWHERE: LazyLock<(Resource, Method)> = LazyLock::new(Default::default);

/// What the client is answered, before the headers that every answer has.
#[derive(Debug, Default)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Bytes,
}

/// Answers a request to a REST API.
pub(super) async fn answer(inner: &Inner, scope: &Scope, incoming: &Incoming<'_>) -> Result<Response<Bytes>, Halt> {
    let state = inner.state_of::<RestApis>("apigateway", scope);
    let open = state.as_ref().and_then(|state| Exchange::open(inner, scope, incoming, state));
    let Some(mut exchange) = open else {
        return Ok(forbidden(incoming.request_id));
    };
    let mut response = match exchange.run().await {
        Ok(answer) => written(answer),
        Err(refusal) => refusal.answer(&exchange),
    };
    put(&mut response, "x-amzn-requestid", incoming.request_id);
    let leaving = incoming.head.headers.get(::http::header::CONNECTION).is_some_and(|connection| connection == "close");
    if !leaving {
        put(&mut response, "connection", "keep-alive");
    }
    put(&mut response, "x-amz-apigw-id", &exchange.request.extended_id);
    let traced = exchange.method.method_integration.as_ref().is_some_and(|integration| integration.kind != "MOCK");
    if traced && !response.headers().contains_key("x-amzn-trace-id") {
        let Request { trace_id, span, .. } = &exchange.request;
        if trace_id.contains(";Parent=") {
            put(&mut response, "x-amzn-trace-id", trace_id);
        } else {
            put(&mut response, "x-amzn-trace-id", &format!("{trace_id};Parent={span};Sampled=0"));
        }
    }
    Ok(response)
}

fn written(answer: Answer) -> Response<Bytes> {
    let mut response = Response::new(answer.body);
    *response.status_mut() = ::http::StatusCode::from_u16(answer.status).unwrap_or(::http::StatusCode::BAD_GATEWAY);
    // How the answer is framed is for the connection to say.
    for (name, value) in answer.headers.into_iter().filter(|(name, _)| !name.eq_ignore_ascii_case("transfer-encoding"))
    {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name.as_str()), HeaderValue::from_bytes(value.as_bytes()))
        {
            response.headers_mut().append(name, value);
        }
    }
    response
}

fn put(response: &mut Response<Bytes>, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(HeaderName::from_static(name), value);
    }
}

impl<'a> Exchange<'a> {
    /// The exchange with a stage that is there.
    fn open(inner: &'a Inner, scope: &'a Scope, incoming: &'a Incoming<'a>, state: &'a RestApis) -> Option<Self> {
        let (stage, path) = incoming.address.staged();
        let api = state.apis.get(&incoming.address.api)?;
        if api.rest.disable_execute_api_endpoint && incoming.address.form == Form::Host {
            return None;
        }
        let stage = api.stages.get(&stage)?;
        let now = inner.clock.now();
        let request = Request::read(incoming, path, now);
        let mut deployment = &stage.deployment_id;
        let mut variables = stage.variables.clone().unwrap_or_default();
        let mut canary_taken = false;
        if let Some(canary) = &stage.canary_settings {
            // Which requests are the canary's is a matter of chance, and here of the request's id, so that runs repeat.
            let share = u32::from_str_radix(incoming.request_id.get(..4).unwrap_or("0"), 16).unwrap_or_default();
            canary_taken = f64::from(share) / 65536.0 * 100.0 < canary.percent_traffic;
            if canary_taken {
                deployment = &canary.deployment_id;
                variables = canary.stage_variable_overrides.clone().unwrap_or_default().union(variables);
            }
        }
        let deployment = api.deployments.get(deployment)?;
        let mut exchange = Self {
            inner,
            incoming,
            scope,
            api: incoming.address.api.clone(),
            stage,
            variables,
            deployment,
            request,
            resource: &NOWHERE.0,
            method: &NOWHERE.1,
            path_parameters: Vec::new(),
            learned: Learned::default(),
            signer: None,
            began: now,
            log: None,
        };
        exchange.begin_context(canary_taken);
        Some(exchange)
    }

    async fn run(&mut self) -> Result<Answer, Refusal> {
        self.route()?;
        if self.request.body.len() > PAYLOAD_LIMIT {
            return Err(Refusal::too_large());
        }
        self.authorize().await?;
        self.spend_key()?;
        self.answered().await
    }

    /// What comes after it is known that the method may be called.
    async fn answered(&mut self) -> Result<Answer, Refusal> {
        self.validate()?;
        let method = self.method;
        let integration = method.method_integration.as_ref().ok_or_else(|| Refusal::configuration(500))?;
        let answer = self.integrate(integration).await?;
        if answer.body.len() > PAYLOAD_LIMIT {
            return Err(Refusal::configuration(500));
        }
        Ok(answer)
    }

    fn route(&mut self) -> Result<(), Refusal> {
        let deployment = self.deployment;
        let route = route::route(&deployment.content, &self.request.method, &self.request.path);
        let route = route.ok_or_else(Refusal::missing_token)?;
        (self.resource, self.method, self.path_parameters) = (route.resource, route.method, route.parameters);
        self.learned.routed = true;
        Ok(())
    }

    async fn integrate(&mut self, integration: &Integration) -> Result<Answer, Refusal> {
        // Each on the heap, as an authorizer is: together they are too much for a thread's stack, and much to copy for those that
        // want only one of them.
        match integration.kind.as_str() {
            "AWS_PROXY" => Box::pin(self.lambda_proxy(integration)).await,
            "AWS" => Box::pin(self.aws(integration)).await,
            "HTTP" => Box::pin(self.http(integration)).await,
            "HTTP_PROXY" => Box::pin(self.http_proxy(integration)).await,
            "MOCK" => self.mock(integration),
            other => Err(Refusal::not_implemented(format!("integrations of type {other}"))),
        }
    }

    /// Does something within the time that an integration has, by the cloud's clock.
    async fn within<T>(&self, millis: i64, doing: impl Future<Output = Result<T, Refusal>>) -> Result<T, Refusal> {
        let time = std::time::Duration::from_millis(u64::try_from(millis).unwrap_or_default());
        self.inner.within(time, doing).await.unwrap_or_else(|| Err(Refusal::timeout()))
    }
}
