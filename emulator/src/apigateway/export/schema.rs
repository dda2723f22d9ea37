//! Models as schemas of a document.

use serde_json::{Map, Value, json};

use super::Exporter;

/// How deep schemas may nest; ours.
const MAX_DEPTH: usize = 100;
/// What stands before a model's name where one model names another.
const MODELS: &str = "/models/";

impl Exporter<'_> {
    /// What names a model; the model becomes part of the document.
    pub(super) fn reference(&mut self, model: &str) -> Value {
        if !self.used.iter().any(|name| name == model) {
            self.used.push(model.to_owned());
        }
        json!({"$ref": format!("{}{model}", self.edition.schemas())})
    }

    /// The schemas of the models that something refers to, directly or through others.
    pub(super) fn schemas(&mut self) -> Map<String, Value> {
        let mut schemas = Map::new();
        let mut next = 0;
        while let Some(name) = self.used.get(next).cloned() {
            next += 1;
            let Some(model) = self.deployment.content.models.get(&name) else { continue };
            let text = model.schema.as_deref().unwrap_or("{}");
            let mut schema: Value = serde_json::from_str(text).unwrap_or_else(|_| json!({}));
            if let Some(members) = schema.as_object_mut() {
                members.shift_remove("$schema");
                members.shift_remove("id");
            }
            self.link(&mut schema, 0);
            schemas.insert(name, schema);
        }
        schemas
    }

    /// Has the schema name other models as the document does.
    fn link(&mut self, schema: &mut Value, depth: usize) {
        if depth > MAX_DEPTH {
            return;
        }
        match schema {
            Value::Object(members) => {
                if let Some(Value::String(target)) = members.get_mut("$ref")
                    && let Some((before, name)) = target.rsplit_once(MODELS)
                    && before.contains("/restapis/")
                {
                    let name = name.to_owned();
                    if let Value::Object(mut reference) = self.reference(&name)
                        && let Some(Value::String(own)) = reference.remove("$ref")
                    {
                        *target = own;
                    }
                }
                for value in members.values_mut() {
                    self.link(value, depth + 1);
                }
            }
            Value::Array(elements) => {
                for value in elements {
                    self.link(value, depth + 1);
                }
            }
            _ => {}
        }
    }
}
