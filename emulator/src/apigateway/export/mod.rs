//! `GetExport`: what a stage shows, as an OpenAPI document.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-export-api.html>

mod integration;
mod method;
mod schema;
mod security;

use bytes::Bytes;
use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::errors::{bad, not_found};
use super::state::{Deployment, Stage};
use super::{RestApis, on};
use crate::cloud::{Cx, Service};
use crate::{Error, Result};

/// Adds the operation of this file.
pub(super) fn operations(service: Service<RestApis>) -> Service<RestApis> {
    service.op(
        "GetExport",
        |at, i: &GetExport| {
            let (api, stage, kind) = (&i.rest_api_id, &i.stage_name, &i.export_type);
            on(at, "GET", format_args!("/restapis/{api}/stages/{stage}/exports/{kind}"))
        },
        export,
    )
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GetExport {
    rest_api_id: String,
    stage_name: String,
    export_type: String,
    #[serde(default)]
    parameters: OrdMap<String, String>,
    accepts: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Exported {
    content_type: String,
    content_disposition: String,
}

/// Which of the two OpenAPI specifications a document follows.
#[derive(Clone, Copy, PartialEq)]
enum Edition {
    /// Version 2.0.
    Swagger,
    /// Version 3.0.1.
    Oas30,
}

impl Edition {
    fn of(kind: &str) -> Result<Self> {
        match kind {
            "swagger" => Ok(Self::Swagger),
            "oas30" => Ok(Self::Oas30),
            _ => Err(bad(format!("No API exporter for type '{kind}'"))),
        }
    }

    /// Where schemas stand.
    fn schemas(self) -> &'static str {
        match self {
            Self::Swagger => "#/definitions/",
            Self::Oas30 => "#/components/schemas/",
        }
    }
}

/// A document that is being written.
struct Exporter<'a> {
    edition: Edition,
    deployment: &'a Deployment,
    /// Whether integrations, and all else that is API Gateway's own, are told.
    integrations: bool,
    /// Whether authorizers are.
    authorizers: bool,
    /// The models that something refers to.
    used: Vec<String>,
}

fn export(cx: &mut Cx<RestApis>, input: GetExport) -> Result<Exported> {
    // An API that does not exist has no stages.
    let api = cx.state.apis.get(&input.rest_api_id);
    let found = api.and_then(|api| Some((api, api.stages.get(&input.stage_name)?)));
    let (api, stage) = found.ok_or_else(|| not_found("Invalid stage identifier specified"))?;
    let edition = Edition::of(&input.export_type)?;
    if let Some(other) = input.accepts.as_deref().filter(|kind| !matches!(*kind, "application/json" | "*/*")) {
        return Err(Error::not_implemented(format!("exports of API Gateway as {other}")));
    }
    let extensions = input.parameters.get("extensions").map(String::as_str).unwrap_or_default();
    let has = |name: &str| extensions.split(',').any(|extension| extension.trim() == name);
    if has("postman") || has("documentation") {
        return Err(Error::not_implemented("exports of API Gateway with the extensions postman and documentation"));
    }
    if stage.documentation_version.is_some() {
        return Err(Error::not_implemented("exports of a stage that has a documentation version"));
    }
    let deployment = api.deployments.get(&stage.deployment_id);
    let deployment = deployment.ok_or_else(|| not_found("Invalid Deployment identifier specified"))?;
    let mut exporter = Exporter {
        edition,
        deployment,
        integrations: has("apigateway") || has("integrations"),
        authorizers: has("apigateway") || has("authorizers"),
        used: Vec::new(),
    };
    let host = format!("{}.execute-api.{}.amazonaws.com", api.rest.id, cx.scope.region);
    let document = exporter.document(stage, &host, has("apigateway"));
    let answer = Exported {
        content_type: "application/octet-stream".to_owned(),
        content_disposition: format!(
            "attachment; filename=\"{}_{}.json\"",
            input.export_type,
            version(deployment).replace(['"', '\\', '\r', '\n'], "_")
        ),
    };
    let text = serde_json::to_string_pretty(&document).map_err(Error::internal)?;
    cx.answer_body(Bytes::from(text));
    Ok(answer)
}

/// The version of the API; one that has none is known by when it was made.
fn version(deployment: &Deployment) -> String {
    let rest = &deployment.rest;
    let made = || rest.created_date.to_jiff().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    rest.version.clone().unwrap_or_else(made)
}

impl Exporter<'_> {
    fn document(&mut self, stage: &Stage, host: &str, settings: bool) -> Map<String, Value> {
        let mut document = Map::new();
        let rest = &self.deployment.rest;
        let mut info = Map::new();
        info.insert("title".to_owned(), json!(rest.name));
        info.extend(rest.description.iter().map(|text| ("description".to_owned(), json!(text))));
        info.insert("version".to_owned(), json!(version(self.deployment)));
        match self.edition {
            Edition::Swagger => {
                document.insert("swagger".to_owned(), json!("2.0"));
                document.insert("info".to_owned(), Value::Object(info));
                document.insert("host".to_owned(), json!(host));
                document.insert("basePath".to_owned(), json!(format!("/{}", stage.stage_name)));
                document.insert("schemes".to_owned(), json!(["https"]));
            }
            Edition::Oas30 => {
                document.insert("openapi".to_owned(), json!("3.0.1"));
                document.insert("info".to_owned(), Value::Object(info));
                let variables = json!({"basePath": {"default": stage.stage_name}});
                let server = json!({"url": format!("https://{host}/{{basePath}}"), "variables": variables});
                document.insert("servers".to_owned(), json!([server]));
            }
        }
        document.insert("paths".to_owned(), Value::Object(self.paths()));
        let (schemas, security) = (self.schemas(), self.security_schemes());
        let parts = [("definitions", "schemas", schemas), ("securityDefinitions", "securitySchemes", security)];
        let mut components = Map::new();
        for (of_swagger, of_oas30, part) in parts.into_iter().filter(|(.., part)| !part.is_empty()) {
            match self.edition {
                Edition::Swagger => document.insert(of_swagger.to_owned(), Value::Object(part)),
                Edition::Oas30 => components.insert(of_oas30.to_owned(), Value::Object(part)),
            };
        }
        if self.edition == Edition::Oas30 {
            document.insert("components".to_owned(), Value::Object(components));
        }
        if settings {
            self.settings(&mut document);
        }
        document
    }

    /// The methods by their paths, in the order of the paths.
    fn paths(&mut self) -> Map<String, Value> {
        let content = &self.deployment.content;
        let mut resources: Vec<_> =
            content.resources.values().filter(|resource| !resource.methods.is_empty()).collect();
        resources.sort_by_key(|resource| &resource.path);
        let mut paths = Map::new();
        for resource in resources {
            let mut item = Map::new();
            for (name, method) in &resource.methods {
                let name = match name.as_str() {
                    "ANY" => "x-amazon-apigateway-any-method".to_owned(),
                    name => name.to_ascii_lowercase(),
                };
                let operation = self.method(resource, method);
                item.insert(name, Value::Object(operation));
            }
            paths.insert(resource.path.clone(), Value::Object(item));
        }
        paths
    }

    /// What API Gateway has for an API as a whole and OpenAPI has not.
    fn settings(&self, document: &mut Map<String, Value>) {
        let (rest, content) = (&self.deployment.rest, &self.deployment.content);
        let mut put = |name: &str, value: Value| {
            document.insert(format!("x-amazon-apigateway-{name}"), value);
        };
        if let Some(types) = rest.binary_media_types.as_ref().filter(|types| !types.is_empty()) {
            put("binary-media-types", json!(types));
        }
        if let Some(size) = rest.minimum_compression_size {
            put("minimum-compression-size", json!(size));
        }
        if rest.api_key_source != "HEADER" {
            put("api-key-source", json!(rest.api_key_source));
        }
        if let Some(policy) = &rest.policy {
            put("policy", serde_json::from_str(policy).unwrap_or_else(|_| json!(policy)));
        }
        let mut endpoint = Map::new();
        if rest.disable_execute_api_endpoint {
            endpoint.insert("disableExecuteApiEndpoint".to_owned(), json!(true));
        }
        if !rest.endpoint_configuration.vpc_endpoint_ids.is_empty() {
            endpoint.insert("vpcEndpointIds".to_owned(), json!(rest.endpoint_configuration.vpc_endpoint_ids));
        }
        if !endpoint.is_empty() {
            put("endpoint-configuration", Value::Object(endpoint));
        }
        let mut responses = Map::new();
        for (kind, response) in &content.responses {
            let mut members = Map::new();
            members.extend(response.status_code.iter().map(|status| ("statusCode".to_owned(), json!(status))));
            if !response.response_parameters.is_empty() {
                members.insert("responseParameters".to_owned(), json!(response.response_parameters));
            }
            members.insert("responseTemplates".to_owned(), json!(response.response_templates));
            responses.insert(kind.clone(), Value::Object(members));
        }
        if !responses.is_empty() {
            put("gateway-responses", Value::Object(responses));
        }
        let mut validators = Map::new();
        for validator in content.validators.values() {
            let members = json!({
                "validateRequestBody": validator.validate_request_body,
                "validateRequestParameters": validator.validate_request_parameters,
            });
            validators.insert(validator.name.clone().unwrap_or_else(|| validator.id.clone()), members);
        }
        if !validators.is_empty() {
            put("request-validators", Value::Object(validators));
        }
    }
}
