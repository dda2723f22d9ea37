//! Values of a template's parameters: given or default, checked against type and constraints.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::{Map, Value};

use super::{ParameterDef, Template, template_error, validation_error};
use crate::{Error, Result};

/// What the types of parameters begin with whose values are names of SSM's parameter store.
pub const STORED: &str = "AWS::SSM::Parameter::Value<";

/// Finds the value of a parameter in SSM's parameter store; `None` if there is none.
pub type SsmParameter<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// The values that `Ref` of each parameter gives, in the template's order: a string, or a list of strings for
/// `CommaDelimitedList` and `List<…>`.
///
/// # Errors
/// `ValidationError` for missing, unknown and unfit values; `NotImplemented` for a type that Garoa does not know.
pub fn values(
    template: &Template,
    given: &BTreeMap<String, String>,
    ssm: &SsmParameter<'_>,
) -> Result<Map<String, Value>> {
    let unknown: Vec<&str> =
        given.keys().map(String::as_str).filter(|name| template.parameter(name).is_none()).collect();
    if !unknown.is_empty() {
        return Err(validation_error(format!("Parameters: [{}] do not exist in the template", unknown.join(", "))));
    }
    let missing: Vec<&str> = template
        .parameters
        .iter()
        .filter(|(name, def)| def.default.is_none() && !given.contains_key(name))
        .map(|(name, _)| name.as_str())
        .collect();
    if !missing.is_empty() {
        return Err(validation_error(format!("Parameters: [{}] must have values", missing.join(", "))));
    }
    let mut values = Map::new();
    for (name, def) in &template.parameters {
        let text = given.get(name).or(def.default.as_ref()).cloned().unwrap_or_default();
        values.insert(name.clone(), value(name, def, text, ssm)?);
    }
    Ok(values)
}

fn value(name: &str, def: &ParameterDef, text: String, ssm: &SsmParameter<'_>) -> Result<Value> {
    if let Some(inner) = def.kind.strip_prefix(STORED).and_then(|kind| kind.strip_suffix('>')) {
        check_text(name, def, &text)?;
        let stored = ssm(&text).ok_or_else(|| {
            validation_error(format!("Unable to fetch parameters [{text}] from parameter store for this account."))
        })?;
        return match inner {
            "String" => Ok(stored.into()),
            "List<String>" | "CommaDelimitedList" => Ok(list(&stored)),
            other => Err(Error::not_implemented(format_args!("the CloudFormation parameter type {other}"))),
        };
    }
    match def.kind.as_str() {
        "String" | "AWS::SSM::Parameter::Name" => {
            check_text(name, def, &text)?;
            Ok(text.into())
        }
        "Number" => {
            check_number(name, def, &text)?;
            Ok(text.into())
        }
        "CommaDelimitedList" | "List<String>" => {
            let items = list(&text);
            for item in items.as_array().into_iter().flatten().filter_map(Value::as_str) {
                check_text(name, def, item)?;
            }
            Ok(items)
        }
        "List<Number>" => {
            let items = list(&text);
            for item in items.as_array().into_iter().flatten().filter_map(Value::as_str) {
                check_number(name, def, item)?;
            }
            Ok(items)
        }
        // These name things of EC2 and Route 53, which CloudFormation checks for existence.
        kind if kind.starts_with("AWS::") || kind.starts_with("List<") => {
            Err(Error::not_implemented(format_args!("the CloudFormation parameter type {kind}")))
        }
        kind => Err(super::format_error(format!("Unrecognized parameter type: {kind}"))),
    }
}

/// CloudFormation trims the items of a list.
fn list(text: &str) -> Value {
    if text.is_empty() { Value::Array(Vec::new()) } else { text.split(',').map(str::trim).collect() }
}

/// A violated constraint: the author's own words if there are any.
fn unfit(name: &str, def: &ParameterDef, text: impl std::fmt::Display) -> Error {
    match &def.constraint_description {
        Some(description) => {
            validation_error(format!("Parameter '{name}' failed to satisfy constraint: {description}"))
        }
        None => validation_error(format!("Parameter '{name}' {text}")),
    }
}

fn check_text(name: &str, def: &ParameterDef, text: &str) -> Result<()> {
    check_allowed(name, def, text)?;
    let length = text.chars().count();
    if let Some(limit) = bound::<usize>(name, "MinLength", def.min_length.as_deref())?.filter(|limit| length < *limit) {
        return Err(unfit(name, def, format_args!("must contain at least {limit} characters")));
    }
    if let Some(limit) = bound::<usize>(name, "MaxLength", def.max_length.as_deref())?.filter(|limit| length > *limit) {
        return Err(unfit(name, def, format_args!("must contain at most {limit} characters")));
    }
    let Some(pattern) = &def.allowed_pattern else { return Ok(()) };
    // Java's regular expressions know look-around, which ours do not: then the pattern cannot be honoured.
    let whole = Regex::new(&format!(r"\A(?:{pattern})\z"))
        .map_err(|_| Error::not_implemented(format_args!("the AllowedPattern {pattern} of parameter {name}")))?;
    if whole.is_match(text) { Ok(()) } else { Err(unfit(name, def, format_args!("must match pattern {pattern}"))) }
}

fn check_number(name: &str, def: &ParameterDef, text: &str) -> Result<()> {
    let number = text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    let Some(number) = number else {
        return Err(validation_error(format!("Parameter '{name}' must be a number.")));
    };
    check_allowed(name, def, text)?;
    if let Some(limit) = bound::<f64>(name, "MinValue", def.min_value.as_deref())?.filter(|limit| number < *limit) {
        return Err(unfit(name, def, format_args!("must be a number not less than {limit}")));
    }
    if let Some(limit) = bound::<f64>(name, "MaxValue", def.max_value.as_deref())?.filter(|limit| number > *limit) {
        return Err(unfit(name, def, format_args!("must be a number not greater than {limit}")));
    }
    Ok(())
}

fn check_allowed(name: &str, def: &ParameterDef, text: &str) -> Result<()> {
    if def.allowed_values.is_empty() || def.allowed_values.iter().any(|allowed| allowed == text) {
        return Ok(());
    }
    Err(unfit(name, def, format_args!("must be one of AllowedValues")))
}

fn bound<T: std::str::FromStr>(name: &str, constraint: &str, text: Option<&str>) -> Result<Option<T>> {
    let read = |text: &str| {
        text.parse().map_err(|_| template_error(format!("{constraint} of parameter {name} must be a number.")))
    };
    text.map(read).transpose()
}
