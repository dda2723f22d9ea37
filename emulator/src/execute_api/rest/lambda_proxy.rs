//! `AWS_PROXY`: the whole request is a Lambda function's event, and its answer is the response.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html>

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use imbl::OrdMap;
use serde::Serialize;
use serde_json::Value;

use super::context::Context;
use super::refusal::Refusal;
use super::request::{is_binary, multi, single};
use super::{Answer, Exchange, integration, lambda};
use crate::apigateway::state::Integration;
use crate::execute_api::{Form, scalar, text};

/// What a function's answer may have.
const MEMBERS: &[&str] = &["statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"];

/// What most events have room in, in bytes.
const ROOM: usize = 4096;

/// The event, format 1.0. It is written as it stands: a `Value` of it would copy all that it names.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method_arn: Option<String>,
    resource: &'a str,
    path: String,
    http_method: &'a str,
    #[serde(serialize_with = "single")]
    headers: &'a [(String, String)],
    #[serde(serialize_with = "multi")]
    multi_value_headers: &'a [(String, String)],
    #[serde(serialize_with = "single")]
    query_string_parameters: &'a [(String, String)],
    #[serde(serialize_with = "multi")]
    multi_value_query_string_parameters: &'a [(String, String)],
    #[serde(serialize_with = "single")]
    path_parameters: &'a [(String, String)],
    stage_variables: Option<&'a OrdMap<String, String>>,
    request_context: Context<'a>,
    /// Authorizers get none.
    #[serde(flatten)]
    payload: Option<Payload<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Payload<'a> {
    body: Option<Cow<'a, str>>,
    is_base64_encoded: bool,
}

impl Event<'_> {
    fn text(&self) -> Result<Vec<u8>, Refusal> {
        let mut text = Vec::with_capacity(ROOM);
        serde_json::to_writer(&mut text, self).map_err(|_| Refusal::configuration(500))?;
        Ok(text)
    }
}

impl Exchange<'_> {
    pub(super) async fn lambda_proxy(&mut self, integration: &Integration) -> Result<Answer, Refusal> {
        let uri = self.with_variables(integration.uri.as_deref().unwrap_or_default());
        let function = lambda::function(&uri).ok_or_else(|| Refusal::configuration(500))?;
        integration::check_headers(integration)?;
        // Lambda knows no other method of an invocation; `ANY` is the client's.
        let method = integration.http_method.as_deref().filter(|method| *method != "ANY");
        if method.unwrap_or(&self.request.method) != "POST" {
            return Err(Refusal::failed());
        }
        let caller = self.caller(integration.credentials.as_deref(), &self.method_arn(&self.resource.path))?;
        let event = self.proxy_event()?;
        let invoking = self.invoke(function, caller, "RequestResponse", event);
        let invoked = self.within(integration.timeout_in_millis, invoking).await?;
        if invoked.error {
            return Err(Refusal::configuration(502));
        }
        let Some((mut answer, decode)) = self.proxy_answer(&invoked.payload) else {
            tracing::warn!(function, "Execution failed due to configuration error: Malformed Lambda proxy response");
            return Err(Refusal::configuration(502));
        };
        if decode {
            answer.body = STANDARD.decode(&answer.body).map_err(|_| Refusal::configuration(500))?.into();
        }
        Ok(answer)
    }

    fn event(&self) -> Event<'_> {
        let (headers, query) = (&self.request.headers, &self.request.query);
        // Below a custom domain name the path is told as it was sent, with the base path, and with a stage that stands in it.
        let path = match self.incoming.address.form {
            Form::Custom => self.incoming.head.uri.path(),
            Form::Host | Form::Path => &self.request.path,
        };
        Event {
            kind: None,
            method_arn: None,
            resource: &self.resource.path,
            path: format!("/{}", path.trim_start_matches('/')),
            http_method: &self.request.method,
            headers,
            multi_value_headers: headers,
            query_string_parameters: query,
            multi_value_query_string_parameters: query,
            path_parameters: &self.path_parameters,
            stage_variables: Some(&self.variables).filter(|variables| !variables.is_empty()),
            request_context: self.context(),
            payload: None,
        }
    }

    /// The event of a function. Mappings of parameters have no part in it.
    fn proxy_event(&self) -> Result<Vec<u8>, Refusal> {
        let body = &self.request.body;
        let binary = is_binary(self.deployment.rest.binary_media_types.as_ref(), self.request.header("Content-Type"));
        let text = match (body.is_empty(), binary) {
            (true, _) => None,
            (false, true) => Some(Cow::Owned(STANDARD.encode(body))),
            (false, false) => Some(text(body)),
        };
        let payload = Payload { body: text, is_base64_encoded: binary && !body.is_empty() };
        Event { payload: Some(payload), ..self.event() }.text()
    }

    /// The event of a `REQUEST` authorizer is the same without the body.
    pub(super) fn authorizer_event(&self, kind: &str, method_arn: String) -> Result<Vec<u8>, Refusal> {
        Event { kind: Some(kind), method_arn: Some(method_arn), ..self.event() }.text()
    }

    /// The function's answer as the response, and whether its body is bytes in base64 that are to be sent as such; none if it is
    /// not formed as one.
    fn proxy_answer(&self, payload: &[u8]) -> Option<(Answer, bool)> {
        let Value::Object(mut answer) = serde_json::from_slice(payload).ok()? else { return None };
        if answer.keys().any(|member| !MEMBERS.contains(&member.as_str())) {
            return None;
        }
        let status = match answer.get("statusCode") {
            None => 200,
            Some(Value::String(text)) => text.parse().ok()?,
            Some(number) => u16::try_from(number.as_i64()?).ok()?,
        };
        if !(100..600).contains(&status) {
            return None;
        }
        let headers = answer_headers(answer.get("headers"), answer.get("multiValueHeaders"))?;
        let body = match answer.get_mut("body").map(Value::take) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text,
            // A number or a boolean is taken for its text; what has structure is malformed.
            Some(other) => scalar(&other)?,
        };
        let encoded = match answer.get("isBase64Encoded") {
            None | Some(Value::Null) => false,
            Some(Value::String(text)) => text == "true",
            Some(flag) => flag.as_bool()?,
        };
        let types = self.deployment.rest.binary_media_types.as_ref();
        let asked = self.request.header("Accept").filter(|accept| !accept.is_empty());
        let content_type = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let media = asked.or(content_type.map(|(_, value)| value.as_str()));
        let decode = encoded && is_binary(types, media);
        Some((Answer { status, headers, body: Bytes::from(body) }, decode))
    }
}

/// The headers of an answer; none if they are not formed as such. Those with several values take precedence.
fn answer_headers(single: Option<&Value>, multi: Option<&Value>) -> Option<Vec<(String, String)>> {
    let mut headers: Vec<(String, String)> = Vec::new();
    for (name, values) in members(multi)? {
        for value in values.as_array()? {
            headers.push((remapped(name), scalar(value)?));
        }
    }
    for (name, value) in members(single)? {
        let name = remapped(name);
        let value = match value {
            Value::Null => String::new(),
            other => scalar(other)?,
        };
        if !headers.iter().any(|(own, old)| own.eq_ignore_ascii_case(&name) && *old == value) {
            headers.push((name, value));
        }
    }
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
        headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
    }
    Some(headers)
}

fn members(value: Option<&Value>) -> Option<Vec<(&String, &Value)>> {
    match value {
        None | Some(Value::Null) => Some(Vec::new()),
        Some(value) => Some(value.as_object()?.iter().collect()),
    }
}

/// Headers that API Gateway sets itself come from an integration under other names.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html>
pub(super) fn remapped(name: &str) -> String {
    const REMAPPED: &[&str] = &[
        "authorization",
        "connection",
        "content-length",
        "content-md5",
        "date",
        "expect",
        "host",
        "max-forwards",
        "proxy-authenticate",
        "server",
        "trailer",
        "upgrade",
        "user-agent",
        "warn",
        "www-authenticate",
    ];
    if REMAPPED.contains(&name.to_ascii_lowercase().as_str()) {
        format!("x-amzn-Remapped-{name}")
    } else {
        name.to_owned()
    }
}
