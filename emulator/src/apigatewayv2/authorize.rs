//! REQUEST authorizers: what a function says about who calls.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html>

use std::time::Duration;

use serde_json::{Map, Value};

use super::function;
use super::invoke::{self, Function, Outcome};
use super::parameters::{Pairs, scalar};
use super::state::{Authorizer, Texts};
use crate::cloud::{Inner, Scope};
use crate::iam::Principal;
use crate::iam::policy::pattern::Context;
use crate::iam::policy::{Attached, Policy, Request, evaluate};

/// How long an authorizer may take, as an integration of a WebSocket API.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html>
pub(super) const WEBSOCKET_TIME: Duration = Duration::from_millis(29_000);
/// The same for an HTTP API.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>
pub(super) const HTTP_TIME: Duration = Duration::from_millis(10_000);
/// What invoking an API is called in policies.
pub(super) const INVOKE: &str = "execute-api:Invoke";

/// What was found out about a caller.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    /// May, with what the authorizer says of it.
    Allowed(Option<Value>),
    /// Is not known: 401.
    Unauthorized,
    /// May not: 403.
    Forbidden,
    /// The authorizer failed: 500.
    Failed,
}

/// Where identities are found.
pub(super) struct Sources<'a> {
    pub headers: &'a Pairs,
    pub query: &'a Pairs,
    pub variables: Option<&'a Texts>,
}

impl Sources<'_> {
    /// The values of all identity sources; none if one is missing or empty.
    pub fn identities(&self, sources: &[String]) -> Option<Vec<String>> {
        sources.iter().filter(|source| !source.is_empty()).map(|source| self.identity(source)).collect()
    }

    fn identity(&self, source: &str) -> Option<String> {
        let source = source.strip_prefix("route.").or_else(|| source.strip_prefix('$')).unwrap_or(source);
        let of = |pairs: &Pairs, wanted: &dyn Fn(&str) -> bool| {
            pairs.iter().rev().find(|(name, _)| wanted(name)).map(|(_, value)| value.clone())
        };
        let found = if let Some(name) = source.strip_prefix("request.header.") {
            of(self.headers, &|known| known.eq_ignore_ascii_case(name))
        } else if let Some(name) = source.strip_prefix("request.querystring.") {
            of(self.query, &|known| known == name)
        } else if let Some(name) = source.strip_prefix("stageVariables.") {
            self.variables.and_then(|variables| variables.get(name).cloned())
        } else {
            // Of the context only what is always there may be named, and so it is never missing.
            source.starts_with("context.").then(|| source.to_owned())
        };
        found.filter(|value| !value.is_empty())
    }
}

/// Asks an authorizer's function.
pub(super) async fn ask(
    inner: &Inner,
    scope: &Scope,
    authorizer: &Authorizer,
    at: &Asked<'_>,
    event: &Value,
) -> Verdict {
    let uri = authorizer.authorizer_uri.as_deref().unwrap_or_default();
    let uri = function::with_variables(uri, at.variables);
    let Some(arn) = function::arn_of(&uri) else {
        tracing::warn!(uri, "an authorizer names no function");
        return Verdict::Failed;
    };
    let id = authorizer.authorizer_id.as_deref().unwrap_or_default();
    let source_arn = scope.arn("execute-api", format_args!("{}/authorizers/{id}", at.api_id));
    let role = authorizer.authorizer_credentials_arn.as_deref().filter(|role| !role.is_empty());
    let called = Function { arn, role, source_arn };
    match invoke::function(inner, scope, &called, event, at.time).await {
        Outcome::Answered(answer) if authorizer.enable_simple_responses == Some(true) => simple(answer),
        Outcome::Answered(answer) => by_policy(scope, at.resource, answer),
        Outcome::Failed | Outcome::TimedOut => Verdict::Failed,
    }
}

/// What is asked for.
pub(super) struct Asked<'a> {
    pub api_id: &'a str,
    pub variables: Option<&'a Texts>,
    /// The ARN of stage and route.
    pub resource: &'a str,
    pub time: Duration,
}

/// `{"isAuthorized": true, "context": {…}}`.
fn simple(mut answer: Value) -> Verdict {
    match answer["isAuthorized"].as_bool() {
        Some(true) => Verdict::Allowed(answer.get_mut("context").map(Value::take).filter(Value::is_object)),
        Some(false) => Verdict::Forbidden,
        None => Verdict::Failed,
    }
}

/// `{"principalId": …, "policyDocument": {…}, "context": {…}}`.
fn by_policy(scope: &Scope, resource: &str, answer: Value) -> Verdict {
    let Some(principal_id) = scalar(&answer["principalId"]) else { return Verdict::Failed };
    let Ok(policy) = Policy::read(&answer["policyDocument"].to_string()) else { return Verdict::Failed };
    if !allows(scope, &policy, resource) {
        return Verdict::Forbidden;
    }
    let mut said = Map::new();
    if let Some(context) = answer["context"].as_object() {
        for (name, value) in context {
            // Anything else makes API Gateway answer 500.
            let Some(text) = scalar(value) else { return Verdict::Failed };
            said.insert(name.clone(), text.into());
        }
    }
    said.insert("principalId".to_owned(), principal_id.into());
    Verdict::Allowed(Some(Value::Object(said)))
}

fn allows(scope: &Scope, policy: &Policy, resource: &str) -> bool {
    let request = Request {
        // The policy is the caller's own and names nobody.
        principal: Principal::AssumedRole {
            account: scope.account.to_string(),
            role_name: "authorized".to_owned(),
            role_path: "/".to_owned(),
            role_id: String::new(),
            session_name: String::new(),
        },
        resource_account: scope.account.to_string(),
        action: INVOKE.to_owned(),
        resource: resource.to_owned(),
        context: Context::new(),
    };
    evaluate(&request, &[Attached { name: "authorizer", policy }], None, &[], None).is_allowed()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    const ROUTE: &str = "arn:aws:execute-api:us-east-1:123456789012:abc/prod/$connect";

    fn answer(effect: &str, resource: &str) -> Value {
        let statement = json!({ "Effect": effect, "Action": "execute-api:Invoke", "Resource": resource });
        json!({
            "principalId": "alice",
            "policyDocument": { "Version": "2012-10-17", "Statement": [statement] },
            "context": { "name": "Alice", "age": 7, "is": true },
        })
    }

    #[test]
    fn a_policy_decides_and_its_context_is_text() {
        let scope = Scope::new("123456789012", "us-east-1");
        let said = json!({ "name": "Alice", "age": "7", "is": "true", "principalId": "alice" });
        assert_eq!(by_policy(&scope, ROUTE, answer("Allow", ROUTE)), Verdict::Allowed(Some(said)));
        assert_eq!(by_policy(&scope, ROUTE, answer("Deny", "*")), Verdict::Forbidden);
        assert_eq!(by_policy(&scope, ROUTE, answer("Allow", "arn:aws:execute-api:*:*:other/*")), Verdict::Forbidden);
        assert_eq!(by_policy(&scope, ROUTE, json!({ "principalId": "alice" })), Verdict::Failed);
        let mut nested = answer("Allow", ROUTE);
        nested["context"]["list"] = json!([1]);
        assert_eq!(by_policy(&scope, ROUTE, nested), Verdict::Failed);
    }

    #[test]
    fn a_simple_response_is_a_flag() {
        assert_eq!(simple(json!({ "isAuthorized": true })), Verdict::Allowed(None));
        assert_eq!(simple(json!({ "isAuthorized": false })), Verdict::Forbidden);
        assert_eq!(simple(json!({})), Verdict::Failed);
    }

    #[test]
    fn every_identity_source_must_be_there() {
        let headers = vec![("Auth".to_owned(), "h".to_owned())];
        let query = vec![("token".to_owned(), "q".to_owned()), ("empty".to_owned(), String::new())];
        let sources = Sources { headers: &headers, query: &query, variables: None };
        let of = |names: &[&str]| sources.identities(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(of(&["route.request.querystring.token", "route.request.header.auth"]).unwrap(), ["q", "h"]);
        assert_eq!(of(&["$request.header.Auth"]).unwrap(), ["h"]);
        assert_eq!(of(&["route.request.querystring.token", "route.request.querystring.other"]), None);
        assert_eq!(of(&["route.request.querystring.empty"]), None);
        assert!(of(&[]).unwrap().is_empty());
    }
}
