//! `AWS::Serverless::HttpApi` and functions' `HttpApi` events: an HTTP API from a generated OpenAPI document, and its stage.
//!
//! An event without an `ApiId` is of the implicit API, `ServerlessHttpApi` with the stage `$default`; one without path and method
//! is its default route. Refused by name: `Domain`, a `DefinitionUri` to a local file.
//! <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-httpapi.html>

use serde_json::{Map, Value, json};

use super::alias::{Aliases, Invoked};
use super::globals::Globals;
use super::http_auth::Auth;
use super::{ResourceDef, Template, api, check_properties, events, generated, invalid, invalid_event};
use crate::{Error, Result};

const KIND: &str = "AWS::Serverless::HttpApi";
/// The logical id of the API that events without one make.
const IMPLICIT: &str = "ServerlessHttpApi";
/// The stage, and the route, that take what is left.
const DEFAULT: &str = "$default";

const KNOWN: [&str; 13] = [
    "AccessLogSettings",
    "Auth",
    "CorsConfiguration",
    "DefaultRouteSettings",
    "DefinitionBody",
    "Description",
    "DisableExecuteApiEndpoint",
    "FailOnWarnings",
    "Name",
    "RouteSettings",
    "StageName",
    "StageVariables",
    "Tags",
];
const REFUSED: [&str; 3] = ["DefinitionUri", "Domain", "PropagateTags"];
const EVENT: [&str; 7] =
    ["ApiId", "Auth", "Method", "Path", "PayloadFormatVersion", "RouteSettings", "TimeoutInMillis"];

/// An `HttpApi` event of a function.
pub(super) struct Route {
    pub invoked: Invoked,
    pub event: String,
    /// The logical id of the API.
    api: String,
    /// `/$default` for the default route.
    pub path: String,
    /// In small letters; `x-amazon-apigateway-any-method` for all.
    pub method: String,
    /// The event's `Auth`.
    pub auth: Value,
    format: Value,
    timeout: Value,
    settings: Value,
}

/// The `HttpApi` events of all functions, in the order of the template.
pub(super) fn routes(template: &Template, aliases: &Aliases) -> Result<Vec<Route>> {
    events::of_type(template, "HttpApi")
        .map(|(function, event, properties)| route(aliases.invoked(function), event, properties))
        .collect()
}

fn route(invoked: Invoked, event: &str, properties: &Value) -> Result<Route> {
    let function = &*invoked.function;
    let wrong = |text: &str| invalid_event(function, event, text);
    let none = Map::new();
    let members = properties.as_object().unwrap_or(&none);
    if let Some(name) = members.keys().find(|name| !EVENT.contains(&name.as_str())) {
        return Err(Error::not_implemented(format_args!("{name} of an HttpApi event (resource {function})")));
    }
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    let api = match members.get("ApiId") {
        None => IMPLICIT.to_owned(),
        Some(id) => id.get("Ref").and_then(Value::as_str).map(str::to_owned).ok_or_else(|| {
            wrong("ApiId must be a valid reference to an 'AWS::Serverless::HttpApi' resource in same template.")
        })?,
    };
    let (path, method) = match (text("Path"), text("Method")) {
        (None, None) => (format!("/{DEFAULT}"), "any".to_owned()),
        (Some(_), None) | (None, Some(_)) => return Err(wrong("Path and Method must be specified together.")),
        (Some(path), Some(method)) => (path.to_owned(), method.to_ascii_lowercase()),
    };
    let method = if method == "any" { "x-amazon-apigateway-any-method".to_owned() } else { method };
    let get = |name: &str| members.get(name).cloned().unwrap_or_default();
    let (format, timeout, settings) = (get("PayloadFormatVersion"), get("TimeoutInMillis"), get("RouteSettings"));
    Ok(Route { event: event.to_owned(), api, path, method, auth: get("Auth"), format, timeout, settings, invoked })
}

impl Route {
    /// Whether this made what a document has at a path, under this name of a method.
    pub fn is_at(&self, path: &str, method: &str) -> bool {
        self.path == path && self.method == method
    }

    fn is_default(&self) -> bool {
        self.path == format!("/{DEFAULT}")
    }

    fn is_any(&self) -> bool {
        self.method.starts_with("x-")
    }

    /// `GET /pets`, as stages' settings name it.
    fn key(&self) -> String {
        match (self.is_default(), self.is_any()) {
            (true, _) => DEFAULT.to_owned(),
            (_, true) => format!("ANY {}", self.path),
            _ => format!("{} {}", self.method.to_uppercase(), self.path),
        }
    }

    /// The permission for the API to invoke the function.
    pub fn permission(&self) -> (String, Value) {
        let place = match self.is_default() {
            true => self.path.clone(),
            false => api::place(&self.path, (!self.is_any()).then_some(self.method.as_str())),
        };
        let permission = api::permission_at(&self.invoked, &self.api, &place);
        (format!("{}{}Permission", self.invoked.function, self.event), permission)
    }
}

/// The resources of the implicit API, if there are events of it.
pub(super) fn implicit(routes: &[Route], globals: &Globals) -> Result<Vec<(String, ResourceDef)>> {
    if !routes.iter().any(|route| route.api == IMPLICIT) {
        return Ok(Vec::new());
    }
    let resource = ResourceDef { properties: globals.merge("HttpApi", &Map::new()), ..ResourceDef::default() };
    expand(IMPLICIT, &resource, routes)
}

/// The resources of an API.
pub(super) fn expand(id: &str, resource: &ResourceDef, routes: &[Route]) -> Result<Vec<(String, ResourceDef)>> {
    let properties = &resource.properties;
    check_properties(id, KIND, properties, &KNOWN, &REFUSED)?;
    let get = |name: &str| properties.get(name).cloned().unwrap_or_default();
    let own: Vec<&Route> = routes.iter().filter(|route| route.api == id).collect();
    let auth = Auth::read(id, &get("Auth"))?;
    let document = match properties.get("DefinitionBody") {
        Some(body) => {
            let mut document = body.clone();
            auth.secure(&mut document, None)?;
            document
        }
        None => {
            let mut document = document(id, &own)?;
            auth.secure(&mut document, Some(&own))?;
            document
        }
    };
    // SAM marks what it makes.
    let mut tags = Map::from_iter([("httpapi:createdBy".to_owned(), "SAM".into())]);
    match properties.get("Tags") {
        None => {}
        Some(Value::Object(given)) => tags.extend(given.clone()),
        Some(_) => return Err(invalid(id, "Type of property 'Tags' is invalid.")),
    }
    let api = json!({
        "Body": document,
        "CorsConfiguration": get("CorsConfiguration"),
        "Description": get("Description"),
        "DisableExecuteApiEndpoint": get("DisableExecuteApiEndpoint"),
        "FailOnWarnings": get("FailOnWarnings"),
        "Name": get("Name"),
        "Tags": tags,
    });
    let name = properties.get("StageName").cloned().unwrap_or_else(|| DEFAULT.into());
    let stage = json!({
        "ApiId": {"Ref": id},
        "StageName": name,
        "AutoDeploy": true,
        "AccessLogSettings": get("AccessLogSettings"),
        "DefaultRouteSettings": get("DefaultRouteSettings"),
        "RouteSettings": settings(&get("RouteSettings"), &own),
        "StageVariables": get("StageVariables"),
        "Tags": tags,
    });
    let stage_id = match name.as_str() {
        Some(DEFAULT) => format!("{id}ApiGatewayDefaultStage"),
        _ => api::stage_id(id, &name),
    };
    let mut http_api = generated(resource, "AWS::ApiGatewayV2::Api", api);
    http_api.depends_on.clone_from(&resource.depends_on);
    let mut all = vec![(id.to_owned(), http_api), (stage_id, generated(resource, "AWS::ApiGatewayV2::Stage", stage))];
    for (name, permission) in auth.permissions(id) {
        all.push((name, generated(resource, "AWS::Lambda::Permission", permission)));
    }
    Ok(all)
}

/// The stage's settings with those that events have for their routes.
fn settings(given: &Value, routes: &[&Route]) -> Value {
    let mut all = given.as_object().cloned().unwrap_or_default();
    for route in routes.iter().filter(|route| !route.settings.is_null()) {
        all.insert(route.key(), route.settings.clone());
    }
    if all.is_empty() { Value::Null } else { Value::Object(all) }
}

fn document(id: &str, routes: &[&Route]) -> Result<Value> {
    let mut paths: Map<String, Value> = Map::new();
    for route in routes {
        let path = paths.entry(route.path.clone()).or_insert_with(|| json!({}));
        let Some(path) = path.as_object_mut() else { continue };
        if path.contains_key(&route.method) {
            let text = format!("API method \"{}\" defined multiple times for path \"{}\".", route.method, route.path);
            return Err(invalid_event(&route.invoked.function, &route.event, text));
        }
        let format = if route.format.is_null() { "2.0".into() } else { route.format.clone() };
        let uri = api::invocations(&route.invoked);
        let mut integration = json!({
            "httpMethod": "POST", "type": "aws_proxy", "uri": uri, "payloadFormatVersion": format,
        });
        if !route.timeout.is_null() {
            integration["timeoutInMillis"] = route.timeout.clone();
        }
        let mut operation = json!({"x-amazon-apigateway-integration": integration, "responses": {}});
        if route.is_default() {
            operation["isDefaultRoute"] = true.into();
        }
        path.insert(route.method.clone(), operation);
    }
    if paths.is_empty() {
        let text = "'DefinitionUri' or 'DefinitionBody' property is required, or an 'HttpApi' event of a function.";
        return Err(invalid(id, text));
    }
    Ok(json!({"openapi": "3.0.1", "info": {"version": "1.0", "title": {"Ref": "AWS::StackName"}}, "paths": paths}))
}
