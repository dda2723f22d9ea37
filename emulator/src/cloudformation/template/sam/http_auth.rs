//! SAM's `Auth` of an HTTP API: JWT and Lambda authorizers, IAM, and the default of them.
//!
//! <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-httpapi-httpapiauth.html>

use serde_json::{Map, Value, json};

use super::authorizers::{invocation, members, no_default, permission, sources};
use super::http_api::Route;
use super::{invalid, invalid_event};
use crate::{Error, Result};

const KNOWN: [&str; 3] = ["Authorizers", "DefaultAuthorizer", "EnableIamAuthorizer"];
/// What an event may say.
const EVENT: [&str; 2] = ["AuthorizationScopes", "Authorizer"];
/// The authorizer that every API may have, and the one that is none.
const IAM: &str = "AWS_IAM";
const NONE: &str = "NONE";

/// `Auth`, read.
pub(super) struct Auth {
    authorizers: Map<String, Value>,
    default: Option<String>,
    iam: bool,
}

impl Auth {
    pub fn read(id: &str, given: &Value) -> Result<Self> {
        let none = Map::new();
        let members = members(id, given, &KNOWN, "an HTTP API")?.unwrap_or(&none);
        let authorizers = match members.get("Authorizers") {
            None => Map::new(),
            Some(Value::Object(authorizers)) => authorizers.clone(),
            Some(_) => return Err(invalid(id, "Authorizers must be a dictionary.")),
        };
        for (name, authorizer) in &authorizers {
            check(id, name, authorizer)?;
        }
        let iam = members.get("EnableIamAuthorizer").and_then(Value::as_bool).unwrap_or_default();
        let default = members.get("DefaultAuthorizer").and_then(Value::as_str).map(str::to_owned);
        let auth = Self { authorizers, default, iam };
        if let Some(name) = auth.default.as_deref().filter(|name| !auth.has(name)) {
            return Err(no_default(id, name));
        }
        Ok(auth)
    }

    fn has(&self, name: &str) -> bool {
        self.authorizers.contains_key(name) || name == IAM && self.iam
    }

    /// Adds the schemes, and to each operation what it requires. `routes` are the events that the document was made from, if it was.
    pub fn secure(&self, document: &mut Value, routes: Option<&[&Route]>) -> Result<()> {
        let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) else { return Ok(()) };
        for (path, item) in paths {
            let Some(item) = item.as_object_mut() else { continue };
            for (member, operation) in item.iter_mut() {
                let Some(operation) = operation.as_object_mut() else { continue };
                let route = routes.into_iter().flatten().find(|route| route.is_at(path, member));
                let required = match route {
                    Some(route) => self.required(route)?,
                    // What a document requires itself goes before the default.
                    None if operation.contains_key("security") => None,
                    None => self.default.as_deref().map(|name| (name, self.scopes(name))),
                };
                if let Some((name, scopes)) = required {
                    operation.insert("security".to_owned(), json!([{ name: scopes }]));
                }
            }
        }
        let mut schemes: Map<String, Value> =
            self.authorizers.iter().map(|(name, authorizer)| (name.clone(), scheme(authorizer))).collect();
        if self.iam {
            let scheme = json!({"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "awsSigv4"});
            schemes.insert(IAM.to_owned(), scheme);
        }
        let Some(members) = document.as_object_mut().filter(|_| !schemes.is_empty()) else { return Ok(()) };
        let components = members.entry("components").or_insert_with(|| json!({}));
        let place = components.as_object_mut().map(|all| all.entry("securitySchemes").or_insert_with(|| json!({})));
        if let Some(place) = place.and_then(Value::as_object_mut) {
            place.extend(schemes);
        }
        Ok(())
    }

    /// The authorizer that an event's route requires, and the scopes.
    fn required<'a>(&'a self, route: &'a Route) -> Result<Option<(&'a str, Value)>> {
        let wrong = |why: &str| {
            let place = format!("API method [{}] for path [{}]", route.method, route.path);
            invalid_event(
                &route.invoked.function,
                &route.event,
                format_args!("Unable to set Authorizer on {place} because {why}"),
            )
        };
        if !route.auth.is_null() && !route.auth.is_object() {
            return Err(wrong("'Auth' must be a dictionary."));
        }
        let given = &route.auth;
        let mut names = given.as_object().into_iter().flat_map(Map::keys);
        if let Some(name) = names.find(|name| !EVENT.contains(&name.as_str())) {
            let function = &route.invoked.function;
            return Err(Error::not_implemented(format_args!(
                "{name} of an HttpApi event's Auth (resource {function})"
            )));
        }
        let own = given.get("Authorizer").and_then(Value::as_str);
        match own {
            Some(NONE) if self.default.is_some() => return Ok(None),
            Some(NONE) => {
                return Err(wrong("'NONE' is only a valid value when a DefaultAuthorizer on the API is specified."));
            }
            Some(IAM) if !self.iam => {
                return Err(wrong("the related API does not have 'EnableIamAuthorizer' set to true."));
            }
            Some(name) if !self.has(name) => {
                return Err(wrong(&format!("the related API does not define the Authorizer [{name}].")));
            }
            _ => {}
        }
        let Some(name) = own.or(self.default.as_deref()) else {
            return if given.is_null() { Ok(None) } else { Err(wrong("no Authorizer was specified.")) };
        };
        let scopes = match given.get("AuthorizationScopes") {
            None => self.scopes(name),
            Some(scopes) if scopes.is_array() => scopes.clone(),
            Some(_) => return Err(wrong("'AuthorizationScopes' must be a list of strings.")),
        };
        Ok(Some((name, scopes)))
    }

    /// The scopes that an authorizer has for routes that name none.
    fn scopes(&self, name: &str) -> Value {
        let own = self.authorizers.get(name).and_then(|authorizer| authorizer.get("AuthorizationScopes"));
        own.cloned().unwrap_or_else(|| json!([]))
    }

    /// The permissions for the API to ask its authorizers, where they are wanted.
    pub fn permissions(&self, id: &str) -> Vec<(String, Value)> {
        let wanted = |authorizer: &Value| authorizer.get("EnableFunctionDefaultPermissions") == Some(&true.into());
        let wanted = self.authorizers.iter().filter(|(_, authorizer)| wanted(authorizer));
        wanted.map(|(name, authorizer)| permission(id, name, authorizer)).collect()
    }
}

fn check(id: &str, name: &str, authorizer: &Value) -> Result<()> {
    let Some(members) = authorizer.as_object() else {
        return Err(invalid(id, format_args!("Authorizer {name} must be a dictionary.")));
    };
    let needs = |kind: &str, member: &str| match members.contains_key(member) {
        true => Ok(()),
        false => Err(invalid(id, format_args!("{name} {kind} Authorizer must define '{member}'."))),
    };
    if members.contains_key("FunctionArn") {
        if members.contains_key("AuthorizationScopes") {
            return Err(invalid(
                id,
                format_args!("{name} 'AuthorizationScopes' must be defined only for OAuth2 Authorizer."),
            ));
        }
        return needs("Lambda", "AuthorizerPayloadFormatVersion");
    }
    if members.get("AuthorizationScopes").is_some_and(|scopes| !scopes.is_array()) {
        return Err(invalid(id, "AuthorizationScopes must be a list."));
    }
    needs("OAuth2", "JwtConfiguration")?;
    needs("OAuth2", "IdentitySource")
}

fn scheme(authorizer: &Value) -> Value {
    let get = |name: &str| authorizer.get(name).cloned().unwrap_or_default();
    if authorizer.get("FunctionArn").is_none() {
        // The names may be written with capitals.
        let given = get("JwtConfiguration");
        let lower = given.as_object().into_iter().flatten().map(|(name, value)| (name.to_lowercase(), value.clone()));
        let own = json!({
            "type": "jwt",
            "identitySource": get("IdentitySource"),
            "jwtConfiguration": Value::Object(lower.collect()),
        });
        return json!({"type": "oauth2", "x-amazon-apigateway-authorizer": own});
    }
    let mut own = json!({
        "type": "request",
        "authorizerUri": invocation(authorizer),
        "authorizerPayloadFormatVersion": get("AuthorizerPayloadFormatVersion"),
    });
    let identity = get("Identity");
    let sources = sources(&identity, "$request", "$");
    let mut put = |name: &str, value: Value| {
        if !value.is_null() && value != "NONE" && value != "" {
            own[name] = value;
        }
    };
    put("authorizerCredentials", get("FunctionInvokeRole"));
    put("authorizerResultTtlInSeconds", identity.get("ReauthorizeEvery").cloned().unwrap_or_default());
    put("enableSimpleResponses", get("EnableSimpleResponses"));
    put("identitySource", sources.into());
    json!({"type": "apiKey", "name": "Unused", "in": "header", "x-amazon-apigateway-authorizer": own})
}
