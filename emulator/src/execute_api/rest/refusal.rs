//! How the gateway itself answers: the gateway responses of an API, filled in.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use serde_json::json;

use super::Exchange;
use crate::apigateway::gateway_responses;

/// Why the gateway answers by itself.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html>
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Refusal {
    /// The gateway response's type.
    pub kind: &'static str,
    /// `x-amzn-ErrorType`.
    pub error: &'static str,
    /// `$context.error.message`; none is `null`.
    pub message: Option<String>,
    /// The status, where the type has none or another.
    pub status: Option<u16>,
    /// `$context.error.validationErrorString`.
    pub validation: Option<String>,
}

impl Refusal {
    fn new(kind: &'static str, error: &'static str, message: impl Into<String>) -> Self {
        Self { kind, error, message: Some(message.into()), status: None, validation: None }
    }

    pub fn missing_token() -> Self {
        Self::new("MISSING_AUTHENTICATION_TOKEN", "MissingAuthenticationTokenException", "Missing Authentication Token")
    }

    pub fn invalid_key() -> Self {
        Self::new("INVALID_API_KEY", "ForbiddenException", "Forbidden")
    }

    pub fn unauthorized() -> Self {
        Self::new("UNAUTHORIZED", "UnauthorizedException", "Unauthorized")
    }

    pub fn denied(message: impl Into<String>) -> Self {
        Self::new("ACCESS_DENIED", "AccessDeniedException", message)
    }

    /// A signature that is not right, in the words of the verifier.
    pub fn signature(error: &crate::Error) -> Self {
        match error.code() {
            "ExpiredTokenException" => Self::new("EXPIRED_TOKEN", "ExpiredTokenException", error.message()),
            "IncompleteSignatureException" => {
                Self::new("INVALID_SIGNATURE", "IncompleteSignatureException", error.message())
            }
            "UnrecognizedClientException" => {
                Self::new("INVALID_SIGNATURE", "UnrecognizedClientException", error.message())
            }
            _ => Self::new("INVALID_SIGNATURE", "InvalidSignatureException", error.message()),
        }
    }

    /// An authorizer that failed; the caller learns nothing more.
    pub fn authorizer(kind: &'static str) -> Self {
        Self { message: None, ..Self::new(kind, "AuthorizerConfigurationException", "") }
    }

    pub fn throttled() -> Self {
        Self::new("THROTTLED", "TooManyRequestsException", "Too Many Requests")
    }

    pub fn quota() -> Self {
        Self::new("QUOTA_EXCEEDED", "LimitExceededException", "Limit Exceeded")
    }

    pub fn parameters(missing: &[String]) -> Self {
        let message = format!("Missing required request parameters: [{}]", missing.join(", "));
        Self::new("BAD_REQUEST_PARAMETERS", "BadRequestException", message)
    }

    pub fn body(errors: Vec<String>) -> Self {
        let validation = Some(format!("[{}]", errors.join(", ")));
        Self { validation, ..Self::new("BAD_REQUEST_BODY", "BadRequestException", "Invalid request body") }
    }

    pub fn media_type() -> Self {
        Self::new("UNSUPPORTED_MEDIA_TYPE", "BadRequestException", "Unsupported Media Type")
    }

    pub fn too_large() -> Self {
        Self::new("REQUEST_TOO_LARGE", "RequestEntityTooLargeException", "Request Too Long")
    }

    pub fn timeout() -> Self {
        Self::new("INTEGRATION_TIMEOUT", "InternalServerErrorException", "Endpoint request timed out")
    }

    pub fn unreachable() -> Self {
        Self::new("INTEGRATION_FAILURE", "InternalServerErrorException", "Network error communicating with endpoint")
    }

    /// What is asked of the integration it does not do.
    pub fn failed() -> Self {
        let refusal = Self::new("INTEGRATION_FAILURE", "InternalServerErrorException", "Internal server error");
        Self { status: Some(500), ..refusal }
    }

    /// The API is not as it should be: 500, with `status` for those errors that are 502.
    pub fn configuration(status: u16) -> Self {
        let refusal = Self::new("DEFAULT_5XX", "InternalServerErrorException", "Internal server error");
        Self { status: Some(status), ..refusal }
    }

    /// What exists at AWS and not here.
    pub fn not_implemented(what: impl std::fmt::Display) -> Self {
        let message = format!("Garoa does not implement {what}");
        Self { status: Some(501), ..Self::new("DEFAULT_5XX", "NotImplemented", message) }
    }

    /// Whether the request had come as far as the method.
    fn is_of_execution(&self) -> bool {
        matches!(
            self.kind,
            "BAD_REQUEST_BODY"
                | "BAD_REQUEST_PARAMETERS"
                | "DEFAULT_5XX"
                | "INTEGRATION_FAILURE"
                | "INTEGRATION_TIMEOUT"
                | "UNSUPPORTED_MEDIA_TYPE"
        )
    }

    /// The answer, as the API's gateway responses have it.
    pub fn answer(&self, exchange: &Exchange<'_>) -> Response<Bytes> {
        let set = gateway_responses::response(&exchange.deployment.content, self.kind);
        let own = self.status.map(|status| status.to_string());
        // One that was set without a status leaves the usual one, which is the error's own before it is the type's.
        let status = if set.default_response { own.or(set.status_code) } else { set.status_code.or(own) };
        let status = status.or_else(|| gateway_responses::usual_status(self.kind));
        let status = status.and_then(|status| status.parse().ok()).unwrap_or(500);
        let accept = exchange.request.header("Accept").unwrap_or("application/json");
        let wanted = accept.split([',', ';']).next().unwrap_or_default().trim();
        let template = set.response_templates.get_key_value(wanted);
        let template = template.or_else(|| set.response_templates.get_key_value("application/json"));
        let template = template.or_else(|| set.response_templates.get_min().map(|(kind, text)| (kind, text)));
        let (content_type, body) = match template {
            // AWS writes this one message with a capital.
            _ if set.default_response && self.kind == "ACCESS_DENIED" => {
                ("application/json".to_owned(), json!({"Message": self.message}).to_string())
            }
            // Those of the method's execution are written with a space, by their lengths in recorded answers of AWS.
            _ if set.default_response && self.is_of_execution() => {
                ("application/json".to_owned(), format!("{{\"message\": {}}}", json!(self.message)))
            }
            Some((kind, template)) => (kind.clone(), self.filled(template, exchange)),
            None => ("application/json".to_owned(), String::new()),
        };
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        let mut put = |name: &str, value: &str| {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
                headers.insert(name, value);
            }
        };
        put(header::CONTENT_TYPE.as_str(), &content_type);
        put("x-amzn-errortype", self.error);
        for (to, from) in &set.response_parameters {
            let Some(name) = to.strip_prefix("gatewayresponse.header.") else { continue };
            if let Some(value) = self.value(from, exchange) {
                put(name, &value);
            }
        }
        response
    }

    /// `'constant'`, `method.request.header.x`, `context.x`, `stageVariables.x`.
    fn value(&self, from: &str, exchange: &Exchange<'_>) -> Option<String> {
        match from.strip_prefix('\'').and_then(|from| from.strip_suffix('\'')) {
            Some(constant) => Some(constant.to_owned()),
            None => from
                .strip_prefix("context.error.")
                .map_or_else(|| exchange.mapped(from), |name| self.error_variable(name)),
        }
    }

    fn error_variable(&self, name: &str) -> Option<String> {
        match name {
            "message" => self.message.clone(),
            "messageString" => Some(json!(self.message).to_string()),
            "responseType" => Some(self.kind.to_owned()),
            "validationErrorString" => self.validation.clone(),
            _ => None,
        }
    }

    /// The template with its variables: names alone, no directives.
    fn filled(&self, template: &str, exchange: &Exchange<'_>) -> String {
        let mut out = String::with_capacity(template.len());
        let mut rest = template;
        while let Some(dollar) = rest.find('$') {
            let (before, after) = rest.split_at(dollar);
            out.push_str(before);
            let after = after.get(1..).unwrap_or_default();
            let inner = after.strip_prefix('{').unwrap_or(after);
            let length = inner.find(|c: char| !c.is_ascii_alphanumeric() && !"._-".contains(c)).unwrap_or(inner.len());
            let (name, tail) = inner.split_at(length);
            // A dot at the end is the sentence's.
            let shown = name.trim_end_matches('.');
            match self.value(shown, exchange) {
                Some(value) => {
                    out.push_str(&value);
                    out.push_str(name.get(shown.len()..).unwrap_or_default());
                    rest = if after.starts_with('{') { tail.strip_prefix('}').unwrap_or(tail) } else { tail };
                }
                None => {
                    out.push('$');
                    rest = after;
                }
            }
        }
        out + rest
    }
}
