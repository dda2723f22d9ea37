//! Mapping templates: what they may name, and what they override.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html>

use std::cell::OnceCell;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Map, Value as Json, json};
use velocity::{Error, Object, Template, Value, Variables};

use super::refusal::Refusal;
use super::{Exchange, json_path};
use crate::execute_api::scalar;

/// What `$util.urlEncode` leaves as it is: Java's `URLEncoder` does.
const URL: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'*').remove(b'_').remove(b' ');

/// What a template sees of a payload and of the request that it belongs to.
pub(super) struct Input {
    /// The payload that is mapped.
    pub body: String,
    /// `$input.params()`: `path`, `querystring`, `header`.
    pub parameters: Json,
}

/// What templates say in place of what they make.
#[derive(Clone, Debug)]
pub(super) struct Overrides {
    /// `$context.requestOverride`.
    pub request: Json,
    /// `$context.responseOverride`.
    pub response: Json,
}

impl Default for Overrides {
    fn default() -> Self {
        Self { request: json!({"header": {}, "path": {}, "querystring": {}}), response: json!({"header": {}}) }
    }
}

/// What a template made.
pub(super) struct Rendered {
    pub text: String,
    pub overrides: Overrides,
}

struct InputObject {
    input: Input,
    /// The payload as a document, once something asks for it.
    document: OnceCell<Json>,
}

impl InputObject {
    fn found(&self, path: &str) -> Result<Json, Error> {
        let body = self.document.get_or_init(|| match self.input.body.trim() {
            "" => json!({}),
            text => serde_json::from_str(text).unwrap_or_else(|_| json!(self.input.body)),
        });
        // A path that finds nothing is an empty text.
        json_path::find(body, path).map(|found| found.unwrap_or_else(|| json!(""))).map_err(Error::Method)
    }

    fn parameter(&self, name: &str) -> Option<&Json> {
        let places = ["path", "querystring", "header"];
        let exact = places.iter().find_map(|place| self.input.parameters.get(place)?.get(name));
        exact.or_else(|| {
            let headers = self.input.parameters.get("header")?.as_object()?;
            headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
        })
    }
}

impl Object for InputObject {
    fn property(&self, name: &str) -> Option<Value> {
        // An empty payload is shown as an empty document.
        (name == "body").then(|| Value::from(if self.input.body.is_empty() { "{}" } else { &*self.input.body }))
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Result<Value, Error> {
        match (name, arguments) {
            ("json", [path]) => Ok(Value::from(self.found(&path.text())?.to_string())),
            ("path", [path]) => Ok(Value::from(&self.found(&path.text())?)),
            ("params", []) => Ok(Value::from(&self.input.parameters)),
            ("params", [name]) => {
                let name = name.text();
                let place = self.input.parameters.get(&name).filter(|place| place.is_object());
                Ok(self.parameter(&name).or(place).map_or_else(|| Value::from(""), Value::from))
            }
            _ => Err(unknown("$input", name, arguments)),
        }
    }

    fn text(&self) -> String {
        self.input.body.clone()
    }
}

struct Util;

impl Object for Util {
    fn property(&self, _: &str) -> Option<Value> {
        None
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Result<Value, Error> {
        let [argument] = arguments else { return Err(unknown("$util", name, arguments)) };
        // What is not there prints nothing, and so it is here.
        let text = if matches!(argument, Value::Null) { String::new() } else { argument.text() };
        Ok(match name {
            "escapeJavaScript" => Value::from(escaped(&text)),
            "parseJson" if matches!(argument, Value::Null) => Value::Null,
            "parseJson" => {
                let parsed: Json =
                    serde_json::from_str(&text).map_err(|e| Error::Method(format!("$util.parseJson: {e}")))?;
                Value::from(&parsed)
            }
            "urlEncode" => Value::from(utf8_percent_encode(&text, URL).to_string().replace(' ', "+")),
            "urlDecode" => Value::from(percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()),
            "base64Encode" => Value::from(STANDARD.encode(text)),
            "base64Decode" => {
                let decoded = STANDARD.decode(text).map_err(|e| Error::Method(format!("$util.base64Decode: {e}")))?;
                Value::from(String::from_utf8_lossy(&decoded).into_owned())
            }
            _ => return Err(unknown("$util", name, arguments)),
        })
    }

    fn text(&self) -> String {
        "$util".to_owned()
    }
}

fn unknown(object: &str, name: &str, arguments: &[Value]) -> Error {
    Error::Method(format!("{object} has no method {name} of {} arguments", arguments.len()))
}

/// As Java's `StringEscapeUtils.escapeJavaScript`; a single quote is escaped too, which makes JSON of it invalid, as at AWS.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\'' => out.push_str("\\'"),
            '\\' => out.push_str("\\\\"),
            '/' => out.push_str("\\/"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if (' '..='~').contains(&c) => out.push(c),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04X}"));
                }
            }
        }
    }
    out
}

impl Exchange<'_> {
    /// `$input.params()` of the request.
    pub(super) fn input_parameters(&self) -> Json {
        let map = |pairs: &[(String, String)]| {
            Json::Object(pairs.iter().map(|(name, value)| (name.clone(), json!(value))).collect::<Map<_, _>>())
        };
        json!({
            "path": map(&self.path_parameters),
            "querystring": map(&self.request.query),
            "header": map(&self.request.headers),
        })
    }

    /// Renders a template. What the request's template has overridden, that of the answer sees.
    pub(super) fn render(&self, template: &str, input: Input, before: &Overrides) -> Result<Rendered, Refusal> {
        let failed = |error: Error| {
            tracing::warn!(%error, "a mapping template of API Gateway could not be rendered");
            Refusal::configuration(500)
        };
        let template = Template::parse(template).map_err(failed)?;
        let mut context = self.context_value();
        context["requestOverride"] = before.request.clone();
        context["responseOverride"] = before.response.clone();
        let context = Value::from(&context);
        let mut variables = Variables::new();
        variables.insert(
            "input".to_owned(),
            Value::Object(std::rc::Rc::new(InputObject { input, document: OnceCell::new() })),
        );
        variables.insert("util".to_owned(), Value::Object(std::rc::Rc::new(Util)));
        variables.insert("context".to_owned(), context.clone());
        variables.insert("stageVariables".to_owned(), Value::from(&json!(self.variables)));
        let text = template.render(&mut variables).map_err(failed)?;
        let override_of = |name: &str| match &context {
            Value::Map(entries) => entries.borrow().get(name).map_or(Json::Null, |value| plain(value, 0)),
            _ => Json::Null,
        };
        let overrides =
            Overrides { request: override_of("requestOverride"), response: override_of("responseOverride") };
        Ok(Rendered { text, overrides })
    }
}

/// A value as JSON; what is no plain value, as its text.
fn plain(value: &Value, depth: usize) -> Json {
    if depth > velocity::DEPTH_LIMIT {
        return Json::Null;
    }
    match value {
        Value::Null => Json::Null,
        Value::Boolean(value) => json!(value),
        Value::Integer(value) => json!(value),
        Value::Float(value) => json!(value),
        Value::List(elements) => elements.borrow().iter().map(|element| plain(element, depth + 1)).collect(),
        Value::Map(entries) => {
            let entries = entries.borrow();
            Json::Object(entries.iter().map(|(key, value)| (key.clone(), plain(value, depth + 1))).collect())
        }
        other => json!(other.text()),
    }
}

/// The pairs of an override.
pub(super) fn overridden(overrides: &Json, place: &str) -> Vec<(String, String)> {
    let members = overrides.get(place).and_then(Json::as_object);
    members.into_iter().flatten().filter_map(|(name, value)| Some((name.clone(), scalar(value)?))).collect()
}
