//! Methods as operations of a document: parameters, bodies and responses.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{Edition, Exporter, integration};
use crate::apigateway::state::{Method, MethodResponse, Resource};

impl Exporter<'_> {
    pub(super) fn method(&mut self, resource: &Resource, method: &Method) -> Map<String, Value> {
        let mut operation = Map::new();
        if let Some(name) = &method.operation_name {
            operation.insert("operationId".to_owned(), json!(name));
        }
        if self.edition == Edition::Swagger {
            let (consumed, produced) = media_types(method);
            for (name, types) in [("consumes", consumed), ("produces", produced)] {
                if !types.is_empty() {
                    operation.insert(name.to_owned(), json!(types));
                }
            }
        }
        let mut parameters = self.parameters(method);
        self.body(method, &mut parameters, &mut operation);
        if !parameters.is_empty() {
            operation.insert("parameters".to_owned(), Value::Array(parameters));
        }
        let mut responses = Map::new();
        for (status, response) in &method.method_responses {
            responses.insert(status.clone(), Value::Object(self.response(status, response)));
        }
        operation.insert("responses".to_owned(), Value::Object(responses));
        let security = self.security(method);
        if !security.is_empty() {
            operation.insert("security".to_owned(), Value::Array(security));
        }
        let validators = &self.deployment.content.validators;
        let validator = method.request_validator_id.as_ref().and_then(|id| validators.get(id));
        if let Some(validator) = validator.filter(|_| self.integrations) {
            let name = validator.name.as_ref().unwrap_or(&validator.id);
            operation.insert("x-amazon-apigateway-request-validator".to_owned(), json!(name));
        }
        if let Some(own) = method.method_integration.as_ref().filter(|_| self.integrations) {
            let shown = integration::shown(own, &resource.id);
            operation.insert("x-amazon-apigateway-integration".to_owned(), Value::Object(shown));
        }
        operation
    }

    /// The parameters but for the body.
    fn parameters(&self, method: &Method) -> Vec<Value> {
        let mut parameters = Vec::new();
        for (parameter, required) in method.request_parameters.iter().flatten() {
            let mut parts = parameter.splitn(4, '.').skip(2);
            let (place, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            let place = if place == "querystring" { "query" } else { place };
            let mut shown = Map::new();
            shown.insert("name".to_owned(), json!(name));
            shown.insert("in".to_owned(), json!(place));
            if self.edition == Edition::Swagger || *required {
                shown.insert("required".to_owned(), json!(required));
            }
            self.text_of(&mut shown);
            parameters.push(Value::Object(shown));
        }
        parameters
    }

    /// Says of a parameter or a header that it is a text.
    fn text_of(&self, shown: &mut Map<String, Value>) {
        match self.edition {
            Edition::Swagger => shown.insert("type".to_owned(), json!("string")),
            Edition::Oas30 => shown.insert("schema".to_owned(), json!({"type": "string"})),
        };
    }

    fn body(&mut self, method: &Method, parameters: &mut Vec<Value>, operation: &mut Map<String, Value>) {
        let Some(models) = method.request_models.as_ref().filter(|models| !models.is_empty()) else { return };
        match self.edition {
            // Version 2 has one body, whatever its type.
            Edition::Swagger => {
                for model in models.values().take(1) {
                    let schema = self.reference(model);
                    parameters.push(json!({"in": "body", "name": model, "required": true, "schema": schema}));
                }
            }
            Edition::Oas30 => {
                let mut content = Map::new();
                for (kind, model) in models {
                    content.insert(kind.clone(), json!({"schema": self.reference(model)}));
                }
                operation.insert("requestBody".to_owned(), json!({"content": content, "required": true}));
            }
        }
    }

    fn response(&mut self, status: &str, response: &MethodResponse) -> Map<String, Value> {
        let mut shown = Map::new();
        shown.insert("description".to_owned(), json!(format!("{status} response")));
        let mut headers = Map::new();
        for parameter in response.response_parameters.iter().flat_map(|parameters| parameters.keys()) {
            let Some(name) = parameter.strip_prefix("method.response.header.") else { continue };
            let mut header = Map::new();
            self.text_of(&mut header);
            headers.insert(name.to_owned(), Value::Object(header));
        }
        if !headers.is_empty() {
            shown.insert("headers".to_owned(), Value::Object(headers));
        }
        let mut content = Map::new();
        for (kind, model) in response.response_models.iter().flatten() {
            content.insert(kind.clone(), json!({"schema": self.reference(model)}));
        }
        match self.edition {
            Edition::Oas30 => {
                shown.insert("content".to_owned(), Value::Object(content));
            }
            Edition::Swagger => {
                let schema = content.values().next().and_then(|media| media.get("schema")).cloned();
                shown.extend(schema.map(|schema| ("schema".to_owned(), schema)));
            }
        }
        shown
    }
}

/// What a method takes and gives: the types of its models and of its templates.
fn media_types(method: &Method) -> (BTreeSet<&String>, BTreeSet<&String>) {
    let integration = method.method_integration.as_ref();
    let mut consumed: BTreeSet<_> = method.request_models.iter().flat_map(|models| models.keys()).collect();
    let templates = integration.and_then(|integration| integration.request_templates.as_ref());
    consumed.extend(templates.into_iter().flat_map(|templates| templates.keys()));
    let responses = method.method_responses.values();
    let mut produced: BTreeSet<_> =
        responses.flat_map(|response| response.response_models.iter().flat_map(|models| models.keys())).collect();
    let responses = integration.into_iter().flat_map(|integration| integration.integration_responses.values());
    produced.extend(responses.flat_map(|r| r.response_templates.iter().flat_map(|templates| templates.keys())));
    (consumed, produced)
}
