//! SAM's `Auth` of an API: authorizers, the default of them, API keys.

use serde_json::{Map, Value, json};

use super::api::Route;
use super::invalid;
use crate::{Error, Result};

const KNOWN: [&str; 5] =
    ["AddDefaultAuthorizerToCorsPreflight", "ApiKeyRequired", "Authorizers", "DefaultAuthorizer", "InvokeRole"];
/// With IAM, a function is called as the caller unless something else is said.
const CALLER: &str = "arn:aws:iam::*:user/*";

/// `Auth`, read.
pub(super) struct Auth {
    authorizers: Map<String, Value>,
    default: Option<String>,
    key_required: bool,
    /// Whether the default is for preflights too; SAM's default, however it surprises.
    preflight: bool,
    invoke_role: Value,
}

impl Auth {
    pub fn read(id: &str, given: &Value) -> Result<Self> {
        let none = Map::new();
        let members = members(id, given, &KNOWN, "an API")?.unwrap_or(&none);
        let authorizers = members.get("Authorizers").and_then(Value::as_object).cloned().unwrap_or_default();
        for (name, authorizer) in &authorizers {
            if authorizer.get("UserPoolArn").is_some() {
                return Err(Error::not_implemented(format_args!("Cognito user pools as authorizers ({name} of {id})")));
            }
            if authorizer.get("FunctionArn").is_none() {
                return Err(invalid(id, format_args!("{name} Authorizer must specify FunctionArn or UserPoolArn.")));
            }
        }
        let flag = |name: &str, default: bool| members.get(name).and_then(Value::as_bool).unwrap_or(default);
        let default = members.get("DefaultAuthorizer").and_then(Value::as_str).map(str::to_owned);
        if let Some(name) = default.as_ref().filter(|name| *name != "AWS_IAM" && !authorizers.contains_key(*name)) {
            return Err(no_default(id, name));
        }
        Ok(Self {
            default,
            key_required: flag("ApiKeyRequired", false),
            preflight: flag("AddDefaultAuthorizerToCorsPreflight", true),
            invoke_role: members.get("InvokeRole").cloned().unwrap_or_default(),
            authorizers,
        })
    }

    /// Adds the schemes, and to each method what it requires. `routes` are the events that the document was made from, if it was.
    pub fn secure(&self, document: &mut Map<String, Value>, routes: Option<&[&Route]>) -> Result<()> {
        let mut schemes: Map<String, Value> =
            self.authorizers.iter().map(|(name, authorizer)| (name.clone(), scheme(authorizer))).collect();
        let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) else { return Ok(()) };
        for (path, item) in paths {
            let Some(item) = item.as_object_mut() else { continue };
            for (member, operation) in item.iter_mut() {
                let Some(operation) = operation.as_object_mut() else { continue };
                let verb = if member == "x-amazon-apigateway-any-method" { "any" } else { member.as_str() };
                let route = routes.into_iter().flatten().find(|route| route.path == *path && route.method == verb);
                let preflight = route.is_none() && verb == "options";
                self.secure_method(operation, route.copied(), preflight, &mut schemes)?;
            }
        }
        if !schemes.is_empty() {
            let place = document.entry("securityDefinitions").or_insert_with(|| json!({}));
            if let Some(place) = place.as_object_mut() {
                place.extend(schemes);
            }
        }
        Ok(())
    }

    fn secure_method(
        &self,
        operation: &mut Map<String, Value>,
        route: Option<&Route>,
        preflight: bool,
        schemes: &mut Map<String, Value>,
    ) -> Result<()> {
        let own = route.and_then(|route| route.auth("Authorizer")).and_then(Value::as_str);
        let default = self.default.as_deref().filter(|_| !preflight || self.preflight);
        let name = own.or(default).filter(|name| *name != "NONE");
        if let (Some(name), Some(route)) = (own.filter(|name| !matches!(*name, "NONE" | "AWS_IAM")), route)
            && !self.authorizers.contains_key(name)
        {
            let text = format!(
                "Unable to set Authorizer [{name}] on API method [{}] for path [{}] because the related API does not define any \
                 such Authorizer.",
                route.method, route.path
            );
            return Err(super::invalid_event(&route.invoked.function, &route.event, text));
        }
        let wants_key = route.and_then(|route| route.auth("ApiKeyRequired")).and_then(Value::as_bool);
        let wants_key = wants_key.unwrap_or(self.key_required && !preflight);
        let mut required = Vec::new();
        if let Some(name) = name {
            required.push(json!({ name: [] }));
            if name == "AWS_IAM" {
                schemes.insert(name.to_owned(), header_scheme("Authorization", Some("awsSigv4")));
                self.call_as(operation, route);
            }
        }
        if wants_key {
            required.push(json!({ "api_key": [] }));
            schemes.insert("api_key".to_owned(), header_scheme("x-api-key", None));
        }
        if !required.is_empty() {
            operation.insert("security".to_owned(), Value::Array(required));
        }
        Ok(())
    }

    /// As whom the function of a method with IAM is called.
    fn call_as(&self, operation: &mut Map<String, Value>, route: Option<&Route>) {
        let role = route.and_then(|route| route.auth("InvokeRole")).unwrap_or(&self.invoke_role);
        let credentials = match role.as_str() {
            Some("NONE") => return,
            None if role.is_null() => CALLER.into(),
            Some("CALLER_CREDENTIALS") => CALLER.into(),
            _ => role.clone(),
        };
        let integration = operation.get_mut("x-amazon-apigateway-integration").and_then(Value::as_object_mut);
        if let Some(integration) = integration.filter(|integration| integration.get("type") != Some(&"mock".into())) {
            integration.insert("credentials".to_owned(), credentials);
        }
    }

    /// The permissions for the API to ask its authorizers.
    pub fn permissions(&self, id: &str) -> Vec<(String, Value)> {
        let without_role =
            self.authorizers.iter().filter(|(_, authorizer)| authorizer.get("FunctionInvokeRole").is_none());
        without_role.map(|(name, authorizer)| permission(id, name, authorizer)).collect()
    }
}

fn header_scheme(header: &str, kind: Option<&str>) -> Value {
    let mut scheme = json!({"type": "apiKey", "name": header, "in": "header"});
    if let Some(kind) = kind {
        scheme["x-amazon-apigateway-authtype"] = kind.into();
    }
    scheme
}

fn scheme(authorizer: &Value) -> Value {
    let identity = authorizer.get("Identity").cloned().unwrap_or_default();
    let request = authorizer.get("FunctionPayloadType").and_then(Value::as_str) == Some("REQUEST");
    let header = identity.get("Header").and_then(Value::as_str).unwrap_or("Authorization");
    let mut own = json!({
        "type": if request { "request" } else { "token" },
        "authorizerUri": invocation(authorizer),
    });
    let mut put = |name: &str, value: Option<&Value>| {
        if let Some(value) = value.filter(|value| !value.is_null() && *value != "NONE") {
            own[name] = value.clone();
        }
    };
    put("authorizerCredentials", authorizer.get("FunctionInvokeRole"));
    put("authorizerResultTtlInSeconds", identity.get("ReauthorizeEvery"));
    put("identityValidationExpression", identity.get("ValidationExpression"));
    if request {
        let sources = sources(&identity, "method.request", "");
        if sources.is_empty() {
            put("authorizerResultTtlInSeconds", Some(&json!(0)));
        } else {
            put("identitySource", Some(&sources.into()));
        }
    }
    let mut scheme = header_scheme(if request { "Unused" } else { header }, Some("custom"));
    scheme["x-amazon-apigateway-authorizer"] = own;
    scheme
}

/// The members of an `Auth`, none of which may be unknown; `None` where there is none.
pub(super) fn members<'a>(
    id: &str,
    given: &'a Value,
    known: &[&str],
    of: &str,
) -> Result<Option<&'a Map<String, Value>>> {
    let members = match given {
        Value::Null => return Ok(None),
        Value::Object(members) => members,
        _ => return Err(invalid(id, "Invalid value for 'Auth' property")),
    };
    match members.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(Error::not_implemented(format_args!("{name} of {of}'s Auth (resource {id})"))),
        None => Ok(Some(members)),
    }
}

/// The default authorizer is none of the API's.
pub(super) fn no_default(id: &str, name: &str) -> Error {
    invalid(id, format!("Unable to set DefaultAuthorizer because '{name}' was not defined in 'Authorizers'."))
}

/// The URI by which API Gateway invokes an authorizer's function.
pub(super) fn invocation(authorizer: &Value) -> Value {
    let uri = "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${__FunctionArn__}/invocations";
    json!({"Fn::Sub": [uri, {"__FunctionArn__": authorizer.get("FunctionArn")}]})
}

/// The permission for an API to ask an authorizer, and its logical id.
pub(super) fn permission(id: &str, name: &str, authorizer: &Value) -> (String, Value) {
    let source = json!({"Fn::Sub": [
        "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${__ApiId__}/authorizers/*",
        {"__ApiId__": {"Ref": id}},
    ]});
    let permission = json!({
        "Action": "lambda:InvokeFunction",
        "FunctionName": authorizer.get("FunctionArn"),
        "Principal": "apigateway.amazonaws.com",
        "SourceArn": source,
    });
    (format!("{id}{name}AuthorizerPermission"), permission)
}

/// The identity sources of an authorizer. `request` is how those of the request begin, `sign` what stands before the others.
pub(super) fn sources(identity: &Value, request: &str, sign: &str) -> String {
    let places = [
        ("Headers", format!("{request}.header.")),
        ("QueryStrings", format!("{request}.querystring.")),
        ("StageVariables", format!("{sign}stageVariables.")),
        ("Context", format!("{sign}context.")),
    ];
    let mut sources = Vec::new();
    for (member, before) in places {
        for name in identity.get(member).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
            sources.push(format!("{before}{name}"));
        }
    }
    sources.join(", ")
}
