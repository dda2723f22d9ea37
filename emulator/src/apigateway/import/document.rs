//! What an OpenAPI document says of an API as a whole: settings, models, validators, gateway responses, paths.

use imbl::OrdMap;
use serde_json::{Map, Value};

use super::Importer;
use crate::apigateway::errors::bad;
use crate::apigateway::resources;
use crate::apigateway::state::{GatewayResponse, Model, RequestValidator};
use crate::{Error, Result};

/// How deep schemas may nest; ours.
const MAX_DEPTH: usize = 100;

/// What paths begin with: `ignore`, `prepend`, or `split` (all but the first segment).
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-import-api-basePath.html>
pub(super) fn base_path(document: &Value, mode: &str) -> String {
    let base = declared_base(document);
    let base = base.trim_matches('/');
    match mode {
        "prepend" if !base.is_empty() => format!("/{base}"),
        "split" => base.split_once('/').map(|(_, rest)| format!("/{rest}")).unwrap_or_default(),
        _ => String::new(),
    }
}

fn declared_base(document: &Value) -> String {
    if let Some(base) = document.get("basePath").and_then(Value::as_str) {
        return base.to_owned();
    }
    let Some(server) = document.pointer("/servers/0") else { return String::new() };
    if let Some(base) = server.pointer("/variables/basePath/default").and_then(Value::as_str) {
        return base.to_owned();
    }
    let url = server.get("url").and_then(Value::as_str).unwrap_or_default();
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').and_then(|slash| rest.get(slash..)).unwrap_or_default().to_owned()
}

/// A member that may be a text, a number or a boolean, as a text.
pub(super) fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.clone()),
        Value::Null => None,
        Value::Object(_) | Value::Array(_) => None,
        other => Some(other.to_string()),
    }
}

/// A map of texts.
pub(super) fn texts(value: Option<&Value>) -> Option<OrdMap<String, String>> {
    let members = value?.as_object()?;
    Some(members.iter().filter_map(|(key, value)| Some((key.clone(), text(Some(value))?))).collect())
}

/// A list of texts.
pub(super) fn list(value: Option<&Value>) -> Option<Vec<String>> {
    Some(value?.as_array()?.iter().filter_map(|element| text(Some(element))).collect())
}

impl<'a> Importer<'a> {
    /// What a `$ref` within the document points at.
    pub fn resolved(&self, value: &'a Value) -> &'a Value {
        let mut at = value;
        for _ in 0..MAX_DEPTH {
            let target = at.get("$ref").and_then(Value::as_str).and_then(|r| r.strip_prefix('#'));
            match target.and_then(|pointer| self.document.pointer(pointer)) {
                Some(target) => at = target,
                None => return at,
            }
        }
        at
    }

    pub fn settings(&mut self) -> Result<()> {
        let (document, rest) = (self.document, &mut self.api.rest);
        let info = document.get("info");
        if let Some(title) = text(info.and_then(|info| info.get("title"))) {
            rest.name = title;
        }
        if rest.name.is_empty() {
            return Err(bad("Invalid OpenAPI input."));
        }
        let described = text(info.and_then(|info| info.get("description")));
        rest.description = described.or_else(|| rest.description.clone());
        rest.version = text(info.and_then(|info| info.get("version"))).or_else(|| rest.version.clone());
        if let Some(added) = list(document.get("x-amazon-apigateway-binary-media-types")) {
            let types = rest.binary_media_types.get_or_insert_default();
            for kind in added {
                if !types.contains(&kind) {
                    types.push(kind);
                }
            }
        }
        if let Some(source) = text(document.get("x-amazon-apigateway-api-key-source")) {
            rest.api_key_source = source;
        }
        if let Some(size) = document.get("x-amazon-apigateway-minimum-compression-size").and_then(Value::as_i64) {
            rest.minimum_compression_size = Some(size);
        }
        if let Some(policy) = document.get("x-amazon-apigateway-policy") {
            rest.policy = Some(policy.to_string());
        }
        let endpoint = document
            .get("x-amazon-apigateway-endpoint-configuration")
            .or_else(|| document.pointer("/servers/0/x-amazon-apigateway-endpoint-configuration"));
        if let Some(endpoint) = endpoint {
            if let Some(disabled) = endpoint.get("disableExecuteApiEndpoint").and_then(Value::as_bool) {
                rest.disable_execute_api_endpoint = disabled;
            }
            if let Some(ids) = list(endpoint.get("vpcEndpointIds")) {
                rest.endpoint_configuration.vpc_endpoint_ids = ids;
            }
        }
        Ok(())
    }

    fn schemas(&self) -> Option<&'a Map<String, Value>> {
        let schemas = self.document.get("definitions").or_else(|| self.document.pointer("/components/schemas"));
        schemas.and_then(Value::as_object)
    }

    pub fn models(&mut self) {
        let Some(schemas) = self.schemas() else { return };
        for (name, schema) in schemas {
            let schema = schema.clone();
            self.model(name, schema);
        }
    }

    /// Adds a model, its references written as API Gateway does: as URLs of models.
    pub fn model(&mut self, name: &str, mut schema: Value) {
        link(&mut schema, &self.api.rest.id, 0);
        let description = text(schema.get("description"));
        let old = self.api.content.models.get(name).map(|model| model.id.clone());
        let model = Model {
            id: old.unwrap_or_else(|| self.ids.lower(6)),
            name: name.to_owned(),
            description,
            schema: Some(serde_json::to_string_pretty(&schema).unwrap_or_default()),
            content_type: "application/json".to_owned(),
        };
        self.api.content.models.insert(name.to_owned(), model);
    }

    pub fn validators(&mut self) {
        let validators = self.document.get("x-amazon-apigateway-request-validators").and_then(Value::as_object);
        for (name, validator) in validators.into_iter().flatten() {
            let flag = |member: &str| validator.get(member).and_then(Value::as_bool).unwrap_or(false);
            let id = self.ids.lower(6);
            let made = RequestValidator {
                id: id.clone(),
                name: Some(name.clone()),
                validate_request_body: flag("validateRequestBody"),
                validate_request_parameters: flag("validateRequestParameters"),
            };
            self.api.content.validators.insert(id, made);
        }
    }

    /// The id of the validator of this name.
    pub fn validator(&self, name: &str) -> Option<String> {
        let mut validators = self.api.content.validators.values();
        validators.find(|validator| validator.name.as_deref() == Some(name)).map(|validator| validator.id.clone())
    }

    pub fn gateway_responses(&mut self) {
        let responses = self.document.get("x-amazon-apigateway-gateway-responses").and_then(Value::as_object);
        for (kind, response) in responses.into_iter().flatten() {
            let mut set = crate::apigateway::gateway_responses::response(&self.api.content, kind);
            set.default_response = false;
            set.status_code = text(response.get("statusCode")).filter(|status| status != "null");
            set.response_parameters = texts(response.get("responseParameters")).unwrap_or_default();
            if let Some(templates) = texts(response.get("responseTemplates")) {
                set.response_templates = templates;
            }
            let made = GatewayResponse { response_type: kind.clone(), ..set };
            self.api.content.responses.insert(kind.clone(), made);
        }
    }

    pub fn paths(&mut self) -> Result<()> {
        let paths = self.document.get("paths").and_then(Value::as_object);
        for (path, item) in paths.into_iter().flatten() {
            let whole = format!("{}/{}", self.base, path.trim_start_matches('/'));
            let resource = self.resource(whole.trim_end_matches('/'))?;
            let Some(item) = self.resolved(item).as_object() else { continue };
            for (member, operation) in item {
                let method = match member.as_str() {
                    "x-amazon-apigateway-any-method" => "ANY".to_owned(),
                    "get" | "put" | "post" | "delete" | "patch" | "options" | "head" => member.to_uppercase(),
                    _ => continue,
                };
                self.operation(&resource, &method, item, operation)?;
            }
        }
        Ok(())
    }

    /// The id of the resource of a path, made with all above it if it is not there.
    fn resource(&mut self, path: &str) -> Result<String> {
        let mut id = self.api.rest.root_resource_id.clone();
        let mut so_far = String::new();
        for part in path.split('/').filter(|part| !part.is_empty()) {
            so_far = format!("{so_far}/{part}");
            id = match self.api.content.by_path(&so_far) {
                Some(there) => there.id.clone(),
                None => {
                    let new = self.ids.lower(6);
                    resources::make(&mut self.api.content, new, &id, part)?.id
                }
            };
        }
        Ok(id)
    }

    /// `Error` for a member that is there and cannot be read.
    pub fn unreadable(what: &str, error: impl std::fmt::Display) -> Error {
        bad(format!("Unable to parse API definition because of a malformed {what}: {error}"))
    }
}

fn link(schema: &mut Value, api: &str, depth: usize) {
    if depth > MAX_DEPTH {
        return;
    }
    match schema {
        Value::Object(members) => {
            if let Some(Value::String(target)) = members.get_mut("$ref")
                && let Some(name) =
                    target.strip_prefix("#/definitions/").or_else(|| target.strip_prefix("#/components/schemas/"))
            {
                *target = format!("https://apigateway.amazonaws.com/restapis/{api}/models/{name}");
            }
            members.values_mut().for_each(|value| link(value, api, depth + 1));
        }
        Value::Array(elements) => elements.iter_mut().for_each(|value| link(value, api, depth + 1)),
        _ => {}
    }
}
