//! The sections of a template: from one plain value to [`Template`], with AWS's complaints.

use serde_json::{Map, Value};

use super::extensions;
use super::{
    MAX_DEPTH, MAX_MAPPINGS, MAX_OUTPUTS, MAX_PARAMETERS, MAX_RESOURCES, OutputDef, ParameterDef, ResourceDef,
    Template, format_error, scalar_text, validation_error,
};
use crate::{Error, Result};

const FORMAT_VERSION: &str = "2010-09-09";

/// A section's members, one by one.
type Members = Map<String, Value>;

pub(super) fn template(value: Value) -> Result<Template> {
    let Value::Object(mut sections) = value else { return Err(format_error("unsupported structure.")) };
    refuse_sections(&sections)?;
    for (name, section) in &sections {
        refuse_null(section, &mut vec![name.clone()])?;
    }
    let mut template = Template { transforms: transforms(sections.get("Transform"))?, ..Template::default() };
    sections.values().try_for_each(|section| extensions::refuse(section, template.is_extended(), 0))?;
    let has_loops = template.is_extended() && extensions::strip(&mut sections);
    if sections.contains_key("Globals") && !template.is_sam() {
        return Err(validation_error("Invalid template property or properties [Globals]"));
    }
    for (name, section) in sections {
        match name.as_str() {
            "AWSTemplateFormatVersion" if section.as_str() != Some(FORMAT_VERSION) => {
                return Err(format_error(format!(
                    "Unrecognized template format version: {}",
                    scalar_text(&section).unwrap_or_default()
                )));
            }
            "Description" => match section {
                Value::String(text) => template.description = Some(text),
                _ => return Err(format_error("Description must be a string.")),
            },
            "Metadata" => template.metadata = Some(section),
            "Globals" => template.globals = Some(section),
            "Mappings" => template.mappings = mappings(section)?,
            "Conditions" => template.conditions = members(section, "Conditions")?,
            "Rules" => template.rules = members(section, "Rules")?,
            "Parameters" => template.parameters = each(section, "Parameters", MAX_PARAMETERS, parameter)?,
            "Resources" => template.resources = each(section, "Resources", MAX_RESOURCES, resource)?,
            "Outputs" => template.outputs = each(section, "Outputs", MAX_OUTPUTS, output)?,
            _ => {}
        }
    }
    if template.resources.is_empty() && !has_loops {
        return Err(format_error("At least one Resources member must be defined."));
    }
    Ok(template)
}

fn refuse_sections(sections: &Members) -> Result<()> {
    let known = [
        "AWSTemplateFormatVersion",
        "Description",
        "Metadata",
        "Parameters",
        "Mappings",
        "Conditions",
        "Rules",
        "Transform",
        "Globals",
        "Resources",
        "Outputs",
    ];
    if sections.contains_key("Hooks") {
        return Err(Error::not_implemented("the Hooks section of CloudFormation templates"));
    }
    let unknown: Vec<&str> = sections.keys().map(String::as_str).filter(|name| !known.contains(name)).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    Err(validation_error(format!("Invalid template property or properties [{}]", unknown.join(", "))))
}

/// CloudFormation takes null nowhere. `path` leads to the value; the walk is bounded because JSON text may nest deeper
/// than YAML text was allowed to.
fn refuse_null(value: &Value, path: &mut Vec<String>) -> Result<()> {
    if value.is_null() {
        return Err(validation_error(format!("[/{}] 'null' values are not allowed in templates", path.join("/"))));
    }
    if path.len() > MAX_DEPTH {
        return Err(format_error(format!("collections may nest {MAX_DEPTH} levels deep.")));
    }
    let children: Vec<(String, &Value)> = match value {
        Value::Array(items) => items.iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect(),
        Value::Object(members) => members.iter().map(|(name, member)| (name.clone(), member)).collect(),
        _ => return Ok(()),
    };
    for (name, child) in children {
        path.push(name);
        refuse_null(child, path)?;
        path.pop();
    }
    Ok(())
}

fn transforms(section: Option<&Value>) -> Result<Vec<String>> {
    let names: Vec<&Value> = match section {
        None => Vec::new(),
        Some(Value::Array(names)) => names.iter().collect(),
        Some(name) => vec![name],
    };
    let mut transforms = Vec::new();
    for name in names {
        match name.as_str() {
            Some(name) => transforms.push(name.to_owned()),
            None => match name.get("Name").and_then(Value::as_str) {
                Some(name) => transforms.push(name.to_owned()),
                None => return Err(validation_error("Key Name of transform definition must be a string.")),
            },
        }
    }
    Ok(transforms)
}

fn members(section: Value, name: &str) -> Result<Members> {
    match section {
        Value::Object(members) => Ok(members),
        _ => Err(format_error(format!("{name} must be an object."))),
    }
}

fn each<T>(
    section: Value,
    name: &str,
    limit: usize,
    read: impl Fn(&str, Value) -> Result<T>,
) -> Result<Vec<(String, T)>> {
    let members = members(section, name)?;
    if members.len() > limit {
        let count = members.len();
        return Err(format_error(format!(
            "Number of {}, {count}, is greater than maximum allowed, {limit}",
            name.to_lowercase()
        )));
    }
    let mut read_members = Vec::with_capacity(members.len());
    for (id, member) in members {
        let kind = name.strip_suffix('s').unwrap_or(name);
        if id.is_empty() || id.len() > 255 || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(format_error(format!("{kind} name {id} is non alphanumeric.")));
        }
        let member = read(&id, member)?;
        read_members.push((id, member));
    }
    Ok(read_members)
}

fn mappings(section: Value) -> Result<Members> {
    let mappings = members(section, "Mappings")?;
    if mappings.len() > MAX_MAPPINGS {
        return Err(format_error(format!(
            "Number of mappings, {}, is greater than maximum allowed, {MAX_MAPPINGS}",
            mappings.len()
        )));
    }
    for (name, mapping) in &mappings {
        let rows = mapping.as_object().map(|rows| rows.values().all(Value::is_object));
        if rows != Some(true) {
            return Err(format_error(format!("Every Mappings member {name} must be a map of maps.")));
        }
    }
    Ok(mappings)
}

/// Takes a text member, numbers and booleans included.
fn take_text(members: &mut Members, name: &str, owner: &str) -> Result<Option<String>> {
    let Some(value) = members.remove(name) else { return Ok(None) };
    scalar_text(&value)
        .map(Some)
        .ok_or_else(|| format_error(format!("Every {name} member of {owner} must be a string.")))
}

fn parameter(id: &str, value: Value) -> Result<ParameterDef> {
    let mut members = members(value, &format!("Parameter {id}"))?;
    let Some(kind) = take_text(&mut members, "Type", id)? else {
        return Err(format_error("Every Parameters object must contain a Type member."));
    };
    let default = match members.remove("Default") {
        // A list parameter's default may be written as a list of one line.
        Some(Value::Array(_)) => return Err(format_error("Every Default member must be a string.")),
        Some(value) => Some(scalar_text(&value).ok_or_else(|| format_error("Every Default member must be a string."))?),
        None => None,
    };
    let allowed_values = match members.remove("AllowedValues") {
        None => Vec::new(),
        Some(Value::Array(values)) => values
            .iter()
            .map(|value| scalar_text(value).ok_or_else(|| format_error("Every AllowedValues member must be a string.")))
            .collect::<Result<_>>()?,
        Some(_) => return Err(format_error("Every AllowedValues value must be a list.")),
    };
    let mut text = |name: &str| take_text(&mut members, name, id);
    let def = ParameterDef {
        kind,
        default,
        allowed_values,
        allowed_pattern: text("AllowedPattern")?,
        min_length: text("MinLength")?,
        max_length: text("MaxLength")?,
        min_value: text("MinValue")?,
        max_value: text("MaxValue")?,
        constraint_description: text("ConstraintDescription")?,
        description: text("Description")?,
        no_echo: text("NoEcho")?.is_some_and(|flag| flag.eq_ignore_ascii_case("true")),
    };
    match members.keys().next() {
        None => Ok(def),
        Some(other) => Err(validation_error(format!("Invalid template parameter property '{other}'"))),
    }
}

fn resource(id: &str, value: Value) -> Result<ResourceDef> {
    let Value::Object(mut members) = value else {
        return Err(format_error(format!("[/Resources/{id}] resource definition is malformed")));
    };
    let Some(kind) = take_text(&mut members, "Type", id)? else {
        return Err(format_error(format!("[/Resources/{id}] Every Resources object must contain a Type member.")));
    };
    let mut def = ResourceDef { kind, ..ResourceDef::default() };
    for (name, value) in members {
        match (name.as_str(), value) {
            ("Properties", Value::Object(properties)) => def.properties = properties,
            ("Properties", _) => {
                return Err(format_error(format!("[/Resources/{id}/Properties] must be an object.")));
            }
            ("DependsOn", value) => def.depends_on = depends_on(id, value)?,
            ("Condition", Value::String(name)) => def.condition = Some(name),
            // What a function gives is known only with the template's values.
            ("DeletionPolicy" | "UpdateReplacePolicy", value @ Value::Object(_)) => {
                def.attributes.insert(name, value);
            }
            ("DeletionPolicy", value) => def.deletion_policy = Some(policy(id, "DeletionPolicy", &value)?),
            ("UpdateReplacePolicy", value) => {
                def.update_replace_policy = Some(policy(id, "UpdateReplacePolicy", &value)?);
            }
            ("CreationPolicy" | "UpdatePolicy" | "Metadata" | "Version", value) => {
                def.attributes.insert(name, value);
            }
            ("Connectors" | "IgnoreGlobals", _) => {
                return Err(Error::not_implemented(format_args!("SAM's resource attribute {name} (resource {id})")));
            }
            _ => return Err(validation_error(format!("Invalid template resource property '{name}'"))),
        }
    }
    Ok(def)
}

fn depends_on(id: &str, value: Value) -> Result<Vec<String>> {
    let names = match value {
        Value::Array(names) => names,
        name => vec![name],
    };
    let text = |name: Value| match name {
        Value::String(name) => Ok(name),
        _ => Err(format_error(format!("DependsOn of resource {id} must be a string or a list of strings."))),
    };
    names.into_iter().map(text).collect()
}

pub(super) fn policy(id: &str, name: &str, value: &Value) -> Result<String> {
    let policy = value.as_str().unwrap_or_default();
    let known: &[&str] = if name == "DeletionPolicy" {
        &["Delete", "Retain", "RetainExceptOnCreate", "Snapshot"]
    } else {
        &["Delete", "Retain", "Snapshot"]
    };
    if known.contains(&policy) {
        return Ok(policy.to_owned());
    }
    Err(format_error(format!("Unrecognized {name} {policy} for resource {id}")))
}

fn output(id: &str, value: Value) -> Result<OutputDef> {
    let mut members = members(value, &format!("Output {id}"))?;
    let Some(value) = members.remove("Value") else {
        return Err(format_error("Every Outputs member must contain a Value object"));
    };
    let description = take_text(&mut members, "Description", id)?;
    let condition = take_text(&mut members, "Condition", id)?;
    let export_name = match members.remove("Export") {
        None => None,
        Some(Value::Object(mut export)) if export.len() == 1 && export.contains_key("Name") => export.remove("Name"),
        Some(_) => return Err(format_error(format!("Output {id}: Export must be an object with a Name member."))),
    };
    match members.keys().next() {
        None => Ok(OutputDef { value, description, export_name, condition }),
        Some(other) => Err(validation_error(format!("Invalid template output property '{other}'"))),
    }
}
