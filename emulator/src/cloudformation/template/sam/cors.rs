//! SAM's `Cors` of an API: a preflight method on each path.

use serde_json::{Map, Value, json};

use super::invalid;
use crate::Result;

/// The methods that `any` stands for, as SAM writes them.
const ALL: &str = "DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT";

/// Adds the preflight to every path that has no `options` of its own.
pub(super) fn add(id: &str, document: &mut Map<String, Value>, cors: &Value) -> Result<()> {
    // The short form is the origin alone.
    let short = json!({ "AllowOrigin": cors });
    let cors = match cors {
        Value::String(_) => &short,
        Value::Object(members) if members.contains_key("AllowOrigin") || members.contains_key("AllowMethods") => cors,
        Value::Object(members) if members.len() == 1 && !members.contains_key("AllowHeaders") => &short,
        Value::Object(_) => cors,
        _ => return Err(invalid(id, "Invalid value for 'Cors' property.")),
    };
    let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) else { return Ok(()) };
    for item in paths.values_mut().filter_map(Value::as_object_mut) {
        if item.contains_key("options") {
            continue;
        }
        let methods = cors.get("AllowMethods").cloned().unwrap_or_else(|| methods(item).into());
        item.insert("options".to_owned(), preflight(cors, &methods));
    }
    Ok(())
}

fn methods(item: &Map<String, Value>) -> String {
    if item.contains_key("x-amazon-apigateway-any-method") {
        return format!("'{ALL}'");
    }
    let verbs = ["get", "put", "post", "delete", "patch", "head"];
    let mut own: Vec<String> =
        item.keys().filter(|key| verbs.contains(&key.as_str())).map(|k| k.to_uppercase()).collect();
    own.push("OPTIONS".to_owned());
    own.sort();
    format!("'{}'", own.join(","))
}

fn preflight(cors: &Value, methods: &Value) -> Value {
    let credentials = cors.get("AllowCredentials").filter(|flag| **flag == Value::Bool(true)).map(|_| json!("'true'"));
    let headers = [
        ("Access-Control-Allow-Methods", Some(methods.clone())),
        ("Access-Control-Allow-Headers", cors.get("AllowHeaders").cloned()),
        ("Access-Control-Allow-Origin", cors.get("AllowOrigin").cloned()),
        ("Access-Control-Max-Age", cors.get("MaxAge").cloned()),
        ("Access-Control-Allow-Credentials", credentials),
    ];
    let (mut declared, mut mapped) = (Map::new(), Map::new());
    for (name, value) in headers {
        if let Some(value) = value {
            declared.insert(name.to_owned(), json!({"type": "string"}));
            mapped.insert(format!("method.response.header.{name}"), value);
        }
    }
    json!({
        "summary": "CORS support",
        "consumes": ["application/json"],
        "produces": ["application/json"],
        "security": [],
        "x-amazon-apigateway-integration": {
            "type": "mock",
            "requestTemplates": {"application/json": "{\n  \"statusCode\" : 200\n}\n"},
            "responses": {"default": {
                "statusCode": "200",
                "responseParameters": mapped,
                "responseTemplates": {"application/json": "{}\n"},
            }},
        },
        "responses": {"200": {"description": "Default response for CORS method", "headers": declared}},
    })
}
