//! `AWS_PROXY`: the whole request is a Lambda function's event, and its answer is the response.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use imbl::OrdMap;
use serde_json::{Value, json};

use super::refusal::{Refusal, scalar};
use super::request::{is_binary, multi, single};
use super::{Answer, Exchange, lambda};
use crate::apigateway::state::Integration;

/// What a function's answer may have.
const MEMBERS: &[&str] = &["statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"];

impl Exchange<'_> {
    pub(super) async fn lambda_proxy(&mut self, integration: &Integration) -> Result<Answer, Refusal> {
        let uri = self.with_variables(integration.uri.as_deref().unwrap_or_default());
        let function = lambda::function(&uri).ok_or_else(|| Refusal::configuration(500))?;
        let caller = self.caller(integration.credentials.as_deref(), &self.method_arn(&self.resource.path))?;
        let event = self.proxy_event(integration).to_string();
        let invoking = self.invoke(function, caller, "RequestResponse", event);
        let invoked = self.within(integration.timeout_in_millis, invoking).await?;
        if invoked.error {
            return Err(Refusal::configuration(502));
        }
        self.proxy_answer(&invoked.payload).ok_or_else(|| {
            tracing::warn!(function, "Execution failed due to configuration error: Malformed Lambda proxy response");
            Refusal::configuration(502)
        })
    }

    /// The event, format 1.0.
    fn proxy_event(&self, integration: &Integration) -> Value {
        let (mut headers, mut query, mut path) =
            (self.request.headers.clone(), self.request.query.clone(), self.path_parameters.clone());
        for (to, from) in integration.request_parameters.iter().flatten() {
            let Some(value) = self.mapped(from) else { continue };
            let mut parts = to.splitn(4, '.').skip(2);
            let (place, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            let pairs = match place {
                "header" => &mut headers,
                "querystring" => &mut query,
                "path" => &mut path,
                _ => continue,
            };
            pairs.retain(|(own, _)| !(own == name || place == "header" && own.eq_ignore_ascii_case(name)));
            pairs.push((name.to_owned(), value));
        }
        let binary = is_binary(self.deployment.rest.binary_media_types.as_ref(), self.request.header("Content-Type"));
        let body = match (self.request.body.is_empty(), binary) {
            (true, _) => Value::Null,
            (false, true) => json!(STANDARD.encode(&self.request.body)),
            (false, false) => json!(self.request.text()),
        };
        json!({
            "resource": self.resource.path,
            "path": self.request.path.replace("//", "/"),
            "httpMethod": self.request.method,
            "headers": single(&headers),
            "multiValueHeaders": multi(&headers),
            "queryStringParameters": single(&query),
            "multiValueQueryStringParameters": multi(&query),
            "pathParameters": single(&path),
            "stageVariables": variables(&self.variables),
            "requestContext": self.context,
            "body": body,
            "isBase64Encoded": binary && !self.request.body.is_empty(),
        })
    }

    /// The event of a `REQUEST` authorizer is the same without the body.
    pub(super) fn authorizer_event(&self) -> Value {
        let mut event = self.proxy_event(&Integration::default());
        if let Some(members) = event.as_object_mut() {
            members.shift_remove("body");
            members.shift_remove("isBase64Encoded");
        }
        event
    }

    /// The function's answer as the response; none if it is not formed as one.
    fn proxy_answer(&self, payload: &[u8]) -> Option<Answer> {
        let answer: Value = serde_json::from_slice(payload).ok()?;
        let answer = answer.as_object()?;
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
        let body = match answer.get("body") {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            // A number or a boolean is taken for its text; what has structure is malformed.
            Some(other) => scalar(other)?,
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
        let body = match encoded && is_binary(types, media) {
            true => Bytes::from(STANDARD.decode(body).ok()?),
            false => Bytes::from(body),
        };
        Some(Answer { status, headers, body })
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

fn variables(variables: &OrdMap<String, String>) -> Value {
    if variables.is_empty() { Value::Null } else { json!(variables) }
}
