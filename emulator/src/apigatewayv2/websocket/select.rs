//! Which route a message takes: the route selection expression.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-develop-routes.html>

use serde_json::Value;

use super::super::parameters::scalar;
use super::super::state::{Route, Served};
use crate::apigatewayv2::apis::DEFAULT_ROUTE;

/// What a selection expression can read of a message.
const BODY: &str = "request.body.";

/// The route of this key.
pub(super) fn route<'a>(served: &'a Served, key: &str) -> Option<&'a Route> {
    served.routes.values().find(|route| route.route_key.as_deref() == Some(key))
}

/// The route that a message takes: the one that the expression names, or else `$default`.
pub(super) fn select<'a>(served: &'a Served, body: &[u8]) -> Option<&'a Route> {
    let expression = served.definition.route_selection_expression.as_deref().unwrap_or_default();
    // The routes that are not for messages cannot be chosen by one.
    let key = key(expression, body).filter(|key| !key.starts_with('$'));
    key.and_then(|key| route(served, &key)).or_else(|| route(served, DEFAULT_ROUTE))
}

/// What an expression gives for a message; none if what it names is not there, or the message is not JSON.
fn key(expression: &str, body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let mut key = String::new();
    let mut rest = expression;
    while let Some(at) = rest.find('$') {
        let (before, variable) = rest.split_at(at);
        if let Some(escaped) = before.strip_suffix('\\') {
            key.push_str(escaped);
            key.push('$');
            rest = &variable[1..];
            continue;
        }
        key.push_str(before);
        let variable = &variable[1..];
        let (name, after) = match variable.strip_prefix('{') {
            Some(braced) => braced.split_once('}')?,
            None => variable.split_at(variable.find(|c: char| !is_name(c)).unwrap_or(variable.len())),
        };
        key.push_str(&value(&body, name.strip_prefix(BODY)?)?);
        rest = after;
    }
    key.push_str(rest);
    Some(key)
}

fn is_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "._-".contains(letter)
}

/// The scalar at a dotted path.
fn value(body: &Value, path: &str) -> Option<String> {
    scalar(path.split('.').try_fold(body, |value, name| value.get(name))?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_expression_reads_the_message() {
        for (expression, body, expected) in [
            ("$request.body.action", r#"{"action":"join"}"#, Some("join")),
            ("${request.body.action}", r#"{"action":7}"#, Some("7")),
            ("$request.body.a.b", r#"{"a":{"b":"deep"}}"#, Some("deep")),
            ("${request.body.a}-${request.body.b}", r#"{"a":"x","b":true}"#, Some("x-true")),
            ("$request.body.a/$request.body.b", r#"{"a":"x","b":"y"}"#, Some("x/y")),
            (r"\$x", "{}", Some("$x")),
            ("$request.body.action", "not json", None),
            ("$request.body.action", r#"{"action":{"x":1}}"#, None),
            ("$request.body.action", r#"{"other":1}"#, None),
            ("$request.method $request.path", "{}", None),
        ] {
            assert_eq!(key(expression, body.as_bytes()).as_deref(), expected, "{expression} {body}");
        }
    }

    #[test]
    fn what_no_route_takes_goes_to_the_default_and_a_message_cannot_choose_connect() {
        let mut served = Served::default();
        served.definition.route_selection_expression = Some("$request.body.action".to_owned());
        for key in ["join", "$connect", "$default"] {
            let route = Route { route_key: Some(key.to_owned()), ..Route::default() };
            served.routes.insert(key.to_owned(), route);
        }
        let taken = |body: &str| select(&served, body.as_bytes()).unwrap().route_key.clone().unwrap();
        assert_eq!(taken(r#"{"action":"join"}"#), "join");
        assert_eq!(taken(r#"{"action":"leave"}"#), "$default");
        assert_eq!(taken(r#"{"action":"$connect"}"#), "$default");
        assert_eq!(taken("hello"), "$default");
        served.routes.remove("$default");
        assert!(select(&served, b"hello").is_none());
    }
}
