//! `AWS::Serverless::Api` and functions' `Api` events: a REST API from a generated OpenAPI document, its deployment and stage.
//!
//! An event without a `RestApiId` is of the implicit API, `ServerlessRestApi` with the stage `Prod`. The document is an API's own
//! (`DefinitionBody`), or made from the events that name the API. Refused by name: `Domain`, `Auth.UsagePlan`,
//! `Auth.ResourcePolicy`, Cognito, a `DefinitionUri` to a local file.
//! <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-api.html>

use serde_json::{Map, Value, json};
use sha1::{Digest, Sha1};

use super::alias::{Aliases, Invoked};
use super::globals::Globals;
use super::{ResourceDef, Template, authorizers, check_properties, cors, events, generated, invalid, invalid_event};
use crate::{Error, Result};

const KIND: &str = "AWS::Serverless::Api";
/// The logical id and the stage of the API that events without one make.
const IMPLICIT: &str = "ServerlessRestApi";
const IMPLICIT_STAGE: &str = "Prod";

const KNOWN: [&str; 20] = [
    "AccessLogSetting",
    "ApiKeySourceType",
    "Auth",
    "BinaryMediaTypes",
    "CacheClusterEnabled",
    "CacheClusterSize",
    "CanarySetting",
    "Cors",
    "DefinitionBody",
    "Description",
    "DisableExecuteApiEndpoint",
    "EndpointConfiguration",
    "GatewayResponses",
    "MethodSettings",
    "MinimumCompressionSize",
    "Name",
    "OpenApiVersion",
    "StageName",
    "TracingEnabled",
    "Variables",
];
const ALSO: [&str; 4] = ["Tags", "FailOnWarnings", "Mode", "AlwaysDeploy"];
const REFUSED: [&str; 6] = ["DefinitionUri", "Domain", "Models", "MergeDefinitions", "PropagateTags", "Policy"];
const EVENT: [&str; 5] = ["Auth", "Method", "Path", "RestApiId", "TimeoutInMillis"];

/// An `Api` event of a function.
pub(super) struct Route {
    pub invoked: Invoked,
    pub event: String,
    /// The logical id of the API.
    pub api: String,
    pub path: String,
    /// In small letters; `any` for all.
    pub method: String,
    auth: Value,
    timeout: Value,
}

/// The `Api` events of all functions, in the order of the template.
pub(super) fn routes(template: &Template, aliases: &Aliases) -> Result<Vec<Route>> {
    let all = events::of_type(template, "Api");
    all.map(|(function, event, properties)| route(aliases.invoked(function), event, properties)).collect()
}

fn route(invoked: Invoked, event: &str, properties: &Value) -> Result<Route> {
    let function = &*invoked.function;
    let wrong = |text: &str| invalid_event(function, event, text);
    let members = properties.as_object().ok_or_else(|| wrong("Missing required property 'Path'."))?;
    for name in members.keys().map(String::as_str) {
        if !EVENT.contains(&name) {
            return Err(Error::not_implemented(format_args!("{name} of an Api event (resource {function})")));
        }
    }
    let text = |name: &str| {
        let missing = || wrong(&format!("Missing required property '{name}'."));
        members.get(name).and_then(Value::as_str).map(str::to_owned).ok_or_else(missing)
    };
    let api = match members.get("RestApiId") {
        None => IMPLICIT.to_owned(),
        Some(Value::String(id)) => id.clone(),
        Some(id) => id.get("Ref").and_then(Value::as_str).map(str::to_owned).ok_or_else(|| {
            wrong("RestApiId must be a valid reference to an 'AWS::Serverless::Api' in same template.")
        })?,
    };
    let (path, method) = (text("Path")?, text("Method")?.to_ascii_lowercase());
    Ok(Route {
        event: event.to_owned(),
        api,
        path,
        method,
        invoked,
        auth: members.get("Auth").cloned().unwrap_or_default(),
        timeout: members.get("TimeoutInMillis").cloned().unwrap_or_default(),
    })
}

/// The resources of the implicit API, if there are events of it.
pub(super) fn implicit(routes: &[Route], globals: &Globals) -> Result<Vec<(String, ResourceDef)>> {
    if !routes.iter().any(|route| route.api == IMPLICIT) {
        return Ok(Vec::new());
    }
    let own = Map::from_iter([("StageName".to_owned(), IMPLICIT_STAGE.into())]);
    let resource = ResourceDef { properties: globals.merge("Api", &own), ..ResourceDef::default() };
    expand(IMPLICIT, &resource, routes)
}

/// The permission for an API to invoke the function of an event.
pub(super) fn permission(route: &Route) -> (String, Value) {
    let place = place(&route.path, (route.method != "any").then_some(route.method.as_str()));
    let stage = if route.api == IMPLICIT { IMPLICIT_STAGE } else { "" };
    let permission = permission_at(&route.invoked, &route.api, &place);
    (format!("{}{}Permission{stage}", route.invoked.function, route.event), permission)
}

/// Where in an API a path and a method are, as permissions have it: with a star for what may be anything.
pub(super) fn place(path: &str, method: Option<&str>) -> String {
    let mut place = format!("/{}", method.map_or_else(|| "*".to_owned(), str::to_uppercase));
    let mut parts = path.split('/').filter(|part| !part.is_empty()).peekable();
    if parts.peek().is_none() {
        place.push('/');
    }
    for part in parts {
        place.push('/');
        place.push_str(if part.starts_with('{') { "*" } else { part });
    }
    place
}

/// The permission for an API to invoke a function at a place, in any stage.
pub(super) fn permission_at(invoked: &Invoked, api: &str, place: &str) -> Value {
    let source = json!({"Fn::Sub": [
        format!("arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{__ApiId__}}/${{__Stage__}}{place}"),
        {"__ApiId__": {"Ref": api}, "__Stage__": "*"},
    ]});
    json!({
        "Action": "lambda:InvokeFunction",
        "FunctionName": invoked.name(),
        "Principal": "apigateway.amazonaws.com",
        "SourceArn": source,
    })
}

/// The resources of an API.
pub(super) fn expand(id: &str, resource: &ResourceDef, routes: &[Route]) -> Result<Vec<(String, ResourceDef)>> {
    let properties = &resource.properties;
    let known: Vec<&str> = KNOWN.iter().chain(&ALSO).copied().collect();
    check_properties(id, KIND, properties, &known, &REFUSED)?;
    let get = |name: &str| properties.get(name).cloned().unwrap_or_default();
    let stage_name =
        properties.get("StageName").ok_or_else(|| invalid(id, "Missing required property 'StageName'."))?;
    let own: Vec<&Route> = routes.iter().filter(|route| route.api == id).collect();
    let auth = authorizers::Auth::read(id, &get("Auth"))?;
    let mut document = match properties.get("DefinitionBody") {
        Some(body) => body.clone(),
        None => document(id, &own)?,
    };
    let managed = !properties.contains_key("DefinitionBody");
    if let Some(members) = document.as_object_mut() {
        if let Some(cors) = properties.get("Cors") {
            cors::add(id, members, cors)?;
        }
        auth.secure(members, managed.then_some(&own[..]))?;
        add_settings(members, &get("BinaryMediaTypes"), &get("GatewayResponses"));
    }
    let tags = super::tag_list(id, properties.get("Tags"))?;
    let endpoint = properties.get("EndpointConfiguration").map(endpoint);
    let api = json!({
        "Body": document,
        "Name": get("Name"),
        "Description": get("Description"),
        "ApiKeySourceType": get("ApiKeySourceType"),
        "DisableExecuteApiEndpoint": get("DisableExecuteApiEndpoint"),
        "EndpointConfiguration": endpoint,
        "FailOnWarnings": get("FailOnWarnings"),
        "MinimumCompressionSize": get("MinimumCompressionSize"),
        "Mode": get("Mode"),
        "Tags": if tags.is_empty() { Value::Null } else { json!(tags) },
    });
    let hash = hex::encode(Sha1::digest(document.to_string()));
    let deployment_id = format!("{id}Deployment{}", hash.get(..10).unwrap_or_default());
    let deployment = json!({"RestApiId": {"Ref": id}, "Description": format!("RestApi deployment id: {hash}")});
    let stage = json!({
        "RestApiId": {"Ref": id},
        "DeploymentId": {"Ref": deployment_id},
        "StageName": stage_name,
        "AccessLogSetting": get("AccessLogSetting"),
        "CacheClusterEnabled": get("CacheClusterEnabled"),
        "CacheClusterSize": get("CacheClusterSize"),
        "CanarySetting": get("CanarySetting"),
        "MethodSettings": get("MethodSettings"),
        "TracingEnabled": get("TracingEnabled"),
        "Variables": get("Variables"),
    });
    let mut rest_api = generated(resource, "AWS::ApiGateway::RestApi", api);
    rest_api.depends_on.clone_from(&resource.depends_on);
    let mut all = vec![
        (id.to_owned(), rest_api),
        (deployment_id, generated(resource, "AWS::ApiGateway::Deployment", deployment)),
        (stage_id(id, stage_name), generated(resource, "AWS::ApiGateway::Stage", stage)),
    ];
    for (name, permission) in auth.permissions(id) {
        all.push((name, generated(resource, "AWS::Lambda::Permission", permission)));
    }
    Ok(all)
}

/// The logical id of a stage; without its name if that is no plain word.
pub(super) fn stage_id(id: &str, name: &Value) -> String {
    let plain = name.as_str().filter(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    format!("{id}{}Stage", plain.unwrap_or_default())
}

/// SAM's `Type` is CloudFormation's list of types.
fn endpoint(given: &Value) -> Value {
    match given.get("Type") {
        Some(kind) => json!({"Types": [kind], "VpcEndpointIds": given.get("VPCEndpointIds")}),
        None if given.is_string() => json!({"Types": [given]}),
        None => given.clone(),
    }
}

/// The URI by which an integration invokes a function.
pub(super) fn invocations(invoked: &Invoked) -> Value {
    let arn = invoked.variable();
    let uri = "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions";
    json!({"Fn::Sub": format!("{uri}/{arn}/invocations")})
}

fn document(id: &str, routes: &[&Route]) -> Result<Value> {
    let mut paths: Map<String, Value> = Map::new();
    for route in routes {
        let member = if route.method == "any" { "x-amazon-apigateway-any-method" } else { &route.method };
        let path = paths.entry(route.path.clone()).or_insert_with(|| json!({}));
        let Some(path) = path.as_object_mut() else { continue };
        if path.contains_key(member) {
            return Err(invalid_event(
                &route.invoked.function,
                &route.event,
                format_args!("API method \"{}\" defined multiple times for path \"{}\".", route.method, route.path),
            ));
        }
        let uri = invocations(&route.invoked);
        let mut integration = json!({"httpMethod": "POST", "type": "aws_proxy", "uri": uri});
        if !route.timeout.is_null() {
            integration["timeoutInMillis"] = route.timeout.clone();
        }
        path.insert(member.to_owned(), json!({"x-amazon-apigateway-integration": integration, "responses": {}}));
    }
    if paths.is_empty() {
        let text = "Must specify 'DefinitionBody', or an 'Api' event of a function for the API.";
        return Err(invalid(id, text));
    }
    Ok(json!({"swagger": "2.0", "info": {"version": "1.0", "title": {"Ref": "AWS::StackName"}}, "paths": paths}))
}

fn add_settings(document: &mut Map<String, Value>, types: &Value, responses: &Value) {
    if let Some(types) = types.as_array() {
        // Templates may write the slash as `~1`.
        let types =
            types.iter().map(|kind| kind.as_str().map_or_else(|| kind.clone(), |k| k.replace("~1", "/").into()));
        document.insert("x-amazon-apigateway-binary-media-types".to_owned(), types.collect());
    }
    let Some(responses) = responses.as_object() else { return };
    let written = responses.iter().map(|(kind, response)| {
        let mut parameters = Map::new();
        let places = response.get("ResponseParameters").and_then(Value::as_object);
        for (place, names) in places.into_iter().flatten() {
            let place = match place.as_str() {
                "Headers" => "header",
                "Paths" => "path",
                _ => "querystring",
            };
            for (name, value) in names.as_object().into_iter().flatten() {
                parameters.insert(format!("gatewayresponse.{place}.{name}"), value.clone());
            }
        }
        let mut made = json!({"responseParameters": parameters});
        for (from, to) in [("StatusCode", "statusCode"), ("ResponseTemplates", "responseTemplates")] {
            if let Some(value) = response.get(from) {
                made[to] = value.clone();
            }
        }
        (kind.clone(), made)
    });
    document.insert("x-amazon-apigateway-gateway-responses".to_owned(), Value::Object(written.collect()));
}

impl Route {
    /// A member of the event's `Auth`.
    pub fn auth(&self, name: &str) -> Option<&Value> {
        self.auth.get(name)
    }
}
