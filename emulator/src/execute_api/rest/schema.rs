//! JSON schemas, draft 4, as far as models of API Gateway use them.
//!
//! <https://datatracker.ietf.org/doc/html/draft-zyp-json-schema-04>. A keyword that draft 4 does not have says nothing, as its
//! text wants it; `format` is an annotation.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::Value;

/// How deep schemas and references may nest; ours.
const MAX_DEPTH: usize = 64;
/// How many comparisons one validation may take; ours.
const MAX_STEPS: usize = 1_000_000;

/// Where a reference to another model begins.
const MODELS: &str = "/models/";

/// What is wrong with a value; nothing if it is as the schema says. `other` gives the schema of another model.
///
/// # Errors
/// A schema that cannot be used: a pattern that is none, a reference to nothing, one that nests too deeply.
pub(super) fn errors(
    root: &Value,
    value: &Value,
    other: &mut dyn FnMut(&str) -> Option<Value>,
) -> Result<Vec<String>, String> {
    let mut check = Check { other, models: BTreeMap::new(), expressions: BTreeMap::new(), found: Vec::new(), steps: 0 };
    check.value(root, root, value, "", 0)?;
    Ok(check.found)
}

struct Check<'a> {
    other: &'a mut dyn FnMut(&str) -> Option<Value>,
    /// Other models and expressions, each read once.
    models: BTreeMap<String, Rc<Value>>,
    expressions: BTreeMap<String, regex::Regex>,
    found: Vec<String>,
    steps: usize,
}

impl Check<'_> {
    fn fail(&mut self, path: &str, what: impl std::fmt::Display) {
        self.found.push(if path.is_empty() { what.to_string() } else { format!("{path}: {what}") });
    }

    /// Whether a value is as a schema says, on its own.
    fn fits(&mut self, root: &Value, schema: &Value, value: &Value, depth: usize) -> Result<bool, String> {
        let before = self.found.len();
        self.value(root, schema, value, "", depth + 1)?;
        let fits = self.found.len() == before;
        self.found.truncate(before);
        Ok(fits)
    }

    fn value(&mut self, root: &Value, schema: &Value, value: &Value, path: &str, depth: usize) -> Result<(), String> {
        self.steps += 1;
        if depth > MAX_DEPTH || self.steps > MAX_STEPS {
            return Err(format!("the schema nests deeper than {MAX_DEPTH}, or takes too long"));
        }
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            return self.reference(root, target, value, path, depth);
        }
        self.kind(schema, value, path);
        if let Some(allowed) = schema.get("enum").and_then(Value::as_array)
            && !allowed.contains(value)
        {
            self.fail(path, format!("instance value ({value}) not found in enum"));
        }
        match value {
            Value::Object(_) => self.object(root, schema, value, path, depth)?,
            Value::Array(elements) => self.array(root, schema, elements, path, depth)?,
            Value::String(text) => self.text(schema, text, path)?,
            Value::Number(number) => self.number(schema, number.as_f64().unwrap_or(f64::NAN), path),
            _ => {}
        }
        self.combined(root, schema, value, path, depth)
    }

    fn reference(&mut self, root: &Value, target: &str, value: &Value, path: &str, depth: usize) -> Result<(), String> {
        let missing = || format!("the reference {target} leads nowhere");
        if let Some(pointer) = target.strip_prefix('#') {
            let found = root.pointer(pointer).ok_or_else(missing)?;
            return self.value(root, found, value, path, depth + 1);
        }
        let (_, name) = target.split_once(MODELS).ok_or_else(missing)?;
        let (name, pointer) = name.split_once('#').unwrap_or((name, ""));
        let other = self.model(name).ok_or_else(missing)?;
        let found = other.pointer(pointer).ok_or_else(missing)?;
        self.value(&other, found, value, path, depth + 1)
    }

    fn model(&mut self, name: &str) -> Option<Rc<Value>> {
        if let Some(known) = self.models.get(name) {
            return Some(Rc::clone(known));
        }
        let model = Rc::new((self.other)(name)?);
        self.models.insert(name.to_owned(), Rc::clone(&model));
        Some(model)
    }

    fn matches(&mut self, pattern: &str, text: &str) -> Result<bool, String> {
        if let Some(known) = self.expressions.get(pattern) {
            return Ok(known.is_match(text));
        }
        let made = regex::Regex::new(pattern).map_err(|error| format!("the pattern {pattern:?}: {error}"))?;
        let matches = made.is_match(text);
        self.expressions.insert(pattern.to_owned(), made);
        Ok(matches)
    }

    fn kind(&mut self, schema: &Value, value: &Value, path: &str) {
        let allowed: Vec<&str> = match schema.get("type") {
            Some(Value::String(kind)) => vec![kind],
            Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
            _ => return,
        };
        let own = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(number) if number.is_i64() || number.is_u64() => "integer",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        let fits = allowed.contains(&own) || own == "integer" && allowed.contains(&"number");
        if !fits {
            self.fail(
                path,
                format!("instance type ({own}) does not match any allowed primitive type (allowed: {allowed:?})"),
            );
        }
    }

    fn object(&mut self, root: &Value, schema: &Value, value: &Value, path: &str, depth: usize) -> Result<(), String> {
        let Some(members) = value.as_object() else { return Ok(()) };
        let required = schema.get("required").and_then(Value::as_array);
        let missing: Vec<&str> = required
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .filter(|name| !members.contains_key(*name))
            .collect();
        if !missing.is_empty() {
            self.fail(path, format!("object has missing required properties ({missing:?})"));
        }
        self.count(schema, members.len(), ["minProperties", "maxProperties"], "properties", path);
        let empty = serde_json::Map::new();
        let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&empty);
        let patterns = schema.get("patternProperties").and_then(Value::as_object).unwrap_or(&empty);
        let additional = schema.get("additionalProperties");
        for (name, member) in members {
            let below = format!("{path}/{name}");
            let mut known = false;
            if let Some(schema) = properties.get(name) {
                known = true;
                self.value(root, schema, member, &below, depth + 1)?;
            }
            for (pattern, schema) in patterns {
                if self.matches(pattern, name)? {
                    known = true;
                    self.value(root, schema, member, &below, depth + 1)?;
                }
            }
            match additional {
                Some(Value::Bool(false)) if !known => {
                    self.fail(
                        path,
                        format!("object instance has properties which are not allowed by the schema: [{name:?}]"),
                    );
                }
                Some(schema @ Value::Object(_)) if !known => self.value(root, schema, member, &below, depth + 1)?,
                _ => {}
            }
        }
        for (name, wanted) in schema.get("dependencies").and_then(Value::as_object).unwrap_or(&empty) {
            match wanted {
                _ if !members.contains_key(name) => {}
                Value::Array(names) => {
                    if names.iter().filter_map(Value::as_str).any(|other| !members.contains_key(other)) {
                        self.fail(path, format!("property {name:?} of object has missing property dependencies"));
                    }
                }
                schema => self.value(root, schema, value, path, depth + 1)?,
            }
        }
        Ok(())
    }

    fn array(
        &mut self,
        root: &Value,
        schema: &Value,
        elements: &[Value],
        path: &str,
        depth: usize,
    ) -> Result<(), String> {
        self.count(schema, elements.len(), ["minItems", "maxItems"], "elements", path);
        if schema.get("uniqueItems") == Some(&Value::Bool(true)) {
            for (place, element) in elements.iter().enumerate() {
                self.steps += place;
                if self.steps > MAX_STEPS {
                    return Err("the list is too long to be searched for duplicates".to_owned());
                }
                if elements.iter().take(place).any(|other| other == element) {
                    self.fail(path, "array must not contain duplicate elements");
                    break;
                }
            }
        }
        let items = schema.get("items");
        for (place, element) in elements.iter().enumerate() {
            let schema = match items {
                Some(Value::Array(schemas)) => schemas.get(place).or_else(|| schema.get("additionalItems")),
                items => items,
            };
            match schema {
                Some(Value::Bool(false)) => self.fail(path, "array is too long"),
                Some(schema) => self.value(root, schema, element, &format!("{path}/{place}"), depth + 1)?,
                None => {}
            }
        }
        Ok(())
    }

    fn text(&mut self, schema: &Value, text: &str, path: &str) -> Result<(), String> {
        self.count(schema, text.chars().count(), ["minLength", "maxLength"], "characters", path);
        if let Some(pattern) = schema.get("pattern").and_then(Value::as_str)
            && !self.matches(pattern, text)?
        {
            self.fail(path, format!("ECMA 262 regex {pattern:?} does not match input string {text:?}"));
        }
        Ok(())
    }

    fn number(&mut self, schema: &Value, number: f64, path: &str) {
        let bound = |name: &str| schema.get(name).and_then(Value::as_f64);
        let exclusive = |name: &str| schema.get(name) == Some(&Value::Bool(true));
        if let Some(least) = bound("minimum")
            && (number < least || exclusive("exclusiveMinimum") && number == least)
        {
            self.fail(
                path,
                format!("numeric instance is lower than the required minimum (minimum: {least}, found: {number})"),
            );
        }
        if let Some(most) = bound("maximum")
            && (number > most || exclusive("exclusiveMaximum") && number == most)
        {
            self.fail(
                path,
                format!("numeric instance is greater than the required maximum (maximum: {most}, found: {number})"),
            );
        }
        if let Some(step) = bound("multipleOf").filter(|step| *step > 0.0) {
            let times = number / step;
            if (times - times.round()).abs() > 1e-9 {
                self.fail(path, format!("remainder of division is not zero ({number} / {step})"));
            }
        }
    }

    fn count(&mut self, schema: &Value, own: usize, [least, most]: [&str; 2], what: &str, path: &str) {
        let bound = |name: &str| schema.get(name).and_then(Value::as_u64).and_then(|bound| usize::try_from(bound).ok());
        if bound(least).is_some_and(|least| own < least) {
            self.fail(path, format!("instance has too few {what} ({own})"));
        }
        if bound(most).is_some_and(|most| own > most) {
            self.fail(path, format!("instance has too many {what} ({own})"));
        }
    }

    fn combined(
        &mut self,
        root: &Value,
        schema: &Value,
        value: &Value,
        path: &str,
        depth: usize,
    ) -> Result<(), String> {
        let list = |name: &str| schema.get(name).and_then(Value::as_array);
        for schema in list("allOf").into_iter().flatten() {
            self.value(root, schema, value, path, depth + 1)?;
        }
        for (name, exactly) in [("anyOf", false), ("oneOf", true)] {
            let Some(schemas) = list(name) else { continue };
            let mut fitting = 0;
            for schema in schemas {
                fitting += usize::from(self.fits(root, schema, value, depth)?);
            }
            if fitting == 0 || exactly && fitting != 1 {
                self.fail(path, format!("instance matches {fitting} of {} schemas of {name}", schemas.len()));
            }
        }
        if let Some(schema) = schema.get("not")
            && self.fits(root, schema, value, depth)?
        {
            self.fail(path, "instance matches a schema which it must not match");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::errors;

    #[test]
    fn what_the_keywords_say() {
        let pet = json!({"type": "object", "properties": {"id": {"type": "integer", "minimum": 1}, "name": {"type": "string",
            "minLength": 2, "pattern": "^[a-z]+$"}}, "required": ["id"], "additionalProperties": false});
        for (schema, value, good) in [
            (pet.clone(), json!({"id": 1, "name": "rex"}), true),
            (pet.clone(), json!({"id": 0}), false),
            (pet.clone(), json!({"name": "rex"}), false),
            (pet.clone(), json!({"id": 1, "name": "R"}), false),
            (pet.clone(), json!({"id": 1, "age": 3}), false),
            (json!({"type": "array", "items": {"type": "number"}, "maxItems": 2}), json!([1, 2.5]), true),
            (json!({"type": "array", "items": {"type": "number"}, "maxItems": 2}), json!([1, 2, 3]), false),
            (json!({"oneOf": [{"type": "string"}, {"maximum": 3}]}), json!("x"), false),
            (json!({"oneOf": [{"type": "string"}, {"type": "number"}]}), json!("x"), true),
            (json!({"enum": ["a", "b"]}), json!("c"), false),
            (json!({"not": {"type": "null"}}), json!(null), false),
            (json!({"$ref": "https://apigateway.amazonaws.com/restapis/x/models/Pet"}), json!({"id": 0}), false),
            (json!({"$ref": "#/definitions/n", "definitions": {"n": {"type": "integer"}}}), json!(7), true),
        ] {
            let found = errors(&schema, &value, &mut |name| (name == "Pet").then(|| pet.clone())).unwrap();
            assert_eq!(found.is_empty(), good, "{schema} {value}: {found:?}");
        }
        let circle = json!({"$ref": "#"});
        assert!(errors(&circle, &json!(1), &mut |_| None).is_err(), "a schema that is itself");
        let nowhere = json!({"$ref": "#/definitions/n"});
        assert!(errors(&nowhere, &json!(1), &mut |_| None).is_err());
    }
}
