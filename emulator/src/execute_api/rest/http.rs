//! `HTTP` and `HTTP_PROXY`: a server outside answers.

use ::http::{HeaderName, HeaderValue, Request};
use bytes::Bytes;

use super::integration::{Incoming, Outgoing};
use super::refusal::Refusal;
use super::{Answer, Exchange, binary, lambda_proxy, request};
use crate::apigateway::state::Integration;
use crate::cloud::Halt;
use crate::execute_api::outside;

/// Headers of a client that concern its own connection, or its body as it was sent.
const OWN: &[&str] = &[
    "content-encoding",
    "expect",
    "host",
    "te",
    "via",
    "x-amzn-trace-id",
    "x-forwarded-for",
    "x-forwarded-port",
    "x-forwarded-proto",
];

impl Exchange<'_> {
    pub(super) async fn http(&mut self, integration: &Integration) -> Result<Answer, Refusal> {
        let mut out = self.outgoing(integration)?;
        let mut usual =
            vec![("Accept", "application/json".to_owned()), ("User-Agent", format!("AmazonAPIGateway_{}", self.api))];
        if !out.body.is_empty() {
            let template = integration.request_templates.as_ref().is_some_and(|templates| !templates.is_empty());
            let own = self.request.header("Content-Type").filter(|_| !template).map(str::to_owned);
            usual.push(("Content-Type", own.unwrap_or_else(|| self.request.content_type())));
        }
        for (name, value) in usual {
            if !out.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name)) {
                out.headers.push((name.to_owned(), value));
            }
        }
        let overrides = out.overrides.clone();
        let mut from = self.ask_server(integration, out).await?;
        from.overrides = overrides;
        self.returned(integration, &from)
    }

    /// All of the request passes, and all of the answer.
    pub(super) async fn http_proxy(&mut self, integration: &Integration) -> Result<Answer, Refusal> {
        let mapped = self.outgoing(&Integration { request_templates: None, ..passing(integration) })?;
        let mut out = Outgoing { body: mapped.body, ..Outgoing::default() };
        let own = self.request.headers.iter().filter(|(name, _)| !OWN.contains(&name.to_ascii_lowercase().as_str()));
        out.headers = own.cloned().collect();
        out.query.clone_from(&self.request.query);
        for (name, value) in mapped.headers {
            out.headers.retain(|(own, _)| !own.eq_ignore_ascii_case(&name));
            out.headers.push((name, value));
        }
        for (name, value) in mapped.query {
            out.query.retain(|(own, _)| *own != name);
            out.query.push((name, value));
        }
        out.path = mapped.path;
        let from = self.ask_server(integration, out).await?;
        let types = self.deployment.rest.binary_media_types.as_ref();
        let kind = from.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let is_binary = request::is_binary(types, kind.map(|(_, value)| value.as_str()));
        let body = if is_binary { from.body } else { binary::response(&from.body, false, false, None)? };
        let headers = from.headers.into_iter().filter(|(name, _)| name != "transfer-encoding");
        Ok(Answer {
            status: from.selector.parse().map_err(|_| Refusal::configuration(502))?,
            headers: headers.map(|(name, value)| (proxied(&name), value)).collect(),
            body,
        })
    }

    /// Sends a request within the integration's time.
    async fn ask_server(&self, integration: &Integration, mut out: Outgoing) -> Result<Incoming, Refusal> {
        if integration.connection_type.as_deref() == Some("VPC_LINK") {
            return Err(Refusal::not_implemented("integrations through VPC links"));
        }
        let uri = self.with_variables(integration.uri.as_deref().unwrap_or_default());
        for (name, value) in [("X-Amzn-Apigateway-Api-Id", &self.api), ("X-Amzn-Trace-Id", &self.request.trace_id)] {
            if !out.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name)) {
                out.headers.push((name.to_owned(), value.clone()));
            }
        }
        let request = built(&uri, integration.http_method.as_deref(), &self.request.method, out)?;
        self.note(|| format!("Sending request to {}", request.uri()));
        let asking = async {
            match outside::send(self.inner, request).await {
                Ok(response) => Ok(response),
                Err(Halt::Error(error)) if error.status() == 501 => Err(Refusal::not_implemented(
                    error.message().strip_prefix("Garoa does not implement ").unwrap_or(error.message()),
                )),
                Err(_) => Err(Refusal::unreachable()),
            }
        };
        let response = self.within(integration.timeout_in_millis, asking).await?;
        self.note(|| format!("Received response. Status: {}", response.status().as_u16()));
        Ok(Incoming::of(response))
    }
}

/// A proxy has no templates, and so none that could be missing.
fn passing(integration: &Integration) -> Integration {
    Integration { passthrough_behavior: "WHEN_NO_MATCH".to_owned(), ..integration.clone() }
}

/// Headers that API Gateway sets itself come under other names.
fn proxied(name: &str) -> String {
    if matches!(name, "x-amzn-requestid" | "x-amz-apigw-id" | "x-amzn-trace-id") {
        return format!("x-amzn-remapped-{name}");
    }
    lambda_proxy::remapped(name)
}

/// The request: the variables of the URI's path filled in, the query added to its own.
pub(super) fn built(uri: &str, method: Option<&str>, own: &str, out: Outgoing) -> Result<Request<Bytes>, Refusal> {
    let mut uri = uri.to_owned();
    for (name, value) in &out.path {
        uri = uri.replace(&format!("{{{name}}}"), value).replace(&format!("{{{name}+}}"), value);
    }
    if !out.query.is_empty() {
        uri = format!("{uri}{}{}", if uri.contains('?') { '&' } else { '?' }, request::form(&out.query));
    }
    let method = method.filter(|method| *method != "ANY").unwrap_or(own);
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in &out.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name.as_str()), HeaderValue::from_str(value)) {
            request = request.header(name, value);
        }
    }
    request.body(out.body).map_err(|_| Refusal::configuration(500))
}
