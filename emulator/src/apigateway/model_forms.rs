//! What is made of models: a sample mapping template, and the schema with all that it refers to.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/models-mappings.html>

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::models::missing;
use super::state::{Content, Model};
use super::{RestApis, on};
use crate::cloud::{Cx, Service};
use crate::{Error, Result};

/// Where the name of another model begins in a reference to it.
const MODELS: &str = "/models/";
/// How deep a template nests; ours: a model may refer to itself.
const DEPTH: usize = 8;

/// Adds the operation of this file.
pub(super) fn operations(service: Service<RestApis>) -> Service<RestApis> {
    service.op(
        "GetModelTemplate",
        |at, i: &OfModel| {
            on(at, "GET", format_args!("/restapis/{}/models/{}/default_template", i.rest_api_id, i.model_name))
        },
        template,
    )
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfModel {
    rest_api_id: String,
    model_name: String,
}

/// `Template` of the API Gateway API.
#[derive(Serialize)]
struct Template {
    value: String,
}

/// A template with a sample value for each property.
fn template(cx: &mut Cx<RestApis>, input: OfModel) -> Result<Template> {
    let api = cx.state.apis.get(&input.rest_api_id).ok_or_else(|| missing(&input.model_name))?;
    let model = api.content.models.get(&input.model_name).ok_or_else(|| missing(&input.model_name))?;
    let schema = flattened(&api.content, model)?;
    let mut value = "#set($inputRoot = $input.path('$'))\n".to_owned();
    sample(&mut value, &schema, &schema, 0);
    Ok(Template { value })
}

fn sample(out: &mut String, root: &Value, schema: &Value, depth: usize) {
    let schema = match schema["$ref"].as_str().and_then(|target| target.strip_prefix('#')) {
        Some(pointer) => root.pointer(pointer).unwrap_or(&Value::Null),
        None => schema,
    };
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.first().and_then(Value::as_str).unwrap_or_default(),
        kind => kind.as_str().unwrap_or_default(),
    };
    match kind {
        _ if depth > DEPTH => out.push_str("{ }"),
        "string" => out.push_str("\"foo\""),
        "integer" | "number" => out.push_str("42"),
        "boolean" => out.push_str("true"),
        "null" => out.push_str("null"),
        "array" => {
            out.push_str("[\n##TODO: Update this foreach loop to reference array from input json\n");
            out.push_str("#foreach($elem in $inputRoot)\n");
            sample(out, root, &schema["items"], depth + 1);
            out.push_str("#if($foreach.hasNext),#end\n#end\n]");
        }
        _ => {
            let inside = "  ".repeat(depth + 1);
            let mut first = true;
            out.push('{');
            for (name, property) in schema["properties"].as_object().into_iter().flatten() {
                out.push_str(if first { "\n" } else { ",\n" });
                first = false;
                out.push_str(&format!("{inside}{} : ", json!(name)));
                sample(out, root, property, depth + 1);
            }
            let end = if first { " }".to_owned() } else { format!("\n{}}}", "  ".repeat(depth)) };
            out.push_str(&end);
        }
    }
}

/// The schema of a model in which other models are definitions of its own.
pub(super) fn flattened(content: &Content, model: &Model) -> Result<Value> {
    let mut schema = read(model)?;
    let mut definitions = schema["definitions"].as_object().cloned().unwrap_or_default();
    let mut wanted = Vec::new();
    localize(&mut schema, "", &mut wanted);
    while let Some(name) = wanted.pop() {
        if definitions.contains_key(&name) {
            continue;
        }
        let other = content.models.get(&name).ok_or_else(|| missing(&name))?;
        let mut other = read(other)?;
        localize(&mut other, &format!("/definitions/{name}"), &mut wanted);
        definitions.insert(name, other);
    }
    if let Some(members) = schema.as_object_mut().filter(|_| !definitions.is_empty()) {
        members.insert("definitions".to_owned(), Value::Object(definitions));
    }
    Ok(schema)
}

fn read(model: &Model) -> Result<Value> {
    serde_json::from_str(model.schema.as_deref().unwrap_or("{}")).map_err(Error::from)
}

/// Points references to other models at definitions, and those of a model to itself at where it stands; the names are collected.
fn localize(schema: &mut Value, place: &str, wanted: &mut Vec<String>) {
    match schema {
        Value::Object(members) => {
            let target = members.get("$ref").and_then(Value::as_str).map(str::to_owned);
            if let Some(target) = target {
                members.insert("$ref".to_owned(), localized(&target, place, wanted).into());
            }
            members.iter_mut().for_each(|(_, member): (_, &mut Value)| localize(member, place, wanted));
        }
        Value::Array(elements) => elements.iter_mut().for_each(|element| localize(element, place, wanted)),
        _ => {}
    }
}

fn localized(target: &str, place: &str, wanted: &mut Vec<String>) -> String {
    if let Some(pointer) = target.strip_prefix('#') {
        return format!("#{place}{pointer}");
    }
    let Some((_, name)) = target.split_once(MODELS) else { return target.to_owned() };
    let (name, pointer) = name.split_once('#').unwrap_or((name, ""));
    wanted.push(name.to_owned());
    format!("#/definitions/{name}{pointer}")
}

/// The model with that schema.
pub(super) fn flat(content: &Content, model: &Model) -> Result<Model> {
    Ok(Model { schema: Some(flattened(content, model)?.to_string()), ..model.clone() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::Map;

    use super::*;

    fn content(schemas: &[(&str, Value)]) -> Content {
        let mut content = Content::default();
        for (name, schema) in schemas {
            let model = Model { name: (*name).to_owned(), schema: Some(schema.to_string()), ..Model::default() };
            content.models.insert((*name).to_owned(), model);
        }
        content
    }

    fn pets() -> Content {
        let other =
            |name: &str| json!({ "$ref": format!("https://apigateway.amazonaws.com/restapis/a/models/{name}") });
        content(&[
            ("Pets", json!({ "type": "array", "items": other("Pet") })),
            ("Pet", json!({ "type": "object", "properties": { "id": { "type": "integer" }, "of": other("Owner") } })),
            ("Owner", json!({ "type": "object", "properties": { "pet": other("Pet"), "self": { "$ref": "#" } } })),
        ])
    }

    #[test]
    fn other_models_become_definitions() {
        let content = pets();
        let flat = flattened(&content, &content.models["Pets"]).unwrap();
        assert_eq!(flat["items"]["$ref"], "#/definitions/Pet");
        assert_eq!(flat["definitions"]["Pet"]["properties"]["of"]["$ref"], "#/definitions/Owner");
        assert_eq!(flat["definitions"]["Owner"]["properties"]["self"]["$ref"], "#/definitions/Owner");
        assert_eq!(flat["definitions"].as_object().map(Map::len), Some(2));
    }

    #[test]
    fn a_sample_ends_even_where_models_do_not() {
        let content = pets();
        let flat = flattened(&content, &content.models["Pets"]).unwrap();
        let mut out = String::new();
        sample(&mut out, &flat, &flat, 0);
        assert!(out.contains("\"id\" : 42,\n"), "{out}");
        assert!(out.ends_with("#if($foreach.hasNext),#end\n#end\n]"), "{out}");
    }
}
