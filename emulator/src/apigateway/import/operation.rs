//! One operation of an OpenAPI document: a method with its parameters, responses and integration.

use imbl::OrdMap;
use serde_json::{Map, Value};

use super::Importer;
use super::document::{list, text, texts};
use crate::Result;
use crate::apigateway::integrations;
use crate::apigateway::state::{Integration, IntegrationResponse, Method, MethodResponse, TlsConfig};

/// The longest that an integration may take, in milliseconds, if nothing is said.
const DEFAULT_TIMEOUT: i64 = 29_000;

impl<'a> Importer<'a> {
    pub fn operation(
        &mut self,
        resource: &str,
        name: &str,
        item: &'a Map<String, Value>,
        operation: &'a Value,
    ) -> Result<()> {
        let mut method = Method { http_method: name.to_owned(), ..Method::default() };
        method.operation_name = text(operation.get("operationId"));
        self.secure(&mut method, operation);
        self.parameters(&mut method, item, operation);
        self.path_variables(resource, &mut method);
        self.request_body(&mut method, operation);
        let validator = operation.get("x-amazon-apigateway-request-validator");
        let validator = validator.or_else(|| self.document.get("x-amazon-apigateway-request-validator"));
        method.request_validator_id = text(validator).and_then(|name| self.validator(&name));
        let responses = operation.get("responses").and_then(Value::as_object);
        for (status, response) in responses.into_iter().flatten().filter(|(status, _)| status.parse::<u16>().is_ok()) {
            let made = self.response(status, self.resolved(response), operation);
            method.method_responses.insert(status.clone(), made);
        }
        if let Some(given) = operation.get("x-amazon-apigateway-integration") {
            method.method_integration = Some(self.integration(resource, name, self.resolved(given))?);
        }
        self.api.content.resource_mut(resource)?.methods.insert(name.to_owned(), method);
        Ok(())
    }

    fn parameters(&mut self, method: &mut Method, item: &'a Map<String, Value>, operation: &'a Value) {
        let mut found: OrdMap<String, bool> = OrdMap::new();
        let mut models: OrdMap<String, String> = OrdMap::new();
        // Those of the operation come last: they replace those of the path.
        let lists = [item.get("parameters"), operation.get("parameters")];
        for parameter in lists.into_iter().flatten().filter_map(Value::as_array).flatten() {
            let parameter = self.resolved(parameter);
            let name = text(parameter.get("name")).unwrap_or_default();
            let required = parameter.get("required").and_then(Value::as_bool).unwrap_or(false);
            let place = match parameter.get("in").and_then(Value::as_str) {
                Some("query") => "querystring",
                Some("header") => "header",
                Some("path") => "path",
                Some("body") => {
                    let consumes = list(operation.get("consumes")).or_else(|| list(self.document.get("consumes")));
                    let types = consumes.unwrap_or_else(|| vec!["application/json".to_owned()]);
                    if let Some(model) = parameter.get("schema").and_then(|schema| self.model_of(schema)) {
                        models.extend(types.into_iter().map(|kind| (kind, model.clone())));
                    }
                    continue;
                }
                _ => continue,
            };
            found.insert(format!("method.request.{place}.{name}"), required);
        }
        method.request_parameters = Some(found).filter(|found| !found.is_empty());
        method.request_models = Some(models).filter(|models| !models.is_empty());
    }

    /// The variables of the path are required, be they declared or not.
    fn path_variables(&self, resource: &str, method: &mut Method) {
        let path = self.api.content.resources.get(resource).map(|resource| resource.path.as_str()).unwrap_or_default();
        for part in path.split('/') {
            let Some(name) = part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) else { continue };
            let name = format!("method.request.path.{}", name.trim_end_matches('+'));
            method.request_parameters.get_or_insert_default().entry(name).or_insert(true);
        }
    }

    /// OpenAPI 3's body.
    fn request_body(&mut self, method: &mut Method, operation: &'a Value) {
        let Some(body) = operation.get("requestBody") else { return };
        let content = self.resolved(body).get("content").and_then(Value::as_object);
        let mut models = method.request_models.take().unwrap_or_default();
        for (kind, media) in content.into_iter().flatten() {
            if let Some(model) = media.get("schema").and_then(|schema| self.model_of(schema)) {
                models.insert(kind.clone(), model);
            }
        }
        method.request_models = Some(models).filter(|models| !models.is_empty());
    }

    /// The model of a schema; one that stands in its place becomes a model of its own.
    fn model_of(&mut self, schema: &'a Value) -> Option<String> {
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            return target.rsplit('/').next().map(str::to_owned);
        }
        let members = schema.as_object().filter(|members| !members.is_empty())?;
        let name = format!("MODEL{}", self.ids.hex(6));
        self.model(&name, Value::Object(members.clone()));
        Some(name)
    }

    fn response(&mut self, status: &str, response: &'a Value, operation: &'a Value) -> MethodResponse {
        let headers = response.get("headers").and_then(Value::as_object);
        let parameters: OrdMap<String, bool> =
            headers.into_iter().flatten().map(|(name, _)| (format!("method.response.header.{name}"), false)).collect();
        let mut models = OrdMap::new();
        if let Some(model) = response.get("schema").and_then(|schema| self.model_of(schema)) {
            let produces = list(operation.get("produces")).or_else(|| list(self.document.get("produces")));
            let types = produces.unwrap_or_else(|| vec!["application/json".to_owned()]);
            models.extend(types.into_iter().map(|kind| (kind, model.clone())));
        }
        let content = response.get("content").and_then(Value::as_object);
        for (kind, media) in content.into_iter().flatten() {
            if let Some(model) = media.get("schema").and_then(|schema| self.model_of(schema)) {
                models.insert(kind.clone(), model);
            }
        }
        MethodResponse {
            status_code: status.to_owned(),
            response_parameters: Some(parameters).filter(|parameters| !parameters.is_empty()),
            response_models: Some(models).filter(|models| !models.is_empty()),
        }
    }

    fn integration(&mut self, resource: &str, method: &str, given: &'a Value) -> Result<Integration> {
        let kind = text(given.get("type")).unwrap_or_default().to_uppercase();
        let http = kind.starts_with("HTTP");
        let tls: Option<TlsConfig> = match given.get("tlsConfig") {
            Some(tls) => Some(serde_json::from_value(tls.clone()).map_err(|e| Self::unreadable("tlsConfig", e))?),
            None => None,
        };
        let connection = text(given.get("connectionType")).or_else(|| http.then(|| "INTERNET".to_owned()));
        let timeout = given.get("timeoutInMillis").and_then(Value::as_i64).unwrap_or(DEFAULT_TIMEOUT);
        let integration = Integration {
            http_method: text(given.get("httpMethod")).filter(|_| kind != "MOCK"),
            uri: text(given.get("uri")).map(|uri| self.filled(&uri)).filter(|_| kind != "MOCK"),
            connection_type: connection,
            connection_id: text(given.get("connectionId")),
            credentials: text(given.get("credentials")),
            request_parameters: self.request_mappings(resource, method, given),
            request_templates: templates(given.get("requestTemplates")),
            passthrough_behavior: text(given.get("passthroughBehavior"))
                .map_or_else(|| "WHEN_NO_MATCH".to_owned(), |behavior| behavior.to_uppercase()),
            content_handling: text(given.get("contentHandling")),
            timeout_in_millis: timeout,
            cache_namespace: text(given.get("cacheNamespace")).unwrap_or_else(|| resource.to_owned()),
            cache_key_parameters: list(given.get("cacheKeyParameters")).unwrap_or_default(),
            integration_responses: integration_responses(given),
            tls_config: tls,
            kind,
        };
        integrations::check(&integration)?;
        Ok(integration)
    }

    /// A document may be written for any account and region.
    fn filled(&self, uri: &str) -> String {
        uri.replace("${AWS::Region}", &self.region).replace("${AWS::AccountId}", &self.account)
    }

    fn request_mappings(&mut self, resource: &str, method: &str, given: &Value) -> Option<OrdMap<String, String>> {
        let members = given.get("requestParameters")?.as_object()?;
        let path = self.api.content.resources.get(resource).map(|resource| resource.path.clone()).unwrap_or_default();
        let mut mappings = OrdMap::new();
        for (to, from) in members {
            match from.as_str() {
                Some(from) => {
                    mappings.insert(to.clone(), from.to_owned());
                }
                None => self.warnings.push(format!(
                    "Invalid format for 'requestParameters'. Expected type string for property '{to}' of resource '{path}' and \
                     method '{method}' but got '{from}'"
                )),
            }
        }
        Some(mappings).filter(|mappings| !mappings.is_empty())
    }
}

fn templates(given: Option<&Value>) -> Option<OrdMap<String, Option<String>>> {
    let templates = texts(given)?;
    Some(templates.into_iter().map(|(kind, template)| (kind, Some(template))).collect())
}

/// They are told apart by a pattern in the document, and by the status in API Gateway.
fn integration_responses(given: &Value) -> OrdMap<String, IntegrationResponse> {
    let responses = given.get("responses").and_then(Value::as_object);
    let read = |(pattern, response): (&String, &Value)| {
        let status = text(response.get("statusCode")).unwrap_or_else(|| "200".to_owned());
        let made = IntegrationResponse {
            status_code: status.clone(),
            selection_pattern: (pattern != "default").then(|| pattern.clone()),
            response_parameters: texts(response.get("responseParameters")),
            response_templates: templates(response.get("responseTemplates")),
            content_handling: text(response.get("contentHandling")),
        };
        (status, made)
    };
    responses.into_iter().flatten().map(read).collect()
}
