//! `x-amazon-apigateway-integration`.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-integration.html>

use serde_json::{Map, Value, json};

use crate::apigateway::integrations::DEFAULT_TIMEOUT;
use crate::apigateway::state::{Integration, IntegrationResponse};

/// An integration as a document has it: without what is as usual. `resource` is the id of its resource, which is the usual
/// name of its cache.
pub(super) fn shown(integration: &Integration, resource: &str) -> Map<String, Value> {
    let mut shown = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        shown.extend(value.map(|value| (name.to_owned(), value)));
    };
    put("type", Some(json!(integration.kind.to_ascii_lowercase())));
    put("httpMethod", integration.http_method.as_ref().map(|method| json!(method)));
    put("uri", integration.uri.as_ref().map(|uri| json!(uri)));
    put("credentials", integration.credentials.as_ref().map(|role| json!(role)));
    if integration.connection_type.as_deref() == Some("VPC_LINK") {
        put("connectionType", Some(json!("VPC_LINK")));
        put("connectionId", integration.connection_id.as_ref().map(|id| json!(id)));
    }
    let responses: Map<String, Value> = integration.integration_responses.values().map(response).collect();
    put("responses", Some(responses).filter(|responses| !responses.is_empty()).map(Value::Object));
    let mappings = integration.request_parameters.as_ref().filter(|mappings| !mappings.is_empty());
    put("requestParameters", mappings.map(|mappings| json!(mappings)));
    let templates = integration.request_templates.as_ref().filter(|templates| !templates.is_empty());
    put("requestTemplates", templates.map(|templates| json!(templates)));
    put("passthroughBehavior", Some(json!(integration.passthrough_behavior.to_ascii_lowercase())));
    put("contentHandling", integration.content_handling.as_ref().map(|handling| json!(handling)));
    if integration.timeout_in_millis != DEFAULT_TIMEOUT {
        put("timeoutInMillis", Some(json!(integration.timeout_in_millis)));
    }
    if !integration.cache_key_parameters.is_empty() {
        put("cacheKeyParameters", Some(json!(integration.cache_key_parameters)));
    }
    if integration.cache_namespace != resource {
        put("cacheNamespace", Some(json!(integration.cache_namespace)));
    }
    put("tlsConfig", integration.tls_config.as_ref().map(|config| json!(config)));
    shown
}

/// A response by its pattern.
fn response(response: &IntegrationResponse) -> (String, Value) {
    let mut shown = Map::new();
    shown.insert("statusCode".to_owned(), json!(response.status_code));
    if let Some(parameters) = response.response_parameters.as_ref().filter(|parameters| !parameters.is_empty()) {
        shown.insert("responseParameters".to_owned(), json!(parameters));
    }
    if let Some(templates) = response.response_templates.as_ref().filter(|templates| !templates.is_empty()) {
        shown.insert("responseTemplates".to_owned(), json!(templates));
    }
    if let Some(handling) = &response.content_handling {
        shown.insert("contentHandling".to_owned(), json!(handling));
    }
    let pattern = response.selection_pattern.clone().filter(|pattern| !pattern.is_empty());
    (pattern.unwrap_or_else(|| "default".to_owned()), Value::Object(shown))
}
