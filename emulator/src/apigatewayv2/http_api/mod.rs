//! The data plane of HTTP APIs.
//!
//! Stage, preflight, route, authorizer, integration, answer: `answer` reads in that order.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api.html>

mod cors;
mod event;
pub(super) mod issuer;
mod jwt;
mod response;
mod route;
#[cfg(test)]
mod tests;
mod token;

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, HOST, HeaderName, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri};
use serde_json::{Value, json};

pub(crate) use self::cors::{is_preflight, preflight, stamp};
pub(crate) use self::event::Told;
pub(crate) use self::response::of_function;
use self::route::Found;
use super::apis::DEFAULT_STAGE;
use super::authorize::{self, Asked, Sources, Verdict};
use super::invoke::{self, Function, Outcome};
use super::parameters::{self, Pairs};
use super::state::{Api, Authorizer, Integration, Route, Served, Stage};
use super::{Apis, address, function, integrations};
use crate::cloud::{Halt, Inner, Scope};
use crate::execute_api::{Form, Incoming};

/// The largest request, in bytes.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>
const PAYLOAD_LIMIT: usize = 10 * 1024 * 1024;

/// A request that has found its route.
struct Routed<'a> {
    inner: &'a Inner,
    scope: &'a Scope,
    incoming: &'a Incoming<'a>,
    stage: &'a Stage,
    served: &'a Served,
    route: &'a Route,
    variables: Pairs,
    headers: Pairs,
    /// The path below the stage, as it was sent.
    path: String,
    /// The same with the stage, where that stands in the path.
    whole_path: String,
    source_ip: String,
    domain: String,
}

/// What an authorizer says of a caller who may.
enum Said {
    Nothing,
    Function(Value),
    /// Claims and scopes.
    Token(Value),
}

/// Answers a request to an HTTP API.
pub(crate) async fn answer(inner: &Inner, scope: &Scope, incoming: &Incoming<'_>) -> Result<Response<Bytes>, Halt> {
    let apis = inner.state_of::<Apis>("apigatewayv2", scope).unwrap_or_default();
    let Some(api) = apis.apis.get(&incoming.address.api) else { return Ok(response::message(404, "Not Found")) };
    let mut answer = respond(inner, scope, api, incoming).await;
    if let Ok(id) = HeaderValue::from_str(incoming.request_id) {
        answer.headers_mut().insert(HeaderName::from_static("apigw-requestid"), id);
    }
    Ok(answer)
}

async fn respond(inner: &Inner, scope: &Scope, api: &Api, incoming: &Incoming<'_>) -> Response<Bytes> {
    let not_found = || response::message(404, "Not Found");
    if address::is_closed(api, &incoming.address) {
        return not_found();
    }
    if incoming.body.len() > PAYLOAD_LIMIT {
        return response::message(413, "Request Entity Too Large");
    }
    let Some((stage, path, whole_path)) = stage_and_path(api, incoming) else { return not_found() };
    let Some(served) = api.served(stage) else { return not_found() };
    let cors = served.definition.cors_configuration.as_ref();
    let head = incoming.head;
    if let Some(cors) = cors.filter(|_| cors::is_preflight(head)) {
        return cors::preflight(cors, head);
    }
    let Some(Found { route, variables }) = route::find(served, head.method.as_str(), &path) else { return not_found() };
    let source_ip = incoming.entry.client();
    let mut headers = parameters::headers(&head.headers);
    for (name, value) in [("X-Forwarded-For", &*source_ip), ("X-Forwarded-Port", "443"), ("X-Forwarded-Proto", "https")]
    {
        headers.push((name.to_owned(), value.to_owned()));
    }
    let domain = address::domain_name(&incoming.address, head);
    let routed = Routed {
        inner,
        scope,
        incoming,
        stage,
        served,
        route,
        variables,
        headers,
        path,
        whole_path,
        source_ip,
        domain,
    };
    let mut answer = routed.run().await;
    if let Some(cors) = cors {
        cors::stamp(cors, head, answer.headers_mut());
    }
    answer
}

/// The stage that a request is for, the path below it, and the path as events tell it. `$default` takes what names no other.
fn stage_and_path<'a>(api: &'a Api, incoming: &Incoming<'_>) -> Option<(&'a Stage, String, String)> {
    let (name, below) = incoming.address.staged();
    if incoming.address.form == Form::Custom {
        // Such a path has no stage in it, but is told with it, and without the mapping's key.
        let whole = if name == DEFAULT_STAGE { below.clone() } else { format!("/{name}{below}") };
        return api.stages.get(&name).map(|stage| (stage, below, whole));
    }
    if let Some(stage) = api.stages.get(&name) {
        let whole = if name == DEFAULT_STAGE { below.clone() } else { format!("/{name}{below}") };
        return Some((stage, below, whole));
    }
    let path = &incoming.address.path;
    let is_host_form = incoming.address.stage.is_none();
    api.stages.get(DEFAULT_STAGE).filter(|_| is_host_form).map(|stage| (stage, path.clone(), path.clone()))
}

impl Routed<'_> {
    async fn run(&self) -> Response<Bytes> {
        let said = match self.authorize().await {
            Ok(said) => said,
            Err(refusal) => return refusal,
        };
        let target = self.route.target.as_deref().and_then(|target| target.strip_prefix("integrations/"));
        let Some(integration) = target.and_then(|id| self.served.integrations.get(id)) else {
            return response::message(500, "Internal Server Error");
        };
        match integration.integration_type.as_deref() {
            Some("AWS_PROXY") => self.function(integration, &said).await,
            Some("HTTP_PROXY") => self.http(integration).await,
            other => {
                tracing::warn!(kind = other, "an HTTP API has no such integration");
                response::message(500, "Internal Server Error")
            }
        }
    }

    fn told<'a>(&'a self, authorizer: Option<&'a Value>) -> Told<'a> {
        Told {
            account: &self.scope.account,
            api_id: &self.incoming.address.api,
            domain: &self.domain,
            stage: self.stage.stage_name.as_deref().unwrap_or_default(),
            route_key: self.route.route_key.as_deref().unwrap_or_default(),
            method: self.incoming.head.method.as_str(),
            path: &self.whole_path,
            sent_path: match self.incoming.address.form {
                Form::Custom => self.incoming.head.uri.path(),
                Form::Host | Form::Path => &self.whole_path,
            },
            query: self.incoming.head.uri.query().unwrap_or_default(),
            headers: &self.headers,
            body: self.incoming.body,
            path_parameters: &self.variables,
            variables: self.stage.stage_variables.as_ref(),
            source_ip: &self.source_ip,
            request_id: self.incoming.request_id,
            now: self.inner.clock.now(),
            authorizer,
        }
    }

    /// `arn:aws:execute-api:{region}:{account}:{api}/{stage}/{METHOD}/{path}`.
    fn arn(&self, method: &str, path: &str) -> String {
        let stage = self.stage.stage_name.as_deref().unwrap_or_default();
        let api = &self.incoming.address.api;
        self.scope.arn("execute-api", format_args!("{api}/{stage}/{method}{path}"))
    }

    /// What is said of a caller who may, or the answer to one who may not.
    async fn authorize(&self) -> Result<Said, Response<Bytes>> {
        let arn = self.arn(self.incoming.head.method.as_str(), &self.path);
        let authorizer = self.route.authorizer_id.as_ref().and_then(|id| self.served.authorizers.get(id));
        let verdict = match (self.route.authorization_type.as_deref().unwrap_or("NONE"), authorizer) {
            ("NONE", _) => return Ok(Said::Nothing),
            ("AWS_IAM", _) => address::signed(self.inner, self.scope, (self.incoming.head, self.incoming.body), &arn),
            ("CUSTOM", Some(authorizer)) => self.ask(authorizer, &arn).await,
            ("JWT", Some(authorizer)) => {
                let token = Box::pin(self.token(authorizer)).await;
                return token.map(Said::Token).map_err(|refused| self.challenge(&refused));
            }
            (other, _) => {
                tracing::warn!(kind = other, "a route has no such authorizer");
                Verdict::Failed
            }
        };
        match verdict {
            Verdict::Allowed(said) => Ok(said.map_or(Said::Nothing, Said::Function)),
            Verdict::Unauthorized => Err(response::message(401, "Unauthorized")),
            Verdict::Forbidden => Err(response::message(403, "Forbidden")),
            Verdict::Failed => Err(response::message(500, "Internal Server Error")),
        }
    }

    async fn ask(&self, authorizer: &Authorizer, arn: &str) -> Verdict {
        let query = parameters::query(self.incoming.head.uri.query().unwrap_or_default());
        let variables = self.stage.stage_variables.as_ref();
        let sources = Sources { headers: &self.headers, query: &query, variables };
        let wanted = authorizer.identity_source.as_deref().unwrap_or_default();
        let Some(identities) = sources.identities(wanted) else { return Verdict::Unauthorized };
        let second = is_second(authorizer);
        let event = if second {
            self.told(None).second_authorization(arn, &identities)
        } else {
            self.told(None).first_authorization(arn, &identities)
        };
        let asked = Asked { api_id: &self.incoming.address.api, variables, resource: arn, time: authorize::HTTP_TIME };
        authorize::ask(self.inner, self.scope, authorizer, &asked, &event).await
    }

    async fn function(&self, integration: &Integration, said: &Said) -> Response<Bytes> {
        let variables = self.stage.stage_variables.as_ref();
        let uri = function::with_variables(integration.integration_uri.as_deref().unwrap_or_default(), variables);
        let Some(arn) = function::arn_of(&uri) else { return response::message(500, "Internal Server Error") };
        let second = integration.payload_format_version.as_deref() == Some("2.0");
        // In format 2.0 the context is told by the kind of authorizer.
        let context = match said {
            Said::Nothing => None,
            Said::Function(said) if second => Some(json!({ "lambda": without_principal(said) })),
            Said::Token(said) if second => Some(json!({ "jwt": said })),
            Said::Function(said) | Said::Token(said) => Some(said.clone()),
        };
        let told = self.told(context.as_ref());
        let event = if second { told.second() } else { told.first() };
        let role = integration.credentials_arn.as_deref().filter(|role| !role.is_empty());
        let key = self.route.route_key.as_deref().unwrap_or_default();
        let source_arn = match key.split_once(' ') {
            Some((method, path)) => self.arn(if method == "ANY" { "*" } else { method }, path),
            None => self.arn("", key),
        };
        let called = Function { arn, role, source_arn };
        match invoke::function(self.inner, self.scope, &called, &event, time(integration)).await {
            Outcome::Answered(result) => response::of_function(&result, second)
                .unwrap_or_else(|| response::message(500, "Internal Server Error")),
            Outcome::Failed => response::message(500, "Internal Server Error"),
            Outcome::TimedOut => response::message(503, "Service Unavailable"),
        }
    }

    async fn http(&self, integration: &Integration) -> Response<Bytes> {
        if integration.request_parameters.as_ref().is_some_and(|all| !all.is_empty())
            || integration.response_parameters.as_ref().is_some_and(|all| !all.is_empty())
        {
            tracing::error!(
                "Garoa does not implement the parameter mappings of HTTP integrations: the request is refused"
            );
            return response::message(500, "Internal Server Error");
        }
        let Some(request) = self.passed_on(integration) else { return response::message(500, "Internal Server Error") };
        match invoke::http(self.inner, request, time(integration)).await {
            Outcome::Answered(mut answer) => {
                drop_hops(answer.headers_mut());
                answer
            }
            Outcome::Failed => response::message(503, "Service Unavailable"),
            Outcome::TimedOut => response::message(504, "Gateway Timeout"),
        }
    }

    /// The request as the service behind the API receives it: path variables filled in, the query string appended.
    fn passed_on(&self, integration: &Integration) -> Option<Request<Bytes>> {
        let head = self.incoming.head;
        let uri = integration.integration_uri.as_deref()?;
        let mut uri = function::with_variables(uri, self.stage.stage_variables.as_ref());
        for (name, value) in &self.variables {
            let value = percent_encoding::utf8_percent_encode(value, PATH).to_string();
            uri = uri.replace(&format!("{{{name}}}"), &value);
        }
        if let Some(query) = head.uri.query() {
            uri = format!("{uri}{}{query}", if uri.contains('?') { '&' } else { '?' });
        }
        let uri: Uri = uri.parse().ok()?;
        let method = match integration.integration_method.as_deref() {
            None | Some("ANY") => head.method.clone(),
            Some(method) => Method::from_bytes(method.as_bytes()).ok()?,
        };
        let mut headers = head.headers.clone();
        drop_hops(&mut headers);
        headers.remove(HOST);
        let mut request = Request::new(self.incoming.body.clone());
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        Some(request)
    }
}

/// What a path variable's value keeps: slashes, for a greedy one has them.
const PATH: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Headers of one hop only: RFC 9110, section 7.6.1.
fn drop_hops(headers: &mut HeaderMap) {
    for name in [CONNECTION, TRANSFER_ENCODING, UPGRADE, CONTENT_LENGTH] {
        headers.remove(name);
    }
}

fn is_second(authorizer: &Authorizer) -> bool {
    authorizer.authorizer_payload_format_version.as_deref() != Some("1.0")
}

/// In format 2.0 only what the authorizer gave as context is told.
fn without_principal(said: &Value) -> Value {
    let mut said = said.clone();
    if let Some(members) = said.as_object_mut() {
        members.remove("principalId");
    }
    said
}

fn time(integration: &Integration) -> Duration {
    Duration::from_millis(integration.timeout_in_millis.unwrap_or(integrations::HTTP_TIMEOUT))
}
