//! The events that functions of an HTTP API receive, in both formats.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html> and
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::super::parameters::{self, Pairs};
use super::super::state::Texts;
use crate::Timestamp;

/// A request as events tell it.
pub(crate) struct Told<'a> {
    /// The account; `anonymous` where a function URL tells none.
    pub account: &'a str,
    pub api_id: &'a str,
    pub domain: &'a str,
    pub stage: &'a str,
    pub route_key: &'a str,
    pub method: &'a str,
    /// The path, with the stage where that stands in it.
    pub path: &'a str,
    /// The path as format 1.0 tells it: below a custom domain name with the key of the mapping, which format 2.0 does not tell.
    pub sent_path: &'a str,
    pub query: &'a str,
    pub headers: &'a Pairs,
    pub body: &'a [u8],
    pub path_parameters: &'a Pairs,
    pub variables: Option<&'a Texts>,
    pub source_ip: &'a str,
    pub request_id: &'a str,
    pub now: Timestamp,
    /// What the authorizer said, as it stands in the context.
    pub authorizer: Option<&'a Value>,
}

impl Told<'_> {
    /// Format 2.0.
    pub fn second(&self) -> Value {
        let mut event = Map::new();
        event.insert("version".into(), "2.0".into());
        event.insert("routeKey".into(), self.route_key.into());
        event.insert("rawPath".into(), decoded(self.path).into());
        event.insert("rawQueryString".into(), self.query.into());
        let cookies: Vec<Value> = self.cookies().map(Value::from).collect();
        if !cookies.is_empty() {
            event.insert("cookies".into(), cookies.into());
        }
        event.insert("headers".into(), self.joined_headers());
        if !self.query.is_empty() {
            event.insert("queryStringParameters".into(), joined(&parameters::query(self.query)));
        }
        event.insert("requestContext".into(), self.second_context());
        let (body, encoded) = self.body_text();
        if !body.is_null() {
            event.insert("body".into(), body);
        }
        if !self.path_parameters.is_empty() {
            event.insert("pathParameters".into(), parameters::last(self.path_parameters));
        }
        event.insert("isBase64Encoded".into(), encoded.into());
        self.add_variables(&mut event);
        Value::Object(event)
    }

    fn second_context(&self) -> Value {
        let mut context = Map::new();
        context.insert("accountId".into(), self.account.into());
        context.insert("apiId".into(), self.api_id.into());
        if let Some(authorizer) = self.authorizer {
            context.insert("authorizer".into(), authorizer.clone());
        }
        context.insert("domainName".into(), self.domain.into());
        context.insert("domainPrefix".into(), self.prefix().into());
        let http = json!({
            "method": self.method,
            "path": decoded(self.path),
            "protocol": "HTTP/1.1",
            "sourceIp": self.source_ip,
            "userAgent": self.header("user-agent"),
        });
        context.insert("http".into(), http);
        context.insert("requestId".into(), self.request_id.into());
        context.insert("routeKey".into(), self.route_key.into());
        context.insert("stage".into(), self.stage.into());
        context.insert("time".into(), self.now.to_log_time().into());
        context.insert("timeEpoch".into(), self.now.millis().into());
        Value::Object(context)
    }

    /// Format 1.0.
    pub fn first(&self) -> Value {
        let query = parameters::query(self.query);
        let some = |pairs: &Pairs, value: Value| if pairs.is_empty() { Value::Null } else { value };
        let (body, encoded) = self.body_text();
        json!({
            "version": "1.0",
            "resource": self.resource(),
            "path": decoded(self.sent_path),
            "httpMethod": self.method,
            "headers": parameters::last(self.headers),
            "multiValueHeaders": parameters::all(self.headers),
            "queryStringParameters": some(&query, parameters::last(&query)),
            "multiValueQueryStringParameters": some(&query, parameters::all(&query)),
            "requestContext": self.first_context(),
            "pathParameters": some(self.path_parameters, parameters::last(self.path_parameters)),
            "stageVariables": self.variables.filter(|variables| !variables.is_empty()),
            "body": body,
            "isBase64Encoded": encoded,
        })
    }

    fn first_context(&self) -> Value {
        json!({
            "accountId": self.account,
            "apiId": self.api_id,
            "authorizer": self.authorizer,
            "domainName": self.domain,
            "domainPrefix": self.prefix(),
            "extendedRequestId": self.request_id,
            "httpMethod": self.method,
            "identity": {
                "accessKey": null, "accountId": null, "caller": null, "cognitoAmr": null,
                "cognitoAuthenticationProvider": null, "cognitoAuthenticationType": null, "cognitoIdentityId": null,
                "cognitoIdentityPoolId": null, "principalOrgId": null,
                "sourceIp": self.source_ip, "user": null, "userAgent": self.header("user-agent"), "userArn": null,
            },
            "path": decoded(self.sent_path),
            "protocol": "HTTP/1.1",
            "requestId": self.request_id,
            "requestTime": self.now.to_log_time(),
            "requestTimeEpoch": self.now.millis(),
            "resourceId": self.route_key,
            "resourcePath": self.resource(),
            "stage": self.stage,
        })
    }

    /// The authorizer's event in format 2.0.
    pub fn second_authorization(&self, route_arn: &str, identities: &[String]) -> Value {
        let mut event = self.second();
        if let Some(members) = event.as_object_mut() {
            members.remove("body");
            members.remove("isBase64Encoded");
            members.insert("type".into(), "REQUEST".into());
            members.insert("routeArn".into(), route_arn.into());
            members.insert("identitySource".into(), json!(identities));
        }
        event
    }

    /// The authorizer's event in format 1.0.
    pub fn first_authorization(&self, method_arn: &str, identities: &[String]) -> Value {
        let mut event = self.first();
        if let Some(members) = event.as_object_mut() {
            members.remove("body");
            members.remove("isBase64Encoded");
            members.insert("type".into(), "REQUEST".into());
            members.insert("methodArn".into(), method_arn.into());
            members.insert("identitySource".into(), identities.join(",").into());
            members.insert("authorizationToken".into(), identities.join(",").into());
        }
        event
    }

    /// The path of the route's key; of `$default` that name.
    fn resource(&self) -> &str {
        self.route_key.split_once(' ').map_or(self.route_key, |(_, path)| path)
    }

    fn prefix(&self) -> &str {
        self.domain.split('.').next().unwrap_or_default()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value.as_str())
    }

    fn cookies(&self) -> impl Iterator<Item = &str> {
        let cookies = self.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("cookie"));
        cookies.flat_map(|(_, value)| value.split(';')).map(str::trim).filter(|cookie| !cookie.is_empty())
    }

    /// In format 2.0 names are in lower case, and several values stand in one, separated by commas.
    fn joined_headers(&self) -> Value {
        let lower = self.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone()));
        joined(&lower.filter(|(name, _)| name != "cookie").collect())
    }

    fn body_text(&self) -> (Value, bool) {
        if self.body.is_empty() {
            return (Value::Null, false);
        }
        // What is not known to be text is told in base64.
        let kind = self.header("content-type").split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let is_text = kind.is_empty()
            || kind.starts_with("text/")
            || kind.ends_with("json")
            || kind.ends_with("xml")
            || kind == "application/javascript";
        match std::str::from_utf8(self.body) {
            Ok(text) if is_text => (text.into(), false),
            _ => (STANDARD.encode(self.body).into(), true),
        }
    }

    fn add_variables(&self, event: &mut Map<String, Value>) {
        if let Some(variables) = self.variables.filter(|variables| !variables.is_empty()) {
            event.insert("stageVariables".into(), json!(variables));
        }
    }
}

fn joined(pairs: &Pairs) -> Value {
    let mut joined = Map::new();
    for (name, value) in pairs {
        match joined.get_mut(name) {
            Some(Value::String(there)) => {
                there.push(',');
                there.push_str(value);
            }
            _ => {
                joined.insert(name.clone(), value.clone().into());
            }
        }
    }
    Value::Object(joined)
}

fn decoded(path: &str) -> String {
    percent_encoding::percent_decode_str(path).decode_utf8_lossy().into_owned()
}
