//! References to resources whose logical ids SAM makes: by the name that the author knows, as `Ref`, `Fn::GetAtt`, in `Fn::Sub`
//! and in `DependsOn`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::sub::{Part, parts};
use super::Template;

/// What the author writes, and the logical ids that it stands for.
pub(super) type Renamed = BTreeMap<String, String>;

/// Has everything refer to the resources by their new names.
pub(super) fn rename(template: &mut Template, renamed: &Renamed) {
    if renamed.is_empty() {
        return;
    }
    for (_, resource) in &mut template.resources {
        for value in resource.properties.values_mut() {
            rename_in(value, renamed);
        }
        for name in &mut resource.depends_on {
            if let Some(new) = renamed.get(name) {
                name.clone_from(new);
            }
        }
    }
    for (_, output) in &mut template.outputs {
        rename_in(&mut output.value, renamed);
        output.export_name.iter_mut().for_each(|name| rename_in(name, renamed));
    }
}

fn rename_in(value: &mut Value, renamed: &Renamed) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| rename_in(item, renamed)),
        Value::Object(members) if members.len() == 1 => {
            for (name, value) in members.iter_mut() {
                match name.as_str() {
                    "Ref" => rename_text(value, renamed, |text| renamed.get(text).cloned()),
                    "Fn::GetAtt" => rename_attribute(value, renamed),
                    "Fn::Sub" => rename_sub(value, renamed),
                    _ => rename_in(value, renamed),
                }
            }
        }
        Value::Object(members) => members.values_mut().for_each(|value| rename_in(value, renamed)),
        _ => {}
    }
}

/// A text becomes what `new` says; anything else is looked through.
fn rename_text(value: &mut Value, renamed: &Renamed, new: impl Fn(&str) -> Option<String>) {
    match value {
        Value::String(text) => *text = new(text).unwrap_or_else(|| std::mem::take(text)),
        other => rename_in(other, renamed),
    }
}

/// `[id, attribute]`, or `id.attribute`.
fn rename_attribute(value: &mut Value, renamed: &Renamed) {
    match value {
        Value::Array(items) => {
            if let Some(first) = items.first_mut() {
                rename_text(first, renamed, |text| renamed.get(text).cloned());
            }
        }
        other => rename_text(other, renamed, |text| new_name(text, renamed)),
    }
}

/// The new name of `id` or `id.attribute`.
fn new_name(name: &str, renamed: &Renamed) -> Option<String> {
    let whole = renamed.get(name).cloned();
    whole.or_else(|| {
        let (id, attribute) = name.split_once('.')?;
        Some(format!("{}.{attribute}", renamed.get(id)?))
    })
}

/// A text, or a text and variables of its own, which go before resources.
fn rename_sub(value: &mut Value, renamed: &Renamed) {
    let none = Map::new();
    match value {
        Value::String(text) => *text = rename_variables(text, &none, renamed),
        Value::Array(items) => {
            let own = items.get(1).and_then(Value::as_object).cloned().unwrap_or_default();
            if let Some(Value::String(text)) = items.first_mut() {
                *text = rename_variables(text, &own, renamed);
            }
            items.iter_mut().skip(1).for_each(|item| rename_in(item, renamed));
        }
        other => rename_in(other, renamed),
    }
}

fn rename_variables(text: &str, own: &Map<String, Value>, renamed: &Renamed) -> String {
    // A text that is none is refused when the template is looked at.
    let Ok(parts) = parts(text) else { return text.to_owned() };
    let mut whole = String::new();
    for part in parts {
        match part {
            Part::Text(text) => whole.push_str(text),
            Part::Literal(name) => whole.push_str(&format!("${{!{name}}}")),
            Part::Variable(name) => {
                let new = if own.contains_key(name) { None } else { new_name(name, renamed) };
                whole.push_str(&format!("${{{}}}", new.as_deref().unwrap_or(name)));
            }
        }
    }
    whole
}
