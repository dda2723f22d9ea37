//! `AWS`: a Lambda function or an operation of another service answers, with mappings both ways.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/api/API_PutIntegration.html> (`uri`)

use ::http::{HeaderValue, Request, header};
use bytes::Bytes;
use serde_json::Value;

use super::integration::{Incoming, Outgoing};
use super::refusal::Refusal;
use super::{Answer, Exchange, http as http_integration, lambda};
use crate::apigateway::state::Integration;
use crate::cloud::Halt;
use crate::model::Model;

/// Says that a function is not waited for.
const INVOCATION_TYPE: &str = "X-Amz-Invocation-Type";

impl Exchange<'_> {
    pub(super) async fn aws(&mut self, integration: &Integration) -> Result<Answer, Refusal> {
        let out = self.outgoing(integration)?;
        let uri = self.with_variables(integration.uri.as_deref().unwrap_or_default());
        let overrides = out.overrides.clone();
        let mut from = match lambda::function(&uri) {
            Some(function) => self.function(integration, function, out).await?,
            None => self.service(integration, &uri, out).await?,
        };
        from.overrides = overrides;
        self.returned(integration, &from)
    }

    async fn function(&self, integration: &Integration, function: &str, out: Outgoing) -> Result<Incoming, Refusal> {
        let caller = self.caller(integration.credentials.as_deref(), &self.method_arn(&self.resource.path))?;
        let kind = out.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(INVOCATION_TYPE));
        let kind = kind.map_or("RequestResponse", |(_, value)| value.trim_matches('\''));
        let invoking = self.invoke(function, caller, kind, out.body);
        let invoked = self.within(integration.timeout_in_millis, invoking).await?;
        let mut selector = String::new();
        if invoked.error {
            let document: Value = serde_json::from_slice(&invoked.payload).unwrap_or_default();
            document.get("errorMessage").and_then(Value::as_str).unwrap_or_default().clone_into(&mut selector);
        }
        let headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
        Ok(Incoming { selector, headers, body: invoked.payload, ..Incoming::default() })
    }

    /// `arn:aws:apigateway:{region}:{service}:path/…` or `…:action/…`.
    async fn service(&self, integration: &Integration, uri: &str, mut out: Outgoing) -> Result<Incoming, Refusal> {
        let broken = || Refusal::configuration(500);
        let parts: Vec<&str> = uri.splitn(6, ':').collect();
        let [_, _, _, region, place, rest] = parts[..] else { return Err(broken()) };
        let (subdomain, service) = place.split_once('.').map_or((None, place), |(sub, service)| (Some(sub), service));
        let model = Model::by_endpoint_prefix(service).or_else(|| Model::by_signing_name(service));
        let model = model.ok_or_else(|| Refusal::not_implemented(format!("integrations with {service}")))?;
        let host = match subdomain {
            Some(subdomain) => format!("{subdomain}.{service}.{region}.amazonaws.com"),
            None => format!("{service}.{region}.amazonaws.com"),
        };
        let mut path = rest.strip_prefix("path/").map(|path| format!("/{path}")).unwrap_or_else(|| "/".to_owned());
        if let Some(action) = rest.strip_prefix("action/") {
            act(model, action, &mut out);
        }
        queue_path(model, &host, &mut path, &mut out);
        let has = |out: &Outgoing, name: &str| out.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
        if !has(&out, "content-type") && !out.body.is_empty() {
            out.headers.push(("Content-Type".to_owned(), self.request.content_type()));
        }
        // The query protocol has answers in JSON for who asks so, as API Gateway does.
        if !has(&out, "accept") {
            out.headers.push(("Accept".to_owned(), "application/json".to_owned()));
        }
        let method = integration.http_method.as_deref();
        let mut request = http_integration::built(&format!("https://{host}{path}"), method, &self.request.method, out)?;
        sign(&mut request, &host, region, model)?;
        self.note(|| format!("Sending request to {}", request.uri()));
        let caller = self.caller(integration.credentials.as_deref(), &self.method_arn(&self.resource.path))?;
        let scope = crate::cloud::Scope::new(&*self.scope.account, region);
        let asking = async {
            match self.inner.http_as(request, caller, scope).await {
                Ok(response) => Ok(response),
                Err(Halt::Error(_)) => Err(broken()),
                Err(_) => Err(Refusal::unreachable()),
            }
        };
        Ok(Incoming::of(self.within(integration.timeout_in_millis, asking).await?))
    }
}

/// An operation by its name: a target for the JSON protocols, a parameter for the query protocol.
fn act(model: &Model, action: &str, out: &mut Outgoing) {
    match model.metadata.target_prefix {
        Some(prefix) if out.body.first() == Some(&b'{') || !model.metadata.protocols.contains(&"query") => {
            out.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
            let version = if model.metadata.json_version.is_empty() { "1.0" } else { model.metadata.json_version };
            out.headers.push(("Content-Type".to_owned(), format!("application/x-amz-json-{version}")));
            out.headers.push(("X-Amz-Target".to_owned(), format!("{prefix}.{action}")));
        }
        _ => out.query.push(("Action".to_owned(), action.to_owned())),
    }
}

/// A queue may be named by the path, as in its URL; then it is a parameter of the form.
fn queue_path(model: &Model, host: &str, path: &mut String, out: &mut Outgoing) {
    if model.service != "sqs" || path == "/" {
        return;
    }
    let url = format!("https://{host}{path}");
    let is_json = out.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("x-amz-target"));
    *path = "/".to_owned();
    if is_json {
        if let Ok(Value::Object(mut members)) = serde_json::from_slice(&out.body) {
            members.entry("QueueUrl").or_insert_with(|| url.into());
            out.body = Bytes::from(Value::Object(members).to_string());
        }
        return;
    }
    let mut form = super::request::pairs(&String::from_utf8_lossy(&out.body));
    form.append(&mut out.query);
    form.push(("QueueUrl".to_owned(), url));
    out.body = Bytes::from(super::request::form(&form));
    out.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
    out.headers.push(("Content-Type".to_owned(), "application/x-www-form-urlencoded".to_owned()));
}

/// The request says which service it is for, as a signature does. It is not verified: who calls is known.
fn sign(request: &mut Request<Bytes>, host: &str, region: &str, model: &Model) -> Result<(), Refusal> {
    let name = model.metadata.signing_name;
    let text = format!(
        "AWS4-HMAC-SHA256 Credential=apigateway/20150709/{region}/{name}/aws4_request, SignedHeaders=host, Signature=0"
    );
    let value = HeaderValue::from_str(&text).map_err(|_| Refusal::configuration(500))?;
    request.headers_mut().insert(header::AUTHORIZATION, value);
    let host = HeaderValue::from_str(host).map_err(|_| Refusal::configuration(500))?;
    request.headers_mut().insert(header::HOST, host);
    Ok(())
}
