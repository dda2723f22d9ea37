//! HTTP APIs from OpenAPI 3 documents.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-open-api.html> and the extensions that it names.

use imbl::OrdMap;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::apis::{DEFAULT_ROUTE, OfApi, made};
use super::part::{PART_ID, api, bad_request, changed};
use super::state::{Authorizer, Cors, Definition, Integration, JwtConfiguration, Route, Texts};
use super::{Apis, arn, deployments};
use crate::cloud::{Cx, Ids, Service};
use crate::cloudformation::template;
use crate::{Error, Result};

/// The largest document, in bytes.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html>
const DOCUMENT_LIMIT: usize = 6 * 1024 * 1024;
/// The operations of a path; the last is API Gateway's own.
const METHODS: [(&str, &str); 8] = [
    ("get", "GET"),
    ("put", "PUT"),
    ("post", "POST"),
    ("delete", "DELETE"),
    ("options", "OPTIONS"),
    ("head", "HEAD"),
    ("patch", "PATCH"),
    ("x-amazon-apigateway-any-method", "ANY"),
];

/// Adds the operations of this file.
pub(super) fn operations(service: Service<Apis>) -> Service<Apis> {
    service.op("ImportApi", |at, _: &Import| arn::on(at, "PUT", "apis"), import).op(
        "ReimportApi",
        |at, i: &Reimport| arn::on(at, "PUT", format_args!("apis/{}", i.api_id)),
        reimport,
    )
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Import {
    basepath: Option<String>,
    body: String,
    fail_on_warnings: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Reimport {
    api_id: String,
    basepath: Option<String>,
    body: String,
    fail_on_warnings: Option<bool>,
}

/// What a document says.
struct Described {
    definition: Definition,
    routes: OrdMap<String, Route>,
    integrations: OrdMap<String, Integration>,
    authorizers: OrdMap<String, Authorizer>,
}

fn import(cx: &mut Cx<Apis>, input: Import) -> Result<Definition> {
    let described = read(cx.ids(), &input.body, input.basepath.as_deref(), input.fail_on_warnings)?;
    let definition = Definition { protocol_type: Some("HTTP".to_owned()), ..described.definition.clone() };
    let definition = made(cx, definition)?;
    fill(cx, definition.api_id.as_deref().unwrap_or_default(), described)?;
    Ok(definition)
}

fn reimport(cx: &mut Cx<Apis>, input: Reimport) -> Result<Definition> {
    let of = OfApi { api_id: input.api_id };
    if api(cx, &of.api_id)?.is_websocket() {
        return Err(bad_request("Reimport is only supported for HTTP APIs"));
    }
    let described = read(cx.ids(), &input.body, input.basepath.as_deref(), input.fail_on_warnings)?;
    let api = api(cx, &of.api_id)?;
    let definition = changed(&api.definition, &described.definition)?;
    api.definition = definition.clone();
    fill(cx, &of.api_id, described)?;
    Ok(definition)
}

/// The parts that the document describes take the place of those that there are.
fn fill(cx: &mut Cx<Apis>, api_id: &str, described: Described) -> Result<()> {
    let api = api(cx, api_id)?;
    api.routes = described.routes;
    api.integrations = described.integrations;
    api.authorizers = described.authorizers;
    deployments::automatic(cx, api_id)
}

fn read(ids: &mut Ids, body: &str, basepath: Option<&str>, strict: Option<bool>) -> Result<Described> {
    if body.len() > DOCUMENT_LIMIT {
        return Err(bad_request("The API specification is too large"));
    }
    if let Some(other) = basepath.filter(|how| *how != "ignore") {
        return Err(Error::not_implemented(format_args!("basepath={other} of apigatewayv2:ImportApi")));
    }
    let document = template::yaml::read(body).map_err(|error| {
        bad_request(format!("Unable to parse API definition because of a malformed document: {}", error.message()))
    })?;
    if !document["openapi"].as_str().is_some_and(|version| version.starts_with("3.")) {
        return Err(bad_request("Unsupported OpenAPI version: HTTP APIs are imported from OpenAPI 3.0"));
    }
    let mut reader = Reader { ids, document: &document, warnings: Vec::new(), described: described(&document)? };
    reader.authorizers()?;
    reader.paths()?;
    let Reader { warnings, mut described, .. } = reader;
    if strict == Some(true) && !warnings.is_empty() {
        return Err(bad_request(format!("Warnings found during import:\n\t{}", warnings.join("\n\t"))));
    }
    described.definition.warnings = Some(warnings).filter(|warnings| !warnings.is_empty());
    Ok(described)
}

fn described(document: &Value) -> Result<Described> {
    let info = |member: &str| text(&document["info"][member]);
    let name = info("title").ok_or_else(|| bad_request("The document has no title: info.title"))?;
    let cors = document.get("x-amazon-apigateway-cors").map(|cors| Cors {
        allow_credentials: cors["allowCredentials"].as_bool(),
        allow_headers: texts(&cors["allowHeaders"]),
        allow_methods: texts(&cors["allowMethods"]),
        allow_origins: texts(&cors["allowOrigins"]),
        expose_headers: texts(&cors["exposeHeaders"]),
        max_age: cors["maxAge"].as_i64().and_then(|age| age.try_into().ok()),
    });
    let definition = Definition {
        name: Some(name),
        version: info("version"),
        description: info("description"),
        cors_configuration: cors,
        ..Definition::default()
    };
    Ok(Described { definition, routes: OrdMap::new(), integrations: OrdMap::new(), authorizers: OrdMap::new() })
}

/// A scalar as text: YAML makes numbers of versions.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn texts(value: &Value) -> Option<Vec<String>> {
    Some(value.as_array()?.iter().filter_map(text).collect())
}

fn text_map(value: &Value) -> Option<Texts> {
    let entries = value.as_object()?.iter();
    Some(entries.filter_map(|(key, value)| Some((key.clone(), text(value)?))).collect())
}

struct Reader<'a> {
    ids: &'a mut Ids,
    document: &'a Value,
    warnings: Vec<String>,
    described: Described,
}

impl<'a> Reader<'a> {
    fn authorizers(&mut self) -> Result<()> {
        let Some(schemes) = self.document["components"]["securitySchemes"].as_object() else { return Ok(()) };
        for (name, scheme) in schemes {
            let given = &scheme["x-amazon-apigateway-authorizer"];
            let kind = match given["type"].as_str().map(str::to_ascii_uppercase) {
                None => continue,
                Some(kind) if matches!(&*kind, "JWT" | "REQUEST") => kind,
                Some(kind) => return Err(bad_request(format!("Unsupported authorizer type: {kind}"))),
            };
            let id = self.ids.lower(PART_ID);
            let jwt = given
                .get("jwtConfiguration")
                .map(|jwt| JwtConfiguration { audience: texts(&jwt["audience"]), issuer: text(&jwt["issuer"]) });
            let source = &given["identitySource"];
            let sources = text(source).map(|text| text.split(',').map(|one| one.trim().to_owned()).collect());
            let authorizer = Authorizer {
                authorizer_id: Some(id.clone()),
                authorizer_credentials_arn: text(&given["authorizerCredentials"]),
                authorizer_payload_format_version: text(&given["authorizerPayloadFormatVersion"]),
                authorizer_result_ttl_in_seconds: given["authorizerResultTtlInSeconds"]
                    .as_u64()
                    .and_then(|ttl| ttl.try_into().ok()),
                authorizer_type: Some(kind),
                authorizer_uri: text(&given["authorizerUri"]),
                enable_simple_responses: given["enableSimpleResponses"].as_bool(),
                identity_source: sources.or_else(|| texts(source)),
                jwt_configuration: jwt,
                name: Some(name.clone()),
                ..Authorizer::default()
            };
            self.described.authorizers.insert(id, authorizer);
        }
        Ok(())
    }

    fn paths(&mut self) -> Result<()> {
        let Some(paths) = self.document["paths"].as_object() else {
            return Err(bad_request("The document has no paths"));
        };
        for (path, operations) in paths {
            for (word, method) in METHODS {
                if let Some(operation) = operations.get(word) {
                    self.operation(path, word, method, operation)?;
                }
            }
        }
        Ok(())
    }

    fn operation(&mut self, path: &str, word: &str, method: &str, operation: &Value) -> Result<()> {
        let mut given = &operation["x-amazon-apigateway-integration"];
        if let Some(reference) = given["$ref"].as_str() {
            given = self.refer(reference).unwrap_or(&Value::Null);
        }
        self.check_references(path, word, operation);
        let is_default = path == "/$default" || given["isDefaultRoute"] == true || operation["isDefaultRoute"] == true;
        let target = match given {
            Value::Null => None,
            given => Some(format!("integrations/{}", self.integration(given)?)),
        };
        let (kind, authorizer, scopes) = self.security(operation)?;
        let id = self.ids.lower(PART_ID);
        let route = Route {
            route_id: Some(id.clone()),
            api_key_required: Some(false),
            authorization_scopes: Some(scopes),
            authorization_type: Some(kind.to_owned()),
            authorizer_id: authorizer,
            operation_name: text(&operation["operationId"]),
            request_parameters: Some(OrdMap::new()),
            route_key: Some(if is_default { DEFAULT_ROUTE.to_owned() } else { format!("{method} {path}") }),
            target,
            ..Route::default()
        };
        self.described.routes.insert(id, route);
        Ok(())
    }

    /// The kind of authorization of an operation, and its authorizer, by the first of its security requirements, or else by the document's.
    fn security(&self, operation: &Value) -> Result<(&'static str, Option<String>, Vec<String>)> {
        let given = operation.get("security").or_else(|| self.document.get("security"));
        let first = given.and_then(Value::as_array).and_then(|all| all.first()).and_then(Value::as_object);
        let Some((name, scopes)) = first.and_then(|first: &Map<String, Value>| first.iter().next()) else {
            return Ok(("NONE", None, Vec::new()));
        };
        if self.document["components"]["securitySchemes"][name]["x-amazon-apigateway-authtype"] == "awsSigv4" {
            return Ok(("AWS_IAM", None, Vec::new()));
        }
        let found = self.described.authorizers.iter().find(|(_, a)| a.name.as_ref() == Some(name));
        let (id, found) = found.ok_or_else(|| bad_request(format!("The security scheme {name} has no authorizer")))?;
        let kind = if found.authorizer_type.as_deref() == Some("JWT") { "JWT" } else { "CUSTOM" };
        Ok((kind, Some(id.clone()), texts(scopes).unwrap_or_default()))
    }

    fn integration(&mut self, given: &Value) -> Result<String> {
        let kind = text(&given["type"]).unwrap_or_default().to_ascii_uppercase();
        if !matches!(&*kind, "AWS_PROXY" | "HTTP_PROXY") {
            return Err(bad_request(format!("Unsupported integration type for HTTP APIs: {kind}")));
        }
        let id = self.ids.lower(PART_ID);
        let responses = given["responseParameters"].as_object().map(|by_status| {
            by_status.iter().filter_map(|(status, map)| Some((status.clone(), text_map(map)?))).collect()
        });
        let integration = Integration {
            integration_id: Some(id.clone()),
            connection_id: text(&given["connectionId"]),
            connection_type: text(&given["connectionType"]).or_else(|| Some("INTERNET".to_owned())),
            credentials_arn: text(&given["credentials"]),
            integration_method: text(&given["httpMethod"]),
            integration_subtype: text(&given["integrationSubtype"]),
            integration_type: Some(kind),
            integration_uri: text(&given["uri"]),
            payload_format_version: text(&given["payloadFormatVersion"]).or_else(|| Some("1.0".to_owned())),
            request_parameters: text_map(&given["requestParameters"]),
            response_parameters: responses,
            timeout_in_millis: given["timeoutInMillis"].as_u64().or(Some(super::integrations::HTTP_TIMEOUT)),
            ..Integration::default()
        };
        self.described.integrations.insert(id.clone(), integration);
        Ok(id)
    }

    /// What a reference within the document leads to.
    fn refer(&self, reference: &str) -> Option<&'a Value> {
        self.document.pointer(reference.strip_prefix('#')?)
    }

    /// Warns of schemas of answers that the document does not have.
    fn check_references(&mut self, path: &str, word: &str, operation: &Value) {
        let Some(responses) = operation["responses"].as_object() else { return };
        for (status, response) in responses {
            let Some(content) = response["content"].as_object() else { continue };
            for media in content.values() {
                let Some(reference) = media["schema"]["$ref"].as_str() else { continue };
                if self.refer(reference).is_none() {
                    self.warnings.push(format!(
                        "Parse issue: attribute paths.'{path}'({word}).responses.{status}.content.schema.{reference} is \
                         missing"
                    ));
                }
            }
        }
    }
}
