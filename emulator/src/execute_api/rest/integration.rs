//! Integrations that are not proxies: the request is mapped on its way there, and the answer on its way back.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-data-transformations.html>

use ::http::Response;
use bytes::Bytes;
use imbl::OrdMap;
use serde_json::Value;

use super::refusal::Refusal;
use super::request::is_binary;
use super::template::{Input, Overrides, overridden};
use super::{Answer, Exchange, binary, context, lambda_proxy};
use crate::apigateway::state::{Integration, IntegrationResponse};
use crate::execute_api::{scalar, text};

/// Headers that a mapping may not set.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html>
const FORBIDDEN: &[&str] =
    &["authorization", "connection", "content-length", "expect", "proxy-authenticate", "te", "transfer-encoding"];
/// Those of them that it may not set for a server outside either; the others but the first are not sent to one.
const FRAMING: &[&str] = &["content-length", "transfer-encoding"];
/// Headers that no server outside gets, whatever is mapped to them.
const UNSENT: &[&str] = &["connection", "expect", "proxy-authenticate", "te", "via"];

/// A request as an integration gets it.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    pub headers: Vec<(String, String)>,
    pub query: Vec<(String, String)>,
    pub path: Vec<(String, String)>,
    pub body: Bytes,
    /// What the request's template overrode: the answer's sees it.
    pub overrides: Overrides,
}

/// An integration's answer, before it is mapped.
#[derive(Debug, Default)]
pub(super) struct Incoming {
    /// What the patterns of the integration's responses are held against: the status, or a function's error.
    pub selector: String,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
    pub overrides: Overrides,
}

impl Incoming {
    /// The answer of a server or a service: its status is what is held against the patterns.
    pub fn of(response: Response<Bytes>) -> Self {
        let (head, body) = response.into_parts();
        Self {
            selector: head.status.as_u16().to_string(),
            headers: head
                .headers
                .iter()
                .map(|(name, value)| (name.to_string(), text(value.as_bytes()).into_owned()))
                .collect(),
            body,
            overrides: Overrides::default(),
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// Refuses mappings to headers that none may set.
pub(super) fn check_headers(integration: &Integration) -> Result<(), Refusal> {
    let forbidden = if integration.kind.starts_with("HTTP") { FRAMING } else { FORBIDDEN };
    let mapped = integration.request_parameters.iter().flat_map(|mappings| mappings.keys());
    let mut headers = mapped.filter_map(|to| to.strip_prefix("integration.request.header."));
    if headers.any(|name| forbidden.contains(&name.to_ascii_lowercase().as_str())) {
        return Err(Refusal::configuration(500));
    }
    Ok(())
}

impl Exchange<'_> {
    /// The request as the integration gets it: mapped parameters, and the body through its template.
    pub(super) fn outgoing(&self, integration: &Integration) -> Result<Outgoing, Refusal> {
        check_headers(integration)?;
        let http = integration.kind.starts_with("HTTP");
        let mut out = Outgoing::default();
        for (to, from) in integration.request_parameters.iter().flatten() {
            let mut parts = to.splitn(4, '.').skip(2);
            let (place, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            if http && place == "header" && UNSENT.contains(&name.to_ascii_lowercase().as_str()) {
                continue;
            }
            let Some(value) = self.mapped(from) else { continue };
            match place {
                "header" => out.headers.push((name.to_owned(), value)),
                "querystring" => out.query.push((name.to_owned(), value)),
                "path" => out.path.push((name.to_owned(), value)),
                _ => {}
            }
        }
        let types = self.deployment.rest.binary_media_types.as_ref();
        let is_binary = is_binary(types, self.request.header("Content-Type"));
        let body = binary::request(&self.request.body, is_binary, integration.content_handling.as_deref())?;
        let Some(template) = self.request_template(integration)? else {
            out.body = body;
            return Ok(out);
        };
        // A template sees text.
        let handling = integration.content_handling.as_deref();
        if is_binary && handling != Some("CONVERT_TO_TEXT") || handling == Some("CONVERT_TO_BINARY") {
            return Err(Refusal::configuration(500));
        }
        let input = Input { body: String::from_utf8_lossy(&body).into_owned(), parameters: self.input_parameters() };
        let rendered = self.render(&template, input, &Overrides::default())?;
        out.body = Bytes::from(rendered.text);
        for (place, pairs) in [("header", &mut out.headers), ("querystring", &mut out.query), ("path", &mut out.path)] {
            for (name, value) in overridden(&rendered.overrides.request, place) {
                pairs.retain(|(own, _)| !own.eq_ignore_ascii_case(&name));
                pairs.push((name, value));
            }
        }
        out.overrides = rendered.overrides;
        Ok(out)
    }

    /// The template for the request's content type; none for a body that passes as it is.
    fn request_template(&self, integration: &Integration) -> Result<Option<String>, Refusal> {
        let templates = integration.request_templates.clone().unwrap_or_default();
        let kind = self.request.content_type();
        let found = templates.iter().find(|(own, _)| own.eq_ignore_ascii_case(&kind));
        let found = found.or_else(|| templates.iter().find(|(own, _)| *own == "$default"));
        if let Some((_, template)) = found {
            return Ok(Some(template.clone().unwrap_or_default()).filter(|template| !template.is_empty()));
        }
        match integration.passthrough_behavior.as_str() {
            "NEVER" => Err(Refusal::media_type()),
            "WHEN_NO_TEMPLATES" if !templates.is_empty() => Err(Refusal::media_type()),
            _ => Ok(None),
        }
    }

    /// The answer for the client: the response whose pattern fits, its parameters and its template.
    pub(super) fn returned(&self, integration: &Integration, from: &Incoming) -> Result<Answer, Refusal> {
        let response = selected(&integration.integration_responses, &from.selector)?;
        let types = self.deployment.rest.binary_media_types.as_ref();
        let accepted = self.request.header("Accept");
        let binary = is_binary(types, from.header("Content-Type"));
        let wanted = is_binary(types, accepted);
        let mut headers: Vec<(String, String)> = Vec::new();
        for (to, expression) in response.response_parameters.iter().flatten() {
            let Some(name) = to.strip_prefix("method.response.header.") else { continue };
            if let Some(value) = self.returned_value(expression, from) {
                headers.push((lambda_proxy::remapped(name), value));
            }
        }
        let (mut status, mut kind, mut overrides) = (response.status_code.clone(), None, from.overrides.clone());
        let body = match template(response, accepted) {
            None => binary::response(&from.body, binary, wanted, response.content_handling.as_deref())?,
            Some((content_type, template)) => {
                // A template sees text: bytes that nobody has made text of, or that are asked for, do not go through it.
                let handling = response.content_handling.as_deref();
                if binary && handling != Some("CONVERT_TO_TEXT") || handling == Some("CONVERT_TO_BINARY") {
                    return Err(Refusal::configuration(500));
                }
                let body = if binary {
                    binary::response(&from.body, true, false, Some("CONVERT_TO_TEXT"))?
                } else {
                    from.body.clone()
                };
                let text = String::from_utf8_lossy(&body).into_owned();
                let input = Input { body: text, parameters: self.input_parameters() };
                let rendered = self.render(&template, input, &overrides)?;
                kind = Some(content_type);
                overrides = rendered.overrides;
                let made = Bytes::from(rendered.text);
                match handling {
                    None => binary::response(&made, false, wanted, None).unwrap_or(made),
                    Some(_) => made,
                }
            }
        };
        if let Some(number) = overrides.response.get("status").and_then(scalar) {
            status = number;
        }
        for (name, value) in overridden(&overrides.response, "header") {
            headers.retain(|(own, _)| !own.eq_ignore_ascii_case(&name));
            headers.push((lambda_proxy::remapped(&name), value));
        }
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            headers.push(("Content-Type".to_owned(), kind.unwrap_or_else(|| "application/json".to_owned())));
        }
        let status = status.parse().map_err(|_| Refusal::configuration(500))?;
        Ok(Answer { status, headers, body })
    }

    fn returned_value(&self, expression: &str, from: &Incoming) -> Option<String> {
        let Some(rest) = expression.strip_prefix("integration.response.") else { return self.mapped(expression) };
        let (place, name) = rest.split_once('.').unwrap_or((rest, ""));
        match place {
            "header" => from.header(name).map(str::to_owned),
            "multivalueheader" => {
                let own = from.headers.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name));
                let values: Vec<&str> = own.map(|(_, value)| value.as_str()).collect();
                (!values.is_empty()).then(|| values.join(","))
            }
            "body" if name.is_empty() => Some(String::from_utf8_lossy(&from.body).into_owned()),
            "body" => {
                let body: Value = serde_json::from_slice(&from.body).ok()?;
                context::at(&body, name).map(|found| scalar(found).unwrap_or_else(|| found.to_string()))
            }
            _ => None,
        }
    }
}

/// The response whose pattern the answer fits; else the one without a pattern.
fn selected<'a>(
    responses: &'a OrdMap<String, IntegrationResponse>,
    selector: &str,
) -> Result<&'a IntegrationResponse, Refusal> {
    fn pattern(response: &IntegrationResponse) -> Option<&str> {
        response.selection_pattern.as_deref().filter(|pattern| !pattern.is_empty())
    }
    for response in responses.values() {
        let Some(pattern) = pattern(response) else { continue };
        // A word, such as a status, is its own expression.
        let fits = if pattern.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            pattern == selector
        } else {
            let whole = regex::Regex::new(&format!("(?s)^(?:{pattern})$")).map_err(|_| Refusal::configuration(500))?;
            !selector.is_empty() && whole.is_match(selector)
        };
        if fits {
            return Ok(response);
        }
    }
    responses.values().find(|response| pattern(response).is_none()).ok_or_else(|| Refusal::configuration(500))
}

/// The template for what the client accepts, else the one for JSON, else the first; with its content type.
fn template(response: &IntegrationResponse, accepted: Option<&str>) -> Option<(String, String)> {
    let templates = response.response_templates.as_ref()?;
    let own = |(kind, template): (&String, &Option<String>)| {
        Some((kind.clone(), template.clone().filter(|template| !template.is_empty())?))
    };
    let accepted = accepted.unwrap_or_default().split([',', ';']).map(str::trim).next().unwrap_or_default();
    let exact = templates.iter().find(|(kind, _)| kind.eq_ignore_ascii_case(accepted));
    let json = || templates.iter().find(|(kind, _)| *kind == "application/json");
    exact.or_else(json).or_else(|| templates.iter().next()).and_then(own)
}
